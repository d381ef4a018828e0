//! Keys that come back, and keys that the service makes.

use super::*;

#[test]
fn keys_come_back_on_request() {
    let client = client(1);
    let mut put = put_request("t", row(1).cell("a", 1));
    assert_eq!(client.call::<PutRow>(&put).unwrap().row, None);
    put.return_content = returns(ReturnType::Pk, &[]);
    let returned = client.call::<PutRow>(&put).unwrap().row.unwrap();
    assert_eq!(only_row(&returned), Some(row(1)));
    let mut delete = delete_request("t", id(1));
    delete.return_content = returns(ReturnType::Pk, &[]);
    let returned = client.call::<DeleteRow>(&delete).unwrap().row.unwrap();
    assert_eq!(only_row(&returned), Some(row(1)));
}

fn auto_increment() -> Client {
    let client = Client::new();
    let key = [
        ("p", PrimaryKeyType::String),
        ("n", PrimaryKeyType::Integer),
    ];
    let mut request = create_request("t", &key, options(1));
    request.table_meta.primary_key[1].option = Some(PrimaryKeyOption::AutoIncrement as i32);
    client.call::<CreateTable>(&request).unwrap();
    client
}

fn generated() -> PrimaryKey {
    PrimaryKey::new()
        .column("p", "x")
        .column("n", PrimaryKeyValue::AutoIncrement)
}

#[test]
fn generated_keys_increase() {
    let client = auto_increment();
    let mut last = 0;
    for _ in 0..5 {
        let mut put = put_request("t", Row::new(generated()).cell("a", 1));
        put.return_content = returns(ReturnType::Pk, &[]);
        let returned = client.call::<PutRow>(&put).unwrap().row.unwrap();
        let key = only_row(&returned).unwrap().primary_key;
        let number = key.get("n").unwrap().as_integer().unwrap();
        assert!(number > last);
        last = number;
        assert!(client.get("t", &key).is_some());
    }
}

#[test]
fn generated_keys_have_rules() {
    use RowExistenceExpectation::{ExpectExist, ExpectNotExist};
    let client = auto_increment();
    let put = |key: &PrimaryKey, condition| {
        let mut put = put_request("t", Row::new(key.clone()));
        put.condition = condition;
        client.call::<PutRow>(&put).map(drop)
    };
    let text = "Invalid expect:EXPECT_EXIST when modify row with pk auto increment";
    assert_eq!(put(&generated(), expect(ExpectExist)), Err(parameter(text)));
    let filter = column_filter("a", ComparatorType::Equal, 1);
    let condition = Condition {
        column_condition: bytes(&single(&filter)),
        ..ignore()
    };
    let text = "Can't set condition when modify row with pk auto increment";
    assert_eq!(put(&generated(), condition), Err(parameter(text)));
    let text = "Invalid row to delete which with pk auto increment";
    assert_eq!(client.delete("t", generated()), Err(parameter(text)));

    let explicit = PrimaryKey::new().column("p", "x").column("n", 1);
    for (expectation, name) in [
        (RowExistenceExpectation::Ignore, "IGNORE"),
        (ExpectNotExist, "EXPECT_NOT_EXIST"),
    ] {
        let text = format!(
            "Invalid expect: {name} when modify a specific row for table with pk auto increment"
        );
        assert_eq!(put(&explicit, expect(expectation)), Err(parameter(&text)));
    }
    assert_eq!(put(&explicit, expect(ExpectExist)), Err(condition_failed()));

    let text = "PKAutoIncr can't be used for read operations.";
    let get = get_request("t", &generated());
    assert_eq!(client.call::<GetRow>(&get), Err(parameter(text)));
    let elsewhere = self::client(1).put("t", Row::new(id(PrimaryKeyValue::AutoIncrement)));
    let text = "Validate PK type fail. Input: VT_AUTO_INCREMENT, Meta: VT_INTEGER.";
    assert_eq!(elsewhere, Err(invalid_pk(text)));
}
