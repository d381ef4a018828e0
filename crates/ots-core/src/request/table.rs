//! CreateTable, ListTable, DescribeTable, DeleteTable.

use ots_proto::messages::{self, PrimaryKeyType};
use ots_proto::operation;

use super::Request;
use crate::call::Reply;
use crate::error::Error;

/// Creates a table.
///
/// Source: the service's documentation of CreateTable.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct CreateTable {
    message: messages::CreateTableRequest,
}

impl CreateTable {
    /// A table without key columns yet: values never expire, one version of each is kept, no capacity
    /// is reserved.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            message: messages::CreateTableRequest {
                table_meta: messages::TableMeta {
                    table_name: table.into(),
                    ..messages::TableMeta::default()
                },
                reserved_throughput: messages::ReservedThroughput {
                    capacity_unit: messages::CapacityUnit {
                        read: Some(0),
                        write: Some(0),
                    },
                },
                table_options: Some(messages::TableOptions {
                    time_to_live: Some(-1),
                    max_versions: Some(1),
                    ..messages::TableOptions::default()
                }),
                ..messages::CreateTableRequest::default()
            },
        }
    }

    /// Adds a key column. Their order is the order of the table's rows; the first is the partition
    /// key.
    pub fn primary_key(mut self, name: impl Into<String>, kind: PrimaryKeyType) -> Self {
        self.message
            .table_meta
            .primary_key
            .push(messages::PrimaryKeySchema {
                name: name.into(),
                r#type: kind.into(),
                option: None,
            });
        self
    }

    /// Adds an integer key column whose values the service picks. It can't be the first.
    pub fn auto_increment_key(mut self, name: impl Into<String>) -> Self {
        self.message
            .table_meta
            .primary_key
            .push(messages::PrimaryKeySchema {
                name: name.into(),
                r#type: PrimaryKeyType::Integer.into(),
                option: Some(messages::PrimaryKeyOption::AutoIncrement.into()),
            });
        self
    }

    /// How many versions of each column to keep; 1 when never called.
    pub fn max_versions(mut self, versions: i32) -> Self {
        self.options().max_versions = Some(versions);
        self
    }

    /// After how many seconds values expire; never when never called.
    pub fn time_to_live_seconds(mut self, seconds: i32) -> Self {
        self.options().time_to_live = Some(seconds);
        self
    }

    fn options(&mut self) -> &mut messages::TableOptions {
        self.message.table_options.get_or_insert_default()
    }
}

impl Request for CreateTable {
    type Operation = operation::CreateTable;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.message.table_meta.table_name)
    }

    fn into_message(self) -> Result<messages::CreateTableRequest, Error> {
        Ok(self.message)
    }

    fn read(_: Reply<messages::CreateTableResponse>) -> Result<(), Error> {
        Ok(())
    }
}

/// Names the tables of the instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct ListTable;

impl ListTable {
    /// Every table.
    pub const fn new() -> Self {
        Self
    }
}

impl Request for ListTable {
    type Operation = operation::ListTable;
    type Output = Vec<String>;

    fn into_message(self) -> Result<messages::ListTableRequest, Error> {
        Ok(messages::ListTableRequest {})
    }

    fn read(reply: Reply<messages::ListTableResponse>) -> Result<Vec<String>, Error> {
        Ok(reply.response.table_names)
    }
}

/// Describes a table.
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

/// A table: its key, its options.
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
    pub options: messages::TableOptions,
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
        let meta = reply.response.table_meta;
        Ok(TableDescription {
            name: meta.table_name,
            primary_key: meta.primary_key,
            defined_columns: meta.defined_column,
            options: reply.response.table_options,
        })
    }
}

/// Deletes a table with everything in it. Its search indexes must be deleted first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DeleteTable {
    table: String,
}

impl DeleteTable {
    /// The table called `table`.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
        }
    }
}

impl Request for DeleteTable {
    type Operation = operation::DeleteTable;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::DeleteTableRequest, Error> {
        Ok(messages::DeleteTableRequest {
            table_name: self.table,
        })
    }

    fn read(_: Reply<messages::DeleteTableResponse>) -> Result<(), Error> {
        Ok(())
    }
}
