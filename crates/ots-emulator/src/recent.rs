//! The last changes of a table, for search indexes that are behind it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::stored::{RowKey, StoredRow};

/// What rows were before their last changes, as far back as indexes are behind.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// In the order in which they came.
    changes: VecDeque<Change>,
}

#[derive(Debug)]
struct Change {
    at_ms: i64,
    key: RowKey,
    /// None where there was no row.
    before: Option<Arc<StoredRow>>,
}

impl Recent {
    /// Notes a change, unless indexes are up to date, and forgets those that they have caught up with.
    pub(crate) fn note(
        &mut self,
        now_ms: i64,
        delay: Duration,
        key: &RowKey,
        before: Option<&Arc<StoredRow>>,
    ) {
        if delay.is_zero() {
            return;
        }
        self.forget(now_ms, delay);
        self.changes.push_back(Change {
            at_ms: now_ms,
            key: Arc::clone(key),
            before: before.map(Arc::clone),
        });
    }

    /// Forgets the changes that indexes have caught up with: all of them where there is no delay.
    ///
    /// Also when the delay is about to change, by what it was until then: an index that is to be
    /// further behind from now on doesn't unlearn what it has shown.
    pub(crate) fn forget(&mut self, now_ms: i64, delay: Duration) {
        if delay.is_zero() {
            self.changes.clear();
            return;
        }
        let caught_up_ms = behind(now_ms, delay);
        while let Some(first) = self.changes.front()
            && first.at_ms <= caught_up_ms
        {
            self.changes.pop_front();
        }
    }

    /// The rows that have changed since, as they were then.
    pub(crate) fn since(&self, then_ms: i64) -> BTreeMap<RowKey, Option<Arc<StoredRow>>> {
        // Of several changes of a row the first one knows what it was.
        let later = self.changes.iter().rev();
        later
            .filter(|change| change.at_ms > then_ms)
            .map(|change| (Arc::clone(&change.key), change.before.clone()))
            .collect()
    }
}

/// The moment that an index shows which is so far behind.
pub(crate) fn behind(now_ms: i64, delay: Duration) -> i64 {
    now_ms.saturating_sub(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
}
