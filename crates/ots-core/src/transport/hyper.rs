//! HTTP/1.1 over a pool of connections, by hyper.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connect::{ConnectTimedOut, Plain, Timed, TunnelRefused, authorization_for};
use super::proxy::{Proxy, ProxyMatcher, UnusableProxy};
#[cfg(feature = "rustls")]
use super::tls;
use super::{Transport, TransportError};
use crate::error::Error;

#[cfg(feature = "rustls")]
type Connector = Timed<hyper_rustls::HttpsConnector<Plain>>;
#[cfg(not(feature = "rustls"))]
type Connector = Timed<Plain>;
type Pool = Client<Connector, Full<Bytes>>;

/// The default transport: HTTP/1.1 with kept connections, and TLS by rustls.
///
/// Idle connections are dropped after 5 s: the service's edge reaps them soon after, and a request
/// that meets a reaped connection may or may not have been seen. Clones share the connections; they
/// are closed when the last clone is dropped, or by [`close`](Transport::close).
///
/// Proxies are those that the environment names, see [`Proxy::from_env`].
///
/// Must be used inside a tokio runtime.
#[derive(Clone)]
pub struct HyperTransport {
    /// None once closed.
    pool: Arc<RwLock<Option<Pool>>>,
    proxies: ProxyMatcher,
    max_response_bytes: usize,
}

impl HyperTransport {
    /// The default settings.
    pub const fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(5),
            max_response_bytes: 64 * 1024 * 1024,
            proxy: None,
            #[cfg(feature = "rustls")]
            extra_roots_pem: Vec::new(),
        }
    }

    fn pool(&self) -> Option<Pool> {
        self.pool
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").finish_non_exhaustive()
    }
}

/// Builds a [`HyperTransport`].
#[derive(Clone, Debug)]
#[must_use]
pub struct HyperTransportBuilder {
    connect_timeout: Duration,
    idle_timeout: Duration,
    max_response_bytes: usize,
    proxy: Option<Proxy>,
    #[cfg(feature = "rustls")]
    extra_roots_pem: Vec<u8>,
}

impl HyperTransportBuilder {
    /// How long making a connection may take; 10 s by default. That is all of it: the name, TCP, the
    /// tunnel of a proxy, the handshake of TLS.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an unused connection is kept; 5 s by default.
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// The largest answer to take, in bytes; 64 MiB by default. The service stops at 4 MB of rows.
    pub const fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// The proxies to go through; those that the environment names when never called.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Certificates to trust besides those of the system, in PEM: of a private authority, or of
    /// whatever ends TLS in a company's network.
    #[cfg(feature = "rustls")]
    pub fn root_certificates_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.extra_roots_pem.extend_from_slice(pem.as_ref());
        self.extra_roots_pem.push(b'\n');
        self
    }

    /// The transport. Connections are made when they are needed.
    ///
    /// # Errors
    /// When TLS can't be set up, or a certificate can't be read.
    pub fn build(self) -> Result<HyperTransport, Error> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        // Of several addresses none may use up the time of the others.
        tcp.set_connect_timeout(Some(self.connect_timeout));
        // Without TLS, an https address must fail rather than be spoken to in the clear.
        tcp.enforce_http(!cfg!(feature = "rustls"));
        let proxies = self.proxy.unwrap_or_else(Proxy::from_env).matcher();
        let plain = Plain {
            tcp,
            proxies: proxies.clone(),
        };
        let connector = Timed {
            #[cfg(feature = "rustls")]
            inner: tls::connector(plain, &self.extra_roots_pem)?,
            #[cfg(not(feature = "rustls"))]
            inner: plain,
            limit: self.connect_timeout,
        };
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.idle_timeout)
            // The client counts attempts itself, and signs each anew.
            .retry_canceled_requests(false)
            .build(connector);
        Ok(HyperTransport {
            pool: Arc::new(RwLock::new(Some(pool))),
            proxies,
            max_response_bytes: self.max_response_bytes,
        })
    }
}

#[async_trait]
impl Transport for HyperTransport {
    async fn send(
        &self,
        mut request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if request.body().is_empty() {
            // hyper states no length for an empty body; some servers refuse a POST without one.
            let none = http::HeaderValue::from_static("0");
            request
                .headers_mut()
                .insert(http::header::CONTENT_LENGTH, none);
        }
        if let Some(authorization) = authorization_for(&self.proxies, request.uri()) {
            let headers = request.headers_mut();
            headers.insert(http::header::PROXY_AUTHORIZATION, authorization);
        }
        let Some(pool) = self.pool() else {
            return Err(TransportError::not_sent("the transport is closed").permanent());
        };
        let answer = pool.request(request.map(Full::new)).await;
        let answer = answer.map_err(classify)?;
        let (parts, body) = answer.into_parts();
        let stated = parts.headers.get(http::header::CONTENT_LENGTH);
        let stated = stated.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if stated.is_some_and(|length| length > self.max_response_bytes) {
            return Err(self.too_large());
        }
        // One buffer for the whole body: everything later borrows from it. What the header promises is
        // believed up to twice what the service sends; beyond that, room is made as bytes arrive.
        let mut buffer = BytesMut::with_capacity(stated.unwrap_or(0).min(TRUSTED_CAPACITY_BYTES));
        let mut body = Limited::new(body, self.max_response_bytes);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.broken_body(error))?;
            if let Ok(data) = frame.into_data() {
                buffer.extend_from_slice(&data);
            }
        }
        Ok(http::Response::from_parts(parts, buffer.freeze()))
    }

    /// Closes idle connections at once, and those in use when their answer has come. Later requests,
    /// of clones too, fail without being sent.
    async fn close(&self) {
        // Requests in flight hold the pool until their answers begin; then nothing keeps it.
        let mut pool = self.pool.write().unwrap_or_else(PoisonError::into_inner);
        *pool = None;
    }
}

const TRUSTED_CAPACITY_BYTES: usize = 8 * 1024 * 1024;

impl HyperTransport {
    fn broken_body(&self, error: Box<dyn StdError + Send + Sync>) -> TransportError {
        if error.is::<LengthLimitError>() {
            return self.too_large();
        }
        TransportError::unknown(error)
    }

    fn too_large(&self) -> TransportError {
        let limit = self.max_response_bytes;
        TransportError::unknown(format!("the answer is larger than {limit} bytes")).permanent()
    }
}

/// Whether the service could have seen the request: not if there was no connection, nor if hyper hands
/// the request back unwritten.
fn classify(error: legacy::Error) -> TransportError {
    if is_untrusted(&error)
        || found(&error).is_some_and(TunnelRefused::is_permanent)
        || found::<UnusableProxy>(&error).is_some()
    {
        TransportError::not_sent(error).permanent()
    } else if connect_timed_out(&error) {
        TransportError::not_sent(error).timed_out()
    } else if error.is_connect() || never_started(&error) {
        TransportError::not_sent(error)
    } else {
        TransportError::unknown(error)
    }
}

/// Whether making the connection took too long, as a whole or to the one address that was tried.
fn connect_timed_out(error: &legacy::Error) -> bool {
    let timed_out = |error: &std::io::Error| error.kind() == std::io::ErrorKind::TimedOut;
    found::<ConnectTimedOut>(error).is_some()
        || error.is_connect() && found(error).is_some_and(timed_out)
}

/// The cause of this type, however deep.
fn found<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // What an I/O error wraps isn't its source, but what it stands for.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(|error| error.get_ref());
        source = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// Whether TLS refused the other side's certificate: waiting doesn't make it trusted.
#[cfg(feature = "rustls")]
fn is_untrusted(error: &legacy::Error) -> bool {
    matches!(found(error), Some(rustls::Error::InvalidCertificate(_)))
}

#[cfg(not(feature = "rustls"))]
const fn is_untrusted(_: &legacy::Error) -> bool {
    false
}

/// Whether the request was still waiting for a connection that closed. hyper says `canceled` of a
/// request that it hands back, and `closed` of a connection that was never ready to take one; what
/// breaks after the first byte has other names.
fn never_started(error: &legacy::Error) -> bool {
    found::<hyper::Error>(error).is_some_and(|error| error.is_canceled() || error.is_closed())
}
