//! One column of a batch while it grows.

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder,
};
use ots_proto::ColumnValueRef;

use crate::schema::ColumnType;

/// The values of one column so far.
#[derive(Debug)]
pub(crate) enum ColumnBuilder {
    Integer(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    String(StringBuilder),
    Binary(BinaryBuilder),
}

/// Why a value couldn't be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    OtherType,
    TooLarge,
}

impl ColumnBuilder {
    pub(crate) fn new(column_type: ColumnType) -> Self {
        // Without capacity: the builders of arrow start at 1,024 rows otherwise, which is much for
        // a wide table and a small page.
        match column_type {
            ColumnType::Integer => Self::Integer(Int64Builder::with_capacity(0)),
            ColumnType::Double => Self::Double(Float64Builder::with_capacity(0)),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(0)),
            ColumnType::String => Self::String(StringBuilder::with_capacity(0, 0)),
            ColumnType::Binary => Self::Binary(BinaryBuilder::with_capacity(0, 0)),
        }
    }

    #[inline(always)]
    pub(crate) fn append(&mut self, value: ColumnValueRef<'_>) -> Result<(), Refused> {
        match (self, value) {
            (Self::Integer(builder), ColumnValueRef::Integer(value)) => builder.append_value(value),
            (Self::Double(builder), ColumnValueRef::Double(value)) => builder.append_value(value),
            (Self::Boolean(builder), ColumnValueRef::Boolean(value)) => builder.append_value(value),
            (Self::String(builder), ColumnValueRef::String(value)) => {
                fits(builder.values_slice(), value.len())?;
                builder.append_value(value);
            }
            (Self::Binary(builder), ColumnValueRef::Binary(value)) => {
                fits(builder.values_slice(), value.len())?;
                builder.append_value(value);
            }
            _ => return Err(Refused::OtherType),
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn append_null(&mut self) {
        match self {
            Self::Integer(builder) => builder.append_null(),
            Self::Double(builder) => builder.append_null(),
            Self::Boolean(builder) => builder.append_null(),
            Self::String(builder) => builder.append_null(),
            Self::Binary(builder) => builder.append_null(),
        }
    }

    pub(crate) fn append_nulls(&mut self, count: usize) {
        match self {
            Self::Integer(builder) => builder.append_nulls(count),
            Self::Double(builder) => builder.append_nulls(count),
            Self::Boolean(builder) => builder.append_nulls(count),
            Self::String(builder) => builder.append_nulls(count),
            Self::Binary(builder) => builder.append_nulls(count),
        }
    }

    /// Makes room for `rows` values like those it has, which should be few: arrow's builders take
    /// their room when they are made, so this makes a new one.
    pub(crate) fn make_room(&mut self, rows: usize) {
        // Nothing is lost if appending failed: it can't where the same values stood before.
        match self {
            Self::Integer(builder) => {
                let values = std::mem::replace(builder, Int64Builder::with_capacity(rows)).finish();
                builder.append_array(&values);
            }
            Self::Double(builder) => {
                let values =
                    std::mem::replace(builder, Float64Builder::with_capacity(rows)).finish();
                builder.append_array(&values);
            }
            Self::Boolean(builder) => {
                let values =
                    std::mem::replace(builder, BooleanBuilder::with_capacity(rows)).finish();
                builder.append_array(&values);
            }
            Self::String(builder) => {
                let bytes = builder.values_slice().len().saturating_mul(rows);
                let room = StringBuilder::with_capacity(rows, bytes);
                let values = std::mem::replace(builder, room).finish();
                builder.append_array(&values).ok();
            }
            Self::Binary(builder) => {
                let bytes = builder.values_slice().len().saturating_mul(rows);
                let room = BinaryBuilder::with_capacity(rows, bytes);
                let values = std::mem::replace(builder, room).finish();
                builder.append_array(&values).ok();
            }
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Integer(builder) => builder.len(),
            Self::Double(builder) => builder.len(),
            Self::Boolean(builder) => builder.len(),
            Self::String(builder) => builder.len(),
            Self::Binary(builder) => builder.len(),
        }
    }

    /// Takes back everything after the first `rows` values.
    ///
    /// Arrow's builders only grow, so this copies what stays: it is meant for the rare bad page.
    #[cold]
    pub(crate) fn truncate(&mut self, rows: usize) {
        if self.len() <= rows {
            return;
        }
        // Appending a part of what the same builder held can't overflow its offsets. If it did, the
        // column would come out too short, and `finish` would refuse the batch.
        match self {
            Self::Integer(builder) => {
                let kept = builder.finish().slice(0, rows);
                builder.append_array(&kept);
            }
            Self::Double(builder) => {
                let kept = builder.finish().slice(0, rows);
                builder.append_array(&kept);
            }
            Self::Boolean(builder) => {
                let kept = builder.finish().slice(0, rows);
                builder.append_array(&kept);
            }
            Self::String(builder) => {
                let kept = builder.finish().slice(0, rows);
                builder.append_array(&kept).ok();
            }
            Self::Binary(builder) => {
                let kept = builder.finish().slice(0, rows);
                builder.append_array(&kept).ok();
            }
        }
    }

    /// What it has allocated, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Integer(builder) => builder.capacity() * 8 + builder.validity_capacity(),
            Self::Double(builder) => builder.capacity() * 8 + builder.validity_capacity(),
            // One bit for the value and at most one for its validity.
            Self::Boolean(builder) => builder.capacity().div_ceil(4),
            Self::String(builder) => {
                builder.values_capacity()
                    + builder.offsets_capacity() * 4
                    + builder.validity_capacity()
            }
            Self::Binary(builder) => {
                builder.values_capacity()
                    + builder.offsets_capacity() * 4
                    + builder.validity_capacity()
            }
        }
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integer(builder) => ArrayBuilder::finish(builder),
            Self::Double(builder) => ArrayBuilder::finish(builder),
            Self::Boolean(builder) => ArrayBuilder::finish(builder),
            Self::String(builder) => ArrayBuilder::finish(builder),
            Self::Binary(builder) => ArrayBuilder::finish(builder),
        }
    }
}

/// Whether the 32-bit offsets of the column can still reach the end of one more value; arrow's
/// builders panic otherwise.
#[inline]
fn fits(values: &[u8], more_bytes: usize) -> Result<(), Refused> {
    match i32::try_from(values.len().saturating_add(more_bytes)) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refused::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_reach_two_gibibytes() {
        let limit = usize::try_from(i32::MAX).unwrap();
        assert_eq!(fits(b"", limit), Ok(()));
        assert_eq!(fits(b"a", limit - 1), Ok(()));
        assert_eq!(fits(b"a", limit), Err(Refused::TooLarge));
        assert_eq!(fits(b"a", usize::MAX), Err(Refused::TooLarge));
    }

    #[test]
    fn truncated_columns_keep_their_first_values() {
        let cases = [
            (ColumnType::Integer, ColumnValueRef::Integer(7)),
            (ColumnType::Double, ColumnValueRef::Double(0.5)),
            (ColumnType::Boolean, ColumnValueRef::Boolean(true)),
            (ColumnType::String, ColumnValueRef::String("西湖")),
            (ColumnType::Binary, ColumnValueRef::Binary(b"\xff")),
        ];
        for (column_type, value) in cases {
            for (kept, null_at) in [(0, 1), (1, 0), (3, 1), (4, 9)] {
                let fill = |rows: usize| {
                    let mut builder = ColumnBuilder::new(column_type);
                    for row in 0..rows {
                        if row == null_at {
                            builder.append_null();
                        } else {
                            builder.append(value).unwrap();
                        }
                    }
                    builder
                };
                let mut builder = fill(5);
                builder.truncate(kept);
                assert_eq!(builder.len(), kept);
                assert_eq!(&builder.finish(), &fill(kept).finish(), "{column_type:?}");
            }
        }
    }
}
