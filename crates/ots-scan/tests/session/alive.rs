//! Sessions that are kept alive, and services for which that can't be done.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fake::{Answered, Fake};
use futures::{StreamExt as _, TryStreamExt as _};
use ots_core::ErrorCode;
use ots_scan::{Limiter, ScanBuilder, ScanErrorKind};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;

fn keeping(fake: &Fake) -> ScanBuilder<Fake> {
    scan(fake).keep_alive(Duration::from_secs(600))
}

#[tokio::test(start_paused = true)]
async fn a_pause_keeps_the_session_alive_and_not_for_ever() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (pause, pings) in [(minutes(0), 0), (minutes(2), 2 * 5), (minutes(60), 2 * 30)] {
        let fake = Fake::new(400, 2).shape(|_| 7);
        let mut scan = keeping(&fake).keep_alive(minutes(10)).open().await.unwrap();
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

#[tokio::test(start_paused = true)]
async fn without_a_session_nothing_is_kept_alive() {
    let fake = Fake::new(400, 1).shape(|_| 7);
    let mut scan = keeping(&fake).without_session().unwrap();
    let _ = scan.try_next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(fake.pings(), 0);
    let rest: Vec<_> = scan.by_ref().try_collect().await.unwrap();
    assert_eq!(rest.iter().flat_map(ids).count(), 400 - 7);
    let asked = fake.asked().len();
    assert_eq!(fake.without_session(), asked);
    assert_eq!(scan.progress().requests, asked as u64);
}

/// A page that was asked for while a row was on its way to keep the session alive, is asked twice.
#[tokio::test(start_paused = true)]
async fn a_token_that_leads_on_is_found_out_by_the_page_when_nobody_waits_for_the_row() {
    let fake = Fake::new(400, 1)
        .shape(|_| 7)
        // Longer than the pause that is left when the row is asked for.
        .delay(|_| Duration::from_secs(15))
        .answer(|asked| (asked.page >= 3).then_some(Answered::SameToken));
    let mut scan = keeping(&fake).open().await.unwrap();
    let _ = scan.try_next().await.unwrap().unwrap();
    for _ in 0..90 {
        if fake.pings() == 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
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
    assert_eq!((fake.pings(), scan.progress().kept_alive), (1, 0));
}

/// Permits are shared with three hundred others, of which each holds one for a second.
#[tokio::test(start_paused = true)]
async fn a_split_does_not_wait_for_a_permit_until_its_session_has_expired() {
    let alive_time = Duration::from_secs(60);
    let last = Mutex::new(HashMap::new());
    let fake = Fake::new(60, 2).shape(|_| 7).answer(move |asked| {
        let before = last.lock().unwrap().insert(asked.split, Instant::now());
        let age = before.map_or(Duration::ZERO, |before| before.elapsed());
        (age >= alive_time).then_some(Answered::Error(ErrorCode::SessionExpired))
    });
    let limiter = Limiter::fixed(1);
    let others: JoinSet<()> = (0..300)
        .map(|_| {
            let limiter = limiter.clone();
            async move {
                loop {
                    let _permit = limiter.acquire().await;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        })
        .collect();
    tokio::task::yield_now().await;
    let builder = keeping(&fake).alive_time(alive_time);
    let scan = builder.limiter(limiter).open().await.unwrap();
    let start = Instant::now();
    let rows: Vec<_> = scan.rows().try_collect().await.unwrap();
    assert_eq!(rows.len(), 60);
    // Six pages of each split: it waited, and not for all of them.
    let seconds = start.elapsed().as_secs();
    assert!((60..6 * 40).contains(&seconds), "{seconds}");
    drop(others);
}

/// As a service would whose cursor moves with each request.
#[tokio::test(start_paused = true)]
async fn a_token_that_leads_on_by_itself_is_found_out() {
    let paused = std::sync::Arc::new(AtomicBool::new(false));
    let fake = Fake::new(400, 1).shape(|_| 7).answer({
        let paused = std::sync::Arc::clone(&paused);
        move |_| paused.load(Ordering::SeqCst).then_some(Answered::SameToken)
    });
    let mut scan = keeping(&fake).open().await.unwrap();
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
    // Its pages had shown it, so nothing was asked twice.
    assert_eq!(fake.pings(), 0);
}
