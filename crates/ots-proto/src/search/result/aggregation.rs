//! What aggregations came to.

use bytes::Bytes;
use prost::Message as _;

use super::super::error::SearchError;
use super::super::named::Named;
use super::super::wire::{count64, decode, int64, required, value, variant};
use super::lookup::LookupError;
use crate::bounded;
use crate::messages::{self, AggregationType};
use crate::value::ColumnValue;

/// What aggregations came to, each under the name it was asked by.
///
/// ```
/// use ots_proto::search::{AggregationResult, AggregationResults};
///
/// let results = AggregationResults::new()
///     .with("mean price", AggregationResult::Avg(Some(7.5)))
///     .with("rows", AggregationResult::Count(12));
/// let results = AggregationResults::from_bytes(&results.to_bytes()?)?;
/// assert_eq!(results.avg("mean price")?, Some(7.5));
/// assert_eq!(results.count("rows")?, 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type AggregationResults = Named<AggregationResult>;

/// What an aggregation came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AggregationResult {
    /// The mean; none over no values.
    Avg(Option<f64>),
    /// The largest; none of no values.
    Max(Option<f64>),
    /// The smallest; none of no values.
    Min(Option<f64>),
    /// The sum.
    Sum(Option<f64>),
    /// How many values there are.
    Count(u64),
    /// How many different values there are, about.
    DistinctCount(u64),
    /// Rows, each a PlainBuffer of its own that shares the response's buffer: read them with
    /// [`SeparateRows`](crate::plainbuffer::SeparateRows).
    TopRows(Vec<Bytes>),
    /// The values that so many percent lie below.
    Percentiles(Vec<Percentile>),
    /// The result of a kind of aggregation that this version doesn't know, kept as it came.
    Unknown {
        /// The number of the kind.
        number: i32,
        /// The message of that kind.
        body: Bytes,
    },
}

/// The value that so many percent lie below.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Percentile {
    /// How many percent.
    pub percent: f64,
    /// The value, in the type of the field; none of no values.
    pub value: Option<ColumnValue>,
}

impl Percentile {
    /// So many percent lie below this value.
    #[must_use]
    pub const fn new(percent: f64, value: Option<ColumnValue>) -> Self {
        Self { percent, value }
    }
}

impl AggregationResult {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Avg(_) => "avg",
            Self::Max(_) => "max",
            Self::Min(_) => "min",
            Self::Sum(_) => "sum",
            Self::Count(_) => "count",
            Self::DistinctCount(_) => "distinct_count",
            Self::TopRows(_) => "top_rows",
            Self::Percentiles(_) => "percentiles",
            Self::Unknown { .. } => "unknown",
        }
    }

    fn to_message(&self, name: &str) -> messages::AggregationResult {
        // The messages of the four functions are alike but for their names, which don't travel; so
        // are those of the two counts.
        let number = |value: &Option<f64>| messages::AvgAggregationResult { value: *value };
        let count = |value: &u64| messages::CountAggregationResult {
            value: Some(int64(*value)),
        };
        let (kind, body) = match self {
            Self::Avg(value) => (AggregationType::Avg.into(), number(value).encode_to_vec()),
            Self::Max(value) => (AggregationType::Max.into(), number(value).encode_to_vec()),
            Self::Min(value) => (AggregationType::Min.into(), number(value).encode_to_vec()),
            Self::Sum(value) => (AggregationType::Sum.into(), number(value).encode_to_vec()),
            Self::Count(value) => (AggregationType::Count.into(), count(value).encode_to_vec()),
            Self::DistinctCount(value) => {
                let kind = AggregationType::DistinctCount.into();
                (kind, count(value).encode_to_vec())
            }
            Self::TopRows(rows) => {
                let body = messages::TopRowsAggregationResult { rows: rows.clone() };
                (AggregationType::TopRows.into(), body.encode_to_vec())
            }
            Self::Percentiles(percentiles) => {
                let items = percentiles.iter().map(Percentile::to_message);
                let body = messages::PercentilesAggregationResult {
                    percentiles_aggregation_items: items.collect(),
                };
                (AggregationType::Percentiles.into(), body.encode_to_vec())
            }
            Self::Unknown { number, body } => (*number, body.to_vec()),
        };
        messages::AggregationResult {
            name: Some(name.to_owned()),
            r#type: Some(kind),
            agg_result: Some(body.into()),
        }
    }

    fn from_message(message: &messages::AggregationResult) -> Result<Self, SearchError> {
        let body = message.agg_result.as_ref();
        let number = || decode(body).map(|body: messages::AvgAggregationResult| body.value);
        let count = || {
            let body: messages::CountAggregationResult = decode(body)?;
            required("value", count64("value", body.value)?)
        };
        let kind = required("type", message.r#type)?;
        let Ok(kind) = AggregationType::try_from(kind) else {
            return Ok(Self::Unknown {
                number: kind,
                body: body.cloned().unwrap_or_default(),
            });
        };
        Ok(match kind {
            AggregationType::Avg => Self::Avg(number()?),
            AggregationType::Max => Self::Max(number()?),
            AggregationType::Min => Self::Min(number()?),
            AggregationType::Sum => Self::Sum(number()?),
            AggregationType::Count => Self::Count(count()?),
            AggregationType::DistinctCount => Self::DistinctCount(count()?),
            AggregationType::TopRows => {
                let body: messages::TopRowsAggregationResult = decode(body)?;
                Self::TopRows(body.rows)
            }
            AggregationType::Percentiles => {
                let body: messages::PercentilesAggregationResult = decode(body)?;
                let items = body.percentiles_aggregation_items.iter();
                Self::Percentiles(bounded::collect(items.map(Percentile::from_message))?)
            }
        })
    }
}

impl Percentile {
    fn to_message(&self) -> messages::PercentilesAggregationItem {
        messages::PercentilesAggregationItem {
            key: Some(self.percent),
            value: self.value.as_ref().map(variant),
        }
    }

    fn from_message(message: &messages::PercentilesAggregationItem) -> Result<Self, SearchError> {
        Ok(Self {
            percent: required("key", message.key)?,
            value: value("value", message.value.as_ref())?,
        })
    }
}

/// What is asked for by name and kind.
macro_rules! find {
    ($results:ident, $name:ident, $kind:literal, $pattern:pat => $found:expr) => {
        match $results.get($name) {
            Some($pattern) => Ok($found),
            Some(other) => Err(LookupError::WrongKind {
                what: "aggregation",
                name: $name.to_owned(),
                asked: $kind,
                found: other.kind(),
            }),
            None => Err(LookupError::NotFound {
                what: "aggregation",
                name: $name.to_owned(),
            }),
        }
    };
}

impl AggregationResults {
    /// The mean called `name`; none over no values.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind. So with the other kinds below.
    pub fn avg(&self, name: &str) -> Result<Option<f64>, LookupError> {
        find!(self, name, "avg", AggregationResult::Avg(value) => *value)
    }

    /// The largest value called `name`; none of no values.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn max(&self, name: &str) -> Result<Option<f64>, LookupError> {
        find!(self, name, "max", AggregationResult::Max(value) => *value)
    }

    /// The smallest value called `name`; none of no values.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn min(&self, name: &str) -> Result<Option<f64>, LookupError> {
        find!(self, name, "min", AggregationResult::Min(value) => *value)
    }

    /// The sum called `name`.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn sum(&self, name: &str) -> Result<Option<f64>, LookupError> {
        find!(self, name, "sum", AggregationResult::Sum(value) => *value)
    }

    /// The count of values called `name`.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn count(&self, name: &str) -> Result<u64, LookupError> {
        find!(self, name, "count", AggregationResult::Count(value) => *value)
    }

    /// The count of different values called `name`, which is about right.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn distinct_count(&self, name: &str) -> Result<u64, LookupError> {
        find!(self, name, "distinct_count", AggregationResult::DistinctCount(value) => *value)
    }

    /// The rows called `name`, each a PlainBuffer of its own: read them with
    /// [`SeparateRows`](crate::plainbuffer::SeparateRows).
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn top_rows(&self, name: &str) -> Result<&[Bytes], LookupError> {
        find!(self, name, "top_rows", AggregationResult::TopRows(rows) => rows)
    }

    /// The percentiles called `name`.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn percentiles(&self, name: &str) -> Result<&[Percentile], LookupError> {
        find!(self, name, "percentiles", AggregationResult::Percentiles(of) => of)
    }

    /// The message that says the same.
    ///
    /// # Errors
    /// When a name is empty or given twice.
    pub fn to_message(&self) -> Result<messages::AggregationsResult, SearchError> {
        let agg_results = self.write("result of aggregation", |name, part| {
            Ok(part.to_message(name))
        })?;
        Ok(messages::AggregationsResult { agg_results })
    }

    /// The results that a message says. A kind that this version doesn't know is kept as it came.
    ///
    /// # Errors
    /// When one is damaged or incomplete; when a name is missing, empty or given twice.
    pub fn from_message(message: &messages::AggregationsResult) -> Result<Self, SearchError> {
        let name = |message: &messages::AggregationResult| message.name.clone();
        let read = AggregationResult::from_message;
        Self::read("result of aggregation", &message.agg_results, name, read)
    }

    /// The bytes that a SearchResponse holds.
    ///
    /// # Errors
    /// As [`to_message`](Self::to_message).
    pub fn to_bytes(&self) -> Result<Bytes, SearchError> {
        Ok(self.to_message()?.encode_to_vec().into())
    }

    /// The results in the bytes of a SearchResponse.
    ///
    /// # Errors
    /// As [`from_message`](Self::from_message), and when the bytes aren't the message.
    pub fn from_bytes(bytes: &Bytes) -> Result<Self, SearchError> {
        Self::from_message(&decode(Some(bytes))?)
    }
}
