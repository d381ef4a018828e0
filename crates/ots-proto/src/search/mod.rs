//! Search indexes as values, to and from their messages: what they are made of, what to look for,
//! and what was found.

mod aggregation;
mod date_time;
mod error;
mod geo;
mod group_by;
mod highlight;
mod inner_hits;
#[cfg(feature = "json")]
mod json;
mod named;
mod query;
mod result;
mod scan_query;
mod schema;
mod search_query;
mod sort;
mod wire;

pub use crate::messages::{
    DateTimeUnit, FieldType, GeoDistanceType, GeoHashPrecision, HighlightEncoder,
    HighlightFragmentOrder, IndexOptions, IndexStatusEnum, JsonType, SortMode, SortOrder,
    SyncPhase, TextSimilarity, VectorDataType, VectorMetricType,
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
pub use query::{BoolQuery, Query, QueryError, RangeQuery};
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
