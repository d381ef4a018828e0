//! The ways to look at a scan, and to go on with one: events, splits, checkpoints, no session.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod fake;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fake::{Answered, Asked, Fake, row};
use futures::{StreamExt as _, TryStreamExt as _};
use ots_core::{ErrorCode, Query};
use ots_proto::plainbuffer::write_row;
use ots_scan::{
    Checkpoint, Limiter, OnSessionLoss, Position, Scan, ScanBuilder, ScanErrorKind, ScanEvent,
    ScanPage, parallel_scan,
};

fn scan(fake: &Fake) -> ScanBuilder<Fake> {
    parallel_scan(fake.clone(), "orders", "orders_index").limit(100)
}

fn ids(page: &ScanPage) -> Vec<i64> {
    let rows = page.rows().unwrap();
    let id = |row: &ots_proto::Row| row.primary_key.get("id").unwrap().as_integer().unwrap();
    rows.iter().map(id).collect()
}

async fn rest(scan: Scan) -> Vec<i64> {
    let pages: Vec<_> = scan.try_collect().await.unwrap();
    pages.iter().flat_map(ids).collect()
}

/// A service that ends the session once, when this page is asked for.
fn expiring(at: Asked) -> Fake {
    let expired = AtomicBool::new(false);
    Fake::new(400, 4).shape(|_| 7).answer(move |asked| {
        let expires = asked == at && !expired.swap(true, Ordering::SeqCst);
        expires.then_some(Answered::Error(ErrorCode::SessionExpired))
    })
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_told_before_any_row_of_the_new_session() {
    let fake = expiring(Asked { split: 2, page: 5 });
    let builder = scan(&fake).on_session_loss(OnSessionLoss::Restart { max: 1 });
    let mut scan = builder.events().await.unwrap();
    let mut rows = Vec::new();
    let mut before = None;
    while let Some(event) = scan.try_next().await.unwrap() {
        match event {
            ScanEvent::Page(page) => {
                assert_eq!(page.generation, u32::from(before.is_some()));
                rows.extend(ids(&page));
            }
            ScanEvent::Restarted(restarted) => {
                assert_eq!((restarted.generation, restarted.split.id()), (1, 2));
                assert_eq!(restarted.cause.code(), Some(&ErrorCode::SessionExpired));
                assert_eq!(restarted.progress.rows(), rows.len() as u64);
                assert!(!restarted.rows_stand);
                before = Some(std::mem::take(&mut rows).len() as u64);
            }
            other => panic!("{other:?}"),
        }
    }
    rows.sort_unstable();
    assert_eq!(rows, Vec::from_iter(0..400));
    let progress = scan.progress();
    assert_eq!((progress.generation, progress.rows()), (1, 400));
    assert_eq!(progress.earlier_rows, before.unwrap());
    assert_eq!(fake.sessions(), 2);
}

#[tokio::test(start_paused = true)]
async fn exactly_once_leaves_out_what_was_given_and_nothing_else() {
    for at in 0..8 {
        let fake = expiring(Asked { split: 1, page: at });
        let policy = OnSessionLoss::ExactlyOnce { max: 1 };
        let mut scan = scan(&fake).on_session_loss(policy).open().await.unwrap();
        let mut rows = Vec::new();
        while let Some(page) = scan.try_next().await.unwrap() {
            rows.extend(ids(&page));
            // Behind a restart nobody else could tell what was given before.
            assert_eq!(scan.checkpoint().is_some(), scan.progress().generation == 0);
        }
        rows.sort_unstable();
        assert_eq!(rows, Vec::from_iter(0..400), "expired at page {at}");
        let progress = scan.progress();
        assert_eq!(progress.suppressed_rows, progress.earlier_rows);
        assert_eq!(progress.rows() + progress.earlier_rows, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_take_too_much_end_the_scan() {
    let fake = Fake::new(400, 4).shape(|_| 7);
    let mut scan = scan(&fake)
        .on_session_loss(OnSessionLoss::ExactlyOnce { max: 1 })
        // Each takes 18.
        .delivered_keys_bytes(1_800)
        .open()
        .await
        .unwrap();
    let error = loop {
        if let Err(error) = scan.try_next().await {
            break error;
        }
    };
    let limit_bytes = 1_800;
    assert_eq!(*error.kind(), ScanErrorKind::DeliveredKeys { limit_bytes });
    assert_eq!(
        error.progress().unwrap().rows(),
        98,
        "the page that is too much isn't given"
    );
}

#[tokio::test]
async fn views_that_cannot_keep_the_promise_are_refused() {
    let fake = Fake::new(30, 4);
    let restart = scan(&fake).on_session_loss(OnSessionLoss::Restart { max: 3 });
    let once = scan(&fake).on_session_loss(OnSessionLoss::ExactlyOnce { max: 3 });
    let whole = scan(&fake).open().await.unwrap().checkpoint().unwrap();
    let refused = [
        restart.open().await.err(),
        restart.splits().await.err(),
        restart.without_session().err(),
        restart.resume(&whole).err(),
        once.splits().await.err(),
        once.without_session().err(),
        once.resume(&whole).err(),
    ];
    for (number, error) in refused.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("{number} was not refused"));
        assert!(matches!(error.kind(), ScanErrorKind::Policy(_)), "{error}");
        assert!(!error.is_retryable());
    }
    assert_eq!((fake.sessions(), fake.asked().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_splits_are_the_whole_and_each_is_its_own() {
    let fake = Fake::new(400, 16).shape(|_| 7);
    let limiter = Limiter::fixed(3);
    let builder = scan(&fake).concurrency(5).limiter(limiter.clone());
    let splits = builder.splits().await.unwrap();
    assert_eq!(
        (splits.len(), fake.sessions(), fake.asked().len()),
        (5, 1, 0)
    );
    let mut rows = Vec::new();
    for (number, split) in splits.into_iter().enumerate() {
        let progress = split.progress();
        assert_eq!((split.max_parallel(), progress.splits.len()), (5, 1));
        let mut pages: Vec<_> = split.try_collect().await.unwrap();
        assert!(
            pages
                .iter()
                .all(|page: &ScanPage| page.split.id() as usize == number)
        );
        assert!(pages.pop().unwrap().is_last);
        rows.extend(pages.iter().flat_map(ids));
    }
    rows.sort_unstable();
    assert_eq!(rows, Vec::from_iter(0..400));
    assert_eq!((fake.max_parallel(), limiter.in_flight()), (vec![5], 0));
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_goes_on_behind_what_was_handed_over() {
    for pages in 0..30 {
        let fake = Fake::new(200, 4).shape(|_| 9).delay(|_| Duration::ZERO);
        let builder = scan(&fake).alive_time(Duration::from_secs(86_400));
        let mut first = builder.open().await.unwrap();
        let mut rows = Vec::new();
        for _ in 0..pages {
            if let Some(page) = first.try_next().await.unwrap() {
                rows.extend(ids(&page));
            }
        }
        let bytes = first.checkpoint().unwrap().to_bytes();
        drop(first);
        let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
        if pages % 2 == 0 {
            rows.extend(rest(builder.resume(&checkpoint).unwrap()).await);
        } else {
            // Each by a worker of its own.
            for split in checkpoint.into_splits() {
                rows.extend(rest(builder.resume(&split).unwrap()).await);
            }
        }
        rows.sort_unstable();
        assert_eq!(rows, Vec::from_iter(0..200), "after {pages} pages");
        assert_eq!(fake.sessions(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_of_a_finished_scan_asks_for_nothing() {
    let fake = Fake::new(20, 4);
    let builder = scan(&fake);
    let mut whole = builder.open().await.unwrap();
    while whole.try_next().await.unwrap().is_some() {}
    let checkpoint = whole.checkpoint().unwrap();
    assert!(checkpoint.is_done());
    let asked = fake.asked().len();
    assert!(rest(builder.resume(&checkpoint).unwrap()).await.is_empty());
    assert_eq!(fake.asked().len(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_of_another_scan_is_refused() {
    let fake = Fake::new(20, 4);
    let day = Duration::from_secs(86_400);
    let opened = scan(&fake).alive_time(day).open().await.unwrap();
    let checkpoint = opened.checkpoint().unwrap();
    let positions: Vec<_> = checkpoint.positions().collect();
    assert!(positions.len() == 4 && positions.iter().all(|(_, it)| *it == Position::Start));
    for other in [
        scan(&fake).query(Query::term("city", "Hangzhou")),
        scan(&fake).column_names(["city"]),
        parallel_scan(fake.clone(), "flights", "orders_index"),
        parallel_scan(fake.clone(), "orders", "other_index"),
    ] {
        let error = other.resume(&checkpoint).unwrap_err();
        assert_eq!(*error.kind(), ScanErrorKind::CheckpointOfOtherScan);
    }
    // What a page is made of may differ.
    let same = scan(&fake)
        .limit(7)
        .alive_time(Duration::from_secs(90))
        .concurrency(1);
    let same = same.buffered_bytes(1).resume(&checkpoint).unwrap();
    assert_eq!(rest(same).await.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn without_a_session_one_split_is_read_and_none_opened() {
    let fake = Fake::new(50, 1).shape(|_| 7);
    let scan = scan(&fake).without_session().unwrap();
    assert!(scan.session().is_none() && scan.checkpoint().is_none());
    assert_eq!(rest(scan).await, Vec::from_iter(0..50));
    assert_eq!(
        (fake.sessions(), fake.without_session()),
        (0, fake.asked().len())
    );
}

#[tokio::test(start_paused = true)]
async fn pages_become_what_the_caller_makes_of_them() {
    let fake = Fake::new(60, 4).shape(|_| 7);
    let sums = scan(&fake).open().await.unwrap();
    let sums = sums.decode(|page| {
        let ids = page
            .rows()?
            .into_iter()
            .map(|row| row.primary_key.columns()[0].value.clone());
        Ok::<i64, ots_scan::ScanError>(ids.map(|id| id.as_integer().unwrap()).sum())
    });
    let sums: Vec<i64> = sums.try_collect().await.unwrap();
    assert_eq!(sums.into_iter().sum::<i64>(), (0..60).sum::<i64>());

    // Also once the first page was taken as it is.
    let mut scan = scan(&fake).open().await.unwrap();
    let first = scan.try_next().await.unwrap().unwrap().rows.len();
    assert_eq!(first + scan.rows().count().await, 60);
}

#[tokio::test(start_paused = true)]
async fn what_a_page_becomes_may_be_refused() {
    let fake = Fake::new(60, 2).shape(|_| 7);
    let refusals = std::sync::Arc::new(AtomicUsize::new(0));
    let mut scan = scan(&fake).refetches(3).open().await.unwrap().decode({
        let refusals = std::sync::Arc::clone(&refusals);
        move |page| {
            let refused = (page.split.id(), page.index) == (1, 2);
            refusals.fetch_add(usize::from(refused), Ordering::SeqCst);
            if refused {
                Err("not to my taste")
            } else {
                Ok(page.rows.len())
            }
        }
    });
    let error = loop {
        match scan.next().await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    let ScanErrorKind::Decode { split, page: 2 } = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!((split.id(), refusals.load(Ordering::SeqCst)), (1, 4));
    assert!(scan.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_damaged_page_is_asked_for_again_and_so_is_what_follows() {
    let damaged = Bytes::from_static(b"\x75\x00\x00\x00\x01\x02");
    for times in 0..=2 {
        let left = AtomicUsize::new(times);
        let damaged = damaged.clone();
        let fake = Fake::new(40, 1).shape(|_| 4).answer(move |asked| {
            let rows = vec![write_row(&row(8)), damaged.clone()];
            let hit = asked.page == 2
                && left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |it| it.checked_sub(1))
                    .is_ok();
            // It even says that there is no more.
            hit.then_some(Answered::Rows(rows))
        });
        let mut scan = scan(&fake).verify_pages(true).open().await.unwrap();
        let mut rows = Vec::new();
        while let Some(page) = scan.try_next().await.unwrap() {
            rows.extend(ids(&page));
        }
        assert_eq!(rows, Vec::from_iter(0..40));
        assert_eq!(scan.progress().refetched, times as u64);
        let again = fake.asked().iter().filter(|asked| asked.page == 2).count();
        assert_eq!(again, 1 + times);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_keeps_the_session_alive_and_not_for_ever() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (pause, pings) in [(minutes(0), 0), (minutes(2), 2 * 5), (minutes(60), 2 * 30)] {
        let fake = Fake::new(400, 2).shape(|_| 7);
        let mut scan = scan(&fake).keep_alive(minutes(10)).open().await.unwrap();
        let _ = scan.try_next().await.unwrap().unwrap();
        tokio::time::sleep(pause).await;
        // Every 20 s, for each split.
        assert_eq!(fake.pings(), pings, "{pause:?}");
        let rest: Vec<_> = scan.by_ref().try_collect().await.unwrap();
        let rows: Vec<_> = rest.iter().flat_map(ids).collect();
        assert_eq!(rows.len(), 400 - 7);
        let progress = scan.progress();
        assert_eq!(progress.kept_alive, pings as u64);
        let asked = u64::try_from(pings + fake.asked().len()).unwrap();
        assert_eq!(progress.requests, asked);
    }
}

/// As a service would whose cursor moves with each request.
#[tokio::test(start_paused = true)]
async fn a_token_that_leads_on_by_itself_is_found_out() {
    let paused = std::sync::Arc::new(AtomicBool::new(false));
    let fake = Fake::new(400, 1).shape(|_| 7).answer({
        let paused = std::sync::Arc::clone(&paused);
        move |_| paused.load(Ordering::SeqCst).then_some(Answered::SameToken)
    });
    let mut scan = scan(&fake).open().await.unwrap();
    let _ = scan.try_next().await.unwrap().unwrap();
    paused.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let error = loop {
        match scan.next().await.expect("an end without an error") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error.kind(), ScanErrorKind::TokenMoved { .. }),
        "{error}"
    );
    assert_eq!(fake.pings(), 1);
}

#[tokio::test(start_paused = true)]
async fn throttling_halves_what_is_in_flight() {
    let busy = std::sync::Arc::new(AtomicBool::new(false));
    let fake = Fake::new(4_000, 8).shape(|_| 7).throttled({
        let busy = std::sync::Arc::clone(&busy);
        move |_| u32::from(busy.load(Ordering::SeqCst))
    });
    let mut scan = scan(&fake).open().await.unwrap();
    for _ in 0..60 {
        let _ = scan.try_next().await.unwrap().unwrap();
    }
    assert_eq!(scan.progress().concurrency, 8, "after a slow start");
    busy.store(true, Ordering::SeqCst);
    while scan.progress().throttled < 40 {
        let _ = scan.try_next().await.unwrap().unwrap();
    }
    assert!(
        scan.progress().concurrency <= 2,
        "{}",
        scan.progress().concurrency
    );
    busy.store(false, Ordering::SeqCst);
    while scan.try_next().await.unwrap().is_some() {}
    let progress = scan.progress();
    assert!(progress.concurrency > 2 && progress.rows() == 4_000);
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_gave_another_number_than_a_search_counts_is_told() {
    let fake = Fake::new(60, 2).shape(|_| 7);
    let builder = scan(&fake);
    let counted = builder.count().await.unwrap();
    let mut scan = builder.open().await.unwrap();
    while scan.try_next().await.unwrap().is_some() {}
    let progress = scan.progress();
    assert_eq!(counted, 60);
    progress.check_count(counted, 0).unwrap();
    progress.check_count(58, 2).unwrap();
    let error = progress.check_count(63, 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the scan gave 60 rows, and a search counts 63"
    );
    let (given, counted) = (60, 63);
    assert_eq!(*error.kind(), ScanErrorKind::Count { given, counted });
}
