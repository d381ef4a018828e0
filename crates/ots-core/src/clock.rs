//! Time, as something that can be replaced.

use std::fmt;
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
