//! How long an attempt may take: its own limit, or what is left of the call's.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;

/// How long something has taken.
pub(crate) struct Stopwatch<'a> {
    clock: &'a dyn Clock,
    start: Duration,
    began: Instant,
}

impl<'a> Stopwatch<'a> {
    pub(crate) fn start(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            start: clock.elapsed(),
            began: Instant::now(),
        }
    }

    /// By the client's clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.start)
    }

    /// By that clock or tokio's timer, whichever says more: the client's may stand still, in tests,
    /// while the timer of an attempt runs.
    pub(crate) fn spent(&self) -> Duration {
        self.elapsed().max(self.began.elapsed())
    }
}

/// The limits of a client's calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimits {
    pub(crate) attempt: Duration,
    pub(crate) call: Option<Duration>,
}

/// The limit of one attempt, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptLimit {
    pub(crate) time: Duration,
    /// The whole call's limit, if that comes first.
    call: Option<Duration>,
}

impl TimeLimits {
    /// Of the attempt that begins when the call has taken this long.
    pub(crate) fn attempt_after(&self, elapsed: Duration) -> AttemptLimit {
        let own = AttemptLimit {
            time: self.attempt,
            call: None,
        };
        let left = self.call.map(|call| AttemptLimit {
            time: call.saturating_sub(elapsed),
            call: Some(call),
        });
        left.filter(|left| left.time < own.time).unwrap_or(own)
    }

    /// The longest pause that leaves something of the call's time, or none if its time is up. To sleep
    /// first and then to find that the time is up would only keep the caller waiting for an answer that
    /// is known.
    pub(crate) fn longest_pause(&self, elapsed: Duration) -> Option<Duration> {
        let Some(call) = self.call else {
            return Some(Duration::MAX);
        };
        call.checked_sub(elapsed)?.checked_sub(MOMENT)
    }
}

const MOMENT: Duration = Duration::from_nanos(1);

/// Who sets no limit means at least this: tokio's timer can't count to every [`Duration`].
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

impl AttemptLimit {
    /// When it passes, if the attempt begins now.
    pub(crate) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.time).unwrap_or_else(|| now + NO_LIMIT)
    }

    /// What is said when it has passed.
    pub(crate) fn passed(&self, what: &str) -> String {
        match self.call {
            None => format!("no {what} within {} s", self.time.as_secs_f64()),
            Some(call) => format!("no {what} within the call's {} s", call.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_comes_first_is_the_one_named() {
        let second = Duration::from_secs;
        let limits = TimeLimits {
            attempt: second(3),
            call: Some(second(10)),
        };
        let first = limits.attempt_after(second(2));
        assert_eq!(
            (first.time, first.passed("answer").as_str()),
            (second(3), "no answer within 3 s")
        );
        let last = limits.attempt_after(second(8));
        let text = "no answer within the call's 10 s";
        assert_eq!(
            (last.time, last.passed("answer").as_str()),
            (second(2), text)
        );
        assert_eq!(limits.attempt_after(second(11)).time, Duration::ZERO);
        assert_eq!(limits.longest_pause(second(8)), Some(second(2) - MOMENT));
        assert_eq!(
            limits.longest_pause(second(10) - MOMENT),
            Some(Duration::ZERO)
        );
        assert_eq!(limits.longest_pause(second(10)), None);
        assert_eq!(limits.longest_pause(Duration::MAX), None);

        let limits = TimeLimits {
            attempt: second(3),
            call: None,
        };
        assert_eq!(limits.attempt_after(Duration::MAX).time, second(3));
        // Who wants no limit may say so without a panic.
        let none = AttemptLimit {
            time: Duration::MAX,
            call: None,
        };
        assert!(none.deadline() > Instant::now());
        assert_eq!(limits.longest_pause(Duration::MAX), Some(Duration::MAX));
    }
}
