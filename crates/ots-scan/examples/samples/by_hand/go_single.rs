//! Go, "single concurrency": one split that is the whole.
//!
//! - A session that is lost ends it, and with it go the rows that were counted.
//! - The next page is asked for when the last one is done with, never before.
//! - A token that is there and empty would be asked for ever.

use ots_core::request::ComputeSplits;
use ots_core::{Client, Error, Query};

use super::request;

pub(crate) async fn scan(client: &Client) -> Result<u64, Error> {
    let splits = client
        .send(ComputeSplits::new("orders", "orders_index"))
        .await?;
    let mut request = request(&splits.session_id, Query::MatchAll);
    let mut page = client.send(request.clone()).await?;
    let mut total = page.rows.len() as u64;
    while let Some(token) = &page.next_token {
        request = request.token(token.clone());
        page = client.send(request.clone()).await?;
        total += page.rows.len() as u64;
    }
    Ok(total)
}
