//! What a typed row is read from: anything that can show a key and cells.

use crate::primary_key::{PrimaryKey, PrimaryKeyValueRef};
use crate::row::{Row, RowRef};
use crate::value::ColumnValueRef;

/// A row to be read as a type, whichever way its cells are kept; `'row` is the life of its names
/// and values.
///
/// A handle, cheap to copy: [`RowRef`] is one, and a reference to an owned [`Row`].
pub trait Columns<'row>: Copy {
    /// The columns of the primary key, in the order of the row.
    fn key(&self) -> impl Iterator<Item = (&'row str, PrimaryKeyValueRef<'row>)>;

    /// The attribute cells that have a value. Versions of one column stand next to each other, newest
    /// first.
    fn cells(&self) -> impl Iterator<Item = (&'row str, ColumnValueRef<'row>)>;
}

impl<'buf> Columns<'buf> for RowRef<'_, 'buf> {
    #[inline]
    fn key(&self) -> impl Iterator<Item = (&'buf str, PrimaryKeyValueRef<'buf>)> {
        self.primary_key()
            .iter()
            .map(|column| (column.name, column.value))
    }

    #[inline]
    fn cells(&self) -> impl Iterator<Item = (&'buf str, ColumnValueRef<'buf>)> {
        Self::cells(self)
            .iter()
            .filter_map(|cell| Some((cell.name, cell.value?)))
    }
}

impl<'row> Columns<'row> for &'row Row {
    #[inline]
    fn key(&self) -> impl Iterator<Item = (&'row str, PrimaryKeyValueRef<'row>)> {
        key_of(&self.primary_key)
    }

    #[inline]
    fn cells(&self) -> impl Iterator<Item = (&'row str, ColumnValueRef<'row>)> {
        self.cells
            .iter()
            .map(|cell| (cell.name.as_str(), cell.value.as_ref()))
    }
}

/// A key alone is a row without cells.
impl<'row> Columns<'row> for &'row PrimaryKey {
    #[inline]
    fn key(&self) -> impl Iterator<Item = (&'row str, PrimaryKeyValueRef<'row>)> {
        key_of(self)
    }

    #[inline]
    fn cells(&self) -> impl Iterator<Item = (&'row str, ColumnValueRef<'row>)> {
        std::iter::empty()
    }
}

#[inline]
fn key_of(key: &PrimaryKey) -> impl Iterator<Item = (&str, PrimaryKeyValueRef<'_>)> {
    key.columns()
        .iter()
        .map(|column| (column.name.as_str(), column.value.as_ref()))
}
