//! A transport that is watched: an event for each exchange, with sizes and times.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use super::{Transport, TransportError};

/// Shows every exchange of a transport as a `tracing` event at `debug`, of the target
/// `ots_core::transport`; and, with the feature `metrics`, as the histogram `ots.transport.duration` in
/// seconds.
///
/// The client shows calls and attempts by itself. This shows what lies below: the time on the wire
/// alone, without signing and decoding, and the status of answers that the client will refuse. Headers
/// and bodies are not shown.
///
/// ```
/// use ots_core::transport::{InProcess, Observed};
///
/// let transport = Observed::new(InProcess::new(|request: http::Request<bytes::Bytes>| {
///     http::Response::new(request.into_body())
/// }));
/// ```
#[derive(Clone)]
pub struct Observed<T>(T);

impl<T: Transport> Observed<T> {
    /// Watches `inner`.
    pub const fn new(inner: T) -> Self {
        Self(inner)
    }
}

impl<T: fmt::Debug> fmt::Debug for Observed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observed").field(&self.0).finish()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<T: Transport> Transport for Observed<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let path = request.uri().path().to_owned();
        let operation = path.trim_start_matches('/');
        let sent_bytes = request.body().len();
        let began = Instant::now();
        let answer = self.0.send(request).await;
        let elapsed = began.elapsed();
        match &answer {
            Ok(answer) => tracing::debug!(
                target: TARGET,
                sent_bytes,
                db.operation.name = operation,
                http.response.status_code = answer.status().as_u16(),
                received_bytes = answer.body().len(),
                ?elapsed,
                "exchanged"
            ),
            Err(error) => tracing::debug!(
                target: TARGET,
                sent_bytes,
                db.operation.name = operation,
                ?elapsed,
                error = error as &(dyn std::error::Error + 'static),
                "not exchanged"
            ),
        }
        measure(operation, &answer, elapsed);
        answer
    }

    async fn close(&self) {
        self.0.close().await;
        tracing::debug!(target: TARGET, "closed");
    }
}

const TARGET: &str = "ots_core::transport";

#[cfg(feature = "metrics")]
fn measure(
    operation: &str,
    answer: &Result<http::Response<Bytes>, TransportError>,
    elapsed: Duration,
) {
    let status = match answer {
        Ok(answer) => answer.status().as_str().to_owned(),
        Err(_) => "none".to_owned(),
    };
    metrics::histogram!(
        "ots.transport.duration",
        "db.operation.name" => operation.to_owned(),
        "http.response.status_code" => status,
    )
    .record(elapsed.as_secs_f64());
}

#[cfg(not(feature = "metrics"))]
const fn measure(_: &str, _: &Result<http::Response<Bytes>, TransportError>, _: Duration) {}
