//! Search indexes as values, to and from their messages: what they are made of, what to look for,
//! and what was found.
//!
//! - [`IndexSchema`] and [`FieldSchema`]: what an index is made of; [`SearchIndexDescription`]: what
//!   the service says about one;
//! - [`Query`]: what to find; [`SearchQuery`]: that, and what to return of it: [`Sort`],
//!   [`Highlight`], [`InnerHits`], [`Aggregation`], [`GroupBy`]; [`ScanQuery`]: a share of all rows;
//! - [`SearchResponse`]: what was found, with [`AggregationResults`] and [`GroupByResults`].
//!
//! What the caller asks is strict: an option that this version doesn't know is refused, because a
//! search half understood finds other rows. What the service says is lenient: kinds of results and
//! numbers of enums that are newer than this version are kept as they came, and don't spoil the rest.
//!
//! Counts are `u32` and `u64` where the messages have a sign. One beyond the messages' room is sent as
//! the largest they have, which the service refuses just the same.
//!
//! ```
//! use ots_proto::search::{Aggregation, GroupBy, Query, SearchQuery, SearchResponse};
//!
//! let search = SearchQuery::new(Query::range("price").gte(10))
//!     .limit(0)
//!     .group_by("by city", GroupBy::field("city").aggregation("mean", Aggregation::avg("price")));
//! let request = search.to_bytes()?;
//! # assert!(!request.is_empty());
//!
//! # use ots_proto::search::{AggregationResult, Group, GroupByResult};
//! # let mut city = Group::new("Hangzhou".to_owned(), 2);
//! # city.aggregations.push("mean", AggregationResult::Avg(Some(12.5)));
//! # let mut sent = SearchResponse::default();
//! # sent.group_bys.push("by city", GroupByResult::Field(vec![city]));
//! # let message = sent.to_message()?;
//! let response = SearchResponse::from_message(&message)?;
//! for city in response.group_bys.field("by city")? {
//!     let mean = city.aggregations.avg("mean")?;
//!     assert_eq!((city.key.as_str(), city.row_count, mean), ("Hangzhou", 2, Some(12.5)));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aggregation;
mod date_time;
mod error;
mod geo;
mod group_by;
mod highlight;
mod inner_hits;
#[cfg(feature = "json")]
mod json;
mod limits;
mod named;
mod query;
mod result;
mod scan_query;
mod schema;
mod search_query;
mod sort;
mod wire;

pub use crate::messages::{
    DateTimeUnit, DecayMathFunction, FieldType, FunctionCombineMode, FunctionModifier,
    FunctionScoreMode, GeoDistanceType, GeoHashPrecision, HighlightEncoder, HighlightFragmentOrder,
    IndexOptions, IndexStatusEnum, JsonType, MultiValueMode, QueryOperator, ScoreMode, SortMode,
    SortOrder, SyncPhase, TextSimilarity, VectorDataType, VectorMetricType,
};
pub use aggregation::{Aggregation, Aggregations, Metric, MetricFunction, Percentiles, TopRows};
pub use date_time::DateTimeValue;
pub use error::{SearchError, SearchErrorKind};
pub use geo::{GeoPoint, GeoPointError};
pub use group_by::{
    FieldRange, GroupBy, GroupByComposite, GroupByDateHistogram, GroupByField, GroupByFilter,
    GroupByGeoDistance, GroupByGeoGrid, GroupByHistogram, GroupByKind, GroupByRange, GroupBySorter,
    GroupBys, GroupRange,
};
pub use highlight::{Highlight, HighlightParameter};
pub use inner_hits::InnerHits;
#[cfg(feature = "json")]
pub use json::JsonError;
pub use named::Named;
pub use query::{
    BoolQuery, ConstScoreQuery, DateOrigin, DateParam, Decay, DecayParam, DisMaxQuery, ExistsQuery,
    FieldValueFactor, Function, FunctionScoreQuery, FunctionsScoreQuery, GeoBoundingBoxQuery,
    GeoDistanceQuery, GeoParam, GeoPolygonQuery, KnnVectorQuery, MatchPhraseQuery, MatchQuery,
    MinimumShouldMatch, NestedQuery, NumericParam, PrefixQuery, Query, QueryError, QueryErrorKind,
    RangeQuery, ScoreFunction, SuffixQuery, TermQuery, TermsQuery, WildcardQuery,
};
pub use result::{
    AggregationResult, AggregationResults, CompositePage, GeoCell, Group, GroupByResult,
    GroupByResults, HighlightedField, LookupError, NestedHits, Percentile, SearchHit,
    SearchResponse,
};
pub use scan_query::ScanQuery;
pub use schema::{
    Analyzer, FieldSchema, FuzzyAnalyzer, IndexSchema, IndexSetting, IndexStatus, MeteringInfo,
    Open, QueryFlowWeight, SearchIndexDescription, SingleWordAnalyzer, SplitAnalyzer, SyncStat,
    TimeToLive, VectorOptions,
};
pub use search_query::{SearchQuery, TotalCount};
pub use sort::{FieldSort, GeoDistanceSort, MissingValue, NestedFilter, Sort, Sorter};
