//! The vector files, and the typed values in them. `vectors/PROVENANCE.md` describes their format.

use ots_proto::ColumnValue;
use ots_proto::plainbuffer::{Variant, VariantRef};
use serde_json::Value;

/// The cases of one file, which must be as many as we know it to have: an empty file proves nothing.
pub(crate) fn cases(file: &str, text: &str, count: usize) -> Vec<Value> {
    let mut json: Value = serde_json::from_str(text).unwrap();
    let Value::Array(cases) = json["cases"].take() else {
        panic!("{file} has no cases");
    };
    assert_eq!(cases.len(), count, "cases in {file}");
    let mut names: Vec<&str> = cases.iter().map(|case| text_of(&case["name"])).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "distinct names in {file}");
    cases
}

pub(crate) fn text_of(json: &Value) -> &str {
    json.as_str().unwrap_or_else(|| panic!("not text: {json}"))
}

pub(crate) fn list_of(json: &Value) -> &[Value] {
    json.as_array()
        .unwrap_or_else(|| panic!("not a list: {json}"))
}

pub(crate) fn hex_of(json: &Value) -> Vec<u8> {
    hex::decode(text_of(json)).unwrap()
}

/// The only keys an object of a vector file may have: what we don't know we don't check.
pub(crate) fn only_keys(json: &Value, known: &[&str]) {
    for key in json.as_object().unwrap().keys() {
        assert!(
            known.contains(&key.as_str()),
            "unknown key {key:?} in {json}"
        );
    }
}

/// A typed value: `{"type": T, "value": V}`.
pub(crate) fn variant_of(json: &Value) -> Variant {
    only_keys(json, &["type", "value", "bits"]);
    let value = &json["value"];
    let value = match text_of(&json["type"]) {
        "integer" => ColumnValue::Integer(text_of(value).parse().unwrap()),
        "string" => ColumnValue::String(text_of(value).to_owned()),
        "binary" => ColumnValue::Binary(hex_of(value).into()),
        // The text may be rounded: the bits are exact.
        "double" => ColumnValue::Double(f64::from_bits(bits_of(json))),
        "boolean" => ColumnValue::Boolean(value.as_bool().unwrap()),
        "null" => return Variant::Null,
        "inf_min" => return Variant::InfMin,
        "inf_max" => return Variant::InfMax,
        "auto_increment" => return Variant::AutoIncrement,
        other => panic!("unknown type {other:?}"),
    };
    Variant::Value(value)
}

pub(crate) fn bits_of(json: &Value) -> u64 {
    u64::from_str_radix(text_of(&json["bits"]), 16).unwrap()
}

/// Equal, doubles by their bits: `==` can't tell `-0.0` from `0.0` and finds no NaN equal.
pub(crate) fn same_value(a: &ColumnValue, b: &ColumnValue) -> bool {
    match (a, b) {
        (ColumnValue::Double(a), ColumnValue::Double(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// A variant that stands alone: read, compared, written again.
pub(crate) fn check_variant(bytes: &[u8], expected: &Variant, name: &str) {
    let read = VariantRef::decode(bytes)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .to_owned();
    match (&read, expected) {
        (Variant::Value(read), Variant::Value(expected)) => {
            assert!(
                same_value(read, expected),
                "{name}: {read:?}, not {expected:?}"
            );
        }
        _ => assert_eq!(&read, expected, "{name}"),
    }
    assert_eq!(read.as_ref().encode(), bytes, "{name}");
}
