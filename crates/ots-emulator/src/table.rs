//! CreateTable, ListTable, DescribeTable, UpdateTable, DeleteTable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ots_proto::NameCache;
use ots_proto::messages::{
    CapacityUnit, CreateTableRequest, CreateTableResponse, DeleteTableRequest, DeleteTableResponse,
    DescribeTableRequest, DescribeTableResponse, ListTableRequest, ListTableResponse,
    ReservedThroughputDetails, SseDetails, SseSpecification, StreamDetails, StreamSpecification,
    TableMeta as TableMetaMessage, TableStatus, UpdateTableRequest, UpdateTableResponse,
};
use ots_proto::plainbuffer::Writer;

use crate::database::{Database, Stream, Table, TableMeta, TableOptions, Throughput, lock};
use crate::error::ServiceError;
use crate::names;
use crate::recent::Recent;
use crate::settings::Context;
use crate::table_schema;

/// Creates a table, ready at once.
pub(crate) fn create_table(
    context: &Context<'_>,
    database: &mut Database,
    request: CreateTableRequest,
) -> Result<CreateTableResponse, ServiceError> {
    let message = request.table_meta;
    names::table(&message.table_name)?;
    table_schema::check_primary_key(&message.table_name, &message.primary_key)?;
    table_schema::check_defined_columns(&message.primary_key, &message.defined_column)?;
    let options = TableOptions::create(request.table_options.as_ref())?;
    let mut throughput = Throughput::default();
    throughput.set(request.reserved_throughput.capacity_unit, context.now_ms)?;
    throughput.last_increase_s = context.now_ms / 1000;
    let split_points = table_schema::split_points(&message.primary_key, &request.partitions)?;
    if !request.index_metas.is_empty() {
        return Err(ServiceError::unimplemented("secondary indexes"));
    }
    if request.enable_local_txn == Some(true) {
        return Err(ServiceError::unimplemented("local transactions"));
    }
    let encryption = request.sse_spec.map(encryption).transpose()?.flatten();
    if database.tables.contains_key(&message.table_name) {
        let text = "Requested table already exists.";
        return Err(ServiceError::new(409, "OTSObjectAlreadyExist", text));
    }
    let max_tables = context.settings.max_tables;
    if database.tables.len() >= max_tables {
        let text = format!("Number of tables exceeds the quota:{max_tables}.");
        return Err(ServiceError::new(403, "OTSQuotaExhausted", text));
    }

    let name = message.table_name;
    database.pace.created(&name);
    let created_us = context.now_ms.saturating_mul(1000);
    let stream = stream(context, &name, None, request.stream_spec.as_ref())?;
    let meta = Arc::new(TableMeta {
        name: name.clone(),
        primary_key: message.primary_key,
    });
    database.tables.insert(
        name,
        Table {
            meta,
            options,
            defined_columns: message.defined_column,
            throughput,
            stream,
            encryption,
            split_points,
            created_us,
            rows: BTreeMap::new(),
            indexes: BTreeMap::new(),
            recent: Recent::default(),
            names: NameCache::default(),
            last_generated: 0,
            last_version_ms: 0,
        },
    );
    Ok(CreateTableResponse {})
}

/// Names all tables, sorted bytewise: the service's order is not specified.
pub(crate) fn list_table(
    _context: &Context<'_>,
    database: &mut Database,
    _request: ListTableRequest,
) -> Result<ListTableResponse, ServiceError> {
    Ok(ListTableResponse {
        table_names: database.tables.keys().cloned().collect(),
    })
}

/// Tells everything about a table.
pub(crate) fn describe_table(
    _context: &Context<'_>,
    database: &mut Database,
    request: DescribeTableRequest,
) -> Result<DescribeTableResponse, ServiceError> {
    names::table(&request.table_name)?;
    let table = database.table(&request.table_name)?;
    let meta = &table.meta;
    Ok(DescribeTableResponse {
        table_meta: TableMetaMessage {
            table_name: meta.name.clone(),
            primary_key: meta.primary_key.clone(),
            defined_column: table.defined_columns.clone(),
            ..TableMetaMessage::default()
        },
        reserved_throughput_details: table.throughput.details(),
        table_options: table.options.to_message(),
        table_status: Some(TableStatus::Active as i32),
        stream_details: Some(stream_details(table.stream.as_ref())),
        shard_splits: shard_splits(table),
        sse_details: table.encryption.clone(),
        index_metas: Vec::new(),
        creation_time: Some(table.created_us),
    })
}

/// Changes options, throughput and stream of a table; what isn't mentioned stays.
pub(crate) fn update_table(
    context: &Context<'_>,
    database: &mut Database,
    request: UpdateTableRequest,
) -> Result<UpdateTableResponse, ServiceError> {
    names::table(&request.table_name)?;
    database.table(&request.table_name)?;
    let pace = &database.pace;
    pace.check_update(context.settings, &request.table_name, context.now_ms)?;
    let table = database.table_mut(&request.table_name)?;
    // Everything is checked before anything is changed.
    let options = match &request.table_options {
        Some(message) => table.options.update(message)?,
        None => table.options,
    };
    for index in table.indexes.values() {
        crate::search::handlers::check_options(options, index.time_to_live_s)?;
    }
    let mut throughput = table.throughput;
    if let Some(message) = request.reserved_throughput {
        throughput.set(message.capacity_unit, context.now_ms)?;
    }
    let stream = match &request.stream_spec {
        Some(message) => stream(
            context,
            &request.table_name,
            table.stream.as_ref(),
            Some(message),
        )?,
        None => table.stream.clone(),
    };
    table.options = options;
    table.throughput = throughput;
    table.stream = stream;
    let response = UpdateTableResponse {
        reserved_throughput_details: table.throughput.details(),
        table_options: table.options.to_message(),
        stream_details: Some(stream_details(table.stream.as_ref())),
    };
    database.pace.updated(&request.table_name, context.now_ms);
    Ok(response)
}

/// Deletes a table and its rows.
pub(crate) fn delete_table(
    _context: &Context<'_>,
    database: &Mutex<Database>,
    request: DeleteTableRequest,
) -> Result<DeleteTableResponse, ServiceError> {
    let name = &request.table_name;
    names::table(name)?;
    let deleted = {
        let mut database = lock(database);
        if !database.table(name)?.indexes.is_empty() {
            return Err(ServiceError::parameter(format!(
                "Table[{name}] who has at least one search index cannot be deleted"
            )));
        }
        database.tables.remove(name)
    };
    // Freeing millions of rows takes a while; others needn't wait for it.
    drop(deleted);
    Ok(DeleteTableResponse {})
}

impl Throughput {
    /// Sets what the request mentions. The service allows it only every two minutes; test suites
    /// update soon after they create, so the emulator doesn't mind.
    fn set(&mut self, message: CapacityUnit, now_ms: i64) -> Result<(), ServiceError> {
        let (read, write) = (
            message.read.unwrap_or(self.read),
            message.write.unwrap_or(self.write),
        );
        for (name, value) in [("read", read), ("write", write)] {
            if !(0..=MAX_UNITS).contains(&value) {
                return Err(ServiceError::parameter(format!(
                    "The reserved {name} capacity unit must be in range: [0, {MAX_UNITS}], found {value}."
                )));
            }
        }
        if read > self.read || write > self.write {
            self.last_increase_s = now_ms / 1000;
        }
        if read < self.read || write < self.write {
            self.last_decrease_s = Some(now_ms / 1000);
        }
        self.read = read;
        self.write = write;
        Ok(())
    }

    const fn details(&self) -> ReservedThroughputDetails {
        ReservedThroughputDetails {
            capacity_unit: CapacityUnit {
                read: Some(self.read),
                write: Some(self.write),
            },
            last_increase_time: self.last_increase_s,
            last_decrease_time: self.last_decrease_s,
        }
    }
}

fn stream(
    context: &Context<'_>,
    table_name: &str,
    current: Option<&Stream>,
    message: Option<&StreamSpecification>,
) -> Result<Option<Stream>, ServiceError> {
    let Some(message) = message.filter(|message| message.enable_stream) else {
        return Ok(None);
    };
    let expiration_hours = message
        .expiration_time
        .or(current.map(|stream| stream.expiration_hours))
        .unwrap_or(STREAM_HOURS_DEFAULT);
    if !(1..=STREAM_HOURS_MAX).contains(&expiration_hours) {
        return Err(ServiceError::parameter(format!(
            "The stream's expiration time must be in range: [1, {STREAM_HOURS_MAX}] hours, found {expiration_hours}."
        )));
    }
    let now_us = context.now_ms.saturating_mul(1000);
    Ok(Some(Stream {
        id: current.map_or_else(
            || format!("{table_name}_{now_us}"),
            |stream| stream.id.clone(),
        ),
        expiration_hours,
        last_enable_us: current.map_or(now_us, |stream| stream.last_enable_us),
        columns: message.columns_to_get.clone(),
    }))
}

/// Every field is there, zero when the stream is off: clients read some of them unchecked.
fn stream_details(stream: Option<&Stream>) -> StreamDetails {
    match stream {
        None => StreamDetails {
            enable_stream: false,
            stream_id: None,
            expiration_time: Some(0),
            last_enable_time: Some(0),
            column_to_get: Vec::new(),
        },
        Some(stream) => StreamDetails {
            enable_stream: true,
            stream_id: Some(stream.id.clone()),
            expiration_time: Some(stream.expiration_hours),
            last_enable_time: Some(stream.last_enable_us),
            column_to_get: stream.columns.clone(),
        },
    }
}

/// Encryption at rest changes nothing that a client could see but its own echo.
fn encryption(message: SseSpecification) -> Result<Option<SseDetails>, ServiceError> {
    if !message.enable {
        return Ok(None);
    }
    if message.key_type.is_none() {
        let message = "The key type is missing in the specification of server side encryption.";
        return Err(ServiceError::parameter(message));
    }
    Ok(Some(SseDetails {
        enable: true,
        key_type: message.key_type,
        key_id: message.key_id,
        role_arn: message.role_arn,
    }))
}

/// Each split point is a key of the first column alone.
fn shard_splits(table: &Table) -> Vec<bytes::Bytes> {
    let Some(first) = table.meta.primary_key.first() else {
        return Vec::new();
    };
    table
        .split_points
        .iter()
        .map(|point| {
            let mut writer = Writer::new();
            let mut row = writer.begin_row();
            row.key(&first.name, point.as_ref());
            row.end();
            writer.finish()
        })
        .collect()
}

const MAX_UNITS: i32 = 100_000;
const STREAM_HOURS_DEFAULT: i32 = 24;
const STREAM_HOURS_MAX: i32 = 168;
