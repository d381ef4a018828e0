//! Single rows: written, conditioned, versioned, read back.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::*;
use ots_proto::messages::{
    ComparatorType, Condition, LogicalOperator, PrimaryKeyOption, PrimaryKeyType, ReturnType,
    RowExistenceExpectation, TableOptions, TimeRange,
};
use ots_proto::operation::{CreateTable, DeleteRow, GetRow, PutRow, UpdateRow, UpdateTable};
use ots_proto::plainbuffer::write_primary_key;
use ots_proto::{ColumnValue, PrimaryKey, PrimaryKeyValue, Row, RowUpdate};

const ID: &[(&str, PrimaryKeyType)] = &[("id", PrimaryKeyType::Integer)];

/// A client with the empty table `t`, one integer key `id`, and so many versions of any age.
fn client(max_versions: i32) -> Client {
    let client = Client::new();
    client.create_with("t", ID, options(max_versions));
    client
}

fn row(key: i64) -> Row {
    Row::new(id(key))
}

fn update(key: i64) -> RowUpdate {
    RowUpdate::new(id(key))
}

fn timestamps(row: &Row) -> Vec<i64> {
    row.cells
        .iter()
        .map(|cell| cell.timestamp_ms.unwrap())
        .collect()
}

#[test]
fn a_row_comes_back_as_it_was_put() {
    let client = client(1);
    let put = row(1)
        .cell("z", 1)
        .cell("a", "text")
        .cell("中文", vec![1u8, 2])
        .cell("d", 0.5)
        .cell("b", true);
    client.put("t", put).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(got.primary_key, id(1));
    // Sorted by name, bytewise.
    assert_eq!(
        values(&got),
        [
            ("a", "text".into()),
            ("b", true.into()),
            ("d", 0.5.into()),
            ("z", 1.into()),
            ("中文", vec![1u8, 2].into()),
        ]
    );
    assert_eq!(timestamps(&got), [NOW_MS; 5]);
}

#[test]
fn a_put_replaces_all_columns_and_versions() {
    let client = client(3);
    client.put("t", row(1).cell("a", 1).cell("b", 1)).unwrap();
    client.update("t", update(1).put("a", 2)).unwrap();
    client.put("t", row(1).cell("c", 3)).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(values(&got), [("c", 3.into())]);
}

#[test]
fn a_row_may_have_no_columns() {
    let client = client(1);
    client.put("t", row(1)).unwrap();
    assert_eq!(client.get("t", &id(1)), Some(row(1)));
}

#[test]
fn an_absent_row_is_an_empty_answer() {
    let client = client(1);
    let response = client.call::<GetRow>(&get_request("t", &id(1))).unwrap();
    assert!(response.row.is_empty());
    assert_eq!(units(&response.consumed), (1, 0));
}

#[test]
fn updates_apply_in_the_order_of_the_wire() {
    let client = client(1);
    let change = update(1)
        .put("a", 1)
        .delete_all_versions("a")
        .put("b", 1)
        .put("b", 2)
        .delete_all_versions("c")
        .put("c", 3);
    client.update("t", change).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(values(&got), [("b", 2.into()), ("c", 3.into())]);
}

#[test]
fn an_update_creates_a_row_unless_it_only_deletes() {
    let client = client(1);
    let deletes = update(1)
        .delete_all_versions("a")
        .delete_one_version("b", 1);
    client.update("t", deletes.clone()).unwrap();
    assert_eq!(client.get("t", &id(1)), None);

    client.update("t", update(1).put("a", 1)).unwrap();
    client.update("t", deletes).unwrap();
    // The last column went, the row stays.
    assert_eq!(client.get("t", &id(1)), Some(row(1)));
}

#[test]
fn deleting_an_absent_row_succeeds() {
    let client = client(1);
    client.delete("t", id(1)).unwrap();
    client.put("t", row(1).cell("a", 1)).unwrap();
    client.delete("t", id(1)).unwrap();
    assert_eq!(client.get("t", &id(1)), None);
}

#[test]
fn three_updates_in_one_millisecond_leave_three_versions() {
    let client = client(3);
    for n in 1..=4 {
        client.update("t", update(1).put("a", n)).unwrap();
    }
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(
        values(&got),
        [("a", 4.into()), ("a", 3.into()), ("a", 2.into())]
    );
    assert_eq!(timestamps(&got), [NOW_MS + 3, NOW_MS + 2, NOW_MS + 1]);
}

#[test]
fn the_last_update_wins_even_with_one_version_and_a_clock_that_stands_still() {
    let client = client(1);
    for n in 1..=5 {
        client.update("t", update(1).put("a", n)).unwrap();
        assert_eq!(client.get("t", &id(1)).unwrap().get("a"), Some(&n.into()));
    }
}

#[test]
fn versions_chosen_by_the_client_are_kept_in_order() {
    let client = client(3);
    let mut put = row(1);
    put.cells = vec![
        at("a", 1, 10),
        at("a", 3, 30),
        at("a", 2, 20),
        at("a", 4, 5),
        at("a", 5, 30),
    ];
    client.put("t", put).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(timestamps(&got), [30, 20, 10]);
    assert_eq!(got.get("a"), Some(&5.into()));

    client
        .update("t", update(1).delete_one_version("a", 20))
        .unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(timestamps(&got), [30, 10]);

    // A deleted version may be written again.
    let mut again = update(1);
    again
        .cells
        .push(ots_proto::CellUpdate::Put(at("a", "new", 20)));
    client.update("t", again).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(
        values(&got),
        [("a", 5.into()), ("a", "new".into()), ("a", 1.into())]
    );
}

#[test]
fn a_lower_number_of_versions_hides_the_older_ones() {
    let client = client(3);
    let mut put = row(1);
    put.cells = vec![at("a", 1, 10), at("a", 2, 20), at("a", 3, 30)];
    client.put("t", put).unwrap();
    let request = ots_proto::messages::UpdateTableRequest {
        table_name: "t".to_owned(),
        table_options: Some(TableOptions {
            max_versions: Some(2),
            ..TableOptions::default()
        }),
        ..Default::default()
    };
    client.call::<UpdateTable>(&request).unwrap();
    assert_eq!(timestamps(&client.get("t", &id(1)).unwrap()), [30, 20]);
}

#[test]
fn timestamps_have_bounds() {
    let client = client(1);
    let put = |timestamp| {
        let mut row = row(1);
        row.cells = vec![at("a", 1, timestamp)];
        client.put("t", row).map(drop)
    };
    let range = "Timestamp must be in range [0, INT64_MAX/1000).";
    assert_eq!(put(i64::MAX / 1000), Err(parameter(range)));
    assert_eq!(put(-1), Err(parameter(range)));
    assert_eq!(put(i64::MAX / 1000 - 1), Ok(()));
    assert_eq!(put(0), Ok(()));
}

#[test]
fn timestamps_must_lie_near_the_clock() {
    let client = Client::new();
    client.create("t", ID);
    let put = |timestamp| {
        let mut row = row(1);
        row.cells = vec![at("a", 1, timestamp)];
        client.put("t", row).map(drop)
    };
    let day = 86_400_000;
    assert_eq!(put(NOW_MS - day), Ok(()));
    assert_eq!(put(NOW_MS + day - 1), Ok(()));
    let refusal = Err(parameter("Invalid timestamp. Cell:a."));
    assert_eq!(put(NOW_MS - day - 1), refusal);
    assert_eq!(put(NOW_MS + day), refusal);
}

#[test]
fn cells_expire() {
    let client = Client::new();
    let options = TableOptions {
        time_to_live: Some(100),
        ..options(5)
    };
    client.create_with("t", ID, options);
    client.put("t", row(1).cell("a", 1)).unwrap();
    client.put("t", row(2)).unwrap();
    client.advance(Duration::from_secs(60));
    client.update("t", update(1).put("b", 2)).unwrap();
    client.advance(Duration::from_secs(60));
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(values(&got), [("b", 2.into())]);
    client.advance(Duration::from_secs(60));
    assert_eq!(client.get("t", &id(1)), None);
    // Without columns there is nothing that could expire.
    assert_eq!(client.get("t", &id(2)), Some(row(2)));

    let mut put = put_request("t", row(1).cell("a", 2));
    put.condition = expect(RowExistenceExpectation::ExpectNotExist);
    client.call::<PutRow>(&put).unwrap();
    assert_eq!(names(&client.get("t", &id(1)).unwrap()), ["a"]);
}

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

#[test]
fn keys_are_checked_by_count_then_name_then_type() {
    let client = Client::new();
    let schema = [
        ("PK1", PrimaryKeyType::String),
        ("PK2", PrimaryKeyType::Integer),
    ];
    client.create("t", &schema);
    let key = |columns: &[(&str, PrimaryKeyValue)]| columns.iter().cloned().collect::<PrimaryKey>();
    let (text, number) = (|| PrimaryKeyValue::from("a"), || PrimaryKeyValue::from(1));
    for (key, message) in [
        (
            key(&[("PK1", text())]),
            "Validate PK size fail. Input: 1, Meta: 2.",
        ),
        (
            key(&[("PK2", number()), ("PK1", text())]),
            "Validate PK name fail. Input: PK2, Meta: PK1.",
        ),
        (
            key(&[("PK1", number()), ("PK2", number())]),
            "Validate PK type fail. Input: VT_INTEGER, Meta: VT_STRING.",
        ),
        (
            key(&[("PK1", text()), ("PK2", vec_value())]),
            "Validate PK type fail. Input: VT_BLOB, Meta: VT_INTEGER.",
        ),
    ] {
        let refusal = invalid_pk(message);
        assert_eq!(client.put("t", Row::new(key.clone())), Err(refusal));
        let refusal = Err(invalid_pk(message));
        assert_eq!(client.delete("t", key.clone()), refusal);
        let get = get_request("t", &key);
        assert_eq!(client.call::<GetRow>(&get), Err(invalid_pk(message)));
    }
}

fn vec_value() -> PrimaryKeyValue {
    PrimaryKeyValue::from(bytes::Bytes::from_static(b"a"))
}

#[test]
fn key_values_have_bounds() {
    let client = Client::new();
    client.create("t", &[("id", PrimaryKeyType::String)]);
    client.put("t", Row::new(id(""))).unwrap();
    client.put("t", Row::new(id("a".repeat(1024)))).unwrap();
    let text = "The length of primary key column: 'id' exceeds the MaxLength:1024 with CurrentLength:1025.";
    let long = client.put("t", Row::new(id("a".repeat(1025))));
    assert_eq!(long, Err(parameter(text)));
    for (value, text) in [
        (
            PrimaryKeyValue::InfMin,
            "VT_INF_MIN is an invalid type for the primary key.",
        ),
        (
            PrimaryKeyValue::InfMax,
            "VT_INF_MAX is an invalid type for the primary key.",
        ),
    ] {
        let refusal = client.put("t", Row::new(id(value.clone())));
        assert_eq!(refusal, Err(parameter(text)));
        let get = get_request("t", &id(value));
        assert_eq!(client.call::<GetRow>(&get), Err(parameter(text)));
    }
    let five: PrimaryKey = (0..5).map(|n| (format!("k{n}"), n)).collect();
    let text = "The number of primary key columns must be in range: [1, 4].";
    assert_eq!(client.put("t", Row::new(five)), Err(parameter(text)));
}

#[test]
fn columns_have_bounds() {
    let client = client(1);
    let refused = |row: Row| client.put("t", row).unwrap_err();

    let wide = |count| (0..count).fold(row(1), |row, n| row.cell(format!("c{n}"), n));
    let text =
        "The number of attribute columns exceeds the limit, limit count: 1024, column count: 1025.";
    assert_eq!(refused(wide(1025)), parameter(text));
    client.put("t", wide(1024)).unwrap();
    // The row as a whole has no bound.
    client.update("t", update(1).put("more", 1)).unwrap();
    assert_eq!(client.get("t", &id(1)).unwrap().cells.len(), 1025);

    let text = "The length of attribute column: 'a' exceeds the MaxLength:2097152 with CurrentLength:2097153.";
    let long = "x".repeat((2 << 20) + 1);
    assert_eq!(refused(row(1).cell("a", long.as_str())), parameter(text));
    client.put("t", row(1).cell("a", &long[1..])).unwrap();
    let mut get = get_request("t", &id(1));
    get.filter = bytes(&single(&column_filter("a", ComparatorType::Equal, long)));
    assert_eq!(client.call::<GetRow>(&get), Err(parameter(text)));

    let text = "NaN can't be set to double value.";
    assert_eq!(refused(row(1).cell("a", f64::NAN)), parameter(text));
    let text = "Infinity can't be set to double value.";
    assert_eq!(
        refused(row(1).cell("a", f64::NEG_INFINITY)),
        parameter(text)
    );
    let text = "Invalid column name: '#a'.";
    assert_eq!(refused(row(1).cell("#a", 1)), parameter(text));
    let text = "invalid name of column: empty name.";
    assert_eq!(refused(row(1).cell("", 1)), parameter(text));
    let text = "Duplicated attribute column name with primary key column: id.";
    assert_eq!(refused(row(1).cell("id", 1)), parameter(text));

    let large = "x".repeat(2 << 20);
    let put = row(1).cell("a", large.as_str()).cell("b", large.as_str());
    let text = "The total data size of PutRow request exceeds the limit, limit size: 4194304, data size: 4194316.";
    assert_eq!(refused(put), parameter(text));
}

#[test]
fn shapes_must_fit_their_operation() {
    let client = client(1);
    let text = "Attribute column is missing.";
    assert_eq!(client.update("t", update(1)), Err(parameter(text)));

    let mut delete = delete_request("t", id(1));
    delete.primary_key = write_primary_key(&id(1));
    let text = "Invalid request of delete row: missing RowDeleteMarker in request.";
    assert_eq!(client.call::<DeleteRow>(&delete), Err(parameter(text)));

    let mut put = put_request("t", row(1));
    put.row = delete_request("t", id(1)).primary_key;
    let text = "Delete marker cannot be given.";
    assert_eq!(client.call::<PutRow>(&put), Err(parameter(text)));

    let mut get = get_request("t", &id(1));
    get.primary_key = put_request("t", row(1).cell("a", 1)).row;
    let text = "Attribute column cannot be given while reading data.";
    assert_eq!(client.call::<GetRow>(&get), Err(parameter(text)));

    get.primary_key = bytes::Bytes::new();
    let text = "Cell data broken, mismatch header";
    assert_eq!(client.call::<GetRow>(&get), Err(parameter(text)));
}

#[test]
fn transactions_are_refused() {
    let client = client(1);
    let mut put = put_request("t", row(1));
    put.transaction_id = Some("id".to_owned());
    let text = "The emulator does not implement local transactions.";
    assert_eq!(client.call::<PutRow>(&put), Err(parameter(text)));
}

#[test]
fn a_table_may_forbid_updates() {
    let client = Client::new();
    let options = TableOptions {
        allow_update: Some(false),
        ..options(1)
    };
    client.create_with("t", ID, options);
    client.put("t", row(1).cell("a", 1)).unwrap();
    let refusal = client.update("t", update(1).put("a", 2)).unwrap_err();
    assert_eq!(
        (refusal.status, &*refusal.code),
        (400, "OTSParameterInvalid")
    );
}

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

#[test]
fn reads_choose_columns() {
    let client = client(1);
    client
        .put("t", row(1).cell("a", 1).cell("b", 2).cell("c", 3))
        .unwrap();
    let get = |columns: &[&str]| {
        let mut get = get_request("t", &id(1));
        get.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        let row = client.call::<GetRow>(&get).unwrap().row;
        only_row(&row).map(|row| {
            assert_eq!(row.primary_key, id(1));
            names(&row).join(",")
        })
    };
    assert_eq!(get(&[]).as_deref(), Some("a,b,c"));
    assert_eq!(get(&["c", "a", "c", "missing"]).as_deref(), Some("a,c"));
    // A row with none of the columns is absent, but every row has its key.
    assert_eq!(get(&["missing"]), None);
    assert_eq!(get(&["id"]).as_deref(), Some(""));
    assert_eq!(get(&["id", "b"]).as_deref(), Some("b"));

    let mut get = get_request("t", &id(1));
    get.columns_to_get = vec!["#".to_owned()];
    get.max_versions = None;
    let refusal = client.call::<GetRow>(&get);
    assert_eq!(refusal, Err(parameter("Invalid column name: '#'.")));
}

#[test]
fn reads_choose_a_window_of_columns() {
    let client = client(1);
    let wide = (0..9).fold(row(1), |row, n| row.cell(format!("col{n}"), n));
    client.put("t", wide).unwrap();
    let get = |start: Option<&str>, end: Option<&str>, page: Option<(i32, i32)>| {
        let mut get = get_request("t", &id(1));
        get.start_column = start.map(str::to_owned);
        get.end_column = end.map(str::to_owned);
        get.filter = page.and_then(|(offset, limit)| bytes(&pagination(offset, limit)));
        let row = only_row(&client.call::<GetRow>(&get).unwrap().row).unwrap();
        names(&row).join(",")
    };
    assert_eq!(get(Some("col2"), Some("col5"), None), "col2,col3,col4");
    assert_eq!(get(Some("col3"), None, Some((1, 3))), "col4,col5,col6");
    assert_eq!(get(None, None, Some((8, 3))), "col8");
    assert_eq!(get(None, Some("a"), None), "");
}

#[test]
fn reads_choose_versions() {
    let client = client(5);
    let mut put = row(1);
    put.cells = vec![
        at("a", 1, 10),
        at("a", 2, 20),
        at("a", 3, 30),
        at("b", 1, 10),
    ];
    client.put("t", put).unwrap();
    let get = |time_range: Option<TimeRange>, max_versions, columns: &[&str]| {
        let mut get = get_request("t", &id(1));
        get.time_range = time_range;
        get.max_versions = max_versions;
        get.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        let response = client.call::<GetRow>(&get)?;
        Ok::<_, Refusal>(only_row(&response.row).map(|row| timestamps(&row)))
    };
    let range = |start, end| {
        Some(TimeRange {
            start_time: Some(start),
            end_time: Some(end),
            specific_time: None,
        })
    };
    let specific = |time| {
        Some(TimeRange {
            specific_time: Some(time),
            ..TimeRange::default()
        })
    };
    assert_eq!(get(None, Some(2), &[]), Ok(Some(vec![30, 20, 10])));
    assert_eq!(get(range(10, 30), None, &[]), Ok(Some(vec![20, 10, 10])));
    assert_eq!(get(range(10, 30), Some(1), &[]), Ok(Some(vec![20, 10])));
    assert_eq!(get(specific(20), None, &[]), Ok(Some(vec![20])));
    // No cell is left: the row is there, unless columns were asked for.
    assert_eq!(get(specific(99), None, &[]), Ok(Some(vec![])));
    assert_eq!(get(specific(99), None, &["a"]), Ok(None));

    let text = "No version condition is specified.";
    assert_eq!(get(None, None, &[]), Err(parameter(text)));
    let text = "Specific tiemstamp and max versions cannot be given at the same time.";
    assert_eq!(get(specific(20), Some(1), &[]), Err(parameter(text)));
}

#[test]
fn reads_filter_rows_by_what_they_select() {
    let client = client(1);
    client.put("t", row(1).cell("a", 1).cell("b", 2)).unwrap();
    let get = |columns: &[&str], filter: &ots_proto::messages::Filter| {
        let mut get = get_request("t", &id(1));
        get.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        get.filter = bytes(filter);
        let response = client.call::<GetRow>(&get).unwrap();
        assert_eq!(units(&response.consumed), (1, 0));
        only_row(&response.row).is_some()
    };
    let is = |name: &str, value: i64| column_filter(name, ComparatorType::Equal, value);
    assert!(get(&[], &single(&is("a", 1))));
    assert!(!get(&[], &single(&is("a", 2))));
    // Key columns may be used, selected or not.
    assert!(get(&["a"], &single(&is("id", 1))));
    assert!(!get(&["a"], &single(&is("id", 2))));
    // A column that isn't selected counts as missing.
    assert!(!get(&["a"], &single(&is("b", 2))));
    let mut lenient = is("b", 7);
    lenient.filter_if_missing = false;
    assert!(get(&["a"], &single(&lenient)));
    let both = composite(
        LogicalOperator::And,
        vec![single(&is("a", 1)), single(&is("b", 2))],
    );
    assert!(get(&[], &both));
}

#[test]
fn capacity_units_follow_the_formula() {
    let client = client(1);
    let block = "x".repeat(2048);
    let five = ["a", "b", "c", "d", "e"]
        .iter()
        .fold(row(1), |row, &name| row.cell(name, block.as_str()));
    client.put("t", five).unwrap();
    let get = |columns: &[&str]| {
        let mut get = get_request("t", &id(1));
        get.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        units(&client.call::<GetRow>(&get).unwrap().consumed)
    };
    assert_eq!(get(&[]), (3, 0));
    assert_eq!(get(&["a", "b"]), (2, 0));
    assert_eq!(get(&["a", "missing"]), (1, 0));
    assert_eq!(get(&["missing"]), (1, 0));

    let block = "x".repeat(4096);
    let two = || row(2).cell("a", block.as_str()).cell("b", block.as_str());
    let mut put = put_request("t", two());
    assert_eq!(
        units(&client.call::<PutRow>(&put).unwrap().consumed),
        (0, 3)
    );
    put.condition = expect(RowExistenceExpectation::ExpectExist);
    assert_eq!(
        units(&client.call::<PutRow>(&put).unwrap().consumed),
        (1, 3)
    );
    let mut delete = delete_request("t", id(2));
    delete.condition = expect(RowExistenceExpectation::ExpectExist);
    let response = client.call::<DeleteRow>(&delete).unwrap();
    assert_eq!(units(&response.consumed), (1, 1));
    let response = client.delete("t", id(2)).unwrap();
    assert_eq!(units(&response.consumed), (0, 1));
    let change = update(2).delete_all_versions("a");
    let response = client.update("t", change).unwrap();
    assert_eq!(units(&response.consumed), (0, 1));
}
