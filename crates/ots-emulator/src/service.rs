//! An HTTP request becomes an HTTP response.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use ots_proto::messages;
use ots_proto::operation;
use prost::Message;

use crate::admin;
use crate::answer::Answer;
use crate::auth::{self, Signer};
use crate::clock::{Clock, SystemClock};
use crate::date;
use crate::dispatch;
use crate::emulator::Emulator;
use crate::error::ServiceError;
use crate::stats::UnitSums;

impl Emulator {
    /// Answers one request, as far as one can without a connection: see [`answer`](Self::answer) for
    /// the faults that need one. Here an answer is never late, one that a fault cuts short has a
    /// shorter body under the digest of the whole, and one that a fault loses is a bare 503, as from
    /// a gateway in front of the service.
    ///
    /// Everything goes through here, whether it came over a socket or from a client in the same
    /// process. It waits for nothing but its own locks, and with a data directory for the disk; a page
    /// of thousands of rows keeps it busy for a few milliseconds.
    #[must_use]
    pub fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.answer(request).into_response()
    }

    /// Answers one request, and says what a fault does to its connection.
    ///
    /// A transport in the same process that plays such faults holds the reply back for
    /// [`Answer::delay`], and fails where the reply is cut or lost.
    #[must_use]
    pub fn answer(&self, request: Request<Bytes>) -> Answer {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if parts.method == Method::GET && path == "/healthz" {
            return Answer::at_once(Response::new(Bytes::from_static(b"ok\n")));
        }
        if path.starts_with(admin::PREFIX) {
            return Answer::at_once(self.admin(&parts.method, path, &body));
        }
        let name = operation_of(&parts);
        let signer = Signer::of(self.access_keys(), &parts.headers);
        let admitted = self.admit(&parts, &body, signer.as_ref());
        let instance = match admitted {
            Ok(instance) => instance,
            Err(error) => {
                let draft = Draft::refused(&error);
                return Answer::at_once(self.respond(name, signer.as_ref(), &draft));
            }
        };
        self.perform(name, &instance, body, signer.as_ref())
    }

    /// Answers a request whose body could not be read to its end.
    pub(crate) fn refuse(&self, parts: &Parts, error: &ServiceError) -> Response<Bytes> {
        let signer = Signer::of(self.access_keys(), &parts.headers);
        self.respond(operation_of(parts), signer.as_ref(), &Draft::refused(error))
    }

    /// The checks stand in the order: method, path, headers, date, key, signature, instance, digest,
    /// size; what follows is the operation's own. Gives the instance.
    fn admit(
        &self,
        parts: &Parts,
        body: &Bytes,
        signer: Option<&Signer>,
    ) -> Result<String, ServiceError> {
        if parts.method != Method::POST {
            let message = "Only POST method for requests is supported.";
            return Err(ServiceError::new(405, "OTSMethodNotAllowed", message));
        }
        let name = operation_of(parts);
        if !operation::ALL.iter().any(|(known, _)| *known == name) {
            return Err(dispatch::unsupported(name));
        }
        // Signatures, and the digest above all, are against the time of this computer: the virtual
        // clock is nothing a client could know.
        let now_s = SystemClock.now_ms().div_euclid(1000);
        let instance = auth::check(&parts.headers, name, body, now_s, signer)?;
        if body.len() > self.settings().request_body_bytes {
            return Err(body_too_large());
        }
        if parts.headers.contains_key("x-ots-request-compress-type") {
            return Err(ServiceError::unimplemented("compressed requests"));
        }
        Ok(instance)
    }

    pub(crate) fn respond(
        &self,
        operation: &str,
        signer: Option<&Signer>,
        draft: &Draft,
    ) -> Response<Bytes> {
        self.stats()
            .count(operation, draft.status, draft.body.len(), draft.units);
        let md5 = if draft.bad_md5 {
            auth::content_md5(b"the body of another answer")
        } else {
            auth::content_md5(&draft.body)
        };
        let mut response = Response::new(draft.body.clone());
        *response.status_mut() =
            StatusCode::from_u16(draft.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);

        // Always the real time: clients compare it with their own clock.
        let now_us = SystemClock::now_us();
        let shown_us = now_us.saturating_add(draft.skew_s.saturating_mul(1_000_000));
        let headers = response.headers_mut();
        let mut insert = |name, value: String| {
            // Digits, hex, base64 and an access key id that came in a header: all fit a header.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        insert("x-ots-requestid", self.request_id(now_us));
        insert("x-ots-date", date::format_us(shown_us));
        insert("x-ots-contenttype", "protocol buffer".to_owned());
        insert("x-ots-contentmd5", md5);
        // The secret may be the very thing that is wrong: such an answer goes unsigned.
        let signer = signer.filter(|_| !draft.unsigned);
        if let Some(signer) = signer {
            let signed = if draft.bad_signature {
                "AnotherOperation"
            } else {
                operation
            };
            let authorization = signer.authorization(signed, response.headers());
            if let Ok(value) = HeaderValue::from_str(&authorization) {
                let headers = response.headers_mut();
                headers.insert(http::header::AUTHORIZATION, value);
            }
        }
        response
    }
}

/// A response before it has headers.
pub(crate) struct Draft {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    /// What it says it has cost.
    pub(crate) units: UnitSums,
    pub(crate) bad_md5: bool,
    pub(crate) bad_signature: bool,
    pub(crate) skew_s: i64,
    pub(crate) unsigned: bool,
}

impl Draft {
    pub(crate) const fn new(body: Bytes, units: UnitSums) -> Self {
        Self {
            status: 200,
            body,
            units,
            unsigned: false,
            bad_md5: false,
            bad_signature: false,
            skew_s: 0,
        }
    }

    pub(crate) fn refused(error: &ServiceError) -> Self {
        Self {
            status: error.status,
            unsigned: error.code == ServiceError::AUTH_FAILED,
            ..Self::new(error.to_body(), UnitSums::default())
        }
    }

    pub(crate) fn error(status: u16, code: String, message: String) -> Self {
        let error = messages::Error {
            code,
            message: Some(message),
            access_denied_detail: None,
        };
        Self {
            status,
            ..Self::new(error.encode_to_vec().into(), UnitSums::default())
        }
    }
}

/// The path is the name of the operation.
fn operation_of(parts: &Parts) -> &str {
    let path = parts.uri.path();
    path.strip_prefix('/').unwrap_or(path)
}

pub(crate) fn body_too_large() -> ServiceError {
    let message = "The size of POST data is too large.";
    ServiceError::new(413, "OTSRequestBodyTooLarge", message)
}
