//! Group-bys of every kind.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::search_request::{aggregations, count, date_time_value, geo_point, named, sort_order};
use super::{column_name, matching, query, search_value};
use crate::search::*;

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
        of(matching("[+-][01][0-9]:[03]0")),
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
        of(matching(".{0,8}")),
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

fn long_count() -> BoxedStrategy<u64> {
    prop_oneof![0_u64..100, 0..=i64::MAX.unsigned_abs()].boxed()
}
