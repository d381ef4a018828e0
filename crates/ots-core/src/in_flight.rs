//! How many calls are under way, so that a client can be closed when the last has ended.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A count, and whether more may begin.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// The number of calls, and in the highest bit whether it is closed: one word, so that no call can
    /// slip in between the question and the count.
    state: AtomicUsize,
    last_ended: Notify,
}

const CLOSED: usize = 1 << (usize::BITS - 1);

impl InFlight {
    /// Counts a call until the guard is dropped; none when closed.
    pub(crate) fn enter(&self) -> Option<InFlightGuard<'_>> {
        let guard = InFlightGuard(self);
        let before = self.state.fetch_add(1, Ordering::AcqRel);
        // The guard takes back what was counted.
        (before & CLOSED == 0).then_some(guard)
    }

    /// Lets no more begin, and waits until all have ended.
    pub(crate) async fn close(&self) {
        self.state.fetch_or(CLOSED, Ordering::AcqRel);
        loop {
            // Before the look at the count: hears of an end in between.
            let last_ended = self.last_ended.notified();
            if self.state.load(Ordering::Acquire) == CLOSED {
                return;
            }
            last_ended.await;
        }
    }
}

/// One call. Dropped with its future, if the caller loses interest.
pub(crate) struct InFlightGuard<'a>(&'a InFlight);

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        let before = self.0.state.fetch_sub(1, Ordering::AcqRel);
        if before == CLOSED + 1 {
            self.0.last_ended.notify_waiters();
        }
    }
}
