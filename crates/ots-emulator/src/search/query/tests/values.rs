//! Queries of values: terms, ranges, prefixes, and what combines them.

use super::*;

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
