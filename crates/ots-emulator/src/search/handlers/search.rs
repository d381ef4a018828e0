//! Search.

use std::sync::{Arc, Mutex};

use ots_proto::messages::{SearchQuery, SearchRequest, SearchResponse};
use prost::Message;

use super::super::columns::Columns;
use super::super::order::RowOrder;
use super::super::query::CompiledQuery;
use super::super::select::Selection;
use super::super::source::Source;
use super::super::token::{self, SearchToken};
use super::{check_columns, index, named, sweep, table};
use crate::database::{Database, lock};
use crate::error::ServiceError;
use crate::settings::{Context, Settings};

/// Searches the rows of the table.
///
/// `routing_values` are accepted and change nothing: routing narrows a search to the shards where the
/// rows of a routing key lie, and an index here has one shard, which holds every row.
pub(crate) fn search(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: SearchRequest,
) -> Result<SearchResponse, ServiceError> {
    let (table_name, index_name) = named(&request.table_name, &request.index_name)?;
    check_columns(request.columns_to_get.as_ref())?;
    let bytes = request.search_query.unwrap_or_default();
    let mut message = SearchQuery::decode(bytes)
        .map_err(|_| ServiceError::parameter("Parse PBMessage from RawString failed."))?;
    refuse_features(&message)?;
    // An empty token says as much as none.
    message.token = message.token.filter(|token| !token.is_empty());

    sweep(context, database);
    // Under the lock there are only pointers to copy: rows are matched, sorted and written without
    // it.
    let (meta, schema, identity, index_sort) = {
        let database = lock(database);
        let table = table(&database, &table_name)?;
        let index = index(table, &index_name)?;
        let (meta, schema) = (Arc::clone(&table.meta), Arc::clone(&index.schema));
        (meta, schema, index.identity, index.sort())
    };
    let columns = Columns::for_search(&schema, request.columns_to_get.as_ref())?;
    let window = Window::parse(&message, &columns, context.settings)?;
    let query = CompiledQuery::compile(&schema, message.query.as_ref())?;
    let binding = token::binding(&(identity, message.query.as_ref()));
    let (sort, after) = match &message.token {
        Some(bytes) => {
            let token: SearchToken = token::decode(bytes, binding)?;
            (token.sort.unwrap_or_default(), Some(token.after))
        }
        None => (message.sort.clone().unwrap_or(index_sort), None),
    };
    let order = RowOrder::parse(&schema, &sort)?;
    let after = match after {
        Some(values) => Some(order.decode_position(&values).ok_or_else(token::not_ours)?),
        None => None,
    };
    let selection = Selection {
        query: &query,
        order: &order,
        after: after.as_ref(),
        offset: window.offset,
        limit: window.limit,
        count: counts(&message),
    };
    let selected = selection.run(Source {
        database,
        table: &meta,
    })?;

    let next_token = match selected.rows.last() {
        Some(last) if selected.more => Some(token::encode(&SearchToken {
            binding,
            sort: Some(sort),
            after: order.position(last).encode(),
        })),
        _ => None,
    };
    Ok(SearchResponse {
        total_hits: Some(match selected.total {
            Some(total) => i64::try_from(total).unwrap_or(i64::MAX),
            None => NOT_COUNTED,
        }),
        rows: columns.encode_all(&schema.table, &selected.rows),
        is_all_succeeded: Some(true),
        next_token,
        ..SearchResponse::default()
    })
}

/// Which part of the result is asked for.
struct Window {
    offset: usize,
    limit: usize,
}

impl Window {
    fn parse(
        message: &SearchQuery,
        columns: &Columns,
        settings: &Settings,
    ) -> Result<Self, ServiceError> {
        let number = |name: &str, value: Option<i32>, default: usize| match value {
            None => Ok(default),
            Some(value) => usize::try_from(value).map_err(|_| {
                ServiceError::parameter(format!("{name} must not be negative, it is {value}"))
            }),
        };
        let offset = number("offset", message.offset, 0)?;
        let limit = number("limit", message.limit, DEFAULT_LIMIT)?;
        if message.token.is_some() && (offset > 0 || message.sort.is_some()) {
            return Err(ServiceError::parameter(
                "a request with a token has neither an offset nor a sort: the token carries them",
            ));
        }
        let max = if columns.index_suffices() {
            settings.search_index_limit
        } else {
            settings.search_limit
        };
        if limit > max {
            return Err(ServiceError::parameter(format!(
                "limit must be at most {max} for the columns asked for, it is {limit}"
            )));
        }
        let window = offset.saturating_add(limit);
        if window > settings.search_window {
            return Err(ServiceError::parameter(format!(
                "offset + limit must be at most {}, it is {window}; use a token to go further",
                settings.search_window
            )));
        }
        Ok(Self { offset, limit })
    }
}

/// Whether all matches must be counted. An official SDK asks with a number: -1 for no, anything else
/// for a count that is exact at least up to it, so an exact one will do.
fn counts(message: &SearchQuery) -> bool {
    message.get_total_count.unwrap_or(false)
        || message.track_total_count.is_some_and(|up_to| up_to > 0)
}

fn refuse_features(message: &SearchQuery) -> Result<(), ServiceError> {
    let aggregations = message
        .aggs
        .as_ref()
        .is_some_and(|aggs| !aggs.aggs.is_empty());
    let group_bys = message
        .group_bys
        .as_ref()
        .is_some_and(|group_bys| !group_bys.group_bys.is_empty());
    for (present, feature) in [
        (message.collapse.is_some(), "collapse"),
        (aggregations, "aggregations"),
        (group_bys, "group_bys"),
        (message.highlight.is_some(), "highlight"),
        (message.filter.is_some(), "filter beside the query"),
    ] {
        if present {
            return Err(ServiceError::parameter(format!(
                "{feature} of a Search is not supported by the emulator"
            )));
        }
    }
    Ok(())
}

/// What `total_hits` says when nobody asked.
const NOT_COUNTED: i64 = -1;
/// From the public documentation.
const DEFAULT_LIMIT: usize = 10;
