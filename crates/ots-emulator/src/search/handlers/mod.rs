//! The operations on search indexes.

mod index;
mod parallel_scan;
mod search;

use std::sync::Mutex;

use ots_proto::messages;

pub(crate) use index::{
    check_options, create_search_index, delete_search_index, describe_search_index,
    list_search_index, update_search_index,
};
pub(crate) use parallel_scan::{compute_splits, parallel_scan};
pub(crate) use search::search;

use super::SearchIndex;
use crate::database::{Database, Table, lock};
use crate::error::ServiceError;
use crate::names;
use crate::settings::Context;

/// The table a search operation names. Unlike the operations on rows, these report an absent one with
/// 400.
fn table<'d>(database: &'d Database, name: &str) -> Result<&'d Table, ServiceError> {
    database.tables.get(name).ok_or_else(|| no_table(name))
}

fn table_mut<'d>(database: &'d mut Database, name: &str) -> Result<&'d mut Table, ServiceError> {
    database.tables.get_mut(name).ok_or_else(|| no_table(name))
}

pub(crate) fn no_table(name: &str) -> ServiceError {
    ServiceError::parameter(format!("table [{name}] does not exist"))
}

/// The index of a search or scan.
fn index<'t>(table: &'t Table, name: &str) -> Result<&'t SearchIndex, ServiceError> {
    table.indexes.get(name).ok_or_else(|| no_index(name))
}

fn no_index(name: &str) -> ServiceError {
    ServiceError::new(
        400,
        "OTSMetaNotMatch",
        format!("search index [{name}] does not exist"),
    )
}

/// Frees the sessions that have expired. Every search and scan begins with it, so that a snapshot
/// outlives its session only until somebody asks for anything. It is freed without the lock.
fn sweep(context: &Context<'_>, database: &Mutex<Database>) {
    let expired = lock(database).sessions.take_expired(context.now_ms);
    drop(expired);
}

/// The names that a request carries.
fn named(
    table_name: &Option<String>,
    index_name: &Option<String>,
) -> Result<(String, String), ServiceError> {
    let table_name = table_name.clone().unwrap_or_default();
    names::table(&table_name)?;
    let index_name = index_name.clone().unwrap_or_default();
    Ok((table_name, index_name))
}

/// Checks `columns_to_get` as far as that is possible without the index.
fn check_columns(columns: Option<&messages::ColumnsToGet>) -> Result<(), ServiceError> {
    columns.map_or(Ok(()), |columns| {
        names::columns_to_get(&columns.column_names)
    })
}

#[cfg(test)]
mod tests;
