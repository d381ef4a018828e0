//! What can go wrong with a call, said so that a program can branch on it and a person can act on it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::transport::TransportError;

/// Why a call failed.
///
/// Branch on [`kind`](Self::kind), [`code`](Self::code) and [`is_retryable`](Self::is_retryable),
/// never on the text. The text says what was asked, how often it was tried and what came back; the
/// cause, where there is one, is in [`source`](StdError::source).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    context: Context,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Which call failed, and after how much trying: filled in on the way up, each part by who knows it.
#[derive(Debug, Default)]
struct Context {
    operation: Option<&'static str>,
    table: Option<String>,
    instance: Option<String>,
    request_id: Option<String>,
    attempts: u32,
    elapsed: Duration,
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
}

/// A refusal by the service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The service's code.
    pub code: ErrorCode,
    /// The HTTP status. For a row of a batch, which has none of its own, 200.
    pub status: StatusCode,
    /// The service's sentence.
    pub message: String,
    /// The id under which the service knows the request.
    pub request_id: String,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseProblem {
    /// It doesn't come from the service: it has no request id.
    NotFromService {
        /// The HTTP status.
        status: StatusCode,
    },
    /// A header is missing that every answer of the service has.
    MissingHeader {
        /// Its name.
        name: &'static str,
    },
    /// Its date is too far from ours, or isn't one.
    Date {
        /// The header as it came.
        received: String,
    },
    /// The MD5 of the body isn't what the header says.
    BodyDigest,
    /// The signature isn't by our key over these headers.
    Signature,
    /// The body isn't the message it should be. The decoder's error is the source.
    Body,
    /// It is compressed, although we didn't ask for that.
    Compressed {
        /// The algorithm.
        algorithm: String,
    },
    /// The endpoint has moved.
    Moved {
        /// Where to.
        location: String,
    },
    /// A row of a batch is too wide for it, and only its beginning came.
    RowCut,
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
        }))
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

    pub(crate) fn response(problem: ResponseProblem) -> Self {
        Self::new(ErrorKind::Response(problem))
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Which operation failed, after how many attempts and how long.
    pub(crate) fn with_call(
        mut self,
        operation: &'static str,
        attempts: u32,
        elapsed: Duration,
    ) -> Self {
        let context = &mut self.0.context;
        if context.operation.is_none() {
            context.operation = Some(operation);
            context.attempts = attempts;
            context.elapsed = elapsed;
        }
        self
    }

    pub(crate) fn with_instance(mut self, instance: &str) -> Self {
        let known = &mut self.0.context.instance;
        known.get_or_insert_with(|| instance.to_owned());
        self
    }

    pub(crate) fn with_table(mut self, table: Option<String>) -> Self {
        let known = &mut self.0.context.table;
        *known = known.take().or(table);
        self
    }

    pub(crate) fn with_request_id(mut self, request_id: String) -> Self {
        if self.request_id().is_none() && !request_id.is_empty() {
            self.0.context.request_id = Some(request_id);
        }
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

    /// From the call to the last failure, retries and pauses included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.context.elapsed
    }

    /// Whether the same request may succeed later. The client has already retried what it may.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Service(error) => error.class() != ErrorClass::Final,
            ErrorKind::Transport => true,
            ErrorKind::Response(problem) => problem.may_be_transient(),
            ErrorKind::Request(_) | ErrorKind::Configuration(_) => false,
        }
    }
}

impl ResponseProblem {
    /// Whether asking again may give a better answer: damage on the way does, a wrong key doesn't.
    #[must_use]
    pub fn may_be_transient(&self) -> bool {
        match self {
            Self::NotFromService { status } => status.is_server_error(),
            Self::BodyDigest | Self::Body => true,
            Self::MissingHeader { .. }
            | Self::Date { .. }
            | Self::Signature
            | Self::Compressed { .. }
            | Self::Moved { .. }
            | Self::RowCut => false,
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, context, .. } = &*self.0;
        // A wrong request names operation and table in its own sentence, and nothing was tried.
        if let Some(operation) = context.operation
            && !matches!(kind, ErrorKind::Request(_))
        {
            f.write_str(operation)?;
            if let Some(table) = &context.table {
                write!(f, " on table {table:?}")?;
            }
            if let Some(instance) = &context.instance {
                let of = if context.table.is_some() { "of" } else { "on" };
                write!(f, " {of} instance {instance:?}")?;
            }
            f.write_str(" failed")?;
            if context.attempts > 1 {
                let (attempts, seconds) = (context.attempts, context.elapsed.as_secs_f64());
                write!(f, " after {attempts} attempts in {seconds:.2} s")?;
            }
            f.write_str(": ")?;
        }
        kind.fmt(f)?;
        match &context.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            Self::Transport => f.write_str("no answer from the service"),
            Self::Response(problem) => problem.fmt(f),
            Self::Request(problem) | Self::Configuration(problem) => f.write_str(problem),
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)?;
        // A row of a batch has no status of its own.
        if !self.status.is_success() {
            write!(f, ", HTTP {}", self.status.as_u16())?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if !self.request_id.is_empty() {
            write!(f, " (request id {})", self.request_id)?;
        }
        Ok(())
    }
}

impl fmt::Display for ResponseProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFromService { status } => write!(
                f,
                "HTTP {} without x-ots-requestid: answered by something in front of Tablestore, \
                 not by Tablestore",
                status.as_u16()
            ),
            Self::MissingHeader { name } => write!(f, "the response has no {name} header"),
            Self::Date { received } => write!(
                f,
                "the response is dated {received:?}, not within 15 minutes of this computer's clock"
            ),
            Self::BodyDigest => {
                f.write_str("the MD5 of the response's body differs from x-ots-contentmd5")
            }
            Self::Signature => f.write_str(
                "the response's signature is not by this access key: the secret is wrong, or the \
                 response is not from Tablestore",
            ),
            Self::Body => f.write_str("the response's body can't be decoded"),
            Self::Compressed { algorithm } => {
                write!(
                    f,
                    "the response is compressed ({algorithm}), which was not asked for"
                )
            }
            Self::Moved { location } => write!(f, "the endpoint has moved to {location}"),
            Self::RowCut => {
                f.write_str("the row is too wide for a batch and was cut: read it with GetRow")
            }
        }
    }
}

/// The service's error codes. Codes it doesn't know are kept as they came.
///
/// Source: the service's public list of error codes, and those that only the official SDKs know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// Wrong key, signature, date or instance.
    AuthFailed,
    /// A policy forbids it.
    NoPermissionAccess,
    /// A policy forbids it.
    PermissionDenied,
    /// Something in the request is wrong.
    ParameterInvalid,
    /// The key doesn't fit the table's schema.
    InvalidPk,
    /// Too much data in one row.
    OutOfRowSizeLimit,
    /// Too many columns in one row.
    OutOfColumnCountLimit,
    /// Capacity units of the instance can't be changed.
    ForbiddenUpdateCapacityUnit,
    /// The search index doesn't exist.
    MetaNotMatch,
    /// The session of a parallel scan is gone: compute the splits again and start over.
    SessionExpired,
    /// Not POST.
    MethodNotAllowed,
    /// The request took too long to arrive.
    RequestTimeout,
    /// The request is too large.
    RequestBodyTooLarge,
    /// A condition doesn't hold.
    ConditionCheckFail,
    /// The table or index doesn't exist.
    ObjectNotExist,
    /// The table or index exists already.
    ObjectAlreadyExist,
    /// The table is new and not ready.
    TableNotReady,
    /// Another request is changing the row.
    RowOperationConflict,
    /// Another operation is under way.
    OperationConflict,
    /// A quota, or too many operations on tables.
    QuotaExhausted,
    /// No capacity units left.
    NotEnoughCapacityUnit,
    /// No capacity units left.
    CapacityUnitExhausted,
    /// Throughput was changed a moment ago.
    TooFrequentReservedThroughputAdjustment,
    /// Throttled.
    FlowControl,
    /// Throttled.
    OperationThrottled,
    /// Overloaded.
    ServerBusy,
    /// Overloaded.
    StorageServerBusy,
    /// The part of the table is on its way to another server.
    PartitionUnavailable,
    /// The operation took too long inside the service.
    Timeout,
    /// The service is unavailable.
    ServerUnavailable,
    /// Something went wrong inside the service.
    InternalServerError,
    /// Unknown, ended or expired transaction.
    SessionNotExist,
    /// A transaction's earlier request still runs.
    SessionBusy,
    /// Too much data in one transaction.
    OutOfTransactionDataSizeLimit,
    /// Outside the partition key of a transaction or an atomic batch.
    DataOutOfRange,
    /// A code this version doesn't know.
    Other(String),
}

/// What to do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// Asking again gives the same answer.
    Final,
    /// The service did nothing and asks to come back, whatever the operation.
    Refused,
    /// As `Refused`, and it asks for less load.
    Throttled,
    /// The service may or may not have acted: only repeat what may run twice.
    Unknown,
}

macro_rules! codes {
    ($($variant:ident = $text:literal),+ $(,)?) => {
        impl ErrorCode {
            #[cfg(test)]
            const ALL: &[&str] = &[$($text),+];

            /// The code as the service spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(code) => code,
                }
            }
        }

        impl From<&str> for ErrorCode {
            fn from(code: &str) -> Self {
                match code {
                    $($text => Self::$variant,)+
                    // One SDK's documentation spells it so; its sample and another SDK's tests don't.
                    "OTSServerSessionExpired" => Self::SessionExpired,
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

codes! {
    AuthFailed = "OTSAuthFailed",
    NoPermissionAccess = "OTSNoPermissionAccess",
    PermissionDenied = "OTSPermissionDenied",
    ParameterInvalid = "OTSParameterInvalid",
    InvalidPk = "OTSInvalidPK",
    OutOfRowSizeLimit = "OTSOutOfRowSizeLimit",
    OutOfColumnCountLimit = "OTSOutOfColumnCountLimit",
    ForbiddenUpdateCapacityUnit = "OTSForbiddenUpdateCapacityUnit",
    MetaNotMatch = "OTSMetaNotMatch",
    SessionExpired = "OTSSessionExpired",
    MethodNotAllowed = "OTSMethodNotAllowed",
    RequestTimeout = "OTSRequestTimeout",
    RequestBodyTooLarge = "OTSRequestBodyTooLarge",
    ConditionCheckFail = "OTSConditionCheckFail",
    ObjectNotExist = "OTSObjectNotExist",
    ObjectAlreadyExist = "OTSObjectAlreadyExist",
    TableNotReady = "OTSTableNotReady",
    RowOperationConflict = "OTSRowOperationConflict",
    OperationConflict = "OTSOperationConflict",
    QuotaExhausted = "OTSQuotaExhausted",
    NotEnoughCapacityUnit = "OTSNotEnoughCapacityUnit",
    CapacityUnitExhausted = "OTSCapacityUnitExhausted",
    TooFrequentReservedThroughputAdjustment = "OTSTooFrequentReservedThroughputAdjustment",
    FlowControl = "OTSFlowControl",
    OperationThrottled = "OTSOperationThrottled",
    ServerBusy = "OTSServerBusy",
    StorageServerBusy = "OTSStorageServerBusy",
    PartitionUnavailable = "OTSPartitionUnavailable",
    Timeout = "OTSTimeout",
    ServerUnavailable = "OTSServerUnavailable",
    InternalServerError = "OTSInternalServerError",
    SessionNotExist = "OTSSessionNotExist",
    SessionBusy = "OTSSessionBusy",
    OutOfTransactionDataSizeLimit = "OTSOutOfTransactionDataSizeLimit",
    DataOutOfRange = "OTSDataOutOfRange",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ServiceError {
    /// What to do about it.
    ///
    /// No `_` arm: a new code is a decision.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        use ErrorClass::{Final, Refused, Throttled, Unknown};
        match &self.code {
            ErrorCode::TableNotReady
            | ErrorCode::RowOperationConflict
            | ErrorCode::OperationConflict
            | ErrorCode::PartitionUnavailable => Refused,
            // The service's documentation and SDKs don't repeat FlowControl or CapacityUnitExhausted:
            // they refuse before anything runs, so repeating is safe, and a pause is what they ask for.
            ErrorCode::NotEnoughCapacityUnit
            | ErrorCode::CapacityUnitExhausted
            | ErrorCode::FlowControl
            | ErrorCode::OperationThrottled
            | ErrorCode::ServerBusy
            | ErrorCode::StorageServerBusy => Throttled,
            // One code for two things: a quota stays exhausted, a rate recovers.
            ErrorCode::QuotaExhausted if self.message == TOO_FREQUENT => Throttled,
            ErrorCode::Timeout | ErrorCode::ServerUnavailable | ErrorCode::InternalServerError => {
                Unknown
            }
            ErrorCode::Other(_) if self.status.is_server_error() => Unknown,
            ErrorCode::Other(_)
            | ErrorCode::QuotaExhausted
            | ErrorCode::AuthFailed
            | ErrorCode::NoPermissionAccess
            | ErrorCode::PermissionDenied
            | ErrorCode::ParameterInvalid
            | ErrorCode::InvalidPk
            | ErrorCode::OutOfRowSizeLimit
            | ErrorCode::OutOfColumnCountLimit
            | ErrorCode::ForbiddenUpdateCapacityUnit
            | ErrorCode::MetaNotMatch
            | ErrorCode::SessionExpired
            | ErrorCode::MethodNotAllowed
            | ErrorCode::RequestTimeout
            | ErrorCode::RequestBodyTooLarge
            | ErrorCode::ConditionCheckFail
            | ErrorCode::ObjectNotExist
            | ErrorCode::ObjectAlreadyExist
            | ErrorCode::TooFrequentReservedThroughputAdjustment
            | ErrorCode::SessionNotExist
            | ErrorCode::SessionBusy
            | ErrorCode::OutOfTransactionDataSizeLimit
            | ErrorCode::DataOutOfRange => Final,
        }
    }
}

const TOO_FREQUENT: &str = "Too frequent table operations.";

#[cfg(test)]
mod tests {
    use super::*;

    /// Status, code and message as the service's public list of error codes has them, and those that
    /// only its SDKs know, with 400 where the status isn't known.
    #[rustfmt::skip]
    const CLASSES: [(u16, &str, &str, ErrorClass); 42] = [
        (403, "OTSAuthFailed", "Signature mismatch.", ErrorClass::Final),
        (403, "OTSNoPermissionAccess", "You have no permission.", ErrorClass::Final),
        (403, "OTSPermissionDenied", "", ErrorClass::Final),
        (400, "OTSParameterInvalid", "Missing header: x-ots-date.", ErrorClass::Final),
        (400, "OTSInvalidPK", "Primary key schema mismatch.", ErrorClass::Final),
        (400, "OTSOutOfRowSizeLimit", "", ErrorClass::Final),
        (400, "OTSOutOfColumnCountLimit", "", ErrorClass::Final),
        (400, "OTSForbiddenUpdateCapacityUnit", "", ErrorClass::Final),
        (400, "OTSMetaNotMatch", "search index [x] does not exist", ErrorClass::Final),
        (400, "OTSSessionExpired", "ScanQuery'session is expired.", ErrorClass::Final),
        (405, "OTSMethodNotAllowed", "", ErrorClass::Final),
        (408, "OTSRequestTimeout", "Request timeout.", ErrorClass::Final),
        (413, "OTSRequestBodyTooLarge", "", ErrorClass::Final),
        (403, "OTSConditionCheckFail", "Condition check failed.", ErrorClass::Final),
        (404, "OTSObjectNotExist", "Requested table does not exist.", ErrorClass::Final),
        (409, "OTSObjectAlreadyExist", "", ErrorClass::Final),
        (404, "OTSTableNotReady", "The table is not ready.", ErrorClass::Refused),
        (409, "OTSRowOperationConflict", "", ErrorClass::Refused),
        (409, "OTSOperationConflict", "", ErrorClass::Refused),
        (403, "OTSQuotaExhausted", "Too frequent table operations.", ErrorClass::Throttled),
        (403, "OTSQuotaExhausted", "Number of tables exceeded the quota.", ErrorClass::Final),
        (403, "OTSNotEnoughCapacityUnit", "", ErrorClass::Throttled),
        (403, "OTSCapacityUnitExhausted", "", ErrorClass::Throttled),
        (403, "OTSTooFrequentReservedThroughputAdjustment", "", ErrorClass::Final),
        (429, "OTSFlowControl", "The requests have been throttled.", ErrorClass::Throttled),
        (400, "OTSOperationThrottled", "", ErrorClass::Throttled),
        (503, "OTSServerBusy", "Server is busy.", ErrorClass::Throttled),
        (503, "OTSStorageServerBusy", "", ErrorClass::Throttled),
        (503, "OTSPartitionUnavailable", "", ErrorClass::Refused),
        (503, "OTSTimeout", "Operation timeout.", ErrorClass::Unknown),
        (503, "OTSServerUnavailable", "Server is not available.", ErrorClass::Unknown),
        (500, "OTSInternalServerError", "Internal server error.", ErrorClass::Unknown),
        (400, "OTSSessionNotExist", "", ErrorClass::Final),
        (400, "OTSSessionBusy", "", ErrorClass::Final),
        (400, "OTSOutOfTransactionDataSizeLimit", "", ErrorClass::Final),
        (400, "OTSDataOutOfRange", "", ErrorClass::Final),
        (503, "OTSTunnelServerUnavailable", "", ErrorClass::Unknown),
        (400, "OTSTunnelExpired", "", ErrorClass::Final),
        (500, "OTSOfNextYear", "", ErrorClass::Unknown),
        (404, "OTSOfNextYear", "", ErrorClass::Final),
        (200, "OTSOfNextYear", "", ErrorClass::Final),
        (400, "OTSServerSessionExpired", "", ErrorClass::Final),
    ];

    fn refusal(status: u16, code: &str, message: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::service(ErrorCode::from(code), status, message, "id-1")
    }

    #[test]
    fn every_code_has_its_class() {
        for (status, code, message, class) in CLASSES {
            let error = refusal(status, code, message);
            assert_eq!(
                error.as_service().unwrap().class(),
                class,
                "{status} {code} {message}"
            );
            assert_eq!(error.is_retryable(), class != ErrorClass::Final);
        }
        for code in ErrorCode::ALL {
            let listed = CLASSES.iter().any(|(_, listed, ..)| listed == code);
            assert!(listed, "{code} is in no case");
        }
    }

    #[test]
    fn codes_keep_their_spelling_known_or_not() {
        for (_, code, ..) in CLASSES {
            let spelled = match code {
                // The spelling of one SDK's documentation is taken for the service's own.
                "OTSServerSessionExpired" => "OTSSessionExpired",
                code => code,
            };
            assert_eq!(ErrorCode::from(code).as_str(), spelled);
        }
        let other = ErrorCode::from("OTSOfNextYear");
        assert_eq!(other, ErrorCode::Other("OTSOfNextYear".to_owned()));
    }

    #[test]
    fn the_text_grows_with_what_is_known_and_says_nothing_twice() {
        let error = refusal(503, "OTSServerBusy", "Server is busy.");
        let text = "OTSServerBusy, HTTP 503: Server is busy. (request id id-1)";
        assert_eq!(error.to_string(), text);

        let error = error.with_call("GetRange", 1, Duration::from_millis(20));
        assert_eq!(error.to_string(), format!("GetRange failed: {text}"));

        let error = error.with_instance("shop");
        assert_eq!(
            error.to_string(),
            format!("GetRange on instance \"shop\" failed: {text}")
        );

        let error = error.with_table(Some("orders".to_owned()));
        let place = "GetRange on table \"orders\" of instance \"shop\" failed";
        assert_eq!(error.to_string(), format!("{place}: {text}"));
    }

    #[test]
    fn the_innermost_context_is_kept() {
        let error = Error::body("no such tag").with_request_id("first".to_owned());
        let error = error.with_call("GetRow", 2, Duration::from_secs(3));
        let error = error.with_call("Search", 1, Duration::ZERO);
        let error = error
            .with_request_id("second".to_owned())
            .with_instance("a")
            .with_instance("b");
        assert_eq!(
            error.to_string(),
            "GetRow on instance \"a\" failed after 2 attempts in 3.00 s: the response's body can't \
             be decoded (request id first)"
        );
        assert_eq!(error.source().unwrap().to_string(), "no such tag");
    }

    #[test]
    fn a_row_of_a_batch_has_no_status_to_show() {
        let error = refusal(200, "OTSConditionCheckFail", "Condition check failed.");
        let text = "OTSConditionCheckFail: Condition check failed. (request id id-1)";
        assert_eq!(error.to_string(), text);
        let bare = Error::service(ErrorCode::ServerBusy, StatusCode::OK, "", "");
        assert_eq!(bare.to_string(), "OTSServerBusy");
    }

    #[test]
    fn a_wrong_request_says_its_own_sentence_only() {
        let error =
            Error::request("GetRow on table \"t\": no key").with_table(Some("t".to_owned()));
        let error = error
            .with_call("GetRow", 0, Duration::ZERO)
            .with_instance("shop");
        assert_eq!(error.to_string(), "GetRow on table \"t\": no key");
        assert!(!error.is_retryable());
    }

    #[test]
    fn every_problem_of_a_response_is_told_in_full() {
        let cases = [
            (
                ResponseProblem::NotFromService {
                    status: StatusCode::BAD_GATEWAY,
                },
                true,
                "HTTP 502 without x-ots-requestid: answered by something in front of Tablestore, not \
                 by Tablestore",
            ),
            (
                ResponseProblem::NotFromService {
                    status: StatusCode::OK,
                },
                false,
                "HTTP 200 without x-ots-requestid: answered by something in front of Tablestore, not \
                 by Tablestore",
            ),
            (
                ResponseProblem::MissingHeader {
                    name: "authorization",
                },
                false,
                "the response has no authorization header",
            ),
            (
                ResponseProblem::Date {
                    received: "then".to_owned(),
                },
                false,
                "the response is dated \"then\", not within 15 minutes of this computer's clock",
            ),
            (
                ResponseProblem::BodyDigest,
                true,
                "the MD5 of the response's body differs from x-ots-contentmd5",
            ),
            (
                ResponseProblem::Signature,
                false,
                "the response's signature is not by this access key: the secret is wrong, or the \
                 response is not from Tablestore",
            ),
            (
                ResponseProblem::Body,
                true,
                "the response's body can't be decoded",
            ),
            (
                ResponseProblem::Compressed {
                    algorithm: "deflate".to_owned(),
                },
                false,
                "the response is compressed (deflate), which was not asked for",
            ),
            (
                ResponseProblem::Moved {
                    location: "https://there".to_owned(),
                },
                false,
                "the endpoint has moved to https://there",
            ),
            (
                ResponseProblem::RowCut,
                false,
                "the row is too wide for a batch and was cut: read it with GetRow",
            ),
        ];
        for (problem, is_retryable, text) in cases {
            let error = Error::response(problem);
            assert_eq!(
                (error.is_retryable(), error.to_string().as_str()),
                (is_retryable, text)
            );
        }
    }
}
