//! UpdateTable, ListTable, DeleteTable: what happens to tables that exist.

use ots_proto::{messages, operation};

use super::Request;
use super::describe_table::Throughput;
use super::table_options::{ReservedThroughput, Stream, TableOptions};
use crate::call::Reply;
use crate::error::Error;

/// Changes the options of a table; what isn't named stays as it is.
///
/// # Errors
/// `OTSObjectNotExist` without the table, `OTSTooFrequentReservedThroughputAdjustment` when throughput
/// was changed less than two minutes ago, `OTSParameterInvalid` for options that can't be changed.
///
/// Source: the service's documentation of UpdateTable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct UpdateTable {
    table: String,
    options: Option<TableOptions>,
    reserved: Option<ReservedThroughput>,
    stream: Option<Stream>,
}

impl UpdateTable {
    /// The table called `table`, without a change yet. The service refuses an update of nothing.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            options: None,
            reserved: None,
            stream: None,
        }
    }

    /// Changes the options that are present.
    pub fn options(mut self, options: TableOptions) -> Self {
        self.options = Some(options);
        self
    }

    /// Changes what is reserved.
    pub const fn reserved(mut self, reserved: ReservedThroughput) -> Self {
        self.reserved = Some(reserved);
        self
    }

    /// Records changes from now on, or no longer.
    pub fn stream(mut self, stream: Stream) -> Self {
        self.stream = Some(stream);
        self
    }
}

impl Request for UpdateTable {
    type Operation = operation::UpdateTable;
    type Output = UpdateTableReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::UpdateTableRequest, Error> {
        let (operation, table) = ("UpdateTable", &self.table);
        Ok(messages::UpdateTableRequest {
            reserved_throughput: self
                .reserved
                .map(|reserved| reserved.to_message(operation, table))
                .transpose()?,
            table_options: self
                .options
                .map(|options| options.to_message(operation, table))
                .transpose()?,
            stream_spec: self
                .stream
                .map(|stream| stream.into_message(operation, table))
                .transpose()?,
            table_name: self.table,
        })
    }

    fn read(reply: Reply<messages::UpdateTableResponse>) -> Result<UpdateTableReply, Error> {
        let response = reply.into_inner();
        Ok(UpdateTableReply {
            throughput: Throughput::from_message(&response.reserved_throughput_details),
            options: TableOptions::from_message(&response.table_options),
        })
    }
}

/// A table after an update.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdateTableReply {
    /// All its options.
    pub options: TableOptions,
    /// What is reserved.
    pub throughput: Throughput,
}

/// Names the tables of the instance, those of secondary indexes among them.
///
/// Source: the service's documentation of ListTable.
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
        Ok(reply.into_inner().table_names)
    }
}

/// Deletes a table with everything in it, secondary indexes included. Its search indexes must be
/// deleted first.
///
/// # Errors
/// `OTSObjectNotExist` without the table. As a write it isn't repeated when its answer is lost: asked
/// again by the caller, it may find nothing to delete.
///
/// Source: the service's documentation of DeleteTable.
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
