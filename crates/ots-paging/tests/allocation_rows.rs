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
use ots_core::request::Search;
use ots_core::{Call, Error, Query, Reply};
use ots_paging::testing::FakeTable;
use ots_paging::{RangeExt as _, SearchExt as _};
use ots_proto::messages::{SearchRequest, SearchResponse};
use ots_proto::plainbuffer::write_row;
use ots_proto::{Row, operation};

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

/// An index that finds all rows at once.
struct OnePage(Vec<Row>);

impl Call<operation::Search> for &OnePage {
    async fn call(&self, _: SearchRequest) -> Result<Reply<SearchResponse>, Error> {
        Ok(Reply::new(SearchResponse {
            rows: self.0.iter().map(write_row).collect(),
            is_all_succeeded: Some(true),
            ..SearchResponse::default()
        }))
    }
}

#[test]
fn a_row_of_a_search_allocates_what_a_copy_of_it_does_and_no_page_of_them() {
    let mut index = OnePage(rows());
    // Of a round number of rows the pager asks whether there are more.
    index.0.truncate(3 * PAGE_ROWS - 1);
    let search = Search::new("orders", "by_city", Query::MatchAll).limit(1_000);
    let mut found = search.search_rows(&index).unwrap();
    for (number, expected) in index.0.iter().enumerate() {
        let mut row = None;
        let taken = measure(|| row = block_on(found.next()));
        assert_eq!(row.unwrap().unwrap(), *expected);
        // The first comes with its page.
        if number > 0 {
            let copied = measure(|| drop(expected.clone()));
            assert!(
                copied.count_total > 40,
                "row {number}: nothing was measured"
            );
            assert_eq!(taken.count_total, copied.count_total, "row {number}");
        }
    }
    assert!(block_on(found.next()).is_none());
}
