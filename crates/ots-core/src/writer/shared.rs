//! What the handle of a writer and its tasks have in common.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ots_proto::PrimaryKey;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::queue::{BatchLimits, Entry, Queue};
use super::rejected::Rejected;
use super::{Outcome, Settled, Totals};
use crate::client::Client;
use crate::clock::Clock;
use crate::limiter::Limiter;
use crate::retry::RetryPolicy;

/// Takes the outcomes of a batch.
pub(super) type Report<T> = Box<dyn Fn(Vec<Settled<T>>) + Send + Sync>;

pub(super) struct Settings<T> {
    pub(super) table: String,
    pub(super) limiter: Limiter,
    pub(super) retry: Arc<dyn RetryPolicy>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) max_bytes: usize,
    pub(super) max_rows: usize,
    pub(super) batch: BatchLimits,
    pub(super) linger: Duration,
    pub(super) client: Option<Client>,
    pub(super) report: Report<T>,
}

pub(super) struct Shared<T> {
    pub(super) table: String,
    pub(super) limiter: Limiter,
    pub(super) retry: Arc<dyn RetryPolicy>,
    pub(super) clock: Arc<dyn Clock>,
    /// Whose budget of retries is shared.
    pub(super) client: Option<Client>,
    linger: Duration,
    report: Report<T>,
    state: Mutex<State<T>>,
    /// Wakes the driver.
    changed: Notify,
    /// Wakes those who flush.
    settled: Notify,
    /// A permit for each byte that may be held.
    room: Semaphore,
    max_bytes: u32,
    /// What the smallest change takes of them, so that only so many are held.
    least_bytes: u32,
    hasher: RandomState,
    /// Set when nobody waits any more: nothing is sent, or sent again.
    pub(super) abandoned: AtomicBool,
    accepted_rows: AtomicU64,
    written_rows: AtomicU64,
    failed_rows: AtomicU64,
    unknown_rows: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
}

struct State<T> {
    queue: Queue<T>,
    /// When the oldest change that is ready came; none while nothing is.
    since: Option<Instant>,
    /// How many wait for outcomes, or for room: then no batch lingers.
    hurry: usize,
}

/// What the driver does next.
pub(super) enum Due {
    Now,
    At(Instant),
    Never,
    Ended,
}

impl<T> Shared<T> {
    pub(super) fn new(settings: Settings<T>) -> Self {
        let max_bytes = settings.max_bytes.clamp(1, Semaphore::MAX_PERMITS);
        let max_bytes = u32::try_from(max_bytes).unwrap_or(u32::MAX);
        Self {
            table: settings.table,
            limiter: settings.limiter,
            retry: settings.retry,
            clock: settings.clock,
            client: settings.client,
            linger: settings.linger,
            report: settings.report,
            state: Mutex::new(State {
                queue: Queue::new(settings.batch),
                since: None,
                hurry: 0,
            }),
            changed: Notify::new(),
            settled: Notify::new(),
            room: Semaphore::new(max_bytes as usize),
            max_bytes,
            least_bytes: max_bytes / u32::try_from(settings.max_rows).unwrap_or(u32::MAX).max(1),
            hasher: RandomState::new(),
            abandoned: AtomicBool::new(false),
            accepted_rows: AtomicU64::new(0),
            written_rows: AtomicU64::new(0),
            failed_rows: AtomicU64::new(0),
            unknown_rows: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lane(&self, key: &PrimaryKey) -> u64 {
        self.hasher.hash_one(key)
    }

    /// What a change takes of the room: its bytes, and what stands around them in memory.
    pub(super) fn held_bytes(&self, row_bytes: usize) -> u32 {
        let bytes = u32::try_from(row_bytes.saturating_add(ENTRY_BYTES)).unwrap_or(u32::MAX);
        bytes.max(self.least_bytes).min(self.max_bytes)
    }

    /// Takes room, if there is some now.
    pub(super) fn try_reserve(&self, bytes: u32) -> bool {
        let permit = self.room.try_acquire_many(bytes);
        permit.map(SemaphorePermit::forget).is_ok()
    }

    /// Waits for room, and takes it.
    pub(super) async fn reserve(&self, bytes: u32) {
        if self.try_reserve(bytes) {
            return;
        }
        let _hurry = Hurry::new(self);
        // Refused only after `close`, which nobody calls.
        if let Ok(permit) = self.room.acquire_many(bytes).await {
            permit.forget();
        }
    }

    /// Changes that have their room begin to wait.
    pub(super) fn push(
        &self,
        entries: impl IntoIterator<Item = Entry<T>, IntoIter: ExactSizeIterator>,
    ) {
        let entries = entries.into_iter();
        self.accepted_rows
            .fetch_add(entries.len() as u64, Ordering::Relaxed);
        let wake = {
            let mut state = self.lock();
            if self.abandoned.load(Ordering::Acquire) {
                // What came before was drained under this lock, or will be.
                drop(state);
                return self.leave_undone(entries.collect());
            }
            let was_idle = state.queue.is_idle();
            let was_full = state.queue.is_full();
            for entry in entries {
                state.queue.push(entry);
            }
            if state.since.is_none() && !state.queue.is_idle() {
                state.since = Some(Instant::now());
            }
            (was_idle && !state.queue.is_idle()) || (!was_full && state.queue.is_full())
        };
        if wake {
            self.changed.notify_one();
        }
    }

    /// Tells of a change that no table takes.
    pub(super) fn refuse(&self, rejected: Rejected<T>, key: PrimaryKey) {
        self.accepted_rows.fetch_add(1, Ordering::Relaxed);
        let outcome = Outcome::Failed {
            error: rejected.error,
            may_have_run: false,
        };
        self.report(vec![Settled {
            tag: rejected.tag,
            key,
            outcome,
        }]);
    }

    /// Waits until everything that was pushed before is settled.
    pub(super) async fn flush(&self) {
        let epoch = self.lock().queue.end_epoch();
        let _hurry = Hurry::new(self);
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // From here on no notification is missed.
            settled.as_mut().enable();
            if self.lock().queue.is_settled_through(epoch) {
                return;
            }
            settled.await;
        }
    }

    pub(super) fn due(&self) -> Due {
        let state = self.lock();
        if state.queue.is_idle() {
            return if self.abandoned.load(Ordering::Acquire) {
                Due::Ended
            } else {
                Due::Never
            };
        }
        let at = state.since.map(|since| since + self.linger);
        match at {
            Some(at) if !state.queue.is_full() && state.hurry == 0 && at > Instant::now() => {
                Due::At(at)
            }
            _ => Due::Now,
        }
    }

    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn take(&self) -> Vec<Entry<T>> {
        let mut state = self.lock();
        let batch = state.queue.take();
        // What is left came later than what was taken; when exactly, matters little.
        state.since = (!state.queue.is_idle()).then(Instant::now);
        batch
    }

    pub(super) fn count_batch(&self, requests: u32) {
        let add = |count: &AtomicU64, more: u32| count.fetch_add(more.into(), Ordering::Relaxed);
        add(&self.requests, requests);
        add(&self.retries, requests.saturating_sub(1));
    }

    /// Tells of outcomes. A panic of the one who is told ends here: the panic hook has told of it, and
    /// the outcomes of others don't hang on it.
    pub(super) fn report(&self, settled: Vec<Settled<T>>) {
        let (mut written, mut unknown) = (0, 0);
        for settled in &settled {
            written += u64::from(settled.outcome.is_written());
            unknown += u64::from(settled.outcome.is_unknown());
        }
        let failed = settled.len() as u64 - written - unknown;
        let add = |count: &AtomicU64, more: u64| count.fetch_add(more, Ordering::Relaxed);
        add(&self.written_rows, written);
        add(&self.failed_rows, failed);
        add(&self.unknown_rows, unknown);
        survive(|| (self.report)(settled));
    }

    /// Lets go of changes that were reported: of their lanes, their epochs, their room.
    pub(super) fn settle(&self, changes: impl IntoIterator<Item = Accepted>) {
        let mut bytes = 0;
        {
            let mut state = self.lock();
            for change in changes {
                state.queue.settle(change.lane, change.epoch);
                bytes += change.held_bytes as usize;
            }
            if state.since.is_none() && !state.queue.is_idle() {
                state.since = Some(Instant::now());
            }
        }
        self.room.add_permits(bytes);
        self.changed.notify_one();
        self.settled.notify_waiters();
    }

    /// Nobody waits any more: what isn't sent is reported, and the driver ends.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        let waiting = self.lock().queue.drain();
        let accepted: Vec<_> = waiting.iter().map(Accepted::of).collect();
        self.report_undone(waiting);
        self.settle(accepted);
    }

    /// Changes that came too late: they were never in the queue.
    fn leave_undone(&self, entries: Vec<Entry<T>>) {
        let bytes = entries.iter().map(|entry| entry.held_bytes as usize).sum();
        self.report_undone(entries);
        self.room.add_permits(bytes);
    }

    fn report_undone(&self, entries: Vec<Entry<T>>) {
        let undone = entries.into_iter().map(|entry| Settled {
            tag: entry.tag,
            key: entry.change.into_primary_key(),
            outcome: Outcome::Abandoned {
                may_have_run: false,
            },
        });
        let undone: Vec<_> = undone.collect();
        if !undone.is_empty() {
            self.report(undone);
        }
    }

    pub(super) fn totals(&self) -> Totals {
        // Outcomes first: none is counted of a change that isn't counted yet.
        let mut totals = Totals {
            accepted_rows: 0,
            written_rows: self.written_rows.load(Ordering::Relaxed),
            failed_rows: self.failed_rows.load(Ordering::Relaxed),
            unknown_rows: self.unknown_rows.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
        };
        totals.accepted_rows = self.accepted_rows.load(Ordering::Relaxed);
        totals
    }
}

/// Does what may panic, and goes on.
pub(super) fn survive(work: impl FnOnce()) {
    // What was moved into it is gone either way, and what it shares is its own affair.
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        tracing::error!("whoever takes the outcomes of a batch writer has panicked");
    }
}

/// What a change holds until it is settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    lane: Option<u64>,
    epoch: u64,
    held_bytes: u32,
}

impl Accepted {
    pub(super) const fn of<T>(entry: &Entry<T>) -> Self {
        Self {
            lane: entry.lane,
            epoch: entry.epoch,
            held_bytes: entry.held_bytes,
        }
    }
}

/// While it lives, batches don't linger.
struct Hurry<'a, T>(&'a Shared<T>);

impl<'a, T> Hurry<'a, T> {
    fn new(shared: &'a Shared<T>) -> Self {
        shared.lock().hurry += 1;
        shared.changed.notify_one();
        Self(shared)
    }
}

impl<T> Drop for Hurry<'_, T> {
    fn drop(&mut self) {
        self.0.lock().hurry -= 1;
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("table", &self.table)
            .field("limiter", &self.limiter)
            .field("totals", &self.totals())
            .finish_non_exhaustive()
    }
}

/// An entry of the queue, its key and its message, without the row's bytes.
const ENTRY_BYTES: usize = 256;
