//! Rows that are values of their own: handles into the page that they came from.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use self_cell::self_cell;

use super::error::Error;
use super::reader::Reader;
use super::separate::SeparateRows;
use super::visit::Visitor;
use super::walk::{Accept, Checksums};
use crate::name::NameCache;
use crate::row::{CellRef, KeyCellRef, Row, RowRef};

/// The rows of a page that was read whole: verified, shared, and free of any borrow.
///
/// The page's buffers and one table of all cells lie behind a counted pointer; a row is that pointer
/// and a number. So rows can be sent to other threads, kept in collections and returned from
/// functions, and none of their names and values was copied.
///
/// # Cost
/// A handful of allocations for a page, whatever the number of its rows; 64 bytes of table for each
/// cell, 40 for each key column. A row taken out costs one atomic increment; everything read from it
/// costs what it costs from a [`RowRef`], which is what it lends.
///
/// # What a kept row holds
/// *The whole page*: its table and its buffers, which are slices of the response they came with. That
/// is right for rows that live about as long as their page. Who keeps a few of many rows takes
/// [`SharedRow::detach`], which copies one row and lets the page go.
///
/// ```
/// use ots_proto::plainbuffer::{Accept, SharedRow, SharedRows, Writer};
/// use ots_proto::{ColumnValueRef, PrimaryKey, Row};
///
/// let mut writer = Writer::new();
/// for id in 0..3 {
///     writer.row(&Row::new(PrimaryKey::new().column("id", id)).cell("city", "Hangzhou"));
/// }
/// let rows: Vec<SharedRow> = SharedRows::read(writer.finish(), Accept::Rows)?.iter().collect();
///
/// let last = rows.into_iter().last().expect("three rows");
/// let elsewhere = std::thread::spawn(move || {
///     assert_eq!(last.as_ref().get("city"), Some(ColumnValueRef::String("Hangzhou")));
///     last.detach()
/// });
/// let row = elsewhere.join().expect("no panic");
/// assert_eq!(row.primary_key, PrimaryKey::new().column("id", 2));
/// # Ok::<(), ots_proto::plainbuffer::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedRows {
    page: Arc<Page>,
}

/// One row of [`SharedRows`]: a handle that keeps its page.
#[derive(Clone)]
pub struct SharedRow {
    page: Arc<Page>,
    row: usize,
}

self_cell!(
    struct Page {
        owner: Buffers,
        #[covariant]
        dependent: Table,
    }
);

/// What the cells lie in.
enum Buffers {
    One(Bytes),
    Each(Vec<Bytes>),
}

/// All cells of a page, row after row.
#[derive(Default)]
struct Table<'buf> {
    keys: Vec<KeyCellRef<'buf>>,
    cells: Vec<CellRef<'buf>>,
    rows: Vec<RowEnd>,
}

/// Where a row ends in the lists of its page. It begins where the one before it ends.
#[derive(Clone, Copy, Default)]
struct RowEnd {
    keys: usize,
    cells: usize,
    deleted: bool,
}

impl SharedRows {
    /// Reads a buffer of rows, as GetRange sends them.
    ///
    /// # Errors
    /// When the buffer breaks a rule of the format.
    pub fn read(buffer: Bytes, accept: Accept) -> Result<Self, Error> {
        Self::read_with(buffer, accept, Checksums::Verify)
    }

    /// As [`read`](Self::read); `checksums` says whether to compare them.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_with(buffer: Bytes, accept: Accept, checksums: Checksums) -> Result<Self, Error> {
        Self::build(Buffers::One(buffer), |buffers, table| match buffers {
            Buffers::One(buffer) => {
                let mut reader = Reader::new(buffer, accept)?.checksums(checksums);
                if reader.visit_row(table)? {
                    // The first row tells how much room the others are likely to take.
                    let first = reader.position().offset();
                    table.reserve(buffer.len() / first);
                }
                reader.visit(table).map(drop)
            }
            Buffers::Each(_) => Ok(()),
        })
    }

    /// Reads rows that come each in a buffer of its own, as ParallelScan and Search send them.
    ///
    /// # Errors
    /// When a buffer breaks a rule of the format, or doesn't hold exactly one row.
    pub fn read_separate(buffers: Vec<Bytes>) -> Result<Self, Error> {
        Self::read_separate_with(buffers, Checksums::Verify)
    }

    /// As [`read_separate`](Self::read_separate); `checksums` says whether to compare them.
    ///
    /// # Errors
    /// As [`read_separate`](Self::read_separate).
    pub fn read_separate_with(buffers: Vec<Bytes>, checksums: Checksums) -> Result<Self, Error> {
        Self::build(Buffers::Each(buffers), |buffers, table| match buffers {
            Buffers::Each(buffers) => {
                let mut rows = SeparateRows::new(buffers).checksums(checksums);
                if rows.visit_row(table)? {
                    let total: usize = buffers.iter().map(Bytes::len).sum();
                    let first = buffers.first().map_or(1, |first| first.len().max(1));
                    table.reserve(total / first);
                }
                rows.visit(table).map(drop)
            }
            Buffers::One(_) => Ok(()),
        })
    }

    fn build(
        buffers: Buffers,
        read: impl for<'buf> FnOnce(&'buf Buffers, &mut Table<'buf>) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let page = Page::try_new(buffers, |buffers| {
            let mut table = Table::default();
            read(buffers, &mut table).map(|()| table)
        })?;
        Ok(Self {
            page: Arc::new(page),
        })
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.page.borrow_dependent().rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A handle to the row at `index`, counted from zero.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<SharedRow> {
        (index < self.len()).then(|| SharedRow {
            page: Arc::clone(&self.page),
            row: index,
        })
    }

    /// A handle to each row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = SharedRow> + use<> {
        let page = Arc::clone(&self.page);
        (0..self.len()).map(move |row| SharedRow {
            page: Arc::clone(&page),
            row,
        })
    }
}

impl SharedRow {
    /// The row, borrowed from its page: names, values and all that [`RowRef`] can do.
    #[must_use]
    pub fn as_ref(&self) -> RowRef<'_, '_> {
        self.page.borrow_dependent().row(self.row)
    }

    /// A copy that owns its values and keeps no page.
    ///
    /// For many rows of one page [`RowRef::to_row`] is better: with one [`NameCache`] they share
    /// their names.
    #[must_use]
    pub fn detach(&self) -> Row {
        self.as_ref().to_row(&mut NameCache::default())
    }
}

impl<'buf> Table<'buf> {
    fn row(&self, index: usize) -> RowRef<'_, 'buf> {
        let before = index.checked_sub(1).and_then(|index| self.rows.get(index));
        let start = before.copied().unwrap_or_default();
        let end = self.rows.get(index).copied().unwrap_or(start);
        RowRef {
            key: self.keys.get(start.keys..end.keys).unwrap_or_default(),
            cells: self.cells.get(start.cells..end.cells).unwrap_or_default(),
            delete_marker: end.deleted,
        }
    }

    /// Makes room for rows like the first. What it takes is bounded by the length of the page,
    /// because that is how many such rows fit in it.
    fn reserve(&mut self, rows: usize) {
        self.keys.reserve(self.keys.len().saturating_mul(rows));
        self.cells.reserve(self.cells.len().saturating_mul(rows));
        self.rows.reserve(rows);
    }
}

impl<'buf> Visitor<'buf> for Table<'buf> {
    type Error = Error;

    #[inline]
    fn key(&mut self, _: usize, cell: KeyCellRef<'buf>) -> Result<(), Error> {
        self.keys.push(cell);
        Ok(())
    }

    #[inline]
    fn cell(&mut self, _: usize, cell: CellRef<'buf>) -> Result<(), Error> {
        self.cells.push(cell);
        Ok(())
    }

    #[inline]
    fn end_row(&mut self, deleted: bool) -> Result<(), Error> {
        self.rows.push(RowEnd {
            keys: self.keys.len(),
            cells: self.cells.len(),
            deleted,
        });
        Ok(())
    }
}

impl PartialEq for SharedRow {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl fmt::Debug for SharedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for SharedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
