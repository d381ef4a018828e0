//! Go, "multi concurrency": a goroutine for each split.
//!
//! - One that meets an error prints it and ends, and the caller is told nothing: what the others have
//!   counted looks like the whole.
//! - All splits are asked at once, however many the service has found.
//! - A session that is lost ends them all.

use ots_core::request::ComputeSplits;
use ots_core::{Client, Error, Query};
use tokio::task::JoinSet;

use super::request;

pub(crate) async fn scan(client: &Client) -> Result<u64, Error> {
    let splits = client
        .send(ComputeSplits::new("orders", "orders_index"))
        .await?;
    let max_parallel = splits.splits_size.get();
    let mut tasks = JoinSet::new();
    for current in 0..max_parallel {
        let client = client.clone();
        let request = request(&splits.session_id, Query::MatchAll);
        let mut request = request.split(current, max_parallel);
        tasks.spawn(async move {
            let mut page = match client.send(request.clone()).await {
                Ok(page) => page,
                Err(error) => {
                    eprintln!("{error}");
                    return 0;
                }
            };
            let mut total = page.rows.len() as u64;
            while let Some(token) = &page.next_token {
                request = request.token(token.clone());
                page = match client.send(request.clone()).await {
                    Ok(page) => page,
                    Err(error) => {
                        eprintln!("{error}");
                        return 0;
                    }
                };
                total += page.rows.len() as u64;
            }
            total
        });
    }
    Ok(tasks.join_all().await.iter().sum())
}
