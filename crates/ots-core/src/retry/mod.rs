//! Whether to try again, and when: a decision without a clock, a socket or a die of its own.

mod budget;
mod default;

use std::fmt;
use std::time::Duration;

use ots_proto::operation::Idempotency;

use crate::error::Error;

pub(crate) use budget::Bucket;
pub use budget::RetryBudget;
pub use default::DefaultRetryPolicy;

/// Decides after each failed attempt.
pub trait RetryPolicy: Send + Sync + fmt::Debug {
    /// Whether to try again, and after how long.
    ///
    /// `random` is uniform in 0..1; the same arguments give the same decision.
    fn decide(&self, failure: &Failure<'_>, random: f64) -> Decision;

    /// No attempt begins later than this after the call began: how long a retry may wait for its turn,
    /// when the client's [`RetryBudget`] is spent. Never too late, where the policy doesn't say.
    fn deadline(&self) -> Duration {
        Duration::MAX
    }
}

/// A failed attempt, and what led to it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// What went wrong.
    pub error: &'a Error,
    /// Whether the operation may run twice.
    pub idempotency: Idempotency,
    /// Attempts so far, this one included: 1 after the first.
    pub attempts: u32,
    /// Time since the call began.
    pub elapsed: Duration,
}

impl<'a> Failure<'a> {
    /// A failed attempt.
    #[must_use]
    pub const fn new(
        error: &'a Error,
        idempotency: Idempotency,
        attempts: u32,
        elapsed: Duration,
    ) -> Self {
        Self {
            error,
            idempotency,
            attempts,
            elapsed,
        }
    }
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Decision {
    /// Hand the error to the caller.
    GiveUp,
    /// Try again after this pause.
    RetryAfter(Duration),
}

/// When a retry that the policy wants may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// After this pause.
    After(Duration),
    /// Never: the call's time would be up.
    NoTime,
    /// Not in time: other calls have spent the client's budget.
    NoBudget,
}

/// Never tries again.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRetry;

impl RetryPolicy for NoRetry {
    fn decide(&self, _: &Failure<'_>, _: f64) -> Decision {
        Decision::GiveUp
    }
}
