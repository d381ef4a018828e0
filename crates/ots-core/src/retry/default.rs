//! The policy a client has unless told otherwise.

use std::time::Duration;

use super::{Decision, Failure, RetryPolicy};
use crate::error::{ErrorClass, ErrorKind};
use crate::transport::Delivery;

/// Retries what may be retried: with full jitter over a doubling pause, up to a number of attempts
/// and a deadline.
///
/// A failure is retried when asking again may help, and either the request surely did not run or
/// running twice does no harm. Throttling backs off from a longer pause than other failures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct DefaultRetryPolicy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// No attempt begins later than this after the call began.
    pub deadline: Duration,
    /// The upper end of the first pause.
    pub base: Duration,
    /// The upper end of the first pause after throttling.
    pub throttled_base: Duration,
    /// The upper end of any pause.
    pub max_pause: Duration,
}

impl DefaultRetryPolicy {
    /// Ten attempts within 30 s; pauses up to 50 ms, or 250 ms when throttled, doubling to 4 s.
    pub const fn new() -> Self {
        Self {
            max_attempts: 10,
            deadline: Duration::from_secs(30),
            base: Duration::from_millis(50),
            throttled_base: Duration::from_millis(250),
            max_pause: Duration::from_secs(4),
        }
    }
}

impl Default for DefaultRetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl RetryPolicy for DefaultRetryPolicy {
    fn decide(&self, failure: &Failure<'_>, random: f64) -> Decision {
        let Some(base) = self.base_pause(failure) else {
            return Decision::GiveUp;
        };
        if failure.attempts >= self.max_attempts {
            return Decision::GiveUp;
        }
        let doublings = failure.attempts.saturating_sub(1).min(30);
        let ceiling = base.saturating_mul(1 << doublings).min(self.max_pause);
        let pause = ceiling.mul_f64(random.clamp(0.0, 1.0));
        if failure.elapsed.saturating_add(pause) > self.deadline {
            return Decision::GiveUp;
        }
        Decision::RetryAfter(pause)
    }
}

impl DefaultRetryPolicy {
    /// The pause to begin with, or none if trying again can't help or might do harm.
    fn base_pause(&self, failure: &Failure<'_>) -> Option<Duration> {
        let may_repeat = failure.idempotency.may_repeat();
        match failure.error.kind() {
            ErrorKind::Service(error) => match error.class() {
                ErrorClass::Final => None,
                ErrorClass::Refused => Some(self.base),
                ErrorClass::Throttled => Some(self.throttled_base),
                ErrorClass::Unknown => may_repeat.then_some(self.base),
            },
            ErrorKind::Transport => {
                let delivery = failure.error.as_transport().map(|error| error.delivery());
                let surely_not_sent = delivery == Some(Delivery::NotSent);
                (surely_not_sent || may_repeat).then_some(self.base)
            }
            ErrorKind::Response(problem) => {
                (problem.may_be_transient() && may_repeat).then_some(self.base)
            }
            ErrorKind::Request(_) | ErrorKind::Configuration(_) => None,
        }
    }
}
