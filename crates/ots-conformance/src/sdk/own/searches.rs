//! Search.

use ots_core::Query;
use ots_core::request::{Columns, Search};
use ots_proto::search::{Highlight, InnerHits, Sort};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::aggregations::{Named, aggregation, group_by};
use super::values::{Key, Token, rows, token};
use super::{Outcome, OwnClient, Said, failed, results};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    table: String,
    index: String,
    query: Json,
    sort: Option<Json>,
    offset: Option<u32>,
    limit: Option<u32>,
    token: Option<Token>,
    columns: Option<Json>,
    #[serde(default)]
    count_all: bool,
    collapse: Option<String>,
    highlight: Option<Json>,
    #[serde(default)]
    aggs: Named,
    #[serde(default)]
    groups: Named,
    #[serde(default)]
    routed_to: Vec<Key>,
}

/// A query, in the JSON that our client reads.
pub(super) fn query(json: &Json) -> Result<Query, Said> {
    Query::from_json(json).map_err(failed)
}

/// Sorters, in the JSON that our client reads: it does so inside a query, for the hits of sub-rows.
pub(super) fn sort(sorters: &Json) -> Result<Sort, Said> {
    let hits = inner_hits("sort", sorters)?;
    hits.sort
        .ok_or_else(|| Said::Failed("no sorters".to_owned()))
}

fn highlight(highlight: &Json) -> Result<Highlight, Said> {
    let hits = inner_hits("highlight", highlight)?;
    hits.highlight
        .ok_or_else(|| Said::Failed("no highlight".to_owned()))
}

fn inner_hits(part: &str, json: &Json) -> Result<InnerHits, Said> {
    let mut hits = Map::new();
    hits.insert(part.to_owned(), json.clone());
    let nested = json!({
        "nested": { "path": "p", "query": { "match_all": {} }, "inner_hits": hits },
    });
    match query(&nested)? {
        Query::Nested(nested) => nested.inner_hits.map(|hits| *hits),
        _ => None,
    }
    .ok_or_else(|| Said::Failed("no inner hits".to_owned()))
}

pub(super) async fn search(own: &OwnClient, ask: Ask) -> Outcome {
    let mut search = Search::new(ask.table, ask.index, query(&ask.query)?);
    search = search.columns(match ask.columns {
        None => Columns::PrimaryKey,
        Some(Json::String(which)) => match which.as_str() {
            "all" => Columns::All,
            "index" => Columns::AllFromIndex,
            _ => Columns::PrimaryKey,
        },
        Some(names) => Columns::Specified(serde_json::from_value(names).map_err(failed)?),
    });
    if let Some(sorters) = &ask.sort {
        search = search.sort(sort(sorters)?);
    }
    if let Some(offset) = ask.offset {
        search = search.offset(offset);
    }
    if let Some(limit) = ask.limit {
        search = search.limit(limit);
    }
    if let Some(token) = ask.token {
        search = search.token(token.into_bytes());
    }
    if ask.count_all {
        search = search.count_all();
    }
    if let Some(field) = ask.collapse {
        search = search.collapse(field);
    }
    if let Some(json) = &ask.highlight {
        search = search.highlight(highlight(json)?);
    }
    for (name, json) in &ask.aggs.0 {
        search = search.aggregation(name, aggregation(json)?);
    }
    for (name, json) in &ask.groups.0 {
        search = search.group_by(name, group_by(json)?);
    }
    if !ask.routed_to.is_empty() {
        search = search.routing(ask.routed_to.into_iter().map(|key| key.0));
    }
    let reply = own.send(search).await?;
    let read = reply.rows().map_err(failed)?;
    Ok(json!({
        "rows": rows(&read)?,
        "total": reply.response.total(),
        "all_succeeded": reply.response.is_all_succeeded,
        "next": token(reply.response.next_token.as_ref()),
        "hits": reply.response.hits().iter().map(results::hit).collect::<Json>(),
        "aggs": results::aggregations(&reply.response.aggregations)?,
        "groups": results::group_bys(&reply.response.group_bys)?,
    }))
}
