//! Answers as the service signs them, with code of their own: if client and test shared it, both
//! could be wrong alike.
#![allow(dead_code, reason = "each test uses a part")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderName, HeaderValue, Request, Response};
use md5::{Digest as _, Md5};
use ots_core::transport::Step;
use ots_core::{Client, ClientBuilder, Credentials, Error, ManualClock, Transport};
use ots_proto::messages;
use prost::Message;
use sha1::Sha1;

pub(crate) const ID: &str = "an-id";
pub(crate) const SECRET: &str = "a-secret";
pub(crate) const REQUEST_ID: &str = "0005aedd-5b9e-9b48-a5c1-720b12a7b4bb";

/// A clock at 2024-01-02T03:04:05Z, the date that answers carry.
pub(crate) fn clock() -> ManualClock {
    ManualClock::new(now())
}

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_704_164_645)
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new(ID, SECRET)
}

/// A client over plain HTTP, so that bodies are checked, whose pauses are the longest they can be.
pub(crate) fn builder(transport: impl Transport + 'static, clock: &ManualClock) -> ClientBuilder {
    Client::builder("http://db.example:1")
        .instance("shop")
        .credentials(credentials())
        .transport(transport)
        .clock(clock.clone())
        .random(|| 1.0)
}

pub(crate) fn client(transport: impl Transport + 'static, clock: &ManualClock) -> Client {
    builder(transport, clock).build().unwrap()
}

pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// An error's text, then those of its sources.
pub(crate) fn chain(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts
}

/// An answer, to be damaged and signed.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    signer: Option<(String, String)>,
}

impl Answer {
    /// As the service makes it.
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let md5 = STANDARD.encode(Md5::digest(&body));
        let headers = [
            ("x-ots-requestid", REQUEST_ID),
            ("x-ots-date", "2024-01-02T03:04:05.680616Z"),
            ("x-ots-contenttype", "protocol buffer"),
            ("x-ots-contentmd5", &md5),
        ];
        Self {
            status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into(),
            body,
            signer: Some((ID.to_owned(), SECRET.to_owned())),
        }
    }

    pub(crate) fn ok(message: &impl Message) -> Self {
        Self::new(200, message.encode_to_vec())
    }

    pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Self {
        let message = Some(message.to_owned()).filter(|message| !message.is_empty());
        let error = messages::Error {
            code: code.to_owned(),
            message,
            ..messages::Error::default()
        };
        Self::new(status, error.encode_to_vec())
    }

    pub(crate) fn busy() -> Self {
        Self::refusal(503, "OTSServerBusy", "Server is busy.")
    }

    /// Adds a header, beside those of the same name.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    pub(crate) fn with(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).header(name, value)
    }

    /// Another body under the headers of the first: damage on the way.
    pub(crate) fn damaged(mut self, body: &[u8]) -> Self {
        self.body = Bytes::copy_from_slice(body);
        self
    }

    pub(crate) fn unsigned(mut self) -> Self {
        self.signer = None;
        self
    }

    pub(crate) fn signed_by(mut self, id: &str, secret: &str) -> Self {
        self.signer = Some((id.to_owned(), secret.to_owned()));
        self
    }

    /// The answer to this request, signed for its operation.
    pub(crate) fn to(mut self, request: &Request<Bytes>) -> Response<Bytes> {
        if let Some((id, secret)) = self.signer.take() {
            let mut lines: Vec<Vec<u8>> = self
                .headers
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .filter(|(name, _)| name.starts_with("x-ots-"))
                .map(|(name, value)| [name.as_bytes(), b":", value, b"\n"].concat())
                .collect();
            lines.sort();
            lines.push(request.uri().path().as_bytes().to_vec());
            let mut hmac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
            hmac.update(&lines.concat());
            let signature = STANDARD.encode(hmac.finalize().into_bytes());
            self = self.header("Authorization", format!("OTS {id}:{signature}"));
        }
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status.try_into().unwrap();
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let value = HeaderValue::from_bytes(&value).unwrap();
            response.headers_mut().append(name, value);
        }
        response
    }

    /// A step of a script that answers so.
    pub(crate) fn step(self) -> Step {
        Step::answer(move |request| self.to(request))
    }

    /// The same for a client with the computer's own clock: dated as the request is.
    pub(crate) fn dated_step(self) -> Step {
        Step::answer(move |request| {
            self.with("x-ots-date", &request.headers()["x-ots-date"])
                .to(request)
        })
    }
}
