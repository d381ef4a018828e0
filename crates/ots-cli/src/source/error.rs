//! Why a file can't become rows.

use std::fmt;
use std::path::PathBuf;

use ots_arrow::ColumnType;

/// What is wrong with a file, and where in it.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of [`Error`]. Rows are counted from 0, as the row number does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file's ending doesn't say its format.
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The file can't be opened or read; the source tells why.
    Io {
        /// The file.
        path: PathBuf,
    },
    /// The file isn't the CSV or Parquet it should be; the source tells why.
    Malformed {
        /// The file.
        path: PathBuf,
        /// The format it should have.
        format: &'static str,
    },
    /// A CSV file without a line of names.
    NoHeader {
        /// The file.
        path: PathBuf,
    },
    /// A column without a name.
    UnnamedColumn {
        /// Its place, counted from 0.
        position: usize,
    },
    /// Two columns of one name; the name of the row number counts.
    DuplicateColumn {
        /// The name.
        column: String,
    },
    /// A column whose type the service has nothing for.
    UnsupportedType {
        /// The column's name.
        column: String,
        /// Its type in the file.
        found: String,
    },
    /// A column that was named to be typed or to be a key, and isn't in the file.
    MissingColumn {
        /// The column's name.
        column: String,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// No key column was named.
    NoKey,
    /// A type was given for a column of a file that has types.
    TypesGiven {
        /// The column's name.
        column: String,
    },
    /// A column of a type that can't be part of a key.
    KeyType {
        /// The column's name.
        column: String,
        /// Its type.
        found: ColumnType,
    },
    /// A row without a value for a key column.
    NullKey {
        /// The row.
        row: u64,
        /// The column's name.
        column: String,
    },
    /// A value that can't be stored.
    Value {
        /// The row.
        row: u64,
        /// The column's name.
        column: String,
        /// The type of the column.
        expected: ColumnType,
        /// What is wrong with the value, which itself is not told.
        problem: &'static str,
    },
}

impl Error {
    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    pub(super) fn with_source(
        kind: ErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            source: Some(source.into()),
        }))
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, source: None }))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            ErrorKind::UnknownFormat { path } => write!(
                f,
                "{} doesn't end in .csv, .tsv, .parquet or .pq",
                path.display()
            ),
            ErrorKind::Io { path } => write!(f, "can't read {}", path.display()),
            ErrorKind::Malformed { path, format } => {
                write!(f, "{} isn't {format} that can be read", path.display())
            }
            ErrorKind::NoHeader { path } => write!(
                f,
                "{} has no first line with the names of the columns",
                path.display()
            ),
            ErrorKind::UnnamedColumn { position } => {
                write!(f, "column {position} (counted from 0) has no name")
            }
            ErrorKind::DuplicateColumn { column } => {
                write!(f, "there is more than one column {column:?}")
            }
            ErrorKind::UnsupportedType { column, found } => write!(
                f,
                "column {column:?} is of type {found}, which a table can't store"
            ),
            ErrorKind::MissingColumn { column, columns } => {
                write!(
                    f,
                    "there is no column {column:?}, only {}",
                    columns.join(", ")
                )
            }
            ErrorKind::NoKey => f.write_str("no column was named as primary key"),
            ErrorKind::TypesGiven { column } => write!(
                f,
                "column {column:?} can't be given a type: a Parquet file has its own"
            ),
            ErrorKind::KeyType { column, found } => write!(
                f,
                "column {column:?} is of type {}, a key column is INTEGER, STRING or BINARY",
                found.name()
            ),
            ErrorKind::NullKey { row, column } => {
                write!(
                    f,
                    "row {row} (counted from 0) has no value in key column {column:?}"
                )
            }
            ErrorKind::Value {
                row,
                column,
                expected,
                problem,
            } => write!(
                f,
                "row {row} (counted from 0), column {column:?} of type {}: {problem}",
                expected.name()
            ),
        }
    }
}
