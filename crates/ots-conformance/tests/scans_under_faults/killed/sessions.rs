//! Sessions go with the process. What each policy promises then.

use futures::TryStreamExt as _;
use ots_core::request::{ComputeSplits, ParallelScan};
use ots_core::{ErrorCode, Query};
use ots_scan::{OnSessionLoss, ScanErrorKind, ScanEvent};

use super::{SPLITS, Service};
use crate::given::Given;
use crate::place;

const SCAN: &str = "ParallelScan";

/// Pages of a session after which the service is killed: at once, early, in the middle. Of the thirty
/// pages three for each split may be ready or on their way, so the scan never ends without the
/// service that comes after.
const KILLED_AFTER: [u32; 3] = [1, 4, 12];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_process_refuses_the_sessions_of_the_one_before() {
    let mut service = Service::start(SCAN).await;
    let client = service.patient_client();
    let session = client.send(ComputeSplits::new("t", "i")).await.unwrap();
    let first = ParallelScan::new("t", "i", Query::MatchAll)
        .session(session.session_id.clone())
        .limit(20);
    let page = client.send(first.clone()).await.unwrap();
    let next = first.clone().token(page.next_token.clone().unwrap());
    client.send(next.clone()).await.unwrap();

    service.kill_and_start_again();
    for request in [first, next] {
        let error = client.send(request).await.unwrap_err();
        assert_eq!(error.code(), Some(&ErrorCode::SessionExpired), "{error}");
    }
    let other = client.send(ComputeSplits::new("t", "i")).await.unwrap();
    assert_ne!(other.session_id, session.session_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_may_fail_says_how_many_rows_it_gave_before_the_service_was_killed() {
    let mut service = Service::start(SCAN).await;
    let scan = place::index_scan(service.patient_client());
    for killed_after in KILLED_AFTER {
        let mut under_way = scan.open().await.unwrap();
        assert_eq!(under_way.max_parallel(), SPLITS);
        let mut given = Given::default();
        let mut pages = 0;
        let error = loop {
            match under_way.try_next().await {
                Ok(page) => given.take(&page.unwrap().rows().unwrap()),
                Err(error) => break error,
            }
            pages += 1;
            if pages == killed_after {
                service.kill_and_start_again();
            }
        };
        let kind = error.kind();
        let expired = matches!(kind, ScanErrorKind::SessionExpired { .. });
        assert!(expired && error.is_retryable(), "{error}");
        given.assert_once();
        assert_eq!(error.progress().unwrap().rows(), given.rows());
        assert!(under_way.try_next().await.unwrap().is_none());
    }
    // As the error says: open it again.
    let mut given = Given::default();
    let mut again = scan.open().await.unwrap();
    while let Some(page) = again.try_next().await.unwrap() {
        given.take(&page.rows().unwrap());
    }
    given.assert_whole("opened again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_restarts_gives_all_rows_once_after_the_last_kill() {
    let mut service = Service::start(SCAN).await;
    let restart = OnSessionLoss::Restart { max: 3 };
    let scan = place::index_scan(service.patient_client()).on_session_loss(restart);
    let mut events = scan.events().await.unwrap();
    let mut given = Given::default();
    let mut generations = vec![0];
    let mut kills = KILLED_AFTER.into_iter();
    let mut killed_after = kills.next();
    let mut pages = 0;
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            ScanEvent::Page(page) => {
                given.take(&page.rows().unwrap());
                pages += 1;
                // Once in each session.
                if killed_after == Some(pages) {
                    service.kill_and_start_again();
                    killed_after = None;
                }
            }
            ScanEvent::Restarted(restarted) => {
                assert_eq!(restarted.cause.code(), Some(&ErrorCode::SessionExpired));
                assert_eq!(restarted.progress.rows(), given.rows());
                assert!(!restarted.rows_stand);
                given.assert_once();
                given = Given::default();
                generations.push(restarted.generation);
                (killed_after, pages) = (kills.next(), 0);
            }
            _ => {}
        }
    }
    given.assert_whole("restarted");
    // One session for each process, and each was lost but the last.
    assert_eq!(generations, [0, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_gives_rows_exactly_once_does_though_the_service_is_killed() {
    for killed_after in KILLED_AFTER {
        let mut service = Service::start(SCAN).await;
        let once = OnSessionLoss::ExactlyOnce { max: 1 };
        let scan = place::index_scan(service.patient_client()).on_session_loss(once);
        let mut under_way = scan.open().await.unwrap();
        let mut given = Given::default();
        let mut pages = 0;
        while let Some(page) = under_way.try_next().await.unwrap() {
            given.take(&page.rows().unwrap());
            pages += 1;
            if pages == killed_after {
                service.kill_and_start_again();
            }
        }
        given.assert_whole(killed_after);
        let progress = under_way.progress();
        assert_eq!(progress.generation, 1);
        assert_eq!(progress.rows_that_stand(), given.rows());
        assert_eq!(progress.suppressed_rows, progress.earlier_rows);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_of_a_session_that_went_with_its_process_is_refused_by_the_service() {
    let mut service = Service::start(SCAN).await;
    let scan = place::index_scan(service.patient_client());
    let mut under_way = scan.open().await.unwrap();
    assert!(under_way.try_next().await.unwrap().is_some());
    let checkpoint = under_way.checkpoint().unwrap();
    drop(under_way);

    service.kill_and_start_again();
    let mut resumed = scan.resume(&checkpoint).unwrap();
    let error = resumed.try_next().await.unwrap_err();
    assert!(
        matches!(error.kind(), ScanErrorKind::SessionExpired { .. }),
        "{error}"
    );
    assert_eq!(error.code(), Some(&ErrorCode::SessionExpired));
    assert_eq!(error.progress().unwrap().rows(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_stays_away_fails_a_scan_under_every_policy() {
    let mut service = Service::start(SCAN).await;
    for policy in [
        OnSessionLoss::Fail,
        OnSessionLoss::Restart { max: 9 },
        OnSessionLoss::ExactlyOnce { max: 9 },
    ] {
        let scan = place::index_scan(service.usual_client()).on_session_loss(policy);
        let mut events = scan.events().await.unwrap();
        let mut given = Given::default();
        let error = loop {
            match events.try_next().await {
                Ok(Some(ScanEvent::Page(page))) => given.take(&page.rows().unwrap()),
                // Nobody has said that the session is lost.
                Ok(other) => unreachable!("{other:?}"),
                Err(error) => break error,
            }
            if service.process.is_some() {
                service.kill();
            }
        };
        let kind = error.kind();
        let failed = matches!(kind, ScanErrorKind::Call { .. });
        assert!(failed && error.is_retryable(), "{policy:?}: {error}");
        assert!(error.as_call().unwrap().as_transport().is_some(), "{error}");
        given.assert_once();
        assert_eq!(error.progress().unwrap().rows(), given.rows());
        service.start_process();
    }
}
