//! Refusals: the service's error codes, and what to do about each.

use std::fmt;

use http::StatusCode;
use ots_proto::messages;

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
    /// Which policy denied access, where the service says so.
    pub access_denied: Option<Box<AccessDenied>>,
}

/// Which policy denied access, and to whom.
///
/// Source: the service's SDK for Java, which alone has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessDenied {
    /// The action that was denied, as in `ots:GetRow`.
    pub action: String,
    /// What kind of principal asked, as in `SubUser`.
    pub principal_type: String,
    /// The account that it belongs to.
    pub principal_owner_id: String,
    /// Its name or id.
    pub principal_name: String,
    /// The type of the policy that decided.
    pub policy_type: String,
    /// Whether it denies, or nothing allows: `ExplicitDeny` or `ImplicitDeny`.
    pub no_permission_type: String,
    /// An opaque text, for the diagnosis tool of the access service.
    pub diagnostic_message: Option<String>,
}

impl From<messages::AccessDeniedDetail> for AccessDenied {
    fn from(detail: messages::AccessDeniedDetail) -> Self {
        Self {
            action: detail.auth_action,
            principal_type: detail.auth_principal_type,
            principal_owner_id: detail.auth_principal_owner_id,
            principal_name: detail.auth_principal_display_name,
            policy_type: detail.policy_type,
            no_permission_type: detail.no_permission_type,
            diagnostic_message: detail.encoded_diagnostic_message,
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
            ErrorCode::QuotaExhausted if self.message.starts_with(TOO_FREQUENT) => Throttled,
            // A request that took too long to arrive surely didn't run, by the sound of it. The SDKs'
            // bulk writers alone repeat it, so it is believed for what may run twice.
            ErrorCode::RequestTimeout
            | ErrorCode::Timeout
            | ErrorCode::ServerUnavailable
            | ErrorCode::InternalServerError => Unknown,
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

/// How the sentence begins: `Too frequent table operations.`
const TOO_FREQUENT: &str = "Too frequent";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::error::Error;
    use crate::limiter::Outcome;

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
        (408, "OTSRequestTimeout", "Request timeout.", ErrorClass::Unknown),
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

    /// The codes by which the service asks for less load, alone and in a row of a batch, where there is
    /// no status: each halves what a limiter lets through.
    #[test]
    fn every_code_that_throttles_is_told_as_throttling() {
        let mut throttling = BTreeSet::new();
        for (status, code, message, class) in CLASSES {
            let throttles = class == ErrorClass::Throttled;
            for status in [status, 200] {
                let error = refusal(status, code, message);
                assert_eq!(
                    error.is_throttling(),
                    throttles,
                    "{status} {code} {message}"
                );
                let outcome = Outcome::of::<()>(&Err(error));
                assert_eq!(outcome == Outcome::Throttled, throttles, "{status} {code}");
            }
            if throttles {
                throttling.insert(code);
            }
        }
        let expected = [
            "OTSCapacityUnitExhausted",
            "OTSFlowControl",
            "OTSNotEnoughCapacityUnit",
            "OTSOperationThrottled",
            "OTSQuotaExhausted",
            "OTSServerBusy",
            "OTSStorageServerBusy",
        ];
        assert!(throttling.iter().eq(&expected), "{throttling:?}");
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
    fn a_row_of_a_batch_has_no_status_to_show() {
        let error = refusal(200, "OTSConditionCheckFail", "Condition check failed.");
        let text = "OTSConditionCheckFail: Condition check failed. (request id id-1)";
        assert_eq!(error.to_string(), text);
        let bare = Error::service(ErrorCode::ServerBusy, StatusCode::OK, "", "");
        assert_eq!(bare.to_string(), "OTSServerBusy");
    }
}
