//! Values in short and in full.
//!
//! In the files a value is written in short: `1` is an integer, `1.0` a double, `{"hex": "00ff"}` binary.
//! JSON of some languages loses the difference of `1` and `1.0`, and the last digits of long integers. So
//! on the way to a driver whole doubles, long integers and binary values are [canonical](crate::canonical)
//! ones, and everything that a driver has from its SDK is.

use serde_json::{Map, Value as Json, json};

use crate::canonical::{Row, Value};

/// What every language has without loss.
const EXACT: u64 = 1 << 53;

/// A request as a driver gets it.
pub(crate) fn full(short: &Json) -> Json {
    match short {
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) if integer.unsigned_abs() < EXACT => short.clone(),
            (Some(integer), _) => canonical(&Value::Integer(integer)),
            (None, Some(double)) if double.fract() == 0.0 => canonical(&Value::double(double)),
            _ => short.clone(),
        },
        Json::Array(items) => items.iter().map(full).collect(),
        Json::Object(object) => match binary(object) {
            Some(bytes) => canonical(&Value::Binary(bytes)),
            None => Json::Object(object.iter().map(|(k, v)| (k.clone(), full(v))).collect()),
        },
        _ => short.clone(),
    }
}

/// A request in short again, as our own client reads it.
pub(crate) fn plain(full: &Json) -> Json {
    if let Ok(value) = serde_json::from_value::<Value>(full.clone()) {
        return short_value(&value);
    }
    match full {
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(object) => {
            Json::Object(object.iter().map(|(k, v)| (k.clone(), plain(v))).collect())
        }
        _ => full.clone(),
    }
}

/// What a driver said, in short; rows become keys and columns.
pub(crate) fn short(full: &Json) -> Json {
    if let Ok(row) = serde_json::from_value::<Row>(full.clone()) {
        return short_row(&row);
    }
    if let Ok(value) = serde_json::from_value::<Value>(full.clone()) {
        return short_value(&value);
    }
    match full {
        Json::Array(items) => items.iter().map(short).collect(),
        Json::Object(object) => {
            let mut object: Map<_, _> = object.iter().map(|(k, v)| (k.clone(), short(v))).collect();
            // Most claims about many rows are about which they are.
            if let Some(keys) = object.get("rows").and_then(keys) {
                object.insert("keys".to_owned(), keys);
            }
            Json::Object(object)
        }
        _ => full.clone(),
    }
}

/// The keys of rows; those of one column without brackets.
fn keys(rows: &Json) -> Option<Json> {
    let keys = rows.as_array()?.iter().map(|row| match row.get("key") {
        Some(Json::Array(key)) => match key.as_slice() {
            [only] => Some(only.clone()),
            _ => Some(Json::Array(key.clone())),
        },
        _ => None,
    });
    keys.collect()
}

/// The bytes of `{"hex": ..}`.
pub(crate) fn binary(object: &Map<String, Json>) -> Option<Vec<u8>> {
    match object.get("hex") {
        Some(Json::String(digits)) if object.len() == 1 => hex::decode(digits).ok(),
        _ => None,
    }
}

fn short_value(value: &Value) -> Json {
    match value {
        Value::Integer(value) => json!(value),
        Value::Double(bits) => json!(f64::from_bits(*bits)),
        Value::Boolean(value) => json!(value),
        Value::String(value) => json!(value),
        Value::Binary(bytes) => json!({ "hex": hex::encode(bytes) }),
    }
}

/// Values of the key, cells with names, and their times apart, which few cases know.
fn short_row(row: &Row) -> Json {
    let key = row.primary_key.iter();
    let cells = row.columns.iter();
    json!({
        "key": key.clone().map(|column| short_value(&column.value)).collect::<Json>(),
        "key_names": key.map(|column| column.name.as_str()).collect::<Json>(),
        "columns": cells
            .clone()
            .map(|cell| json!([cell.name, short_value(&cell.value)]))
            .collect::<Json>(),
        "times": cells.map(|cell| json!(cell.timestamp)).collect::<Json>(),
    })
}

fn canonical(value: &Value) -> Json {
    // Its serializer has no way to fail.
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_would_lose_is_canonical_on_the_way() {
        let given = json!([1, 1.0, 1.5, 9_007_199_254_740_993_i64, { "hex": "00ff" }, "a", true]);
        let sent = full(&given);
        assert_eq!(sent[0], json!(1));
        assert_eq!(
            sent[1],
            json!({ "type": "double", "value": "3ff0000000000000" })
        );
        assert_eq!(sent[2], json!(1.5));
        assert_eq!(
            sent[3],
            json!({ "type": "integer", "value": "9007199254740993" })
        );
        assert_eq!(sent[4], json!({ "type": "binary", "value": "00ff" }));
        assert_eq!(plain(&sent), given);
    }

    #[test]
    fn rows_are_said_by_their_keys() {
        let row = json!({
            "primary_key": [{ "name": "id", "value": { "type": "integer", "value": "7" } }],
            "columns": [
                { "name": "a", "value": { "type": "integer", "value": "1" }, "timestamp": "5" },
            ],
        });
        let said = short(&json!({ "rows": [row], "next": null }));
        assert_eq!(said["keys"], json!([7]));
        assert_eq!(said["rows"][0]["columns"], json!([["a", 1]]));
        assert_eq!(said["rows"][0]["times"], json!([5]));
    }
}
