//! AddDefinedColumn, DeleteDefinedColumn, CreateIndex, DropIndex: secondary indexes, and the columns
//! they are made of.

use ots_proto::messages::{self, DefinedColumnType, IndexType};
use ots_proto::operation;

use super::Request;
use crate::call::Reply;
use crate::error::Error;

/// A secondary index: a table of its own, kept by the service, with other key columns first.
///
/// It is read by [`GetRow`](super::GetRow) and [`GetRange`](super::GetRange) under its name. Its key is
/// the columns named here and then those of the table's key that are missing. Rows without one of its
/// key columns aren't in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SecondaryIndex {
    name: String,
    primary_key: Vec<String>,
    columns: Vec<String>,
    kind: IndexType,
}

impl SecondaryIndex {
    /// An index over the whole table, written a moment after the table itself.
    pub fn global<N: Into<String>>(
        name: impl Into<String>,
        primary_key: impl IntoIterator<Item = N>,
    ) -> Self {
        Self::new(name.into(), primary_key, IndexType::GlobalIndex)
    }

    /// An index inside each partition key, written together with the table. Its first key column must
    /// be the table's.
    pub fn local<N: Into<String>>(
        name: impl Into<String>,
        primary_key: impl IntoIterator<Item = N>,
    ) -> Self {
        Self::new(name.into(), primary_key, IndexType::LocalIndex)
    }

    fn new<N: Into<String>>(
        name: String,
        primary_key: impl IntoIterator<Item = N>,
        kind: IndexType,
    ) -> Self {
        Self {
            name,
            primary_key: primary_key.into_iter().map(Into::into).collect(),
            columns: Vec::new(),
            kind,
        }
    }

    /// Defined columns that the index holds besides its key.
    pub fn columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.columns.extend(names.into_iter().map(Into::into));
        self
    }

    pub(super) fn into_message(self) -> messages::IndexMeta {
        // The two always agree: a global index follows the table, a local one is part of its writes.
        let update_mode = match self.kind {
            IndexType::GlobalIndex => messages::IndexUpdateMode::AsyncIndex,
            IndexType::LocalIndex => messages::IndexUpdateMode::SyncIndex,
        };
        messages::IndexMeta {
            name: self.name,
            primary_key: self.primary_key,
            defined_column: self.columns,
            index_update_mode: update_mode.into(),
            index_type: self.kind.into(),
            index_sync_phase: None,
        }
    }
}

/// A secondary index as the service describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecondaryIndexDescription {
    /// Its name.
    pub name: String,
    /// Its key columns, in order.
    pub primary_key: Vec<String>,
    /// The columns it holds besides its key.
    pub columns: Vec<String>,
    /// Whether it is inside each partition key.
    pub is_local: bool,
    /// Whether the rows that were there before it are still being indexed; until then it can't be read.
    pub is_building: bool,
}

impl SecondaryIndexDescription {
    pub(super) fn from_message(meta: messages::IndexMeta) -> Self {
        let is_building = meta.index_sync_phase() == messages::IndexSyncPhase::Full;
        Self {
            is_local: meta.index_type() == IndexType::LocalIndex,
            is_building,
            name: meta.name,
            primary_key: meta.primary_key,
            columns: meta.defined_column,
        }
    }
}

/// Declares attribute columns, for secondary indexes to use. It doesn't limit what may be written.
///
/// # Errors
/// `OTSParameterInvalid` beyond 32 defined columns.
///
/// Source: the service's documentation of AddDefinedColumn.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct AddDefinedColumn {
    table: String,
    columns: Vec<messages::DefinedColumnSchema>,
}

impl AddDefinedColumn {
    /// No columns yet.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            columns: Vec::new(),
        }
    }

    /// Adds a column.
    pub fn column(mut self, name: impl Into<String>, kind: DefinedColumnType) -> Self {
        self.columns.push(messages::DefinedColumnSchema {
            name: name.into(),
            r#type: kind.into(),
        });
        self
    }
}

impl Request for AddDefinedColumn {
    type Operation = operation::AddDefinedColumn;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::AddDefinedColumnRequest, Error> {
        Ok(messages::AddDefinedColumnRequest {
            table_name: self.table,
            columns: self.columns,
        })
    }

    fn read(_: Reply<messages::AddDefinedColumnResponse>) -> Result<(), Error> {
        Ok(())
    }
}

/// Takes back the declaration of columns. Their values stay in the rows.
///
/// # Errors
/// `OTSParameterInvalid` for a column that an index uses.
///
/// Source: the service's documentation of DeleteDefinedColumn.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DeleteDefinedColumn {
    table: String,
    columns: Vec<String>,
}

impl DeleteDefinedColumn {
    /// These columns of `table`.
    pub fn new<N: Into<String>>(
        table: impl Into<String>,
        columns: impl IntoIterator<Item = N>,
    ) -> Self {
        Self {
            table: table.into(),
            columns: columns.into_iter().map(Into::into).collect(),
        }
    }
}

impl Request for DeleteDefinedColumn {
    type Operation = operation::DeleteDefinedColumn;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::DeleteDefinedColumnRequest, Error> {
        Ok(messages::DeleteDefinedColumnRequest {
            table_name: self.table,
            columns: self.columns,
        })
    }

    fn read(_: Reply<messages::DeleteDefinedColumnResponse>) -> Result<(), Error> {
        Ok(())
    }
}

/// Creates a secondary index of a table.
///
/// # Errors
/// `OTSObjectAlreadyExist` when there is a table or index of that name, `OTSParameterInvalid` for
/// columns that aren't declared or a sixth index.
///
/// # Cost
/// Every write of the table writes the index as well; its rows are stored again.
///
/// Source: the service's documentation of CreateIndex.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::request::{CreateIndex, SecondaryIndex};
///
/// let index = SecondaryIndex::global("orders_by_city", ["city"]).columns(["price"]);
/// client.send(CreateIndex::new("orders", index).include_existing_rows()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CreateIndex {
    table: String,
    index: SecondaryIndex,
    include_existing: bool,
}

impl CreateIndex {
    /// This index of `table`, over rows that are written from now on.
    pub fn new(table: impl Into<String>, index: SecondaryIndex) -> Self {
        Self {
            table: table.into(),
            index,
            include_existing: false,
        }
    }

    /// Also over the rows that are there. The index can't be read until they are all in it.
    pub const fn include_existing_rows(mut self) -> Self {
        self.include_existing = true;
        self
    }
}

impl Request for CreateIndex {
    type Operation = operation::CreateIndex;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::CreateIndexRequest, Error> {
        Ok(messages::CreateIndexRequest {
            main_table_name: self.table,
            index_meta: self.index.into_message(),
            include_base_data: Some(self.include_existing),
        })
    }

    fn read(_: Reply<messages::CreateIndexResponse>) -> Result<(), Error> {
        Ok(())
    }
}

/// Deletes a secondary index.
///
/// # Errors
/// `OTSObjectNotExist` without the index.
///
/// Source: the service's documentation of DropIndex.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DropIndex {
    table: String,
    index: String,
}

impl DropIndex {
    /// The index called `index` of `table`.
    pub fn new(table: impl Into<String>, index: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
        }
    }
}

impl Request for DropIndex {
    type Operation = operation::DropIndex;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::DropIndexRequest, Error> {
        Ok(messages::DropIndexRequest {
            main_table_name: self.table,
            index_name: self.index,
        })
    }

    fn read(_: Reply<messages::DropIndexResponse>) -> Result<(), Error> {
        Ok(())
    }
}
