//! Search: one page of the rows of an index that match a query.

use bytes::Bytes;
use ots_proto::plainbuffer::SeparateRows;
use ots_proto::search::Query;
use ots_proto::{NameCache, Row, messages, operation};
use prost::Message as _;

use super::scan::ScanColumns;
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::Error;

/// Which way to sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum SortOrder {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// Sorts by a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "complete: a field and a direction"
)]
pub struct FieldSort {
    /// The field.
    pub field: String,
    /// The direction.
    pub order: SortOrder,
}

/// Asks for one page of the rows that match a query, by primary key unless sorted otherwise.
///
/// Source: the service's documentation of Search.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Search {
    table: String,
    index: String,
    query: Query,
    offset: Option<u32>,
    limit: Option<u32>,
    total: bool,
    sorts: Vec<FieldSort>,
    token: Option<Bytes>,
    columns: messages::ColumnsToGet,
}

impl Search {
    /// The first ten rows of `index` that match `query`, with all their columns.
    pub fn new(table: impl Into<String>, index: impl Into<String>, query: Query) -> Self {
        let all = messages::ColumnReturnType::All;
        Self {
            table: table.into(),
            index: index.into(),
            query,
            offset: None,
            limit: None,
            total: false,
            sorts: Vec::new(),
            token: None,
            columns: messages::ColumnsToGet {
                return_type: Some(all.into()),
                column_names: Vec::new(),
            },
        }
    }

    /// Rows to skip. The service limits offset and limit together.
    pub const fn offset(mut self, rows: u32) -> Self {
        self.offset = Some(rows);
        self
    }

    /// Rows wanted in a page; 0 only counts.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Also count all matches.
    pub const fn total(mut self) -> Self {
        self.total = true;
        self
    }

    /// Sorts by a field, after those given before.
    pub fn sort(mut self, field: impl Into<String>, order: SortOrder) -> Self {
        self.sorts.push(FieldSort {
            field: field.into(),
            order,
        });
        self
    }

    /// Where the last page ended. The token carries the sort: offset and sort are left out.
    pub fn token(mut self, token: Bytes) -> Self {
        self.token = Some(token);
        self
    }

    /// The columns to return; all of the table's when never called.
    pub fn columns(mut self, columns: ScanColumns) -> Self {
        self.columns = columns.into_message();
        self
    }
}

impl Request for Search {
    type Operation = operation::Search;
    type Output = SearchReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::SearchRequest, Error> {
        let count = |name: &str, rows: Option<u32>| {
            let table = &self.table;
            rows.map(i32::try_from).transpose().map_err(|_| {
                let most = i32::MAX;
                Error::request(format!(
                    "Search on table {table:?}: {name} must be at most {most}"
                ))
            })
        };
        let (offset, limit) = (count("offset", self.offset)?, count("limit", self.limit)?);
        let sorter = |sort: FieldSort| messages::Sorter {
            field_sort: Some(messages::FieldSort {
                field_name: Some(sort.field),
                order: Some(match sort.order {
                    SortOrder::Ascending => messages::SortOrder::Asc.into(),
                    SortOrder::Descending => messages::SortOrder::Desc.into(),
                }),
                ..messages::FieldSort::default()
            }),
            ..messages::Sorter::default()
        };
        let first_page = self.token.is_none();
        let sort = (first_page && !self.sorts.is_empty()).then(|| messages::Sort {
            sorter: self.sorts.into_iter().map(sorter).collect(),
            ..messages::Sort::default()
        });
        let query = messages::SearchQuery {
            offset: offset.filter(|_| first_page),
            limit,
            query: Some(self.query.to_message()),
            sort,
            get_total_count: Some(self.total),
            token: self.token,
            ..messages::SearchQuery::default()
        };
        Ok(messages::SearchRequest {
            table_name: Some(self.table),
            index_name: Some(self.index),
            columns_to_get: Some(self.columns),
            search_query: Some(query.encode_to_vec().into()),
            routing_values: Vec::new(),
            timeout_ms: None,
        })
    }

    fn read(reply: Reply<messages::SearchResponse>) -> Result<SearchReply, Error> {
        let response = reply.response;
        if response.is_all_succeeded == Some(false) {
            let problem = "Search answered with only a part of the matches: some shards failed";
            return Err(Error::body(problem));
        }
        let mut rows = Vec::with_capacity(response.rows.len());
        let mut names = NameCache::default();
        let mut reader = SeparateRows::new(&response.rows);
        while let Some(row) = reader.next_row().map_err(Error::body)? {
            rows.push(row.to_row(&mut names));
        }
        Ok(SearchReply {
            rows,
            total: response
                .total_hits
                .and_then(|total| u64::try_from(total).ok()),
            next_token: response.next_token.filter(|token| !token.is_empty()),
            consumed: Consumed::from_message(response.consumed.as_ref()),
        })
    }
}

/// One page of matches.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchReply {
    /// The rows.
    pub rows: Vec<Row>,
    /// How many rows match in all, if that was asked.
    pub total: Option<u64>,
    /// Where the next page begins; absent after the last.
    pub next_token: Option<Bytes>,
    /// What the search cost, where the service says so.
    pub consumed: Consumed,
}
