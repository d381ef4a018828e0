//! What no table takes: found before a batch of others is refused for it.

use ots_proto::{CellUpdate, ColumnName, ColumnValue, PrimaryKeyValue, RowChange};

use crate::error::Error;

/// Checks a change against the service's limits on one row. Values are not told.
pub(super) fn check(table: &str, change: &RowChange) -> Result<(), Error> {
    let refused =
        |problem: String| Error::request(format!("BatchWriteRow on table {table:?}: {problem}"));
    for column in change.primary_key().columns() {
        let bytes = match &column.value {
            PrimaryKeyValue::String(text) => text.len(),
            PrimaryKeyValue::Binary(bytes) => bytes.len(),
            PrimaryKeyValue::InfMin | PrimaryKeyValue::InfMax => {
                let name = &column.name;
                return Err(refused(format!(
                    "key column {name} is no value but a bound"
                )));
            }
            _ => 0,
        };
        if bytes > MAX_KEY_BYTES {
            let name = &column.name;
            return Err(refused(format!(
                "key column {name} has {bytes} bytes, more than {MAX_KEY_BYTES}"
            )));
        }
    }
    let value = |name: &ColumnName, value: &ColumnValue| {
        let bytes = match value {
            ColumnValue::String(text) => text.len(),
            ColumnValue::Binary(bytes) => bytes.len(),
            _ => 0,
        };
        if bytes > MAX_VALUE_BYTES {
            return Err(refused(format!(
                "column {name} has {bytes} bytes, more than {MAX_VALUE_BYTES}"
            )));
        }
        Ok(())
    };
    let cells = match change {
        RowChange::Put(row) => {
            row.cells
                .iter()
                .try_for_each(|cell| value(&cell.name, &cell.value))?;
            row.cells.len()
        }
        RowChange::Update(update) => {
            for cell in &update.cells {
                if let CellUpdate::Put(cell) = cell {
                    value(&cell.name, &cell.value)?;
                }
            }
            update.cells.len()
        }
        RowChange::Delete(_) => 0,
    };
    if cells > MAX_CELLS {
        return Err(refused(format!("{cells} cells, more than {MAX_CELLS}")));
    }
    Ok(())
}

/// Source: the service's documentation of limits; the same numbers hold in its own SDKs' tests.
const MAX_KEY_BYTES: usize = 1024;
const MAX_VALUE_BYTES: usize = 2 * 1024 * 1024;
const MAX_CELLS: usize = 1024;
