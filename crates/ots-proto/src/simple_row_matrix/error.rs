//! What can be wrong with a block, and where.

use std::fmt;

/// A block that isn't what the format says: which rule it breaks, and at which byte.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    offset: usize,
    row: Option<usize>,
}

/// The rule that a block breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It doesn't start with `53 52 4D 30`.
    Magic,
    /// It, or a section of it, ends inside something.
    Truncated {
        /// What was being read.
        reading: &'static str,
        /// Bytes needed from the offset on.
        needed_bytes: usize,
        /// Bytes that were left.
        left_bytes: usize,
    },
    /// A length or a count is negative.
    Negative {
        /// What it is.
        reading: &'static str,
    },
    /// A section starts outside of the place that is left for it.
    SectionOffset {
        /// The section.
        section: &'static str,
        /// Where it is said to start.
        offset: usize,
        /// The least offset it could have.
        from: usize,
        /// The greatest offset it could have.
        to: usize,
    },
    /// Something else stands where the format wants a tag.
    UnexpectedTag {
        /// What must stand there.
        expected: &'static str,
        /// What stands there.
        found: u8,
    },
    /// A flag or a boolean that is neither zero nor one.
    Boolean {
        /// What it is.
        reading: &'static str,
        /// The byte.
        found: u8,
    },
    /// The stored checksum differs from the computed one.
    Checksum {
        /// The checksum in the block.
        stored: u8,
        /// The checksum of what the block holds.
        computed: u8,
    },
    /// More rows than could lie in the block.
    RowCount {
        /// How many rows it is said to have.
        stated_rows: usize,
        /// How many could lie in it at most.
        most_rows: usize,
    },
    /// A value type that doesn't exist.
    UnknownValueType {
        /// The column's name.
        column: String,
        /// The type byte.
        found: u8,
    },
    /// A value type that a key column can't have.
    KeyValueType {
        /// The column's name.
        column: String,
        /// The type, as the service spells it.
        found: &'static str,
    },
    /// Text that isn't UTF-8.
    NotUtf8 {
        /// What was being read.
        reading: &'static str,
    },
    /// Bytes left over between the last row and the checksum.
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

    /// The rule that the block breaks.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The offset in the block, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The row of the block, counted from zero, if it was inside one.
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        self.0.row
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, offset, row } = &*self.0;
        match row {
            Some(row) => write!(f, "{kind} (row {row}, byte {offset})"),
            None => write!(f, "{kind} (byte {offset})"),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => {
                f.write_str("a SimpleRowMatrix starts with 53 52 4d 30, this block doesn't")
            }
            Self::Truncated {
                reading,
                needed_bytes,
                left_bytes,
            } => write!(
                f,
                "the block ends too early for {reading}: bytes needed {needed_bytes}, left {left_bytes}"
            ),
            Self::Negative { reading } => write!(f, "{reading} is negative"),
            Self::SectionOffset {
                section,
                offset,
                from,
                to,
            } => write!(
                f,
                "{section} can start from byte {from} to byte {to}, but are said to start at byte {offset}"
            ),
            Self::UnexpectedTag { expected, found } => {
                write!(f, "expected {expected}, found {found:#04x}")
            }
            Self::Boolean { reading, found } => {
                write!(f, "{reading} is 00 or 01, found {found:#04x}")
            }
            Self::Checksum { stored, computed } => write!(
                f,
                "checksum mismatch: stored {stored:#04x}, computed {computed:#04x}"
            ),
            Self::RowCount {
                stated_rows,
                most_rows,
            } => write!(
                f,
                "the block is said to have {stated_rows} rows, but has room for {most_rows}"
            ),
            Self::UnknownValueType { column, found } => {
                write!(
                    f,
                    "column {column:?} has a value of unknown type {found:#04x}"
                )
            }
            Self::KeyValueType { column, found } => {
                write!(
                    f,
                    "a {found} can't be the value of primary key column {column:?}"
                )
            }
            Self::NotUtf8 { reading } => write!(f, "{reading} isn't UTF-8"),
            Self::TrailingBytes { left_bytes } => {
                write!(f, "bytes left over after the last row: {left_bytes}")
            }
        }
    }
}
