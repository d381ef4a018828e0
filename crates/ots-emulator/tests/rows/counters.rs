//! Columns that count.

use super::*;

#[test]
fn counters_count() {
    let client = client(3);
    let mut request = update_request("t", update(1).increment("n", 5).put("a", 1));
    request.return_content = returns(ReturnType::AfterModify, &["n"]);
    let response = client.call::<UpdateRow>(&request).unwrap();
    // The row begins with its attributes: official SDKs refuse a key part that is empty.
    let returned = response.row.unwrap();
    assert_eq!(&returned[..5], [0x75, 0, 0, 0, 0x02]);
    let returned = only_row(&returned).unwrap();
    assert!(returned.primary_key.is_empty());
    assert_eq!(returned.cells, [at("n", 5, NOW_MS)]);

    client.update("t", update(1).increment("n", -7)).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(
        values(&got),
        [("a", 1.into()), ("n", (-2).into()), ("n", 5.into())]
    );
}

#[test]
fn counters_that_cannot_count_change_nothing() {
    let client = client(1);
    client
        .put("t", row(1).cell("n", i64::MAX).cell("s", "x"))
        .unwrap();
    let before = client.get("t", &id(1));
    for change in [
        update(1).put("a", 1).increment("n", 1),
        update(1).put("a", 1).increment("s", 1),
        update(1).increment("a", 1).put("a", 1),
        update(1).increment("a", 1).increment("a", 1),
    ] {
        let refusal = client.update("t", change).unwrap_err();
        assert_eq!(
            (refusal.status, &*refusal.code),
            (400, "OTSParameterInvalid")
        );
        assert_eq!(client.get("t", &id(1)), before);
    }
}

#[test]
fn return_columns_must_be_incremented() {
    let client = client(1);
    for (return_type, columns) in [
        (ReturnType::AfterModify, &["a"][..]),
        (ReturnType::AfterModify, &["n", "missing"]),
        (ReturnType::Pk, &["n"]),
    ] {
        let mut request = update_request("t", update(1).put("a", 1).increment("n", 1));
        request.return_content = returns(return_type, columns);
        let refusal = client.call::<UpdateRow>(&request).unwrap_err();
        assert_eq!(refusal.status, 400);
        assert_eq!(client.get("t", &id(1)), None);
    }
}

#[test]
fn return_columns_are_few_and_come_back_once() {
    let client = client(1);
    let mut request = update_request("t", update(1).increment("n", 1).increment("m", 2));
    request.return_content = returns(ReturnType::AfterModify, &["n"; 1025]);
    assert_eq!(
        client.call::<UpdateRow>(&request).unwrap_err(),
        parameter(
            "The number of columns from the request exceeds the limit, limit count: 1024, column count: 1025."
        )
    );
    assert_eq!(client.get("t", &id(1)), None);
    let mut names = vec!["n"; 1023];
    names.push("m");
    request.return_content = returns(ReturnType::AfterModify, &names);
    let row = client.call::<UpdateRow>(&request).unwrap().row.unwrap();
    let mut other = update_request("t", update(2).increment("n", 1).increment("m", 2));
    other.return_content = returns(ReturnType::AfterModify, &["n", "m"]);
    let expected = client.call::<UpdateRow>(&other).unwrap().row.unwrap();
    assert_eq!(row.len(), expected.len());
}
