//! Buffers into rows: every rule of the format is checked on the way, nothing is copied.

use super::error::Error;
use super::lent::LentRow;
use super::owned::OwnedRow;
use super::visit::{Unheeded, Visitor};
use super::walk::{Accept, Checksums, Walk};
use crate::name::NameCache;
use crate::row::{Row, RowRef};

/// Reads the rows of a buffer, one after another, without copying.
///
/// It lends each row until the next is asked for, so that a page of any size needs one list of
/// cells. Everything is verified before a row is lent: lengths, tags, UTF-8, both checksums.
///
/// ```
/// use ots_proto::plainbuffer::{Accept, Reader, write_row};
/// use ots_proto::{PrimaryKey, Row};
///
/// let row = Row::new(PrimaryKey::new().column("id", 7)).cell("city", "Hangzhou");
/// let buffer = write_row(&row);
///
/// let mut reader = Reader::new(&buffer, Accept::Rows)?;
/// while let Some(row) = reader.next_row()? {
///     assert_eq!(row.primary_key()[0].name, "id");
///     assert_eq!(row.cells()[0].name, "city");
/// }
/// # Ok::<(), ots_proto::plainbuffer::Error>(())
/// ```
///
/// After an error it gives no more rows: what follows damage can't be trusted.
#[derive(Debug)]
pub struct Reader<'buf> {
    walk: Walk<'buf>,
    row: LentRow<'buf>,
    owned: OwnedRow,
}

/// A place between two rows of a buffer; the default is the one before the first row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    offset: usize,
    rows: usize,
}

impl Position {
    /// Before the first row.
    pub const START: Self = Self { offset: 0, rows: 0 };

    /// The offset in the buffer, in bytes.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }

    /// The rows before it.
    #[must_use]
    pub const fn rows(self) -> usize {
        self.rows
    }
}

impl<'buf> Reader<'buf> {
    /// A reader of a buffer with its header.
    ///
    /// # Errors
    /// When the buffer doesn't start with the header of the format; an empty one doesn't either.
    pub fn new(buffer: &'buf [u8], accept: Accept) -> Result<Self, Error> {
        let mut walk = Walk::new(accept);
        walk.open(buffer)?;
        let (row, owned) = (LentRow::new(), OwnedRow::default());
        Ok(Self { walk, row, owned })
    }

    /// Whether to compare checksums from the next row on; without this they are.
    #[must_use]
    pub fn checksums(mut self, checksums: Checksums) -> Self {
        self.set_checksums(checksums);
        self
    }

    pub(super) const fn set_checksums(&mut self, checksums: Checksums) {
        self.walk.set_checksums(checksums);
    }

    /// Goes on with another buffer, keeping the memory and the count of rows: for the responses that
    /// send each row in a buffer of its own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn continue_with(&mut self, buffer: &'buf [u8]) -> Result<(), Error> {
        let row = self.walk.rows();
        self.walk.open(buffer).map_err(|error| error.in_row(row))
    }

    /// The next row, or none at the end of the buffer.
    ///
    /// # Errors
    /// When the buffer breaks a rule of the format; see [`ErrorKind`](super::ErrorKind).
    #[inline]
    pub fn next_row(&mut self) -> Result<Option<RowRef<'_, 'buf>>, Error> {
        Ok(self.advance()?.then(|| self.lent()))
    }

    /// Whether no row is left, or none that can be trusted.
    pub(super) const fn is_done(&self) -> bool {
        self.walk.is_done()
    }

    /// The row that was read last.
    #[inline]
    pub(super) fn lent(&self) -> RowRef<'_, 'buf> {
        self.row.lend()
    }

    /// Reads the next row, if there is one. What it says fits in registers, the row stays where it is.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        if self.walk.is_done() {
            return Ok(false);
        }
        self.row.fill(|row| self.walk.row(row))?;
        Ok(true)
    }

    /// The next row, owning its values: what [`RowRef::to_row`] makes of a lent one, without that one in
    /// between. `names` lets rows share their names, also those of other buffers.
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row).
    #[inline]
    pub fn next_owned(&mut self, names: &mut NameCache) -> Result<Option<Row>, Error> {
        Ok(self.advance_owned(names)?.then(|| self.take_owned()))
    }

    /// The row that was read last by [`advance_owned`](Self::advance_owned).
    #[inline]
    pub(super) fn take_owned(&mut self) -> Row {
        self.owned.take()
    }

    /// Reads the next row, if there is one, into parts of an owned one.
    pub(super) fn advance_owned(&mut self, names: &mut NameCache) -> Result<bool, Error> {
        if self.walk.is_done() {
            return Ok(false);
        }
        self.walk.row(&mut self.owned.making(names))?;
        Ok(true)
    }

    /// Hands the rows that are left to a visitor, and says how many they were.
    ///
    /// # Errors
    /// When the buffer breaks a rule of the format, or the visitor refuses something.
    pub fn visit<V: Visitor<'buf>>(&mut self, visitor: &mut V) -> Result<usize, V::Error> {
        let before = self.walk.rows();
        self.walk.all(visitor)?;
        Ok(self.walk.rows() - before)
    }

    /// Counts the rows that are left. Each is verified as by [`next_row`](Self::next_row), and none is
    /// made: the quickest way to know that a page is sound.
    ///
    /// # Errors
    /// When the buffer breaks a rule of the format.
    pub fn count_rows(&mut self) -> Result<usize, Error> {
        self.visit(&mut Unheeded)
    }

    /// Hands the next row to a visitor, and says whether there was one.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    pub fn visit_row<V: Visitor<'buf>>(&mut self, visitor: &mut V) -> Result<bool, V::Error> {
        if self.walk.is_done() {
            return Ok(false);
        }
        self.walk.row(visitor).map(|()| true)
    }

    /// Rows read so far.
    #[must_use]
    pub const fn rows_read(&self) -> usize {
        self.walk.rows()
    }

    /// Where the next row begins; after an error, where the row begins that can't be read.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position {
            offset: self.walk.position(),
            rows: self.walk.rows(),
        }
    }

    /// A reader that goes on where another reader of the same buffer stopped, or looks ahead from there.
    ///
    /// It has to learn the names of columns anew; to hold a place over time, [`OwningReader`] is better.
    ///
    /// [`OwningReader`]: super::OwningReader
    ///
    /// ```
    /// use ots_proto::plainbuffer::{Accept, Reader, Writer};
    /// use ots_proto::{PrimaryKey, Row};
    ///
    /// let mut writer = Writer::new();
    /// for id in [7, 8] {
    ///     writer.row(&Row::new(PrimaryKey::new().column("id", id)));
    /// }
    /// let buffer = writer.finish();
    ///
    /// let mut reader = Reader::new(&buffer, Accept::Rows)?;
    /// reader.next_row()?;
    /// let mut resumed = Reader::resume(&buffer, Accept::Rows, reader.position())?;
    /// assert_eq!(resumed.next_row()?, reader.next_row()?);
    /// assert_eq!(resumed.rows_read(), 2);
    /// # Ok::<(), ots_proto::plainbuffer::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn resume(buffer: &'buf [u8], accept: Accept, position: Position) -> Result<Self, Error> {
        let mut reader = Self::new(buffer, accept)?;
        reader.walk.skip_to(position.offset, position.rows);
        Ok(reader)
    }
}
