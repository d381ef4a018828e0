//! A service with rows in an index, a client that retries without waiting, and what goes wrong.

use std::future::pending;
use std::time::Duration;

use ots_core::request::{CreateSearchIndex, CreateTable};
use ots_core::retry::{Decision, DefaultRetryPolicy, Failure, RetryBudget, RetryPolicy};
use ots_core::writer::BatchWriter;
use ots_core::{Client, PrimaryKey, Row, RowChange};
use ots_emulator::{Emulator, FaultAction, FaultRule, Settings};
use ots_proto::messages::{FieldType, PrimaryKeyType};
use ots_scan::{ScanBuilder, parallel_scan};

use crate::support;

pub(crate) const ROWS: i64 = 600;

/// What goes wrong with a page, and how often.
const DISTURBANCES: [(FaultAction, f64); 7] = [
    (FaultAction::DropBefore, 0.04),
    (FaultAction::DropAfter, 0.04),
    (FaultAction::Truncate { bytes: 99 }, 0.04),
    (FaultAction::BadMd5, 0.04),
    (FaultAction::CorruptChecksum, 0.04),
    (FaultAction::Throttle, 0.04),
    (FaultAction::EmptyPage, 0.08),
];

/// The pauses of a policy, without the waiting.
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

/// A service with pages of twenty rows, and with ranges as small as one likes.
pub(crate) fn emulator(splits: u32, seed: u64) -> ots_emulator::EmulatorBuilder {
    let mut settings = Settings::default();
    settings.splits = splits;
    (settings.scan_page_rows, settings.range_page_rows) = (20, 20);
    settings.min_split_unit_bytes = 1;
    Emulator::builder().settings(settings).seed(seed)
}

/// Serves it on a port of this machine, and gives its endpoint.
pub(crate) async fn serve(emulator: &Emulator) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = emulator.clone();
    tokio::spawn(async move { server.serve(listener, pending()).await });
    endpoint
}

/// A client that retries so often at most.
pub(crate) fn client(endpoint: impl Into<String>, max_attempts: u32) -> Client {
    let mut policy = DefaultRetryPolicy::new();
    (policy.max_attempts, policy.deadline) = (max_attempts, Duration::MAX);
    Client::builder(endpoint)
        .instance("own")
        .credentials(support::credentials())
        .retry(Hasty(policy))
        .retry_budget(RetryBudget::unlimited())
        .build()
        .unwrap()
}

/// A client with the usual number of attempts.
pub(crate) fn usual_client(endpoint: impl Into<String>) -> Client {
    client(endpoint, DefaultRetryPolicy::new().max_attempts)
}

/// The rows, in table `t` and its index `i`.
pub(crate) async fn fill(client: &Client) {
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
}

/// From now on three answers in ten to an operation go wrong.
pub(crate) fn disturb(emulator: &Emulator, operation: &str) {
    for (action, probability) in DISTURBANCES {
        let rule = FaultRule::new(action).operation(operation);
        emulator.faults().add(rule.probability(probability));
    }
}

/// A scan of the index, through pages of twenty.
pub(crate) fn index_scan(client: Client) -> ScanBuilder<Client> {
    parallel_scan(client, "t", "i")
        .limit(20)
        // No machine is so slow that a session ends before its time.
        .alive_time(Duration::from_secs(3600))
        .verify_pages(true)
        .refetches(10)
}
