//! Searching an index: queries as values, to and from their messages.

#[cfg(feature = "json")]
mod json;
mod query;

#[cfg(feature = "json")]
pub use json::JsonError;
pub use query::{BoolQuery, Query, QueryError, RangeQuery};
