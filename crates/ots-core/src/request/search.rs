//! Search: one page of the rows of an index that match a query.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use ots_proto::plainbuffer::{SeparateRows, write_primary_key};
use ots_proto::search::{
    Aggregation, GroupBy, Highlight, Query, SearchQuery, SearchResponse, Sort, TotalCount,
};
use ots_proto::{NameCache, PrimaryKey, Row, messages, operation};

use super::columns::Columns;
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::Error;

/// Asks for one page of the rows that match a query, by primary key unless sorted otherwise.
///
/// Limits: a page has 100 rows at most, or 1,000 when every column comes from the index; offset and
/// limit together reach 100,000 rows. [Tokens](Self::token) reach further.
///
/// # Errors
/// `OTSMetaNotMatch` without the index, `OTSParameterInvalid` for a query that doesn't fit its fields.
/// An answer in which shards are missing is an error, unless [partial](Self::allow_partial) ones are
/// welcome.
///
/// # Cost
/// Read capacity units by the size of what is read, where the service says so in the reply.
///
/// Source: the service's documentation of Search.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::Query;
/// use ots_core::request::Search;
/// use ots_proto::search::{Aggregation, FieldSort};
///
/// let search = Search::new("orders", "by_city", Query::term("city", "Hangzhou"))
///     .sort(FieldSort::desc("price"))
///     .limit(20)
///     .count_all()
///     .aggregation("mean price", Aggregation::avg("price"));
/// let page = client.send(search).await?;
/// println!("{:?} orders, {:?} on average", page.total(), page.aggregations.avg("mean price"));
/// for row in page.rows()? {
///     println!("{row:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
#[must_use]
pub struct Search {
    table: String,
    index: String,
    search: SearchQuery,
    columns: Columns,
    routing: Vec<PrimaryKey>,
    timeout: Option<Duration>,
    allows_partial: bool,
}

impl Search {
    /// The first ten rows of `index` that match `query`, with all their columns.
    pub fn new(table: impl Into<String>, index: impl Into<String>, query: Query) -> Self {
        let search = SearchQuery::new(query).total(TotalCount::Flag(false));
        Self::with(table, index, search)
    }

    /// A search that was put together elsewhere, with all columns of the rows.
    pub fn with(table: impl Into<String>, index: impl Into<String>, search: SearchQuery) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
            search,
            columns: Columns::All,
            routing: Vec::new(),
            timeout: None,
            allows_partial: false,
        }
    }

    /// Rows to skip. The service limits offset and limit together.
    pub const fn offset(mut self, rows: u32) -> Self {
        self.search.offset = Some(rows);
        self
    }

    /// Rows wanted in a page; 0 only counts and aggregates.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.search.limit = Some(rows);
        self
    }

    /// Also counts all matches.
    pub const fn count_all(mut self) -> Self {
        self.search.total = Some(TotalCount::Flag(true));
        self
    }

    /// Whether, and how far, to count matches.
    pub const fn total(mut self, count: TotalCount) -> Self {
        self.search.total = Some(count);
        self
    }

    /// In this order. Not with a token, which carries the order.
    pub fn sort(mut self, sort: impl Into<Sort>) -> Self {
        self.search.sort = Some(sort.into());
        self
    }

    /// Among the matches, only those that pass: aggregations see all matches.
    pub fn filter(mut self, filter: impl Into<Query>) -> Self {
        self.search.filter = Some(filter.into());
        self
    }

    /// Only the first row for each value of `field`.
    pub fn collapse(mut self, field: impl Into<String>) -> Self {
        self.search.collapse = Some(field.into());
        self
    }

    /// Shows where a text matched.
    pub fn highlight(mut self, highlight: Highlight) -> Self {
        self.search.highlight = Some(highlight);
        self
    }

    /// Computes something over all matches.
    pub fn aggregation(
        mut self,
        name: impl Into<String>,
        aggregation: impl Into<Aggregation>,
    ) -> Self {
        self.search = self.search.aggregation(name, aggregation);
        self
    }

    /// Groups all matches.
    pub fn group_by(mut self, name: impl Into<String>, group_by: impl Into<GroupBy>) -> Self {
        self.search = self.search.group_by(name, group_by);
        self
    }

    /// Where the last page ended. The token carries the sort: offset and sort are left out.
    pub fn token(mut self, token: Bytes) -> Self {
        self.search.token = Some(token);
        self
    }

    /// The columns to return; all of the table's when never called.
    pub fn columns(mut self, columns: impl Into<Columns>) -> Self {
        self.columns = columns.into();
        self
    }

    /// Only the shards that hold these values of the index's routing fields, each as the columns of a
    /// key.
    pub fn routing(mut self, values: impl IntoIterator<Item = PrimaryKey>) -> Self {
        self.routing = values.into_iter().collect();
        self
    }

    /// How long the service may take, in whole milliseconds.
    pub const fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }

    /// Takes an answer in which shards are missing: see
    /// [`SearchReply::is_partial`]. Without this such an answer is an error, because a part must not
    /// pass for the whole.
    pub const fn allow_partial(mut self) -> Self {
        self.allows_partial = true;
        self
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("table", &self.table)
            .field("index", &self.index)
            .field("search", &self.search)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl Request for Search {
    type Operation = operation::Search;
    type Output = SearchReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::SearchRequest, Error> {
        let table = &self.table;
        let refused =
            |problem: String| Error::request(format!("Search on table {table:?}: {problem}"));
        let mut search = self.search;
        for (name, number) in [("offset", search.offset), ("limit", search.limit)] {
            if number.is_some_and(|number| i32::try_from(number).is_err()) {
                return Err(refused(format!("{name} must be at most {}", i32::MAX)));
            }
        }
        if search.token.is_some() {
            (search.offset, search.sort) = (None, None);
        }
        let timeout = self.timeout.map(|time| {
            let millis = i32::try_from(time.as_millis())
                .ok()
                .filter(|millis| *millis > 0);
            millis.ok_or_else(|| refused(format!("timeout of {time:?} is out of range")))
        });
        let search = search
            .to_bytes()
            .map_err(|error| refused(error.to_string()))?;
        Ok(messages::SearchRequest {
            timeout_ms: timeout.transpose()?,
            table_name: Some(self.table),
            index_name: Some(self.index),
            columns_to_get: Some(self.columns.into_message()),
            search_query: Some(search),
            routing_values: self.routing.iter().map(write_primary_key).collect(),
        })
    }

    fn read(reply: Reply<messages::SearchResponse>) -> Result<SearchReply, Error> {
        let reply = read_any(&reply.response)?;
        if reply.is_partial() {
            let problem = "Search answered with only a part of the matches: some shards failed";
            return Err(Error::body(problem));
        }
        Ok(reply)
    }

    fn reader(
        &self,
    ) -> impl FnOnce(Reply<messages::SearchResponse>) -> Result<SearchReply, Error> + Send + use<>
    {
        let allows_partial = self.allows_partial;
        move |reply| {
            if allows_partial {
                read_any(&reply.response)
            } else {
                Self::read(reply)
            }
        }
    }
}

fn read_any(message: &messages::SearchResponse) -> Result<SearchReply, Error> {
    let response = SearchResponse::from_message(message).map_err(Error::body)?;
    let consumed = Consumed::from_message(response.consumed.as_ref());
    Ok(SearchReply { response, consumed })
}

/// One page of matches. It stands for the [`SearchResponse`], whose aggregations, groups and next token
/// are reached through it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchReply {
    /// What the service said. Its rows are slices of the answer's buffer.
    pub response: SearchResponse,
    /// What the search cost, where the service says so.
    pub consumed: Consumed,
}

impl SearchReply {
    /// A reader that lends the rows, one after another, without copying them.
    pub fn row_refs(&self) -> SeparateRows<'_> {
        SeparateRows::new(&self.response.rows)
    }

    /// The rows, copied.
    ///
    /// # Errors
    /// When a row is damaged.
    pub fn rows(&self) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::with_capacity(self.response.rows.len());
        let mut names = NameCache::default();
        let mut reader = self.row_refs();
        while let Some(row) = reader.next_row().map_err(Error::body)? {
            rows.push(row.to_row(&mut names));
        }
        Ok(rows)
    }

    /// Whether shards are missing: then rows, counts and aggregations are of a part.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.response.is_all_succeeded == Some(false)
    }
}

impl std::ops::Deref for SearchReply {
    type Target = SearchResponse;

    fn deref(&self) -> &SearchResponse {
        &self.response
    }
}
