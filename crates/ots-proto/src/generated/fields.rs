// Written by `cargo xtask codegen` from proto/. Do not edit.

use super::messages;
use crate::fields::{Described, Field, Fields};
static SEARCH_REQUEST: Fields = &[
    Field::plain(1, "table_name"),
    Field::plain(2, "index_name"),
    Field::message(3, "columns_to_get", &COLUMNS_TO_GET),
    Field::plain(4, "search_query"),
    Field::plain(5, "routing_values"),
    Field::plain(6, "timeout_ms"),
];
impl Described for messages::SearchRequest {
    fn fields() -> Fields {
        SEARCH_REQUEST
    }
}
static COLUMNS_TO_GET: Fields = &[
    Field::plain(1, "return_type"),
    Field::plain(2, "column_names"),
];
impl Described for messages::ColumnsToGet {
    fn fields() -> Fields {
        COLUMNS_TO_GET
    }
}
static SEARCH_QUERY: Fields = &[
    Field::plain(1, "offset"),
    Field::plain(2, "limit"),
    Field::message(4, "query", &QUERY),
    Field::message(5, "collapse", &COLLAPSE),
    Field::message(6, "sort", &SORT),
    Field::plain(8, "get_total_count"),
    Field::plain(9, "token"),
    Field::message(10, "aggs", &AGGREGATIONS),
    Field::message(11, "group_bys", &GROUP_BYS),
    Field::message(12, "highlight", &HIGHLIGHT),
    Field::plain(13, "track_total_count"),
    Field::message(14, "filter", &SEARCH_FILTER),
];
impl Described for messages::SearchQuery {
    fn fields() -> Fields {
        SEARCH_QUERY
    }
}
static SEARCH_FILTER: Fields = &[Field::message(1, "query", &QUERY)];
impl Described for messages::SearchFilter {
    fn fields() -> Fields {
        SEARCH_FILTER
    }
}
static COLLAPSE: Fields = &[Field::plain(1, "field_name")];
impl Described for messages::Collapse {
    fn fields() -> Fields {
        COLLAPSE
    }
}
static SEARCH_RESPONSE: Fields = &[
    Field::plain(1, "total_hits"),
    Field::plain(2, "rows"),
    Field::plain(3, "is_all_succeeded"),
    Field::message(5, "search_hits", &SEARCH_HIT),
    Field::plain(6, "next_token"),
    Field::plain(7, "aggs"),
    Field::plain(8, "group_bys"),
    Field::plain(9, "consumed"),
    Field::plain(10, "reserved_consumed"),
];
impl Described for messages::SearchResponse {
    fn fields() -> Fields {
        SEARCH_RESPONSE
    }
}
static SEARCH_HIT: Fields = &[
    Field::plain(3, "score"),
    Field::message(4, "highlight_result", &HIGHLIGHT_RESULT),
    Field::message(5, "search_inner_hits", &SEARCH_INNER_HIT),
    Field::plain(6, "nested_doc_offset"),
];
impl Described for messages::SearchHit {
    fn fields() -> Fields {
        SEARCH_HIT
    }
}
static SEARCH_INNER_HIT: Fields = &[
    Field::plain(1, "path"),
    Field::message(2, "search_hits", &SEARCH_HIT),
];
impl Described for messages::SearchInnerHit {
    fn fields() -> Fields {
        SEARCH_INNER_HIT
    }
}
static HIGHLIGHT_RESULT: Fields = &[
    Field::message(1, "highlight_fields", &HIGHLIGHT_FIELD),
];
impl Described for messages::HighlightResult {
    fn fields() -> Fields {
        HIGHLIGHT_RESULT
    }
}
static HIGHLIGHT_FIELD: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "field_fragments"),
];
impl Described for messages::HighlightField {
    fn fields() -> Fields {
        HIGHLIGHT_FIELD
    }
}
static QUERY: Fields = &[Field::plain(1, "type"), Field::plain(2, "query")];
impl Described for messages::Query {
    fn fields() -> Fields {
        QUERY
    }
}
static MATCH_ALL_QUERY: Fields = &[];
impl Described for messages::MatchAllQuery {
    fn fields() -> Fields {
        MATCH_ALL_QUERY
    }
}
static MATCH_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "text"),
    Field::plain(3, "minimum_should_match"),
    Field::plain(4, "operator"),
    Field::plain(5, "weight"),
    Field::plain(6, "new_minimum_should_match"),
];
impl Described for messages::MatchQuery {
    fn fields() -> Fields {
        MATCH_QUERY
    }
}
static MATCH_PHRASE_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "text"),
    Field::plain(3, "weight"),
    Field::plain(4, "slop"),
];
impl Described for messages::MatchPhraseQuery {
    fn fields() -> Fields {
        MATCH_PHRASE_QUERY
    }
}
static TERM_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "term"),
    Field::plain(3, "weight"),
];
impl Described for messages::TermQuery {
    fn fields() -> Fields {
        TERM_QUERY
    }
}
static TERMS_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "terms"),
    Field::plain(3, "weight"),
];
impl Described for messages::TermsQuery {
    fn fields() -> Fields {
        TERMS_QUERY
    }
}
static RANGE_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "range_from"),
    Field::plain(3, "range_to"),
    Field::plain(4, "include_lower"),
    Field::plain(5, "include_upper"),
];
impl Described for messages::RangeQuery {
    fn fields() -> Fields {
        RANGE_QUERY
    }
}
static PREFIX_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "prefix"),
    Field::plain(3, "weight"),
];
impl Described for messages::PrefixQuery {
    fn fields() -> Fields {
        PREFIX_QUERY
    }
}
static SUFFIX_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "suffix"),
    Field::plain(3, "weight"),
];
impl Described for messages::SuffixQuery {
    fn fields() -> Fields {
        SUFFIX_QUERY
    }
}
static WILDCARD_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "value"),
    Field::plain(3, "weight"),
];
impl Described for messages::WildcardQuery {
    fn fields() -> Fields {
        WILDCARD_QUERY
    }
}
static EXISTS_QUERY: Fields = &[Field::plain(1, "field_name")];
impl Described for messages::ExistsQuery {
    fn fields() -> Fields {
        EXISTS_QUERY
    }
}
static BOOL_QUERY: Fields = &[
    Field::message(1, "must_queries", &QUERY),
    Field::message(2, "must_not_queries", &QUERY),
    Field::message(3, "filter_queries", &QUERY),
    Field::message(4, "should_queries", &QUERY),
    Field::plain(5, "minimum_should_match"),
    Field::plain(6, "new_minimum_should_match"),
    Field::plain(7, "weight"),
];
impl Described for messages::BoolQuery {
    fn fields() -> Fields {
        BOOL_QUERY
    }
}
static CONST_SCORE_QUERY: Fields = &[Field::message(1, "filter", &QUERY)];
impl Described for messages::ConstScoreQuery {
    fn fields() -> Fields {
        CONST_SCORE_QUERY
    }
}
static DIS_MAX_QUERY: Fields = &[
    Field::message(1, "queries", &QUERY),
    Field::plain(2, "tie_breaker"),
    Field::plain(3, "weight"),
];
impl Described for messages::DisMaxQuery {
    fn fields() -> Fields {
        DIS_MAX_QUERY
    }
}
static NESTED_QUERY: Fields = &[
    Field::plain(1, "path"),
    Field::message(2, "query", &QUERY),
    Field::plain(3, "score_mode"),
    Field::plain(4, "weight"),
    Field::message(5, "inner_hits", &INNER_HITS),
];
impl Described for messages::NestedQuery {
    fn fields() -> Fields {
        NESTED_QUERY
    }
}
static INNER_HITS: Fields = &[
    Field::message(1, "sort", &SORT),
    Field::plain(2, "offset"),
    Field::plain(3, "limit"),
    Field::message(4, "highlight", &HIGHLIGHT),
];
impl Described for messages::InnerHits {
    fn fields() -> Fields {
        INNER_HITS
    }
}
static GEO_BOUNDING_BOX_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "top_left"),
    Field::plain(3, "bottom_right"),
];
impl Described for messages::GeoBoundingBoxQuery {
    fn fields() -> Fields {
        GEO_BOUNDING_BOX_QUERY
    }
}
static GEO_DISTANCE_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "center_point"),
    Field::plain(3, "distance"),
];
impl Described for messages::GeoDistanceQuery {
    fn fields() -> Fields {
        GEO_DISTANCE_QUERY
    }
}
static GEO_POLYGON_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "points"),
];
impl Described for messages::GeoPolygonQuery {
    fn fields() -> Fields {
        GEO_POLYGON_QUERY
    }
}
static KNN_VECTOR_QUERY: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "top_k"),
    Field::plain(4, "float32_query_vector"),
    Field::message(5, "filter", &QUERY),
    Field::plain(6, "weight"),
    Field::plain(7, "min_score"),
    Field::plain(8, "num_candidates"),
];
impl Described for messages::KnnVectorQuery {
    fn fields() -> Fields {
        KNN_VECTOR_QUERY
    }
}
static FUNCTION_SCORE_QUERY: Fields = &[
    Field::message(1, "query", &QUERY),
    Field::message(2, "field_value_factor", &FIELD_VALUE_FACTOR),
];
impl Described for messages::FunctionScoreQuery {
    fn fields() -> Fields {
        FUNCTION_SCORE_QUERY
    }
}
static FIELD_VALUE_FACTOR: Fields = &[Field::plain(1, "field_name")];
impl Described for messages::FieldValueFactor {
    fn fields() -> Fields {
        FIELD_VALUE_FACTOR
    }
}
static FUNCTIONS_SCORE_QUERY: Fields = &[
    Field::message(1, "query", &QUERY),
    Field::message(2, "functions", &FUNCTION),
    Field::plain(3, "score_mode"),
    Field::plain(4, "combine_mode"),
    Field::plain(5, "min_score"),
    Field::plain(6, "max_score"),
];
impl Described for messages::FunctionsScoreQuery {
    fn fields() -> Fields {
        FUNCTIONS_SCORE_QUERY
    }
}
static FUNCTION: Fields = &[
    Field::message(1, "field_value_factor", &FIELD_VALUE_FACTOR_FUNCTION),
    Field::message(2, "random", &RANDOM_SCORE_FUNCTION),
    Field::message(3, "decay", &DECAY_FUNCTION),
    Field::plain(4, "weight"),
    Field::message(5, "filter", &QUERY),
];
impl Described for messages::Function {
    fn fields() -> Fields {
        FUNCTION
    }
}
static FIELD_VALUE_FACTOR_FUNCTION: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "factor"),
    Field::plain(3, "modifier"),
    Field::plain(4, "missing"),
];
impl Described for messages::FieldValueFactorFunction {
    fn fields() -> Fields {
        FIELD_VALUE_FACTOR_FUNCTION
    }
}
static RANDOM_SCORE_FUNCTION: Fields = &[];
impl Described for messages::RandomScoreFunction {
    fn fields() -> Fields {
        RANDOM_SCORE_FUNCTION
    }
}
static DECAY_FUNCTION: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "math_function"),
    Field::plain(3, "param_type"),
    Field::plain(4, "param"),
    Field::plain(5, "decay"),
    Field::plain(6, "multi_value_mode"),
];
impl Described for messages::DecayFunction {
    fn fields() -> Fields {
        DECAY_FUNCTION
    }
}
static DECAY_FUNC_DATE_PARAM: Fields = &[
    Field::plain(1, "origin_long"),
    Field::plain(2, "origin_string"),
    Field::message(3, "scale", &DATE_TIME_VALUE),
    Field::message(4, "offset", &DATE_TIME_VALUE),
];
impl Described for messages::DecayFuncDateParam {
    fn fields() -> Fields {
        DECAY_FUNC_DATE_PARAM
    }
}
static DECAY_FUNC_NUMERIC_PARAM: Fields = &[
    Field::plain(1, "origin"),
    Field::plain(2, "scale"),
    Field::plain(3, "offset"),
];
impl Described for messages::DecayFuncNumericParam {
    fn fields() -> Fields {
        DECAY_FUNC_NUMERIC_PARAM
    }
}
static DECAY_FUNC_GEO_PARAM: Fields = &[
    Field::plain(1, "origin"),
    Field::plain(2, "scale"),
    Field::plain(3, "offset"),
];
impl Described for messages::DecayFuncGeoParam {
    fn fields() -> Fields {
        DECAY_FUNC_GEO_PARAM
    }
}
static DATE_TIME_VALUE: Fields = &[Field::plain(1, "value"), Field::plain(2, "unit")];
impl Described for messages::DateTimeValue {
    fn fields() -> Fields {
        DATE_TIME_VALUE
    }
}
static SORT: Fields = &[
    Field::message(1, "sorter", &SORTER),
    Field::plain(2, "disable_default_pk_sorter"),
];
impl Described for messages::Sort {
    fn fields() -> Fields {
        SORT
    }
}
static SORTER: Fields = &[
    Field::message(1, "field_sort", &FIELD_SORT),
    Field::message(2, "geo_distance_sort", &GEO_DISTANCE_SORT),
    Field::message(3, "score_sort", &SCORE_SORT),
    Field::message(4, "pk_sort", &PRIMARY_KEY_SORT),
    Field::message(5, "doc_sort", &DOC_SORT),
];
impl Described for messages::Sorter {
    fn fields() -> Fields {
        SORTER
    }
}
static FIELD_SORT: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "order"),
    Field::plain(3, "mode"),
    Field::message(4, "nested_filter", &NESTED_FILTER),
    Field::plain(5, "missing_value"),
    Field::plain(6, "missing_field"),
];
impl Described for messages::FieldSort {
    fn fields() -> Fields {
        FIELD_SORT
    }
}
static GEO_DISTANCE_SORT: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "points"),
    Field::plain(3, "order"),
    Field::plain(4, "mode"),
    Field::plain(5, "distance_type"),
    Field::message(6, "nested_filter", &NESTED_FILTER),
];
impl Described for messages::GeoDistanceSort {
    fn fields() -> Fields {
        GEO_DISTANCE_SORT
    }
}
static SCORE_SORT: Fields = &[Field::plain(1, "order")];
impl Described for messages::ScoreSort {
    fn fields() -> Fields {
        SCORE_SORT
    }
}
static PRIMARY_KEY_SORT: Fields = &[Field::plain(1, "order")];
impl Described for messages::PrimaryKeySort {
    fn fields() -> Fields {
        PRIMARY_KEY_SORT
    }
}
static DOC_SORT: Fields = &[Field::plain(1, "order")];
impl Described for messages::DocSort {
    fn fields() -> Fields {
        DOC_SORT
    }
}
static NESTED_FILTER: Fields = &[
    Field::plain(1, "path"),
    Field::message(2, "filter", &QUERY),
];
impl Described for messages::NestedFilter {
    fn fields() -> Fields {
        NESTED_FILTER
    }
}
static HIGHLIGHT: Fields = &[
    Field::message(1, "highlight_parameters", &HIGHLIGHT_PARAMETER),
    Field::plain(2, "highlight_encoder"),
];
impl Described for messages::Highlight {
    fn fields() -> Fields {
        HIGHLIGHT
    }
}
static HIGHLIGHT_PARAMETER: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "number_of_fragments"),
    Field::plain(3, "fragment_size"),
    Field::plain(4, "pre_tag"),
    Field::plain(5, "post_tag"),
    Field::plain(6, "fragments_order"),
];
impl Described for messages::HighlightParameter {
    fn fields() -> Fields {
        HIGHLIGHT_PARAMETER
    }
}
static AGGREGATIONS: Fields = &[Field::message(1, "aggs", &AGGREGATION)];
impl Described for messages::Aggregations {
    fn fields() -> Fields {
        AGGREGATIONS
    }
}
static AGGREGATION: Fields = &[
    Field::plain(1, "name"),
    Field::plain(2, "type"),
    Field::plain(3, "body"),
];
impl Described for messages::Aggregation {
    fn fields() -> Fields {
        AGGREGATION
    }
}
static AVG_AGGREGATION: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "missing"),
];
impl Described for messages::AvgAggregation {
    fn fields() -> Fields {
        AVG_AGGREGATION
    }
}
static MAX_AGGREGATION: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "missing"),
];
impl Described for messages::MaxAggregation {
    fn fields() -> Fields {
        MAX_AGGREGATION
    }
}
static MIN_AGGREGATION: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "missing"),
];
impl Described for messages::MinAggregation {
    fn fields() -> Fields {
        MIN_AGGREGATION
    }
}
static SUM_AGGREGATION: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "missing"),
];
impl Described for messages::SumAggregation {
    fn fields() -> Fields {
        SUM_AGGREGATION
    }
}
static COUNT_AGGREGATION: Fields = &[Field::plain(1, "field_name")];
impl Described for messages::CountAggregation {
    fn fields() -> Fields {
        COUNT_AGGREGATION
    }
}
static DISTINCT_COUNT_AGGREGATION: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "missing"),
];
impl Described for messages::DistinctCountAggregation {
    fn fields() -> Fields {
        DISTINCT_COUNT_AGGREGATION
    }
}
static TOP_ROWS_AGGREGATION: Fields = &[
    Field::plain(1, "limit"),
    Field::message(2, "sort", &SORT),
];
impl Described for messages::TopRowsAggregation {
    fn fields() -> Fields {
        TOP_ROWS_AGGREGATION
    }
}
static PERCENTILES_AGGREGATION: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "percentiles"),
    Field::plain(3, "missing"),
];
impl Described for messages::PercentilesAggregation {
    fn fields() -> Fields {
        PERCENTILES_AGGREGATION
    }
}
static AGGREGATIONS_RESULT: Fields = &[
    Field::message(1, "agg_results", &AGGREGATION_RESULT),
];
impl Described for messages::AggregationsResult {
    fn fields() -> Fields {
        AGGREGATIONS_RESULT
    }
}
static AGGREGATION_RESULT: Fields = &[
    Field::plain(1, "name"),
    Field::plain(2, "type"),
    Field::plain(3, "agg_result"),
];
impl Described for messages::AggregationResult {
    fn fields() -> Fields {
        AGGREGATION_RESULT
    }
}
static AVG_AGGREGATION_RESULT: Fields = &[Field::plain(1, "value")];
impl Described for messages::AvgAggregationResult {
    fn fields() -> Fields {
        AVG_AGGREGATION_RESULT
    }
}
static MAX_AGGREGATION_RESULT: Fields = &[Field::plain(1, "value")];
impl Described for messages::MaxAggregationResult {
    fn fields() -> Fields {
        MAX_AGGREGATION_RESULT
    }
}
static MIN_AGGREGATION_RESULT: Fields = &[Field::plain(1, "value")];
impl Described for messages::MinAggregationResult {
    fn fields() -> Fields {
        MIN_AGGREGATION_RESULT
    }
}
static SUM_AGGREGATION_RESULT: Fields = &[Field::plain(1, "value")];
impl Described for messages::SumAggregationResult {
    fn fields() -> Fields {
        SUM_AGGREGATION_RESULT
    }
}
static COUNT_AGGREGATION_RESULT: Fields = &[Field::plain(1, "value")];
impl Described for messages::CountAggregationResult {
    fn fields() -> Fields {
        COUNT_AGGREGATION_RESULT
    }
}
static DISTINCT_COUNT_AGGREGATION_RESULT: Fields = &[Field::plain(1, "value")];
impl Described for messages::DistinctCountAggregationResult {
    fn fields() -> Fields {
        DISTINCT_COUNT_AGGREGATION_RESULT
    }
}
static TOP_ROWS_AGGREGATION_RESULT: Fields = &[Field::plain(1, "rows")];
impl Described for messages::TopRowsAggregationResult {
    fn fields() -> Fields {
        TOP_ROWS_AGGREGATION_RESULT
    }
}
static PERCENTILES_AGGREGATION_RESULT: Fields = &[
    Field::message(1, "percentiles_aggregation_items", &PERCENTILES_AGGREGATION_ITEM),
];
impl Described for messages::PercentilesAggregationResult {
    fn fields() -> Fields {
        PERCENTILES_AGGREGATION_RESULT
    }
}
static PERCENTILES_AGGREGATION_ITEM: Fields = &[
    Field::plain(1, "key"),
    Field::plain(2, "value"),
];
impl Described for messages::PercentilesAggregationItem {
    fn fields() -> Fields {
        PERCENTILES_AGGREGATION_ITEM
    }
}
static GROUP_BYS: Fields = &[Field::message(1, "group_bys", &GROUP_BY)];
impl Described for messages::GroupBys {
    fn fields() -> Fields {
        GROUP_BYS
    }
}
static GROUP_BY: Fields = &[
    Field::plain(1, "name"),
    Field::plain(2, "type"),
    Field::plain(3, "body"),
];
impl Described for messages::GroupBy {
    fn fields() -> Fields {
        GROUP_BY
    }
}
static GROUP_BY_FIELD: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "size"),
    Field::message(3, "sort", &GROUP_BY_SORT),
    Field::message(4, "sub_aggs", &AGGREGATIONS),
    Field::message(5, "sub_group_bys", &GROUP_BYS),
    Field::plain(6, "min_doc_count"),
];
impl Described for messages::GroupByField {
    fn fields() -> Fields {
        GROUP_BY_FIELD
    }
}
static GROUP_BY_RANGE: Fields = &[
    Field::plain(1, "field_name"),
    Field::message(2, "ranges", &RANGE),
    Field::message(3, "sub_aggs", &AGGREGATIONS),
    Field::message(4, "sub_group_bys", &GROUP_BYS),
];
impl Described for messages::GroupByRange {
    fn fields() -> Fields {
        GROUP_BY_RANGE
    }
}
static RANGE: Fields = &[Field::plain(1, "from"), Field::plain(2, "to")];
impl Described for messages::Range {
    fn fields() -> Fields {
        RANGE
    }
}
static GROUP_BY_FILTER: Fields = &[
    Field::message(1, "filters", &QUERY),
    Field::message(2, "sub_aggs", &AGGREGATIONS),
    Field::message(3, "sub_group_bys", &GROUP_BYS),
];
impl Described for messages::GroupByFilter {
    fn fields() -> Fields {
        GROUP_BY_FILTER
    }
}
static GROUP_BY_GEO_DISTANCE: Fields = &[
    Field::plain(1, "field_name"),
    Field::message(2, "origin", &GEO_POINT),
    Field::message(3, "ranges", &RANGE),
    Field::message(4, "sub_aggs", &AGGREGATIONS),
    Field::message(5, "sub_group_bys", &GROUP_BYS),
];
impl Described for messages::GroupByGeoDistance {
    fn fields() -> Fields {
        GROUP_BY_GEO_DISTANCE
    }
}
static GEO_POINT: Fields = &[Field::plain(1, "lat"), Field::plain(2, "lon")];
impl Described for messages::GeoPoint {
    fn fields() -> Fields {
        GEO_POINT
    }
}
static GROUP_BY_GEO_GRID: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "precision"),
    Field::plain(3, "size"),
    Field::message(4, "sub_aggs", &AGGREGATIONS),
    Field::message(5, "sub_group_bys", &GROUP_BYS),
];
impl Described for messages::GroupByGeoGrid {
    fn fields() -> Fields {
        GROUP_BY_GEO_GRID
    }
}
static GEO_GRID: Fields = &[
    Field::message(1, "top_left", &GEO_POINT),
    Field::message(2, "bottom_right", &GEO_POINT),
];
impl Described for messages::GeoGrid {
    fn fields() -> Fields {
        GEO_GRID
    }
}
static GROUP_BY_HISTOGRAM: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "interval"),
    Field::plain(3, "missing"),
    Field::plain(4, "min_doc_count"),
    Field::message(5, "sort", &GROUP_BY_SORT),
    Field::message(6, "field_range", &FIELD_RANGE),
    Field::message(7, "sub_aggs", &AGGREGATIONS),
    Field::message(8, "sub_group_bys", &GROUP_BYS),
    Field::plain(9, "offset"),
];
impl Described for messages::GroupByHistogram {
    fn fields() -> Fields {
        GROUP_BY_HISTOGRAM
    }
}
static GROUP_BY_DATE_HISTOGRAM: Fields = &[
    Field::plain(1, "field_name"),
    Field::message(2, "interval", &DATE_TIME_VALUE),
    Field::message(3, "field_range", &FIELD_RANGE),
    Field::plain(4, "missing"),
    Field::plain(5, "min_doc_count"),
    Field::plain(6, "time_zone"),
    Field::message(7, "sort", &GROUP_BY_SORT),
    Field::message(8, "sub_aggs", &AGGREGATIONS),
    Field::message(9, "sub_group_bys", &GROUP_BYS),
    Field::message(10, "offset", &DATE_TIME_VALUE),
];
impl Described for messages::GroupByDateHistogram {
    fn fields() -> Fields {
        GROUP_BY_DATE_HISTOGRAM
    }
}
static FIELD_RANGE: Fields = &[Field::plain(1, "min"), Field::plain(2, "max")];
impl Described for messages::FieldRange {
    fn fields() -> Fields {
        FIELD_RANGE
    }
}
static GROUP_BY_COMPOSITE: Fields = &[
    Field::message(1, "sources", &GROUP_BYS),
    Field::plain(2, "size"),
    Field::message(4, "sub_aggs", &AGGREGATIONS),
    Field::message(5, "sub_group_bys", &GROUP_BYS),
    Field::plain(6, "next_token"),
    Field::plain(7, "suggested_size"),
];
impl Described for messages::GroupByComposite {
    fn fields() -> Fields {
        GROUP_BY_COMPOSITE
    }
}
static GROUP_BY_SORT: Fields = &[Field::message(1, "sorters", &GROUP_BY_SORTER)];
impl Described for messages::GroupBySort {
    fn fields() -> Fields {
        GROUP_BY_SORT
    }
}
static GROUP_BY_SORTER: Fields = &[
    Field::message(1, "group_key_sort", &GROUP_KEY_SORT),
    Field::message(2, "row_count_sort", &ROW_COUNT_SORT),
    Field::message(3, "sub_agg_sort", &SUB_AGG_SORT),
];
impl Described for messages::GroupBySorter {
    fn fields() -> Fields {
        GROUP_BY_SORTER
    }
}
static GROUP_KEY_SORT: Fields = &[Field::plain(1, "order")];
impl Described for messages::GroupKeySort {
    fn fields() -> Fields {
        GROUP_KEY_SORT
    }
}
static ROW_COUNT_SORT: Fields = &[Field::plain(1, "order")];
impl Described for messages::RowCountSort {
    fn fields() -> Fields {
        ROW_COUNT_SORT
    }
}
static SUB_AGG_SORT: Fields = &[
    Field::plain(1, "sub_agg_name"),
    Field::plain(2, "order"),
];
impl Described for messages::SubAggSort {
    fn fields() -> Fields {
        SUB_AGG_SORT
    }
}
static GROUP_BYS_RESULT: Fields = &[
    Field::message(1, "group_by_results", &GROUP_BY_RESULT),
];
impl Described for messages::GroupBysResult {
    fn fields() -> Fields {
        GROUP_BYS_RESULT
    }
}
static GROUP_BY_RESULT: Fields = &[
    Field::plain(1, "name"),
    Field::plain(2, "type"),
    Field::plain(3, "group_by_result"),
];
impl Described for messages::GroupByResult {
    fn fields() -> Fields {
        GROUP_BY_RESULT
    }
}
static GROUP_BY_FIELD_RESULT: Fields = &[
    Field::message(1, "group_by_field_result_items", &GROUP_BY_FIELD_RESULT_ITEM),
];
impl Described for messages::GroupByFieldResult {
    fn fields() -> Fields {
        GROUP_BY_FIELD_RESULT
    }
}
static GROUP_BY_FIELD_RESULT_ITEM: Fields = &[
    Field::plain(1, "key"),
    Field::plain(2, "row_count"),
    Field::message(3, "sub_aggs_result", &AGGREGATIONS_RESULT),
    Field::message(4, "sub_group_bys_result", &GROUP_BYS_RESULT),
];
impl Described for messages::GroupByFieldResultItem {
    fn fields() -> Fields {
        GROUP_BY_FIELD_RESULT_ITEM
    }
}
static GROUP_BY_RANGE_RESULT: Fields = &[
    Field::message(1, "group_by_range_result_items", &GROUP_BY_RANGE_RESULT_ITEM),
];
impl Described for messages::GroupByRangeResult {
    fn fields() -> Fields {
        GROUP_BY_RANGE_RESULT
    }
}
static GROUP_BY_RANGE_RESULT_ITEM: Fields = &[
    Field::plain(1, "from"),
    Field::plain(2, "to"),
    Field::plain(3, "row_count"),
    Field::message(4, "sub_aggs_result", &AGGREGATIONS_RESULT),
    Field::message(5, "sub_group_bys_result", &GROUP_BYS_RESULT),
];
impl Described for messages::GroupByRangeResultItem {
    fn fields() -> Fields {
        GROUP_BY_RANGE_RESULT_ITEM
    }
}
static GROUP_BY_FILTER_RESULT: Fields = &[
    Field::message(1, "group_by_filter_result_items", &GROUP_BY_FILTER_RESULT_ITEM),
];
impl Described for messages::GroupByFilterResult {
    fn fields() -> Fields {
        GROUP_BY_FILTER_RESULT
    }
}
static GROUP_BY_FILTER_RESULT_ITEM: Fields = &[
    Field::plain(1, "row_count"),
    Field::message(2, "sub_aggs_result", &AGGREGATIONS_RESULT),
    Field::message(3, "sub_group_bys_result", &GROUP_BYS_RESULT),
];
impl Described for messages::GroupByFilterResultItem {
    fn fields() -> Fields {
        GROUP_BY_FILTER_RESULT_ITEM
    }
}
static GROUP_BY_GEO_DISTANCE_RESULT: Fields = &[
    Field::message(
        1,
        "group_by_geo_distance_result_items",
        &GROUP_BY_GEO_DISTANCE_RESULT_ITEM,
    ),
];
impl Described for messages::GroupByGeoDistanceResult {
    fn fields() -> Fields {
        GROUP_BY_GEO_DISTANCE_RESULT
    }
}
static GROUP_BY_GEO_DISTANCE_RESULT_ITEM: Fields = &[
    Field::plain(1, "from"),
    Field::plain(2, "to"),
    Field::plain(3, "row_count"),
    Field::message(4, "sub_aggs_result", &AGGREGATIONS_RESULT),
    Field::message(5, "sub_group_bys_result", &GROUP_BYS_RESULT),
];
impl Described for messages::GroupByGeoDistanceResultItem {
    fn fields() -> Fields {
        GROUP_BY_GEO_DISTANCE_RESULT_ITEM
    }
}
static GROUP_BY_GEO_GRID_RESULT: Fields = &[
    Field::message(1, "group_by_geo_grid_result_items", &GROUP_BY_GEO_GRID_RESULT_ITEM),
];
impl Described for messages::GroupByGeoGridResult {
    fn fields() -> Fields {
        GROUP_BY_GEO_GRID_RESULT
    }
}
static GROUP_BY_GEO_GRID_RESULT_ITEM: Fields = &[
    Field::plain(1, "key"),
    Field::message(2, "geo_grid", &GEO_GRID),
    Field::plain(3, "row_count"),
    Field::message(4, "sub_aggs_result", &AGGREGATIONS_RESULT),
    Field::message(5, "sub_group_bys_result", &GROUP_BYS_RESULT),
];
impl Described for messages::GroupByGeoGridResultItem {
    fn fields() -> Fields {
        GROUP_BY_GEO_GRID_RESULT_ITEM
    }
}
static GROUP_BY_HISTOGRAM_RESULT: Fields = &[
    Field::message(1, "group_by_histogra_items", &GROUP_BY_HISTOGRAM_ITEM),
];
impl Described for messages::GroupByHistogramResult {
    fn fields() -> Fields {
        GROUP_BY_HISTOGRAM_RESULT
    }
}
static GROUP_BY_HISTOGRAM_ITEM: Fields = &[
    Field::plain(1, "key"),
    Field::plain(2, "value"),
    Field::message(3, "sub_aggs_result", &AGGREGATIONS_RESULT),
    Field::message(4, "sub_group_bys_result", &GROUP_BYS_RESULT),
];
impl Described for messages::GroupByHistogramItem {
    fn fields() -> Fields {
        GROUP_BY_HISTOGRAM_ITEM
    }
}
static GROUP_BY_DATE_HISTOGRAM_RESULT: Fields = &[
    Field::message(1, "group_by_date_histogram_items", &GROUP_BY_DATE_HISTOGRAM_ITEM),
];
impl Described for messages::GroupByDateHistogramResult {
    fn fields() -> Fields {
        GROUP_BY_DATE_HISTOGRAM_RESULT
    }
}
static GROUP_BY_DATE_HISTOGRAM_ITEM: Fields = &[
    Field::plain(1, "timestamp"),
    Field::plain(2, "row_count"),
    Field::message(3, "sub_aggs_result", &AGGREGATIONS_RESULT),
    Field::message(4, "sub_group_bys_result", &GROUP_BYS_RESULT),
];
impl Described for messages::GroupByDateHistogramItem {
    fn fields() -> Fields {
        GROUP_BY_DATE_HISTOGRAM_ITEM
    }
}
static GROUP_BY_COMPOSITE_RESULT: Fields = &[
    Field::message(
        1,
        "group_by_composite_result_items",
        &GROUP_BY_COMPOSITE_RESULT_ITEM,
    ),
    Field::plain(2, "source_group_by_names"),
    Field::plain(3, "next_token"),
];
impl Described for messages::GroupByCompositeResult {
    fn fields() -> Fields {
        GROUP_BY_COMPOSITE_RESULT
    }
}
static GROUP_BY_COMPOSITE_RESULT_ITEM: Fields = &[
    Field::plain(1, "keys"),
    Field::plain(2, "row_count"),
    Field::message(3, "sub_aggs_result", &AGGREGATIONS_RESULT),
    Field::message(4, "sub_group_bys_result", &GROUP_BYS_RESULT),
    Field::plain(5, "is_null_keys"),
];
impl Described for messages::GroupByCompositeResultItem {
    fn fields() -> Fields {
        GROUP_BY_COMPOSITE_RESULT_ITEM
    }
}
static CREATE_SEARCH_INDEX_REQUEST: Fields = &[
    Field::plain(1, "table_name"),
    Field::plain(2, "index_name"),
    Field::message(3, "schema", &INDEX_SCHEMA),
    Field::plain(4, "source_index_name"),
    Field::plain(5, "time_to_live"),
];
impl Described for messages::CreateSearchIndexRequest {
    fn fields() -> Fields {
        CREATE_SEARCH_INDEX_REQUEST
    }
}
static CREATE_SEARCH_INDEX_RESPONSE: Fields = &[];
impl Described for messages::CreateSearchIndexResponse {
    fn fields() -> Fields {
        CREATE_SEARCH_INDEX_RESPONSE
    }
}
static INDEX_SCHEMA: Fields = &[
    Field::message(1, "field_schemas", &FIELD_SCHEMA),
    Field::message(2, "index_setting", &INDEX_SETTING),
    Field::message(3, "index_sort", &SORT),
];
impl Described for messages::IndexSchema {
    fn fields() -> Fields {
        INDEX_SCHEMA
    }
}
static INDEX_SETTING: Fields = &[
    Field::plain(1, "number_of_shards"),
    Field::plain(2, "routing_fields"),
    Field::plain(3, "routing_partition_size"),
    Field::plain(7, "enable_custom_column_version"),
];
impl Described for messages::IndexSetting {
    fn fields() -> Fields {
        INDEX_SETTING
    }
}
static FIELD_SCHEMA: Fields = &[
    Field::plain(1, "field_name"),
    Field::plain(2, "field_type"),
    Field::plain(3, "index_options"),
    Field::plain(4, "analyzer"),
    Field::plain(5, "index"),
    Field::plain(6, "sort_and_agg"),
    Field::plain(7, "store"),
    Field::message(8, "field_schemas", &FIELD_SCHEMA),
    Field::plain(9, "is_array"),
    Field::plain(10, "analyzer_parameter"),
    Field::plain(11, "is_virtual_field"),
    Field::plain(12, "source_field_names"),
    Field::plain(13, "date_formats"),
    Field::plain(14, "enable_highlighting"),
    Field::message(15, "vector_options", &VECTOR_OPTIONS),
    Field::plain(16, "json_type"),
    Field::plain(17, "text_similarity"),
];
impl Described for messages::FieldSchema {
    fn fields() -> Fields {
        FIELD_SCHEMA
    }
}
static SINGLE_WORD_ANALYZER_PARAMETER: Fields = &[
    Field::plain(1, "case_sensitive"),
    Field::plain(2, "delimit_word"),
];
impl Described for messages::SingleWordAnalyzerParameter {
    fn fields() -> Fields {
        SINGLE_WORD_ANALYZER_PARAMETER
    }
}
static SPLIT_ANALYZER_PARAMETER: Fields = &[
    Field::plain(1, "delimiter"),
    Field::plain(2, "case_sensitive"),
];
impl Described for messages::SplitAnalyzerParameter {
    fn fields() -> Fields {
        SPLIT_ANALYZER_PARAMETER
    }
}
static FUZZY_ANALYZER_PARAMETER: Fields = &[
    Field::plain(1, "min_chars"),
    Field::plain(2, "max_chars"),
    Field::plain(3, "case_sensitive"),
];
impl Described for messages::FuzzyAnalyzerParameter {
    fn fields() -> Fields {
        FUZZY_ANALYZER_PARAMETER
    }
}
static VECTOR_OPTIONS: Fields = &[
    Field::plain(1, "data_type"),
    Field::plain(2, "dimension"),
    Field::plain(3, "metric_type"),
];
impl Described for messages::VectorOptions {
    fn fields() -> Fields {
        VECTOR_OPTIONS
    }
}
static UPDATE_SEARCH_INDEX_REQUEST: Fields = &[
    Field::plain(1, "table_name"),
    Field::plain(2, "index_name"),
    Field::plain(3, "switch_index_name"),
    Field::message(4, "query_flow_weight", &QUERY_FLOW_WEIGHT),
    Field::plain(5, "time_to_live"),
    Field::message(6, "added_field_schemas", &FIELD_SCHEMA),
];
impl Described for messages::UpdateSearchIndexRequest {
    fn fields() -> Fields {
        UPDATE_SEARCH_INDEX_REQUEST
    }
}
static UPDATE_SEARCH_INDEX_RESPONSE: Fields = &[];
impl Described for messages::UpdateSearchIndexResponse {
    fn fields() -> Fields {
        UPDATE_SEARCH_INDEX_RESPONSE
    }
}
static QUERY_FLOW_WEIGHT: Fields = &[
    Field::plain(1, "index_name"),
    Field::plain(2, "weight"),
];
impl Described for messages::QueryFlowWeight {
    fn fields() -> Fields {
        QUERY_FLOW_WEIGHT
    }
}
static DELETE_SEARCH_INDEX_REQUEST: Fields = &[
    Field::plain(1, "table_name"),
    Field::plain(2, "index_name"),
];
impl Described for messages::DeleteSearchIndexRequest {
    fn fields() -> Fields {
        DELETE_SEARCH_INDEX_REQUEST
    }
}
static DELETE_SEARCH_INDEX_RESPONSE: Fields = &[];
impl Described for messages::DeleteSearchIndexResponse {
    fn fields() -> Fields {
        DELETE_SEARCH_INDEX_RESPONSE
    }
}
static LIST_SEARCH_INDEX_REQUEST: Fields = &[Field::plain(1, "table_name")];
impl Described for messages::ListSearchIndexRequest {
    fn fields() -> Fields {
        LIST_SEARCH_INDEX_REQUEST
    }
}
static LIST_SEARCH_INDEX_RESPONSE: Fields = &[Field::message(1, "indices", &INDEX_INFO)];
impl Described for messages::ListSearchIndexResponse {
    fn fields() -> Fields {
        LIST_SEARCH_INDEX_RESPONSE
    }
}
static INDEX_INFO: Fields = &[
    Field::plain(1, "table_name"),
    Field::plain(2, "index_name"),
];
impl Described for messages::IndexInfo {
    fn fields() -> Fields {
        INDEX_INFO
    }
}
static DESCRIBE_SEARCH_INDEX_REQUEST: Fields = &[
    Field::plain(1, "table_name"),
    Field::plain(2, "index_name"),
    Field::plain(3, "include_sync_stat"),
];
impl Described for messages::DescribeSearchIndexRequest {
    fn fields() -> Fields {
        DESCRIBE_SEARCH_INDEX_REQUEST
    }
}
static DESCRIBE_SEARCH_INDEX_RESPONSE: Fields = &[
    Field::message(1, "schema", &INDEX_SCHEMA),
    Field::message(2, "sync_stat", &SYNC_STAT),
    Field::message(3, "metering_info", &METERING_INFO),
    Field::plain(4, "brother_index_name"),
    Field::message(5, "query_flow_weight", &QUERY_FLOW_WEIGHT),
    Field::plain(6, "create_time"),
    Field::plain(7, "time_to_live"),
    Field::message(8, "index_status", &INDEX_STATUS),
];
impl Described for messages::DescribeSearchIndexResponse {
    fn fields() -> Fields {
        DESCRIBE_SEARCH_INDEX_RESPONSE
    }
}
static SYNC_STAT: Fields = &[
    Field::plain(1, "sync_phase"),
    Field::plain(2, "current_sync_timestamp"),
];
impl Described for messages::SyncStat {
    fn fields() -> Fields {
        SYNC_STAT
    }
}
static METERING_INFO: Fields = &[
    Field::plain(1, "storage_size"),
    Field::plain(2, "row_count"),
    Field::plain(3, "reserved_read_cu"),
    Field::plain(4, "timestamp"),
];
impl Described for messages::MeteringInfo {
    fn fields() -> Fields {
        METERING_INFO
    }
}
static INDEX_STATUS: Fields = &[
    Field::plain(1, "status"),
    Field::plain(2, "status_description"),
];
impl Described for messages::IndexStatus {
    fn fields() -> Fields {
        INDEX_STATUS
    }
}
