//! How often reading and writing allocate: by the page and by the column, never by the row or cell.
//! A guard of speed that needs no clock.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use allocation_counter::measure;
use bytes::Bytes;
use ots_proto::plainbuffer::{
    Accept, Error, Reader, SeparateRows, SharedRow, SharedRows, Visitor, Writer, write_row,
};
use ots_proto::simple_row_matrix::{Matrix, MatrixWriter};
use ots_proto::{CellRef, KeyCellRef, NameCache, PrimaryKey, Row};

const COLUMNS: usize = 30;

fn rows(count: i64) -> Vec<Row> {
    let row = |id| {
        let key = PrimaryKey::new().column("id", format!("{id:016}"));
        (0..COLUMNS).fold(Row::new(key), |row, column| {
            row.cell(format!("column_{column:02}"), format!("{id} {column}"))
        })
    };
    (0..count).map(row).collect()
}

fn page(rows: &[Row]) -> Bytes {
    let mut writer = Writer::new();
    for row in rows {
        writer.row(row);
    }
    writer.finish()
}

/// Allocations, which are the same for a page of a hundred rows and for one of two thousand.
fn assert_count(what: &str, most: u64, run: impl Fn(&[Row]) -> Box<dyn FnOnce()>) {
    let count = |rows: i64| measure(run(&rows_of(rows))).count_total;
    let (small, large) = (count(100), count(2_000));
    assert!(small > 0, "{what}: nothing was measured");
    assert!(large <= most, "{what}: {large} allocations");
    assert!(
        large <= small + 8,
        "{what}: {small} for a small page, {large} for a large one"
    );
}

fn rows_of(count: i64) -> Vec<Row> {
    rows(count)
}

/// What a walk keeps for each distinct name grows by doubling.
const MEMO: u64 = 20;

struct Count(usize);

impl<'buf> Visitor<'buf> for Count {
    type Error = Error;

    fn key(&mut self, _: usize, _: KeyCellRef<'buf>) -> Result<(), Error> {
        self.0 += 1;
        Ok(())
    }

    fn cell(&mut self, _: usize, _: CellRef<'buf>) -> Result<(), Error> {
        self.0 += 1;
        Ok(())
    }
}

#[test]
fn walking_a_page_allocates_a_few_times_whatever_its_length() {
    assert_count("lent", MEMO + 12, |rows| {
        let page = page(rows);
        Box::new(move || {
            let mut reader = Reader::new(&page, Accept::Rows).unwrap();
            while reader.next_row().unwrap().is_some() {}
        })
    });
    assert_count("lent one by one", MEMO + 12, |rows| {
        let buffers: Vec<Bytes> = rows.iter().map(write_row).collect();
        Box::new(move || {
            let mut reader = SeparateRows::new(&buffers);
            while reader.next_row().unwrap().is_some() {}
        })
    });
    assert_count("visited", MEMO, |rows| {
        let (page, count) = (page(rows), rows.len());
        Box::new(move || {
            let mut visitor = Count(0);
            Reader::new(&page, Accept::Rows)
                .unwrap()
                .visit(&mut visitor)
                .unwrap();
            assert_eq!(visitor.0, count * (1 + COLUMNS));
        })
    });
}

#[test]
fn a_block_allocates_a_few_times_whatever_its_length() {
    let block = |rows: &[Row]| {
        let names = (0..COLUMNS).map(|column| format!("column_{column:02}"));
        let mut writer = MatrixWriter::new(["id"], names).unwrap();
        for row in rows {
            writer.row(row).unwrap();
        }
        writer.finish().unwrap()
    };
    assert_count("a block's rows, lent", MEMO, |rows| {
        let block = block(rows);
        Box::new(move || {
            let matrix = Matrix::parse(&block).unwrap();
            let mut rows = matrix.rows();
            while let Some(row) = rows.next_row().unwrap() {
                assert_eq!(row.cells().len(), COLUMNS);
            }
        })
    });
    assert_count("a block's values", 2, |rows| {
        let block = block(rows);
        Box::new(move || {
            let matrix = Matrix::parse(&block).unwrap();
            let mut rows = matrix.rows();
            while let Some(values) = rows.next_values().unwrap() {
                assert_eq!(values.len(), 1 + COLUMNS);
            }
        })
    });
}

#[test]
fn sharing_a_page_allocates_a_few_times_whatever_its_length() {
    assert_count("shared", MEMO + 20, |rows| {
        let page = page(rows);
        Box::new(move || {
            let rows = SharedRows::read(page, Accept::Rows).unwrap();
            let handles: Vec<SharedRow> = rows.iter().collect();
            for row in &handles {
                assert_eq!(row.as_ref().cells().len(), COLUMNS);
            }
        })
    });
    assert_count("shared, one by one", MEMO + 20, |rows| {
        let buffers: Vec<Bytes> = rows.iter().map(write_row).collect();
        Box::new(move || {
            SharedRows::read_separate(buffers).unwrap();
        })
    });
}

#[test]
fn owned_rows_share_the_names_of_their_page() {
    let rows = rows(50);
    let page = page(&rows);
    let counted = measure(|| {
        let mut names = NameCache::default();
        let mut reader = Reader::new(&page, Accept::Rows).unwrap();
        while let Some(row) = reader.next_row().unwrap() {
            drop(row.to_row(&mut names));
        }
    });
    // Texts, and two lists for each row; names for the page alone.
    let values = 50 * (1 + COLUMNS as u64 + 2);
    assert!(
        counted.count_total < values + COLUMNS as u64 + 40,
        "{}",
        counted.count_total
    );
}

#[test]
fn writing_a_page_allocates_only_to_grow() {
    let rows = rows(500);
    let written = page(&rows);
    let grown = measure(|| drop(page(&rows)));
    assert!(grown.count_total <= 24, "{}", grown.count_total);
    let roomy = measure(|| {
        let mut writer = Writer::with_capacity(written.len());
        for row in &rows {
            writer.row(row);
        }
        drop(writer.finish());
    });
    assert!(roomy.count_total <= 2, "{}", roomy.count_total);
}

#[test]
fn a_page_of_ever_new_names_takes_memory_in_proportion() {
    // Three bytes of name: 17 bytes for a cell, and a column of its own for each.
    let row = (0..20_000_u32).fold(
        Row::new(PrimaryKey::new().column("id", 1)),
        |row, column| row.cell(format!("{column:x}"), true),
    );
    let page = write_row(&row);
    let counted = measure(|| {
        let mut reader = Reader::new(&page, Accept::Rows).unwrap();
        assert_eq!(reader.next_row().unwrap().unwrap().cells().len(), 20_000);
    });
    let most = 32 * page.len() as u64;
    assert!(
        counted.bytes_max < most,
        "{} for {}",
        counted.bytes_max,
        page.len()
    );
}
