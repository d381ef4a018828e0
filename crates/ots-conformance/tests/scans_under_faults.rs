#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]
//! What each policy for lost sessions promises, over HTTP, from an emulator where everything goes
//! wrong that can: the simulation of ots-scan plays many more worlds, but in memory.

mod support;

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use futures::TryStreamExt as _;
use ots_core::request::{CreateSearchIndex, CreateTable};
use ots_core::retry::{Decision, DefaultRetryPolicy, Failure, RetryBudget, RetryPolicy};
use ots_core::writer::BatchWriter;
use ots_core::{Client, PrimaryKey, Row, RowChange};
use ots_emulator::{Emulator, FaultAction, FaultRule, Settings};
use ots_proto::messages::{FieldType, PrimaryKeyType};
use ots_scan::{OnSessionLoss, ScanBuilder, ScanErrorKind, ScanEvent, ScanPage, parallel_scan};

const ROWS: i64 = 600;
const WORLDS: u64 = 12;

/// The pauses of the usual policy, without the waiting.
#[derive(Debug)]
struct Hasty(DefaultRetryPolicy);

impl RetryPolicy for Hasty {
    fn decide(&self, failure: &Failure<'_>, random: f64) -> Decision {
        match self.0.decide(failure, random) {
            Decision::RetryAfter(_) => Decision::RetryAfter(Duration::from_millis(1)),
            Decision::GiveUp => Decision::GiveUp,
        }
    }
}

/// A service of some splits, whose answers to a scan go wrong in every way and whose sessions are lost
/// now and then; what it does follows from the number of its world.
async fn scan(world: u64) -> ScanBuilder<Client> {
    let mut settings = Settings::default();
    settings.splits = u32::try_from(world % 7).unwrap() + 1;
    settings.scan_page_rows = 20;
    let emulator = Emulator::builder().settings(settings).seed(world).build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = emulator.clone();
    tokio::spawn(async move { server.serve(listener, pending()).await });

    let client = Client::builder(endpoint)
        .instance("own")
        .credentials(support::credentials())
        .retry(Hasty(DefaultRetryPolicy::new()))
        .retry_budget(RetryBudget::unlimited())
        .build()
        .unwrap();
    let table = CreateTable::new("t").primary_key("id", PrimaryKeyType::Integer);
    client.send(table).await.unwrap();
    let index = CreateSearchIndex::new("t", "i").field("price", FieldType::Long);
    client.send(index).await.unwrap();
    let writer = BatchWriter::builder(client.clone(), "t")
        .start(drop)
        .unwrap();
    for id in 0..ROWS {
        let row = Row::new(PrimaryKey::new().column("id", id)).cell("price", -id);
        writer.write(RowChange::Put(row), ()).await.unwrap();
    }
    let written = writer.close().await.written_rows;
    assert_eq!(written, u64::try_from(ROWS).unwrap());

    for (action, probability) in [
        (FaultAction::DropBefore, 0.04),
        (FaultAction::DropAfter, 0.04),
        (FaultAction::Truncate { bytes: 99 }, 0.04),
        (FaultAction::BadMd5, 0.04),
        (FaultAction::CorruptChecksum, 0.04),
        (FaultAction::Throttle, 0.04),
        (FaultAction::EmptyPage, 0.08),
    ] {
        let rule = FaultRule::new(action).operation("ParallelScan");
        emulator.faults().add(rule.probability(probability));
    }
    // Up to three times: early, in the middle, late.
    for nth in [3, 17, 41]
        .into_iter()
        .take(usize::try_from(world % 4).unwrap())
    {
        let rule = FaultRule::new(FaultAction::ExpireSession).operation("ParallelScan");
        emulator.faults().add(rule.nth(nth + world));
    }
    parallel_scan(client, "t", "i")
        .limit(20)
        .verify_pages(true)
        .refetches(10)
}

/// How often each row came.
#[derive(Default)]
struct Given(BTreeMap<i64, u32>);

impl Given {
    fn take(&mut self, page: &ScanPage) {
        for row in page.rows().unwrap() {
            let id = row.primary_key.get("id").unwrap().as_integer().unwrap();
            assert_eq!(row.get("price").unwrap().as_integer(), Some(-id));
            *self.0.entry(id).or_default() += 1;
        }
    }

    fn assert_once(&self) {
        assert!(self.0.values().all(|times| *times == 1), "rows came twice");
    }

    fn assert_whole(&self, world: u64) {
        self.assert_once();
        let there = i64::try_from(self.0.len()).unwrap();
        assert_eq!(there, ROWS, "world {world}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_may_fail_gives_all_rows_or_says_how_many_it_gave() {
    let mut lost = 0;
    for world in 0..WORLDS {
        let mut scan = scan(world).await.open().await.unwrap();
        let mut given = Given::default();
        loop {
            match scan.try_next().await {
                Ok(Some(page)) => given.take(&page),
                Ok(None) => break given.assert_whole(world),
                Err(error) => {
                    let kind = error.kind();
                    assert!(
                        matches!(kind, ScanErrorKind::SessionExpired { .. }),
                        "{error}"
                    );
                    given.assert_once();
                    let rows = error.progress().unwrap().rows();
                    assert_eq!(rows, u64::try_from(given.0.len()).unwrap());
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
                ScanEvent::Page(page) => given.take(&page),
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
            given.take(&page);
        }
        given.assert_whole(world);
        restarts += scan.progress().generation;
    }
    assert!(restarts > 0, "no session was lost: this showed nothing");
}
