//! The one walk over a buffer that every way of reading is made of.

use super::cell::{RawCell, expect};
use super::columns::Columns;
use super::crc8::Crc8;
use super::cursor::Cursor;
use super::error::{Error, ErrorKind};
use super::quick::QuickReader;
use super::tag;
use super::visit::{Unheeded, Visitor};
use crate::primary_key::PrimaryKeyValueRef;
use crate::row::{CellRef, KeyCellRef};
use crate::value::ColumnValueRef;

/// Which shapes of rows a place may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three places a row can stand in"
)]
pub enum Accept {
    /// Rows that were read: a whole key, and a value in every cell.
    Rows,
    /// Rows that were read without all of their key: GetRange when asked for only some key columns,
    /// or what UpdateRow returns of the columns it incremented.
    PartialRows,
    /// Changes of rows: operations and delete markers too.
    Changes,
}

/// Whether checksums are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "either they are or they aren't")]
pub enum Checksums {
    /// Every checksum of every cell and row is compared. The default everywhere.
    #[default]
    Verify,
    /// Checksums are stepped over; lengths, tags, types and UTF-8 are checked all the same.
    ///
    /// For buffers that something stronger has vouched for in this process: a page whose MD5 was
    /// compared, a page that was walked before. Anywhere else a flipped bit gives another number,
    /// another text or another time without a word: nothing behind this reader will notice.
    Trust,
}

/// A walk over the rows of buffers.
#[derive(Debug)]
pub(super) struct Walk<'buf> {
    cursor: Cursor<'buf>,
    accept: Accept,
    checksums: Checksums,
    rows: usize,
    failed: bool,
    columns: Columns<'buf>,
    quick: QuickReader,
}

/// Where a row stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among other rows.
    Among,
    /// In a buffer of its own.
    Alone,
}

/// Why a row ends before its end.
enum Stop<E> {
    /// The buffer breaks a rule of the format.
    Damage(Error),
    /// The visitor won't go on.
    Visitor(E),
}

impl<E> From<Error> for Stop<E> {
    fn from(error: Error) -> Self {
        Self::Damage(error)
    }
}

impl<'buf> Walk<'buf> {
    /// A walk that is to be given its buffers later.
    pub(super) fn new(accept: Accept) -> Self {
        Self {
            cursor: Cursor::new(&[]),
            accept,
            checksums: Checksums::Verify,
            rows: 0,
            failed: false,
            columns: Columns::default(),
            quick: QuickReader::new(Checksums::Verify),
        }
    }

    pub(super) const fn set_checksums(&mut self, checksums: Checksums) {
        self.checksums = checksums;
        self.quick = QuickReader::new(checksums);
    }

    /// Goes on with another buffer, keeping the columns and the count of rows.
    pub(super) fn open(&mut self, buffer: &'buf [u8]) -> Result<(), Error> {
        // Should this fail, the rest of the earlier buffer must not be taken for the new one.
        self.failed = true;
        self.cursor = open(buffer)?;
        self.failed = false;
        Ok(())
    }

    /// Goes on `offset` bytes from the start of the buffer, after `rows` rows.
    pub(super) fn skip_to(&mut self, offset: usize, rows: usize) {
        let ahead = offset.saturating_sub(self.cursor.position());
        self.cursor.skip(ahead);
        self.rows = rows;
    }

    /// The offset of the next row.
    pub(super) const fn position(&self) -> usize {
        self.cursor.position()
    }

    /// The rows before the next one.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Whether nothing is left of this buffer, or nothing that can be trusted.
    #[inline]
    pub(super) const fn is_done(&self) -> bool {
        self.failed || self.cursor.left() == 0
    }

    /// Hands one row to `visitor`. To be called while there is something left.
    #[inline]
    pub(super) fn row<V: Visitor<'buf>>(&mut self, visitor: &mut V) -> Result<(), V::Error> {
        self.row_at(self.cursor, Place::Among, visitor)
    }

    /// Hands all rows that are left to `visitor`.
    #[inline]
    pub(super) fn all<V: Visitor<'buf>>(&mut self, visitor: &mut V) -> Result<(), V::Error> {
        // From row to row the cursor stays out of memory.
        let mut cursor = self.cursor;
        while !self.failed && cursor.left() > 0 {
            match self.read(cursor, Place::Among, visitor) {
                Ok(end) => {
                    cursor = end;
                    self.rows += 1;
                }
                Err(stop) => {
                    self.cursor = cursor;
                    return Err(self.stopped(cursor, Place::Among, stop));
                }
            }
        }
        self.cursor = cursor;
        Ok(())
    }

    /// Hands the one row that a buffer must hold to `visitor`.
    #[inline]
    pub(super) fn only_row_of<V: Visitor<'buf>>(
        &mut self,
        buffer: &'buf [u8],
        visitor: &mut V,
    ) -> Result<(), V::Error> {
        let cursor = open(buffer).map_err(|error| error.in_row(self.rows))?;
        if cursor.left() == 0 {
            let expected = "one row in a buffer of its own, found none";
            return Err(wrong_count(&cursor, expected).in_row(self.rows).into());
        }
        self.row_at(cursor, Place::Alone, visitor)
    }

    // The cursor is handed on by value: through memory it would cost more than the row's checksum.
    #[inline]
    fn row_at<V: Visitor<'buf>>(
        &mut self,
        start: Cursor<'buf>,
        place: Place,
        visitor: &mut V,
    ) -> Result<(), V::Error> {
        match self.read(start, place, visitor) {
            Ok(end) => {
                self.cursor = end;
                self.rows += 1;
                Ok(())
            }
            Err(stop) => Err(self.stopped(start, place, stop)),
        }
    }

    /// What a walk ends with: damage of the row goes before what its visitor says.
    #[cold]
    fn stopped<E: From<Error>>(&mut self, start: Cursor<'buf>, place: Place, stop: Stop<E>) -> E {
        self.failed = true;
        let row = self.rows;
        match stop {
            Stop::Damage(error) => error.in_row(row).into(),
            Stop::Visitor(error) => match self.read(start, place, &mut Unheeded) {
                Err(Stop::Damage(damage)) => damage.in_row(row).into(),
                _ => error,
            },
        }
    }

    /// Reads the row that begins at `start`, and gives the position after it.
    #[inline]
    fn read<V: Visitor<'buf>>(
        &mut self,
        start: Cursor<'buf>,
        place: Place,
        visitor: &mut V,
    ) -> Result<Cursor<'buf>, Stop<V::Error>> {
        let mut cursor = start;
        let mut row_crc = Crc8::default();
        self.columns.start_row();
        visitor.begin_row().map_err(Stop::Visitor)?;

        // The service leaves the key out altogether where UpdateRow returns only what it incremented:
        // one official SDK refuses a key part without cells, and all read a row that begins with data.
        let keyless = self.accept == Accept::PartialRows && cursor.peek() == Some(tag::ROW_DATA);
        if !keyless {
            expect(
                &mut cursor,
                tag::ROW_PK,
                "ROW_PK (0x01) at the start of a row",
            )?;
        }
        if cursor.peek() != Some(tag::CELL) && self.accept != Accept::PartialRows {
            return Err(Error::new(ErrorKind::EmptyPrimaryKey, cursor.position()).into());
        }
        self.key_cells(&mut cursor, &mut row_crc, visitor)?;
        if cursor.peek() == Some(tag::ROW_DATA) {
            cursor.skip(1);
            self.attribute_cells(&mut cursor, &mut row_crc, visitor)?;
        }
        let deleted = cursor.peek() == Some(tag::DELETE_MARKER);
        if deleted {
            if self.accept != Accept::Changes {
                let found = "a delete marker";
                return Err(
                    Error::new(ErrorKind::OnlyInChanges { found }, cursor.position()).into(),
                );
            }
            cursor.skip(1);
        }
        if cursor.peek() == Some(tag::EXTENSION) {
            skip_extension(&mut cursor)?;
        }
        row_crc.update_byte(deleted.into());
        self.row_checksum(&mut cursor, row_crc.finish())?;
        if place == Place::Alone && cursor.left() > 0 {
            let expected = "one row in a buffer of its own, found more";
            return Err(wrong_count(&cursor, expected).into());
        }
        visitor.end_row(deleted).map_err(Stop::Visitor)?;
        Ok(cursor)
    }

    // In both loops the quick way ends in its own call of the visitor: where it met the careful way
    // again, every cell would go through memory.

    #[inline(always)]
    fn key_cells<V: Visitor<'buf>>(
        &mut self,
        cursor: &mut Cursor<'buf>,
        row_crc: &mut Crc8,
        visitor: &mut V,
    ) -> Result<(), Stop<V::Error>> {
        let mut rest = cursor.rest();
        while let [tag::CELL, ..] = rest {
            let found = self.columns.find(rest);
            if let Some((column, known)) = found.and_then(|column| self.columns.known(column))
                && let Some(after_name) = rest.get(known.head.len()..)
                && let Some(cell) = self.quick.read(after_name, known.name_crc)
                && cell.timestamp_ms.is_none()
                && let Some(value) = key_value(cell.value)
            {
                rest = cell.rest;
                row_crc.update_byte(cell.checksum);
                let name = known.name;
                let cell = KeyCellRef { name, value };
                visitor.key(column, cell).map_err(Stop::Visitor)?;
            } else {
                cursor.skip_to_last(rest.len());
                let (column, cell, checksum) = self.careful_key_cell(cursor, found)?;
                row_crc.update_byte(checksum);
                visitor.key(column, cell).map_err(Stop::Visitor)?;
                rest = cursor.rest();
            }
        }
        cursor.skip_to_last(rest.len());
        Ok(())
    }

    #[inline(always)]
    fn attribute_cells<V: Visitor<'buf>>(
        &mut self,
        cursor: &mut Cursor<'buf>,
        row_crc: &mut Crc8,
        visitor: &mut V,
    ) -> Result<(), Stop<V::Error>> {
        let mut rest = cursor.rest();
        while let [tag::CELL, ..] = rest {
            let found = self.columns.find(rest);
            if let Some((column, known)) = found.and_then(|column| self.columns.known(column))
                && let Some(after_name) = rest.get(known.head.len()..)
                && let Some(cell) = self.quick.read(after_name, known.name_crc)
            {
                rest = cell.rest;
                row_crc.update_byte(cell.checksum);
                let cell = CellRef {
                    name: known.name,
                    value: Some(cell.value),
                    operation: None,
                    timestamp_ms: cell.timestamp_ms,
                };
                visitor.cell(column, cell).map_err(Stop::Visitor)?;
            } else {
                cursor.skip_to_last(rest.len());
                let (column, cell, checksum) = self.careful_attribute_cell(cursor, found)?;
                row_crc.update_byte(checksum);
                visitor.cell(column, cell).map_err(Stop::Visitor)?;
                rest = cursor.rest();
            }
        }
        cursor.skip_to_last(rest.len());
        Ok(())
    }

    #[inline(never)]
    fn careful_key_cell(
        &mut self,
        cursor: &mut Cursor<'buf>,
        found: Option<usize>,
    ) -> Result<(usize, KeyCellRef<'buf>, u8), Error> {
        let raw = RawCell::read(cursor, self.checksums)?;
        let column = found.unwrap_or_else(|| self.columns.add(raw.head, raw.name, raw.name_crc));
        let checksum = raw.checksum;
        Ok((column, raw.into_key(self.accept)?, checksum))
    }

    #[inline(never)]
    fn careful_attribute_cell(
        &mut self,
        cursor: &mut Cursor<'buf>,
        found: Option<usize>,
    ) -> Result<(usize, CellRef<'buf>, u8), Error> {
        let raw = RawCell::read(cursor, self.checksums)?;
        let column = found.unwrap_or_else(|| self.columns.add(raw.head, raw.name, raw.name_crc));
        let checksum = raw.checksum;
        Ok((column, raw.into_attribute(self.accept)?, checksum))
    }

    #[inline(always)]
    fn row_checksum(&self, cursor: &mut Cursor<'buf>, computed: u8) -> Result<(), Error> {
        expect(
            cursor,
            tag::ROW_CHECKSUM,
            "a cell, or ROW_CHECKSUM (0x09) after the row",
        )?;
        let position = cursor.position();
        let stored = cursor.byte("a row's checksum")?;
        if stored == computed || self.checksums == Checksums::Trust {
            Ok(())
        } else {
            let kind = ErrorKind::RowChecksum { stored, computed };
            Err(Error::new(kind, position))
        }
    }
}

#[inline(always)]
const fn key_value(value: ColumnValueRef<'_>) -> Option<PrimaryKeyValueRef<'_>> {
    match value {
        ColumnValueRef::Integer(value) => Some(PrimaryKeyValueRef::Integer(value)),
        ColumnValueRef::String(value) => Some(PrimaryKeyValueRef::String(value)),
        ColumnValueRef::Binary(value) => Some(PrimaryKeyValueRef::Binary(value)),
        ColumnValueRef::Double(_) | ColumnValueRef::Boolean(_) => None,
    }
}

/// The position after the header of a buffer.
#[inline]
fn open(buffer: &[u8]) -> Result<Cursor<'_>, Error> {
    if buffer.first_chunk() == Some(&tag::HEADER) {
        Ok(Cursor::new(buffer).at(tag::HEADER.len()))
    } else {
        Err(Error::new(ErrorKind::Header, 0))
    }
}

#[cold]
fn wrong_count(cursor: &Cursor<'_>, expected: &'static str) -> Error {
    Error::new(ErrorKind::RowCount { expected }, cursor.end())
}

/// Extensions stand in change records only. Their entries are stepped over, known or not, but must
/// fill the length they state.
///
/// An entry can't begin with a tag of the row or of a cell: a decoder that reads entries until such
/// a tag comes, whatever the stated length, would take another turn there than this one.
#[inline(never)]
fn skip_extension(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    cursor.skip(1);
    let length = cursor.length("an extension")?;
    let mut entries = cursor.take(length);
    while entries.left() > 0 {
        let start = entries.position();
        let found = entries.byte("an extension's entry")?;
        if matches!(
            found,
            tag::ROW_PK..=tag::EXTENSION | tag::SEQ_INFO_EPOCH..=tag::SEQ_INFO_ROW_INDEX
        ) {
            let expected = "an entry of an extension";
            let kind = ErrorKind::UnexpectedTag { expected, found };
            return Err(Error::new(kind, start));
        }
        let length = entries.length("an extension's entry")?;
        entries.skip(length);
    }
    Ok(())
}
