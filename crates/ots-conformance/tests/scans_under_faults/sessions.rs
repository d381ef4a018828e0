//! What each policy for lost sessions promises, while everything goes wrong that can.

use futures::TryStreamExt as _;
use ots_core::Client;
use ots_emulator::{FaultAction, FaultRule};
use ots_scan::{OnSessionLoss, ScanBuilder, ScanErrorKind, ScanEvent};

use crate::given::Given;
use crate::place;

const WORLDS: u64 = 12;

/// A service of some splits, whose answers to a scan go wrong in every way and whose sessions are lost
/// now and then; what it does follows from the number of its world.
async fn scan(world: u64) -> ScanBuilder<Client> {
    let splits = u32::try_from(world % 7).unwrap() + 1;
    let emulator = place::emulator(splits, world).build();
    let client = place::usual_client(place::serve(&emulator).await);
    place::fill(&client).await;

    place::disturb(&emulator, "ParallelScan");
    // Up to three times: early, in the middle, late.
    for nth in [3, 17, 41]
        .into_iter()
        .take(usize::try_from(world % 4).unwrap())
    {
        let rule = FaultRule::new(FaultAction::ExpireSession).operation("ParallelScan");
        emulator.faults().add(rule.nth(nth + world));
    }
    place::index_scan(client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_may_fail_gives_all_rows_or_says_how_many_it_gave() {
    let mut lost = 0;
    for world in 0..WORLDS {
        let mut scan = scan(world).await.open().await.unwrap();
        let mut given = Given::default();
        loop {
            match scan.try_next().await {
                Ok(Some(page)) => given.take(&page.rows().unwrap()),
                Ok(None) => break given.assert_whole(world),
                Err(error) => {
                    let kind = error.kind();
                    assert!(
                        matches!(kind, ScanErrorKind::SessionExpired { .. }),
                        "{error}"
                    );
                    given.assert_once();
                    assert_eq!(error.progress().unwrap().rows(), given.rows());
                    lost += 1;
                    break;
                }
            }
        }
    }
    assert!(lost > 0, "no session was lost: this showed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_restarts_gives_all_rows_once_after_its_last_event() {
    let mut restarts = 0;
    for world in 0..WORLDS {
        let scan = scan(world)
            .await
            .on_session_loss(OnSessionLoss::Restart { max: 9 });
        let mut events = scan.events().await.unwrap();
        let mut given = Given::default();
        while let Some(event) = events.try_next().await.unwrap() {
            match event {
                ScanEvent::Page(page) => given.take(&page.rows().unwrap()),
                ScanEvent::Restarted(_) => {
                    given.assert_once();
                    given = Given::default();
                    restarts += 1;
                }
                _ => {}
            }
        }
        given.assert_whole(world);
    }
    assert!(restarts > 0, "no session was lost: this showed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_gives_rows_exactly_once_does_whatever_happens() {
    let mut restarts = 0;
    for world in 0..WORLDS {
        let scan = scan(world)
            .await
            .on_session_loss(OnSessionLoss::ExactlyOnce { max: 9 });
        let mut scan = scan.open().await.unwrap();
        let mut given = Given::default();
        while let Some(page) = scan.try_next().await.unwrap() {
            given.take(&page.rows().unwrap());
        }
        given.assert_whole(world);
        restarts += scan.progress().generation;
    }
    assert!(restarts > 0, "no session was lost: this showed nothing");
}
