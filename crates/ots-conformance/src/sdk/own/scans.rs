//! ComputeSplits and ParallelScan.

use std::time::Duration;

use ots_core::request::{ComputeSplits, ParallelScan, ScanColumns};
use ots_proto::NameCache;
use ots_proto::plainbuffer::SeparateRows;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::searches::query;
use super::values::{Token, rows, token};
use super::{Outcome, OwnClient, Said, failed, indexes};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scan {
    table: String,
    index: String,
    query: Json,
    #[serde(default)]
    columns: Option<Json>,
    limit: Option<u32>,
    session: Option<Token>,
    /// This share, and how many there are.
    share: Option<(u32, u32)>,
    alive_s: Option<u64>,
    token: Option<Token>,
}

pub(super) async fn compute_splits(own: &OwnClient, ask: indexes::Named) -> Outcome {
    let reply = own.send(ComputeSplits::new(ask.table, ask.index)).await?;
    Ok(json!({
        "session": hex::encode(&reply.session_id),
        "splits": reply.splits_size,
    }))
}

pub(super) async fn scan(own: &OwnClient, ask: Scan) -> Outcome {
    let mut scan = ParallelScan::new(ask.table, ask.index, query(&ask.query)?);
    scan = scan.columns(match ask.columns {
        None => ScanColumns::PrimaryKey,
        Some(Json::String(all)) if all == "index" => ScanColumns::AllFromIndex,
        Some(Json::String(none)) if none == "none" => ScanColumns::PrimaryKey,
        Some(Json::String(other)) => {
            return Err(Said::Unsupported(format!("a scan of {other} columns")));
        }
        Some(names) => ScanColumns::Specified(serde_json::from_value(names).map_err(failed)?),
    });
    if let Some(limit) = ask.limit {
        scan = scan.limit(limit);
    }
    if let Some(session) = ask.session {
        scan = scan.session(session.into_bytes());
    }
    if let Some((id, of)) = ask.share {
        scan = scan.split(id, of);
    }
    if let Some(seconds) = ask.alive_s {
        scan = scan.alive_time(Duration::from_secs(seconds));
    }
    if let Some(token) = ask.token {
        scan = scan.token(token.into_bytes());
    }
    let reply = own.send(scan).await?;
    let mut names = NameCache::default();
    let mut reader = SeparateRows::new(&reply.rows);
    let mut read = Vec::new();
    while let Some(row) = reader.next_row().map_err(failed)? {
        read.push(row.to_row(&mut names));
    }
    Ok(json!({ "rows": rows(&read)?, "next": token(reply.next_token.as_ref()) }))
}
