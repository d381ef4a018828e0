//! Numbers about all rows that a search matches.

use bytes::Bytes;
use prost::Message as _;

use super::error::SearchError;
use super::named::Named;
use super::sort::Sort;
use super::wire::{count32, decode_all, int32, known, required, value, variant};
use crate::messages::{self, AggregationType};
use crate::value::ColumnValue;

/// Numbers to compute about all rows that a search matches, whatever its limit, each with a name.
///
/// The service takes at most 5 of a level.
///
/// ```
/// use ots_proto::search::{Aggregation, Aggregations, FieldSort};
///
/// let aggregations = Aggregations::new()
///     .with("mean price", Aggregation::avg("price").missing(0.0))
///     .with("rows", Aggregation::count("id"))
///     .with("spread", Aggregation::percentiles("price", [50.0, 99.0]))
///     .with("newest", Aggregation::top_rows().limit(3).sort(FieldSort::desc("at")));
/// let message = aggregations.to_message()?;
/// assert_eq!(Aggregations::from_message(&message)?, aggregations);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
pub type Aggregations = Named<Aggregation>;

/// A number, or a few, about all rows that a search matches.
///
/// Source: the service's documentation of aggregations.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Aggregation {
    /// A number about the values of a field.
    Metric(Metric),
    /// How many values a field has; each element of an array counts.
    Count {
        /// The field.
        field: String,
    },
    /// The first rows of an order.
    TopRows(TopRows),
    /// The values that so many percent of a field's values lie below.
    Percentiles(Percentiles),
}

/// A number about the values of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Metric {
    /// Which number.
    pub function: MetricFunction,
    /// The field.
    pub field: String,
    /// What stands for the value of a row that has none; such rows are left out when absent.
    pub missing: Option<ColumnValue>,
}

/// Which number about the values of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricFunction {
    /// The mean.
    Avg,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The sum.
    Sum,
    /// How many different ones there are, about.
    DistinctCount,
}

/// The first rows of an order.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct TopRows {
    /// Rows wanted; the service takes 1 when absent.
    pub limit: Option<u32>,
    /// Their order.
    pub sort: Option<Sort>,
}

/// The values that so many percent of a field's values lie below.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Percentiles {
    /// The field.
    pub field: String,
    /// How many percent, each from 0 to 100.
    pub percentiles: Vec<f64>,
    /// What stands for the value of a row that has none; such rows are left out when absent.
    pub missing: Option<ColumnValue>,
}

impl Aggregation {
    /// The mean of `field`: LONG or DOUBLE.
    pub fn avg(field: impl Into<String>) -> Metric {
        Metric::new(MetricFunction::Avg, field)
    }

    /// The largest value of `field`: LONG, DOUBLE or DATE.
    pub fn max(field: impl Into<String>) -> Metric {
        Metric::new(MetricFunction::Max, field)
    }

    /// The smallest value of `field`: LONG, DOUBLE or DATE.
    pub fn min(field: impl Into<String>) -> Metric {
        Metric::new(MetricFunction::Min, field)
    }

    /// The sum of `field`: LONG or DOUBLE.
    pub fn sum(field: impl Into<String>) -> Metric {
        Metric::new(MetricFunction::Sum, field)
    }

    /// How many different values `field` has, about; any type but TEXT.
    pub fn distinct_count(field: impl Into<String>) -> Metric {
        Metric::new(MetricFunction::DistinctCount, field)
    }

    /// How many values `field` has.
    #[must_use]
    pub fn count(field: impl Into<String>) -> Self {
        let field = field.into();
        Self::Count { field }
    }

    /// The first row of an order, or more with a limit.
    pub const fn top_rows() -> TopRows {
        TopRows {
            limit: None,
            sort: None,
        }
    }

    /// The values of `field` (LONG, DOUBLE or DATE) that so many percent lie below.
    pub fn percentiles(
        field: impl Into<String>,
        percentiles: impl IntoIterator<Item = f64>,
    ) -> Percentiles {
        Percentiles {
            field: field.into(),
            percentiles: percentiles.into_iter().collect(),
            missing: None,
        }
    }

    fn to_message(&self, name: &str) -> Result<messages::Aggregation, SearchError> {
        let (kind, body) = match self {
            Self::Metric(metric) => (metric.function.kind(), metric.to_message().encode_to_vec()),
            Self::Count { field } => {
                let field_name = Some(field.clone());
                let body = messages::CountAggregation { field_name };
                (AggregationType::Count, body.encode_to_vec())
            }
            Self::TopRows(rows) => (AggregationType::TopRows, rows.to_message().encode_to_vec()),
            Self::Percentiles(of) => {
                let body = of.to_message()?.encode_to_vec();
                (AggregationType::Percentiles, body)
            }
        };
        Ok(messages::Aggregation {
            name: Some(name.to_owned()),
            r#type: Some(kind.into()),
            body: Some(body.into()),
        })
    }

    fn from_message(message: &messages::Aggregation) -> Result<Self, SearchError> {
        let body = message.body.as_ref();
        let metric = |function| Metric::from_body(function, body).map(Self::Metric);
        match required("type", known("type", message.r#type)?)? {
            AggregationType::Avg => metric(MetricFunction::Avg),
            AggregationType::Max => metric(MetricFunction::Max),
            AggregationType::Min => metric(MetricFunction::Min),
            AggregationType::Sum => metric(MetricFunction::Sum),
            AggregationType::DistinctCount => metric(MetricFunction::DistinctCount),
            AggregationType::Count => {
                let count: messages::CountAggregation = decode_all(body)?;
                Ok(Self::count(required("field_name", count.field_name)?))
            }
            AggregationType::TopRows => TopRows::from_body(body).map(Self::TopRows),
            AggregationType::Percentiles => Percentiles::from_body(body).map(Self::Percentiles),
        }
    }
}

impl Aggregations {
    /// The message that says the same.
    ///
    /// # Errors
    /// When a name is empty or given twice, or a percentile doesn't lie between 0 and 100.
    pub fn to_message(&self) -> Result<messages::Aggregations, SearchError> {
        let aggs = self.write("aggregation", |name, part| part.to_message(name))?;
        Ok(messages::Aggregations { aggs })
    }

    /// The aggregations that a message says.
    ///
    /// # Errors
    /// When one is damaged, incomplete, or of a kind that this version doesn't know; when a name is
    /// missing, empty or given twice.
    pub fn from_message(message: &messages::Aggregations) -> Result<Self, SearchError> {
        let name = |message: &messages::Aggregation| message.name.clone();
        Self::read(
            "aggregation",
            &message.aggs,
            name,
            Aggregation::from_message,
        )
    }
}

impl MetricFunction {
    const fn kind(self) -> AggregationType {
        match self {
            Self::Avg => AggregationType::Avg,
            Self::Max => AggregationType::Max,
            Self::Min => AggregationType::Min,
            Self::Sum => AggregationType::Sum,
            Self::DistinctCount => AggregationType::DistinctCount,
        }
    }
}

impl Metric {
    fn new(function: MetricFunction, field: impl Into<String>) -> Self {
        Self {
            function,
            field: field.into(),
            missing: None,
        }
    }

    /// What stands for the value of a row that has none.
    pub fn missing(mut self, value: impl Into<ColumnValue>) -> Self {
        self.missing = Some(value.into());
        self
    }

    /// The messages of all five are alike but for their names, which don't travel.
    fn to_message(&self) -> messages::SumAggregation {
        messages::SumAggregation {
            field_name: Some(self.field.clone()),
            missing: self.missing.as_ref().map(variant),
        }
    }

    fn from_body(function: MetricFunction, body: Option<&Bytes>) -> Result<Self, SearchError> {
        let message: messages::SumAggregation = decode_all(body)?;
        Ok(Self {
            function,
            field: required("field_name", message.field_name)?,
            missing: value("missing", message.missing.as_ref())?,
        })
    }
}

impl TopRows {
    /// At most so many rows.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// The order whose first rows are wanted.
    pub fn sort(mut self, sort: impl Into<Sort>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    fn to_message(&self) -> messages::TopRowsAggregation {
        messages::TopRowsAggregation {
            limit: self.limit.map(int32),
            sort: self.sort.as_ref().map(Sort::to_message),
        }
    }

    fn from_body(body: Option<&Bytes>) -> Result<Self, SearchError> {
        let message: messages::TopRowsAggregation = decode_all(body)?;
        Ok(Self {
            limit: count32("limit", message.limit)?,
            sort: message.sort.as_ref().map(Sort::from_message).transpose()?,
        })
    }
}

impl Percentiles {
    /// What stands for the value of a row that has none.
    pub fn missing(mut self, value: impl Into<ColumnValue>) -> Self {
        self.missing = Some(value.into());
        self
    }

    fn check(&self) -> Result<(), SearchError> {
        let valid = |percent: &f64| (0.0..=100.0).contains(percent);
        if self.percentiles.iter().all(valid) {
            return Ok(());
        }
        let rule = "a percentile must lie between 0 and 100";
        Err(SearchError::invalid(rule))
    }

    fn to_message(&self) -> Result<messages::PercentilesAggregation, SearchError> {
        self.check()?;
        Ok(messages::PercentilesAggregation {
            field_name: Some(self.field.clone()),
            percentiles: self.percentiles.clone(),
            missing: self.missing.as_ref().map(variant),
        })
    }

    fn from_body(body: Option<&Bytes>) -> Result<Self, SearchError> {
        let message: messages::PercentilesAggregation = decode_all(body)?;
        let read = Self {
            field: required("field_name", message.field_name)?,
            percentiles: message.percentiles,
            missing: value("missing", message.missing.as_ref())?,
        };
        read.check()?;
        Ok(read)
    }
}

impl From<Metric> for Aggregation {
    fn from(metric: Metric) -> Self {
        Self::Metric(metric)
    }
}

impl From<TopRows> for Aggregation {
    fn from(rows: TopRows) -> Self {
        Self::TopRows(rows)
    }
}

impl From<Percentiles> for Aggregation {
    fn from(percentiles: Percentiles) -> Self {
        Self::Percentiles(percentiles)
    }
}
