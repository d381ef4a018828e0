//! Pages become the batches that their rows describe, or nothing at all.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::error::Error as _;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use ots_arrow::{ColumnType, ErrorKind, OnMismatch, RecordBatchBuilder, ScanSchema};
use ots_proto::messages::{PrimaryKeySchema, PrimaryKeyType};
use ots_proto::plainbuffer::{self, Accept, Writer, write_row};
use ots_proto::simple_row_matrix::MatrixWriter;
use ots_proto::{ColumnValue, PrimaryKey, PrimaryKeyValue, Row, strategy};
use proptest::prelude::*;

const TYPES: [ColumnType; 5] = [
    ColumnType::Integer,
    ColumnType::Double,
    ColumnType::Boolean,
    ColumnType::String,
    ColumnType::Binary,
];

fn keys(columns: &[(&str, PrimaryKeyType)]) -> Vec<PrimaryKeySchema> {
    let key = |&(name, key_type): &(&str, PrimaryKeyType)| PrimaryKeySchema {
        name: name.to_owned(),
        r#type: key_type.into(),
        option: None,
    };
    columns.iter().map(key).collect()
}

/// Key column `id`, attributes `city` (STRING) and `age` (INTEGER).
fn people() -> ScanSchema {
    let columns = [("city", ColumnType::String), ("age", ColumnType::Integer)];
    ScanSchema::from_table(&keys(&[("id", PrimaryKeyType::Integer)]), columns).unwrap()
}

fn person(id: i64, city: &str, age: i64) -> Row {
    let row = Row::new(PrimaryKey::new().column("id", id));
    row.cell("city", city).cell("age", age)
}

fn page(rows: &[Row]) -> Vec<Bytes> {
    rows.iter().map(write_row).collect()
}

fn buffer(rows: &[Row]) -> Bytes {
    let mut writer = Writer::new();
    for row in rows {
        writer.row(row);
    }
    writer.finish()
}

/// The newest versions, as a matrix has no others.
fn matrix(rows: &[Row]) -> Bytes {
    let cells = rows.iter().flat_map(|row| &row.cells);
    let names: BTreeSet<_> = cells.map(|cell| cell.name.clone()).collect();
    let mut writer = MatrixWriter::new(["id", "name"], names.iter().cloned()).unwrap();
    for row in rows {
        let newest = Row::new(row.primary_key.clone());
        writer
            .row(
                &names
                    .iter()
                    .fold(newest, |newest, name| match row.get(name) {
                        Some(value) => newest.cell(name.clone(), value.clone()),
                        None => newest,
                    }),
            )
            .unwrap();
    }
    writer.finish().unwrap()
}

/// What stands in one place of a batch, in Tablestore's terms.
fn value(
    batch: &RecordBatch,
    name: &str,
    row: usize,
    column_type: ColumnType,
) -> Option<ColumnValue> {
    let column = batch.column_by_name(name).unwrap();
    assert_eq!(column.data_type(), &column_type.arrow_type());
    column.is_valid(row).then(|| match column_type {
        ColumnType::Integer => column.as_primitive::<Int64Type>().value(row).into(),
        ColumnType::Double => column.as_primitive::<Float64Type>().value(row).into(),
        ColumnType::Boolean => column.as_boolean().value(row).into(),
        ColumnType::String => column.as_string::<i32>().value(row).into(),
        ColumnType::Binary => column.as_binary::<i32>().value(row).to_vec().into(),
    })
}

fn key_type(value: &PrimaryKeyValue) -> (PrimaryKeyType, ColumnType) {
    match value {
        PrimaryKeyValue::Integer(_) => (PrimaryKeyType::Integer, ColumnType::Integer),
        PrimaryKeyValue::String(_) => (PrimaryKeyType::String, ColumnType::String),
        PrimaryKeyValue::Binary(_) => (PrimaryKeyType::Binary, ColumnType::Binary),
        other => panic!("{other} in a stored row"),
    }
}

fn as_column(value: &PrimaryKeyValue) -> ColumnValue {
    match value {
        PrimaryKeyValue::Integer(value) => (*value).into(),
        PrimaryKeyValue::String(value) => value.as_str().into(),
        PrimaryKeyValue::Binary(value) => value.clone().into(),
        other => panic!("{other} in a stored row"),
    }
}

fn fits(value: &ColumnValue, column_type: ColumnType) -> bool {
    value.type_name() == column_type.name()
}

/// Rows of one shape: columns `a` to `f`, of which the schema may know fewer, in any order, with
/// several versions, and sometimes of another type.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let cell = ("[a-f]", strategy::column_value());
    let cells = proptest::collection::vec(cell, 0..8);
    proptest::collection::vec((any::<i64>(), ".{0,8}", cells), 0..12).prop_map(|rows| {
        let row = |(id, name, cells): (i64, String, Vec<(String, ColumnValue)>)| {
            let row = Row::new(PrimaryKey::new().column("id", id).column("name", name));
            cells
                .into_iter()
                .fold(row, |row, (name, value)| row.cell(name, value))
        };
        rows.into_iter().map(row).collect()
    })
}

fn columns() -> impl Strategy<Value = Vec<(String, ColumnType)>> {
    let types = proptest::collection::vec(proptest::sample::select(&TYPES[..]), 6);
    let names = Just(["a", "b", "c", "d", "e", "f"].map(String::from).to_vec());
    (names.prop_shuffle(), types, 0..=6_usize)
        .prop_map(|(names, types, taken)| names.into_iter().zip(types).take(taken).collect())
}

proptest! {
    #[test]
    fn a_batch_holds_what_the_rows_hold(rows in rows(), columns in columns()) {
        let key = [("id", PrimaryKeyType::Integer), ("name", PrimaryKeyType::String)];
        let schema = ScanSchema::from_table(&keys(&key), columns.clone()).unwrap();

        let mut batches = Vec::new();
        for append in [
            (|builder, rows| builder.append_page(&page(rows)))
                as fn(&mut RecordBatchBuilder, &[Row]) -> _,
            |builder, rows| builder.append_buffer(&buffer(rows)),
            |builder, rows| builder.append_matrix(&matrix(rows)),
        ] {
            let mut builder = RecordBatchBuilder::new(&schema).on_mismatch(OnMismatch::Null);
            append(&mut builder, &rows).unwrap();
            prop_assert_eq!(builder.rows(), rows.len());
            batches.push((builder.mismatches(), builder.finish().unwrap()));
        }
        prop_assert_eq!(&batches[0], &batches[1]);
        prop_assert_eq!(&batches[0], &batches[2]);

        let (mismatches, batch) = &batches[0];
        let mut expected_mismatches = 0;
        prop_assert_eq!(batch.num_rows(), rows.len());
        for (place, row) in rows.iter().enumerate() {
            // Read the way everyone else reads a row.
            let row = plainbuffer::read_row(&write_row(row), Accept::Rows).unwrap();
            for key in row.key_columns() {
                let (_, column_type) = key_type(&key.value);
                let found = value(batch, &key.name, place, column_type);
                prop_assert_eq!(found, Some(as_column(&key.value)));
            }
            for (name, column_type) in &columns {
                let newest = row.get(name);
                let expected = newest.filter(|value| fits(value, *column_type));
                expected_mismatches += u64::from(newest.is_some() && expected.is_none());
                let found = value(batch, name, place, *column_type);
                prop_assert_eq!(found.as_ref(), expected);
            }
        }
        prop_assert_eq!(*mismatches, expected_mismatches);
    }

    #[test]
    fn a_damaged_page_leaves_no_trace(
        before in rows(),
        damaged in rows(),
        columns in columns(),
        flip in any::<prop::sample::Index>(),
        bit in 0..8_u8,
        form in 0..3,
    ) {
        let key = [("id", PrimaryKeyType::Integer), ("name", PrimaryKeyType::String)];
        let schema = ScanSchema::from_table(&keys(&key), columns).unwrap();
        let mut builder = RecordBatchBuilder::new(&schema).on_mismatch(OnMismatch::Null);
        builder.append_page(&page(&before)).unwrap();
        let mismatches = builder.mismatches();

        let mut buffers = match form {
            0 => vec![buffer(&damaged)],
            1 => vec![matrix(&damaged)],
            _ => page(&damaged),
        };
        let at = flip.index(buffers.len().max(1));
        if let Some(damaged) = buffers.get_mut(at) {
            let mut bytes = damaged.to_vec();
            let byte = flip.index(bytes.len());
            bytes[byte] ^= 1 << bit;
            *damaged = bytes.into();
        }
        let result = match form {
            0 => builder.append_buffer(&buffers[0]),
            1 => builder.append_matrix(&buffers[0]),
            _ => builder.append_page(&buffers),
        };
        if result.is_err() {
            prop_assert_eq!(builder.rows(), before.len());
            prop_assert_eq!(builder.mismatches(), mismatches);
            let mut undisturbed = RecordBatchBuilder::new(&schema).on_mismatch(OnMismatch::Null);
            undisturbed.append_page(&page(&before)).unwrap();
            prop_assert_eq!(builder.finish().unwrap(), undisturbed.finish().unwrap());
        } else {
            prop_assert_eq!(builder.finish().unwrap().num_rows(), before.len() + damaged.len());
        }
    }
}

#[test]
fn pages_add_up_and_a_builder_is_used_again() {
    let schema = people();
    let mut builder = RecordBatchBuilder::new(&schema);
    builder
        .append_page(&page(&[person(1, "Hangzhou", 30)]))
        .unwrap();
    builder.append_page(&[]).unwrap();
    builder.append_buffer(&Bytes::new()).unwrap();
    builder
        .append_buffer(&buffer(&[person(2, "Ulm", 31), person(3, "", 32)]))
        .unwrap();
    assert_eq!(builder.rows(), 3);
    assert!(builder.memory_bytes() >= 3 * 16 + "HangzhouUlm".len());
    let batch = builder.finish().unwrap();
    assert_eq!(batch.schema(), schema.arrow_schema());
    assert_eq!(
        batch.column(0).as_primitive::<Int64Type>().values(),
        &[1, 2, 3]
    );
    assert_eq!(builder.rows(), 0);

    builder
        .append_page(&page(&[person(4, "Bonn", 33)]))
        .unwrap();
    let batch = builder.finish().unwrap();
    assert_eq!(batch.num_rows(), 1);
    assert_eq!(batch.column(1).as_string::<i32>().value(0), "Bonn");
    assert_eq!(builder.finish().unwrap().num_rows(), 0);
}

#[test]
fn recycled_memory_changes_no_batch_and_is_not_taken_from_who_holds_it() {
    let pages = [
        page(&[person(1, "Hangzhou", 7), person(2, "Ulm", 8)]),
        page(&[
            Row::new(PrimaryKey::new().column("id", 3)),
            person(4, "", 9),
        ]),
        page(&[person(5, "Ulm", 10)]),
    ];
    let schema = people();
    let mut builder = RecordBatchBuilder::new(&schema);
    let mut held = Vec::new();
    for (index, page) in pages.iter().cycle().take(12).enumerate() {
        builder.append_page(page).unwrap();
        let batch = builder.finish().unwrap();
        assert_eq!(batch, schema.read_page(page).unwrap(), "batch {index}");
        if index % 3 == 0 {
            held.push((page, batch.clone()));
        }
        builder.recycle(batch);
    }
    for (page, batch) in held {
        assert_eq!(batch, schema.read_page(page).unwrap());
    }

    // A batch of another schema, and one that comes in the middle of another, are let go.
    let other = ScanSchema::from_table::<&str>(&[], []).unwrap();
    let [first, ..] = &pages;
    builder.append_page(first).unwrap();
    builder.recycle(other.read_page(&[]).unwrap());
    builder.recycle(schema.read_page(first).unwrap());
    assert_eq!(builder.finish().unwrap(), schema.read_page(first).unwrap());
}

#[test]
fn a_schema_without_columns_still_counts_rows() {
    let schema = ScanSchema::from_table::<&str>(&[], []).unwrap();
    let batch = schema
        .read_buffer(&buffer(&[person(1, "Ulm", 30)]))
        .unwrap();
    assert_eq!((batch.num_rows(), batch.num_columns()), (1, 0));
}

#[test]
fn key_columns_are_found_in_any_place() {
    let key = [
        ("b", PrimaryKeyType::Integer),
        ("a", PrimaryKeyType::String),
    ];
    let schema = ScanSchema::from_table::<&str>(&keys(&key), []).unwrap();
    let row = Row::new(PrimaryKey::new().column("a", "x").column("b", 5));
    let batch = schema.read_page(&page(&[row])).unwrap();
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[5]);
    assert_eq!(batch.column(1).as_string::<i32>().value(0), "x");
}

#[test]
fn a_cell_named_like_a_key_column_does_not_disturb_the_key() {
    let row = person(1, "Ulm", 30).cell("id", 99);
    let batch = people().read_page(&page(&[row])).unwrap();
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[1]);
}

#[test]
fn mismatches_name_row_column_and_both_types() {
    let schema = people();
    let good = person(1, "Ulm", 30);
    let bad = Row::new(PrimaryKey::new().column("id", 2)).cell("age", "thirty");
    let mut builder = RecordBatchBuilder::new(&schema);
    let error = builder
        .append_page(&page(&[good.clone(), bad.clone()]))
        .unwrap_err();
    assert_eq!(
        error.kind(),
        &ErrorKind::TypeMismatch {
            row: 1,
            column: "age".into(),
            expected: "INTEGER",
            found: "STRING"
        }
    );
    assert_eq!(
        error.to_string(),
        "row 1, column \"age\": expected a value of type INTEGER, found STRING"
    );
    assert!(error.source().is_none());
    assert_eq!(builder.rows(), 0);

    let mut builder = RecordBatchBuilder::new(&schema).on_mismatch(OnMismatch::Null);
    builder.append_page(&page(&[good, bad])).unwrap();
    assert_eq!(builder.mismatches(), 1);
    assert!(builder.finish().unwrap().column(2).is_null(1));
}

#[test]
fn mismatches_of_keys_are_errors_whatever_the_policy() {
    for policy in [OnMismatch::Error, OnMismatch::Null] {
        let cases = [
            (PrimaryKeyValue::from("x"), "STRING"),
            (PrimaryKeyValue::InfMin, "INF_MIN"),
            (PrimaryKeyValue::InfMax, "INF_MAX"),
        ];
        for (value, found) in cases {
            let row = Row::new(PrimaryKey::new().column("id", value));
            let mut builder = RecordBatchBuilder::new(&people()).on_mismatch(policy);
            let error = builder.append_page(&page(&[row])).unwrap_err();
            let expected = ErrorKind::TypeMismatch {
                row: 0,
                column: "id".into(),
                expected: "INTEGER",
                found,
            };
            assert_eq!(error.kind(), &expected);
        }
    }
}

#[test]
fn rows_without_a_key_column_are_refused() {
    let row = Row::new(PrimaryKey::new().column("name", "x"));
    let error = people().read_page(&page(&[row])).unwrap_err();
    assert_eq!(error.to_string(), "row 0 has no key column \"id\"");
}

#[test]
fn a_column_that_the_schema_lacks_is_refused_where_nothing_may_be_left_out() {
    let rows = [
        person(1, "Ulm", 30),
        person(2, "Ulm", 31).cell("height", 1.7),
    ];
    // Without, it is passed over.
    assert_eq!(people().read_page(&page(&rows)).unwrap().num_rows(), 2);
    let mut builder = RecordBatchBuilder::new(&people()).refuse_other_columns();
    builder.append_page(&page(&rows[..1])).unwrap();
    for error in [
        builder.append_page(&page(&rows)).unwrap_err(),
        builder.append_buffer(&buffer(&rows)).unwrap_err(),
    ] {
        let column = "height".to_owned();
        assert_eq!(error.kind(), &ErrorKind::OtherColumn { row: 1, column });
        let text = "row 1 has a column \"height\", which the schema doesn't have";
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(builder.finish().unwrap().num_rows(), 1);
}

#[test]
fn a_matrix_without_a_key_column_or_with_damage_leaves_no_trace() {
    let mut writer = MatrixWriter::new(["other"], ["city"]).unwrap();
    let key = PrimaryKey::new().column("other", 1);
    writer.row(&Row::new(key).cell("city", "Hangzhou")).unwrap();
    let without_id = writer.finish().unwrap();
    let mut builder = RecordBatchBuilder::new(&people());
    builder
        .append_buffer(&buffer(&[person(1, "Suzhou", 2)]))
        .unwrap();
    let error = builder.append_matrix(&without_id).unwrap_err();
    let column = "id".to_owned();
    assert_eq!(
        *error.kind(),
        ErrorKind::MissingKeyColumn { row: 0, column }
    );

    let error = builder.append_matrix(&without_id.slice(..20)).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Matrix);
    assert!(error.as_matrix().is_some() && error.as_plain_buffer().is_none());
    assert_eq!(error.to_string(), "the matrix of the page can't be read");
    builder.append_matrix(&Bytes::new()).unwrap();
    assert_eq!(builder.finish().unwrap().num_rows(), 1);
}

#[test]
fn damage_is_reported_with_its_cause() {
    let mut bytes = write_row(&person(1, "Ulm", 30)).to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let pages = [write_row(&person(1, "Ulm", 30)), bytes.into()];
    let error = people().read_page(&pages).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::PlainBuffer);
    assert_eq!(error.to_string(), "a row of the page can't be read");
    let source = error.source().unwrap().to_string();
    assert!(
        source.starts_with("row checksum mismatch: row 1, "),
        "{source}"
    );
}

#[test]
fn every_buffer_of_a_page_holds_one_row() {
    let one = person(1, "Ulm", 30);
    let cases = [buffer(&[]), buffer(&[one.clone(), one.clone()])];
    for odd in cases {
        let error = people().read_page(&[write_row(&one), odd]).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::PlainBuffer);
        let cause = error.as_plain_buffer().unwrap();
        assert_eq!(cause.row(), Some(1));
        assert!(
            matches!(cause.kind(), plainbuffer::ErrorKind::RowCount { .. }),
            "{cause}"
        );
    }
    let lost = people()
        .read_page(&[write_row(&one), Bytes::new()])
        .unwrap_err();
    assert_eq!(lost.kind(), &ErrorKind::PlainBuffer);
}

#[test]
fn rows_without_any_key_are_damage_also_where_no_key_is_wanted() {
    let schema = ScanSchema::from_table(&[], [("city", ColumnType::String)]).unwrap();
    let keyless = Row::new(PrimaryKey::new()).cell("city", "Ulm");
    for result in [
        schema.read_page(&page(std::slice::from_ref(&keyless))),
        schema.read_buffer(&buffer(std::slice::from_ref(&keyless))),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.as_plain_buffer().unwrap().row(), Some(0));
    }
}
