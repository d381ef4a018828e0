//! How a scan ends that can't be read to its end: with what was given, exactly.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use fake::{Answered, Asked, Fake};
use futures::stream::FusedStream as _;
use futures::{FutureExt as _, StreamExt as _};
use ots_core::ErrorCode;
use ots_scan::{ScanErrorKind, Split};

use super::*;

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
             after {rows} rows; the cause says what to change"
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
            pages: 1_000,
            has_rows: false,
        }
    );
    assert_eq!(
        error.to_string(),
        "ParallelScan on index \"orders_index\" of table \"orders\": stopped on split 1 of 2 after 18 \
         rows: it was led back by 1000 pages, all without rows; open the scan again; if it is led \
         back there again, the fault is the service's"
    );
    assert_eq!(given[&1], (3 + 999, 3));
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

/// Tokens that lead to each other, in the last split, from a page on.
fn going_round(length: u64, rows: usize) -> Fake {
    Fake::new(60, 2)
        .shape(move |asked| if asked.page < 3 { 1 } else { rows })
        .answer(move |asked| {
            let last = asked.page == 2 + length && asked.split == 1;
            last.then_some(Answered::BackTo(3))
        })
}

#[tokio::test(start_paused = true)]
async fn tokens_that_go_round_are_an_error_after_few_requests() {
    for (length, rows) in [(1, 1), (2, 1), (2, 0), (7, 1), (7, 0), (20, 1)] {
        let fake = going_round(length, rows);
        let mut scan = scan(&fake).open().await.unwrap();
        let (given, error) = give(&mut scan).await;
        let split = Split::new(1, 2).unwrap();
        let ScanErrorKind::NotAdvancing {
            split: of,
            pages,
            has_rows,
        } = *error.kind()
        else {
            panic!("{error}")
        };
        assert_eq!((of, has_rows), (split, rows > 0));
        assert_eq!(u64::from(pages) % length, 0);
        // Those before it came, and are counted.
        let progress = error.progress().unwrap();
        assert_eq!(
            (progress.splits[1].pages, progress.splits[1].rows),
            given[&1]
        );
        let bound = if rows > 0 { 4 * (3 + length) } else { 3_000 };
        let asked = fake.asked().iter().filter(|it| it.split == 1).count();
        assert!(
            asked as u64 <= bound,
            "{asked} requests, {length} in the circle"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_session_tokens_that_go_round_are_an_error_too() {
    let fake = Fake::new(60, 1)
        .shape(|_| 1)
        .answer(|asked| (asked.page == 9).then_some(Answered::BackTo(5)));
    let mut scan = scan(&fake).without_session().unwrap();
    let (_, error) = give(&mut scan).await;
    assert_eq!(
        error.to_string(),
        "ParallelScan on index \"orders_index\" of table \"orders\": stopped on split 0 of 1 after 12 \
         rows: it was led back by 5 pages, whose rows came again; open the scan again; if it is \
         led back there again, the fault is the service's"
    );
}

/// What a caller of pages has made of them by whoever polls.
#[tokio::test(start_paused = true)]
async fn a_decoder_that_panics_in_the_caller_leaves_no_scan_that_looks_whole() {
    let fake = Fake::new(40, 1).shape(|_| 4);
    let mut scan = scan(&fake).open().await.unwrap();
    let _ = scan.next().await.unwrap().unwrap();
    let mut decoded = scan.decode(|page| {
        assert_ne!(page.index, 3, "as told");
        Ok::<_, ots_scan::ScanError>(page.rows.len())
    });
    let mut rows = 4;
    let error = loop {
        let next = std::panic::AssertUnwindSafe(decoded.next());
        match next.catch_unwind().await {
            Ok(Some(Ok(more))) => rows += more,
            Ok(Some(Err(error))) => break error,
            Ok(None) => panic!("it ends well, after {rows} rows"),
            Err(_) => assert!(!decoded.is_terminated()),
        }
    };
    assert_eq!(*error.kind(), ScanErrorKind::Aborted);
    assert_eq!((rows, error.progress().unwrap().rows()), (12, 12));
    assert!(decoded.next().await.is_none() && decoded.is_terminated());
    settle().await;
    assert_eq!(fake.in_flight(), 0);
}
