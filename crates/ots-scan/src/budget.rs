//! The bound on bytes that are fetched and not yet taken.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A bound on bytes, taken before a request and given back when its page is taken.
///
/// The size of a page is known only when it is there, too late to keep it out. So room is reserved
/// for a guess, and corrected afterwards: the bound is exceeded by no more than what pages are larger
/// than their guess. The guess is the largest page of late: every page that is smaller takes an eighth
/// off it, so that one huge page doesn't slow down the rest of a scan.
#[derive(Debug)]
pub(crate) struct Budget {
    bound: u64,
    first_guess: u64,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    /// The largest page of late.
    guess: Option<u64>,
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
            state: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Waits for room for one page.
    ///
    /// A page always gets it when it would be alone, whatever its size: a scan whose bound is
    /// smaller than its pages is slow, not stuck.
    pub(crate) async fn reserve(self: &Arc<Self>) -> Room {
        loop {
            // Before the look, so that what is freed right after it wakes us.
            let freed = self.freed.notified();
            if let Some(room) = self.try_reserve() {
                return room;
            }
            freed.await;
        }
    }

    fn try_reserve(self: &Arc<Self>) -> Option<Room> {
        let mut state = self.lock();
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

/// Room for one page, given back on drop.
#[derive(Debug)]
pub(crate) struct Room {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Room {
    /// The page has come: from now on the room is what it takes. A page without rows says nothing
    /// about the size of others.
    pub(crate) fn fill(&mut self, page_bytes: usize, is_empty: bool) {
        let bytes = as_u64(page_bytes);
        let mut state = self.budget.lock();
        if !is_empty {
            let faded = state.guess.map(|guess| guess - guess / 8);
            state.guess = faded.max(Some(bytes));
        }
        state.used = state.used.saturating_sub(self.bytes).saturating_add(bytes);
        self.bytes = bytes;
        drop(state);
        self.budget.freed.notify_waiters();
    }

    /// The page is kept in another form, which takes this much.
    pub(crate) fn resize(&mut self, bytes: usize) {
        let bytes = as_u64(bytes);
        let mut state = self.budget.lock();
        state.guess = state.guess.max(Some(bytes));
        state.used = state.used.saturating_sub(self.bytes).saturating_add(bytes);
        self.bytes = bytes;
        drop(state);
        self.budget.freed.notify_waiters();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.used = state.used.saturating_sub(self.bytes);
        drop(state);
        self.budget.freed.notify_waiters();
    }
}

fn as_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(budget: &Budget) -> u64 {
        budget.lock().used
    }

    #[test]
    fn every_worker_may_ask_before_a_size_is_known() {
        let budget = Budget::new(100, 3);
        let rooms: Vec<_> = std::iter::from_fn(|| budget.try_reserve()).collect();
        assert_eq!(rooms.len(), 3);
        drop(rooms);
        assert_eq!(used(&budget), 0);
    }

    #[test]
    fn the_largest_page_of_late_is_the_guess_and_empty_ones_do_not_count() {
        let budget = Budget::new(100, 2);
        let mut room = budget.try_reserve().unwrap();
        room.fill(2, true);
        assert_eq!(
            (used(&budget), budget.try_reserve().unwrap().bytes),
            (2, 50)
        );
        room.fill(30, false);
        assert_eq!(
            (used(&budget), budget.try_reserve().unwrap().bytes),
            (30, 30)
        );
        room.fill(10, false);
        assert_eq!(
            (used(&budget), budget.try_reserve().unwrap().bytes),
            (10, 27)
        );
    }

    #[test]
    fn one_huge_page_is_forgotten() {
        let budget = Budget::new(1_000, 8);
        budget.try_reserve().unwrap().fill(1_000_000, false);
        assert!(
            budget
                .try_reserve()
                .is_some_and(|_alone| budget.try_reserve().is_none())
        );
        for _ in 0..80 {
            budget.try_reserve().unwrap().fill(100, false);
        }
        let rooms: Vec<_> = std::iter::from_fn(|| budget.try_reserve()).collect();
        assert_eq!(rooms.len(), 10);
    }

    #[test]
    fn a_page_above_the_bound_passes_alone() {
        let budget = Budget::new(100, 1);
        let mut room = budget.try_reserve().unwrap();
        room.fill(700, false);
        assert!(budget.try_reserve().is_none());
        drop(room);
        let room = budget.try_reserve().expect("alone");
        assert!(budget.try_reserve().is_none());
        drop(room);
        assert_eq!(used(&budget), 0);
    }

    #[tokio::test]
    async fn who_waits_is_woken_when_room_is_freed() {
        let budget = Budget::new(10, 1);
        let mut room = budget.reserve().await;
        room.fill(10, false);
        let waiting = tokio::spawn({
            let budget = Arc::clone(&budget);
            async move { budget.reserve().await.bytes }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(room);
        assert_eq!(waiting.await.unwrap(), 10);
    }
}
