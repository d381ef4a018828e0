//! BatchWriteRow: many changes in one request.

use ots_proto::plainbuffer::{Accept, change_bytes, write_changes};
use ots_proto::{RowChange, messages, operation};

use super::resend::Rows;
use super::results::{Asked, BatchRequest, RowResult, only, results_of, row_result, sealed};
use crate::call::Reply;
use crate::error::Error;
use crate::request::get_row::optional_row;
use crate::request::write_row::{RowWrite, WriteReply};
use crate::request::{Consumed, Request};

/// Changes of rows of one table.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct TableWrites {
    table: String,
    writes: Vec<RowWrite>,
}

impl TableWrites {
    /// No changes yet.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            writes: Vec::new(),
        }
    }

    /// Adds a change, with a condition if it is a [`RowWrite`].
    pub fn change(mut self, write: impl Into<RowWrite>) -> Self {
        self.writes.push(write.into());
        self
    }

    /// Adds changes.
    pub fn changes<W: Into<RowWrite>>(mut self, writes: impl IntoIterator<Item = W>) -> Self {
        self.writes.extend(writes.into_iter().map(Into::into));
        self
    }

    /// Adds rows to put.
    pub fn puts(self, rows: impl IntoIterator<Item = ots_proto::Row>) -> Self {
        self.changes(rows.into_iter().map(RowChange::Put))
    }
}

/// Changes up to 200 rows, of up to 4 MB together.
///
/// The answer has one result for each change, in order, table by table. A failed row doesn't undo the
/// others, unless the batch is [atomic](Self::atomic).
///
/// [`Client::send`](crate::Client::send) sends it once and gives the results as they are;
/// [`Client::send_rows`](crate::Client::send_rows) sends rows again that were throttled. For a stream
/// of rows there is [`BatchWriter`](crate::writer::BatchWriter).
///
/// # Errors
/// As a whole `OTSParameterInvalid` for more rows or bytes than that, a table named twice, or a row
/// that can't be in any table; a row by itself like the operation of its change.
///
/// # Cost
/// As each row by itself.
///
/// Source: the service's documentation of BatchWriteRow.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::request::{BatchWriteRow, TableWrites};
/// use ots_core::{PrimaryKey, Row};
///
/// let cities = ["Hangzhou", "Ningbo"].into_iter().zip(0..);
/// let rows = cities.map(|(name, id)| {
///     Row::new(PrimaryKey::new().column("id", id)).cell("name", name)
/// });
/// let batch = BatchWriteRow::new().table(TableWrites::new("cities").puts(rows));
/// for result in client.send_rows(batch).await?.into_iter().flatten() {
///     result?;
/// }
/// # Ok(())
/// # }
/// ```
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
        let rows = sealed::Split::into_rows(self)?;
        let all: Vec<_> = (0..rows.len()).collect();
        Ok(rows.request(&all))
    }

    fn read(reply: Reply<messages::BatchWriteRowResponse>) -> Result<Self::Output, Error> {
        let request_id = reply.request_id;
        let tables = reply.response.tables.into_iter();
        let tables = tables.map(|table| {
            let rows = table.rows.into_iter();
            rows.map(|row| read_row(row, &request_id)).collect()
        });
        Ok(tables.collect())
    }

    fn reader(
        &self,
    ) -> impl FnOnce(Reply<messages::BatchWriteRowResponse>) -> Result<Self::Output, Error> + Send + use<>
    {
        let tables = self.tables.iter();
        let tables = tables.map(|writes| (writes.table.clone(), writes.writes.len()));
        let tables = tables.collect();
        move |reply| results_of(tables, |asked| read_rows(asked, reply))
    }
}

impl BatchRequest for BatchWriteRow {
    type Row = WriteReply;
}

impl sealed::Split for BatchWriteRow {
    type Rows = WriteRows;

    fn into_rows(self) -> Result<WriteRows, Error> {
        let mut rows = WriteRows {
            tables: Vec::with_capacity(self.tables.len()),
            rows: Vec::with_capacity(self.tables.iter().map(|writes| writes.writes.len()).sum()),
            is_atomic: self.is_atomic,
            transaction_id: self.transaction_id,
        };
        for (table, writes) in self.tables.into_iter().enumerate() {
            let TableWrites {
                table: name,
                writes,
            } = writes;
            let changes = writes.iter().map(RowWrite::change);
            let bytes = changes.clone().map(change_bytes).sum();
            let changes = write_changes(changes, bytes);
            for (write, row_change) in writes.iter().zip(changes) {
                let mut message = write.to_frame("BatchWriteRow", &name)?;
                message.row_change = row_change;
                rows.rows.push(WriteOfTable {
                    table,
                    may_repeat: write.may_repeat(),
                    message,
                });
            }
            rows.tables.push(name);
        }
        Ok(rows)
    }
}

/// The changes of a batch as parts of messages, to be put together in any selection.
#[derive(Debug)]
#[expect(unnameable_types, reason = "sealed: nobody else has rows to send")]
pub struct WriteRows {
    tables: Vec<String>,
    rows: Vec<WriteOfTable>,
    is_atomic: bool,
    transaction_id: Option<String>,
}

#[derive(Debug)]
struct WriteOfTable {
    table: usize,
    message: messages::RowInBatchWriteRowRequest,
    may_repeat: bool,
}

impl WriteRows {
    /// Changes of one table: each with whether it may be repeated.
    pub(crate) fn of_table(
        table: String,
        rows: impl IntoIterator<Item = (messages::RowInBatchWriteRowRequest, bool)>,
    ) -> Self {
        let rows = rows.into_iter().map(|(message, may_repeat)| WriteOfTable {
            table: 0,
            message,
            may_repeat,
        });
        Self {
            tables: vec![table],
            rows: rows.collect(),
            is_atomic: false,
            transaction_id: None,
        }
    }
}

impl Rows for WriteRows {
    type Operation = operation::BatchWriteRow;
    type Row = WriteReply;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn tables(&self) -> &[String] {
        &self.tables
    }

    fn table_of(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, |row| row.table)
    }

    fn may_repeat(&self, row: usize) -> bool {
        self.rows.get(row).is_some_and(|row| row.may_repeat)
    }

    fn all_or_none(&self) -> bool {
        self.is_atomic
    }

    fn request(&self, rows: &[usize]) -> messages::BatchWriteRowRequest {
        let mut tables: Vec<messages::TableInBatchWriteRowRequest> = Vec::new();
        let mut last = None;
        for row in rows.iter().filter_map(|row| self.rows.get(*row)) {
            if last != Some(row.table) {
                last = Some(row.table);
                tables.push(messages::TableInBatchWriteRowRequest {
                    table_name: self.tables.get(row.table).cloned().unwrap_or_default(),
                    rows: Vec::with_capacity(rows.len()),
                });
            }
            if let Some(table) = tables.last_mut() {
                table.rows.push(row.message.clone());
            }
        }
        messages::BatchWriteRowRequest {
            tables,
            transaction_id: self.transaction_id.clone(),
            is_atomic: self.is_atomic.then_some(true),
        }
    }

    fn read(
        &self,
        asked: &Asked,
        _: &[usize],
        reply: Reply<messages::BatchWriteRowResponse>,
    ) -> Result<Vec<RowResult<WriteReply>>, Error> {
        read_rows(asked, reply)
    }
}

fn read_rows(
    asked: &Asked,
    reply: Reply<messages::BatchWriteRowResponse>,
) -> Result<Vec<RowResult<WriteReply>>, Error> {
    let request_id = reply.request_id;
    let tables = reply.response.tables;
    asked.check(
        tables
            .iter()
            .map(|table| (table.table_name.as_str(), table.rows.len())),
    )?;
    let rows = tables.into_iter().flat_map(|table| table.rows);
    Ok(rows.map(|row| read_row(row, &request_id)).collect())
}

fn read_row(row: messages::RowInBatchWriteRowResponse, request_id: &str) -> RowResult<WriteReply> {
    row_result(row.is_ok, row.error, request_id)?;
    let consumed = Consumed::from_message(row.consumed.as_ref());
    Ok(WriteReply {
        row: optional_row(row.row, Accept::PartialRows)?,
        consumed,
    })
}
