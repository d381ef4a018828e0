//! SQL answers: those of the official SDK's FlatBuffers classes, those that the FlatBuffers library
//! builds (`library`), our own as its verifier sees them, and answers made to hurt (`refused`); and
//! rows as values of a type (`typed`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[allow(dead_code, reason = "the other vectors need the rest")]
#[path = "../common/mod.rs"]
mod common;
mod library;
mod refused;
mod typed;

use common::{cases, hex_of, list_of, only_keys, same_value, text_of, variant_of};
use library::{build, verify};
use ots_proto::plainbuffer::Variant;
use ots_proto::sql::{Error, SqlRows, SqlType, SqlValueRef, SqlWriter};
use ots_proto::{ColumnValue, ColumnValueRef, strategy};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

fn vectors() -> Vec<Value> {
    let text = include_str!("../../vectors/sql_rows.json");
    cases("sql_rows.json", text, 4)
}

/// A column that owns its values, to be compared with.
#[derive(Clone, Debug, PartialEq)]
struct Column {
    name: String,
    sql_type: SqlType,
    values: Vec<Option<ColumnValue>>,
}

impl Column {
    /// The value of a row, as the column's type has it.
    fn value(&self, row: usize) -> Option<SqlValueRef<'_>> {
        let value = self.values[row].as_ref()?.as_ref();
        Some(match (self.sql_type, value) {
            (SqlType::DateTime, ColumnValueRef::Integer(micros)) => {
                SqlValueRef::DateTime { micros }
            }
            (SqlType::Date, ColumnValueRef::Integer(seconds)) => SqlValueRef::Date { seconds },
            (SqlType::Time, ColumnValueRef::Integer(nanos)) => SqlValueRef::Time { nanos },
            (_, ColumnValueRef::Integer(value)) => SqlValueRef::Integer(value),
            (_, ColumnValueRef::Double(value)) => SqlValueRef::Double(value),
            (_, ColumnValueRef::Boolean(value)) => SqlValueRef::Boolean(value),
            (_, ColumnValueRef::String(value)) => SqlValueRef::String(value),
            (_, ColumnValueRef::Binary(value)) => SqlValueRef::Binary(value),
        })
    }

    fn all(&self) -> impl Iterator<Item = Option<SqlValueRef<'_>>> {
        (0..self.values.len()).map(|row| self.value(row))
    }
}

/// What was read, owned.
fn read(buffer: &[u8]) -> Result<(usize, Vec<Column>), Error> {
    let rows = SqlRows::parse(buffer)?;
    let columns = rows.columns().iter().map(|column| {
        assert_eq!(column.values().len(), rows.row_count());
        let values = column.values().enumerate().map(|(row, value)| {
            assert_eq!(column.value(row), value);
            value.map(owned)
        });
        Column {
            name: column.name().to_owned(),
            sql_type: column.sql_type(),
            values: values.collect(),
        }
    });
    Ok((rows.row_count(), columns.collect()))
}

fn owned(value: SqlValueRef<'_>) -> ColumnValue {
    match value {
        SqlValueRef::Integer(long)
        | SqlValueRef::DateTime { micros: long }
        | SqlValueRef::Date { seconds: long }
        | SqlValueRef::Time { nanos: long } => long.into(),
        SqlValueRef::Boolean(value) => value.into(),
        SqlValueRef::Double(value) => value.into(),
        SqlValueRef::String(value) => value.into(),
        SqlValueRef::Binary(value) => value.to_vec().into(),
        other => panic!("{other:?}"),
    }
}

fn refusal(buffer: &[u8]) -> Error {
    match read(buffer) {
        Ok(read) => panic!("{read:?} in {}", hex::encode(buffer)),
        Err(error) => error,
    }
}

#[test]
fn answers_of_the_official_sdk_are_read() {
    for case in vectors() {
        let name = text_of(&case["name"]);
        only_keys(
            &case,
            &["name", "row_count", "columns", "hex", "verified_by"],
        );
        let (row_count, columns) =
            read(&hex_of(&case["hex"])).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(Some(row_count as u64), case["row_count"].as_u64(), "{name}");
        let expected = list_of(&case["columns"]);
        assert_eq!(columns.len(), expected.len(), "{name}");
        for (column, expected) in columns.iter().zip(expected) {
            only_keys(expected, &["name", "type", "values"]);
            let sql_type = match text_of(&expected["type"]) {
                "long" => SqlType::Integer,
                "boolean" => SqlType::Boolean,
                "double" => SqlType::Double,
                "string" | "string_rle" => SqlType::String,
                "binary" => SqlType::Binary,
                other => panic!("{name}: unknown type {other:?}"),
            };
            assert_eq!(column.name, text_of(&expected["name"]), "{name}");
            assert_eq!(column.sql_type, sql_type, "{name}");
            let values = list_of(&expected["values"]);
            assert_eq!(column.values.len(), values.len(), "{name}");
            for (value, expected) in column.values.iter().zip(values) {
                match (value, variant_of(expected)) {
                    (Some(value), Variant::Value(expected)) => {
                        assert!(same_value(value, &expected), "{name}: {value:?}");
                    }
                    (value, expected) => {
                        assert_eq!((value, expected), (&None, Variant::Null), "{name}");
                    }
                }
            }
        }
    }
}

fn write(columns: &[Column], runs: bool) -> bytes::Bytes {
    let mut writer = SqlWriter::new();
    for column in columns {
        if runs && column.sql_type == SqlType::String {
            let texts = column.values.iter();
            let texts = texts.map(|value| value.as_ref().and_then(ColumnValue::as_str));
            writer.column_of_runs(&column.name, texts).unwrap();
        } else {
            let all = column.all();
            writer.column(&column.name, column.sql_type, all).unwrap();
        }
    }
    writer.finish().unwrap()
}

fn column(row_count: usize) -> impl Strategy<Value = Column> {
    let types = prop_oneof![
        Just(SqlType::Null),
        Just(SqlType::Integer),
        Just(SqlType::Boolean),
        Just(SqlType::Double),
        Just(SqlType::String),
        Just(SqlType::Binary),
        Just(SqlType::DateTime),
        Just(SqlType::Date),
        Just(SqlType::Time),
    ];
    (strategy::column_name(), types).prop_flat_map(move |(name, sql_type)| {
        let value = match sql_type {
            SqlType::Null => Just(None).boxed(),
            SqlType::Boolean => option::of(any::<bool>().prop_map(ColumnValue::from)).boxed(),
            SqlType::Double => {
                option::of(proptest::num::f64::NORMAL.prop_map(ColumnValue::from)).boxed()
            }
            // Few letters, so that there are runs.
            SqlType::String => option::of("[ab]{0,2}|.{0,9}".prop_map(ColumnValue::from)).boxed(),
            SqlType::Binary => {
                option::of(vec(any::<u8>(), 0..9).prop_map(ColumnValue::from)).boxed()
            }
            _ => option::of(any::<i64>().prop_map(ColumnValue::from)).boxed(),
        };
        vec(value, row_count).prop_map(move |values| Column {
            name: name.clone(),
            sql_type,
            values,
        })
    })
}

fn columns() -> impl Strategy<Value = Vec<Column>> {
    (0_usize..9).prop_flat_map(|row_count| vec(column(row_count), 1..5))
}

proptest! {
    #[test]
    fn answers_survive_and_the_library_finds_no_fault_in_them(
        columns in columns(),
        runs in any::<bool>(),
    ) {
        let buffer = write(&columns, runs);
        let row_count = columns[0].values.len();
        prop_assert_eq!(read(&buffer).unwrap(), (row_count, columns));
        prop_assert!(verify(&buffer).is_ok(), "{:?}", verify(&buffer));
    }

    #[test]
    fn answers_that_the_library_builds_are_read(columns in columns()) {
        let row_count = columns[0].values.len();
        let buffer = build(&columns, row_count);
        prop_assert!(verify(&buffer).is_ok());
        prop_assert_eq!(read(&buffer).unwrap(), (row_count, columns));
    }

    /// What is cut off may be padding: then nothing is lost.
    #[test]
    fn an_answer_that_was_cut_is_refused_or_whole(columns in columns(), runs in any::<bool>()) {
        let buffer = write(&columns, runs);
        let whole = read(&buffer).unwrap();
        for end in 0..buffer.len() {
            match read(&buffer[..end]) {
                Ok(read) => prop_assert_eq!(&read, &whole),
                Err(error) => prop_assert!(error.offset() <= end),
            }
        }
    }

    #[test]
    fn damage_never_panics(
        columns in columns(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut buffer = write(&columns, true).to_vec();
        for (at, byte) in changes {
            let at = at.index(buffer.len());
            buffer[at] = byte;
        }
        if let Err(error) = read(&buffer) {
            prop_assert!(error.offset() <= buffer.len());
        }
    }
}
