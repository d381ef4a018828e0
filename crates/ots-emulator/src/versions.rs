//! Which versions of a column exist, and which of them a reader sees.

use std::mem;

use crate::database::TableOptions;
use crate::stored::{StoredRow, Version, Versions};

/// What a table shows of its rows at one moment: old versions and expired cells are hidden.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visibility {
    max_versions: usize,
    /// Versions up to this one have expired.
    expired_ms: Option<i64>,
}

impl Visibility {
    pub(crate) fn at(now_ms: i64, options: &TableOptions) -> Self {
        let expired_ms = (options.time_to_live_s != -1)
            .then(|| now_ms.saturating_sub(i64::from(options.time_to_live_s) * 1000));
        Self {
            max_versions: usize::try_from(options.max_versions).unwrap_or(1),
            expired_ms,
        }
    }

    /// The visible ones of a column's versions: always the first few, since they stand newest first.
    pub(crate) fn of<'v>(&self, versions: &'v [Version]) -> &'v [Version] {
        let count = match self.expired_ms {
            Some(expired_ms) => {
                versions.partition_point(|version| version.timestamp_ms > expired_ms)
            }
            None => versions.len(),
        };
        versions
            .get(..count.min(self.max_versions))
            .unwrap_or(versions)
    }

    /// Whether a row is there at all. It is gone once every cell it had has expired; a row written
    /// without attribute columns has nothing that could.
    pub(crate) fn shows(&self, row: &StoredRow) -> bool {
        self.expired_ms.is_none()
            || row.columns.is_empty()
            || row
                .columns
                .iter()
                .any(|column| !self.of(&column.versions).is_empty())
    }
}

/// Chooses the versions of cells that came without one: the clock's time, but strictly increasing
/// within a column, so that three writes in one millisecond leave three versions.
#[derive(Debug)]
pub(crate) struct Stamps {
    now_ms: i64,
    /// The highest version the server had chosen before this request. Versions above it were chosen
    /// by clients, perhaps years ahead; the server doesn't follow them there.
    last_ms: i64,
    highest_ms: i64,
}

impl Stamps {
    pub(crate) const fn new(now_ms: i64, last_ms: i64) -> Self {
        Self {
            now_ms,
            last_ms,
            highest_ms: last_ms,
        }
    }

    /// The version for a new cell of a column that had these versions before the request.
    pub(crate) fn next(&mut self, versions: &[Version]) -> i64 {
        let last = versions.partition_point(|version| version.timestamp_ms > self.last_ms);
        let mut next = self.now_ms;
        if let Some(last) = versions.get(last) {
            next = next.max(last.timestamp_ms + 1);
        }
        // A version that a client chose must not be overwritten by accident: the first gap at or
        // above will do, found in one walk upwards.
        let above = versions.partition_point(|version| version.timestamp_ms >= next);
        for version in versions.iter().take(above).rev() {
            if version.timestamp_ms != next {
                break;
            }
            next += 1;
        }
        self.highest_ms = self.highest_ms.max(next);
        next
    }

    /// The highest version the server has chosen, this request included.
    pub(crate) const fn highest_ms(&self) -> i64 {
        self.highest_ms
    }
}

impl Versions {
    /// Adds a version in its place; one with the same timestamp is replaced.
    pub(crate) fn insert(&mut self, new: Version) {
        match self {
            Self::One(only) if only.timestamp_ms == new.timestamp_ms => *only = new,
            Self::One(_) => {
                let Self::One(only) = mem::replace(self, Self::Many(Vec::new())) else {
                    return;
                };
                *self = Self::Many(if new.timestamp_ms > only.timestamp_ms {
                    vec![new, only]
                } else {
                    vec![only, new]
                });
            }
            Self::Many(versions) => {
                let newer = |version: &Version| version.timestamp_ms > new.timestamp_ms;
                let index = versions.partition_point(newer);
                match versions.get_mut(index) {
                    Some(same) if same.timestamp_ms == new.timestamp_ms => *same = new,
                    _ => versions.insert(index, new),
                }
            }
        }
    }

    /// Removes the version with this timestamp; says whether none is left.
    pub(crate) fn remove(&mut self, timestamp_ms: i64) -> bool {
        match self {
            Self::One(only) => only.timestamp_ms == timestamp_ms,
            Self::Many(versions) => {
                versions.retain(|version| version.timestamp_ms != timestamp_ms);
                versions.is_empty()
            }
        }
    }

    /// Forgets all but the newest so many.
    pub(crate) fn truncate(&mut self, max_versions: usize) {
        if let Self::Many(versions) = self {
            versions.truncate(max_versions);
            *self = mem::take(versions).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(timestamps: &[i64]) -> Versions {
        let versions: Vec<_> = timestamps.iter().map(|&at| version(at)).collect();
        versions.into()
    }

    fn version(timestamp_ms: i64) -> Version {
        let value = timestamp_ms.into();
        Version {
            timestamp_ms,
            value,
        }
    }

    fn timestamps(versions: &[Version]) -> Vec<i64> {
        versions
            .iter()
            .map(|version| version.timestamp_ms)
            .collect()
    }

    fn options(time_to_live_s: i32, max_versions: i32) -> TableOptions {
        TableOptions {
            time_to_live_s,
            max_versions,
            max_deviation_s: 86_400,
            allow_update: true,
        }
    }

    #[test]
    fn versions_stay_newest_first_and_distinct() {
        let mut column = Versions::One(version(5));
        for at in [7, 3, 5, 9, 4, 9] {
            column.insert(version(at));
        }
        assert_eq!(timestamps(&column), [9, 7, 5, 4, 3]);
        assert!(!column.remove(7));
        assert!(!column.remove(7));
        assert_eq!(timestamps(&column), [9, 5, 4, 3]);
        column.truncate(1);
        assert_eq!(column, Versions::One(version(9)));
        assert!(!column.remove(8));
        assert!(column.remove(9));
    }

    #[test]
    fn old_and_expired_versions_are_hidden() {
        let column = versions(&[5000, 4000, 3000, 2000]);
        let shown = |now_ms, time_to_live_s, max_versions| {
            let visibility = Visibility::at(now_ms, &options(time_to_live_s, max_versions));
            timestamps(visibility.of(&column))
        };
        assert_eq!(shown(9000, -1, 1), [5000]);
        assert_eq!(shown(9000, -1, 9), [5000, 4000, 3000, 2000]);
        assert_eq!(shown(9000, 6, 9), [5000, 4000]);
        assert_eq!(shown(9000, 6, 1), [5000]);
        assert_eq!(shown(99_000, 6, 9), [0; 0]);
    }

    #[test]
    fn server_versions_increase_even_when_the_clock_stands_still() {
        let mut column = versions(&[]);
        let mut last = 0;
        for expected in [100, 101, 102] {
            let mut stamps = Stamps::new(100, last);
            let next = stamps.next(&column);
            assert_eq!(next, expected);
            column.insert(version(next));
            column.truncate(1);
            last = stamps.highest_ms();
        }
    }

    #[test]
    fn server_versions_do_not_follow_clients_into_the_future() {
        let column = versions(&[i64::MAX / 1000 - 1, 50]);
        assert_eq!(Stamps::new(100, 60).next(&column), 100);
    }

    #[test]
    fn server_versions_step_over_those_of_clients() {
        let column = versions(&[101, 100]);
        assert_eq!(Stamps::new(100, 0).next(&column), 102);
        let column = versions(&[105, 104, 102, 101, 100, 99, 7]);
        assert_eq!(Stamps::new(100, 0).next(&column), 103);
        assert_eq!(Stamps::new(98, 0).next(&column), 98);
        assert_eq!(Stamps::new(104, 0).next(&column), 106);
        assert_eq!(Stamps::new(98, 101).next(&column), 103);
    }

    #[test]
    fn a_server_version_costs_one_walk_over_those_of_clients() {
        // The square of this would take far too long.
        let timestamps: Vec<_> = (0..300_000).rev().collect();
        assert_eq!(Stamps::new(0, 0).next(&versions(&timestamps)), 300_000);
    }
}
