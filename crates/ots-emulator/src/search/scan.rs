//! What a parallel scan reads: a snapshot of the matches, cut into disjoint shares.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::query::CompiledQuery;
use super::token;
use crate::stored::{RowKey, StoredRow};

/// The rows of one scan task, as they were when its first request came.
///
/// Taking the snapshot copies pointers under the database's lock. Asking the query for each of them
/// takes longer, so that waits until the lock is gone; whoever comes first does it, the others wait.
pub(crate) struct Task {
    /// The same for no other task: a token counts rows of one snapshot only.
    pub(crate) identity: u64,
    query: CompiledQuery,
    snapshot: Mutex<Vec<Arc<StoredRow>>>,
    matches: OnceLock<Vec<Arc<StoredRow>>>,
}

/// One of the shares a scan is divided into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Share {
    pub(crate) max_parallel: u32,
    /// Less than `max_parallel`.
    pub(crate) current: u32,
}

impl Task {
    pub(crate) fn new(identity: u64, query: CompiledQuery, snapshot: Vec<Arc<StoredRow>>) -> Self {
        Self {
            identity,
            query,
            snapshot: Mutex::new(snapshot),
            matches: OnceLock::new(),
        }
    }

    /// The rows that match, in the order of their keys.
    pub(crate) fn matches(&self) -> &[Arc<StoredRow>] {
        self.matches.get_or_init(|| {
            let mut snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
            let mut rows = std::mem::take(&mut *snapshot);
            if !self.query.is_match_all() {
                rows.retain(|row| self.query.matches(row));
                rows.shrink_to_fit();
            }
            rows
        })
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("identity", &self.identity)
            .field("rows", &self.matches.get().map(Vec::len))
            .finish_non_exhaustive()
    }
}

impl Share {
    /// Which of `rows` rows are its own: neighbours, so that every row has exactly one owner.
    pub(crate) fn of(self, rows: usize) -> Range<usize> {
        let end = |shares: u32| {
            let end = rows as u128 * u128::from(shares) / u128::from(self.max_parallel.max(1));
            usize::try_from(end).unwrap_or(rows)
        };
        end(self.current)..end(self.current.saturating_add(1))
    }

    /// Whether a row is its own by its key alone, whatever other rows there are: a scan without a
    /// session has no list of matches to cut into pieces.
    pub(crate) fn owns(self, key: &RowKey) -> bool {
        self.max_parallel <= 1
            || token::binding(key) % u64::from(self.max_parallel) == u64::from(self.current)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_are_disjoint_and_cover_everything(
            rows in 0_usize..100_000,
            max_parallel in 1_u32..1000,
        ) {
            let mut next = 0;
            for current in 0..max_parallel {
                let share = Share { max_parallel, current }.of(rows);
                prop_assert_eq!(share.start, next);
                prop_assert!(share.len() <= rows / max_parallel as usize + 1);
                next = share.end;
            }
            prop_assert_eq!(next, rows);
        }
    }
}
