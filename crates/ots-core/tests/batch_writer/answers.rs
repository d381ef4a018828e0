//! Answers that don't fit what was asked. Results carry no key, only their place says which row they
//! are of: a result too few or too many would give rows the outcomes of others.

use std::sync::{Arc, Mutex};

use ots_core::writer::Outcome;
use ots_core::{Call, Error, ErrorKind, Reply, ResponseProblem};
use ots_proto::messages::{
    BatchWriteRowRequest, BatchWriteRowResponse, RowInBatchWriteRowResponse,
    TableInBatchWriteRowResponse,
};
use ots_proto::operation;

use crate::service::{builder, increment, put, reports};

const ROWS: i64 = 5;

/// Takes every row, and answers so.
#[derive(Clone)]
struct Misfit {
    answer: fn(usize) -> Vec<TableInBatchWriteRowResponse>,
    /// How often; then as it should.
    times: usize,
    /// Rows of each request.
    asked: Arc<Mutex<Vec<usize>>>,
}

impl Call<operation::BatchWriteRow> for Misfit {
    async fn call(
        &self,
        request: BatchWriteRowRequest,
    ) -> Result<Reply<BatchWriteRowResponse>, Error> {
        let rows = request.tables[0].rows.len();
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(rows);
            asked.len()
        };
        let tables = if number <= self.times {
            (self.answer)(rows)
        } else {
            vec![results("t", rows)]
        };
        Ok(Reply::new(BatchWriteRowResponse { tables }))
    }
}

fn results(table: &str, rows: usize) -> TableInBatchWriteRowResponse {
    let taken = RowInBatchWriteRowResponse {
        is_ok: true,
        ..RowInBatchWriteRowResponse::default()
    };
    TableInBatchWriteRowResponse {
        table_name: table.to_owned(),
        rows: vec![taken; rows],
    }
}

type Answers = [(fn(usize) -> Vec<TableInBatchWriteRowResponse>, &'static str); 5];

const MISFITS: Answers = [
    (
        |rows| vec![results("t", rows - 1)],
        "4 results for table \"t\", in place of 5 for table \"t\"",
    ),
    (
        |rows| vec![results("t", rows + 1)],
        "6 results for table \"t\", in place of 5 for table \"t\"",
    ),
    (
        |rows| vec![results("other", rows)],
        "5 results for table \"other\", in place of 5 for table \"t\"",
    ),
    (|_| Vec::new(), "results for 0 tables, but 1 were asked for"),
    (
        |rows| vec![results("t", rows), results("t", 1)],
        "results for 2 tables, but 1 were asked for",
    ),
];

/// Writes rows by `write` to a service that misfits so often; how each row ended, and what was asked.
async fn write(
    misfit: &Misfit,
    write: fn(i64, i64) -> ots_core::request::RowWrite,
) -> Vec<Outcome> {
    let (reports, report) = reports();
    let writer = builder(misfit.clone()).start(report).unwrap();
    writer
        .write_all((0..ROWS).map(|number| (write(number, number), number)))
        .await;
    let totals = writer.close().await;
    assert_eq!(totals.accepted_rows, ROWS.cast_unsigned());
    let mut reports = std::mem::take(&mut *reports.lock().unwrap());
    reports.sort_by_key(|settled| settled.tag);
    let tags = reports.iter().map(|settled| settled.tag);
    assert!(tags.eq(0..ROWS), "a row was reported twice, or not at all");
    reports.into_iter().map(|settled| settled.outcome).collect()
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_too_few_or_too_many_results_is_an_error_of_every_row() {
    for (answer, says) in MISFITS {
        let misfit = Misfit {
            answer,
            times: usize::MAX,
            asked: Arc::default(),
        };
        // What must not be done twice is not sent twice; the service has done it.
        for outcome in write(&misfit, increment).await {
            let Outcome::Failed {
                error,
                may_have_run: true,
            } = outcome
            else {
                panic!("{says}: {outcome:?}");
            };
            assert_eq!(*error.kind(), ErrorKind::Response(ResponseProblem::Body));
            let cause = std::error::Error::source(&error).unwrap();
            assert_eq!(cause.to_string(), says);
        }
        assert_eq!(*misfit.asked.lock().unwrap(), [5]);
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_may_be_written_twice_are_sent_again_after_an_answer_that_does_not_fit() {
    for (answer, says) in MISFITS {
        let misfit = Misfit {
            answer,
            times: 1,
            asked: Arc::default(),
        };
        for outcome in write(&misfit, put).await {
            assert!(outcome.is_written(), "{says}: {outcome:?}");
        }
        assert_eq!(*misfit.asked.lock().unwrap(), [5, 5]);
    }
}
