//! Why a filter can't be sent, or can't be understood, and where in it.

use std::fmt;

use super::column::CastType;
use crate::operation::MessageError;
use crate::plainbuffer;

/// Why a filter can't be sent, or can't be understood: where in it, and what is wrong there.
///
/// ```
/// use ots_proto::filter::{Filter, FilterErrorKind};
///
/// let adult = Filter::column("age").ge(18);
/// let error = adult.and(Filter::column("").eq("Hangzhou").not()).encode().unwrap_err();
/// assert_eq!(error.path(), "filter.and[1].not");
/// assert!(matches!(error.kind(), FilterErrorKind::EmptyColumn));
/// assert_eq!(error.to_string(), "filter.and[1].not: column_name is empty");
/// ```
#[derive(Debug)]
pub struct FilterError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    path: String,
    kind: FilterErrorKind,
}

/// What is wrong with a filter.
#[derive(Debug)]
#[non_exhaustive]
pub enum FilterErrorKind {
    /// The bytes aren't the message they should be.
    Message {
        /// The message, by its name in the protocol.
        message: &'static str,
        /// What is wrong with them.
        source: MessageError,
    },
    /// A field that a message must have is missing.
    Missing {
        /// The message, by its name in the protocol.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A message has a field that this version doesn't know. To ignore it would be to answer
    /// another question.
    UnknownField {
        /// The message, by its name in the protocol.
        message: &'static str,
        /// The number of the field.
        number: u32,
    },
    /// A field says something that this version doesn't know.
    Unknown {
        /// The field.
        field: &'static str,
        /// What it says.
        number: i32,
    },
    /// The value to compare with isn't one.
    Value {
        /// The column.
        column: String,
        /// What is wrong with it.
        source: plainbuffer::Error,
    },
    /// The value to compare with is of a type that no column has.
    ValueType {
        /// The column.
        column: String,
        /// The type, as the service spells it.
        found: &'static str,
    },
    /// NOT takes one filter, AND and OR at least two.
    SubFilters {
        /// The operator.
        operator: &'static str,
        /// How many filters it has.
        found: usize,
    },
    /// A column pagination inside a combination, or as the condition of a write.
    MisplacedPagination,
    /// A number of a column pagination that the service can't take.
    Pagination {
        /// The field.
        field: &'static str,
        /// Its value.
        value: i64,
    },
    /// A condition without the name of a column.
    EmptyColumn,
    /// A regular expression longer than the service takes.
    RegexLength {
        /// The column.
        column: String,
        /// Its length.
        length_bytes: usize,
        /// What the service takes.
        max_bytes: usize,
    },
    /// What a text is converted to differs from what it is compared with, so that no row could pass.
    CastType {
        /// The column.
        column: String,
        /// What its text is converted to.
        cast: CastType,
        /// The type it is compared with, as the service spells it.
        compared: &'static str,
    },
    /// A range of columns whose end isn't after its start.
    ColumnRange {
        /// Where it starts.
        start: String,
        /// Where it ends.
        end: String,
    },
    /// More conditions than the service takes.
    TooMany {
        /// How many there are, combinations counted as well.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Filters are nested too deeply.
    TooDeep {
        /// How deep they may be.
        max_depth: usize,
    },
}

impl FilterError {
    #[cold]
    pub(super) fn new(kind: FilterErrorKind) -> Self {
        let path = String::new();
        Self(Box::new(Inner { path, kind }))
    }

    /// The same error, one level further out.
    pub(super) fn within(mut self, step: impl fmt::Display) -> Self {
        self.0.path = format!("{step}{}", self.0.path);
        self
    }

    /// Where in the filter, as in `filter.and[2].not`: the operators, and the places of filters among
    /// those that each joins, counted from 0. In the condition of a write it begins with
    /// `column_condition`. Of what isn't a filter (a range of columns, whether a row is there) it is
    /// empty.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// What is wrong there.
    #[must_use]
    pub fn kind(&self) -> &FilterErrorKind {
        &self.0.kind
    }
}

impl From<FilterErrorKind> for FilterError {
    fn from(kind: FilterErrorKind) -> Self {
        Self::new(kind)
    }
}

impl std::error::Error for FilterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.kind() {
            FilterErrorKind::Message { source, .. } => Some(source),
            FilterErrorKind::Value { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path().is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        self.kind().fmt(f)
    }
}

impl fmt::Display for FilterErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { message, .. } => write!(f, "a {message} can't be decoded"),
            Self::Missing { message, field } => write!(f, "a {message} has no {field}"),
            Self::UnknownField { message, number } => {
                write!(f, "a {message} has a field {number}, which is unknown")
            }
            Self::Unknown { field, number } => {
                write!(f, "{field} is {number}, which is unknown")
            }
            Self::Value { column, .. } => {
                write!(
                    f,
                    "the value to compare column {column:?} with can't be decoded"
                )
            }
            Self::ValueType { column, found } => {
                write!(
                    f,
                    "column {column:?} can't be compared with a value of type {found}"
                )
            }
            Self::SubFilters { operator, found } => {
                let expected = if *operator == "NOT" {
                    "one filter"
                } else {
                    "two filters or more"
                };
                write!(f, "{operator} takes {expected}, found {found}")
            }
            Self::MisplacedPagination => {
                f.write_str("a column pagination filter can only be the whole filter of a read")
            }
            Self::Pagination { field, value } => {
                let least = if *field == "limit" { 1 } else { 0 };
                write!(
                    f,
                    "{field} of a column pagination filter is from {least} to {}, found {value}",
                    i32::MAX
                )
            }
            Self::EmptyColumn => f.write_str("column_name is empty"),
            Self::RegexLength {
                column,
                length_bytes,
                max_bytes,
            } => write!(
                f,
                "regex for column {column:?} has {length_bytes} bytes, the service takes {max_bytes}"
            ),
            Self::CastType {
                column,
                cast,
                compared,
            } => write!(
                f,
                "cast_type for column {column:?} is {}, but it is compared with a value of type \
                 {compared}: no row could pass",
                cast.type_name()
            ),
            Self::ColumnRange { start, end } => write!(
                f,
                "end_column {end:?} is not after start_column {start:?}: no column lies between them"
            ),
            Self::TooMany { found, most } => {
                write!(f, "{found} conditions, the service takes at most {most}")
            }
            Self::TooDeep { max_depth } => {
                write!(f, "filters are nested more than {max_depth} levels deep")
            }
        }
    }
}
