//! How queries join, and what is wrong with messages that are none.

use std::error::Error as _;
use std::ops::Bound;

use super::*;
use crate::ColumnValue;
use crate::messages::DecayFuncParamType;
use crate::plainbuffer::VariantRef;
use crate::search::{
    DecayMathFunction, GeoPoint, InnerHits, QueryOperator, ScoreMode, Sort, SortOrder, Sorter,
};

fn bool_query(query: Query) -> BoolQuery {
    match query {
        Query::Bool(query) => query,
        other => panic!("not a bool query: {other:?}"),
    }
}

#[test]
fn and_joins_one_conjunction_instead_of_nesting() {
    let [a, b, c] = ["a", "b", "c"].map(Query::exists);
    let all = bool_query(a.clone().and(b.clone()).and(c.clone()));
    assert_eq!(all.must, [a, b, c]);
    assert_eq!(all.should, []);
}

#[test]
fn or_joins_one_disjunction_instead_of_nesting() {
    let [a, b, c] = ["a", "b", "c"].map(Query::exists);
    let any = bool_query(a.clone().or(b.clone()).or(c.clone()));
    assert_eq!(any.should, [a, b, c]);
    assert_eq!(any.must, []);
}

#[test]
fn what_says_nothing_is_satisfied_by_every_row_also_beside_an_alternative() {
    let b = Query::exists("b");
    let every_row = Query::from(BoolQuery::new());
    let either = bool_query(every_row.clone().or(b.clone()));
    assert_eq!(either.should, [every_row.clone(), b.clone()]);
    assert_eq!(bool_query(every_row.and(b.clone())).must, [b]);
}

#[test]
fn mixed_operators_keep_their_grouping() {
    let [a, b, c] = ["a", "b", "c"].map(Query::exists);
    let either = a.clone().or(b.clone());
    assert_eq!(
        bool_query(either.clone().and(c.clone())).must,
        [either, c.clone()]
    );
    let both = a.and(b);
    assert_eq!(bool_query(both.clone().or(c.clone())).should, [both, c]);
}

#[test]
fn a_negation_joins_a_conjunction_but_not_a_disjunction() {
    let [a, b] = ["a", "b"].map(Query::exists);
    let without = bool_query(a.clone().not().and(b.clone()));
    assert_eq!(
        (without.must, without.must_not),
        (vec![b.clone()], vec![a.clone()])
    );
    let either = bool_query(a.clone().not().or(b.clone()));
    assert_eq!(either.should, [a.not(), b]);
}

#[test]
fn a_required_count_is_never_loosened() {
    let [a, b, c] = ["a", "b", "c"].map(Query::exists);
    let two = Query::Bool(BoolQuery {
        should: vec![a, b],
        minimum_should_match: Some(2.into()),
        ..BoolQuery::default()
    });
    assert_eq!(
        bool_query(two.clone().or(c.clone())).should,
        [two.clone(), c.clone()]
    );
    assert_eq!(bool_query(two.clone().and(c.clone())).must, [two, c]);
}

#[test]
fn a_range_says_which_ends_it_includes() {
    let range = Query::range("age").gt(18).lte(65);
    assert_eq!(range.from, Bound::Excluded(18.into()));
    assert_eq!(range.to, Bound::Included(65.into()));
    let message = Kind::to_message(&range);
    assert_eq!(
        (message.include_lower, message.include_upper),
        (Some(false), Some(true))
    );
    // An open end says nothing, not even whether it is included.
    let message = Kind::to_message(&Query::range("age").gt(18));
    assert_eq!((message.range_to, message.include_upper), (None, None));
}

#[test]
fn match_all_travels_as_a_field_of_no_bytes() {
    let message = Query::MatchAll.to_message();
    assert_eq!(message.encode_to_vec(), [0x08, 0x0b, 0x12, 0x00]);
}

fn error(message: &messages::Query) -> String {
    Query::from_message(message).unwrap_err().to_string()
}

#[test]
fn a_weight_is_never_spread_over_what_joins_later() {
    let [a, b, c] = ["a", "b", "c"].map(Query::exists);
    let heavy = Query::from(BoolQuery::new().must(a).should(b).weight(2.0));
    assert_eq!(
        bool_query(heavy.clone().and(c.clone())).must,
        [heavy.clone(), c.clone()]
    );
    assert_eq!(bool_query(heavy.clone().or(c.clone())).should, [heavy, c]);
}

#[test]
fn a_filter_joins_a_conjunction_without_a_say_in_the_score() {
    let [a, b, c] = ["a", "b", "c"].map(Query::exists);
    let query = bool_query(a.clone().and(b.clone()).and_filter(c.clone()));
    assert_eq!((query.must, query.filter), (vec![a, b], vec![c]));
}

/// A message of this kind with these bytes.
fn raw(kind: QueryType, bytes: &[u8]) -> messages::Query {
    messages::Query {
        r#type: Some(kind.into()),
        query: Some(Bytes::copy_from_slice(bytes)),
    }
}

/// Inside two bool queries, so that the path has something to tell.
fn buried(query: messages::Query) -> messages::Query {
    let inner = messages::BoolQuery {
        must_queries: vec![
            Query::MatchAll.to_message(),
            Query::MatchAll.to_message(),
            query,
        ],
        ..messages::BoolQuery::default()
    };
    let outer = messages::BoolQuery {
        should_queries: vec![typed(QueryType::Bool, &inner)],
        ..messages::BoolQuery::default()
    };
    typed(QueryType::Bool, &outer)
}

#[test]
fn an_error_names_the_path_to_it() {
    let term = messages::TermQuery {
        term: Some(VariantRef::Integer(1).encode()),
        ..messages::TermQuery::default()
    };
    let found = Query::from_message(&buried(typed(QueryType::Term, &term))).unwrap_err();
    assert_eq!(
        found.path(),
        "query.bool.should[0].bool.must[2].term.field_name"
    );
    assert!(matches!(found.kind(), QueryErrorKind::Missing));
    assert_eq!(
        found.to_string(),
        "query.bool.should[0].bool.must[2].term.field_name is missing"
    );
}

#[test]
fn every_kind_says_what_it_lacks() {
    let lacks = [
        (QueryType::Match, "match.field_name"),
        (QueryType::MatchPhrase, "match_phrase.field_name"),
        (QueryType::Term, "term.field_name"),
        (QueryType::Terms, "terms.field_name"),
        (QueryType::Range, "range.field_name"),
        (QueryType::Prefix, "prefix.field_name"),
        (QueryType::Suffix, "suffix.field_name"),
        (QueryType::Wildcard, "wildcard.field_name"),
        (QueryType::Exists, "exists.field_name"),
        (QueryType::Nested, "nested.path"),
        (QueryType::ConstScore, "const_score.filter"),
        (QueryType::FunctionScore, "function_score.query"),
        (QueryType::FunctionsScore, "functions_score.query"),
        (QueryType::GeoDistance, "geo_distance.field_name"),
        (QueryType::GeoBoundingBox, "geo_bounding_box.field_name"),
        (QueryType::GeoPolygon, "geo_polygon.field_name"),
        (QueryType::KnnVector, "knn_vector.field_name"),
    ];
    for (kind, path) in lacks {
        assert_eq!(error(&raw(kind, b"")), format!("query.{path} is missing"));
    }
    // Three kinds are whole with nothing in them.
    for kind in [QueryType::MatchAll, QueryType::Bool, QueryType::DisMax] {
        let query = Query::from_message(&raw(kind, b"")).unwrap();
        assert_eq!(query.to_message(), raw(kind, b""));
    }
}

#[test]
fn every_kind_refuses_a_field_it_does_not_know() {
    for number in 1..=20 {
        let kind = QueryType::try_from(number).unwrap();
        // Field 99, the text `abc`.
        let found = Query::from_message(&raw(kind, b"\x9a\x06\x03abc")).unwrap_err();
        assert!(
            matches!(found.kind(), QueryErrorKind::UnknownField { number: 99 }),
            "{found}"
        );
        let kind = name(kind);
        assert_eq!(
            found.to_string(),
            format!("query.{kind} has a field 99 that this version doesn't know")
        );
    }
    assert!(QueryType::try_from(21).is_err(), "a kind without a test");
}

#[test]
fn what_is_wrong_is_told_apart() {
    let term = |term: Bytes| messages::TermQuery {
        field_name: Some("city".to_owned()),
        term: Some(term),
        weight: None,
    };
    let knn = messages::KnnVectorQuery {
        field_name: Some("v".to_owned()),
        top_k: Some(-1),
        ..messages::KnnVectorQuery::default()
    };
    let matching = messages::MatchQuery {
        field_name: Some("t".to_owned()),
        text: Some("a b".to_owned()),
        operator: Some(9),
        ..messages::MatchQuery::default()
    };
    let polygon = messages::GeoPolygonQuery {
        field_name: Some("g".to_owned()),
        points: vec!["1,2".to_owned(), "1;2".to_owned()],
    };
    let contrary = messages::BoolQuery {
        minimum_should_match: Some(1),
        new_minimum_should_match: Some("75%".to_owned()),
        ..messages::BoolQuery::default()
    };
    let cases = [
        (
            typed(QueryType::Term, &term(VariantRef::InfMin.encode())),
            "query.term.term is of type INF_MIN, which can't be searched for",
        ),
        (
            typed(QueryType::Term, &term(Bytes::from_static(&[3, 9, 0, 0, 0]))),
            "query.term.term can't be decoded as a value: the buffer ends too early for a string: \
             needs 9 bytes, has 0 (byte 5)",
        ),
        (
            typed(QueryType::KnnVector, &knn),
            "query.knn_vector.top_k is -1, but must not be negative",
        ),
        (
            typed(QueryType::Match, &matching),
            "query.match.operator is 9, an option that this version doesn't know",
        ),
        (
            typed(QueryType::GeoPolygon, &polygon),
            "query.geo_polygon.points[1] is not a point: expected \"latitude,longitude\", found \
             \"1;2\"",
        ),
        (
            typed(QueryType::Bool, &contrary),
            "query.bool.minimum_should_match conflicts with new_minimum_should_match",
        ),
        (
            messages::Query {
                r#type: Some(99),
                query: None,
            },
            "query.type is 99, a kind of query that this version doesn't know",
        ),
        (messages::Query::default(), "query.type is missing"),
    ];
    for (message, expected) in cases {
        let found = Query::from_message(&message).unwrap_err();
        let text = match found.source() {
            Some(source) => format!("{found}: {source}"),
            None => found.to_string(),
        };
        assert_eq!(text, expected);
    }
    let damaged = Query::from_message(&raw(QueryType::Term, b"\xff")).unwrap_err();
    assert_eq!(damaged.to_string(), "query.term can't be decoded");
    assert!(damaged.source().is_some());
}

fn functions_message(function: messages::Function) -> messages::Query {
    let query = messages::FunctionsScoreQuery {
        query: Some(Query::MatchAll.to_message()),
        functions: vec![messages::Function::default(), function],
        ..messages::FunctionsScoreQuery::default()
    };
    typed(QueryType::FunctionsScore, &query)
}

#[test]
fn a_function_computes_one_thing() {
    let both = messages::Function {
        random: Some(messages::RandomScoreFunction {}),
        decay: Some(messages::DecayFunction::default()),
        ..messages::Function::default()
    };
    assert_eq!(
        error(&functions_message(both)),
        "query.functions_score.functions[1].decay conflicts with random"
    );
}

#[test]
fn the_parameters_of_a_decay_are_those_of_its_type() {
    let decay = |param_type: DecayFuncParamType, param: Vec<u8>| {
        functions_message(messages::Function {
            decay: Some(messages::DecayFunction {
                field_name: Some("f".to_owned()),
                math_function: Some(DecayMathFunction::Gauss.into()),
                param_type: Some(param_type.into()),
                param: Some(param.into()),
                ..messages::DecayFunction::default()
            }),
            ..messages::Function::default()
        })
    };
    let numeric = messages::DecayFuncNumericParam {
        origin: Some(1.0),
        scale: Some(2.0),
        offset: None,
    };
    let numeric = numeric.encode_to_vec();
    let read = Query::from_message(&decay(DecayFuncParamType::NumericParam, numeric.clone()));
    assert!(read.is_ok(), "{read:?}");
    // The same bytes hold a double where the other types have text and a number.
    assert_eq!(
        error(&decay(DecayFuncParamType::GeoParam, numeric)),
        "query.functions_score.functions[1].decay.param can't be decoded"
    );
    let twice = messages::DecayFuncDateParam {
        origin_long: Some(1),
        origin_string: Some("2026-01-01".to_owned()),
        ..messages::DecayFuncDateParam::default()
    };
    assert_eq!(
        error(&decay(DecayFuncParamType::DateParam, twice.encode_to_vec())),
        "query.functions_score.functions[1].decay.param.origin_string conflicts with origin_long"
    );
    assert_eq!(
        error(&decay(
            DecayFuncParamType::DateParam,
            b"\x9a\x06\x03abc".to_vec()
        )),
        "query.functions_score.functions[1].decay.param has a field 99 that this version doesn't know"
    );
}

#[test]
fn an_unknown_field_deep_inside_a_message_is_named_by_its_path() {
    // NestedQuery.inner_hits.sort, with field 99 in it.
    let bytes = b"\x0a\x01n\x2a\x08\x0a\x06\x9a\x06\x03abc";
    assert_eq!(
        error(&raw(QueryType::Nested, bytes)),
        "query.nested.inner_hits.sort has a field 99 that this version doesn't know"
    );
}

#[test]
fn a_count_of_the_optional_queries_may_be_text() {
    let mut message = messages::BoolQuery {
        new_minimum_should_match: Some("2".to_owned()),
        ..messages::BoolQuery::default()
    };
    let read = |message: &messages::BoolQuery| {
        let query = Query::from_message(&typed(QueryType::Bool, message)).unwrap();
        bool_query(query).minimum_should_match.unwrap()
    };
    assert_eq!(read(&message).count(), Some(2));
    message.minimum_should_match = Some(2);
    assert_eq!(read(&message), MinimumShouldMatch::Text("2".to_owned()));
    // A share is not taken for no count.
    message.minimum_should_match = None;
    message.new_minimum_should_match = Some("75%".to_owned());
    assert_eq!(read(&message), MinimumShouldMatch::Text("75%".to_owned()));
    assert_eq!(read(&message).count(), None);
}

#[test]
fn a_number_stands_only_beside_a_text_of_digits() {
    for (text, number) in [("2", Some(2)), ("-2", None), ("+2", None), ("75%", None)] {
        let minimum = MinimumShouldMatch::from(text);
        let (count, said) = MinimumShouldMatch::to_message(Some(&minimum));
        assert_eq!((count, said.as_deref()), (number, Some(text)));
    }
}

#[test]
fn every_option_reaches_the_message() {
    let knn = Query::knn_vector("v", [0.5, -1.0], 3)
        .filter(Query::exists("a"))
        .num_candidates(50)
        .min_score(0.25)
        .weight(2.0);
    assert_eq!(
        Kind::to_message(&knn),
        messages::KnnVectorQuery {
            field_name: Some("v".to_owned()),
            top_k: Some(3),
            float32_query_vector: vec![0.5, -1.0],
            filter: Some(Query::exists("a").to_message()),
            weight: Some(2.0),
            min_score: Some(0.25),
            num_candidates: Some(50),
        }
    );
    let matching = Query::match_text("t", "a b")
        .operator(QueryOperator::And)
        .minimum_should_match("2")
        .weight(0.5);
    assert_eq!(
        Kind::to_message(&matching),
        messages::MatchQuery {
            field_name: Some("t".to_owned()),
            text: Some("a b".to_owned()),
            minimum_should_match: Some(2),
            operator: Some(QueryOperator::And.into()),
            weight: Some(0.5),
            new_minimum_should_match: Some("2".to_owned()),
        }
    );
    let hits = InnerHits::new().sort(Sort::by(Sorter::doc(SortOrder::Desc)));
    let nested = Query::nested("n", Query::exists("n.a"))
        .score_mode(ScoreMode::Total)
        .inner_hits(hits.clone())
        .weight(3.0);
    assert_eq!(
        Kind::to_message(&nested),
        messages::NestedQuery {
            path: Some("n".to_owned()),
            query: Some(Query::exists("n.a").to_message()),
            score_mode: Some(ScoreMode::Total.into()),
            weight: Some(3.0),
            inner_hits: Some(hits.to_message()),
        }
    );
    let near = GeoDistanceQuery::new("g", GeoPoint::new(30.5, -0.0).unwrap(), 5_000.0);
    assert_eq!(
        Kind::to_message(&near),
        messages::GeoDistanceQuery {
            field_name: Some("g".to_owned()),
            center_point: Some("30.5,-0".to_owned()),
            distance: Some(5_000.0),
        }
    );
}

#[test]
fn children_are_the_queries_right_inside() {
    let [a, b, c] = ["a", "b", "c"].map(Query::exists);
    let fields = |query: Query| {
        let children = query.children();
        let fields = children
            .iter()
            .map(|child| child.field().map(str::to_owned));
        fields.collect::<Option<Vec<_>>>().unwrap()
    };
    let all = a.clone().and(b.clone()).and_filter(c.clone());
    assert_eq!(fields(all), ["a", "b", "c"]);
    let scored = Query::functions_score(a.clone())
        .function(ScoreFunction::constant(2.0).filter(b.clone()))
        .function(ScoreFunction::random());
    assert_eq!(fields(scored.into()), ["a", "b"]);
    assert_eq!(fields(Query::dis_max([a.clone(), b]).into()), ["a", "b"]);
    assert_eq!(
        fields(Query::knn_vector("v", [], 1).filter(c).into()),
        ["c"]
    );
    assert_eq!(fields(Query::const_score(a.clone())), ["a"]);
    assert_eq!(fields(Query::function_score(a, "f")), ["a"]);
    assert_eq!(
        Query::term("x", ColumnValue::Integer(1)).children(),
        Vec::<&Query>::new()
    );
}
