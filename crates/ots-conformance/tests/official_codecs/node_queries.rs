//! Queries, with the sorts and highlights of their inner hits, in the words of the Node.js SDK: the
//! objects that it takes.
//!
//! As for Python the words come from our values and not from our messages, and what the SDK has no word
//! for is first taken out of the value; each such place has a comment with the reason.

use std::ops::Bound;

use bytes::Bytes;
use ots_proto::ColumnValue;
use ots_proto::messages;
use ots_proto::search::{
    DateOrigin, DateTimeValue, DecayParam, Function, GeoPoint, Highlight, InnerHits,
    MinimumShouldMatch, MissingValue, NestedFilter, Query, ScoreFunction, ScoreMode, Sort,
    SortOrder, Sorter,
};
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

/// A name of an enum: ours without our prefix, behind theirs.
macro_rules! word {
    ($value:expr, $type:literal, $ours:literal, $theirs:literal) => {
        $value.map_or(Json::Null, |value| {
            let name = value.as_str_name().strip_prefix($ours).unwrap();
            json!({ "enum": format!("{}.{}{name}", $type, $theirs) })
        })
    };
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
                ("innerHits", hits.map_or(Json::Null, inner_hits)),
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
                    query.functions.iter_mut().map(score_function).collect(),
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

fn score_function(of: &mut ScoreFunction) -> Json {
    not_zero(&mut of.weight);
    let filter = of.filter.as_deref_mut();
    let (name, body) = match &mut of.function {
        None => ("none", Json::Null),
        Some(Function::Random) => ("randomFunction", json!({})),
        Some(Function::FieldValueFactor(factor)) => {
            let modifier = factor.modifier;
            let body = [
                ("fieldName", json!(factor.field)),
                ("factor", json!(factor.factor)),
                (
                    "modifier",
                    word!(modifier, "FunctionModifier", "FUNCTION_MODIFIER_", "FM_"),
                ),
                ("missing", json!(factor.missing)),
            ];
            ("fieldValueFactorFunction", object(body))
        }
        Some(Function::Decay(decay)) => {
            not_zero(&mut decay.decay);
            let (kind, param) = decay_param(&mut decay.param);
            let math = Some(decay.math_function);
            let mode = decay.multi_value_mode;
            let body = [
                ("fieldName", json!(decay.field)),
                (
                    "mathFunction",
                    word!(math, "MathFunction", "DECAY_MATH_FUNCTION_", ""),
                ),
                (
                    "decayParamType",
                    json!({ "enum": format!("DecayFuncParamType.{kind}") }),
                ),
                ("decayParam", param),
                ("decay", json!(decay.decay)),
                (
                    "multiValueMode",
                    word!(mode, "MultiValueMode", "MULTI_VALUE_MODE_", "MVM_"),
                ),
            ];
            ("decayFunction", object(body))
        }
        Some(newer) => panic!("no word for {newer:?}"),
    };
    object([
        ("weight", json!(of.weight)),
        ("filter", filter.map_or(Json::Null, say)),
        (name, body),
    ])
}

fn decay_param(of: &mut DecayParam) -> (&'static str, Json) {
    match of {
        DecayParam::Date(date) => {
            let (epoch, text) = match &mut date.origin {
                DateOrigin::Epoch(epoch) => {
                    // A number of its language, which has 53 bits.
                    *epoch &= (1 << 53) - 1;
                    (json!(epoch), Json::Null)
                }
                DateOrigin::Text(text) => (Json::Null, json!(text)),
            };
            let body = [
                ("originLong", epoch),
                ("originString", text),
                ("scale", span(&date.scale)),
                ("offset", date.offset.as_ref().map_or(Json::Null, span)),
            ];
            ("DF_DATE_PARAM", object(body))
        }
        DecayParam::Numeric(numeric) => {
            let body = [
                ("origin", json!(numeric.origin)),
                ("scale", json!(numeric.scale)),
                ("offset", json!(numeric.offset)),
            ];
            ("DF_NUMERIC_PARAM", object(body))
        }
        DecayParam::Geo(geo) => {
            let body = [
                ("origin", json!(geo.origin.to_string())),
                ("scale", json!(geo.scale_metres)),
                ("offset", json!(geo.offset_metres)),
            ];
            ("DF_GEO_PARAM", object(body))
        }
    }
}

fn span(of: &DateTimeValue) -> Json {
    let unit = Some(of.unit);
    json!({ "value": of.value, "unit": word!(unit, "DateTimeUnit", "DATE_TIME_UNIT_", "") })
}

fn inner_hits(hits: &mut InnerHits) -> Json {
    not_zero(&mut hits.offset);
    not_zero(&mut hits.limit);
    object([
        ("sort", hits.sort.as_mut().map_or(Json::Null, sort)),
        ("offset", json!(hits.offset)),
        ("limit", json!(hits.limit)),
        (
            "highlight",
            hits.highlight.as_ref().map_or(Json::Null, highlight),
        ),
    ])
}

fn highlight(of: &Highlight) -> Json {
    let parameters = of.parameters.iter().map(|part| {
        let order = part.fragments_order;
        let prefix = "HIGHLIGHT_FRAGMENT_ORDER_";
        let order = order.map_or(Json::Null, |order| {
            let name = order.as_str_name().strip_prefix(prefix).unwrap();
            json!({ "enum": format!("HighlightFragmentOrder.{name}") })
        });
        object([
            ("fieldName", json!(part.field)),
            ("numberOfFragments", json!(part.number_of_fragments)),
            ("fragmentSize", json!(part.fragment_size)),
            ("preTag", json!(part.pre_tag)),
            ("postTag", json!(part.post_tag)),
            ("fragmentsOrder", order),
        ])
    });
    let encoder = of.encoder.map_or(Json::Null, |encoder| {
        let name = encoder
            .as_str_name()
            .strip_prefix("HIGHLIGHT_ENCODER_")
            .unwrap();
        json!({ "enum": format!("HighlightEncoder.{name}_MODE") })
    });
    object([
        ("highlightParameters", parameters.collect()),
        ("highlightEncoder", encoder),
    ])
}

fn order(of: Option<SortOrder>) -> Json {
    word!(of, "SortOrder", "", "")
}

fn sort(of: &mut Sort) -> Json {
    // Not an option.
    of.disable_default_pk_sorter = None;
    json!({ "sorters": of.sorters.iter_mut().map(sorter).collect::<Json>() })
}

fn sorter(of: &mut Sorter) -> Json {
    match of {
        Sorter::Field(sort) => {
            // What its language takes for nothing, and rows that come first or last.
            let is_something = match &sort.missing_value {
                Some(MissingValue::Value(value)) => match value {
                    ColumnValue::Boolean(is) => *is,
                    ColumnValue::String(text) => !text.is_empty(),
                    ColumnValue::Double(double) => *double != 0.0,
                    _ => true,
                },
                _ => false,
            };
            if !is_something {
                sort.missing_value = None;
            }
            not_zero(&mut sort.missing_field);
            let missing = match &sort.missing_value {
                Some(MissingValue::Value(missing)) => value(missing),
                _ => Json::Null,
            };
            let body = [
                ("fieldName", json!(sort.field)),
                ("order", order(sort.order)),
                ("mode", word!(sort.mode, "SortMode", "", "")),
                ("missingValue", missing),
                ("missingField", json!(sort.missing_field)),
                (
                    "nestedFilter",
                    nested_filter(sort.nested_filter.as_deref_mut()),
                ),
            ];
            json!({ "fieldSort": object(body) })
        }
        Sorter::GeoDistance(sort) => {
            let distance = sort.distance_type;
            let distance = word!(
                distance,
                "GeoDistanceType",
                "GEO_DISTANCE_TYPE_",
                "GEO_DISTANCE_"
            );
            let body = [
                ("fieldName", json!(sort.field)),
                ("points", points(&sort.points)),
                ("order", order(sort.order)),
                ("mode", word!(sort.mode, "SortMode", "", "")),
                ("distanceType", distance),
                (
                    "nestedFilter",
                    nested_filter(sort.nested_filter.as_deref_mut()),
                ),
            ];
            json!({ "geoDistanceSort": object(body) })
        }
        Sorter::Score(by) => json!({ "scoreSort": object([("order", order(*by))]) }),
        Sorter::PrimaryKey(by) => json!({ "primaryKeySort": object([("order", order(*by))]) }),
        Sorter::Doc(by) => json!({ "docSort": object([("order", order(*by))]) }),
        newer => panic!("no word for {newer:?}"),
    }
}

fn nested_filter(of: Option<&mut NestedFilter>) -> Json {
    of.map_or(
        Json::Null,
        |of| json!({ "path": of.path, "filter": say(&mut of.filter) }),
    )
}
