//! Queries against rows: what each kind finds, and what is refused.

use bytes::Bytes;
use ots_proto::ColumnValue;
use ots_proto::messages::QueryType;
use ots_proto::search::{BoolQuery, MatchPhraseQuery};

use super::super::testing;
use super::*;

fn compile(query: &Query) -> Result<CompiledQuery, ServiceError> {
    CompiledQuery::compile(&testing::schema(), Some(&query.to_message()), 0)
}

fn matches(query: impl Into<Query>, cells: &[(&str, ColumnValue)]) -> bool {
    compile(&query.into())
        .unwrap()
        .matches(&testing::row(28, cells))
}

fn refusal(query: impl Into<Query>) -> String {
    let error = compile(&query.into()).unwrap_err();
    assert_eq!((error.status, error.code), (400, "OTSParameterInvalid"));
    error.message
}

#[test]
fn term_compares_in_the_type_of_the_field() {
    for (field, value, term, expected) in [
        ("l", ColumnValue::from(28), ColumnValue::from(28), true),
        ("l", 28.into(), "28".into(), true),
        ("l", 28.into(), 28.0.into(), true),
        ("l", 28.into(), 28.5.into(), false),
        ("l", 28.into(), 29.into(), false),
        ("l", "28".into(), 28.into(), false),
        ("d", 1.5.into(), 1.5.into(), true),
        ("d", 1.5.into(), "1.5".into(), true),
        ("d", 2.0.into(), 2.into(), true),
        ("d", 2.into(), 2.into(), false),
        ("d", (-0.0).into(), 0.into(), true),
        ("b", true.into(), true.into(), true),
        ("b", true.into(), "true".into(), true),
        ("b", true.into(), "false".into(), false),
        ("k", "Hello".into(), "Hello".into(), true),
        ("k", "Hello".into(), "hello".into(), false),
        ("k", "7".into(), 7.into(), true),
        ("t", 10.into(), 10.into(), true),
        ("t", 10.into(), "10".into(), true),
        ("t", 10.into(), 11.into(), false),
        ("la", "[1, 28]".into(), 28.into(), true),
        ("la", "[1, 28]".into(), "28".into(), true),
        ("la", "[1, 28]".into(), 2.into(), false),
        ("la", r#"[28, "x"]"#.into(), 28.into(), false),
        ("ka", r#"["a", "b\"c"]"#.into(), "b\"c".into(), true),
        ("ka", r#"["a"]"#.into(), "[\"a\"]".into(), false),
    ] {
        assert_eq!(
            matches(Query::term(field, term.clone()), &[(field, value.clone())]),
            expected,
            "{field}: {value} asked for {term}"
        );
        assert_eq!(
            matches(Query::terms(field, [term.clone()]), &[(field, value)]),
            expected
        );
        assert!(!matches(Query::term(field, term), &[]));
    }
}

#[test]
fn term_on_text_is_one_unanalysed_token() {
    let cells = [("x", ColumnValue::from("Hello 梨花茶, wide-World"))];
    for (term, expected) in [
        ("hello", true),
        ("Hello", false),
        ("hello 梨", false),
        ("梨", true),
        ("梨花", false),
        ("world", true),
        ("wide-world", false),
    ] {
        assert_eq!(matches(Query::term("x", term), &cells), expected, "{term}");
    }
    assert!(matches(Query::terms("x", ["nothing", "花"]), &cells));
    assert!(matches(Query::prefix("x", "hel"), &cells));
    assert!(!matches(Query::prefix("x", "hello w"), &cells));
}

#[test]
fn terms_find_any_of_their_values() {
    for (field, value, expected) in [
        ("l", ColumnValue::from(2), true),
        ("l", 4.into(), false),
        ("d", 3.0.into(), true),
        ("k", "3".into(), true),
        ("k", "4".into(), false),
        ("la", "[9, 1]".into(), true),
    ] {
        let query = Query::terms(field, [3, 1, 2, 2]);
        assert_eq!(matches(query, &[(field, value)]), expected, "{field}");
    }
    let booleans = Query::terms("b", [true, false]);
    assert!(matches(booleans, &[("b", false.into())]));
}

#[test]
fn range_includes_and_excludes_its_ends() {
    let l = |value: i64| [("l", ColumnValue::from(value))];
    for (range, value, expected) in [
        (Query::range("l"), 5, true),
        (Query::range("l").gte(5), 5, true),
        (Query::range("l").gt(5), 5, false),
        (Query::range("l").lte(5), 5, true),
        (Query::range("l").lt(5), 5, false),
        (Query::range("l").gte("5").lt("7"), 6, true),
        (Query::range("l").gt(5.5), 6, true),
        (Query::range("l").gte(5.5), 5, false),
        (Query::range("l").lt(5.5), 5, true),
        (Query::range("l").lte(5.5), 6, false),
        (Query::range("l").gt(-5.5), -5, true),
        (Query::range("l").lt(-5.5), -5, false),
        (Query::range("l").gt(i64::MAX), i64::MAX, false),
        (Query::range("l").lt(i64::MIN), i64::MIN, false),
        (Query::range("l").gte(1e300), i64::MAX, false),
        (Query::range("l").lte(1e300), i64::MAX, true),
        (Query::range("l").gte(-1e300), i64::MIN, true),
        (Query::range("l").gte(7).lte(5), 6, false),
    ] {
        assert_eq!(
            matches(range.clone(), &l(value)),
            expected,
            "{range:?} {value}"
        );
    }
    assert!(matches(Query::range("d").gt(1), &[("d", 1.5.into())]));
    assert!(!matches(Query::range("d").gt(1.5), &[("d", 1.5.into())]));
    assert!(matches(
        Query::range("k").gte("b").lt("c"),
        &[("k", "bz".into())]
    ));
    assert!(!matches(Query::range("k").gt("b"), &[("k", "b".into())]));
    assert!(matches(Query::range("t").gte(10), &[("t", 10.into())]));
    assert!(!matches(Query::range("t").gt("10"), &[("t", 10.into())]));
    assert!(matches(
        Query::range("la").gt("3"),
        &[("la", "[1,4]".into())]
    ));
    assert!(matches(Query::range("b").gte(true), &[("b", true.into())]));
    assert!(!matches(
        Query::range("b").gte(true),
        &[("b", false.into())]
    ));
    assert!(!matches(Query::range("l"), &[]));
}

#[test]
fn prefix_on_keywords_and_their_arrays() {
    assert!(matches(Query::prefix("k", "ab"), &[("k", "abc".into())]));
    assert!(!matches(Query::prefix("k", "b"), &[("k", "abc".into())]));
    assert!(matches(
        Query::prefix("ka", "b"),
        &[("ka", r#"["a","bc"]"#.into())]
    ));
}

#[test]
fn exists_wants_a_value_that_fits() {
    for (field, value, expected) in [
        ("l", ColumnValue::from(0), true),
        ("l", "0".into(), false),
        ("x", "".into(), true),
        ("la", "[]".into(), false),
        ("la", "[1]".into(), true),
        ("la", "[true]".into(), false),
        ("g", "30,-10".into(), true),
        ("g", "30,181".into(), false),
    ] {
        assert_eq!(
            matches(Query::exists(field), &[(field, value.clone())]),
            expected,
            "{field}: {value}"
        );
    }
    assert!(!matches(Query::exists("l"), &[("k", "a".into())]));
}

#[test]
fn bool_combines() {
    let yes = || Query::MatchAll;
    let no = || Query::exists("d");
    let query =
        |must: &[Query], filter: &[Query], must_not: &[Query], should: &[Query], minimum| {
            let mut query = BoolQuery::default();
            query.must = must.to_vec();
            query.filter = filter.to_vec();
            query.must_not = must_not.to_vec();
            query.should = should.to_vec();
            query.minimum_should_match = minimum;
            matches(query, &[("l", 1.into())])
        };
    let cases = [
        (query(&[], &[], &[], &[], None), true),
        (query(&[yes(), yes()], &[yes()], &[no()], &[], None), true),
        (query(&[yes(), no()], &[], &[], &[], None), false),
        (query(&[], &[no()], &[], &[], None), false),
        (query(&[], &[], &[yes()], &[], None), false),
        (query(&[], &[], &[], &[no(), yes()], None), true),
        (query(&[], &[], &[], &[no(), no()], None), false),
        (query(&[yes()], &[], &[], &[no()], None), false),
        (query(&[yes()], &[], &[], &[no()], Some(0.into())), true),
        (
            query(&[], &[], &[], &[yes(), yes(), no()], Some(2.into())),
            true,
        ),
        (
            query(&[], &[], &[], &[yes(), no(), no()], Some(2.into())),
            false,
        ),
        (query(&[], &[], &[], &[yes()], Some(2.into())), false),
    ];
    for (position, (found, expected)) in cases.into_iter().enumerate() {
        assert_eq!(found, expected, "case {position}");
    }
}

#[test]
fn key_columns_are_searched_like_others() {
    let mut message = testing::index_schema();
    message
        .field_schemas
        .push(testing::field("id", messages::FieldType::Long));
    let schema = Schema::parse(&message, Arc::new(testing::table_meta())).unwrap();
    let query = Query::term("id", 28).to_message();
    let query = CompiledQuery::compile(&schema, Some(&query), 0).unwrap();
    assert!(query.matches(&testing::row(28, &[])));
    assert!(!query.matches(&testing::row(29, &[])));
}

#[test]
fn misuse_is_refused_with_its_reason() {
    assert_eq!(
        refusal(Query::exists("nope")),
        "field [nope] does not exist in the search index"
    );
    assert_eq!(
        refusal(Query::term("off", 1)),
        "field [off] can't be queried: index is false in its schema"
    );
    assert_eq!(
        refusal(Query::term("l", "x")),
        "the STRING value of the query can't be compared with field [l] of type LONG"
    );
    assert_eq!(
        refusal(Query::range("b").gt(1)),
        "the INTEGER value of the query can't be compared with field [b] of type BOOLEAN"
    );
    assert_eq!(
        refusal(Query::term("g", "1,1")),
        "a term query is not supported on field [g] of type GEO_POINT"
    );
    assert_eq!(
        refusal(Query::prefix("l", "1")),
        "a prefix query is not supported on field [l] of type LONG"
    );
    assert_eq!(
        refusal(Query::terms("l", 0..1025)),
        "a terms query on field [l] takes 1 to 1024 terms, not 1025"
    );
    assert_eq!(
        refusal(Query::prefix("k", "x".repeat(1001))),
        "the prefix for field [k] has 1001 bytes, at most 1000 are allowed"
    );
    let mut many = BoolQuery::default();
    many.should = vec![Query::MatchAll; 1024];
    assert_eq!(refusal(many), "a query has at most 1024 nodes");
    let mut negative = BoolQuery::default();
    negative.minimum_should_match = Some((-1).into());
    assert_eq!(
        refusal(negative),
        "minimum_should_match must not be negative, it is -1"
    );
}

#[test]
fn what_the_emulator_lacks_is_refused_by_name() {
    assert_eq!(
        refusal(
            BoolQuery::new()
                .should(Query::exists("l"))
                .minimum_should_match("75%")
        ),
        "the emulator supports minimum_should_match as a count, not 75%"
    );
}

#[test]
fn messages_that_are_no_query_are_refused() {
    let compile = |kind: Option<i32>, query: Bytes| {
        let message = messages::Query {
            r#type: kind,
            query: Some(query),
        };
        CompiledQuery::compile(&testing::schema(), Some(&message), 0)
            .unwrap_err()
            .message
    };
    assert_eq!(
        compile(Some(QueryType::KnnVector.into()), Bytes::new()),
        "query.knn_vector.field_name is missing"
    );
    assert_eq!(
        compile(Some(99), Bytes::new()),
        "query.type is 99, a kind of query that this version doesn't know"
    );
    assert_eq!(compile(None, Bytes::new()), "query.type is missing");
    let none = CompiledQuery::compile(&testing::schema(), None, 0).unwrap_err();
    assert_eq!(none.message, "the request has no query");
}

#[test]
fn match_wants_words() {
    let cells = [
        ("x", ColumnValue::from("Hello 梨花茶, wide World")),
        ("l", 28.into()),
        ("b", true.into()),
        ("k", "Hello World".into()),
    ];
    let words = |text: &str| Query::match_text("x", text);
    let all = ots_proto::search::QueryOperator::And;
    for (query, expected) in [
        (words("hello"), true),
        (words("nothing HELLO"), true),
        (words("nothing at all"), false),
        (words("梨"), true),
        (words(""), false),
        (words("hello world none").minimum_should_match(2), true),
        (words("hello world none").minimum_should_match(3), false),
        // A word twice is one word.
        (words("hello hello").minimum_should_match(2), false),
        (words("hello world").operator(all), true),
        (
            words("hello none").operator(all).minimum_should_match(1),
            false,
        ),
        (Query::match_text("l", "28"), true),
        (Query::match_text("b", "true"), true),
        (Query::match_text("k", "Hello World"), true),
        (Query::match_text("k", "Hello"), false),
    ] {
        assert_eq!(matches(query.clone(), &cells), expected, "{query:?}");
    }
}

#[test]
fn a_phrase_wants_words_one_after_another() {
    let cells = [
        ("x", ColumnValue::from("one two, three two four")),
        ("k", "a b".into()),
    ];
    for (field, text, expected) in [
        ("x", "two", true),
        ("x", "Two Three", true),
        ("x", "two four", true),
        ("x", "three four", false),
        ("x", "two one", false),
        ("x", "", false),
        ("k", "a b", true),
        ("k", "a", false),
    ] {
        assert_eq!(
            matches(Query::match_phrase(field, text), &cells),
            expected,
            "{text}"
        );
    }
}

#[test]
fn the_words_of_a_phrase_may_be_moved_by_its_slop() {
    let cells = [("x", ColumnValue::from("one two, three four"))];
    for (text, slop, expected) in [
        ("one three", 0, false),
        ("one three", 1, true),
        ("two one", 1, false),
        ("two one", 2, true),
        ("one five", 9, false),
    ] {
        let query = MatchPhraseQuery::new("x", text).slop(slop);
        assert_eq!(matches(query, &cells), expected, "{text} by {slop}");
    }
}

#[test]
fn fuzzy_text_is_found_by_its_parts() {
    let cells = [("z", ColumnValue::from("调音师1024x768P.mp4 ullamcor22per"))];
    for (query, expected) in [
        (Query::from(Query::match_text("z", "m")), false),
        (Query::match_text("z", "mc").into(), true),
        (Query::match_text("z", "MC none").into(), true),
        (Query::match_phrase("z", "调音").into(), true),
        (Query::match_phrase("z", "调音师1024x").into(), true),
        (Query::match_phrase("z", "24x768P.mp4").into(), true),
        (Query::match_phrase("z", "调 音").into(), false),
        (Query::match_phrase("z", "24x7 P.mp4").into(), false),
        (Query::term("z", "ullamco"), true),
        (Query::term("z", "ullamcor"), false),
    ] {
        assert_eq!(matches(query.clone(), &cells), expected, "{query:?}");
    }
}

#[test]
fn wildcards_and_suffixes() {
    let cells = [
        ("k", ColumnValue::from("hello world")),
        ("x", "hello world".into()),
        ("fk", "hello world".into()),
    ];
    for (query, expected) in [
        (Query::wildcard("k", "h*o ?orl*"), true),
        (Query::wildcard("k", "h*o"), false),
        (Query::wildcard("x", "h*o"), true),
        (Query::wildcard("x", "h*d"), false),
        (Query::wildcard("fk", "*world"), true),
        (Query::suffix("fk", "world"), true),
        (Query::suffix("fk", "hello"), false),
    ] {
        assert_eq!(matches(query.clone(), &cells), expected, "{query:?}");
    }
    assert_eq!(
        refusal(Query::suffix("k", "a")),
        "a suffix query is not supported on field [k] of type KEYWORD"
    );
    assert_eq!(
        refusal(Query::wildcard("k", "?".repeat(33))),
        "length of field value is longer than 32 for the [WILDCARD_QUERY] query"
    );
}

#[test]
fn places_are_found() {
    let cells = [
        ("g", ColumnValue::from("30.8,10")),
        ("ga", r#"["0,0","5,5"]"#.into()),
    ];
    let point = |text: &str| text.parse::<ots_proto::search::GeoPoint>().unwrap();
    let corners = ["4,4", "6,4", "6,6", "4,6"].map(point);
    for (query, expected) in [
        (Query::geo_distance("g", point("30.8,10"), 0.0), true),
        (Query::geo_distance("g", point("30.8,11"), 90_000.0), false),
        (Query::geo_distance("g", point("30.8,11"), 96_000.0), true),
        (
            Query::geo_bounding_box("g", point("30.8,-10"), point("30.2,10.3")),
            true,
        ),
        (
            Query::geo_bounding_box("g", point("31,-10"), point("30.8,10.3")),
            false,
        ),
        (Query::geo_polygon("ga", corners), true),
        (Query::geo_polygon("g", corners), false),
    ] {
        assert_eq!(matches(query.clone(), &cells), expected, "{query:?}");
    }
    assert_eq!(
        refusal(Query::geo_polygon("g", [point("0,0")])),
        "a polygon has 3 to 1024 points, not 1"
    );
    assert_eq!(
        refusal(Query::geo_distance("l", point("0,0"), 1.0)),
        "a geo_distance query is not supported on field [l] of type LONG"
    );
}

#[test]
fn addresses_are_compared_as_numbers() {
    let cells = [("ip", ColumnValue::from("10.0.0.9"))];
    assert!(matches(Query::term("ip", "10.0.0.9"), &cells));
    assert!(matches(
        Query::range("ip").gte("10.0.0.0").lt("10.0.0.10"),
        &cells
    ));
    assert!(!matches(Query::range("ip").gte("10.0.0.10"), &cells));
}

fn score(query: impl Into<Query>, cells: &[(&str, ColumnValue)]) -> Option<f64> {
    compile(&query.into())
        .unwrap()
        .score(&testing::row(28, cells))
}

#[test]
fn scores_are_simple() {
    use ots_proto::search::{
        Decay, DecayMathFunction, FieldValueFactor, FunctionCombineMode, FunctionModifier,
        FunctionScoreMode, NumericParam, ScoreFunction,
    };
    let cells = [
        ("l", ColumnValue::from(100)),
        ("x", "tea tea house".into()),
        ("k", "a".into()),
    ];
    let yes = || Query::exists("l");
    let no = || Query::exists("d");
    let heavy = |weight| {
        let mut term = ots_proto::search::TermQuery::new("k", "a");
        term.weight = Some(weight);
        Query::Term(term)
    };
    let functions = |query: ots_proto::search::FunctionsScoreQuery| score(query, &cells);
    let value = || FieldValueFactor::new("l");
    for (name, found, expected) in [
        ("all", score(Query::MatchAll, &cells), Some(1.0)),
        ("weight", score(heavy(2.5), &cells), Some(2.5)),
        ("none", score(no(), &cells), None),
        ("and", score(yes().and(yes()), &cells), Some(2.0)),
        (
            "one word once",
            score(Query::match_text("x", "house"), &cells),
            Some(1.0),
        ),
        (
            "one word twice",
            score(Query::match_text("x", "tea"), &cells),
            Some(4.4 / 3.2),
        ),
        (
            "const",
            score(Query::const_score(yes().and(yes())), &cells),
            Some(1.0),
        ),
        (
            "dis_max",
            score(Query::dis_max([yes(), heavy(3.0)]).tie_breaker(0.5), &cells),
            Some(3.5),
        ),
        (
            "factor",
            score(Query::function_score(yes(), "l"), &cells),
            Some(100.0),
        ),
        (
            "sum",
            functions(
                Query::functions_score(yes())
                    .function(value().factor(0.5))
                    .function(value().modifier(FunctionModifier::Log))
                    .function(ScoreFunction::constant(7.0).filter(no()))
                    .score_mode(FunctionScoreMode::Sum)
                    .combine_mode(FunctionCombineMode::Sum),
            ),
            Some(53.0),
        ),
        (
            "decay at its scale",
            functions(Query::functions_score(yes()).function(Decay::new(
                "l",
                DecayMathFunction::Linear,
                NumericParam::new(80.0, 20.0),
            ))),
            Some(0.5),
        ),
        (
            "decay of a missing field",
            functions(Query::functions_score(yes()).function(Decay::new(
                "d",
                DecayMathFunction::Gauss,
                NumericParam::new(80.0, 20.0),
            ))),
            Some(1.0),
        ),
        (
            "too low",
            functions(
                Query::functions_score(yes())
                    .function(ScoreFunction::constant(2.0))
                    .min_score(3.0),
            ),
            None,
        ),
        (
            "capped",
            functions(
                Query::functions_score(yes())
                    .function(ScoreFunction::constant(9.0))
                    .max_score(3.0),
            ),
            Some(3.0),
        ),
    ] {
        let near = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found == expected,
        };
        assert!(near, "{name}: {found:?}, expected {expected:?}");
    }
    for curve in [
        DecayMathFunction::Gauss,
        DecayMathFunction::Exp,
        DecayMathFunction::Linear,
    ] {
        let decay = Decay::new("l", curve, NumericParam::new(70.0, 20.0).offset(10.0)).decay(0.3);
        let found = score(Query::functions_score(yes()).function(decay), &cells).unwrap();
        assert!((found - 0.3).abs() < 1e-9, "{curve:?}: {found}");
    }
}

fn nested_schema() -> Schema {
    let mut message = testing::index_schema();
    message.field_schemas.push(testing::nested_field());
    Schema::parse(&message, Arc::new(testing::table_meta())).unwrap()
}

#[test]
fn a_nested_query_wants_all_of_one_inner_row() {
    let schema = nested_schema();
    let row = testing::row(
        1,
        &[(
            "n",
            r#"[{"k":"a","l":1},{"k":"b","l":2},{"k":"b","l":4}]"#.into(),
        )],
    );
    let ask = |query: Query| CompiledQuery::of_rows(&schema, &query).unwrap();
    let both =
        |k: &str, l: i64| Query::nested("n", Query::term("n.k", k).and(Query::term("n.l", l)));
    assert!(ask(both("a", 1).into()).matches(&row));
    assert!(!ask(both("a", 2).into()).matches(&row));
    assert!(ask(Query::exists("n")).matches(&row));
    assert!(!ask(Query::nested("n", Query::exists("n.x")).into()).matches(&row));
    let scored = |mode| {
        let query = Query::function_score(Query::term("n.k", "b"), "n.l");
        ask(Query::nested("n", query).score_mode(mode).into()).score(&row)
    };
    assert_eq!(scored(ScoreMode::Avg), Some(3.0));
    assert_eq!(scored(ScoreMode::Max), Some(4.0));
    assert_eq!(scored(ScoreMode::Min), Some(2.0));
    assert_eq!(scored(ScoreMode::Total), Some(6.0));
    assert_eq!(scored(ScoreMode::None), Some(0.0));
    let refused = |query: Query| CompiledQuery::of_rows(&schema, &query).unwrap_err().message;
    assert_eq!(
        refused(Query::term("n.k", "a")),
        "field [n.k] lies in the NESTED field [n]: ask for it in a nested query"
    );
    assert_eq!(
        refused(Query::nested("n", Query::exists("l")).into()),
        "field [l] can't be asked for in a nested query: it isn't in a NESTED field"
    );
    assert_eq!(
        refused(Query::nested("k", Query::MatchAll).into()),
        "field [k] is of type KEYWORD, not NESTED"
    );
}

#[test]
fn the_nearest_vectors_are_exactly_these() {
    let rows: Vec<_> = (0..20)
        .map(|id| {
            Arc::new(testing::row(
                id,
                &[
                    ("v", format!("[{id}, 0]").as_str().into()),
                    ("l", (id % 2).into()),
                ],
            ))
        })
        .collect();
    let found = |query: ots_proto::search::KnnVectorQuery| {
        let mut query = compile(&query.into()).unwrap();
        query.find_nearest(&rows);
        let ids = rows.iter().filter(|row| query.matches(*row));
        ids.map(|row| row.key[0].as_integer().unwrap())
            .collect::<Vec<_>>()
    };
    let near = |top_k| Query::knn_vector("v", [7.2, 0.0], top_k);
    assert_eq!(found(near(3)), [6, 7, 8]);
    assert_eq!(found(near(2).filter(Query::term("l", 0))), [6, 8]);
    assert_eq!(found(near(1000)).len(), 20);
    assert_eq!(found(near(5).min_score(0.5)), [7, 8]);
    assert_eq!(
        refusal(Query::knn_vector("v", [1.0], 1)),
        "the vector for field [v] must have 2 finite elements, it has 1"
    );
    assert_eq!(refusal(near(0)), "top_k is from 1 to 1000, not 0");
}
