//! Rows out of buffers and into them, in the shapes of `ots_benches::Shape`.
//!
//! - `decode`: a page of 2,000 rows, in one buffer as GetRange sends it (`range`) and in a buffer for
//!   each row as ParallelScan does (`scan`), read by the yardstick (`reference`) and by every way that
//!   `ots-proto` has: lent rows (`walk`), a visitor (`visit`), Arrow columns (`record_batch`), rows
//!   that are values (`shared`). What counts is the ratio to `reference`;
//! - `owned`: the page as rows that own their values;
//! - `write`: rows into one buffer;
//! - `crc8`: the checksum alone, over whole buffers and in pieces of a cell's size.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "benchmarks")]

use std::collections::BTreeMap;
use std::hint::black_box;

use arrow_array::RecordBatch;
use bytes::Bytes;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use ots_arrow::{ColumnType, ScanSchema};
use ots_benches::Shape;
use ots_benches::reference::{Reference, Value};
use ots_proto::messages::{PrimaryKeySchema, PrimaryKeyType};
use ots_proto::plainbuffer::{
    Accept, Checksums, Crc8, Error, Reader, SeparateRows, SharedRow, SharedRows, Visitor, Writer,
    write_row,
};
use ots_proto::{
    CellRef, ColumnValue, KeyCellRef, NameCache, PrimaryKeyColumn, PrimaryKeyValue, Row, RowRef,
};

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

/// Something cheap that depends on the row, so that the walk can't be left out.
fn touch(row: RowRef<'_, '_>) -> usize {
    black_box(row.primary_key()).len() + black_box(row.cells()).len()
}

/// Both forms of a page: one buffer as GetRange sends it, a buffer per row as ParallelScan does.
struct Page {
    range: Bytes,
    scan: Vec<Bytes>,
}

impl Page {
    fn new(shape: Shape) -> Self {
        let rows = shape.rows(shape.page_rows());
        Self {
            range: write_page(&rows).into(),
            scan: rows.iter().map(write_row).collect(),
        }
    }
}

fn decode(criterion: &mut Criterion) {
    for shape in Shape::ALL {
        let page = Page::new(shape);
        for form in ["range", "scan"] {
            let range = form == "range";
            let buffers = if range {
                std::slice::from_ref(&page.range)
            } else {
                &page.scan
            };
            let bytes = buffers.iter().map(Bytes::len).sum();
            let mut group = criterion.benchmark_group(format!("decode/{}/{form}", shape.name()));
            group.throughput(throughput(shape.page_rows(), bytes));
            group.bench_function("reference", |bencher| {
                bencher.iter(|| reference(black_box(buffers)));
            });
            group.bench_function("walk", |bencher| {
                bencher.iter(|| walk(black_box(buffers), range, Checksums::Verify));
            });
            group.bench_function("visit", |bencher| {
                bencher.iter(|| visit(black_box(buffers), range));
            });
            group.bench_function("record_batch", |bencher| {
                let schema = schema(shape);
                bencher.iter(|| record_batch(black_box(buffers), range, &schema));
            });
            group.bench_function("shared", |bencher| {
                bencher.iter_batched(
                    || buffers.to_vec(),
                    |buffers| shared(buffers, range),
                    BatchSize::PerIteration,
                );
            });
            group.bench_function("walk_trusted", |bencher| {
                bencher.iter(|| walk(black_box(buffers), range, Checksums::Trust));
            });
            group.finish();
        }
    }
}

fn reference(buffers: &[Bytes]) -> usize {
    let mut decoder = Reference::default();
    let mut rows = 0;
    let mut each = |name: &str, value: Value<'_>| {
        black_box((name, value));
    };
    for buffer in buffers {
        rows += decoder.decode(buffer, &mut each).unwrap();
    }
    rows
}

fn walk(buffers: &[Bytes], range: bool, checksums: Checksums) -> usize {
    let mut cells = 0;
    if range {
        let mut reader = Reader::new(&buffers[0], Accept::Rows).unwrap();
        reader = reader.checksums(checksums);
        while let Some(row) = reader.next_row().unwrap() {
            cells += touch(row);
        }
    } else {
        let mut rows = SeparateRows::new(buffers).checksums(checksums);
        while let Some(row) = rows.next_row().unwrap() {
            cells += touch(row);
        }
    }
    cells
}

/// Looks at every value, as `reference` does.
struct Look;

impl<'buf> Visitor<'buf> for Look {
    type Error = Error;

    #[inline]
    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), Error> {
        black_box((column, cell.value));
        Ok(())
    }

    #[inline]
    fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Error> {
        black_box((column, cell.value, cell.timestamp_ms));
        Ok(())
    }
}

fn visit(buffers: &[Bytes], range: bool) -> usize {
    if range {
        let mut reader = Reader::new(&buffers[0], Accept::Rows).unwrap();
        reader.visit(&mut Look).unwrap()
    } else {
        SeparateRows::new(buffers).visit(&mut Look).unwrap()
    }
}

/// Rows as values, every one of them taken.
fn shared(mut buffers: Vec<Bytes>, range: bool) -> Vec<SharedRow> {
    let rows = if range {
        SharedRows::read(buffers.swap_remove(0), Accept::Rows)
    } else {
        SharedRows::read_separate(buffers)
    };
    rows.unwrap().iter().collect()
}

fn record_batch(buffers: &[Bytes], range: bool, schema: &ScanSchema) -> RecordBatch {
    if range {
        schema.read_buffer(&buffers[0]).unwrap()
    } else {
        schema.read_page(buffers).unwrap()
    }
}

/// Every column of a shape.
fn schema(shape: Shape) -> ScanSchema {
    let rows = shape.rows(shape.page_rows());
    let key = |column: &PrimaryKeyColumn| PrimaryKeySchema {
        name: column.name.to_string(),
        r#type: match column.value {
            PrimaryKeyValue::Integer(_) => PrimaryKeyType::Integer.into(),
            _ => PrimaryKeyType::String.into(),
        },
        option: None,
    };
    let keys: Vec<_> = rows[0].key_columns().iter().map(key).collect();
    let mut columns = BTreeMap::new();
    for cell in rows.iter().flat_map(|row| &row.cells) {
        let column_type = match cell.value {
            ColumnValue::Integer(_) => ColumnType::Integer,
            ColumnValue::Double(_) => ColumnType::Double,
            ColumnValue::Boolean(_) => ColumnType::Boolean,
            ColumnValue::String(_) => ColumnType::String,
            ColumnValue::Binary(_) => ColumnType::Binary,
        };
        columns.insert(cell.name.to_string(), column_type);
    }
    ScanSchema::from_table(&keys, columns).unwrap()
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
