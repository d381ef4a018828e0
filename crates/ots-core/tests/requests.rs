//! Typed requests against bytes made by the official SDKs, and what is refused before it is sent.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use ots_core::filter::Filter;
use ots_core::request::{
    BatchGetRow, BatchWriteRow, ComputeSplits, Condition, CreateSearchIndex, DeleteRow,
    DeleteSearchIndex, DeleteTable, DescribeSearchIndex, DescribeTable, Direction, GetRange,
    GetRow, ListSearchIndex, ListTable, ParallelScan, PutRow, Request, ReturnContent, RowExistence,
    RowWrite, ScanColumns, Search, TableRead, TableWrites, UpdateRow, send,
};
use ots_core::{
    Call, Error, ErrorCode, ErrorKind, PrimaryKey, PrimaryKeyValue, Query, Reply, ResponseProblem,
    Row, RowChange, RowUpdate,
};
use ots_proto::operation::{self, Operation};
use ots_proto::plainbuffer::{Accept, Reader, read_change, write_primary_key, write_row};
use ots_proto::search::{FieldSchema, FieldSort};
use ots_proto::{NameCache, messages};
use prost::Message;
use serde_json::Value;

mod common;

use common::chain;

fn cases(json: &str) -> Vec<(String, Bytes)> {
    let vectors: Value = serde_json::from_str(json).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    cases
        .map(|case| {
            let hex = case["hex"].as_str().unwrap();
            (
                case["name"].as_str().unwrap().to_owned(),
                hex::decode(hex).unwrap().into(),
            )
        })
        .collect()
}

fn requests() -> Vec<(String, Bytes)> {
    cases(include_str!("../vectors/requests.json"))
}

fn response<M: Message + Default>(name: &str) -> M {
    let cases = cases(include_str!("../vectors/responses.json"));
    let (_, body) = cases.into_iter().find(|(case, _)| case == name).unwrap();
    M::decode(body).unwrap()
}

/// The answer in a vector, as this request reads it.
fn read<R: Request>(name: &str) -> Result<R::Output, Error> {
    R::read(Reply::new(response(name)))
}

fn encoded<R: Request>(request: R) -> Bytes {
    request.into_message().unwrap().encode_to_vec().into()
}

fn key() -> PrimaryKey {
    PrimaryKey::new().column("gid", 1).column("uid", "a")
}

fn gid(id: i64) -> PrimaryKey {
    PrimaryKey::new().column("gid", id)
}

/// The rows that a write in a vector changes: PlainBuffer has its own vectors, in `ots-proto`.
fn change(name: &str, update: bool, row: impl Fn(&Bytes) -> Bytes) -> RowChange {
    let body = requests()
        .into_iter()
        .find(|(case, _)| case == name)
        .unwrap()
        .1;
    read_change(&row(&body), update).unwrap()
}

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

#[test]
fn a_row_and_its_absence_are_read() {
    let found = read::<GetRow>("get_row_found").unwrap();
    let row = found.row.unwrap();
    assert_eq!(row.key_columns(), gid(1).columns());
    assert_eq!((found.consumed.read, found.consumed.write), (1, 0));
    assert_eq!(found.next_token, None);

    let absent = read::<GetRow>("get_row_absent").unwrap();
    assert_eq!((absent.row, absent.consumed.read), (None, 1));

    let cut = read::<GetRow>("get_row_wide_token").unwrap();
    assert_eq!(cut.next_token, Some(Bytes::from_static(&[1, 2, 3])));
    assert!(cut.row.is_some());
}

#[test]
fn writes_give_back_what_was_asked_for() {
    let plain = read::<PutRow>("put_row_plain").unwrap();
    assert_eq!((plain.row, plain.consumed.write), (None, 1));
    let keyed = read::<PutRow>("put_row_auto_increment")
        .unwrap()
        .row
        .unwrap();
    assert_eq!(keyed.key_columns().len(), 2);
    let counted = read::<UpdateRow>("update_row_after_modify")
        .unwrap()
        .row
        .unwrap();
    assert_eq!(counted.get("n").unwrap().as_integer(), Some(8));
    assert_eq!(read::<DeleteRow>("delete_row_plain").unwrap().row, None);
}

#[test]
fn every_row_of_a_batch_has_its_own_result() {
    let tables = read::<BatchGetRow>("batch_get_row_partial").unwrap();
    let [rows] = &tables[..] else {
        panic!("{tables:?}")
    };
    assert_eq!(rows.len(), 3);
    assert!(rows[0].as_ref().unwrap().row.is_some());
    assert_eq!(rows[1].as_ref().unwrap().row, None);
    let error = rows[2].as_ref().unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    assert_eq!(error.to_string(), "OTSServerBusy: Server is busy.");

    let tables = read::<BatchWriteRow>("batch_write_row_partial").unwrap();
    assert_eq!(tables[0][0].as_ref().unwrap().consumed.write, 1);
    let error = tables[0][1].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "OTSConditionCheckFail: Condition check failed."
    );

    let tables = read::<BatchWriteRow>("batch_write_row_returned_key").unwrap();
    assert!(tables[0][0].as_ref().unwrap().row.is_some());
}

#[test]
fn a_cut_row_of_a_batch_does_not_pass_for_the_whole() {
    let tables = read::<BatchGetRow>("batch_get_row_token").unwrap();
    let error = tables[0][0].as_ref().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Response(ResponseProblem::RowCut));
}

#[test]
fn a_row_that_does_not_decode_leaves_the_others_of_the_batch_alone() {
    let mut response: messages::BatchGetRowResponse = response("batch_get_row_partial");
    response.tables[0].rows[0].row = Some(Bytes::from_static(b"not a row"));
    let tables = BatchGetRow::read(Reply::new(response)).unwrap();
    let error = tables[0][0].as_ref().unwrap_err();
    assert_eq!(chain(error).len(), 2);
    assert!(tables[0][1].is_ok());
}

#[test]
fn a_page_ends_the_range_only_by_having_no_next_key() {
    let page = read::<GetRange>("get_range_page").unwrap();
    assert_eq!(page.next_start, Some(gid(3)));
    assert_eq!(page.next_token, None);
    let mut rows = Reader::new(&page.rows, Accept::Rows).unwrap();
    let mut count = 0;
    while rows.next_row().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2);

    assert_eq!(read::<GetRange>("get_range_end").unwrap().next_start, None);

    let empty = read::<GetRange>("get_range_empty_but_more").unwrap();
    assert_eq!((empty.rows.len(), empty.next_start), (0, Some(gid(1000))));

    let cut = read::<GetRange>("get_range_wide_token").unwrap();
    assert_eq!(cut.next_token, Some(Bytes::from_static(b"tok")));
    assert_eq!(cut.next_start, Some(gid(1)));
}

#[test]
fn an_empty_next_key_or_token_is_like_a_missing_one() {
    let response = messages::GetRangeResponse {
        next_start_primary_key: Some(Bytes::new()),
        next_token: Some(Bytes::new()),
        ..messages::GetRangeResponse::default()
    };
    let page = GetRange::read(Reply::new(response)).unwrap();
    assert_eq!((page.next_start, page.next_token), (None, None));

    let response = messages::ParallelScanResponse {
        next_token: Some(Bytes::new()),
        ..messages::ParallelScanResponse::default()
    };
    assert_eq!(
        ParallelScan::read(Reply::new(response)).unwrap().next_token,
        None
    );
    let response = messages::SearchResponse {
        next_token: Some(Bytes::new()),
        ..messages::SearchResponse::default()
    };
    assert_eq!(Search::read(Reply::new(response)).unwrap().next_token, None);
}

#[test]
fn a_page_in_a_form_that_was_not_asked_for_is_an_error() {
    let error = read::<GetRange>("get_range_matrix").unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "the response's body can't be decoded",
            "GetRange answered with a SimpleRowMatrix block, not asked for",
        ]
    );
}

#[test]
fn a_next_key_that_does_not_decode_is_an_error() {
    let response = messages::GetRangeResponse {
        next_start_primary_key: Some(Bytes::from_static(b"not a key")),
        ..messages::GetRangeResponse::default()
    };
    let error = GetRange::read(Reply::new(response)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Response(ResponseProblem::Body));
}

#[test]
fn sessions_and_their_pages_are_read() {
    let splits = read::<ComputeSplits>("compute_splits").unwrap();
    assert_eq!(
        (&splits.session_id[..], splits.splits_size.get()),
        (&b"sess-1"[..], 3)
    );
    let page = read::<ParallelScan>("parallel_scan_page").unwrap();
    assert_eq!(
        (page.rows.len(), page.next_token),
        (2, Some(Bytes::from_static(&[1, 255])))
    );
    let done = read::<ParallelScan>("parallel_scan_done").unwrap();
    assert_eq!((done.rows.len(), done.next_token), (0, None));
}

#[test]
fn a_session_without_id_or_splits_is_no_session() {
    let session = |id: &'static [u8], splits_size| messages::ComputeSplitsResponse {
        session_id: Some(Bytes::from_static(id)),
        splits_size,
    };
    for response in [
        messages::ComputeSplitsResponse::default(),
        session(b"", Some(3)),
        session(b"s", None),
        session(b"s", Some(0)),
        session(b"s", Some(-1)),
    ] {
        let error = ComputeSplits::read(Reply::new(response)).unwrap_err();
        let text = "ComputeSplits answered without a session id or without splits";
        assert_eq!(chain(&error)[1], text);
    }
}

#[test]
fn matches_are_read_and_a_part_of_them_is_an_error() {
    let full = read::<Search>("search_full").unwrap();
    assert_eq!((full.rows.len(), full.total()), (2, Some(2)));
    assert_eq!(full.next_token, Some(Bytes::from_static(b"next")));
    let rows = full.rows().unwrap();
    assert_eq!(rows.len(), 2);
    let mut lent = full.row_refs();
    let lent = lent.next_row().unwrap().unwrap();
    assert_eq!(lent.to_row(&mut NameCache::default()), rows[0]);
    let empty = read::<Search>("search_empty").unwrap();
    assert_eq!(
        (empty.rows.len(), empty.total(), &empty.next_token),
        (0, Some(0), &None)
    );

    let error = read::<Search>("search_not_counted").unwrap_err();
    let text = "Search answered with only a part of the matches: some shards failed";
    assert_eq!(chain(&error)[1], text);
    let mut not_counted: messages::SearchResponse = response("search_not_counted");
    not_counted.is_all_succeeded = Some(true);
    assert_eq!(Search::read(Reply::new(not_counted)).unwrap().total(), None);
}

#[test]
fn tables_and_indexes_are_described() {
    let table = read::<DescribeTable>("describe_table").unwrap();
    assert_eq!(table.name, "t");
    let names: Vec<_> = table
        .primary_key
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["gid", "seq"]);
    assert_eq!(table.options.max_versions, Some(1));
    assert_eq!(read::<ListTable>("list_table").unwrap(), ["a", "b"]);
    let indexes = read::<ListSearchIndex>("list_search_index").unwrap();
    let names: Vec<_> = indexes
        .iter()
        .map(|name| (name.table.as_str(), name.index.as_str()))
        .collect();
    assert_eq!(names, [("t", "i1"), ("t", "i2")]);
}

#[test]
fn refusals_are_read() {
    let error: messages::Error = response("error_condition_check");
    assert_eq!(
        ErrorCode::from(error.code.as_str()),
        ErrorCode::ConditionCheckFail
    );
    let error: messages::Error = response("error_with_access_denied_detail");
    let mut rows: messages::BatchGetRowResponse = response("batch_get_row_partial");
    rows.tables[0].rows[2].error = Some(error);
    let tables = BatchGetRow::read(Reply::new(rows)).unwrap();
    let error = tables[0][2].as_ref().unwrap_err().as_service().unwrap();
    assert_eq!(error.code, ErrorCode::NoPermissionAccess);
    let denied = error.access_denied.as_deref().unwrap();
    assert_eq!(denied.action, "ots:GetRow");
    assert_eq!(denied.no_permission_type, "ImplicitDeny");
    assert_eq!(denied.diagnostic_message, None);
}

fn refused<R: Request>(request: R) -> String
where
    <R::Operation as Operation>::Request: Debug,
{
    let error = request.into_message().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Request(_)), "{error:?}");
    assert!(!error.is_retryable());
    error.to_string()
}

#[test]
fn wrong_arguments_are_named_with_their_table() {
    let range = || GetRange::new("t", gid(1), gid(5));
    let scan = || ParallelScan::new("t", "i", Query::MatchAll);
    let search = || Search::new("t", "i", Query::MatchAll);
    let reads = TableRead::new("t", [gid(1)]).max_versions(0);
    let between = "must be between 1 and 2147483647, got";
    let cases = [
        (refused(range().limit(0)), format!("GetRange on table \"t\": limit {between} 0")),
        (
            refused(range().max_versions(3_000_000_000)),
            format!("GetRange on table \"t\": max_versions {between} 3000000000"),
        ),
        (
            refused(GetRow::new("t", gid(1)).max_versions(0)),
            format!("GetRow on table \"t\": max_versions {between} 0"),
        ),
        (
            refused(BatchGetRow::new().table(reads)),
            format!("BatchGetRow on table \"t\": max_versions {between} 0"),
        ),
        (refused(scan().limit(0)), format!("ParallelScan on table \"t\": limit {between} 0")),
        (
            refused(scan().alive_time(Duration::ZERO)),
            format!("ParallelScan on table \"t\": alive_time {between} 0"),
        ),
        (
            refused(scan().split(2, 2)),
            "ParallelScan on table \"t\": split 2 doesn't exist, there are 2, counted from 0"
                .to_owned(),
        ),
        (
            refused(scan().split(0, 0)),
            "ParallelScan on table \"t\": split 0 doesn't exist, there are 0, counted from 0"
                .to_owned(),
        ),
        (
            refused(search().limit(u32::MAX)),
            "Search on table \"t\": limit must be at most 2147483647".to_owned(),
        ),
        (
            refused(search().offset(1 << 31)),
            "Search on table \"t\": offset must be at most 2147483647".to_owned(),
        ),
        (
            refused(GetRange::new("t", gid(1), PrimaryKey::max(["city", "gid"]))),
            "GetRange on table \"t\": start and end must have the same columns, got (gid) and (city, \
             gid)"
                .to_owned(),
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(text, wanted);
    }
}

#[test]
fn a_range_runs_from_its_start_to_its_end() {
    let wrong_way = |direction, start: i64, end: i64| {
        refused(GetRange::new("t", gid(start), gid(end)).direction(direction))
    };
    for (start, end) in [(5, 1), (5, 5)] {
        let text = wrong_way(Direction::Forward, start, end);
        assert!(
            text.starts_with("GetRange on table \"t\": the start "),
            "{text}"
        );
        assert!(text.contains("must come before the end"), "{text}");
    }
    for (start, end) in [(1, 5), (5, 5)] {
        let text = wrong_way(Direction::Backward, start, end);
        assert!(text.contains("must come after the end"), "{text}");
    }
    encoded(GetRange::new("t", gid(5), gid(1)).direction(Direction::Backward));
}

/// Answers one operation with one response.
struct Stub<O: Operation>(O::Response);

impl<O: Operation> Call<O> for Stub<O>
where
    O::Response: Clone + Sync,
{
    async fn call(&self, _: O::Request) -> Result<Reply<O::Response>, Error> {
        Ok(Reply::new(self.0.clone()))
    }
}

fn row_read() -> messages::RowInBatchGetRowResponse {
    messages::RowInBatchGetRowResponse {
        is_ok: true,
        row: Some(write_row(&Row::new(gid(1)))),
        ..Default::default()
    }
}

fn tables_read(tables: &[(&str, usize)]) -> messages::BatchGetRowResponse {
    let tables = tables
        .iter()
        .map(|(name, rows)| messages::TableInBatchGetRowResponse {
            table_name: (*name).to_owned(),
            rows: vec![row_read(); *rows],
        });
    messages::BatchGetRowResponse {
        tables: tables.collect(),
    }
}

#[tokio::test]
async fn a_batch_is_answered_row_for_row_or_not_at_all() {
    let reads = || {
        BatchGetRow::new()
            .table(TableRead::new("a", [gid(1), gid(2)]))
            .table(TableRead::new("b", [gid(3)]))
    };
    let call = Stub::<operation::BatchGetRow>(tables_read(&[("a", 2), ("b", 1)]));
    let results = send(&call, reads()).await.unwrap();
    assert_eq!(results.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);

    for (tables, problem) in [
        (&[][..], "results for 0 tables, but 2 were asked for"),
        (
            &[("a", 2)][..],
            "results for 1 tables, but 2 were asked for",
        ),
        (
            &[("a", 2), ("b", 1), ("b", 1)][..],
            "results for 3 tables, but 2 were asked for",
        ),
        (
            &[("a", 1), ("b", 1)][..],
            "1 results for table \"a\", in place of 2 for table \"a\"",
        ),
        (
            &[("a", 2), ("b", 2)][..],
            "2 results for table \"b\", in place of 1 for table \"b\"",
        ),
        (
            &[("b", 1), ("a", 2)][..],
            "1 results for table \"b\", in place of 2 for table \"a\"",
        ),
    ] {
        let call = Stub::<operation::BatchGetRow>(tables_read(tables));
        let error = send(&call, reads()).await.unwrap_err();
        assert_eq!(
            chain(&error),
            [
                "BatchGetRow failed: the response's body can't be decoded",
                problem
            ]
        );
    }
}

#[tokio::test]
async fn a_batch_of_writes_is_answered_row_for_row_or_not_at_all() {
    let writes = || {
        let changes = [RowChange::Delete(gid(1)), RowChange::Delete(gid(2))];
        BatchWriteRow::new().table(TableWrites::new("a").changes(changes))
    };
    let answer = |rows| {
        let row = messages::RowInBatchWriteRowResponse {
            is_ok: true,
            ..Default::default()
        };
        let table = messages::TableInBatchWriteRowResponse {
            table_name: "a".to_owned(),
            rows: vec![row; rows],
        };
        Stub::<operation::BatchWriteRow>(messages::BatchWriteRowResponse {
            tables: vec![table],
        })
    };
    assert_eq!(send(&answer(2), writes()).await.unwrap()[0].len(), 2);
    let error = send(&answer(1), writes()).await.unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "BatchWriteRow on table \"a\" failed: the response's body can't be decoded",
            "1 results for table \"a\", in place of 2 for table \"a\"",
        ]
    );
}

#[tokio::test]
async fn a_page_that_was_lost_on_the_way_is_told_with_its_table() {
    let response = messages::GetRangeResponse {
        next_start_primary_key: Some(Bytes::from_static(&[0x75])),
        ..Default::default()
    };
    let call = Stub::<operation::GetRange>(response);
    let error = send(&call, GetRange::new("t", gid(1), gid(5)))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "GetRange on table \"t\" failed: the response's body can't be decoded"
    );
    assert_eq!((error.table(), error.attempts()), (Some("t"), 1));
    assert_eq!(write_primary_key(&gid(1))[0], 0x75);
}

/// Answers every GetRow with the first part of a row.
struct CutRow;

impl Call<operation::GetRow> for CutRow {
    async fn call(
        &self,
        _: messages::GetRowRequest,
    ) -> Result<Reply<messages::GetRowResponse>, Error> {
        let row = Row::new(PrimaryKey::new().column("gid", 1)).cell("a", 1);
        Ok(Reply::new(messages::GetRowResponse {
            row: write_row(&row),
            next_token: Some(Bytes::from_static(b"rest")),
            ..messages::GetRowResponse::default()
        }))
    }
}

#[tokio::test]
async fn a_part_of_a_row_passes_for_the_row_only_where_it_was_asked_for() {
    let get = || GetRow::new("t", PrimaryKey::new().column("gid", 1));
    let error = ots_core::request::send(&CutRow, get()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Response(ResponseProblem::RowCut));
    for request in [get().in_parts(), get().token(Bytes::from_static(b"more"))] {
        let reply = ots_core::request::send(&CutRow, request).await.unwrap();
        assert_eq!(reply.next_token, Some(Bytes::from_static(b"rest")));
    }
}

#[test]
fn the_longest_alive_time_is_refused_not_wrapped() {
    let scan = ParallelScan::new("t", "i", Query::MatchAll).alive_time(Duration::MAX);
    let error = scan.into_message().unwrap_err().to_string();
    assert!(
        error.contains("alive_time must be between 1 and"),
        "{error}"
    );
}
