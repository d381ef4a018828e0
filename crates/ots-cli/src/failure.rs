//! How a command ends when it doesn't succeed: one sentence for a person, one number for a script.

use std::error::Error as StdError;
use std::fmt;
use std::process::ExitCode;

use ots_core::{Error, ErrorClass, ErrorCode, ErrorKind, ResponseProblem};

use crate::console::one_line;

/// A command that failed: what was asked, where it stopped, what to do.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    /// What was asked, and where it stopped unless `stopped` says it.
    doing: String,
    /// Who was asked.
    endpoint: Option<String>,
    /// Where it stopped.
    stopped: Option<String>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    advice: Option<String>,
}

/// What a script sees. The numbers are part of the program's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new number is a change of the interface"
)]
pub enum Exit {
    /// Anything not below.
    Other = 1,
    /// The command line, a file given on it, or the configuration is wrong.
    Usage = 2,
    /// The key is wrong, or isn't allowed to do this.
    Access = 3,
    /// A table or an index doesn't exist.
    NotFound = 4,
    /// The service is unreachable, overloaded or throttling, after retries.
    Unavailable = 5,
    /// The session of a scan expired.
    SessionExpired = 6,
    /// Output can't be written.
    Output = 8,
    /// What was read isn't what was expected.
    Mismatch = 9,
    /// Ctrl-C.
    Interrupted = 130,
    /// A request to terminate.
    Terminated = 143,
}

impl Failure {
    /// A failure without a cause beneath it.
    pub fn new(exit: Exit, doing: impl Into<String>) -> Self {
        Self {
            exit,
            doing: doing.into(),
            endpoint: None,
            stopped: None,
            cause: None,
            advice: None,
        }
    }

    /// A failure of a call: the exit code and the advice follow from what the service said.
    pub fn of_call(doing: impl Into<String>, error: Error) -> Self {
        Self::like_call(doing, &error).because(error)
    }

    /// A failure that comes from a call, with its exit code and advice, for a cause that says more.
    pub fn like_call(doing: impl Into<String>, error: &Error) -> Self {
        let failure = Self::new(exit_of(error), doing);
        match advice_for(error) {
            Some(advice) => failure.advise(advice),
            None => failure,
        }
    }

    /// The same failure with its cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same failure with what to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The same failure with more to do about it.
    #[must_use]
    pub fn also_advise(self, advice: impl Into<String>) -> Self {
        let advice = match &self.advice {
            Some(first) => format!("{first}; {}", advice.into()),
            None => advice.into(),
        };
        self.advise(advice)
    }

    /// The same failure with the address of who answered, or didn't, where that may be the reason.
    #[must_use]
    pub fn at(mut self, endpoint: Option<&str>) -> Self {
        let may_be_the_reason =
            matches!(self.exit, Exit::Access | Exit::NotFound | Exit::Unavailable);
        if let Some(endpoint) = endpoint
            && may_be_the_reason
        {
            self.endpoint = Some(endpoint.to_owned());
            // What rustls says of an answer that isn't TLS.
            if endpoint.starts_with("https://") && self.to_string().contains("InvalidContentType") {
                return self.advise("what answers there doesn't speak TLS: try http://");
            }
        }
        self
    }

    /// The same failure with where it stopped, as in `stopped after 7 rows`.
    #[must_use]
    pub fn stopped(mut self, place: impl Into<String>) -> Self {
        self.stopped = Some(place.into());
        self
    }

    /// What a script sees.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// The sentence as one line, whatever others have put into it.
    #[must_use]
    pub fn line(&self) -> String {
        one_line(&self.to_string())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        if let Some(endpoint) = &self.endpoint {
            write!(f, " at {endpoint}")?;
        }
        if let Some(stopped) = &self.stopped {
            write!(f, " {stopped}")?;
        }
        let mut cause = self.cause.as_deref().map(|cause| cause as &dyn StdError);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        if let Some(advice) = &self.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

fn exit_of(error: &Error) -> Exit {
    match error.kind() {
        ErrorKind::Service(refusal) => match &refusal.code {
            ErrorCode::AuthFailed | ErrorCode::NoPermissionAccess | ErrorCode::PermissionDenied => {
                Exit::Access
            }
            ErrorCode::ObjectNotExist | ErrorCode::MetaNotMatch => Exit::NotFound,
            // Search operations report an absent table so.
            ErrorCode::ParameterInvalid if refusal.message.ends_with("does not exist") => {
                Exit::NotFound
            }
            ErrorCode::ParameterInvalid if is_invalid_name(&refusal.message) => Exit::Usage,
            ErrorCode::SessionExpired => Exit::SessionExpired,
            _ if refusal.class() != ErrorClass::Final => Exit::Unavailable,
            _ => Exit::Other,
        },
        ErrorKind::Transport => Exit::Unavailable,
        ErrorKind::Response(ResponseProblem::Signature) => Exit::Access,
        ErrorKind::Response(ResponseProblem::NotFromService { .. }) => Exit::Unavailable,
        ErrorKind::Request(_) | ErrorKind::Configuration(_) => Exit::Usage,
        _ => Exit::Other,
    }
}

/// `Invalid table name: '3t'.`
fn is_invalid_name(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.starts_with("invalid ") && message.contains(" name")
}

fn advice_for(error: &Error) -> Option<&'static str> {
    match exit_of(error) {
        Exit::NotFound if error.code() == Some(&ErrorCode::MetaNotMatch) => {
            Some("check the names, --instance and --endpoint; `ots load --index` makes indexes")
        }
        Exit::Access => Some(
            "check the access key in TABLESTORE_ACCESS_KEY_ID and TABLESTORE_ACCESS_KEY_SECRET, \
             and what it may do; `ots emulator` needs none unless it was given one",
        ),
        Exit::NotFound => {
            Some("check the names, --instance and --endpoint; `ots load --create` makes tables")
        }
        Exit::Unavailable => {
            Some("check --endpoint and the network, or try again later; `ots emulator` starts one")
        }
        Exit::SessionExpired => Some("run the command again: it starts with a new session"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    fn refusal(code: &str, status: u16, message: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::service(ErrorCode::from(code), status, message, "0005")
    }

    #[test]
    fn every_kind_of_refusal_has_its_exit_code() {
        let cases = [
            ("OTSAuthFailed", 403, "Signature mismatch.", Exit::Access),
            (
                "OTSObjectNotExist",
                404,
                "Requested table does not exist.",
                Exit::NotFound,
            ),
            (
                "OTSMetaNotMatch",
                400,
                "search index [i] does not exist",
                Exit::NotFound,
            ),
            (
                "OTSParameterInvalid",
                400,
                "table [t] does not exist",
                Exit::NotFound,
            ),
            (
                "OTSParameterInvalid",
                400,
                "The limit must be greater than 0.",
                Exit::Other,
            ),
            (
                "OTSParameterInvalid",
                400,
                "Invalid table name: '3t'.",
                Exit::Usage,
            ),
            ("OTSServerBusy", 503, "Server is busy.", Exit::Unavailable),
            ("OTSSomethingNew", 502, "", Exit::Unavailable),
            ("OTSSessionExpired", 400, "expired", Exit::SessionExpired),
            (
                "OTSConditionCheckFail",
                403,
                "Condition check failed.",
                Exit::Other,
            ),
        ];
        for (code, status, message, exit) in cases {
            assert_eq!(
                exit_of(&refusal(code, status, message)),
                exit,
                "{code} {message}"
            );
        }
    }

    #[test]
    fn what_is_not_there_is_what_the_advice_makes() {
        let table = refusal("OTSObjectNotExist", 404, "Requested table does not exist.");
        let index = refusal("OTSMetaNotMatch", 400, "search index [i] does not exist");
        assert!(advice_for(&table).unwrap().contains("ots load --create"));
        assert!(advice_for(&index).unwrap().contains("ots load --index"));
    }

    #[test]
    fn the_address_stands_before_where_it_stopped() {
        let failure = Failure::new(Exit::Unavailable, "load of f.csv into table \"t\"")
            .stopped("stopped after 200 rows; 400 more may be written")
            .at(Some("http://127.0.0.1:1"));
        assert_eq!(
            failure.to_string(),
            "load of f.csv into table \"t\" at http://127.0.0.1:1 stopped after 200 rows; 400 more \
             may be written"
        );
    }

    #[test]
    fn the_sentence_says_what_was_asked_why_it_failed_and_what_to_do() {
        let error = refusal("OTSObjectNotExist", 404, "Requested table does not exist.");
        let failure = Failure::of_call("export of index \"i\" of table \"t\"", error);
        assert_eq!(
            failure.to_string(),
            "export of index \"i\" of table \"t\": OTSObjectNotExist, HTTP 404: Requested table does \
             not exist. (request id 0005); check the names, --instance and --endpoint; `ots load \
             --create` makes tables"
        );
    }
}
