//! One batch, sent until every row of it is written or refused.

use std::fmt;
use std::time::Duration;

use ots_core::request::{BatchWriteRow, TableWrites, WriteReply, send};
use ots_core::{Call, Error, ErrorClass, RowChange};
use ots_proto::operation;
use tokio::time::{Instant, sleep};

use super::batches::NumberedRow;

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct BatchOutcome {
    /// Rows that are surely written.
    pub(super) written_rows: u64,
    /// Requests sent.
    pub(super) requests: u64,
    /// Why the others aren't.
    pub(super) refused: Option<Refused>,
}

/// Rows that can't be written, and why.
#[derive(Debug)]
pub struct Refused {
    /// What the service says.
    pub error: Error,
    /// The first row that it is about, and the last, counted from 0.
    pub rows: (u64, u64),
}

/// Writes one batch, and again what of it may be written again.
///
/// A whole row without a condition is put: doing so twice is doing so once, so even a request whose
/// fate is unknown may be sent again.
pub(super) async fn write_batch<C>(
    call: &C,
    table: &str,
    mut rows: Vec<NumberedRow>,
) -> BatchOutcome
where
    C: Call<operation::BatchWriteRow>,
{
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut outcome = BatchOutcome::default();
    loop {
        let changes = rows.iter().map(|row| RowChange::Put(row.row.clone()));
        let batch = BatchWriteRow::new().table(TableWrites::new(table).changes(changes));
        outcome.requests += 1;
        let answer = send(call, batch).await;
        let in_time = start.elapsed() < PATIENCE;
        match answer {
            Ok(results) => {
                let results = results.into_iter().flatten();
                let (written, unwritten) = sort_out(&mut rows, results, in_time);
                outcome.written_rows += written;
                outcome.refused = unwritten;
            }
            Err(error) if in_time && error.is_retryable() => {}
            Err(error) => outcome.refused = Refused::all(&rows, error),
        }
        if rows.is_empty() || outcome.refused.is_some() {
            return outcome;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The client's own patience with one call: what it couldn't do in that time isn't begun again.
const PATIENCE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Keeps the rows that must be written again. Gives how many are written, and the first that can't
/// be: while there is time only what is wrong with the row itself, later any failure.
fn sort_out(
    rows: &mut Vec<NumberedRow>,
    results: impl Iterator<Item = Result<WriteReply, Error>>,
    in_time: bool,
) -> (u64, Option<Refused>) {
    let mut written = 0;
    let mut refused = None;
    let mut again = Vec::new();
    // The request has checked that there is a result for each row, in the order of the rows.
    for (row, result) in std::mem::take(rows).into_iter().zip(results) {
        match result {
            Ok(_) => written += 1,
            Err(error) if in_time && may_pass(&error) => again.push(row),
            Err(error) => {
                refused.get_or_insert(Refused {
                    error,
                    rows: (row.number, row.number),
                });
            }
        }
    }
    *rows = again;
    (written, refused)
}

/// Whether the row may be written if it is sent again.
fn may_pass(error: &Error) -> bool {
    let class = error.as_service().map(ots_core::ServiceError::class);
    class.is_some_and(|class| class != ErrorClass::Final)
}

impl Refused {
    /// The whole batch; none if there are no rows.
    fn all(rows: &[NumberedRow], error: Error) -> Option<Self> {
        let (first, last) = (rows.first()?.number, rows.last()?.number);
        Some(Self {
            error,
            rows: (first, last),
        })
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rows {
            (first, last) if first == last => write!(f, "row {first} (counted from 0)"),
            (first, last) => write!(f, "one of the rows {first} to {last} (counted from 0)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use http::StatusCode;
    use ots_core::transport::TransportError;
    use ots_core::{ErrorCode, PrimaryKey, Reply, Row};
    use ots_proto::messages::{
        self, BatchWriteRowRequest, BatchWriteRowResponse, RowInBatchWriteRowResponse,
        TableInBatchWriteRowResponse,
    };

    use super::*;

    /// What the service does with one request.
    enum Answer {
        /// The code of each row, empty when it is written.
        Rows(&'static [&'static str]),
        /// All rows are written.
        Written,
        Fails(Error),
    }

    /// Plays answers one after another, the last one for ever, and remembers how many rows came.
    struct Script {
        answers: Mutex<VecDeque<Answer>>,
        received: Mutex<Vec<usize>>,
    }

    impl Script {
        fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
            Self {
                answers: Mutex::new(answers.into_iter().collect()),
                received: Mutex::default(),
            }
        }

        fn received(&self) -> Vec<usize> {
            self.received.lock().unwrap().clone()
        }
    }

    impl Call<operation::BatchWriteRow> for Script {
        async fn call(
            &self,
            request: BatchWriteRowRequest,
        ) -> Result<Reply<BatchWriteRowResponse>, Error> {
            let rows = request.tables[0].rows.len();
            self.received.lock().unwrap().push(rows);
            let codes = match self.answers.lock().unwrap().pop_front().unwrap() {
                Answer::Rows(codes) => codes.to_vec(),
                Answer::Written => vec![""; rows],
                Answer::Fails(error) => return Err(error),
            };
            let rows = codes.into_iter().map(|code| RowInBatchWriteRowResponse {
                is_ok: code.is_empty(),
                error: (!code.is_empty()).then(|| messages::Error {
                    code: code.to_owned(),
                    ..messages::Error::default()
                }),
                consumed: None,
                row: None,
            });
            Ok(Reply::new(BatchWriteRowResponse {
                tables: vec![TableInBatchWriteRowResponse {
                    table_name: "t".to_owned(),
                    rows: rows.collect(),
                }],
            }))
        }
    }

    fn rows(numbers: std::ops::Range<u64>) -> Vec<NumberedRow> {
        let row = |number: u64| NumberedRow {
            number,
            row: Row::new(PrimaryKey::new().column("id", number.cast_signed())),
        };
        numbers.map(row).collect()
    }

    fn lost() -> Answer {
        Answer::Fails(Error::transport(TransportError::unknown("reset")))
    }

    #[tokio::test(start_paused = true)]
    async fn throttled_rows_are_written_again_and_only_those() {
        let script = Script::new([
            Answer::Rows(&["", "OTSServerBusy", "", "OTSNotEnoughCapacityUnit"]),
            Answer::Rows(&["OTSServerBusy", ""]),
            Answer::Written,
        ]);
        let outcome = write_batch(&script, "t", rows(0..4)).await;
        assert_eq!(script.received(), [4, 2, 1]);
        assert_eq!((outcome.written_rows, outcome.requests), (4, 3));
        assert!(outcome.refused.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_whose_fate_is_unknown_is_sent_again() {
        let script = Script::new([lost(), lost(), Answer::Written]);
        let outcome = write_batch(&script, "t", rows(0..3)).await;
        assert_eq!(script.received(), [3, 3, 3]);
        assert_eq!((outcome.written_rows, outcome.requests), (3, 3));
        assert!(outcome.refused.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_row_is_named_and_the_written_ones_count() {
        let script = Script::new([Answer::Rows(&[
            "",
            "OTSServerBusy",
            "OTSInvalidPK",
            "OTSParameterInvalid",
            "",
        ])]);
        let outcome = write_batch(&script, "t", rows(400..405)).await;
        assert_eq!((outcome.written_rows, outcome.requests), (2, 1));
        let refused = outcome.refused.unwrap();
        assert_eq!(refused.to_string(), "row 402 (counted from 0)");
        assert_eq!(refused.error.code(), Some(&ErrorCode::InvalidPk));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_request_names_its_rows() {
        let error = Error::service(ErrorCode::ParameterInvalid, StatusCode::BAD_REQUEST, "", "");
        let script = Script::new([Answer::Fails(error)]);
        let outcome = write_batch(&script, "t", rows(400..600)).await;
        assert_eq!((outcome.written_rows, outcome.requests), (0, 1));
        let refused = outcome.refused.unwrap();
        assert_eq!(
            refused.to_string(),
            "one of the rows 400 to 599 (counted from 0)"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn results_that_do_not_match_the_rows_are_not_taken_for_them() {
        let script = Script::new([
            Answer::Rows(&[""]),
            Answer::Rows(&["", ""]),
            Answer::Written,
        ]);
        let outcome = write_batch(&script, "t", rows(0..3)).await;
        // A damaged answer says nothing of the rows: they are put again.
        assert_eq!(script.received(), [3, 3, 3]);
        assert_eq!(outcome.written_rows, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn rows_that_are_throttled_for_a_minute_are_given_up() {
        let start = Instant::now();
        let busy = || Answer::Rows(&["OTSServerBusy", "OTSServerBusy"]);
        let script = Script::new(std::iter::repeat_with(busy).take(1_000));
        let outcome = write_batch(&script, "t", rows(7..9)).await;
        let waited = start.elapsed();
        assert!(waited >= PATIENCE && waited < PATIENCE + 2 * LONGEST_PAUSE);
        assert_eq!(outcome.written_rows, 0);
        assert_eq!(outcome.requests, script.received().len() as u64);
        let refused = outcome.refused.unwrap();
        assert_eq!(refused.rows, (7, 7));
        assert_eq!(refused.error.code(), Some(&ErrorCode::ServerBusy));
    }
}
