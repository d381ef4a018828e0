//! Queries, with the sorts and highlights of their inner hits, in the words of the Node.js SDK: the
//! objects that it takes.
//!
//! As for Python the words come from our values and not from our messages, and what the SDK has no word
//! for is first taken out of the value; each such place has a comment with the reason.

/// A name of an enum: ours without our prefix, behind theirs.
macro_rules! word {
    ($value:expr, $type:literal, $ours:literal, $theirs:literal) => {
        $value.map_or(Json::Null, |value| {
            let name = value.as_str_name().strip_prefix($ours).unwrap();
            json!({ "enum": format!("{}.{}{name}", $type, $theirs) })
        })
    };
}

mod functions;
mod hits;

use std::ops::Bound;

use bytes::Bytes;
use ots_proto::ColumnValue;
use ots_proto::messages;
use ots_proto::search::{GeoPoint, MinimumShouldMatch, Query, ScoreMode};
use prost::Message as _;
use serde_json::{Map, Value as Json, json};

use crate::referee::{Question, same_bytes, same_value};
use crate::say::canonical;

/// Their encoder writes a query as we do, and we decode what it wrote.
pub(crate) const QUERY: [Question<Query>; 1] = [Question {
    ask: "encode_query",
    case: |query| said(query).1,
    check: |query, theirs| {
        let (query, _) = said(query);
        same_bytes(theirs, &query.to_message().encode_to_vec())?;
        let theirs: Bytes = hex::decode(theirs.as_str().unwrap()).unwrap().into();
        let message = messages::Query::decode(theirs).map_err(|e| e.to_string())?;
        same_value(Query::from_message(&message), &query)
    },
}];

/// The value with only what the SDK has words for, and the words.
fn said(query: &Query) -> (Query, Json) {
    let mut query = query.clone();
    let words = say(&mut query);
    (query, words)
}

/// An object; what is absent is left out.
fn object<const N: usize>(parts: [(&str, Json); N]) -> Json {
    let parts = parts.into_iter().filter(|(_, part)| !part.is_null());
    let parts = parts.map(|(name, part)| (name.to_owned(), part));
    Json::Object(parts.collect::<Map<_, _>>())
}

fn value(of: &ColumnValue) -> Json {
    json!(canonical(of))
}

fn points(of: &[GeoPoint]) -> Json {
    of.iter().map(GeoPoint::to_string).collect()
}

fn all(queries: &mut [Query]) -> Json {
    // An absent list and an empty one are one.
    if queries.is_empty() {
        return Json::Null;
    }
    queries.iter_mut().map(say).collect()
}

/// The SDK takes zero for nothing.
fn not_zero<T: PartialEq + Default>(of: &mut Option<T>) {
    if of.as_ref() == Some(&T::default()) {
        *of = None;
    }
}

fn say(query: &mut Query) -> Json {
    let (kind, body) = say_kind(query);
    json!({ "queryType": { "enum": format!("QueryType.{kind}_QUERY") }, "query": body })
}

fn say_kind(query: &mut Query) -> (&'static str, Json) {
    // The SDK has no such kinds.
    if let Query::Suffix(_) | Query::DisMax(_) = query {
        *query = Query::MatchAll;
    }
    match query {
        Query::MatchAll => ("MATCH_ALL", json!({})),
        Query::Match(query) => {
            // Numbers only.
            if let Some(MinimumShouldMatch::Text(_)) = query.minimum_should_match {
                query.minimum_should_match = None;
            }
            let body = [
                ("fieldName", json!(query.field)),
                ("text", json!(query.text)),
                (
                    "minimumShouldMatch",
                    minimum(query.minimum_should_match.as_ref()),
                ),
                (
                    "operator",
                    word!(query.operator, "QueryOperator", "QUERY_OPERATOR_", ""),
                ),
                ("weight", json!(query.weight)),
            ];
            ("MATCH", object(body))
        }
        Query::MatchPhrase(query) => {
            // A phrase of the SDK has no slop.
            query.slop = None;
            let body = [
                ("fieldName", json!(query.field)),
                ("text", json!(query.text)),
                ("weight", json!(query.weight)),
            ];
            ("MATCH_PHRASE", object(body))
        }
        Query::Term(query) => {
            let body = [
                ("fieldName", json!(query.field)),
                ("term", value(&query.value)),
                ("weight", json!(query.weight)),
            ];
            ("TERM", object(body))
        }
        Query::Terms(query) => {
            let body = [
                ("fieldName", json!(query.field)),
                ("terms", query.values.iter().map(value).collect()),
                ("weight", json!(query.weight)),
            ];
            ("TERMS", object(body))
        }
        Query::Range(query) => {
            let ((from, lower), (to, upper)) = (end(&query.from), end(&query.to));
            let body = [
                ("fieldName", json!(query.field)),
                ("rangeFrom", from),
                ("includeLower", lower),
                ("rangeTo", to),
                ("includeUpper", upper),
            ];
            ("RANGE", object(body))
        }
        Query::Prefix(query) => {
            let body = [
                ("fieldName", json!(query.field)),
                ("prefix", json!(query.prefix)),
                ("weight", json!(query.weight)),
            ];
            ("PREFIX", object(body))
        }
        Query::Wildcard(query) => {
            let body = [
                ("fieldName", json!(query.field)),
                ("value", json!(query.pattern)),
                ("weight", json!(query.weight)),
            ];
            ("WILDCARD", object(body))
        }
        Query::Bool(query) => {
            // It wants a number with clauses that should match, and sends none without; it has no weight.
            query.minimum_should_match = match &query.minimum_should_match {
                _ if query.should.is_empty() => None,
                Some(MinimumShouldMatch::Count(count)) => Some(MinimumShouldMatch::Count(*count)),
                _ => Some(MinimumShouldMatch::Count(1)),
            };
            query.weight = None;
            let body = [
                ("mustQueries", all(&mut query.must)),
                ("mustNotQueries", all(&mut query.must_not)),
                ("filterQueries", all(&mut query.filter)),
                ("shouldQueries", all(&mut query.should)),
                (
                    "minimumShouldMatch",
                    minimum(query.minimum_should_match.as_ref()),
                ),
            ];
            ("BOOL", object(body))
        }
        Query::Nested(query) => {
            // Always sent.
            query.score_mode.get_or_insert(ScoreMode::Avg);
            let hits = query.inner_hits.as_deref_mut();
            let body = [
                ("path", json!(query.path)),
                ("query", say(&mut query.query)),
                ("scoreMode", word!(query.score_mode, "ScoreMode", "", "")),
                ("weight", json!(query.weight)),
                ("innerHits", hits.map_or(Json::Null, hits::say)),
            ];
            ("NESTED", object(body))
        }
        Query::Exists(query) => ("EXISTS", json!({ "fieldName": query.field })),
        Query::ConstScore(query) => ("CONST_SCORE", json!({ "filter": say(&mut query.filter) })),
        Query::FunctionScore(query) => {
            let body = json!({
                "query": say(&mut query.query),
                "fieldValueFactor": { "fieldName": query.field_value_factor },
            });
            ("FUNCTION_SCORE", body)
        }
        Query::FunctionsScore(query) => {
            not_zero(&mut query.min_score);
            not_zero(&mut query.max_score);
            let score = word!(
                query.score_mode,
                "FSMScoreMode",
                "FUNCTION_SCORE_MODE_",
                "FSM_"
            );
            let combine = query.combine_mode;
            let body = [
                ("query", say(&mut query.query)),
                ("minScore", json!(query.min_score)),
                ("maxScore", json!(query.max_score)),
                ("scoreMode", score),
                (
                    "combineMode",
                    word!(combine, "FSMCombineMode", "FUNCTION_COMBINE_MODE_", "FCM_"),
                ),
                (
                    "functions",
                    query.functions.iter_mut().map(functions::say).collect(),
                ),
            ];
            ("FUNCTIONS_SCORE", object(body))
        }
        Query::GeoDistance(query) => {
            let body = json!({
                "fieldName": query.field,
                "centerPoint": query.center_point.to_string(),
                "distance": query.distance_metres,
            });
            ("GEO_DISTANCE", body)
        }
        Query::GeoBoundingBox(query) => {
            let body = json!({
                "fieldName": query.field,
                "topLeft": query.top_left.to_string(),
                "bottomRight": query.bottom_right.to_string(),
            });
            ("GEO_BOUNDING_BOX", body)
        }
        Query::GeoPolygon(query) => {
            let body = json!({ "fieldName": query.field, "points": points(&query.points) });
            ("GEO_POLYGON", body)
        }
        Query::KnnVector(query) => {
            // No such options.
            (query.min_score, query.num_candidates) = (None, None);
            not_zero(&mut query.weight);
            query.top_k = query.top_k.max(1);
            let filter = query.filter.as_deref_mut();
            let body = [
                ("fieldName", json!(query.field)),
                ("topK", json!(query.top_k)),
                ("float32QueryVector", json!(query.vector)),
                ("filter", filter.map_or(Json::Null, say)),
                ("weight", json!(query.weight)),
            ];
            ("KNN_VECTOR", object(body))
        }
        newer => panic!("no word for {newer:?}"),
    }
}

fn minimum(of: Option<&MinimumShouldMatch>) -> Json {
    match of {
        Some(MinimumShouldMatch::Count(count)) => json!(count),
        _ => Json::Null,
    }
}

/// The value, and whether it belongs to the range.
fn end(bound: &Bound<ColumnValue>) -> (Json, Json) {
    match bound {
        Bound::Included(of) => (value(of), json!(true)),
        Bound::Excluded(of) => (value(of), json!(false)),
        Bound::Unbounded => (Json::Null, Json::Null),
    }
}
