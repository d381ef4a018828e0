//! The same with this crate.

use futures::TryStreamExt as _;
use ots_core::{Client, Row};
use ots_scan::{OnSessionLoss, ScanBuilder, ScanError, ScanEvent, parallel_scan};

fn orders(client: &Client) -> ScanBuilder<Client> {
    parallel_scan(client.clone(), "orders", "orders_index").limit(500)
}

/// One split, one request at a time. The end is an end, and anything else an error.
pub(crate) async fn single(client: &Client) -> Result<u64, ScanError> {
    count(orders(client).concurrency(1)).await
}

/// Some splits at once, never more than are read; a lost session is begun anew, and no row counted
/// twice.
pub(crate) async fn multi(client: &Client, at_once: u32) -> Result<u64, ScanError> {
    count(orders(client).concurrency(at_once)).await
}

async fn count(scan: ScanBuilder<Client>) -> Result<u64, ScanError> {
    let scan = scan.on_session_loss(OnSessionLoss::ExactlyOnce { max: 3 });
    let pages = scan.open().await?;
    pages
        .try_fold(0, async |total, page| Ok(total + page.rows.len() as u64))
        .await
}

/// Throws away what came and begins anew, in a session that lives.
pub(crate) async fn iterator(client: &Client) -> Result<Vec<Row>, ScanError> {
    let scan = orders(client).on_session_loss(OnSessionLoss::Restart { max: 3 });
    let mut events = scan.events().await?;
    let mut result = Vec::new();
    while let Some(event) = events.try_next().await? {
        match event {
            ScanEvent::Page(page) => result.extend(page.rows()?),
            ScanEvent::Restarted(_) => result.clear(),
            _ => {}
        }
    }
    Ok(result)
}
