//! Rows as the emulator keeps them: shared, and replaced instead of changed.
//!
//! A row lives behind an `Arc`. A write puts a new one in its place, so whoever holds the old one (a
//! parallel scan's snapshot, above all) goes on seeing the old state at the price of a pointer.

use std::sync::Arc;

use ots_proto::{ColumnName, ColumnValue, PrimaryKeyValue};

/// The values of a row's key, in the order of the table's schema.
pub(crate) type RowKey = Arc<[PrimaryKeyValue]>;

/// A row with all versions of all its columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredRow {
    pub(crate) key: RowKey,
    /// By rising name, bytewise.
    pub(crate) columns: Vec<StoredColumn>,
}

/// A column of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredColumn {
    pub(crate) name: ColumnName,
    /// Newest first; never empty.
    pub(crate) versions: Vec<Version>,
}

/// One version of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Version {
    pub(crate) timestamp_ms: i64,
    pub(crate) value: ColumnValue,
}

impl StoredRow {
    /// The versions of a column, newest first; none if it is absent.
    pub(crate) fn versions(&self, name: &str) -> &[Version] {
        match self
            .columns
            .binary_search_by(|column| column.name.as_bytes().cmp(name.as_bytes()))
        {
            Ok(index) => self
                .columns
                .get(index)
                .map_or(&[], |column| &column.versions),
            Err(_) => &[],
        }
    }
}
