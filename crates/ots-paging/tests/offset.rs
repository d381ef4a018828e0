//! The offset pager against `readByPage` of the service's documentation, and against a plain model.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::num::NonZeroU32;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::executor::block_on;
use ots_core::Call;
use ots_core::request::{GetRange, Request as _};
use ots_paging::testing::FakeTable;
use ots_paging::{ErrorKind, NextPage, OffsetPager, RangeCursor, RangeExt as _};
use ots_proto::plainbuffer::{Accept, Reader, read_primary_key, write_primary_key};
use ots_proto::{NameCache, PrimaryKey, Row, operation};
use proptest::prelude::*;

use support::{Case, case};

/// The documentation's sample, line by line.
fn read_by_page(
    table: &FakeTable,
    case: &Case,
    start: PrimaryKey,
    offset: usize,
    page_size: usize,
) -> (Vec<Row>, Option<PrimaryKey>) {
    let mut rows = Vec::new();
    let mut limit = page_size;
    let mut skip = offset;
    let mut next_start = Some(start);
    while let Some(start) = next_start.clone()
        && limit > 0
    {
        let mut request = case.request().into_message().unwrap();
        request.inclusive_start_primary_key = write_primary_key(&start);
        request.limit = Some(i32::try_from(skip + limit).unwrap());
        let call = Call::<operation::GetRange>::call(table, request);
        let response = block_on(call).unwrap().response;
        for row in decode(&response.rows) {
            if skip > 0 {
                skip -= 1;
            } else {
                rows.push(row);
                limit -= 1;
            }
        }
        next_start = response
            .next_start_primary_key
            .map(|key| read_primary_key(&key).unwrap());
    }
    (rows, next_start)
}

/// The documentation's loop over all pages.
fn read_all_by_page(case: &Case, offset: usize, page_size: usize) -> Vec<Vec<Row>> {
    let table = case.table();
    let start = case
        .request()
        .into_message()
        .unwrap()
        .inclusive_start_primary_key;
    let start = read_primary_key(&start).unwrap();
    let (rows, mut next) = read_by_page(&table, case, start, offset, page_size);
    let mut pages = vec![rows];
    while let Some(start) = next {
        let (rows, after) = read_by_page(&table, case, start, 0, page_size);
        pages.push(rows);
        next = after;
    }
    pages
}

fn decode(buffer: &Bytes) -> Vec<Row> {
    let mut rows = Vec::new();
    if !buffer.is_empty() {
        let mut reader = Reader::new(buffer, Accept::Rows).unwrap();
        while let Some(row) = reader.next_row().unwrap() {
            rows.push(row.to_row(&mut NameCache::default()));
        }
    }
    rows
}

fn all_pages(mut pager: OffsetPager<'_>) -> Vec<Vec<Row>> {
    let mut pages = Vec::new();
    let mut done = false;
    while let Some(page) = block_on(pager.next_page()).unwrap() {
        assert!(!done);
        done = page.next.is_done();
        pages.push(page.rows);
    }
    assert!(done);
    assert!(block_on(pager.next_page()).unwrap().is_none());
    pages
}

/// Whether a last page without rows comes depends on where the service splits: with a filter, nobody
/// knows beforehand that nothing more passes.
fn without_empty_last(mut pages: Vec<Vec<Row>>) -> Vec<Vec<Row>> {
    if pages.len() > 1 && pages.last().is_some_and(Vec::is_empty) {
        pages.pop();
    }
    pages
}

fn page_rows(rows: usize) -> NonZeroU32 {
    NonZeroU32::new(u32::try_from(rows).unwrap()).unwrap()
}

/// The sample chooses limits itself, and knows nothing of rows in parts.
fn without_limit(case: Case) -> Case {
    Case {
        limit: None,
        cells: Vec::new(),
        ..case
    }
}

proptest! {
    #[test]
    fn pages_are_those_of_the_documented_sample(
        case in case().prop_map(without_limit), offset in 0_usize..45, page_size in 1_usize..12,
    ) {
        let table = case.table();
        let pager = case.request().offset_pages(&table, offset as u64, page_rows(page_size));
        let pages = all_pages(pager);
        let sample = read_all_by_page(&case, offset, page_size);
        if case.filter.is_none() && !case.columns {
            prop_assert_eq!(&pages, &sample);
        }
        prop_assert_eq!(without_empty_last(pages), without_empty_last(sample));
        prop_assert!(table.most_in_flight() <= 1);
    }

    #[test]
    fn pages_are_slices_of_the_range(
        case in case(), offset in 0_usize..45, page_size in 1_usize..12,
    ) {
        let expected = case.expected();
        let rest = expected.get(offset..).unwrap_or_default();
        let mut slices: Vec<Vec<Row>> = rest.chunks(page_size).map(<[Row]>::to_vec).collect();
        if slices.is_empty() {
            // The first page always comes.
            slices.push(Vec::new());
        }
        let table = case.table();
        let pager = case.request().offset_pages(&table, offset as u64, page_rows(page_size));
        prop_assert_eq!(without_empty_last(all_pages(pager)), slices);
    }

    #[test]
    fn every_page_tells_where_the_next_starts(
        case in case(), offset in 0_usize..20, page_size in 1_usize..12,
    ) {
        let expected = case.expected();
        let table = case.table();
        let mut pager = case.request().offset_pages(&table, offset as u64, page_rows(page_size));
        let page = block_on(pager.next_page()).unwrap().unwrap();
        let after = (offset + page.rows.len()).min(expected.len());
        let NextPage::From(start) = page.next else {
            prop_assert_eq!(after, expected.len());
            return Ok(());
        };
        let (low, high) = case.bounds.clone();
        let bounds = if case.backward { (low, start) } else { (start, high) };
        let rest = Case { bounds, ..case.clone() };
        let pages = all_pages(rest.request().offset_pages(&table, 0, page_rows(page_size)));
        prop_assert_eq!(pages.concat(), expected[after..].to_vec());
    }

    #[test]
    fn a_total_limit_counts_skipped_rows_too(
        case in case(), total in 0_u64..30, offset in 0_u64..20, page_size in 1_usize..12,
    ) {
        let table = case.table();
        let cursor = case.request().cursor().unwrap().take_rows(total);
        let mut pager = cursor.offset_pages(&table, offset, page_rows(page_size));
        let mut rows = Vec::new();
        while let Some(page) = block_on(pager.next_page()).unwrap() {
            rows.extend(page.rows);
        }
        let expected = case.expected();
        let expected = expected.iter().take(usize::try_from(total).unwrap());
        let expected: Vec<_> = expected.skip(usize::try_from(offset).unwrap()).cloned().collect();
        prop_assert_eq!(rows, expected);
    }

    #[test]
    fn a_dropped_page_loses_nothing(
        case in case(), offset in 0_usize..20, page_size in 1_usize..12,
    ) {
        let table = case.table();
        let mut pager = case.request().offset_pages(&table, offset as u64, page_rows(page_size));
        let mut context = Context::from_waker(Waker::noop());
        let mut rows = Vec::new();
        let mut cost = 0;
        loop {
            match pin!(pager.next_page()).poll_unpin(&mut context) {
                Poll::Pending => {}
                Poll::Ready(page) => match page.unwrap() {
                    Some(page) => {
                        cost += page.consumed.read;
                        rows.extend(page.rows);
                    }
                    None => break,
                },
            }
        }
        let expected = case.expected();
        prop_assert_eq!(&rows[..], expected.get(offset..).unwrap_or_default());
        prop_assert_eq!(cost, table.requests().len() as u64);
    }
}

#[test]
fn the_documented_example_takes_one_request_a_page() {
    let rows = (0..60).map(|id| Row::new(support::key("a", id)).cell("a", id));
    let table = FakeTable::new(rows);
    let pages = all_pages(support::whole_range().offset_pages(&table, 33, page_rows(8)));
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [8, 8, 8, 3]);
    let limits: Vec<_> = table
        .requests()
        .iter()
        .map(|request| request.limit.unwrap())
        .collect();
    assert_eq!(limits, [41, 8, 8, 8]);
}

#[test]
fn an_offset_past_the_end_gives_one_page_without_rows() {
    let table = FakeTable::new([Row::new(support::key("a", 1))]);
    let pages = all_pages(support::whole_range().offset_pages(&table, 33, page_rows(8)));
    assert_eq!(pages, [Vec::new()]);
}

#[test]
fn damage_ends_the_pager_also_among_the_rows_to_skip() {
    for offset in [0, 20] {
        let rows = (0..9).map(|id| Row::new(support::key("a", id)).cell("a", id));
        let table = FakeTable::new(rows)
            .scan_caps([3])
            .answer(|number, mut response| {
                if number == 1 {
                    let mut damaged = response.rows.to_vec();
                    *damaged.last_mut().unwrap() ^= 1;
                    response.rows = damaged.into();
                }
                Ok(response)
            });
        let mut pager = support::whole_range().offset_pages(&table, offset, page_rows(4));
        let error = block_on(pager.next_page()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rows);
        assert_eq!((error.page(), error.rows()), (Some(2), Some(0)));
        assert_eq!(error.stopped_at(), Some(&support::key("a", 3)));
        assert!(block_on(pager.next_page()).unwrap().is_none());
        assert_eq!(table.requests().len(), 2);
    }
}

#[test]
fn a_wrong_request_is_told_by_the_first_page() {
    let table = FakeTable::new([]);
    let wrong = GetRange::new("orders", support::key("b", 0), support::key("a", 0));
    assert!(RangeCursor::new(wrong.clone()).is_err());
    let mut pager = wrong.offset_pages(&table, 3, page_rows(2));
    assert_eq!(
        block_on(pager.next_page()).unwrap_err().kind(),
        ErrorKind::Call
    );
    assert!(block_on(pager.next_page()).unwrap().is_none());
}
