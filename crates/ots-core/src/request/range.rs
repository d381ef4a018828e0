//! GetRange: one page of the rows between two keys.

use bytes::Bytes;
use ots_proto::plainbuffer::{read_primary_key, write_primary_key};
use ots_proto::{PrimaryKey, messages, operation};

use super::number::positive;
use super::read_options::{ReadFields, ReadOptions, read_setters};
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::Error;

/// Which way a range is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Direction {
    /// By rising key: the start is the lower bound.
    #[default]
    Forward,
    /// By falling key: the start is the upper bound.
    Backward,
}

/// Asks for one page of the rows between two keys.
///
/// A page ends at the first of: `limit` rows, 5,000 rows, 4 MB, the end of the range. Only the absence
/// of a next key says that the range is done; a page without rows doesn't. To read on over pages, use
/// the pagers of `ots-paging`.
///
/// # Cost
/// One read capacity unit for every started 4 KB of the page, at least one.
///
/// Source: the service's documentation of GetRange.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct GetRange {
    table: String,
    start: PrimaryKey,
    end: PrimaryKey,
    direction: Direction,
    limit: Option<u32>,
    options: ReadOptions,
    token: Option<Bytes>,
    transaction_id: Option<String>,
}

impl GetRange {
    /// The rows of `table` from `start`, inclusive, to `end`, exclusive, by rising key, newest
    /// versions only.
    ///
    /// Both keys need every column of the primary key; `INF_MIN` and `INF_MAX` may stand for values.
    pub fn new(table: impl Into<String>, start: PrimaryKey, end: PrimaryKey) -> Self {
        Self {
            table: table.into(),
            start,
            end,
            direction: Direction::Forward,
            limit: None,
            options: ReadOptions::default(),
            token: None,
            transaction_id: None,
        }
    }

    /// Which way to read. Backward, the start must be greater than the end.
    pub const fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    read_setters!();

    /// Rows wanted in a page. The service stops at 5,000 rows or 4 MB all the same.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Goes on inside a row that the last page cut, with the start set to the page's next key.
    pub fn token(mut self, token: impl Into<Bytes>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Reads inside a local transaction.
    pub fn transaction(mut self, id: impl Into<String>) -> Self {
        self.transaction_id = Some(id.into());
        self
    }
}

impl Request for GetRange {
    type Operation = operation::GetRange;
    type Output = GetRangeReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::GetRangeRequest, Error> {
        let table = &self.table;
        let names = |key: &PrimaryKey| {
            let names = key.columns().iter().map(|column| column.name.to_string());
            names.collect::<Vec<_>>().join(", ")
        };
        let (start_names, end_names) = (names(&self.start), names(&self.end));
        if start_names != end_names {
            return Err(Error::request(format!(
                "GetRange on table {table:?}: start and end must have the same columns, got \
                 ({start_names}) and ({end_names})"
            )));
        }
        let ordered = match self.direction {
            Direction::Forward => self.start < self.end,
            Direction::Backward => self.start > self.end,
        };
        if !ordered {
            let (relation, direction) = match self.direction {
                Direction::Forward => ("before", "forward"),
                Direction::Backward => ("after", "backward"),
            };
            // Keys are data: the column that decides is named, its values aren't.
            let columns = self.start.columns().iter().zip(self.end.columns());
            let differing = columns
                .clone()
                .find(|(start, end)| start.value != end.value);
            let place = match differing {
                Some((start, _)) => format!("they differ first in column {}", start.name),
                None => "they are equal".to_owned(),
            };
            return Err(Error::request(format!(
                "GetRange on table {table:?}: the start must come {relation} the end when reading \
                 {direction}; {place}"
            )));
        }
        let ReadFields {
            columns_to_get,
            max_versions,
            time_range,
            cache_blocks,
            filter,
            start_column,
            end_column,
        } = self.options.into_fields("GetRange", table)?;
        Ok(messages::GetRangeRequest {
            direction: match self.direction {
                Direction::Forward => messages::Direction::Forward,
                Direction::Backward => messages::Direction::Backward,
            }
            .into(),
            limit: self
                .limit
                .map(|rows| positive("GetRange", table, "limit", rows))
                .transpose()?,
            max_versions,
            time_range,
            cache_blocks,
            inclusive_start_primary_key: write_primary_key(&self.start),
            exclusive_end_primary_key: write_primary_key(&self.end),
            columns_to_get,
            filter,
            start_column,
            end_column,
            token: self.token,
            transaction_id: self.transaction_id,
            table_name: self.table,
            ..messages::GetRangeRequest::default()
        })
    }

    fn read(reply: Reply<messages::GetRangeResponse>) -> Result<GetRangeReply, Error> {
        let response = reply.response;
        match response.data_block_type() {
            messages::DataBlockType::PlainBuffer => {}
            other => {
                let problem = format!("GetRange answered with a {other:?} block, not asked for");
                return Err(Error::body(problem));
            }
        }
        let next = response
            .next_start_primary_key
            .filter(|key| !key.is_empty());
        Ok(GetRangeReply {
            next_start: next
                .map(|key| read_primary_key(&key))
                .transpose()
                .map_err(Error::body)?,
            next_token: response.next_token.filter(|token| !token.is_empty()),
            rows: response.rows,
            consumed: response.consumed.into(),
        })
    }
}

/// One page of a range.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GetRangeReply {
    /// The rows, as one PlainBuffer; empty bytes mean no rows.
    pub rows: Bytes,
    /// The next unread row. Absent, and only then, the range is done.
    pub next_start: Option<PrimaryKey>,
    /// Present when the last row of the page is cut: the next page goes on inside it.
    pub next_token: Option<Bytes>,
    /// What the page cost.
    pub consumed: Consumed,
}
