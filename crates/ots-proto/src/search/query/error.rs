//! Why a message isn't a query.

use std::error::Error;
use std::fmt;

use super::place::{MAX_DEPTH, Place};
use crate::operation::MessageError;
use crate::plainbuffer;
use crate::search::error::SearchError;
use crate::search::geo::GeoPointError;

/// Why a message isn't a query: where in it, and what stands there.
///
/// ```
/// use ots_proto::messages;
/// use ots_proto::search::{Query, QueryErrorKind};
///
/// let error = Query::from_message(&messages::Query::default()).unwrap_err();
/// assert_eq!(error.path(), "query.type");
/// assert!(matches!(error.kind(), QueryErrorKind::Missing));
/// assert_eq!(error.to_string(), "query.type is missing");
/// ```
#[derive(Debug)]
pub struct QueryError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    path: String,
    kind: QueryErrorKind,
}

/// What is wrong with a message that should be a query.
#[derive(Debug)]
#[non_exhaustive]
pub enum QueryErrorKind {
    /// The bytes aren't the message they should be.
    Message(MessageError),
    /// The bytes aren't a value.
    Value(plainbuffer::Error),
    /// A value of a type that can't be searched for.
    ValueType {
        /// The type, as the service spells it.
        found: &'static str,
    },
    /// Text that isn't a point.
    Point(GeoPointError),
    /// A part that isn't a query: inner hits, or a length of time.
    Part(SearchError),
    /// Something that the query needs is missing.
    Missing,
    /// A number that must not be negative is.
    Negative {
        /// The number.
        found: i32,
    },
    /// Something that excludes another thing beside it.
    Conflict {
        /// The other.
        with: &'static str,
    },
    /// A kind of query that this version doesn't know.
    UnknownType {
        /// Its number.
        number: i32,
    },
    /// One of several words, but none that this version knows.
    UnknownWord {
        /// Its number.
        number: i32,
    },
    /// A field that this version doesn't know: an option that must not be lost on the way.
    UnknownField {
        /// Its number.
        number: u32,
    },
    /// A query inside too many others.
    TooDeep {
        /// How many it may lie inside of.
        max_depth: usize,
    },
}

impl QueryError {
    pub(crate) fn new(place: &Place<'_>, kind: QueryErrorKind) -> Self {
        let path = place.to_string();
        Self(Box::new(Inner { path, kind }))
    }

    pub(crate) fn missing(place: &Place<'_>) -> Self {
        Self::new(place, QueryErrorKind::Missing)
    }

    pub(crate) fn too_deep(place: &Place<'_>) -> Self {
        let max_depth = MAX_DEPTH;
        Self::new(place, QueryErrorKind::TooDeep { max_depth })
    }

    /// Where in the query, as in `query.bool.must[2].term.field_name`: the kinds of the queries, and
    /// the names of the fields of their messages.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// What is wrong there.
    #[must_use]
    pub fn kind(&self) -> &QueryErrorKind {
        &self.0.kind
    }
}

impl Error for QueryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.kind() {
            QueryErrorKind::Message(source) => Some(source),
            QueryErrorKind::Value(source) => Some(source),
            QueryErrorKind::Point(source) => Some(source),
            QueryErrorKind::Part(source) => Some(source),
            _ => None,
        }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())?;
        match self.kind() {
            QueryErrorKind::Message(_) => f.write_str(" can't be decoded"),
            QueryErrorKind::Value(_) => f.write_str(" can't be decoded as a value"),
            QueryErrorKind::ValueType { found } => {
                write!(f, " is of type {found}, which can't be searched for")
            }
            QueryErrorKind::Point(_) => f.write_str(" is not a point"),
            QueryErrorKind::Part(_) => f.write_str(" can't be read"),
            QueryErrorKind::Missing => f.write_str(" is missing"),
            QueryErrorKind::Negative { found } => {
                write!(f, " is {found}, but must not be negative")
            }
            QueryErrorKind::Conflict { with } => write!(f, " conflicts with {with}"),
            QueryErrorKind::UnknownType { number } => {
                write!(
                    f,
                    " is {number}, a kind of query that this version doesn't know"
                )
            }
            QueryErrorKind::UnknownWord { number } => {
                write!(f, " is {number}, an option that this version doesn't know")
            }
            QueryErrorKind::UnknownField { number } => {
                write!(f, " has a field {number} that this version doesn't know")
            }
            QueryErrorKind::TooDeep { max_depth } => {
                write!(f, " lies inside more than {max_depth} other queries")
            }
        }
    }
}
