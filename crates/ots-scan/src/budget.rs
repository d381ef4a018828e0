//! The bound on bytes that are fetched and not yet taken.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

// Another mutex takes its place where every order of events is tried.
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A bound on bytes, taken before a request and given back when its page is taken.
///
/// The size of a page is known only when it is there, too late to keep it out. So room is reserved
/// for a guess, and corrected afterwards: the bound is exceeded by no more than what pages are larger
/// than their guess. Rooms that were taken on an older guess are [renewed](Room::renew) when their request
/// is about to leave, so that only requests in flight can be wrong. The guess is the largest page of late: every page that is smaller takes an eighth
/// off it, so that one huge page doesn't slow down the rest of a scan.
///
/// Those who wait are served in the order in which they came.
#[derive(Debug)]
pub(crate) struct Budget {
    bound: u64,
    first_guess: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    /// The largest page of late.
    guess: Option<u64>,
    waiting: VecDeque<Waiting>,
    /// How many have ever waited.
    waited: u64,
}

/// One who waits, by number.
#[derive(Debug)]
struct Waiting {
    number: u64,
    waker: Waker,
}

impl Budget {
    /// A bound for `workers` who each ask for one page at a time. Before the first page has come,
    /// the guess is what lets all of them ask at once.
    pub(crate) fn new(bound_bytes: usize, workers: u32) -> Arc<Self> {
        let bound = as_u64(bound_bytes);
        let first_guess = bound / u64::from(workers.max(1));
        Arc::new(Self {
            bound,
            first_guess,
            state: Mutex::new(State::default()),
        })
    }

    /// Waits for room for one page.
    ///
    /// A page always gets it when it would be alone, whatever its size: a scan whose bound is
    /// smaller than its pages is slow, not stuck.
    pub(crate) const fn reserve(self: &Arc<Self>) -> Reserve<'_> {
        Reserve {
            budget: self,
            number: None,
        }
    }

    /// In bytes, those of pages on their way included.
    #[cfg(test)]
    pub(crate) fn used(&self) -> u64 {
        self.lock().used
    }

    /// Takes room if there is some.
    fn take(self: &Arc<Self>, state: &mut State) -> Option<Room> {
        let bytes = state.guess.unwrap_or(self.first_guess);
        let used = state.used.saturating_add(bytes);
        if used > self.bound && state.used > 0 {
            return None;
        }
        state.used = used;
        Some(Room {
            budget: Arc::clone(self),
            bytes,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first who waits is to look again. It wakes the next when it has found room: so that one
    /// who is freed is not many who wake.
    fn wake_first(&self) -> Option<Waker> {
        self.waiting.front().map(|first| first.waker.clone())
    }
}

/// Waits for room. Dropping it gives up the place in the queue.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reserve<'budget> {
    budget: &'budget Arc<Budget>,
    /// Its place in the queue, once it waits.
    number: Option<u64>,
}

impl Future for Reserve<'_> {
    type Output = Room;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Room> {
        let this = self.get_mut();
        let mut state = this.budget.lock();
        let first = state.waiting.front().map(|first| first.number);
        let may_take = first.is_none() || first == this.number;
        if may_take && let Some(room) = this.budget.take(&mut state) {
            if this.number.take().is_some() {
                state.waiting.pop_front();
            }
            let next = state.wake_first();
            drop(state);
            wake(next);
            return Poll::Ready(room);
        }
        match this.number {
            Some(number) => {
                let mut waiting = state.waiting.iter_mut();
                if let Some(place) = waiting.find(|place| place.number == number) {
                    place.waker.clone_from(cx.waker());
                }
            }
            None => {
                let number = state.waited;
                state.waited += 1;
                let waker = cx.waker().clone();
                state.waiting.push_back(Waiting { number, waker });
                this.number = Some(number);
            }
        }
        Poll::Pending
    }
}

impl Drop for Reserve<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut state = self.budget.lock();
        state.waiting.retain(|place| place.number != number);
        // It may have been woken, and not have looked.
        let next = state.wake_first();
        drop(state);
        wake(next);
    }
}

/// Without the lock: a waker may do anything.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Room for one page, given back on drop.
#[derive(Debug)]
pub(crate) struct Room {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Room {
    /// Whether there is still room, just before the request leaves. Pages may have come since it was
    /// taken, larger than anyone thought: then more is taken, or, where there isn't more, the room is to
    /// be given back, and waited for again.
    pub(crate) fn renew(&mut self) -> bool {
        let mut state = self.budget.lock();
        let Some(guess) = state.guess.filter(|guess| *guess > self.bytes) else {
            return true;
        };
        let others = state.used.saturating_sub(self.bytes);
        let used = others.saturating_add(guess);
        if used > self.budget.bound && others > 0 {
            return false;
        }
        state.used = used;
        self.bytes = guess;
        true
    }

    /// The page has come: from now on the room is what it takes. A page without rows says nothing
    /// about the size of others.
    pub(crate) fn fill(&mut self, page_bytes: usize, is_empty: bool) {
        let bytes = as_u64(page_bytes);
        self.set(bytes, |guess| {
            let faded = guess.map(|guess| guess - guess / 8);
            if is_empty {
                guess
            } else {
                faded.max(Some(bytes))
            }
        });
    }

    /// The page is kept in another form, which takes this much.
    pub(crate) fn resize(&mut self, bytes: usize) {
        let bytes = as_u64(bytes);
        self.set(bytes, |guess| guess.max(Some(bytes)));
    }

    #[cfg(test)]
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn set(&mut self, bytes: u64, guess: impl FnOnce(Option<u64>) -> Option<u64>) {
        let mut state = self.budget.lock();
        state.guess = guess(state.guess);
        state.used = state.used.saturating_sub(self.bytes).saturating_add(bytes);
        self.bytes = bytes;
        let next = state.wake_first();
        drop(state);
        wake(next);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.used = state.used.saturating_sub(self.bytes);
        let next = state.wake_first();
        drop(state);
        wake(next);
    }
}

fn as_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
