//! What the handle of a writer and its tasks have in common.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ots_proto::PrimaryKey;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::queue::{BatchLimits, Entry, Queue};
use super::{Outcome, Settled, Totals};
use crate::clock::Clock;
use crate::limiter::Limiter;
use crate::retry::RetryPolicy;

pub(super) struct Settings<T> {
    pub(super) table: String,
    pub(super) limiter: Limiter,
    pub(super) retry: Arc<dyn RetryPolicy>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) max_bytes: usize,
    pub(super) batch: BatchLimits,
    pub(super) linger: Duration,
    pub(super) report: Box<dyn Fn(Settled<T>) + Send + Sync>,
}

pub(super) struct Shared<T> {
    pub(super) table: String,
    pub(super) limiter: Limiter,
    pub(super) retry: Arc<dyn RetryPolicy>,
    pub(super) clock: Arc<dyn Clock>,
    linger: Duration,
    report: Box<dyn Fn(Settled<T>) + Send + Sync>,
    state: Mutex<State<T>>,
    /// Wakes the driver.
    changed: Notify,
    /// Wakes those who flush.
    settled: Notify,
    /// A permit for each byte that may be held.
    room: Semaphore,
    max_bytes: u32,
    hasher: RandomState,
    /// Set when nobody waits any more: nothing is sent, or sent again.
    pub(super) abandoned: AtomicBool,
    written_rows: AtomicU64,
    failed_rows: AtomicU64,
    unknown_rows: AtomicU64,
    requests: AtomicU64,
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
            hasher: RandomState::new(),
            abandoned: AtomicBool::new(false),
            written_rows: AtomicU64::new(0),
            failed_rows: AtomicU64::new(0),
            unknown_rows: AtomicU64::new(0),
            requests: AtomicU64::new(0),
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
        bytes.min(self.max_bytes)
    }

    /// Waits for room, and takes it.
    pub(super) async fn reserve(&self, bytes: u32) {
        if let Ok(permit) = self.room.try_acquire_many(bytes) {
            return permit.forget();
        }
        let _hurry = Hurry::new(self);
        // Refused only after `close`, which nobody calls.
        if let Ok(permit) = self.room.acquire_many(bytes).await {
            permit.forget();
        }
    }

    pub(super) fn push(&self, entry: Entry<T>) {
        let wake = {
            let mut state = self.lock();
            if self.abandoned.load(Ordering::Acquire) {
                // What came before was drained under this lock, or will be.
                drop(state);
                return self.leave_undone(entry);
            }
            let was_idle = state.queue.is_idle();
            let was_full = state.queue.is_full();
            state.queue.push(entry);
            if state.since.is_none() && !state.queue.is_idle() {
                state.since = Some(Instant::now());
            }
            (was_idle && !state.queue.is_idle()) || (!was_full && state.queue.is_full())
        };
        if wake {
            self.changed.notify_one();
        }
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

    pub(super) fn count_requests(&self, requests: u32) {
        self.requests
            .fetch_add(u64::from(requests), Ordering::Relaxed);
    }

    /// Tells of an outcome.
    pub(super) fn report(&self, tag: T, key: PrimaryKey, outcome: Outcome) {
        let count = match &outcome {
            Outcome::Written(_) => &self.written_rows,
            outcome if outcome.is_unknown() => &self.unknown_rows,
            _ => &self.failed_rows,
        };
        count.fetch_add(1, Ordering::Relaxed);
        (self.report)(Settled { tag, key, outcome });
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
        for entry in waiting {
            let accepted = Accepted::of(&entry);
            self.report_undone(entry);
            self.settle([accepted]);
        }
        self.changed.notify_one();
    }

    /// A change that came too late: it was never in the queue.
    fn leave_undone(&self, entry: Entry<T>) {
        let bytes = entry.held_bytes as usize;
        self.report_undone(entry);
        self.room.add_permits(bytes);
    }

    fn report_undone(&self, entry: Entry<T>) {
        let may_have_run = false;
        self.report(entry.tag, entry.key, Outcome::Abandoned { may_have_run });
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            written_rows: self.written_rows.load(Ordering::Relaxed),
            failed_rows: self.failed_rows.load(Ordering::Relaxed),
            unknown_rows: self.unknown_rows.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
        }
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
