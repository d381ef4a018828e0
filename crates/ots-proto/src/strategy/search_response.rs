//! What a search found: rows, hits, results of aggregations and group-bys.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::group_by::group_range;
use super::search_request::{count, geo_point, named};
use super::{column_name, matching, row, search_value};
use crate::plainbuffer::write_row;
use crate::search::*;

/// Results of every kind of aggregation.
pub fn aggregation_result() -> BoxedStrategy<AggregationResult> {
    let number = || of(proptest::num::f64::NORMAL);
    let percentile = (0.0..=100.0, of(search_value()))
        .prop_map(|(percent, value)| Percentile { percent, value });
    prop_oneof![
        number().prop_map(AggregationResult::Avg),
        number().prop_map(AggregationResult::Max),
        number().prop_map(AggregationResult::Min),
        number().prop_map(AggregationResult::Sum),
        row_count().prop_map(AggregationResult::Count),
        row_count().prop_map(AggregationResult::DistinctCount),
        vec(row().prop_map(|row| write_row(&row)), 0..3).prop_map(AggregationResult::TopRows),
        vec(percentile, 0..4).prop_map(AggregationResult::Percentiles),
        (100..200, vec(any::<u8>(), 0..8)).prop_map(|(number, body)| AggregationResult::Unknown {
            number,
            body: body.into(),
        }),
    ]
    .boxed()
}

/// Up to two results of aggregations.
pub fn aggregation_results() -> BoxedStrategy<AggregationResults> {
    named(aggregation_result(), 0..3).boxed()
}

/// Results of every kind of group-by, whose groups hold those of `inner`.
fn group_by_result(
    inner: impl Strategy<Value = GroupByResults> + Clone + 'static,
) -> BoxedStrategy<GroupByResult> {
    let cell = (matching(".{0,12}"), of((geo_point(), geo_point())))
        .prop_map(|(hash, corners)| GeoCell { hash, corners });
    let page = (vec(column_name(), 1..3), of(matching(".{1,8}"))).prop_flat_map({
        let inner = inner.clone();
        move |(source_names, next_token)| {
            let keys = vec(of(matching(".{0,8}")), source_names.len());
            let groups = groups(keys, inner.clone());
            groups.prop_map(move |groups| CompositePage {
                source_names: source_names.clone(),
                groups,
                next_token: next_token.clone(),
            })
        }
    });
    prop_oneof![
        groups(matching(".{0,8}"), inner.clone()).prop_map(GroupByResult::Field),
        groups(group_range(), inner.clone()).prop_map(GroupByResult::Range),
        groups(Just(()), inner.clone()).prop_map(GroupByResult::Filter),
        groups(group_range(), inner.clone()).prop_map(GroupByResult::GeoDistance),
        groups(search_value(), inner.clone()).prop_map(GroupByResult::Histogram),
        groups(any::<i64>(), inner.clone()).prop_map(GroupByResult::DateHistogram),
        groups(cell, inner).prop_map(GroupByResult::GeoGrid),
        page.prop_map(GroupByResult::Composite),
        (100..200, vec(any::<u8>(), 0..8)).prop_map(|(number, body)| GroupByResult::Unknown {
            number,
            body: body.into(),
        }),
    ]
    .boxed()
}

fn groups<K: std::fmt::Debug + 'static>(
    key: impl Strategy<Value = K> + 'static,
    inner: impl Strategy<Value = GroupByResults> + 'static,
) -> BoxedStrategy<Vec<Group<K>>> {
    let group = (key, row_count(), aggregation_results(), inner);
    let group = group.prop_map(|(key, row_count, aggregations, group_bys)| Group {
        key,
        row_count,
        aggregations,
        group_bys,
    });
    vec(group, 0..3).boxed()
}

/// Up to two results of group-bys, up to two levels deep.
pub fn group_by_results() -> BoxedStrategy<GroupByResults> {
    let leaf = named(group_by_result(Just(GroupByResults::new())), 0..3).boxed();
    prop_oneof![leaf.clone(), named(group_by_result(leaf), 0..2)].boxed()
}

/// Hits, with inner hits up to three levels deep.
pub fn search_hit() -> BoxedStrategy<SearchHit> {
    let highlights = || {
        let field = (column_name(), vec(matching(".{0,8}"), 0..3));
        let field = field.prop_map(|(field, fragments)| HighlightedField { field, fragments });
        vec(field, 0..3)
    };
    let score = || of(proptest::num::f64::NORMAL);
    let leaf =
        (score(), highlights(), of(count())).prop_map(|(score, highlights, nested_doc_offset)| {
            SearchHit {
                score,
                highlights,
                inner_hits: Vec::new(),
                nested_doc_offset,
            }
        });
    leaf.prop_recursive(2, 6, 2, move |inner| {
        let nested = (column_name(), vec(inner, 0..3));
        let nested = nested.prop_map(|(path, hits)| NestedHits { path, hits });
        (score(), highlights(), vec(nested, 0..2)).prop_map(|(score, highlights, inner_hits)| {
            SearchHit {
                score,
                highlights,
                inner_hits,
                nested_doc_offset: None,
            }
        })
    })
    .boxed()
}

fn row_count() -> BoxedStrategy<u64> {
    prop_oneof![0_u64..100, 0..=i64::MAX.unsigned_abs()].boxed()
}
