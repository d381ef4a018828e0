//! What a batch writer costs beside the requests: rows into a call that answers at once. The yardstick
//! is batches of 200 made by hand, one after another. Prints how often each row allocates.
#![allow(
    clippy::expect_used,
    reason = "a benchmark: what fails here is a mistake in it"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ots_benches::Shape;
use ots_core::limiter::Limiter;
use ots_core::request::{BatchWriteRow, TableWrites, send};
use ots_core::writer::BatchWriter;
use ots_core::{Call, Error, Reply, Row, RowChange};
use ots_proto::messages::{
    BatchWriteRowRequest, BatchWriteRowResponse, RowInBatchWriteRowResponse,
    TableInBatchWriteRowResponse,
};
use ots_proto::operation;
use tokio::runtime::Runtime;

/// Takes every row, at once.
#[derive(Clone)]
struct Instant;

impl Call<operation::BatchWriteRow> for Instant {
    async fn call(
        &self,
        request: BatchWriteRowRequest,
    ) -> Result<Reply<BatchWriteRowResponse>, Error> {
        let taken = RowInBatchWriteRowResponse {
            is_ok: true,
            ..RowInBatchWriteRowResponse::default()
        };
        let tables = request.tables.into_iter();
        let tables = tables.map(|table| TableInBatchWriteRowResponse {
            table_name: table.table_name,
            rows: vec![taken.clone(); table.rows.len()],
        });
        Ok(Reply::new(BatchWriteRowResponse {
            tables: tables.collect(),
        }))
    }
}

async fn by_hand(rows: Vec<Row>) -> u64 {
    let mut written = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let writes = TableWrites::new("t").puts(rows.by_ref().take(BATCH_ROWS));
        let batch = BatchWriteRow::new().table(writes);
        let results = send(&Instant, batch).await.expect("an answer").into_inner();
        for result in results.into_iter().flatten() {
            result.expect("written");
            written += 1;
        }
    }
    written
}

async fn writer(rows: Vec<Row>) -> u64 {
    let writer = BatchWriter::builder(Instant, "t")
        .limiter(Limiter::fixed(4))
        .start(|_| {});
    let writer = writer.expect("inside a runtime");
    for (row, tag) in rows.into_iter().zip(0_u64..) {
        let written = writer.write(RowChange::Put(row), tag).await;
        written.expect("a row that a table takes");
    }
    writer.close().await.written_rows
}

/// The same, fed many at a time, and told of batches.
async fn writer_of_many(rows: Vec<Row>) -> u64 {
    let writer = BatchWriter::builder(Instant, "t")
        .limiter(Limiter::fixed(4))
        .start_by_batch(|_| {});
    let writer = writer.expect("inside a runtime");
    let changes = rows.into_iter().map(RowChange::Put);
    writer.write_all(changes.zip(0_u64..)).await;
    writer.close().await.written_rows
}

fn writers(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    for shape in [Shape::Narrow, Shape::Wide] {
        let rows = shape.rows(ROWS);
        let mut group = criterion.benchmark_group(format!("writer/{}", shape.name()));
        group.throughput(Throughput::Elements(ROWS as u64));
        measure(&mut group, &runtime, "by_hand", &rows, by_hand);
        measure(&mut group, &runtime, "batch_writer", &rows, writer);
        measure(&mut group, &runtime, "write_all", &rows, writer_of_many);
        group.finish();
    }
}

fn measure<F: Future<Output = u64>>(
    group: &mut Group<'_>,
    runtime: &Runtime,
    name: &str,
    rows: &[Row],
    write: impl Fn(Vec<Row>) -> F,
) {
    let run = |rows| {
        let written = runtime.block_on(write(rows));
        assert_eq!(written, ROWS as u64, "every row is written");
    };
    run(rows.to_vec());
    let fresh = rows.to_vec();
    let allocated = allocation_counter::measure(|| run(fresh));
    println!(
        "writer/{name}: {:.2} allocations and {} bytes a row",
        allocated.count_total as f64 / ROWS as f64,
        allocated.bytes_total / ROWS as u64,
    );
    group.bench_function(name, |bencher| {
        bencher.iter_batched(|| rows.to_vec(), run, BatchSize::LargeInput);
    });
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

const BATCH_ROWS: usize = 200;
const ROWS: usize = 20_000;

criterion_group!(benches, writers);
criterion_main!(benches);
