//! Buffers that hold exactly one row.

use super::error::{Error, ErrorKind};
use super::reader::Reader;
use super::tag;
use super::walk::Accept;
use crate::name::NameCache;
use crate::primary_key::PrimaryKey;
use crate::row::{Cell, CellOperation, CellRef, CellUpdate, Row, RowChange, RowRef, RowUpdate};
use crate::value::ColumnValueRef;

/// Reads a buffer that holds exactly one primary key: range bounds, tokens, routing values.
///
/// # Errors
/// When the buffer breaks a rule of the format, or holds anything but one key.
pub fn read_primary_key(buffer: &[u8]) -> Result<PrimaryKey, Error> {
    only_row(buffer, Accept::Changes, |row| {
        if row.is_deleted() || !row.cells().is_empty() {
            return Err("a primary key alone, without attribute columns or a delete marker");
        }
        Ok(row.to_primary_key(&mut NameCache::default()))
    })
}

/// Reads a buffer that holds exactly one row.
///
/// # Errors
/// When the buffer breaks a rule of the format, or holds another number of rows.
pub fn read_row(buffer: &[u8], accept: Accept) -> Result<Row, Error> {
    only_row(buffer, accept, |row| {
        Ok(row.to_row(&mut NameCache::default()))
    })
}

/// Reads a buffer that holds exactly one change of a row: what it does follows from its shape.
///
/// A row without delete marker and without operations may be a put or an update; `update` says
/// which request it came in.
///
/// # Errors
/// When the buffer breaks a rule of the format, or its shape doesn't fit.
pub fn read_change(buffer: &[u8], update: bool) -> Result<RowChange, Error> {
    only_row(buffer, Accept::Changes, |row| {
        let names = &mut NameCache::default();
        if row.is_deleted() {
            return match row.cells() {
                [] => Ok(RowChange::Delete(row.to_primary_key(names))),
                _ => Err("no attribute columns in a deletion"),
            };
        }
        if !update {
            if row.cells().iter().any(|cell| cell.operation.is_some()) {
                return Err("no cell operations in a put");
            }
            return Ok(RowChange::Put(row.to_row(names)));
        }
        let primary_key = row.to_primary_key(names);
        let cells = row
            .cells()
            .iter()
            .filter_map(|cell| cell_update(cell, names))
            .collect();
        Ok(RowChange::Update(RowUpdate { primary_key, cells }))
    })
}

fn cell_update(cell: &CellRef<'_>, names: &mut NameCache) -> Option<CellUpdate> {
    let name = names.get(cell.name);
    let timestamp_ms = cell.timestamp_ms;
    Some(match cell.operation {
        None => CellUpdate::Put(Cell {
            name,
            value: cell.value?.to_owned(),
            timestamp_ms,
        }),
        Some(CellOperation::DeleteAllVersions) => CellUpdate::DeleteAllVersions { name },
        Some(CellOperation::DeleteOneVersion) => CellUpdate::DeleteOneVersion {
            name,
            timestamp_ms: timestamp_ms?,
        },
        Some(CellOperation::Increment) => match cell.value? {
            ColumnValueRef::Integer(by) => CellUpdate::Increment { name, by },
            _ => return None,
        },
    })
}

fn only_row<T>(
    buffer: &[u8],
    accept: Accept,
    read: impl FnOnce(RowRef<'_, '_>) -> Result<T, &'static str>,
) -> Result<T, Error> {
    let mut reader = Reader::new(buffer, accept)?;
    let wrong = |expected| Error::new(ErrorKind::RowCount { expected }, buffer.len());
    let row = reader
        .next_row()?
        .ok_or_else(|| wrong("one row, found none"))?;
    let value = read(row)
        .map_err(|expected| Error::new(ErrorKind::Shape { expected }, tag::HEADER.len()))?;
    match reader.next_row()? {
        None => Ok(value),
        Some(_) => Err(wrong("one row, found more")),
    }
}
