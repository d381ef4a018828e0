//! What a parallel scan reads.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::error::{SearchError, SearchErrorKind};
use super::query::Query;
use super::wire::{count32, int32};
use crate::messages;

/// What one page of a parallel scan reads: a share of the rows that match a query, in no order.
///
/// ```
/// use std::time::Duration;
///
/// use ots_proto::search::{Query, ScanQuery};
///
/// let scan = ScanQuery::new(Query::exists("city"))
///     .split(0, 4)
///     .limit(1_000)
///     .alive_time(Duration::from_secs(60));
/// assert_eq!(ScanQuery::from_message(&scan.to_message()?)?, scan);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
///
/// Source: the service's documentation of ParallelScan.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct ScanQuery {
    /// What to find. The service takes every row when absent.
    pub query: Option<Query>,
    /// Rows wanted in a page; the service takes 2,000 when absent, and stops there.
    pub limit: Option<u32>,
    /// How long the token lives from each request on, in whole seconds: a part of one counts as one.
    /// The service takes 60 s when absent.
    pub alive_time: Option<Duration>,
    /// Where the last page of this split ended.
    pub token: Option<Bytes>,
    /// Which share to read, counted from 0; the service takes 0 when absent.
    pub current_parallel_id: Option<u32>,
    /// How many shares there are; the service takes 1 when absent.
    pub max_parallel: Option<u32>,
}

impl ScanQuery {
    /// The first page of all rows that match `query`.
    pub fn new(query: impl Into<Query>) -> Self {
        Self {
            query: Some(query.into()),
            limit: None,
            alive_time: None,
            token: None,
            current_parallel_id: None,
            max_parallel: None,
        }
    }

    /// Share number `id`, counted from 0, of `max_parallel`.
    pub const fn split(mut self, id: u32, max_parallel: u32) -> Self {
        self.current_parallel_id = Some(id);
        self.max_parallel = Some(max_parallel);
        self
    }

    /// At most so many rows in a page.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// How long the token lives from each request on.
    pub const fn alive_time(mut self, time: Duration) -> Self {
        self.alive_time = Some(time);
        self
    }

    /// From where the last page of this split ended.
    pub fn token(mut self, token: Bytes) -> Self {
        self.token = Some(token);
        self
    }

    /// The message that says the same.
    ///
    /// # Errors
    /// When the share isn't one of those there are.
    pub fn to_message(&self) -> Result<messages::ScanQuery, SearchError> {
        let id = self.current_parallel_id.unwrap_or(0);
        if self
            .max_parallel
            .is_some_and(|max_parallel| id >= max_parallel)
        {
            let (field, found) = ("current_parallel_id", id.into());
            return Err(SearchError::new(SearchErrorKind::OutOfRange {
                field,
                found,
            }));
        }
        Ok(messages::ScanQuery {
            query: self.query.as_ref().map(Query::to_message),
            limit: self.limit.map(int32),
            alive_time: self.alive_time.map(whole_seconds),
            token: self.token.clone(),
            current_parallel_id: self.current_parallel_id.map(int32),
            max_parallel: self.max_parallel.map(int32),
        })
    }

    /// What a message says. Whether the share is one of those there are is for the service to judge.
    ///
    /// # Errors
    /// When the query can't be read, or a number is negative.
    pub fn from_message(message: &messages::ScanQuery) -> Result<Self, SearchError> {
        let alive_time = count32("alive_time", message.alive_time)?;
        Ok(Self {
            query: message
                .query
                .as_ref()
                .map(Query::from_message)
                .transpose()?,
            limit: count32("limit", message.limit)?,
            alive_time: alive_time.map(|seconds| Duration::from_secs(seconds.into())),
            token: message.token.clone(),
            current_parallel_id: count32("current_parallel_id", message.current_parallel_id)?,
            max_parallel: count32("max_parallel", message.max_parallel)?,
        })
    }
}

impl fmt::Debug for ScanQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanQuery")
            .field("query", &self.query)
            .field("limit", &self.limit)
            .field("alive_time", &self.alive_time)
            // Whoever has a token can read on: its length is enough.
            .field("token_bytes", &self.token.as_ref().map(Bytes::len))
            .field("current_parallel_id", &self.current_parallel_id)
            .field("max_parallel", &self.max_parallel)
            .finish()
    }
}

fn whole_seconds(time: Duration) -> i32 {
    let part = u64::from(time.subsec_nanos() > 0);
    let seconds = time.as_secs().saturating_add(part);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}
