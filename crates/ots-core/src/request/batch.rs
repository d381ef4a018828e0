//! BatchGetRow and BatchWriteRow: many rows in one request, each with a result of its own.

use http::StatusCode;
use ots_proto::plainbuffer::{Accept, write_change, write_primary_key};
use ots_proto::{PrimaryKey, Row, RowChange, messages, operation};

use super::row::{Condition, ReturnContent, WriteReply, max_versions, optional_row};
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::{Error, ErrorCode, ResponseProblem};

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

    fn table(&self) -> Option<&str> {
        only(&self.tables).map(|read| read.table.as_str())
    }

    fn into_message(self) -> Result<messages::BatchGetRowRequest, Error> {
        let tables = self.tables.into_iter().map(|read| {
            Ok(messages::TableInBatchGetRowRequest {
                max_versions: max_versions("BatchGetRow", &read.table, read.max_versions, None)?,
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
                // A token asks to read on, which a batch can't: a part must not pass for the row.
                if row.next_token.is_some_and(|token| !token.is_empty()) {
                    let cut = Error::response(ResponseProblem::RowCut);
                    return Err(cut.with_request_id(request_id.clone()));
                }
                optional_row(row.row, Accept::Rows)
            });
            rows.collect()
        });
        Ok(tables.collect())
    }

    fn reader(
        &self,
    ) -> impl FnOnce(Reply<messages::BatchGetRowResponse>) -> Result<Self::Output, Error> + Send + use<>
    {
        let tables = self.tables.iter();
        let asked: Asked = tables
            .map(|read| (read.table.clone(), read.keys.len()))
            .collect();
        move |reply| {
            let tables = reply.response.tables.iter();
            asked.check(tables.map(|table| (table.table_name.as_str(), table.rows.len())))?;
            Self::read(reply)
        }
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
    transaction_id: Option<String>,
}

impl BatchWriteRow {
    /// A batch without changes, to be filled by [`table`](Self::table).
    pub const fn new() -> Self {
        Self {
            tables: Vec::new(),
            is_atomic: false,
            transaction_id: None,
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

    /// Writes inside a local transaction.
    pub fn transaction(mut self, id: impl Into<String>) -> Self {
        self.transaction_id = Some(id.into());
        self
    }
}

impl Request for BatchWriteRow {
    type Operation = operation::BatchWriteRow;
    type Output = Vec<Vec<RowResult<WriteReply>>>;

    fn table(&self) -> Option<&str> {
        only(&self.tables).map(|writes| writes.table.as_str())
    }

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
            transaction_id: self.transaction_id,
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

    fn reader(
        &self,
    ) -> impl FnOnce(Reply<messages::BatchWriteRowResponse>) -> Result<Self::Output, Error> + Send + use<>
    {
        let tables = self.tables.iter();
        let asked: Asked = tables
            .map(|writes| (writes.table.clone(), writes.changes.len()))
            .collect();
        move |reply| {
            let tables = reply.response.tables.iter();
            asked.check(tables.map(|table| (table.table_name.as_str(), table.rows.len())))?;
            Self::read(reply)
        }
    }
}

/// The tables of a batch, each with the number of rows asked for.
struct Asked(Vec<(String, usize)>);

impl FromIterator<(String, usize)> for Asked {
    fn from_iter<I: IntoIterator<Item = (String, usize)>>(tables: I) -> Self {
        Self(tables.into_iter().collect())
    }
}

impl Asked {
    /// Whether an answer has a result for every row. Results carry no key: only their place says
    /// which row they belong to, so a missing one would shift all that follow.
    fn check<'a>(
        &self,
        answered: impl ExactSizeIterator<Item = (&'a str, usize)>,
    ) -> Result<(), Error> {
        let Self(asked) = self;
        if answered.len() != asked.len() {
            return Err(Error::body(format!(
                "results for {} tables, but {} were asked for",
                answered.len(),
                asked.len()
            )));
        }
        for ((table, rows), (answered_table, answered_rows)) in asked.iter().zip(answered) {
            if (table.as_str(), *rows) != (answered_table, answered_rows) {
                return Err(Error::body(format!(
                    "{answered_rows} results for table {answered_table:?}, in place of {rows} for \
                     table {table:?}"
                )));
            }
        }
        Ok(())
    }
}

/// The element, if there is only one.
fn only<T>(all: &[T]) -> Option<&T> {
    match all {
        [one] => Some(one),
        _ => None,
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
