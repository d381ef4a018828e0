#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]
//! A table scan over HTTP, from an emulator where everything goes wrong that can, stopped and gone on
//! with from bytes: every row once.

mod support;

use std::collections::BTreeMap;
use std::future::pending;
use std::num::NonZeroU64;
use std::time::Duration;

use futures::TryStreamExt as _;
use ots_core::request::CreateTable;
use ots_core::retry::{Decision, DefaultRetryPolicy, Failure, RetryBudget, RetryPolicy};
use ots_core::writer::BatchWriter;
use ots_core::{Client, PrimaryKey, Row, RowChange};
use ots_emulator::{Emulator, FaultAction, FaultRule, Settings};
use ots_proto::messages::PrimaryKeyType;
use ots_scan::{TableCheckpoint, table_scan};

const ROWS: i64 = 600;
const WORLDS: u64 = 8;

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

/// A client of an emulator with the rows, and with pages of twenty.
async fn world(world: u64) -> (Client, Emulator) {
    let mut settings = Settings::default();
    (settings.min_split_unit_bytes, settings.range_page_rows) = (1, 20);
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
    let writer = BatchWriter::builder(client.clone(), "t")
        .start(drop)
        .unwrap();
    for id in 0..ROWS {
        let row = Row::new(PrimaryKey::new().column("id", id)).cell("price", -id);
        writer.write(RowChange::Put(row), ()).await.unwrap();
    }
    writer.close().await;
    (client, emulator)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_comes_once_whatever_goes_wrong_and_wherever_it_is_stopped() {
    for number in 0..WORLDS {
        let (client, emulator) = world(number).await;
        // Not `EmptyPage`, which stays where it is: a range that doesn't advance is an error.
        for action in [
            FaultAction::DropBefore,
            FaultAction::DropAfter,
            FaultAction::Truncate { bytes: 99 },
            FaultAction::BadMd5,
            FaultAction::CorruptChecksum,
            FaultAction::Throttle,
        ] {
            let rule = FaultRule::new(action).operation("GetRange");
            emulator.faults().add(rule.probability(0.04));
        }
        if number == 0 {
            // For certain, in the one world that isn't stopped.
            let rule = FaultRule::new(FaultAction::CorruptChecksum).operation("GetRange");
            emulator.faults().clear();
            emulator.faults().add(rule.nth(3));
        }
        // Of about 24 bytes a row: one range to some dozens.
        let part_bytes = NonZeroU64::new((24 * 600) >> number).unwrap();
        let scan = table_scan(client, "t").part_bytes(part_bytes).refetches(10);
        let mut under_way = scan.open().await.unwrap();
        let mut times: BTreeMap<i64, u32> = BTreeMap::new();
        let mut pages = 0;
        while let Some(page) = under_way.try_next().await.unwrap() {
            for row in page.rows().unwrap() {
                let id = row.primary_key.get("id").unwrap().as_integer().unwrap();
                assert_eq!(row.get("price").unwrap().as_integer(), Some(-id));
                *times.entry(id).or_default() += 1;
            }
            pages += 1;
            if number > 0 && pages % (5 + number) == 0 {
                let kept = under_way.checkpoint().to_bytes();
                let kept = TableCheckpoint::from_bytes(&kept).unwrap();
                under_way = scan.resume(&kept).unwrap();
            }
        }
        assert!(times.values().all(|times| *times == 1), "rows came twice");
        assert!(times.into_keys().eq(0..ROWS), "world {number}");
        if number == 0 {
            assert_eq!(under_way.progress().refetched, 1);
        }
    }
}
