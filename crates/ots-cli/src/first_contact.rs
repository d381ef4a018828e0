//! How long to try when nothing has answered yet.

use std::time::Duration;

use ots_core::retry::{Decision, DefaultRetryPolicy, Failure, RetryPolicy};
use ots_core::{ErrorKind, ResponseProblem};

/// The retries of a command's first calls: a wrong address, the usual reason why nothing answers
/// there, is told within seconds. Whoever has been answered once knows the address to be right, and
/// uses the patience of [`DefaultRetryPolicy`] from then on.
///
/// What answers is asked as patiently as ever, even if it says that it is busy.
#[derive(Clone, Debug)]
pub struct FirstContact {
    answered: DefaultRetryPolicy,
    unanswered: DefaultRetryPolicy,
}

impl FirstContact {
    /// How long one attempt may take: describing or creating a table takes far less.
    pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

    /// No attempt begins later than 2 s after the first while nothing answers.
    #[must_use]
    pub const fn new() -> Self {
        let answered = DefaultRetryPolicy::new();
        let mut unanswered = DefaultRetryPolicy::new();
        unanswered.deadline = Duration::from_secs(2);
        Self {
            answered,
            unanswered,
        }
    }
}

impl Default for FirstContact {
    fn default() -> Self {
        Self::new()
    }
}

impl RetryPolicy for FirstContact {
    fn decide(&self, failure: &Failure<'_>, random: f64) -> Decision {
        let policy = match failure.error.kind() {
            // Something answered, but not Tablestore: the address is as likely to be wrong.
            ErrorKind::Transport | ErrorKind::Response(ResponseProblem::NotFromService { .. }) => {
                &self.unanswered
            }
            _ => &self.answered,
        };
        policy.decide(failure, random)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use ots_core::transport::TransportError;
    use ots_core::{Error, ErrorCode};
    use ots_proto::operation::Idempotency;

    use super::*;

    fn decide(error: &Error, elapsed: Duration) -> Decision {
        let failure = Failure::new(error, Idempotency::NoSideEffects, 3, elapsed);
        FirstContact::new().decide(&failure, 0.5)
    }

    #[test]
    fn only_silence_is_given_up_soon() {
        let refused = Error::transport(TransportError::not_sent("connection refused"));
        let busy = Error::service(
            ErrorCode::ServerBusy,
            StatusCode::SERVICE_UNAVAILABLE,
            "",
            "",
        );
        for (error, seconds, gives_up) in [
            (&refused, 1, false),
            (&refused, 2, true),
            (&busy, 2, false),
            (&busy, 30, false),
            (&busy, 60, true),
        ] {
            let decision = decide(error, Duration::from_secs(seconds));
            assert_eq!(
                decision == Decision::GiveUp,
                gives_up,
                "{error} after {seconds} s"
            );
        }
    }
}
