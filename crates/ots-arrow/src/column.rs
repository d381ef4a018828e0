//! One column of a batch while it grows.

use arrow_array::ArrayRef;
use arrow_array::builder::{ArrayBuilder, BinaryBuilder, StringBuilder};
use arrow_array::types::{Float64Type, Int64Type};
use arrow_schema::ArrowError;
use ots_proto::ColumnValueRef;

use crate::fixed::{Booleans, Numbers};
use crate::schema::{Column, ColumnType};
use crate::text;

/// The values of one column so far.
///
/// A column may lag behind the rows of its batch: what didn't come becomes null when a value of a
/// later row comes, or when the batch is finished.
#[derive(Debug)]
pub(crate) enum ColumnBuilder {
    Integer(Numbers<Int64Type>),
    Double(Numbers<Float64Type>),
    Boolean(Booleans),
    String(StringBuilder),
    Binary(BinaryBuilder),
}

/// Why a value couldn't be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    OtherType,
    TooLarge,
}

/// The same for the column of any type.
macro_rules! each {
    ($self:expr, $fixed:ident => $of_fixed:expr, $bytes:ident => $of_bytes:expr $(,)?) => {
        match $self {
            ColumnBuilder::Integer($fixed) => $of_fixed,
            ColumnBuilder::Double($fixed) => $of_fixed,
            ColumnBuilder::Boolean($fixed) => $of_fixed,
            ColumnBuilder::String($bytes) => $of_bytes,
            ColumnBuilder::Binary($bytes) => $of_bytes,
        }
    };
}

impl ColumnBuilder {
    pub(crate) fn of(column: &Column) -> Self {
        Self::new(column.value)
    }

    fn new(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Integer => Self::Integer(Numbers::default()),
            ColumnType::Double => Self::Double(Numbers::default()),
            ColumnType::Boolean => Self::Boolean(Booleans::default()),
            // Without capacity: the builders of arrow start at 1,024 rows otherwise, which is much
            // for a wide table and a small page.
            ColumnType::String => Self::String(StringBuilder::with_capacity(0, 0)),
            ColumnType::Binary => Self::Binary(BinaryBuilder::with_capacity(0, 0)),
        }
    }

    /// Puts a value in `row`, and nulls in the rows before that have none. Says whether it did: a
    /// row that has a value, or a null that was put, keeps it.
    #[inline(always)]
    pub(crate) fn put(&mut self, row: usize, value: ColumnValueRef<'_>) -> Result<bool, Refused> {
        match (self, value) {
            (Self::Integer(values), ColumnValueRef::Integer(value)) => Ok(values.put(row, value)),
            (Self::Double(values), ColumnValueRef::Double(value)) => Ok(values.put(row, value)),
            (Self::Boolean(values), ColumnValueRef::Boolean(value)) => Ok(values.put(row, value)),
            (Self::String(values), ColumnValueRef::String(value)) => text::put(values, row, value),
            (Self::Binary(values), ColumnValueRef::Binary(value)) => text::put(values, row, value),
            (column, _) => {
                if column.len() > row {
                    Ok(false)
                } else {
                    Err(Refused::OtherType)
                }
            }
        }
    }

    /// Puts nulls in all rows before `rows` that have nothing.
    #[cold]
    pub(crate) fn put_nulls(&mut self, rows: usize) {
        each!(self, it => it.put_nulls(rows), it => text::put_nulls(it, rows));
    }

    /// Makes room for `rows` rows like those it has; nothing before there are any.
    pub(crate) fn reserve(&mut self, rows: usize) {
        if self.len() > 0 {
            each!(self, it => it.reserve(rows), it => text::reserve(it, rows));
        }
    }

    /// The rows so far, without those that it lags behind.
    pub(crate) fn len(&self) -> usize {
        each!(self, it => it.len(), it => text::len(it))
    }

    /// Takes back everything after the first `rows` rows.
    #[cold]
    pub(crate) fn truncate(&mut self, rows: usize) {
        each!(self, it => it.truncate(rows), it => text::truncate(it, rows));
    }

    /// What it has allocated, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        each!(self, it => it.memory_bytes(), it => text::memory_bytes(it))
    }

    /// What its rows fill, in bytes.
    pub(crate) fn filled_bytes(&self) -> usize {
        each!(self, it => it.filled_bytes(), it => text::filled_bytes(it))
    }

    /// The array of `rows` rows. The column is left empty.
    pub(crate) fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Integer(values) => values.finish(rows),
            Self::Double(values) => values.finish(rows),
            Self::Boolean(values) => Ok(values.finish(rows)),
            Self::String(values) => {
                text::put_nulls(values, rows);
                Ok(ArrayBuilder::finish(values))
            }
            Self::Binary(values) => {
                text::put_nulls(values, rows);
                Ok(ArrayBuilder::finish(values))
            }
        }
    }

    /// Takes the memory of an array that nobody else holds. Meant for an empty column.
    pub(crate) fn recycle(&mut self, array: ArrayRef) {
        each!(self, it => it.recycle(array), it => text::recycle(it, array));
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array as _;

    use super::*;

    const CASES: [(ColumnType, ColumnValueRef<'_>); 5] = [
        (ColumnType::Integer, ColumnValueRef::Integer(7)),
        (ColumnType::Double, ColumnValueRef::Double(0.5)),
        (ColumnType::Boolean, ColumnValueRef::Boolean(true)),
        (ColumnType::String, ColumnValueRef::String("西湖")),
        (ColumnType::Binary, ColumnValueRef::Binary(b"\xff")),
    ];

    /// Puts the value in every row but one.
    fn fill(builder: &mut ColumnBuilder, rows: usize, null_at: usize, value: ColumnValueRef<'_>) {
        for row in (0..rows).filter(|row| *row != null_at) {
            assert_eq!(builder.put(row, value), Ok(true));
        }
    }

    #[test]
    fn truncated_columns_keep_their_first_values() {
        for (column_type, value) in CASES {
            for (kept, null_at) in [(0, 1), (1, 0), (3, 1), (4, 9), (9, 10), (9, 3)] {
                let mut builder = ColumnBuilder::new(column_type);
                fill(&mut builder, 11, null_at, value);
                builder.truncate(kept);
                assert!(builder.len() <= kept);
                let mut expected = ColumnBuilder::new(column_type);
                fill(&mut expected, kept, null_at, value);
                assert_eq!(
                    &builder.finish(kept).unwrap(),
                    &expected.finish(kept).unwrap(),
                    "{column_type:?}"
                );
            }
        }
    }

    #[test]
    fn a_row_keeps_the_value_or_null_that_came_first() {
        for (column_type, value) in CASES {
            let mut builder = ColumnBuilder::new(column_type);
            assert_eq!(builder.put(1, value), Ok(true));
            for row in [0, 1] {
                assert_eq!(builder.put(row, value), Ok(false));
            }
            builder.put_nulls(3);
            assert_eq!(builder.put(2, value), Ok(false));
            let array = builder.finish(4).unwrap();
            let nulls = [0, 1, 2, 3].map(|row| array.is_null(row));
            assert_eq!(nulls, [true, false, true, true], "{column_type:?}");
        }
    }

    #[test]
    fn recycled_memory_holds_nothing_of_what_it_held() {
        for (column_type, value) in CASES {
            for null_at in [0, 5, 99] {
                let mut builder = ColumnBuilder::new(column_type);
                fill(&mut builder, 100, null_at, value);
                let filled_bytes = builder.filled_bytes();
                let array = builder.finish(100).unwrap();
                builder.recycle(array);
                let memory_bytes = builder.memory_bytes();
                // Of text the bitmap is let go.
                assert!(memory_bytes >= filled_bytes - 100 / 8, "{column_type:?}");
                assert_eq!(builder.len(), 0);
                assert_eq!(builder.finish(20).unwrap().null_count(), 20);
            }
        }
    }

    #[test]
    fn memory_that_another_holds_is_left_to_it() {
        for (column_type, value) in CASES {
            let mut builder = ColumnBuilder::new(column_type);
            fill(&mut builder, 100, 3, value);
            let array = builder.finish(100).unwrap();
            let before = array.to_data();
            let held = array.slice(2, 50);
            builder.recycle(array);
            // What arrow's builders begin with again is a few offsets.
            assert!(builder.memory_bytes() <= 16, "{column_type:?}");
            fill(&mut builder, 100, 0, value);
            assert_eq!(held.to_data(), before.slice(2, 50), "{column_type:?}");
        }
    }
}
