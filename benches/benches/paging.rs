//! A range end to end and in one process: the emulator writes and signs pages, the client checks
//! them, one after another.
//!
//! - `pages`: nothing is decoded, so what the others cost beyond it is their own;
//! - `walk`: every row lent, checksums verified;
//! - `owned`: rows that own their values;
//! - `record_batch`: Arrow, a batch for each page;
//! - `small_pages`: as `walk`, by a hundred rows: what a request costs.
//!
//! And over pages that are there at once, which is what a stream costs by itself: `instant_decode` is
//! the walk without a stream, `instant_walk` with one, `instant_rows` gives rows that own their values.
#![allow(clippy::unwrap_used, reason = "benchmarks")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ots_arrow::{ColumnType, ScanSchema};
use ots_benches::{Embedded, InstantRange, Shape, TABLE};
use ots_core::request::GetRange;
use ots_paging::{Pages, RangeExt as _, Rows};
use ots_proto::PrimaryKey;
use ots_proto::messages::FieldType;
use ots_proto::plainbuffer::{Accept, Reader};
use tokio::runtime::{Builder, Runtime};

fn range(embedded: &Embedded) -> GetRange {
    let names = || embedded.primary_key.iter().map(|column| &*column.name);
    GetRange::new(TABLE, PrimaryKey::min(names()), PrimaryKey::max(names()))
}

async fn pages(embedded: &Embedded) -> usize {
    let mut pages = range(embedded).pages(&embedded.client);
    let mut bytes = 0;
    while let Some(page) = pages.next().await {
        bytes += black_box(page.unwrap()).buffer().len();
    }
    bytes
}

async fn walk(mut pages: Pages<'_>) -> usize {
    let mut rows = 0;
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        let mut reader = page.reader().unwrap();
        while let Some(row) = reader.next_row().unwrap() {
            black_box(row.cells());
            rows += 1;
        }
    }
    rows
}

async fn owned(embedded: &Embedded) -> usize {
    take(range(embedded).rows(&embedded.client)).await
}

async fn take(mut stream: Rows<'_>) -> usize {
    let mut rows = 0;
    while let Some(row) = stream.next().await {
        black_box(row.unwrap());
        rows += 1;
    }
    rows
}

async fn record_batch(embedded: &Embedded, schema: &ScanSchema) -> usize {
    let mut pages = range(embedded).pages(&embedded.client);
    let mut rows = 0;
    while let Some(page) = pages.next().await {
        let batch = schema.read_buffer(page.unwrap().buffer()).unwrap();
        rows += black_box(batch).num_rows();
    }
    rows
}

/// A range has no schema of its own: the columns are those of the index.
fn schema(embedded: &Embedded) -> ScanSchema {
    let columns = embedded.index.field_schemas.iter().map(|field| {
        let kind = match field.field_type() {
            FieldType::Long => ColumnType::Integer,
            FieldType::Double => ColumnType::Double,
            FieldType::Boolean => ColumnType::Boolean,
            _ => ColumnType::String,
        };
        (field.field_name(), kind)
    });
    ScanSchema::from_table(&embedded.primary_key, columns).unwrap()
}

fn paging(criterion: &mut Criterion) {
    let runtime: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut group = criterion.benchmark_group("paging");
    // An iteration takes ten milliseconds or more: few samples tell enough.
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_millis(500));
    for shape in [Shape::Narrow, Shape::Text] {
        let embedded = Embedded::new(shape, 2 * shape.page_rows(), 1);
        let embedded = runtime.block_on(embedded).unwrap();
        let schema = schema(&embedded);
        // A range that misses rows would be a fast one.
        let all = walk(range(&embedded).pages(&embedded.client));
        assert_eq!(runtime.block_on(all), embedded.rows);

        group.throughput(Throughput::Elements(embedded.rows as u64));
        let id = |name| BenchmarkId::new(name, shape.name());
        group.bench_function(id("pages"), |bencher| {
            bencher.to_async(&runtime).iter(|| pages(&embedded));
        });
        group.bench_function(id("walk"), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| walk(range(&embedded).pages(&embedded.client)));
        });
        group.bench_function(id("owned"), |bencher| {
            bencher.to_async(&runtime).iter(|| owned(&embedded));
        });
        group.bench_function(id("record_batch"), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| record_batch(&embedded, &schema));
        });
        group.bench_function(id("small_pages"), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| walk(range(&embedded).limit(100).pages(&embedded.client)));
        });
        let instant = InstantRange::new(shape, 2);
        group.bench_function(id("instant_decode"), |bencher| {
            bencher.iter(|| {
                for buffer in instant.buffers() {
                    let mut reader = Reader::new(buffer, Accept::Rows).unwrap();
                    while let Some(row) = reader.next_row().unwrap() {
                        black_box(row.cells());
                    }
                }
            });
        });
        group.bench_function(id("instant_walk"), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| walk(range(&embedded).pages(&instant)));
        });
        group.bench_function(id("instant_rows"), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| take(range(&embedded).rows(&instant)));
        });
    }
    group.finish();
}

criterion_group!(benches, paging);
criterion_main!(benches);
