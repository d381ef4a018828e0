//! SQL answers: those of the official SDK's FlatBuffers classes, those that the FlatBuffers library
//! builds, our own as its verifier sees them, and answers made to hurt.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[allow(dead_code, reason = "the other vectors need the rest")]
mod common;

use common::{cases, hex_of, list_of, only_keys, same_value, text_of, variant_of};
use flatbuffers::{
    FlatBufferBuilder, ForwardsUOffset, InvalidFlatbuffer, TableFinishedWIPOffset, Vector,
    Verifiable, Verifier, VerifierOptions, WIPOffset,
};
use ots_proto::plainbuffer::Variant;
use ots_proto::sql::{Error, ErrorKind, SqlRows, SqlType, SqlValueRef, SqlWriter, WriteError};
use ots_proto::{ColumnValue, ColumnValueRef, strategy};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

fn vectors() -> Vec<Value> {
    let text = include_str!("../vectors/sql_rows.json");
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

/// The schema, as the FlatBuffers library is to verify it.
macro_rules! verified {
    ($table:ident { $($id:literal: $field:ty),* $(,)? }) => {
        struct $table;
        impl Verifiable for $table {
            fn run_verifier(v: &mut Verifier<'_, '_>, pos: usize) -> Result<(), InvalidFlatbuffer> {
                v.visit_table(pos)?
                    $(.visit_field::<$field>(stringify!($id), 4 + 2 * $id, false)?)*
                    .finish();
                Ok(())
            }
        }
    };
}

type Offset<T> = ForwardsUOffset<T>;
type VectorOf<T> = ForwardsUOffset<Vector<'static, T>>;

verified!(Answer { 0: VectorOf<Offset<AnswerColumn>>, 1: i64, });
verified!(AnswerColumn { 0: Offset<&str>, 1: i8, 2: Offset<Values>, 3: Offset<ComplexInfo>, });
verified!(Values {
    0: VectorOf<bool>,
    1: VectorOf<i64>,
    2: VectorOf<bool>,
    3: VectorOf<f64>,
    4: VectorOf<Offset<&str>>,
    5: VectorOf<Offset<BytesValue>>,
    6: Offset<Runs>,
});
verified!(BytesValue { 0: VectorOf<i8>, });
verified!(Runs { 0: VectorOf<Offset<&str>>, 1: VectorOf<i32>, });
verified!(ComplexInfo { 0: i8, 1: i8 });

fn verify(buffer: &[u8]) -> Result<(), InvalidFlatbuffer> {
    let options = VerifierOptions {
        max_tables: 10_000,
        ..VerifierOptions::default()
    };
    Offset::<Answer>::run_verifier(&mut Verifier::new(&options, buffer), 0)
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

type Table = WIPOffset<TableFinishedWIPOffset>;

/// A table with these fields, each written by a function of the builder.
fn table<'b>(
    builder: &mut FlatBufferBuilder<'b>,
    fill: impl FnOnce(&mut FlatBufferBuilder<'b>),
) -> Table {
    let start = builder.start_table();
    fill(builder);
    builder.end_table(start)
}

/// The answer as the FlatBuffers library builds it: leaves first, from the end of the buffer.
fn build(columns: &[Column], row_count: usize) -> Vec<u8> {
    let mut b = FlatBufferBuilder::new();
    let mut tables = Vec::new();
    for column in columns {
        let name = b.create_string(&column.name);
        let nulls: Vec<bool> = column.values.iter().map(Option::is_none).collect();
        let nulls = b.create_vector(&nulls);
        let longs: Vec<i64> = column
            .values
            .iter()
            .map(|value| {
                value
                    .as_ref()
                    .and_then(ColumnValue::as_integer)
                    .unwrap_or(7)
            })
            .collect();
        let (number, logic, slot, vector) = match column.sql_type {
            SqlType::Null => (0_i8, 0_i8, None, None),
            SqlType::Integer => (
                1,
                0,
                Some(6),
                Some(b.create_vector(&longs).as_union_value()),
            ),
            SqlType::DateTime => (
                7,
                1,
                Some(6),
                Some(b.create_vector(&longs).as_union_value()),
            ),
            SqlType::Date => (
                7,
                2,
                Some(6),
                Some(b.create_vector(&longs).as_union_value()),
            ),
            SqlType::Time => (
                7,
                3,
                Some(6),
                Some(b.create_vector(&longs).as_union_value()),
            ),
            SqlType::Boolean => {
                let values = column.values.iter();
                let values: Vec<bool> = values
                    .map(|value| {
                        value
                            .as_ref()
                            .and_then(ColumnValue::as_boolean)
                            .unwrap_or(true)
                    })
                    .collect();
                (
                    2,
                    0,
                    Some(8),
                    Some(b.create_vector(&values).as_union_value()),
                )
            }
            SqlType::Double => {
                let values = column.values.iter();
                let values: Vec<f64> = values
                    .map(|value| {
                        value
                            .as_ref()
                            .and_then(ColumnValue::as_double)
                            .unwrap_or(0.5)
                    })
                    .collect();
                (
                    3,
                    0,
                    Some(10),
                    Some(b.create_vector(&values).as_union_value()),
                )
            }
            SqlType::String => {
                let values = column.values.iter();
                let values: Vec<_> = values
                    .map(|value| {
                        let text = value.as_ref().and_then(ColumnValue::as_str);
                        b.create_shared_string(text.unwrap_or(""))
                    })
                    .collect();
                (
                    4,
                    0,
                    Some(12),
                    Some(b.create_vector(&values).as_union_value()),
                )
            }
            SqlType::Binary => {
                let values = column.values.iter();
                let values: Vec<_> = values
                    .map(|value| {
                        let bytes = value.as_ref().and_then(ColumnValue::as_bytes);
                        let bytes = bytes.map(|bytes| b.create_vector(bytes));
                        table(&mut b, |b| {
                            if let Some(bytes) = bytes {
                                b.push_slot_always(4, bytes);
                            }
                        })
                    })
                    .collect();
                (
                    5,
                    0,
                    Some(14),
                    Some(b.create_vector(&values).as_union_value()),
                )
            }
            other => panic!("{other}"),
        };
        let values = table(&mut b, |b| {
            b.push_slot_always(4, nulls);
            if let (Some(slot), Some(vector)) = (slot, vector) {
                b.push_slot_always(slot, vector);
            }
        });
        let info = (logic != 0).then(|| {
            table(&mut b, |b| {
                b.push_slot(4, logic, 0);
                b.push_slot(6, 1_i8, 0);
            })
        });
        tables.push(table(&mut b, |b| {
            b.push_slot_always(4, name);
            b.push_slot(6, number, 0);
            b.push_slot_always(8, values);
            if let Some(info) = info {
                b.push_slot_always(10, info);
            }
        }));
    }
    let tables = b.create_vector(&tables);
    let root = table(&mut b, |b| {
        b.push_slot_always(4, tables);
        b.push_slot(6, i64::try_from(row_count).unwrap(), 0);
    });
    b.finish_minimal(root);
    b.finished_data().to_vec()
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

fn column_of(sql_type: SqlType, values: &[Option<ColumnValue>]) -> Column {
    Column {
        name: "n".to_owned(),
        sql_type,
        values: values.to_vec(),
    }
}

/// A buffer with one number replaced wherever a function says.
fn patched(columns: &[Column], find: &[u8], with: &[u8]) -> Vec<u8> {
    let mut buffer = write(columns, true).to_vec();
    let mut found = buffer.windows(find.len()).enumerate();
    let at = found.find(|(_, bytes)| *bytes == find).unwrap().0;
    assert!(
        buffer
            .windows(find.len())
            .filter(|bytes| *bytes == find)
            .count()
            == 1
    );
    buffer[at..at + with.len()].copy_from_slice(with);
    buffer
}

#[test]
fn what_is_wrong_is_named() {
    let marker = 0x1122_3344_5566_7788_i64;
    let long = column_of(SqlType::Integer, &[Some(marker.into()), None]);
    let text = column_of(SqlType::String, &[Some("marker".into()), None]);
    let truth = column_of(SqlType::Boolean, &[Some(true.into()), None, None]);
    // The number of rows, two, stands in the root table as eight bytes.
    let two = [2, 0, 0, 0, 0, 0, 0, 0];
    let with_rows = |rows: i64| {
        let mut buffer = write(std::slice::from_ref(&long), false).to_vec();
        let at = buffer.windows(8).position(|bytes| bytes == two).unwrap();
        buffer[at..at + 8].copy_from_slice(&rows.to_le_bytes());
        refusal(&buffer).to_string()
    };
    assert_eq!(with_rows(-1), "an answer can't have -1 rows (byte 24)");
    assert_eq!(
        with_rows(3),
        "is_nullvalues has 2 elements for 3 rows (column 0, byte 104)"
    );
    assert_eq!(
        with_rows(i64::MAX),
        "is_nullvalues has 2 elements for 9223372036854775807 rows (column 0, byte 104)"
    );

    let not_utf8 = refusal(&patched(
        std::slice::from_ref(&text),
        b"marker",
        &[b'm', 0xff],
    ));
    let text_at = not_utf8.offset();
    assert_eq!(
        not_utf8.to_string(),
        format!("a text of rle_string_values isn't UTF-8 (column 0, byte {text_at})")
    );
    // The vector of booleans is `03 00 00 00 01 00 00`; that of nulls `03 00 00 00 00 01 01`.
    let error = refusal(&patched(&[truth], &[3, 0, 0, 0, 1, 0], &[3, 0, 0, 0, 7]));
    assert_eq!(
        *error.kind(),
        ErrorKind::Boolean {
            field: "bool_values",
            found: 7
        }
    );
    // Row 0 refers to text 0 of one: to text 1, then to text -1.
    for index in [1_i32, -1] {
        let mut buffer = write(std::slice::from_ref(&text), true).to_vec();
        let last_eight = buffer.len() - 8;
        buffer[last_eight..last_eight + 4].copy_from_slice(&index.to_le_bytes());
        let found = index;
        assert_eq!(
            *refusal(&buffer).kind(),
            ErrorKind::TextIndex { found, texts: 1 }
        );
        // What fills the place of a NULL refers to nothing.
        let mut buffer = write(std::slice::from_ref(&text), true).to_vec();
        buffer[last_eight + 4..].copy_from_slice(&index.to_le_bytes());
        assert!(read(&buffer).is_ok());
    }
}

#[test]
fn types_that_are_unknown_are_refused_by_number() {
    let time = column_of(SqlType::Time, &[Some(5.into())]);
    let buffer = write(std::slice::from_ref(&time), false).to_vec();
    // The type of the column stands 16 bytes into its table, that of the logic 4 into its own.
    let pairs = buffer.windows(2).enumerate();
    let places: Vec<usize> = pairs
        .filter(|(_, bytes)| *bytes == [7, 0])
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places.len(), 1);
    let mut unknown = buffer.clone();
    unknown[places[0]] = 8;
    let error = refusal(&unknown);
    assert!(
        error
            .to_string()
            .starts_with("column_type is 8, which is unknown")
    );
    let logic = buffer
        .windows(2)
        .rposition(|bytes| bytes == [3, 1])
        .unwrap();
    for (at, number, text) in [
        (logic, 4, "column_logic_type is 4, which is unknown"),
        (logic + 1, 3, "column_encode_type is 3, which is unknown"),
    ] {
        let mut unknown = buffer.clone();
        unknown[at] = number;
        let error = refusal(&unknown).to_string();
        assert!(error.starts_with(text), "{error}");
    }
    // A value without a type isn't worth guessing at.
    let mut b = FlatBufferBuilder::new();
    let name = b.create_string("n");
    let nulls = b.create_vector(&[false]);
    let longs = b.create_vector(&[5_i64]);
    let values = table(&mut b, |b| {
        b.push_slot_always(4, nulls);
        b.push_slot_always(6, longs);
    });
    let column = table(&mut b, |b| {
        b.push_slot_always(4, name);
        b.push_slot_always(8, values);
    });
    let columns = b.create_vector(&[column]);
    let root = table(&mut b, |b| {
        b.push_slot_always(4, columns);
        b.push_slot(6, 1_i64, 0);
    });
    b.finish_minimal(root);
    assert_eq!(*refusal(b.finished_data()).kind(), ErrorKind::Untyped);
}

#[test]
fn rows_without_columns_are_no_answer() {
    let nothing = SqlWriter::new().finish().unwrap();
    assert_eq!(read(&nothing).unwrap(), (0, vec![]));
    let error = refusal(&build(&[], 5));
    assert_eq!(*error.kind(), ErrorKind::RowCount { found: 5 });
    for empty in [&[][..], &[0], &[0; 4], &[4, 0, 0, 0], &[0xff; 64]] {
        refusal(empty);
    }
}

#[test]
fn what_does_not_fit_into_a_column_is_refused() {
    let mut writer = SqlWriter::new();
    let long = Some(SqlValueRef::Integer(1));
    let expected = SqlType::Date;
    let found = SqlType::Integer;
    let column = "d".to_owned();
    assert_eq!(
        writer.column("d", SqlType::Date, [long]),
        Err(WriteError::ValueType {
            column: column.clone(),
            expected,
            found
        })
    );
    writer.column("n", SqlType::Integer, [long]).unwrap();
    assert_eq!(
        writer.column("d", SqlType::Date, [None, None]),
        Err(WriteError::ColumnLength {
            column,
            expected: 1,
            found: 2
        })
    );
    assert_eq!(
        SqlRows::parse(&writer.finish().unwrap())
            .unwrap()
            .columns()
            .len(),
        1
    );
}

/// Many references to the same few bytes: following each would take the square of the buffer.
#[test]
fn a_small_buffer_cannot_pose_as_a_large_one() {
    let mut b = FlatBufferBuilder::new();
    let name = b.create_string("n");
    let long = b.create_string(&"x".repeat(50_000));
    // Not one after the other, where they would be followed once.
    let short = b.create_string("y");
    let texts: Vec<_> = (0..10_000)
        .map(|row| if row % 2 == 0 { long } else { short })
        .collect();
    let texts = b.create_vector(&texts);
    let nulls = b.create_vector(&vec![false; 10_000]);
    let values = table(&mut b, |b| {
        b.push_slot_always(4, nulls);
        b.push_slot_always(12, texts);
    });
    let column = table(&mut b, |b| {
        b.push_slot_always(4, name);
        b.push_slot(6, 4_i8, 0);
        b.push_slot_always(8, values);
    });
    let columns = b.create_vector(&[column]);
    let root = table(&mut b, |b| {
        b.push_slot_always(4, columns);
        b.push_slot(6, 10_000_i64, 0);
    });
    b.finish_minimal(root);
    let error = refusal(b.finished_data());
    assert!(
        matches!(error.kind(), ErrorKind::Repetition { .. }),
        "{error}"
    );

    // The same column ten thousand times.
    let mut b = FlatBufferBuilder::new();
    let name = b.create_string(&"n".repeat(1_000));
    let values = table(&mut b, |_| {});
    let column = table(&mut b, |b| {
        b.push_slot_always(4, name);
        b.push_slot_always(8, values);
    });
    let columns = b.create_vector(&vec![column; 10_000]);
    let root = table(&mut b, |b| b.push_slot_always(4, columns));
    b.finish_minimal(root);
    let error = refusal(b.finished_data());
    assert!(
        matches!(error.kind(), ErrorKind::Repetition { .. }),
        "{error}"
    );
}
