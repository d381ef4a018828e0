//! The emulator alone: a signed request in, a signed response out, without a client and without a
//! socket. What a demonstration against it can't be faster than.
//!
//! - `get_row`: one narrow row;
//! - `get_range_page`: 2,000 narrow rows of a table;
//! - `parallel_scan_page`: 2,000 narrow rows of a session that has begun;
//! - `batch_write`: 200 narrow rows.
//!
//! Prints, too, what single calls of `get_row` take.
#![allow(clippy::unwrap_used, reason = "benchmarks")]

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::Request;
use ots_benches::{Embedded, INDEX, Shape, TABLE};
use ots_core::request::{
    BatchWriteRow, ComputeSplits, GetRange, GetRow, ParallelScan, Request as Operation,
    ScanColumns, TableWrites,
};
use ots_core::transport::InProcess;
use ots_core::{Client, Credentials, PrimaryKey, RowChange};
use ots_emulator::Emulator;
use ots_proto::search::Query;
use tokio::runtime::Runtime;

const ROWS: usize = 100_000;
const PAGE_ROWS: u32 = 2_000;
const BATCH_ROWS: usize = 200;
const CALLS: usize = 20_000;

/// A service with rows, and a client that keeps the last request it sent.
struct Bench {
    embedded: Embedded,
    client: Client,
    sent: Arc<Mutex<Option<Request<Bytes>>>>,
    runtime: Runtime,
}

impl Bench {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let embedded = Embedded::new(Shape::Narrow, ROWS, 1);
        let embedded = runtime.block_on(embedded).unwrap();
        let sent: Arc<Mutex<Option<Request<Bytes>>>> = Arc::default();
        let (service, keep) = (embedded.emulator.clone(), Arc::clone(&sent));
        let transport = InProcess::new(move |request: Request<Bytes>| {
            *keep.lock().unwrap() = Some(request.clone());
            service.handle(request)
        });
        let client = Client::builder("http://embedded")
            .instance("benches")
            .credentials(Credentials::new(
                Emulator::ACCESS_KEY_ID,
                Emulator::ACCESS_KEY_SECRET,
            ))
            .transport(transport)
            .build()
            .unwrap();
        Self {
            embedded,
            client,
            sent,
            runtime,
        }
    }

    /// The request as it is sent, and what comes back.
    fn signed<O: Operation>(&self, request: O) -> (Request<Bytes>, O::Output) {
        let output = self.runtime.block_on(self.client.send(request)).unwrap();
        (
            self.sent.lock().unwrap().take().unwrap(),
            output.into_inner(),
        )
    }

    /// Any row.
    fn key(&self, index: usize) -> PrimaryKey {
        let rows = Shape::Narrow.rows(index + 1);
        rows.last().unwrap().primary_key.clone()
    }
}

fn emulator(c: &mut Criterion) {
    let bench = Bench::new();
    let emulator = &bench.embedded.emulator;
    let mut group = c.benchmark_group("emulator");
    group.measurement_time(Duration::from_secs(5));
    let mut measure = |name: &str, rows: u32, request: &Request<Bytes>| {
        assert_eq!(emulator.handle(request.clone()).status(), 200);
        group.throughput(Throughput::Elements(rows.into()));
        group.bench_function(name, |b| {
            b.iter(|| black_box(emulator.handle(request.clone())));
        });
    };

    let (request, row) = bench.signed(GetRow::new(TABLE, bench.key(ROWS / 2)));
    assert!(row.row.is_some());
    measure("get_row", 1, &request);

    let names = bench
        .embedded
        .primary_key
        .iter()
        .map(|column| column.name.as_str());
    let (low, high) = (PrimaryKey::min(names.clone()), PrimaryKey::max(names));
    let (request, _) = bench.signed(GetRange::new(TABLE, low, high).limit(PAGE_ROWS));
    measure("get_range_page", PAGE_ROWS, &request);

    let (_, splits) = bench.signed(ComputeSplits::new(TABLE, INDEX));
    let scan = ParallelScan::new(TABLE, INDEX, Query::match_all())
        .session(splits.session_id)
        .columns(ScanColumns::AllFromIndex)
        .limit(PAGE_ROWS);
    let (request, page) = bench.signed(scan);
    assert_eq!(page.rows.len(), 2_000);
    measure("parallel_scan_page", PAGE_ROWS, &request);

    let rows = Shape::Narrow.rows(BATCH_ROWS).into_iter().map(|mut row| {
        row.cells
            .iter_mut()
            .for_each(|cell| cell.timestamp_ms = None);
        RowChange::Put(row)
    });
    let batch = BatchWriteRow::new().table(TableWrites::new(TABLE).changes(rows));
    let (request, _) = bench.signed(batch);
    measure("batch_write", 200, &request);
    group.finish();
}

/// What single calls take: half of them less than the median.
fn latency(_: &mut Criterion) {
    let bench = Bench::new();
    let (request, _) = bench.signed(GetRow::new(TABLE, bench.key(ROWS / 2)));
    let emulator = &bench.embedded.emulator;
    let mut calls: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let request = request.clone();
            let start = Instant::now();
            black_box(emulator.handle(request));
            start.elapsed()
        })
        .collect();
    calls.sort_unstable();
    let share = |percent: usize| {
        calls
            .get(CALLS * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "emulator/get_row, {CALLS} calls: p50 {:?}, p90 {:?}, p99 {:?}",
        share(50),
        share(90),
        share(99)
    );
}

criterion_group!(benches, emulator, latency);
criterion_main!(benches);
