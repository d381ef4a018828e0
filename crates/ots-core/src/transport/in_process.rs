//! A transport without sockets: a function in this process answers.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Transport, TransportError};

/// A transport that calls a function, such as the emulator's.
///
/// ```
/// use bytes::Bytes;
/// use ots_core::transport::InProcess;
///
/// let transport = InProcess::new(|request: http::Request<Bytes>| {
///     http::Response::new(request.into_body())
/// });
/// ```
pub struct InProcess<F>(F);

impl<F> InProcess<F>
where
    F: Fn(http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync,
{
    /// A transport that answers with `handle`. The function runs on the caller's task, so that a test
    /// with one thread sees one order of events.
    pub const fn new(handle: F) -> Self {
        Self(handle)
    }
}

impl<F> fmt::Debug for InProcess<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait]
impl<F> Transport for InProcess<F>
where
    F: Fn(http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync,
{
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        Ok((self.0)(request))
    }
}
