//! What a search found.

mod aggregation;
mod composite;
mod group;
mod group_by;
mod hit;
mod lookup;

pub use aggregation::{AggregationResult, AggregationResults, Percentile};
pub use composite::CompositePage;
pub use group::{GeoCell, Group};
pub use group_by::{GroupByResult, GroupByResults};
pub use hit::{HighlightedField, NestedHits, SearchHit};
pub use lookup::LookupError;

use std::fmt;

use bytes::Bytes;

use super::error::SearchError;
use super::wire::decode;
use crate::bounded;
use crate::messages;

/// One page of what a search found.
///
/// ```
/// use ots_proto::messages;
/// use ots_proto::search::SearchResponse;
///
/// let message = messages::SearchResponse {
///     total_hits: Some(-1),
///     is_all_succeeded: Some(true),
///     ..messages::SearchResponse::default()
/// };
/// let response = SearchResponse::from_message(&message)?;
/// assert_eq!(response.total(), None);
/// assert!(response.rows.is_empty() && response.next_token.is_none());
/// assert_eq!(response.to_message()?, message);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct SearchResponse {
    /// How many rows match in all; -1 when not counted. [`total`](Self::total) says it without the -1.
    pub total_hits: Option<i64>,
    /// The rows, each a PlainBuffer of its own that shares the response's buffer: read them with
    /// [`SeparateRows`](crate::plainbuffer::SeparateRows).
    pub rows: Vec<Bytes>,
    /// Whether all shards answered; otherwise rows may be missing.
    pub is_all_succeeded: Option<bool>,
    /// Where the next page begins; none after the last.
    pub next_token: Option<Bytes>,
    /// What aggregations came to.
    pub aggregations: AggregationResults,
    /// The groups.
    pub group_bys: GroupByResults,
    /// What the search cost.
    pub consumed: Option<messages::ConsumedCapacity>,
    /// What of the cost was covered by reserved throughput.
    pub reserved_consumed: Option<messages::ConsumedCapacity>,
    hits: Vec<SearchHit>,
}

impl SearchResponse {
    /// How many rows match in all, if they were counted.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total_hits.and_then(|total| u64::try_from(total).ok())
    }

    /// What the search says about each of the rows: as many as there are rows, or none.
    #[must_use]
    pub fn hits(&self) -> &[SearchHit] {
        // Where the counts differ, nobody can tell which hit belongs to which row.
        if self.hits.len() == self.rows.len() {
            &self.hits
        } else {
            &[]
        }
    }

    /// Says this about the rows, in their order.
    #[must_use]
    pub fn with_hits(mut self, hits: Vec<SearchHit>) -> Self {
        self.hits = hits;
        self
    }

    /// The message that says the same.
    ///
    /// # Errors
    /// As [`AggregationResults::to_message`] and [`GroupByResults::to_message`].
    pub fn to_message(&self) -> Result<messages::SearchResponse, SearchError> {
        let aggs = (!self.aggregations.is_empty()).then(|| self.aggregations.to_bytes());
        let group_bys = (!self.group_bys.is_empty()).then(|| self.group_bys.to_bytes());
        Ok(messages::SearchResponse {
            total_hits: self.total_hits,
            rows: self.rows.clone(),
            is_all_succeeded: self.is_all_succeeded,
            search_hits: self.hits.iter().map(SearchHit::to_message).collect(),
            next_token: self.next_token.clone(),
            aggs: aggs.transpose()?,
            group_bys: group_bys.transpose()?,
            consumed: self.consumed,
            reserved_consumed: self.reserved_consumed,
        })
    }

    /// What a message says.
    ///
    /// # Errors
    /// When a hit, a result of an aggregation or a group-by is damaged, incomplete or nested too
    /// deeply. The rows aren't looked at.
    pub fn from_message(message: &messages::SearchResponse) -> Result<Self, SearchError> {
        let hits = message.search_hits.iter().map(SearchHit::from_message);
        let aggregations = message.aggs.as_ref().map(AggregationResults::from_bytes);
        let group_bys = message.group_bys.as_ref().map(GroupByResults::from_bytes);
        Ok(Self {
            total_hits: message.total_hits,
            rows: message.rows.clone(),
            is_all_succeeded: message.is_all_succeeded,
            // An empty token, like a missing one, ends the pages.
            next_token: message.next_token.clone().filter(|token| !token.is_empty()),
            aggregations: aggregations.transpose()?.unwrap_or_default(),
            group_bys: group_bys.transpose()?.unwrap_or_default(),
            consumed: message.consumed,
            reserved_consumed: message.reserved_consumed,
            hits: bounded::collect(hits)?,
        })
    }

    /// What the body of a response says.
    ///
    /// # Errors
    /// As [`from_message`](Self::from_message), and when the bytes aren't the message.
    pub fn from_bytes(bytes: &Bytes) -> Result<Self, SearchError> {
        Self::from_message(&decode(Some(bytes))?)
    }
}

impl fmt::Debug for SearchResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchResponse")
            .field("total_hits", &self.total_hits)
            .field("rows", &self.rows.len())
            .field("is_all_succeeded", &self.is_all_succeeded)
            .field("hits", &self.hits)
            // Whoever has a token can read on: its length is enough.
            .field(
                "next_token_bytes",
                &self.next_token.as_ref().map(Bytes::len),
            )
            .field("aggregations", &self.aggregations)
            .field("group_bys", &self.group_bys)
            .field("consumed", &self.consumed)
            .field("reserved_consumed", &self.reserved_consumed)
            .finish()
    }
}
