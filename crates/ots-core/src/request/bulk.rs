//! BulkExport and BulkImport: large transfers in the service's own blocks.

use bytes::Bytes;
use ots_proto::filter::Filter;
use ots_proto::messages::{self, DataBlockType, OperationType};
use ots_proto::plainbuffer::{Accept, Reader, read_primary_key, write_change, write_primary_key};
use ots_proto::simple_row_matrix::Matrix;
use ots_proto::{NameCache, PrimaryKey, Row, RowChange, operation};

use super::batch::RowResult;
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::Error;

/// Reads one page of a range as a block of columns.
///
/// It is [`GetRange`](super::GetRange) for throughput: forward only, newest versions, without times.
/// Only the absence of a next key says that the range is done.
///
/// # Cost
/// By the byte, in the answer's `capacity_data_size`: no capacity units.
///
/// Source: the service's SDK for Java, which alone has it.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::PrimaryKey;
/// use ots_core::request::BulkExport;
///
/// let (mut start, end) = (PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
/// loop {
///     let export = BulkExport::new("cities", start, end.clone()).columns(["name"]);
///     let page = client.send(export).await?.into_inner();
///     println!("{} rows", page.rows()?.len());
///     match page.next_start {
///         Some(next) => start = next,
///         None => break,
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct BulkExport {
    table: String,
    start: PrimaryKey,
    end: PrimaryKey,
    columns: Vec<String>,
    filter: Option<Filter>,
    block: DataBlockType,
}

impl BulkExport {
    /// The rows of `table` from `start`, inclusive, to `end`, exclusive, as a matrix.
    pub fn new(table: impl Into<String>, start: PrimaryKey, end: PrimaryKey) -> Self {
        Self {
            table: table.into(),
            start,
            end,
            columns: Vec::new(),
            filter: None,
            block: DataBlockType::SimpleRowMatrix,
        }
    }

    /// The columns to return, of the key too. A matrix needs them named.
    pub fn columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.columns = names.into_iter().map(Into::into).collect();
        self
    }

    /// Only rows that pass a filter.
    pub fn filter(mut self, filter: impl Into<Filter>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// Rows as GetRange gives them, in place of a matrix.
    pub const fn plain_rows(mut self) -> Self {
        self.block = DataBlockType::PlainBuffer;
        self
    }
}

impl Request for BulkExport {
    type Operation = operation::BulkExport;
    type Output = BulkExportReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::BulkExportRequest, Error> {
        let filter = self.filter.map(|filter| filter.encode()).transpose();
        let filter = filter.map_err(|error| {
            Error::request(format!("BulkExport on table {:?}: {error}", self.table))
        })?;
        Ok(messages::BulkExportRequest {
            table_name: self.table,
            columns_to_get: self.columns,
            inclusive_start_primary_key: write_primary_key(&self.start),
            exclusive_end_primary_key: write_primary_key(&self.end),
            filter,
            data_block_type_hint: Some(self.block.into()),
        })
    }

    fn read(reply: Reply<messages::BulkExportResponse>) -> Result<BulkExportReply, Error> {
        let response = reply.into_inner();
        let block = match response.data_block_type {
            None => DataBlockType::PlainBuffer,
            Some(number) => number.try_into().map_err(|_| {
                Error::body(format!(
                    "BulkExport answered with a block of unknown type {number}"
                ))
            })?,
        };
        let next = response.next_start_primary_key;
        let next = next.filter(|key| !key.is_empty());
        Ok(BulkExportReply {
            block,
            bytes: response.rows,
            next_start: next
                .map(|key| read_primary_key(&key))
                .transpose()
                .map_err(Error::body)?,
            consumed: response.consumed.into(),
        })
    }
}

/// One page of an export.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BulkExportReply {
    /// What the bytes are: read them where they lie with [`Matrix`] or
    /// [`Reader`](ots_proto::plainbuffer::Reader).
    pub block: DataBlockType,
    /// The rows; empty bytes mean none.
    pub bytes: Bytes,
    /// The next unread row. Absent, and only then, the range is done.
    pub next_start: Option<PrimaryKey>,
    /// What the page cost.
    pub consumed: Consumed,
}

impl BulkExportReply {
    /// The rows, copied.
    ///
    /// # Errors
    /// When the block is damaged.
    pub fn rows(&self) -> Result<Vec<Row>, Error> {
        if self.bytes.is_empty() {
            return Ok(Vec::new());
        }
        match self.block {
            DataBlockType::SimpleRowMatrix => {
                let matrix = Matrix::parse(&self.bytes).map_err(Error::body)?;
                matrix.to_rows().map_err(Error::body)
            }
            DataBlockType::PlainBuffer => {
                let mut names = NameCache::default();
                let mut rows = Vec::new();
                let mut reader =
                    Reader::new(&self.bytes, Accept::PartialRows).map_err(Error::body)?;
                while let Some(row) = reader.next_row().map_err(Error::body)? {
                    rows.push(row.to_row(&mut names));
                }
                Ok(rows)
            }
        }
    }
}

/// Writes rows of one table, without conditions.
///
/// The answer has one result for each change, in order. It is a write: lost answers are not repeated.
///
/// # Cost
/// Write capacity units by the size of the rows.
///
/// Source: the service's SDK for Java, which alone has it.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::request::BulkImport;
/// use ots_core::{PrimaryKey, Row, RowChange};
///
/// let rows = (0..200).map(|id| Row::new(PrimaryKey::new().column("id", id)));
/// let import = BulkImport::new("cities", rows.map(RowChange::Put));
/// for row in client.send(import).await? {
///     row?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct BulkImport {
    table: String,
    changes: Vec<RowChange>,
}

impl BulkImport {
    /// These changes of `table`.
    pub fn new(table: impl Into<String>, changes: impl IntoIterator<Item = RowChange>) -> Self {
        Self {
            table: table.into(),
            changes: changes.into_iter().collect(),
        }
    }
}

impl Request for BulkImport {
    type Operation = operation::BulkImport;
    /// What each change cost, or why it failed.
    type Output = Vec<RowResult<Consumed>>;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::BulkImportRequest, Error> {
        let rows = self.changes.iter().map(|change| {
            let kind = match change {
                RowChange::Put(_) => OperationType::Put,
                RowChange::Update(_) => OperationType::Update,
                RowChange::Delete(_) => OperationType::Delete,
            };
            messages::RowInBulkImportRequest {
                r#type: kind.into(),
                row_change: write_change(change),
            }
        });
        Ok(messages::BulkImportRequest {
            rows: rows.collect(),
            table_name: self.table,
        })
    }

    fn read(reply: Reply<messages::BulkImportResponse>) -> Result<Self::Output, Error> {
        let request_id = reply.request_id;
        let rows = reply.response.rows.into_iter().map(|row| {
            if row.is_ok {
                return Ok(Consumed::from_message(row.consumed.as_ref()));
            }
            let error = row.error.unwrap_or_default();
            Err(Error::refusal(
                error,
                http::StatusCode::OK,
                request_id.clone(),
            ))
        });
        Ok(rows.collect())
    }

    fn reader(
        &self,
    ) -> impl FnOnce(Reply<messages::BulkImportResponse>) -> Result<Self::Output, Error> + Send + use<>
    {
        let asked = self.changes.len();
        move |reply| {
            let answered = reply.response.rows.len();
            if answered != asked {
                return Err(Error::body(format!(
                    "{answered} results, in place of {asked}"
                )));
            }
            Self::read(reply)
        }
    }
}
