//! Queries as JSON, in the style that search engines made familiar.

mod object;
mod read;
mod read_score;
mod read_sort;
mod serde;
mod word;
mod write;
mod write_sort;

use std::fmt;

use serde_json::Value;

use super::query::Query;
use super::query::place::Place;

/// Why JSON isn't a query: where in the document, and what stands there.
#[derive(Debug, PartialEq, Eq)]
pub struct JsonError {
    path: String,
    problem: String,
}

impl JsonError {
    fn new(place: &Place<'_>, problem: impl Into<String>) -> Self {
        Self {
            path: place.to_string(),
            problem: problem.into(),
        }
    }

    /// Where in the document, as in `$.bool.must[2].term`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl std::error::Error for JsonError {}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the query at {}: {}", self.path, self.problem)
    }
}

impl Query {
    /// Reads a query from JSON: an object with one entry, whose name is the kind of query.
    ///
    /// | kind | in short | with options |
    /// |---|---|---|
    /// | `match_all` | `{}` | |
    /// | `match` | `{"title": "tea house"}` | `{"title": {"text", "operator", "minimum_should_match", "weight"}}` |
    /// | `match_phrase` | `{"title": "tea house"}` | `{"title": {"text", "slop", "weight"}}` |
    /// | `term` | `{"city": "Hangzhou"}` | `{"city": {"value", "weight"}}` |
    /// | `terms` | `{"id": [1, 2]}` | `{"id": {"values", "weight"}}` |
    /// | `range` | `{"age": {"gte": 18, "lt": 65}}`, also `gt` and `lte` | |
    /// | `prefix`, `suffix`, `wildcard` | `{"name": "San"}` | `{"name": {"value", "weight"}}` |
    /// | `exists` | `{"field": "left"}` | |
    /// | `bool` | | `{"must", "must_not", "filter", "should", "minimum_should_match", "weight"}`, each clause a query or an array of them |
    /// | `nested` | | `{"path", "query", "score_mode", "weight", "inner_hits"}` |
    /// | `const_score` | `{"filter": QUERY}` | |
    /// | `function_score` | `{"query": QUERY, "field_value_factor": {"field": "likes"}}` | |
    /// | `functions_score` | | `{"query", "functions", "score_mode", "combine_mode", "min_score", "max_score"}` |
    /// | `dis_max` | | `{"queries", "tie_breaker", "weight"}` |
    /// | `geo_distance` | `{"place": {"center_point": POINT, "distance_metres": 500}}` | |
    /// | `geo_bounding_box` | `{"place": {"top_left": POINT, "bottom_right": POINT}}` | |
    /// | `geo_polygon` | `{"place": [POINT, POINT, POINT]}` | |
    /// | `knn_vector` | | `{"field", "query_vector", "top_k", "filter", "num_candidates", "min_score", "weight"}` |
    ///
    /// A `POINT` is text, `"30.25,120.14"`, or `{"lat": 30.25, "lon": 120.14}`. Options that are one of
    /// a few words have the words of [`QueryOperator`](super::QueryOperator),
    /// [`ScoreMode`](super::ScoreMode) and so on, in small letters.
    ///
    /// A function of `functions_score` is one of these, or none, and `weight` and `filter` beside it:
    ///
    /// - `"field_value_factor": {"field", "factor", "modifier", "missing"}`
    /// - `"random": {}`
    /// - `"decay": {"field", "math_function", "decay", "multi_value_mode"}` and one of
    ///   `"numeric": {"origin", "scale", "offset"}`,
    ///   `"geo": {"origin", "scale_metres", "offset_metres"}` and
    ///   `"date": {"origin", "scale", "offset"}`, whose origin is a number or text, and whose lengths
    ///   are as `{"value": 1, "unit": "month"}`.
    ///
    /// `inner_hits` are `{"sort", "offset", "limit", "highlight"}`:
    ///
    /// - `sort` is an array of sorters, or `{"sorters", "disable_default_pk_sorter"}`. A sorter is one of
    ///   `{"field": {"price": {"order", "mode", "missing_value", "missing_field", "nested_filter"}}}`,
    ///   `{"geo_distance": {"place": {"points", "order", "mode", "distance_type", "nested_filter"}}}`,
    ///   `{"score": {"order"}}`, `{"primary_key": {"order"}}` and `{"doc": {"order"}}`. A
    ///   `missing_value` is `{"first": true}`, `{"last": true}` or a value; a nested filter is
    ///   `{"path", "filter"}`.
    /// - `highlight` is `{"parameters", "encoder"}`, each parameter
    ///   `{"field", "number_of_fragments", "fragment_size", "pre_tag", "post_tag", "fragments_order"}`.
    ///
    /// ```
    /// use ots_proto::search::Query;
    /// use serde_json::json;
    ///
    /// let query = Query::from_json(&json!({ "bool": {
    ///     "must": { "match": { "title": { "text": "tea house", "operator": "and" } } },
    ///     "filter": [
    ///         { "range": { "stars": { "gte": 4 } } },
    ///         { "geo_distance": { "place": { "center_point": "30.25,120.14", "distance_metres": 500 } } },
    ///     ],
    /// } }))?;
    /// assert_eq!(Query::from_json(&query.to_json())?, query);
    ///
    /// let error = Query::from_json(&json!({ "match": { "title": { "text": "tea", "wieght": 2 } } }));
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "the query at $.match.title.wieght: unknown option; did you mean \"weight\"? Known are text, \
    ///      operator, minimum_should_match, weight",
    /// );
    /// # Ok::<(), ots_proto::search::JsonError>(())
    /// ```
    ///
    /// A query is `Deserialize` and `Serialize` too: it is read from text with
    /// `serde_json::from_str`, and may be a field of a struct that is read with serde.
    ///
    /// # Errors
    /// When the document isn't such a query, or a query lies inside more than 64 others; the error says
    /// where.
    pub fn from_json(json: &Value) -> Result<Self, JsonError> {
        read::query(json, &Place::root("$"))
    }

    /// Writes the query as JSON that [`from_json`](Self::from_json) reads, in short where it has no
    /// options. What JSON can't say becomes null, which is refused where it is read: binary values, NaN
    /// and the infinities, none of which an index field can hold.
    #[must_use]
    pub fn to_json(&self) -> Value {
        write::query(self)
    }
}

#[cfg(test)]
mod tests;
