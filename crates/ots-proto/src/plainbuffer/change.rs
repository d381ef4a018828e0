//! Changes of rows into buffers that are as large as they need to be.

use bytes::Bytes;

use super::tag;
use super::variant::VariantRef;
use super::writer::{Writer, cell_bytes};
use crate::row::{CellUpdate, RowChange};

/// A buffer with one change of a row.
#[must_use]
pub fn write_change(change: &RowChange) -> Bytes {
    let mut writer = Writer::with_capacity(change_bytes(change));
    writer.change(change);
    writer.finish()
}

/// A buffer for each change, as [`write_change`] gives it, all cut from one: a batch of small rows
/// takes one allocation, however many they are, if there is room for `all_bytes` of them.
#[must_use]
pub fn write_changes<'a>(
    changes: impl IntoIterator<Item = &'a RowChange>,
    all_bytes: usize,
) -> Vec<Bytes> {
    let changes = changes.into_iter();
    let mut writer = Writer::empty(all_bytes);
    let mut sizes = Vec::with_capacity(changes.size_hint().0);
    for change in changes {
        let start = writer.len_bytes();
        writer.header();
        writer.change(change);
        sizes.push(writer.len_bytes() - start);
    }
    let mut rest = writer.finish();
    let rows = sizes.into_iter().map(|bytes| rest.split_to(bytes));
    rows.collect()
}

/// How many bytes [`write_change`] gives, without writing them.
#[must_use]
pub fn change_bytes(change: &RowChange) -> usize {
    let key = change.primary_key().columns().iter();
    let key = key.map(|column| {
        let value = VariantRef::from(column.value.as_ref());
        cell_bytes(&column.name, Some(value), false, false)
    });
    let (cells, count) = match change {
        RowChange::Put(row) => {
            let cells = row.cells.iter().map(|cell| {
                let value = VariantRef::from(cell.value.as_ref());
                cell_bytes(&cell.name, Some(value), false, cell.timestamp_ms.is_some())
            });
            (cells.sum(), row.cells.len())
        }
        RowChange::Update(update) => {
            let cells = update.cells.iter().map(|cell| match cell {
                CellUpdate::Put(cell) => {
                    let value = VariantRef::from(cell.value.as_ref());
                    cell_bytes(&cell.name, Some(value), false, cell.timestamp_ms.is_some())
                }
                CellUpdate::DeleteOneVersion { name, .. } => cell_bytes(name, None, true, true),
                CellUpdate::DeleteAllVersions { name } => cell_bytes(name, None, true, false),
                CellUpdate::Increment { name, by } => {
                    cell_bytes(name, Some(VariantRef::Integer(*by)), true, false)
                }
            });
            (cells.sum(), update.cells.len())
        }
        // The marker stands for the cells.
        RowChange::Delete(_) => (0, 1),
    };
    // The header, where the key begins, where the cells do if there are any, the checksum.
    let frame = tag::HEADER.len() + 1 + usize::from(count > 0) + 2;
    frame + key.sum::<usize>() + cells
}
