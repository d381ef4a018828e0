//! What a write expects of the row.

use super::*;

#[test]
fn existence_is_expected_by_all_three_writes() {
    use RowExistenceExpectation::{ExpectExist, ExpectNotExist};
    let client = client(1);
    client.put("t", row(1).cell("a", 1)).unwrap();
    for (key, expectation) in [(1, ExpectNotExist), (2, ExpectExist)] {
        let mut put = put_request("t", row(key).cell("a", 2));
        put.condition = expect(expectation);
        assert_eq!(client.call::<PutRow>(&put), Err(condition_failed()));
        let mut change = update_request("t", update(key).put("a", 2));
        change.condition = expect(expectation);
        assert_eq!(client.call::<UpdateRow>(&change), Err(condition_failed()));
        let mut delete = delete_request("t", id(key));
        delete.condition = expect(expectation);
        assert_eq!(client.call::<DeleteRow>(&delete), Err(condition_failed()));
    }
    assert_eq!(client.get("t", &id(1)).unwrap().get("a"), Some(&1.into()));
    assert_eq!(client.get("t", &id(2)), None);
}

#[test]
fn column_conditions_look_at_the_row_as_it_is() {
    let client = client(1);
    client.put("t", row(1).cell("a", 1)).unwrap();
    let attempt = |key, column: &str, value: ColumnValue, pass_if_missing: bool| {
        let mut filter = column_filter(column, ComparatorType::Equal, value);
        filter.filter_if_missing = !pass_if_missing;
        let mut change = update_request("t", update(key).put("b", 1));
        change.condition = Condition {
            column_condition: bytes(&single(&filter)),
            ..ignore()
        };
        client.call::<UpdateRow>(&change).map(drop)
    };
    let failed = Err(condition_failed());
    assert_eq!(attempt(1, "a", 1.into(), false), Ok(()));
    assert_eq!(attempt(1, "a", 2.into(), true), failed);
    assert_eq!(attempt(1, "a", "1".into(), true), failed);
    assert_eq!(attempt(1, "missing", 1.into(), true), Ok(()));
    assert_eq!(attempt(1, "missing", 1.into(), false), failed);
    // An absent row is one whose columns are all missing.
    assert_eq!(attempt(2, "a", 1.into(), false), failed);
    assert_eq!(client.get("t", &id(2)), None);
    assert_eq!(attempt(2, "a", 1.into(), true), Ok(()));
}
