//! One split, and the next page on its way while this one is counted.

use futures::TryStreamExt as _;
use ots_core::Client;
use ots_scan::ScanError;

use super::orders;

pub(crate) async fn scan(client: &Client) -> Result<u64, ScanError> {
    let mut pages = orders(client).concurrency(1).open().await?;
    let mut total = 0;
    while let Some(page) = pages.try_next().await? {
        total += page.rows.len() as u64;
    }
    Ok(total)
}
