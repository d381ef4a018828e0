//! Aggregations and group-bys that are asked for.

use ots_proto::messages::{DateTimeUnit, GeoHashPrecision, SortOrder};
use ots_proto::search::{
    Aggregation, DateTimeValue, FieldRange, GeoPoint, GroupBy, GroupByKind, GroupBySorter,
    GroupRange, Metric, Percentiles, TopRows,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::searches::{query, sort};
use super::values::Value;
use super::{Said, failed};

/// Things by their names, in an order: pairs.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Named(pub(super) Vec<(String, Json)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfField {
    field: String,
    missing: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfPercentiles {
    field: String,
    percents: Vec<f64>,
    missing: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfTopRows {
    limit: Option<u32>,
    sort: Option<Json>,
}

/// `{"avg": {"field": "price"}}` and so on.
pub(super) fn aggregation(json: &Json) -> Result<Aggregation, Said> {
    let (kind, body) = only(json)?;
    if kind == "top_rows" {
        let asked: OfTopRows = read(body)?;
        let mut top = TopRows::default();
        top.limit = asked.limit;
        top.sort = asked.sort.as_ref().map(sort).transpose()?;
        return Ok(top.into());
    }
    if kind == "percentiles" {
        let asked: OfPercentiles = read(body)?;
        let mut percentiles: Percentiles = Aggregation::percentiles(asked.field, asked.percents);
        percentiles.missing = asked.missing.map(|value| value.0);
        return Ok(percentiles.into());
    }
    let asked: OfField = read(body)?;
    let mut metric: Metric = match kind {
        "avg" => Aggregation::avg(asked.field),
        "max" => Aggregation::max(asked.field),
        "min" => Aggregation::min(asked.field),
        "sum" => Aggregation::sum(asked.field),
        "distinct_count" => Aggregation::distinct_count(asked.field),
        "count" => return Ok(Aggregation::count(asked.field)),
        other => return Err(Said::Unsupported(format!("the aggregation {other}"))),
    };
    metric.missing = asked.missing.map(|value| value.0);
    Ok(metric.into())
}

/// What any group-by may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfGroups {
    field: Option<String>,
    size: Option<u32>,
    suggested_size: Option<u32>,
    #[serde(default)]
    sort: Vec<Map<String, Json>>,
    min_doc_count: Option<u64>,
    #[serde(default)]
    ranges: Vec<(Option<f64>, Option<f64>)>,
    #[serde(default)]
    filters: Vec<Json>,
    origin: Option<String>,
    interval: Option<Json>,
    offset: Option<Json>,
    missing: Option<Value>,
    range: Option<(Value, Value)>,
    time_zone: Option<String>,
    precision: Option<i32>,
    #[serde(default)]
    sources: Named,
    token: Option<String>,
}

/// `{"field": {"field": "kind"}, "aggs": [..], "groups": [..]}` and so on.
pub(super) fn group_by(json: &Json) -> Result<GroupBy, Said> {
    let mut group = json.as_object().cloned().unwrap_or_default();
    let named = |json: Option<Json>| json.map_or(Ok(Named::default()), |json| read(&json));
    let aggs = named(group.remove("aggs"))?;
    let groups = named(group.remove("groups"))?;
    let (kind, body) = only_of(&group)?;
    let mut group = GroupBy::of(kind_of(kind, read(body)?)?);
    for (name, json) in &aggs.0 {
        group = group.aggregation(name, aggregation(json)?);
    }
    for (name, json) in &groups.0 {
        group = group.group_by(name, group_by(json)?);
    }
    Ok(group)
}

fn kind_of(kind: &str, asked: OfGroups) -> Result<GroupByKind, Said> {
    let field = asked.field.unwrap_or_default();
    let sorters = asked
        .sort
        .iter()
        .map(sorter)
        .collect::<Result<Vec<_>, _>>()?;
    let ranges = asked.ranges.into_iter();
    let ranges = ranges.map(|(from, to)| GroupRange { from, to });
    let field_range = asked.range.map(|(min, max)| FieldRange {
        min: Some(min.0),
        max: Some(max.0),
    });
    let missing = asked.missing.map(|value| value.0);
    Ok(match kind {
        "field" => {
            let mut by = GroupBy::field(field);
            (by.size, by.sorters, by.min_doc_count) = (asked.size, sorters, asked.min_doc_count);
            GroupByKind::Field(by)
        }
        "range" => {
            let mut by = GroupBy::range(field);
            by.ranges = ranges.collect();
            GroupByKind::Range(by)
        }
        "filter" => {
            let filters = asked
                .filters
                .iter()
                .map(query)
                .collect::<Result<Vec<_>, _>>()?;
            GroupByKind::Filter(GroupBy::filter(filters))
        }
        "geo_distance" => {
            let origin: GeoPoint = asked.origin.unwrap_or_default().parse().map_err(failed)?;
            let mut by = GroupBy::geo_distance(field, origin);
            by.ranges = ranges.collect();
            GroupByKind::GeoDistance(by)
        }
        "histogram" => {
            let interval: Value = read(&asked.interval.unwrap_or_default())?;
            let mut by = GroupBy::histogram(field, interval.0);
            by.offset = match asked.offset {
                Some(offset) => Some(read::<Value>(&offset)?.0),
                None => None,
            };
            (by.missing, by.min_doc_count) = (missing, asked.min_doc_count);
            (by.field_range, by.sorters) = (field_range, sorters);
            GroupByKind::Histogram(by)
        }
        "date_histogram" => {
            let interval = span(&asked.interval.unwrap_or_default())?;
            let mut by = GroupBy::date_histogram(field, interval);
            by.offset = asked.offset.as_ref().map(span).transpose()?;
            by.time_zone = asked.time_zone;
            (by.missing, by.min_doc_count) = (missing, asked.min_doc_count);
            (by.field_range, by.sorters) = (field_range, sorters);
            GroupByKind::DateHistogram(by)
        }
        "geo_grid" => {
            let precision = GeoHashPrecision::try_from(asked.precision.unwrap_or_default());
            let mut by = GroupBy::geo_grid(field, precision.map_err(failed)?);
            by.size = asked.size;
            GroupByKind::GeoGrid(by)
        }
        "composite" => {
            let mut by = GroupBy::composite();
            for (name, json) in &asked.sources.0 {
                by = by.source(name, group_by(json)?);
            }
            (by.size, by.suggested_size) = (asked.size, asked.suggested_size);
            by.next_token = asked.token;
            GroupByKind::Composite(by)
        }
        other => return Err(Said::Unsupported(format!("groups by {other}"))),
    })
}

/// `{"key": "asc"}`, `{"count": "desc"}`, `{"agg": ["total", "asc"]}`.
fn sorter(json: &Map<String, Json>) -> Result<GroupBySorter, Said> {
    let order = |word: &Json| match word.as_str() {
        Some("desc") => SortOrder::Desc,
        _ => SortOrder::Asc,
    };
    let (kind, word) = only_of(json)?;
    Ok(match kind {
        "key" => GroupBySorter::Key(Some(order(word))),
        "count" => GroupBySorter::RowCount(Some(order(word))),
        "agg" => {
            let name = word[0].as_str().unwrap_or_default();
            GroupBySorter::sub_aggregation(name, order(&word[1]))
        }
        other => return Err(Said::Unsupported(format!("groups sorted by {other}"))),
    })
}

/// `[1, "day"]`.
fn span(json: &Json) -> Result<DateTimeValue, Said> {
    let (value, unit): (i32, String) = read(json)?;
    let unit = format!("DATE_TIME_UNIT_{}", unit.to_uppercase());
    let unit = DateTimeUnit::from_str_name(&unit).ok_or(Said::Unsupported(unit))?;
    Ok(DateTimeValue::new(value, unit))
}

fn only(json: &Json) -> Result<(&str, &Json), Said> {
    let object = json.as_object();
    only_of(object.ok_or_else(|| Said::Failed(format!("{json} has no kind")))?)
}

fn only_of(object: &Map<String, Json>) -> Result<(&str, &Json), Said> {
    let mut members = object.iter();
    match (members.next(), members.next()) {
        (Some((kind, body)), None) => Ok((kind, body)),
        _ => Err(Said::Failed("one kind is wanted".to_owned())),
    }
}

fn read<T: serde::de::DeserializeOwned>(json: &Json) -> Result<T, Said> {
    serde_json::from_value(json.clone()).map_err(failed)
}
