//! Rows, row changes and keys, as far as the Node.js SDK has words for them.

use ots_proto::plainbuffer::write_row;
use ots_proto::{Cell, CellUpdate, ColumnName, ColumnValue, PrimaryKey, Row, RowChange, RowUpdate};
use proptest::prelude::*;
use serde_json::json;

use crate::referee::Question;
use crate::rows;

/// Their decoder reads the row that we wrote.
pub(crate) const ROW: [Question<Row>; 1] = [Question {
    ask: "decode_row",
    case: |row| json!(hex::encode(write_row(row))),
    check: rows::same_row,
}];

/// Their decoder reads every row of a page that we wrote.
pub(crate) const PAGE: [Question<Vec<Row>>; 1] = [Question {
    ask: "decode_rows",
    case: |rows| rows::page(rows),
    check: |rows, theirs| rows::same_rows(rows, theirs),
}];

/// Changes that the SDK can write.
pub(crate) fn changes() -> impl Strategy<Value = RowChange> {
    rows::changes().prop_map(|change| match change {
        RowChange::Put(row) => RowChange::Put(Row {
            primary_key: key(&row.primary_key),
            cells: row.cells.into_iter().map(cell).collect(),
        }),
        RowChange::Update(update) => RowChange::Update(RowUpdate {
            primary_key: key(&update.primary_key),
            cells: update.cells.into_iter().map(cell_update).collect(),
        }),
        RowChange::Delete(primary_key) => RowChange::Delete(key(&primary_key)),
    })
}

/// Keys that the SDK can write.
pub(crate) fn keys() -> impl Strategy<Value = PrimaryKey> {
    rows::keys().prop_map(|of| key(&of))
}

fn key(of: &PrimaryKey) -> PrimaryKey {
    let columns = of.columns().iter();
    let columns = columns.map(|column| (name(&column.name), column.value.clone()));
    columns.collect()
}

fn cell(of: Cell) -> Cell {
    Cell {
        name: name(&of.name),
        value: number(of.value),
        timestamp_ms: of.timestamp_ms.map(version),
    }
}

fn cell_update(of: CellUpdate) -> CellUpdate {
    match of {
        CellUpdate::Put(put) => CellUpdate::Put(cell(put)),
        CellUpdate::DeleteOneVersion {
            name: of,
            timestamp_ms,
        } => CellUpdate::DeleteOneVersion {
            name: name(&of),
            timestamp_ms: version(timestamp_ms),
        },
        CellUpdate::DeleteAllVersions { name: of } => {
            CellUpdate::DeleteAllVersions { name: name(&of) }
        }
        CellUpdate::Increment { name: of, by } => CellUpdate::Increment {
            name: name(&of),
            by,
        },
    }
}

/// The SDK writes the length of a name in characters, not in bytes, and takes a column called
/// `timestamp` for a version.
fn name(of: &str) -> ColumnName {
    let name: String = of.chars().filter(char::is_ascii).collect();
    if name == "timestamp" {
        "time".into()
    } else {
        name.into()
    }
}

/// The SDK takes a version as a number of its language, which has 53 bits.
const fn version(of: i64) -> i64 {
    of & ((1 << 53) - 1)
}

/// A number of that language that isn't one has one form.
fn number(of: ColumnValue) -> ColumnValue {
    match of {
        ColumnValue::Double(double) if double.is_nan() => ColumnValue::Double(f64::NAN),
        other => other,
    }
}
