//! How many retries a client has left, for all its calls together.
//!
//! Backoff bounds what one call does to a service that is sick; a thousand calls that all back off
//! are still a thousand times that. So every retry takes a token from a bucket that belongs to the
//! client. Answers put some back, and time does. When the bucket is empty, retries don't fail: they
//! queue, each with a time of its own, as far apart as tokens come. Only a call whose turn would come
//! after its deadline gives up.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many retries all calls of a client may make together.
///
/// A token is taken when a retry is decided on: at most `burst + per_second * t` in any `t` seconds, and
/// `per_success` for each call that was answered. First attempts are free.
///
/// ```
/// use ots_core::retry::RetryBudget;
///
/// let mut budget = RetryBudget::new();
/// budget.burst = 10;
/// budget.per_second = 2.0;
/// # let _ = budget;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct RetryBudget {
    /// Tokens that the bucket holds when it is full, as it is at first.
    pub burst: u32,
    /// Tokens that come back every second.
    pub per_second: f64,
    /// Tokens, or the part of one, that come back with every call that is answered.
    pub per_success: f64,
}

impl RetryBudget {
    /// A burst of 100 retries, 10 a second, and one for every ten calls that are answered.
    ///
    /// A client that makes thousands of calls a second can still repeat a tenth of them. One whose
    /// calls all fail settles at 10 retries a second.
    pub const fn new() -> Self {
        Self {
            burst: 100,
            per_second: 10.0,
            per_success: 0.1,
        }
    }

    /// As many as the retry policy wants.
    pub const fn unlimited() -> Self {
        Self {
            burst: u32::MAX,
            per_second: f64::INFINITY,
            per_success: 0.0,
        }
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

/// The bucket of a client.
#[derive(Debug)]
pub(crate) struct Bucket(Mutex<State>);

#[derive(Clone, Copy, Debug)]
struct State {
    budget: RetryBudget,
    /// Below zero when retries are queued.
    tokens: f64,
    /// On the client's stopwatch.
    filled_at: Duration,
}

impl Bucket {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        Self(Mutex::new(State {
            budget,
            tokens: f64::from(budget.burst),
            filled_at: Duration::ZERO,
        }))
    }

    /// A call was answered.
    pub(crate) fn answered(&self) {
        self.with(State::answered);
    }

    /// Takes a token for a retry `pause` from now, or later if its turn comes later, but no later than
    /// `longest` from now. Nothing is taken if that is too soon.
    pub(crate) fn take(
        &self,
        now: Duration,
        pause: Duration,
        longest: Duration,
    ) -> Option<Duration> {
        self.with(|state| state.take(now, pause, longest))
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn answered(&mut self) {
        self.fill(self.budget.per_success);
    }

    fn take(&mut self, now: Duration, pause: Duration, longest: Duration) -> Option<Duration> {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.filled_at = self.filled_at.max(now);
        if passed > 0.0 {
            self.fill(passed * self.budget.per_second);
        }
        let wait = if self.tokens >= 1.0 {
            Duration::ZERO
        } else {
            let missing = 1.0 - self.tokens;
            Duration::try_from_secs_f64(missing / self.budget.per_second).ok()?
        };
        let pause = pause.max(wait);
        if pause > longest {
            return None;
        }
        self.tokens -= 1.0;
        Some(pause)
    }

    fn fill(&mut self, tokens: f64) {
        // Not a number, or less than nothing, adds nothing: the fields are the caller's.
        if tokens > 0.0 {
            self.tokens = (self.tokens + tokens).min(f64::from(self.budget.burst));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FOREVER: Duration = Duration::MAX;

    fn state(burst: u32, per_second: f64, per_success: f64) -> State {
        State {
            budget: RetryBudget {
                burst,
                per_second,
                per_success,
            },
            tokens: f64::from(burst),
            filled_at: Duration::ZERO,
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn retries_beyond_the_burst_queue_at_the_rate_of_tokens() {
        let mut state = state(2, 10.0, 0.0);
        let pauses = (0..5).map(|_| state.take(ms(0), ms(5), FOREVER).unwrap());
        assert_eq!(pauses.collect::<Vec<_>>(), [5, 5, 100, 200, 300].map(ms));
        // By then the queue is over, and a token has come on top.
        assert_eq!(state.take(ms(400), ms(5), FOREVER), Some(ms(5)));
    }

    #[test]
    fn a_turn_that_comes_too_late_is_not_taken() {
        let mut state = state(1, 1.0, 0.0);
        assert_eq!(state.take(ms(0), ms(0), ms(500)), Some(ms(0)));
        assert_eq!(state.take(ms(0), ms(0), ms(500)), None);
        assert_eq!(state.take(ms(600), ms(0), ms(500)), Some(ms(400)));
    }

    #[test]
    fn answers_bring_tokens_back_up_to_the_burst() {
        let mut state = state(3, 0.0, 0.5);
        for _ in 0..3 {
            assert_eq!(state.take(ms(0), ms(0), FOREVER), Some(ms(0)));
        }
        assert_eq!(state.take(ms(0), ms(0), FOREVER), None);
        state.answered();
        assert_eq!(state.take(ms(0), ms(0), FOREVER), None);
        state.answered();
        assert_eq!(state.take(ms(0), ms(0), FOREVER), Some(ms(0)));
        (0..100).for_each(|_| state.answered());
        assert_eq!(state.tokens, 3.0);
    }

    #[test]
    fn an_unlimited_budget_never_waits() {
        let bucket = Bucket::new(RetryBudget::unlimited());
        for _ in 0..1000 {
            assert_eq!(bucket.take(ms(0), ms(7), FOREVER), Some(ms(7)));
        }
    }

    proptest! {
        #[test]
        fn in_any_time_there_are_at_most_a_burst_and_what_time_brings(
            burst in 0_u32..50,
            per_second in prop_oneof![Just(0.0), 0.1_f64..100.0],
            asked in proptest::collection::vec((0_u64..2_000, 0_u64..1_000), 1..200),
        ) {
            let mut state = state(burst, per_second, 0.0);
            let (mut now, mut starts) = (Duration::ZERO, Vec::new());
            for (passed, pause) in asked {
                now += ms(passed);
                starts.extend(state.take(now, ms(pause), FOREVER).map(|pause| now + pause));
            }
            starts.sort_unstable();
            // However the retries fall, those of any span of time began within it or were allowed
            // before it: a token may be taken one pause ahead.
            let longest_pause = 1.0;
            for (first, from) in starts.iter().enumerate() {
                for (last, to) in starts.iter().enumerate().skip(first) {
                    let span_s = (*to - *from).as_secs_f64() + longest_pause;
                    let allowed = f64::from(burst) + per_second * span_s + 1.0;
                    let retries = last - first + 1;
                    prop_assert!(retries as f64 <= allowed + 1e-6, "{retries} in {span_s} s");
                }
            }
        }

        #[test]
        fn no_budget_panics(
            burst in any::<u32>(),
            per_second in any::<f64>(),
            per_success in any::<f64>(),
            asked in proptest::collection::vec((any::<u32>(), any::<u64>(), any::<u64>()), 1..20),
        ) {
            let mut state = state(burst, per_second, per_success);
            for (now, pause, longest) in asked {
                let (pause, longest) = (Duration::from_nanos(pause), Duration::from_nanos(longest));
                if let Some(taken) = state.take(ms(now.into()), pause, longest) {
                    prop_assert!(taken >= pause && taken <= longest);
                }
                state.answered();
                prop_assert!(state.tokens <= f64::from(burst));
            }
        }
    }
}
