//! The life of a search index.

use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use ots_proto::messages::{
    CreateSearchIndexRequest, CreateSearchIndexResponse, DeleteSearchIndexRequest,
    DeleteSearchIndexResponse, DescribeSearchIndexRequest, DescribeSearchIndexResponse, IndexInfo,
    IndexStatus, IndexStatusEnum, ListSearchIndexRequest, ListSearchIndexResponse, MeteringInfo,
    QueryFlowWeight, SyncPhase, SyncStat, UpdateSearchIndexRequest, UpdateSearchIndexResponse,
};

use super::super::SearchIndex;
use super::{index, named, table, table_mut};
use crate::database::{Database, Table, TableOptions, lock};
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
    let table = table_mut(database, &table_name)?;
    check_options(table.options, time_to_live)?;
    let source = source_index_name.filter(|name| !name.is_empty());
    if let Some(source) = &source {
        check_source(table, source)?;
    }
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
    let mut index = SearchIndex::new(
        schema,
        Arc::clone(&table.meta),
        created_us,
        context.random.u64(),
    )?;
    index.source = source;
    index.time_to_live_s = time_to_live;
    vacant.insert(index);
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
    context: &Context<'_>,
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
    let delay_ns = context.settings.index_delay.as_nanos();
    let delay_ns = i64::try_from(delay_ns).unwrap_or(i64::MAX);
    let sync_stat = SyncStat {
        sync_phase: Some(SyncPhase::Incr.into()),
        current_sync_timestamp: Some(now_ns.saturating_sub(delay_ns)),
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
        brother_index_name: brother(table, &index_name).map(str::to_owned),
        query_flow_weight: weights(table, &index_name).to_vec(),
        create_time: Some(index.created_us),
        time_to_live: Some(index.time_to_live_s(&table.options)),
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
        let table = table_mut(&mut database, &table_name)?;
        let index = table
            .indexes
            .remove(&index_name)
            .ok_or_else(|| no_object(&index_name))?;
        part(table, &index_name, index.source.as_deref());
        database.sessions.close_index(index.identity)
    };
    // Their snapshots may be all that is left of millions of rows.
    drop(closed);
    Ok(DeleteSearchIndexResponse {})
}

/// Exchanges an index and its new one, or shares searches between them.
pub(crate) fn update_search_index(
    _context: &Context<'_>,
    database: &mut Database,
    request: UpdateSearchIndexRequest,
) -> Result<UpdateSearchIndexResponse, ServiceError> {
    let (table_name, index_name) = named(&request.table_name, &request.index_name)?;
    let table = table_mut(database, &table_name)?;
    let options = table.options;
    let Some(index) = table.indexes.get_mut(&index_name) else {
        return Err(no_object(&index_name));
    };
    if request.time_to_live.is_some() {
        check_options(options, request.time_to_live)?;
    }
    let switch = request.switch_index_name.filter(|name| !name.is_empty());
    let weights = request.query_flow_weight;
    match (switch, weights.is_empty(), request.time_to_live) {
        (Some(_), false, _) => Err(ServiceError::parameter(
            "switch_index_name and query_flow_weight exclude each other",
        )),
        (Some(_), true, Some(_)) | (None, false, Some(_)) => Err(ServiceError::parameter(
            "time_to_live is changed in a request of its own, without switch_index_name and \
             query_flow_weight",
        )),
        (Some(other), true, None) => switch_indexes(table, &index_name, &other),
        (None, false, None) => share(table, &index_name, weights),
        (None, true, Some(seconds)) => {
            index.time_to_live_s = Some(seconds);
            Ok(())
        }
        (None, true, None) => Err(ServiceError::parameter(
            "the request changes nothing: it has no time_to_live, no switch_index_name and no \
             query_flow_weight",
        )),
    }?;
    Ok(UpdateSearchIndexResponse {})
}

/// What was found under one name is found under the other. Which of them is the new one of the other
/// stays with the names.
fn switch_indexes(table: &mut Table, name: &str, other: &str) -> Result<(), ServiceError> {
    if brother(table, name) != Some(other) {
        return Err(ServiceError::parameter(format!(
            "search index [{name}] can't be switched with [{other}]: neither is the new one of the \
             other"
        )));
    }
    let (Some(mut a), Some(mut b)) = (table.indexes.remove(name), table.indexes.remove(other))
    else {
        return Err(no_object(other));
    };
    std::mem::swap(&mut a.source, &mut b.source);
    std::mem::swap(&mut a.weights, &mut b.weights);
    table.indexes.insert(name.to_owned(), b);
    table.indexes.insert(other.to_owned(), a);
    Ok(())
}

fn share(table: &mut Table, name: &str, weights: Vec<QueryFlowWeight>) -> Result<(), ServiceError> {
    let Some(other) = brother(table, name).map(str::to_owned) else {
        return Err(ServiceError::parameter(format!(
            "search index [{name}] has no new one to share searches with"
        )));
    };
    let known = |weight: &QueryFlowWeight| {
        let of = weight.index_name.as_deref();
        of == Some(name) || of == Some(other.as_str())
    };
    let valid = |weight: &QueryFlowWeight| (0..=100).contains(&weight.weight.unwrap_or(-1));
    let sum = || -> i32 { weights.iter().filter_map(|weight| weight.weight).sum() };
    let distinct = weights.first().map(|weight| &weight.index_name)
        != weights.get(1).map(|weight| &weight.index_name);
    if weights.len() != 2
        || !distinct
        || !weights.iter().all(|weight| known(weight) && valid(weight))
        || sum() != 100
    {
        return Err(ServiceError::parameter(format!(
            "query_flow_weight must name [{name}] and [{other}] with weights from 0 to 100 that are \
             100 together"
        )));
    }
    let source = source_of(table, name).to_owned();
    if let Some(index) = table.indexes.get_mut(&source) {
        index.weights = weights;
    }
    Ok(())
}

/// The index that answers a search: of two that share searches the one with the larger weight, always,
/// so that tokens lead on. The service takes turns.
pub(crate) fn answering<'t>(table: &'t Table, name: &str) -> Result<&'t SearchIndex, ServiceError> {
    let weights = weights(table, name).iter();
    let heaviest = weights
        .rev()
        .max_by_key(|weight| weight.weight)
        .and_then(|weight| weight.index_name.as_deref());
    // The new one is asked for by its own name before it takes over.
    let source = source_of(table, name);
    index(table, heaviest.filter(|_| name == source).unwrap_or(name))
}

/// The other one of an index and its new one.
fn brother<'t>(table: &'t Table, name: &str) -> Option<&'t str> {
    let source = table.indexes.get(name)?.source.as_deref();
    source.or_else(|| {
        let mut others = table.indexes.iter();
        let new = others.find(|(_, other)| other.source.as_deref() == Some(name));
        new.map(|(name, _)| name.as_str())
    })
}

/// The old one of the two, or the only one.
fn source_of<'t>(table: &'t Table, name: &'t str) -> &'t str {
    let index = table.indexes.get(name);
    index
        .and_then(|index| index.source.as_deref())
        .unwrap_or(name)
}

fn weights<'t>(table: &'t Table, name: &'t str) -> &'t [QueryFlowWeight] {
    let source = table.indexes.get(source_of(table, name));
    source.map_or(&[], |index| &index.weights)
}

/// When one of two is gone, the other stands alone.
fn part(table: &mut Table, gone: &str, source: Option<&str>) {
    for (name, index) in &mut table.indexes {
        if index.source.as_deref() == Some(gone) {
            index.source = None;
        }
        if Some(name.as_str()) == source {
            index.weights.clear();
        }
    }
}

/// An index that can have a new one.
fn check_source(table: &Table, source: &str) -> Result<(), ServiceError> {
    if !table.indexes.contains_key(source) {
        return Err(no_object(source));
    }
    match brother(table, source) {
        None => Ok(()),
        Some(other) => Err(ServiceError::parameter(format!(
            "search index [{source}] can't have a new one: it belongs together with [{other}] already"
        ))),
    }
}

/// An index has one version of each value, and no row longer than its table has it. A row must not be
/// updated then: its columns would leave one by one.
pub(crate) fn check_options(
    table: TableOptions,
    time_to_live_s: Option<i32>,
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
    let Some(seconds) = time_to_live_s else {
        return Ok(());
    };
    if seconds == 0 || seconds < FOREVER {
        return Err(ServiceError::parameter(format!(
            "the time to live of a search index is -1 or positive, not {seconds}"
        )));
    }
    if seconds != FOREVER && table.allow_update {
        return Err(ServiceError::parameter(
            "a search index with a time to live needs a table whose option allow_update is false",
        ));
    }
    let longest = table.time_to_live_s;
    if longest != FOREVER && (seconds == FOREVER || seconds > longest) {
        return Err(ServiceError::parameter(format!(
            "the time to live of a search index must not exceed that of its table, {longest}: \
             {seconds}"
        )));
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
