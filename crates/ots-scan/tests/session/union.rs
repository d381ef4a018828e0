//! What is given: every row once, in pages in order, whatever the shape of the pages.

use std::collections::HashMap;
use std::time::Duration;

use fake::{Asked, Fake, row};
use futures::stream::FusedStream as _;
use futures::{StreamExt as _, TryStreamExt as _};
use ots_proto::plainbuffer::write_row;
use ots_scan::Limiter;
use proptest::prelude::*;

use super::*;

#[derive(Debug)]
struct Case {
    rows: i64,
    splits_size: i32,
    concurrency: u32,
    permits: usize,
    limit: u32,
    buffered_bytes: usize,
    ends_with_an_empty_page: bool,
    /// Page sizes, delays and pauses of the caller, drawn from by hash.
    sizes: Vec<usize>,
    delays: Vec<u64>,
    pauses: Vec<u64>,
}

fn cases() -> impl Strategy<Value = Case> {
    let some = |values| proptest::collection::vec(values, 1..12);
    let bounds = (1_u32..=10, 1_usize..6, 2_u32..9, 0_usize..4_000);
    // One in three pages is empty, though it has a token.
    let sizes = proptest::collection::vec(prop_oneof![1 => Just(0_usize), 2 => 1_usize..9], 1..12);
    let times = (some(0_u64..20), some(0_u64..40));
    (0_i64..120, 1_i32..16, bounds, any::<bool>(), sizes, times).prop_map(
        |(rows, splits_size, bounds, ends_with_an_empty_page, mut sizes, (delays, pauses))| {
            let (concurrency, permits, limit, buffered_bytes) = bounds;
            // Or no split would ever end.
            sizes.push(3);
            let bounds = (
                rows,
                splits_size,
                concurrency,
                permits,
                limit,
                buffered_bytes,
            );
            let (rows, splits_size, concurrency, permits, limit, buffered_bytes) = bounds;
            Case {
                rows,
                splits_size,
                concurrency,
                permits,
                limit,
                buffered_bytes,
                ends_with_an_empty_page,
                sizes,
                delays,
                pauses,
            }
        },
    )
}

fn pick<T: Copy>(values: &[T], asked: Asked) -> T {
    let page = usize::try_from(asked.page).unwrap();
    values[(page + asked.split as usize * 5) % values.len()]
}

fn paused<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_union_of_all_pages_is_the_table(case in cases()) {
        let Case { rows, splits_size, concurrency, permits, limit, buffered_bytes, .. } = case;
        let (sizes, delays) = (case.sizes, case.delays);
        let fake = Fake::new(rows, splits_size)
            .ends_with_an_empty_page(case.ends_with_an_empty_page)
            .shape(move |asked| pick(&sizes, asked))
            .delay(move |asked| Duration::from_millis(pick(&delays, asked)));
        let (pages, progress) = paused(async {
            let mut scan = scan(&fake)
                .concurrency(concurrency)
                .limiter(Limiter::fixed(permits))
                .limit(limit)
                .buffered_bytes(buffered_bytes)
                .open()
                .await
                .unwrap();
            let mut pages = Vec::new();
            while let Some(page) = scan.try_next().await.unwrap() {
                let pause = case.pauses[pages.len() % case.pauses.len()];
                tokio::time::sleep(Duration::from_millis(pause)).await;
                pages.push(page);
            }
            assert!(scan.is_terminated());
            (pages, scan.progress())
        });

        let mut found: Vec<_> = pages.iter().flat_map(ids).collect();
        found.sort_unstable();
        prop_assert_eq!(found, Vec::from_iter(0..rows));

        let max_parallel = splits_size.min(concurrency.try_into().unwrap());
        prop_assert_eq!(fake.max_parallel(), [max_parallel]);
        prop_assert!(fake.max_in_flight() <= permits);

        let mut asked = fake.asked();
        prop_assert_eq!(asked.len(), pages.len());
        asked.sort_unstable();
        asked.dedup();
        prop_assert_eq!(asked.len(), pages.len(), "a page was asked for twice");

        let mut next = HashMap::new();
        for page in &pages {
            let next = next.entry(page.split.id()).or_insert(0);
            prop_assert_eq!(page.index, *next, "in order within a split");
            *next += 1;
        }
        prop_assert_eq!(pages.iter().filter(|page| page.is_last).count(), next.len());
        prop_assert_eq!(next.len(), usize::try_from(max_parallel).unwrap());

        prop_assert!(progress.is_done());
        prop_assert_eq!(progress.rows(), u64::try_from(rows).unwrap());
        prop_assert_eq!(progress.pages(), pages.len() as u64);
        prop_assert_eq!(progress.bytes(), pages.iter().map(|page| page.page_bytes as u64).sum::<u64>());
        prop_assert_eq!((progress.requests, progress.buffered_bytes), (pages.len() as u64, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn splits_on_several_threads_lose_nothing() {
    for buffered_bytes in [1, 2_000, 1 << 20] {
        let fake = Fake::new(5_000, 10).shape(|_| 3).delay(|_| Duration::ZERO);
        let builder = scan(&fake).concurrency(10).limiter(Limiter::fixed(3));
        let rows = builder
            .buffered_bytes(buffered_bytes)
            .open()
            .await
            .unwrap()
            .rows();
        let mut found: Vec<_> = rows.map_ok(|row| id(&row)).try_collect().await.unwrap();
        found.sort_unstable();
        assert_eq!(found, Vec::from_iter(0..5_000));
        assert!(fake.max_in_flight() <= 3);
    }
}

/// On several threads: on one, the caller can't run between a page and the request that follows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_next_page_is_asked_for_before_this_one_is_given() {
    let fake = Fake::new(3_000, 4).shape(|_| 3).delay(|_| Duration::ZERO);
    // With less room a request waits for those of other splits.
    let scan = scan(&fake).limiter(Limiter::fixed(4));
    let mut scan = scan.open().await.unwrap();
    while let Some(page) = scan.try_next().await.unwrap() {
        let (split, page, is_last) = (page.split.id(), page.index + 1, page.is_last);
        assert_eq!(
            fake.has_asked(Asked { split, page }),
            !is_last,
            "{split} {page}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_size_of_a_page_is_that_of_its_body_or_of_its_rows() {
    for (body_bytes, page_bytes) in [(0, 7 * write_row(&row(0)).len()), (4_000, 4_000)] {
        let fake = Fake::new(7, 1).shape(|_| 7).body_bytes(body_bytes);
        let mut scan = scan(&fake).open().await.unwrap();
        let page = scan.try_next().await.unwrap().unwrap();
        assert_eq!((page.rows.len(), page.page_bytes), (7, page_bytes));
    }
}

#[tokio::test(start_paused = true)]
async fn empty_pages_with_tokens_end_nothing() {
    let fake = Fake::new(30, 2).shape(|asked| usize::from(asked.page % 40 == 39));
    let scan = scan(&fake).open().await.unwrap();
    assert_eq!(scan.rows().count().await, 30);
    assert!(fake.asked().len() > 30 * 40);
}

#[tokio::test(start_paused = true)]
async fn retries_are_counted() {
    let fake = Fake::new(10, 2).attempts(3);
    let mut scan = scan(&fake).open().await.unwrap();
    while scan.try_next().await.unwrap().is_some() {}
    let progress = scan.progress();
    assert_eq!((progress.requests, progress.retries), (4, 8));
    assert_eq!(
        (progress.splits_done(), progress.pages(), progress.rows()),
        (2, 4, 10)
    );
}
