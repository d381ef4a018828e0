//! Queries against rows: what each kind finds, and what is refused.

use bytes::Bytes;
use ots_proto::ColumnValue;
use ots_proto::messages::QueryType;

use super::super::testing;
use super::*;

fn compile(query: &Query) -> Result<CompiledQuery, ServiceError> {
    CompiledQuery::compile(&testing::schema(), Some(&query.to_message()))
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
    let query = CompiledQuery::compile(&schema, Some(&query)).unwrap();
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
fn kinds_that_the_emulator_lacks_are_refused_by_name() {
    assert_eq!(
        refusal(Query::knn_vector("v", [1.0], 10)),
        "queries of kind knn_vector are not supported by the emulator"
    );
    assert_eq!(
        refusal(Query::exists("l").and(Query::match_text("x", "hello"))),
        "queries of kind match are not supported by the emulator"
    );
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
        CompiledQuery::compile(&testing::schema(), Some(&message))
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
    let none = CompiledQuery::compile(&testing::schema(), None).unwrap_err();
    assert_eq!(none.message, "the request has no query");
}
