//! Rows as the emulator keeps them: shared, and replaced instead of changed.
//!
//! A row lives behind an `Arc`. A write puts a new one in its place, so whoever holds the old one (a
//! parallel scan's snapshot, above all) goes on seeing the old state at the price of a pointer.

use std::ops::Deref;
use std::slice;
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
    /// Shared with the other rows of the table.
    pub(crate) name: ColumnName,
    pub(crate) versions: Versions,
}

/// The versions of a column, newest first; never empty. It is a slice of [`Version`]s for whoever
/// reads it.
///
/// Nearly all columns have one version, so that one lies in the row itself: an allocation for each
/// cell is what would make millions of rows large and slow to load.
#[derive(Clone, Debug)]
pub(crate) enum Versions {
    One(Version),
    Many(Vec<Version>),
}

/// One version of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Version {
    pub(crate) timestamp_ms: i64,
    pub(crate) value: ColumnValue,
}

impl StoredRow {
    /// The column called `name`, if the row has it.
    pub(crate) fn column(&self, name: &str) -> Option<&StoredColumn> {
        let index = self
            .columns
            .binary_search_by(|column| column.name.as_bytes().cmp(name.as_bytes()));
        self.columns.get(index.ok()?)
    }

    /// The versions of a column, newest first; none if it is absent.
    pub(crate) fn versions(&self, name: &str) -> &[Version] {
        self.column(name).map_or(&[], |column| &column.versions)
    }
}

impl Deref for Versions {
    type Target = [Version];

    fn deref(&self) -> &[Version] {
        match self {
            Self::One(version) => slice::from_ref(version),
            Self::Many(versions) => versions,
        }
    }
}

impl From<Version> for Versions {
    fn from(version: Version) -> Self {
        Self::One(version)
    }
}

impl From<Vec<Version>> for Versions {
    fn from(mut versions: Vec<Version>) -> Self {
        match versions.pop() {
            Some(only) if versions.is_empty() => Self::One(only),
            Some(last) => {
                versions.push(last);
                Self::Many(versions)
            }
            None => Self::Many(versions),
        }
    }
}

impl PartialEq for Versions {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
