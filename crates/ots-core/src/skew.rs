//! How far this computer's clock is from the service's.
//!
//! The service refuses requests dated more than 15 minutes from its own time, and its refusal is
//! dated. So a client whose clock is wrong can learn by how much, and sign with the service's time.
//!
//! Who can make a client believe a later date gets signatures that are good at that later time. So a
//! refusal is believed only if it is signed by the client's own key, or came over TLS, and only up to
//! [`MAX_OFFSET`]; see [`response`](crate::response).

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// What to add to this computer's clock, learned from the service; nothing at first.
#[derive(Debug, Default)]
pub(crate) struct Skew {
    offset_ms: AtomicI64,
}

/// A wrong time zone, or a virtual machine that slept for some hours. A clock that is wrong by more
/// is for its owner to mend, and a date that is further away is no date to believe.
const MAX_OFFSET: Duration = Duration::from_secs(24 * 3600);

impl Skew {
    /// The service's time, when it is `now` here.
    pub(crate) fn correct(&self, now: SystemTime) -> SystemTime {
        let offset_ms = self.offset_ms.load(Ordering::Relaxed);
        let offset = Duration::from_millis(offset_ms.unsigned_abs());
        let corrected = if offset_ms < 0 {
            now.checked_sub(offset)
        } else {
            now.checked_add(offset)
        };
        corrected.unwrap_or(now)
    }

    /// Takes note that the service's time is `theirs`, when it is `now` here. False if that is too
    /// far away to believe.
    pub(crate) fn learn(&self, now: SystemTime, theirs: SystemTime) -> bool {
        let (ahead, offset) = match theirs.duration_since(now) {
            Ok(offset) => (true, offset),
            Err(behind) => (false, behind.duration()),
        };
        if offset > MAX_OFFSET {
            return false;
        }
        let offset_ms = i64::try_from(offset.as_millis()).unwrap_or_default();
        let offset_ms = if ahead { offset_ms } else { -offset_ms };
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
        true
    }
}

/// How far two times are from each other, whichever comes first.
pub(crate) fn distance(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other)
        .unwrap_or_else(|later| later.duration())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const HOUR_S: i64 = 3600;

    fn at(seconds: i64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap())
    }

    #[test]
    fn what_was_learned_is_added_from_then_on() {
        for wrong_by_s in [-8 * HOUR_S, -900, 900, 8 * HOUR_S, 24 * HOUR_S] {
            let (skew, theirs) = (Skew::default(), 1_000_000_000);
            let ours = theirs + wrong_by_s;
            assert!(skew.learn(at(ours), at(theirs)), "{wrong_by_s}");
            assert_eq!(skew.correct(at(ours + 5)), at(theirs + 5));
        }
    }

    #[test]
    fn more_than_a_day_is_not_believed() {
        let (skew, ours) = (Skew::default(), 1_000_000_000);
        for theirs in [ours - 24 * HOUR_S - 1, ours + 24 * HOUR_S + 1, 0] {
            assert!(!skew.learn(at(ours), at(theirs)));
            assert_eq!(skew.correct(at(ours)), at(ours));
        }
    }

    #[test]
    fn a_clock_that_was_mended_is_learned_anew() {
        let skew = Skew::default();
        assert!(skew.learn(at(1000), at(4600)));
        assert!(skew.learn(at(5000), at(5000)));
        assert_eq!(skew.correct(at(5000)), at(5000));
    }
}
