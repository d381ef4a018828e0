//! A page into structs, against the same page into owned rows; columns sorted by name, as the
//! service sends them.
//!
//! - `walk`: every row lent and nothing made of it, the floor of all the others;
//! - `borrowed`: structs whose text and bytes lie in the page;
//! - `owned`: structs that own their text and bytes;
//! - `unsorted`: as `owned`, with the columns in an order that the macro doesn't expect;
//! - `rows`: rows that own their values, without a struct;
//! - `rows_then_owned`: structs by way of such rows.
#![allow(clippy::unwrap_used, missing_docs, reason = "benchmarks")]

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use ots_benches::Shape;
use ots_proto::plainbuffer::{Accept, Reader, Writer};
use ots_proto::{FromRow, NameCache, Row};

macro_rules! shapes {
    ($($module:ident, $text:ty, $bytes:ty, $($life:lifetime)?;)*) => {$(
        mod $module {
            use super::FromRow;

            #[derive(FromRow)]
            #[expect(dead_code, reason = "what is measured is the making")]
            pub(crate) struct Narrow<$($life)?> {
                #[ots(primary_key)]
                id: $text,
                active: bool,
                age: u8,
                city: $text,
                score: f64,
            }

            #[derive(FromRow)]
            #[expect(dead_code, reason = "what is measured is the making")]
            pub(crate) struct Wide<$($life)?> {
                #[ots(primary_key)]
                tenant: $text,
                #[ots(primary_key)]
                order: u32,
                column_00: i64,
                column_01: f64,
                column_02: bool,
                column_03: $text,
                column_04: $bytes,
                column_05: i64,
                column_06: f64,
                column_07: bool,
                column_08: $text,
                column_09: $bytes,
                column_10: i64,
                column_11: f64,
                column_12: bool,
                column_13: $text,
                column_14: $bytes,
                column_15: i64,
                column_16: f64,
                column_17: bool,
                column_18: $text,
                column_19: $bytes,
            }
        }
    )*};
}

shapes! {
    borrowed, &'row str, &'row [u8], 'row;
    owned, String, Vec<u8>,;
}

fn page(rows: &[Row]) -> Vec<u8> {
    let mut writer = Writer::new();
    for row in rows {
        writer.row(row);
    }
    writer.finish().to_vec()
}

fn reader(page: &[u8]) -> Reader<'_> {
    Reader::new(black_box(page), Accept::Rows).unwrap()
}

fn parse<'page, T: FromRow<'page>>(page: &'page [u8]) -> Vec<T> {
    reader(page).typed().collect::<Result<_, _>>().unwrap()
}

fn rows(page: &[u8]) -> Vec<Row> {
    let mut names = NameCache::default();
    let mut rows = Vec::new();
    let mut reader = reader(page);
    while let Some(row) = reader.next_row().unwrap() {
        rows.push(row.to_row(&mut names));
    }
    rows
}

/// The pages of a shape, sorted and not.
struct Pages {
    shape: Shape,
    sorted: Vec<u8>,
    unsorted: Vec<u8>,
}

impl Pages {
    fn of(shape: Shape) -> Self {
        let mut rows = shape.rows(shape.page_rows());
        for row in &mut rows {
            row.cells.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let sorted = page(&rows);
        for row in &mut rows {
            // Every other one first: no column comes after the one that is expected.
            let (even, odd): (Vec<_>, Vec<_>) = row
                .cells
                .drain(..)
                .enumerate()
                .partition(|(index, _)| index % 2 == 0);
            row.cells
                .extend(odd.into_iter().chain(even).map(|(_, cell)| cell));
        }
        Self {
            shape,
            sorted,
            unsorted: page(&rows),
        }
    }

    fn bench<'page, T>(
        &self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        name: &str,
        page: &'page [u8],
        make: impl Fn(&'page [u8]) -> T,
    ) {
        group.throughput(Throughput::ElementsAndBytes {
            elements: self.shape.page_rows() as u64,
            bytes: page.len() as u64,
        });
        group.bench_function(BenchmarkId::new(name, self.shape.name()), |bencher| {
            bencher.iter_with_large_drop(|| make(page));
        });
    }
}

fn typed_rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("typed_rows");
    macro_rules! shape {
        ($shape:ident) => {{
            let pages = Pages::of(Shape::$shape);
            let sorted = &pages.sorted;
            pages.bench(&mut group, "walk", sorted, |page| {
                let mut reader = reader(page);
                let mut cells = 0;
                while let Some(row) = reader.next_row().unwrap() {
                    cells += black_box(row.cells()).len();
                }
                cells
            });
            pages.bench(&mut group, "borrowed", sorted, |page| {
                parse::<borrowed::$shape<'_>>(page)
            });
            pages.bench(&mut group, "owned", sorted, |page| {
                parse::<owned::$shape>(page)
            });
            pages.bench(&mut group, "unsorted", &pages.unsorted, |page| {
                parse::<owned::$shape>(page)
            });
            pages.bench(&mut group, "rows", sorted, rows);
            pages.bench(&mut group, "rows_then_owned", sorted, |page| {
                rows(page)
                    .iter()
                    .map(|row| row.parse::<owned::$shape>().unwrap())
                    .collect::<Vec<_>>()
            });
        }};
    }
    shape!(Narrow);
    shape!(Wide);
    group.finish();
}

criterion_group!(benches, typed_rows);
criterion_main!(benches);
