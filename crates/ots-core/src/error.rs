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
    call: Option<CallContext>,
    source: Option<Box<dyn StdError + Send + Sync>>,
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
}

/// Which call failed, and after how much trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallContext {
    pub(crate) operation: &'static str,
    pub(crate) instance: String,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            call: None,
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

    pub(crate) fn with_call(mut self, call: CallContext) -> Self {
        self.0.call = Some(call);
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
        self.as_service().map(|error| error.request_id.as_str())
    }

    /// The failure below the service: whether the service could have seen the request.
    #[must_use]
    pub fn as_transport(&self) -> Option<&TransportError> {
        self.source()?.downcast_ref()
    }

    /// The operation that was called.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.call.as_ref().map(|call| call.operation)
    }

    /// How often the request was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.call.as_ref().map_or(0, |call| call.attempts)
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
            | Self::Moved { .. } => false,
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
            .field("call", &self.0.call)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(call) = &self.0.call {
            write!(
                f,
                "{} on instance {:?} failed",
                call.operation, call.instance
            )?;
            if call.attempts > 1 {
                let seconds = call.elapsed.as_secs_f64();
                write!(f, " after {} attempts in {seconds:.2} s", call.attempts)?;
            }
            f.write_str(": ")?;
        }
        self.0.kind.fmt(f)
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
        write!(f, "{}, HTTP {}", self.code, self.status.as_u16())?;
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
