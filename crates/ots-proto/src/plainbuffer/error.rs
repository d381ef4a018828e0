//! What can be wrong with a buffer, and where.

use std::fmt;

use super::tag;

/// A buffer that isn't what the format says: which rule it breaks, and at which byte.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    offset: usize,
    row: Option<usize>,
}

/// The rule that a buffer breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It doesn't start with `75 00 00 00`.
    Header,
    /// It ends inside something.
    Truncated {
        /// What was being read.
        reading: &'static str,
        /// Bytes needed from the offset on.
        needed_bytes: usize,
        /// Bytes that were left.
        left_bytes: usize,
    },
    /// A length is negative.
    NegativeLength {
        /// What was being read.
        reading: &'static str,
    },
    /// Something else stands where the format wants a tag.
    UnexpectedTag {
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: u8,
    },
    /// The stored checksum of a cell differs from the computed one.
    CellChecksum {
        /// The column's name.
        column: String,
        /// The checksum in the buffer.
        stored: u8,
        /// The checksum of what the buffer holds.
        computed: u8,
    },
    /// The stored checksum of a row differs from the computed one.
    RowChecksum {
        /// The checksum in the buffer.
        stored: u8,
        /// The checksum of what the buffer holds.
        computed: u8,
    },
    /// A value type that doesn't exist.
    UnknownValueType {
        /// The type byte.
        found: u8,
    },
    /// A value type that may not stand in this place.
    MisplacedValueType {
        /// The column's name.
        column: String,
        /// The type, as the service spells it.
        found: &'static str,
        /// Where it stands: `primary key` or `attribute`.
        place: &'static str,
    },
    /// The stated length of a value differs from what the value takes.
    ValueLength {
        /// The stated length.
        stated_bytes: usize,
        /// The length of the value with its type byte.
        actual_bytes: usize,
    },
    /// A boolean that is neither zero nor one.
    Boolean {
        /// The byte.
        found: u8,
    },
    /// Text that isn't UTF-8.
    NotUtf8 {
        /// What was being read.
        reading: &'static str,
    },
    /// A timestamp before 1970.
    NegativeTimestamp,
    /// An operation that doesn't exist, or doesn't fit the cell.
    Operation {
        /// What is wrong.
        problem: &'static str,
    },
    /// Something that only a change of a row may hold, in a row that was read.
    OnlyInChanges {
        /// What it is.
        found: &'static str,
    },
    /// An attribute cell without a value in a row that was read.
    MissingValue {
        /// The column's name.
        column: String,
    },
    /// A row without any primary key column.
    EmptyPrimaryKey,
    /// Another number of rows than the place allows.
    RowCount {
        /// What the place allows.
        expected: &'static str,
    },
    /// A row whose shape doesn't fit what it was sent for.
    Shape {
        /// What was wanted.
        expected: &'static str,
    },
    /// Bytes left over after the end.
    TrailingBytes {
        /// How many.
        left_bytes: usize,
    },
}

impl Error {
    pub(super) fn new(kind: ErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner {
            kind,
            offset,
            row: None,
        }))
    }

    pub(super) fn in_row(mut self, row: usize) -> Self {
        self.0.row = Some(row);
        self
    }

    /// The rule that the buffer breaks.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The offset in the buffer, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The row of the buffer, counted from zero, if it was inside one.
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        self.0.row
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, offset, row } = &*self.0;
        let row = |f: &mut fmt::Formatter<'_>| match row {
            Some(row) => write!(f, "row {row}, "),
            None => Ok(()),
        };
        match kind {
            ErrorKind::CellChecksum {
                column,
                stored,
                computed,
            } => {
                f.write_str("cell checksum mismatch: ")?;
                row(f)?;
                write!(
                    f,
                    "column {column:?}, byte {offset}: stored {stored:#04x}, computed {computed:#04x}"
                )
            }
            ErrorKind::RowChecksum { stored, computed } => {
                f.write_str("row checksum mismatch: ")?;
                row(f)?;
                write!(
                    f,
                    "byte {offset}: stored {stored:#04x}, computed {computed:#04x}"
                )
            }
            kind => {
                write!(f, "{kind} (")?;
                row(f)?;
                write!(f, "byte {offset})")
            }
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("a PlainBuffer starts with 75 00 00 00, this one doesn't"),
            Self::Truncated {
                reading,
                needed_bytes,
                left_bytes,
            } => write!(
                f,
                "the buffer ends too early for {reading}: needs {}, has {left_bytes}",
                count_bytes(*needed_bytes)
            ),
            Self::NegativeLength { reading } => write!(f, "the length of {reading} is negative"),
            Self::UnexpectedTag { expected, found } => {
                write!(
                    f,
                    "expected {expected}, found {} ({found:#04x})",
                    tag::name(*found)
                )
            }
            Self::CellChecksum { .. } => f.write_str("cell checksum mismatch"),
            Self::RowChecksum { .. } => f.write_str("row checksum mismatch"),
            Self::UnknownValueType { found } => write!(f, "unknown value type {found:#04x}"),
            Self::MisplacedValueType {
                column,
                found,
                place,
            } => {
                write!(
                    f,
                    "a {found} can't be the value of {place} column {column:?}"
                )
            }
            Self::ValueLength {
                stated_bytes,
                actual_bytes,
            } => {
                write!(
                    f,
                    "a value said to take {} takes {actual_bytes}",
                    count_bytes(*stated_bytes)
                )
            }
            Self::Boolean { found } => write!(f, "a boolean is 00 or 01, found {found:#04x}"),
            Self::NotUtf8 { reading } => write!(f, "{reading} isn't UTF-8"),
            Self::NegativeTimestamp => f.write_str("a cell's timestamp is negative"),
            Self::Operation { problem } => f.write_str(problem),
            Self::OnlyInChanges { found } => {
                write!(
                    f,
                    "a row that was read holds {found}, which only a row change may"
                )
            }
            Self::MissingValue { column } => write!(f, "column {column:?} has no value"),
            Self::EmptyPrimaryKey => f.write_str("a row has no primary key column"),
            Self::RowCount { expected } => write!(f, "expected {expected}"),
            Self::Shape { expected } => write!(f, "expected {expected}"),
            Self::TrailingBytes { left_bytes } => {
                write!(f, "{} left over after the end", count_bytes(*left_bytes))
            }
        }
    }
}

fn count_bytes(count: usize) -> String {
    let noun = if count == 1 { "byte" } else { "bytes" };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: ErrorKind) -> String {
        Error::new(kind, 48_211).in_row(17).to_string()
    }

    #[test]
    fn a_message_says_where_and_what_against_what() {
        let cases = [
            (
                ErrorKind::CellChecksum {
                    column: "price".to_owned(),
                    stored: 0x3f,
                    computed: 0xa2,
                },
                "cell checksum mismatch: row 17, column \"price\", byte 48211: stored 0x3f, computed 0xa2",
            ),
            (
                ErrorKind::RowChecksum {
                    stored: 0x01,
                    computed: 0xfe,
                },
                "row checksum mismatch: row 17, byte 48211: stored 0x01, computed 0xfe",
            ),
            (
                ErrorKind::Truncated {
                    reading: "a column name",
                    needed_bytes: 12,
                    left_bytes: 2,
                },
                "the buffer ends too early for a column name: needs 12 bytes, has 2 (row 17, byte 48211)",
            ),
            (
                ErrorKind::Truncated {
                    reading: "a row's checksum",
                    needed_bytes: 1,
                    left_bytes: 0,
                },
                "the buffer ends too early for a row's checksum: needs 1 byte, has 0 (row 17, byte 48211)",
            ),
            (
                ErrorKind::NegativeLength {
                    reading: "a string",
                },
                "the length of a string is negative (row 17, byte 48211)",
            ),
            (
                ErrorKind::UnexpectedTag {
                    expected: "CELL_NAME (0x04) at the start of a cell",
                    found: 0x0b,
                },
                "expected CELL_NAME (0x04) at the start of a cell, found EXTENSION (0x0b) (row 17, byte 48211)",
            ),
            (
                ErrorKind::UnknownValueType { found: 5 },
                "unknown value type 0x05 (row 17, byte 48211)",
            ),
            (
                ErrorKind::MisplacedValueType {
                    column: "id".to_owned(),
                    found: "DOUBLE",
                    place: "primary key",
                },
                "a DOUBLE can't be the value of primary key column \"id\" (row 17, byte 48211)",
            ),
            (
                ErrorKind::ValueLength {
                    stated_bytes: 10,
                    actual_bytes: 9,
                },
                "a value said to take 10 bytes takes 9 (row 17, byte 48211)",
            ),
            (
                ErrorKind::Boolean { found: 2 },
                "a boolean is 00 or 01, found 0x02 (row 17, byte 48211)",
            ),
            (
                ErrorKind::NotUtf8 {
                    reading: "a column name",
                },
                "a column name isn't UTF-8 (row 17, byte 48211)",
            ),
            (
                ErrorKind::NegativeTimestamp,
                "a cell's timestamp is negative (row 17, byte 48211)",
            ),
            (
                ErrorKind::OnlyInChanges {
                    found: "a delete marker",
                },
                "a row that was read holds a delete marker, which only a row change may (row 17, byte 48211)",
            ),
            (
                ErrorKind::MissingValue {
                    column: "price".to_owned(),
                },
                "column \"price\" has no value (row 17, byte 48211)",
            ),
            (
                ErrorKind::EmptyPrimaryKey,
                "a row has no primary key column (row 17, byte 48211)",
            ),
            (
                ErrorKind::TrailingBytes { left_bytes: 1 },
                "1 byte left over after the end (row 17, byte 48211)",
            ),
        ];
        for (kind, expected) in cases {
            assert_eq!(text(kind), expected);
        }
    }

    #[test]
    fn outside_a_row_only_the_byte_is_named() {
        let error = Error::new(ErrorKind::Header, 0);
        assert_eq!(
            error.to_string(),
            "a PlainBuffer starts with 75 00 00 00, this one doesn't (byte 0)"
        );
        let error = Error::new(
            ErrorKind::RowCount {
                expected: "one row, found none",
            },
            4,
        );
        assert_eq!(error.to_string(), "expected one row, found none (byte 4)");
    }
}
