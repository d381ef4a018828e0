//! BatchGetRow: many rows in one request, by their keys.

use bytes::Bytes;
use ots_proto::plainbuffer::{Accept, write_primary_key};
use ots_proto::{PrimaryKey, messages, operation};

use super::resend::Rows;
use super::results::{Asked, BatchRequest, RowResult, only, results_of, row_result, sealed};
use crate::call::Reply;
use crate::error::{Error, ResponseProblem};
use crate::request::get_row::{GetRowReply, optional_row};
use crate::request::read_options::{ReadFields, ReadOptions, read_setters};
use crate::request::{Consumed, Request};

/// Rows of one table to read.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct TableRead {
    table: String,
    keys: Vec<(PrimaryKey, Bytes)>,
    options: ReadOptions,
    takes_parts: bool,
}

impl TableRead {
    /// The newest versions of every column of these rows.
    pub fn new(table: impl Into<String>, keys: impl IntoIterator<Item = PrimaryKey>) -> Self {
        Self {
            table: table.into(),
            keys: keys.into_iter().map(|key| (key, Bytes::new())).collect(),
            options: ReadOptions::default(),
            takes_parts: false,
        }
    }

    read_setters!();

    /// Takes a part of a row where the whole is too wide for one answer: its result's `next_token`
    /// leads to the rest. Without this such a row fails, because a part must not pass for the row.
    pub const fn in_parts(mut self) -> Self {
        self.takes_parts = true;
        self
    }

    /// Adds the part of a wide row that comes after the last answer, from that answer's `next_token`.
    pub fn rest_of(mut self, key: PrimaryKey, token: impl Into<Bytes>) -> Self {
        self.keys.push((key, token.into()));
        self.in_parts()
    }
}

/// Reads up to 100 rows.
///
/// The answer has one result for each key, in order, table by table.
///
/// [`Client::send`](crate::Client::send) sends it once and gives the results as they are;
/// [`Client::send_rows`](crate::Client::send_rows) asks again for rows that failed for a moment.
///
/// # Errors
/// As a whole `OTSParameterInvalid` for more rows than that; a row by itself like
/// [`GetRow`](crate::request::GetRow).
///
/// # Cost
/// As each row by itself: a read capacity unit for every started 4 KB, at least one.
///
/// Source: the service's documentation of BatchGetRow.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::PrimaryKey;
/// use ots_core::request::{BatchGetRow, TableRead};
///
/// let keys = (0..50).map(|id| PrimaryKey::new().column("id", id));
/// let batch = BatchGetRow::new().table(TableRead::new("cities", keys).columns(["name"]));
/// for result in client.send_rows(batch).await?.into_iter().flatten() {
///     if let Some(row) = result?.row {
///         println!("{row:?}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
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
    type Output = Vec<Vec<RowResult<GetRowReply>>>;

    fn table(&self) -> Option<&str> {
        only(&self.tables).map(|read| read.table.as_str())
    }

    fn into_message(self) -> Result<messages::BatchGetRowRequest, Error> {
        let rows = sealed::Split::into_rows(self)?;
        let all: Vec<_> = (0..rows.len()).collect();
        Ok(rows.request(&all))
    }

    fn read(reply: Reply<messages::BatchGetRowResponse>) -> Result<Self::Output, Error> {
        let request_id = reply.request_id;
        let tables = reply.response.tables.into_iter();
        let tables = tables.map(|table| {
            let rows = table.rows.into_iter();
            rows.map(|row| read_row(row, false, &request_id)).collect()
        });
        Ok(tables.collect())
    }

    fn reader(
        &self,
    ) -> impl FnOnce(Reply<messages::BatchGetRowResponse>) -> Result<Self::Output, Error> + Send + use<>
    {
        let tables = self.tables.iter();
        let tables = tables.map(|read| (read.table.clone(), read.keys.len()));
        let tables = tables.collect();
        let parts = self.tables.iter();
        let parts: Vec<_> = parts
            .flat_map(|read| std::iter::repeat_n(read.takes_parts, read.keys.len()))
            .collect();
        move |reply| results_of(tables, |asked| read_rows(asked, parts, reply))
    }
}

impl BatchRequest for BatchGetRow {
    type Row = GetRowReply;
}

impl sealed::Split for BatchGetRow {
    type Rows = ReadRows;

    fn into_rows(self) -> Result<ReadRows, Error> {
        let mut rows = ReadRows::default();
        for (table, read) in self.tables.into_iter().enumerate() {
            let takes_parts = read.takes_parts;
            let keys = read.keys.iter();
            rows.rows.extend(keys.map(|(key, token)| RowOfTable {
                table,
                takes_parts,
                key: write_primary_key(key),
                token: token.clone(),
            }));
            let fields = read.options.into_fields("BatchGetRow", &read.table)?;
            rows.names.push(read.table);
            rows.tables.push(fields);
        }
        Ok(rows)
    }
}

/// The rows of a batch as parts of messages, to be put together in any selection.
#[derive(Debug, Default)]
#[expect(unnameable_types, reason = "sealed: nobody else has rows to send")]
pub struct ReadRows {
    names: Vec<String>,
    tables: Vec<ReadFields>,
    rows: Vec<RowOfTable>,
}

#[derive(Debug)]
struct RowOfTable {
    table: usize,
    takes_parts: bool,
    key: Bytes,
    token: Bytes,
}

impl Rows for ReadRows {
    type Operation = operation::BatchGetRow;
    type Row = GetRowReply;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn tables(&self) -> &[String] {
        &self.names
    }

    fn table_of(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, |row| row.table)
    }

    fn may_repeat(&self, _: usize) -> bool {
        true
    }

    fn all_or_none(&self) -> bool {
        false
    }

    fn request(&self, rows: &[usize]) -> messages::BatchGetRowRequest {
        let mut tables: Vec<messages::TableInBatchGetRowRequest> = Vec::new();
        let mut last = None;
        for row in rows.iter().filter_map(|row| self.rows.get(*row)) {
            if last != Some(row.table) {
                last = Some(row.table);
                let name = self.names.get(row.table).cloned().unwrap_or_default();
                tables.extend(
                    self.tables
                        .get(row.table)
                        .map(|fields| table_message(name, fields.clone())),
                );
            }
            if let Some(table) = tables.last_mut() {
                table.primary_key.push(row.key.clone());
                table.token.push(row.token.clone());
            }
        }
        for table in &mut tables {
            // One for each key, or none at all.
            if table.token.iter().all(Bytes::is_empty) {
                table.token.clear();
            }
        }
        messages::BatchGetRowRequest { tables }
    }

    fn read(
        &self,
        asked: &Asked,
        rows: &[usize],
        reply: Reply<messages::BatchGetRowResponse>,
    ) -> Result<Vec<RowResult<GetRowReply>>, Error> {
        let rows = rows.iter().filter_map(|row| self.rows.get(*row));
        read_rows(asked, rows.map(|row| row.takes_parts), reply)
    }
}

fn table_message(name: String, fields: ReadFields) -> messages::TableInBatchGetRowRequest {
    let ReadFields {
        columns_to_get,
        max_versions,
        time_range,
        cache_blocks,
        filter,
        start_column,
        end_column,
    } = fields;
    messages::TableInBatchGetRowRequest {
        table_name: name,
        primary_key: Vec::new(),
        token: Vec::new(),
        columns_to_get,
        time_range,
        max_versions,
        cache_blocks,
        filter,
        start_column,
        end_column,
    }
}

fn read_rows(
    asked: &Asked,
    takes_parts: impl IntoIterator<Item = bool>,
    reply: Reply<messages::BatchGetRowResponse>,
) -> Result<Vec<RowResult<GetRowReply>>, Error> {
    let request_id = reply.request_id;
    let tables = reply.response.tables;
    asked.check(
        tables
            .iter()
            .map(|table| (table.table_name.as_str(), table.rows.len())),
    )?;
    let rows = tables.into_iter().flat_map(|table| table.rows);
    let rows = rows.zip(takes_parts);
    Ok(rows
        .map(|(row, takes_parts)| read_row(row, takes_parts, &request_id))
        .collect())
}

fn read_row(
    row: messages::RowInBatchGetRowResponse,
    takes_parts: bool,
    request_id: &str,
) -> RowResult<GetRowReply> {
    row_result(row.is_ok, row.error, request_id)?;
    let next_token = row.next_token.filter(|token| !token.is_empty());
    if next_token.is_some() && !takes_parts {
        let cut = Error::response(ResponseProblem::RowCut);
        return Err(cut.with_request_id(request_id.to_owned()));
    }
    Ok(GetRowReply {
        row: optional_row(row.row, Accept::Rows)?,
        next_token,
        consumed: Consumed::from_message(row.consumed.as_ref()),
    })
}
