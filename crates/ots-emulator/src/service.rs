//! An HTTP request becomes an HTTP response.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use ots_proto::operation;

use crate::auth::{self, Signer};
use crate::clock::{Clock, SystemClock};
use crate::date;
use crate::dispatch;
use crate::emulator::Emulator;
use crate::error::ServiceError;
use crate::settings::Context;

impl Emulator {
    /// Answers one request.
    ///
    /// Everything goes through here, whether it came over a socket or from a client in the same
    /// process. It doesn't wait for anything but its own locks; a page of thousands of rows keeps it
    /// busy for a few milliseconds.
    #[must_use]
    pub fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        if parts.method == Method::GET && parts.uri.path() == "/healthz" {
            return Response::new(Bytes::from_static(b"ok\n"));
        }
        let signer = self.access_keys().signer(&parts.headers);
        let outcome = self.answer(&parts, body, signer.as_ref());
        self.respond(operation_of(&parts), signer.as_ref(), outcome)
    }

    /// Answers a request whose body could not be read to its end.
    pub(crate) fn refuse(&self, parts: &Parts, error: ServiceError) -> Response<Bytes> {
        let signer = self.access_keys().signer(&parts.headers);
        self.respond(operation_of(parts), signer.as_ref(), Err(error))
    }

    /// The checks stand in the order: method, path, headers, date, key, signature, instance, digest,
    /// size; what follows is the operation's own.
    fn answer(
        &self,
        parts: &Parts,
        body: Bytes,
        signer: Option<&Signer>,
    ) -> Result<Bytes, ServiceError> {
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
        let instance = auth::check(&parts.headers, name, &body, now_s, signer)?;
        if body.len() > self.settings().request_body_bytes {
            return Err(body_too_large());
        }
        if parts.headers.contains_key("x-ots-request-compress-type") {
            return Err(ServiceError::unimplemented("compressed requests"));
        }
        let context = Context {
            settings: self.settings(),
            now_ms: self.clock().now_ms(),
        };
        dispatch::run(&context, &self.database(&instance), name, body)
    }

    fn respond(
        &self,
        operation: &str,
        signer: Option<&Signer>,
        outcome: Result<Bytes, ServiceError>,
    ) -> Response<Bytes> {
        let (status, body, signer) = match outcome {
            Ok(body) => (200, body, signer),
            // The secret may be the very thing that is wrong: such an answer goes unsigned.
            Err(error) if error.code == ServiceError::AUTH_FAILED => {
                (error.status, error.to_body(), None)
            }
            Err(error) => (error.status, error.to_body(), signer),
        };
        let md5 = auth::content_md5(&body);
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);

        // Always the real time: clients compare it with their own clock.
        let now_us = SystemClock::now_us();
        let headers = response.headers_mut();
        let mut insert = |name, value: String| {
            // Digits, hex, base64 and an access key id that came in a header: all fit a header.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        insert("x-ots-requestid", self.request_id(now_us));
        insert("x-ots-date", date::format_us(now_us));
        insert("x-ots-contenttype", "protocol buffer".to_owned());
        insert("x-ots-contentmd5", md5);
        if let Some(signer) = signer {
            let authorization = signer.authorization(operation, response.headers());
            if let Ok(value) = HeaderValue::from_str(&authorization) {
                let headers = response.headers_mut();
                headers.insert(http::header::AUTHORIZATION, value);
            }
        }
        response
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
