//! When a session must be asked something although nothing is wanted.

use std::time::Duration;

use tokio::time::Instant;

/// Keeps a session alive over a pause, and not for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeepAlive {
    every: Duration,
    /// How often in one pause.
    most: u32,
}

impl KeepAlive {
    /// Where there is no session.
    pub(crate) const NEVER: Self = Self {
        every: Duration::MAX,
        most: 0,
    };

    /// For a session that lives `alive_time` from each request on, over pauses of up to `pause`.
    ///
    /// A third of its life: a request that is late, and one after it, are still in time.
    pub(crate) fn new(alive_time: Duration, pause: Duration) -> Self {
        let every = (alive_time / 3).max(Duration::from_millis(100));
        let most = pause.as_nanos() / every.as_nanos();
        Self {
            every,
            most: u32::try_from(most).unwrap_or(u32::MAX),
        }
    }

    /// How long a pause may be. None where nothing is kept alive.
    pub(crate) fn pause(&self) -> Option<Duration> {
        (self.most > 0).then(|| self.every.saturating_mul(self.most))
    }

    /// When a session has not been asked for so long that it is time.
    pub(crate) fn due(&self, last_request: Instant) -> Option<Instant> {
        last_request.checked_add(self.every)
    }

    /// When to ask, after the last request and so many requests of this kind since the pause began.
    /// None when the pause was long enough.
    pub(crate) fn next(&self, last_request: Instant, asked: u32) -> Option<Instant> {
        (asked < self.most)
            .then(|| self.due(last_request))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_asked_three_times_in_its_life_until_the_pause_is_long_enough() {
        let seconds = Duration::from_secs;
        let start = Instant::now();
        let keep = KeepAlive::new(seconds(60), seconds(600));
        assert_eq!(keep.next(start, 0), Some(start + seconds(20)));
        assert_eq!(keep.next(start, 29), Some(start + seconds(20)));
        assert_eq!(keep.next(start, 30), None);
        assert_eq!(keep.pause(), Some(seconds(600)));
        for pause in [0, 19] {
            let none = KeepAlive::new(seconds(60), seconds(pause));
            assert_eq!((none.next(start, 0), none.pause()), (None, None));
        }
        let shortest = KeepAlive::new(Duration::ZERO, seconds(1));
        assert_eq!(
            shortest.next(start, 9),
            Some(start + Duration::from_millis(100))
        );
        let longest = KeepAlive::new(seconds(10_000), Duration::MAX);
        assert_eq!(longest.most, u32::MAX);
        assert!(longest.pause() > Some(seconds(1 << 40)));
        let never = KeepAlive::NEVER;
        assert_eq!((never.next(start, 0), never.due(start)), (None, None));
    }
}
