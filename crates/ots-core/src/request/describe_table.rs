//! DescribeTable: what a table is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ots_proto::messages::{self, TableStatus};
use ots_proto::plainbuffer::read_primary_key;
use ots_proto::{PrimaryKey, operation};

use super::Request;
use super::number::received;
use super::secondary_index::SecondaryIndexDescription;
use super::table_options::{Encryption, ReservedThroughput, TableOptions};
use crate::call::Reply;
use crate::error::Error;

/// Describes a table.
///
/// # Errors
/// `OTSObjectNotExist` without the table.
///
/// Source: the service's documentation of DescribeTable.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::request::DescribeTable;
///
/// let table = client.send(DescribeTable::new("orders")).await?;
/// for column in &table.primary_key {
///     println!("{} {:?}", column.name, column.r#type());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DescribeTable {
    table: String,
}

impl DescribeTable {
    /// The table called `table`.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
        }
    }
}

/// A table: its key, its options, its indexes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TableDescription {
    /// Its name.
    pub name: String,
    /// The key columns, in order.
    pub primary_key: Vec<messages::PrimaryKeySchema>,
    /// The attribute columns declared for secondary indexes.
    pub defined_columns: Vec<messages::DefinedColumnSchema>,
    /// Time to live, versions and the like.
    pub options: TableOptions,
    /// What is reserved.
    pub throughput: Throughput,
    /// Whether it takes requests, where the service says so.
    pub status: Option<TableStatus>,
    /// The record of its changes, if it keeps one.
    pub stream: Option<StreamDescription>,
    /// The keys at which it was split when it was created.
    pub split_points: Vec<PrimaryKey>,
    /// How it is encrypted, if it is.
    pub encryption: Option<Encryption>,
    /// Its secondary indexes.
    pub indexes: Vec<SecondaryIndexDescription>,
    /// When it was created, where the service says so.
    pub created: Option<SystemTime>,
}

/// What a table reserves, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Throughput {
    /// Capacity units reserved.
    pub reserved: ReservedThroughput,
    /// When they were last raised, or the table was created.
    pub last_increase: SystemTime,
    /// When they were last lowered, if ever.
    pub last_decrease: Option<SystemTime>,
}

impl Throughput {
    pub(super) fn from_message(details: &messages::ReservedThroughputDetails) -> Self {
        Self {
            reserved: ReservedThroughput::from_message(&details.capacity_unit),
            last_increase: since_epoch(details.last_increase_time, Duration::from_secs)
                .unwrap_or(UNIX_EPOCH),
            last_decrease: details
                .last_decrease_time
                .filter(|time| *time > 0)
                .and_then(|time| since_epoch(time, Duration::from_secs)),
        }
    }
}

/// The record that a table keeps of its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamDescription {
    /// Its id.
    pub id: String,
    /// How long changes are kept.
    pub retention: Duration,
    /// Columns whose earlier values are recorded too.
    pub original_columns: Vec<String>,
}

impl StreamDescription {
    fn from_message(details: messages::StreamDetails) -> Option<Self> {
        let hours = received(details.expiration_time.map(i64::from)).unwrap_or(0);
        details.enable_stream.then(|| Self {
            id: details.stream_id.unwrap_or_default(),
            retention: Duration::from_secs(hours.saturating_mul(3600)),
            original_columns: details.column_to_get,
        })
    }
}

impl Request for DescribeTable {
    type Operation = operation::DescribeTable;
    type Output = TableDescription;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::DescribeTableRequest, Error> {
        Ok(messages::DescribeTableRequest {
            table_name: self.table,
        })
    }

    fn read(reply: Reply<messages::DescribeTableResponse>) -> Result<TableDescription, Error> {
        let response = reply.into_inner();
        let status = response
            .table_status
            .and_then(|status| status.try_into().ok());
        let points = response.shard_splits.iter();
        let points = points.map(|key| read_primary_key(key).map_err(Error::body));
        let meta = response.table_meta;
        let indexes = response.index_metas.into_iter();
        Ok(TableDescription {
            name: meta.table_name,
            primary_key: meta.primary_key,
            defined_columns: meta.defined_column,
            options: TableOptions::from_message(&response.table_options),
            throughput: Throughput::from_message(&response.reserved_throughput_details),
            status,
            stream: response
                .stream_details
                .and_then(StreamDescription::from_message),
            split_points: points.collect::<Result<_, _>>()?,
            encryption: response.sse_details.and_then(Encryption::from_message),
            indexes: indexes
                .map(SecondaryIndexDescription::from_message)
                .collect(),
            created: response
                .creation_time
                .and_then(|time| since_epoch(time, Duration::from_micros)),
        })
    }
}

/// A moment after 1970 in a unit; nothing when it can't be a date.
fn since_epoch(time: i64, unit: impl FnOnce(u64) -> Duration) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(unit(u64::try_from(time).ok()?))
}
