//! What is said about a search in values survives its message, and what is no search says why.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bytes::Bytes;
use ots_proto::messages;
use ots_proto::search::{
    Aggregation, AggregationResult, AggregationResults, Aggregations, FieldSchema, GroupBy,
    GroupByResults, GroupBys, IndexSchema, Query, ScanQuery, SearchErrorKind, SearchHit,
    SearchQuery, Sort, SortOrder, Sorter, TotalCount,
};
use ots_proto::strategy::{search_index, search_request, search_response};
use proptest::prelude::*;
use prost::Message as _;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_search_survives_its_message(search in search_request::search_query()) {
        let bytes = search.to_bytes().unwrap();
        let read = SearchQuery::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&read, &search);
        prop_assert_eq!(read.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn a_scan_survives_its_message(scan in search_request::scan_query()) {
        let message = scan.to_message().unwrap();
        prop_assert_eq!(ScanQuery::from_message(&message).unwrap(), scan);
    }

    #[test]
    fn results_of_aggregations_survive_their_message(
        results in search_response::aggregation_results()
    ) {
        let bytes = results.to_bytes().unwrap();
        prop_assert_eq!(AggregationResults::from_bytes(&bytes).unwrap(), results);
    }

    #[test]
    fn groups_survive_their_message(results in search_response::group_by_results()) {
        let bytes = results.to_bytes().unwrap();
        prop_assert_eq!(GroupByResults::from_bytes(&bytes).unwrap(), results);
    }

    #[test]
    fn a_hit_survives_its_message(hit in search_response::search_hit()) {
        prop_assert_eq!(SearchHit::from_message(&hit.to_message()).unwrap(), hit);
    }

    #[test]
    fn an_index_survives_its_message(schema in search_index::index_schema()) {
        let message = schema.to_message().unwrap();
        let message = messages::IndexSchema::decode(&*message.encode_to_vec()).unwrap();
        prop_assert_eq!(IndexSchema::from_message(&message).unwrap(), schema);
    }

    #[test]
    fn a_damaged_search_is_read_or_refused_but_never_panics(
        search in search_request::search_query(),
        place in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let mut bytes = search.to_bytes().unwrap().to_vec();
        prop_assume!(!bytes.is_empty());
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let _ = SearchQuery::from_bytes(&bytes.into());
    }

    #[test]
    fn damaged_groups_are_read_or_refused_but_never_panic(
        results in search_response::group_by_results(),
        place in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let mut bytes = results.to_bytes().unwrap().to_vec();
        prop_assume!(!bytes.is_empty());
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let _ = GroupByResults::from_bytes(&bytes.into());
    }
}

fn inside(depth: usize) -> GroupBy {
    let mut group_by: GroupBy = GroupBy::field("a").into();
    for _ in 0..depth {
        group_by = GroupBy::field("a").group_by("inside", group_by);
    }
    group_by
}

#[test]
fn groups_are_read_16_levels_deep_and_no_deeper() {
    let message = |depth| {
        let group_bys = GroupBys::new().with("outside", inside(depth));
        group_bys.to_message().unwrap()
    };
    let deepest = GroupBys::from_message(&message(16)).unwrap();
    assert_eq!(deepest.get("outside"), Some(&inside(16)));
    let error = GroupBys::from_message(&message(17)).unwrap_err();
    assert!(
        matches!(error.kind(), SearchErrorKind::TooDeep { max_depth: 16 }),
        "{error}"
    );
    assert_eq!(error.parts().next(), Some("group-by \"outside\""));
    assert_eq!(error.parts().count(), 18);
}

#[test]
fn what_is_wrong_with_a_search_is_named_with_its_place() {
    let every = || SearchQuery::new(Query::MatchAll);
    let count = || Aggregation::count("a");
    let range = || GroupBy::range("a").range(..1.0);
    let cases = [
        (
            every().aggregation("", count()),
            "aggregation 0: the name is empty",
        ),
        (
            every().group_by(
                "a",
                GroupBy::field("a")
                    .group_by("b", range())
                    .group_by("b", range()),
            ),
            "group-by \"a\" > group-by \"b\": the name is given twice",
        ),
        (
            every().group_by(
                "a",
                range().aggregation("b", Aggregation::percentiles("p", [101.0])),
            ),
            "group-by \"a\" > aggregation \"b\": a percentile must lie between 0 and 100",
        ),
        (
            every().aggregation("a", Aggregation::percentiles("p", [f64::NAN])),
            "aggregation \"a\": a percentile must lie between 0 and 100",
        ),
        (
            every().group_by("a", GroupBy::composite()),
            "group-by \"a\": a composite needs at least one source",
        ),
        (
            every().group_by("a", GroupBy::composite().source("s", range())),
            "group-by \"a\" > source \"s\": a source of a composite goes by field, histogram or date \
             histogram",
        ),
        (
            every().token(Bytes::from_static(b"t")).offset(1),
            "a token carries the sort and the offset, which can't be given again",
        ),
    ];
    for (search, expected) in cases {
        assert_eq!(search.to_message().unwrap_err().to_string(), expected);
    }
}

#[test]
fn what_a_search_cannot_say_is_refused_when_read() {
    let aggregation = |kind: Option<i32>, body: &[u8]| messages::SearchQuery {
        aggs: Some(messages::Aggregations {
            aggs: vec![messages::Aggregation {
                name: Some("a".to_owned()),
                r#type: kind,
                body: Some(Bytes::copy_from_slice(body)),
            }],
        }),
        ..messages::SearchQuery::default()
    };
    let cases = [
        (
            messages::SearchQuery {
                get_total_count: Some(true),
                track_total_count: Some(-1),
                ..messages::SearchQuery::default()
            },
            "get_total_count and track_total_count exclude each other",
        ),
        (
            messages::SearchQuery {
                track_total_count: Some(-2),
                ..messages::SearchQuery::default()
            },
            "track_total_count can't be -2",
        ),
        (
            messages::SearchQuery {
                limit: Some(-1),
                ..messages::SearchQuery::default()
            },
            "limit can't be -1",
        ),
        (
            messages::SearchQuery {
                filter: Some(messages::SearchFilter { query: None }),
                ..messages::SearchQuery::default()
            },
            "filter: query is missing",
        ),
        (aggregation(None, &[]), "aggregation \"a\": type is missing"),
        (
            aggregation(Some(9), &[]),
            "aggregation \"a\": type is 9, which this version doesn't know",
        ),
        (
            aggregation(Some(1), &[]),
            "aggregation \"a\": field_name is missing",
        ),
        (
            aggregation(Some(1), &[0x0a, 0xff]),
            "aggregation \"a\": the message can't be decoded",
        ),
    ];
    for (message, expected) in cases {
        let error = SearchQuery::from_message(&message).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

/// A field of a number that no message has, with the value 1.
const FIELD_99: [u8; 3] = [0x98, 0x06, 0x01];

#[test]
fn an_option_that_this_version_does_not_know_is_not_lost_in_silence() {
    let bytes = SearchQuery::new(Query::MatchAll).to_bytes().unwrap();
    let newer = [&bytes, &FIELD_99[..]].concat();
    let error = SearchQuery::from_bytes(&newer.into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is a field 99, which this version doesn't know"
    );

    let mut message = Aggregations::new()
        .with(
            "a",
            Aggregation::top_rows().sort(Sorter::primary_key(SortOrder::Asc)),
        )
        .to_message()
        .unwrap();
    // TopRowsAggregation.sort, with field 99 in it.
    message.aggs[0].body = Some([&[0x12, 3], &FIELD_99[..]].concat().into());
    let error = Aggregations::from_message(&message).unwrap_err();
    assert_eq!(
        error.to_string(),
        "aggregation \"a\" > sort: there is a field 99, which this version doesn't know"
    );

    let mut message = GroupBys::new()
        .with("g", GroupBy::field("f"))
        .to_message()
        .unwrap();
    let body = message.group_bys[0].body.take().unwrap();
    message.group_bys[0].body = Some([&body, &FIELD_99[..]].concat().into());
    let error = GroupBys::from_message(&message).unwrap_err();
    assert_eq!(
        error.to_string(),
        "group-by \"g\": there is a field 99, which this version doesn't know"
    );
}

#[test]
fn fields_of_a_newer_service_do_not_spoil_a_result() {
    let results = AggregationResults::new().with("a", AggregationResult::Count(7));
    let newer = [&results.to_bytes().unwrap(), &FIELD_99[..]].concat();
    assert_eq!(
        AggregationResults::from_bytes(&newer.into()).unwrap(),
        results
    );
}

#[test]
fn a_count_is_asked_for_in_one_field_only() {
    let fields = |total| {
        let search = SearchQuery::new(Query::MatchAll).total(total);
        let message = search.to_message().unwrap();
        (message.get_total_count, message.track_total_count)
    };
    assert_eq!(fields(TotalCount::Flag(true)), (Some(true), None));
    assert_eq!(fields(TotalCount::None), (None, Some(-1)));
    assert_eq!(fields(TotalCount::UpTo(7)), (None, Some(7)));
    assert_eq!(fields(TotalCount::Exact), (None, Some(i32::MAX)));
}

#[test]
fn options_that_do_not_go_with_the_type_are_named_with_their_field() {
    let vector = || FieldSchema::new("v", ots_proto::search::FieldType::Vector);
    let cases = [
        (
            FieldSchema::long("a").highlighting(),
            "field \"a\": highlighting is for TEXT",
        ),
        (
            vector(),
            "field \"v\": a VECTOR needs a dimension of at least 1",
        ),
        (
            FieldSchema::nested("n", []),
            "field \"n\": a NESTED needs fields inside",
        ),
        (
            FieldSchema::nested("n", [FieldSchema::long("a"), FieldSchema::text("a")]),
            "field \"n\" > field \"a\": the name is given twice",
        ),
        (
            FieldSchema::nested("n", [vector()]),
            "field \"n\" > field \"v\": a VECTOR needs a dimension of at least 1",
        ),
        (
            FieldSchema::long("a").virtual_of(Vec::<String>::new()),
            "field \"a\": a virtual field needs columns it is made from",
        ),
        (FieldSchema::long(""), "field 0: the name is empty"),
    ];
    for (field, expected) in cases {
        let error = IndexSchema::new([field]).to_message().unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn parts_without_elements_are_left_out_of_the_message() {
    let group_bys = GroupBys::new().with("a", GroupBy::field("a"));
    let message = group_bys.to_message().unwrap();
    let body = message.group_bys[0].body.clone().unwrap();
    let body = messages::GroupByField::decode(body).unwrap();
    assert_eq!(
        (body.sort, body.sub_aggs, body.sub_group_bys),
        (None, None, None)
    );
    let search = SearchQuery::new(Query::MatchAll).to_message().unwrap();
    assert_eq!((search.aggs, search.group_bys), (None, None));
    assert_eq!(Aggregations::new().to_message().unwrap().aggs, []);
    assert_eq!(Sort::default().to_message().sorter, []);
}
