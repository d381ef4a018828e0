//! The one walk over a buffer that every way of reading is made of.

use super::cell::{RawCell, expect};
use super::columns::{Columns, Trail};
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
    buffer: &'buf [u8],
    /// Of the next row.
    position: usize,
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

/// A cell that was read the careful way.
struct Careful<T> {
    cell: T,
    column: usize,
    checksum: u8,
    /// The position after it.
    end: usize,
}

impl<'buf> Walk<'buf> {
    /// A walk that is to be given its buffers later.
    pub(super) fn new(accept: Accept) -> Self {
        Self {
            buffer: &[],
            position: 0,
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
        self.position = open(buffer)?;
        self.buffer = buffer;
        self.failed = false;
        Ok(())
    }

    /// Goes on `offset` bytes from the start of the buffer, after `rows` rows.
    pub(super) fn skip_to(&mut self, offset: usize, rows: usize) {
        self.position = offset.clamp(self.position, self.buffer.len());
        self.rows = rows;
    }

    /// The offset of the next row.
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// The rows before the next one.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Whether nothing is left of this buffer, or nothing that can be trusted.
    #[inline]
    pub(super) const fn is_done(&self) -> bool {
        self.failed || self.position >= self.buffer.len()
    }

    /// Hands one row to `visitor`. To be called while there is something left.
    #[inline(always)]
    pub(super) fn row<V: Visitor<'buf>>(&mut self, visitor: &mut V) -> Result<(), V::Error> {
        let (buffer, start) = (self.buffer, self.position);
        match self.read(buffer, start, Place::Among, visitor) {
            Ok(end) => {
                self.position = end;
                self.rows += 1;
                Ok(())
            }
            Err(stop) => Err(self.stopped(buffer, start, Place::Among, stop)),
        }
    }

    /// Hands all rows that are left to `visitor`.
    #[inline]
    pub(super) fn all<V: Visitor<'buf>>(&mut self, visitor: &mut V) -> Result<(), V::Error> {
        // From row to row the position stays out of memory.
        let (buffer, mut position) = (self.buffer, self.position);
        while !self.failed && position < buffer.len() {
            match self.read(buffer, position, Place::Among, visitor) {
                Ok(end) => {
                    position = end;
                    self.rows += 1;
                }
                Err(stop) => {
                    self.position = position;
                    return Err(self.stopped(buffer, position, Place::Among, stop));
                }
            }
        }
        self.position = position;
        Ok(())
    }

    /// Hands the one row that a buffer must hold to `visitor`.
    #[inline(always)]
    pub(super) fn only_row_of<V: Visitor<'buf>>(
        &mut self,
        buffer: &'buf [u8],
        visitor: &mut V,
    ) -> Result<(), V::Error> {
        let start = match open(buffer) {
            Ok(start) if start < buffer.len() => start,
            opened => return Err(self.no_row(buffer, opened).into()),
        };
        match self.read(buffer, start, Place::Alone, visitor) {
            Ok(_) => {
                self.rows += 1;
                Ok(())
            }
            Err(stop) => Err(self.stopped(buffer, start, Place::Alone, stop)),
        }
    }

    #[cold]
    fn no_row(&self, buffer: &[u8], opened: Result<usize, Error>) -> Error {
        let expected = "one row in a buffer of its own, found none";
        let error = opened.err();
        let error = error.unwrap_or_else(|| wrong_count(buffer, expected));
        error.in_row(self.rows)
    }

    /// What a walk ends with: damage of the row goes before what its visitor says.
    #[cold]
    fn stopped<E: From<Error>>(
        &mut self,
        buffer: &'buf [u8],
        start: usize,
        place: Place,
        stop: Stop<E>,
    ) -> E {
        self.failed = true;
        let row = self.rows;
        match stop {
            Stop::Damage(error) => error.in_row(row).into(),
            Stop::Visitor(error) => match self.read(buffer, start, place, &mut Unheeded) {
                Err(Stop::Damage(damage)) => damage.in_row(row).into(),
                _ => error,
            },
        }
    }

    /// Reads the row that begins at `start`, and gives the position after it.
    ///
    /// What is read lies in `rest`, in registers; a position is made of it only where something
    /// careful has to be called. Inlined, because a visitor that is a few counters stays in registers
    /// then, too.
    #[inline(always)]
    fn read<V: Visitor<'buf>>(
        &mut self,
        buffer: &'buf [u8],
        start: usize,
        place: Place,
        visitor: &mut V,
    ) -> Result<usize, Stop<V::Error>> {
        let mut row_crc = Crc8::default();
        let trail = self.columns.start_row();
        visitor.begin_row().map_err(Stop::Visitor)?;

        let mut rest = match buffer.get(start..) {
            Some([tag::ROW_PK, cells @ ..]) if cells.first() == Some(&tag::CELL) => cells,
            _ => self.unusual_start(buffer, start)?,
        };
        let trail = self.key_cells(buffer, &mut rest, trail, &mut row_crc, visitor)?;
        if let [tag::ROW_DATA, cells @ ..] = rest {
            rest = cells;
            self.attribute_cells(buffer, &mut rest, trail, &mut row_crc, visitor)?;
        }
        let mut deleted = false;
        rest = match *rest {
            [tag::ROW_CHECKSUM, stored, ref rest @ ..]
                if stored == row_checksum(row_crc, false) =>
            {
                rest
            }
            _ => {
                let position = buffer.len() - rest.len();
                let rest;
                (rest, deleted) = self.unusual_end(buffer, position, row_crc)?;
                rest
            }
        };
        if place == Place::Alone && !rest.is_empty() {
            let expected = "one row in a buffer of its own, found more";
            return Err(wrong_count(buffer, expected).into());
        }
        visitor.end_row(deleted).map_err(Stop::Visitor)?;
        Ok(buffer.len() - rest.len())
    }

    /// The start of a row that doesn't begin with a cell of its key.
    #[inline(never)]
    fn unusual_start(&self, buffer: &'buf [u8], start: usize) -> Result<&'buf [u8], Error> {
        let mut cursor = Cursor::new(buffer).at(start);
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
            return Err(Error::new(ErrorKind::EmptyPrimaryKey, cursor.position()));
        }
        Ok(cursor.rest())
    }

    /// The end of a row, whatever it is; says whether the row is deleted.
    #[inline(never)]
    fn unusual_end(
        &self,
        buffer: &'buf [u8],
        position: usize,
        row_crc: Crc8,
    ) -> Result<(&'buf [u8], bool), Error> {
        let mut cursor = Cursor::new(buffer).at(position);
        let deleted = cursor.peek() == Some(tag::DELETE_MARKER);
        if deleted {
            if self.accept != Accept::Changes {
                let found = "a delete marker";
                let kind = ErrorKind::OnlyInChanges { found };
                return Err(Error::new(kind, cursor.position()));
            }
            cursor.skip(1);
        }
        if cursor.peek() == Some(tag::EXTENSION) {
            skip_extension(&mut cursor)?;
        }
        expect(
            &mut cursor,
            tag::ROW_CHECKSUM,
            "a cell, or ROW_CHECKSUM (0x09) after the row",
        )?;
        let position = cursor.position();
        let stored = cursor.byte("a row's checksum")?;
        let computed = row_checksum(row_crc, deleted);
        if stored == computed || self.checksums == Checksums::Trust {
            Ok((cursor.rest(), deleted))
        } else {
            let kind = ErrorKind::RowChecksum { stored, computed };
            Err(Error::new(kind, position))
        }
    }

    // In both loops the quick way ends in its own call of the visitor: where it met the careful way
    // again, every cell would go through memory.

    #[inline(always)]
    fn key_cells<V: Visitor<'buf>>(
        &mut self,
        buffer: &'buf [u8],
        rest: &mut &'buf [u8],
        mut trail: Trail,
        row_crc: &mut Crc8,
        visitor: &mut V,
    ) -> Result<Trail, Stop<V::Error>> {
        while let [tag::CELL, ..] = *rest {
            let found = self.columns.find(trail, rest);
            if let Some((column, known, after_name)) = found
                && let Some(cell) = self.quick.read(after_name, known.name_crc)
                && cell.timestamp_ms.is_none()
                && let Some(value) = key_value(cell.value)
            {
                *rest = cell.rest;
                trail = known.trail(column);
                row_crc.update_byte(cell.checksum);
                let name = known.name;
                let cell = KeyCellRef { name, value };
                visitor.key(column, cell).map_err(Stop::Visitor)?;
            } else {
                let found = found.map(|(column, ..)| column);
                let position = buffer.len() - rest.len();
                let read = self.careful_key_cell(buffer, position, trail, found)?;
                *rest = buffer.get(read.end..).unwrap_or_default();
                trail = self.columns.trail(read.column);
                row_crc.update_byte(read.checksum);
                visitor.key(read.column, read.cell).map_err(Stop::Visitor)?;
            }
        }
        Ok(trail)
    }

    #[inline(always)]
    fn attribute_cells<V: Visitor<'buf>>(
        &mut self,
        buffer: &'buf [u8],
        rest: &mut &'buf [u8],
        mut trail: Trail,
        row_crc: &mut Crc8,
        visitor: &mut V,
    ) -> Result<(), Stop<V::Error>> {
        while let [tag::CELL, ..] = *rest {
            let found = self.columns.find(trail, rest);
            if let Some((column, known, after_name)) = found
                && let Some(cell) = self.quick.read(after_name, known.name_crc)
            {
                *rest = cell.rest;
                trail = known.trail(column);
                row_crc.update_byte(cell.checksum);
                let cell = CellRef {
                    name: known.name,
                    value: Some(cell.value),
                    operation: None,
                    timestamp_ms: cell.timestamp_ms,
                };
                visitor.cell(column, cell).map_err(Stop::Visitor)?;
            } else {
                let found = found.map(|(column, ..)| column);
                let position = buffer.len() - rest.len();
                let read = self.careful_attribute_cell(buffer, position, trail, found)?;
                *rest = buffer.get(read.end..).unwrap_or_default();
                trail = self.columns.trail(read.column);
                row_crc.update_byte(read.checksum);
                visitor
                    .cell(read.column, read.cell)
                    .map_err(Stop::Visitor)?;
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn careful_key_cell(
        &mut self,
        buffer: &'buf [u8],
        position: usize,
        trail: Trail,
        found: Option<usize>,
    ) -> Result<Careful<KeyCellRef<'buf>>, Error> {
        let raw = self.careful_cell(buffer, position)?;
        let column = self.column_of(&raw, trail, found);
        let (checksum, end) = (raw.checksum, raw.end);
        Ok(Careful {
            cell: raw.into_key(self.accept)?,
            column,
            checksum,
            end,
        })
    }

    #[inline(never)]
    fn careful_attribute_cell(
        &mut self,
        buffer: &'buf [u8],
        position: usize,
        trail: Trail,
        found: Option<usize>,
    ) -> Result<Careful<CellRef<'buf>>, Error> {
        let raw = self.careful_cell(buffer, position)?;
        let column = self.column_of(&raw, trail, found);
        let (checksum, end) = (raw.checksum, raw.end);
        Ok(Careful {
            cell: raw.into_attribute(self.accept)?,
            column,
            checksum,
            end,
        })
    }

    fn careful_cell(&self, buffer: &'buf [u8], position: usize) -> Result<RawCell<'buf>, Error> {
        RawCell::read(&mut Cursor::new(buffer).at(position), self.checksums)
    }

    /// The column of a cell that may be the first of its name.
    fn column_of(&mut self, cell: &RawCell<'buf>, trail: Trail, found: Option<usize>) -> usize {
        found.unwrap_or_else(|| self.columns.add(trail, cell.head, cell.name, cell.name_crc))
    }
}

/// The checksum of a row over those of its cells: its last byte says whether the row is deleted.
#[inline(always)]
fn row_checksum(mut row_crc: Crc8, deleted: bool) -> u8 {
    row_crc.update_byte(deleted.into());
    row_crc.finish()
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
fn open(buffer: &[u8]) -> Result<usize, Error> {
    if buffer.first_chunk() == Some(&tag::HEADER) {
        Ok(tag::HEADER.len())
    } else {
        Err(Error::new(ErrorKind::Header, 0))
    }
}

#[cold]
fn wrong_count(buffer: &[u8], expected: &'static str) -> Error {
    Error::new(ErrorKind::RowCount { expected }, buffer.len())
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
