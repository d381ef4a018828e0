//! A whole search: what to find, and what to return of it.

use std::fmt;

use bytes::Bytes;
use prost::Message as _;

use super::aggregation::{Aggregation, Aggregations};
use super::error::SearchError;
use super::group_by::{GroupBy, GroupBys};
use super::highlight::Highlight;
use super::query::Query;
use super::sort::Sort;
use super::wire::{count32, decode_all, int32, required};
use crate::messages;

/// A whole search: what to find, and what to return of it.
///
/// ```
/// use ots_proto::search::{Aggregation, FieldSort, GroupBy, Query, SearchQuery, TotalCount};
///
/// let search = SearchQuery::new(Query::term("city", "Hangzhou"))
///     .limit(20)
///     .sort(FieldSort::desc("at"))
///     .total(TotalCount::Exact)
///     .aggregation("mean price", Aggregation::avg("price"))
///     .group_by("by shop", GroupBy::field("shop").size(5));
/// assert_eq!(SearchQuery::from_bytes(&search.to_bytes()?)?, search);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
///
/// Source: the service's documentation of Search.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct SearchQuery {
    /// What to find. The service takes every row when absent.
    pub query: Option<Query>,
    /// What the rows must match that are returned. Aggregations and group-bys don't depend on it.
    pub filter: Option<Query>,
    /// Rows to skip.
    pub offset: Option<u32>,
    /// Rows wanted in a page; the service takes 10 when absent. 0 for counts and aggregations alone.
    pub limit: Option<u32>,
    /// Where the last page ended. It carries the sort, which must not be given again, nor an offset.
    pub token: Option<Bytes>,
    /// The order of the rows; by primary key when absent.
    pub sort: Option<Sort>,
    /// A field of whose every value only the first row is returned.
    pub collapse: Option<String>,
    /// Whether to count all matches.
    pub total: Option<TotalCount>,
    /// What to highlight.
    pub highlight: Option<Highlight>,
    /// What to compute about all matches.
    pub aggregations: Aggregations,
    /// How to sort all matches into groups.
    pub group_bys: GroupBys,
}

/// Whether, and how far, to count all matches.
///
/// The protocol has two fields for this, and only one is sent: a number that the Java SDK sends, and
/// a flag that all others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TotalCount {
    /// Not at all.
    None,
    /// At least this far: a result below the number is exact.
    UpTo(u32),
    /// All.
    Exact,
    /// All or not at all, said with the older flag.
    Flag(bool),
}

impl SearchQuery {
    /// The rows that match `query`, ten of them, by primary key.
    pub fn new(query: impl Into<Query>) -> Self {
        Self {
            query: Some(query.into()),
            filter: None,
            offset: None,
            limit: None,
            token: None,
            sort: None,
            collapse: None,
            total: None,
            highlight: None,
            aggregations: Aggregations::new(),
            group_bys: GroupBys::new(),
        }
    }

    /// Returns only rows that match this too, without narrowing aggregations and group-bys.
    pub fn filter(mut self, filter: impl Into<Query>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// Without the first so many rows.
    pub const fn offset(mut self, rows: u32) -> Self {
        self.offset = Some(rows);
        self
    }

    /// At most so many rows in a page; 0 for counts and aggregations alone.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// From where the last page ended.
    pub fn token(mut self, token: Bytes) -> Self {
        self.token = Some(token);
        self
    }

    /// In this order.
    pub fn sort(mut self, sort: impl Into<Sort>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    /// Only the first row for each value of `field`.
    pub fn collapse(mut self, field: impl Into<String>) -> Self {
        self.collapse = Some(field.into());
        self
    }

    /// Counts all matches, or doesn't.
    pub const fn total(mut self, count: TotalCount) -> Self {
        self.total = Some(count);
        self
    }

    /// With highlights.
    pub fn highlight(mut self, highlight: Highlight) -> Self {
        self.highlight = Some(highlight);
        self
    }

    /// Computes this about all matches.
    pub fn aggregation(
        mut self,
        name: impl Into<String>,
        aggregation: impl Into<Aggregation>,
    ) -> Self {
        self.aggregations.push(name, aggregation);
        self
    }

    /// Sorts all matches into groups.
    pub fn group_by(mut self, name: impl Into<String>, group_by: impl Into<GroupBy>) -> Self {
        self.group_bys.push(name, group_by);
        self
    }

    /// The message that says the same.
    ///
    /// # Errors
    /// When a token stands beside a sort or an offset, or an aggregation or a group-by breaks a rule of
    /// its own: [`Aggregations::to_message`], [`GroupBys::to_message`].
    pub fn to_message(&self) -> Result<messages::SearchQuery, SearchError> {
        if self.token.is_some() && (self.sort.is_some() || self.offset.is_some()) {
            let rule = "a token carries the sort and the offset, which can't be given again";
            return Err(SearchError::invalid(rule));
        }
        let (get_total_count, track_total_count) = match self.total {
            None => (None, None),
            Some(TotalCount::Flag(flag)) => (Some(flag), None),
            Some(TotalCount::None) => (None, Some(COUNT_NONE)),
            Some(TotalCount::UpTo(rows)) => (None, Some(int32(rows))),
            Some(TotalCount::Exact) => (None, Some(COUNT_ALL)),
        };
        let aggs = self.aggregations.to_message()?;
        let group_bys = self.group_bys.to_message()?;
        let filter = self.filter.as_ref().map(|query| messages::SearchFilter {
            query: Some(query.to_message()),
        });
        Ok(messages::SearchQuery {
            offset: self.offset.map(int32),
            limit: self.limit.map(int32),
            query: self.query.as_ref().map(Query::to_message),
            collapse: self.collapse.clone().map(|field| messages::Collapse {
                field_name: Some(field),
            }),
            sort: self.sort.as_ref().map(Sort::to_message),
            get_total_count,
            token: self.token.clone(),
            aggs: (!aggs.aggs.is_empty()).then_some(aggs),
            group_bys: (!group_bys.group_bys.is_empty()).then_some(group_bys),
            highlight: self.highlight.as_ref().map(Highlight::to_message),
            track_total_count,
            filter,
        })
    }

    /// The search that a message says.
    ///
    /// # Errors
    /// When a part is damaged, incomplete, nested too deeply, or of a kind that this version doesn't
    /// know; when both ways of asking for a count are used.
    pub fn from_message(message: &messages::SearchQuery) -> Result<Self, SearchError> {
        let total = match (message.get_total_count, message.track_total_count) {
            (None, None) => None,
            (Some(flag), None) => Some(TotalCount::Flag(flag)),
            (None, Some(COUNT_NONE)) => Some(TotalCount::None),
            (None, Some(COUNT_ALL)) => Some(TotalCount::Exact),
            (None, rows) => count32("track_total_count", rows)?.map(TotalCount::UpTo),
            (Some(_), Some(_)) => {
                let rule = "get_total_count and track_total_count exclude each other";
                return Err(SearchError::invalid(rule));
            }
        };
        let query = message
            .query
            .as_ref()
            .map(Query::from_message)
            .transpose()?;
        let filter = message.filter.as_ref().map(|filter| {
            let query = filter.query.as_ref();
            let query = query.ok_or_else(|| SearchError::missing("query"))?;
            Query::from_message(query).map_err(SearchError::from)
        });
        let collapse = message.collapse.as_ref();
        let collapse = collapse.map(|collapse| required("field_name", collapse.field_name.clone()));
        let aggregations = message.aggs.as_ref().map(Aggregations::from_message);
        let group_bys = message.group_bys.as_ref().map(GroupBys::from_message);
        let highlight = message.highlight.as_ref().map(Highlight::from_message);
        Ok(Self {
            query,
            filter: filter.transpose().map_err(|error| error.within("filter"))?,
            offset: count32("offset", message.offset)?,
            limit: count32("limit", message.limit)?,
            token: message.token.clone(),
            sort: message.sort.as_ref().map(Sort::from_message).transpose()?,
            collapse: collapse
                .transpose()
                .map_err(|error| error.within("collapse"))?,
            total,
            highlight: highlight.transpose()?,
            aggregations: aggregations.transpose()?.unwrap_or_default(),
            group_bys: group_bys.transpose()?.unwrap_or_default(),
        })
    }

    /// The bytes that a SearchRequest holds.
    ///
    /// # Errors
    /// As [`to_message`](Self::to_message).
    pub fn to_bytes(&self) -> Result<Bytes, SearchError> {
        Ok(self.to_message()?.encode_to_vec().into())
    }

    /// The search in the bytes of a SearchRequest.
    ///
    /// # Errors
    /// As [`from_message`](Self::from_message), and when the bytes aren't the message.
    pub fn from_bytes(bytes: &Bytes) -> Result<Self, SearchError> {
        Self::from_message(&decode_all(Some(bytes))?)
    }
}

impl fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchQuery")
            .field("query", &self.query)
            .field("filter", &self.filter)
            .field("offset", &self.offset)
            .field("limit", &self.limit)
            // Whoever has a token can read on: its length is enough.
            .field("token_bytes", &self.token.as_ref().map(Bytes::len))
            .field("sort", &self.sort)
            .field("collapse", &self.collapse)
            .field("total", &self.total)
            .field("highlight", &self.highlight)
            .field("aggregations", &self.aggregations)
            .field("group_bys", &self.group_bys)
            .finish()
    }
}

const COUNT_NONE: i32 = -1;
const COUNT_ALL: i32 = i32::MAX;
