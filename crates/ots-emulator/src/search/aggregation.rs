//! Numbers about many rows, all of them exact: the service estimates percentiles and counts of
//! different values.

use std::collections::HashSet;
use std::sync::Arc;

use ots_proto::ColumnValue;
use ots_proto::search::{
    Aggregation as Asked, AggregationResult, AggregationResults, Aggregations, MetricFunction,
    Percentile,
};

use super::columns::Columns;
use super::field::{Field, Kind};
use super::key::{Double, Key, NANOS_PER_MILLI, keys};
use super::order::{Of, RowOrder};
use super::predicate;
use super::schema::Schema;
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// The rows that an aggregation or a group is of.
pub(crate) type Rows<'r> = [&'r Arc<StoredRow>];

/// A number about many rows, or a few.
#[derive(Clone, Debug)]
pub(crate) enum Aggregation {
    Metric {
        function: MetricFunction,
        field: Arc<Field>,
        missing: Option<Key>,
    },
    Count(Arc<Field>),
    Percentiles {
        field: Arc<Field>,
        percents: Vec<f64>,
        missing: Option<Key>,
    },
    TopRows {
        order: RowOrder,
        limit: usize,
        columns: Columns,
        table: Arc<crate::database::TableMeta>,
    },
}

/// Resolves the aggregations of one level.
pub(crate) fn parse(
    schema: &Schema,
    asked: &Aggregations,
) -> Result<Vec<(String, Aggregation)>, ServiceError> {
    if asked.len() > MAX_PER_LEVEL {
        return Err(ServiceError::parameter(format!(
            "at most {MAX_PER_LEVEL} aggregations may stand on a level, not {}",
            asked.len()
        )));
    }
    asked
        .iter()
        .map(|(name, asked)| Ok((name.to_owned(), Aggregation::parse(schema, asked)?)))
        .collect()
}

/// Computes the aggregations of one level.
pub(crate) fn run(aggregations: &[(String, Aggregation)], rows: &Rows<'_>) -> AggregationResults {
    let results = aggregations.iter();
    results
        .map(|(name, aggregation)| (name.as_str(), aggregation.run(rows)))
        .collect()
}

impl Aggregation {
    fn parse(schema: &Schema, asked: &Asked) -> Result<Self, ServiceError> {
        match asked {
            Asked::Metric(metric) => {
                let (name, allowed): (_, &[&str]) = match metric.function {
                    MetricFunction::Avg => ("avg", NUMBERS),
                    MetricFunction::Sum => ("sum", NUMBERS),
                    MetricFunction::Max => ("max", NUMBERS_AND_DATES),
                    MetricFunction::Min => ("min", NUMBERS_AND_DATES),
                    MetricFunction::DistinctCount => ("distinct count", ALL),
                    _ => return Err(unsupported()),
                };
                let field = field(schema, name, &metric.field, allowed)?;
                let missing = metric.missing.as_ref();
                Ok(Self::Metric {
                    function: metric.function,
                    missing: missing.map(|value| given(&field, value)).transpose()?,
                    field,
                })
            }
            Asked::Count { field: of } => Ok(Self::Count(field(schema, "count", of, ALL)?)),
            Asked::Percentiles(percentiles) => {
                let count = percentiles.percentiles.len();
                if count == 0 || count > MAX_PERCENTILES {
                    return Err(ServiceError::parameter(format!(
                        "[percentiles agg] takes 1 to {MAX_PERCENTILES} percentiles, not {count}"
                    )));
                }
                let name = &percentiles.field;
                let field = field(schema, "percentiles", name, NUMBERS_AND_DATES)?;
                let mut percents = percentiles.percentiles.clone();
                percents.sort_by(f64::total_cmp);
                let missing = percentiles.missing.as_ref();
                Ok(Self::Percentiles {
                    missing: missing.map(|value| given(&field, value)).transpose()?,
                    field,
                    percents,
                })
            }
            Asked::TopRows(top) => {
                let limit = usize::try_from(top.limit.unwrap_or(1)).unwrap_or(usize::MAX);
                if !(1..=MAX_TOP_ROWS).contains(&limit) {
                    return Err(ServiceError::parameter(format!(
                        "[top rows agg] limit is from 1 to {MAX_TOP_ROWS}, not {limit}"
                    )));
                }
                let sort = top.sort.clone().unwrap_or_default();
                let order = RowOrder::new(schema, &sort, Of::Rows)?;
                if order.needs_score() {
                    return Err(ServiceError::parameter(
                        "[top rows agg] ScoreSort is not supported by the emulator",
                    ));
                }
                Ok(Self::TopRows {
                    order,
                    limit,
                    columns: Columns::for_top_rows(schema),
                    table: Arc::clone(&schema.table),
                })
            }
            _ => Err(unsupported()),
        }
    }

    /// The result, if it is a number: what groups can be sorted by.
    pub(crate) fn number(&self, rows: &Rows<'_>) -> Option<f64> {
        match self.run(rows) {
            AggregationResult::Avg(value)
            | AggregationResult::Max(value)
            | AggregationResult::Min(value)
            | AggregationResult::Sum(value) => value,
            AggregationResult::Count(count) | AggregationResult::DistinctCount(count) => {
                Some(count as f64)
            }
            _ => None,
        }
    }

    pub(crate) const fn is_number(&self) -> bool {
        matches!(self, Self::Metric { .. } | Self::Count(_))
    }

    fn run(&self, rows: &Rows<'_>) -> AggregationResult {
        match self {
            Self::Metric {
                function: MetricFunction::DistinctCount,
                field,
                missing,
            } => {
                let values = rows
                    .iter()
                    .flat_map(|row| keys(field, *row, missing.as_ref()));
                let different: HashSet<_> = values.collect();
                AggregationResult::DistinctCount(different.len() as u64)
            }
            Self::Metric {
                function,
                field,
                missing,
            } => {
                let (mut count, mut sum) = (0.0, 0.0);
                let (mut min, mut max): (Option<f64>, Option<f64>) = (None, None);
                for row in rows {
                    for value in keys(field, *row, missing.as_ref()) {
                        let Some(value) = value.number() else {
                            continue;
                        };
                        count += 1.0;
                        sum += value;
                        min = Some(min.map_or(value, |min| min.min(value)));
                        max = Some(max.map_or(value, |max| max.max(value)));
                    }
                }
                match function {
                    MetricFunction::Max => AggregationResult::Max(max),
                    MetricFunction::Min => AggregationResult::Min(min),
                    MetricFunction::Avg => {
                        AggregationResult::Avg((count > 0.0).then(|| sum / count))
                    }
                    // Parsing lets no other pass.
                    _ => AggregationResult::Sum(Some(sum)),
                }
            }
            Self::Count(field) => {
                let mut count = 0;
                for row in rows {
                    let mut values = 0;
                    if field.all(*row, |_| values += 1) {
                        count += values;
                    }
                }
                AggregationResult::Count(count)
            }
            Self::Percentiles {
                field,
                percents,
                missing,
            } => {
                let mut values: Vec<_> = rows
                    .iter()
                    .flat_map(|row| keys(field, *row, missing.as_ref()))
                    .filter_map(|value| value.number())
                    .collect();
                values.sort_by(f64::total_cmp);
                let results = percents.iter().map(|percent| {
                    let value = percentile(&values, *percent);
                    Percentile::new(*percent, value.map(|value| typed(&field.kind, value)))
                });
                AggregationResult::Percentiles(results.collect())
            }
            Self::TopRows {
                order,
                limit,
                columns,
                table,
            } => {
                let mut sorted: Vec<_> = rows
                    .iter()
                    .map(|row| (order.position(*row, 0.0), *row))
                    .collect();
                sorted.sort_by(|a, b| order.compare(&a.0, &b.0));
                let top = sorted.into_iter().take(*limit);
                let top: Vec<_> = top.map(|(_, row)| Arc::clone(row)).collect();
                AggregationResult::TopRows(columns.encode_all(table, &top))
            }
        }
    }
}

/// Linear between the two values next to the place `p * (n - 1)`.
fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = percent / 100.0 * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to the last place"
    )]
    let below = (place.floor() as usize).min(last);
    let low = sorted.get(below)?;
    let high = sorted.get(below + 1).unwrap_or(low);
    Some(low + (high - low) * (place - below as f64))
}

/// LONG results are truncated toward zero.
fn typed(kind: &Kind, value: f64) -> ColumnValue {
    match kind {
        Kind::Double => ColumnValue::Double(value),
        #[expect(clippy::cast_possible_truncation, reason = "as the service does it")]
        _ => ColumnValue::Integer(value as i64),
    }
}

/// A field that numbers can be computed of.
pub(crate) fn field(
    schema: &Schema,
    agg: &str,
    name: &str,
    allowed: &[&str],
) -> Result<Arc<Field>, ServiceError> {
    let Ok(field) = schema.field(name) else {
        return Err(ServiceError::parameter(format!(
            "[{agg} agg] field: {name} does not exist"
        )));
    };
    let kind = field.kind.name().to_lowercase();
    if !allowed.contains(&kind.as_str()) {
        return Err(ServiceError::parameter(format!(
            "[{agg} agg] field_name:{name} type:{kind} is invalid, allow [{}]",
            allowed.join(", ")
        )));
    }
    if field.kind.has_order() && !field.sortable {
        return Err(ServiceError::parameter(format!(
            "[{agg} agg] field_name:{name}: sort_and_agg is false in its schema"
        )));
    }
    Ok(Arc::clone(field))
}

/// A value of a request, in the type of a field.
pub(crate) fn given(field: &Field, value: &ColumnValue) -> Result<Key, ServiceError> {
    Ok(match (&field.kind, value) {
        (Kind::Long, ColumnValue::Integer(value)) => Key::Long(*value),
        (Kind::Double, ColumnValue::Double(value)) if value.is_finite() => {
            Key::Double(Double::new(*value))
        }
        (Kind::Double, ColumnValue::Integer(value)) => Key::Double(Double::new(*value as f64)),
        (Kind::Boolean, ColumnValue::Boolean(value)) => Key::Boolean(*value),
        (Kind::Keyword | Kind::FuzzyKeyword, ColumnValue::String(value)) => {
            Key::Text(value.clone())
        }
        (Kind::Date(_), value) => {
            let millis = predicate::date(field, value)?.div_euclid(NANOS_PER_MILLI.into());
            Key::Date(i64::try_from(millis).map_err(|_| predicate::unfit(field, value))?)
        }
        _ => return Err(predicate::unfit(field, value)),
    })
}

fn unsupported() -> ServiceError {
    ServiceError::parameter("an aggregation of this kind is not supported by the emulator")
}

const NUMBERS: &[&str] = &["long", "double"];
const NUMBERS_AND_DATES: &[&str] = &["long", "double", "date"];
const ALL: &[&str] = &[
    "long",
    "double",
    "boolean",
    "keyword",
    "fuzzy_keyword",
    "geo_point",
    "date",
    "ip",
];

// From the public documentation; the service's limits on rows and percentiles aren't public.
pub(crate) const MAX_PER_LEVEL: usize = 5;
const MAX_TOP_ROWS: usize = 100;
const MAX_PERCENTILES: usize = 100;
