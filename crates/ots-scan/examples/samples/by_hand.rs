//! The samples of the service's documentation, line by line, with requests made one by one.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use ots_core::request::{ComputeSplits, ParallelScan, ScanColumns};
use ots_core::{Client, Query, Row};
use ots_proto::NameCache;
use ots_proto::plainbuffer::SeparateRows;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn request(session: &Bytes, split: u32, splits: u32) -> ParallelScan {
    ParallelScan::new("orders", "orders_index", Query::MatchAll)
        .columns(ScanColumns::AllFromIndex)
        .session(session.clone())
        .split(split, splits)
        .limit(500)
}

/// Go, "single concurrency": one split that is the whole.
///
/// What comes after an error, and how it is told from the end, is left to the reader.
pub(crate) async fn single(client: &Client) -> Outcome<u64> {
    let session = client
        .send(ComputeSplits::new("orders", "orders_index"))
        .await?;
    let mut request = request(&session.session_id, 0, 1);
    let mut total = 0;
    loop {
        let page = client.send(request.clone()).await?;
        total += page.rows.len() as u64;
        match &page.next_token {
            Some(token) => request = request.token(token.clone()),
            None => return Ok(total),
        }
    }
}

/// Go, "multi concurrency", and Java with a semaphore: a task for each split, some at once.
///
/// As in both, a task that meets an error ends, and the total is printed all the same. Splits that wait
/// for the semaphore wait while their session ages.
pub(crate) async fn multi(client: &Client, at_once: usize) -> Outcome<u64> {
    let session = client
        .send(ComputeSplits::new("orders", "orders_index"))
        .await?;
    let splits = session.splits_size.get();
    let semaphore = Arc::new(Semaphore::new(at_once));
    let mut tasks = JoinSet::new();
    for split in 0..splits {
        let (client, semaphore) = (client.clone(), Arc::clone(&semaphore));
        let mut request = request(&session.session_id, split, splits);
        tasks.spawn(async move {
            let _permit = semaphore.acquire_owned().await;
            let mut count = 0;
            while let Ok(page) = client.send(request.clone()).await {
                count += page.rows.len() as u64;
                match &page.next_token {
                    Some(token) => request = request.token(token.clone()),
                    None => break,
                }
            }
            count
        });
    }
    Ok(tasks.join_all().await.iter().sum())
}

/// Java, "iterator", with its advice for errors: throw away what came, and begin anew.
///
/// The session is that of before: where it was lost, the second attempt is in vain too.
pub(crate) async fn iterator(client: &Client) -> Outcome<Vec<Row>> {
    let session = client
        .send(ComputeSplits::new("orders", "orders_index"))
        .await?;
    let mut result = Vec::new();
    if read_into(&mut result, client, &session.session_id)
        .await
        .is_err()
    {
        result.clear();
        read_into(&mut result, client, &session.session_id).await?;
    }
    Ok(result)
}

async fn read_into(result: &mut Vec<Row>, client: &Client, session: &Bytes) -> Outcome<()> {
    let mut request = request(session, 0, 1);
    let mut names = NameCache::default();
    loop {
        let page = client.send(request.clone()).await?;
        let mut rows = SeparateRows::new(&page.rows);
        while let Some(row) = rows.next_row()? {
            result.push(row.to_row(&mut names));
        }
        match &page.next_token {
            Some(token) => request = request.token(token.clone()),
            None => return Ok(()),
        }
    }
}
