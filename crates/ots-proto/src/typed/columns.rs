//! What a typed row is read from: anything that can show a key and cells.

use crate::plainbuffer::SharedRow;
use crate::primary_key::{PrimaryKey, PrimaryKeyValueRef};
use crate::row::{CellRef, KeyCellRef, Row, RowRef};
use crate::value::ColumnValueRef;

/// A row to be read as a type, whichever way its cells are kept; `'row` is the life of its names
/// and values.
///
/// A handle, cheap to copy. [`RowRef`] is one: what every reader lends, of PlainBuffer and of
/// SimpleRowMatrix. So is a reference to a row that is a value of its own, [`Row`] or [`SharedRow`].
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
        lent_key(self.primary_key())
    }

    #[inline]
    fn cells(&self) -> impl Iterator<Item = (&'buf str, ColumnValueRef<'buf>)> {
        lent_cells(Self::cells(self))
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

/// What is borrowed from the row lives as long as this handle to its page.
impl<'row> Columns<'row> for &'row SharedRow {
    #[inline]
    fn key(&self) -> impl Iterator<Item = (&'row str, PrimaryKeyValueRef<'row>)> {
        lent_key(self.as_ref().primary_key())
    }

    #[inline]
    fn cells(&self) -> impl Iterator<Item = (&'row str, ColumnValueRef<'row>)> {
        lent_cells(self.as_ref().cells())
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
fn lent_key<'buf>(
    key: &[KeyCellRef<'buf>],
) -> impl Iterator<Item = (&'buf str, PrimaryKeyValueRef<'buf>)> {
    key.iter().map(|column| (column.name, column.value))
}

#[inline]
fn lent_cells<'buf>(
    cells: &[CellRef<'buf>],
) -> impl Iterator<Item = (&'buf str, ColumnValueRef<'buf>)> {
    cells
        .iter()
        .filter_map(|cell| Some((cell.name, cell.value?)))
}

#[inline]
fn key_of(key: &PrimaryKey) -> impl Iterator<Item = (&str, PrimaryKeyValueRef<'_>)> {
    key.columns()
        .iter()
        .map(|column| (column.name.as_str(), column.value.as_ref()))
}
