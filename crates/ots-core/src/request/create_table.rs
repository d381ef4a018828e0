//! CreateTable: keys, options and indexes of a new table.

use ots_proto::messages::{self, DefinedColumnType, PrimaryKeyType};
use ots_proto::plainbuffer::VariantRef;
use ots_proto::{PrimaryKeyValue, PrimaryKeyValueRef, operation};

use super::Request;
use super::secondary_index::SecondaryIndex;
use super::table_options::{Encryption, ReservedThroughput, Stream, TableOptions};
use crate::call::Reply;
use crate::error::Error;

/// Creates a table.
///
/// It takes a few seconds until a new table takes rows; the service answers `OTSTableNotReady` until
/// then, which the client repeats.
///
/// Limits: 1 to 4 key columns; at most 32 defined columns and 5 secondary indexes; 64 tables in an
/// instance, index tables included.
///
/// # Errors
/// `OTSObjectAlreadyExist` when there is a table of that name, `OTSQuotaExhausted` beyond the number
/// of tables, `OTSParameterInvalid` for a schema or options that can't be.
///
/// # Cost
/// None by itself; [reserved](Self::reserved) capacity is paid for by the hour.
///
/// Source: the service's documentation of CreateTable.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::request::{CreateTable, PrimaryKeyType, TableOptions};
///
/// let table = CreateTable::new("orders")
///     .primary_key("shop", PrimaryKeyType::String)
///     .auto_increment_key("number")
///     .options(TableOptions::new().max_versions(1).keep_forever());
/// client.send(table).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct CreateTable {
    table: String,
    primary_key: Vec<messages::PrimaryKeySchema>,
    defined_columns: Vec<messages::DefinedColumnSchema>,
    reserved: ReservedThroughput,
    options: TableOptions,
    split_points: Vec<PrimaryKeyValue>,
    stream: Option<Stream>,
    encryption: Option<Encryption>,
    indexes: Vec<SecondaryIndex>,
    local_transactions: bool,
}

impl CreateTable {
    /// A table without key columns yet: values never expire, one version of each is kept, no capacity
    /// is reserved.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            primary_key: Vec::new(),
            defined_columns: Vec::new(),
            reserved: ReservedThroughput {
                read: Some(0),
                write: Some(0),
            },
            options: TableOptions::new().keep_forever().max_versions(1),
            split_points: Vec::new(),
            stream: None,
            encryption: None,
            indexes: Vec::new(),
            local_transactions: false,
        }
    }

    /// Adds a key column. Their order is the order of the table's rows; the first is the partition
    /// key.
    pub fn primary_key(self, name: impl Into<String>, kind: PrimaryKeyType) -> Self {
        self.key_column(name.into(), kind, None)
    }

    /// Adds an integer key column whose values the service picks. It can't be the first.
    pub fn auto_increment_key(self, name: impl Into<String>) -> Self {
        let option = messages::PrimaryKeyOption::AutoIncrement;
        self.key_column(name.into(), PrimaryKeyType::Integer, Some(option))
    }

    fn key_column(
        mut self,
        name: String,
        kind: PrimaryKeyType,
        option: Option<messages::PrimaryKeyOption>,
    ) -> Self {
        self.primary_key.push(messages::PrimaryKeySchema {
            name,
            r#type: kind.into(),
            option: option.map(Into::into),
        });
        self
    }

    /// Declares an attribute column, for secondary indexes to use.
    pub fn defined_column(mut self, name: impl Into<String>, kind: DefinedColumnType) -> Self {
        self.defined_columns.push(messages::DefinedColumnSchema {
            name: name.into(),
            r#type: kind.into(),
        });
        self
    }

    /// The options, in place of those given before. The service needs a time to live and a number of
    /// versions: where they are absent, values never expire and one version is kept.
    pub fn options(mut self, options: TableOptions) -> Self {
        self.options = options;
        self
    }

    /// How many versions of each column to keep; 1 when never called.
    pub const fn max_versions(mut self, versions: u32) -> Self {
        self.options.max_versions = Some(versions);
        self
    }

    /// How long values are kept: for ever when never called.
    pub fn expire_after(mut self, time: std::time::Duration) -> Self {
        self.options = self.options.expire_after(time);
        self
    }

    /// Capacity units reserved for the table; none when never called.
    pub const fn reserved(mut self, read: u32, write: u32) -> Self {
        self.reserved = ReservedThroughput {
            read: Some(read),
            write: Some(write),
        };
        self
    }

    /// Begins with more than one partition: one more than there are points, at most 10. Each point is a
    /// value of the first key column, in rising order.
    pub fn split_points<V: Into<PrimaryKeyValue>>(
        mut self,
        points: impl IntoIterator<Item = V>,
    ) -> Self {
        self.split_points = points.into_iter().map(Into::into).collect();
        self
    }

    /// Whether to record changes.
    pub fn stream(mut self, stream: Stream) -> Self {
        self.stream = Some(stream);
        self
    }

    /// Encrypts what is stored. It can't be changed later.
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = Some(encryption);
        self
    }

    /// Adds a secondary index.
    pub fn index(mut self, index: SecondaryIndex) -> Self {
        self.indexes.push(index);
        self
    }

    /// Allows local transactions.
    pub const fn local_transactions(mut self) -> Self {
        self.local_transactions = true;
        self
    }
}

impl Request for CreateTable {
    type Operation = operation::CreateTable;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::CreateTableRequest, Error> {
        let (operation, table) = ("CreateTable", &self.table);
        let mut options = self.options.to_message(operation, table)?;
        options.time_to_live.get_or_insert(-1);
        options.max_versions.get_or_insert(1);
        let stream_spec = self
            .stream
            .map(|stream| stream.into_message(operation, table))
            .transpose()?;
        let indexes = self.indexes.into_iter();
        Ok(messages::CreateTableRequest {
            reserved_throughput: self.reserved.to_message(operation, table)?,
            partitions: partitions(table, &self.split_points)?,
            table_meta: messages::TableMeta {
                table_name: self.table,
                primary_key: self.primary_key,
                defined_column: self.defined_columns,
                ..messages::TableMeta::default()
            },
            table_options: Some(options),
            stream_spec,
            sse_spec: self.encryption.map(Encryption::into_message),
            index_metas: indexes.map(SecondaryIndex::into_message).collect(),
            enable_local_txn: self.local_transactions.then_some(true),
        })
    }

    fn read(_: Reply<messages::CreateTableResponse>) -> Result<(), Error> {
        Ok(())
    }
}

/// The ranges between split points: each end is the next one's begin.
fn partitions(
    table: &str,
    points: &[PrimaryKeyValue],
) -> Result<Vec<messages::PartitionRange>, Error> {
    if points.is_empty() {
        return Ok(Vec::new());
    }
    if !points.is_sorted_by(|left, right| left < right) {
        return Err(Error::request(format!(
            "CreateTable on table {table:?}: split points must rise"
        )));
    }
    let ends = points.iter().map(PrimaryKeyValue::as_ref).map(variant);
    let begins = std::iter::once(VariantRef::InfMin).chain(ends.clone());
    let ends = ends.chain([VariantRef::InfMax]);
    let range = |(begin, end): (VariantRef<'_>, VariantRef<'_>)| messages::PartitionRange {
        begin: begin.encode(),
        end: end.encode(),
    };
    Ok(begins.zip(ends).map(range).collect())
}

const fn variant(value: PrimaryKeyValueRef<'_>) -> VariantRef<'_> {
    match value {
        PrimaryKeyValueRef::Integer(value) => VariantRef::Integer(value),
        PrimaryKeyValueRef::String(text) => VariantRef::String(text),
        PrimaryKeyValueRef::Binary(bytes) => VariantRef::Binary(bytes),
        PrimaryKeyValueRef::InfMin => VariantRef::InfMin,
        PrimaryKeyValueRef::InfMax => VariantRef::InfMax,
        PrimaryKeyValueRef::AutoIncrement => VariantRef::AutoIncrement,
    }
}
