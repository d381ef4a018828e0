//! One connection: TCP, perhaps through a proxy, perhaps with TLS, all within one time limit.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tower_service::Service;

use super::proxy::{Hop, ProxyMatcher, is_tls};

type BoxError = Box<dyn StdError + Send + Sync>;
type Connecting<S> = Pin<Box<dyn Future<Output = Result<S, BoxError>> + Send>>;

/// Makes connections without TLS: to the destination, or to the proxy on the way there.
#[derive(Clone)]
pub(super) struct Plain {
    pub(super) tcp: HttpConnector,
    pub(super) proxies: ProxyMatcher,
}

impl Service<Uri> for Plain {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting<Stream>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let is_tls = is_tls(&destination);
        let hop = match self.proxies.hop(&destination) {
            Ok(Some(hop)) => hop,
            Ok(None) => {
                let tcp = self.tcp.call(destination);
                return Box::pin(async move {
                    let (io, is_proxied) = (tcp.await?, false);
                    Ok(Stream { io, is_proxied })
                });
            }
            Err(unusable) => return Box::pin(async move { Err(unusable.into()) }),
        };
        let tcp = self.tcp.call(hop.address.clone());
        Box::pin(async move {
            let io = tcp.await.map_err(|source| unreachable(&hop, source))?;
            // The proxy must see what it forwards: the whole address of a plain request. Through a
            // tunnel it sees nothing, and the request is written as to the service itself.
            let io = if is_tls {
                tunnel(io, &destination, hop).await?
            } else {
                io
            };
            let is_proxied = !is_tls;
            Ok(Stream { io, is_proxied })
        })
    }
}

/// Asks the proxy for a tunnel to the destination.
async fn tunnel(
    io: TokioIo<TcpStream>,
    destination: &Uri,
    hop: Hop,
) -> Result<TokioIo<TcpStream>, BoxError> {
    let host = destination.host().ok_or("the destination has no host")?;
    let authority = format!("{host}:{}", destination.port_u16().unwrap_or(443));
    let mut request = Request::connect(&authority)
        .header(http::header::HOST, &authority)
        .body(Empty::<Bytes>::new())?;
    if let Some(authorization) = hop.authorization {
        let headers = request.headers_mut();
        headers.insert(http::header::PROXY_AUTHORIZATION, authorization);
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    // Ends with this future: a proxy that never answers leaves no task behind.
    let mut driver = JoinSet::new();
    driver.spawn(connection.with_upgrades());
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    if !status.is_success() {
        let address = hop.address;
        return Err(TunnelRefused { address, status }.into());
    }
    let upgraded = hyper::upgrade::on(answer).await?;
    let parts = upgraded.downcast::<TokioIo<TcpStream>>();
    let parts = parts.map_err(|_| "the tunnel is of another kind than the connection")?;
    if parts.read_buf.is_empty() {
        Ok(parts.io)
    } else {
        // In TLS the client speaks first.
        Err("the proxy sent bytes before the tunnel was used".into())
    }
}

fn unreachable(hop: &Hop, source: impl StdError + Send + Sync + 'static) -> BoxError {
    Box::new(ProxyUnreachable {
        address: hop.address.clone(),
        source: source.into(),
    })
}

/// No connection to the proxy.
#[derive(Debug)]
struct ProxyUnreachable {
    address: Uri,
    source: BoxError,
}

impl StdError for ProxyUnreachable {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

impl fmt::Display for ProxyUnreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection to the proxy {}", self.address)
    }
}

/// The proxy doesn't want to.
#[derive(Debug)]
pub(super) struct TunnelRefused {
    address: Uri,
    status: StatusCode,
}

impl TunnelRefused {
    /// Whether asking again gives the same answer: the proxy's credentials or rules are against it.
    pub(super) fn is_permanent(&self) -> bool {
        self.status.is_client_error() && self.status != StatusCode::TOO_MANY_REQUESTS
    }
}

impl StdError for TunnelRefused {}

impl fmt::Display for TunnelRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, status) = (&self.address, self.status.as_u16());
        write!(f, "the proxy {address} refused a tunnel with HTTP {status}")?;
        if self.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            f.write_str(": it wants a user and password that it knows")?;
        }
        Ok(())
    }
}

/// Gives whatever makes connections a time limit, over all its steps.
#[derive(Clone)]
pub(super) struct Timed<C> {
    pub(super) inner: C,
    pub(super) limit: Duration,
}

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri>,
    C::Error: Into<BoxError>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Connecting<C::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let limit = self.limit;
        let connecting = self.inner.call(destination);
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(connected) => connected.map_err(Into::into),
                Err(_) => Err(ConnectTimedOut { limit }.into()),
            }
        })
    }
}

/// The limit has passed.
#[derive(Debug)]
pub(super) struct ConnectTimedOut {
    limit: Duration,
}

impl StdError for ConnectTimedOut {}

impl fmt::Display for ConnectTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection within {} s", self.limit.as_secs_f64())
    }
}

/// A TCP connection that knows whether a proxy reads what is written.
pub(super) struct Stream {
    io: TokioIo<TcpStream>,
    is_proxied: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.is_proxied)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, buffers)
    }
}

/// What a request through a proxy without a tunnel must carry besides its own headers.
pub(super) fn authorization_for(proxies: &ProxyMatcher, destination: &Uri) -> Option<HeaderValue> {
    if is_tls(destination) {
        return None;
    }
    proxies.hop(destination).ok()??.authorization
}
