//! Java, "multiple threads" with a semaphore: a thread for each split, some at once.
//!
//! - A thread that meets an error throws it away, and its rows with it; the total is printed as if it
//!   were the whole.
//! - A split that waits for the semaphore waits until another is read to its end, while the session
//!   ages.
//! - As many requests are in flight as there are cores, which has nothing to do with what the service
//!   can bear.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ots_core::request::ComputeSplits;
use ots_core::{Client, Error, Query};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::request;

pub(crate) async fn scan(client: &Client, at_once: usize) -> Result<u64, Error> {
    let semaphore = Arc::new(Semaphore::new(at_once));
    let splits = client
        .send(ComputeSplits::new("orders", "orders_index"))
        .await?;
    let max_parallel = splits.splits_size.get();
    let row_count = Arc::new(AtomicU64::new(0));
    let mut threads = JoinSet::new();
    for current in 0..max_parallel {
        let Ok(permit) = Arc::clone(&semaphore).acquire_owned().await else {
            break;
        };
        let (client, row_count) = (client.clone(), Arc::clone(&row_count));
        let request = request(&splits.session_id, Query::range("price").lt(9_000).into());
        let mut request = request.split(current, max_parallel);
        threads.spawn(async move {
            let mut count = 0;
            loop {
                // What the iterator throws is caught, and nothing is done about it.
                let Ok(page) = client.send(request.clone()).await else {
                    return;
                };
                count += page.rows.len() as u64;
                match &page.next_token {
                    Some(token) => request = request.token(token.clone()),
                    None => break,
                }
            }
            row_count.fetch_add(count, Ordering::SeqCst);
            drop(permit);
        });
    }
    threads.join_all().await;
    Ok(row_count.load(Ordering::SeqCst))
}
