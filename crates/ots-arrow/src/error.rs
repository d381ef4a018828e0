//! What can go wrong between a page and a batch.

use std::fmt;

use arrow_schema::ArrowError;
use ots_proto::{plainbuffer, simple_row_matrix};

/// Why a schema couldn't be derived, or why a page couldn't become part of a batch.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The index has no field of this name at its top level.
    UnknownColumn {
        /// The column's name.
        column: String,
    },
    /// The field exists, but a scan never returns it.
    NotReturnable {
        /// The column's name.
        column: String,
        /// What it is: a DATE field, a virtual field.
        what: &'static str,
    },
    /// A name that stands twice in the list of columns, or twice in a description.
    DuplicateColumn {
        /// The column's name.
        column: String,
    },
    /// A description that this version of the crate doesn't understand.
    Description {
        /// The column's name, empty if it has none.
        column: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A row that breaks a rule of the row format, or a buffer that doesn't hold exactly one row where
    /// it must: see [`Error::as_plain_buffer`].
    PlainBuffer,
    /// A matrix that breaks a rule of its format: see [`Error::as_matrix`].
    Matrix,
    /// A row without one of the key columns of the schema.
    MissingKeyColumn {
        /// The row of the page, counted from zero.
        row: usize,
        /// The column's name.
        column: String,
    },
    /// A value that isn't of its column's type.
    TypeMismatch {
        /// The row of the page, counted from zero.
        row: usize,
        /// The column's name.
        column: String,
        /// The Tablestore type of the column.
        expected: &'static str,
        /// The Tablestore type of the value.
        found: &'static str,
    },
    /// A cell of a column that the schema doesn't have, where those are
    /// [refused](crate::RecordBatchBuilder::refuse_other_columns).
    OtherColumn {
        /// The row of the page, counted from zero.
        row: usize,
        /// The column's name.
        column: String,
    },
    /// A column of text or bytes that would pass the 2 GiB an Arrow column of this type can hold.
    BatchTooLarge {
        /// The column's name.
        column: String,
    },
    /// Arrow refused the finished columns; the source tells why.
    Arrow,
}

impl Error {
    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What is wrong with the rows: which row of the page, at which byte.
    #[must_use]
    pub fn as_plain_buffer(&self) -> Option<&plainbuffer::Error> {
        self.0.source.as_deref()?.downcast_ref()
    }

    /// What is wrong with the matrix, and at which byte.
    #[must_use]
    pub fn as_matrix(&self) -> Option<&simple_row_matrix::Error> {
        self.0.source.as_deref()?.downcast_ref()
    }
}

impl From<simple_row_matrix::Error> for Error {
    fn from(source: simple_row_matrix::Error) -> Self {
        Self(Box::new(Inner {
            kind: ErrorKind::Matrix,
            source: Some(Box::new(source)),
        }))
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, source: None }))
    }
}

impl From<plainbuffer::Error> for Error {
    fn from(source: plainbuffer::Error) -> Self {
        Self(Box::new(Inner {
            kind: ErrorKind::PlainBuffer,
            source: Some(Box::new(source)),
        }))
    }
}

impl From<ArrowError> for Error {
    fn from(source: ArrowError) -> Self {
        Self(Box::new(Inner {
            kind: ErrorKind::Arrow,
            source: Some(Box::new(source)),
        }))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownColumn { column } => {
                write!(f, "the index has no top-level field {column:?}")
            }
            Self::NotReturnable { column, what } => {
                write!(f, "a scan can't return column {column:?}: it is {what}")
            }
            Self::DuplicateColumn { column } => write!(f, "column {column:?} is named twice"),
            Self::Description { column, problem } => {
                write!(f, "can't derive a schema: column {column:?} {problem}")
            }
            Self::PlainBuffer => f.write_str("a row of the page can't be read"),
            Self::Matrix => f.write_str("the matrix of the page can't be read"),
            Self::MissingKeyColumn { row, column } => {
                write!(f, "row {row} has no key column {column:?}")
            }
            Self::TypeMismatch {
                row,
                column,
                expected,
                found,
            } => write!(
                f,
                "row {row}, column {column:?}: expected a value of type {expected}, found {found}"
            ),
            Self::OtherColumn { row, column } => write!(
                f,
                "row {row} has a column {column:?}, which the schema doesn't have"
            ),
            Self::BatchTooLarge { column } => write!(
                f,
                "column {column:?} of the batch would pass 2 GiB: finish a batch before"
            ),
            Self::Arrow => f.write_str("Arrow refused the columns of the batch"),
        }
    }
}
