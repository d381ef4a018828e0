//! Reading a search, or what it found, takes memory in proportion to what has arrived.
//!
//! One test alone in its file: the allocator counts for the whole process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bytes::Bytes;
use ots_proto::messages::{self, AggregationType, GroupByType};
use ots_proto::search::{
    Aggregation, AggregationResult, AggregationResults, Aggregations, FieldSchema, Group, GroupBy,
    GroupByResults, GroupBys, IndexSchema, SearchHit, Sort, Sorter,
};
use peak_alloc::PeakAlloc;
use prost::Message;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// For error texts and first elements, which cost the same for any input.
const SLACK_BYTES: usize = 16 * 1024;
const COUNT: usize = 10_000;

/// The smallest elements there are, many times: each costs its message and its value, in lists that
/// hold up to three times their final size while they grow, and its name and what keeps names apart.
fn assert_bounded<T>(
    name: &str,
    message: &impl Message,
    element_bytes: usize,
    read: impl FnOnce(Bytes) -> T,
) {
    let body = Bytes::from(message.encode_to_vec());
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    drop(read(body));
    let peak = ALLOCATOR.peak_usage() - before;
    let allowed = 3 * (element_bytes + 128) * COUNT + SLACK_BYTES;
    assert!(peak <= allowed, "{name}: {peak} of {allowed} bytes");
    println!(
        "{name}: {element_bytes} bytes an element, {peak} at most, for {} bytes",
        message.encoded_len()
    );
}

/// What an element of a list in a response may take: an empty one is two bytes on the wire, and a list
/// holds up to three times its size while it grows.
const MOST_ELEMENT_BYTES: usize = 320;

macro_rules! assert_small {
    ($($element:ident)*) => {
        $({
            let bytes = size_of::<messages::$element>();
            println!("{}: {bytes} bytes", stringify!($element));
            assert!(bytes <= MOST_ELEMENT_BYTES, "{}: {bytes}", stringify!($element));
        })*
    };
}

fn elements_of_lists_are_small() {
    assert_small! {
        AggregationResult DefinedColumnSchema FieldSchema GroupByCompositeResultItem
        GroupByDateHistogramItem GroupByFieldResultItem GroupByFilterResultItem
        GroupByGeoDistanceResultItem GroupByGeoGridResultItem GroupByHistogramItem
        GroupByRangeResultItem GroupByResult HighlightField IndexInfo IndexMeta PartitionRange
        PercentilesAggregationItem PrimaryKeySchema QueryFlowWeight RowInBatchGetRowResponse
        RowInBatchWriteRowResponse RowInBulkImportResponse SearchConsumedCapacity SearchHit
        SearchInnerHit Sorter SplitLocation TableConsumedCapacity TableInBatchGetRowResponse
        TableInBatchWriteRowResponse
        Function HighlightParameter Query
    }
}

#[test]
fn memory_stays_in_proportion_to_the_input() {
    elements_of_lists_are_small();

    let name = |index: usize| Some(format!("{index:x}"));
    let metric = messages::SumAggregation {
        field_name: Some(String::new()),
        missing: None,
    };
    let aggregations = messages::Aggregations {
        aggs: (0..COUNT)
            .map(|index| messages::Aggregation {
                name: name(index),
                r#type: Some(AggregationType::Sum.into()),
                body: Some(metric.encode_to_vec().into()),
            })
            .collect(),
    };
    let element = size_of::<messages::Aggregation>() + size_of::<Aggregation>();
    assert_bounded("aggregations", &aggregations, element, |body| {
        Aggregations::from_message(&messages::Aggregations::decode(body).unwrap()).unwrap()
    });

    let by_field = messages::GroupByField {
        field_name: Some(String::new()),
        ..messages::GroupByField::default()
    };
    let group_bys = messages::GroupBys {
        group_bys: (0..COUNT)
            .map(|index| messages::GroupBy {
                name: name(index),
                r#type: Some(GroupByType::Field.into()),
                body: Some(by_field.encode_to_vec().into()),
            })
            .collect(),
    };
    let element = size_of::<messages::GroupBy>() + size_of::<GroupBy>();
    assert_bounded("group-bys", &group_bys, element, |body| {
        GroupBys::from_message(&messages::GroupBys::decode(body).unwrap()).unwrap()
    });

    let sort = messages::Sort {
        sorter: vec![
            messages::Sorter {
                doc_sort: Some(messages::DocSort { order: None }),
                ..messages::Sorter::default()
            };
            COUNT
        ],
        disable_default_pk_sorter: None,
    };
    let element = size_of::<messages::Sorter>() + size_of::<Sorter>();
    assert_bounded("sorters", &sort, element, |body| {
        Sort::from_message(&messages::Sort::decode(body).unwrap()).unwrap()
    });

    let results = messages::AggregationsResult {
        agg_results: (0..COUNT)
            .map(|index| messages::AggregationResult {
                name: name(index),
                r#type: Some(AggregationType::Sum.into()),
                agg_result: None,
            })
            .collect(),
    };
    let element = size_of::<messages::AggregationResult>() + size_of::<AggregationResult>();
    assert_bounded("results of aggregations", &results, element, |body| {
        AggregationResults::from_bytes(&body).unwrap()
    });

    let groups = messages::GroupByFieldResult {
        group_by_field_result_items: vec![
            messages::GroupByFieldResultItem {
                key: Some(String::new()),
                row_count: Some(0),
                ..messages::GroupByFieldResultItem::default()
            };
            COUNT
        ],
    };
    let groups = messages::GroupBysResult {
        group_by_results: vec![messages::GroupByResult {
            name: Some("a".to_owned()),
            r#type: Some(GroupByType::Field.into()),
            group_by_result: Some(groups.encode_to_vec().into()),
        }],
    };
    let element = size_of::<messages::GroupByFieldResultItem>() + size_of::<Group<String>>();
    assert_bounded("groups", &groups, element, |body| {
        GroupByResults::from_bytes(&body).unwrap()
    });

    let hits = messages::SearchInnerHit {
        path: Some(String::new()),
        search_hits: vec![messages::SearchHit::default(); COUNT],
    };
    let hits = messages::SearchHit {
        search_inner_hits: vec![hits],
        ..messages::SearchHit::default()
    };
    let element = size_of::<messages::SearchHit>() + size_of::<SearchHit>();
    assert_bounded("inner hits", &hits, element, |body| {
        SearchHit::from_message(&messages::SearchHit::decode(body).unwrap()).unwrap()
    });

    let schema = messages::IndexSchema {
        field_schemas: vec![
            messages::FieldSchema {
                field_name: Some(String::new()),
                field_type: Some(1),
                ..messages::FieldSchema::default()
            };
            COUNT
        ],
        ..messages::IndexSchema::default()
    };
    let element = size_of::<messages::FieldSchema>() + size_of::<FieldSchema>();
    assert_bounded("fields", &schema, element, |body| {
        IndexSchema::from_message(&messages::IndexSchema::decode(body).unwrap()).unwrap()
    });
}
