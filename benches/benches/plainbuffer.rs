//! Rows out of buffers and into them, in the shapes of `ots_benches::Shape`.
//!
//! - `decode`: a page of 2,000 rows, in one buffer as GetRange sends it (`range`) and in a buffer for
//!   each row as ParallelScan does (`scan`), read by the yardstick (`reference`) and by every way
//!   there is: lent rows (`lent`), a visitor (`visitor`), Arrow columns whose memory comes back
//!   (`arrow`) and doesn't (`arrow_alone`), rows that are values (`shared`). What counts is the ratio
//!   to `reference`, for which `cargo run --example by_turns` is better: it takes turns;
//! - `owned`: the page as rows that own their values;
//! - `write`: rows into one buffer;
//! - `crc8`: the checksum alone, over whole buffers and in pieces of a cell's size.
#![allow(clippy::unwrap_used, reason = "benchmarks")]

use std::hint::black_box;

use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use ots_benches::Shape;
use ots_benches::decode::{Batches, Form, Page};
use ots_proto::plainbuffer::{Accept, Checksums, Crc8, Reader, Writer};
use ots_proto::{NameCache, Row};

/// A group with one benchmark for each shape, its page ready in both forms.
fn group(
    criterion: &mut Criterion,
    name: &str,
    mut bench: impl FnMut(&mut BenchmarkGroup<'_, WallTime>, BenchmarkId, &[Row]),
) {
    let mut group = criterion.benchmark_group(name);
    for shape in Shape::ALL {
        let rows = shape.rows(shape.page_rows());
        bench(&mut group, BenchmarkId::from_parameter(shape.name()), &rows);
    }
    group.finish();
}

fn throughput(rows: usize, bytes: usize) -> Throughput {
    Throughput::ElementsAndBytes {
        elements: rows as u64,
        bytes: bytes as u64,
    }
}

fn write_page(rows: &[Row]) -> Vec<u8> {
    let mut writer = Writer::new();
    for row in rows {
        writer.row(row);
    }
    writer.finish().to_vec()
}

fn decode(criterion: &mut Criterion) {
    for shape in Shape::ALL {
        for form in Form::ALL {
            let page = Page::new(shape, form);
            let name = format!("decode/{}/{}", shape.name(), form.name());
            let mut group = criterion.benchmark_group(name);
            group.throughput(throughput(shape.page_rows(), page.bytes()));
            group.bench_function("reference", |bencher| bencher.iter(|| page.reference()));
            group.bench_function("lent", |bencher| {
                bencher.iter(|| page.lent(Checksums::Verify));
            });
            group.bench_function("visitor", |bencher| bencher.iter(|| page.visited()));
            group.bench_function("arrow", |bencher| {
                let mut batches = page.batches();
                bencher.iter(|| batches.append(&page));
            });
            group.bench_function("arrow_alone", |bencher| {
                bencher.iter(|| Batches::alone(&page));
            });
            group.bench_function("shared", |bencher| {
                bencher.iter_batched(
                    || page.buffers(),
                    |buffers| page.shared(buffers),
                    BatchSize::SmallInput,
                );
            });
            group.bench_function("lent_trusted", |bencher| {
                bencher.iter(|| page.lent(Checksums::Trust));
            });
            group.finish();
        }
    }
}

fn owned(criterion: &mut Criterion) {
    group(criterion, "owned", |group, id, rows| {
        let page = write_page(rows);
        group.throughput(throughput(rows.len(), page.len()));
        group.bench_function(id, |bencher| {
            bencher.iter_with_large_drop(|| {
                let mut names = NameCache::default();
                let mut rows = Vec::new();
                let mut reader = Reader::new(black_box(&page), Accept::Rows).unwrap();
                while let Some(row) = reader.next_row().unwrap() {
                    rows.push(row.to_row(&mut names));
                }
                rows
            });
        });
    });
}

fn write(criterion: &mut Criterion) {
    group(criterion, "write", |group, id, rows| {
        group.throughput(throughput(rows.len(), write_page(rows).len()));
        group.bench_function(id, |bencher| {
            bencher.iter_with_large_drop(|| {
                let mut writer = Writer::new();
                for row in black_box(rows) {
                    writer.row(row);
                }
                writer.finish()
            });
        });
    });
}

fn crc8(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("crc8");
    let buffer = write_page(&Shape::Text.rows(100));
    // A short name, a name with a number, a line, a page: most cells are of the first two.
    for piece in [4, 16, 64, 1_024] {
        let bytes = buffer.len() / piece * piece;
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("pieces", piece), |bencher| {
            bencher.iter(|| {
                let mut sum = 0_u8;
                for piece in black_box(&buffer).chunks_exact(piece) {
                    let mut crc = Crc8::default();
                    crc.update(piece);
                    sum ^= crc.finish();
                }
                sum
            });
        });
    }
    group.throughput(Throughput::Bytes(buffer.len() as u64));
    group.bench_function("whole", |bencher| {
        bencher.iter(|| {
            let mut crc = Crc8::default();
            crc.update(black_box(&buffer));
            crc.finish()
        });
    });
    group.finish();
}

criterion_group!(benches, decode, owned, write, crc8);
criterion_main!(benches);
