//! What a field's values are, and how they stand in their column.

use std::net::IpAddr;

use ots_proto::ColumnValueRef;
use ots_proto::messages::{FieldSchema, FieldType, VectorDataType, VectorMetricType};
use ots_proto::search::GeoPoint;
use serde_json::Value;

use super::analyzer::Analyzer;
use super::array::Element;
use super::date_format::DateFormat;
use crate::error::ServiceError;

/// What a field's values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Long,
    Double,
    Boolean,
    Keyword,
    /// A KEYWORD made for wildcards and suffixes. Nothing here makes them faster.
    FuzzyKeyword,
    Text(Analyzer),
    GeoPoint,
    Date(Vec<DateFormat>),
    Ip,
    Vector(VectorKind),
    /// Objects that queries see one by one, as rows of their own.
    Nested,
    /// Objects whose values belong to the row, mixed.
    Json,
}

/// What the vectors of a field look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VectorKind {
    pub(crate) dimension: usize,
    pub(crate) metric: VectorMetricType,
}

/// One value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Long(i64),
    Double(f64),
    Boolean(bool),
    /// Of a KEYWORD, or a whole TEXT.
    Text(&'a str),
    Point(GeoPoint),
    /// Nanoseconds since 1970, never negative.
    Date(i64),
    /// An IPv6 address, or an IPv4 one mapped to it, as a number.
    Ip(u128),
    Vector(&'a [f32]),
    /// An object of a NESTED or JSON field.
    Object,
}

impl Kind {
    pub(crate) fn parse(name: &str, schema: &FieldSchema) -> Result<Self, ServiceError> {
        let number = schema.field_type.unwrap_or_default();
        let field_type = FieldType::try_from(number).map_err(|_| {
            ServiceError::parameter(format!("field [{name}] has no known type: {number}"))
        })?;
        match field_type {
            FieldType::Long => Ok(Self::Long),
            FieldType::Double => Ok(Self::Double),
            FieldType::Boolean => Ok(Self::Boolean),
            FieldType::Keyword => Ok(Self::Keyword),
            FieldType::FuzzyKeyword => Ok(Self::FuzzyKeyword),
            FieldType::Text => Analyzer::parse(name, schema).map(Self::Text),
            FieldType::GeoPoint => Ok(Self::GeoPoint),
            FieldType::Date => date_formats(name, schema).map(Self::Date),
            FieldType::Ip => Ok(Self::Ip),
            FieldType::Vector => VectorKind::parse(name, schema).map(Self::Vector),
            FieldType::Nested => Ok(Self::Nested),
            FieldType::Json => json_kind(name, schema),
            other @ FieldType::Flattened => Err(ServiceError::parameter(format!(
                "the type {} of field [{name}] is not supported by the emulator",
                other.as_str_name().trim_start_matches("FIELD_TYPE_")
            ))),
        }
    }

    /// The name of the type, as the service spells it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::Boolean => "BOOLEAN",
            Self::Keyword => "KEYWORD",
            Self::FuzzyKeyword => "FUZZY_KEYWORD",
            Self::Text(_) => "TEXT",
            Self::GeoPoint => "GEO_POINT",
            Self::Date(_) => "DATE",
            Self::Ip => "IP",
            Self::Vector(_) => "VECTOR",
            Self::Nested => "NESTED",
            Self::Json => "JSON",
        }
    }

    /// Whether its values have an order, unless the schema says that they don't.
    pub(crate) const fn has_order(&self) -> bool {
        match self {
            Self::Long
            | Self::Double
            | Self::Boolean
            | Self::Keyword
            | Self::Date(_)
            | Self::Ip => true,
            Self::GeoPoint
            | Self::FuzzyKeyword
            | Self::Text(_)
            | Self::Vector(_)
            | Self::Nested
            | Self::Json => false,
        }
    }

    pub(crate) const fn has_parts(&self) -> bool {
        matches!(self, Self::Nested | Self::Json)
    }

    /// The value as this type, if the column's type is the one that belongs to it.
    #[inline]
    pub(crate) fn scalar<'a>(&self, raw: ColumnValueRef<'a>) -> Option<Scalar<'a>> {
        match (self, raw) {
            (Self::Long, ColumnValueRef::Integer(value)) => Some(Scalar::Long(value)),
            // An integer in a DOUBLE field is dirty, seen in official tests.
            (Self::Double, ColumnValueRef::Double(value)) => Some(Scalar::Double(value)),
            (Self::Boolean, ColumnValueRef::Boolean(value)) => Some(Scalar::Boolean(value)),
            (Self::Keyword | Self::FuzzyKeyword | Self::Text(_), ColumnValueRef::String(value)) => {
                Some(Scalar::Text(value))
            }
            (Self::GeoPoint, ColumnValueRef::String(value)) => {
                value.parse().ok().map(Scalar::Point)
            }
            (Self::Ip, ColumnValueRef::String(value)) => ip(value).map(Scalar::Ip),
            (Self::Date(formats), ColumnValueRef::Integer(value)) => {
                date(epoch_nanos(formats, value)?)
            }
            (Self::Date(formats), ColumnValueRef::String(value)) => {
                date(pattern_nanos(formats, value)?)
            }
            _ => None,
        }
    }

    pub(crate) fn element<'a>(&self, element: Element<'a>) -> Option<Scalar<'a>> {
        let raw = match element {
            // JSON knows one kind of number: `[1, 2.5]` holds two doubles.
            Element::Integer(value) if *self == Self::Double => {
                ColumnValueRef::Double(value as f64)
            }
            Element::Integer(value) => ColumnValueRef::Integer(value),
            Element::Double(value) => ColumnValueRef::Double(value),
            Element::Boolean(value) => ColumnValueRef::Boolean(value),
            Element::Text(value) => ColumnValueRef::String(value),
        };
        self.scalar(raw)
    }

    /// Calls `each` with the value of a virtual field, made from a column of another type.
    pub(crate) fn convert(
        &self,
        raw: ColumnValueRef<'_>,
        each: &mut dyn FnMut(Scalar<'_>),
    ) -> bool {
        let made;
        let raw = match (self, raw) {
            (Self::Long, ColumnValueRef::String(text)) => text.parse().map(ColumnValueRef::Integer),
            (Self::Double, ColumnValueRef::String(text)) => match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(ColumnValueRef::Double(value)),
                _ => return false,
            },
            (
                Self::Keyword | Self::FuzzyKeyword | Self::Text(_),
                ColumnValueRef::Integer(value),
            ) => {
                made = value.to_string();
                Ok(ColumnValueRef::String(&made))
            }
            (Self::Keyword | Self::FuzzyKeyword | Self::Text(_), ColumnValueRef::Double(value)) => {
                made = format!("{value:?}");
                Ok(ColumnValueRef::String(&made))
            }
            (_, raw) => Ok(raw),
        };
        raw.ok()
            .and_then(|raw| self.scalar(raw))
            .map(each)
            .is_some()
    }
}

impl VectorKind {
    fn parse(name: &str, schema: &FieldSchema) -> Result<Self, ServiceError> {
        let refused = |what: String| ServiceError::parameter(format!("field [{name}]: {what}"));
        let options = schema
            .vector_options
            .as_ref()
            .ok_or_else(|| refused("a VECTOR needs vector_options".to_owned()))?;
        let data_type = options.data_type.unwrap_or(VectorDataType::Float32.into());
        if VectorDataType::try_from(data_type) != Ok(VectorDataType::Float32) {
            return Err(refused(format!(
                "the vector data type {data_type} is unknown"
            )));
        }
        let metric = options.metric_type.unwrap_or_default();
        let dimension = options.dimension.unwrap_or_default();
        Ok(Self {
            dimension: usize::try_from(dimension)
                .ok()
                .filter(|dimension| (1..=MAX_DIMENSION).contains(dimension))
                .ok_or_else(|| {
                    refused(format!(
                        "a VECTOR has 1 to {MAX_DIMENSION} dimensions, not {dimension}"
                    ))
                })?,
            metric: VectorMetricType::try_from(metric)
                .map_err(|_| refused(format!("the vector metric {metric} is unknown")))?,
        })
    }

    /// The vector in a column: text such as `[1, 5.1]`, or little-endian floats of 32 bits.
    pub(crate) fn read(self, raw: ColumnValueRef<'_>) -> Option<Vec<f32>> {
        let vector: Vec<f32> = match raw {
            ColumnValueRef::String(text) => serde_json::from_str(text).ok()?,
            ColumnValueRef::Binary(bytes) if bytes.len() == self.dimension * 4 => bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
            _ => return None,
        };
        let fits = vector.len() == self.dimension && vector.iter().all(|value| value.is_finite());
        fits.then_some(vector)
    }

    /// How near two vectors are; larger is nearer.
    ///
    /// Of EUCLIDEAN the service documents that there is no square root. The rest are the usual forms.
    pub(crate) fn score(self, a: &[f32], b: &[f32]) -> f64 {
        let pairs = || a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
        let dot = || pairs().map(|(a, b)| a * b).sum::<f64>();
        match self.metric {
            VectorMetricType::Euclidean => {
                let squares: f64 = pairs().map(|(a, b)| (a - b) * (a - b)).sum();
                1.0 / (1.0 + squares)
            }
            VectorMetricType::Cosine => {
                let length = |of: &[f32]| {
                    let squares = of.iter().map(|value| f64::from(*value) * f64::from(*value));
                    squares.sum::<f64>().sqrt()
                };
                let lengths = length(a) * length(b);
                let cosine = if lengths > 0.0 { dot() / lengths } else { 0.0 };
                f64::midpoint(1.0, cosine)
            }
            VectorMetricType::DotProduct => f64::midpoint(1.0, dot()).max(0.0),
        }
    }
}

/// An address as a number; IPv4 mapped to IPv6, so that both have one order.
pub(crate) fn ip(text: &str) -> Option<u128> {
    let address = match text.parse().ok()? {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    Some(address.to_bits())
}

/// Nanoseconds since 1970 of a number in the first of these formats that is one of numbers.
pub(crate) fn epoch_nanos(formats: &[DateFormat], value: i64) -> Option<i128> {
    formats.iter().find_map(|format| match format {
        DateFormat::Epoch(unit) => Some(i128::from(value) * i128::from(unit.nanos())),
        DateFormat::Pattern(_) => None,
    })
}

/// Nanoseconds since 1970 of a text in any of these formats.
pub(crate) fn pattern_nanos(formats: &[DateFormat], text: &str) -> Option<i128> {
    formats.iter().find_map(|format| match format {
        DateFormat::Pattern(pattern) => pattern.read(text),
        DateFormat::Epoch(_) => None,
    })
}

/// A date, if it lies in the service's range: from 1970 as far as an i64 of nanoseconds goes.
fn date(nanos: i128) -> Option<Scalar<'static>> {
    let nanos = i64::try_from(nanos).ok()?;
    (nanos >= 0).then_some(Scalar::Date(nanos))
}

fn date_formats(name: &str, schema: &FieldSchema) -> Result<Vec<DateFormat>, ServiceError> {
    if schema.date_formats.is_empty() {
        return Err(ServiceError::parameter(format!(
            "field [{name}] of type DATE has no date formats"
        )));
    }
    let formats = schema.date_formats.iter();
    formats
        .map(|format| DateFormat::parse(name, format))
        .collect()
}

fn json_kind(name: &str, schema: &FieldSchema) -> Result<Kind, ServiceError> {
    use ots_proto::messages::JsonType;
    match schema.json_type.map(JsonType::try_from) {
        None | Some(Ok(JsonType::Object)) => Ok(Kind::Json),
        Some(Ok(JsonType::Nested)) => Ok(Kind::Nested),
        Some(Err(number)) => Err(ServiceError::parameter(format!(
            "the json_type of field [{name}] is unknown: {number}"
        ))),
    }
}

/// The scalar that a piece of JSON is.
pub(crate) fn json_element(value: &Value) -> Option<Element<'_>> {
    match value {
        Value::Bool(value) => Some(Element::Boolean(*value)),
        Value::Number(number) => number
            .as_i64()
            .map(Element::Integer)
            .or_else(|| number.as_f64().map(Element::Double)),
        Value::String(text) => Some(Element::Text(text)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// From the public documentation.
const MAX_DIMENSION: usize = 4096;
