//! Keys on the command line: `{"zone": "cn", "id": 7}`, the leading columns being enough.

use std::fmt;

use arrow_cast::base64::{BASE64_STANDARD, Engine as _};
use ots_core::PrimaryKey;
use ots_proto::PrimaryKeyValue;
use ots_proto::messages::{PrimaryKeySchema, PrimaryKeyType};
use serde_json::{Map, Value};

/// Why a text isn't a key of a table.
#[derive(Debug)]
pub struct BoundError {
    text: String,
    problem: String,
    /// The key columns of the table.
    columns: Vec<String>,
}

/// The key that a text says, in the order of the table's key columns. Values are written as
/// `ots range` prints them.
///
/// # Errors
/// A text that is no JSON object; a column that isn't of the key; one left out before one that is
/// given; a value of another type than the table's.
pub fn bound(text: &str, primary_key: &[PrimaryKeySchema]) -> Result<PrimaryKey, BoundError> {
    let refused = |problem: String| BoundError {
        text: text.to_owned(),
        problem,
        columns: primary_key.iter().map(example).collect(),
    };
    let json: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| refused(format!("it isn't an object of JSON ({error})")))?;
    let is_key = |name: &String| primary_key.iter().any(|key| key.name == *name);
    if let Some(name) = json.keys().find(|name| !is_key(name)) {
        return Err(refused(format!("{name:?} is no column of the key")));
    }
    let mut bound = PrimaryKey::new();
    for key in primary_key {
        let Some(given) = json.get(&key.name) else {
            break;
        };
        let Some(value) = value(given, key) else {
            let (name, wanted) = (&key.name, type_name(key));
            return Err(refused(format!(
                "{name:?} must be {wanted}, and is {given}"
            )));
        };
        bound = bound.column(key.name.as_str(), value);
    }
    if bound.is_empty() || bound.len() < json.len() {
        let missing = primary_key.get(bound.len());
        let missing = missing.map_or("", |key| key.name.as_str());
        return Err(refused(format!(
            "the leading column {missing:?} isn't given"
        )));
    }
    Ok(bound)
}

fn value(given: &Value, key: &PrimaryKeySchema) -> Option<PrimaryKeyValue> {
    Some(match (key_type(key)?, given) {
        (PrimaryKeyType::Integer, Value::Number(number)) => number.as_i64()?.into(),
        (PrimaryKeyType::String, Value::String(text)) => text.as_str().into(),
        (PrimaryKeyType::Binary, Value::Object(object)) => {
            let text = object.get("base64")?.as_str()?;
            PrimaryKeyValue::Binary(BASE64_STANDARD.decode(text).ok()?.into())
        }
        _ => return None,
    })
}

fn key_type(key: &PrimaryKeySchema) -> Option<PrimaryKeyType> {
    PrimaryKeyType::try_from(key.r#type).ok()
}

fn type_name(key: &PrimaryKeySchema) -> &'static str {
    match key_type(key) {
        Some(PrimaryKeyType::Integer) => "a whole number",
        Some(PrimaryKeyType::String) => "a text",
        Some(PrimaryKeyType::Binary) => "{\"base64\": ..}",
        Some(PrimaryKeyType::Boolean) | None => "of a type that this version doesn't know",
    }
}

fn example(key: &PrimaryKeySchema) -> String {
    let value = match key_type(key) {
        Some(PrimaryKeyType::Integer) => "7",
        Some(PrimaryKeyType::Binary) => "{\"base64\": \"AAE=\"}",
        _ => "\"a\"",
    };
    format!("{:?}: {value}", key.name)
}

impl fmt::Display for BoundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            text,
            problem,
            columns,
        } = self;
        write!(
            f,
            "{text} is no key of this table: {problem}; expected {{{}}} or the leading \
            columns of it",
            columns.join(", ")
        )
    }
}

impl std::error::Error for BoundError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> [PrimaryKeySchema; 3] {
        [
            ("zone", PrimaryKeyType::String),
            ("id", PrimaryKeyType::Integer),
            ("hash", PrimaryKeyType::Binary),
        ]
        .map(|(name, key_type)| PrimaryKeySchema {
            name: name.into(),
            r#type: key_type.into(),
            option: None,
        })
    }

    #[test]
    fn columns_come_in_the_order_of_the_table() {
        let text = r#"{"hash": {"base64": "AAE="}, "id": -9223372036854775808, "zone": "cn"}"#;
        let expected = PrimaryKey::new()
            .column("zone", "cn")
            .column("id", i64::MIN)
            .column("hash", bytes::Bytes::from_static(&[0, 1]));
        assert_eq!(bound(text, &keys()).unwrap(), expected);
        let leading = bound(r#"{"zone": ""}"#, &keys()).unwrap();
        assert_eq!(leading, PrimaryKey::new().column("zone", ""));
    }

    #[test]
    fn what_is_no_key_is_told_with_one_that_is() {
        for (text, problem) in [
            ("7", "it isn't an object of JSON"),
            ("{}", "the leading column \"zone\" isn't given"),
            (r#"{"id": 7}"#, "the leading column \"zone\" isn't given"),
            (
                r#"{"zone": "a", "hash": {"base64": ""}}"#,
                "the leading column \"id\" isn't given",
            ),
            (
                r#"{"zone": "a", "age": 7}"#,
                "\"age\" is no column of the key",
            ),
            (r#"{"zone": 7}"#, "\"zone\" must be a text, and is 7"),
            (
                r#"{"zone": "a", "id": 7.5}"#,
                "\"id\" must be a whole number, and is 7.5",
            ),
            (
                r#"{"zone": "a", "id": 7, "hash": {"base64": "?"}}"#,
                "\"hash\" must be {\"base64\": ..}, and is {\"base64\":\"?\"}",
            ),
        ] {
            let error = bound(text, &keys()).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
            let example = r#"; expected {"zone": "a", "id": 7, "hash": {"base64": "AAE="}} or "#;
            assert!(error.contains(example), "{error}");
        }
    }
}
