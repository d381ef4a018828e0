//! PutRow, UpdateRow, DeleteRow: one change applied to its table.

use std::collections::btree_map::Entry;
use std::iter;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ots_proto::messages::{
    self, DeleteRowRequest, DeleteRowResponse, PutRowRequest, PutRowResponse,
    RowExistenceExpectation, UpdateRowRequest, UpdateRowResponse,
};
use ots_proto::plainbuffer::Writer;
use ots_proto::{
    CellOperation, CellRef, ColumnValue, ColumnValueRef, KeyCellRef, NameCache, PrimaryKeyValue,
    PrimaryKeyValueRef,
};

use crate::capacity::{self, Units};
use crate::change::{Change, ChangeKind, Returns};
use crate::database::{Database, Table, TableMeta, TableOptions, lock};
use crate::error::ServiceError;
use crate::names;
use crate::page::key_buffer;
use crate::schema;
use crate::settings::Context;
use crate::stored::{RowKey, StoredColumn, StoredRow, Version, Versions};
use crate::versions::{Stamps, Visibility};

/// Replaces a row.
pub(crate) fn put_row(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: PutRowRequest,
) -> Result<PutRowResponse, ServiceError> {
    let (consumed, row) = single(
        context,
        database,
        &Single {
            table_name: &request.table_name,
            kind: ChangeKind::Put,
            buffer: &request.row,
            condition: &request.condition,
            return_content: request.return_content.as_ref(),
            transaction_id: request.transaction_id.as_deref(),
        },
    )?;
    Ok(PutRowResponse { consumed, row })
}

/// Changes single cells of a row.
pub(crate) fn update_row(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: UpdateRowRequest,
) -> Result<UpdateRowResponse, ServiceError> {
    let (consumed, row) = single(
        context,
        database,
        &Single {
            table_name: &request.table_name,
            kind: ChangeKind::Update,
            buffer: &request.row_change,
            condition: &request.condition,
            return_content: request.return_content.as_ref(),
            transaction_id: request.transaction_id.as_deref(),
        },
    )?;
    Ok(UpdateRowResponse { consumed, row })
}

/// Removes a row.
pub(crate) fn delete_row(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: DeleteRowRequest,
) -> Result<DeleteRowResponse, ServiceError> {
    let (consumed, row) = single(
        context,
        database,
        &Single {
            table_name: &request.table_name,
            kind: ChangeKind::Delete,
            buffer: &request.primary_key,
            condition: &request.condition,
            return_content: request.return_content.as_ref(),
            transaction_id: request.transaction_id.as_deref(),
        },
    )?;
    Ok(DeleteRowResponse { consumed, row })
}

/// What a change did.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) units: Units,
    /// What the request wanted to have back.
    pub(crate) row: Option<Bytes>,
    /// The row as it was before, to undo the change.
    pub(crate) undo: Undo,
}

/// A row as it was before a change.
#[derive(Debug)]
pub(crate) struct Undo {
    key: RowKey,
    row: Option<Arc<StoredRow>>,
}

impl Written {
    /// The key of the row.
    pub(crate) const fn key(&self) -> &RowKey {
        &self.undo.key
    }
}

impl Undo {
    pub(crate) fn run(self, table: &mut Table) {
        match self.row {
            Some(row) => table.rows.insert(self.key, row),
            None => table.rows.remove(&self.key),
        };
    }
}

/// Applies a change to its table, or leaves the table as it was. In a batch, a refusal is the row's
/// own.
pub(crate) fn apply(
    context: &Context<'_>,
    table: &mut Table,
    change: &Change<'_>,
) -> Result<Written, ServiceError> {
    let now_ms = context.now_ms;
    schema::check_schema(&table.meta, &change.key)?;
    check_update_allowed(table, change.kind)?;
    check_deviation(&table.options, now_ms, &change.cells)?;
    let key = resolve_key(table, now_ms, change)?;

    let visibility = Visibility::at(now_ms, &table.options);
    let mut stamps = Stamps::new(now_ms, table.last_version_ms);
    let meta = Arc::clone(&table.meta);
    // One search of the tree for both the look and the change.
    let entry = table.rows.entry(key);
    let stored = match &entry {
        Entry::Occupied(entry) => Some(entry.get()),
        Entry::Vacant(_) => None,
    };
    let undo = Undo {
        key: Arc::clone(entry.key()),
        row: stored.map(Arc::clone),
    };
    let current = stored.map(|row| &**row).filter(|row| visibility.shows(row));
    change.condition.check(&meta, current, &visibility)?;

    // Where there is a row already, the new one shares its key's allocation.
    let key = stored.map_or(entry.key(), |row| &row.key);
    let mut new = match change.kind {
        ChangeKind::Put => {
            let mut row = StoredRow {
                key: Arc::clone(key),
                columns: Vec::new(),
            };
            put(
                &mut row,
                &change.cells,
                current,
                &mut stamps,
                &mut table.names,
            );
            Some(row)
        }
        ChangeKind::Update => {
            let row = current.cloned();
            let exists = row.is_some();
            let mut row = row.unwrap_or_else(|| StoredRow {
                key: Arc::clone(key),
                columns: Vec::new(),
            });
            update(
                &mut row,
                &change.cells,
                &visibility,
                &mut stamps,
                &mut table.names,
            )?;
            // Deletions alone don't create a row, nor does a row end with its last column.
            let writes = change.cells.iter().any(|cell| cell.value.is_some());
            (exists || writes).then_some(row)
        }
        ChangeKind::Delete => None,
    };
    if let Some(row) = &mut new {
        let max_versions = usize::try_from(table.options.max_versions).unwrap_or(1);
        for column in &mut row.columns {
            column.versions.truncate(max_versions);
        }
        row.columns.shrink_to_fit();
    }
    let written = Written {
        units: units(&meta, &table.options, change),
        row: returned(&meta, &change.returns, entry.key(), new.as_ref()),
        undo,
    };
    match (entry, new) {
        (Entry::Occupied(mut entry), Some(row)) => *entry.get_mut() = Arc::new(row),
        (Entry::Vacant(entry), Some(row)) => {
            entry.insert(Arc::new(row));
        }
        (Entry::Occupied(entry), None) => {
            entry.remove();
        }
        (Entry::Vacant(_), None) => {}
    }
    table.last_version_ms = stamps.highest_ms();
    let Undo { key, row } = &written.undo;
    let delay = context.settings.index_delay;
    table.recent.note(now_ms, delay, key, row.as_ref());
    Ok(written)
}

/// What the three operations have in common.
struct Single<'a> {
    table_name: &'a str,
    kind: ChangeKind,
    buffer: &'a [u8],
    condition: &'a messages::Condition,
    return_content: Option<&'a messages::ReturnContent>,
    transaction_id: Option<&'a str>,
}

/// The change is read without the lock, and the row it replaces is freed without it.
fn single(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: &Single<'_>,
) -> Result<(messages::ConsumedCapacity, Option<Bytes>), ServiceError> {
    names::table(request.table_name)?;
    if request.transaction_id.is_some() {
        return Err(ServiceError::unimplemented("local transactions"));
    }
    let change = Change::parse(
        request.kind,
        request.buffer,
        request.condition,
        request.return_content,
    )?;
    check_size(&change)?;
    let (written, kept) = {
        let mut database = lock(database);
        let table = database.table_mut(request.table_name)?;
        change.check_columns(&table.meta)?;
        let written = apply(context, table, &change)?;
        let mut changes = context.journal.begin();
        changes.rows(table, iter::once(written.key()));
        (written, changes.send())
    };
    kept.wait()?;
    Ok((written.units.to_message(), written.row))
}

fn check_size(change: &Change<'_>) -> Result<(), ServiceError> {
    let operation = match change.kind {
        ChangeKind::Put => "PutRow",
        ChangeKind::Update => "UpdateRow",
        ChangeKind::Delete => "DeleteRow",
    };
    if change.data_bytes > MAX_DATA_BYTES {
        let bytes = change.data_bytes;
        return Err(ServiceError::parameter(format!(
            "The total data size of {operation} request exceeds the limit, limit size: {MAX_DATA_BYTES}, data size: {bytes}."
        )));
    }
    Ok(())
}

fn check_update_allowed(table: &Table, kind: ChangeKind) -> Result<(), ServiceError> {
    if kind == ChangeKind::Update && !table.options.allow_update {
        let name = &table.meta.name;
        return Err(ServiceError::parameter(format!(
            "UpdateRow is not allowed on table '{name}': its option allow_update is false."
        )));
    }
    Ok(())
}

/// Versions that a client chooses must lie near the server's clock.
fn check_deviation(
    options: &TableOptions,
    now_ms: i64,
    cells: &[CellRef<'_>],
) -> Result<(), ServiceError> {
    let deviation_ms = options.max_deviation_s.saturating_mul(1000);
    let allowed = now_ms.saturating_sub(deviation_ms)..now_ms.saturating_add(deviation_ms);
    for cell in cells {
        let is_put = cell.value.is_some();
        if is_put && cell.timestamp_ms.is_some_and(|at| !allowed.contains(&at)) {
            let name = cell.name;
            return Err(ServiceError::parameter(format!(
                "Invalid timestamp. Cell:{name}."
            )));
        }
    }
    Ok(())
}

/// The key of the row to change, the service's pick put in where the request leaves it to the
/// service.
fn resolve_key(
    table: &mut Table,
    now_ms: i64,
    change: &Change<'_>,
) -> Result<RowKey, ServiceError> {
    let Some(generated) = table
        .meta
        .primary_key
        .iter()
        .position(schema::is_auto_increment)
    else {
        return Ok(schema::row_key(&change.key));
    };
    let condition = &change.condition;
    let existence = condition.existence_name();
    let is_placeholder = |cell: &KeyCellRef<'_>| cell.value == PrimaryKeyValueRef::AutoIncrement;
    if !change.key.iter().any(is_placeholder) {
        let expects_row = condition.existence == RowExistenceExpectation::ExpectExist;
        // A deletion creates nothing, so it may name a row that isn't there.
        if !expects_row && change.kind != ChangeKind::Delete {
            return Err(ServiceError::parameter(format!(
                "Invalid expect: {existence} when modify a specific row for table with pk auto increment"
            )));
        }
        return Ok(schema::row_key(&change.key));
    }
    if change.kind == ChangeKind::Delete {
        let message = "Invalid row to delete which with pk auto increment";
        return Err(ServiceError::parameter(message));
    }
    if condition.existence != RowExistenceExpectation::Ignore {
        return Err(ServiceError::parameter(format!(
            "Invalid expect:{existence} when modify row with pk auto increment"
        )));
    }
    if condition.filter.is_some() {
        let message = "Can't set condition when modify row with pk auto increment";
        return Err(ServiceError::parameter(message));
    }
    // The service's own numbers look like the time in microseconds, too.
    let next = now_ms
        .saturating_mul(1000)
        .max(table.last_generated.saturating_add(1))
        .max(1);
    table.last_generated = next;
    let values = change.key.iter().enumerate();
    Ok(values
        .map(|(index, cell)| {
            if index == generated {
                PrimaryKeyValue::Integer(next)
            } else {
                cell.value.to_owned()
            }
        })
        .collect())
}

/// Fills an empty row. The row that is replaced only matters for the versions of the new cells.
fn put(
    row: &mut StoredRow,
    cells: &[CellRef<'_>],
    old: Option<&StoredRow>,
    stamps: &mut Stamps,
    names: &mut NameCache,
) {
    row.columns.reserve_exact(cells.len());
    for cell in cells {
        let Some(value) = cell.value else {
            continue;
        };
        let timestamp_ms = cell.timestamp_ms.unwrap_or_else(|| {
            let versions = old.map_or(&[][..], |old| old.versions(cell.name));
            stamps.next(versions)
        });
        row.columns.push(StoredColumn {
            name: names.get(cell.name),
            versions: Versions::One(Version {
                timestamp_ms,
                value: value.to_owned(),
            }),
        });
    }
    if row.columns.is_sorted_by(|a, b| a.name < b.name) {
        return;
    }
    // The sort keeps the order of the request among the versions of a column: of two with the same
    // timestamp the last one wins.
    row.columns.sort_by(|a, b| a.name.cmp(&b.name));
    row.columns.dedup_by(|next, kept| {
        let same = next.name == kept.name;
        if same {
            for version in next.versions.iter() {
                kept.versions.insert(version.clone());
            }
        }
        same
    });
}

/// Applies cells to a row in their order; refuses before it changes anything.
fn update(
    row: &mut StoredRow,
    cells: &[CellRef<'_>],
    visibility: &Visibility,
    stamps: &mut Stamps,
    names: &mut NameCache,
) -> Result<(), ServiceError> {
    // Values and versions come from the row as it was before the request.
    let new = cells
        .iter()
        .map(|cell| new_version(row, cell, visibility, stamps))
        .collect::<Result<Vec<_>, _>>()?;
    for (cell, new) in cells.iter().zip(new) {
        let place = row
            .columns
            .binary_search_by(|column| column.name.as_bytes().cmp(cell.name.as_bytes()));
        match (place, new, cell.operation) {
            (Ok(index), Some(version), _) => {
                if let Some(column) = row.columns.get_mut(index) {
                    column.versions.insert(version);
                }
            }
            (Err(index), Some(version), _) => {
                let name = names.get(cell.name);
                let versions = Versions::One(version);
                row.columns.insert(index, StoredColumn { name, versions });
            }
            (Ok(index), None, Some(CellOperation::DeleteOneVersion)) => {
                let emptied = row.columns.get_mut(index).is_some_and(|column| {
                    cell.timestamp_ms
                        .is_some_and(|timestamp_ms| column.versions.remove(timestamp_ms))
                });
                if emptied {
                    row.columns.remove(index);
                }
            }
            (Ok(index), None, _) => {
                row.columns.remove(index);
            }
            (Err(_), None, _) => {}
        }
    }
    Ok(())
}

/// The version that a cell writes, if it writes one.
fn new_version(
    row: &StoredRow,
    cell: &CellRef<'_>,
    visibility: &Visibility,
    stamps: &mut Stamps,
) -> Result<Option<Version>, ServiceError> {
    let Some(value) = cell.value else {
        return Ok(None);
    };
    let versions = row.versions(cell.name);
    let value = match (cell.operation, value) {
        (Some(CellOperation::Increment), ColumnValueRef::Integer(by)) => {
            let current = visibility.of(versions).first();
            ColumnValue::Integer(incremented(cell.name, current, by)?)
        }
        (_, value) => value.to_owned(),
    };
    Ok(Some(Version {
        timestamp_ms: cell.timestamp_ms.unwrap_or_else(|| stamps.next(versions)),
        value,
    }))
}

/// An absent counter counts as zero.
fn incremented(name: &str, current: Option<&Version>, by: i64) -> Result<i64, ServiceError> {
    let refuse = |reason: &str| {
        ServiceError::parameter(format!("Column '{name}' cannot be incremented: {reason}."))
    };
    match current.map(|version| &version.value) {
        None => Ok(by),
        Some(ColumnValue::Integer(value)) => value
            .checked_add(by)
            .ok_or_else(|| refuse("the sum is not a 64-bit integer")),
        Some(_) => Err(refuse("its value is not an integer")),
    }
}

fn returned(
    meta: &TableMeta,
    returns: &Returns,
    key: &[PrimaryKeyValue],
    row: Option<&StoredRow>,
) -> Option<Bytes> {
    match returns {
        Returns::Nothing => None,
        Returns::Key => Some(key_buffer(meta, key)),
        // Such a row has no key: seen in an official SDK's tests. The Java SDK refuses a key part
        // that is there but empty; it reads a row that begins with data, as do Go and Node.js.
        Returns::AfterModify(names) => {
            let mut writer = Writer::new();
            let mut out = writer.begin_keyless_row();
            for name in names {
                let newest = row.and_then(|row| row.versions(name).first());
                if let Some(version) = newest {
                    out.cell(name, version.value.as_ref(), Some(version.timestamp_ms));
                }
            }
            out.end();
            Some(writer.finish())
        }
    }
}

/// A check costs a read; deleted cells count their names only.
fn units(meta: &TableMeta, options: &TableOptions, change: &Change<'_>) -> Units {
    let timestamp = capacity::timestamp_bytes(options);
    let cells: usize = change
        .cells
        .iter()
        .map(|cell| {
            let value = cell
                .value
                .map_or(0, |value| capacity::value_bytes(value) + timestamp);
            cell.name.len() + value
        })
        .sum();
    let key = capacity::key_bytes(meta, change.key.iter().map(|cell| cell.value));
    Units {
        read: if change.condition.is_none() { 0 } else { 1 },
        ..Units::write(key + cells)
    }
}

const MAX_DATA_BYTES: usize = 4 << 20;
