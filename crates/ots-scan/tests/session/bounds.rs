//! Within which bounds a scan keeps, and what it gives up with a drop.

use std::time::Duration;

use fake::{Asked, Fake};
use futures::{StreamExt as _, TryStreamExt as _};
use ots_scan::Limiter;

use super::*;

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

/// What a page becomes is held instead of it, and the caller says how much that is.
#[tokio::test(start_paused = true)]
async fn what_pages_become_counts_as_what_it_takes() {
    for (held_bytes, most) in [(0, 64), (10_000, 20), (1 << 20, 1)] {
        let fake = Fake::new(3_200, 8).shape(|_| 7);
        let builder = scan(&fake).buffered_bytes(200_000);
        let mut values =
            builder.open().await.unwrap().decode_sized(move |page| {
                Ok::<_, ots_scan::ScanError>((page.rows.len(), held_bytes))
            });
        let mut rows = values.try_next().await.unwrap().unwrap();
        // Beyond the first round, whose size nobody knew.
        for _ in 0..40 {
            rows += values.try_next().await.unwrap().unwrap();
            settle().await;
        }
        let ready = values.progress().buffered_pages;
        // Two of each split, if there is room.
        assert!(ready <= most.min(16), "{ready} of {held_bytes} bytes");
        while let Some(more) = values.try_next().await.unwrap() {
            rows += more;
        }
        assert_eq!(rows, 3_200);
    }
}
