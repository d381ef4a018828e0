//! Writing an SQL answer: for the emulator, and for tests.
//!
//! Everything is written before what it refers to, so that offsets are filled in afterwards.

use std::fmt;

use bytes::Bytes;

use super::value::{SqlType, SqlValueRef};
use super::{column_type, logic_type};

/// Writes the columns of an SQL answer.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SqlWriter<'a> {
    columns: Vec<Column<'a>>,
}

#[derive(Clone, Debug)]
struct Column<'a> {
    name: &'a str,
    sql_type: SqlType,
    runs: bool,
    values: Vec<Option<SqlValueRef<'a>>>,
}

/// What an SQL answer can't hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// A value of another type than its column.
    ValueType {
        /// The column's name.
        column: String,
        /// The column's type.
        expected: SqlType,
        /// The value's type.
        found: SqlType,
    },
    /// A column with more or fewer values than the first.
    ColumnLength {
        /// The column's name.
        column: String,
        /// How many values the first column has.
        expected: usize,
        /// How many values it has.
        found: usize,
    },
    /// More bytes than 31 bits can count.
    TooLarge,
}

impl<'a> SqlWriter<'a> {
    /// An answer without columns yet.
    pub const fn new() -> Self {
        Self {
            columns: Vec::new(),
        }
    }

    /// Adds a column. Every column has a value for each row, none where it is NULL.
    ///
    /// # Errors
    /// When a value isn't of this type, or there are more or fewer than in the first column.
    pub fn column(
        &mut self,
        name: &'a str,
        sql_type: SqlType,
        values: impl IntoIterator<Item = Option<SqlValueRef<'a>>>,
    ) -> Result<(), WriteError> {
        let values: Vec<_> = values.into_iter().collect();
        let found = values.iter().flatten().map(|value| value.sql_type());
        if let Some(found) = found.into_iter().find(|found| *found != sql_type) {
            return Err(WriteError::ValueType {
                column: name.to_owned(),
                expected: sql_type,
                found,
            });
        }
        let expected = self.columns.first().map(|column| column.values.len());
        if let Some(expected) = expected.filter(|expected| *expected != values.len()) {
            return Err(WriteError::ColumnLength {
                column: name.to_owned(),
                expected,
                found: values.len(),
            });
        }
        self.columns.push(Column {
            name,
            sql_type,
            runs: false,
            values,
        });
        Ok(())
    }

    /// Adds a column of texts, in which a text that stands in several rows after each other is
    /// written once.
    ///
    /// # Errors
    /// When there are more or fewer values than in the first column.
    pub fn column_of_runs(
        &mut self,
        name: &'a str,
        values: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Result<(), WriteError> {
        let values = values
            .into_iter()
            .map(|value| value.map(SqlValueRef::String));
        self.column(name, SqlType::String, values)?;
        if let Some(column) = self.columns.last_mut() {
            column.runs = true;
        }
        Ok(())
    }

    /// The buffer.
    ///
    /// # Errors
    /// When it would have more than 2,147,483,647 bytes.
    pub fn finish(self) -> Result<Bytes, WriteError> {
        let rows = self.columns.first().map_or(0, |column| column.values.len());
        let mut out = Out(vec![0; 4]);
        let root = out.table(&[4, 8], 16);
        out.refer(0, root);
        let rows = i64::try_from(rows).map_err(|_| WriteError::TooLarge)?;
        out.patch(root + 8, rows.to_le_bytes());
        let vector = out.offsets(self.columns.len());
        out.refer(root + 4, vector);
        for (index, column) in self.columns.iter().enumerate() {
            let table = out.column(column);
            out.refer(vector + 4 + 4 * index, table);
        }
        i32::try_from(out.0.len()).map_err(|_| WriteError::TooLarge)?;
        Ok(out.0.into())
    }
}

/// The buffer so far. Offsets that don't fit are written as the largest there is: such a buffer is
/// too large to be finished.
struct Out(Vec<u8>);

impl Out {
    fn column(&mut self, column: &Column<'_>) -> usize {
        let (number, logic) = match column.sql_type {
            SqlType::Null => (column_type::NONE, None),
            SqlType::Integer => (column_type::LONG, None),
            SqlType::Boolean => (column_type::BOOLEAN, None),
            SqlType::Double => (column_type::DOUBLE, None),
            SqlType::String if column.runs => (column_type::STRING_RLE, None),
            SqlType::String => (column_type::STRING, None),
            SqlType::Binary => (column_type::BINARY, None),
            SqlType::DateTime => (column_type::COMPLEX, Some(logic_type::DATETIME)),
            SqlType::Date => (column_type::COMPLEX, Some(logic_type::DATE)),
            SqlType::Time => (column_type::COMPLEX, Some(logic_type::TIME)),
        };
        let info_slot = if logic.is_some() { 12 } else { 0 };
        let table = self.table(&[4, 16, 8, info_slot], 20);
        self.patch(table + 16, number.to_le_bytes());
        let name = self.bytes(column.name.as_bytes());
        self.refer(table + 4, name);
        let values = self.values(column, number);
        self.refer(table + 8, values);
        if let Some(logic) = logic {
            let info = self.table(&[4, 5], 8);
            self.patch(info + 4, logic.to_le_bytes());
            self.patch(info + 5, column_type::LONG.to_le_bytes());
            self.refer(table + 12, info);
        }
        table
    }

    fn values(&mut self, column: &Column<'_>, number: i8) -> usize {
        // The vector of values is one of six fields, by the type of the column.
        let mut slots = [0_u16; 7];
        let field = match number {
            column_type::NONE => 0,
            column_type::COMPLEX => 1,
            number => usize::from(number.unsigned_abs()),
        };
        if let Some(slot) = slots.get_mut(field) {
            *slot = 8;
        }
        if let Some(nulls) = slots.first_mut() {
            *nulls = 4;
        }
        let table = self.table(&slots, 12);
        let nulls: Vec<u8> = column
            .values
            .iter()
            .map(|value| value.is_none().into())
            .collect();
        let nulls = self.bytes(&nulls);
        self.refer(table + 4, nulls);
        let vector = match column.sql_type {
            SqlType::Null => return table,
            SqlType::Boolean => {
                let one = |value: &Option<_>| value == &Some(SqlValueRef::Boolean(true));
                let booleans: Vec<u8> = column
                    .values
                    .iter()
                    .map(|value| one(value).into())
                    .collect();
                self.bytes(&booleans)
            }
            SqlType::String if column.runs => self.runs(column),
            SqlType::String | SqlType::Binary => {
                let vector = self.offsets(column.values.len());
                for (index, value) in column.values.iter().enumerate() {
                    let target = match value {
                        Some(SqlValueRef::Binary(bytes)) => self.binary(bytes),
                        Some(SqlValueRef::String(text)) => self.bytes(text.as_bytes()),
                        _ if column.sql_type == SqlType::Binary => self.binary(&[]),
                        _ => self.bytes(&[]),
                    };
                    self.refer(vector + 4 + 4 * index, target);
                }
                vector
            }
            SqlType::Integer
            | SqlType::Double
            | SqlType::DateTime
            | SqlType::Date
            | SqlType::Time => {
                // The elements are aligned, and their number stands right before them.
                self.align(8, 4);
                let vector = self.0.len();
                self.count(column.values.len());
                for value in &column.values {
                    let long = match *value {
                        Some(
                            SqlValueRef::Integer(long)
                            | SqlValueRef::DateTime { micros: long }
                            | SqlValueRef::Date { seconds: long }
                            | SqlValueRef::Time { nanos: long },
                        ) => long.to_le_bytes(),
                        Some(SqlValueRef::Double(double)) => double.to_le_bytes(),
                        _ => [0; 8],
                    };
                    self.0.extend(long);
                }
                vector
            }
        };
        self.refer(table + 8, vector);
        table
    }

    fn runs(&mut self, column: &Column<'_>) -> usize {
        let mut texts: Vec<&str> = Vec::new();
        let mut rows = Vec::with_capacity(column.values.len());
        for value in &column.values {
            if let Some(SqlValueRef::String(text)) = value
                && texts.last() != Some(text)
            {
                texts.push(text);
            }
            // A row that is NULL belongs to the run before it, if there is one.
            rows.push(u32::try_from(texts.len().saturating_sub(1)).unwrap_or(u32::MAX));
        }
        let table = self.table(&[4, 8], 12);
        let vector = self.offsets(texts.len());
        self.refer(table + 4, vector);
        for (index, text) in texts.iter().enumerate() {
            let text = self.bytes(text.as_bytes());
            self.refer(vector + 4 + 4 * index, text);
        }
        self.align(4, 0);
        let vector = self.0.len();
        self.count(rows.len());
        self.0.extend(rows.iter().flat_map(|row| row.to_le_bytes()));
        self.refer(table + 8, vector);
        table
    }

    fn binary(&mut self, bytes: &[u8]) -> usize {
        let table = self.table(&[4], 8);
        let bytes = self.bytes(bytes);
        self.refer(table + 4, bytes);
        table
    }

    /// A table of zeros: where its fields stand, and how many bytes it takes.
    fn table(&mut self, slots: &[u16], size: u16) -> usize {
        self.align(2, 0);
        let vtable = self.0.len();
        let vtable_bytes = 4 + 2 * u16::try_from(slots.len()).unwrap_or_default();
        for number in [vtable_bytes, size].iter().chain(slots) {
            self.0.extend(number.to_le_bytes());
        }
        self.align(8, 0);
        let table = self.0.len();
        self.0.resize(table + usize::from(size), 0);
        let back = i32::try_from(table - vtable).unwrap_or_default();
        self.patch(table, back.to_le_bytes());
        table
    }

    /// A vector of bytes. The zero after it is what texts end with.
    fn bytes(&mut self, bytes: &[u8]) -> usize {
        self.align(4, 0);
        let vector = self.0.len();
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
        self.0.push(0);
        vector
    }

    /// A vector of offsets that are yet to be filled in.
    fn offsets(&mut self, count: usize) -> usize {
        self.align(4, 0);
        let vector = self.0.len();
        self.count(count);
        self.0.resize(vector + 4 + 4 * count, 0);
        vector
    }

    fn count(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.0.extend(count.to_le_bytes());
    }

    /// Goes on at the next position that is `rest` more than a multiple of `unit`.
    fn align(&mut self, unit: usize, rest: usize) {
        while self.0.len() % unit != rest {
            self.0.push(0);
        }
    }

    /// Fills in the offset at `place`.
    fn refer(&mut self, place: usize, target: usize) {
        let offset = u32::try_from(target - place).unwrap_or(u32::MAX);
        self.patch(place, offset.to_le_bytes());
    }

    fn patch<const N: usize>(&mut self, place: usize, bytes: [u8; N]) {
        if let Some(slot) = self.0.get_mut(place..place + N) {
            slot.copy_from_slice(&bytes);
        }
    }
}

impl std::error::Error for WriteError {}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValueType {
                column,
                expected,
                found,
            } => write!(
                f,
                "a {found} can't be a value of the {expected} column {column:?}"
            ),
            Self::ColumnLength {
                column,
                expected,
                found,
            } => write!(
                f,
                "column {column:?} has {found} values where the first has {expected}"
            ),
            Self::TooLarge => f.write_str("an answer of more than 2147483647 bytes"),
        }
    }
}
