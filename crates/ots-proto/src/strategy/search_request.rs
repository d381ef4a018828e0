//! What a search asks for: sorting, highlighting, aggregations, group-bys, whole searches.
//!
//! Sizes are small, so that a case fits on a screen; every option is present or absent by chance.

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::{column_name, query, search_value};
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
        of(nested_filter()),
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
        of(nested_filter()),
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
        of(".{0,6}"),
        of(".{0,6}"),
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

fn group_by_sorters() -> BoxedStrategy<Vec<GroupBySorter>> {
    let sorter = prop_oneof![
        of(sort_order()).prop_map(GroupBySorter::Key),
        of(sort_order()).prop_map(GroupBySorter::RowCount),
        (column_name(), of(sort_order()))
            .prop_map(|(name, order)| GroupBySorter::SubAggregation { name, order }),
    ];
    vec(sorter, 0..3).boxed()
}

fn field_range() -> BoxedStrategy<FieldRange> {
    (of(search_value()), of(search_value()))
        .prop_map(|(min, max)| FieldRange { min, max })
        .boxed()
}

/// Spans of the calendar, of every unit.
pub fn date_time_value() -> BoxedStrategy<DateTimeValue> {
    let unit = (1..=9).prop_filter_map("a unit", |unit| DateTimeUnit::try_from(unit).ok());
    (any::<i32>(), unit)
        .prop_map(|(value, unit)| DateTimeValue { value, unit })
        .boxed()
}

/// Ranges of numbers, with open ends and infinite ones.
pub fn group_range() -> BoxedStrategy<GroupRange> {
    let end = || of(proptest::num::f64::NORMAL | proptest::num::f64::INFINITE);
    (end(), end())
        .prop_map(|(from, to)| GroupRange { from, to })
        .boxed()
}

/// The kinds of groups that a composite can combine.
fn source_kind() -> BoxedStrategy<GroupByKind> {
    let field = (
        column_name(),
        of(count()),
        group_by_sorters(),
        of(long_count()),
    );
    let field = field.prop_map(|(field, size, sorters, min_doc_count)| GroupByField {
        field,
        size,
        sorters,
        min_doc_count,
    });
    let histogram = (
        column_name(),
        search_value(),
        of(search_value()),
        of(search_value()),
        of(long_count()),
        of(field_range()),
        group_by_sorters(),
    );
    let histogram = histogram.prop_map(
        |(field, interval, offset, missing, min_doc_count, field_range, sorters)| {
            GroupByHistogram {
                field,
                interval,
                offset,
                missing,
                min_doc_count,
                field_range,
                sorters,
            }
        },
    );
    let date_histogram = (
        column_name(),
        date_time_value(),
        of(date_time_value()),
        of("[+-][01][0-9]:[03]0"),
        of(search_value()),
        of(long_count()),
        of(field_range()),
        group_by_sorters(),
    );
    let date_histogram = date_histogram.prop_map(
        |(field, interval, offset, time_zone, missing, min_doc_count, field_range, sorters)| {
            GroupByDateHistogram {
                field,
                interval,
                offset,
                time_zone,
                missing,
                min_doc_count,
                field_range,
                sorters,
            }
        },
    );
    prop_oneof![
        field.prop_map(GroupByKind::Field),
        histogram.prop_map(GroupByKind::Histogram),
        date_histogram.prop_map(GroupByKind::DateHistogram),
    ]
    .boxed()
}

/// Groups of every kind, with every option.
pub fn group_by_kind() -> BoxedStrategy<GroupByKind> {
    let range = (column_name(), vec(group_range(), 0..3))
        .prop_map(|(field, ranges)| GroupByRange { field, ranges });
    let filter = vec(query(), 0..3).prop_map(|filters| GroupByFilter { filters });
    let geo_distance = (column_name(), geo_point(), vec(group_range(), 0..3)).prop_map(
        |(field, origin, ranges)| GroupByGeoDistance {
            field,
            origin,
            ranges,
        },
    );
    let precision = (1..=12).prop_filter_map("a precision", |level| {
        GeoHashPrecision::try_from(level).ok()
    });
    let geo_grid = (column_name(), precision, of(count())).prop_map(|(field, precision, size)| {
        GroupByGeoGrid {
            field,
            precision,
            size,
        }
    });
    let composite = (
        named(source_kind().prop_map(GroupBy::of), 1..3),
        of(count()),
        of(count()),
        of(".{0,8}"),
    );
    let composite =
        composite.prop_map(
            |(sources, size, suggested_size, next_token)| GroupByComposite {
                sources,
                size,
                suggested_size,
                next_token,
            },
        );
    prop_oneof![
        3 => source_kind(),
        1 => range.prop_map(GroupByKind::Range),
        1 => filter.prop_map(GroupByKind::Filter),
        1 => geo_distance.prop_map(GroupByKind::GeoDistance),
        1 => geo_grid.prop_map(GroupByKind::GeoGrid),
        1 => composite.prop_map(GroupByKind::Composite),
    ]
    .boxed()
}

/// Group-bys of every kind, up to three levels deep.
pub fn group_by() -> BoxedStrategy<GroupBy> {
    let leaf = group_by_kind().prop_map(GroupBy::of);
    leaf.prop_recursive(2, 4, 2, |inner| {
        let parts = (group_by_kind(), aggregations(), named(inner, 0..3));
        parts.prop_map(|(kind, aggregations, group_bys)| GroupBy {
            kind,
            aggregations,
            group_bys,
        })
    })
    .boxed()
}

/// Up to two group-bys of distinct names.
pub fn group_bys() -> BoxedStrategy<GroupBys> {
    named(group_by(), 0..3).boxed()
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

fn long_count() -> BoxedStrategy<u64> {
    prop_oneof![0_u64..100, 0..=i64::MAX.unsigned_abs()].boxed()
}

fn token() -> BoxedStrategy<bytes::Bytes> {
    vec(any::<u8>(), 1..16).prop_map(Into::into).boxed()
}
