//! Values, keys and rows between neutral words and our own types.

use bytes::Bytes;
use ots_core::request::Consumed;
use ots_core::{ColumnValue, PrimaryKey, PrimaryKeyValue, Row};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};

use super::{Said, failed};
use crate::canonical::Value as Canonical;
use crate::cases::value::binary;
use crate::own_client::canonical;

/// The value of a cell.
#[derive(Clone, Debug)]
pub(super) struct Value(pub(super) ColumnValue);

/// A key: names and values.
#[derive(Clone, Debug)]
pub(super) struct Key(pub(super) PrimaryKey);

/// Bytes that only the service reads, as hex.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Token(#[serde(with = "hex")] pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let value = column_value(&json);
        value
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{json} is no value")))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let columns = Vec::<(String, Json)>::deserialize(deserializer)?;
        let mut key = PrimaryKey::new();
        for (name, json) in columns {
            let value = key_value(&json);
            let value = value.ok_or_else(|| D::Error::custom(format!("{json} is no key")))?;
            key = key.column(name, value);
        }
        Ok(Self(key))
    }
}

impl Token {
    pub(super) fn into_bytes(self) -> Bytes {
        self.0.into()
    }
}

/// A token as the next request gives it back.
pub(super) fn token(bytes: Option<&Bytes>) -> Json {
    bytes.map_or(Json::Null, |bytes| json!(hex::encode(bytes)))
}

fn column_value(json: &Json) -> Option<ColumnValue> {
    Some(match json {
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => match number.as_i64() {
            Some(value) => value.into(),
            None => number.as_f64()?.into(),
        },
        Json::String(value) => value.as_str().into(),
        Json::Object(object) => binary(object)?.into(),
        Json::Null | Json::Array(_) => return None,
    })
}

fn key_value(json: &Json) -> Option<PrimaryKeyValue> {
    if let Json::Object(object) = json {
        return match (object.get("inf").and_then(Json::as_str), object.get("auto")) {
            (Some("min"), _) => Some(PrimaryKeyValue::InfMin),
            (Some("max"), _) => Some(PrimaryKeyValue::InfMax),
            (None, Some(Json::Bool(true))) => Some(PrimaryKeyValue::AutoIncrement),
            _ => Some(Bytes::from(binary(object)?).into()),
        };
    }
    match column_value(json)? {
        ColumnValue::Integer(value) => Some(value.into()),
        ColumnValue::String(value) => Some(value.as_str().into()),
        _ => None,
    }
}

/// A row as every driver says it; null where there is none.
pub(super) fn row(row: Option<&Row>) -> Result<Json, Said> {
    let Some(row) = row else {
        return Ok(Json::Null);
    };
    let row = canonical(row).map_err(failed)?;
    serde_json::to_value(row).map_err(failed)
}

pub(super) fn rows<'a>(all: impl IntoIterator<Item = &'a Row>) -> Result<Json, Said> {
    all.into_iter().map(|one| row(Some(one))).collect()
}

/// A key alone, as a row without cells.
pub(super) fn key(key: Option<&PrimaryKey>) -> Result<Json, Said> {
    row(key.map(|key| Row::new(key.clone())).as_ref())
}

/// A value of a result.
pub(super) fn value(value: &ColumnValue) -> Json {
    let canonical = match value {
        ColumnValue::Integer(value) => Canonical::Integer(*value),
        ColumnValue::Double(value) => Canonical::double(*value),
        ColumnValue::Boolean(value) => Canonical::Boolean(*value),
        ColumnValue::String(value) => Canonical::String(value.clone()),
        ColumnValue::Binary(value) => Canonical::Binary(value.to_vec()),
    };
    // Its serializer has no way to fail.
    serde_json::to_value(canonical).unwrap_or_default()
}

pub(super) fn double(number: f64) -> Json {
    value(&ColumnValue::Double(number))
}

pub(super) fn consumed(consumed: Consumed) -> Json {
    json!({ "read": consumed.read, "write": consumed.write })
}
