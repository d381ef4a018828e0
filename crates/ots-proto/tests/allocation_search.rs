//! Reading a search, an index or what was found takes memory in proportion to what has arrived, from
//! the bytes to the values: each list is full of elements that say next to nothing, then a little
//! more, until they are taken.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::error::Error;

use allocation_counter::measure;
use bytes::Bytes;
use ots_proto::messages::{self, AggregationType, FieldType, GroupByType, QueryType};
use ots_proto::operation::{DescribeSearchIndex, Operation as _};
use ots_proto::search::{SearchIndexDescription, SearchQuery, SearchResponse};
use prost::Message;

/// For messages and the values made of them, together. Values aren't weighed before they are made: the
/// costliest is a query that says only its kind, with four bytes for a value of 128.
const TIMES: usize = 48;
/// What the messages inside one another may take at any length; each is let go once it is read.
const SPARE_BYTES: usize = 256 * 1024;
const COUNT: usize = 10_000;

type Reader = fn(Bytes) -> Result<(), Box<dyn Error>>;

/// `body`: of elements whose texts have so many bytes.
fn assert_bounded(name: &str, body: impl Fn(&str) -> Vec<u8>, read: Reader) {
    let mut most = 0;
    for text_bytes in [0, 1, 2, 4, 8, 16, 32, 64, 128] {
        let body = Bytes::from(body(&"x".repeat(text_bytes)));
        let body_bytes = body.len();
        let mut result = Ok(());
        // By this thread: no other has a part in it.
        let counted = measure(|| result = read(body));
        let peak = usize::try_from(counted.bytes_max).unwrap();
        let allowed = TIMES * body_bytes + SPARE_BYTES;
        assert!(peak <= allowed, "{name}: {peak} bytes for {body_bytes}");
        most = most.max(peak / body_bytes);
        match result {
            Ok(()) => {
                println!("{name}: {most} times at most, read with texts of {text_bytes}");
                return;
            }
            Err(error) => {
                let refused = format!("{error:?}");
                assert!(refused.contains("TooLarge"), "{name}: {refused}");
            }
        }
    }
    panic!("{name}: elements that say something are refused too");
}

fn search(body: Bytes) -> Result<(), Box<dyn Error>> {
    Ok(SearchQuery::from_bytes(&body).map(drop)?)
}

fn response(body: Bytes) -> Result<(), Box<dyn Error>> {
    Ok(SearchResponse::from_bytes(&body).map(drop)?)
}

fn index(body: Bytes) -> Result<(), Box<dyn Error>> {
    let message = DescribeSearchIndex::decode_response(body)?;
    Ok(SearchIndexDescription::from_message(&message).map(drop)?)
}

/// The shortest names there are: each once.
fn name(index: usize, text: &str) -> Option<String> {
    Some(format!("{index:x}{text}"))
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn repeated<T: Clone>(element: T) -> Vec<T> {
    vec![element; COUNT]
}

fn query(kind: QueryType, body: &impl Message) -> messages::Query {
    messages::Query {
        r#type: Some(kind.into()),
        query: Some(body.encode_to_vec().into()),
    }
}

fn find(query: messages::Query) -> Vec<u8> {
    messages::SearchQuery {
        query: Some(query),
        ..messages::SearchQuery::default()
    }
    .encode_to_vec()
}

#[test]
fn memory_stays_in_proportion_to_the_input() {
    queries();
    sorts();
    groupings();
    hits();
    results();
    schemas();
}

fn queries() {
    let all = || messages::Query {
        r#type: Some(QueryType::MatchAll.into()),
        query: None,
    };
    let any = |text: &str| {
        let mut leaf = all();
        // Something for the text to stand in.
        if !text.is_empty() {
            let exists = messages::ExistsQuery {
                field_name: Some(text.to_owned()),
            };
            leaf = query(QueryType::Exists, &exists);
        }
        leaf
    };
    assert_bounded(
        "a wide bool query",
        |text| {
            let wide = messages::BoolQuery {
                must_queries: repeated(any(text)),
                ..messages::BoolQuery::default()
            };
            find(query(QueryType::Bool, &wide))
        },
        search,
    );
    assert_bounded(
        "many small bool queries",
        |text| {
            let small = messages::BoolQuery {
                should_queries: vec![any(text)],
                ..messages::BoolQuery::default()
            };
            let wide = messages::BoolQuery {
                filter_queries: repeated(query(QueryType::Bool, &small)),
                ..messages::BoolQuery::default()
            };
            find(query(QueryType::Bool, &wide))
        },
        search,
    );
    assert_bounded(
        "terms",
        |text| {
            let value = ots_proto::plainbuffer::VariantRef::String(text).encode();
            let terms = messages::TermsQuery {
                field_name: Some("a".to_owned()),
                terms: repeated(value),
                weight: None,
            };
            find(query(QueryType::Terms, &terms))
        },
        search,
    );
    assert_bounded(
        "functions",
        |text| {
            let function = messages::Function {
                field_value_factor: Some(messages::FieldValueFactorFunction {
                    field_name: Some(text.to_owned()),
                    ..messages::FieldValueFactorFunction::default()
                }),
                ..messages::Function::default()
            };
            let functions = messages::FunctionsScoreQuery {
                query: Some(all()),
                functions: repeated(function),
                ..messages::FunctionsScoreQuery::default()
            };
            find(query(QueryType::FunctionsScore, &functions))
        },
        search,
    );
    assert_bounded(
        "nested queries, each with an order of its own",
        |text| {
            let order = messages::Sort {
                sorter: vec![doc_sort()],
                disable_default_pk_sorter: None,
            };
            let nested = messages::NestedQuery {
                path: Some(text.to_owned()),
                query: Some(all()),
                inner_hits: Some(messages::InnerHits {
                    sort: Some(order),
                    ..messages::InnerHits::default()
                }),
                ..messages::NestedQuery::default()
            };
            let wide = messages::DisMaxQuery {
                queries: repeated(query(QueryType::Nested, &nested)),
                ..messages::DisMaxQuery::default()
            };
            find(query(QueryType::DisMax, &wide))
        },
        search,
    );
}

fn doc_sort() -> messages::Sorter {
    messages::Sorter {
        doc_sort: Some(messages::DocSort { order: None }),
        ..messages::Sorter::default()
    }
}

fn sorts() {
    let sorted = |sorter: messages::Sorter| {
        let search = messages::SearchQuery {
            sort: Some(messages::Sort {
                sorter: repeated(sorter),
                disable_default_pk_sorter: None,
            }),
            ..messages::SearchQuery::default()
        };
        search.encode_to_vec()
    };
    assert_bounded(
        "orders",
        |text| {
            let mut sorter = doc_sort();
            if !text.is_empty() {
                sorter = messages::Sorter::default();
                sorter.field_sort = Some(Box::new(messages::FieldSort {
                    field_name: Some(text.to_owned()),
                    ..messages::FieldSort::default()
                }));
            }
            sorted(sorter)
        },
        search,
    );
    assert_bounded(
        "highlights",
        |text| {
            let parameter = messages::HighlightParameter {
                field_name: Some(text.to_owned()),
                ..messages::HighlightParameter::default()
            };
            let search = messages::SearchQuery {
                highlight: Some(messages::Highlight {
                    highlight_parameters: repeated(parameter),
                    highlight_encoder: None,
                }),
                ..messages::SearchQuery::default()
            };
            search.encode_to_vec()
        },
        search,
    );
}

fn groupings() {
    assert_bounded(
        "aggregations",
        |text| {
            let metric = messages::SumAggregation {
                field_name: Some(String::new()),
                missing: None,
            };
            let metric = Bytes::from(metric.encode_to_vec());
            let aggregation = |index| messages::Aggregation {
                name: name(index, text),
                r#type: Some(AggregationType::Sum.into()),
                body: Some(metric.clone()),
            };
            let search = messages::SearchQuery {
                aggs: Some(messages::Aggregations {
                    aggs: (0..COUNT).map(aggregation).collect(),
                }),
                ..messages::SearchQuery::default()
            };
            search.encode_to_vec()
        },
        search,
    );
    assert_bounded(
        "group-bys",
        |text| {
            let by_field = messages::GroupByField {
                field_name: Some(String::new()),
                ..messages::GroupByField::default()
            };
            let by_field = Bytes::from(by_field.encode_to_vec());
            let group_by = |index| messages::GroupBy {
                name: name(index, text),
                r#type: Some(GroupByType::Field.into()),
                body: Some(by_field.clone()),
            };
            let search = messages::SearchQuery {
                group_bys: Some(messages::GroupBys {
                    group_bys: (0..COUNT).map(group_by).collect(),
                }),
                ..messages::SearchQuery::default()
            };
            search.encode_to_vec()
        },
        search,
    );
}

fn hits() {
    let found = |hit: messages::SearchHit| {
        let response = messages::SearchResponse {
            search_hits: repeated(hit),
            ..messages::SearchResponse::default()
        };
        response.encode_to_vec()
    };
    let highlighted = |text: &str| messages::SearchHit {
        highlight_result: Some(messages::HighlightResult {
            highlight_fields: vec![messages::HighlightField {
                field_name: Some(text.to_owned()),
                field_fragments: vec![text.to_owned()],
            }],
        }),
        ..messages::SearchHit::default()
    };
    assert_bounded(
        "hits",
        |text| {
            let hit = match text {
                "" => messages::SearchHit::default(),
                "x" => messages::SearchHit {
                    score: Some(1.0),
                    ..messages::SearchHit::default()
                },
                text => highlighted(text),
            };
            found(hit)
        },
        response,
    );
    assert_bounded(
        "highlighted hits",
        |text| found(highlighted(text)),
        response,
    );
    assert_bounded(
        "a hit with inner hits",
        |path| {
            let hit = match path {
                "" => messages::SearchHit::default(),
                path => highlighted(path),
            };
            let inner = messages::SearchInnerHit {
                path: text(path),
                search_hits: repeated(hit),
            };
            let response = messages::SearchResponse {
                search_hits: vec![messages::SearchHit {
                    search_inner_hits: vec![inner],
                    ..messages::SearchHit::default()
                }],
                ..messages::SearchResponse::default()
            };
            response.encode_to_vec()
        },
        response,
    );
    assert_bounded(
        "hits with an inner hit each",
        |path| {
            found(messages::SearchHit {
                search_inner_hits: vec![messages::SearchInnerHit {
                    path: text(path),
                    search_hits: vec![messages::SearchHit::default()],
                }],
                ..messages::SearchHit::default()
            })
        },
        response,
    );
}

fn results() {
    assert_bounded(
        "results of aggregations",
        |text| {
            let result = |index| messages::AggregationResult {
                name: name(index, text),
                r#type: Some(AggregationType::Sum.into()),
                agg_result: None,
            };
            let results = messages::AggregationsResult {
                agg_results: (0..COUNT).map(result).collect(),
            };
            let response = messages::SearchResponse {
                aggs: Some(results.encode_to_vec().into()),
                ..messages::SearchResponse::default()
            };
            response.encode_to_vec()
        },
        response,
    );

    let grouped = |kind: GroupByType, body: Vec<u8>| {
        let results = messages::GroupBysResult {
            group_by_results: vec![messages::GroupByResult {
                name: Some("a".to_owned()),
                r#type: Some(kind.into()),
                group_by_result: Some(body.into()),
            }],
        };
        let response = messages::SearchResponse {
            group_bys: Some(results.encode_to_vec().into()),
            ..messages::SearchResponse::default()
        };
        response.encode_to_vec()
    };
    assert_bounded(
        "groups",
        |key| {
            let group = messages::GroupByFieldResultItem {
                key: text(key),
                row_count: Some(0),
                ..messages::GroupByFieldResultItem::default()
            };
            let groups = messages::GroupByFieldResult {
                group_by_field_result_items: repeated(group),
            };
            grouped(GroupByType::Field, groups.encode_to_vec())
        },
        response,
    );
    assert_bounded(
        "groups with an aggregation each",
        |key| {
            let sum = messages::AggregationResult {
                name: Some(format!("a{key}")),
                r#type: Some(AggregationType::Sum.into()),
                agg_result: None,
            };
            let group = messages::GroupByFieldResultItem {
                key: text(key),
                row_count: Some(0),
                sub_aggs_result: Some(messages::AggregationsResult {
                    agg_results: vec![sum],
                }),
                ..messages::GroupByFieldResultItem::default()
            };
            let groups = messages::GroupByFieldResult {
                group_by_field_result_items: repeated(group),
            };
            grouped(GroupByType::Field, groups.encode_to_vec())
        },
        response,
    );
    assert_bounded(
        "composite groups",
        |key| {
            let group = messages::GroupByCompositeResultItem {
                keys: vec![key.to_owned()],
                row_count: Some(0),
                is_null_keys: vec![false],
                ..messages::GroupByCompositeResultItem::default()
            };
            let groups = messages::GroupByCompositeResult {
                group_by_composite_result_items: repeated(group),
                source_group_by_names: vec!["a".to_owned()],
                next_token: None,
            };
            grouped(GroupByType::Composite, groups.encode_to_vec())
        },
        response,
    );
}

fn schemas() {
    assert_bounded(
        "fields",
        |text| {
            let field = |index| messages::FieldSchema {
                field_name: name(index, text),
                field_type: Some(FieldType::Long.into()),
                ..messages::FieldSchema::default()
            };
            let response = messages::DescribeSearchIndexResponse {
                schema: Some(messages::IndexSchema {
                    field_schemas: (0..COUNT).map(field).collect(),
                    ..messages::IndexSchema::default()
                }),
                ..messages::DescribeSearchIndexResponse::default()
            };
            response.encode_to_vec()
        },
        index,
    );
}
