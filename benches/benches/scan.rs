//! A parallel scan end to end and in one process: the emulator writes and signs pages, the client
//! checks and takes them, splits side by side.
//!
//! - `pages`: nothing is decoded, so what the others cost beyond it is their own;
//! - `walk`: every row lent, checksums verified;
//! - `owned`: rows that own their values;
//! - `record_batch`: Arrow, a batch for each page.
//!
//! And what the scan itself takes, of a service that answers at once:
//!
//! - `instant/alone`: pages, copied as the service copies its answers, walked in a loop, checksums verified; `instant/scan`: the same pages
//!   through a scan whose tasks walk them. The difference is the scan's own;
//! - `overhead`: pages without rows, so that nothing else is left: of few splits with many pages, and
//!   of many splits with few.
#![allow(clippy::unwrap_used, reason = "benchmarks")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::TryStreamExt as _;
use ots_arrow::ScanSchema;
use ots_benches::{Embedded, INDEX, InstantScan, Shape, TABLE, walk_rows};
use ots_scan::{Limiter, Scan, parallel_scan};
use tokio::runtime::Runtime;

const SPLITS: u32 = 4;

async fn open(embedded: &Embedded) -> Scan {
    let scan = parallel_scan(embedded.client.clone(), TABLE, INDEX);
    scan.open().await.unwrap()
}

async fn pages(embedded: &Embedded) -> usize {
    let mut scan = open(embedded).await;
    let mut rows = 0;
    while let Some(page) = scan.try_next().await.unwrap() {
        rows += black_box(page).rows.len();
    }
    rows
}

async fn walk(embedded: &Embedded) -> usize {
    let mut scan = open(embedded).await;
    let mut rows = 0;
    while let Some(page) = scan.try_next().await.unwrap() {
        let mut reader = page.reader();
        while let Some(row) = reader.next_row().unwrap() {
            black_box(row.cells());
            rows += 1;
        }
    }
    rows
}

async fn owned(embedded: &Embedded) -> usize {
    let mut stream = open(embedded).await.rows();
    let mut rows = 0;
    while let Some(row) = stream.try_next().await.unwrap() {
        black_box(row);
        rows += 1;
    }
    rows
}

async fn record_batch(embedded: &Embedded, schema: &ScanSchema) -> usize {
    let mut scan = open(embedded).await;
    let mut rows = 0;
    while let Some(page) = scan.try_next().await.unwrap() {
        rows += black_box(schema.read_page(&page.rows).unwrap()).num_rows();
    }
    rows
}

fn scan(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("scan");
    // An iteration takes ten milliseconds or more: few samples tell enough.
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_millis(500));
    for shape in [Shape::Narrow, Shape::Text] {
        let embedded = Embedded::new(shape, 2 * shape.page_rows(), SPLITS);
        let embedded = runtime.block_on(embedded).unwrap();
        let schema = ScanSchema::from_index(&embedded.primary_key, &embedded.index, None).unwrap();
        // A scan that misses rows would be a fast one.
        assert_eq!(runtime.block_on(walk(&embedded)), embedded.rows);

        group.throughput(Throughput::Elements(embedded.rows as u64));
        let id = |name| BenchmarkId::new(name, shape.name());
        group.bench_function(id("pages"), |bencher| {
            bencher.to_async(&runtime).iter(|| pages(&embedded));
        });
        group.bench_function(id("walk"), |bencher| {
            bencher.to_async(&runtime).iter(|| walk(&embedded));
        });
        group.bench_function(id("owned"), |bencher| {
            bencher.to_async(&runtime).iter(|| owned(&embedded));
        });
        group.bench_function(id("record_batch"), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| record_batch(&embedded, &schema));
        });
    }
    group.finish();
}

async fn through_a_scan(instant: InstantScan) -> usize {
    let splits = instant.splits;
    let scan = parallel_scan(instant, TABLE, INDEX)
        .task_limit(splits)
        .concurrency(splits)
        .limiter(Limiter::fixed(64));
    let scan = scan.open().await.unwrap();
    let mut walked = scan.decode(|page| walk_rows(&page.rows));
    let mut rows = 0;
    while let Some(count) = walked.try_next().await.unwrap() {
        rows += count;
    }
    rows
}

fn instant(criterion: &mut Criterion) {
    // One core, so that time is work.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut group = criterion.benchmark_group("instant");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(3));
    for shape in [Shape::Narrow, Shape::Text] {
        let instant = InstantScan::new(shape, 8, 8);
        let rows = shape.page_rows() as u64 * u64::from(instant.all_pages());
        group.throughput(Throughput::Elements(rows));
        group.bench_function(BenchmarkId::new("alone", shape.name()), |bencher| {
            bencher.iter(|| {
                (0..instant.all_pages())
                    .map(|_| walk_rows(&black_box(&instant).rows()).unwrap())
                    .sum::<usize>()
            });
        });
        group.bench_function(BenchmarkId::new("scan", shape.name()), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| through_a_scan(instant.clone()));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("overhead");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(3));
    for (splits, pages) in [(4, 6_400), (256, 100)] {
        let instant = InstantScan::empty(splits, pages);
        group.throughput(Throughput::Elements(instant.all_pages().into()));
        group.bench_function(BenchmarkId::new("pages", splits), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| through_a_scan(instant.clone()));
        });
    }
    group.finish();
}

criterion_group!(benches, scan, instant);
criterion_main!(benches);
