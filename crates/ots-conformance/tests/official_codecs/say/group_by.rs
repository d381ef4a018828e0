//! Aggregations and group-bys.

use ots_proto::search::{
    Aggregation, DateTimeUnit, DateTimeValue, FieldRange, GeoHashPrecision, GeoPoint, GroupBy,
    GroupByKind, GroupBySorter, GroupRange, MetricFunction,
};
use serde_json::{Value as Json, json};

use super::sort::{drop_empty, required};
use super::{Say, SayNamed, new, words};

impl SayNamed for Aggregation {
    fn say_named(&mut self, name: &str) -> Json {
        let mut name = name.to_owned();
        match self {
            Self::Metric(metric) => {
                let class = match metric.function {
                    MetricFunction::Avg => "Avg",
                    MetricFunction::Max => "Max",
                    MetricFunction::Min => "Min",
                    MetricFunction::Sum => "Sum",
                    MetricFunction::DistinctCount => "DistinctCount",
                    newer => panic!("no word for {newer:?}"),
                };
                new!(class, field: metric.field, missing_value: metric.missing, name: name)
            }
            Self::Count { field } => new!("Count", field: field, name: name),
            Self::TopRows(rows) => {
                // Required.
                rows.limit.get_or_insert(1);
                drop_empty(&mut rows.sort);
                new!("TopRows", limit: rows.limit, sort: rows.sort, name: name)
            }
            Self::Percentiles(percentiles) => {
                // The class writes it to a field that its message has under another name, and raises.
                percentiles.missing = None;
                new!("Percentiles",
                    field: percentiles.field,
                    percentiles_list: percentiles.percentiles,
                    name: name,
                )
            }
            newer => panic!("no word for {newer:?}"),
        }
    }
}

impl SayNamed for GroupBy {
    fn say_named(&mut self, name: &str) -> Json {
        let mut said = match &mut self.kind {
            GroupByKind::Field(by) => {
                // Not an option of the class.
                by.min_doc_count = None;
                new!("GroupByField",
                    field_name: by.field,
                    size: by.size,
                    group_by_sort: by.sorters,
                )
            }
            GroupByKind::Range(by) => {
                new!("GroupByRange", field_name: by.field, ranges: by.ranges)
            }
            GroupByKind::Filter(by) => new!("GroupByFilter", filters: by.filters),
            GroupByKind::GeoDistance(by) => {
                let mut origin = Origin(by.origin);
                new!("GroupByGeoDistance",
                    field_name: by.field,
                    origin: origin,
                    ranges: by.ranges,
                )
            }
            GroupByKind::Histogram(by) => {
                // Not an option of the class; and it raises when it is given sorters.
                by.offset = None;
                by.sorters.clear();
                // Required, with both ends.
                let range = by.field_range.take();
                let (min, max) = range.map_or((None, None), |range| (range.min, range.max));
                let (min, max) = (min.unwrap_or(0.into()), max.unwrap_or(1.into()));
                *by = by.clone().field_range(min, max);
                new!("GroupByHistogram",
                    field_name: by.field,
                    interval: by.interval,
                    field_range: by.field_range,
                    missing_value: by.missing,
                    min_doc_count: by.min_doc_count,
                )
            }
            GroupByKind::DateHistogram(by) => {
                // The SDK sends no range without an end.
                if by
                    .field_range
                    .as_ref()
                    .is_some_and(|range| range.min.is_none() && range.max.is_none())
                {
                    by.field_range = None;
                }
                new!("GroupByDateHistogram",
                    field_name: by.field,
                    interval: by.interval,
                    field_range: by.field_range,
                    missing: by.missing,
                    min_doc_count: by.min_doc_count,
                    time_zone: by.time_zone,
                    group_by_sort: by.sorters,
                    offset: by.offset,
                )
            }
            GroupByKind::GeoGrid(by) => new!("GroupByGeoGrid",
                field_name: by.field,
                precision: by.precision,
                size: by.size,
            ),
            GroupByKind::Composite(by) => new!("GroupByComposite",
                sources: by.sources,
                size: by.size,
                next_token: by.next_token,
                suggested_size: by.suggested_size,
            ),
            newer => panic!("no word for {newer:?}"),
        };
        said["with"]["name"] = json!(name);
        said["with"]["sub_aggs"] = self.aggregations.say();
        said["with"]["sub_group_bys"] = self.group_bys.say();
        said
    }
}

impl Say for GroupBySorter {
    fn say(&mut self) -> Json {
        match self {
            Self::Key(order) => new!("GroupKeySort", sort_order: required(order)),
            Self::RowCount(order) => new!("RowCountSort", sort_order: required(order)),
            Self::SubAggregation { name, order } => {
                new!("SubAggSort", sort_order: required(order), sub_agg_name: name)
            }
            newer => panic!("no word for {newer:?}"),
        }
    }
}

impl Say for GroupRange {
    fn say(&mut self) -> Json {
        // Both ends are required.
        let from = self.from.get_or_insert(f64::NEG_INFINITY).say();
        let to = self.to.get_or_insert(f64::INFINITY).say();
        json!({ "tuple": [from, to] })
    }
}

impl Say for FieldRange {
    fn say(&mut self) -> Json {
        new!("FieldRange", min: self.min, max: self.max)
    }
}

struct Origin(GeoPoint);

impl Say for Origin {
    fn say(&mut self) -> Json {
        new!("GeoPoint", lat: { self.0.latitude() }, lon: { self.0.longitude() })
    }
}

impl Say for DateTimeValue {
    fn say(&mut self) -> Json {
        new!("DateTimeValue", value: self.value, unit: self.unit)
    }
}

words! {
    DateTimeUnit: "DateTimeUnit" {
        Year = YEAR,
        QuarterYear = QUARTER_YEAR,
        Month = MONTH,
        Week = WEEK,
        Day = DAY,
        Hour = HOUR,
        Minute = MINUTE,
        Second = SECOND,
        Millisecond = MILLISECOND,
    }
    GeoHashPrecision: "GeoHashPrecision" {
        Level1 = GHP_5009KM_4992KM_1,
        Level2 = GHP_1252KM_624KM_2,
        Level3 = GHP_156KM_156KM_3,
        Level4 = GHP_39KM_19KM_4,
        Level5 = GHP_4900M_4900M_5,
        Level6 = GHP_1200M_609M_6,
        Level7 = GHP_152M_152M_7,
        Level8 = GHP_38M_19M_8,
        Level9 = GHP_480CM_480CM_9,
        Level10 = GHP_120CM_595MM_10,
        Level11 = GHP_149MM_149MM_11,
        Level12 = GHP_37MM_19MM_12,
    }
}
