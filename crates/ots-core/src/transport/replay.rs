//! A transport that answers from a recording.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};

use super::recording::{Exchange, Key, Outcome};
use super::{Delivery, Transport, TransportError};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::sign::SigningKey;

/// Answers requests from a recording by [`Recorder`](super::Recorder): those of the same operation and
/// the same body, in the order in which they were answered then. A request that was not recorded, or
/// once more than it was, fails without being sent.
///
/// Nothing is taken on trust: the client checks these answers as all others. A recording has no
/// signatures, and its dates are old; so an answer is given the date of the request, and signed with
/// the credentials that the client signs requests with. Those can be any. Answers that came unsigned
/// stay so, and the MD5 of a body is the recorded one.
///
/// ```
/// # fn main() -> Result<(), ots_core::Error> {
/// use ots_core::transport::Replay;
/// use ots_core::{Client, Credentials};
///
/// let credentials = Credentials::new("any", "thing");
/// let client = Client::builder("http://replay")
///     .instance("shop")
///     .transport(Replay::parse("", credentials.clone())?)
///     .credentials(credentials)
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub struct Replay {
    credentials: Credentials,
    exchanges: Mutex<HashMap<Key, Answers>>,
}

#[derive(Default)]
struct Answers {
    left: VecDeque<Outcome>,
    given: usize,
}

impl Replay {
    /// The recording in this file.
    ///
    /// # Errors
    /// When it can't be read, or a line is no exchange.
    pub fn open(path: impl AsRef<Path>, credentials: Credentials) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| {
            let text = format!("the recording {} can't be read", path.display());
            Error::configuration(text).with_source(source)
        })?;
        Self::parse(&text, credentials)
    }

    /// The recording in this text.
    ///
    /// # Errors
    /// When a line is no exchange; the error names it.
    pub fn parse(text: &str, credentials: Credentials) -> Result<Self, Error> {
        let mut exchanges: HashMap<Key, Answers> = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let exchange = Exchange::from_line(line).map_err(|problem| {
                let number = number + 1;
                Error::configuration(format!("line {number} of the recording: {problem}"))
            })?;
            let answers = exchanges.entry(exchange.key).or_default();
            answers.left.push_back(exchange.outcome);
        }
        Ok(Self {
            credentials,
            exchanges: Mutex::new(exchanges),
        })
    }

    /// How many recorded exchanges nobody has asked for yet.
    pub fn exchanges_left(&self) -> usize {
        let exchanges = self
            .exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        exchanges.values().map(|answers| answers.left.len()).sum()
    }

    fn next(&self, key: &Key) -> Result<Outcome, TransportError> {
        let operation = &key.operation;
        let mut exchanges = self
            .exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(answers) = exchanges.get_mut(key) else {
            let md5 = &key.body_md5;
            let text = format!("the recording has no {operation} with a body of MD5 {md5}");
            return Err(TransportError::not_sent(text).permanent());
        };
        let Some(outcome) = answers.left.pop_front() else {
            let given = answers.given;
            let text = format!("the recording has this {operation} {given} times, not once more");
            return Err(TransportError::not_sent(text).permanent());
        };
        answers.given += 1;
        Ok(outcome)
    }

    /// The headers of an answer as the service would send them now, to this request.
    fn sign(
        &self,
        headers: &mut HeaderMap,
        request: &Request<Bytes>,
        operation: &str,
    ) -> Option<()> {
        let asked = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        headers.insert("x-ots-date", request.headers().get("x-ots-date")?.clone());
        let secret = self.credentials.secret();
        let key = match (asked("x-ots-signdate"), asked("x-ots-signregion")) {
            (Some(date), Some(region)) => SigningKey::v4(secret, date, region),
            _ => SigningKey::v2(secret),
        };
        let signed = headers.iter().filter_map(|(name, value)| {
            Some((name.as_str(), str::from_utf8(value.as_bytes()).ok()?))
        });
        let signature = key.sign_response(operation, signed);
        let value = format!("OTS {}:{signature}", self.credentials.id());
        headers.insert(
            http::header::AUTHORIZATION,
            HeaderValue::from_str(&value).ok()?,
        );
        Some(())
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("exchanges_left", &self.exchanges_left())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Replay {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let key = Key::of(&request);
        match self.next(&key)? {
            Outcome::Answer {
                status,
                mut headers,
                is_signed,
                body,
            } => {
                if is_signed && self.sign(&mut headers, &request, &key.operation).is_none() {
                    let text =
                        "the request has no x-ots-date, or the credentials' id fits no header";
                    return Err(TransportError::not_sent(text).permanent());
                }
                let mut answer = Response::new(body);
                *answer.status_mut() = status;
                *answer.headers_mut() = headers;
                Ok(answer)
            }
            Outcome::Failure {
                delivery,
                is_permanent,
                is_timeout,
                cause,
            } => {
                let mut error = match delivery {
                    Delivery::NotSent => TransportError::not_sent(cause),
                    Delivery::Unknown => TransportError::unknown(cause),
                };
                if is_permanent {
                    error = error.permanent();
                }
                if is_timeout {
                    error = error.timed_out();
                }
                Err(error)
            }
        }
    }
}
