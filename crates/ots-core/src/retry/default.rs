//! The policy a client has unless told otherwise.

use std::time::Duration;

use super::{Decision, Failure, RetryPolicy};
use crate::error::{ErrorClass, ErrorKind};
use crate::transport::{Delivery, TransportError};

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
    /// Twenty attempts within 60 s; pauses up to 50 ms, or 250 ms when throttled, doubling to 4 s.
    ///
    /// The deadline leaves room for a second attempt after one that took its full 30 s. Failures that
    /// come quickly reach the number of attempts long before it.
    pub const fn new() -> Self {
        Self {
            max_attempts: 20,
            deadline: Duration::from_secs(60),
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
        let time_left = self.deadline.saturating_sub(failure.elapsed);
        if failure.attempts >= self.max_attempts || time_left.is_zero() {
            return Decision::GiveUp;
        }
        let doublings = failure.attempts.saturating_sub(1).min(30);
        let ceiling = base.saturating_mul(1 << doublings).min(self.max_pause);
        // The source of `random` may be the caller's: no number it gives may panic or pass the ceiling.
        let pause = Duration::try_from_secs_f64(ceiling.as_secs_f64() * random).unwrap_or(ceiling);
        // A pause that reaches beyond the deadline is cut short: the last attempt begins at the
        // deadline, and whether there is one doesn't hang on the jitter.
        Decision::RetryAfter(pause.min(ceiling).min(time_left))
    }

    fn deadline(&self) -> Duration {
        self.deadline
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
                let error = failure.error.as_transport();
                if error.is_some_and(TransportError::is_permanent) {
                    return None;
                }
                let delivery = error.map(TransportError::delivery);
                let surely_not_sent = delivery == Some(Delivery::NotSent);
                (surely_not_sent || may_repeat).then_some(self.base)
            }
            ErrorKind::Response(problem) => {
                let base = if failure.error.is_throttling() {
                    self.throttled_base
                } else {
                    self.base
                };
                (problem.may_be_transient() && may_repeat).then_some(base)
            }
            ErrorKind::Request(_) | ErrorKind::Configuration(_) | ErrorKind::Closed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use ots_proto::operation::Idempotency;
    use proptest::prelude::*;

    use super::*;
    use crate::error::{Error, ErrorCode, ResponseProblem};

    /// What may be known of an attempt after it failed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Ran {
        SurelyNot,
        Perhaps,
    }

    fn service(code: ErrorCode, status: u16, message: &str) -> Error {
        Error::service(code, StatusCode::from_u16(status).unwrap(), message, "id-1")
    }

    /// Every kind of failure that a policy meets, and whether asking again may help.
    fn failures() -> Vec<(Ran, bool, Error)> {
        use Ran::{Perhaps, SurelyNot};
        let bad_gateway = StatusCode::BAD_GATEWAY;
        vec![
            (
                SurelyNot,
                true,
                service(ErrorCode::ServerBusy, 503, "Server is busy."),
            ),
            (
                SurelyNot,
                true,
                service(ErrorCode::RowOperationConflict, 409, ""),
            ),
            (
                SurelyNot,
                false,
                Error::transport(TransportError::not_sent("untrusted").permanent()),
            ),
            (
                Perhaps,
                false,
                Error::transport(TransportError::unknown("too large").permanent()),
            ),
            (SurelyNot, true, service(ErrorCode::TableNotReady, 404, "")),
            (SurelyNot, true, service(ErrorCode::FlowControl, 429, "")),
            (
                SurelyNot,
                true,
                service(
                    ErrorCode::QuotaExhausted,
                    403,
                    "Too frequent table operations.",
                ),
            ),
            (
                SurelyNot,
                true,
                Error::transport(TransportError::not_sent("refused")),
            ),
            (
                SurelyNot,
                false,
                service(ErrorCode::QuotaExhausted, 403, "Number of tables exceeded."),
            ),
            (
                SurelyNot,
                false,
                service(ErrorCode::ConditionCheckFail, 403, ""),
            ),
            (
                SurelyNot,
                false,
                service(ErrorCode::AuthFailed, 403, "Signature mismatch."),
            ),
            (
                SurelyNot,
                false,
                service(ErrorCode::SessionExpired, 400, ""),
            ),
            (SurelyNot, false, Error::request("no key")),
            (SurelyNot, false, Error::configuration("no credentials")),
            (
                Perhaps,
                true,
                service(ErrorCode::InternalServerError, 500, ""),
            ),
            (Perhaps, true, service(ErrorCode::Timeout, 503, "")),
            (
                Perhaps,
                true,
                service(ErrorCode::ServerUnavailable, 503, ""),
            ),
            (
                Perhaps,
                true,
                service(ErrorCode::Other("OTSOfNextYear".to_owned()), 500, ""),
            ),
            (
                Perhaps,
                true,
                Error::transport(TransportError::unknown("reset")),
            ),
            (Perhaps, true, Error::response(ResponseProblem::BodyDigest)),
            (Perhaps, true, Error::response(ResponseProblem::Body)),
            (
                Perhaps,
                true,
                Error::response(ResponseProblem::NotFromService {
                    status: bad_gateway,
                }),
            ),
            (
                Perhaps,
                true,
                Error::response(ResponseProblem::NotFromService {
                    status: StatusCode::TOO_MANY_REQUESTS,
                }),
            ),
            (
                Perhaps,
                true,
                service(ErrorCode::RequestTimeout, 408, "Request timeout."),
            ),
            (Perhaps, false, Error::response(ResponseProblem::Signature)),
            (
                Perhaps,
                false,
                Error::response(ResponseProblem::Date {
                    received: String::new(),
                }),
            ),
            (
                Perhaps,
                false,
                Error::response(ResponseProblem::MissingHeader { name: "x" }),
            ),
            (Perhaps, false, Error::response(ResponseProblem::RowCut)),
        ]
    }

    fn idempotency() -> impl Strategy<Value = Idempotency> {
        prop_oneof![
            Just(Idempotency::NoSideEffects),
            Just(Idempotency::Idempotent),
            Just(Idempotency::NotIdempotent),
        ]
    }

    fn duration() -> impl Strategy<Value = Duration> {
        prop_oneof![
            9 => (0_u64..100_000).prop_map(Duration::from_millis),
            1 => any::<u64>().prop_map(Duration::from_nanos),
            1 => Just(Duration::MAX),
        ]
    }

    fn policy() -> impl Strategy<Value = DefaultRetryPolicy> {
        let pauses = (duration(), duration(), duration());
        (any::<u32>(), duration(), pauses).prop_map(|(max_attempts, deadline, pauses)| {
            let (base, throttled_base, max_pause) = pauses;
            DefaultRetryPolicy {
                max_attempts,
                deadline,
                base,
                throttled_base,
                max_pause,
            }
        })
    }

    /// Mostly what is promised, and what a careless caller may give.
    fn random() -> impl Strategy<Value = f64> {
        prop_oneof![9 => 0.0..1.0, 1 => any::<f64>(), 1 => Just(f64::NAN), 1 => Just(1.0)]
    }

    proptest! {
        #[test]
        fn a_call_that_may_have_run_is_repeated_only_if_that_does_no_harm(
            policy in policy(),
            which in 0..failures().len(),
            idempotency in idempotency(),
            attempts in 1_u32..,
            elapsed in duration(),
            random in random(),
        ) {
            let (ran, helps, error) = &failures()[which];
            let failure = Failure::new(error, idempotency, attempts, elapsed);
            let decision = policy.decide(&failure, random);
            prop_assert_eq!(decision, policy.decide(&failure, random), "not deterministic");
            let harmless = *ran == Ran::SurelyNot || idempotency.may_repeat();
            let in_time = attempts < policy.max_attempts && elapsed < policy.deadline;
            prop_assert_eq!(decision != Decision::GiveUp, *helps && harmless && in_time);
        }

        #[test]
        fn a_pause_stays_below_its_ceiling_and_the_deadline(
            policy in policy(),
            which in 0..failures().len(),
            attempts in 1_u32..100,
            elapsed in duration(),
            random in random(),
        ) {
            let (.., error) = &failures()[which];
            let failure = Failure::new(error, Idempotency::NoSideEffects, attempts, elapsed);
            if let Decision::RetryAfter(pause) = policy.decide(&failure, random) {
                let doubled = 2_u32.saturating_pow(attempts - 1);
                let base = policy.base.max(policy.throttled_base);
                prop_assert!(pause <= policy.max_pause);
                prop_assert!(pause <= base.saturating_mul(doubled));
                prop_assert!(elapsed.checked_add(pause).unwrap() <= policy.deadline);
            }
        }

        #[test]
        fn a_call_that_always_fails_ends(
            max_attempts in 0_u32..50,
            deadline in duration(),
            which in 0..failures().len(),
            randoms in proptest::collection::vec(random(), 60),
            each in (0_u64..5_000).prop_map(Duration::from_millis),
        ) {
            let policy = DefaultRetryPolicy { max_attempts, deadline, ..DefaultRetryPolicy::new() };
            let (.., error) = &failures()[which];
            let (mut attempts, mut elapsed) = (0, Duration::ZERO);
            for random in randoms {
                attempts += 1;
                prop_assert!(elapsed <= deadline, "an attempt began after the deadline");
                elapsed += each;
                let failure = Failure::new(error, Idempotency::NoSideEffects, attempts, elapsed);
                match policy.decide(&failure, random) {
                    Decision::RetryAfter(pause) => elapsed += pause,
                    Decision::GiveUp => break,
                }
            }
            prop_assert!(attempts <= max_attempts.max(1));
        }
    }

    #[test]
    fn pauses_double_from_their_base_to_the_longest() {
        let policy = DefaultRetryPolicy::new();
        let ceilings = |error: &Error| -> Vec<u128> {
            let decide = |attempts| {
                let elapsed = Duration::ZERO;
                let failure = Failure::new(error, Idempotency::NotIdempotent, attempts, elapsed);
                match policy.decide(&failure, 1.0) {
                    Decision::RetryAfter(pause) => pause.as_millis(),
                    Decision::GiveUp => panic!("gave up after {attempts} attempts"),
                }
            };
            (1..10).map(decide).collect()
        };
        let conflict = service(ErrorCode::RowOperationConflict, 409, "");
        let busy = service(ErrorCode::ServerBusy, 503, "");
        assert_eq!(
            ceilings(&conflict),
            [50, 100, 200, 400, 800, 1600, 3200, 4000, 4000]
        );
        assert_eq!(
            ceilings(&busy),
            [250, 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000]
        );
    }

    #[test]
    fn one_attempt_that_takes_its_full_time_is_not_the_last() {
        let reset = Error::transport(TransportError::unknown("no answer within 30 s"));
        let elapsed = Duration::from_secs(30);
        let failure = Failure::new(&reset, Idempotency::NoSideEffects, 1, elapsed);
        assert_ne!(
            DefaultRetryPolicy::new().decide(&failure, 1.0),
            Decision::GiveUp
        );
    }
}
