//! The road for who wants values and no rows: cells are handed over as they are read.

use super::error::Error;
use crate::row::{CellRef, KeyCellRef};

/// Takes the parts of rows as they are read, without a row in between.
///
/// This is how columns are filled: `ots-arrow` is a visitor. Every distinct name of a page has a
/// small number, counted from zero in the order in which names first come, the same in every row of
/// the walk. So a visitor looks a name up once, when it sees a number for the first time, and finds
/// its own column by index from then on.
///
/// # What is verified when
/// A cell was verified whole before it is handed over: its form, its text, its checksum. The rest of
/// its row wasn't yet; a row counts only once [`end_row`](Self::end_row) was called. After an error
/// the last row may be there in part, and the visitor is to take it back.
///
/// # Cost
/// Nothing is allocated per row or cell; a walk keeps a few words for each distinct name.
///
/// ```
/// use ots_proto::plainbuffer::{Accept, Error, Reader, Visitor, Writer};
/// use ots_proto::{CellRef, ColumnValueRef, KeyCellRef, PrimaryKey, Row};
///
/// /// The sum of the integers in each column, by the column's number.
/// #[derive(Default)]
/// struct Sums(Vec<i64>);
///
/// impl<'buf> Visitor<'buf> for Sums {
///     type Error = Error;
///
///     fn key(&mut self, column: usize, _: KeyCellRef<'buf>) -> Result<(), Error> {
///         self.0.resize(self.0.len().max(column + 1), 0);
///         Ok(())
///     }
///
///     fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Error> {
///         self.0.resize(self.0.len().max(column + 1), 0);
///         if let Some(ColumnValueRef::Integer(value)) = cell.value {
///             self.0[column] += value;
///         }
///         Ok(())
///     }
/// }
///
/// let mut writer = Writer::new();
/// for id in 0..10 {
///     writer.row(&Row::new(PrimaryKey::new().column("id", id)).cell("n", 2 * id));
/// }
/// let page = writer.finish();
///
/// let mut sums = Sums::default();
/// let rows = Reader::new(&page, Accept::Rows)?.visit(&mut sums)?;
/// assert_eq!(rows, 10);
/// assert_eq!(sums.0, [0, 90]);
/// # Ok::<(), Error>(())
/// ```
pub trait Visitor<'buf> {
    /// What ends a walk: damage in the buffer, or something that the visitor itself refuses.
    type Error: From<Error>;

    /// A row begins.
    ///
    /// # Errors
    /// Whatever the visitor refuses. Damage in the same row goes first, so that a visitor's own
    /// complaints are always about sound rows.
    #[inline]
    fn begin_row(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// A column of the primary key.
    ///
    /// # Errors
    /// As [`begin_row`](Self::begin_row).
    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), Self::Error>;

    /// An attribute cell. Versions of one column come one after another, newest first.
    ///
    /// # Errors
    /// As [`begin_row`](Self::begin_row).
    fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Self::Error>;

    /// The row ends, and was found sound; `deleted` says whether it carries the delete marker.
    ///
    /// # Errors
    /// As [`begin_row`](Self::begin_row).
    #[inline]
    fn end_row(&mut self, deleted: bool) -> Result<(), Self::Error> {
        let _ = deleted;
        Ok(())
    }
}

/// Takes everything and keeps nothing: a walk that only verifies.
#[derive(Debug)]
pub(super) struct Unheeded;

impl<'buf> Visitor<'buf> for Unheeded {
    type Error = Error;

    #[inline]
    fn key(&mut self, _: usize, _: KeyCellRef<'buf>) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn cell(&mut self, _: usize, _: CellRef<'buf>) -> Result<(), Error> {
        Ok(())
    }
}
