//! Searching an index: queries, sorting and highlighting as values, to and from their messages.

mod date_time;
mod error;
mod geo;
mod highlight;
mod inner_hits;
#[cfg(feature = "json")]
mod json;
mod query;
mod sort;
mod wire;

pub use crate::messages::{
    DateTimeUnit, GeoDistanceType, HighlightEncoder, HighlightFragmentOrder, SortMode, SortOrder,
};
pub use date_time::DateTimeValue;
pub use error::{SearchError, SearchErrorKind};
pub use geo::{GeoPoint, GeoPointError};
pub use highlight::{Highlight, HighlightParameter};
pub use inner_hits::InnerHits;
#[cfg(feature = "json")]
pub use json::JsonError;
pub use query::{BoolQuery, Query, QueryError, RangeQuery};
pub use sort::{FieldSort, GeoDistanceSort, MissingValue, NestedFilter, Sort, Sorter};
