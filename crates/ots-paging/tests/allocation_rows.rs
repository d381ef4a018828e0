//! How often a stream of rows allocates: what the row it gives is made of, and nothing beside it.
//! A guard of speed that needs no clock.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use allocation_counter::measure;
use futures::executor::block_on;
use ots_paging::RangeExt as _;
use ots_paging::testing::FakeTable;
use ots_proto::Row;

use support::{key, whole_range};

const PAGE_ROWS: usize = 100;

/// Rows of many columns: more names than a reader remembers in its smallest table.
fn rows() -> Vec<Row> {
    let row = |id: i64| {
        let row = Row::new(key("a", id));
        (0..40).fold(row, |row, column| {
            row.cell(format!("column_{column:02}"), format!("{id} {column}"))
        })
    };
    (0..3 * PAGE_ROWS as i64).map(row).collect()
}

#[test]
fn a_row_of_a_stream_allocates_what_a_copy_of_it_does() {
    let rows = rows();
    let table = FakeTable::new(rows.clone()).scan_caps([PAGE_ROWS]);
    for prefetch in [false, true] {
        let mut stream = whole_range().rows(&table);
        if prefetch {
            stream = stream.prefetch();
        }
        for (number, expected) in rows.iter().enumerate() {
            let mut row = None;
            let taken = measure(|| row = block_on(stream.next())).count_total;
            assert_eq!(row.unwrap().unwrap(), *expected);
            // A page begins with its request and with the lists that its rows are read into. That of
            // the next page is looked at now and then, and allocates what it likes.
            let between_looks = if prefetch { 64 } else { PAGE_ROWS };
            if !(number % PAGE_ROWS).is_multiple_of(between_looks) {
                let copied = measure(|| drop(expected.clone())).count_total;
                assert!(copied > 40, "row {number}: nothing was measured");
                assert_eq!(taken, copied, "row {number}, prefetch {prefetch}");
            }
        }
    }
}
