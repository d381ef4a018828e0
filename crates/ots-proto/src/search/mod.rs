//! Searching an index: queries as values, to and from their messages.

mod geo;
#[cfg(feature = "json")]
mod json;
mod query;

pub use geo::{GeoPoint, GeoPointError};
#[cfg(feature = "json")]
pub use json::JsonError;
pub use query::{BoolQuery, Query, QueryError, RangeQuery};
