//! What can be wrong between a row and a type. Values never show: they may be secret.

use std::error::Error as StdError;
use std::fmt;

use crate::{plainbuffer, simple_row_matrix};

/// A row that doesn't fit its type, or the other way round.
///
/// It names the column and, where known, the row's number in its page, what was expected and what
/// was found. It never holds a value of the row.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    column: Option<String>,
    row: Option<usize>,
}

/// What is wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A column that the type needs isn't there.
    Missing,
    /// The key has a column that the type doesn't.
    UnknownKeyColumn,
    /// A value of another type.
    Type {
        /// The type that is needed, as the service spells it.
        expected: &'static str,
        /// The type that is there.
        found: &'static str,
    },
    /// A number that the type can't hold.
    OutOfRange {
        /// The type that can't hold it.
        type_name: &'static str,
    },
    /// Text that isn't the JSON of the type, or a value without a JSON form.
    Json {
        /// Where the text stops being what was expected, counted from 1; 0 when writing.
        line: usize,
        /// The byte in that line.
        byte: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A conversion of yours refused the value.
    Refused {
        /// Its reason.
        reason: &'static str,
    },
    /// The buffer of the rows is damaged.
    Buffer(plainbuffer::Error),
    /// The block of the rows is damaged.
    Matrix(simple_row_matrix::Error),
}

/// Why one value can't be converted: what the value traits answer, before the column is known.
#[derive(Debug)]
pub struct ValueError(ErrorKind);

impl ValueError {
    /// The value has another type: `expected` and `found` as the service spells them.
    #[must_use]
    pub const fn wrong_type(expected: &'static str, found: &'static str) -> Self {
        Self(ErrorKind::Type { expected, found })
    }

    /// The number is beyond what `type_name` can hold.
    #[must_use]
    pub const fn out_of_range(type_name: &'static str) -> Self {
        Self(ErrorKind::OutOfRange { type_name })
    }

    /// A reason of your own. It is constant text, so that no value of a row gets into an error.
    #[must_use]
    pub const fn refused(reason: &'static str) -> Self {
        Self(ErrorKind::Refused { reason })
    }

    #[cfg(feature = "json")]
    pub(super) const fn json(line: usize, byte: usize, problem: &'static str) -> Self {
        Self(ErrorKind::Json {
            line,
            byte,
            problem,
        })
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// The same, of a column.
    #[must_use]
    pub fn in_column(self, name: &str) -> Error {
        Error::new(self.0, Some(name))
    }
}

impl StdError for ValueError {}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error {
    #[cold]
    pub(super) fn new(kind: ErrorKind, column: Option<&str>) -> Self {
        Self(Box::new(Inner {
            kind,
            column: column.map(str::to_owned),
            row: None,
        }))
    }

    /// The same error, of the row with this number.
    #[must_use]
    pub fn in_row(mut self, row: usize) -> Self {
        self.0.row = Some(row);
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The column, unless the whole buffer is damaged.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The row of its page, counted from zero, where it is known: [`TypedRows`](super::TypedRows)
    /// knows it, a single row doesn't.
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        self.0.row
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.kind {
            ErrorKind::Buffer(error) => Some(error),
            ErrorKind::Matrix(error) => Some(error),
            _ => None,
        }
    }
}

impl From<plainbuffer::Error> for Error {
    fn from(error: plainbuffer::Error) -> Self {
        let row = error.row();
        let mut error = Self::new(ErrorKind::Buffer(error), None);
        error.0.row = row;
        error
    }
}

impl From<simple_row_matrix::Error> for Error {
    fn from(error: simple_row_matrix::Error) -> Self {
        let row = error.row();
        let mut error = Self::new(ErrorKind::Matrix(error), None);
        error.0.row = row;
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, column, row } = &*self.0;
        match (row, column) {
            (Some(row), Some(column)) => write!(f, "row {row}, column {column:?}: ")?,
            (Some(row), None) => write!(f, "row {row}: ")?,
            (None, Some(column)) => write!(f, "column {column:?}: ")?,
            (None, None) => {}
        }
        kind.fmt(f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the row doesn't have it"),
            Self::UnknownKeyColumn => f.write_str("the key has it, the type doesn't"),
            Self::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::OutOfRange { type_name } => {
                write!(f, "the value is out of range for {type_name}")
            }
            Self::Json {
                line: 0, problem, ..
            } => write!(f, "no JSON form: {problem}"),
            Self::Json {
                line,
                byte,
                problem,
            } => write!(
                f,
                "not the expected JSON at line {line}, byte {byte}: {problem}"
            ),
            Self::Refused { reason } => f.write_str(reason),
            Self::Buffer(_) | Self::Matrix(_) => f.write_str("the page can't be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_where_and_what_against_what() {
        let cases = [
            (
                ValueError::wrong_type("INTEGER", "STRING"),
                "row 17, column \"price\": expected INTEGER, found STRING",
            ),
            (
                ValueError::out_of_range("u8"),
                "row 17, column \"price\": the value is out of range for u8",
            ),
            (
                ValueError::refused("not a price"),
                "row 17, column \"price\": not a price",
            ),
            (
                ValueError(ErrorKind::Missing),
                "row 17, column \"price\": the row doesn't have it",
            ),
            (
                ValueError(ErrorKind::UnknownKeyColumn),
                "row 17, column \"price\": the key has it, the type doesn't",
            ),
            (
                ValueError(ErrorKind::Json {
                    line: 1,
                    byte: 9,
                    problem: "wrong type",
                }),
                "row 17, column \"price\": not the expected JSON at line 1, byte 9: wrong type",
            ),
        ];
        for (error, expected) in cases {
            assert_eq!(error.in_column("price").in_row(17).to_string(), expected);
        }
    }

    #[test]
    fn without_a_row_number_the_column_stands_alone() {
        let error = ValueError::out_of_range("u8").in_column("城市");
        assert_eq!(
            error.to_string(),
            "column \"城市\": the value is out of range for u8"
        );
        assert_eq!((error.column(), error.row()), (Some("城市"), None));
    }

    #[test]
    fn a_damaged_buffer_is_the_source() {
        let damaged = plainbuffer::read_primary_key(b"nonsense").unwrap_err();
        let error = Error::from(damaged);
        assert_eq!(error.to_string(), "the page can't be read");
        assert!(error.source().unwrap().is::<plainbuffer::Error>());
    }
}
