//! Rows, row changes and keys, both ways.

use ots_conformance::canonical;
use ots_proto::plainbuffer::{
    Accept, Writer, read_change, read_primary_key, write_change, write_primary_key, write_row,
};
use ots_proto::strategy::{bound_value, column_name, row, row_change};
use ots_proto::{Cell, CellUpdate, ColumnValue, PrimaryKey, PrimaryKeyValue, Row, RowChange};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::referee::{Question, same_bytes, same_value};
use crate::say;

/// Changes as the SDK writes them: those of one kind stand together, in the order in which each kind
/// first came, because an update is a mapping from kinds to cells.
pub(crate) fn changes() -> impl Strategy<Value = RowChange> {
    (row_change(), vec(edge_value(), 0..3)).prop_map(|(mut change, values)| {
        let cells = values.into_iter().map(|value| Cell {
            name: "edge".into(),
            value,
            timestamp_ms: None,
        });
        match &mut change {
            RowChange::Put(row) => row.cells.extend(cells),
            RowChange::Update(update) => {
                update.cells.extend(cells.map(CellUpdate::Put));
                let kinds: Vec<&str> = update.cells.iter().map(kind).collect();
                let rank = |cell: &CellUpdate| kinds.iter().position(|&of| of == kind(cell));
                let mut cells = update.cells.clone();
                cells.sort_by_key(rank);
                update.cells = cells;
            }
            _ => {}
        }
        change
    })
}

/// Values at the edges of their types, which chance seldom finds.
fn edge_value() -> impl Strategy<Value = ColumnValue> {
    prop_oneof![
        prop::sample::select(vec![i64::MIN, -1, 0, 1, i64::MAX]).prop_map(ColumnValue::Integer),
        prop::sample::select(vec![
            -0.0,
            0.0,
            f64::MIN,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ])
        .prop_map(ColumnValue::Double),
        prop::sample::select(vec!["", "\0", "\u{10ffff}", "e\u{301}", "杭州", "a\nb"])
            .prop_map(ColumnValue::from),
        Just(ColumnValue::Binary(bytes::Bytes::new())),
    ]
}

/// The same rows that a page has, all in one buffer or each in its own.
pub(crate) fn rows() -> impl Strategy<Value = Row> {
    (row(), vec(edge_value(), 0..3)).prop_map(|(mut row, values)| {
        row.cells.extend(values.into_iter().map(|value| Cell {
            name: "edge".into(),
            value,
            timestamp_ms: Some(i64::MAX),
        }));
        row
    })
}

/// Keys for writing and for the bounds of ranges: with columns that the service fills in, and with
/// the ends of everything.
pub(crate) fn keys() -> impl Strategy<Value = PrimaryKey> {
    let value = prop_oneof![6 => bound_value(), 1 => Just(PrimaryKeyValue::AutoIncrement)];
    vec((column_name(), value), 1..5).prop_map(PrimaryKey::from_iter)
}

/// They encode a change as we do, and we decode what they encoded.
pub(crate) const CHANGE: [Question<RowChange>; 1] = [Question {
    ask: "encode_row",
    case: |change| match change {
        RowChange::Put(row) => json!({
            "kind": "put",
            "primary_key": key(&row.primary_key),
            "cells": row.cells.iter().map(cell).collect::<Vec<_>>(),
        }),
        RowChange::Update(update) => {
            let mut kinds: Vec<(&str, Vec<Json>)> = Vec::new();
            for change in &update.cells {
                let of = kind(change);
                if kinds.last().is_none_or(|(last, _)| *last != of) {
                    kinds.push((of, Vec::new()));
                }
                kinds.last_mut().unwrap().1.push(cell_update(change));
            }
            json!({ "kind": "update", "primary_key": key(&update.primary_key), "cells": kinds })
        }
        RowChange::Delete(primary_key) => {
            json!({ "kind": "delete", "primary_key": key(primary_key) })
        }
    },
    check: |change, theirs| {
        same_bytes(theirs, &write_change(change))?;
        let bytes = hex::decode(theirs.as_str().unwrap()).unwrap();
        let update = matches!(change, RowChange::Update(_));
        same_value(read_change(&bytes, update), change)
    },
}];

/// They encode a key as we do, and we decode what they encoded.
pub(crate) const KEY: [Question<PrimaryKey>; 1] = [Question {
    ask: "encode_row",
    case: |primary_key| json!({ "kind": "key", "primary_key": key(primary_key) }),
    check: |primary_key, theirs| {
        same_bytes(theirs, &write_primary_key(primary_key))?;
        let bytes = hex::decode(theirs.as_str().unwrap()).unwrap();
        same_value(read_primary_key(&bytes), primary_key)
    },
}];

/// Their decoders read the row that we wrote, and we read it when they wrote it.
pub(crate) const ROW: [Question<Row>; 3] = [
    Question {
        ask: "decode_row_pure",
        case: |row| json!(hex::encode(write_row(row))),
        check: same_row,
    },
    Question {
        ask: "decode_row_native",
        case: |row| json!(hex::encode(write_row(row))),
        check: same_row,
    },
    Question {
        ask: "encode_row",
        case: |row| (CHANGE[0].case)(&RowChange::Put(row.clone())),
        check: |row, theirs| {
            same_bytes(theirs, &write_row(row))?;
            let bytes = hex::decode(theirs.as_str().unwrap()).unwrap();
            same_value(ots_proto::plainbuffer::read_row(&bytes, Accept::Rows), row)
        },
    },
];

/// Their decoders read every row of a page that we wrote.
pub(crate) const PAGE: [Question<Vec<Row>>; 2] = [
    Question {
        ask: "decode_rows_pure",
        case: |rows| page(rows),
        check: |rows, theirs| same_rows(rows, theirs),
    },
    Question {
        ask: "decode_rows_native",
        case: |rows| page(rows),
        check: |rows, theirs| same_rows(rows, theirs),
    },
];

pub(crate) fn page(rows: &[Row]) -> Json {
    let mut writer = Writer::new();
    for row in rows {
        writer.row(row);
    }
    json!(hex::encode(writer.finish()))
}

pub(crate) fn same_rows(rows: &[Row], theirs: &Json) -> Result<(), String> {
    let expected: Vec<canonical::Row> = rows.iter().map(canonical_row).collect();
    same_value(serde_json::from_value(theirs.clone()), &expected)
}

pub(crate) fn same_row(row: &Row, theirs: &Json) -> Result<(), String> {
    let read = serde_json::from_value(theirs.clone());
    same_value(read, &canonical_row(row))
}

fn canonical_row(row: &Row) -> canonical::Row {
    let key = row.primary_key.columns().iter();
    canonical::Row {
        primary_key: key
            .map(|column| canonical::KeyColumn {
                name: column.name.to_string(),
                value: serde_json::from_value(key_value(&column.value)).unwrap(),
            })
            .collect(),
        columns: row
            .cells
            .iter()
            .map(|cell| canonical::Cell {
                name: cell.name.to_string(),
                value: say::canonical(&cell.value),
                timestamp: cell.timestamp_ms,
            })
            .collect(),
    }
}

fn key(key: &PrimaryKey) -> Json {
    let columns = key.columns().iter();
    columns
        .map(|column| json!([column.name.as_ref() as &str, key_value(&column.value)]))
        .collect()
}

fn key_value(value: &PrimaryKeyValue) -> Json {
    let special = |name: &str| json!({ "type": name });
    match value {
        PrimaryKeyValue::InfMin => special("inf_min"),
        PrimaryKeyValue::InfMax => special("inf_max"),
        PrimaryKeyValue::AutoIncrement => special("auto_increment"),
        PrimaryKeyValue::Integer(value) => json!(canonical::Value::Integer(*value)),
        PrimaryKeyValue::String(value) => json!(canonical::Value::String(value.clone())),
        PrimaryKeyValue::Binary(value) => json!(canonical::Value::Binary(value.to_vec())),
    }
}

fn cell(cell: &Cell) -> Json {
    let version = cell.timestamp_ms.map(|version| version.to_string());
    json!([
        cell.name.as_ref() as &str,
        say::canonical(&cell.value),
        version
    ])
}

fn cell_update(update: &CellUpdate) -> Json {
    match update {
        CellUpdate::Put(put) => cell(put),
        CellUpdate::DeleteOneVersion { name, timestamp_ms } => {
            json!([name.as_ref() as &str, null, timestamp_ms.to_string()])
        }
        CellUpdate::DeleteAllVersions { name } => json!([name.as_ref() as &str, null, null]),
        CellUpdate::Increment { name, by } => {
            json!([name.as_ref() as &str, canonical::Value::Integer(*by), null])
        }
    }
}

/// What the SDK calls a kind of change.
fn kind(update: &CellUpdate) -> &'static str {
    match update {
        CellUpdate::Put(_) => "PUT",
        CellUpdate::DeleteOneVersion { .. } => "DELETE",
        CellUpdate::DeleteAllVersions { .. } => "DELETE_ALL",
        CellUpdate::Increment { .. } => "INCREMENT",
    }
}
