//! Many rows into a table, several batches at once.

mod batch;
mod batches;

use std::collections::HashMap;
use std::time::Duration;

use ots_core::{Call, Row};
use ots_proto::operation;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};

pub use batch::Refused;
pub use batches::BATCH_ROWS;

use crate::failure::Exit;
use crate::interrupt::Interrupt;
use crate::source;
use batch::{BatchOutcome, write_batch};
use batches::{NumberedRow, batches};

/// What became of the rows.
#[derive(Debug)]
#[non_exhaustive]
#[must_use]
pub struct Outcome {
    /// Rows that are surely written.
    pub written_rows: u64,
    /// Rows that may be written or not: their batches were given up while under way.
    pub unknown_rows: u64,
    /// Requests sent.
    pub requests: u64,
    /// Why it ended before the rows did; none when all are written.
    pub stop: Option<Stop>,
}

/// Why writing stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stop {
    /// The service can't be reached, or doesn't take a row.
    Refused(Refused),
    /// The rows can't be read any further.
    Source(source::Error),
    /// A signal came.
    Interrupted(Exit),
    /// A task ended by itself: a bug.
    Task(JoinError),
}

/// Writes every row, `parallel` batches at a time, and says after each batch how many are written.
///
/// Whatever the reason to stop, batches under way are waited for, so that the count is right: a
/// while after a signal, as long as they take otherwise.
///
/// Of rows with the same key one stays, any of them: batches overtake each other.
pub async fn bulk_write<C>(
    call: C,
    table: &str,
    chunks: impl Iterator<Item = Result<Vec<Row>, source::Error>> + Send + 'static,
    parallel: usize,
    interrupt: &mut Interrupt,
    mut wrote: impl FnMut(u64),
) -> Outcome
where
    C: Call<operation::BatchWriteRow> + Clone + 'static,
{
    let mut read = read_ahead(chunks, parallel);
    let mut under_way = UnderWay::default();
    let mut waiting = Vec::new().into_iter();
    let mut next_row = 0;
    let mut all_read = false;
    while under_way.outcome.stop.is_none() && !(all_read && under_way.tasks.is_empty()) {
        if under_way.tasks.len() < parallel
            && let Some(batch) = waiting.next()
        {
            under_way.start(call.clone(), table.to_owned(), batch);
            continue;
        }
        let wants_more = !all_read && waiting.len() == 0 && under_way.tasks.len() < parallel;
        tokio::select! {
            Some(done) = under_way.tasks.join_next_with_id() => under_way.finished(done, &mut wrote),
            chunk = read.recv(), if wants_more => match chunk {
                Some(Ok(rows)) => {
                    let count = rows.len() as u64;
                    waiting = batches(next_row, rows).into_iter();
                    next_row += count;
                }
                Some(Err(error)) => under_way.stop(Stop::Source(error)),
                None => all_read = true,
            },
            exit = interrupt.wait() => under_way.stop(Stop::Interrupted(exit)),
        }
    }
    under_way.end(&mut wrote).await
}

/// Reads in a thread of its own: a few chunks ahead are enough.
fn read_ahead(
    chunks: impl Iterator<Item = Result<Vec<Row>, source::Error>> + Send + 'static,
    ahead: usize,
) -> mpsc::Receiver<Result<Vec<Row>, source::Error>> {
    let (sender, read) = mpsc::channel(ahead);
    tokio::task::spawn_blocking(move || {
        for chunk in chunks {
            // Nobody listens any more when the writing has stopped.
            if sender.blocking_send(chunk).is_err() {
                break;
            }
        }
    });
    read
}

/// The batches that were sent and not answered.
struct UnderWay {
    tasks: JoinSet<BatchOutcome>,
    rows: HashMap<Id, u64>,
    outcome: Outcome,
}

impl Default for UnderWay {
    fn default() -> Self {
        Self {
            tasks: JoinSet::new(),
            rows: HashMap::new(),
            outcome: Outcome {
                written_rows: 0,
                unknown_rows: 0,
                requests: 0,
                stop: None,
            },
        }
    }
}

impl UnderWay {
    fn start<C>(&mut self, call: C, table: String, batch: Vec<NumberedRow>)
    where
        C: Call<operation::BatchWriteRow> + 'static,
    {
        let rows = batch.len() as u64;
        let task = async move { write_batch(&call, &table, batch).await };
        let task = self.tasks.spawn(task);
        self.rows.insert(task.id(), rows);
    }

    fn finished(
        &mut self,
        done: Result<(Id, BatchOutcome), JoinError>,
        wrote: &mut impl FnMut(u64),
    ) {
        match done {
            Ok((id, batch)) => {
                self.rows.remove(&id);
                self.outcome.written_rows += batch.written_rows;
                self.outcome.requests += batch.requests;
                if let Some(refused) = batch.refused {
                    self.stop(Stop::Refused(refused));
                }
                wrote(self.outcome.written_rows);
            }
            // Aborted tasks and panicked ones stay in `rows`: nobody knows what they have written.
            Err(error) if error.is_cancelled() => {}
            Err(error) => self.stop(Stop::Task(error)),
        }
    }

    /// The first reason is the one to tell.
    fn stop(&mut self, stop: Stop) {
        self.outcome.stop.get_or_insert(stop);
    }

    async fn end(mut self, wrote: &mut impl FnMut(u64)) -> Outcome {
        let grace = match self.outcome.stop {
            Some(Stop::Interrupted(_)) => GRACE_AFTER_SIGNAL,
            // They retry for a minute each, and all began at about the same time.
            _ => GRACE_AFTER_FAILURE,
        };
        let deadline = Instant::now() + grace;
        while let Ok(Some(done)) = timeout_at(deadline, self.tasks.join_next_with_id()).await {
            self.finished(done, wrote);
        }
        self.outcome.unknown_rows = self.rows.values().sum();
        self.outcome
    }
}

/// An answer takes milliseconds; whoever presses Ctrl-C doesn't wait for one that takes much longer.
const GRACE_AFTER_SIGNAL: Duration = Duration::from_secs(2);
const GRACE_AFTER_FAILURE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use ots_core::{Error, ErrorCode, PrimaryKey, Reply};
    use ots_proto::messages::{
        BatchWriteRowRequest, BatchWriteRowResponse, RowInBatchWriteRowResponse,
        TableInBatchWriteRowResponse,
    };

    use super::*;

    /// Answers each request after a second, but not those from `fails_from` on, and never those
    /// from `hangs_from` on.
    #[derive(Debug)]
    struct Slow {
        requests: AtomicU64,
        fails_from: u64,
        hangs_from: u64,
        panics_from: u64,
    }

    impl Slow {
        fn new() -> Self {
            Self {
                requests: AtomicU64::new(0),
                fails_from: u64::MAX,
                hangs_from: u64::MAX,
                panics_from: u64::MAX,
            }
        }
    }

    impl Call<operation::BatchWriteRow> for Slow {
        async fn call(
            &self,
            request: BatchWriteRowRequest,
        ) -> Result<Reply<BatchWriteRowResponse>, Error> {
            let number = self.requests.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(1)).await;
            if number >= self.hangs_from {
                std::future::pending::<()>().await;
            }
            assert!(number < self.panics_from, "this is the panic of a test");
            if number >= self.fails_from {
                // A failure ends the writing: one that is to hang must have begun before.
                while self.hangs_from != u64::MAX
                    && self.requests.load(Ordering::Relaxed) <= self.hangs_from
                {
                    tokio::task::yield_now().await;
                }
                let status = http::StatusCode::FORBIDDEN;
                return Err(Error::service(ErrorCode::AuthFailed, status, "", ""));
            }
            let ok = RowInBatchWriteRowResponse {
                is_ok: true,
                ..RowInBatchWriteRowResponse::default()
            };
            let tables = request.tables.into_iter();
            let tables = tables.map(|table| TableInBatchWriteRowResponse {
                rows: vec![ok.clone(); table.rows.len()],
                table_name: table.table_name,
            });
            Ok(Reply::new(BatchWriteRowResponse {
                tables: tables.collect(),
            }))
        }
    }

    /// As many as are under way or read ahead: tokio's paused clock stands still while a thread of
    /// its own, such as the reading one, waits.
    const ALL: usize = 8;

    type Chunk = Result<Vec<Row>, source::Error>;

    fn chunks(count: usize) -> impl Iterator<Item = Chunk> + Send + 'static {
        let row = Row::new(PrimaryKey::new().column("id", 1));
        std::iter::repeat_with(move || Ok(vec![row.clone(); 200])).take(count)
    }

    async fn write(slow: Slow, chunks: impl Iterator<Item = Chunk> + Send + 'static) -> Outcome {
        let mut last = 0;
        let mut interrupt = Interrupt::never();
        let wrote = |rows| last = rows;
        let outcome = bulk_write(Arc::new(slow), "t", chunks, 4, &mut interrupt, wrote).await;
        assert_eq!(last, outcome.written_rows, "the progress is the outcome");
        outcome
    }

    #[tokio::test(start_paused = true)]
    async fn all_rows_are_written_several_batches_at_once() {
        let start = Instant::now();
        let outcome = write(Slow::new(), chunks(ALL)).await;
        assert!(outcome.stop.is_none());
        let counts = (outcome.written_rows, outcome.unknown_rows, outcome.requests);
        assert_eq!(counts, (1_600, 0, 8));
        assert!(start.elapsed() < Duration::from_secs(4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_stops_it_and_batches_under_way_are_counted() {
        let mut slow = Slow::new();
        slow.fails_from = 5;
        let outcome = write(slow, chunks(ALL)).await;
        let Some(Stop::Refused(refused)) = &outcome.stop else {
            panic!("{outcome:?}");
        };
        assert_eq!(refused.error.code(), Some(&ErrorCode::AuthFailed));
        assert_eq!((outcome.written_rows, outcome.unknown_rows), (1_000, 0));
        assert!(outcome.requests <= 8);
    }

    #[tokio::test(start_paused = true)]
    async fn rows_that_cannot_be_read_stop_it_after_those_before() {
        let path = "flights.csv".into();
        let broken = Err(source::ErrorKind::NoHeader { path }.into());
        let outcome = write(Slow::new(), chunks(3).chain([broken])).await;
        assert!(matches!(outcome.stop, Some(Stop::Source(_))));
        assert_eq!((outcome.written_rows, outcome.unknown_rows), (600, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_hangs_is_not_waited_for_and_not_called_written() {
        let mut slow = Slow::new();
        (slow.fails_from, slow.hangs_from) = (3, 4);
        let outcome = write(slow, chunks(ALL)).await;
        assert!(matches!(outcome.stop, Some(Stop::Refused(_))));
        assert_eq!(outcome.written_rows, 600);
        assert!(matches!(outcome.unknown_rows, 200..=600), "{outcome:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_neither_an_end_nor_written() {
        let mut slow = Slow::new();
        slow.panics_from = 4;
        let outcome = write(slow, chunks(5)).await;
        assert!(matches!(outcome.stop, Some(Stop::Task(_))), "{outcome:?}");
        assert_eq!((outcome.written_rows, outcome.unknown_rows), (800, 200));
    }
}
