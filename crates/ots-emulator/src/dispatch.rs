//! From the name of an operation to the function that performs it.

use std::sync::Mutex;

use bytes::Bytes;
use ots_proto::operation::{self, Operation};
use prost::Message;

use crate::database::{Database, lock};
use crate::error::ServiceError;
use crate::search::handlers as search;
use crate::settings::Context;
use crate::stats::UnitSums;
use crate::{
    batch_read, batch_write, bulk_export, defined_columns, range, read, split_points, table, write,
};

/// What an operation gives back.
#[derive(Debug)]
pub(crate) struct Performed {
    pub(crate) body: Bytes,
    /// What it says it has cost.
    pub(crate) units: UnitSums,
}

/// Performs the operation called `name`.
pub(crate) fn run(
    context: &Context<'_>,
    database: &Mutex<Database>,
    name: &str,
    body: Bytes,
) -> Result<Performed, ServiceError> {
    match name {
        operation::CreateTable::NAME => {
            changing::<operation::CreateTable>(context, database, body, table::create_table)
        }
        operation::ListTable::NAME => {
            locked::<operation::ListTable>(context, database, body, table::list_table)
        }
        operation::DescribeTable::NAME => {
            locked::<operation::DescribeTable>(context, database, body, table::describe_table)
        }
        operation::UpdateTable::NAME => {
            changing::<operation::UpdateTable>(context, database, body, table::update_table)
        }
        operation::DeleteTable::NAME => {
            removing::<operation::DeleteTable>(context, database, body, table::delete_table)
        }
        operation::AddDefinedColumn::NAME => changing::<operation::AddDefinedColumn>(
            context,
            database,
            body,
            defined_columns::add_defined_column,
        ),
        operation::DeleteDefinedColumn::NAME => changing::<operation::DeleteDefinedColumn>(
            context,
            database,
            body,
            defined_columns::delete_defined_column,
        ),
        operation::GetRow::NAME => {
            unlocked::<operation::GetRow>(context, database, body, read::get_row)
        }
        operation::PutRow::NAME => {
            unlocked::<operation::PutRow>(context, database, body, write::put_row)
        }
        operation::UpdateRow::NAME => {
            unlocked::<operation::UpdateRow>(context, database, body, write::update_row)
        }
        operation::DeleteRow::NAME => {
            unlocked::<operation::DeleteRow>(context, database, body, write::delete_row)
        }
        operation::BatchGetRow::NAME => {
            unlocked::<operation::BatchGetRow>(context, database, body, batch_read::batch_get_row)
        }
        operation::BatchWriteRow::NAME => unlocked::<operation::BatchWriteRow>(
            context,
            database,
            body,
            batch_write::batch_write_row,
        ),
        operation::GetRange::NAME => {
            unlocked::<operation::GetRange>(context, database, body, range::get_range)
        }
        operation::BulkExport::NAME => {
            unlocked::<operation::BulkExport>(context, database, body, bulk_export::bulk_export)
        }
        operation::ComputeSplitPointsBySize::NAME => {
            unlocked::<operation::ComputeSplitPointsBySize>(
                context,
                database,
                body,
                split_points::compute_split_points_by_size,
            )
        }
        operation::CreateSearchIndex::NAME => changing::<operation::CreateSearchIndex>(
            context,
            database,
            body,
            search::create_search_index,
        ),
        operation::UpdateSearchIndex::NAME => changing::<operation::UpdateSearchIndex>(
            context,
            database,
            body,
            search::update_search_index,
        ),
        operation::DeleteSearchIndex::NAME => removing::<operation::DeleteSearchIndex>(
            context,
            database,
            body,
            search::delete_search_index,
        ),
        operation::ListSearchIndex::NAME => {
            locked::<operation::ListSearchIndex>(context, database, body, search::list_search_index)
        }
        operation::DescribeSearchIndex::NAME => locked::<operation::DescribeSearchIndex>(
            context,
            database,
            body,
            search::describe_search_index,
        ),
        operation::ComputeSplits::NAME => {
            unlocked::<operation::ComputeSplits>(context, database, body, search::compute_splits)
        }
        operation::Search::NAME => {
            unlocked::<operation::Search>(context, database, body, search::search)
        }
        operation::ParallelScan::NAME => {
            unlocked::<operation::ParallelScan>(context, database, body, search::parallel_scan)
        }
        other => Err(unsupported(other)),
    }
}

type Locked<O> = fn(
    &Context<'_>,
    &mut Database,
    <O as Operation>::Request,
) -> Result<<O as Operation>::Response, ServiceError>;

type Unlocked<O> = fn(
    &Context<'_>,
    &Mutex<Database>,
    <O as Operation>::Request,
) -> Result<<O as Operation>::Response, ServiceError>;

/// For the short operations that hold the database from beginning to end.
fn locked<O: Operation>(
    context: &Context<'_>,
    database: &Mutex<Database>,
    body: Bytes,
    handler: Locked<O>,
) -> Result<Performed, ServiceError> {
    let request = decode::<O>(body)?;
    // The guard is gone before the response is encoded.
    let response = handler(context, &mut lock(database), request)?;
    Ok(performed::<O>(&response))
}

/// For those that change what a table is, and hold the database while they do.
fn changing<O: Operation>(
    context: &Context<'_>,
    database: &Mutex<Database>,
    body: Bytes,
    handler: Locked<O>,
) -> Result<Performed, ServiceError> {
    let request = decode::<O>(body)?;
    let table = O::table(&request).unwrap_or_default().to_owned();
    let (response, kept) = {
        let mut database = lock(database);
        let response = handler(context, &mut database, request)?;
        // Under the same lock: a row may be written to a new table as soon as it is gone.
        let fresh = O::NAME == operation::CreateTable::NAME;
        (response, context.journal.table(&database, &table, fresh))
    };
    kept.wait()?;
    Ok(performed::<O>(&response))
}

/// For those that take something away, and free it without the lock.
fn removing<O: Operation>(
    context: &Context<'_>,
    database: &Mutex<Database>,
    body: Bytes,
    handler: Unlocked<O>,
) -> Result<Performed, ServiceError> {
    let request = decode::<O>(body)?;
    let table = O::table(&request).unwrap_or_default().to_owned();
    let response = handler(context, database, request)?;
    // Somebody may have made a table of the same name meanwhile, and that is as it should be: what
    // is kept is the table as it is now, and its own creation has swept the rows.
    let kept = context.journal.table(&lock(database), &table, false);
    kept.wait()?;
    Ok(performed::<O>(&response))
}

/// For the operations on rows: they take the lock only for what needs it,
/// not to read requests or to write and free rows, so that several of them run side by side.
fn unlocked<O: Operation>(
    context: &Context<'_>,
    database: &Mutex<Database>,
    body: Bytes,
    handler: Unlocked<O>,
) -> Result<Performed, ServiceError> {
    let request = decode::<O>(body)?;
    let response = handler(context, database, request)?;
    Ok(performed::<O>(&response))
}

fn decode<O: Operation>(body: Bytes) -> Result<O::Request, ServiceError> {
    O::decode_request(body)
        .map_err(|_| ServiceError::parameter("Parse PBMessage from RawString failed."))
}

fn performed<O: Operation>(response: &O::Response) -> Performed {
    let mut units = UnitSums::default();
    O::consumed(response, &mut |consumed| units.add(consumed));
    Performed {
        body: response.encode_to_vec().into(),
        units,
    }
}

/// Never a 5xx: official SDKs would repeat the request for tens of seconds.
pub(crate) fn unsupported(name: &str) -> ServiceError {
    let known = operation::ALL.iter().any(|(known, _)| *known == name);
    let text = format!("Unsupported operation: '{name}'.");
    if known {
        ServiceError::parameter(format!("{text} The emulator does not implement it."))
    } else {
        ServiceError::parameter(text)
    }
}
