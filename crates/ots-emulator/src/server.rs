//! The emulator behind a socket: HTTP/1.1 with keep-alive.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;
use std::{fmt, io};

use http::{Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admin;
use crate::answer::{Answer, Reply};
use crate::emulator::Emulator;
use crate::error::ServiceError;
use crate::reply_body::{Lost, ReplyBody};
use crate::service::body_too_large;

impl Emulator {
    /// Serves connections until `shutdown` is done; requests under way are answered first. It needs a
    /// runtime with I/O and time.
    ///
    /// `GET /healthz` answers 200 to anyone, so that a script can wait for the server. `/admin/...`
    /// answers programs on the same computer; `docs/guides/emulator.md` shows it.
    ///
    /// # Errors
    /// When the listener can be reached from other computers while the built-in access key is in
    /// use (see [`check_exposure`](Self::check_exposure)), and when the listener has no address.
    ///
    /// # Cancel safety
    /// Dropping the future closes every connection at once.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), ServeError> {
        let address = listener.local_addr().map_err(ServeError::Listener)?;
        self.check_exposure(address.ip())
            .map_err(ServeError::ExposedKeys)?;

        let mut shutdown = pin!(shutdown);
        let (closing, closed) = watch::channel(());
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => {
                    match accepted {
                        Ok((stream, peer)) => {
                            let peer = peer.ip();
                            connections.spawn(connection(self.clone(), stream, peer, closed.clone()));
                        }
                        // A connection that died before it was accepted, or a lack of file handles:
                        // the next one may fare better, after a while.
                        Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                    }
                }
                // Finished connections are forgotten one by one, lest the set grow for ever.
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        drop(closing);
        while connections.join_next().await.is_some() {}
        Ok(())
    }
}

/// Why the emulator can't serve.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// The listener can be reached from other computers, and the built-in access key is in use.
    ExposedKeys(ExposedKeysError),
    /// The listener has no address.
    Listener(io::Error),
}

/// The built-in access key must not open a door to other computers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExposedKeysError {
    address: IpAddr,
}

impl ExposedKeysError {
    pub(crate) const fn new(address: IpAddr) -> Self {
        Self { address }
    }

    /// The address that was refused.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }
}

impl fmt::Display for ExposedKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address } = self;
        write!(
            f,
            "the built-in access key is public knowledge, and {address} can be reached from other \
             computers: listen on 127.0.0.1, or choose an access key of your own"
        )
    }
}

impl std::error::Error for ExposedKeysError {}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExposedKeys(error) => error.fmt(f),
            Self::Listener(_) => f.write_str("the listener has no address"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Its sentence is this error's own.
            Self::ExposedKeys(_) => None,
            Self::Listener(error) => Some(error),
        }
    }
}

/// Answers the requests of one connection, one after another. Ends after the current one when the
/// other end of `closed` is dropped.
async fn connection(
    emulator: Emulator,
    stream: TcpStream,
    peer: IpAddr,
    mut closed: watch::Receiver<()>,
) {
    // Small answers must not wait for the acknowledgement of the one before.
    drop(stream.set_nodelay(true));
    let service = service_fn(|request| answer(emulator.clone(), peer, request));
    let connection = http1::Builder::new()
        .keep_alive(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // Errors of a connection are the client's business: it went away, or spoke something else.
    tokio::select! {
        _ = &mut connection => {}
        _ = closed.changed() => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

/// The answer to one request, or the end of its connection.
async fn answer(
    emulator: Emulator,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Lost> {
    if request.uri().path().starts_with(admin::PREFIX) {
        let is_local = peer.to_canonical().is_loopback();
        if !is_local || admin::from_a_page(&request) {
            return Ok(admin::forbidden().map(ReplyBody::whole));
        }
    }
    let (parts, body) = request.into_parts();
    let limit = emulator.settings().request_body_bytes;
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            let refusal = if error.is::<LengthLimitError>() {
                body_too_large()
            } else {
                ServiceError::new(408, "OTSRequestTimeout", "Request timeout.")
            };
            return Ok(emulator.refuse(&parts, &refusal).map(ReplyBody::whole));
        }
    };
    // Writing a page of a scan takes milliseconds. On a thread of its own it holds up neither the
    // accept loop nor the other connections, whatever runtime the caller has.
    let worker = emulator.clone();
    let refusal_parts = parts.clone();
    let request = Request::from_parts(parts, body);
    let answered = tokio::task::spawn_blocking(move || worker.answer(request)).await;
    let Ok(Answer { delay, reply }) = answered else {
        let message = "Internal server error.";
        let error = ServiceError::new(500, "OTSInternalServerError", message);
        let response = emulator.refuse(&refusal_parts, &error);
        return Ok(response.map(ReplyBody::whole));
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match reply {
        Reply::Whole(response) => Ok(response.map(ReplyBody::whole)),
        Reply::Cut {
            response,
            whole_bytes,
        } => Ok(response.map(|body| ReplyBody::cut(body, whole_bytes))),
        Reply::Lost => Err(Lost),
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
