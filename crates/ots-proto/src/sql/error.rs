//! What can be wrong with the rows of an SQL answer, and where.

use std::fmt;

/// A buffer that isn't an SQL answer: what is wrong with it, and at which byte.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    offset: usize,
    column: Option<usize>,
}

/// What is wrong with a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something goes beyond its end.
    Truncated {
        /// What was being read.
        reading: &'static str,
        /// Bytes needed from the offset on.
        needed_bytes: usize,
        /// Bytes that were left.
        left_bytes: usize,
    },
    /// A table whose own description lies outside of the buffer, or contradicts itself.
    Table {
        /// The table.
        table: &'static str,
    },
    /// A field that lies outside of its table.
    Field {
        /// The field.
        field: &'static str,
    },
    /// A field that isn't there.
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A number of rows that is negative, or that no column has.
    RowCount {
        /// The number.
        found: i64,
    },
    /// A column of another length than there are rows.
    ColumnLength {
        /// The field.
        field: &'static str,
        /// The number of rows.
        expected: usize,
        /// The number of values.
        found: usize,
    },
    /// A type that this version doesn't know.
    UnknownType {
        /// The field.
        field: &'static str,
        /// Its number.
        found: i8,
    },
    /// A value in a column that has no type.
    Untyped,
    /// A boolean that is neither zero nor one.
    Boolean {
        /// The field.
        field: &'static str,
        /// The byte.
        found: u8,
    },
    /// Text that isn't UTF-8.
    NotUtf8 {
        /// The field.
        field: &'static str,
    },
    /// A row that refers to a text that isn't there.
    TextIndex {
        /// What it refers to.
        found: i32,
        /// How many texts there are.
        texts: usize,
    },
    /// The same bytes are referred to over and over, more than an honest answer would.
    Repetition {
        /// How large the answer would be, were every reference a copy.
        apparent_bytes: usize,
        /// How large it may be.
        allowed_bytes: usize,
    },
}

impl Error {
    pub(super) fn new(kind: ErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner {
            kind,
            offset,
            column: None,
        }))
    }

    pub(super) fn in_column(mut self, column: usize) -> Self {
        self.0.column = Some(column);
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The offset in the buffer, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The column, counted from zero, if it was inside one.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.0.column
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            offset,
            column,
        } = &*self.0;
        match column {
            Some(column) => write!(f, "{kind} (column {column}, byte {offset})"),
            None => write!(f, "{kind} (byte {offset})"),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated {
                reading,
                needed_bytes,
                left_bytes,
            } => write!(
                f,
                "the buffer ends too early for {reading}: bytes needed {needed_bytes}, left {left_bytes}"
            ),
            Self::Table { table } => write!(f, "the table {table} is damaged"),
            Self::Field { field } => write!(f, "{field} lies outside of its table"),
            Self::Missing { field } => write!(f, "{field} is missing"),
            Self::RowCount { found } => write!(f, "an answer can't have {found} rows"),
            Self::ColumnLength {
                field,
                expected,
                found,
            } => write!(f, "{field} has {found} elements for {expected} rows"),
            Self::UnknownType { field, found } => {
                write!(f, "{field} is {found}, which is unknown")
            }
            Self::Untyped => f.write_str("a column without a type has a value"),
            Self::Boolean { field, found } => {
                write!(f, "a boolean of {field} is 00 or 01, found {found:#04x}")
            }
            Self::NotUtf8 { field } => write!(f, "a text of {field} isn't UTF-8"),
            Self::TextIndex { found, texts } => {
                write!(f, "a row refers to text {found} of {texts}")
            }
            Self::Repetition {
                apparent_bytes,
                allowed_bytes,
            } => write!(
                f,
                "the same bytes are referred to over and over, as if they were {apparent_bytes} where \
                 {allowed_bytes} would be plenty"
            ),
        }
    }
}
