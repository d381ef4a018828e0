//! Writing a block: for the emulator, and for tests.

use std::fmt;

use bytes::{BufMut, Bytes};

use super::{
    BINARY, BOOLEAN, CHECKSUM, DOUBLE, ENTIRE_PRIMARY_KEYS, HEADER_BYTES, INTEGER, MAGIC, NULL,
    ROW, ROW_COUNT, STRING,
};
use crate::name::ColumnName;
use crate::plainbuffer::Crc8;
use crate::primary_key::PrimaryKeyValueRef;
use crate::row::Row;
use crate::value::ColumnValueRef;

/// Writes rows into a block.
#[derive(Clone, Debug)]
#[must_use]
pub struct MatrixWriter {
    names: Vec<ColumnName>,
    key_columns: usize,
    entire_primary_keys: bool,
    row_count: u32,
    rows: Vec<u8>,
}

/// What a block can't hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// A column name longer than its length can say.
    NameLength {
        /// Its length.
        length_bytes: usize,
    },
    /// Another number of values than the block has columns.
    ColumnCount {
        /// The number of columns.
        expected: usize,
        /// The number of values.
        found: usize,
    },
    /// A key column without a value, or with one that a stored key can't have.
    KeyValue {
        /// The column's name.
        column: ColumnName,
        /// The type, as the service spells it.
        found: &'static str,
    },
    /// Columns, rows or bytes beyond what 31 bits can count.
    TooLarge,
}

impl MatrixWriter {
    /// A block with these key columns, the whole key of the table, and these attribute columns.
    ///
    /// # Errors
    /// When a name has more than 32,767 bytes.
    pub fn new<K: Into<ColumnName>, A: Into<ColumnName>>(
        key_columns: impl IntoIterator<Item = K>,
        attributes: impl IntoIterator<Item = A>,
    ) -> Result<Self, WriteError> {
        let mut names: Vec<ColumnName> = key_columns.into_iter().map(Into::into).collect();
        let key_columns = names.len();
        names.extend(attributes.into_iter().map(Into::into));
        for name in &names {
            let length_bytes = name.len();
            i16::try_from(length_bytes).map_err(|_| WriteError::NameLength { length_bytes })?;
        }
        Ok(Self {
            names,
            key_columns,
            entire_primary_keys: true,
            row_count: 0,
            rows: Vec::new(),
        })
    }

    /// The key columns aren't the whole key of the table.
    pub const fn partial_primary_keys(mut self) -> Self {
        self.entire_primary_keys = false;
        self
    }

    /// Writes the columns of `row` that the block has, the newest version of each.
    ///
    /// # Errors
    /// When the row lacks a key column of the block, or has one that isn't a stored value; the block
    /// is then as before.
    pub fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        let mut values = Vec::with_capacity(self.names.len());
        for (index, name) in self.names.iter().enumerate() {
            values.push(if index >= self.key_columns {
                row.get(name).map(|value| value.as_ref())
            } else {
                match row.primary_key.get(name).map(|value| value.as_ref()) {
                    Some(PrimaryKeyValueRef::Integer(value)) => {
                        Some(ColumnValueRef::Integer(value))
                    }
                    Some(PrimaryKeyValueRef::String(value)) => Some(ColumnValueRef::String(value)),
                    Some(PrimaryKeyValueRef::Binary(value)) => Some(ColumnValueRef::Binary(value)),
                    Some(PrimaryKeyValueRef::InfMin) => {
                        return Err(self.key_error(index, "INF_MIN"));
                    }
                    Some(PrimaryKeyValueRef::InfMax) => {
                        return Err(self.key_error(index, "INF_MAX"));
                    }
                    Some(PrimaryKeyValueRef::AutoIncrement) => {
                        return Err(self.key_error(index, "AUTO_INCREMENT"));
                    }
                    None => None,
                }
            });
        }
        self.values(&values)
    }

    /// Writes a row of one value for each column, none where the row doesn't have it.
    ///
    /// # Errors
    /// When there are more or fewer values than columns, or a key column has none or one of a type
    /// that keys don't have; the block is then as before.
    pub fn values(&mut self, values: &[Option<ColumnValueRef<'_>>]) -> Result<(), WriteError> {
        if values.len() != self.names.len() {
            return Err(WriteError::ColumnCount {
                expected: self.names.len(),
                found: values.len(),
            });
        }
        for (index, value) in values.iter().enumerate().take(self.key_columns) {
            match value {
                Some(
                    ColumnValueRef::Integer(_)
                    | ColumnValueRef::String(_)
                    | ColumnValueRef::Binary(_),
                ) => {}
                other => {
                    let found = other.map_or("NULL", ColumnValueRef::type_name);
                    return Err(self.key_error(index, found));
                }
            }
        }
        self.row_count += 1;
        self.rows.push(ROW);
        for value in values {
            put_value(&mut self.rows, *value);
        }
        Ok(())
    }

    /// The block.
    ///
    /// # Errors
    /// When it would have more than 2,147,483,647 columns, rows or bytes.
    pub fn finish(self) -> Result<Bytes, WriteError> {
        let names_bytes: usize = self.names.iter().map(|name| 2 + name.len()).sum();
        let options_offset = HEADER_BYTES + names_bytes;
        let data_offset = options_offset + 7;
        let total_bytes = data_offset + self.rows.len() + 2;
        let number = |value: usize| i32::try_from(value).map_err(|_| WriteError::TooLarge);
        number(total_bytes)?;

        let mut block = Vec::with_capacity(total_bytes);
        block.put_slice(&MAGIC);
        block.put_i32_le(number(data_offset)?);
        block.put_i32_le(number(options_offset)?);
        block.put_i32_le(number(self.key_columns)?);
        block.put_i32_le(number(self.names.len() - self.key_columns)?);
        for name in &self.names {
            let length_bytes = name.len();
            let length =
                i16::try_from(length_bytes).map_err(|_| WriteError::NameLength { length_bytes })?;
            block.put_i16_le(length);
            block.put_slice(name.as_bytes());
        }
        block.put_u8(ENTIRE_PRIMARY_KEYS);
        block.put_u8(self.entire_primary_keys.into());
        block.put_u8(ROW_COUNT);
        block.put_u32_le(self.row_count);
        block.put_slice(&self.rows);
        block.put_u8(CHECKSUM);
        let mut crc = Crc8::default();
        crc.update(&block);
        block.put_u8(crc.finish());
        Ok(block.into())
    }

    fn key_error(&self, index: usize, found: &'static str) -> WriteError {
        let column = self.names.get(index).cloned();
        let column = column.unwrap_or_else(|| ColumnName::from(""));
        WriteError::KeyValue { column, found }
    }
}

impl std::error::Error for WriteError {}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameLength { length_bytes } => write!(
                f,
                "a column name of {length_bytes} bytes is too long for a block, which takes {}",
                i16::MAX
            ),
            Self::ColumnCount { expected, found } => {
                write!(
                    f,
                    "a row of {found} values for a block of {expected} columns"
                )
            }
            Self::KeyValue { column, found } => {
                write!(
                    f,
                    "a {found} can't be the value of primary key column {column:?}"
                )
            }
            Self::TooLarge => f.write_str("a block of more than 2147483647 columns, rows or bytes"),
        }
    }
}

fn put_value(buffer: &mut Vec<u8>, value: Option<ColumnValueRef<'_>>) {
    match value {
        Some(ColumnValueRef::Integer(value)) => {
            buffer.put_u8(INTEGER);
            buffer.put_i64_le(value);
        }
        Some(ColumnValueRef::Double(value)) => {
            buffer.put_u8(DOUBLE);
            buffer.put_f64_le(value);
        }
        Some(ColumnValueRef::Boolean(value)) => {
            buffer.put_u8(BOOLEAN);
            buffer.put_u8(value.into());
        }
        Some(ColumnValueRef::String(value)) => {
            buffer.put_u8(STRING);
            put_counted(buffer, value.as_bytes());
        }
        Some(ColumnValueRef::Binary(value)) => {
            buffer.put_u8(BINARY);
            put_counted(buffer, value);
        }
        None => buffer.put_u8(NULL),
    }
}

/// A value whose length doesn't fit makes the block too large to be finished.
fn put_counted(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.put_i32_le(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    buffer.put_slice(bytes);
}
