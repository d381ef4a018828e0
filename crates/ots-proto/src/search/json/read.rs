//! JSON becomes a query.

use std::ops::Bound;

use serde_json::Value;

use super::object::{
    Options, array, count, double, float, int32, only_entry, point, scalar, text, unknown,
};
use super::read_score::functions_score;
use super::read_sort::inner_hits;
use super::{JsonError, word};
use crate::search::query::place::{MAX_DEPTH, Place};
use crate::search::query::{
    BoolQuery, ConstScoreQuery, DisMaxQuery, FunctionScoreQuery, KnnVectorQuery, MatchPhraseQuery,
    MatchQuery, MinimumShouldMatch, NestedQuery, PrefixQuery, Query, RangeQuery, SuffixQuery,
    TermQuery, TermsQuery, WildcardQuery,
};

pub(super) fn query(json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    if place.is_too_deep() {
        let problem = format!("nested more than {MAX_DEPTH} levels deep");
        return Err(JsonError::new(place, problem));
    }
    let (kind, body) = only_entry(json, place, "the kind of query, as in {\"term\": ...}")?;
    let place = &place.body(kind);
    match kind {
        "match_all" => Options::of(body, place, &[]).map(|_| Query::MatchAll),
        "match" => of_field(body, place, match_text),
        "match_phrase" => of_field(body, place, match_phrase),
        "term" => of_field(body, place, term),
        "terms" => of_field(body, place, terms),
        "range" => of_field(body, place, range),
        "prefix" => of_field(body, place, |field, json, place| {
            let (value, weight) = text_and_weight(json, place)?;
            let mut query = PrefixQuery::new(field, value);
            query.weight = weight;
            Ok(query.into())
        }),
        "suffix" => of_field(body, place, |field, json, place| {
            let (value, weight) = text_and_weight(json, place)?;
            let mut query = SuffixQuery::new(field, value);
            query.weight = weight;
            Ok(query.into())
        }),
        "wildcard" => of_field(body, place, |field, json, place| {
            let (value, weight) = text_and_weight(json, place)?;
            let mut query = WildcardQuery::new(field, value);
            query.weight = weight;
            Ok(query.into())
        }),
        "exists" => {
            let options = Options::of(body, place, &["field"])?;
            Ok(Query::exists(options.required("field", text)?))
        }
        "bool" => boolean(body, place),
        "nested" => nested(body, place),
        "const_score" => {
            let options = Options::of(body, place, &["filter"])?;
            Ok(ConstScoreQuery::new(options.required("filter", query)?).into())
        }
        "function_score" => function_score(body, place),
        "functions_score" => functions_score(body, place),
        "dis_max" => dis_max(body, place),
        "geo_distance" => of_field(body, place, |field, json, place| {
            let options = Options::of(json, place, &["center_point", "distance_metres"])?;
            let center_point = options.required("center_point", point)?;
            let distance_metres = options.required("distance_metres", double)?;
            Ok(Query::geo_distance(field, center_point, distance_metres))
        }),
        "geo_bounding_box" => of_field(body, place, |field, json, place| {
            let options = Options::of(json, place, &["top_left", "bottom_right"])?;
            let top_left = options.required("top_left", point)?;
            let bottom_right = options.required("bottom_right", point)?;
            Ok(Query::geo_bounding_box(field, top_left, bottom_right))
        }),
        "geo_polygon" => of_field(body, place, |field, json, place| {
            Ok(Query::geo_polygon(field, array(json, place, point)?))
        }),
        "knn_vector" => knn_vector(body, place),
        other => Err(JsonError::new(
            place,
            unknown("kind of query", other, KINDS),
        )),
    }
}

/// Every kind there is.
pub(super) const KINDS: &[&str] = &[
    "match_all",
    "match",
    "match_phrase",
    "term",
    "terms",
    "range",
    "prefix",
    "suffix",
    "wildcard",
    "exists",
    "bool",
    "nested",
    "const_score",
    "function_score",
    "functions_score",
    "dis_max",
    "geo_distance",
    "geo_bounding_box",
    "geo_polygon",
    "knn_vector",
];

/// A query about one field, whose name stands around the rest.
fn of_field(
    body: &Value,
    place: &Place<'_>,
    read: impl FnOnce(&str, &Value, &Place<'_>) -> Result<Query, JsonError>,
) -> Result<Query, JsonError> {
    let (field, body) = only_entry(body, place, "the field, as in {\"city\": ...}")?;
    read(field, body, &place.key(field))
}

fn match_text(field: &str, json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    if let Value::String(text) = json {
        return Ok(MatchQuery::new(field, text).into());
    }
    let known = ["text", "operator", "minimum_should_match", "weight"];
    let options = Options::of(json, place, &known)?;
    let mut query = MatchQuery::new(field, options.required("text", text)?);
    query.operator = options.optional("operator", word::read)?;
    query.minimum_should_match = options.optional("minimum_should_match", minimum)?;
    query.weight = options.optional("weight", float)?;
    Ok(query.into())
}

fn match_phrase(field: &str, json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    if let Value::String(text) = json {
        return Ok(MatchPhraseQuery::new(field, text).into());
    }
    let options = Options::of(json, place, &["text", "slop", "weight"])?;
    let mut query = MatchPhraseQuery::new(field, options.required("text", text)?);
    query.slop = options.optional("slop", count)?;
    query.weight = options.optional("weight", float)?;
    Ok(query.into())
}

fn term(field: &str, json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    if !json.is_object() {
        return Ok(TermQuery::new(field, scalar(json, place)?).into());
    }
    let options = Options::of(json, place, &["value", "weight"])?;
    let mut query = TermQuery::new(field, options.required("value", scalar)?);
    query.weight = options.optional("weight", float)?;
    Ok(query.into())
}

fn terms(field: &str, json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    let values = |json: &Value, place: &Place<'_>| array(json, place, scalar);
    if !json.is_object() {
        return Ok(TermsQuery::new(field, values(json, place)?).into());
    }
    let options = Options::of(json, place, &["values", "weight"])?;
    let mut query = TermsQuery::new(field, options.required("values", values)?);
    query.weight = options.optional("weight", float)?;
    Ok(query.into())
}

fn range(field: &str, json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    let options = Options::of(json, place, &["gt", "gte", "lt", "lte"])?;
    let bound = |included, excluded| {
        Ok(match options.at_most_one(&[included, excluded])? {
            Some(name) if name == included => Bound::Included(options.required(name, scalar)?),
            Some(name) => Bound::Excluded(options.required(name, scalar)?),
            None => Bound::Unbounded,
        })
    };
    let mut query = RangeQuery::new(field);
    query.from = bound("gte", "gt")?;
    query.to = bound("lte", "lt")?;
    Ok(query.into())
}

/// Text alone, or with a weight.
fn text_and_weight(json: &Value, place: &Place<'_>) -> Result<(String, Option<f32>), JsonError> {
    if !json.is_object() {
        return Ok((text(json, place)?, None));
    }
    let options = Options::of(json, place, &["value", "weight"])?;
    let weight = options.optional("weight", float)?;
    Ok((options.required("value", text)?, weight))
}

fn boolean(json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    let known = [
        "must",
        "must_not",
        "filter",
        "should",
        "minimum_should_match",
        "weight",
    ];
    let options = Options::of(json, place, &known)?;
    let clause = |name| Ok(options.optional(name, one_or_more)?.unwrap_or_default());
    let mut query = BoolQuery::new();
    query.must = clause("must")?;
    query.must_not = clause("must_not")?;
    query.filter = clause("filter")?;
    query.should = clause("should")?;
    query.minimum_should_match = options.optional("minimum_should_match", minimum)?;
    query.weight = options.optional("weight", float)?;
    Ok(query.into())
}

fn one_or_more(json: &Value, place: &Place<'_>) -> Result<Vec<Query>, JsonError> {
    if json.is_array() {
        return array(json, place, query);
    }
    Ok(vec![query(json, place)?])
}

fn minimum(json: &Value, place: &Place<'_>) -> Result<MinimumShouldMatch, JsonError> {
    match json {
        Value::String(text) => Ok(text.as_str().into()),
        Value::Number(_) => int32(json, place).map(Into::into),
        _ => Err(JsonError::new(
            place,
            "expected a number, or text such as \"75%\"",
        )),
    }
}

fn nested(json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    let known = ["path", "query", "score_mode", "weight", "inner_hits"];
    let options = Options::of(json, place, &known)?;
    let path = options.required("path", text)?;
    let mut nested = NestedQuery::new(path, options.required("query", query)?);
    nested.score_mode = options.optional("score_mode", word::read)?;
    nested.weight = options.optional("weight", float)?;
    nested.inner_hits = options.optional("inner_hits", inner_hits)?.map(Box::new);
    Ok(nested.into())
}

fn function_score(json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    let options = Options::of(json, place, &["query", "field_value_factor"])?;
    let field = options.required("field_value_factor", |json, place| {
        Options::of(json, place, &["field"])?.required("field", text)
    })?;
    let query = options.required("query", query)?;
    Ok(FunctionScoreQuery::new(query, field).into())
}

fn dis_max(json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    let options = Options::of(json, place, &["queries", "tie_breaker", "weight"])?;
    let queries = options.required("queries", |json, place| array(json, place, query))?;
    let mut dis_max = DisMaxQuery::new(queries);
    dis_max.tie_breaker = options.optional("tie_breaker", float)?;
    dis_max.weight = options.optional("weight", float)?;
    Ok(dis_max.into())
}

fn knn_vector(json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    let known = [
        "field",
        "query_vector",
        "top_k",
        "filter",
        "num_candidates",
        "min_score",
        "weight",
    ];
    let options = Options::of(json, place, &known)?;
    let field = options.required("field", text)?;
    let vector = options.required("query_vector", |json, place| array(json, place, float))?;
    let mut knn = KnnVectorQuery::new(field, vector, options.required("top_k", count)?);
    knn.filter = options.optional("filter", query)?.map(Box::new);
    knn.num_candidates = options.optional("num_candidates", count)?;
    knn.min_score = options.optional("min_score", float)?;
    knn.weight = options.optional("weight", float)?;
    Ok(knn.into())
}
