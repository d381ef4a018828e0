//! The settings of a writer.

use std::sync::Arc;
use std::time::Duration;

use ots_proto::operation;

use super::driver;
use super::queue::BatchLimits;
use super::shared::{Settings, Shared, survive};
use super::{BatchWriter, Settled};
use crate::call::Call;
use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::limiter::Limiter;
use crate::retry::{DefaultRetryPolicy, RetryPolicy};

/// Builds a [`BatchWriter`].
#[derive(Debug)]
#[must_use]
pub struct BatchWriterBuilder<C> {
    call: C,
    table: String,
    limiter: Limiter,
    retry: Arc<dyn RetryPolicy>,
    clock: Arc<dyn Clock>,
    client: Option<Client>,
    max_bytes: usize,
    max_rows: Option<usize>,
    max_batch_rows: usize,
    linger: Duration,
}

impl<C> BatchWriterBuilder<C> {
    pub(super) fn new(call: C, table: String) -> Self {
        Self {
            call,
            table,
            limiter: Limiter::adaptive(DEFAULT_REQUESTS),
            retry: Arc::new(DefaultRetryPolicy::new()),
            clock: Arc::new(SystemClock::new()),
            client: None,
            max_bytes: DEFAULT_BYTES,
            max_rows: None,
            max_batch_rows: MAX_BATCH.rows,
            linger: Duration::from_millis(10),
        }
    }

    /// What bounds the requests in flight: up to 32, adapting, when never called. One limiter may be
    /// shared with other writers and scans of the instance.
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.limiter = limiter;
        self
    }

    /// Repeats as this client does: by its policy and its clock, and every request that sends rows again
    /// takes a retry of its [budget](crate::ClientBuilder::retry_budget), so that many writers and calls
    /// together don't hammer a service that is sick. Parts of a batch that was refused for what is in one
    /// of its rows take none: that service isn't sick. [`Client::batch_writer`] has called it; without it
    /// only the limiter spares the service.
    pub fn retries_of(mut self, client: &Client) -> Self {
        self.retry = Arc::clone(client.retry_policy());
        self.clock = Arc::clone(client.clock());
        self.client = Some(client.clone());
        self
    }

    /// When to send failed rows again: as a client does when never called. It counts from the first
    /// request of a batch, and on top of what `call` repeats by itself.
    pub fn retry(mut self, policy: impl RetryPolicy + 'static) -> Self {
        self.retry = Arc::new(policy);
        self
    }

    /// Where the time of pauses comes from; the computer's clock when never called.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many bytes of changes to hold, waiting and under way; 64 MB when never called. One change
    /// that is larger is held all the same, alone.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many changes to hold, waiting and under way; when never called, twice what the limiter may
    /// ever have in flight, and at least 1,000. A queue that is longer than it need be is colder, too: by the time a row is
    /// sent, no cache has it any more.
    pub const fn max_rows(mut self, rows: usize) -> Self {
        self.max_rows = Some(rows);
        self
    }

    /// Rows in a request: up to 200, the service's limit, when never called.
    pub fn max_batch_rows(mut self, rows: usize) -> Self {
        self.max_batch_rows = rows.clamp(1, MAX_BATCH.rows);
        self
    }

    /// How long a batch waits for more rows before it is sent unfilled; 10 ms when never called.
    pub const fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// Starts the writer. `report` is called once for every change, when it has its outcome: from the
    /// writer's tasks, several at a time, so it should be quick. Changes of one row are reported in
    /// the order in which they were accepted. A panic of `report` costs that one report, no other.
    ///
    /// # Errors
    /// Outside of a tokio runtime.
    pub fn start<T>(
        self,
        report: impl Fn(Settled<T>) + Send + Sync + 'static,
    ) -> Result<BatchWriter<T>, Error>
    where
        T: Send + 'static,
        C: Call<operation::BatchWriteRow> + 'static,
    {
        self.start_by_batch(move |batch| {
            for settled in batch {
                survive(|| report(settled));
            }
        })
    }

    /// As [`start`](Self::start), with a `report` that takes the outcomes of a batch together: for who
    /// would lock or send something for each.
    ///
    /// ```no_run
    /// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
    /// use ots_core::writer::Settled;
    ///
    /// let (progress, mut written) = tokio::sync::mpsc::unbounded_channel();
    /// let writer = client.batch_writer("cities").start_by_batch(move |batch: Vec<Settled<u64>>| {
    ///     let written = batch.iter().filter(|settled| settled.outcome.is_written());
    ///     progress.send(written.count()).ok();
    /// })?;
    /// # drop(writer);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Outside of a tokio runtime.
    pub fn start_by_batch<T>(
        self,
        report: impl Fn(Vec<Settled<T>>) + Send + Sync + 'static,
    ) -> Result<BatchWriter<T>, Error>
    where
        T: Send + 'static,
        C: Call<operation::BatchWriteRow> + 'static,
    {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| {
            Error::configuration("a batch writer needs a tokio runtime to start in")
        })?;
        let in_flight = self.limiter.max().saturating_mul(self.max_batch_rows);
        let shared = Arc::new(Shared::new(Settings {
            table: self.table,
            limiter: self.limiter,
            retry: self.retry,
            clock: self.clock,
            max_bytes: self.max_bytes,
            max_rows: self
                .max_rows
                .unwrap_or_else(|| in_flight.saturating_mul(2).max(LEAST_ROWS)),
            batch: BatchLimits {
                rows: self.max_batch_rows,
                ..MAX_BATCH
            },
            linger: self.linger,
            client: self.client,
            report: Box::new(report),
        }));
        runtime.spawn(driver::run(self.call, Arc::clone(&shared)));
        Ok(BatchWriter { shared })
    }
}

/// What one BatchWriteRow takes. The service counts 4 MiB of names and values; what surrounds them is
/// counted here too, so that the whole body stays under its limit as well.
const MAX_BATCH: BatchLimits = BatchLimits {
    rows: 200,
    bytes: 4 * 1024 * 1024,
};
const DEFAULT_BYTES: usize = 64_000_000;
const DEFAULT_REQUESTS: usize = 32;
const LEAST_ROWS: usize = 1_000;
