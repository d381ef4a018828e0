//! What a scan does when its session is gone.

/// What a scan does when the service has given up its session: what was not read in it can't be read
/// any more, and another session has other splits.
///
/// | policy | what the caller is given |
/// |---|---|
/// | `Fail` | every row at most once, and an error with exact counts |
/// | `Restart` | every row at least once; after the last [`Restarted`](crate::Restarted) event, every row of the session exactly once |
/// | `ExactlyOnce` | every row exactly once |
///
/// # A table that changes
/// A session reads a snapshot, and the next session reads a later one. `Restart` ends with the rows of
/// one snapshot, if the caller forgets at each event what it was given before. `ExactlyOnce` gives
/// the union: a row stands as the first snapshot had it that gave it, a row that was deleted
/// meanwhile may have been given, a row that was written meanwhile may come. Every row that all
/// snapshots have, under the same primary key, is given once. Whoever needs one snapshot takes
/// `Restart`, or `Fail` and begins again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnSessionLoss {
    /// The scan ends with [`SessionExpired`](crate::ScanErrorKind::SessionExpired).
    #[default]
    Fail,
    /// The scan begins anew in another session, at most `max` times, and says so before the first page
    /// of it: with [`ScanEvent::Restarted`](crate::ScanEvent). Only
    /// [`events`](crate::ScanBuilder::events) can say it, so only they are given.
    Restart {
        /// How often, before it fails like `Fail`.
        max: u32,
    },
    /// The scan begins anew in another session, at most `max` times, and leaves out the rows that it
    /// has given: by their whole primary key, byte for byte, and not by a hash of it.
    ///
    /// A row counts as given when the page with it was returned by the stream, whether the caller
    /// looked at it or not. What merely lay ready does not.
    ///
    /// # Cost
    /// The keys of all rows given are kept in memory, as long as another session may follow: of each the
    /// key, a byte or two for each of its columns, and one byte; and when a session was lost, eight more
    /// to find it. A million rows with one integer for a key take 10 and then 18 MB, with a text of 20
    /// bytes 23 and 31 MB; see
    /// [`delivered_keys_bytes`](crate::ScanBuilder::delivered_keys_bytes) for the bound, which has room
    /// for both, and [`spill_keys_to`](crate::ScanBuilder::spill_keys_to) for what is beyond it: 10 and 23
    /// MB on disk. Every page is walked once more than it is read. When the session is lost, the keys are sorted
    /// once, and every row of the next session is looked up.
    ExactlyOnce {
        /// How often, before it fails like `Fail`.
        max: u32,
    },
}

impl OnSessionLoss {
    /// Whether a scan that has begun anew `restarts` times may do so once more.
    #[must_use]
    pub const fn may_restart(self, restarts: u32) -> bool {
        match self {
            Self::Fail => false,
            Self::Restart { max } | Self::ExactlyOnce { max } => restarts < max,
        }
    }

    pub(crate) const fn is_exactly_once(self) -> bool {
        matches!(self, Self::ExactlyOnce { .. })
    }
}

/// The bound of the memory for keys, where nobody gave one: those of more than ten million rows.
pub(crate) const DELIVERED_KEYS_BYTES: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_begins_anew_as_often_as_it_may() {
        for (policy, allowed) in [
            (OnSessionLoss::Fail, 0),
            (OnSessionLoss::Restart { max: 0 }, 0),
            (OnSessionLoss::Restart { max: 3 }, 3),
            (OnSessionLoss::ExactlyOnce { max: 2 }, 2),
        ] {
            let restarts = (0..10).take_while(|restarts| policy.may_restart(*restarts));
            assert_eq!(restarts.count(), allowed, "{policy:?}");
        }
    }
}
