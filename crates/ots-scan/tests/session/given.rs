//! Scans that are given their splits, more than may be read at once.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use fake::{Answered, Fake};
use futures::TryStreamExt as _;
use ots_core::ErrorCode;
use ots_scan::{Limiter, Position, ScanBuilder, ScanErrorKind, ScanSession, Split, SplitState};
use tokio::time::Instant;

use super::*;

fn session() -> ScanSession {
    let splits_size = NonZeroU32::new(64).unwrap();
    ScanSession::known("orders", "orders_index", "a session", splits_size)
}

/// All 64 splits, each from the same place.
fn all(builder: &ScanBuilder<Fake>, position: &Position) -> Scan {
    let splits = (0..64).map(|id| (Split::new(id, 64).unwrap(), position.clone()));
    builder.in_session(&session(), splits).unwrap()
}

/// Behind the first page of a split, of seven rows.
fn second_page() -> Position {
    Position::At("1 7".into())
}

/// A service in which the token of a split lives for so long after it was last asked for; or, for a first
/// page, after the session was.
fn aging(fake: Fake, alive: Duration, began: bool) -> Fake {
    let last: Mutex<HashMap<u32, Instant>> = Mutex::default();
    let start = Instant::now();
    fake.answer(move |asked| {
        let mut last = last.lock().unwrap();
        let token = last.get(&asked.split).copied();
        let before = if began || token.is_some() {
            token.unwrap_or(start)
        } else {
            last.values().max().copied().unwrap_or(start)
        };
        last.insert(asked.split, Instant::now());
        (before.elapsed() >= alive).then_some(Answered::Error(ErrorCode::SessionExpired))
    })
}

#[tokio::test(start_paused = true)]
async fn given_splits_are_read_a_few_at_a_time() {
    for concurrency in [1, 2, 10] {
        let fake = Fake::new(64 * 15, 64).shape(|_| 7);
        let limiter = Limiter::fixed(64);
        let builder = scan(&fake)
            .concurrency(concurrency)
            .limiter(limiter.clone());
        let mut scan = all(&builder, &Position::Start);
        let (mut rows, mut reading) = (HashSet::new(), 0);
        while let Some(page) = scan.try_next().await.unwrap() {
            rows.extend(ids(&page));
            let in_flight = |split: &&ots_scan::SplitProgress| split.state == SplitState::InFlight;
            let splits = scan.progress().splits;
            reading = reading.max(splits.iter().filter(in_flight).count());
        }
        assert_eq!(rows.len(), 64 * 15);
        assert_eq!(fake.max_in_flight(), concurrency as usize);
        assert!(reading <= concurrency as usize);
        assert_eq!(limiter.in_flight(), 0);
        assert!(scan.progress().is_done());
    }
}

/// It takes far longer than a session lives, and than a pause of the caller's may be.
#[tokio::test(start_paused = true)]
async fn splits_that_wait_for_others_are_kept_alive() {
    let alive = Duration::from_secs(60);
    for position in [Position::Start, second_page()] {
        let began = position != Position::Start;
        let fake = Fake::new(64 * 30, 64)
            .shape(|_| 7)
            .delay(|_| Duration::from_millis(700));
        let fake = aging(fake, alive, began);
        let builder = scan(&fake).alive_time(alive).keep_alive(alive);
        let builder = builder.concurrency(3).limiter(Limiter::fixed(64));
        let start = Instant::now();
        let rows: Vec<_> = all(&builder, &position).rows().try_collect().await.unwrap();
        let first_page = if began { 7 } else { 0 };
        assert_eq!(rows.len(), 64 * (30 - first_page));
        assert!(start.elapsed() > alive, "{:?}", start.elapsed());
        assert_eq!(
            fake.max_in_flight(),
            3,
            "those that keep tokens alive included"
        );
        // The first page of a split has no token that could grow old.
        assert_eq!(fake.pings() > 0, began);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_keeps_splits_alive_that_wait_and_not_for_ever() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for position in [Position::Start, second_page()] {
        for (pause, expires) in [(minutes(9), false), (minutes(60), true)] {
            let fake = Fake::new(64 * 30, 64).shape(|_| 7);
            let fake = aging(fake, minutes(1), position != Position::Start);
            let builder = scan(&fake).keep_alive(minutes(10)).concurrency(3);
            let mut scan = all(&builder, &position);
            let page = scan.try_next().await.unwrap().unwrap();
            tokio::time::sleep(pause).await;
            let rest: Result<Vec<_>, _> = scan.try_collect().await;
            match rest {
                Ok(rest) => {
                    assert!(!expires);
                    let rows: usize = rest.iter().map(|page| page.rows.len()).sum();
                    let first_page = if position == Position::Start { 0 } else { 7 };
                    assert_eq!(page.rows.len() + rows, 64 * (30 - first_page));
                }
                Err(error) => {
                    assert!(expires, "{error}");
                    let kind = error.kind();
                    assert!(matches!(kind, ScanErrorKind::SessionExpired { .. }));
                }
            }
        }
    }
}

/// A split whose last page has come isn't read any more, whoever has not taken it.
#[tokio::test(start_paused = true)]
async fn while_last_pages_wait_for_the_caller_the_next_splits_begin() {
    let fake = Fake::new(64 * 5, 64).shape(|_| 7);
    let mut scan = all(&scan(&fake).concurrency(2), &Position::Start);
    begin(&mut scan);
    settle().await;
    assert_eq!(fake.asked().len(), 2 * 64);
    assert_eq!(fake.max_in_flight(), 2);
    let pages: Vec<_> = scan.try_collect().await.unwrap();
    assert_eq!(pages.iter().flat_map(ids).count(), 64 * 5);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_scan_reads_as_many_splits_as_it_is_told() {
    let fake = Fake::new(400, 8).shape(|_| 7);
    let eight = scan(&fake).limiter(Limiter::fixed(1));
    let mut begun = eight.open().await.unwrap();
    let mut rows = begun.try_next().await.unwrap().unwrap().rows.len();
    let checkpoint = begun.checkpoint().unwrap();
    drop(begun);
    settle().await;

    let one = scan(&fake).concurrency(1).limiter(Limiter::fixed(64));
    let mut resumed = one.resume(&checkpoint).unwrap();
    assert_eq!(resumed.max_parallel(), 8);
    while let Some(page) = resumed.try_next().await.unwrap() {
        rows += page.rows.len();
    }
    assert_eq!((rows, fake.max_in_flight()), (400, 1));
}
