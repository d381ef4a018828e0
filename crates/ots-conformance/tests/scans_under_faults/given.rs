//! What came of the rows.

use std::collections::BTreeMap;

use ots_core::Row;

use crate::place::ROWS;

/// How often each row came.
#[derive(Debug, Default)]
pub(crate) struct Given(BTreeMap<i64, u32>);

impl Given {
    /// Notes the rows of a page, each of which must be as it was written.
    pub(crate) fn take(&mut self, rows: &[Row]) {
        for row in rows {
            let id = row.primary_key.get("id").unwrap().as_integer().unwrap();
            assert_eq!(row.get("price").unwrap().as_integer(), Some(-id));
            *self.0.entry(id).or_default() += 1;
        }
    }

    /// The rows that came, each counted once.
    pub(crate) fn rows(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap()
    }

    pub(crate) fn assert_once(&self) {
        assert!(self.0.values().all(|times| *times == 1), "rows came twice");
    }

    /// Every row, once.
    pub(crate) fn assert_whole(&self, world: impl std::fmt::Debug) {
        self.assert_once();
        assert!(self.0.keys().copied().eq(0..ROWS), "world {world:?}");
    }
}
