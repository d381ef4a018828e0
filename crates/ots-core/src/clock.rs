//! Time, as something that can be replaced.

use std::fmt;
#[cfg(any(test, feature = "test-util"))]
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

/// What the client needs to know of time: the date for signatures, a stopwatch for deadlines, and
/// how to wait.
#[async_trait]
pub trait Clock: Send + Sync + fmt::Debug {
    /// The date.
    fn now(&self) -> SystemTime;

    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, time: Duration);
}

/// A clock that is shared.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<T: Clock + ?Sized> Clock for std::sync::Arc<T> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }

    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }

    async fn sleep(&self, time: Duration) {
        (**self).sleep(time).await;
    }
}

/// The computer's clock, and tokio's timer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SystemClock {
    start: tokio::time::Instant,
}

impl SystemClock {
    /// The computer's clock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: tokio::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// A clock that stands still until someone sleeps or [`advance`](Self::advance)s it. Clones are the
/// same clock.
///
/// A sleep returns at once, and the time has passed: minutes of backoff cost nothing, and a test can
/// read afterwards how long each pause was.
#[cfg(any(test, feature = "test-util"))]
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Manual>>);

#[cfg(any(test, feature = "test-util"))]
#[derive(Debug)]
struct Manual {
    start: SystemTime,
    elapsed: Duration,
    sleeps: Vec<Duration>,
}

#[cfg(any(test, feature = "test-util"))]
impl ManualClock {
    /// A clock that stands at this date.
    #[must_use]
    pub fn new(start: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Manual {
            start,
            elapsed: Duration::ZERO,
            sleeps: Vec::new(),
        })))
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        self.lock().elapsed += time;
    }

    /// Every sleep so far, in order.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        self.lock().sleeps.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Manual> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(any(test, feature = "test-util"))]
#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        let manual = self.lock();
        manual.start + manual.elapsed
    }

    fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    async fn sleep(&self, time: Duration) {
        let mut manual = self.lock();
        manual.sleeps.push(time);
        manual.elapsed += time;
    }
}
