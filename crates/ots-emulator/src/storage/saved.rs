//! Tables and rows as bytes that outlive the process.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use ots_proto::messages::{self, DefinedColumnSchema, PrimaryKeySchema, SseDetails};
use ots_proto::plainbuffer::{Accept, Reader, VariantRef, Writer};
use ots_proto::{NameCache, PrimaryKeyValue, PrimaryKeyValueRef};
use prost::Message;

use super::file::Record;
use crate::database::{Stream, Table, TableMeta, TableOptions, Throughput};
use crate::recent::Recent;
use crate::search::SearchIndex;
use crate::stored::{StoredColumn, StoredRow, Version, Versions};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Everything about a table but its rows and its counters. Tags are for ever: a field may be added,
/// none may change its meaning.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SavedTable {
    #[prost(message, repeated, tag = "1")]
    primary_key: Vec<PrimaryKeySchema>,
    #[prost(message, repeated, tag = "2")]
    defined_columns: Vec<DefinedColumnSchema>,
    #[prost(int32, tag = "3")]
    time_to_live_s: i32,
    #[prost(int32, tag = "4")]
    max_versions: i32,
    #[prost(int64, tag = "5")]
    max_deviation_s: i64,
    #[prost(bool, tag = "6")]
    allow_update: bool,
    #[prost(int32, tag = "7")]
    read_units: i32,
    #[prost(int32, tag = "8")]
    write_units: i32,
    #[prost(int64, tag = "9")]
    last_increase_s: i64,
    #[prost(int64, optional, tag = "10")]
    last_decrease_s: Option<i64>,
    #[prost(message, optional, tag = "11")]
    stream: Option<SavedStream>,
    #[prost(message, optional, tag = "12")]
    encryption: Option<SseDetails>,
    #[prost(bytes = "bytes", repeated, tag = "13")]
    split_points: Vec<Bytes>,
    #[prost(int64, tag = "14")]
    created_us: i64,
    #[prost(message, repeated, tag = "15")]
    indexes: Vec<SavedIndex>,
}

#[derive(Clone, PartialEq, Message)]
struct SavedStream {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(int32, tag = "2")]
    expiration_hours: i32,
    #[prost(int64, tag = "3")]
    last_enable_us: i64,
    #[prost(string, repeated, tag = "4")]
    columns: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct SavedIndex {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    schema: Option<messages::IndexSchema>,
    #[prost(int64, tag = "3")]
    created_us: i64,
    /// Tokens of a search name it, so they are good after a restart, too.
    #[prost(fixed64, tag = "4")]
    identity: u64,
    /// Of which index it is the new one, and how searches are shared.
    #[prost(string, optional, tag = "5")]
    source: Option<String>,
    #[prost(message, repeated, tag = "6")]
    weights: Vec<messages::QueryFlowWeight>,
    #[prost(int32, optional, tag = "7")]
    time_to_live_s: Option<i32>,
}

/// A table without its rows.
pub(crate) fn table(table: &Table) -> Vec<u8> {
    let TableOptions {
        time_to_live_s,
        max_versions,
        max_deviation_s,
        allow_update,
    } = table.options;
    let Throughput {
        read,
        write,
        last_increase_s,
        last_decrease_s,
    } = table.throughput;
    let stream = table.stream.clone().map(|stream| SavedStream {
        id: stream.id,
        expiration_hours: stream.expiration_hours,
        last_enable_us: stream.last_enable_us,
        columns: stream.columns,
    });
    let split_points = table.split_points.iter();
    let indexes = table.indexes.iter().map(|(name, index)| SavedIndex {
        name: name.clone(),
        schema: Some(index.message.clone()),
        created_us: index.created_us,
        identity: index.identity,
        source: index.source.clone(),
        weights: index.weights.clone(),
        time_to_live_s: index.time_to_live_s,
    });
    let saved = SavedTable {
        primary_key: table.meta.primary_key.clone(),
        defined_columns: table.defined_columns.clone(),
        time_to_live_s,
        max_versions,
        max_deviation_s,
        allow_update,
        read_units: read,
        write_units: write,
        last_increase_s,
        last_decrease_s,
        stream,
        encryption: table.encryption.clone(),
        split_points: split_points
            .map(|point| VariantRef::from(point.as_ref()).encode())
            .collect(),
        created_us: table.created_us,
        indexes: indexes.collect(),
    };
    saved.encode_to_vec()
}

/// The table, still without rows.
pub(crate) fn read_table(
    name: &str,
    bytes: &[u8],
    (last_generated, last_version_ms): (i64, i64),
) -> Result<Table, Failure> {
    let saved = SavedTable::decode(bytes)?;
    let meta = Arc::new(TableMeta {
        name: name.to_owned(),
        primary_key: saved.primary_key,
    });
    let mut indexes = BTreeMap::new();
    for index in saved.indexes {
        let schema = index.schema.unwrap_or_default();
        let mut restored =
            SearchIndex::new(schema, Arc::clone(&meta), index.created_us, index.identity)
                .map_err(|error| error.message)?;
        restored.source = index.source;
        restored.weights = index.weights;
        restored.time_to_live_s = index.time_to_live_s;
        indexes.insert(index.name, restored);
    }
    let split_points = saved.split_points.iter().map(|point| {
        let value = VariantRef::decode(point)?;
        let value = PrimaryKeyValueRef::try_from(value);
        let value = value.map_err(|_| "a split point is no value of a key")?;
        Ok::<PrimaryKeyValue, Failure>(value.to_owned())
    });
    Ok(Table {
        options: TableOptions {
            time_to_live_s: saved.time_to_live_s,
            max_versions: saved.max_versions,
            max_deviation_s: saved.max_deviation_s,
            allow_update: saved.allow_update,
        },
        defined_columns: saved.defined_columns,
        throughput: Throughput {
            read: saved.read_units,
            write: saved.write_units,
            last_increase_s: saved.last_increase_s,
            last_decrease_s: saved.last_decrease_s,
        },
        stream: saved.stream.map(|stream| Stream {
            id: stream.id,
            expiration_hours: stream.expiration_hours,
            last_enable_us: stream.last_enable_us,
            columns: stream.columns,
        }),
        encryption: saved.encryption,
        split_points: split_points.collect::<Result<_, _>>()?,
        created_us: saved.created_us,
        rows: BTreeMap::new(),
        indexes,
        recent: Recent::default(),
        names: NameCache::default(),
        last_generated,
        last_version_ms,
        meta,
    })
}

/// The records that make a table what it is, rows included.
pub(crate) fn whole_table(instance: &str, whole: &Table) -> [Record; 2] {
    let rows = whole.rows.iter();
    [
        Record::Table {
            instance: instance.to_owned(),
            name: whole.meta.name.clone(),
            saved: Some(table(whole)),
            fresh: true,
        },
        Record::Rows {
            instance: instance.to_owned(),
            table: Arc::clone(&whole.meta),
            rows: rows
                .map(|(key, row)| (Arc::clone(key), Some(Arc::clone(row))))
                .collect(),
            counters: (whole.last_generated, whole.last_version_ms),
        },
    ]
}

/// A row with all its versions.
pub(crate) fn row(table: &TableMeta, row: &StoredRow) -> Bytes {
    let mut writer = Writer::new();
    let mut out = writer.begin_row();
    for (column, value) in table.primary_key.iter().zip(row.key.iter()) {
        out.key(&column.name, value.as_ref());
    }
    for column in &row.columns {
        for version in column.versions.iter() {
            out.cell(
                &column.name,
                version.value.as_ref(),
                Some(version.timestamp_ms),
            );
        }
    }
    out.end();
    writer.finish()
}

/// Puts a row back into its table.
pub(crate) fn read_row(table: &mut Table, bytes: &[u8]) -> Result<(), Failure> {
    let mut reader = Reader::new(bytes, Accept::Rows)?;
    let row = reader.next_row()?.ok_or("a row is missing")?;
    let key = row.primary_key().iter().map(|cell| cell.value.to_owned());
    let mut columns: Vec<(StoredColumn, Vec<Version>)> = Vec::new();
    for cell in row.cells() {
        let value = cell.value.ok_or("a cell has no value")?;
        let version = Version {
            timestamp_ms: cell.timestamp_ms.ok_or("a cell has no version")?,
            value: value.to_owned(),
        };
        match columns.last_mut() {
            Some((column, more)) if *column.name == *cell.name => more.push(version),
            _ => {
                let column = StoredColumn {
                    name: table.names.get(cell.name),
                    versions: Versions::One(version),
                };
                columns.push((column, Vec::new()));
            }
        }
    }
    let columns = columns.into_iter().map(|(mut column, more)| {
        if !more.is_empty() {
            let newest = column.versions.iter().cloned();
            column.versions = newest.chain(more).collect::<Vec<_>>().into();
        }
        column
    });
    let row = StoredRow {
        key: key.collect(),
        columns: columns.collect(),
    };
    table.rows.insert(Arc::clone(&row.key), Arc::new(row));
    Ok(())
}
