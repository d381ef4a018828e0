//! So many requests at once, and fewer while the service throttles. No split waits for another: the
//! session is divided into as many as are read at once.

use futures::TryStreamExt as _;
use ots_core::{Client, Query};
use ots_scan::ScanError;

use super::orders;

pub(crate) async fn scan(client: &Client, at_once: u32) -> Result<u64, ScanError> {
    let cheap = orders(client).query(Query::range("price").lt(9_000).into());
    let mut pages = cheap.concurrency(at_once).open().await?;
    let mut total = 0;
    while let Some(page) = pages.try_next().await? {
        total += page.rows.len() as u64;
    }
    Ok(total)
}
