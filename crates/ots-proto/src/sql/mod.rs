//! The rows of an SQL answer.
//!
//! SQLQuery answers column by column, in [FlatBuffers]: little-endian, the offset of the root table
//! at byte 0, no file identifier. Field *n* of a table stands in slot 4 + 2*n* of its vtable.
//!
//! | table | fields |
//! |---|---|
//! | SQLResponseColumns | 0 columns: \[SQLResponseColumn\]; 1 row_count: i64 |
//! | SQLResponseColumn | 0 column_name: text; 1 column_type: i8; 2 column_value: ColumnValues; 3 column_complex_type_info: ComplexColumnTypeInfo |
//! | ColumnValues | 0 is_nullvalues: \[bool\]; 1 long_values: \[i64\]; 2 bool_values: \[bool\]; 3 double_values: \[f64\]; 4 string_values: \[text\]; 5 binary_values: \[BytesValue\]; 6 rle_string_values: RLEStringValues |
//! | BytesValue | 0 value: \[i8\] |
//! | RLEStringValues | 0 array: \[text\]; 1 index_mapping: \[i32\], from row to text |
//! | ComplexColumnTypeInfo | 0 column_logic_type: i8; 1 column_encode_type: i8 |
//!
//! The column types are 0 NONE, 1 LONG, 2 BOOLEAN, 3 DOUBLE, 4 STRING, 5 BINARY, 6 STRING_RLE and
//! 7 COMPLEX; the logic types of the last 1 DATETIME, 2 DATE and 3 TIME, all encoded as LONG.
//!
//! [`SqlRows::parse`] checks everything there is before the first value is seen. It follows no offset
//! it hasn't checked, and no more of them than a buffer of its size has use for: in this format a
//! few bytes could else be visited over and over.
//!
//! [FlatBuffers]: https://flatbuffers.dev/internals/

mod error;
mod flat;
mod reader;
mod rows;
mod value;
mod writer;

pub use error::{Error, ErrorKind};
pub use reader::{SqlColumn, SqlRows};
pub use rows::SqlRow;
pub use value::{SqlType, SqlValueRef};
pub use writer::{SqlWriter, WriteError};

/// Numbers of column types.
mod column_type {
    pub(super) const NONE: i8 = 0;
    pub(super) const LONG: i8 = 1;
    pub(super) const BOOLEAN: i8 = 2;
    pub(super) const DOUBLE: i8 = 3;
    pub(super) const STRING: i8 = 4;
    pub(super) const BINARY: i8 = 5;
    pub(super) const STRING_RLE: i8 = 6;
    pub(super) const COMPLEX: i8 = 7;
}

/// Numbers of the logic types of complex columns.
mod logic_type {
    pub(super) const DATETIME: i8 = 1;
    pub(super) const DATE: i8 = 2;
    pub(super) const TIME: i8 = 3;
}
