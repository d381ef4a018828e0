//! What can be wrong with an answer.

use std::fmt;

use http::StatusCode;

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
    /// It is compressed, as we asked, and can't be inflated. The decoder's error is the source.
    Inflate,
    /// It would be longer than the client takes, once inflated.
    InflatedTooLarge {
        /// The client's limit.
        limit_bytes: usize,
    },
    /// The endpoint has moved.
    Moved {
        /// Where to.
        location: String,
    },
    /// The row is too wide for one answer, and only its beginning came.
    RowCut,
}

impl ResponseProblem {
    /// Whether asking again may give a better answer: damage on the way does, a wrong key doesn't.
    #[must_use]
    pub fn may_be_transient(&self) -> bool {
        match self {
            Self::NotFromService { status } => status.is_server_error() || self.is_throttling(),
            Self::BodyDigest | Self::Body | Self::Inflate => true,
            Self::MissingHeader { .. }
            | Self::Date { .. }
            | Self::Signature
            | Self::Compressed { .. }
            | Self::InflatedTooLarge { .. }
            | Self::Moved { .. }
            | Self::RowCut => false,
        }
    }

    /// Whether something in front of the service asks for less load.
    pub(crate) fn is_throttling(&self) -> bool {
        matches!(self, Self::NotFromService { status } if *status == StatusCode::TOO_MANY_REQUESTS)
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
            Self::Inflate => f.write_str("the response's body can't be inflated"),
            Self::InflatedTooLarge { limit_bytes } => write!(
                f,
                "the response's body is longer than {limit_bytes} bytes when inflated"
            ),
            Self::Moved { location } => write!(f, "the endpoint has moved to {location}"),
            Self::RowCut => f.write_str(
                "the row is too wide for one answer and was cut: read it in parts with GetRow",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

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
                ResponseProblem::NotFromService {
                    status: StatusCode::TOO_MANY_REQUESTS,
                },
                true,
                "HTTP 429 without x-ots-requestid: answered by something in front of Tablestore, not \
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
                ResponseProblem::Inflate,
                true,
                "the response's body can't be inflated",
            ),
            (
                ResponseProblem::InflatedTooLarge { limit_bytes: 5 },
                false,
                "the response's body is longer than 5 bytes when inflated",
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
                "the row is too wide for one answer and was cut: read it in parts with GetRow",
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
