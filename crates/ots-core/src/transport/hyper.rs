//! HTTP/1.1 over a pool of connections, by hyper.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::{Transport, TransportError};
use crate::error::Error;

#[cfg(feature = "rustls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "rustls"))]
type Connector = HttpConnector;

/// The default transport: HTTP/1.1 with kept connections, and TLS by rustls.
///
/// Idle connections are dropped after 5 s: the service's edge reaps them soon after, and a request
/// that meets a reaped connection may or may not have been seen.
///
/// Must be used inside a tokio runtime.
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<Connector, Full<Bytes>>,
    max_response_bytes: usize,
}

impl HyperTransport {
    /// The default settings.
    pub const fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(5),
            max_response_bytes: 64 * 1024 * 1024,
        }
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
}

impl HyperTransportBuilder {
    /// How long making a TCP connection may take; 10 s by default. A TLS handshake is part of the
    /// attempt's time.
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

    /// The transport. Connections are made when they are needed.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn build(self) -> Result<HyperTransport, Error> {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_connect_timeout(Some(self.connect_timeout));
        // Without TLS, an https address must fail rather than be spoken to in the clear.
        http.enforce_http(!cfg!(feature = "rustls"));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.idle_timeout)
            // The client counts attempts itself, and signs each anew.
            .retry_canceled_requests(false)
            .build(connector(http)?);
        Ok(HyperTransport {
            client,
            max_response_bytes: self.max_response_bytes,
        })
    }
}

#[cfg(feature = "rustls")]
fn connector(http: HttpConnector) -> Result<Connector, Error> {
    use std::sync::OnceLock;

    // Reading the system's certificates takes milliseconds. A clone shares them, and the sessions
    // that can be resumed.
    static CONFIG: OnceLock<rustls::ClientConfig> = OnceLock::new();

    let config = match CONFIG.get() {
        Some(config) => config,
        None => {
            let built = tls_config()?;
            CONFIG.get_or_init(|| built)
        }
    };
    Ok(hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config.clone())
        .https_or_http()
        .enable_http1()
        .wrap_connector(http))
}

#[cfg(feature = "rustls")]
fn tls_config() -> Result<rustls::ClientConfig, Error> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        // Not an error: a machine without certificates can still speak plain HTTP. But the failed
        // handshakes to come will only speak of an unknown issuer.
        tracing::warn!(errors = ?found.errors, "no root certificates found: https will not work");
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::configuration("TLS can't be set up").with_source(error))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(not(feature = "rustls"))]
fn connector(http: HttpConnector) -> Result<Connector, Error> {
    Ok(http)
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
        let answer = self
            .client
            .request(request.map(Full::new))
            .await
            .map_err(classify)?;
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
    if is_untrusted(&error) {
        TransportError::not_sent(error).permanent()
    } else if error.is_connect() || never_started(&error) {
        TransportError::not_sent(error)
    } else {
        TransportError::unknown(error)
    }
}

/// Whether TLS refused the other side's certificate: waiting doesn't make it trusted.
#[cfg(feature = "rustls")]
fn is_untrusted(error: &legacy::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return matches!(error, rustls::Error::InvalidCertificate(_));
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
    false
}

#[cfg(not(feature = "rustls"))]
const fn is_untrusted(_: &legacy::Error) -> bool {
    false
}

/// Whether the request was still waiting for a connection that closed. hyper says `canceled` of a
/// request that it hands back, and `closed` of a connection that was never ready to take one; what
/// breaks after the first byte has other names.
fn never_started(error: &legacy::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_canceled() || error.is_closed();
        }
        source = error.source();
    }
    false
}
