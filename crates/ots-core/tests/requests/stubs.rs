//! Answers that do not fit, from a call that is no client.

use super::*;

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
