//! Sessions that are kept alive, and services for which that can't be done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fake::{Answered, Fake};
use futures::{StreamExt as _, TryStreamExt as _};
use ots_scan::{ScanBuilder, ScanErrorKind};

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
    assert_eq!(fake.pings(), 1);
}
