//! Many rows in groups, and numbers about each.

mod composite;
mod histogram;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ots_proto::search::{
    GeoCell, GeoPoint, Group, GroupBy as Asked, GroupByKind, GroupByResult, GroupByResults,
    GroupBySorter, GroupBys, GroupRange, SortOrder,
};

use self::composite::Composite;
use self::histogram::Histogram;
use super::aggregation::{self, Aggregation, MAX_PER_LEVEL, Rows};
use super::field::{Field, Scalar};
use super::geo::{distance_m, geohash};
use super::key::{Key, keys};
use super::query::CompiledQuery;
use super::schema::Schema;
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// Groups of rows, and what is computed for each.
#[derive(Clone, Debug)]
pub(crate) struct GroupBy {
    kind: Kind,
    aggregations: Vec<(String, Aggregation)>,
    group_bys: Vec<(String, Self)>,
}

#[derive(Clone, Debug)]
enum Kind {
    Field {
        field: Arc<Field>,
        size: usize,
        sorters: Vec<Sorter>,
        min_rows: usize,
    },
    Range {
        field: Arc<Field>,
        /// By their lower ends.
        ranges: Vec<(f64, f64)>,
    },
    Filter(Vec<CompiledQuery>),
    GeoDistance {
        field: Arc<Field>,
        origin: GeoPoint,
        ranges: Vec<(f64, f64)>,
    },
    Histogram {
        histogram: Histogram,
        sorters: Vec<Sorter>,
        min_rows: usize,
    },
    GeoGrid {
        field: Arc<Field>,
        characters: usize,
        size: usize,
    },
    Composite(Composite),
}

/// What the order of groups depends on.
#[derive(Clone, Debug)]
enum Sorter {
    Key(SortOrder),
    RowCount(SortOrder),
    /// The place of an aggregation.
    Aggregation(usize, SortOrder),
}

/// How many groups a response may still have. Groups without rows inside of each other would fill any
/// memory.
#[derive(Debug)]
pub(crate) struct Budget(usize);

struct Bucket<'r, K> {
    key: K,
    rows: Vec<&'r Arc<StoredRow>>,
}

/// Resolves the group-bys of one level.
pub(crate) fn parse(
    schema: &Schema,
    asked: &GroupBys,
    depth: usize,
) -> Result<Vec<(String, GroupBy)>, ServiceError> {
    if asked.len() > MAX_PER_LEVEL {
        return refused(format!(
            "at most {MAX_PER_LEVEL} group-bys may stand on a level, not {}",
            asked.len()
        ));
    }
    if !asked.is_empty() && depth >= MAX_DEPTH {
        return refused(format!("group-bys may be nested {MAX_DEPTH} levels deep"));
    }
    asked
        .iter()
        .map(|(name, asked)| Ok((name.to_owned(), GroupBy::parse(schema, asked, depth)?)))
        .collect()
}

/// Computes the group-bys of one level.
pub(crate) fn run(
    group_bys: &[(String, GroupBy)],
    rows: &Rows<'_>,
    budget: &mut Budget,
) -> Result<GroupByResults, ServiceError> {
    let results = group_bys.iter();
    results
        .map(|(name, group_by)| Ok((name.as_str(), group_by.run(rows, budget)?)))
        .collect()
}

impl GroupBy {
    fn parse(schema: &Schema, asked: &Asked, depth: usize) -> Result<Self, ServiceError> {
        let aggregations = aggregation::parse(schema, &asked.aggregations)?;
        Ok(Self {
            kind: Kind::parse(schema, &asked.kind, &aggregations)?,
            group_bys: parse(schema, &asked.group_bys, depth + 1)?,
            aggregations,
        })
    }

    fn run(&self, rows: &Rows<'_>, budget: &mut Budget) -> Result<GroupByResult, ServiceError> {
        match &self.kind {
            Kind::Field {
                field,
                size,
                sorters,
                min_rows,
            } => {
                let mut buckets = by_key(rows, |row| BTreeSet::from_iter(keys(field, row, None)));
                buckets.retain(|bucket| bucket.rows.len() >= *min_rows);
                self.sort(&mut buckets, sorters);
                buckets.truncate(*size);
                self.groups(buckets, |key| key.text(), budget)
                    .map(GroupByResult::Field)
            }
            Kind::Range { field, ranges } => {
                let values = |row: &Arc<StoredRow>| {
                    let values = keys(field, row, None).into_iter();
                    values.filter_map(|value| value.number()).collect()
                };
                let buckets = in_ranges(rows, ranges, values);
                self.groups(buckets, |range| range, budget)
                    .map(GroupByResult::Range)
            }
            Kind::GeoDistance {
                field,
                origin,
                ranges,
            } => {
                let distances = |row: &Arc<StoredRow>| {
                    let points = points(field, row).into_iter();
                    points.map(|point| distance_m(*origin, point)).collect()
                };
                let buckets = in_ranges(rows, ranges, distances);
                self.groups(buckets, |range| range, budget)
                    .map(GroupByResult::GeoDistance)
            }
            Kind::Filter(filters) => {
                let buckets = filters.iter().map(|filter| Bucket {
                    key: (),
                    rows: rows
                        .iter()
                        .filter(|row| filter.matches(**row))
                        .copied()
                        .collect(),
                });
                self.groups(buckets.collect(), |()| (), budget)
                    .map(GroupByResult::Filter)
            }
            Kind::Histogram {
                histogram,
                sorters,
                min_rows,
            } => {
                let mut buckets = by_key(rows, |row| histogram.keys(row));
                buckets.retain(|bucket| bucket.rows.len() >= *min_rows);
                self.sort(&mut buckets, sorters);
                if histogram.is_of_dates() {
                    let millis = |key: Key| match key {
                        Key::Date(millis) => millis,
                        _ => 0,
                    };
                    self.groups(buckets, millis, budget)
                        .map(GroupByResult::DateHistogram)
                } else {
                    self.groups(buckets, histogram::value, budget)
                        .map(GroupByResult::Histogram)
                }
            }
            Kind::GeoGrid {
                field,
                characters,
                size,
            } => {
                let mut corners = BTreeMap::new();
                let mut buckets = by_key(rows, |row| {
                    let cells = points(field, row).into_iter().map(|point| {
                        let (hash, north_west, south_east) = geohash(point, *characters);
                        corners.insert(hash.clone(), (north_west, south_east));
                        Key::Text(hash)
                    });
                    cells.collect()
                });
                self.sort(&mut buckets, &[]);
                buckets.truncate(*size);
                let cell = |key: Key| {
                    let hash = key.text();
                    let corners = corners.get(&hash).copied();
                    GeoCell::new(hash, corners)
                };
                self.groups(buckets, cell, budget)
                    .map(GroupByResult::GeoGrid)
            }
            Kind::Composite(composite) => {
                let (buckets, mut page) = composite.page(rows)?;
                let texts = |keys: Vec<Option<Key>>| {
                    let keys = keys.iter();
                    keys.map(|key| key.as_ref().map(Key::text)).collect()
                };
                page.groups = self.groups(buckets, texts, budget)?;
                Ok(GroupByResult::Composite(page))
            }
        }
    }

    fn groups<K, T>(
        &self,
        buckets: Vec<Bucket<'_, K>>,
        shown: impl Fn(K) -> T,
        budget: &mut Budget,
    ) -> Result<Vec<Group<T>>, ServiceError> {
        budget.take(buckets.len())?;
        let groups = buckets.into_iter().map(|bucket| {
            let mut group = Group::new(shown(bucket.key), bucket.rows.len() as u64);
            group.aggregations = aggregation::run(&self.aggregations, &bucket.rows);
            group.group_bys = run(&self.group_bys, &bucket.rows, budget)?;
            Ok(group)
        });
        groups.collect()
    }

    /// Without sorters, the largest groups come first. The key decides at last.
    fn sort(&self, buckets: &mut Vec<Bucket<'_, Key>>, sorters: &[Sorter]) {
        let default = [Sorter::RowCount(SortOrder::Desc)];
        let sorters = if sorters.is_empty() {
            &default
        } else {
            sorters
        };
        let directed = |ordering: std::cmp::Ordering, order: SortOrder| match order {
            SortOrder::Asc => ordering,
            SortOrder::Desc => ordering.reverse(),
        };
        // Each aggregation is computed once for each group, not once for each comparison.
        let mut ranked: Vec<_> = buckets
            .drain(..)
            .map(|bucket| {
                let numbers = sorters.iter().map(|sorter| match sorter {
                    Sorter::Aggregation(place, _) => self
                        .aggregations
                        .get(*place)
                        .and_then(|(_, aggregation)| aggregation.number(&bucket.rows)),
                    Sorter::Key(_) | Sorter::RowCount(_) => None,
                });
                (numbers.collect::<Vec<_>>(), bucket)
            })
            .collect();
        ranked.sort_by(|(numbers_a, a), (numbers_b, b)| {
            let numbers = numbers_a.iter().zip(numbers_b);
            let by_sorters = sorters
                .iter()
                .zip(numbers)
                .map(|(sorter, (x, y))| match sorter {
                    Sorter::Key(order) => directed(a.key.cmp(&b.key), *order),
                    Sorter::RowCount(order) => directed(a.rows.len().cmp(&b.rows.len()), *order),
                    Sorter::Aggregation(_, order) => match (x, y) {
                        (Some(x), Some(y)) => directed(x.total_cmp(y), *order),
                        // Groups without a number come last.
                        (x, y) => y.is_some().cmp(&x.is_some()),
                    },
                });
            by_sorters
                .into_iter()
                .find(|ordering| ordering.is_ne())
                .unwrap_or_else(|| a.key.cmp(&b.key))
        });
        buckets.extend(ranked.into_iter().map(|(_, bucket)| bucket));
    }
}

impl Kind {
    fn parse(
        schema: &Schema,
        asked: &GroupByKind,
        aggregations: &[(String, Aggregation)],
    ) -> Result<Self, ServiceError> {
        let sorters = |sorters: &[GroupBySorter]| {
            let sorters = sorters.iter();
            sorters
                .map(|sorter| Sorter::parse(sorter, aggregations))
                .collect::<Result<Vec<_>, _>>()
        };
        match asked {
            GroupByKind::Field(asked) => Ok(Self::Field {
                field: field(schema, &asked.field, FIELD_TYPES)?,
                size: size(asked.size, DEFAULT_SIZE, MAX_SIZE)?,
                sorters: sorters(&asked.sorters)?,
                min_rows: min_rows(asked.min_doc_count),
            }),
            GroupByKind::Range(asked) => Ok(Self::Range {
                field: field(schema, &asked.field, &["long", "double"])?,
                ranges: {
                    let mut ranges = ranges(&asked.ranges, MAX_RANGES)?;
                    ranges.sort_by(|a, b| a.0.total_cmp(&b.0));
                    ranges
                },
            }),
            GroupByKind::Filter(asked) => {
                count("filters", asked.filters.len(), MAX_FILTERS)?;
                let filters = asked.filters.iter().map(|filter| {
                    let filter = CompiledQuery::of_rows(schema, filter)?;
                    if filter.has_nearest() {
                        return refused("a group can't be of a knn_vector query".to_owned());
                    }
                    Ok(filter)
                });
                Ok(Self::Filter(filters.collect::<Result<_, _>>()?))
            }
            GroupByKind::GeoDistance(asked) => Ok(Self::GeoDistance {
                field: field(schema, &asked.field, &["geo_point"])?,
                origin: asked.origin,
                ranges: ranges(&asked.ranges, MAX_FILTERS)?
                    .into_iter()
                    // No distance is less than 0, and the service shows that.
                    .map(|(from, to)| (from.max(0.0), to))
                    .collect(),
            }),
            GroupByKind::Histogram(asked) => Ok(Self::Histogram {
                histogram: Histogram::of_numbers(schema, asked)?,
                sorters: by_key_unless(sorters(&asked.sorters)?),
                min_rows: min_rows(asked.min_doc_count),
            }),
            GroupByKind::DateHistogram(asked) => Ok(Self::Histogram {
                histogram: Histogram::of_dates(schema, asked)?,
                sorters: by_key_unless(sorters(&asked.sorters)?),
                min_rows: min_rows(asked.min_doc_count),
            }),
            GroupByKind::GeoGrid(asked) => Ok(Self::GeoGrid {
                field: field(schema, &asked.field, &["geo_point"])?,
                // The names of the levels are their numbers of characters.
                characters: usize::try_from(i32::from(asked.precision)).unwrap_or(1),
                size: size(asked.size, MAX_CELLS, MAX_CELLS)?,
            }),
            GroupByKind::Composite(asked) => Composite::parse(schema, asked).map(Self::Composite),
            _ => refused("a group-by of this kind is not supported by the emulator".to_owned()),
        }
    }
}

impl Sorter {
    fn parse(
        asked: &GroupBySorter,
        aggregations: &[(String, Aggregation)],
    ) -> Result<Self, ServiceError> {
        match asked {
            GroupBySorter::Key(order) => Ok(Self::Key(order.unwrap_or(SortOrder::Asc))),
            GroupBySorter::RowCount(order) => Ok(Self::RowCount(order.unwrap_or(SortOrder::Desc))),
            GroupBySorter::SubAggregation { name, order } => {
                let place = aggregations
                    .iter()
                    .position(|(other, aggregation)| other == name && aggregation.is_number());
                match place {
                    Some(place) => Ok(Self::Aggregation(place, order.unwrap_or(SortOrder::Asc))),
                    None => refused(format!(
                        "groups can't be sorted by [{name}]: no aggregation inside that is a number \
                         has the name"
                    )),
                }
            }
            _ => refused("a sorter of groups is not supported by the emulator".to_owned()),
        }
    }
}

impl Budget {
    pub(crate) const fn new() -> Self {
        Self(MAX_GROUPS)
    }

    pub(crate) fn take(&mut self, groups: usize) -> Result<(), ServiceError> {
        match self.0.checked_sub(groups) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => refused(format!("a search gives at most {MAX_GROUPS} groups in all")),
        }
    }
}

/// A row is in the group of each of its keys, once.
fn by_key<'r, K: Ord>(
    rows: &Rows<'r>,
    mut keys: impl FnMut(&Arc<StoredRow>) -> BTreeSet<K>,
) -> Vec<Bucket<'r, K>> {
    let mut groups: BTreeMap<K, Vec<&'r Arc<StoredRow>>> = BTreeMap::new();
    for row in rows {
        for key in keys(row) {
            groups.entry(key).or_default().push(row);
        }
    }
    let buckets = groups.into_iter();
    buckets.map(|(key, rows)| Bucket { key, rows }).collect()
}

/// A row is in every range that one of its values is in.
fn in_ranges<'r>(
    rows: &Rows<'r>,
    ranges: &[(f64, f64)],
    values: impl Fn(&Arc<StoredRow>) -> Vec<f64>,
) -> Vec<Bucket<'r, GroupRange>> {
    let mut buckets: Vec<_> = ranges
        .iter()
        .map(|&(from, to)| Bucket {
            key: GroupRange::from(from..to),
            rows: Vec::new(),
        })
        .collect();
    for row in rows {
        let values = values(row);
        for (bucket, (from, to)) in buckets.iter_mut().zip(ranges) {
            if values.iter().any(|value| from <= value && value < to) {
                bucket.rows.push(row);
            }
        }
    }
    buckets
}

fn points(field: &Field, row: &Arc<StoredRow>) -> Vec<GeoPoint> {
    let mut points = Vec::new();
    let fits = field.all(row, |value| {
        if let Scalar::Point(point) = value {
            points.push(point);
        }
    });
    if fits { points } else { Vec::new() }
}

fn field(schema: &Schema, name: &str, allowed: &[&str]) -> Result<Arc<Field>, ServiceError> {
    aggregation::field(schema, "group by", name, allowed)
}

fn ranges(asked: &[GroupRange], max: usize) -> Result<Vec<(f64, f64)>, ServiceError> {
    count("ranges", asked.len(), max)?;
    let ends = |range: &GroupRange| {
        let from = range.from.unwrap_or(f64::NEG_INFINITY);
        let to = range.to.unwrap_or(f64::INFINITY);
        if from.is_nan() || to.is_nan() {
            return refused("a range of a group-by ends at NaN".to_owned());
        }
        Ok((from, to))
    };
    asked.iter().map(ends).collect()
}

fn count(what: &str, count: usize, max: usize) -> Result<(), ServiceError> {
    if (1..=max).contains(&count) {
        Ok(())
    } else {
        refused(format!("a group-by has 1 to {max} {what}, not {count}"))
    }
}

fn size(asked: Option<u32>, default: usize, max: usize) -> Result<usize, ServiceError> {
    let size = asked.map_or(default, |size| usize::try_from(size).unwrap_or(usize::MAX));
    if (1..=max).contains(&size) {
        Ok(size)
    } else {
        refused(format!(
            "the size of a group-by is from 1 to {max}, not {size}"
        ))
    }
}

/// Groups without rows don't arise, whatever the number.
fn min_rows(asked: Option<u64>) -> usize {
    usize::try_from(asked.unwrap_or(1)).unwrap_or(usize::MAX)
}

/// A histogram's groups come in the order of their keys.
fn by_key_unless(sorters: Vec<Sorter>) -> Vec<Sorter> {
    if sorters.is_empty() {
        vec![Sorter::Key(SortOrder::Asc)]
    } else {
        sorters
    }
}

fn refused<T>(message: String) -> Result<T, ServiceError> {
    Err(ServiceError::parameter(message))
}

const FIELD_TYPES: &[&str] = &["long", "boolean", "keyword", "date"];

// From the public documentation.
const MAX_DEPTH: usize = 3;
const DEFAULT_SIZE: usize = 10;
const MAX_SIZE: usize = 2000;
const MAX_RANGES: usize = 100;
const MAX_FILTERS: usize = 10;
// Our own.
const MAX_CELLS: usize = 10_000;
const MAX_GROUPS: usize = 100_000;
