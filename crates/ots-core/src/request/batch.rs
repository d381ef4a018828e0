//! BatchGetRow and BatchWriteRow: many rows in one request, each with a result of its own.

use http::StatusCode;
use ots_proto::plainbuffer::{Accept, write_change, write_primary_key};
use ots_proto::{PrimaryKey, Row, RowChange, messages, operation};

use super::row::{Condition, ReturnContent, WriteReply, max_versions, optional_row};
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::{Error, ErrorCode};

/// The result of one row of a batch: HTTP 200 says nothing about it.
pub type RowResult<T> = Result<T, Error>;

/// Rows of one table to read.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct TableRead {
    table: String,
    keys: Vec<PrimaryKey>,
    columns: Vec<String>,
    max_versions: Option<u32>,
}

impl TableRead {
    /// The newest versions of every column of these rows.
    pub fn new(table: impl Into<String>, keys: impl IntoIterator<Item = PrimaryKey>) -> Self {
        Self {
            table: table.into(),
            keys: keys.into_iter().collect(),
            columns: Vec::new(),
            max_versions: None,
        }
    }

    /// The attribute columns to return; all when never called.
    pub fn columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.columns = names.into_iter().map(Into::into).collect();
        self
    }

    /// How many versions of each column to return; 1 when never called.
    pub const fn max_versions(mut self, versions: u32) -> Self {
        self.max_versions = Some(versions);
        self
    }
}

/// Reads up to 100 rows.
///
/// The answer has one result for each key, in order, table by table.
///
/// Source: the service's documentation of BatchGetRow.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct BatchGetRow {
    tables: Vec<TableRead>,
}

impl BatchGetRow {
    /// A batch without rows, to be filled by [`table`](Self::table).
    pub const fn new() -> Self {
        Self { tables: Vec::new() }
    }

    /// Adds rows of a table.
    pub fn table(mut self, read: TableRead) -> Self {
        self.tables.push(read);
        self
    }
}

impl Request for BatchGetRow {
    type Operation = operation::BatchGetRow;
    type Output = Vec<Vec<RowResult<Option<Row>>>>;

    fn into_message(self) -> Result<messages::BatchGetRowRequest, Error> {
        let tables = self.tables.into_iter().map(|read| {
            Ok(messages::TableInBatchGetRowRequest {
                max_versions: max_versions(&read.table, read.max_versions, None)?,
                table_name: read.table,
                primary_key: read.keys.iter().map(write_primary_key).collect(),
                columns_to_get: read.columns,
                ..messages::TableInBatchGetRowRequest::default()
            })
        });
        Ok(messages::BatchGetRowRequest {
            tables: tables.collect::<Result<_, Error>>()?,
        })
    }

    fn read(reply: Reply<messages::BatchGetRowResponse>) -> Result<Self::Output, Error> {
        let request_id = reply.request_id;
        let tables = reply.response.tables.into_iter().map(|table| {
            let rows = table.rows.into_iter().map(|row| {
                row_result(row.is_ok, row.error, &request_id)?;
                optional_row(row.row, Accept::Rows)
            });
            rows.collect()
        });
        Ok(tables.collect())
    }
}

/// Changes of rows of one table.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct TableWrites {
    table: String,
    changes: Vec<(RowChange, Condition, ReturnContent)>,
}

impl TableWrites {
    /// No changes yet.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            changes: Vec::new(),
        }
    }

    /// Adds a change without a condition.
    pub fn change(self, change: RowChange) -> Self {
        self.change_if(change, Condition::default(), ReturnContent::default())
    }

    /// Adds a change with a condition.
    pub fn change_if(
        mut self,
        change: RowChange,
        condition: Condition,
        return_content: ReturnContent,
    ) -> Self {
        self.changes.push((change, condition, return_content));
        self
    }

    /// Adds changes without conditions.
    pub fn changes(mut self, changes: impl IntoIterator<Item = RowChange>) -> Self {
        let plain = |change| (change, Condition::default(), ReturnContent::default());
        self.changes.extend(changes.into_iter().map(plain));
        self
    }
}

/// Changes up to 200 rows, of up to 4 MB together.
///
/// The answer has one result for each change, in order, table by table. A failed row doesn't undo the
/// others, unless the batch is atomic.
///
/// Source: the service's documentation of BatchWriteRow.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct BatchWriteRow {
    tables: Vec<TableWrites>,
    is_atomic: bool,
}

impl BatchWriteRow {
    /// A batch without changes, to be filled by [`table`](Self::table).
    pub const fn new() -> Self {
        Self {
            tables: Vec::new(),
            is_atomic: false,
        }
    }

    /// Adds changes of a table. Each table may be added once.
    pub fn table(mut self, writes: TableWrites) -> Self {
        self.tables.push(writes);
        self
    }

    /// All or nothing: every row must have the same first key column.
    pub const fn atomic(mut self) -> Self {
        self.is_atomic = true;
        self
    }
}

impl Request for BatchWriteRow {
    type Operation = operation::BatchWriteRow;
    type Output = Vec<Vec<RowResult<WriteReply>>>;

    fn into_message(self) -> Result<messages::BatchWriteRowRequest, Error> {
        let tables = self.tables.into_iter().map(|writes| {
            let rows = writes
                .changes
                .into_iter()
                .map(|(change, condition, return_content)| {
                    let kind = match change {
                        RowChange::Put(_) => messages::OperationType::Put,
                        RowChange::Update(_) => messages::OperationType::Update,
                        RowChange::Delete(_) => messages::OperationType::Delete,
                    };
                    messages::RowInBatchWriteRowRequest {
                        r#type: kind.into(),
                        row_change: write_change(&change),
                        condition: condition.into_message(),
                        return_content: return_content.into_message(),
                    }
                });
            let rows = rows.collect();
            messages::TableInBatchWriteRowRequest {
                table_name: writes.table,
                rows,
            }
        });
        Ok(messages::BatchWriteRowRequest {
            tables: tables.collect(),
            transaction_id: None,
            is_atomic: self.is_atomic.then_some(true),
        })
    }

    fn read(reply: Reply<messages::BatchWriteRowResponse>) -> Result<Self::Output, Error> {
        let request_id = reply.request_id;
        let tables = reply.response.tables.into_iter().map(|table| {
            let rows = table.rows.into_iter().map(|row| {
                row_result(row.is_ok, row.error, &request_id)?;
                let consumed = Consumed::from_message(row.consumed.as_ref());
                Ok(WriteReply {
                    row: optional_row(row.row, Accept::PartialRows)?,
                    consumed,
                })
            });
            rows.collect()
        });
        Ok(tables.collect())
    }
}

fn row_result(is_ok: bool, error: Option<messages::Error>, request_id: &str) -> Result<(), Error> {
    if is_ok {
        return Ok(());
    }
    let (code, message) = error.map_or_else(
        || (ErrorCode::Other("unknown error".to_owned()), String::new()),
        |error| {
            (
                ErrorCode::from(error.code.as_str()),
                error.message.unwrap_or_default(),
            )
        },
    );
    Err(Error::service(code, StatusCode::OK, message, request_id))
}
