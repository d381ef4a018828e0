//! Temporary credentials, fetched before they are needed and once for all who need them.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{Credentials, CredentialsProvider};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind};
use crate::transport::TransportError;

/// Where temporary credentials come from: a server, a program, a file.
///
/// Fetching costs something, so a source doesn't give credentials to a client by itself:
/// [`CachedCredentials`] does, and remembers.
#[async_trait]
pub trait CredentialsSource: Send + Sync + fmt::Debug {
    /// New credentials, with the time at which they [expire](Credentials::expiring_at) if they do.
    ///
    /// # Errors
    /// [`Error::configuration`] for what stays wrong until somebody mends it; [`Error::transport`] for
    /// what may be better in a second.
    async fn fetch(&self) -> Result<Credentials, Error>;
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<T: CredentialsSource + ?Sized> CredentialsSource for Arc<T> {
    async fn fetch(&self) -> Result<Credentials, Error> {
        (**self).fetch().await
    }
}

/// Credentials that are fetched when they are needed, kept, and replaced before they expire.
///
/// - New ones are fetched when [`early`](Self::early) is left of the old ones. Until those expire,
///   callers are given the old ones and wait for nothing.
/// - However many callers wait, one fetch is under way. It belongs to none of them: a caller that goes
///   away takes nothing from the others. It ends with the last clone of this value.
/// - A failure is remembered for a second, so that a thousand callers don't ask a sick server a
///   thousand times.
///
/// Clones share what they know. Must be used inside a tokio runtime.
///
/// ```
/// use async_trait::async_trait;
/// use ots_core::credentials::{CachedCredentials, CredentialsSource};
/// use ots_core::{Client, Credentials, Error};
///
/// /// Asks a vault.
/// #[derive(Debug)]
/// struct Vault;
///
/// #[async_trait]
/// impl CredentialsSource for Vault {
///     async fn fetch(&self) -> Result<Credentials, Error> {
///         let in_an_hour = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
///         Ok(Credentials::new("id", "secret").with_security_token("token").expiring_at(in_an_hour))
///     }
/// }
///
/// # #[cfg(feature = "rustls")]
/// # fn main() -> Result<(), Error> {
/// let client = Client::builder("https://shop.cn-hangzhou.ots.aliyuncs.com")
///     .credentials(CachedCredentials::new(Vault))
///     .build()?;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "rustls"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct CachedCredentials(Arc<Shared>);

struct Shared {
    source: Arc<dyn CredentialsSource>,
    clock: Arc<dyn Clock>,
    early: Duration,
    fetch_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Known,
    flight: Option<Flight>,
}

/// A fetch under way, and where its outcome will be.
struct Flight {
    landed: watch::Receiver<Option<Outcome>>,
    task: AbortHandle,
}

/// An error can't be cloned, and more than one may have to hear of it.
type Outcome = Result<Credentials, Arc<Error>>;

/// What is known, without a lock or a task.
#[derive(Default)]
struct Known {
    /// And since when.
    credentials: Option<(Credentials, SystemTime)>,
    failure: Option<(SystemTime, Arc<Error>)>,
}

/// What to do for a caller.
enum Plan {
    /// Give these, and perhaps fetch others meanwhile.
    Use {
        credentials: Credentials,
        refresh: bool,
    },
    /// Wait for new ones.
    Wait,
    /// Give the failure of a moment ago.
    Fail(Arc<Error>),
}

/// Expired a little early: a request that is signed in the last seconds arrives too late.
const MARGIN: Duration = Duration::from_secs(10);

/// How long a failure is remembered.
const FAILURE_KEPT: Duration = Duration::from_secs(1);

impl CachedCredentials {
    /// Credentials from a source, replaced five minutes before they expire.
    pub fn new(source: impl CredentialsSource + 'static) -> Self {
        Self::with_clock(source, SystemClock::new())
    }

    /// As [`new`](Self::new), with the time from elsewhere.
    pub fn with_clock(
        source: impl CredentialsSource + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            source: Arc::new(source),
            clock: Arc::new(clock),
            early: Duration::from_secs(300),
            fetch_timeout: Duration::from_secs(30),
            state: Mutex::default(),
        }))
    }

    /// How long before they expire credentials are replaced. Those that live shorter than four times
    /// as long are replaced when a quarter of their time is left.
    ///
    /// Sets up a new cache: nothing that was fetched is kept.
    #[must_use]
    pub fn early(self, early: Duration) -> Self {
        self.changed(|shared| shared.early = early)
    }

    /// How long one fetch may take; 30 s when never called. Sets up a new cache, as
    /// [`early`](Self::early) does.
    #[must_use]
    pub fn fetch_timeout(self, timeout: Duration) -> Self {
        self.changed(|shared| shared.fetch_timeout = timeout)
    }

    fn changed(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Shared {
            source: Arc::clone(&self.0.source),
            clock: Arc::clone(&self.0.clock),
            early: self.0.early,
            fetch_timeout: self.0.fetch_timeout,
            state: Mutex::default(),
        };
        change(&mut shared);
        Self(Arc::new(shared))
    }
}

#[async_trait]
impl CredentialsProvider for CachedCredentials {
    async fn credentials(&self) -> Result<Credentials, Error> {
        let mut landed = {
            let mut state = self.0.lock();
            match state.known.plan(self.0.clock.now(), self.0.early) {
                Plan::Use {
                    credentials,
                    refresh,
                } => {
                    if refresh {
                        self.0.fly(&mut state);
                    }
                    return Ok(credentials);
                }
                Plan::Fail(error) => return Err(again(&error)),
                Plan::Wait => self.0.fly(&mut state),
            }
        };
        let outcome = match landed.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            // The task is gone: its source panicked, or the runtime is shutting down.
            Err(_) => None,
        };
        match outcome {
            Some(Ok(credentials)) => Ok(credentials),
            Some(Err(error)) => Err(again(&error)),
            None => Err(Error::transport(TransportError::not_sent(
                "fetching credentials was broken off",
            ))),
        }
    }
}

impl Known {
    fn plan(&self, now: SystemTime, early: Duration) -> Plan {
        let failure = match &self.failure {
            // A failure from the future is from before somebody set the clock back.
            Some((at, error)) => now
                .duration_since(*at)
                .is_ok_and(|age| age < FAILURE_KEPT)
                .then_some(error),
            None => None,
        };
        let Some((credentials, since)) = &self.credentials else {
            return failure.map_or(Plan::Wait, |error| Plan::Fail(Arc::clone(error)));
        };
        let left = match credentials.expires_at() {
            None => Duration::MAX,
            Some(expiry) => expiry.duration_since(now).unwrap_or_default(),
        };
        if left > MARGIN {
            let lifetime = credentials
                .expires_at()
                .map(|expiry| expiry.duration_since(*since));
            let early = match lifetime {
                Some(Ok(lifetime)) => early.min(lifetime / 4),
                Some(Err(_)) | None => early,
            };
            return Plan::Use {
                credentials: credentials.clone(),
                refresh: left <= early.max(MARGIN) && failure.is_none(),
            };
        }
        failure.map_or(Plan::Wait, |error| Plan::Fail(Arc::clone(error)))
    }

    fn learn(&mut self, outcome: &Outcome, now: SystemTime) {
        match outcome {
            Ok(credentials) => {
                self.credentials = Some((credentials.clone(), now));
                self.failure = None;
            }
            Err(error) => self.failure = Some((now, Arc::clone(error))),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the outcome of the fetch under way will be; one is begun if there is none.
    fn fly(self: &Arc<Self>, state: &mut State) -> watch::Receiver<Option<Outcome>> {
        if let Some(flight) = &state.flight
            && !flight.task.is_finished()
        {
            return flight.landed.clone();
        }
        let (land, landed) = watch::channel(None);
        let (source, timeout) = (Arc::clone(&self.source), self.fetch_timeout);
        let shared = Arc::downgrade(self);
        let task = tokio::spawn(async move {
            let outcome = match tokio::time::timeout(timeout, source.fetch()).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Error::transport(TransportError::not_sent(format!(
                    "no credentials within {} s",
                    timeout.as_secs_f64()
                )))),
            };
            let outcome = outcome.map_err(Arc::new);
            Self::landed(&shared, &outcome);
            // Whoever waits may have gone; the outcome is known all the same.
            land.send_replace(Some(outcome));
        });
        state.flight = Some(Flight {
            landed: landed.clone(),
            task: task.abort_handle(),
        });
        landed
    }

    /// The task holds on to nothing that would keep it alive: when nobody wants credentials any more,
    /// there is nobody to tell.
    fn landed(shared: &Weak<Self>, outcome: &Outcome) {
        if let Some(shared) = shared.upgrade() {
            if let Err(error) = outcome {
                let error: &(dyn StdError + 'static) = &**error;
                tracing::warn!(error, source = ?shared.source, "no new credentials");
            }
            let mut state = shared.lock();
            state.known.learn(outcome, shared.clock.now());
            state.flight = None;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = &state.flight {
            flight.task.abort();
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("source", &self.source)
            .field("early", &self.early)
            .finish_non_exhaustive()
    }
}

/// The same failure for another who asked. Nothing was sent to the service, whatever failed.
fn again(error: &Arc<Error>) -> Error {
    let again = Again(Arc::clone(error));
    if let ErrorKind::Configuration(problem) = error.kind() {
        // Its own sentence stands already; what is below it goes on below.
        let same = Error::configuration(problem.clone());
        return match error.source() {
            Some(cause) => same.with_source(cause.to_string()),
            None => same,
        };
    }
    let failure = TransportError::not_sent(again);
    Error::transport(if error.is_retryable() {
        failure
    } else {
        failure.permanent()
    })
}

/// An error that others hold too.
#[derive(Debug)]
struct Again(Arc<Error>);

impl StdError for Again {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
