//! An HTTP response becomes a body that can be trusted, or an error.
//!
//! The order matters: first whether the service answered at all, then whether the answer is whole
//! and by the owner of the key, and only then what it says. A refusal is believed without a
//! signature where the service can't sign: for a key it doesn't know. But the client's idea of the
//! time follows such a refusal only if it is signed after all, or came over TLS.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use ots_proto::messages;
use prost::Message as _;

use crate::compression::Codec;
use crate::date;
use crate::error::{Error, ErrorCode, ResponseProblem};
use crate::sign::{self, SigningKey};
use crate::skew;

/// What is checked of every response.
///
/// The request id, the date and the signature are always checked, and so is the MD5 of bodies up to
/// 16 KiB: all that costs microseconds. The MD5 of a larger body costs about 1.5 ms a megabyte, more
/// than everything else that happens to a page. Over plain HTTP nothing else protects the body; over
/// TLS the connection does, up to whatever ends it. The signature covers the headers alone, so where
/// something between you and the service ends TLS, choose [`Full`](Self::Full). Checksums of rows are
/// verified when they are read, in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// The MD5 of the body over `http://`; over `https://` of small bodies only, and of those whose end
    /// no header states.
    #[default]
    Automatic,
    /// The MD5 of the body always.
    Full,
    /// The MD5 of small bodies only.
    HeadersOnly,
}

impl Verification {
    const fn checks_body(self, is_tls: bool, is_framed: bool) -> bool {
        match self {
            Self::Automatic => !(is_tls && is_framed),
            Self::Full => true,
            Self::HeadersOnly => false,
        }
    }
}

/// What a response is checked against.
pub(crate) struct Expected<'a> {
    pub(crate) operation: &'static str,
    pub(crate) key_id: &'a str,
    pub(crate) key: &'a SigningKey,
    pub(crate) now: SystemTime,
    pub(crate) is_tls: bool,
    pub(crate) verification: Verification,
    pub(crate) codec: Codec,
}

/// A response that passed every check.
#[derive(Debug)]
pub(crate) struct Trusted {
    pub(crate) body: Bytes,
    pub(crate) request_id: String,
}

/// A body that costs less to check than the signature does is checked whatever the policy. So a body
/// that something on the way has emptied never looks like the end of a range.
const SMALL_BODY_BYTES: usize = 16 * 1024;

/// A refusal is a code and a sentence, and may come unsigned: nothing longer is inflated for one.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// How far the service's clock and ours may differ.
pub(crate) const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// Checks a response.
pub(crate) fn check(response: Response<Bytes>, expected: &Expected<'_>) -> Result<Trusted, Error> {
    let (parts, body) = response.into_parts();
    let (status, headers) = (parts.status, &parts.headers);

    if status == StatusCode::MOVED_PERMANENTLY
        && let Some(location) = header(headers, "location")
    {
        let location = location.to_owned();
        return Err(Error::response(ResponseProblem::Moved { location }));
    }
    let Some(request_id) = header(headers, "x-ots-requestid").map(str::to_owned) else {
        return Err(Error::response(ResponseProblem::NotFromService { status }));
    };
    match check_answer(status, headers, body, expected, &request_id) {
        Ok(body) => Ok(Trusted { body, request_id }),
        Err(error) => Err(error.with_request_id(request_id)),
    }
}

/// Checks what the service itself answered, and gives its body, inflated if it was compressed.
fn check_answer(
    status: StatusCode,
    headers: &HeaderMap,
    received: Bytes,
    expected: &Expected<'_>,
    request_id: &str,
) -> Result<Bytes, Error> {
    let algorithm = header(headers, "x-ots-response-compress-type");
    let inflated = |limit_bytes| match algorithm {
        None => Ok(received.clone()),
        Some(algorithm) => {
            let stated = header(headers, "x-ots-response-compress-size");
            let codec = expected.codec;
            codec.inflate(algorithm, stated, &received, limit_bytes)
        }
    };
    if status.is_success() {
        // Not of a refusal: that our clock is wrong must reach the caller as the service says it.
        check_date(headers, expected.now)?;
        if algorithm.is_some() {
            // Before it is inflated: only the owner of the key may make us do such work.
            check_signature(headers, expected, true)?;
        }
        let body = inflated(usize::MAX)?;
        let is_framed = is_framed(headers, received.len());
        let check_body = body.len() <= SMALL_BODY_BYTES
            || (expected.verification).checks_body(expected.is_tls, is_framed);
        check_digest(headers, &received, &body, check_body)?;
        if algorithm.is_none() {
            check_signature(headers, expected, true)?;
        }
        return Ok(body);
    }

    let body = inflated(MAX_REFUSAL_BYTES)?;
    let refusal = refusal(status, &body, request_id);
    // The service can't sign for a key or a secret that it doesn't know.
    let unsigned = refusal.code() == Some(&ErrorCode::AuthFailed);
    // Errors are small: their digest is always worth checking.
    let trusted = check_digest(
        headers,
        &received,
        &body,
        headers.contains_key("x-ots-contentmd5"),
    )
    .and_then(|()| check_signature(headers, expected, false));
    if !unsigned {
        trusted?;
        return Err(refusal);
    }
    let believed = trusted.is_ok() && (expected.is_tls || headers.contains_key("authorization"));
    Err(match service_date(headers, &refusal) {
        Some(date) if believed => refusal.with_service_date(date),
        _ => refusal,
    })
}

/// Whether HTTP itself says where the body ends, and it ended there. What merely stops when the connection
/// does may be the beginning of an answer: TLS protects what comes, not what doesn't.
fn is_framed(headers: &HeaderMap, received_bytes: usize) -> bool {
    match header(headers, "content-length") {
        Some(stated) => stated.parse() == Ok(received_bytes),
        None => header(headers, "transfer-encoding")
            .is_some_and(|encodings| encodings.to_ascii_lowercase().ends_with("chunked")),
    }
}

/// The service's time, where it refuses a request because of its date.
fn service_date(headers: &HeaderMap, refusal: &Error) -> Option<SystemTime> {
    let message = &refusal.as_service()?.message;
    // Its sentence begins "Mismatch between system time and x-ots-date"; sentences get reworded.
    let about_dates = message.contains("x-ots-date");
    about_dates
        .then(|| header(headers, "x-ots-date"))
        .flatten()
        .and_then(date::parse)
}

fn check_date(headers: &HeaderMap, now: SystemTime) -> Result<(), Error> {
    let Some(received) = header(headers, "x-ots-date") else {
        return Err(missing("x-ots-date"));
    };
    let skew = date::parse(received).map(|theirs| skew::distance(now, theirs));
    if skew.is_some_and(|skew| skew <= MAX_SKEW) {
        return Ok(());
    }
    let received = received.to_owned();
    Err(Error::response(ResponseProblem::Date { received }))
}

/// Compares the MD5 of a body. Nobody says whether that of a compressed one is of the bytes that travel
/// or of those that were compressed: of requests it is the former, the official Java SDK compares the
/// latter. Either ties the body to the key.
fn check_digest(
    headers: &HeaderMap,
    received: &[u8],
    inflated: &[u8],
    compare: bool,
) -> Result<(), Error> {
    let is_of = |stated: &str| {
        let is_compressed = received.as_ptr() != inflated.as_ptr();
        stated == sign::content_md5(received)
            || (is_compressed && stated == sign::content_md5(inflated))
    };
    match header(headers, "x-ots-contentmd5") {
        Some(stated) if compare && !is_of(stated) => {
            Err(Error::response(ResponseProblem::BodyDigest))
        }
        None if compare => Err(missing("x-ots-contentmd5")),
        _ => Ok(()),
    }
}

fn check_signature(
    headers: &HeaderMap,
    expected: &Expected<'_>,
    required: bool,
) -> Result<(), Error> {
    let Some(authorization) = header(headers, "authorization") else {
        return if required {
            Err(missing("authorization"))
        } else {
            Ok(())
        };
    };
    let by_us = authorization
        .strip_prefix("OTS ")
        .and_then(|rest| rest.rsplit_once(':'));
    let valid = by_us.is_some_and(|(id, signature)| {
        let headers = headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), text(value)?)));
        id == expected.key_id && (expected.key).verifies(expected.operation, headers, signature)
    });
    if valid {
        Ok(())
    } else {
        Err(Error::response(ResponseProblem::Signature))
    }
}

/// What a response with an error status says.
fn refusal(status: StatusCode, body: &Bytes, request_id: &str) -> Error {
    match messages::Error::decode(body.clone()) {
        Ok(error) if !error.code.is_empty() => Error::refusal(error, status, request_id),
        _ => {
            let code = if status.is_server_error() {
                ErrorCode::ServerUnavailable
            } else {
                ErrorCode::Other("unknown error".to_owned())
            };
            let message = "the body of the error can't be decoded";
            Error::service(code, status, message, request_id)
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(text)
}

/// A header's value. `HeaderValue::to_str` takes ASCII only, but the service signs whatever it sends,
/// so a trace with a name in Chinese must not break the signature.
fn text(value: &HeaderValue) -> Option<&str> {
    str::from_utf8(value.as_bytes()).ok()
}

fn missing(name: &'static str) -> Error {
    Error::response(ResponseProblem::MissingHeader { name })
}
