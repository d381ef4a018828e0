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
    /// How long making a connection may take; 10 s by default.
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
    /// When the system's root certificates can't be read.
    pub fn build(self) -> Result<HyperTransport, Error> {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_connect_timeout(Some(self.connect_timeout));
        http.enforce_http(false);
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
    use std::sync::{Arc, OnceLock};

    // Reading the system's certificates takes milliseconds and never changes while we run.
    static CONFIG: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();

    let config = match CONFIG.get() {
        Some(config) => Arc::clone(config),
        None => {
            let built = Arc::new(tls_config()?);
            Arc::clone(CONFIG.get_or_init(|| built))
        }
    };
    let builder = hyper_rustls::HttpsConnectorBuilder::new();
    let config = Arc::unwrap_or_clone(config);
    Ok(builder
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http))
}

#[cfg(feature = "rustls")]
fn tls_config() -> Result<rustls::ClientConfig, Error> {
    let problem = |source: Box<dyn StdError + Send + Sync>| {
        Error::configuration("TLS can't be set up").with_source(source)
    };
    let mut roots = rustls::RootCertStore::empty();
    // A machine without certificates can still speak plain HTTP: a handshake will say what is missing.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(error.into()))?;
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
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let answer = self
            .client
            .request(request.map(Full::new))
            .await
            .map_err(classify)?;
        let (parts, body) = answer.into_parts();
        let stated = parts.headers.get(http::header::CONTENT_LENGTH);
        let stated = stated.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        // One buffer for the whole body: everything later borrows from it. What the header promises is
        // believed up to a megabyte; beyond that, room is made as bytes arrive.
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

const TRUSTED_CAPACITY_BYTES: usize = 1024 * 1024;

impl HyperTransport {
    fn broken_body(&self, error: Box<dyn StdError + Send + Sync>) -> TransportError {
        if error.is::<LengthLimitError>() {
            let limit = self.max_response_bytes;
            return TransportError::unknown(format!("the answer is larger than {limit} bytes"));
        }
        TransportError::unknown(error)
    }
}

/// Whether the service could have seen the request: not if there was no connection, nor if hyper hands
/// the request back unwritten.
fn classify(error: legacy::Error) -> TransportError {
    let never_written = error.is_connect() || canceled(&error);
    if never_written {
        TransportError::not_sent(error)
    } else {
        TransportError::unknown(error)
    }
}

/// Whether the request was still waiting for a connection that closed.
fn canceled(error: &legacy::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_canceled();
        }
        source = error.source();
    }
    false
}
