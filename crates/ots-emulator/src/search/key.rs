//! Values that can be counted, put in order and told apart.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde_json::{Value, json};

use super::doc::Doc;
use super::field::{Field, Scalar};

/// A value that can be counted, put in order and told apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Long(i64),
    Double(Double),
    Boolean(bool),
    Text(String),
    /// Milliseconds since 1970.
    Date(i64),
    Point(Double, Double),
    Ip(u128),
}

/// A double of the total order, with one zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Double(pub(crate) f64);

impl Key {
    pub(crate) fn of(value: Scalar<'_>) -> Option<Self> {
        match value {
            Scalar::Long(value) => Some(Self::Long(value)),
            Scalar::Double(value) => Some(Self::Double(Double::new(value))),
            Scalar::Boolean(value) => Some(Self::Boolean(value)),
            Scalar::Text(value) => Some(Self::Text(value.to_owned())),
            Scalar::Date(nanos) => Some(Self::Date(nanos.div_euclid(NANOS_PER_MILLI))),
            Scalar::Point(point) => Some(Self::Point(
                Double::new(point.latitude()),
                Double::new(point.longitude()),
            )),
            Scalar::Ip(value) => Some(Self::Ip(value)),
            Scalar::Vector(_) | Scalar::Object => None,
        }
    }

    /// The number that metrics compute with.
    pub(crate) const fn number(&self) -> Option<f64> {
        match self {
            Self::Long(value) | Self::Date(value) => Some(*value as f64),
            Self::Double(value) => Some(value.0),
            Self::Boolean(_) | Self::Text(_) | Self::Point(..) | Self::Ip(_) => None,
        }
    }

    /// As the key of a group.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Long(value) | Self::Date(value) => value.to_string(),
            Self::Double(value) => format!("{:?}", value.0),
            Self::Boolean(value) => value.to_string(),
            Self::Text(value) => value.clone(),
            Self::Point(lat, lon) => format!("{:?},{:?}", lat.0, lon.0),
            Self::Ip(value) => value.to_string(),
        }
    }

    /// As a part of a token: its type and its value.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Long(value) => json!({ "l": value }),
            Self::Double(value) => json!({ "d": value.0.to_bits() }),
            Self::Boolean(value) => json!({ "b": value }),
            Self::Text(value) => json!({ "t": value }),
            Self::Date(value) => json!({ "a": value }),
            Self::Point(..) | Self::Ip(_) => Value::Null,
        }
    }

    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let (kind, value) = value.as_object()?.iter().next()?;
        match kind.as_str() {
            "l" => value.as_i64().map(Self::Long),
            "d" => value
                .as_u64()
                .map(|bits| Self::Double(Double(f64::from_bits(bits)))),
            "b" => value.as_bool().map(Self::Boolean),
            "t" => value.as_str().map(|text| Self::Text(text.to_owned())),
            "a" => value.as_i64().map(Self::Date),
            _ => None,
        }
    }
}

/// The values of a field in a row; `missing` if it has none.
pub(crate) fn keys<'r>(field: &Field, doc: impl Into<Doc<'r>>, missing: Option<&Key>) -> Vec<Key> {
    let mut keys = Vec::new();
    let fits = field.all(doc, |value| keys.extend(Key::of(value)));
    if !fits {
        keys.clear();
    }
    if keys.is_empty() {
        keys.extend(missing.cloned());
    }
    keys
}

impl Double {
    pub(crate) fn new(value: f64) -> Self {
        // The sum turns -0 into 0.
        Self(value + 0.0)
    }
}

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Double {}

impl PartialOrd for Double {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Double {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Double {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

pub(crate) const NANOS_PER_MILLI: i64 = 1_000_000;
