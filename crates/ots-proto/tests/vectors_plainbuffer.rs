//! PlainBuffer against bytes made by the official SDKs; see `vectors/PROVENANCE.md`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;

use ots_proto::plainbuffer::{
    Accept, Crc8, ErrorKind, Reader, Variant, Writer, read_change, read_primary_key, read_row,
    write_change, write_primary_key, write_row,
};
use ots_proto::{
    Cell, CellOperation, CellUpdate, ColumnName, ColumnValue, NameCache, PrimaryKey,
    PrimaryKeyValue, Row, RowChange, RowRef, RowUpdate,
};
use serde_json::Value;

mod common;

use common::{cases, check_variant, hex_of, list_of, only_keys, same_value, text_of, variant_of};

#[test]
fn every_checksum_agrees() {
    let cases = cases("crc8.json", include_str!("../vectors/crc8.json"), 55);
    for case in &cases {
        only_keys(case, &["name", "init", "parts", "crc"]);
        let init = u8::try_from(case["init"].as_u64().unwrap()).unwrap();
        let mut crc = Crc8::resume(init);
        for part in list_of(&case["parts"]) {
            only_keys(part, &["kind", "value"]);
            let value = &part["value"];
            // Numbers are decimal text where they may have 64 bits, plain where they are bytes.
            let number = || match value {
                Value::String(text) => text.parse::<i64>().unwrap(),
                number => number.as_i64().unwrap(),
            };
            match text_of(&part["kind"]) {
                "bytes" => crc.update(&hex_of(value)),
                "u8" => crc.update_byte(u8::try_from(number()).unwrap()),
                "i32" => crc.update(&i32::try_from(number()).unwrap().to_le_bytes()),
                "i64" => crc.update(&number().to_le_bytes()),
                other => panic!("unknown kind of part {other:?}"),
            }
        }
        assert_eq!([crc.finish()], *hex_of(&case["crc"]), "{}", case["name"]);
    }
}

#[test]
fn every_buffer_says_what_the_sdks_meant_and_is_written_alike() {
    let cases = plainbuffer_cases();
    let mut counts = BTreeMap::new();
    for case in &cases {
        let kind = text_of(&case["kind"]);
        *counts.entry(kind).or_insert(0) += 1;
        let name = text_of(&case["name"]);
        let buffer = hex_of(&case["hex"]);
        match kind {
            "primary_key" => {
                only_keys(case, &["name", "kind", "primary_key", "hex", "verified_by"]);
                let expected = key_of(&case["primary_key"]);
                let key =
                    read_primary_key(&buffer).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(key, expected, "{name}");
                assert_eq!(write_primary_key(&expected), buffer, "{name}");
            }
            "put_row" => {
                only_keys(
                    case,
                    &[
                        "name",
                        "kind",
                        "primary_key",
                        "columns",
                        "hex",
                        "verified_by",
                    ],
                );
                let expected = row_of(case);
                let change =
                    read_change(&buffer, false).unwrap_or_else(|error| panic!("{name}: {error}"));
                let RowChange::Put(row) = change else {
                    panic!("{name}: not a put: {change:?}");
                };
                assert_same_row(&row, &expected, name);
                assert_eq!(write_row(&expected), buffer, "{name}");
                assert_eq!(write_change(&RowChange::Put(expected)), buffer, "{name}");
            }
            "update_row" => {
                only_keys(
                    case,
                    &[
                        "name",
                        "kind",
                        "primary_key",
                        "columns",
                        "hex",
                        "verified_by",
                    ],
                );
                let expected = update_of(case);
                let change =
                    read_change(&buffer, true).unwrap_or_else(|error| panic!("{name}: {error}"));
                let RowChange::Update(update) = &change else {
                    panic!("{name}: not an update: {change:?}");
                };
                assert_same_update(update, &expected, name);
                assert_eq!(write_change(&RowChange::Update(expected)), buffer, "{name}");
            }
            "delete_row" => {
                only_keys(case, &["name", "kind", "primary_key", "hex", "verified_by"]);
                let expected = RowChange::Delete(key_of(&case["primary_key"]));
                let change =
                    read_change(&buffer, false).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(change, expected, "{name}");
                assert_eq!(write_change(&expected), buffer, "{name}");
            }
            "rows" => {
                only_keys(case, &["name", "kind", "rows", "hex", "verified_by"]);
                let rows = read_rows(&buffer, Accept::Rows, name);
                let expected = list_of(&case["rows"]);
                assert_eq!(rows.len(), expected.len(), "{name}");
                let mut writer = Writer::new();
                for ((row, _), json) in rows.iter().zip(expected) {
                    only_keys(json, &["primary_key", "columns"]);
                    let expected = row_of(json);
                    assert_same_row(row, &expected, name);
                    writer.row(&expected);
                }
                assert_eq!(writer.finish(), buffer, "{name}");
                assert_eq!(rewritten(&buffer, name), buffer, "{name}");
            }
            "rows_with_extension" => {
                only_keys(
                    case,
                    &["name", "kind", "rows", "note", "hex", "verified_by"],
                );
                // We read past the extension and never write one.
                let rows = read_rows(&buffer, Accept::Changes, name);
                let expected = list_of(&case["rows"]);
                assert_eq!(rows.len(), expected.len(), "{name}");
                for ((row, deleted), json) in rows.iter().zip(expected) {
                    only_keys(
                        json,
                        &["primary_key", "columns", "delete_marker", "extension"],
                    );
                    assert_same_row(row, &row_of(json), name);
                    assert_eq!(*deleted, json["delete_marker"].as_bool().unwrap(), "{name}");
                    if !deleted {
                        // The extension alone doesn't make a row a change.
                        assert_same_row(&read_row(&buffer, Accept::Rows).unwrap(), row, name);
                    }
                }
            }
            "variant" => {
                only_keys(case, &["name", "kind", "value", "hex", "verified_by"]);
                check_variant(&buffer, &variant_of(&case["value"]), name);
            }
            "reject" => only_keys(case, &["name", "kind", "reason", "hex", "verified_by"]),
            other => panic!("{name}: unknown kind {other:?}"),
        }
    }
    let expected = [
        ("delete_row", 4),
        ("primary_key", 34),
        ("put_row", 34),
        ("reject", 19),
        ("rows", 5),
        ("rows_with_extension", 5),
        ("update_row", 10),
        ("variant", 12),
    ];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn every_broken_buffer_is_refused_for_its_own_reason() {
    let all = plainbuffer_cases();
    let rejects: Vec<&Value> = all.iter().filter(|case| case["kind"] == "reject").collect();
    assert_eq!(rejects.len(), 19);
    for case in rejects {
        let name = text_of(&case["name"]);
        let buffer = hex_of(&case["hex"]);
        for accept in [Accept::Rows, Accept::PartialRows, Accept::Changes] {
            let kind = refusal(&buffer, accept)
                .unwrap_or_else(|| panic!("{name} slipped through as {accept:?}"));
            assert!(
                is_expected(name, accept, &kind),
                "{name} as {accept:?}: {kind:?}"
            );
        }
        assert!(read_primary_key(&buffer).is_err(), "{name}");
        assert!(read_change(&buffer, true).is_err(), "{name}");
    }
}

fn is_expected(name: &str, accept: Accept, kind: &ErrorKind) -> bool {
    use ErrorKind::{
        Header, NegativeLength, RowChecksum, Truncated, UnexpectedTag, UnknownValueType,
    };
    match name {
        "reject_wrong_header"
        | "reject_header_high_byte"
        | "reject_truncated_header"
        | "reject_empty" => *kind == Header,
        "reject_truncated_mid_name"
        | "reject_truncated_mid_value"
        | "reject_missing_row_checksum"
        | "reject_row_checksum_byte_missing"
        | "reject_string_length_past_end" => matches!(kind, Truncated { .. }),
        "reject_bad_row_checksum" => {
            *kind
                == RowChecksum {
                    stored: 0xfe,
                    computed: 0x01,
                }
        }
        "reject_bad_cell_checksum" => cell_checksum(kind, "id", 0xbc),
        "reject_value_bit_flip" => cell_checksum(kind, "id", 0xac),
        // The name as it reads after the flip.
        "reject_name_bit_flip" => cell_checksum(kind, "hd", 0xac),
        "reject_unknown_variant_type" => *kind == UnknownValueType { found: 5 },
        "reject_negative_string_length" => matches!(
            kind,
            NegativeLength {
                reading: "a string"
            }
        ),
        "reject_cell_without_checksum" => matches!(kind, UnexpectedTag { found: 0x09, .. }),
        "reject_trailing_garbage" => matches!(kind, UnexpectedTag { found: 0x7f, .. }),
        "reject_row_starts_with_cell" => matches!(kind, UnexpectedTag { found: 0x03, .. }),
        // Where a key may be left out, what is missed first is the checksum.
        "reject_only_header_tag" if accept == Accept::PartialRows => {
            matches!(kind, Truncated { .. })
        }
        "reject_only_header_tag" => *kind == ErrorKind::EmptyPrimaryKey,
        // A case that nobody has thought about.
        _ => false,
    }
}

fn cell_checksum(kind: &ErrorKind, name: &str, byte: u8) -> bool {
    matches!(kind, ErrorKind::CellChecksum { column, stored, computed }
        if column == name && *stored == byte && computed != stored)
}

fn refusal(buffer: &[u8], accept: Accept) -> Option<ErrorKind> {
    let mut reader = match Reader::new(buffer, accept) {
        Ok(reader) => reader,
        Err(error) => return Some(error.kind().clone()),
    };
    loop {
        match reader.next_row() {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(error) => {
                assert!(error.row().is_some(), "{error}");
                assert!(error.offset() <= buffer.len(), "{error}");
                return Some(error.kind().clone());
            }
        }
    }
}

fn plainbuffer_cases() -> Vec<Value> {
    cases(
        "plainbuffer.json",
        include_str!("../vectors/plainbuffer.json"),
        123,
    )
}

/// Every row as an owned one, and whether it bears the delete marker.
fn read_rows(buffer: &[u8], accept: Accept, name: &str) -> Vec<(Row, bool)> {
    let mut names = NameCache::default();
    each_row(buffer, accept, name, |row| {
        (row.to_row(&mut names), row.is_deleted())
    })
}

fn rewritten(buffer: &[u8], name: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    each_row(buffer, Accept::Rows, name, |row| writer.row_ref(row));
    writer.finish().to_vec()
}

fn each_row<T>(
    buffer: &[u8],
    accept: Accept,
    name: &str,
    mut each: impl FnMut(RowRef<'_, '_>) -> T,
) -> Vec<T> {
    let mut reader = Reader::new(buffer, accept).unwrap();
    let mut all = Vec::new();
    while let Some(row) = reader
        .next_row()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
    {
        all.push(each(row));
    }
    assert_eq!(reader.rows_read(), all.len());
    all
}

fn column_value_of(json: &Value) -> ColumnValue {
    match variant_of(json) {
        Variant::Value(value) => value,
        other => panic!("not a column's value: {other:?}"),
    }
}

fn key_value_of(json: &Value) -> PrimaryKeyValue {
    match variant_of(json) {
        Variant::Value(ColumnValue::Integer(value)) => PrimaryKeyValue::Integer(value),
        Variant::Value(ColumnValue::String(value)) => PrimaryKeyValue::String(value),
        Variant::Value(ColumnValue::Binary(value)) => PrimaryKeyValue::Binary(value),
        Variant::InfMin => PrimaryKeyValue::InfMin,
        Variant::InfMax => PrimaryKeyValue::InfMax,
        Variant::AutoIncrement => PrimaryKeyValue::AutoIncrement,
        other => panic!("not a key column's value: {other:?}"),
    }
}

fn name_of(json: &Value) -> ColumnName {
    text_of(&json["name"]).into()
}

/// A primary key: `[{name, value}]`.
fn key_of(json: &Value) -> PrimaryKey {
    let columns = list_of(json).iter();
    columns
        .map(|column| {
            only_keys(column, &["name", "value"]);
            (name_of(column), key_value_of(&column["value"]))
        })
        .collect()
}

fn row_of(json: &Value) -> Row {
    let columns = list_of(&json["columns"]).iter();
    let cells = columns.map(|column| match cell_update_of(column) {
        CellUpdate::Put(cell) => cell,
        other => panic!("not a put: {other:?}"),
    });
    Row {
        primary_key: key_of(&json["primary_key"]),
        cells: cells.collect(),
    }
}

fn update_of(json: &Value) -> RowUpdate {
    RowUpdate {
        primary_key: key_of(&json["primary_key"]),
        cells: list_of(&json["columns"])
            .iter()
            .map(cell_update_of)
            .collect(),
    }
}

fn cell_update_of(json: &Value) -> CellUpdate {
    let name = name_of(json);
    let timestamp_ms = json
        .get("timestamp")
        .map(|text| text_of(text).parse().unwrap());
    match text_of(&json["op"]) {
        "put" => {
            only_keys(json, &["op", "name", "value", "timestamp"]);
            CellUpdate::Put(Cell {
                name,
                value: column_value_of(&json["value"]),
                timestamp_ms,
            })
        }
        "delete_one_version" => {
            only_keys(json, &["op", "name", "timestamp"]);
            let timestamp_ms = timestamp_ms.unwrap();
            CellUpdate::DeleteOneVersion { name, timestamp_ms }
        }
        "delete_all_versions" => {
            only_keys(json, &["op", "name"]);
            CellUpdate::DeleteAllVersions { name }
        }
        "increment" => {
            only_keys(json, &["op", "name", "value"]);
            let by = column_value_of(&json["value"]).as_integer().unwrap();
            CellUpdate::Increment { name, by }
        }
        other => panic!("unknown operation {other:?}"),
    }
}

fn assert_same_row(read: &Row, expected: &Row, name: &str) {
    assert_eq!(read.primary_key, expected.primary_key, "{name}");
    assert_eq!(read.cells.len(), expected.cells.len(), "{name}");
    for (read, expected) in read.cells.iter().zip(&expected.cells) {
        assert_same_cell(read, expected, name);
    }
}

fn assert_same_update(read: &RowUpdate, expected: &RowUpdate, name: &str) {
    assert_eq!(read.primary_key, expected.primary_key, "{name}");
    assert_eq!(read.cells.len(), expected.cells.len(), "{name}");
    for (read, expected) in read.cells.iter().zip(&expected.cells) {
        match (read, expected) {
            (CellUpdate::Put(read), CellUpdate::Put(expected)) => {
                assert_same_cell(read, expected, name);
            }
            _ => assert_eq!(read, expected, "{name}"),
        }
    }
}

fn assert_same_cell(read: &Cell, expected: &Cell, name: &str) {
    assert_eq!(read.name, expected.name, "{name}");
    assert_eq!(read.timestamp_ms, expected.timestamp_ms, "{name}");
    let (read, expected) = (&read.value, &expected.value);
    assert!(
        same_value(read, expected),
        "{name}: {read:?}, not {expected:?}"
    );
}

#[test]
fn a_borrowed_change_shows_its_operations() {
    let all = plainbuffer_cases();
    let case = all
        .iter()
        .find(|case| case["name"] == "update_mixed_ops")
        .unwrap();
    let buffer = hex_of(&case["hex"]);
    let operations = each_row(&buffer, Accept::Changes, "update_mixed_ops", |row| {
        let cells = row.cells().iter();
        cells
            .map(|cell| (cell.name.to_owned(), cell.operation))
            .collect::<Vec<_>>()
    });
    let expected = [
        ("column1", None),
        ("column2", None),
        ("column3", None),
        ("column5", Some(CellOperation::DeleteOneVersion)),
        ("column4", Some(CellOperation::DeleteAllVersions)),
        ("column6", Some(CellOperation::Increment)),
    ]
    .map(|(name, operation)| (name.to_owned(), operation));
    assert_eq!(operations, [expected]);
}
