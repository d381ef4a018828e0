//! A recording: one exchange a line, as JSON, without anything that could be used again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::{Delivery, TransportError};
use crate::sign;

/// What a recording knows of one request and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exchange {
    pub(super) key: Key,
    pub(super) request_body: Bytes,
    pub(super) outcome: Outcome,
}

/// What makes two requests the same: the operation, and the body by its MD5. The date, the signature
/// and who asks don't.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) operation: String,
    pub(super) body_md5: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Answer {
        status: StatusCode,
        headers: HeaderMap,
        is_signed: bool,
        body: Bytes,
    },
    Failure {
        delivery: Delivery,
        is_permanent: bool,
        is_timeout: bool,
        cause: String,
    },
}

impl Key {
    pub(super) fn of(request: &http::Request<Bytes>) -> Self {
        let operation = request.uri().path().trim_start_matches('/').to_owned();
        let body_md5 = sign::content_md5(request.body());
        Self {
            operation,
            body_md5,
        }
    }
}

impl Outcome {
    pub(super) fn of(outcome: &Result<http::Response<Bytes>, TransportError>) -> Self {
        match outcome {
            Ok(answer) => Self::Answer {
                status: answer.status(),
                headers: kept(answer.headers()),
                is_signed: answer.headers().contains_key(http::header::AUTHORIZATION),
                body: answer.body().clone(),
            },
            Err(error) => Self::Failure {
                delivery: error.delivery(),
                is_permanent: error.is_permanent(),
                is_timeout: error.is_timeout(),
                cause: cause(error),
            },
        }
    }

    /// Nobody waited for the answer any more.
    pub(super) fn abandoned() -> Self {
        Self::Failure {
            delivery: Delivery::Unknown,
            is_permanent: false,
            is_timeout: true,
            cause: "the request was abandoned before its answer came".to_owned(),
        }
    }
}

/// The headers worth keeping, named one by one, so that a new secret isn't kept because nobody thought
/// of it. Signatures are made anew when the recording is played.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let kept = headers
        .iter()
        .filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

const KEPT_HEADERS: [&str; 9] = [
    "content-type",
    "location",
    "x-ots-contentmd5",
    "x-ots-contenttype",
    "x-ots-date",
    "x-ots-requestid",
    "x-ots-response-compress-size",
    "x-ots-response-compress-type",
    "x-ots-traceinfo",
];

/// The innermost cause: why.
fn cause(error: &TransportError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl Exchange {
    /// As one line.
    pub(super) fn to_line(&self) -> String {
        let outcome = match &self.outcome {
            Outcome::Answer {
                status,
                headers,
                is_signed,
                body,
            } => {
                let headers: Map<String, Value> = headers
                    .iter()
                    .map(|(name, value)| {
                        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                        (name.as_str().to_owned(), value.into())
                    })
                    .collect();
                (
                    "answer",
                    json!({
                        "status": status.as_u16(),
                        "headers": headers,
                        "signed": is_signed,
                        "body": STANDARD.encode(body),
                    }),
                )
            }
            Outcome::Failure {
                delivery,
                is_permanent,
                is_timeout,
                cause,
            } => (
                "failure",
                json!({
                    "delivery": delivery_name(*delivery),
                    "permanent": is_permanent,
                    "timeout": is_timeout,
                    "cause": cause,
                }),
            ),
        };
        let mut line = json!({
            "operation": self.key.operation,
            "request": {
                "md5": self.key.body_md5,
                "body": STANDARD.encode(&self.request_body),
            },
        });
        if let Some(fields) = line.as_object_mut() {
            fields.insert(outcome.0.to_owned(), outcome.1);
        }
        line.to_string()
    }

    /// From one line.
    pub(super) fn from_line(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let request = field(&value, "request")?;
        let request_body = body(request)?;
        let key = Key {
            operation: text(&value, "operation")?.to_owned(),
            body_md5: text(request, "md5")?.to_owned(),
        };
        if sign::content_md5(&request_body) != key.body_md5 {
            return Err("the request's md5 is not that of its body".to_owned());
        }
        let outcome = match value.get("answer") {
            Some(answer) => {
                let status = field(answer, "status")?.as_u64();
                let status =
                    status.and_then(|status| StatusCode::from_u16(status.try_into().ok()?).ok());
                let headers = field(answer, "headers")?.as_object();
                let headers = headers
                    .ok_or("headers is no object")?
                    .iter()
                    .map(|(name, value)| {
                        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                        Some((name, HeaderValue::from_str(value.as_str()?).ok()?))
                    });
                Outcome::Answer {
                    status: status.ok_or("status is no HTTP status")?,
                    headers: headers.collect::<Option<_>>().ok_or("a header is none")?,
                    is_signed: flag(answer, "signed")?,
                    body: body(answer)?,
                }
            }
            None => {
                let failure = field(&value, "failure")?;
                let delivery = text(failure, "delivery")?;
                let known = [Delivery::NotSent, Delivery::Unknown].into_iter();
                let mut known = known.filter(|known| delivery_name(*known) == delivery);
                Outcome::Failure {
                    delivery: known
                        .next()
                        .ok_or("delivery is neither not_sent nor unknown")?,
                    is_permanent: flag(failure, "permanent")?,
                    is_timeout: flag(failure, "timeout")?,
                    cause: text(failure, "cause")?.to_owned(),
                }
            }
        };
        Ok(Self {
            key,
            request_body,
            outcome,
        })
    }
}

const fn delivery_name(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::NotSent => "not_sent",
        Delivery::Unknown => "unknown",
    }
}

fn field<'a>(value: &'a Value, name: &str) -> Result<&'a Value, String> {
    value.get(name).ok_or_else(|| format!("{name} is missing"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    let text = field(value, name)?.as_str();
    text.ok_or_else(|| format!("{name} is no text"))
}

fn flag(value: &Value, name: &str) -> Result<bool, String> {
    let flag = field(value, name)?.as_bool();
    flag.ok_or_else(|| format!("{name} is neither true nor false"))
}

fn body(value: &Value) -> Result<Bytes, String> {
    let body = STANDARD.decode(text(value, "body")?);
    body.map(Into::into)
        .map_err(|_| "body is no base64".to_owned())
}
