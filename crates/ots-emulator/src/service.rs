//! An HTTP request becomes an HTTP response.

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use ots_proto::messages;
use ots_proto::operation::{self, Idempotency, Operation};
use prost::Message;

use crate::admin;
use crate::answer::{Answer, Reply};
use crate::auth::{self, Signer};
use crate::clock::{Clock, SystemClock};
use crate::database::lock;
use crate::date;
use crate::dispatch;
use crate::emulator::Emulator;
use crate::error::ServiceError;
use crate::fault::{self, Facts, FaultAction};
use crate::settings::Context;

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
        let fault = self.faults().decide(|| Facts::of(name, &body));
        self.perform(name, &instance, body, signer.as_ref(), fault)
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

    /// Performs the operation, unless the fault refuses it, and does to its answer what the fault
    /// says.
    fn perform(
        &self,
        name: &str,
        instance: &str,
        body: Bytes,
        signer: Option<&Signer>,
        fault: Option<FaultAction>,
    ) -> Answer {
        let run = |body, empty_page| {
            let context = Context {
                empty_page,
                journal: self.journal(instance),
                ..Context::new(self.settings(), self.now_ms())
            };
            let ran = self
                .check_storage(name)
                .and_then(|()| dispatch::run(&context, &self.database(instance), name, body));
            match ran {
                Ok(body) => Draft::new(body),
                Err(error) => Draft::refused(&error),
            }
        };
        let mut delay = Duration::ZERO;
        let mut cut_at = None;
        let draft = match fault {
            None => run(body, false),
            Some(FaultAction::Error {
                status,
                code,
                message,
            }) if message.is_empty() => {
                let message = fault::sentence_of(&code).to_owned();
                Draft::error(status, code, message)
            }
            Some(FaultAction::Error {
                status,
                code,
                message,
            }) => Draft::error(status, code, message),
            Some(FaultAction::Throttle) => Draft::refused(&ServiceError::new(
                403,
                "OTSNotEnoughCapacityUnit",
                fault::sentence_of("OTSNotEnoughCapacityUnit"),
            )),
            Some(FaultAction::DropBefore) => return Answer::lost(),
            Some(FaultAction::DropAfter) => {
                run(body, false);
                return Answer::lost();
            }
            Some(FaultAction::Delay { ms }) => {
                delay = Duration::from_millis(ms);
                run(body, false)
            }
            Some(FaultAction::Truncate { bytes }) => {
                cut_at = Some(bytes);
                run(body, false)
            }
            Some(FaultAction::BadMd5) => Draft {
                bad_md5: true,
                ..run(body, false)
            },
            Some(FaultAction::BadSignature) => Draft {
                bad_signature: true,
                ..run(body, false)
            },
            Some(FaultAction::SkewDate { seconds }) => Draft {
                skew_s: seconds,
                ..run(body, false)
            },
            Some(FaultAction::CorruptChecksum) => {
                let mut draft = run(body, false);
                if draft.status == 200 {
                    draft.body = fault::corrupt_rows(name, draft.body);
                }
                draft
            }
            Some(FaultAction::ExpireSession) => {
                self.expire_session(instance, name, &body);
                run(body, false)
            }
            Some(FaultAction::EmptyPage) => run(body, true),
        };
        let whole_bytes = draft.body.len();
        let mut response = self.respond(name, signer, &draft);
        let reply = match cut_at {
            Some(bytes) if bytes < whole_bytes => {
                *response.body_mut() = fault::cut(response.body(), bytes);
                Reply::Cut {
                    response,
                    whole_bytes,
                }
            }
            _ => Reply::Whole(response),
        };
        Answer { delay, reply }
    }

    /// Once the disk has failed no change is begun. Nobody need try again: a 5xx would be repeated for
    /// minutes.
    fn check_storage(&self, name: &str) -> Result<(), ServiceError> {
        let Some(error) = self.storage_failure() else {
            return Ok(());
        };
        let reads = |(known, idempotency): &(_, _)| {
            *known == name && *idempotency == Idempotency::NoSideEffects
        };
        if operation::ALL.iter().any(reads) {
            return Ok(());
        }
        let message = format!(
            "{}. It takes no changes until it is started again.",
            error.failure()
        );
        Err(ServiceError::parameter(message))
    }

    /// Ends the session that a request names.
    fn expire_session(&self, instance: &str, name: &str, body: &Bytes) {
        if name != operation::ParallelScan::NAME {
            return;
        }
        let request = messages::ParallelScanRequest::decode(body.clone());
        if let Ok(Some(id)) = request.map(|request| request.session_id) {
            let closed = lock(&self.database(instance)).sessions.close(&id);
            drop(closed);
        }
    }

    fn respond(&self, operation: &str, signer: Option<&Signer>, draft: &Draft) -> Response<Bytes> {
        self.stats()
            .count(operation, draft.status, draft.body.len());
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
struct Draft {
    status: u16,
    body: Bytes,
    unsigned: bool,
    bad_md5: bool,
    bad_signature: bool,
    skew_s: i64,
}

impl Draft {
    const fn new(body: Bytes) -> Self {
        Self {
            status: 200,
            body,
            unsigned: false,
            bad_md5: false,
            bad_signature: false,
            skew_s: 0,
        }
    }

    fn refused(error: &ServiceError) -> Self {
        Self {
            status: error.status,
            unsigned: error.code == ServiceError::AUTH_FAILED,
            ..Self::new(error.to_body())
        }
    }

    fn error(status: u16, code: String, message: String) -> Self {
        let error = messages::Error {
            code,
            message: Some(message),
            access_denied_detail: None,
        };
        Self {
            status,
            ..Self::new(error.encode_to_vec().into())
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
