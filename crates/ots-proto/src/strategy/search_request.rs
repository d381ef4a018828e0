//! What a search asks for: sorting, highlighting, aggregations, whole searches.
//!
//! Sizes are small, so that a case fits on a screen; every option is present or absent by chance.

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::group_by::group_bys;
use super::{column_name, matching, query, search_value};
use crate::search::*;

/// A direction.
pub fn sort_order() -> BoxedStrategy<SortOrder> {
    select(vec![SortOrder::Asc, SortOrder::Desc]).boxed()
}

fn sort_mode() -> BoxedStrategy<SortMode> {
    select(vec![SortMode::Min, SortMode::Max, SortMode::Avg]).boxed()
}

/// Points anywhere on the globe, whole degrees among them.
pub fn geo_point() -> BoxedStrategy<GeoPoint> {
    let whole = (-90_i16..=90, -180_i16..=180).prop_map(|(lat, lon)| (lat.into(), lon.into()));
    let any = (-90.0..=90.0, -180.0..=180.0);
    prop_oneof![whole, any]
        .prop_filter_map("a point on the globe", |(lat, lon)| {
            GeoPoint::new(lat, lon).ok()
        })
        .boxed()
}

/// Spans of the calendar, of every unit.
pub fn date_time_value() -> BoxedStrategy<DateTimeValue> {
    let unit = (1..=9).prop_filter_map("a unit", |unit| DateTimeUnit::try_from(unit).ok());
    (any::<i32>(), unit)
        .prop_map(|(value, unit)| DateTimeValue { value, unit })
        .boxed()
}

/// Which inner rows count. Its queries are of the simplest: others may hold a sort themselves.
pub fn nested_filter() -> BoxedStrategy<NestedFilter> {
    let filter = prop_oneof![
        (column_name(), search_value()).prop_map(|(field, value)| Query::term(field, value)),
        column_name().prop_map(Query::exists),
    ];
    (column_name(), filter)
        .prop_map(|(path, filter)| NestedFilter::new(path, filter))
        .boxed()
}

/// Sorters of every kind, with every option.
pub fn sorter() -> BoxedStrategy<Sorter> {
    let missing_value = prop_oneof![
        Just(MissingValue::First),
        Just(MissingValue::Last),
        search_value().prop_map(MissingValue::Value),
    ];
    let field = (
        column_name(),
        of(sort_order()),
        of(sort_mode()),
        of(nested_filter().prop_map(Box::new)),
        of(missing_value),
        of(column_name()),
    );
    let field = field.prop_map(
        |(field, order, mode, nested_filter, missing_value, missing_field)| FieldSort {
            field,
            order,
            mode,
            nested_filter,
            missing_value,
            missing_field,
        },
    );
    let distance_type = select(vec![GeoDistanceType::Arc, GeoDistanceType::Plane]);
    let geo_distance = (
        column_name(),
        vec(geo_point(), 1..4),
        of(sort_order()),
        of(sort_mode()),
        of(distance_type),
        of(nested_filter().prop_map(Box::new)),
    );
    let geo_distance = geo_distance.prop_map(
        |(field, points, order, mode, distance_type, nested_filter)| GeoDistanceSort {
            field,
            points,
            order,
            mode,
            distance_type,
            nested_filter,
        },
    );
    prop_oneof![
        field.prop_map(Sorter::Field),
        geo_distance.prop_map(Sorter::GeoDistance),
        of(sort_order()).prop_map(Sorter::Score),
        of(sort_order()).prop_map(Sorter::PrimaryKey),
        of(sort_order()).prop_map(Sorter::Doc),
    ]
    .boxed()
}

/// Sorts of up to three sorters.
pub fn sort() -> BoxedStrategy<Sort> {
    (vec(sorter(), 0..4), of(any::<bool>()))
        .prop_map(|(sorters, disable_default_pk_sorter)| Sort {
            sorters,
            disable_default_pk_sorter,
        })
        .boxed()
}

/// Highlights of up to three fields.
pub fn highlight() -> BoxedStrategy<Highlight> {
    let orders = vec![
        HighlightFragmentOrder::TextSequence,
        HighlightFragmentOrder::Score,
    ];
    let parameter = (
        column_name(),
        of(count()),
        of(count()),
        of(matching(".{0,6}")),
        of(matching(".{0,6}")),
        of(select(orders)),
    );
    let parameter = parameter.prop_map(
        |(field, number_of_fragments, fragment_size, pre_tag, post_tag, fragments_order)| {
            HighlightParameter {
                field,
                number_of_fragments,
                fragment_size,
                pre_tag,
                post_tag,
                fragments_order,
            }
        },
    );
    let encoder = select(vec![HighlightEncoder::Plain, HighlightEncoder::Html]);
    (vec(parameter, 0..4), of(encoder))
        .prop_map(|(parameters, encoder)| Highlight {
            parameters,
            encoder,
        })
        .boxed()
}

/// Inner hits, with every option.
pub fn inner_hits() -> BoxedStrategy<InnerHits> {
    (of(sort()), of(count()), of(count()), of(highlight()))
        .prop_map(|(sort, offset, limit, highlight)| InnerHits {
            sort,
            offset,
            limit,
            highlight,
        })
        .boxed()
}

/// Aggregations of every kind, with every option.
pub fn aggregation() -> BoxedStrategy<Aggregation> {
    let functions = vec![
        MetricFunction::Avg,
        MetricFunction::Max,
        MetricFunction::Min,
        MetricFunction::Sum,
        MetricFunction::DistinctCount,
    ];
    let metric = (select(functions), column_name(), of(search_value())).prop_map(
        |(function, field, missing)| Metric {
            function,
            field,
            missing,
        },
    );
    let top_rows = (of(count()), of(sort())).prop_map(|(limit, sort)| TopRows { limit, sort });
    let percentiles = (column_name(), vec(0.0..=100.0, 0..4), of(search_value())).prop_map(
        |(field, percentiles, missing)| Percentiles {
            field,
            percentiles,
            missing,
        },
    );
    prop_oneof![
        4 => metric.prop_map(Aggregation::Metric),
        1 => column_name().prop_map(Aggregation::count),
        1 => top_rows.prop_map(Aggregation::TopRows),
        1 => percentiles.prop_map(Aggregation::Percentiles),
    ]
    .boxed()
}

/// Up to two aggregations of distinct names.
pub fn aggregations() -> BoxedStrategy<Aggregations> {
    named(aggregation(), 0..3).boxed()
}

/// Whether, and how far, to count.
pub fn total_count() -> BoxedStrategy<TotalCount> {
    prop_oneof![
        Just(TotalCount::None),
        Just(TotalCount::Exact),
        (0..i32::MAX.unsigned_abs()).prop_map(TotalCount::UpTo),
        any::<bool>().prop_map(TotalCount::Flag),
    ]
    .boxed()
}

/// Whole searches. A token comes without sort and offset, as it must.
pub fn search_query() -> BoxedStrategy<SearchQuery> {
    let window = prop_oneof![
        3 => (of(count()), of(sort())).prop_map(|(offset, sort)| (None, offset, sort)),
        1 => token().prop_map(|token| (Some(token), None, None)),
    ];
    let what = (of(query()), of(query()), window, of(count()));
    let how = (
        of(column_name()),
        of(total_count()),
        of(highlight()),
        aggregations(),
        group_bys(),
    );
    (what, how)
        .prop_map(|(what, how)| {
            let (query, filter, (token, offset, sort), limit) = what;
            let (collapse, total, highlight, aggregations, group_bys) = how;
            SearchQuery {
                query,
                filter,
                offset,
                limit,
                token,
                sort,
                collapse,
                total,
                highlight,
                aggregations,
                group_bys,
            }
        })
        .boxed()
}

/// Scans, with every option.
pub fn scan_query() -> BoxedStrategy<ScanQuery> {
    let split = prop_oneof![
        Just((None, None)),
        (0_u32..64, 1_u32..64).prop_map(|(id, more)| (Some(id), Some(id + more))),
    ];
    (of(query()), of(count()), of(count()), of(token()), split)
        .prop_map(
            |(query, limit, seconds, token, (current_parallel_id, max_parallel))| ScanQuery {
                query,
                limit,
                alive_time: seconds.map(|seconds| std::time::Duration::from_secs(seconds.into())),
                token,
                current_parallel_id,
                max_parallel,
            },
        )
        .boxed()
}

/// Parts with distinct names.
pub(super) fn named<T: std::fmt::Debug + 'static>(
    part: impl Strategy<Value = T> + 'static,
    count: std::ops::Range<usize>,
) -> BoxedStrategy<Named<T>> {
    btree_map(column_name(), part, count)
        .prop_map(|parts| parts.into_iter().collect())
        .boxed()
}

/// Counts that the messages have room for.
pub(super) fn count() -> BoxedStrategy<u32> {
    prop_oneof![0_u32..100, 0..=i32::MAX.unsigned_abs()].boxed()
}

fn token() -> BoxedStrategy<bytes::Bytes> {
    vec(any::<u8>(), 1..16).prop_map(Into::into).boxed()
}
