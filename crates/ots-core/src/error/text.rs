//! What a failure says: what was asked, how often it was tried, what came back.

use std::fmt;

use super::{Error, ErrorKind, Inner};

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
            if context.is_out_of_budget {
                f.write_str(" with no retries left in the client's budget")?;
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
            Self::Closed => f.write_str("the client is closed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::refusal;
    use super::*;

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
    fn a_wrong_request_says_its_own_sentence_only() {
        let error =
            Error::request("GetRow on table \"t\": no key").with_table(Some("t".to_owned()));
        let error = error
            .with_call("GetRow", 0, Duration::ZERO)
            .with_instance("shop");
        assert_eq!(error.to_string(), "GetRow on table \"t\": no key");
        assert!(!error.is_retryable());
    }
}
