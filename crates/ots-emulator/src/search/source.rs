//! The rows of an index, taken out under the database's lock and looked at without it.

use std::sync::{Arc, Mutex};

use ots_proto::PrimaryKeyValue;

use super::order::Direction;
use super::view::IndexView;
use crate::database::{Database, Table, TableMeta, lock};
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// Where a search finds its rows. Asking a query for each of millions of rows takes a while, and
/// nobody else should wait for it: the lock is held to copy pointers, no longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'d> {
    pub(crate) database: &'d Mutex<Database>,
    /// The table the request found first. One created later under its name is another.
    pub(crate) table: &'d Arc<TableMeta>,
    pub(crate) view: IndexView,
}

impl Source<'_> {
    pub(crate) fn len(&self) -> Result<usize, ServiceError> {
        self.read(|table| self.view.len(table))
    }

    /// All rows of one moment, in the order of their keys.
    pub(crate) fn all(&self) -> Result<Vec<Arc<StoredRow>>, ServiceError> {
        self.read(|table| self.view.all(table))
    }

    /// Visits rows in the order of their keys, beginning after a key, until it is told that they are
    /// enough. They are taken in batches that grow, so a page that ends early costs what it reads;
    /// rows written meanwhile may or may not be seen.
    pub(crate) fn visit(
        &self,
        after: Option<&[PrimaryKeyValue]>,
        direction: Direction,
        mut wants_more: impl FnMut(&Arc<StoredRow>) -> bool,
    ) -> Result<(), ServiceError> {
        let mut size = FIRST_BATCH;
        let mut last = None;
        loop {
            let from = last
                .as_ref()
                .map(|row: &Arc<StoredRow>| &*row.key)
                .or(after);
            let mut batch = self.batch(from, direction, size)?;
            if !batch.iter().all(&mut wants_more) || batch.len() < size {
                return Ok(());
            }
            last = batch.pop();
            size = size.saturating_mul(4).min(LARGEST_BATCH);
        }
    }

    fn batch(
        &self,
        after: Option<&[PrimaryKeyValue]>,
        direction: Direction,
        size: usize,
    ) -> Result<Vec<Arc<StoredRow>>, ServiceError> {
        self.read(|table| self.view.batch(table, after, direction, size))
    }

    fn read<T>(&self, read: impl FnOnce(&Table) -> T) -> Result<T, ServiceError> {
        let database = lock(self.database);
        let name = &self.table.name;
        let table = database.tables.get(name);
        table
            .filter(|table| Arc::ptr_eq(&table.meta, self.table))
            .map(read)
            .ok_or_else(|| super::handlers::no_table(name))
    }
}

const FIRST_BATCH: usize = 256;
const LARGEST_BATCH: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::testing::Bench;

    #[test]
    fn rows_are_visited_once_in_order_and_without_the_lock() {
        let bench = Bench::counting(2000);
        let table = Arc::clone(&lock(&bench.database).tables["t"].meta);
        let source = Source {
            database: &bench.database,
            table: &table,
            view: IndexView::UP_TO_DATE,
        };
        let visit = |after: Option<i64>, direction, enough: usize| {
            let mut seen = Vec::new();
            let after = after.map(|id| [PrimaryKeyValue::from(id)]);
            source
                .visit(after.as_ref().map(<[_; 1]>::as_slice), direction, |row| {
                    assert!(bench.database.try_lock().is_ok());
                    seen.push(row.key[0].as_integer().unwrap());
                    seen.len() < enough
                })
                .unwrap();
            seen
        };
        let up: Vec<_> = (0..2000).collect();
        let down: Vec<_> = (0..2000).rev().collect();
        assert_eq!(visit(None, Direction::Ascending, usize::MAX), up);
        assert_eq!(visit(None, Direction::Descending, usize::MAX), down);
        assert_eq!(visit(Some(99), Direction::Ascending, 300), up[100..400]);
        assert_eq!(
            visit(Some(1900), Direction::Descending, 300),
            down[100..400]
        );
        assert_eq!(source.all().unwrap().len(), 2000);
        assert_eq!(source.len().unwrap(), 2000);
    }

    #[test]
    fn a_table_that_goes_meanwhile_is_reported() {
        let bench = Bench::counting(2000);
        let table = Arc::clone(&lock(&bench.database).tables["t"].meta);
        let source = Source {
            database: &bench.database,
            table: &table,
            view: IndexView::UP_TO_DATE,
        };
        let mut seen = 0;
        let result = source.visit(None, Direction::Ascending, |_| {
            seen += 1;
            lock(&bench.database).tables.clear();
            true
        });
        assert_eq!(
            result.unwrap_err(),
            ServiceError::parameter("table [t] does not exist")
        );
        assert_eq!(seen, FIRST_BATCH);
    }
}
