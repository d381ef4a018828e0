//! The life of a search index.

use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use ots_proto::messages::{
    CreateSearchIndexRequest, CreateSearchIndexResponse, DeleteSearchIndexRequest,
    DeleteSearchIndexResponse, DescribeSearchIndexRequest, DescribeSearchIndexResponse, IndexInfo,
    IndexStatus, IndexStatusEnum, ListSearchIndexRequest, ListSearchIndexResponse, MeteringInfo,
    SyncPhase, SyncStat,
};

use super::super::SearchIndex;
use super::{named, table, table_mut};
use crate::database::{Database, TableOptions, lock};
use crate::error::ServiceError;
use crate::names;
use crate::settings::Context;

pub(crate) fn create_search_index(
    context: &Context<'_>,
    database: &mut Database,
    request: CreateSearchIndexRequest,
) -> Result<CreateSearchIndexResponse, ServiceError> {
    let CreateSearchIndexRequest {
        table_name,
        index_name,
        schema,
        source_index_name,
        time_to_live,
    } = request;
    names::table(&table_name)?;
    if index_name.is_empty() || index_name.len() > MAX_NAME_BYTES {
        return Err(ServiceError::parameter(format!(
            "the name of a search index has 1 to {MAX_NAME_BYTES} bytes, [{index_name}] has {}",
            index_name.len()
        )));
    }
    if source_index_name.is_some_and(|name| !name.is_empty()) {
        return Err(ServiceError::parameter(
            "source_index_name (reindexing) is not supported by the emulator",
        ));
    }
    let table = table_mut(database, &table_name)?;
    check_options(table.options, time_to_live)?;
    let Entry::Vacant(vacant) = table.indexes.entry(index_name) else {
        return Err(ServiceError::new(
            409,
            "OTSObjectAlreadyExist",
            "the search index already exists",
        ));
    };
    let schema = schema.ok_or_else(|| {
        ServiceError::parameter("the schema of the search index must not be null")
    })?;
    let created_us = context.now_ms.saturating_mul(1000);
    vacant.insert(SearchIndex::new(
        schema,
        Arc::clone(&table.meta),
        created_us,
    )?);
    Ok(CreateSearchIndexResponse {})
}

pub(crate) fn list_search_index(
    _context: &Context<'_>,
    database: &mut Database,
    request: ListSearchIndexRequest,
) -> Result<ListSearchIndexResponse, ServiceError> {
    let tables = match request.table_name.filter(|name| !name.is_empty()) {
        Some(name) => {
            names::table(&name)?;
            vec![table(database, &name)?]
        }
        None => database.tables.values().collect(),
    };
    let indices = tables
        .into_iter()
        .flat_map(|table| {
            table.indexes.keys().map(|index_name| IndexInfo {
                table_name: Some(table.meta.name.clone()),
                index_name: Some(index_name.clone()),
            })
        })
        .collect();
    Ok(ListSearchIndexResponse { indices })
}

pub(crate) fn describe_search_index(
    _context: &Context<'_>,
    database: &mut Database,
    request: DescribeSearchIndexRequest,
) -> Result<DescribeSearchIndexResponse, ServiceError> {
    let (table_name, index_name) = named(&request.table_name, &request.index_name)?;
    let table = table(database, &table_name)?;
    let index = table
        .indexes
        .get(&index_name)
        .ok_or_else(|| no_object(&index_name))?;
    let now_ns = now_ns();
    let sync_stat = SyncStat {
        sync_phase: Some(SyncPhase::Incr.into()),
        current_sync_timestamp: Some(now_ns),
    };
    Ok(DescribeSearchIndexResponse {
        schema: Some(index.message.clone()),
        sync_stat: request
            .include_sync_stat
            .unwrap_or(true)
            .then_some(sync_stat),
        metering_info: Some(MeteringInfo {
            // Sizes and capacity units are not modelled.
            storage_size: Some(0),
            row_count: i64::try_from(table.rows.len()).ok(),
            reserved_read_cu: Some(0),
            timestamp: Some(now_ns),
        }),
        brother_index_name: None,
        query_flow_weight: Vec::new(),
        create_time: Some(index.created_us),
        time_to_live: Some(FOREVER),
        index_status: Some(IndexStatus {
            status: Some(IndexStatusEnum::Running.into()),
            status_description: None,
        }),
    })
}

pub(crate) fn delete_search_index(
    _context: &Context<'_>,
    database: &Mutex<Database>,
    request: DeleteSearchIndexRequest,
) -> Result<DeleteSearchIndexResponse, ServiceError> {
    let (table_name, index_name) = named(&request.table_name, &request.index_name)?;
    let closed = {
        let mut database = lock(database);
        let index = table_mut(&mut database, &table_name)?
            .indexes
            .remove(&index_name)
            .ok_or_else(|| no_object(&index_name))?;
        database.sessions.close_index(index.identity)
    };
    // Their snapshots may be all that is left of millions of rows.
    drop(closed);
    Ok(DeleteSearchIndexResponse {})
}

/// Rows of an index never expire here, so that their table's must not either.
pub(crate) fn check_options(
    table: TableOptions,
    time_to_live: Option<i32>,
) -> Result<(), ServiceError> {
    if table.max_versions != 1 {
        return Err(ServiceError::parameter(format!(
            "a search index needs a table with max_versions 1, this one has {}",
            table.max_versions
        )));
    }
    if table.time_to_live_s != FOREVER && table.allow_update {
        return Err(ServiceError::parameter(
            "operation is denied as table TTL exists",
        ));
    }
    if table.time_to_live_s != FOREVER || time_to_live.is_some_and(|seconds| seconds != FOREVER) {
        return Err(ServiceError::parameter(
            "a search index with a time to live is not supported by the emulator",
        ));
    }
    Ok(())
}

/// Unlike a search, an operation on the index itself reports an absent one like this; seen in official
/// SDKs' tests.
fn no_object(index_name: &str) -> ServiceError {
    ServiceError::new(
        404,
        "OTSObjectNotExist",
        format!("search index [{index_name}] does not exist"),
    )
}

/// The real time, whatever clock drives the emulator: clients wait until the index is at most some
/// seconds behind their own clock.
fn now_ns() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

const MAX_NAME_BYTES: usize = 255;
const FOREVER: i32 = -1;
