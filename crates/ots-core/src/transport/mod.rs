//! The seam below the client: something that moves bytes.

#[cfg(feature = "hyper")]
mod connect;
#[cfg(any(test, feature = "test-util"))]
mod faults;
#[cfg(feature = "hyper")]
mod hyper;
mod in_process;
mod observed;
#[cfg(feature = "hyper")]
mod proxy;
#[cfg(feature = "record")]
mod record;
#[cfg(feature = "record")]
mod recording;
#[cfg(feature = "record")]
mod replay;
#[cfg(any(test, feature = "test-util"))]
mod scripted;
#[cfg(feature = "rustls")]
mod tls;

use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

#[cfg(any(test, feature = "test-util"))]
pub use self::faults::{Fault, FaultRule, Faults};
#[cfg(feature = "hyper")]
pub use self::hyper::{HyperTransport, HyperTransportBuilder};
pub use self::in_process::InProcess;
pub use self::observed::Observed;
#[cfg(feature = "hyper")]
pub use self::proxy::Proxy;
#[cfg(feature = "record")]
pub use self::record::Recorder;
#[cfg(feature = "record")]
pub use self::replay::Replay;
#[cfg(any(test, feature = "test-util"))]
pub use self::scripted::{Scripted, Step};

/// Moves one request to the service and brings back the answer.
///
/// It knows nothing of signatures, retries or operations: whoever can send HTTP can be a transport.
/// A request comes complete, with its absolute URL and all headers; the answer must hold the whole
/// body in one buffer, because everything after it borrows from that buffer.
///
/// # Cancel safety
/// Dropping the future abandons the request. The service may still have seen it.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends a request and waits for the whole answer, whatever its status.
    ///
    /// # Errors
    /// When no whole answer came. The error says whether the service could have seen the request,
    /// the one thing that decides whether a write may be sent again.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError>;

    /// Lets go of what is kept for later requests, connections above all. Requests in flight go on;
    /// later ones may fail. Does nothing where nothing is kept.
    async fn close(&self) {}
}

/// A transport that is shared: with a test that looks at what was sent, or between clients.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        (**self).send(request).await
    }

    async fn close(&self) {
        (**self).close().await;
    }
}

/// Why no answer came, and whether the service could have seen the request.
#[derive(Debug)]
pub struct TransportError {
    delivery: Delivery,
    permanent: bool,
    timed_out: bool,
    source: Box<dyn StdError + Send + Sync>,
}

/// Whether the service could have seen a request that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Delivery {
    /// It surely did not: the connection was never made, or closed before the request was written.
    NotSent,
    /// It may have.
    Unknown,
}

impl TransportError {
    /// A failure before anything reached the service.
    pub fn not_sent(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            delivery: Delivery::NotSent,
            permanent: false,
            timed_out: false,
            source: source.into(),
        }
    }

    /// A failure after which nobody knows.
    pub fn unknown(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            delivery: Delivery::Unknown,
            permanent: false,
            timed_out: false,
            source: source.into(),
        }
    }

    /// The same failure, known to come again however often the request is sent: a certificate that
    /// isn't trusted, an answer larger than the transport takes.
    #[must_use]
    pub const fn permanent(mut self) -> Self {
        self.permanent = true;
        self
    }

    /// The same failure, because a time limit had passed.
    #[must_use]
    pub const fn timed_out(mut self) -> Self {
        self.timed_out = true;
        self
    }

    /// Whether a time limit had passed.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        self.timed_out
    }

    /// Whether sending again is known to fail again.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// Whether the service could have seen the request.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.delivery {
            Delivery::NotSent => "the request could not be sent",
            Delivery::Unknown => "the request was sent, but no whole answer came back",
        })
    }
}
