//! Rows as canonical JSON: the form in which every driver takes them and gives them back.
//!
//! JSON numbers lose 64-bit integers and negative zero on the way through some languages. So integers
//! are decimal text, doubles the 16 hex digits of their bits (most significant first), binary values
//! lower-case hex.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// The value of a key column or of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "the five types a stored value can have"
)]
pub enum Value {
    /// A 64-bit signed integer.
    Integer(#[serde(with = "decimal")] i64),
    /// The bits of a 64-bit float: comparing bits tells negative zero from zero.
    Double(#[serde(with = "bits")] u64),
    /// True or false.
    Boolean(bool),
    /// UTF-8 text.
    String(String),
    /// Any bytes.
    Binary(#[serde(with = "hex")] Vec<u8>),
}

/// A key column: its name and value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "the contract with the drivers")]
pub struct KeyColumn {
    /// Name of the key column.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// One version of one attribute column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "the contract with the drivers")]
pub struct Cell {
    /// Name of the column.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Version in milliseconds; absent where the service sends none, as in a parallel scan.
    #[serde(
        default,
        with = "decimal_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub timestamp: Option<i64>,
}

/// A row: its key, and its cells in the order in which they were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "the contract with the drivers")]
pub struct Row {
    /// Key columns in the order of the table.
    pub primary_key: Vec<KeyColumn>,
    /// Cells, by name and then newest first.
    pub columns: Vec<Cell>,
}

impl Value {
    /// A double, as its bits.
    #[must_use]
    pub const fn double(value: f64) -> Self {
        Self::Double(value.to_bits())
    }

    /// The service's order of key values of one type; values of other types are not keys and compare
    /// as equal.
    #[must_use]
    pub fn key_order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Binary(a), Self::Binary(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

impl Row {
    /// The service's order of rows of one table.
    #[must_use]
    pub fn key_order(&self, other: &Self) -> Ordering {
        self.primary_key
            .iter()
            .zip(&other.primary_key)
            .map(|(a, b)| a.value.key_order(&b.value))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The cell of a column that is read first, which is its newest version.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Value> {
        let cell = self.columns.iter().find(|cell| cell.name == name)?;
        Some(&cell.value)
    }

    /// The same row without the versions that the service chose.
    #[must_use]
    pub fn without_timestamps(mut self) -> Self {
        for cell in &mut self.columns {
            cell.timestamp = None;
        }
        self
    }

    /// The same row with the named columns only.
    #[must_use]
    pub fn with_columns(mut self, names: &[&str]) -> Self {
        self.columns
            .retain(|cell| names.contains(&cell.name.as_str()));
        self
    }
}

mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| D::Error::custom(format!("{text:?} is not a 64-bit integer")))
    }
}

mod decimal_option {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        value: &Option<i64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<i64>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| {
            text.parse()
                .map_err(|_| D::Error::custom(format!("{text:?} is not a 64-bit integer")))
        })
        .transpose()
    }
}

mod bits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() != 16 {
            return Err(D::Error::custom(format!("{text:?} is not 16 hex digits")));
        }
        u64::from_str_radix(&text, 16)
            .map_err(|_| D::Error::custom(format!("{text:?} is not 16 hex digits")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_one_canonical_form() {
        let cases = [
            (
                Value::Integer(i64::MIN),
                r#"{"type":"integer","value":"-9223372036854775808"}"#,
            ),
            (
                Value::double(-0.0),
                r#"{"type":"double","value":"8000000000000000"}"#,
            ),
            (Value::Boolean(true), r#"{"type":"boolean","value":true}"#),
            (
                Value::String("表".into()),
                r#"{"type":"string","value":"表"}"#,
            ),
            (
                Value::Binary(vec![0, 255]),
                r#"{"type":"binary","value":"00ff"}"#,
            ),
        ];
        for (value, json) in cases {
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(serde_json::from_str::<Value>(json).unwrap(), value);
        }
    }

    #[test]
    fn numbers_that_json_would_lose_are_refused() {
        for json in [
            r#"{"type":"integer","value":1}"#,
            r#"{"type":"double","value":"0.5"}"#,
            r#"{"type":"double","value":"8"}"#,
        ] {
            assert!(serde_json::from_str::<Value>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn strings_are_ordered_by_their_utf_8_bytes() {
        let fullwidth = Value::String("ｚ".into());
        let crab = Value::String("🦀".into());
        assert_eq!(fullwidth.key_order(&crab), Ordering::Less);
    }
}
