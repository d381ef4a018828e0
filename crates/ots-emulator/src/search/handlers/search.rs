//! Search.

use std::sync::{Arc, Mutex};

use ots_proto::messages::{self, SearchQuery, SearchRequest, SearchResponse};
use ots_proto::search::{Aggregations, GroupBys, Highlight, SearchError, SearchHit};
use prost::Message;

use super::super::aggregation::{self, Aggregation};
use super::super::columns::Columns;
use super::super::doc::Doc;
use super::super::field::{Field, Kind};
use super::super::group_by::{self, Budget, GroupBy};
use super::super::highlight::Highlighter;
use super::super::inner_hits::{inner_hits, wants_inner_hits};
use super::super::order::RowOrder;
use super::super::query::CompiledQuery;
use super::super::schema::Schema;
use super::super::select::{Selected, Selection};
use super::super::source::Source;
use super::super::token::{self, SearchToken};
use super::super::view::IndexView;
use super::index::answering;
use super::{check_columns, named, sweep, table};
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
    // An empty token says as much as none.
    message.token = message.token.filter(|token| !token.is_empty());

    sweep(context, database);
    // Under the lock there are only pointers to copy: rows are matched, sorted and written without
    // it.
    let (meta, view, schema, identity, index_sort) = {
        let database = lock(database);
        let table = table(&database, &table_name)?;
        let index = answering(table, &index_name)?;
        let (meta, schema) = (Arc::clone(&table.meta), Arc::clone(&index.schema));
        let view = IndexView::of(context, table, index);
        (meta, view, schema, index.identity, index.sort())
    };
    let columns = Columns::for_search(&schema, request.columns_to_get.as_ref())?;
    let window = Window::parse(&message, &columns, context.settings)?;
    let mut query = CompiledQuery::compile(&schema, message.query.as_ref(), context.random.u64())?;
    let mut filter = post_filter(&schema, &message)?;
    let collapse = collapse(&schema, &message)?;
    let highlighter = highlighter(&schema, &message)?;
    let summary = Summary::parse(&schema, &message)?;
    let binding = token::binding(&(identity, message.query.as_ref(), message.filter.as_ref()));
    // Pages follow each other in a known order only.
    let pages = message.token.is_some() || message.sort.is_some() || !schema.has_nested();
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
    let source = Source {
        database,
        table: &meta,
        view,
    };
    for query in [Some(&mut query), filter.as_mut()].into_iter().flatten() {
        if query.has_nearest() {
            query.find_nearest(&source.all()?);
        }
    }
    let selection = Selection {
        query: &query,
        filter: filter.as_ref(),
        collapse: collapse.as_deref(),
        order: &order,
        after: after.as_ref(),
        offset: window.offset,
        limit: window.limit,
        count: counts(&message),
    };
    let selected = selection.run(source)?;

    let next_token = match selected.rows.last() {
        Some(last) if selected.more && pages => {
            let score = selected.scores.last().copied().unwrap_or_default();
            Some(token::encode(&SearchToken {
                binding,
                sort: Some(sort),
                after: order.position(last, score).encode(),
            }))
        }
        _ => None,
    };
    let search_hits = hits(&selected, &query, highlighter.as_ref());
    let mut response = SearchResponse {
        total_hits: Some(total_hits(&message, selected.total)),
        rows: columns.encode_all(&schema.table, &selected.rows),
        is_all_succeeded: Some(true),
        next_token,
        search_hits,
        ..SearchResponse::default()
    };
    summary.add_to(&mut response, &query, source)?;
    Ok(response)
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

/// Whether matches must be counted. An official SDK asks with a number: -1 for no, anything else for a
/// count that is exact up to it.
fn counts(message: &SearchQuery) -> bool {
    message.get_total_count.unwrap_or(false)
        || message.track_total_count.is_some_and(|up_to| up_to > 0)
}

/// The count as it is said. Beyond the number it was asked up to, the service promises only that there
/// are as many: that is all that is said here, so that whoever takes it for the total notices.
fn total_hits(message: &SearchQuery, total: Option<usize>) -> i64 {
    let Some(total) = total else {
        return NOT_COUNTED;
    };
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    match message.track_total_count {
        Some(up_to) if up_to < i32::MAX && !message.get_total_count.unwrap_or(false) => {
            total.min(i64::from(up_to))
        }
        _ => total,
    }
}

/// What there is to say about each of the rows besides itself; nothing if nobody asked.
fn hits(
    selected: &Selected,
    query: &CompiledQuery,
    highlighter: Option<&Highlighter>,
) -> Vec<messages::SearchHit> {
    let root = query.root();
    let scored = !selected.scores.is_empty();
    if !scored && highlighter.is_none() && !wants_inner_hits(root) {
        return Vec::new();
    }
    let rows = selected.rows.iter().enumerate();
    let hits = rows.map(|(place, row)| {
        let doc = Doc::Row(row);
        let mut hit = SearchHit::default();
        hit.score = selected.scores.get(place).copied();
        if let Some(highlighter) = highlighter {
            hit.highlights = highlighter.highlight(root, doc);
        }
        hit.inner_hits = inner_hits(root, doc);
        hit.to_message()
    });
    hits.collect()
}

fn post_filter(
    schema: &Schema,
    message: &SearchQuery,
) -> Result<Option<CompiledQuery>, ServiceError> {
    let filter = message.filter.as_ref();
    filter
        .map(|filter| CompiledQuery::compile(schema, filter.query.as_ref(), 0))
        .transpose()
}

fn collapse(schema: &Schema, message: &SearchQuery) -> Result<Option<Arc<Field>>, ServiceError> {
    let Some(collapse) = &message.collapse else {
        return Ok(None);
    };
    if message.token.is_some() {
        return Err(ServiceError::parameter(
            "collapsed rows are paged by offset, not by token",
        ));
    }
    let name = collapse.field_name.as_deref().unwrap_or_default();
    let field = schema.field(name)?;
    match field.kind {
        Kind::Long | Kind::Double | Kind::Keyword if field.has_one_value() => {
            Ok(Some(Arc::clone(field)))
        }
        _ => Err(ServiceError::parameter(format!(
            "can't collapse by field [{name}] of type {}: only by LONG, DOUBLE and KEYWORD that are \
             no arrays",
            field.kind.name()
        ))),
    }
}

fn highlighter(
    schema: &Schema,
    message: &SearchQuery,
) -> Result<Option<Highlighter>, ServiceError> {
    let Some(highlight) = &message.highlight else {
        return Ok(None);
    };
    let highlight =
        Highlight::from_message(highlight).map_err(|error| ServiceError::caused(&error))?;
    Highlighter::parse(schema, &highlight).map(Some)
}

/// What is to be computed about all matches.
struct Summary {
    aggregations: Vec<(String, Aggregation)>,
    group_bys: Vec<(String, GroupBy)>,
}

impl Summary {
    fn parse(schema: &Schema, message: &SearchQuery) -> Result<Self, ServiceError> {
        let aggregations = message.aggs.as_ref().map(Aggregations::from_message);
        let aggregations = aggregations
            .transpose()
            .map_err(|error| ServiceError::caused(&error))?
            .unwrap_or_default();
        let group_bys = message.group_bys.as_ref().map(GroupBys::from_message);
        let group_bys = group_bys
            .transpose()
            .map_err(|error| ServiceError::caused(&error))?
            .unwrap_or_default();
        Ok(Self {
            aggregations: aggregation::parse(schema, &aggregations)?,
            group_bys: group_by::parse(schema, &group_bys, 0)?,
        })
    }

    /// Whatever the page shows, all matches count.
    fn add_to(
        &self,
        response: &mut SearchResponse,
        query: &CompiledQuery,
        source: Source<'_>,
    ) -> Result<(), ServiceError> {
        if self.aggregations.is_empty() && self.group_bys.is_empty() {
            return Ok(());
        }
        let rows = source.all()?;
        let rows: Vec<_> = rows.iter().filter(|row| query.matches(*row)).collect();
        let caused = |error: SearchError| ServiceError::caused(&error);
        if !self.aggregations.is_empty() {
            let results = aggregation::run(&self.aggregations, &rows);
            response.aggs = Some(results.to_bytes().map_err(caused)?);
        }
        if !self.group_bys.is_empty() {
            let results = group_by::run(&self.group_bys, &rows, &mut Budget::new())?;
            response.group_bys = Some(results.to_bytes().map_err(caused)?);
        }
        Ok(())
    }
}

/// What `total_hits` says when nobody asked.
const NOT_COUNTED: i64 = -1;
/// From the public documentation.
const DEFAULT_LIMIT: usize = 10;
