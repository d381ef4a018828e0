//! Keys that were given: found again, and no others.

#[cfg(unix)]
mod files;
mod memory;
mod model;
mod spilled;

use std::future::poll_fn;
use std::path::Path;

use bytes::Bytes;
use ots_proto::plainbuffer::write_row;
use ots_proto::{PrimaryKey, Row};

use super::*;

fn page(keys: &[PrimaryKey]) -> Vec<Bytes> {
    let row = |key: &PrimaryKey| write_row(&Row::new(key.clone()).cell("city", "Hangzhou"));
    keys.iter().map(row).collect()
}

fn key(id: i64) -> PrimaryKey {
    PrimaryKey::new().column("id", id)
}

fn keys(page: &[Bytes]) -> PageKeys {
    PageKeys::read(page).unwrap()
}

fn in_memory() -> Delivered {
    Delivered::new(usize::MAX, None)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// What a scan does with each page.
async fn record(delivered: &mut Delivered, keys: PageKeys) -> io::Result<()> {
    let runtime = Handle::current();
    poll_fn(|cx| delivered.poll_ready(cx, &runtime, &keys)).await?;
    delivered.record(keys, false).unwrap();
    Ok(())
}

/// And at the end of a session.
async fn sort(delivered: &mut Delivered) -> io::Result<Given> {
    let segment = delivered.take().sort().await?;
    Ok(delivered.add(segment))
}

fn freeze(delivered: &mut Delivered) -> Given {
    block_on(sort(delivered)).unwrap()
}

/// How many of a page were given; the others are left.
fn leave_out(given: &Given, rows: &mut Vec<Bytes>) -> u64 {
    keys(rows).leave_out(given, rows).unwrap().1
}

/// Pages of a hundred keys each, from this one on.
async fn give(delivered: &mut Delivered, ids: std::ops::Range<i64>) -> io::Result<()> {
    for first in ids.clone().step_by(100) {
        let ids = first..ids.end.min(first + 100);
        let some: Vec<_> = ids.map(key).collect();
        record(delivered, keys(&page(&some))).await?;
    }
    Ok(())
}

fn empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().next().is_none()
}

/// The keys of a page as a log of their own, in chunks that are full.
fn log(keys: &PageKeys) -> Log {
    let mut log = Log::new(0);
    log.push(&keys.log);
    log
}
