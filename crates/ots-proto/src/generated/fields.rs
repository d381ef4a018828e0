// Written by `cargo xtask codegen` from proto/. Do not edit.

use super::messages;
use crate::fields::{Described, Field, Fields};
static ERROR: Fields = &[
    Field::text(1, "code"),
    Field::text(2, "message"),
    Field::boxed(
        3,
        "access_denied_detail",
        &ACCESS_DENIED_DETAIL,
        size_of::<messages::AccessDeniedDetail>(),
    ),
];
impl Described for messages::Error {
    fn fields() -> Fields {
        ERROR
    }
}
static ACCESS_DENIED_DETAIL: Fields = &[
    Field::text(1, "auth_action"),
    Field::text(2, "auth_principal_type"),
    Field::text(3, "auth_principal_owner_id"),
    Field::text(4, "auth_principal_display_name"),
    Field::text(5, "policy_type"),
    Field::text(6, "no_permission_type"),
    Field::text(7, "encoded_diagnostic_message"),
];
impl Described for messages::AccessDeniedDetail {
    fn fields() -> Fields {
        ACCESS_DENIED_DETAIL
    }
}
static CAPACITY_UNIT: Fields = &[Field::plain(1, "read"), Field::plain(2, "write")];
impl Described for messages::CapacityUnit {
    fn fields() -> Fields {
        CAPACITY_UNIT
    }
}
static CAPACITY_DATA_SIZE: Fields = &[
    Field::plain(1, "read_size"),
    Field::plain(2, "write_size"),
];
impl Described for messages::CapacityDataSize {
    fn fields() -> Fields {
        CAPACITY_DATA_SIZE
    }
}
static CONSUMED_CAPACITY: Fields = &[
    Field::message(1, "capacity_unit", &CAPACITY_UNIT),
    Field::message(2, "capacity_data_size", &CAPACITY_DATA_SIZE),
];
impl Described for messages::ConsumedCapacity {
    fn fields() -> Fields {
        CONSUMED_CAPACITY
    }
}
static RESERVED_THROUGHPUT: Fields = &[
    Field::message(1, "capacity_unit", &CAPACITY_UNIT),
];
impl Described for messages::ReservedThroughput {
    fn fields() -> Fields {
        RESERVED_THROUGHPUT
    }
}
static RESERVED_THROUGHPUT_DETAILS: Fields = &[
    Field::message(1, "capacity_unit", &CAPACITY_UNIT),
    Field::plain(2, "last_increase_time"),
    Field::plain(3, "last_decrease_time"),
];
impl Described for messages::ReservedThroughputDetails {
    fn fields() -> Fields {
        RESERVED_THROUGHPUT_DETAILS
    }
}
static TIME_RANGE: Fields = &[
    Field::plain(1, "start_time"),
    Field::plain(2, "end_time"),
    Field::plain(3, "specific_time"),
];
impl Described for messages::TimeRange {
    fn fields() -> Fields {
        TIME_RANGE
    }
}
static CONDITION: Fields = &[
    Field::plain(1, "row_existence"),
    Field::plain(2, "column_condition"),
];
impl Described for messages::Condition {
    fn fields() -> Fields {
        CONDITION
    }
}
static RETURN_CONTENT: Fields = &[
    Field::plain(1, "return_type"),
    Field::texts(2, "return_column_names"),
];
impl Described for messages::ReturnContent {
    fn fields() -> Fields {
        RETURN_CONTENT
    }
}
static BATCH_GET_ROW_REQUEST: Fields = &[
    Field::messages(
        1,
        "tables",
        &TABLE_IN_BATCH_GET_ROW_REQUEST,
        size_of::<messages::TableInBatchGetRowRequest>(),
    ),
];
impl Described for messages::BatchGetRowRequest {
    fn fields() -> Fields {
        BATCH_GET_ROW_REQUEST
    }
}
static TABLE_IN_BATCH_GET_ROW_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::slices(2, "primary_key"),
    Field::slices(3, "token"),
    Field::texts(4, "columns_to_get"),
    Field::message(5, "time_range", &TIME_RANGE),
    Field::plain(6, "max_versions"),
    Field::plain(7, "cache_blocks"),
    Field::plain(8, "filter"),
    Field::text(9, "start_column"),
    Field::text(10, "end_column"),
];
impl Described for messages::TableInBatchGetRowRequest {
    fn fields() -> Fields {
        TABLE_IN_BATCH_GET_ROW_REQUEST
    }
}
static BATCH_GET_ROW_RESPONSE: Fields = &[
    Field::messages(
        1,
        "tables",
        &TABLE_IN_BATCH_GET_ROW_RESPONSE,
        size_of::<messages::TableInBatchGetRowResponse>(),
    ),
];
impl Described for messages::BatchGetRowResponse {
    fn fields() -> Fields {
        BATCH_GET_ROW_RESPONSE
    }
}
static TABLE_IN_BATCH_GET_ROW_RESPONSE: Fields = &[
    Field::text(1, "table_name"),
    Field::messages(
        2,
        "rows",
        &ROW_IN_BATCH_GET_ROW_RESPONSE,
        size_of::<messages::RowInBatchGetRowResponse>(),
    ),
];
impl Described for messages::TableInBatchGetRowResponse {
    fn fields() -> Fields {
        TABLE_IN_BATCH_GET_ROW_RESPONSE
    }
}
static ROW_IN_BATCH_GET_ROW_RESPONSE: Fields = &[
    Field::plain(1, "is_ok"),
    Field::message(2, "error", &ERROR),
    Field::message(3, "consumed", &CONSUMED_CAPACITY),
    Field::plain(4, "row"),
    Field::plain(5, "next_token"),
];
impl Described for messages::RowInBatchGetRowResponse {
    fn fields() -> Fields {
        ROW_IN_BATCH_GET_ROW_RESPONSE
    }
}
static BATCH_WRITE_ROW_REQUEST: Fields = &[
    Field::messages(
        1,
        "tables",
        &TABLE_IN_BATCH_WRITE_ROW_REQUEST,
        size_of::<messages::TableInBatchWriteRowRequest>(),
    ),
    Field::text(2, "transaction_id"),
    Field::plain(3, "is_atomic"),
];
impl Described for messages::BatchWriteRowRequest {
    fn fields() -> Fields {
        BATCH_WRITE_ROW_REQUEST
    }
}
static TABLE_IN_BATCH_WRITE_ROW_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::messages(
        2,
        "rows",
        &ROW_IN_BATCH_WRITE_ROW_REQUEST,
        size_of::<messages::RowInBatchWriteRowRequest>(),
    ),
];
impl Described for messages::TableInBatchWriteRowRequest {
    fn fields() -> Fields {
        TABLE_IN_BATCH_WRITE_ROW_REQUEST
    }
}
static ROW_IN_BATCH_WRITE_ROW_REQUEST: Fields = &[
    Field::plain(1, "type"),
    Field::plain(2, "row_change"),
    Field::message(3, "condition", &CONDITION),
    Field::message(4, "return_content", &RETURN_CONTENT),
];
impl Described for messages::RowInBatchWriteRowRequest {
    fn fields() -> Fields {
        ROW_IN_BATCH_WRITE_ROW_REQUEST
    }
}
static BATCH_WRITE_ROW_RESPONSE: Fields = &[
    Field::messages(
        1,
        "tables",
        &TABLE_IN_BATCH_WRITE_ROW_RESPONSE,
        size_of::<messages::TableInBatchWriteRowResponse>(),
    ),
];
impl Described for messages::BatchWriteRowResponse {
    fn fields() -> Fields {
        BATCH_WRITE_ROW_RESPONSE
    }
}
static TABLE_IN_BATCH_WRITE_ROW_RESPONSE: Fields = &[
    Field::text(1, "table_name"),
    Field::messages(
        2,
        "rows",
        &ROW_IN_BATCH_WRITE_ROW_RESPONSE,
        size_of::<messages::RowInBatchWriteRowResponse>(),
    ),
];
impl Described for messages::TableInBatchWriteRowResponse {
    fn fields() -> Fields {
        TABLE_IN_BATCH_WRITE_ROW_RESPONSE
    }
}
static ROW_IN_BATCH_WRITE_ROW_RESPONSE: Fields = &[
    Field::plain(1, "is_ok"),
    Field::message(2, "error", &ERROR),
    Field::message(3, "consumed", &CONSUMED_CAPACITY),
    Field::plain(4, "row"),
];
impl Described for messages::RowInBatchWriteRowResponse {
    fn fields() -> Fields {
        ROW_IN_BATCH_WRITE_ROW_RESPONSE
    }
}
static FILTER: Fields = &[Field::plain(1, "type"), Field::plain(2, "filter")];
impl Described for messages::Filter {
    fn fields() -> Fields {
        FILTER
    }
}
static SINGLE_COLUMN_VALUE_FILTER: Fields = &[
    Field::plain(1, "comparator"),
    Field::text(2, "column_name"),
    Field::plain(3, "column_value"),
    Field::plain(4, "filter_if_missing"),
    Field::plain(5, "latest_version_only"),
    Field::message(6, "value_trans_rule", &VALUE_TRANSFER_RULE),
];
impl Described for messages::SingleColumnValueFilter {
    fn fields() -> Fields {
        SINGLE_COLUMN_VALUE_FILTER
    }
}
static VALUE_TRANSFER_RULE: Fields = &[
    Field::text(1, "regex"),
    Field::plain(2, "cast_type"),
];
impl Described for messages::ValueTransferRule {
    fn fields() -> Fields {
        VALUE_TRANSFER_RULE
    }
}
static COMPOSITE_COLUMN_VALUE_FILTER: Fields = &[
    Field::plain(1, "combinator"),
    Field::messages(2, "sub_filters", &FILTER, size_of::<messages::Filter>()),
];
impl Described for messages::CompositeColumnValueFilter {
    fn fields() -> Fields {
        COMPOSITE_COLUMN_VALUE_FILTER
    }
}
static COLUMN_PAGINATION_FILTER: Fields = &[
    Field::plain(1, "offset"),
    Field::plain(2, "limit"),
];
impl Described for messages::ColumnPaginationFilter {
    fn fields() -> Fields {
        COLUMN_PAGINATION_FILTER
    }
}
static SEARCH_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::text(2, "index_name"),
    Field::message(3, "columns_to_get", &COLUMNS_TO_GET),
    Field::plain(4, "search_query"),
    Field::slices(5, "routing_values"),
    Field::plain(6, "timeout_ms"),
];
impl Described for messages::SearchRequest {
    fn fields() -> Fields {
        SEARCH_REQUEST
    }
}
static COLUMNS_TO_GET: Fields = &[
    Field::plain(1, "return_type"),
    Field::texts(2, "column_names"),
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
static COLLAPSE: Fields = &[Field::text(1, "field_name")];
impl Described for messages::Collapse {
    fn fields() -> Fields {
        COLLAPSE
    }
}
static SEARCH_RESPONSE: Fields = &[
    Field::plain(1, "total_hits"),
    Field::slices(2, "rows"),
    Field::plain(3, "is_all_succeeded"),
    Field::messages(5, "search_hits", &SEARCH_HIT, size_of::<messages::SearchHit>()),
    Field::plain(6, "next_token"),
    Field::plain(7, "aggs"),
    Field::plain(8, "group_bys"),
    Field::message(9, "consumed", &CONSUMED_CAPACITY),
    Field::message(10, "reserved_consumed", &CONSUMED_CAPACITY),
];
impl Described for messages::SearchResponse {
    fn fields() -> Fields {
        SEARCH_RESPONSE
    }
}
static SEARCH_HIT: Fields = &[
    Field::plain(3, "score"),
    Field::message(4, "highlight_result", &HIGHLIGHT_RESULT),
    Field::messages(
        5,
        "search_inner_hits",
        &SEARCH_INNER_HIT,
        size_of::<messages::SearchInnerHit>(),
    ),
    Field::plain(6, "nested_doc_offset"),
];
impl Described for messages::SearchHit {
    fn fields() -> Fields {
        SEARCH_HIT
    }
}
static SEARCH_INNER_HIT: Fields = &[
    Field::text(1, "path"),
    Field::messages(2, "search_hits", &SEARCH_HIT, size_of::<messages::SearchHit>()),
];
impl Described for messages::SearchInnerHit {
    fn fields() -> Fields {
        SEARCH_INNER_HIT
    }
}
static HIGHLIGHT_RESULT: Fields = &[
    Field::messages(
        1,
        "highlight_fields",
        &HIGHLIGHT_FIELD,
        size_of::<messages::HighlightField>(),
    ),
];
impl Described for messages::HighlightResult {
    fn fields() -> Fields {
        HIGHLIGHT_RESULT
    }
}
static HIGHLIGHT_FIELD: Fields = &[
    Field::text(1, "field_name"),
    Field::texts(2, "field_fragments"),
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
    Field::text(1, "field_name"),
    Field::text(2, "text"),
    Field::plain(3, "minimum_should_match"),
    Field::plain(4, "operator"),
    Field::plain(5, "weight"),
    Field::text(6, "new_minimum_should_match"),
];
impl Described for messages::MatchQuery {
    fn fields() -> Fields {
        MATCH_QUERY
    }
}
static MATCH_PHRASE_QUERY: Fields = &[
    Field::text(1, "field_name"),
    Field::text(2, "text"),
    Field::plain(3, "weight"),
    Field::plain(4, "slop"),
];
impl Described for messages::MatchPhraseQuery {
    fn fields() -> Fields {
        MATCH_PHRASE_QUERY
    }
}
static TERM_QUERY: Fields = &[
    Field::text(1, "field_name"),
    Field::plain(2, "term"),
    Field::plain(3, "weight"),
];
impl Described for messages::TermQuery {
    fn fields() -> Fields {
        TERM_QUERY
    }
}
static TERMS_QUERY: Fields = &[
    Field::text(1, "field_name"),
    Field::slices(2, "terms"),
    Field::plain(3, "weight"),
];
impl Described for messages::TermsQuery {
    fn fields() -> Fields {
        TERMS_QUERY
    }
}
static RANGE_QUERY: Fields = &[
    Field::text(1, "field_name"),
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
    Field::text(1, "field_name"),
    Field::text(2, "prefix"),
    Field::plain(3, "weight"),
];
impl Described for messages::PrefixQuery {
    fn fields() -> Fields {
        PREFIX_QUERY
    }
}
static SUFFIX_QUERY: Fields = &[
    Field::text(1, "field_name"),
    Field::text(2, "suffix"),
    Field::plain(3, "weight"),
];
impl Described for messages::SuffixQuery {
    fn fields() -> Fields {
        SUFFIX_QUERY
    }
}
static WILDCARD_QUERY: Fields = &[
    Field::text(1, "field_name"),
    Field::text(2, "value"),
    Field::plain(3, "weight"),
];
impl Described for messages::WildcardQuery {
    fn fields() -> Fields {
        WILDCARD_QUERY
    }
}
static EXISTS_QUERY: Fields = &[Field::text(1, "field_name")];
impl Described for messages::ExistsQuery {
    fn fields() -> Fields {
        EXISTS_QUERY
    }
}
static BOOL_QUERY: Fields = &[
    Field::messages(1, "must_queries", &QUERY, size_of::<messages::Query>()),
    Field::messages(2, "must_not_queries", &QUERY, size_of::<messages::Query>()),
    Field::messages(3, "filter_queries", &QUERY, size_of::<messages::Query>()),
    Field::messages(4, "should_queries", &QUERY, size_of::<messages::Query>()),
    Field::plain(5, "minimum_should_match"),
    Field::text(6, "new_minimum_should_match"),
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
    Field::messages(1, "queries", &QUERY, size_of::<messages::Query>()),
    Field::plain(2, "tie_breaker"),
    Field::plain(3, "weight"),
];
impl Described for messages::DisMaxQuery {
    fn fields() -> Fields {
        DIS_MAX_QUERY
    }
}
static NESTED_QUERY: Fields = &[
    Field::text(1, "path"),
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
    Field::text(1, "field_name"),
    Field::text(2, "top_left"),
    Field::text(3, "bottom_right"),
];
impl Described for messages::GeoBoundingBoxQuery {
    fn fields() -> Fields {
        GEO_BOUNDING_BOX_QUERY
    }
}
static GEO_DISTANCE_QUERY: Fields = &[
    Field::text(1, "field_name"),
    Field::text(2, "center_point"),
    Field::plain(3, "distance"),
];
impl Described for messages::GeoDistanceQuery {
    fn fields() -> Fields {
        GEO_DISTANCE_QUERY
    }
}
static GEO_POLYGON_QUERY: Fields = &[
    Field::text(1, "field_name"),
    Field::texts(2, "points"),
];
impl Described for messages::GeoPolygonQuery {
    fn fields() -> Fields {
        GEO_POLYGON_QUERY
    }
}
static KNN_VECTOR_QUERY: Fields = &[
    Field::text(1, "field_name"),
    Field::plain(2, "top_k"),
    Field::numbers(4, "float32_query_vector", 4, Some(4)),
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
static FIELD_VALUE_FACTOR: Fields = &[Field::text(1, "field_name")];
impl Described for messages::FieldValueFactor {
    fn fields() -> Fields {
        FIELD_VALUE_FACTOR
    }
}
static FUNCTIONS_SCORE_QUERY: Fields = &[
    Field::message(1, "query", &QUERY),
    Field::messages(2, "functions", &FUNCTION, size_of::<messages::Function>()),
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
    Field::text(1, "field_name"),
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
    Field::text(1, "field_name"),
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
    Field::text(2, "origin_string"),
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
    Field::text(1, "origin"),
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
    Field::messages(1, "sorter", &SORTER, size_of::<messages::Sorter>()),
    Field::plain(2, "disable_default_pk_sorter"),
];
impl Described for messages::Sort {
    fn fields() -> Fields {
        SORT
    }
}
static SORTER: Fields = &[
    Field::boxed(1, "field_sort", &FIELD_SORT, size_of::<messages::FieldSort>()),
    Field::boxed(
        2,
        "geo_distance_sort",
        &GEO_DISTANCE_SORT,
        size_of::<messages::GeoDistanceSort>(),
    ),
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
    Field::text(1, "field_name"),
    Field::plain(2, "order"),
    Field::plain(3, "mode"),
    Field::message(4, "nested_filter", &NESTED_FILTER),
    Field::plain(5, "missing_value"),
    Field::text(6, "missing_field"),
];
impl Described for messages::FieldSort {
    fn fields() -> Fields {
        FIELD_SORT
    }
}
static GEO_DISTANCE_SORT: Fields = &[
    Field::text(1, "field_name"),
    Field::texts(2, "points"),
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
    Field::text(1, "path"),
    Field::message(2, "filter", &QUERY),
];
impl Described for messages::NestedFilter {
    fn fields() -> Fields {
        NESTED_FILTER
    }
}
static HIGHLIGHT: Fields = &[
    Field::messages(
        1,
        "highlight_parameters",
        &HIGHLIGHT_PARAMETER,
        size_of::<messages::HighlightParameter>(),
    ),
    Field::plain(2, "highlight_encoder"),
];
impl Described for messages::Highlight {
    fn fields() -> Fields {
        HIGHLIGHT
    }
}
static HIGHLIGHT_PARAMETER: Fields = &[
    Field::text(1, "field_name"),
    Field::plain(2, "number_of_fragments"),
    Field::plain(3, "fragment_size"),
    Field::text(4, "pre_tag"),
    Field::text(5, "post_tag"),
    Field::plain(6, "fragments_order"),
];
impl Described for messages::HighlightParameter {
    fn fields() -> Fields {
        HIGHLIGHT_PARAMETER
    }
}
static AGGREGATIONS: Fields = &[
    Field::messages(1, "aggs", &AGGREGATION, size_of::<messages::Aggregation>()),
];
impl Described for messages::Aggregations {
    fn fields() -> Fields {
        AGGREGATIONS
    }
}
static AGGREGATION: Fields = &[
    Field::text(1, "name"),
    Field::plain(2, "type"),
    Field::plain(3, "body"),
];
impl Described for messages::Aggregation {
    fn fields() -> Fields {
        AGGREGATION
    }
}
static AVG_AGGREGATION: Fields = &[
    Field::text(1, "field_name"),
    Field::plain(2, "missing"),
];
impl Described for messages::AvgAggregation {
    fn fields() -> Fields {
        AVG_AGGREGATION
    }
}
static MAX_AGGREGATION: Fields = &[
    Field::text(1, "field_name"),
    Field::plain(2, "missing"),
];
impl Described for messages::MaxAggregation {
    fn fields() -> Fields {
        MAX_AGGREGATION
    }
}
static MIN_AGGREGATION: Fields = &[
    Field::text(1, "field_name"),
    Field::plain(2, "missing"),
];
impl Described for messages::MinAggregation {
    fn fields() -> Fields {
        MIN_AGGREGATION
    }
}
static SUM_AGGREGATION: Fields = &[
    Field::text(1, "field_name"),
    Field::plain(2, "missing"),
];
impl Described for messages::SumAggregation {
    fn fields() -> Fields {
        SUM_AGGREGATION
    }
}
static COUNT_AGGREGATION: Fields = &[Field::text(1, "field_name")];
impl Described for messages::CountAggregation {
    fn fields() -> Fields {
        COUNT_AGGREGATION
    }
}
static DISTINCT_COUNT_AGGREGATION: Fields = &[
    Field::text(1, "field_name"),
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
    Field::text(1, "field_name"),
    Field::numbers(2, "percentiles", 8, Some(8)),
    Field::plain(3, "missing"),
];
impl Described for messages::PercentilesAggregation {
    fn fields() -> Fields {
        PERCENTILES_AGGREGATION
    }
}
static AGGREGATIONS_RESULT: Fields = &[
    Field::messages(
        1,
        "agg_results",
        &AGGREGATION_RESULT,
        size_of::<messages::AggregationResult>(),
    ),
];
impl Described for messages::AggregationsResult {
    fn fields() -> Fields {
        AGGREGATIONS_RESULT
    }
}
static AGGREGATION_RESULT: Fields = &[
    Field::text(1, "name"),
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
static TOP_ROWS_AGGREGATION_RESULT: Fields = &[Field::slices(1, "rows")];
impl Described for messages::TopRowsAggregationResult {
    fn fields() -> Fields {
        TOP_ROWS_AGGREGATION_RESULT
    }
}
static PERCENTILES_AGGREGATION_RESULT: Fields = &[
    Field::messages(
        1,
        "percentiles_aggregation_items",
        &PERCENTILES_AGGREGATION_ITEM,
        size_of::<messages::PercentilesAggregationItem>(),
    ),
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
static GROUP_BYS: Fields = &[
    Field::messages(1, "group_bys", &GROUP_BY, size_of::<messages::GroupBy>()),
];
impl Described for messages::GroupBys {
    fn fields() -> Fields {
        GROUP_BYS
    }
}
static GROUP_BY: Fields = &[
    Field::text(1, "name"),
    Field::plain(2, "type"),
    Field::plain(3, "body"),
];
impl Described for messages::GroupBy {
    fn fields() -> Fields {
        GROUP_BY
    }
}
static GROUP_BY_FIELD: Fields = &[
    Field::text(1, "field_name"),
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
    Field::text(1, "field_name"),
    Field::messages(2, "ranges", &RANGE, size_of::<messages::Range>()),
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
    Field::messages(1, "filters", &QUERY, size_of::<messages::Query>()),
    Field::message(2, "sub_aggs", &AGGREGATIONS),
    Field::message(3, "sub_group_bys", &GROUP_BYS),
];
impl Described for messages::GroupByFilter {
    fn fields() -> Fields {
        GROUP_BY_FILTER
    }
}
static GROUP_BY_GEO_DISTANCE: Fields = &[
    Field::text(1, "field_name"),
    Field::message(2, "origin", &GEO_POINT),
    Field::messages(3, "ranges", &RANGE, size_of::<messages::Range>()),
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
    Field::text(1, "field_name"),
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
    Field::text(1, "field_name"),
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
    Field::text(1, "field_name"),
    Field::message(2, "interval", &DATE_TIME_VALUE),
    Field::message(3, "field_range", &FIELD_RANGE),
    Field::plain(4, "missing"),
    Field::plain(5, "min_doc_count"),
    Field::text(6, "time_zone"),
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
    Field::text(6, "next_token"),
    Field::plain(7, "suggested_size"),
];
impl Described for messages::GroupByComposite {
    fn fields() -> Fields {
        GROUP_BY_COMPOSITE
    }
}
static GROUP_BY_SORT: Fields = &[
    Field::messages(1, "sorters", &GROUP_BY_SORTER, size_of::<messages::GroupBySorter>()),
];
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
    Field::text(1, "sub_agg_name"),
    Field::plain(2, "order"),
];
impl Described for messages::SubAggSort {
    fn fields() -> Fields {
        SUB_AGG_SORT
    }
}
static GROUP_BYS_RESULT: Fields = &[
    Field::messages(
        1,
        "group_by_results",
        &GROUP_BY_RESULT,
        size_of::<messages::GroupByResult>(),
    ),
];
impl Described for messages::GroupBysResult {
    fn fields() -> Fields {
        GROUP_BYS_RESULT
    }
}
static GROUP_BY_RESULT: Fields = &[
    Field::text(1, "name"),
    Field::plain(2, "type"),
    Field::plain(3, "group_by_result"),
];
impl Described for messages::GroupByResult {
    fn fields() -> Fields {
        GROUP_BY_RESULT
    }
}
static GROUP_BY_FIELD_RESULT: Fields = &[
    Field::messages(
        1,
        "group_by_field_result_items",
        &GROUP_BY_FIELD_RESULT_ITEM,
        size_of::<messages::GroupByFieldResultItem>(),
    ),
];
impl Described for messages::GroupByFieldResult {
    fn fields() -> Fields {
        GROUP_BY_FIELD_RESULT
    }
}
static GROUP_BY_FIELD_RESULT_ITEM: Fields = &[
    Field::text(1, "key"),
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
    Field::messages(
        1,
        "group_by_range_result_items",
        &GROUP_BY_RANGE_RESULT_ITEM,
        size_of::<messages::GroupByRangeResultItem>(),
    ),
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
    Field::messages(
        1,
        "group_by_filter_result_items",
        &GROUP_BY_FILTER_RESULT_ITEM,
        size_of::<messages::GroupByFilterResultItem>(),
    ),
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
    Field::messages(
        1,
        "group_by_geo_distance_result_items",
        &GROUP_BY_GEO_DISTANCE_RESULT_ITEM,
        size_of::<messages::GroupByGeoDistanceResultItem>(),
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
    Field::messages(
        1,
        "group_by_geo_grid_result_items",
        &GROUP_BY_GEO_GRID_RESULT_ITEM,
        size_of::<messages::GroupByGeoGridResultItem>(),
    ),
];
impl Described for messages::GroupByGeoGridResult {
    fn fields() -> Fields {
        GROUP_BY_GEO_GRID_RESULT
    }
}
static GROUP_BY_GEO_GRID_RESULT_ITEM: Fields = &[
    Field::text(1, "key"),
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
    Field::messages(
        1,
        "group_by_histogra_items",
        &GROUP_BY_HISTOGRAM_ITEM,
        size_of::<messages::GroupByHistogramItem>(),
    ),
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
    Field::messages(
        1,
        "group_by_date_histogram_items",
        &GROUP_BY_DATE_HISTOGRAM_ITEM,
        size_of::<messages::GroupByDateHistogramItem>(),
    ),
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
    Field::messages(
        1,
        "group_by_composite_result_items",
        &GROUP_BY_COMPOSITE_RESULT_ITEM,
        size_of::<messages::GroupByCompositeResultItem>(),
    ),
    Field::texts(2, "source_group_by_names"),
    Field::text(3, "next_token"),
];
impl Described for messages::GroupByCompositeResult {
    fn fields() -> Fields {
        GROUP_BY_COMPOSITE_RESULT
    }
}
static GROUP_BY_COMPOSITE_RESULT_ITEM: Fields = &[
    Field::texts(1, "keys"),
    Field::plain(2, "row_count"),
    Field::message(3, "sub_aggs_result", &AGGREGATIONS_RESULT),
    Field::message(4, "sub_group_bys_result", &GROUP_BYS_RESULT),
    Field::numbers(5, "is_null_keys", 1, None),
];
impl Described for messages::GroupByCompositeResultItem {
    fn fields() -> Fields {
        GROUP_BY_COMPOSITE_RESULT_ITEM
    }
}
static COMPUTE_SPLITS_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::message(2, "search_index_splits_options", &SEARCH_INDEX_SPLITS_OPTIONS),
];
impl Described for messages::ComputeSplitsRequest {
    fn fields() -> Fields {
        COMPUTE_SPLITS_REQUEST
    }
}
static SEARCH_INDEX_SPLITS_OPTIONS: Fields = &[Field::text(1, "index_name")];
impl Described for messages::SearchIndexSplitsOptions {
    fn fields() -> Fields {
        SEARCH_INDEX_SPLITS_OPTIONS
    }
}
static COMPUTE_SPLITS_RESPONSE: Fields = &[
    Field::plain(1, "session_id"),
    Field::plain(2, "splits_size"),
];
impl Described for messages::ComputeSplitsResponse {
    fn fields() -> Fields {
        COMPUTE_SPLITS_RESPONSE
    }
}
static PARALLEL_SCAN_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::text(2, "index_name"),
    Field::message(3, "columns_to_get", &COLUMNS_TO_GET),
    Field::plain(4, "session_id"),
    Field::message(5, "scan_query", &SCAN_QUERY),
    Field::plain(6, "timeout_ms"),
];
impl Described for messages::ParallelScanRequest {
    fn fields() -> Fields {
        PARALLEL_SCAN_REQUEST
    }
}
static SCAN_QUERY: Fields = &[
    Field::message(1, "query", &QUERY),
    Field::plain(2, "limit"),
    Field::plain(3, "alive_time"),
    Field::plain(4, "token"),
    Field::plain(5, "current_parallel_id"),
    Field::plain(6, "max_parallel"),
];
impl Described for messages::ScanQuery {
    fn fields() -> Fields {
        SCAN_QUERY
    }
}
static PARALLEL_SCAN_RESPONSE: Fields = &[
    Field::slices(1, "rows"),
    Field::plain(2, "next_token"),
];
impl Described for messages::ParallelScanResponse {
    fn fields() -> Fields {
        PARALLEL_SCAN_RESPONSE
    }
}
static PRIMARY_KEY_SCHEMA: Fields = &[
    Field::text(1, "name"),
    Field::plain(2, "type"),
    Field::plain(3, "option"),
];
impl Described for messages::PrimaryKeySchema {
    fn fields() -> Fields {
        PRIMARY_KEY_SCHEMA
    }
}
static DEFINED_COLUMN_SCHEMA: Fields = &[
    Field::text(1, "name"),
    Field::plain(2, "type"),
];
impl Described for messages::DefinedColumnSchema {
    fn fields() -> Fields {
        DEFINED_COLUMN_SCHEMA
    }
}
static TABLE_OPTIONS: Fields = &[
    Field::plain(1, "time_to_live"),
    Field::plain(2, "max_versions"),
    Field::plain(3, "bloom_filter_type"),
    Field::plain(4, "block_size"),
    Field::plain(5, "deviation_cell_version_in_sec"),
    Field::plain(6, "allow_update"),
    Field::plain(7, "update_full_row"),
];
impl Described for messages::TableOptions {
    fn fields() -> Fields {
        TABLE_OPTIONS
    }
}
static TABLE_META: Fields = &[
    Field::text(1, "table_name"),
    Field::messages(
        2,
        "primary_key",
        &PRIMARY_KEY_SCHEMA,
        size_of::<messages::PrimaryKeySchema>(),
    ),
    Field::messages(
        3,
        "defined_column",
        &DEFINED_COLUMN_SCHEMA,
        size_of::<messages::DefinedColumnSchema>(),
    ),
    Field::messages(4, "index_meta", &INDEX_META, size_of::<messages::IndexMeta>()),
    Field::text(5, "table_id"),
    Field::text(6, "global_table_id"),
];
impl Described for messages::TableMeta {
    fn fields() -> Fields {
        TABLE_META
    }
}
static PARTITION_RANGE: Fields = &[Field::plain(1, "begin"), Field::plain(2, "end")];
impl Described for messages::PartitionRange {
    fn fields() -> Fields {
        PARTITION_RANGE
    }
}
static STREAM_SPECIFICATION: Fields = &[
    Field::plain(1, "enable_stream"),
    Field::plain(2, "expiration_time"),
    Field::texts(3, "columns_to_get"),
];
impl Described for messages::StreamSpecification {
    fn fields() -> Fields {
        STREAM_SPECIFICATION
    }
}
static STREAM_DETAILS: Fields = &[
    Field::plain(1, "enable_stream"),
    Field::text(2, "stream_id"),
    Field::plain(3, "expiration_time"),
    Field::plain(4, "last_enable_time"),
    Field::texts(5, "column_to_get"),
];
impl Described for messages::StreamDetails {
    fn fields() -> Fields {
        STREAM_DETAILS
    }
}
static S_S_E_SPECIFICATION: Fields = &[
    Field::plain(1, "enable"),
    Field::plain(2, "key_type"),
    Field::plain(3, "key_id"),
    Field::plain(4, "role_arn"),
];
impl Described for messages::SseSpecification {
    fn fields() -> Fields {
        S_S_E_SPECIFICATION
    }
}
static S_S_E_DETAILS: Fields = &[
    Field::plain(1, "enable"),
    Field::plain(2, "key_type"),
    Field::plain(3, "key_id"),
    Field::plain(4, "role_arn"),
];
impl Described for messages::SseDetails {
    fn fields() -> Fields {
        S_S_E_DETAILS
    }
}
static INDEX_META: Fields = &[
    Field::text(1, "name"),
    Field::texts(2, "primary_key"),
    Field::texts(3, "defined_column"),
    Field::plain(4, "index_update_mode"),
    Field::plain(5, "index_type"),
    Field::plain(6, "index_sync_phase"),
];
impl Described for messages::IndexMeta {
    fn fields() -> Fields {
        INDEX_META
    }
}
static CREATE_TABLE_REQUEST: Fields = &[
    Field::message(1, "table_meta", &TABLE_META),
    Field::message(2, "reserved_throughput", &RESERVED_THROUGHPUT),
    Field::message(3, "table_options", &TABLE_OPTIONS),
    Field::messages(
        4,
        "partitions",
        &PARTITION_RANGE,
        size_of::<messages::PartitionRange>(),
    ),
    Field::message(5, "stream_spec", &STREAM_SPECIFICATION),
    Field::message(6, "sse_spec", &S_S_E_SPECIFICATION),
    Field::messages(7, "index_metas", &INDEX_META, size_of::<messages::IndexMeta>()),
    Field::plain(8, "enable_local_txn"),
];
impl Described for messages::CreateTableRequest {
    fn fields() -> Fields {
        CREATE_TABLE_REQUEST
    }
}
static CREATE_TABLE_RESPONSE: Fields = &[];
impl Described for messages::CreateTableResponse {
    fn fields() -> Fields {
        CREATE_TABLE_RESPONSE
    }
}
static LIST_TABLE_REQUEST: Fields = &[];
impl Described for messages::ListTableRequest {
    fn fields() -> Fields {
        LIST_TABLE_REQUEST
    }
}
static LIST_TABLE_RESPONSE: Fields = &[Field::texts(1, "table_names")];
impl Described for messages::ListTableResponse {
    fn fields() -> Fields {
        LIST_TABLE_RESPONSE
    }
}
static DESCRIBE_TABLE_REQUEST: Fields = &[Field::text(1, "table_name")];
impl Described for messages::DescribeTableRequest {
    fn fields() -> Fields {
        DESCRIBE_TABLE_REQUEST
    }
}
static DESCRIBE_TABLE_RESPONSE: Fields = &[
    Field::message(1, "table_meta", &TABLE_META),
    Field::message(2, "reserved_throughput_details", &RESERVED_THROUGHPUT_DETAILS),
    Field::message(3, "table_options", &TABLE_OPTIONS),
    Field::plain(4, "table_status"),
    Field::message(5, "stream_details", &STREAM_DETAILS),
    Field::slices(6, "shard_splits"),
    Field::message(7, "sse_details", &S_S_E_DETAILS),
    Field::messages(8, "index_metas", &INDEX_META, size_of::<messages::IndexMeta>()),
    Field::plain(9, "creation_time"),
];
impl Described for messages::DescribeTableResponse {
    fn fields() -> Fields {
        DESCRIBE_TABLE_RESPONSE
    }
}
static UPDATE_TABLE_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::message(2, "reserved_throughput", &RESERVED_THROUGHPUT),
    Field::message(3, "table_options", &TABLE_OPTIONS),
    Field::message(4, "stream_spec", &STREAM_SPECIFICATION),
];
impl Described for messages::UpdateTableRequest {
    fn fields() -> Fields {
        UPDATE_TABLE_REQUEST
    }
}
static UPDATE_TABLE_RESPONSE: Fields = &[
    Field::message(1, "reserved_throughput_details", &RESERVED_THROUGHPUT_DETAILS),
    Field::message(2, "table_options", &TABLE_OPTIONS),
    Field::message(3, "stream_details", &STREAM_DETAILS),
];
impl Described for messages::UpdateTableResponse {
    fn fields() -> Fields {
        UPDATE_TABLE_RESPONSE
    }
}
static DELETE_TABLE_REQUEST: Fields = &[Field::text(1, "table_name")];
impl Described for messages::DeleteTableRequest {
    fn fields() -> Fields {
        DELETE_TABLE_REQUEST
    }
}
static DELETE_TABLE_RESPONSE: Fields = &[];
impl Described for messages::DeleteTableResponse {
    fn fields() -> Fields {
        DELETE_TABLE_RESPONSE
    }
}
static GET_RANGE_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::plain(2, "direction"),
    Field::texts(3, "columns_to_get"),
    Field::message(4, "time_range", &TIME_RANGE),
    Field::plain(5, "max_versions"),
    Field::plain(6, "limit"),
    Field::plain(7, "inclusive_start_primary_key"),
    Field::plain(8, "exclusive_end_primary_key"),
    Field::plain(9, "cache_blocks"),
    Field::plain(10, "filter"),
    Field::text(11, "start_column"),
    Field::text(12, "end_column"),
    Field::plain(13, "token"),
    Field::text(14, "transaction_id"),
    Field::plain(15, "data_block_type_hint"),
    Field::plain(16, "return_entire_primary_keys"),
    Field::plain(17, "compress_type_hint"),
];
impl Described for messages::GetRangeRequest {
    fn fields() -> Fields {
        GET_RANGE_REQUEST
    }
}
static GET_RANGE_RESPONSE: Fields = &[
    Field::message(1, "consumed", &CONSUMED_CAPACITY),
    Field::plain(2, "rows"),
    Field::plain(3, "next_start_primary_key"),
    Field::plain(4, "next_token"),
    Field::plain(5, "data_block_type"),
    Field::plain(6, "compress_type"),
];
impl Described for messages::GetRangeResponse {
    fn fields() -> Fields {
        GET_RANGE_RESPONSE
    }
}
static BULK_EXPORT_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::texts(2, "columns_to_get"),
    Field::plain(3, "inclusive_start_primary_key"),
    Field::plain(4, "exclusive_end_primary_key"),
    Field::plain(5, "filter"),
    Field::plain(6, "data_block_type_hint"),
];
impl Described for messages::BulkExportRequest {
    fn fields() -> Fields {
        BULK_EXPORT_REQUEST
    }
}
static BULK_EXPORT_RESPONSE: Fields = &[
    Field::message(1, "consumed", &CONSUMED_CAPACITY),
    Field::plain(2, "rows"),
    Field::plain(3, "next_start_primary_key"),
    Field::plain(4, "data_block_type"),
];
impl Described for messages::BulkExportResponse {
    fn fields() -> Fields {
        BULK_EXPORT_RESPONSE
    }
}
static BULK_IMPORT_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::messages(
        2,
        "rows",
        &ROW_IN_BULK_IMPORT_REQUEST,
        size_of::<messages::RowInBulkImportRequest>(),
    ),
];
impl Described for messages::BulkImportRequest {
    fn fields() -> Fields {
        BULK_IMPORT_REQUEST
    }
}
static ROW_IN_BULK_IMPORT_REQUEST: Fields = &[
    Field::plain(1, "type"),
    Field::plain(2, "row_change"),
];
impl Described for messages::RowInBulkImportRequest {
    fn fields() -> Fields {
        ROW_IN_BULK_IMPORT_REQUEST
    }
}
static BULK_IMPORT_RESPONSE: Fields = &[
    Field::text(1, "table_name"),
    Field::messages(
        2,
        "rows",
        &ROW_IN_BULK_IMPORT_RESPONSE,
        size_of::<messages::RowInBulkImportResponse>(),
    ),
];
impl Described for messages::BulkImportResponse {
    fn fields() -> Fields {
        BULK_IMPORT_RESPONSE
    }
}
static ROW_IN_BULK_IMPORT_RESPONSE: Fields = &[
    Field::plain(1, "is_ok"),
    Field::message(2, "error", &ERROR),
    Field::message(3, "consumed", &CONSUMED_CAPACITY),
];
impl Described for messages::RowInBulkImportResponse {
    fn fields() -> Fields {
        ROW_IN_BULK_IMPORT_RESPONSE
    }
}
static COMPUTE_SPLIT_POINTS_BY_SIZE_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::plain(2, "split_size"),
    Field::plain(3, "split_size_unit_in_byte"),
    Field::plain(4, "split_point_limit"),
];
impl Described for messages::ComputeSplitPointsBySizeRequest {
    fn fields() -> Fields {
        COMPUTE_SPLIT_POINTS_BY_SIZE_REQUEST
    }
}
static COMPUTE_SPLIT_POINTS_BY_SIZE_RESPONSE: Fields = &[
    Field::message(1, "consumed", &CONSUMED_CAPACITY),
    Field::messages(
        2,
        "schema",
        &PRIMARY_KEY_SCHEMA,
        size_of::<messages::PrimaryKeySchema>(),
    ),
    Field::slices(3, "split_points"),
    Field::messages(
        4,
        "locations",
        &SPLIT_LOCATION,
        size_of::<messages::SplitLocation>(),
    ),
];
impl Described for messages::ComputeSplitPointsBySizeResponse {
    fn fields() -> Fields {
        COMPUTE_SPLIT_POINTS_BY_SIZE_RESPONSE
    }
}
static SPLIT_LOCATION: Fields = &[Field::text(1, "location"), Field::plain(2, "repeat")];
impl Described for messages::SplitLocation {
    fn fields() -> Fields {
        SPLIT_LOCATION
    }
}
static GET_ROW_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::plain(2, "primary_key"),
    Field::texts(3, "columns_to_get"),
    Field::message(4, "time_range", &TIME_RANGE),
    Field::plain(5, "max_versions"),
    Field::plain(6, "cache_blocks"),
    Field::plain(7, "filter"),
    Field::text(8, "start_column"),
    Field::text(9, "end_column"),
    Field::plain(10, "token"),
    Field::text(11, "transaction_id"),
];
impl Described for messages::GetRowRequest {
    fn fields() -> Fields {
        GET_ROW_REQUEST
    }
}
static GET_ROW_RESPONSE: Fields = &[
    Field::message(1, "consumed", &CONSUMED_CAPACITY),
    Field::plain(2, "row"),
    Field::plain(3, "next_token"),
];
impl Described for messages::GetRowResponse {
    fn fields() -> Fields {
        GET_ROW_RESPONSE
    }
}
static PUT_ROW_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::plain(2, "row"),
    Field::message(3, "condition", &CONDITION),
    Field::message(4, "return_content", &RETURN_CONTENT),
    Field::text(5, "transaction_id"),
];
impl Described for messages::PutRowRequest {
    fn fields() -> Fields {
        PUT_ROW_REQUEST
    }
}
static PUT_ROW_RESPONSE: Fields = &[
    Field::message(1, "consumed", &CONSUMED_CAPACITY),
    Field::plain(2, "row"),
];
impl Described for messages::PutRowResponse {
    fn fields() -> Fields {
        PUT_ROW_RESPONSE
    }
}
static UPDATE_ROW_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::plain(2, "row_change"),
    Field::message(3, "condition", &CONDITION),
    Field::message(4, "return_content", &RETURN_CONTENT),
    Field::text(5, "transaction_id"),
];
impl Described for messages::UpdateRowRequest {
    fn fields() -> Fields {
        UPDATE_ROW_REQUEST
    }
}
static UPDATE_ROW_RESPONSE: Fields = &[
    Field::message(1, "consumed", &CONSUMED_CAPACITY),
    Field::plain(2, "row"),
];
impl Described for messages::UpdateRowResponse {
    fn fields() -> Fields {
        UPDATE_ROW_RESPONSE
    }
}
static DELETE_ROW_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::plain(2, "primary_key"),
    Field::message(3, "condition", &CONDITION),
    Field::message(4, "return_content", &RETURN_CONTENT),
    Field::text(5, "transaction_id"),
];
impl Described for messages::DeleteRowRequest {
    fn fields() -> Fields {
        DELETE_ROW_REQUEST
    }
}
static DELETE_ROW_RESPONSE: Fields = &[
    Field::message(1, "consumed", &CONSUMED_CAPACITY),
    Field::plain(2, "row"),
];
impl Described for messages::DeleteRowResponse {
    fn fields() -> Fields {
        DELETE_ROW_RESPONSE
    }
}
static CREATE_SEARCH_INDEX_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::text(2, "index_name"),
    Field::message(3, "schema", &INDEX_SCHEMA),
    Field::text(4, "source_index_name"),
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
    Field::messages(
        1,
        "field_schemas",
        &FIELD_SCHEMA,
        size_of::<messages::FieldSchema>(),
    ),
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
    Field::texts(2, "routing_fields"),
    Field::plain(3, "routing_partition_size"),
    Field::plain(7, "enable_custom_column_version"),
];
impl Described for messages::IndexSetting {
    fn fields() -> Fields {
        INDEX_SETTING
    }
}
static FIELD_SCHEMA: Fields = &[
    Field::text(1, "field_name"),
    Field::plain(2, "field_type"),
    Field::plain(3, "index_options"),
    Field::text(4, "analyzer"),
    Field::plain(5, "index"),
    Field::plain(6, "sort_and_agg"),
    Field::plain(7, "store"),
    Field::messages(
        8,
        "field_schemas",
        &FIELD_SCHEMA,
        size_of::<messages::FieldSchema>(),
    ),
    Field::plain(9, "is_array"),
    Field::plain(10, "analyzer_parameter"),
    Field::plain(11, "is_virtual_field"),
    Field::texts(12, "source_field_names"),
    Field::texts(13, "date_formats"),
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
    Field::text(1, "delimiter"),
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
    Field::text(1, "table_name"),
    Field::text(2, "index_name"),
    Field::text(3, "switch_index_name"),
    Field::messages(
        4,
        "query_flow_weight",
        &QUERY_FLOW_WEIGHT,
        size_of::<messages::QueryFlowWeight>(),
    ),
    Field::plain(5, "time_to_live"),
    Field::messages(
        6,
        "added_field_schemas",
        &FIELD_SCHEMA,
        size_of::<messages::FieldSchema>(),
    ),
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
    Field::text(1, "index_name"),
    Field::plain(2, "weight"),
];
impl Described for messages::QueryFlowWeight {
    fn fields() -> Fields {
        QUERY_FLOW_WEIGHT
    }
}
static DELETE_SEARCH_INDEX_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::text(2, "index_name"),
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
static LIST_SEARCH_INDEX_REQUEST: Fields = &[Field::text(1, "table_name")];
impl Described for messages::ListSearchIndexRequest {
    fn fields() -> Fields {
        LIST_SEARCH_INDEX_REQUEST
    }
}
static LIST_SEARCH_INDEX_RESPONSE: Fields = &[
    Field::messages(1, "indices", &INDEX_INFO, size_of::<messages::IndexInfo>()),
];
impl Described for messages::ListSearchIndexResponse {
    fn fields() -> Fields {
        LIST_SEARCH_INDEX_RESPONSE
    }
}
static INDEX_INFO: Fields = &[
    Field::text(1, "table_name"),
    Field::text(2, "index_name"),
];
impl Described for messages::IndexInfo {
    fn fields() -> Fields {
        INDEX_INFO
    }
}
static DESCRIBE_SEARCH_INDEX_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::text(2, "index_name"),
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
    Field::text(4, "brother_index_name"),
    Field::messages(
        5,
        "query_flow_weight",
        &QUERY_FLOW_WEIGHT,
        size_of::<messages::QueryFlowWeight>(),
    ),
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
    Field::text(2, "status_description"),
];
impl Described for messages::IndexStatus {
    fn fields() -> Fields {
        INDEX_STATUS
    }
}
static S_Q_L_QUERY_REQUEST: Fields = &[
    Field::text(1, "query"),
    Field::plain(2, "version"),
    Field::plain(3, "sql_version"),
    Field::text(5, "search_token"),
];
impl Described for messages::SqlQueryRequest {
    fn fields() -> Fields {
        S_Q_L_QUERY_REQUEST
    }
}
static S_Q_L_QUERY_RESPONSE: Fields = &[
    Field::messages(
        1,
        "consumes",
        &TABLE_CONSUMED_CAPACITY,
        size_of::<messages::TableConsumedCapacity>(),
    ),
    Field::plain(2, "rows"),
    Field::plain(3, "version"),
    Field::plain(4, "type"),
    Field::messages(
        5,
        "search_consumes",
        &SEARCH_CONSUMED_CAPACITY,
        size_of::<messages::SearchConsumedCapacity>(),
    ),
    Field::text(8, "next_search_token"),
];
impl Described for messages::SqlQueryResponse {
    fn fields() -> Fields {
        S_Q_L_QUERY_RESPONSE
    }
}
static TABLE_CONSUMED_CAPACITY: Fields = &[
    Field::text(1, "table_name"),
    Field::message(2, "consumed", &CONSUMED_CAPACITY),
    Field::message(3, "reserved_throughput", &RESERVED_THROUGHPUT),
    Field::plain(4, "is_timeseries_meta"),
];
impl Described for messages::TableConsumedCapacity {
    fn fields() -> Fields {
        TABLE_CONSUMED_CAPACITY
    }
}
static SEARCH_CONSUMED_CAPACITY: Fields = &[
    Field::text(1, "table_name"),
    Field::text(2, "index_name"),
    Field::message(3, "consumed", &CONSUMED_CAPACITY),
    Field::message(4, "reserved_throughput", &RESERVED_THROUGHPUT),
];
impl Described for messages::SearchConsumedCapacity {
    fn fields() -> Fields {
        SEARCH_CONSUMED_CAPACITY
    }
}
static ADD_DEFINED_COLUMN_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::messages(
        2,
        "columns",
        &DEFINED_COLUMN_SCHEMA,
        size_of::<messages::DefinedColumnSchema>(),
    ),
];
impl Described for messages::AddDefinedColumnRequest {
    fn fields() -> Fields {
        ADD_DEFINED_COLUMN_REQUEST
    }
}
static ADD_DEFINED_COLUMN_RESPONSE: Fields = &[];
impl Described for messages::AddDefinedColumnResponse {
    fn fields() -> Fields {
        ADD_DEFINED_COLUMN_RESPONSE
    }
}
static DELETE_DEFINED_COLUMN_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::texts(2, "columns"),
];
impl Described for messages::DeleteDefinedColumnRequest {
    fn fields() -> Fields {
        DELETE_DEFINED_COLUMN_REQUEST
    }
}
static DELETE_DEFINED_COLUMN_RESPONSE: Fields = &[];
impl Described for messages::DeleteDefinedColumnResponse {
    fn fields() -> Fields {
        DELETE_DEFINED_COLUMN_RESPONSE
    }
}
static CREATE_INDEX_REQUEST: Fields = &[
    Field::text(1, "main_table_name"),
    Field::message(2, "index_meta", &INDEX_META),
    Field::plain(3, "include_base_data"),
];
impl Described for messages::CreateIndexRequest {
    fn fields() -> Fields {
        CREATE_INDEX_REQUEST
    }
}
static CREATE_INDEX_RESPONSE: Fields = &[];
impl Described for messages::CreateIndexResponse {
    fn fields() -> Fields {
        CREATE_INDEX_RESPONSE
    }
}
static DROP_INDEX_REQUEST: Fields = &[
    Field::text(1, "main_table_name"),
    Field::text(2, "index_name"),
];
impl Described for messages::DropIndexRequest {
    fn fields() -> Fields {
        DROP_INDEX_REQUEST
    }
}
static DROP_INDEX_RESPONSE: Fields = &[];
impl Described for messages::DropIndexResponse {
    fn fields() -> Fields {
        DROP_INDEX_RESPONSE
    }
}
static START_LOCAL_TRANSACTION_REQUEST: Fields = &[
    Field::text(1, "table_name"),
    Field::plain(2, "key"),
];
impl Described for messages::StartLocalTransactionRequest {
    fn fields() -> Fields {
        START_LOCAL_TRANSACTION_REQUEST
    }
}
static START_LOCAL_TRANSACTION_RESPONSE: Fields = &[Field::text(1, "transaction_id")];
impl Described for messages::StartLocalTransactionResponse {
    fn fields() -> Fields {
        START_LOCAL_TRANSACTION_RESPONSE
    }
}
static COMMIT_TRANSACTION_REQUEST: Fields = &[Field::text(1, "transaction_id")];
impl Described for messages::CommitTransactionRequest {
    fn fields() -> Fields {
        COMMIT_TRANSACTION_REQUEST
    }
}
static COMMIT_TRANSACTION_RESPONSE: Fields = &[];
impl Described for messages::CommitTransactionResponse {
    fn fields() -> Fields {
        COMMIT_TRANSACTION_RESPONSE
    }
}
static ABORT_TRANSACTION_REQUEST: Fields = &[Field::text(1, "transaction_id")];
impl Described for messages::AbortTransactionRequest {
    fn fields() -> Fields {
        ABORT_TRANSACTION_REQUEST
    }
}
static ABORT_TRANSACTION_RESPONSE: Fields = &[];
impl Described for messages::AbortTransactionResponse {
    fn fields() -> Fields {
        ABORT_TRANSACTION_RESPONSE
    }
}
