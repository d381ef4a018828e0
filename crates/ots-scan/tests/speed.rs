//! Speed without a clock: time that is counted by the test, memory by the allocator, work by number.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod fake;
mod pages;

use std::num::NonZeroU32;
use std::time::Duration;

use fake::Fake;
use futures::future::join_all;
use futures::{Stream, TryStreamExt as _};
use ots_scan::{Arrival, Handed, Limiter, Next, Position, ScanPlan, parallel_scan, table_scan};
use pages::Pages;
use tokio::time::Instant;

const LATENCY: Duration = Duration::from_millis(20);

/// How long a scan takes of a service that answers after a while, and of a computer that takes no time;
/// with a limiter of its own when none is given.
async fn elapsed(splits: u32, pages_of_a_split: u32, limiter: Option<Limiter>) -> Duration {
    // The last page of a split has no rows.
    let rows = i64::from(splits * (pages_of_a_split - 1) * 5);
    let fake = Fake::new(rows, splits.try_into().unwrap())
        .shape(|_| 5)
        .delay(|_| LATENCY);
    let mut scan = parallel_scan(fake.clone(), "orders", "orders_index")
        .task_limit(64)
        .concurrency(splits);
    if let Some(limiter) = limiter {
        scan = scan.limiter(limiter);
    }
    let scan = scan.open().await.unwrap();
    let start = Instant::now();
    let counted = scan.decode(|page| page.rows().map(|rows| rows.len()));
    let counted: Vec<usize> = counted.try_collect().await.unwrap();
    assert_eq!(i64::try_from(counted.iter().sum::<usize>()), Ok(rows));
    assert_eq!(
        u32::try_from(fake.asked().len()),
        Ok(splits * pages_of_a_split)
    );
    start.elapsed()
}

/// By default too, which includes finding out what the service bears.
#[tokio::test(start_paused = true)]
async fn a_scan_takes_the_time_of_the_pages_of_one_split() {
    for splits in [2, 3, 4, 8, 10, 16, 33, 64] {
        let holds = |pages: u32, taken: Duration| {
            let bound = (LATENCY * pages).mul_f64(1.05);
            assert!(taken <= bound, "{splits} splits: {taken:?} of {bound:?}");
        };
        holds(40, elapsed(splits, 40, Some(Limiter::fixed(64))).await);
        holds(120, elapsed(splits, 120, None).await);
    }
}

/// As it is by default: no more than eight splits don't wait at all for the limit to grow, and those
/// of more have made up for it when they have read some pages.
#[tokio::test(start_paused = true)]
async fn a_scan_that_finds_its_limit_itself_takes_no_longer() {
    for (splits, pages) in [
        (2, 1),
        (2, 40),
        (5, 10),
        (8, 1),
        (8, 40),
        (10, 20),
        (16, 20),
        (33, 60),
        (64, 60),
    ] {
        let bound = (LATENCY * pages).mul_f64(1.05);
        let adaptive = elapsed(splits, pages, None).await;
        assert!(
            adaptive <= bound,
            "{splits} splits of {pages} pages: {adaptive:?} of {bound:?}"
        );
    }
}

/// The time to find out what the service bears: it doubles with each round, and isn't paid again.
#[tokio::test(start_paused = true)]
async fn a_slow_start_costs_a_round_for_each_doubling() {
    for (splits, rounds) in [(2, 0), (4, 1), (8, 2), (10, 3), (16, 3), (32, 4), (64, 5)] {
        let limiter = Limiter::adaptive(splits as usize);
        let slow = elapsed(splits, 40, Some(limiter.clone())).await;
        let most = LATENCY * (40 + rounds) + LATENCY / 10;
        assert!(slow <= most, "{splits} splits: {slow:?} of {most:?}");
        assert_eq!(limiter.limit(), splits as usize);
    }
}

/// Takes as long over each page as the service takes to answer.
async fn taken<T, E: std::fmt::Debug>(mut stream: impl Stream<Item = Result<T, E>> + Unpin) -> u32 {
    let mut pages = 0;
    while stream.try_next().await.unwrap().is_some() {
        tokio::time::sleep(LATENCY).await;
        pages += 1;
    }
    pages
}

#[tokio::test(start_paused = true)]
async fn decoding_costs_nothing_but_the_last_page_while_it_takes_no_longer_than_an_answer() {
    let pages = 40;
    let bound = LATENCY * pages + LATENCY;
    let mut service = Pages::new(1, 10).many(pages as usize);
    service.delay = |_| LATENCY;
    for splits in [2, 8, 33, 64] {
        service.splits = splits;
        let scan = parallel_scan(service.clone(), "orders", "orders_index")
            .task_limit(64)
            .concurrency(splits)
            .limiter(Limiter::fixed(64));
        let scans = scan.splits().await.unwrap();
        let start = Instant::now();
        let taken = join_all(scans.into_iter().map(taken)).await;
        assert_eq!(taken, vec![pages; splits as usize]);
        let elapsed = start.elapsed();
        assert!(
            elapsed <= bound,
            "{splits} splits: {elapsed:?} of {bound:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_scan_takes_the_time_of_the_pages_of_one_range() {
    let pages = 40;
    let mut service = Pages::new(1, 10).many(pages as usize);
    service.delay = |_| LATENCY;
    for ranges in [2, 3, 4, 8, 10, 16, 33, 64] {
        service.splits = ranges;
        let scan = table_scan(service.clone(), "orders")
            .concurrency(ranges)
            .limiter(Limiter::fixed(64));
        let scan = scan.open().await.unwrap();
        let start = Instant::now();
        let count: Vec<_> = scan.try_collect().await.unwrap();
        assert_eq!(count.len(), (pages * ranges) as usize);
        assert_eq!(start.elapsed(), LATENCY * pages, "{ranges} ranges");
    }
    // One range at a time: while the caller has a page, the next one is on its way.
    service.splits = 3;
    let scan = table_scan(service.clone(), "orders").concurrency(1);
    let scan = scan.open().await.unwrap();
    let start = Instant::now();
    assert_eq!(taken(scan).await, 3 * pages);
    assert_eq!(start.elapsed(), LATENCY * (3 * pages + 1));
}

/// Drives a plan over all its pages, and says how many there were.
fn drive(splits: u32, pages: u64) -> u64 {
    let splits = NonZeroU32::new(splits).unwrap();
    let mut plan = ScanPlan::new(splits, splits);
    let token = bytes::Bytes::from_static(b"more");
    let mut asks: Vec<_> = std::iter::from_fn(|| plan.next_ask()).collect();
    let mut count = 0;
    while let Some(ask) = asks.pop() {
        assert!(plan.begin(&ask));
        let split = ask.split();
        let goes_on = ask.page() + 1 < pages;
        let arrival = Arrival::new(3, 90, goes_on.then(|| token.clone()));
        if let Next::Ask(next) = plan.absorb(ask, arrival).unwrap() {
            asks.push(next);
        }
        let position = if goes_on {
            Position::At(token.clone())
        } else {
            Position::Done
        };
        plan.hand_over(Handed::new(split, 0, 3, 90, position));
        count += 1;
    }
    assert!(plan.is_done());
    count
}

/// As many splits and pages as a table of billions has: what a page takes doesn't grow with either.
#[test]
fn a_plan_of_many_splits_allocates_nothing_for_a_page() {
    let mut counted = 0;
    let few = allocation_counter::measure(|| counted = drive(2, 10_000));
    assert_eq!(counted, 20_000);
    let many = allocation_counter::measure(|| counted = drive(256, 2_000));
    assert_eq!(counted, 512_000);
    // Growing lists of splits and of asks, and nothing else.
    for (splits, info) in [(2, few), (256, many)] {
        assert!(info.count_total <= 24, "{splits}: {info:?}");
        assert!(info.bytes_max <= 1_000 + splits * 500, "{splits}: {info:?}");
    }
}
