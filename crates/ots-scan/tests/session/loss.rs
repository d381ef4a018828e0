//! Sessions that are lost: what a scan that begins anew gives, and what it remembers for that.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fake::{Answered, Asked, Fake};
use futures::{StreamExt as _, TryStreamExt as _};
use ots_core::ErrorCode;
use ots_scan::{Limiter, OnSessionLoss, ScanBuilder, ScanErrorKind, ScanEvent};

use super::*;

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
            assert!(scan.checkpoint().is_none() || scan.progress().generation == 0);
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
    const LIMIT: usize = 14 * (7 * 18 + 96);
    let fake = Fake::new(400, 4).shape(|_| 7);
    let mut scan = scan(&fake)
        .on_session_loss(OnSessionLoss::ExactlyOnce { max: 1 })
        // Of fourteen pages of seven rows: 18 of each row, and 96 of each chunk.
        .delivered_keys_bytes(LIMIT)
        .open()
        .await
        .unwrap();
    let error = loop {
        if let Err(error) = scan.try_next().await {
            break error;
        }
    };
    let limit_bytes = LIMIT;
    assert_eq!(*error.kind(), ScanErrorKind::DeliveredKeys { limit_bytes });
    assert_eq!(
        error.progress().unwrap().rows(),
        98,
        "the page that is too much isn't given"
    );
}

/// A service that ends the first sessions, each after so many pages.
fn ending(pages: &'static [u64]) -> Fake {
    let asked = AtomicU64::new(0);
    let ended = AtomicU64::new(0);
    Fake::new(3_000, 4).shape(|_| 50).answer(move |_| {
        let number = usize::try_from(ended.load(Ordering::SeqCst)).unwrap();
        let at = *pages.get(number)?;
        let ends = asked.fetch_add(1, Ordering::SeqCst) >= at;
        ends.then(|| {
            asked.store(0, Ordering::SeqCst);
            ended.fetch_add(1, Ordering::SeqCst);
            Answered::Error(ErrorCode::SessionExpired)
        })
    })
}

/// A bound on memory that holds a few hundred of three thousand keys.
const LITTLE: usize = 16 << 10;

fn once(fake: &Fake, directory: &std::path::Path) -> ScanBuilder<Fake> {
    scan(fake)
        .on_session_loss(OnSessionLoss::ExactlyOnce { max: 3 })
        .delivered_keys_bytes(LITTLE)
        .spill_keys_to(directory)
}

fn is_empty(directory: &std::path::Path) -> bool {
    std::fs::read_dir(directory).unwrap().next().is_none()
}

#[tokio::test(start_paused = true)]
async fn keys_beyond_the_bound_are_spilled_and_every_row_comes_once() {
    let directory = tempfile::tempdir().unwrap();
    for endings in [&[58][..], &[40, 50], &[5, 60, 30]] {
        let fake = ending(endings);
        let mut scan = once(&fake, directory.path()).open().await.unwrap();
        let (mut rows, mut most_on_disk) = (Vec::new(), 0);
        while let Some(page) = scan.try_next().await.unwrap() {
            rows.extend(ids(&page));
            let progress = scan.progress();
            assert!(progress.keys_memory_bytes <= LITTLE as u64);
            most_on_disk = most_on_disk.max(progress.keys_disk_bytes);
        }
        rows.sort_unstable();
        assert_eq!(rows, Vec::from_iter(0..3_000), "{endings:?}");
        assert_eq!(fake.sessions(), 1 + endings.len());
        assert!(most_on_disk >= 10_000, "{most_on_disk}");
        // With whatever is still being written.
        settle().await;
        assert!(is_empty(directory.path()));
    }
}

/// Where pages are looked up on other threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn spilled_keys_are_looked_up_side_by_side() {
    let directory = tempfile::tempdir().unwrap();
    let fake = ending(&[40, 50]).delay(|_| std::time::Duration::ZERO);
    let rows = once(&fake, directory.path()).open().await.unwrap().rows();
    let id = |row: &ots_proto::Row| row.primary_key.get("id").unwrap().as_integer().unwrap();
    let mut rows: Vec<_> = rows.map_ok(|row| id(&row)).try_collect().await.unwrap();
    rows.sort_unstable();
    assert_eq!(rows, Vec::from_iter(0..3_000));
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_cannot_be_written_to_ends_the_scan_with_what_was_given() {
    let directory = tempfile::tempdir().unwrap();
    let gone = directory.path().join("gone");
    let fake = ending(&[]);
    let mut scan = once(&fake, &gone).open().await.unwrap();
    let mut rows = 0;
    let error = loop {
        match scan.try_next().await {
            Ok(page) => rows += page.expect("an end without an error").rows.len() as u64,
            Err(error) => break error,
        }
    };
    assert_eq!(*error.kind(), ScanErrorKind::Spill);
    assert!(!error.is_retryable());
    assert!(rows > 0);
    assert_eq!(error.progress().unwrap().rows(), rows);
    assert_eq!(
        error.to_string(),
        format!(
            "ParallelScan on index \"orders_index\" of table \"orders\": the keys of {rows} rows, \
             which are to be given once, can't be kept on disk; the cause says why: make room or name \
             another directory (spill_keys_to), and open the scan again"
        )
    );
    let cause = std::error::Error::source(&error).unwrap();
    let cause = cause.downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
    assert!(scan.next().await.is_none());
    tokio::task::yield_now().await;
    assert_eq!(fake.in_flight(), 0);
}

/// Nor when a session is lost, with a page's keys in memory and the directory gone by then.
#[tokio::test(start_paused = true)]
async fn a_directory_that_goes_away_ends_the_scan_when_it_is_needed() {
    let directory = tempfile::tempdir().unwrap();
    let fake = ending(&[28, 20]);
    let mut scan = once(&fake, directory.path()).open().await.unwrap();
    while scan.progress().generation == 0 {
        let _ = scan.try_next().await.unwrap().unwrap();
    }
    assert!(scan.progress().keys_disk_bytes > 0);
    // Files without a name keep no directory, and need none.
    drop(directory);
    let error = loop {
        match scan.try_next().await {
            Ok(page) => drop(page.expect("an end without an error")),
            Err(error) => break error,
        }
    };
    assert_eq!(*error.kind(), ScanErrorKind::Spill);
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_is_dropped_or_panics_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let fake = ending(&[]);
    let mut scan = once(&fake, directory.path()).open().await.unwrap();
    while scan.progress().keys_disk_bytes == 0 {
        let _ = scan.try_next().await.unwrap().unwrap();
    }
    drop(scan);
    settle().await;
    assert!(is_empty(directory.path()));

    let fake = Fake::new(3_000, 4)
        .shape(|_| 50)
        .answer(|asked| (asked.page == 12).then_some(Answered::Panic));
    let mut scan = once(&fake, directory.path()).open().await.unwrap();
    let error = loop {
        match scan.try_next().await {
            Ok(page) => drop(page.expect("an end without an error")),
            Err(error) => break error,
        }
    };
    assert_eq!(*error.kind(), ScanErrorKind::Aborted);
    assert!(error.progress().unwrap().keys_disk_bytes > 0);
    settle().await;
    assert!(is_empty(directory.path()));
}

/// Of the last session nothing is looked up any more.
#[tokio::test(start_paused = true)]
async fn where_no_session_follows_no_key_is_kept() {
    let fake = ending(&[20]);
    let policy = OnSessionLoss::ExactlyOnce { max: 1 };
    let mut scan = scan(&fake).on_session_loss(policy).open().await.unwrap();
    let (mut held, mut lost) = (0, 0);
    while let Some(page) = scan.try_next().await.unwrap() {
        let progress = scan.progress();
        if page.generation == 0 {
            (held, lost) = (progress.keys_memory_bytes, progress.rows());
            assert!(held >= 10 * lost);
        } else {
            // And what finding them takes.
            assert_eq!(progress.keys_memory_bytes, held + 8 * lost);
        }
    }
    assert!(lost > 0 && scan.progress().rows_that_stand() == 3_000);
}

/// Or one slow disk would keep the permits from those who share them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_page_is_looked_up_on_disk_the_next_request_gives_its_permit_back() {
    let directory = tempfile::tempdir().unwrap();
    let fake = ending(&[40]).delay(|_| Duration::ZERO);
    let limiter = Limiter::fixed(1);
    let builder = once(&fake, directory.path()).concurrency(1);
    let scan = builder.limiter(limiter.clone()).open().await.unwrap();
    let runtime = tokio::runtime::Handle::current();
    let mut pages = scan.decode(move |page| {
        if (page.generation, page.index) == (1, 0) {
            // For ever, if the next request had it until this page is done with.
            let permit = tokio::time::timeout(Duration::from_secs(60), limiter.acquire());
            drop(runtime.block_on(permit).expect("a permit"));
        }
        Ok::<_, ots_scan::ScanError>(page.rows.len())
    });
    let mut rows = 0;
    while let Some(page) = pages.try_next().await.unwrap() {
        rows += page;
    }
    assert_eq!(rows, 3_000);
    assert_eq!(pages.progress().generation, 1);
}

/// Pages that are looked up on disk are decoded on other threads.
#[tokio::test(start_paused = true)]
async fn a_decoder_that_panics_on_another_thread_is_an_error_and_not_an_end() {
    let directory = tempfile::tempdir().unwrap();
    let fake = ending(&[40]);
    let scan = once(&fake, directory.path()).open().await.unwrap();
    let mut pages = scan.decode(|page| {
        assert_eq!(page.generation, 0, "as told");
        Ok::<_, ots_scan::ScanError>(page.rows.len())
    });
    let error = loop {
        match pages.try_next().await {
            Ok(page) => drop(page.expect("an end without an error")),
            Err(error) => break error,
        }
    };
    assert_eq!(*error.kind(), ScanErrorKind::Aborted);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("panicked"), "{cause}");
    assert!(pages.next().await.is_none());
}
