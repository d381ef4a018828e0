//! What can go wrong with a call, said so that a program can branch on it and a person can act on it.

mod context;
mod refusal;
mod response;
mod text;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use ots_proto::messages;

use self::context::Context;
pub use self::refusal::{AccessDenied, ErrorClass, ErrorCode, ServiceError};
pub use self::response::ResponseProblem;
use crate::transport::{Delivery, TransportError};

/// Why a call failed.
///
/// Branch on [`kind`](Self::kind), [`code`](Self::code) and [`is_retryable`](Self::is_retryable),
/// never on the text. The text says what was asked, how often it was tried and what came back; the
/// cause, where there is one, is in [`source`](StdError::source).
///
/// A clone is the same failure: a request of many rows that fails, fails each of them.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    context: Context,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What kind of failure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The service refused the request.
    Service(ServiceError),
    /// No answer came: the network, a proxy, a timeout. [`TransportError`] is the source.
    Transport,
    /// An answer came that can't be trusted or understood.
    Response(ResponseProblem),
    /// The request is wrong and was not sent.
    Request(String),
    /// The client is set up wrongly.
    Configuration(String),
    /// The client was closed before the call began; nothing was sent.
    Closed,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            context: Context::default(),
            source: None,
        }))
    }

    /// A request that is wrong and was not sent.
    pub fn request(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Request(problem.into()))
    }

    /// A client that is set up wrongly.
    pub fn configuration(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration(problem.into()))
    }

    /// A refusal by the service.
    pub fn service(
        code: ErrorCode,
        status: StatusCode,
        message: impl Into<String>,
        request_id: impl Into<String>,
    ) -> Self {
        let (message, request_id) = (message.into(), request_id.into());
        Self::new(ErrorKind::Service(ServiceError {
            code,
            status,
            message,
            request_id,
            access_denied: None,
        }))
    }

    /// A refusal as the service says it.
    pub(crate) fn refusal(
        error: messages::Error,
        status: StatusCode,
        request_id: impl Into<String>,
    ) -> Self {
        let code = ErrorCode::from(error.code.as_str());
        let message = error.message.unwrap_or_default();
        let mut refusal = Self::service(code, status, message, request_id);
        if let (ErrorKind::Service(error), Some(detail)) =
            (&mut refusal.0.kind, error.access_denied_detail)
        {
            error.access_denied = Some(Box::new((*detail).into()));
        }
        refusal
    }

    /// An answer whose body isn't what it should be, found after the call: a page that doesn't decode.
    pub fn body(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Response(ResponseProblem::Body)).with_source(source)
    }

    /// A call that got no answer: for stand-ins, and for transports of another kind.
    #[must_use]
    pub fn transport(source: TransportError) -> Self {
        Self::new(ErrorKind::Transport).with_source(source)
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed)
    }

    pub(crate) fn response(problem: ResponseProblem) -> Self {
        Self::new(ErrorKind::Response(problem))
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The refusal, if the service refused.
    #[must_use]
    pub fn as_service(&self) -> Option<&ServiceError> {
        if let ErrorKind::Service(error) = &self.0.kind {
            Some(error)
        } else {
            None
        }
    }

    /// The service's code, if the service refused.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        self.as_service().map(|error| &error.code)
    }

    /// The id under which the service knows the request, if it answered.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self.as_service() {
            Some(error) => Some(&error.request_id),
            None => self.0.context.request_id.as_deref(),
        }
    }

    /// The failure below the service: whether the service could have seen the request.
    #[must_use]
    pub fn as_transport(&self) -> Option<&TransportError> {
        self.source()?.downcast_ref()
    }

    /// The operation that was called.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.context.operation
    }

    /// The table, where the request was a typed one about one table.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.0.context.table.as_deref()
    }

    /// The instance.
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        self.0.context.instance.as_deref()
    }

    /// How often the call was tried; 0 if it wasn't.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.context.attempts
    }

    /// How many of the attempts the service throttled: for a [`Limiter`](crate::limiter::Limiter).
    #[must_use]
    pub fn throttled(&self) -> u32 {
        self.0.context.throttled
    }

    /// Whether the call would have been tried again, had the client's
    /// [`RetryBudget`](crate::retry::RetryBudget) not been spent.
    #[must_use]
    pub fn is_out_of_budget(&self) -> bool {
        self.0.context.is_out_of_budget
    }

    /// Whether the service refused and asked for less load.
    #[must_use]
    pub fn is_throttling(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Service(error) => error.class() == ErrorClass::Throttled,
            ErrorKind::Response(problem) => problem.is_throttling(),
            ErrorKind::Transport
            | ErrorKind::Request(_)
            | ErrorKind::Configuration(_)
            | ErrorKind::Closed => false,
        }
    }

    /// From the call to the last failure, retries and pauses included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.context.elapsed
    }

    /// A short name for this kind of failure, for metrics: the service's code, or one of `timeout`,
    /// `not_sent`, `no_answer`, `not_from_service`, `bad_response`, `bad_request`, `configuration` and
    /// `closed`. The same as `error.type` in spans and metrics.
    #[must_use]
    pub fn error_type(&self) -> &str {
        match &self.0.kind {
            ErrorKind::Service(error) => error.code.as_str(),
            ErrorKind::Transport => match self.as_transport() {
                Some(error) if error.is_timeout() => "timeout",
                Some(error) if error.delivery() == Delivery::NotSent => "not_sent",
                _ => "no_answer",
            },
            ErrorKind::Response(ResponseProblem::NotFromService { .. }) => "not_from_service",
            ErrorKind::Response(_) => "bad_response",
            ErrorKind::Request(_) => "bad_request",
            ErrorKind::Configuration(_) => "configuration",
            ErrorKind::Closed => "closed",
        }
    }

    /// Whether the same request may succeed later. The client has already retried what it may.
    ///
    /// Before a write is sent again, ask [`may_have_run`](Self::may_have_run) too: a counter that is
    /// incremented again after a lost answer counts twice.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Service(error) => error.class() != ErrorClass::Final,
            ErrorKind::Transport => self
                .as_transport()
                .is_none_or(|error| !error.is_permanent()),
            ErrorKind::Response(problem) => problem.may_be_transient(),
            ErrorKind::Request(_) | ErrorKind::Configuration(_) | ErrorKind::Closed => false,
        }
    }

    /// Whether the service may have done what was asked, although the call failed: at the last attempt
    /// or at one before it.
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        self.0.context.may_have_run || self.last_may_have_run()
    }

    fn last_may_have_run(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Service(error) => error.class() == ErrorClass::Unknown,
            ErrorKind::Transport => self
                .as_transport()
                .is_none_or(|error| error.delivery() == Delivery::Unknown),
            // An answer came, so the request had arrived.
            ErrorKind::Response(_) => true,
            ErrorKind::Request(_) | ErrorKind::Configuration(_) | ErrorKind::Closed => false,
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("context", &self.0.context)
            .field("source", &self.0.source)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn refusal(status: u16, code: &str, message: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::service(ErrorCode::from(code), status, message, "id-1")
    }

    #[test]
    fn what_may_have_run_is_known_from_the_error() {
        let cases = [
            (refusal(503, "OTSServerBusy", ""), true, false),
            (refusal(503, "OTSTimeout", ""), true, true),
            (refusal(403, "OTSConditionCheckFail", ""), false, false),
            (
                Error::transport(TransportError::not_sent("refused")),
                true,
                false,
            ),
            (
                Error::transport(TransportError::unknown("reset")),
                true,
                true,
            ),
            (
                Error::transport(TransportError::unknown("too large").permanent()),
                false,
                true,
            ),
            (Error::response(ResponseProblem::BodyDigest), true, true),
            (Error::request("no key"), false, false),
        ];
        for (error, is_retryable, may_have_run) in cases {
            assert_eq!(error.is_retryable(), is_retryable, "{error}");
            assert_eq!(error.may_have_run(), may_have_run, "{error}");
        }
    }
}
