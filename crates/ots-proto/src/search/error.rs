//! What can be wrong with a part of a search, and where.

use std::fmt;

use super::geo::GeoPointError;
use super::query::QueryError;
use crate::operation::MessageError;
use crate::plainbuffer;

/// Why a message isn't what it should be, or a value can't be said in a message: what is wrong, and
/// in which part of it.
#[derive(Debug)]
pub struct SearchError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: SearchErrorKind,
    /// Innermost part first.
    parts: Vec<String>,
}

/// What is wrong with a part of a search.
#[derive(Debug)]
#[non_exhaustive]
pub enum SearchErrorKind {
    /// The bytes aren't the message they should be.
    Message(MessageError),
    /// The bytes aren't the value or the row they should be.
    Value(plainbuffer::Error),
    /// A query can't be read.
    Query(QueryError),
    /// Text that isn't a point, or degrees that are none.
    Point(GeoPointError),
    /// A value is of a type that can't stand there.
    ValueType {
        /// The name of the field of the message.
        field: &'static str,
        /// The type, as the service spells it.
        found: &'static str,
    },
    /// Something that is needed isn't there.
    Missing {
        /// The name of the field of the message.
        field: &'static str,
    },
    /// A number that makes no sense there.
    OutOfRange {
        /// The name of the field of the message.
        field: &'static str,
        /// The number.
        found: i64,
    },
    /// A number that stands for something this version doesn't know.
    UnknownNumber {
        /// The name of the field of the message.
        field: &'static str,
        /// The number.
        number: i32,
    },
    /// A field that this version doesn't know, in what a caller asks: an option that must not be lost.
    UnknownField {
        /// The number of the field.
        number: u32,
    },
    /// Where exactly one of several must be, there is none, or there are more.
    NotOne {
        /// What was wanted.
        of: &'static str,
        /// How many there are.
        found: usize,
    },
    /// Something is nested too deeply.
    TooDeep {
        /// How deep it may be.
        max_depth: usize,
    },
    /// Something that must have a name has none.
    EmptyName,
    /// Another part of the same level has the name already.
    DuplicateName,
    /// More of something than the service takes, by its documentation.
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A combination that the service doesn't know.
    Invalid {
        /// The rule that is broken.
        rule: &'static str,
    },
}

impl SearchError {
    pub(super) fn new(kind: SearchErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            parts: Vec::new(),
        }))
    }

    pub(super) fn missing(field: &'static str) -> Self {
        Self::new(SearchErrorKind::Missing { field })
    }

    pub(super) fn invalid(rule: &'static str) -> Self {
        Self::new(SearchErrorKind::Invalid { rule })
    }

    /// The same error, one level further out.
    pub(super) fn within(mut self, part: impl Into<String>) -> Self {
        self.0.parts.push(part.into());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &SearchErrorKind {
        &self.0.kind
    }

    /// The parts it lies in, outermost first, as in `group-by "by city"`, `aggregation "total"`.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.parts.iter().rev().map(String::as_str)
    }
}

impl std::error::Error for SearchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            SearchErrorKind::Message(source) => Some(source),
            SearchErrorKind::Value(source) => Some(source),
            SearchErrorKind::Query(source) => Some(source),
            SearchErrorKind::Point(source) => Some(source),
            _ => None,
        }
    }
}

impl From<QueryError> for SearchError {
    fn from(source: QueryError) -> Self {
        Self::new(SearchErrorKind::Query(source))
    }
}

impl From<GeoPointError> for SearchError {
    fn from(source: GeoPointError) -> Self {
        Self::new(SearchErrorKind::Point(source))
    }
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts().enumerate() {
            let separator = if index == 0 { "" } else { " > " };
            write!(f, "{separator}{part}")?;
        }
        if !self.0.parts.is_empty() {
            f.write_str(": ")?;
        }
        write!(f, "{}", self.0.kind)
    }
}

impl fmt::Display for SearchErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(_) => f.write_str("the message can't be decoded"),
            Self::Value(_) => f.write_str("a value can't be decoded"),
            Self::Query(_) => f.write_str("a query can't be read"),
            Self::Point(_) => f.write_str("a point can't be read"),
            Self::ValueType { field, found } => write!(f, "{field} can't be of type {found}"),
            Self::Missing { field } => write!(f, "{field} is missing"),
            Self::OutOfRange { field, found } => write!(f, "{field} can't be {found}"),
            Self::UnknownNumber { field, number } => {
                write!(f, "{field} is {number}, which this version doesn't know")
            }
            Self::UnknownField { number } => {
                write!(
                    f,
                    "there is a field {number}, which this version doesn't know"
                )
            }
            Self::NotOne { of, found } => write!(f, "expected exactly one {of}, found {found}"),
            Self::TooDeep { max_depth } => write!(f, "nested more than {max_depth} levels deep"),
            Self::EmptyName => f.write_str("the name is empty"),
            Self::DuplicateName => f.write_str("the name is given twice"),
            Self::Limit { what, found, most } => {
                write!(f, "{found} {what}, the service takes at most {most}")
            }
            Self::Invalid { rule } => f.write_str(rule),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_parts_from_the_outermost_in() {
        let error = SearchError::missing("field_name")
            .within("aggregation \"total\"")
            .within("group-by \"by city\"");
        assert_eq!(
            error.to_string(),
            "group-by \"by city\" > aggregation \"total\": field_name is missing"
        );
        assert_eq!(SearchError::invalid("a rule").to_string(), "a rule");
    }
}
