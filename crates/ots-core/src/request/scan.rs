//! ComputeSplits and ParallelScan: a session over a search index, read page by page in splits.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use ots_proto::search::Query;
use ots_proto::{messages, operation};
use prost::Message as _;

use super::Request;
use super::columns::ScanColumns;
use super::number::{positive, seconds};
use crate::call::Reply;
use crate::error::Error;

/// Opens a session for a parallel scan, and learns how many splits it may have.
///
/// Source: the service's documentation of ParallelScan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ComputeSplits {
    table: String,
    index: String,
}

impl ComputeSplits {
    /// A session over `index` of `table`.
    pub fn new(table: impl Into<String>, index: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
        }
    }
}

impl Request for ComputeSplits {
    type Operation = operation::ComputeSplits;
    type Output = ComputeSplitsReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::ComputeSplitsRequest, Error> {
        let options = messages::SearchIndexSplitsOptions {
            index_name: Some(self.index),
        };
        Ok(messages::ComputeSplitsRequest {
            table_name: Some(self.table),
            search_index_splits_options: Some(options),
        })
    }

    fn read(reply: Reply<messages::ComputeSplitsResponse>) -> Result<ComputeSplitsReply, Error> {
        let messages::ComputeSplitsResponse {
            session_id,
            splits_size,
        } = reply.response;
        let session_id = session_id.filter(|id| !id.is_empty());
        let splits_size = splits_size
            .and_then(|size| u32::try_from(size).ok())
            .and_then(NonZeroU32::new);
        match (session_id, splits_size) {
            (Some(session_id), Some(splits_size)) => Ok(ComputeSplitsReply {
                session_id,
                splits_size,
            }),
            _ => Err(Error::body(
                "ComputeSplits answered without a session id or without splits",
            )),
        }
    }
}

/// An open session. Its id, which lets anyone with a key read on in it, has no place in logs.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComputeSplitsReply {
    /// The session. Opaque bytes.
    pub session_id: Bytes,
    /// The most splits the session can be read in.
    pub splits_size: NonZeroU32,
}

impl fmt::Debug for ComputeSplitsReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComputeSplitsReply")
            .field("splits_size", &self.splits_size)
            .finish_non_exhaustive()
    }
}

/// Asks for one page of one split.
///
/// An answer without a token ends the split; a page without rows doesn't. To read whole result sets,
/// use `ots-scan`.
///
/// Source: the service's documentation of ParallelScan.
#[derive(Clone, PartialEq)]
#[must_use]
pub struct ParallelScan {
    table: String,
    index: String,
    query: Query,
    session_id: Option<Bytes>,
    columns: ScanColumns,
    limit: Option<u32>,
    alive_time: Option<Duration>,
    split: Option<(u32, u32)>,
    token: Option<Bytes>,
}

impl fmt::Debug for ParallelScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without session and token.
        f.debug_struct("ParallelScan")
            .field("table", &self.table)
            .field("index", &self.index)
            .field("query", &self.query)
            .field("columns", &self.columns)
            .field("limit", &self.limit)
            .field("alive_time", &self.alive_time)
            .field("split", &self.split)
            .finish_non_exhaustive()
    }
}

impl ParallelScan {
    /// The first page of every row of `index` that matches `query`.
    pub fn new(table: impl Into<String>, index: impl Into<String>, query: Query) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
            query,
            session_id: None,
            columns: ScanColumns::default(),
            limit: None,
            alive_time: None,
            split: None,
            token: None,
        }
    }

    /// The session from [`ComputeSplits`]. Without one, the scan isn't a snapshot and may repeat rows.
    pub fn session(mut self, id: Bytes) -> Self {
        self.session_id = Some(id);
        self
    }

    /// One share of the rows: number `id`, from 0, of `max_parallel`.
    pub const fn split(mut self, id: u32, max_parallel: u32) -> Self {
        self.split = Some((id, max_parallel));
        self
    }

    /// The columns to return; all that the index can, when never called.
    pub fn columns(mut self, columns: ScanColumns) -> Self {
        self.columns = columns;
        self
    }

    /// Rows wanted in a page; the service takes 2,000 when never called, and stops there.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// How long the session lives from each request on; the service takes 60 s when never called.
    /// Rounded up to whole seconds.
    pub const fn alive_time(mut self, time: Duration) -> Self {
        self.alive_time = Some(time);
        self
    }

    /// Where the last page of this split ended.
    pub fn token(mut self, token: Bytes) -> Self {
        self.token = Some(token);
        self
    }
}

impl Request for ParallelScan {
    type Operation = operation::ParallelScan;
    type Output = ParallelScanReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::ParallelScanRequest, Error> {
        let table = &self.table;
        let (id, max_parallel) = match self.split {
            Some((id, max_parallel)) if id >= max_parallel => {
                return Err(Error::request(format!(
                    "ParallelScan on table {table:?}: split {id} doesn't exist, there are \
                     {max_parallel}, counted from 0"
                )));
            }
            Some((id, max_parallel)) => {
                let max = positive("ParallelScan", table, "max_parallel", max_parallel)?;
                (i32::try_from(id).ok(), Some(max))
            }
            None => (None, None),
        };
        let alive_time = self
            .alive_time
            .map(|time| seconds("ParallelScan", table, "alive_time", time));
        let scan = messages::ScanQuery {
            query: Some(self.query.to_message()),
            limit: self
                .limit
                .map(|rows| positive("ParallelScan", table, "limit", rows))
                .transpose()?,
            alive_time: alive_time.transpose()?,
            token: self.token,
            current_parallel_id: id,
            max_parallel,
        };
        Ok(messages::ParallelScanRequest {
            table_name: Some(self.table),
            index_name: Some(self.index),
            columns_to_get: Some(self.columns.into_message()),
            session_id: self.session_id,
            scan_query: Some(scan),
            timeout_ms: None,
        })
    }

    fn read(reply: Reply<messages::ParallelScanResponse>) -> Result<ParallelScanReply, Error> {
        let page_bytes = reply.response.encoded_len();
        let messages::ParallelScanResponse { rows, next_token } = reply.response;
        let next_token = next_token.filter(|token| !token.is_empty());
        Ok(ParallelScanReply {
            rows,
            next_token,
            page_bytes,
        })
    }
}

/// One page of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParallelScanReply {
    /// The rows, each a PlainBuffer of its own. All are slices of one buffer.
    pub rows: Vec<Bytes>,
    /// Where the next page begins. Absent, and only then, the split is done.
    pub next_token: Option<Bytes>,
    /// Size of the page, in bytes.
    pub page_bytes: usize,
}
