//! A parallel scan end to end and in one process: the emulator writes and signs pages, the client
//! checks and takes them, splits side by side.
//!
//! - `pages`: nothing is decoded, so what the others cost beyond it is their own;
//! - `walk`: every row lent, checksums verified;
//! - `owned`: rows that own their values;
//! - `record_batch`: Arrow, a batch for each page.
#![allow(clippy::unwrap_used, reason = "benchmarks")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::TryStreamExt as _;
use ots_arrow::ScanSchema;
use ots_benches::{Embedded, INDEX, Shape, TABLE};
use ots_scan::{Scan, parallel_scan};
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

criterion_group!(benches, scan);
criterion_main!(benches);
