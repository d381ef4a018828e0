//! Values of any shape, kept as JSON text in a STRING column.
//!
//! A missing column and JSON's `null` are the same: `null` is written as no column, and a missing
//! column is read as `null`.

use serde_core::Serialize;
use serde_core::de::DeserializeOwned;
use serde_json::error::Category;

use super::error::ValueError;
use super::value::FromColumnValue as _;
use crate::value::{ColumnValue, ColumnValueRef};

pub(super) fn read<T: DeserializeOwned>(value: ColumnValueRef<'_>) -> Result<T, ValueError> {
    let text = <&str>::from_column_value(value)?;
    serde_json::from_str(text).map_err(|error| describe(&error))
}

pub(super) fn absent<T: DeserializeOwned>() -> Option<T> {
    T::deserialize(serde_json::Value::Null).ok()
}

pub(super) fn write<T: Serialize>(value: &T) -> Result<Option<ColumnValue>, ValueError> {
    match serde_json::to_string(value) {
        Ok(text) if text == "null" => Ok(None),
        Ok(text) => Ok(Some(ColumnValue::String(text))),
        Err(error) => Err(describe(&error)),
    }
}

/// Only the place and the sort of error: serde's own text shows values.
fn describe(error: &serde_json::Error) -> ValueError {
    let problem = match error.classify() {
        Category::Io => "it can't be written",
        Category::Syntax => "not JSON",
        Category::Data => "another shape than the type's",
        Category::Eof => "the text ends too early",
    };
    ValueError::json(error.line(), error.column(), problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_a_missing_column_are_the_same() {
        assert_eq!(write(&None::<u8>).unwrap(), None);
        assert_eq!(absent::<Option<u8>>(), Some(None));
        assert_eq!(absent::<Vec<u8>>(), None);
        assert_eq!(
            write(&Some([1, 2])).unwrap(),
            Some(ColumnValue::String("[1,2]".to_owned()))
        );
    }

    #[test]
    fn an_error_tells_the_place_and_not_the_text() {
        let cases = [
            (
                "[\"s3cret\"]",
                "at line 1, byte 9: another shape than the type's",
            ),
            ("[1,", "at line 1, byte 3: the text ends too early"),
            ("s3cret", "at line 1, byte 1: not JSON"),
        ];
        for (text, expected) in cases {
            let error = read::<Vec<u8>>(ColumnValueRef::String(text)).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("not the expected JSON {expected}")
            );
        }
        let error = write(&std::collections::BTreeMap::from([((1, 2), 3)])).unwrap_err();
        assert!(error.to_string().starts_with("no JSON form: "), "{error}");
    }
}
