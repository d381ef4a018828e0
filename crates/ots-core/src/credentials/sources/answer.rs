//! What servers of credentials answer.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::Value;

use crate::credentials::Credentials;
use crate::date;
use crate::error::Error;
use crate::transport::{Transport, TransportError};

/// Sends a request, and waits for as long as its party may take.
pub(super) async fn send(
    transport: &dyn Transport,
    request: Result<Request<Bytes>, http::Error>,
    who: &str,
    timeout: Duration,
) -> Result<Response<Bytes>, Error> {
    // Not with the cause: it may repeat what isn't for everybody's eyes.
    let request = request
        .map_err(|_| Error::configuration(format!("{who}: its address or a header isn't valid")))?;
    match tokio::time::timeout(timeout, transport.send(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Error::transport(TransportError::not_sent(Unreachable {
            who: who.to_owned(),
            source: error,
        }))),
        Err(_) => Err(passing(format!(
            "{who}: no answer within {} s",
            timeout.as_secs_f64()
        ))),
    }
}

/// A failure that may be over in a second. Nothing was sent to the service itself.
pub(super) fn passing(problem: String) -> Error {
    Error::transport(TransportError::not_sent(problem))
}

/// What an answer other than 200 means: the server's trouble passes, ours doesn't.
pub(super) fn refused(who: &str, status: StatusCode, detail: &str) -> Error {
    let problem = format!("{who}: HTTP {}{detail}", status.as_u16());
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        passing(problem)
    } else {
        Error::configuration(problem)
    }
}

/// The JSON of an answer. The parser's own words are fit to show: a place, but nothing of the text.
pub(super) fn json(body: &[u8], who: &str) -> Result<Value, Error> {
    serde_json::from_slice(body).map_err(|error| {
        Error::configuration(format!(
            "{who}: not JSON, line {} column {}",
            error.line(),
            error.column()
        ))
    })
}

/// The key in a JSON object, under the names that servers use. Nothing of a value is ever shown.
pub(super) fn temporary_key(object: &Value, who: &str) -> Result<Credentials, Error> {
    let code = object.get("Code").and_then(Value::as_str);
    if let Some(code) = code.filter(|code| *code != "Success") {
        let code = plain(code);
        return Err(Error::configuration(format!(
            "{who}: answered with the code {code}"
        )));
    }
    let text = |name| {
        let value = object.get(name).and_then(Value::as_str);
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Error::configuration(format!("{who}: answered without {name}")))
    };
    let expiry = date::parse(text("Expiration")?)
        .ok_or_else(|| Error::configuration(format!("{who}: Expiration isn't a date")))?;
    let key = Credentials::new(text("AccessKeyId")?, text("AccessKeySecret")?);
    Ok(key
        .with_security_token(text("SecurityToken")?)
        .expiring_at(expiry))
}

/// A code or an id as servers make them, or nothing: whatever else is in its place isn't shown.
pub(super) fn plain(code: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if code.len() <= 64 && code.bytes().all(is_plain) {
        code
    } else {
        "(not shown)"
    }
}

/// A party that didn't answer.
#[derive(Debug)]
struct Unreachable {
    who: String,
    source: TransportError,
}

impl std::error::Error for Unreachable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: no answer", self.who)
    }
}
