//! BatchWriteRow: many changes in many tables, each with an answer of its own, or all or none.

use std::collections::HashMap;
use std::sync::Mutex;

use ots_proto::messages::{
    BatchWriteRowRequest, BatchWriteRowResponse, OperationType, RowExistenceExpectation,
    RowInBatchWriteRowRequest, RowInBatchWriteRowResponse, TableInBatchWriteRowResponse,
};
use ots_proto::{KeyCellRef, PrimaryKeyValueRef};

use crate::capacity::Units;
use crate::change::{Change, ChangeKind};
use crate::database::{Database, lock};
use crate::error::ServiceError;
use crate::names;
use crate::settings::Context;
use crate::storage::Kept;
use crate::write::{self, Written};

/// Writes rows. A mistake that shows without looking at the rows fails the request, before anything
/// is written; a key, a condition or a version that doesn't fit fails only its row.
pub(crate) fn batch_write_row(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: BatchWriteRowRequest,
) -> Result<BatchWriteRowResponse, ServiceError> {
    // Reading the rows and their checksums is most of the work, and needs no lock.
    let groups = parse(&request)?;
    let (results, kept) = write_all(context, &mut lock(database), &request, &groups)?;
    kept.wait()?;
    // The rows that were replaced are freed here, too.
    let mut results = results.into_iter();
    let tables = groups
        .iter()
        .map(|group| {
            let changes = group.changes.iter();
            TableInBatchWriteRowResponse {
                table_name: group.table_name.to_owned(),
                rows: changes
                    .zip(results.by_ref())
                    .map(|(change, result)| response(change, result))
                    .collect(),
            }
        })
        .collect();
    Ok(BatchWriteRowResponse { tables })
}

/// What needs the lock.
fn write_all(
    context: &Context<'_>,
    database: &mut Database,
    request: &BatchWriteRowRequest,
    groups: &[Group<'_>],
) -> Result<(Results, Kept), ServiceError> {
    for group in groups {
        let table = database.table(group.table_name)?;
        for change in &group.changes {
            change.check_columns(&table.meta)?;
        }
    }
    let repeats = Repeats::find(groups)?;
    let results = if request.is_atomic == Some(true) {
        atomic(context, database, groups, &repeats)?
    } else {
        one_by_one(context, database, groups, &repeats)?
    };
    let mut changes = context.journal.begin();
    let mut rest = results.iter();
    for group in groups {
        let written = rest.by_ref().take(group.changes.len()).flatten();
        changes.rows(database.table(group.table_name)?, written.map(Written::key));
    }
    Ok((results, changes.send()))
}

/// The changes of one table.
struct Group<'a> {
    table_name: &'a str,
    changes: Vec<Change<'a>>,
}

type Results = Vec<Result<Written, ServiceError>>;

/// Everything that can be checked without the tables.
fn parse(request: &BatchWriteRowRequest) -> Result<Vec<Group<'_>>, ServiceError> {
    let tables = &request.tables;
    if tables.is_empty() {
        let message = "No row is specified in BatchWriteRow.";
        return Err(ServiceError::parameter(message));
    }
    for table in tables {
        names::table(&table.table_name)?;
    }
    if let Some(table) = tables.iter().find(|table| table.rows.is_empty()) {
        let name = &table.table_name;
        let message = format!("No operation is specified for table: '{name}'.");
        return Err(ServiceError::parameter(message));
    }
    let count: usize = tables.iter().map(|table| table.rows.len()).sum();
    if count > MAX_ROWS {
        let message = format!("Rows count exceeds the upper limit: {MAX_ROWS}.");
        return Err(ServiceError::parameter(message));
    }
    if request.transaction_id.is_some() {
        return Err(ServiceError::unimplemented("local transactions"));
    }
    let mut groups = Vec::with_capacity(tables.len());
    for table in tables {
        let changes = table
            .rows
            .iter()
            .map(parse_row)
            .collect::<Result<Vec<_>, _>>()?;
        groups.push(Group {
            table_name: &table.table_name,
            changes,
        });
    }
    let bytes: usize = groups
        .iter()
        .flat_map(|group| &group.changes)
        .map(|change| change.data_bytes)
        .sum();
    if bytes > MAX_DATA_BYTES {
        return Err(ServiceError::parameter(format!(
            "The total data size of BatchWriteRow request exceeds the limit, limit size: {MAX_DATA_BYTES}, data size: {bytes}."
        )));
    }
    Ok(groups)
}

fn parse_row(row: &RowInBatchWriteRowRequest) -> Result<Change<'_>, ServiceError> {
    let kind = match OperationType::try_from(row.r#type) {
        Ok(OperationType::Put) => ChangeKind::Put,
        Ok(OperationType::Update) => ChangeKind::Update,
        Ok(OperationType::Delete) => ChangeKind::Delete,
        Err(_) => {
            let message = format!("Invalid operation type: {}.", row.r#type);
            return Err(ServiceError::parameter(message));
        }
    };
    Change::parse(
        kind,
        &row.row_change,
        &row.condition,
        row.return_content.as_ref(),
    )
}

/// Rows that occur more than once in a batch. They are applied in order, but what depends on the
/// row's state may only occur once.
struct Repeats {
    /// For each change whether it must fail: a counter's second occurrence. It doesn't fail the
    /// whole request in an official SDK's tests.
    failing: Vec<bool>,
}

impl Repeats {
    fn find(groups: &[Group<'_>]) -> Result<Self, ServiceError> {
        let changes = || groups.iter().flat_map(|group| &group.changes);
        // Plain puts, the bulk of all batches, may repeat as they like.
        let depends = |change: &Change<'_>| !change.condition.is_none() || change.increments();
        if !changes().any(depends) {
            let failing = Vec::new();
            return Ok(Self { failing });
        }
        let mut seen: HashMap<(&str, Vec<PrimaryKeyValueRef<'_>>), Vec<&Change<'_>>> =
            HashMap::new();
        let mut failing = Vec::new();
        for group in groups {
            for change in &group.changes {
                let values: Vec<_> = change.key.iter().map(|cell| cell.value).collect();
                // A placeholder stands for another key each time.
                if values.contains(&PrimaryKeyValueRef::AutoIncrement) {
                    failing.push(false);
                    continue;
                }
                let earlier = seen.entry((group.table_name, values)).or_default();
                let counts = |change: &&Change<'_>| change.increments();
                let repeats_counter =
                    !earlier.is_empty() && (change.increments() || earlier.iter().any(counts));
                failing.push(repeats_counter);
                earlier.push(change);
            }
        }
        let repeated = seen.values().filter(|changes| changes.len() > 1);
        for change in repeated.flatten() {
            if change.condition.existence != RowExistenceExpectation::Ignore {
                return Err(ServiceError::parameter(
                    "Repeated rows do not support row exist expectation check in BatchModify.",
                ));
            }
            if change.condition.filter.is_some() {
                return Err(ServiceError::parameter(
                    "Repeated rows do not support row condition check in BatchModify.",
                ));
            }
        }
        Ok(Self { failing })
    }

    fn check(&self, index: usize) -> Result<(), ServiceError> {
        match self.failing.get(index) {
            Some(true) => Err(ServiceError::parameter(
                "A row with an incremented column may occur only once in a batch.",
            )),
            _ => Ok(()),
        }
    }
}

fn one_by_one(
    context: &Context<'_>,
    database: &mut Database,
    groups: &[Group<'_>],
    repeats: &Repeats,
) -> Result<Results, ServiceError> {
    let mut results = Vec::new();
    for group in groups {
        let table = database.table_mut(group.table_name)?;
        for change in &group.changes {
            let allowed = repeats.check(results.len());
            results.push(allowed.and_then(|()| write::apply(context, table, change)));
        }
    }
    Ok(results)
}

/// All rows or none. They must share one partition key, the first key column: otherwise every row
/// fails, in a response that succeeds.
fn atomic(
    context: &Context<'_>,
    database: &mut Database,
    groups: &[Group<'_>],
    repeats: &Repeats,
) -> Result<Results, ServiceError> {
    let count = groups.iter().map(|group| group.changes.len()).sum();
    if let Some(error) = scattered(groups) {
        return Ok(all_refused(&error, count));
    }
    let mut done: Vec<(&str, Written)> = Vec::with_capacity(count);
    for group in groups {
        for change in &group.changes {
            let result = repeats.check(done.len()).and_then(|()| {
                let table = database.table_mut(group.table_name)?;
                write::apply(context, table, change)
            });
            match result {
                Ok(written) => done.push((group.table_name, written)),
                Err(error) => {
                    for (table_name, written) in done.into_iter().rev() {
                        written.undo.run(database.table_mut(table_name)?);
                    }
                    return Ok(all_refused(&error, count));
                }
            }
        }
    }
    Ok(done.into_iter().map(|(_, written)| Ok(written)).collect())
}

fn scattered(groups: &[Group<'_>]) -> Option<ServiceError> {
    let mut partitions = groups.iter().flat_map(|group| {
        let changes = group.changes.iter();
        changes.filter_map(|change| Some((group.table_name, *change.key.first()?)))
    });
    let (first_table, first) = partitions.next()?;
    let (_, other) = partitions
        .find(|(table, partition)| *table != first_table || partition.value != first.value)?;
    let text = |cell: KeyCellRef<'_>| match cell.value {
        PrimaryKeyValueRef::String(text) => text.to_owned(),
        other => other.to_owned().to_string(),
    };
    let message = format!(
        "Data out of scope of atomic. Atomic PartKey:{}. Data PartKey:{}",
        text(first),
        text(other)
    );
    Some(ServiceError::new(400, "OTSDataOutOfRange", message))
}

fn all_refused(error: &ServiceError, count: usize) -> Results {
    (0..count).map(|_| Err(error.clone())).collect()
}

fn response(
    change: &Change<'_>,
    result: Result<Written, ServiceError>,
) -> RowInBatchWriteRowResponse {
    match result {
        Ok(written) => RowInBatchWriteRowResponse {
            is_ok: true,
            error: None,
            consumed: Some(written.units.to_message()),
            row: written.row,
        },
        // Public documentation: a refused write costs a unit, and a read if it looked at the row.
        Err(error) => {
            let read = if change.condition.is_none() { 0 } else { 1 };
            let units = Units { read, write: 1 };
            RowInBatchWriteRowResponse {
                is_ok: false,
                error: Some(error.to_message()),
                consumed: Some(units.to_message()),
                row: None,
            }
        }
    }
}

const MAX_ROWS: usize = 200;
const MAX_DATA_BYTES: usize = 4 << 20;
