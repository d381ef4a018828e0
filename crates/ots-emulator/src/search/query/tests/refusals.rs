//! What is no query.

use super::*;

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
