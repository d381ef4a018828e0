//! GetRow: one row, by its key.

use bytes::Bytes;
use ots_proto::plainbuffer::{Accept, read_row, write_primary_key};
use ots_proto::{PrimaryKey, Row, messages, operation};

use super::read_options::{ReadFields, ReadOptions, read_setters};
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::{Error, ResponseProblem};

/// Reads one row.
///
/// # Cost
/// One read capacity unit for every started 4 KB, at least one, also for a row that doesn't exist.
///
/// Source: the service's documentation of GetRow.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct GetRow {
    table: String,
    primary_key: PrimaryKey,
    options: ReadOptions,
    token: Option<Bytes>,
    takes_part: bool,
    transaction_id: Option<String>,
}

impl GetRow {
    /// The newest versions of every column of a row.
    pub fn new(table: impl Into<String>, primary_key: PrimaryKey) -> Self {
        Self {
            table: table.into(),
            primary_key,
            options: ReadOptions::default(),
            token: None,
            takes_part: false,
            transaction_id: None,
        }
    }

    read_setters!();

    /// Takes a part of the row where the whole is too wide for one answer: the reply's `next_token`
    /// leads to the rest. Without this a row that was cut is an error, because a part must not pass
    /// for the row.
    pub const fn in_parts(mut self) -> Self {
        self.takes_part = true;
        self
    }

    /// The part of a wide row that comes after the last answer, from that answer's `next_token`.
    pub fn token(mut self, token: impl Into<Bytes>) -> Self {
        self.token = Some(token.into());
        self.in_parts()
    }

    /// Reads inside a local transaction.
    pub fn transaction(mut self, id: impl Into<String>) -> Self {
        self.transaction_id = Some(id.into());
        self
    }
}

impl Request for GetRow {
    type Operation = operation::GetRow;
    type Output = GetRowReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::GetRowRequest, Error> {
        let ReadFields {
            columns_to_get,
            max_versions,
            time_range,
            cache_blocks,
            filter,
            start_column,
            end_column,
        } = self.options.into_fields("GetRow", &self.table)?;
        Ok(messages::GetRowRequest {
            primary_key: write_primary_key(&self.primary_key),
            columns_to_get,
            max_versions,
            time_range,
            cache_blocks,
            filter,
            start_column,
            end_column,
            token: self.token,
            transaction_id: self.transaction_id,
            table_name: self.table,
        })
    }

    fn read(reply: Reply<messages::GetRowResponse>) -> Result<GetRowReply, Error> {
        let messages::GetRowResponse {
            consumed,
            row,
            next_token,
        } = reply.response;
        Ok(GetRowReply {
            row: optional_row(Some(row), Accept::Rows)?,
            next_token: next_token.filter(|token| !token.is_empty()),
            consumed: consumed.into(),
        })
    }

    fn reader(
        &self,
    ) -> impl FnOnce(Reply<messages::GetRowResponse>) -> Result<GetRowReply, Error> + Send + use<>
    {
        let takes_part = self.takes_part;
        move |reply| match Self::read(reply)? {
            reply if reply.next_token.is_some() && !takes_part => {
                Err(Error::response(ResponseProblem::RowCut))
            }
            reply => Ok(reply),
        }
    }
}

/// A row, if it exists.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GetRowReply {
    /// The row; absent if it doesn't exist, has none of the columns, or doesn't pass the filter.
    pub row: Option<Row>,
    /// Present when the row is too wide for one answer and was cut, with [`GetRow::in_parts`].
    pub next_token: Option<Bytes>,
    /// What the read cost.
    pub consumed: Consumed,
}

/// A row that may be absent: empty bytes mean that it is, and are never decoded.
pub(super) fn optional_row(row: Option<Bytes>, accept: Accept) -> Result<Option<Row>, Error> {
    match row {
        Some(row) if !row.is_empty() => read_row(&row, accept).map(Some).map_err(Error::body),
        _ => Ok(None),
    }
}
