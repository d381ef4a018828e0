//! The values of one column of one chunk.

use arrow_array::{Array, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray};
use ots_proto::ColumnValueRef;

/// Values in the five types that a table stores.
#[derive(Debug)]
pub(super) enum Values {
    Integer(Int64Array),
    Double(Float64Array),
    Boolean(BooleanArray),
    String(StringArray),
    Binary(BinaryArray),
}

impl Values {
    /// The value of a row, unless it is null or there is no such row.
    pub(super) fn get(&self, row: usize) -> Option<ColumnValueRef<'_>> {
        fn present(array: &dyn Array, row: usize) -> bool {
            row < array.len() && array.is_valid(row)
        }
        match self {
            Self::Integer(array) => {
                present(array, row).then(|| ColumnValueRef::Integer(array.value(row)))
            }
            Self::Double(array) => {
                present(array, row).then(|| ColumnValueRef::Double(array.value(row)))
            }
            Self::Boolean(array) => {
                present(array, row).then(|| ColumnValueRef::Boolean(array.value(row)))
            }
            Self::String(array) => {
                present(array, row).then(|| ColumnValueRef::String(array.value(row)))
            }
            Self::Binary(array) => {
                present(array, row).then(|| ColumnValueRef::Binary(array.value(row)))
            }
        }
    }
}
