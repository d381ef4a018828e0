//! Whole scans over a service in memory: what is given, within which bounds, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod fake;

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use fake::{Answered, Asked, Fake, row};
use futures::stream::FusedStream;
use futures::{Stream, StreamExt, TryStreamExt};
use ots_core::ErrorCode;
use ots_proto::PrimaryKeyValue;
use ots_proto::plainbuffer::write_row;
use ots_scan::{
    Limiter, MAX_CONCURRENCY, Scan, ScanBuilder, ScanColumns, ScanErrorKind, ScanPage, Split,
    parallel_scan,
};
use proptest::prelude::*;

fn scan(fake: &Fake) -> ScanBuilder<Fake> {
    // What keeps a session alive has tests of its own.
    parallel_scan(fake.clone(), "orders", "orders_index").keep_alive(Duration::ZERO)
}

/// A scan does nothing before it is polled.
fn begin(scan: &mut Scan) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(scan.poll_next_unpin(&mut cx).is_pending());
}

/// Everything that can happen without the caller has happened.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3_600)).await;
}

fn ids(page: &ScanPage) -> Vec<i64> {
    page.rows().unwrap().iter().map(id).collect()
}

fn id(row: &ots_proto::Row) -> i64 {
    let PrimaryKeyValue::Integer(id) = row.primary_key.columns()[0].value else {
        panic!()
    };
    id
}

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
async fn an_idle_scan_has_asked_for_two_pages_of_each_split_and_holds_no_permit() {
    let fake = Fake::new(400, 4).shape(|_| 7);
    let limiter = Limiter::fixed(4);
    let mut scan = scan(&fake).limiter(limiter.clone()).open().await.unwrap();
    settle().await;
    assert_eq!((fake.sessions(), fake.asked()), (1, Vec::new()));
    begin(&mut scan);
    settle().await;
    let mut asked = fake.asked();
    asked.sort_unstable();
    let two = |split| [Asked { split, page: 0 }, Asked { split, page: 1 }];
    assert_eq!(asked, Vec::from_iter((0..4).flat_map(two)));
    assert_eq!(
        (limiter.in_flight(), scan.progress().buffered_pages),
        (0, 8)
    );

    // One page taken, one more asked for.
    let _ = scan.try_next().await.unwrap().unwrap();
    settle().await;
    assert_eq!(fake.asked().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_slow_caller_does_not_hold_up_a_scan_with_the_same_permits() {
    let fake = Fake::new(100, 4).shape(|_| 3);
    let limiter = Limiter::fixed(1);
    let mut slow = scan(&fake).limiter(limiter.clone()).open().await.unwrap();
    let first = slow.try_next().await.unwrap().unwrap();
    let quick = scan(&fake).limiter(limiter.clone()).open().await.unwrap();
    assert_eq!(quick.rows().count().await, 100);
    assert_eq!(fake.max_in_flight(), 1);

    let rest: usize = slow
        .map(|page| page.unwrap().rows.len())
        .collect::<Vec<_>>()
        .await
        .iter()
        .sum();
    assert_eq!(first.rows.len() + rest, 100);
    assert_eq!(limiter.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn pages_that_nobody_takes_stay_below_the_bound() {
    // Pages of five rows are alike, but for the digits of a token.
    let fake = || Fake::new(2_000, 8).wide(10_000).shape(|_| 5);
    let page = scan(&fake())
        .open()
        .await
        .unwrap()
        .try_next()
        .await
        .unwrap()
        .unwrap();
    let page_bytes = page.page_bytes as u64;

    for pages in [1, 2, 3, 8, 11, 16] {
        let fake = fake();
        // A little more, for the handles of the rows.
        let bound = pages * (page_bytes + 500);
        let builder = scan(&fake).buffered_bytes(usize::try_from(bound).unwrap());
        let mut scan = builder.open().await.unwrap();
        let (mut rows, mut most) = (0, 0);
        // Before the first page has come, eight requests leave blindly.
        let mut before = bound.max(8 * page_bytes);
        begin(&mut scan);
        loop {
            settle().await;
            let buffered = scan.progress().buffered_bytes;
            assert!(buffered <= bound.max(before), "{buffered} of {bound}");
            most = most.max(buffered);
            before = buffered;
            let Some(page) = scan.try_next().await.unwrap() else {
                break;
            };
            rows += page.rows.len();
        }
        assert_eq!(rows, 2_000);
        assert!(most >= pages * page_bytes, "the bound is used");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bound_below_the_size_of_a_page_slows_the_scan_and_does_not_stop_it() {
    for bound in [0, 1] {
        let fake = Fake::new(200, 5).shape(|_| 9);
        let mut scan = scan(&fake).buffered_bytes(bound).open().await.unwrap();
        let mut rows = 0;
        while let Some(page) = scan.try_next().await.unwrap() {
            rows += page.rows.len();
        }
        assert_eq!(rows, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_drop_gives_up_every_request() {
    let fake = Fake::new(400, 4)
        .shape(|_| 7)
        .delay(|asked| Duration::from_secs(asked.page * 60));
    let limiter = Limiter::fixed(3);
    let mut scan = scan(&fake).limiter(limiter.clone()).open().await.unwrap();
    let _ = scan.try_next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((fake.in_flight(), limiter.in_flight()), (3, 3));
    drop(scan);
    tokio::task::yield_now().await;
    assert_eq!((fake.in_flight(), limiter.in_flight()), (0, 0));
    let asked = fake.asked();
    settle().await;
    assert_eq!(fake.asked(), asked);
}

/// What the caller was given, by split.
type Given = HashMap<u32, (u64, u64)>;

async fn give(scan: &mut Scan) -> (Given, ots_scan::ScanError) {
    let mut given = Given::new();
    loop {
        match scan.next().await.expect("an end without an error") {
            Ok(page) => {
                let (pages, rows) = given.entry(page.split.id()).or_default();
                *pages += 1;
                *rows += page.rows.len() as u64;
            }
            Err(error) => return (given, error),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_session_says_exactly_what_was_given() {
    for expired in 0..7 {
        let fake = Fake::new(400, 16).shape(|_| 7).answer(move |asked| {
            let expires = asked
                == Asked {
                    split: 3,
                    page: expired,
                };
            expires.then_some(Answered::Error(ErrorCode::SessionExpired))
        });
        let mut scan = scan(&fake).open().await.unwrap();
        let (given, error) = give(&mut scan).await;

        let split = Split::new(3, 8).unwrap();
        assert_eq!(*error.kind(), ScanErrorKind::SessionExpired { split });
        let progress = error.progress().unwrap();
        for split in &progress.splits {
            let given = given.get(&split.split.id()).copied().unwrap_or_default();
            assert_eq!((split.pages, split.rows), given, "{}", split.split);
        }
        assert_eq!(
            given.get(&3).map_or(0, |(pages, _)| *pages),
            expired,
            "those before it came"
        );
        let rows: u64 = given.values().map(|(_, rows)| rows).sum();
        assert_eq!(
            error.to_string(),
            format!(
                "ParallelScan on index \"orders_index\" of table \"orders\": the session expired on \
                 split 3 of 8 after {rows} rows; open the scan again to restart from the beginning"
            )
        );
        assert_eq!(error.code(), Some(&ErrorCode::SessionExpired));
        assert!(error.is_retryable());

        // Fused, and nothing goes on.
        assert!(scan.is_terminated() && scan.next().await.is_none());
        let asked = fake.asked();
        settle().await;
        assert_eq!((fake.in_flight(), fake.asked()), (0, asked));
        assert_eq!(scan.progress(), *progress);
    }
}

#[tokio::test(start_paused = true)]
async fn what_expired_is_opened_again_and_begins_anew() {
    let expired = AtomicBool::new(false);
    let fake = Fake::new(400, 16).shape(|_| 7).answer(move |asked| {
        let expires = asked.page == 3 && !expired.swap(true, Ordering::SeqCst);
        expires.then_some(Answered::Error(ErrorCode::SessionExpired))
    });
    let builder = scan(&fake).concurrency(4);
    let (_, error) = give(&mut builder.open().await.unwrap()).await;
    assert!(error.is_retryable());
    let (again, copy) = (builder.open().await.unwrap(), builder.clone());
    assert_eq!(again.rows().count().await, 400);
    assert_eq!(copy.open().await.unwrap().rows().count().await, 400);
    assert_eq!(fake.sessions(), 3);
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
async fn two_splits_that_fail_are_one_error() {
    let fake = Fake::new(100, 4)
        .shape(|_| 3)
        .answer(|asked| (asked.page == 2).then_some(Answered::Error(ErrorCode::ParameterInvalid)));
    let mut scan = scan(&fake).open().await.unwrap();
    let (given, error) = give(&mut scan).await;
    let ScanErrorKind::Call { split, page: 2 } = *error.kind() else {
        panic!("{error:?}")
    };
    let rows: u64 = given.values().map(|(_, rows)| rows).sum();
    assert_eq!(
        error.to_string(),
        format!(
            "ParallelScan on index \"orders_index\" of table \"orders\": page 2 of {split} failed \
             after {rows} rows"
        )
    );
    assert_eq!(error.code(), Some(&ErrorCode::ParameterInvalid));
    assert!(!error.is_retryable());
    assert_eq!(error.as_call().unwrap().table(), Some("orders"));
    assert_eq!(
        (error.table(), error.index()),
        (Some("orders"), Some("orders_index"))
    );
    assert!(scan.next().await.is_none());
    assert!(scan.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn empty_pages_with_tokens_end_nothing() {
    let fake = Fake::new(30, 2).shape(|asked| usize::from(asked.page % 40 == 39));
    let scan = scan(&fake).open().await.unwrap();
    assert_eq!(scan.rows().count().await, 30);
    assert!(fake.asked().len() > 30 * 40);
}

#[tokio::test(start_paused = true)]
async fn a_split_that_stands_still_is_an_error_in_the_end() {
    let fake = Fake::new(30, 2)
        .shape(|_| 1)
        .answer(|asked| (asked == Asked { split: 1, page: 3 }).then_some(Answered::Again));
    let mut scan = scan(&fake).open().await.unwrap();
    let (given, error) = give(&mut scan).await;
    let split = Split::new(1, 2).unwrap();
    assert_eq!(
        *error.kind(),
        ScanErrorKind::NotAdvancing {
            split,
            pages: 1_000
        }
    );
    assert_eq!(
        error.to_string(),
        "ParallelScan on index \"orders_index\" of table \"orders\": stopped on split 1 of 2 after 18 \
         rows: 1000 pages without rows in a row, each with the token it was asked with"
    );
    assert_eq!(given[&1], (3 + 999, 3));
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

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_is_an_error_and_not_an_end() {
    let fake = Fake::new(30, 3)
        .shape(|_| 2)
        .answer(|asked| (asked == Asked { split: 1, page: 2 }).then_some(Answered::Panic));
    let mut scan = scan(&fake).open().await.unwrap();
    let (_, error) = give(&mut scan).await;
    assert_eq!(*error.kind(), ScanErrorKind::Aborted);
    assert!(error.source().unwrap().to_string().contains("panicked"));
    assert!(scan.next().await.is_none());
}

#[test]
fn a_runtime_that_shuts_down_is_an_error_and_not_an_end() {
    let fake = Fake::new(30, 3);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let mut scan = runtime.block_on(scan(&fake).open()).unwrap();
    begin(&mut scan);
    drop(runtime);
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Err(error))) = scan.poll_next_unpin(&mut cx) else {
        panic!()
    };
    assert_eq!(*error.kind(), ScanErrorKind::Aborted);
}

#[test]
fn outside_a_runtime_nothing_is_sent() {
    let fake = Fake::new(30, 3);
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = Box::pin(scan(&fake).open()).as_mut().poll(&mut cx) else {
        panic!()
    };
    assert_eq!(*error.kind(), ScanErrorKind::NoRuntime);
    assert_eq!(fake.sessions(), 0);
}

#[tokio::test]
async fn what_is_wrong_without_asking_is_not_asked() {
    let fake = Fake::new(30, 3);
    let none: [&str; 0] = [];
    for (builder, message) in [
        (
            scan(&fake).column_names(none),
            "these columns can't be scanned: none is named; for the primary key alone, ask for \
             ScanColumns::PrimaryKey",
        ),
        (
            scan(&fake).column_names(["a", ""]),
            "these columns can't be scanned: one of the names is empty",
        ),
        (
            scan(&fake).column_names(["a", "b", "a"]),
            "these columns can't be scanned: \"a\" is named twice",
        ),
        (scan(&fake).limit(0), "this scan can't be asked for"),
        (
            scan(&fake).alive_time(Duration::ZERO),
            "this scan can't be asked for",
        ),
    ] {
        let place = "ParallelScan on index \"orders_index\" of table \"orders\"";
        let error = builder.open().await.unwrap_err();
        assert_eq!(error.to_string(), format!("{place}: {message}"));
        assert!(!error.is_retryable());
    }
    assert_eq!(fake.sessions(), 0);
    let scan = scan(&fake).columns(ScanColumns::PrimaryKey);
    let scan = scan.concurrency(1).open().await.unwrap();
    assert_eq!((fake.sessions(), scan.max_parallel()), (1, 1));
}

#[tokio::test]
async fn more_splits_than_the_service_runs_are_refused_and_so_are_none() {
    let fake = Fake::new(30, 16);
    for splits in [0, MAX_CONCURRENCY + 1, u32::MAX] {
        let error = scan(&fake).concurrency(splits).open().await.unwrap_err();
        assert_eq!(*error.kind(), ScanErrorKind::Request);
        let problem = format!("concurrency must be between 1 and 10, got {splits}");
        assert_eq!(error.source().unwrap().to_string(), problem);
    }
    assert_eq!(fake.sessions(), 0);
    let scan = scan(&fake).concurrency(MAX_CONCURRENCY);
    assert_eq!(scan.open().await.unwrap().max_parallel(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_page_with_a_damaged_row_is_given_whole_or_not_at_all() {
    let damaged = Bytes::from_static(b"\x75\x00\x00\x00\x01\x02");
    let fake = Fake::new(30, 1).shape(|_| 4).answer(move |asked| {
        let rows = vec![write_row(&row(8)), damaged.clone(), write_row(&row(10))];
        (asked.page == 2).then_some(Answered::Rows(rows))
    });
    let mut rows = scan(&fake).open().await.unwrap().rows();
    for expected in 0..8 {
        assert_eq!(id(&rows.try_next().await.unwrap().unwrap()), expected);
    }
    assert!(!rows.is_terminated());
    let error = rows.try_next().await.unwrap_err();
    let split = Split::new(0, 1).unwrap();
    assert_eq!(
        *error.kind(),
        ScanErrorKind::Row {
            split,
            page: 2,
            row: 1
        }
    );
    let progress = error.progress().unwrap();
    assert_eq!((progress.rows(), progress.refetched), (8, 2));
    assert_eq!(error.index(), Some("orders_index"));
    assert!(rows.next().await.is_none() && rows.is_terminated());
}

#[test]
fn what_travels_between_threads_can() {
    fn sent<T: Send + 'static>() {}
    fn shared<T: Send + Sync + Clone>() {}
    fn stream<T: Stream + Unpin + Send>() {}
    sent::<ScanBuilder<Fake>>();
    sent::<ScanPage>();
    sent::<ots_scan::ScanError>();
    shared::<Limiter>();
    stream::<Scan>();
    stream::<ots_scan::ScanRows>();
}
