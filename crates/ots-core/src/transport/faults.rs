//! A transport with faults, put there by rules.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;

use super::{Transport, TransportError};

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nobody takes the connection.
    Refuse,
    /// The connection breaks before the service has the request, which nobody here can know.
    ResetBefore,
    /// The service does what was asked, and its answer is lost.
    ResetAfter,
    /// Time passes first.
    Delay(Duration),
    /// Only this many bytes of the answer's body arrive, and look whole.
    Truncate(usize),
    /// A bit of the answer's body flips, in the byte at this place or the last one.
    Corrupt(usize),
    /// Something in front of the service answers in its place.
    Status(StatusCode, Bytes),
}

/// Which requests a fault meets.
#[derive(Debug)]
#[must_use]
pub struct FaultRule {
    fault: Fault,
    operation: Option<String>,
    first: u64,
    times: u64,
    /// Requests of the operation so far.
    seen: AtomicU64,
}

impl FaultRule {
    /// A fault that meets every request.
    pub const fn new(fault: Fault) -> Self {
        Self {
            fault,
            operation: None,
            first: 1,
            times: u64::MAX,
            seen: AtomicU64::new(0),
        }
    }

    /// Only requests of this operation, as in `GetRow`.
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operation = Some(name.into());
        self
    }

    /// Only the `n`th of those requests: 1 is the first.
    pub const fn nth(self, n: u64) -> Self {
        self.from(n).times(1)
    }

    /// None before the `n`th of those requests.
    pub const fn from(mut self, n: u64) -> Self {
        self.first = n;
        self
    }

    /// As many of them, and no more.
    pub const fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    fn meets(&self, operation: &str) -> bool {
        if self
            .operation
            .as_deref()
            .is_some_and(|own| own != operation)
        {
            return false;
        }
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let past = number.checked_sub(self.first);
        past.is_some_and(|past| past < self.times)
    }
}

/// Puts faults into a transport.
///
/// Every rule sees every request. Those that meet one do so in the order they were given: first what
/// comes before the answer, until one of them is the end of it; then what damages the answer.
///
/// ```
/// use ots_core::transport::{Fault, FaultRule, Faults, InProcess};
///
/// # let service = InProcess::new(|request: http::Request<bytes::Bytes>| {
/// #     http::Response::new(request.into_body())
/// # });
/// let transport = Faults::new(service)
///     .rule(FaultRule::new(Fault::ResetAfter).operation("PutRow").nth(3))
///     .rule(FaultRule::new(Fault::Corrupt(0)).operation("GetRange").times(2));
/// ```
#[derive(Debug)]
#[must_use]
pub struct Faults<T> {
    inner: T,
    rules: Vec<FaultRule>,
    reached: AtomicU64,
}

impl<T: Transport> Faults<T> {
    /// No faults yet.
    pub const fn new(inner: T) -> Self {
        Self {
            inner,
            rules: Vec::new(),
            reached: AtomicU64::new(0),
        }
    }

    /// Adds a rule.
    pub fn rule(mut self, rule: FaultRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// How many requests have reached the transport inside.
    pub fn reached(&self) -> u64 {
        self.reached.load(Ordering::Relaxed)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<T: Transport> Transport for Faults<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let operation = request.uri().path().trim_start_matches('/').to_owned();
        let met = self.rules.iter().filter(|rule| rule.meets(&operation));
        // Asked of all before the first acts: each counts every request.
        let met: Vec<&Fault> = met.map(|rule| &rule.fault).collect();
        for fault in &met {
            match fault {
                Fault::Delay(time) => tokio::time::sleep(*time).await,
                Fault::Refuse => return Err(TransportError::not_sent(Injected("refused"))),
                Fault::ResetBefore => return Err(TransportError::unknown(Injected("reset"))),
                Fault::Status(status, body) => {
                    let mut answer = http::Response::new(body.clone());
                    *answer.status_mut() = *status;
                    return Ok(answer);
                }
                Fault::ResetAfter | Fault::Truncate(_) | Fault::Corrupt(_) => {}
            }
        }
        self.reached.fetch_add(1, Ordering::Relaxed);
        let mut answer = self.inner.send(request).await?;
        for fault in met {
            match fault {
                Fault::ResetAfter => return Err(TransportError::unknown(Injected("reset"))),
                Fault::Truncate(bytes) => answer.body_mut().truncate(*bytes),
                Fault::Corrupt(place) => flip(answer.body_mut(), *place),
                Fault::Delay(_) | Fault::Refuse | Fault::ResetBefore | Fault::Status(..) => {}
            }
        }
        Ok(answer)
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

fn flip(body: &mut Bytes, place: usize) {
    let mut bytes = body.to_vec();
    let place = place.min(bytes.len().saturating_sub(1));
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1;
    }
    *body = bytes.into();
}

/// The cause of a failure that a rule put there.
#[derive(Debug)]
struct Injected(&'static str);

impl std::error::Error for Injected {}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "injected: connection {}", self.0)
    }
}
