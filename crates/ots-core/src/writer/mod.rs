//! Many rows into a table: batches that fill themselves, as many at once as the service bears.
//!
//! A [`BatchWriter`] takes changes one by one and sends them by BatchWriteRow. Every change that it
//! accepts is reported once, with its true outcome: written, not written, or unknown, where an answer
//! was lost and sending it again might do harm.
//!
//! - **Bounded.** It holds at most so many bytes; [`write`](BatchWriter::write) waits for room.
//! - **In order, row by row.** A change of a row is sent when the one before it has its outcome. Two
//!   changes of one row are never in one batch, and never under way together. Changes of different
//!   rows overtake each other.
//! - **As fast as is welcome.** A [`Limiter`](crate::limiter::Limiter) bounds the requests in flight, and adapts to throttling.
//! - **Patient.** Rows that were throttled are sent again, within the retry policy; rows that may have
//!   been written, only if that [does no harm](crate::request::RowWrite::may_repeat). A request that is
//!   refused for one bad row is cut until that row stands alone.
//!
//! ```no_run
//! # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
//! use ots_core::writer::{BatchWriter, Outcome};
//! use ots_core::{PrimaryKey, Row, RowChange};
//!
//! let writer = BatchWriter::builder(client, "cities").start(|settled| {
//!     if let Outcome::Failed { error, may_have_run } = &settled.outcome {
//!         eprintln!("line {}: {error} (may be written: {may_have_run})", settled.tag);
//!     }
//! })?;
//! for line in 0..1_000_000_i64 {
//!     let row = Row::new(PrimaryKey::new().column("id", line));
//!     writer.write(RowChange::Put(row), line).await?;
//! }
//! let totals = writer.close().await;
//! println!("{} rows written by {} requests", totals.written_rows, totals.requests);
//! # Ok(())
//! # }
//! ```
//!
//! To wait for the outcome of one row, give it a sender as its tag:
//!
//! ```no_run
//! # async fn example(client: ots_core::Client, change: ots_core::RowChange) -> Result<(), ots_core::Error> {
//! use ots_core::writer::{BatchWriter, Outcome};
//! use tokio::sync::oneshot;
//!
//! let report = |settled: ots_core::writer::Settled<oneshot::Sender<Outcome>>| {
//!     settled.tag.send(settled.outcome).ok();
//! };
//! let writer = BatchWriter::builder(client, "cities").start(report)?;
//! let (tag, outcome) = oneshot::channel();
//! writer.write(change, tag).await?;
//! assert!(outcome.await.is_ok_and(|outcome| outcome.is_written()));
//! # Ok(())
//! # }
//! ```

mod accept;
mod builder;
mod driver;
mod limits;
mod queue;
mod rejected;
mod shared;

use std::sync::Arc;

use ots_proto::PrimaryKey;

use self::accept::Group;
pub use self::builder::BatchWriterBuilder;
pub use self::rejected::Rejected;
use self::shared::Shared;
use crate::error::Error;
use crate::request::{RowWrite, WriteReply};

/// Writes many rows of one table; see the [module](self).
///
/// Dropping it abandons what was accepted: changes that wait are reported as
/// [`Abandoned`](Outcome::Abandoned) and not written; those under way are waited for in the background,
/// and reported as they end. [`close`](Self::close) waits for all.
#[derive(Debug)]
#[must_use]
pub struct BatchWriter<T: Send + 'static> {
    shared: Arc<Shared<T>>,
}

/// A change that has its outcome.
#[derive(Debug)]
#[non_exhaustive]
pub struct Settled<T> {
    /// What was given with the change.
    pub tag: T,
    /// The row's key, as it was given.
    pub key: PrimaryKey,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a change.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It happened.
    Written(WriteReply),
    /// It was refused, or no answer came.
    Failed {
        /// Why.
        error: Error,
        /// Whether it may have happened all the same.
        may_have_run: bool,
    },
    /// The writer was [abandoned](BatchWriter::abandon) or dropped, or the runtime ended, before it had
    /// an answer.
    Abandoned {
        /// Whether it may have happened: it was sent.
        may_have_run: bool,
    },
}

impl Outcome {
    /// Whether it surely happened.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        matches!(self, Self::Written(_))
    }

    /// Whether nobody knows if it happened.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        match self {
            Self::Written(_) => false,
            Self::Failed { may_have_run, .. } | Self::Abandoned { may_have_run } => *may_have_run,
        }
    }
}

/// What a writer has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Changes that were taken, and are reported or will be: those that are in none of the next three
    /// have no outcome yet.
    pub accepted_rows: u64,
    /// Rows that are surely written.
    pub written_rows: u64,
    /// Rows that are surely not written.
    pub failed_rows: u64,
    /// Rows of which nobody knows.
    pub unknown_rows: u64,
    /// Requests sent, those sent again included.
    pub requests: u64,
    /// How many of them were not the first of their batch: they sent it again, or a part of it.
    pub retries: u64,
}

impl BatchWriter<()> {
    /// A writer of `table` that sends with `call`: a [`Client`](crate::Client), or anything that
    /// performs BatchWriteRow.
    pub fn builder<C>(call: C, table: impl Into<String>) -> BatchWriterBuilder<C> {
        BatchWriterBuilder::new(call, table.into())
    }
}

impl<T: Send + 'static> BatchWriter<T> {
    /// Accepts a change, and waits for room to hold it. The `tag` comes back with its outcome.
    ///
    /// # Errors
    /// When the change can't be written whatever the table, or its condition can't be said. It isn't
    /// accepted then, and not reported: its tag comes back with the error.
    ///
    /// # Cancel safety
    /// Dropping the future before it ends means that the change isn't accepted, and not reported.
    pub async fn write(
        &self,
        write: impl Into<RowWrite> + Send,
        tag: T,
    ) -> Result<(), Rejected<T>> {
        let entry = self.shared.entry(write.into(), tag);
        let entry = entry.map_err(|(rejected, _)| rejected)?;
        self.shared.reserve(entry.held_bytes).await;
        self.shared.push([entry]);
        Ok(())
    }

    /// Accepts many changes, each with its tag, and waits for room where there is none. Cheaper than
    /// one by one: the writer's lock is taken once for many.
    ///
    /// A change that can't be written whatever the table is reported too, as
    /// [`Failed`](Outcome::Failed), and the others go on.
    ///
    /// # Cancel safety
    /// Dropping the future before it ends means that some changes of the front are accepted, and
    /// reported, and the others aren't. [`Totals::accepted_rows`] says how many.
    pub async fn write_all<W: Into<RowWrite> + Send>(
        &self,
        changes: impl IntoIterator<Item = (W, T), IntoIter: Send> + Send,
    ) {
        let mut group = Group::new(&self.shared);
        for (write, tag) in changes {
            let entry = match self.shared.entry(write.into(), tag) {
                Ok(entry) => entry,
                Err((rejected, key)) => {
                    self.shared.refuse(rejected, key);
                    continue;
                }
            };
            if !self.shared.try_reserve(entry.held_bytes) {
                // Room comes of what is sent, so nothing is held back meanwhile.
                group.hand_over();
                self.shared.reserve(entry.held_bytes).await;
            }
            group.push(entry);
        }
    }

    /// Waits until every change that was accepted before has its outcome, and was reported.
    ///
    /// # Cancel safety
    /// Dropping the future only stops the waiting.
    pub async fn flush(&self) {
        self.shared.flush().await;
    }

    /// Gives up what isn't sent yet: it is reported as [`Abandoned`](Outcome::Abandoned) now, and so is
    /// every change that comes later. What is under way is not sent again; [`flush`](Self::flush)
    /// waits for it.
    pub fn abandon(&self) {
        self.shared.abandon();
    }

    /// Waits for every outcome, and ends the writer.
    ///
    /// # Cancel safety
    /// Dropping the future drops the writer.
    pub async fn close(self) -> Totals {
        self.shared.flush().await;
        self.totals()
    }

    /// What it has done so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.shared.totals()
    }

    /// How many requests may be in flight now.
    #[must_use]
    pub fn limiter(&self) -> &crate::limiter::Limiter {
        &self.shared.limiter
    }
}

impl<T: Send + 'static> Drop for BatchWriter<T> {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}
