//! Rows as lines of JSON, the way `ots range` prints them.
//!
//! One object a row: the key columns first, in the table's order, then the attribute columns in the
//! order they came in. An integer is a JSON number with all its digits, which readers that know only
//! doubles round beyond 2^53. A double always has a point or an exponent, so that it can be told from
//! an integer. Binary is an object, `{"base64": "AAE="}`, so that it can be told from text. Of a
//! column with several versions the newest is written.

use arrow_cast::base64::{BASE64_STANDARD, Engine};
use ots_proto::{ColumnValueRef, PrimaryKeyValueRef, Row, RowRef};

/// Appends a row and a line feed.
pub fn write_row(line: &mut String, row: &Row) {
    let keys = row.key_columns().iter();
    let cells = row.cells.iter();
    write_line(
        line,
        keys.map(|column| (column.name.as_str(), column.value.as_ref())),
        cells.map(|cell| (cell.name.as_str(), cell.value.as_ref())),
    );
}

/// Appends a row that lies in a response, without copying it before.
pub fn write_row_ref(line: &mut String, row: RowRef<'_, '_>) {
    let keys = row.primary_key().iter();
    let cells = row.cells().iter();
    write_line(
        line,
        keys.map(|column| (column.name, column.value)),
        cells.filter_map(|cell| Some((cell.name, cell.value?))),
    );
}

fn write_line<'a>(
    line: &mut String,
    keys: impl Iterator<Item = (&'a str, PrimaryKeyValueRef<'a>)>,
    cells: impl Iterator<Item = (&'a str, ColumnValueRef<'a>)>,
) {
    let mut separator = '{';
    let mut name = |line: &mut String, name: &str| {
        line.push(separator);
        separator = ',';
        write_text(line, name);
        line.push(':');
    };
    for (column, value) in keys {
        name(line, column);
        write_key(line, value);
    }
    let mut previous = None;
    for (column, value) in cells {
        // Versions of one column stand next to each other, newest first.
        if previous.replace(column) != Some(column) {
            name(line, column);
            write_value(line, value);
        }
    }
    if separator == '{' {
        line.push('{');
    }
    line.push_str("}\n");
}

fn write_key(line: &mut String, value: PrimaryKeyValueRef<'_>) {
    match value {
        PrimaryKeyValueRef::Integer(value) => write_value(line, ColumnValueRef::Integer(value)),
        PrimaryKeyValueRef::String(value) => write_value(line, ColumnValueRef::String(value)),
        PrimaryKeyValueRef::Binary(value) => write_value(line, ColumnValueRef::Binary(value)),
        // These stand for no value; they are in the bounds of ranges, not in rows.
        PrimaryKeyValueRef::InfMin => line.push_str(r#"{"bound":"INF_MIN"}"#),
        PrimaryKeyValueRef::InfMax => line.push_str(r#"{"bound":"INF_MAX"}"#),
        PrimaryKeyValueRef::AutoIncrement => line.push_str("null"),
    }
}

fn write_value(line: &mut String, value: ColumnValueRef<'_>) {
    match value {
        ColumnValueRef::Integer(value) => line.push_str(&value.to_string()),
        // Debug has the point that tells a double from an integer, and reads back the same.
        ColumnValueRef::Double(value) if value.is_finite() => line.push_str(&format!("{value:?}")),
        // JSON has no NaN and no infinity; a table stores neither.
        ColumnValueRef::Double(_) => line.push_str("null"),
        ColumnValueRef::Boolean(value) => line.push_str(if value { "true" } else { "false" }),
        ColumnValueRef::String(value) => write_text(line, value),
        ColumnValueRef::Binary(value) => {
            line.push_str(r#"{"base64":""#);
            BASE64_STANDARD.encode_string(value, line);
            line.push_str(r#""}"#);
        }
    }
}

fn write_text(line: &mut String, text: &str) {
    line.push('"');
    for character in text.chars() {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            control if control < ' ' => {
                line.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => line.push(other),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use ots_proto::PrimaryKey;
    use ots_proto::plainbuffer::{Accept, Reader, write_row as encode};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn both(row: &Row) -> String {
        let mut line = String::new();
        write_row(&mut line, row);
        let buffer = encode(row);
        let mut reader = Reader::new(&buffer, Accept::PartialRows).unwrap();
        let mut borrowed = String::new();
        write_row_ref(&mut borrowed, reader.next_row().unwrap().unwrap());
        assert_eq!(line, borrowed);
        line
    }

    #[test]
    fn every_type_has_its_form() {
        let key = PrimaryKey::new()
            .column("zone", "cn\"1\"")
            .column("id", i64::MIN)
            .column("hash", bytes::Bytes::from_static(&[0, 1]));
        let row = Row::new(key)
            .cell("on", true)
            .cell("count", i64::MAX)
            .cell("whole", 2.0)
            .cell("tiny", 5e-324)
            .cell("城市", "西\n湖\u{1}")
            .cell("raw", vec![0xff_u8])
            .cell("count2", -1);
        let expected = concat!(
            r#"{"zone":"cn\"1\"","id":-9223372036854775808,"hash":{"base64":"AAE="},"#,
            r#""on":true,"count":9223372036854775807,"whole":2.0,"tiny":5e-324,"#,
            r#""城市":"西\n湖\u0001","raw":{"base64":"/w=="},"count2":-1}"#,
            "\n",
        );
        assert_eq!(both(&row), expected);
    }

    #[test]
    fn the_newest_version_is_written() {
        let row = Row::new(PrimaryKey::new().column("id", 1))
            .cell("a", 3)
            .cell("a", 2)
            .cell("b", 1)
            .cell("b", 0);
        assert_eq!(both(&row), "{\"id\":1,\"a\":3,\"b\":1}\n");
    }

    #[test]
    fn a_row_without_anything_is_an_empty_object() {
        assert_eq!(both(&Row::default()), "{}\n");
    }

    #[test]
    fn what_json_has_no_word_for_is_null() {
        let row = Row::new(PrimaryKey::new().column("id", 1)).cell("nan", f64::NAN);
        assert_eq!(both(&row), "{\"id\":1,\"nan\":null}\n");
    }

    proptest! {
        #[test]
        fn every_line_is_json_with_the_same_values(row in ots_proto::strategy::row()) {
            let line = both(&row);
            prop_assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
            let parsed: Value = serde_json::from_str(&line).unwrap();
            // A cell may be named like a key column or come again later: the last one wins in JSON.
            let mut expected = serde_json::Map::new();
            let binary = |bytes: &[u8]| json!({ "base64": BASE64_STANDARD.encode(bytes) });
            for column in row.key_columns() {
                let value = match column.value.as_ref() {
                    PrimaryKeyValueRef::Integer(value) => json!(value),
                    PrimaryKeyValueRef::String(value) => json!(value),
                    PrimaryKeyValueRef::Binary(value) => binary(value),
                    other => panic!("{other:?}"),
                };
                expected.insert(column.name.to_string(), value);
            }
            let mut previous = None;
            for cell in &row.cells {
                if previous.replace(&cell.name) == Some(&cell.name) {
                    continue;
                }
                let value = match cell.value.as_ref() {
                    ColumnValueRef::Integer(value) => json!(value),
                    ColumnValueRef::Double(value) => json!(value),
                    ColumnValueRef::Boolean(value) => json!(value),
                    ColumnValueRef::String(value) => json!(value),
                    ColumnValueRef::Binary(value) => binary(value),
                };
                expected.insert(cell.name.to_string(), value);
            }
            prop_assert_eq!(parsed, Value::Object(expected));
        }
    }
}
