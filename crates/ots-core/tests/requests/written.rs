//! Requests are the bytes of the official SDKs.

use super::*;

#[test]
fn typed_requests_are_the_bytes_of_the_official_sdk() {
    let row = |name: &str| {
        let row = |body: &Bytes| messages::PutRowRequest::decode(body.clone()).unwrap().row;
        match change(name, false, row) {
            RowChange::Put(row) => row,
            other => panic!("{other:?}"),
        }
    };
    let update = |name: &str| {
        let row = |body: &Bytes| {
            messages::UpdateRowRequest::decode(body.clone())
                .unwrap()
                .row_change
        };
        match change(name, true, row) {
            RowChange::Update(update) => update,
            other => panic!("{other:?}"),
        }
    };
    let filter = |body: &Bytes| {
        let put = messages::PutRowRequest::decode(body.clone()).unwrap();
        Filter::decode(put.condition.column_condition.unwrap()).unwrap()
    };
    let batch = |body: &Bytes| {
        let batch = messages::BatchWriteRowRequest::decode(body.clone()).unwrap();
        let table = |table: &messages::TableInBatchWriteRowRequest| {
            let rows = table.rows.iter();
            rows.map(|row| {
                let update = row.r#type() == messages::OperationType::Update;
                read_change(&row.row_change, update).unwrap()
            })
            .collect::<Vec<_>>()
        };
        batch.tables.iter().map(table).collect::<Vec<_>>()
    };
    let mut seen = BTreeSet::new();
    for (name, wanted) in requests() {
        let made = match name.as_str() {
            "list_table" => encoded(ListTable::new()),
            "describe_table" => encoded(DescribeTable::new("tbl")),
            "delete_table" => encoded(DeleteTable::new("tbl")),
            "get_row_minimal" => encoded(GetRow::new("tbl", key())),
            "get_row_columns_and_range" => encoded(
                GetRow::new("tbl", key())
                    .columns(["a", "b"])
                    .time_range(1000, 2000)
                    .max_versions(3)
                    .column_range("a".."m")
                    .token(&[1, 2][..])
                    .transaction("txn-1"),
            ),
            "put_row_minimal" => encoded(PutRow::new("tbl", row(&name))),
            "put_row_condition_return_pk" => encoded(
                PutRow::new("tbl", row(&name))
                    .condition(Condition::row(RowExistence::ExpectNot).columns(filter(&wanted)))
                    .return_content(ReturnContent::PrimaryKey)
                    .transaction("txn-1"),
            ),
            "update_row_all_ops" => encoded(
                UpdateRow::new("tbl", update(&name))
                    .condition(Condition::row(RowExistence::Expect)),
            ),
            "update_row_after_modify" => encoded(
                UpdateRow::new("tbl", RowUpdate::new(gid(1)).increment("n", 1))
                    .return_content(ReturnContent::AfterModify(vec!["n".to_owned()])),
            ),
            "delete_row" => encoded(DeleteRow::new("tbl", key())),
            "batch_write_row" => {
                let mut tables = batch(&wanted).into_iter();
                let mut first = tables.next().unwrap().into_iter();
                let t1 = TableWrites::new("t1")
                    .change(
                        RowWrite::new(first.next().unwrap())
                            .condition(Condition::expect_not_exist())
                            .return_content(ReturnContent::PrimaryKey),
                    )
                    .change(first.next().unwrap())
                    .changes(first);
                let t2 = TableWrites::new("t2").changes(tables.next().unwrap());
                encoded(
                    BatchWriteRow::new()
                        .table(t1)
                        .table(t2)
                        .transaction("txn-9"),
                )
            }
            "get_range_full_forward" => encoded(GetRange::new(
                "tbl",
                PrimaryKey::min(["gid", "uid"]),
                PrimaryKey::max(["gid", "uid"]),
            )),
            "get_range_backward_limit" => encoded(
                GetRange::new(
                    "tbl",
                    PrimaryKey::new()
                        .column("gid", 9)
                        .column("uid", PrimaryKeyValue::InfMax),
                    PrimaryKey::new()
                        .column("gid", 1)
                        .column("uid", PrimaryKeyValue::InfMin),
                )
                .direction(Direction::Backward)
                .columns(["a", "列"])
                .limit(10),
            ),
            "compute_splits" => encoded(ComputeSplits::new("tbl", "idx")),
            "parallel_scan_first_page" => encoded(
                ParallelScan::new("tbl", "idx", Query::MatchAll)
                    .session(Bytes::from_static(b"session-1"))
                    .split(0, 1)
                    .limit(2000)
                    .alive_time(Duration::from_millis(59_001)),
            ),
            "list_search_index_all" => encoded(ListSearchIndex::new()),
            "list_search_index_table" => encoded(ListSearchIndex::new().table("tbl")),
            "describe_search_index" => encoded(DescribeSearchIndex::new("tbl", "idx")),
            "delete_search_index" => encoded(DeleteSearchIndex::new("tbl", "idx")),
            "create_search_index_minimal" => encoded(
                CreateSearchIndex::new("tbl", "idx")
                    .field_schema(FieldSchema::keyword("k").index(true).store(true)),
            ),
            "search_paging_offset" => {
                let columns = vec!["a".to_owned(), "b".to_owned()];
                encoded(
                    Search::new("tbl", "idx", Query::MatchAll)
                        .offset(90)
                        .limit(10)
                        .columns(ScanColumns::Specified(columns)),
                )
            }
            // The token holds offset and sort, so both are left out.
            "search_token" => encoded(
                Search::new("tbl", "idx", Query::MatchAll)
                    .offset(90)
                    .sort(FieldSort::desc("a"))
                    .limit(20)
                    .token(Bytes::from_static(b"\x00\x01tok")),
            ),
            // Those of `operations.rs`.
            _ => continue,
        };
        assert_eq!(hex::encode(made), hex::encode(wanted), "{name}");
        seen.insert(name);
    }
    assert_eq!(seen.len(), 22);
}
