//! Pages that come damaged or are refused, and services that are busy.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use fake::{Answered, Fake, row};
use futures::stream::FusedStream as _;
use futures::{StreamExt as _, TryStreamExt as _};
use ots_proto::plainbuffer::write_row;
use ots_scan::{ScanErrorKind, Split};

use super::*;

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

/// Once pages were asked for, rows are made by whoever polls; then too what is refused isn't given.
#[tokio::test(start_paused = true)]
async fn a_damaged_page_is_not_counted_as_given_whoever_decodes_it() {
    let damaged = Bytes::from_static(b"\x75\x00\x00\x00\x01\x02");
    for polled in [false, true] {
        let damaged = damaged.clone();
        let fake = Fake::new(40, 1).shape(|_| 4).answer(move |asked| {
            let rows = vec![write_row(&row(8)), damaged.clone()];
            (asked.page == 2).then_some(Answered::Rows(rows))
        });
        let mut scan = scan(&fake).open().await.unwrap();
        let mut given = 0;
        if polled {
            given += scan.try_next().await.unwrap().unwrap().rows.len() as u64;
        }
        let mut rows = scan.rows();
        let error = loop {
            match rows.try_next().await {
                Ok(row) => given += u64::from(row.is_some()),
                Err(error) => break error,
            }
        };
        assert!(matches!(
            error.kind(),
            ScanErrorKind::Row {
                page: 2,
                row: 1,
                ..
            }
        ));
        let progress = error.progress().unwrap();
        assert_eq!(
            (given, progress.rows(), progress.pages()),
            (8, 8, 2),
            "{polled}"
        );
        assert_eq!(rows.progress().rows(), 8);
        // Whoever polls can't ask again.
        let asked = if polled { "" } else { ", asked for 3 times" };
        let place = "ParallelScan on index \"orders_index\" of table \"orders\"";
        assert_eq!(
            error.to_string(),
            format!(
                "{place}: row 1 of page 2 of split 0 of 1 can't be decoded{asked}, after 8 rows; the \
                 cause says what is wrong, and more refetches help if it is damage on the way"
            )
        );
    }
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
