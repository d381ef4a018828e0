//! The same rows as a SimpleRowMatrix and as PlainBuffer: what ParallelScan can send, side by side.
//!
//! Rows without versions, as a search index has them: a matrix holds none. What is read is the rows
//! lent (`lent`), the values alone (`values`, matrix only) and every value handed to a visitor
//! (`visitor`). PlainBuffer comes in one buffer. `cargo run --example by_turns -- matrix` prints the same by
//! turns.
#![allow(clippy::unwrap_used, reason = "benchmarks")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ots_benches::Shape;
use ots_benches::matrix::Both;

fn decode(criterion: &mut Criterion) {
    for shape in Shape::ALL {
        let both = Both::new(shape);
        for (form, bytes) in [
            ("matrix", both.matrix_bytes()),
            ("plainbuffer", both.plainbuffer_bytes()),
        ] {
            let mut group = criterion.benchmark_group(format!("matrix/{}/{form}", shape.name()));
            group.throughput(Throughput::ElementsAndBytes {
                elements: shape.page_rows() as u64,
                bytes: bytes as u64,
            });
            if form == "matrix" {
                group.bench_function("lent", |bencher| bencher.iter(|| both.matrix_lent()));
                group.bench_function("values", |bencher| bencher.iter(|| both.matrix_values()));
                group.bench_function("visitor", |bencher| bencher.iter(|| both.matrix_visited()));
            } else {
                group.bench_function("lent", |bencher| bencher.iter(|| both.plainbuffer_lent()));
                group.bench_function("visitor", |bencher| {
                    bencher.iter(|| both.plainbuffer_visited());
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
