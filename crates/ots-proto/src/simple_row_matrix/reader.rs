//! Reading a block where it lies.

use super::cursor::Cursor;
use super::error::{Error, ErrorKind};
use super::{
    BINARY, BOOLEAN, CHECKSUM, DOUBLE, ENTIRE_PRIMARY_KEYS, HEADER_BYTES, INTEGER, MAGIC, NULL,
    ROW, ROW_COUNT, STRING,
};
use crate::name::NameCache;
use crate::plainbuffer::{Crc8, LentRow};
use crate::primary_key::PrimaryKeyValueRef;
use crate::row::{CellRef, KeyCellRef, Row, RowRef};
use crate::value::ColumnValueRef;

/// A verified block: its columns, and the rows to be read from it.
///
/// ```
/// use ots_proto::simple_row_matrix::{Matrix, MatrixWriter};
/// use ots_proto::{PrimaryKey, Row};
///
/// let mut writer = MatrixWriter::new(["id"], ["city", "age"])?;
/// writer.row(&Row::new(PrimaryKey::new().column("id", 7)).cell("city", "Hangzhou"))?;
/// let block = writer.finish()?;
///
/// let matrix = Matrix::parse(&block)?;
/// let mut rows = matrix.rows();
/// while let Some(row) = rows.next_row()? {
///     assert_eq!(row.primary_key()[0].name, "id");
///     assert!(row.get("age").is_none());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Matrix<'buf> {
    names: Vec<&'buf str>,
    pub(super) key_columns: usize,
    entire_primary_keys: bool,
    row_count: usize,
    /// From the first row to the checksum's tag, offsets counted from the start of the block.
    rows: Cursor<'buf>,
}

/// The rows of a [`Matrix`], one after the other.
///
/// Each row reuses the memory of the one before, so that a block costs two allocations however many
/// rows it has. After an error there are no more rows.
#[derive(Debug)]
pub struct MatrixRows<'matrix, 'buf> {
    pub(super) matrix: &'matrix Matrix<'buf>,
    cursor: Cursor<'buf>,
    next: usize,
    pub(super) values: Vec<Option<ColumnValueRef<'buf>>>,
    row: LentRow<'buf>,
}

impl<'buf> Matrix<'buf> {
    /// Checks the block as a whole, and reads the names of its columns.
    ///
    /// # Errors
    /// When its checksum is wrong, a section lies outside of it, a name isn't UTF-8, or it claims
    /// more columns or rows than it has room for.
    ///
    /// # Cost
    /// One pass over the block, for the checksum. Memory for the names: sixteen bytes each.
    pub fn parse(buffer: &'buf [u8]) -> Result<Self, Error> {
        if !buffer.starts_with(&MAGIC) {
            return Err(Error::new(ErrorKind::Magic, 0));
        }
        let mut header = Cursor::new(buffer, MAGIC.len());
        let data_at = header.position();
        let data_offset = header.count("the offset of the rows")?;
        let options_at = header.position();
        let options_offset = header.count("the offset of the options")?;
        let key_columns = header.count("the number of key columns")?;
        let attributes = header.count("the number of attribute columns")?;
        let end = checked_end(buffer)?;

        let content = buffer.get(..end).unwrap_or_default();
        within("the options", options_offset, HEADER_BYTES, end, options_at)?;
        within("the rows", data_offset, options_offset, end, data_at)?;
        let section = content.get(..options_offset).unwrap_or_default();
        let names = read_names(section, key_columns.saturating_add(attributes))?;

        let section = content.get(..data_offset).unwrap_or_default();
        let mut options = Cursor::new(section, options_offset);
        options.tag(
            ENTIRE_PRIMARY_KEYS,
            "ENTIRE_PRIMARY_KEYS (0x0a) first in the options",
        )?;
        let entire_primary_keys = options.boolean("the flag of entire primary keys")?;
        options.tag(ROW_COUNT, "ROW_COUNT (0x03) second in the options")?;
        let row_count_at = options.position();
        let row_count = options.count("the number of rows")?;

        let rows = Cursor::new(content, data_offset);
        // A tag, and at least a type for each value.
        let most_rows = rows.left() / (1 + names.len());
        if row_count > most_rows {
            let kind = ErrorKind::RowCount {
                stated_rows: row_count,
                most_rows,
            };
            return Err(Error::new(kind, row_count_at));
        }
        Ok(Self {
            names,
            key_columns,
            entire_primary_keys,
            row_count,
            rows,
        })
    }

    /// The names of the columns: those of the primary key first, in the table's order.
    #[must_use]
    pub fn names(&self) -> &[&'buf str] {
        &self.names
    }

    /// The names of the key columns in the block, in the table's order. They need not be the whole
    /// key: see [`has_entire_primary_keys`](Self::has_entire_primary_keys).
    #[must_use]
    pub fn primary_key_names(&self) -> &[&'buf str] {
        self.names.get(..self.key_columns).unwrap_or_default()
    }

    /// The names of the attribute columns, also of those that no row has.
    #[must_use]
    pub fn attribute_names(&self) -> &[&'buf str] {
        self.names.get(self.key_columns..).unwrap_or_default()
    }

    /// Whether the key columns in the block are the table's whole key.
    #[must_use]
    pub const fn has_entire_primary_keys(&self) -> bool {
        self.entire_primary_keys
    }

    /// How many rows the block says it has. Reading all of them tells whether it does.
    #[must_use]
    pub const fn row_count(&self) -> usize {
        self.row_count
    }

    /// The rows, from the first.
    #[must_use]
    pub const fn rows(&self) -> MatrixRows<'_, 'buf> {
        MatrixRows {
            matrix: self,
            cursor: self.rows,
            next: 0,
            values: Vec::new(),
            row: LentRow::new(),
        }
    }

    /// Every row, owning its values.
    ///
    /// # Errors
    /// As [`MatrixRows::next_row`].
    pub fn to_rows(&self) -> Result<Vec<Row>, Error> {
        let mut names = NameCache::default();
        let mut rows = self.rows();
        let mut owned = Vec::new();
        while let Some(row) = rows.next_row()? {
            owned.push(row.to_row(&mut names));
        }
        Ok(owned)
    }
}

impl<'buf> MatrixRows<'_, 'buf> {
    /// The next row, or none after the last. Columns that the row doesn't have are left out; no cell
    /// has a timestamp.
    ///
    /// # Errors
    /// When the row breaks a rule of the format, or bytes are left after the last.
    pub fn next_row(&mut self) -> Result<Option<RowRef<'_, 'buf>>, Error> {
        if !self.advance()? {
            return Ok(None);
        }
        let (matrix, values) = (self.matrix, &self.values);
        self.row.fill(|row| {
            for (index, (name, value)) in matrix.names.iter().zip(values).enumerate() {
                let Some(present) = *value else { continue };
                match key_value(*value) {
                    Some(value) if index < matrix.key_columns => {
                        row.push_key(KeyCellRef { name, value })
                    }
                    _ => row.push(cell(name, present)),
                }
            }
        });
        Ok(Some(self.row.lend()))
    }

    /// The values of the next row, one for each of [`Matrix::names`], or none after the last row.
    /// A column that the row doesn't have is none.
    ///
    /// This is the cheapest way through a block: nothing is done for names.
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row).
    pub fn next_values(&mut self) -> Result<Option<&[Option<ColumnValueRef<'buf>>]>, Error> {
        Ok(self.advance()?.then_some(&*self.values))
    }

    /// The number of rows that were begun.
    pub(crate) const fn rows_read(&self) -> usize {
        self.next
    }

    /// Reads the values of the next row, if there is one.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        let row = self.next;
        if row == self.matrix.row_count {
            let left_bytes = self.cursor.left();
            if left_bytes == 0 {
                return Ok(false);
            }
            let kind = ErrorKind::TrailingBytes { left_bytes };
            let error = Error::new(kind, self.cursor.position());
            self.cursor = Cursor::new(&[], 0);
            return Err(error);
        }
        self.next += 1;
        self.read_values().map(|()| true).map_err(|error| {
            self.next = self.matrix.row_count;
            self.cursor = Cursor::new(&[], 0);
            error.in_row(row)
        })
    }

    fn read_values(&mut self) -> Result<(), Error> {
        self.cursor.tag(ROW, "ROW (0x02) at the start of a row")?;
        if self.values.is_empty() {
            // The block has room for a value of each column: that was checked.
            self.values.reserve_exact(self.matrix.names.len());
            self.values.resize(self.matrix.names.len(), None);
        }
        // As in a walk over PlainBuffer: what is left stays in registers, and who can say what is wrong
        // is called only where something is.
        let mut rest = self.cursor.rest();
        for (index, (place, name)) in self.values.iter_mut().zip(&self.matrix.names).enumerate() {
            let (value, after) = if let Some(read) = quick_value(rest) {
                read
            } else {
                self.cursor.skip_to_last(rest.len());
                (read_value(&mut self.cursor, name)?, self.cursor.rest())
            };
            if index < self.matrix.key_columns && key_value(value).is_none() {
                self.cursor.skip_to_last(rest.len());
                let kind = ErrorKind::KeyValueType {
                    column: (*name).to_owned(),
                    found: value.map_or("NULL", ColumnValueRef::type_name),
                };
                return Err(Error::new(kind, self.cursor.position()));
            }
            *place = value;
            rest = after;
        }
        self.cursor.skip_to_last(rest.len());
        Ok(())
    }
}

/// A sound value and what follows it; nothing where [`read_value`] has something to say.
#[inline(always)]
fn quick_value(bytes: &[u8]) -> Option<(Option<ColumnValueRef<'_>>, &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (value, rest) = match *found {
        NULL => return Some((None, rest)),
        INTEGER => {
            let (data, rest) = rest.split_first_chunk::<8>()?;
            (ColumnValueRef::Integer(i64::from_le_bytes(*data)), rest)
        }
        DOUBLE => {
            let (data, rest) = rest.split_first_chunk::<8>()?;
            (ColumnValueRef::Double(f64::from_le_bytes(*data)), rest)
        }
        BOOLEAN => {
            let (data, rest) = rest.split_first()?;
            if *data > 1 {
                return None;
            }
            (ColumnValueRef::Boolean(*data == 1), rest)
        }
        STRING => {
            let (data, rest) = quick_counted(rest)?;
            let text = simdutf8::basic::from_utf8(data).ok()?;
            (ColumnValueRef::String(text), rest)
        }
        BINARY => {
            let (data, rest) = quick_counted(rest)?;
            (ColumnValueRef::Binary(data), rest)
        }
        _ => return None,
    };
    Some((Some(value), rest))
}

#[inline(always)]
fn quick_counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(i32::from_le_bytes(*length)).ok()?)
}

/// Checks the last two bytes of a block, and gives the offset of the first of them.
fn checked_end(buffer: &[u8]) -> Result<usize, Error> {
    let Some((&stored, covered)) = buffer
        .split_last()
        .filter(|(_, covered)| covered.len() > HEADER_BYTES)
    else {
        let kind = ErrorKind::Truncated {
            reading: "the checksum",
            needed_bytes: 2,
            left_bytes: buffer.len().saturating_sub(HEADER_BYTES),
        };
        return Err(Error::new(kind, HEADER_BYTES));
    };
    let end = covered.len() - 1;
    Cursor::new(covered, end).tag(CHECKSUM, "CHECKSUM (0x01) before the last byte")?;
    let mut crc = Crc8::default();
    crc.update(covered);
    let computed = crc.finish();
    if stored == computed {
        Ok(end)
    } else {
        let kind = ErrorKind::Checksum { stored, computed };
        Err(Error::new(kind, covered.len()))
    }
}

/// Checks where a section is said to start. `at` is where that is said.
fn within(
    section: &'static str,
    offset: usize,
    from: usize,
    to: usize,
    at: usize,
) -> Result<(), Error> {
    if (from..=to).contains(&offset) {
        Ok(())
    } else {
        let kind = ErrorKind::SectionOffset {
            section,
            offset,
            from,
            to,
        };
        Err(Error::new(kind, at))
    }
}

fn read_names(section: &[u8], count: usize) -> Result<Vec<&str>, Error> {
    let mut cursor = Cursor::new(section, HEADER_BYTES);
    // Each has at least a length: more than fit aren't worth memory.
    let needed_bytes = count.saturating_mul(2);
    if needed_bytes > cursor.left() {
        let kind = ErrorKind::Truncated {
            reading: "the names of the columns",
            needed_bytes,
            left_bytes: cursor.left(),
        };
        return Err(Error::new(kind, HEADER_BYTES));
    }
    let mut names = Vec::with_capacity(count);
    for _ in 0..count {
        names.push(cursor.name()?);
    }
    Ok(names)
}

#[inline(never)]
fn read_value<'buf>(
    cursor: &mut Cursor<'buf>,
    column: &str,
) -> Result<Option<ColumnValueRef<'buf>>, Error> {
    let start = cursor.position();
    Ok(Some(match cursor.byte("a value's type")? {
        INTEGER => ColumnValueRef::Integer(i64::from_le_bytes(cursor.array("an integer")?)),
        DOUBLE => ColumnValueRef::Double(f64::from_le_bytes(cursor.array("a double")?)),
        BOOLEAN => ColumnValueRef::Boolean(cursor.boolean("a boolean")?),
        STRING => ColumnValueRef::String(cursor.text("the length of a string", "a string")?),
        BINARY => {
            let length = "the length of a binary value";
            ColumnValueRef::Binary(cursor.counted(length, "a binary value")?)
        }
        NULL => return Ok(None),
        found => {
            let kind = ErrorKind::UnknownValueType {
                column: column.to_owned(),
                found,
            };
            return Err(Error::new(kind, start));
        }
    }))
}

/// A cell as a row that was read has it, without a version.
#[inline]
pub(super) const fn cell<'buf>(name: &'buf str, value: ColumnValueRef<'buf>) -> CellRef<'buf> {
    CellRef {
        name,
        value: Some(value),
        operation: None,
        timestamp_ms: None,
    }
}

/// The value as one of a key column, if it can be.
#[inline]
pub(super) const fn key_value(value: Option<ColumnValueRef<'_>>) -> Option<PrimaryKeyValueRef<'_>> {
    match value {
        Some(ColumnValueRef::Integer(value)) => Some(PrimaryKeyValueRef::Integer(value)),
        Some(ColumnValueRef::String(value)) => Some(PrimaryKeyValueRef::String(value)),
        Some(ColumnValueRef::Binary(value)) => Some(PrimaryKeyValueRef::Binary(value)),
        Some(ColumnValueRef::Double(_) | ColumnValueRef::Boolean(_)) | None => None,
    }
}
