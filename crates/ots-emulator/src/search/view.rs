//! What an index holds of its table: the rows as they were when it last caught up, without what has
//! outlived its time in the index.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use ots_proto::PrimaryKeyValue;

use super::SearchIndex;
use super::order::Direction;
use crate::database::Table;
use crate::recent;
use crate::settings::Context;
use crate::stored::{RowKey, StoredRow};

/// An index at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexView {
    /// Changes after this moment haven't reached the index; none if it is never behind.
    caught_up_ms: Option<i64>,
    /// Cells up to this version have expired.
    expired_ms: Option<i64>,
}

/// Rows that the index has otherwise than the table has them now.
type Earlier = BTreeMap<RowKey, Option<Arc<StoredRow>>>;

impl IndexView {
    /// Of an index that shows its table as it is.
    #[cfg(test)]
    pub(crate) const UP_TO_DATE: Self = Self {
        caught_up_ms: None,
        expired_ms: None,
    };

    pub(crate) fn of(context: &Context<'_>, table: &Table, index: &SearchIndex) -> Self {
        let delay = context.settings.index_delay;
        let time_to_live_s = index.time_to_live_s(&table.options);
        Self {
            caught_up_ms: (!delay.is_zero()).then(|| recent::behind(context.now_ms, delay)),
            expired_ms: (time_to_live_s != -1).then(|| {
                let life_ms = i64::from(time_to_live_s).saturating_mul(1000);
                context.now_ms.saturating_sub(life_ms)
            }),
        }
    }

    /// Its rows, in the order of their keys.
    pub(crate) fn all(&self, table: &Table) -> Vec<Arc<StoredRow>> {
        if self.is_the_table() {
            return table.rows.values().map(Arc::clone).collect();
        }
        self.batch(table, None, Direction::Ascending, usize::MAX)
    }

    /// How many rows it has.
    pub(crate) fn len(&self, table: &Table) -> usize {
        if self.is_the_table() {
            return table.rows.len();
        }
        self.all(table).len()
    }

    /// The next rows after a key, in one or the other direction.
    pub(crate) fn batch(
        &self,
        table: &Table,
        after: Option<&[PrimaryKeyValue]>,
        direction: Direction,
        size: usize,
    ) -> Vec<Arc<StoredRow>> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let bounds = match direction {
            Direction::Ascending => (after, Bound::Unbounded),
            Direction::Descending => (Bound::Unbounded, after),
        };
        let earlier = self.earlier(table);
        let now = table.rows.range::<[PrimaryKeyValue], _>(bounds);
        let now = now
            .filter(|(key, _)| !earlier.contains_key(*key))
            .filter_map(|(_, row)| self.shown(row));
        let then = earlier.range::<[PrimaryKeyValue], _>(bounds);
        let then = then.filter_map(|(_, row)| self.shown(row.as_ref()?));
        let mut rows: Vec<_> = match direction {
            Direction::Ascending => now.take(size).collect(),
            Direction::Descending => now.rev().take(size).collect(),
        };
        let changed = rows.len();
        match direction {
            Direction::Ascending => rows.extend(then.take(size)),
            Direction::Descending => rows.extend(then.rev().take(size)),
        }
        if rows.len() > changed {
            // The first ones of both are the first ones of all.
            rows.sort_by(|a, b| match direction {
                Direction::Ascending => a.key.cmp(&b.key),
                Direction::Descending => b.key.cmp(&a.key),
            });
            rows.truncate(size);
        }
        rows
    }

    /// Whether it shows the table as it is.
    const fn is_the_table(&self) -> bool {
        self.caught_up_ms.is_none() && self.expired_ms.is_none()
    }

    fn earlier(&self, table: &Table) -> Earlier {
        self.caught_up_ms
            .map(|caught_up_ms| table.recent.since(caught_up_ms))
            .unwrap_or_default()
    }

    /// The row without cells that have expired. It is gone with the last of them; a row written
    /// without any has nothing that could.
    fn shown(&self, row: &Arc<StoredRow>) -> Option<Arc<StoredRow>> {
        let Some(expired_ms) = self.expired_ms else {
            return Some(Arc::clone(row));
        };
        let lives = |at_ms: i64| at_ms > expired_ms;
        let mut newest = row.columns.iter().map(|column| column.versions.first());
        if newest.all(|newest| newest.is_some_and(|newest| lives(newest.timestamp_ms))) {
            return Some(Arc::clone(row));
        }
        let mut row = StoredRow::clone(row);
        row.columns.retain(|column| {
            let newest = column.versions.first();
            newest.is_some_and(|newest| lives(newest.timestamp_ms))
        });
        (!row.columns.is_empty()).then(|| Arc::new(row))
    }
}
