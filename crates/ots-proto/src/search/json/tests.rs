//! What is read, what is written, and what is refused with which words.

use serde_json::{Value, json};

use super::read::KINDS;
use super::*;
use crate::ColumnValue;
use crate::search::{
    BoolQuery, DateParam, DateTimeUnit, DateTimeValue, Decay, DecayMathFunction, FieldSort,
    FieldValueFactor, FunctionCombineMode, FunctionModifier, FunctionScoreMode, GeoDistanceSort,
    GeoParam, GeoPoint, Highlight, HighlightParameter, InnerHits, MultiValueMode, NestedFilter,
    NumericParam, PrefixQuery, QueryOperator, ScoreFunction, ScoreMode, Sort, SortMode, SortOrder,
    Sorter, SuffixQuery, TermQuery, TermsQuery, WildcardQuery,
};

fn lake() -> GeoPoint {
    GeoPoint::new(30.25, 120.5).unwrap()
}

/// Every kind in short and with all its options, as JSON and as a value.
fn shapes() -> Vec<(Value, Query)> {
    let exists = || json!({ "exists": { "field": "a" } });
    vec![
        (json!({ "match_all": {} }), Query::MatchAll),
        (
            json!({ "match": { "t": "tea house" } }),
            Query::match_text("t", "tea house").into(),
        ),
        (
            json!({ "match": { "t": {
                "text": "tea house", "operator": "and", "minimum_should_match": "75%", "weight": 0.1,
            } } }),
            Query::match_text("t", "tea house")
                .operator(QueryOperator::And)
                .minimum_should_match("75%")
                .weight(0.1)
                .into(),
        ),
        (
            json!({ "match_phrase": { "t": "tea house" } }),
            Query::match_phrase("t", "tea house").into(),
        ),
        (
            json!({ "match_phrase": { "t": { "text": "tea house", "slop": 3, "weight": 2.0 } } }),
            Query::match_phrase("t", "tea house")
                .slop(3)
                .weight(2.0)
                .into(),
        ),
        (json!({ "term": { "k": "x" } }), Query::term("k", "x")),
        (
            json!({ "term": { "k": { "value": 7, "weight": 2.0 } } }),
            TermQuery::new("k", 7).weight(2.0).into(),
        ),
        (
            json!({ "terms": { "k": [1, 2.5, true, "x"] } }),
            Query::terms::<ColumnValue>("k", [1.into(), 2.5.into(), true.into(), "x".into()]),
        ),
        (
            json!({ "terms": { "k": { "values": ["x"], "weight": 2.0 } } }),
            TermsQuery::new("k", ["x"]).weight(2.0).into(),
        ),
        (
            json!({ "range": { "l": { "gte": 18, "lt": 65 } } }),
            Query::range("l").gte(18).lt(65).into(),
        ),
        (
            json!({ "range": { "l": { "gt": 18, "lte": 65 } } }),
            Query::range("l").gt(18).lte(65).into(),
        ),
        (json!({ "range": { "l": {} } }), Query::range("l").into()),
        (
            json!({ "prefix": { "k": "San" } }),
            Query::prefix("k", "San"),
        ),
        (
            json!({ "prefix": { "k": { "value": "San", "weight": 2.0 } } }),
            PrefixQuery::new("k", "San").weight(2.0).into(),
        ),
        (
            json!({ "suffix": { "k": "ity" } }),
            Query::suffix("k", "ity"),
        ),
        (
            json!({ "suffix": { "k": { "value": "ity", "weight": 2.0 } } }),
            SuffixQuery::new("k", "ity").weight(2.0).into(),
        ),
        (
            json!({ "wildcard": { "k": "a*b?" } }),
            Query::wildcard("k", "a*b?"),
        ),
        (
            json!({ "wildcard": { "k": { "value": "a*b?", "weight": 2.0 } } }),
            WildcardQuery::new("k", "a*b?").weight(2.0).into(),
        ),
        (exists(), Query::exists("a")),
        (
            json!({ "bool": {
                "must": [exists()], "must_not": [exists()], "filter": [exists()],
                "should": [exists()], "minimum_should_match": 1, "weight": 2.5,
            } }),
            BoolQuery::new()
                .must(Query::exists("a"))
                .must_not(Query::exists("a"))
                .filter(Query::exists("a"))
                .should(Query::exists("a"))
                .minimum_should_match(1)
                .weight(2.5)
                .into(),
        ),
        (
            json!({ "nested": {
                "path": "n", "query": exists(), "score_mode": "total", "weight": 2.0,
                "inner_hits": {
                    "sort": { "disable_default_pk_sorter": true, "sorters": [
                        { "field": { "n.p": {
                            "order": "desc", "mode": "avg", "missing_value": { "last": true },
                            "missing_field": "n.q",
                            "nested_filter": { "path": "n", "filter": exists() },
                        } } },
                        { "geo_distance": { "n.g": { "points": ["30.25,120.5"], "order": "asc" } } },
                        { "score": {} }, { "primary_key": {} }, { "doc": { "order": "asc" } },
                    ] },
                    "offset": 1, "limit": 3,
                    "highlight": { "encoder": "html", "parameters": [{
                        "field": "n.t", "number_of_fragments": 2, "fragment_size": 30,
                        "pre_tag": "<b>", "post_tag": "</b>", "fragments_order": "score",
                    }] },
                },
            } }),
            nested_with_everything(),
        ),
        (
            json!({ "const_score": { "filter": exists() } }),
            Query::const_score(Query::exists("a")),
        ),
        (
            json!({ "function_score": {
                "query": exists(), "field_value_factor": { "field": "likes" },
            } }),
            Query::function_score(Query::exists("a"), "likes"),
        ),
        (
            json!({ "functions_score": {
                "query": exists(), "score_mode": "multiply", "combine_mode": "replace",
                "min_score": 0.5, "max_score": 9.0,
                "functions": [
                    { "field_value_factor": {
                        "field": "likes", "factor": 1.5, "modifier": "log1p", "missing": 1.0,
                    }, "weight": 2.0 },
                    { "random": {}, "filter": exists() },
                    { "decay": {
                        "field": "at", "math_function": "gauss", "decay": 0.5,
                        "multi_value_mode": "avg", "date": {
                            "origin": "2024-01-01", "scale": { "value": 1, "unit": "quarter_year" },
                            "offset": { "value": 2, "unit": "hour" },
                        },
                    } },
                    { "decay": { "field": "d", "math_function": "exp", "numeric": {
                        "origin": 1.0, "scale": 2.0, "offset": 0.5,
                    } } },
                    { "decay": { "field": "g", "math_function": "linear", "geo": {
                        "origin": "30.25,120.5", "scale_metres": 100.0, "offset_metres": 0.0,
                    } } },
                    { "weight": 3.0 },
                ],
            } }),
            functions_score_with_everything(),
        ),
        (
            json!({ "dis_max": { "queries": [exists()], "tie_breaker": 0.3, "weight": 2.0 } }),
            Query::dis_max([Query::exists("a")])
                .tie_breaker(0.3)
                .weight(2.0)
                .into(),
        ),
        (
            json!({ "geo_distance": { "g": {
                "center_point": "30.25,120.5", "distance_metres": 500.0,
            } } }),
            Query::geo_distance("g", lake(), 500.0),
        ),
        (
            json!({ "geo_bounding_box": { "g": {
                "top_left": "30.25,120.5", "bottom_right": "30.25,120.5",
            } } }),
            Query::geo_bounding_box("g", lake(), lake()),
        ),
        (
            json!({ "geo_polygon": { "g": ["30.25,120.5", "30.25,120.5"] } }),
            Query::geo_polygon("g", [lake(), lake()]),
        ),
        (
            json!({ "knn_vector": {
                "field": "v", "query_vector": [0.1, -1.0], "top_k": 10, "filter": exists(),
                "num_candidates": 100, "min_score": 0.25, "weight": 1.5,
            } }),
            Query::knn_vector("v", [0.1, -1.0], 10)
                .filter(Query::exists("a"))
                .num_candidates(100)
                .min_score(0.25)
                .weight(1.5)
                .into(),
        ),
    ]
}

fn nested_with_everything() -> Query {
    let mut field = FieldSort::new("n.p");
    field.order = Some(SortOrder::Desc);
    field.mode = Some(SortMode::Avg);
    field.missing_value = Some(crate::search::MissingValue::Last);
    field.missing_field = Some("n.q".to_owned());
    field.nested_filter = Some(Box::new(NestedFilter::new("n", Query::exists("a"))));
    let mut distance = GeoDistanceSort::new("n.g", [lake()]);
    distance.order = Some(SortOrder::Asc);
    let mut sort = Sort::by(field)
        .then(distance)
        .then(Sorter::Score(None))
        .then(Sorter::PrimaryKey(None))
        .then(Sorter::doc(SortOrder::Asc));
    sort.disable_default_pk_sorter = Some(true);
    let mut parameter = HighlightParameter::new("n.t")
        .number_of_fragments(2)
        .fragment_size(30)
        .tags("<b>", "</b>");
    parameter.fragments_order = Some(crate::search::HighlightFragmentOrder::Score);
    let hits = InnerHits::new()
        .sort(sort)
        .offset(1)
        .limit(3)
        .highlight(Highlight::field(parameter).encoder(crate::search::HighlightEncoder::Html));
    Query::nested("n", Query::exists("a"))
        .score_mode(ScoreMode::Total)
        .weight(2.0)
        .inner_hits(hits)
        .into()
}

fn functions_score_with_everything() -> Query {
    let factor = FieldValueFactor::new("likes")
        .factor(1.5)
        .modifier(FunctionModifier::Log1p)
        .missing(1.0);
    let quarter = DateTimeValue::new(1, DateTimeUnit::QuarterYear);
    let date =
        DateParam::new("2024-01-01", quarter).offset(DateTimeValue::new(2, DateTimeUnit::Hour));
    let number = NumericParam::new(1.0, 2.0).offset(0.5);
    let place = GeoParam::new(lake(), 100.0).offset_metres(0.0);
    Query::functions_score(Query::exists("a"))
        .score_mode(FunctionScoreMode::Multiply)
        .combine_mode(FunctionCombineMode::Replace)
        .min_score(0.5)
        .max_score(9.0)
        .function(ScoreFunction::from(factor).weight(2.0))
        .function(ScoreFunction::random().filter(Query::exists("a")))
        .function(
            Decay::new("at", DecayMathFunction::Gauss, date)
                .decay(0.5)
                .multi_value_mode(MultiValueMode::Avg),
        )
        .function(Decay::new("d", DecayMathFunction::Exp, number))
        .function(Decay::new("g", DecayMathFunction::Linear, place))
        .function(ScoreFunction::constant(3.0))
        .into()
}

#[test]
fn every_kind_is_read_and_written_as_documented() {
    let mut kinds = Vec::new();
    for (json, query) in shapes() {
        assert_eq!(Query::from_json(&json).unwrap(), query, "{json}");
        assert_eq!(query.to_json(), json);
        kinds.push(query.kind());
    }
    kinds.dedup();
    assert_eq!(kinds, KINDS);
}

#[test]
fn other_forms_of_the_same_are_read_too() {
    let one_clause = json!({ "bool": { "must": { "term": { "a": 1 } } } });
    let read = Query::from_json(&one_clause).unwrap();
    assert_eq!(read, BoolQuery::new().must(Query::term("a", 1)).into());
    let point = json!({ "geo_polygon": { "g": [{ "lat": 30.25, "lon": 120.5 }] } });
    let read = Query::from_json(&point).unwrap();
    assert_eq!(read, Query::geo_polygon("g", [lake()]));
}

#[test]
fn an_error_names_its_place() {
    let term = json!({ "term": { "a": 1 } });
    let cases = [
        (
            json!(7),
            "$",
            "expected an object with one entry: the kind of query, as in {\"term\": ...}",
        ),
        (
            json!({}),
            "$",
            "expected an object with one entry: the kind of query, as in {\"term\": ...}",
        ),
        (
            json!({ "fuzzy": {} }),
            "$.fuzzy",
            "unknown kind of query; known are match_all, match, match_phrase, term, terms, range, \
             prefix, suffix, wildcard, exists, bool, nested, const_score, function_score, \
             functions_score, dis_max, geo_distance, geo_bounding_box, geo_polygon, knn_vector",
        ),
        (
            json!({ "match_all": { "boost": 2 } }),
            "$.match_all.boost",
            "unknown option; there are none",
        ),
        (
            json!({ "term": { "city": null } }),
            "$.term.city",
            "expected text, a number, true or false",
        ),
        (
            json!({ "term": { "a": 1, "b": 2 } }),
            "$.term",
            "expected an object with one entry: the field, as in {\"city\": ...}",
        ),
        (
            json!({ "terms": { "id": [1, [2]] } }),
            "$.terms.id[1]",
            "expected text, a number, true or false",
        ),
        (
            json!({ "terms": { "id": 1 } }),
            "$.terms.id",
            "expected an array",
        ),
        (
            json!({ "range": { "age": { "from": 1 } } }),
            "$.range.age.from",
            "unknown option; known are gt, gte, lt, lte",
        ),
        (
            json!({ "range": { "age": { "gt": 1, "gte": 1 } } }),
            "$.range.age.gt",
            "only one of gte, gt may be given",
        ),
        (
            json!({ "prefix": { "name": 1 } }),
            "$.prefix.name",
            "expected text",
        ),
        (
            json!({ "exists": { "name": "a" } }),
            "$.exists.name",
            "unknown option; known are field",
        ),
        (
            json!({ "bool": { "must": [term, term, { "bool": { "shold": [] } }] } }),
            "$.bool.must[2].bool.shold",
            "unknown option; did you mean \"should\"? Known are must, must_not, filter, should, \
             minimum_should_match, weight",
        ),
        (
            json!({ "bool": { "minimum_should_match": [] } }),
            "$.bool.minimum_should_match",
            "expected a number, or text such as \"75%\"",
        ),
        (
            json!({ "geo_distance": { "g": { "center_point": "91,0", "distance_metres": 1 } } }),
            "$.geo_distance.g.center_point",
            "the latitude 91 is not between -90 and 90",
        ),
        (
            json!({ "geo_distance": { "g": { "center_point": "1,0", "distance": "1km" } } }),
            "$.geo_distance.g.distance",
            "unknown option; did you mean \"distance_metres\"? Known are center_point, \
             distance_metres",
        ),
        (
            json!({ "geo_distance": { "g": { "center_point": "1,0" } } }),
            "$.geo_distance.g",
            "\"distance_metres\" is missing",
        ),
        (
            json!({ "match": { "t": { "text": "a", "operator": "AND" } } }),
            "$.match.t.operator",
            "unknown word; did you mean \"and\"? Known are or, and",
        ),
        (
            json!({ "match": { "t": { "text": "a", "weight": 1e39 } } }),
            "$.match.t.weight",
            "a number out of range",
        ),
        (
            json!({ "match_phrase": { "t": { "text": "a", "slop": -1 } } }),
            "$.match_phrase.t.slop",
            "expected a whole number from 0 to 2147483647",
        ),
        (
            json!({ "functions_score": { "query": { "match_all": {} }, "functions": [
                {}, { "decay": { "field": "d", "math_function": "exp", "geo": {}, "date": {} } },
            ] } }),
            "$.functions_score.functions[1].decay.geo",
            "only one of date, numeric, geo may be given",
        ),
        (
            json!({ "functions_score": { "query": { "match_all": {} }, "functions": [
                { "random": { "seed": 1 } },
            ] } }),
            "$.functions_score.functions[0].random.seed",
            "unknown option; there are none",
        ),
        (
            json!({ "knn_vector": { "field": "v", "query_vector": [1, "2"], "top_k": 1 } }),
            "$.knn_vector.query_vector[1]",
            "expected a number",
        ),
        (
            json!({ "nested": { "path": "n", "query": { "match_all": {} }, "inner_hits": {
                "sort": [{ "field": { "p": { "order": "down" } } }],
            } } }),
            "$.nested.inner_hits.sort[0].field.p.order",
            "unknown word; known are asc, desc",
        ),
    ];
    for (json, path, problem) in cases {
        let error = Query::from_json(&json).unwrap_err();
        assert_eq!(error.path(), path, "{json}");
        assert_eq!(
            error.to_string(),
            format!("the query at {path}: {problem}"),
            "{json}"
        );
    }
}

#[test]
fn an_integer_beyond_64_bits_does_not_become_a_double_nearby() {
    let json = json!({ "term": { "id": u64::MAX } });
    let error = Query::from_json(&json).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the query at $.term.id: a number out of range"
    );
    let json = json!({ "term": { "id": i64::MAX } });
    assert_eq!(
        Query::from_json(&json).unwrap(),
        Query::term("id", i64::MAX)
    );
}

#[test]
fn what_json_cannot_say_becomes_null() {
    for value in [
        ColumnValue::Double(f64::NAN),
        ColumnValue::Binary(vec![1].into()),
    ] {
        let json = Query::term("a", value).to_json();
        assert_eq!(json, json!({ "term": { "a": null } }));
    }
}

#[test]
fn a_query_is_part_of_any_document_of_serde() {
    for (json, query) in shapes() {
        let text = serde_json::to_string(&query).unwrap();
        assert_eq!(
            serde_json::from_str::<Query>(&text).unwrap(),
            query,
            "{json}"
        );
        let document = json!([{ "query": json }]);
        let read: Vec<std::collections::BTreeMap<String, Query>> =
            serde_json::from_value(document).unwrap();
        assert_eq!(read[0]["query"], query);
    }
    let error = serde_json::from_str::<Query>(r#"{ "term": { "k": [] } }"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the query at $.term.k: expected text, a number, true or false"
    );
}
