//! What derived code calls. No part of the API: it may change in any release.

use std::sync::LazyLock;

use super::error::{Error, ErrorKind, ValueError};
use super::key_value::{FromKeyValue, IntoKeyValue};
use super::timestamp::{TimestampUnit, TimestampValue};
use super::value::{FromColumnValue, IntoColumnValue};
use crate::name::ColumnName;
use crate::primary_key::{PrimaryKey, PrimaryKeyValue, PrimaryKeyValueRef};
use crate::row::{Cell, Row};
use crate::value::{ColumnValue, ColumnValueRef};

/// The names of a type's columns, made once for the whole program: rows share them.
pub type Names<const N: usize> = LazyLock<[ColumnName; N]>;

/// Finds cells among the columns of a type, which are sorted by name, as the service sends them.
#[derive(Debug)]
pub struct Finder {
    names: &'static [&'static str],
    /// The column after the one that was found last.
    next: usize,
}

impl Finder {
    #[must_use]
    pub const fn new(names: &'static [&'static str]) -> Self {
        Self { names, next: 0 }
    }

    /// The index of `name`, unless the type has no such column.
    #[inline]
    pub fn find(&mut self, name: &str) -> Option<usize> {
        let found = match self.names.get(self.next) {
            Some(expected) if *expected == name => self.next,
            _ => self.names.binary_search(&name).ok()?,
        };
        self.next = found + 1;
        Some(found)
    }
}

#[cold]
#[must_use]
pub fn missing(column: &str) -> Error {
    Error::new(ErrorKind::Missing, Some(column))
}

#[inline]
pub fn read_timestamp<T: TimestampValue>(
    value: ColumnValueRef<'_>,
    unit: TimestampUnit,
) -> Result<T, ValueError> {
    T::from_unix(i64::from_column_value(value)?, unit)
}

#[inline]
pub fn write_timestamp<T: TimestampValue>(
    time: T,
    unit: TimestampUnit,
) -> Result<Option<ColumnValue>, ValueError> {
    time.into_unix(unit)?.into_column_value()
}

#[inline]
pub fn read_key_timestamp<T: TimestampValue>(
    value: PrimaryKeyValueRef<'_>,
    unit: TimestampUnit,
) -> Result<T, ValueError> {
    T::from_unix(i64::from_key_value(value)?, unit)
}

#[inline]
pub fn write_key_timestamp<T: TimestampValue>(
    time: T,
    unit: TimestampUnit,
) -> Result<PrimaryKeyValue, ValueError> {
    match time.into_unix(unit)? {
        Some(count) => count.into_key_value(),
        None => Err(ValueError::refused("a key column can't be left out")),
    }
}

#[inline]
pub fn write_generated<T: IntoKeyValue>(value: Option<T>) -> Result<PrimaryKeyValue, ValueError> {
    value.map_or(Ok(PrimaryKeyValue::AutoIncrement), T::into_key_value)
}

#[inline]
pub fn push_key(
    key: &mut PrimaryKey,
    name: &ColumnName,
    value: Result<PrimaryKeyValue, ValueError>,
) -> Result<(), Error> {
    let value = value.map_err(|error| error.in_column(name))?;
    key.push(name, value);
    Ok(())
}

#[inline]
pub fn push_cell(
    row: &mut Row,
    name: &ColumnName,
    value: Result<Option<ColumnValue>, ValueError>,
) -> Result<(), Error> {
    if let Some(value) = value.map_err(|error| error.in_column(name))? {
        row.cells.push(Cell::new(name, value));
    }
    Ok(())
}

/// Whether no name of `a` is one of `b`; for assertions at compile time.
#[must_use]
#[expect(
    clippy::indexing_slicing,
    reason = "constant evaluation has no iterators; the bounds are checked in sight"
)]
pub const fn disjoint(a: &[&str], b: &[&str]) -> bool {
    let mut i = 0;
    while i < a.len() {
        let mut j = 0;
        while j < b.len() {
            if equal(a[i].as_bytes(), b[j].as_bytes()) {
                return false;
            }
            j += 1;
        }
        i += 1;
    }
    true
}

#[expect(
    clippy::indexing_slicing,
    reason = "constant evaluation has no iterators; the bounds are checked in sight"
)]
const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Fields kept as JSON.
#[cfg(feature = "json")]
pub mod json {
    use serde_core::Serialize;
    use serde_core::de::DeserializeOwned;

    use super::super::json;
    use super::{ColumnValue, ColumnValueRef, ValueError};

    pub fn read<T: DeserializeOwned>(value: ColumnValueRef<'_>) -> Result<T, ValueError> {
        json::read(value)
    }

    #[must_use]
    pub fn absent<T: DeserializeOwned>() -> Option<T> {
        json::absent()
    }

    pub fn write<T: Serialize>(value: &T) -> Result<Option<ColumnValue>, ValueError> {
        json::write(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["age", "city", "name", "城市"];

    #[test]
    fn columns_are_found_in_any_order_and_strangers_are_not() {
        let mut finder = Finder::new(NAMES);
        for (index, name) in NAMES.iter().enumerate() {
            assert_eq!(finder.find(name), Some(index));
        }
        for (index, name) in NAMES.iter().enumerate().rev() {
            assert_eq!(finder.find(name), Some(index));
            assert_eq!(finder.find(""), None);
            assert_eq!(finder.find("zip"), None);
            // A version of the same column.
            assert_eq!(finder.find(name), Some(index));
        }
    }

    #[test]
    fn disjoint_lists_share_no_name() {
        assert!(disjoint(NAMES, &["ag", "citys", ""]));
        assert!(disjoint(NAMES, &[]));
        assert!(!disjoint(NAMES, &["x", "城市"]));
    }
}
