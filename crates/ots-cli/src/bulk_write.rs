//! The rows of a file into a table, by a batch writer.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use ots_core::limiter::Limiter;
use ots_core::retry::DefaultRetryPolicy;
use ots_core::writer::{self, BatchWriter, BatchWriterBuilder, Settled, Totals};
use ots_core::{Call, Error, Row, RowChange};
use ots_proto::operation;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout_at};

use crate::failure::Exit;
use crate::interrupt::Interrupt;
use crate::source;

/// What became of the rows.
#[derive(Debug)]
#[non_exhaustive]
#[must_use]
pub struct Outcome {
    /// Rows that are surely written.
    pub written_rows: u64,
    /// Rows that may be written or not: no answer came, or it wasn't waited for.
    pub unknown_rows: u64,
    /// Requests, however often each was sent.
    pub requests: u64,
    /// How often one was sent again, whole or in part.
    pub retries: u64,
    /// Why it ended before the rows did; none when all are written.
    pub stop: Option<Stop>,
}

/// Why writing stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stop {
    /// The service can't be reached, or a row can't be in the table.
    Refused(Refused),
    /// The rows can't be read any further.
    Source(source::Error),
    /// A signal came.
    Interrupted(Exit),
    /// A task ended by itself: a bug.
    Task(Lost),
    /// The thread that reads the rows ended by itself: a bug, perhaps at a damaged file.
    Reader(JoinError),
    /// There is no writer to begin with.
    Writer(Error),
}

/// A row that can't be written, and why: the first of the batch that was reported first.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refused {
    /// What the service says, or who would have sent it.
    pub error: Error,
    /// The row, counted from 0.
    pub row: u64,
}

/// A task that had a row ended without telling what became of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Lost {
    /// The row, counted from 0.
    pub row: u64,
}

/// Writes every row, `parallel` batches at a time, and says after each batch how many are written.
///
/// Whatever the reason to stop, batches under way are waited for, so that the count is right: a
/// while after a signal, as long as they take otherwise.
///
/// Of rows with the same key the last stays: the writer keeps the order of a row's changes.
pub async fn bulk_write<C>(
    writer: BatchWriterBuilder<C>,
    chunks: impl Iterator<Item = Result<Vec<Row>, source::Error>> + Send + 'static,
    parallel: usize,
    interrupt: &mut Interrupt,
    mut wrote: impl FnMut(u64),
) -> Outcome
where
    C: Call<operation::BatchWriteRow> + 'static,
{
    let (sender, mut reports) = mpsc::unbounded_channel();
    let writer = writer
        .limiter(Limiter::adaptive_from(parallel, parallel))
        .retry(patient())
        .max_bytes((parallel + 2) * BATCH_BYTES)
        .max_rows((parallel + 2) * BATCH_ROWS.get())
        .start_by_batch(move |batch| {
            // Nobody listens any more to batches that weren't waited for.
            sender.send(Report::of(batch)).ok();
        });
    let writer = match writer {
        Ok(writer) => writer,
        Err(error) => return Outcome::new(Totals::default(), Some(Stop::Writer(error))),
    };
    let read = read_ahead(chunks, parallel);
    let mut written_rows = 0;
    let mut take = |report: Report| {
        written_rows += report.written_rows;
        wrote(written_rows);
        report.stop
    };
    let feed = feed(&writer, read);
    tokio::pin!(feed);
    let stop = loop {
        tokio::select! {
            end = &mut feed => break end,
            Some(report) = reports.recv() => if let Some(stop) = take(report) {
                break Some(stop);
            },
            exit = interrupt.wait() => break Some(Stop::Interrupted(exit)),
        }
    };
    let grace = match stop {
        // All rows that were read have been waited for.
        None | Some(Stop::Source(_)) => Duration::ZERO,
        Some(Stop::Interrupted(_)) => GRACE_AFTER_SIGNAL,
        // They retry for a minute each, and all began at about the same time.
        _ => GRACE_AFTER_FAILURE,
    };
    if !grace.is_zero() {
        writer.abandon();
        let deadline = Instant::now() + grace;
        // What has no outcome by then is unknown.
        timeout_at(deadline, writer.flush()).await.ok();
    }
    // The last reports were sent before the flush ended.
    let mut late = None;
    while let Ok(report) = reports.try_recv() {
        late = late.or(take(report));
    }
    // The first reason is the one to tell.
    Outcome::new(writer.totals(), stop.or(late))
}

/// Hands every row to the writer, and waits for their outcomes. Ends with the reason to stop, if the
/// rows can't be read to the end.
async fn feed(writer: &BatchWriter<u64>, mut read: ReadAhead) -> Option<Stop> {
    let mut next_row = 0;
    let mut stop = None;
    while let Some(chunk) = read.chunks.recv().await {
        let rows = match chunk {
            Ok(rows) => rows,
            Err(error) => {
                stop = Some(Stop::Source(error));
                break;
            }
        };
        let first_row = next_row;
        next_row += rows.len() as u64;
        let changes = rows.into_iter().map(RowChange::Put);
        writer.write_all(changes.zip(first_row..)).await;
    }
    if stop.is_none() {
        // That there are no more chunks isn't the end of the file where the thread didn't get there.
        stop = read.thread.await.err().map(Stop::Reader);
    }
    writer.flush().await;
    stop
}

/// Chunks of rows that a thread of its own reads.
struct ReadAhead {
    chunks: mpsc::Receiver<Result<Vec<Row>, source::Error>>,
    thread: JoinHandle<()>,
}

/// Reads in a thread of its own: a few chunks ahead are enough.
fn read_ahead(
    chunks: impl Iterator<Item = Result<Vec<Row>, source::Error>> + Send + 'static,
    ahead: usize,
) -> ReadAhead {
    let (sender, read) = mpsc::channel(ahead);
    let thread = tokio::task::spawn_blocking(move || {
        for chunk in chunks {
            // Nobody listens any more when the writing has stopped.
            if sender.blocking_send(chunk).is_err() {
                break;
            }
        }
    });
    ReadAhead {
        chunks: read,
        thread,
    }
}

/// What became of a batch.
struct Report {
    written_rows: u64,
    /// Of the first row that isn't written, and was not given up.
    stop: Option<Stop>,
}

impl Report {
    fn of(batch: Vec<Settled<u64>>) -> Self {
        let mut report = Self {
            written_rows: 0,
            stop: None,
        };
        for settled in batch {
            let row = settled.tag;
            match settled.outcome {
                writer::Outcome::Written(_) => report.written_rows += 1,
                _ if report.stop.is_some() => {}
                writer::Outcome::Failed { error, .. } => {
                    report.stop = Some(Stop::Refused(Refused { error, row }));
                }
                outcome if outcome.is_unknown() => report.stop = Some(Stop::Task(Lost { row })),
                _ => {}
            }
        }
        report
    }
}

impl Outcome {
    const fn new(totals: Totals, stop: Option<Stop>) -> Self {
        let known_rows = totals.written_rows + totals.failed_rows;
        Self {
            written_rows: totals.written_rows,
            unknown_rows: totals.accepted_rows.saturating_sub(known_rows),
            requests: totals.requests.saturating_sub(totals.retries),
            retries: totals.retries,
            stop,
        }
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} (counted from 0)", self.row)
    }
}

impl std::error::Error for Lost {}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row } = self;
        write!(
            f,
            "the task that had row {row} (counted from 0) ended by itself: this is a bug"
        )
    }
}

/// As patient with throttled rows as the client is with one call, however often they must be sent.
const fn patient() -> DefaultRetryPolicy {
    let mut policy = DefaultRetryPolicy::new();
    policy.max_attempts = u32::MAX;
    policy
}

/// The most rows that one BatchWriteRow takes.
pub const BATCH_ROWS: NonZeroUsize = match NonZeroUsize::new(200) {
    Some(rows) => rows,
    None => NonZeroUsize::MIN,
};

/// What one BatchWriteRow takes: there is room for one under way in each place, and two that fill.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// An answer takes milliseconds; whoever presses Ctrl-C doesn't wait for one that takes much longer.
const GRACE_AFTER_SIGNAL: Duration = Duration::from_secs(2);
const GRACE_AFTER_FAILURE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
