//! Batches: what fails a row, and what fails them all.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use common::*;
use ots_proto::messages::{
    BatchGetRowRequest, BatchWriteRowRequest, ComparatorType, Condition, OperationType,
    PrimaryKeyType, ReturnType, RowExistenceExpectation, RowInBatchWriteRowRequest,
    RowInBatchWriteRowResponse, TableInBatchGetRowRequest, TableInBatchWriteRowRequest,
};
use ots_proto::operation::{BatchGetRow, BatchWriteRow};
use ots_proto::plainbuffer::{write_change, write_primary_key};
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate};

const ID: &[(&str, PrimaryKeyType)] = &[("id", PrimaryKeyType::Integer)];

fn client() -> Client {
    let client = Client::new();
    client.create_with("t", ID, options(1));
    client
}

fn change(change: &RowChange) -> RowInBatchWriteRowRequest {
    let r#type = match change {
        RowChange::Put(_) => OperationType::Put,
        RowChange::Update(_) => OperationType::Update,
        RowChange::Delete(_) => OperationType::Delete,
    };
    RowInBatchWriteRowRequest {
        r#type: r#type as i32,
        row_change: write_change(change),
        condition: ignore(),
        return_content: None,
    }
}

fn put(key: i64, value: i64) -> RowInBatchWriteRowRequest {
    change(&RowChange::Put(Row::new(id(key)).cell("a", value)))
}

fn increment(key: i64) -> RowInBatchWriteRowRequest {
    change(&RowChange::Update(
        RowUpdate::new(id(key)).increment("n", 1),
    ))
}

fn batch(rows: Vec<RowInBatchWriteRowRequest>) -> BatchWriteRowRequest {
    BatchWriteRowRequest {
        tables: vec![TableInBatchWriteRowRequest {
            table_name: "t".to_owned(),
            rows,
        }],
        ..BatchWriteRowRequest::default()
    }
}

fn write(
    client: &Client,
    request: &BatchWriteRowRequest,
) -> Result<Vec<RowInBatchWriteRowResponse>, Refusal> {
    let response = client.call::<BatchWriteRow>(request)?;
    Ok(response
        .tables
        .into_iter()
        .flat_map(|table| table.rows)
        .collect())
}

fn gets(table: &str, keys: &[PrimaryKey]) -> TableInBatchGetRowRequest {
    TableInBatchGetRowRequest {
        table_name: table.to_owned(),
        primary_key: keys.iter().map(write_primary_key).collect(),
        max_versions: Some(1),
        ..TableInBatchGetRowRequest::default()
    }
}

#[test]
fn changes_apply_in_order_and_answer_in_order() {
    let client = client();
    client.create("u", ID);
    let mut request = batch(vec![
        put(1, 1),
        put(1, 2),
        change(&RowChange::Update(RowUpdate::new(id(2)).put("b", 1))),
        put(3, 1),
        change(&RowChange::Delete(id(3))),
    ]);
    request.tables.push(TableInBatchWriteRowRequest {
        table_name: "u".to_owned(),
        rows: vec![put(9, 9)],
    });
    let response = client.call::<BatchWriteRow>(&request).unwrap();
    let shape: Vec<_> = response
        .tables
        .iter()
        .map(|table| (table.table_name.as_str(), table.rows.len()))
        .collect();
    assert_eq!(shape, [("t", 5), ("u", 1)]);
    for row in response.tables.iter().flat_map(|table| &table.rows) {
        assert!(row.is_ok);
        assert_eq!(units(row.consumed.as_ref().unwrap()), (0, 1));
        assert_eq!(row.row, None);
    }
    assert_eq!(client.get("t", &id(1)).unwrap().get("a"), Some(&2.into()));
    assert_eq!(names(&client.get("t", &id(2)).unwrap()), ["b"]);
    assert_eq!(client.get("t", &id(3)), None);
    assert!(client.get("u", &id(9)).is_some());
}

#[test]
fn a_row_that_fails_leaves_the_others_alone() {
    let client = client();
    let mut unexpected = put(2, 1);
    unexpected.condition = expect(RowExistenceExpectation::ExpectExist);
    let misfit = change(&RowChange::Put(Row::new(id("text"))));
    let mut returning = put(4, 1);
    returning.return_content = returns(ReturnType::Pk, &[]);
    let rows = write(
        &client,
        &batch(vec![put(1, 1), unexpected, misfit, returning]),
    )
    .unwrap();
    let ok: Vec<_> = rows.iter().map(|row| row.is_ok).collect();
    assert_eq!(ok, [true, false, false, true]);
    assert_eq!(
        row_refusal(rows[1].error.as_ref()),
        ("OTSConditionCheckFail", "Condition check failed.")
    );
    assert_eq!(units(rows[1].consumed.as_ref().unwrap()), (1, 1));
    assert_eq!(
        row_refusal(rows[2].error.as_ref()),
        (
            "OTSInvalidPK",
            "Validate PK type fail. Input: VT_STRING, Meta: VT_INTEGER."
        )
    );
    assert_eq!(rows[0].row, None);
    let returned = only_row(rows[3].row.as_ref().unwrap());
    assert_eq!(returned, Some(Row::new(id(4))));
    assert!(client.get("t", &id(1)).is_some());
    assert_eq!(client.get("t", &id(2)), None);
}

#[test]
fn mistakes_that_fail_the_whole_request_write_nothing() {
    let client = client();
    let long = change(&RowChange::Put(
        Row::new(id(2)).cell("a", "x".repeat((2 << 20) + 1)),
    ));
    let infinite = change(&RowChange::Put(Row::new(id(PrimaryKeyValue::InfMin))));
    let name = change(&RowChange::Put(Row::new(id(2)).cell("#", 1)));
    for (bad, text) in [
        (
            long,
            "The length of attribute column: 'a' exceeds the MaxLength:2097152 with CurrentLength:2097153.",
        ),
        (
            infinite,
            "VT_INF_MIN is an invalid type for the primary key.",
        ),
        (name, "Invalid column name: '#'."),
    ] {
        let refusal = write(&client, &batch(vec![put(1, 1), bad]));
        assert_eq!(refusal, Err(parameter(text)));
    }
    let many = (0..201).map(|n| put(n, n)).collect();
    let text = "Rows count exceeds the upper limit: 200.";
    assert_eq!(write(&client, &batch(many)), Err(parameter(text)));
    let text = "No operation is specified for table: 't'.";
    assert_eq!(write(&client, &batch(vec![])), Err(parameter(text)));
    let text = "No row is specified in BatchWriteRow.";
    let empty = BatchWriteRowRequest::default();
    assert_eq!(write(&client, &empty), Err(parameter(text)));

    let mut request = batch(vec![put(1, 1)]);
    request.tables.push(TableInBatchWriteRowRequest {
        table_name: "absent".to_owned(),
        rows: vec![put(1, 1)],
    });
    assert_eq!(write(&client, &request), Err(no_table()));
    request.tables[1].table_name = "#".to_owned();
    assert_eq!(
        write(&client, &request),
        Err(parameter("Invalid table name: '#'."))
    );
    assert_eq!(client.get("t", &id(1)), None);
}

#[test]
fn a_batch_holds_four_megabytes_and_not_a_byte_more() {
    let client = client();
    let request = |bytes: usize| {
        // Two rows: a name and a number for the key, a name and a text for the column, and 8 bytes
        // for the timestamp of one of them.
        let text = bytes - 2 * (2 + 8 + 1) - 8;
        let first = Row::new(id(1)).cell("a", "x".repeat(2 << 20));
        let mut second = Row::new(id(2));
        second.cells = vec![at("a", "x".repeat(text - (2 << 20)), 1)];
        batch(vec![
            change(&RowChange::Put(first)),
            change(&RowChange::Put(second)),
        ])
    };
    assert!(write(&client, &request(4_194_304)).is_ok());
    let text = "The total data size of BatchWriteRow request exceeds the limit, limit size: 4194304, data size: 4194305.";
    assert_eq!(write(&client, &request(4_194_305)), Err(parameter(text)));
}

#[test]
fn two_hundred_rows_are_fine() {
    let client = client();
    let rows = write(&client, &batch((0..200).map(|n| put(n, n)).collect())).unwrap();
    assert_eq!(rows.len(), 200);
    assert!(rows.iter().all(|row| row.is_ok));
}

#[test]
fn repeated_rows_may_not_depend_on_the_row() {
    let client = client();
    let mut expecting = put(1, 1);
    expecting.condition = expect(RowExistenceExpectation::ExpectNotExist);
    let text = "Repeated rows do not support row exist expectation check in BatchModify.";
    let refusal = write(&client, &batch(vec![expecting, put(1, 2)]));
    assert_eq!(refusal, Err(parameter(text)));

    let mut filtered = put(1, 1);
    filtered.condition = Condition {
        column_condition: bytes(&single(&column_filter("a", ComparatorType::Equal, 1))),
        ..ignore()
    };
    let text = "Repeated rows do not support row condition check in BatchModify.";
    let refusal = write(&client, &batch(vec![put(1, 2), filtered]));
    assert_eq!(refusal, Err(parameter(text)));
    assert_eq!(client.get("t", &id(1)), None);
}

#[test]
fn a_repeated_counter_fails_only_the_repetition() {
    let client = client();
    let rows = write(
        &client,
        &batch(vec![increment(1), increment(1), increment(2)]),
    )
    .unwrap();
    let ok: Vec<_> = rows.iter().map(|row| row.is_ok).collect();
    assert_eq!(ok, [true, false, true]);
    assert_eq!(client.get("t", &id(1)).unwrap().get("n"), Some(&1.into()));
}

fn partitioned() -> Client {
    let client = Client::new();
    let key = [
        ("p", PrimaryKeyType::Integer),
        ("id", PrimaryKeyType::Integer),
    ];
    client.create("t", &key);
    client
}

fn in_partition(p: i64, id: i64) -> PrimaryKey {
    PrimaryKey::new().column("p", p).column("id", id)
}

fn atomic(keys: &[(i64, i64)]) -> BatchWriteRowRequest {
    let rows = keys
        .iter()
        .map(|&(p, id)| change(&RowChange::Put(Row::new(in_partition(p, id)).cell("a", 1))))
        .collect();
    BatchWriteRowRequest {
        is_atomic: Some(true),
        ..batch(rows)
    }
}

#[test]
fn an_atomic_batch_is_all_or_nothing() {
    let client = partitioned();
    client
        .put("t", Row::new(in_partition(0, 1)).cell("old", 1))
        .unwrap();
    let mut request = atomic(&[(0, 1), (0, 2), (0, 3)]);
    request.tables[0].rows[2].condition = expect(RowExistenceExpectation::ExpectExist);
    let rows = write(&client, &request).unwrap();
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert_eq!(
            row_refusal(row.error.as_ref()),
            ("OTSConditionCheckFail", "Condition check failed.")
        );
    }
    assert_eq!(
        names(&client.get("t", &in_partition(0, 1)).unwrap()),
        ["old"]
    );
    assert_eq!(client.get("t", &in_partition(0, 2)), None);

    let rows = write(&client, &atomic(&[(0, 1), (0, 2)])).unwrap();
    assert!(rows.iter().all(|row| row.is_ok));
    assert_eq!(names(&client.get("t", &in_partition(0, 1)).unwrap()), ["a"]);
    assert!(client.get("t", &in_partition(0, 2)).is_some());
}

#[test]
fn an_atomic_batch_stays_in_one_partition() {
    let client = partitioned();
    let rows = write(&client, &atomic(&[(0, 1), (1, 2), (2, 3)])).unwrap();
    for row in &rows {
        assert_eq!(
            row_refusal(row.error.as_ref()),
            (
                "OTSDataOutOfRange",
                "Data out of scope of atomic. Atomic PartKey:0. Data PartKey:1"
            )
        );
    }
    assert_eq!(client.get("t", &in_partition(0, 1)), None);
}

#[test]
fn a_batch_of_reads_answers_each_key_in_order() {
    let client = client();
    client.create("u", ID);
    client
        .put("t", Row::new(id(1)).cell("a", "x".repeat(3 * 4096)))
        .unwrap();
    let keys = [id(1), id(2), id("text"), id(1)];
    let request = BatchGetRowRequest {
        // The same table twice, and one without rows.
        tables: vec![gets("t", &keys), gets("u", &[]), gets("t", &[id(2)])],
    };
    let response = client.call::<BatchGetRow>(&request).unwrap();
    let shape: Vec<_> = response
        .tables
        .iter()
        .map(|table| (table.table_name.as_str(), table.rows.len()))
        .collect();
    assert_eq!(shape, [("t", 4), ("u", 0), ("t", 1)]);
    let rows = &response.tables[0].rows;
    for index in [0, 3] {
        assert!(rows[index].is_ok);
        assert!(only_row(rows[index].row.as_ref().unwrap()).is_some());
        assert_eq!(units(rows[index].consumed.as_ref().unwrap()), (4, 0));
    }
    assert!(rows[1].is_ok);
    assert_eq!(only_row(rows[1].row.as_ref().unwrap()), None);
    assert_eq!(units(rows[1].consumed.as_ref().unwrap()), (1, 0));
    assert!(!rows[2].is_ok);
    assert_eq!(
        row_refusal(rows[2].error.as_ref()),
        (
            "OTSInvalidPK",
            "Validate PK type fail. Input: VT_STRING, Meta: VT_INTEGER."
        )
    );
}

#[test]
fn mistakes_that_fail_a_batch_of_reads() {
    let client = client();
    let refused = |tables: Vec<TableInBatchGetRowRequest>| {
        client
            .call::<BatchGetRow>(&BatchGetRowRequest { tables })
            .unwrap_err()
    };
    let text = "No row specified in the request of BatchGetRow.";
    assert_eq!(refused(vec![]), parameter(text));
    let text = "Rows count exceeds the upper limit: 100.";
    let many: Vec<_> = (0..101).map(id).collect();
    assert_eq!(refused(vec![gets("t", &many)]), parameter(text));
    assert_eq!(refused(vec![gets("absent", &[id(1)])]), no_table());
    let mut unversioned = gets("t", &[id(1)]);
    unversioned.max_versions = None;
    let text = "No version condition is specified while querying row.";
    assert_eq!(refused(vec![unversioned]), parameter(text));
    let text = "VT_INF_MAX is an invalid type for the primary key.";
    let infinite = gets("t", &[id(PrimaryKeyValue::InfMax)]);
    assert_eq!(refused(vec![infinite]), parameter(text));
}
