//! How much memory a scan holds at its peak: what its bounds say, however large the table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod pages;

use std::time::Duration;

use allocation_counter::measure;
use futures::{Stream, TryStreamExt as _};
use ots_scan::{Limiter, OnSessionLoss, ScanBuilder, TableScanBuilder, parallel_scan, table_scan};
use pages::Pages;

const ROWS_OF_A_PAGE: usize = 50;
const SPLITS: u32 = 8;

/// The most that was held while `work` ran, above what was before it; and the rows. All of it runs on
/// this thread, and no other is counted.
fn peak(work: impl Future<Output = usize>) -> (usize, usize) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let mut rows = 0;
    let counted = measure(|| rows = runtime.block_on(work));
    (counted.bytes_max.try_into().unwrap(), rows)
}

fn scan(service: Pages, permits: usize, buffered_bytes: usize) -> ScanBuilder<Pages> {
    parallel_scan(service, "orders", "orders_index")
        .limiter(Limiter::fixed(permits))
        .buffered_bytes(buffered_bytes)
}

fn table(service: Pages, permits: usize, buffered_bytes: usize) -> TableScanBuilder<Pages> {
    table_scan(service, "orders")
        .concurrency(SPLITS)
        .limiter(Limiter::fixed(permits))
        .buffered_bytes(buffered_bytes)
}

/// A caller who lets everything lie that may.
async fn slowly<T, E: std::fmt::Debug>(
    mut stream: impl Stream<Item = Result<T, E>> + Unpin,
    rows_of: impl Fn(&T) -> usize,
) -> usize {
    let mut rows = 0;
    while let Some(item) = stream.try_next().await.unwrap() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        rows += rows_of(&item);
    }
    rows
}

/// A caller who takes what is there.
async fn counted<T, E: std::fmt::Debug>(
    mut stream: impl Stream<Item = Result<T, E>> + Unpin,
) -> usize {
    let mut count = 0;
    while stream.try_next().await.unwrap().is_some() {
        count += 1;
    }
    count
}

#[test]
fn the_peak_follows_from_the_bounds_and_not_from_the_table() {
    // Not counted: what the service holds is its own.
    let mut service = Pages::new(ROWS_OF_A_PAGE, 900);
    service.splits = SPLITS;
    // Every split at its own pace.
    service.delay = |split| Duration::from_millis(u64::from(split) + 1);
    let page_bytes = service.page_bytes();
    for (permits, buffered_pages) in [(2, 2), (4, 2), (4, 8), (4, 16)] {
        let buffer = buffered_pages * page_bytes;
        let bound = permits * 2 * page_bytes + buffer;
        for of_a_split in [3, 12] {
            let all = of_a_split * usize::try_from(SPLITS).unwrap() * ROWS_OF_A_PAGE;
            let holds = |view: &str, (peak, rows): (usize, usize)| {
                let case = format!(
                    "{view}, {permits} permits, {buffered_pages} pages, {of_a_split} of a split"
                );
                assert_eq!(rows, all, "{case}");
                assert!(peak <= bound, "{case}: {peak} of {bound}");
            };
            let pages = async {
                let pages = scan(service.many(of_a_split), permits, buffer)
                    .open()
                    .await
                    .unwrap();
                slowly(pages, |page| page.rows.len()).await
            };
            holds("pages", peak(pages));
            let verified = async {
                let builder = scan(service.many(of_a_split), permits, buffer).verify_pages(true);
                slowly(builder.open().await.unwrap(), |page| page.rows.len()).await
            };
            holds("pages, verified", peak(verified));
            let decoded = async {
                let scan = scan(service.many(of_a_split), permits, buffer)
                    .open()
                    .await
                    .unwrap();
                let counts = scan.decode(|page| page.rows().map(|rows| rows.len()));
                slowly(counts, |count| *count).await
            };
            holds("decoded", peak(decoded));
            let rows = async {
                counted(
                    scan(service.many(of_a_split), permits, buffer)
                        .open()
                        .await
                        .unwrap()
                        .rows(),
                )
                .await
            };
            holds("rows", peak(rows));
            let pages = async {
                let pages = table(service.many(of_a_split), permits, buffer)
                    .open()
                    .await
                    .unwrap();
                slowly(pages, |page| usize::try_from(page.row_count()).unwrap()).await
            };
            holds("table, pages", peak(pages));
            let rows = async {
                counted(
                    table(service.many(of_a_split), permits, buffer)
                        .open()
                        .await
                        .unwrap()
                        .rows(),
                )
                .await
            };
            holds("table, rows", peak(rows));
        }
    }

    // The keys of what was given: as documented, ten bytes of each row before a session is lost, and
    // the rest of a chunk.
    let once = async |of_a_split| {
        let policy = OnSessionLoss::ExactlyOnce { max: 1 };
        let builder = scan(service.many(of_a_split), 4, 4 * page_bytes).on_session_loss(policy);
        let mut pages = builder.open().await.unwrap();
        let mut rows = 0;
        while let Some(page) = pages.try_next().await.unwrap() {
            rows += page.rows.len();
        }
        rows
    };
    let (small, few) = peak(once(10));
    let (large, many) = peak(once(100));
    let keys = 10 * (many - few) + (64 << 10);
    assert!(
        large <= small + keys,
        "{small} for {few}, {large} for {many}"
    );
}
