//! One connection: its requests, one after another, within bounds of memory and time.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::admin;
use crate::answer::{Answer, Reply};
use crate::emulator::Emulator;
use crate::error::ServiceError;
use crate::reply_body::{Busy, Lost, ReplyBody};
use crate::service::body_too_large;
use crate::taken::Taken;

/// A connection and who is at its other end.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    emulator: Emulator,
    peer: IpAddr,
    /// Whether it is served; if not, it is told that there are too many.
    is_served: bool,
    /// Held by each request under way.
    busy: Busy,
}

impl Connection {
    pub(crate) fn new(emulator: Emulator, peer: IpAddr, is_served: bool) -> Self {
        Self {
            emulator,
            peer,
            is_served,
            busy: Busy::default(),
        }
    }

    /// Answers requests until the client goes away or falls silent. When the other end of `closed`
    /// is dropped, it ends after the request under way.
    pub(crate) async fn serve(&self, stream: TcpStream, mut closed: watch::Receiver<()>) {
        // Small answers must not wait for the acknowledgement of the one before.
        drop(stream.set_nodelay(true));
        let settings = self.emulator.settings();
        let stream = Taken::new(stream, settings.answer_timeout);
        let service = service_fn(|request| self.answer(request));
        let connection = http1::Builder::new()
            .keep_alive(self.is_served)
            // One who has said everything may say so, as `nc -N` does, and still wants an answer.
            .half_close(true)
            .timer(TokioTimer::new())
            .header_read_timeout(settings.head_timeout)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        // Errors of a connection are the client's business: it went away, or spoke something else.
        tokio::select! {
            _ = &mut connection => return,
            _ = closed.changed() => connection.as_mut().graceful_shutdown(),
        }
        // Half a request may never become a whole one.
        let silence = async {
            loop {
                tokio::time::sleep(CLOSING_PAUSE).await;
                if !self.busy.is_held() {
                    break;
                }
            }
        };
        tokio::select! {
            _ = connection => {}
            () = silence => {}
        }
    }

    /// The answer to one request, or the end of its connection.
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<ReplyBody>, Lost> {
        let (parts, body) = request.into_parts();
        let received = self.receive(&parts, body).await;
        // From here on it is under way.
        let busy = self.busy.clone();
        let whole = |response: Response<Bytes>| response.map(|body| ReplyBody::whole(body, busy));
        let body = match received {
            Ok(body) => body,
            Err(response) => return Ok(whole(response)),
        };
        // Writing a page of a scan takes milliseconds. On a thread of its own it holds up neither the
        // accept loop nor the other connections, whatever runtime the caller has.
        let worker = self.emulator.clone();
        let refusal_parts = parts.clone();
        let request = Request::from_parts(parts, body);
        let answered = tokio::task::spawn_blocking(move || worker.answer(request)).await;
        let Ok(Answer { delay, reply }) = answered else {
            let message = "Internal server error.";
            let error = ServiceError::new(500, "OTSInternalServerError", message);
            return Ok(whole(self.emulator.refuse(&refusal_parts, &error)));
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match reply {
            Reply::Whole(response) => Ok(whole(response)),
            Reply::Cut {
                response,
                whole_bytes,
            } => {
                let busy = self.busy.clone();
                Ok(response.map(|body| ReplyBody::cut(body, whole_bytes, busy)))
            }
            Reply::Lost => Err(Lost),
        }
    }

    /// The body of a request, or why it isn't taken.
    async fn receive(&self, parts: &Parts, mut body: Incoming) -> Result<Bytes, Response<Bytes>> {
        if parts.uri.path().starts_with(admin::PREFIX) {
            let is_local = self.peer.to_canonical().is_loopback();
            if !is_local || admin::from_a_page(&parts.headers) {
                return Err(admin::forbidden());
            }
        }
        let settings = self.emulator.settings();
        let limit = settings.request_body_bytes;
        let refusal = if !self.is_served {
            too_many_connections(settings.max_connections)
        } else if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            body_too_large()
        } else {
            let whole = Limited::new(&mut body, limit).collect();
            match tokio::time::timeout(settings.body_timeout, whole).await {
                Ok(Ok(body)) => return Ok(body.to_bytes()),
                Ok(Err(error)) if error.is::<LengthLimitError>() => body_too_large(),
                _ => ServiceError::new(408, "OTSRequestTimeout", "Request timeout."),
            }
        };
        // One who is still asking whether to send a body has got his answer.
        if !parts.headers.contains_key(header::EXPECT) {
            tokio::spawn(discard(body));
        }
        Err(self.emulator.refuse(parts, &refusal))
    }
}

/// Reads on for a while: most clients look for an answer when they have sent everything, and would
/// find a broken connection instead.
async fn discard(mut body: Incoming) {
    let mut left_bytes = DISCARDED_BYTES;
    let reads = async {
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            match left_bytes.checked_sub(bytes) {
                Some(left) => left_bytes = left,
                None => break,
            }
        }
    };
    drop(tokio::time::timeout(DISCARDING, reads).await);
}

fn too_many_connections(most: usize) -> ServiceError {
    let message = format!("Server is busy. The emulator has {most} connections already.");
    ServiceError::new(503, "OTSServerBusy", message)
}

/// What hyper reads ahead, and the largest head of a request.
const BUFFER_BYTES: usize = 64 << 10;
/// How often a connection that is to be closed is asked whether its request is still under way.
const CLOSING_PAUSE: Duration = Duration::from_secs(1);
const DISCARDED_BYTES: usize = 64 << 20;
const DISCARDING: Duration = Duration::from_secs(30);
