//! How long an attempt may take: its own limit, or what is left of the call's.

use std::time::Duration;

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

    /// Whether anything is left of the call's time after this pause. To sleep first and then to find
    /// that the time is up would only keep the caller waiting for an answer that is known.
    pub(crate) fn outlast(&self, elapsed: Duration, pause: Duration) -> bool {
        self.call
            .is_none_or(|call| elapsed.saturating_add(pause) < call)
    }
}

impl AttemptLimit {
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
        assert!(limits.outlast(second(8), Duration::from_millis(1999)));
        assert!(!limits.outlast(second(8), second(2)));
        assert!(!limits.outlast(Duration::MAX, Duration::MAX));

        let limits = TimeLimits {
            attempt: second(3),
            call: None,
        };
        assert_eq!(limits.attempt_after(Duration::MAX).time, second(3));
        assert!(limits.outlast(Duration::MAX, Duration::MAX));
    }
}
