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
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::executor::block_on;
use ots_core::Call;
use ots_core::request::{GetRange, Request as _};
use ots_emulator::Settings;
use ots_paging::testing::FakeTable;
use ots_paging::{Anchors, ErrorKind, NextPage, OffsetPager, RangeCursor, RangeExt as _};
use ots_proto::plainbuffer::{Accept, Reader, read_primary_key, write_primary_key};
use ots_proto::{NameCache, PrimaryKey, Row, operation};
use proptest::prelude::*;

use support::{Case, case, emulated};

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

/// A step of whoever turns pages.
#[derive(Clone, Copy, Debug)]
enum Move {
    Next,
    Previous,
    Seek(usize),
}

fn step() -> impl Strategy<Value = Move> {
    prop_oneof![
        2 => Just(Move::Next),
        2 => Just(Move::Previous),
        1 => (0_usize..45).prop_map(Move::Seek),
    ]
}

fn page_rows(rows: usize) -> NonZeroU32 {
    NonZeroU32::new(u32::try_from(rows).unwrap()).unwrap()
}

/// What a request more is worth: nothing, so that all but the page is skipped by keys; the width of a few
/// rows, so that it changes on the way; and as it is.
fn worth() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1_u64..200, Just(64 << 10)]
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
        worth in worth(),
    ) {
        let table = case.table();
        let pager = case.request().offset_pages(&table, offset as u64, page_rows(page_size));
        let pages = all_pages(pager.request_bytes(worth));
        let sample = read_all_by_page(&case, offset, page_size);
        if case.filter.is_none() && !case.columns {
            prop_assert_eq!(&pages, &sample);
        }
        prop_assert_eq!(without_empty_last(pages), without_empty_last(sample));
        prop_assert!(table.most_in_flight() <= 1);
    }

    #[test]
    fn pages_are_slices_of_the_range(
        case in case(), offset in 0_usize..45, page_size in 1_usize..12, worth in worth(),
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
        prop_assert_eq!(without_empty_last(all_pages(pager.request_bytes(worth))), slices);
    }

    #[test]
    fn every_page_tells_where_the_next_starts(
        case in case(), offset in 0_usize..20, page_size in 1_usize..12, worth in worth(),
    ) {
        let expected = case.expected();
        let table = case.table();
        let pager = case.request().offset_pages(&table, offset as u64, page_rows(page_size));
        let mut pager = pager.request_bytes(worth);
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
        worth in worth(),
    ) {
        let table = case.table();
        let cursor = case.request().cursor().unwrap().take_rows(total);
        let pager = cursor.offset_pages(&table, offset, page_rows(page_size));
        let mut pager = pager.request_bytes(worth);
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
    fn any_walk_over_offsets_gives_the_slices(
        case in case(),
        page_size in 1_usize..8,
        every in 1_u64..6,
        most in 1_u32..5,
        worth in worth(),
        walk in prop::collection::vec(step(), 1..12),
    ) {
        let expected = case.expected();
        let table = case.table();
        let pager = case.request().offset_pages(&table, 0, page_rows(page_size));
        let pager = pager.anchor_every(every.try_into().unwrap(), most.try_into().unwrap());
        let mut pager = pager.request_bytes(worth);
        let slice = |from: usize, to: usize| {
            expected.get(from..to.min(expected.len())).unwrap_or_default().to_vec()
        };
        let (mut at, mut last): (usize, Option<usize>) = (0, None);
        for step in walk {
            match step {
                Move::Seek(offset) => {
                    pager.seek(offset as u64);
                    at = offset;
                }
                Move::Next => {
                    let Some(page) = block_on(pager.next_page()).unwrap() else {
                        prop_assert!(at >= expected.len());
                        continue;
                    };
                    prop_assert_eq!(page.offset, at as u64);
                    prop_assert_eq!(&page.rows, &slice(at, at + page_size));
                    last = Some(at.min(expected.len()));
                    at = at.max((at + page.rows.len()).min(expected.len()));
                }
                Move::Previous => {
                    let Some(page) = block_on(pager.previous_page()).unwrap() else {
                        prop_assert!(last.is_none_or(|last| last == 0));
                        continue;
                    };
                    let end = last.unwrap();
                    let from = end.saturating_sub(page_size);
                    prop_assert_eq!(page.offset, from as u64);
                    prop_assert_eq!(&page.rows, &slice(from, end));
                    last = Some(from);
                    at = end;
                }
            }
        }
        prop_assert!(table.most_in_flight() <= 1);
    }

    #[test]
    fn pages_dropped_at_any_await_and_failed_at_any_call_are_those_of_an_even_walk(
        case in case(),
        page_size in 1_usize..8,
        worth in worth(),
        total in prop::option::of(0_u64..40),
        failing in prop::collection::vec(prop::bool::weighted(0.3), 1..20),
        walk in prop::collection::vec((step(), 0_usize..9), 1..16),
    ) {
        let mut expected = case.expected();
        let mut cursor = case.request().cursor().unwrap();
        if let Some(total) = total {
            expected.truncate(usize::try_from(total).unwrap());
            cursor = cursor.take_rows(total);
        }
        let table = case.table().answer(move |number, response| {
            if failing.get(number).copied().unwrap_or_default() {
                return Err(ots_core::Error::request("busy"));
            }
            Ok(response)
        });
        let mut pager = cursor.offset_pages(&table, 0, page_rows(page_size)).request_bytes(worth);
        let mut context = Context::from_waker(Waker::noop());
        let slice = |from: usize, to: usize| {
            let to = to.min(expected.len());
            expected.get(from.min(to)..to).unwrap_or_default().to_vec()
        };
        let (mut at, mut last): (usize, Option<usize>) = (0, None);
        let mut told = 0;
        for (step, polls) in walk {
            if let Move::Seek(offset) = step {
                pager.seek(offset as u64);
                at = offset;
                continue;
            }
            let forward = matches!(step, Move::Next);
            // Dropped after so many polls.
            let outcome = {
                let mut page = if forward {
                    pager.next_page().boxed()
                } else {
                    pager.previous_page().boxed()
                };
                (0..=polls).find_map(|_| match page.poll_unpin(&mut context) {
                    Poll::Ready(outcome) => Some(outcome),
                    Poll::Pending => None,
                })
            };
            match (outcome, forward) {
                (None | Some(Err(_)), _) => {}
                (Some(Ok(None)), true) => prop_assert!(at >= expected.len()),
                (Some(Ok(None)), false) => prop_assert!(last.is_none_or(|last| last == 0)),
                (Some(Ok(Some(page))), true) => {
                    prop_assert_eq!(page.offset, at as u64);
                    prop_assert_eq!(&page.rows, &slice(at, at + page_size));
                    // Past a total limit nobody looks where the range ends.
                    let end = total.map_or(expected.len(), |total| usize::try_from(total).unwrap());
                    let end = if at >= end { end } else { expected.len() };
                    last = Some(at.min(end));
                    at = at.max((at + page.rows.len()).min(expected.len()));
                    told += page.consumed.read;
                }
                (Some(Ok(Some(page))), false) => {
                    let end = last.unwrap();
                    let from = end.saturating_sub(page_size);
                    prop_assert_eq!(page.offset, from as u64);
                    prop_assert_eq!(&page.rows, &slice(from, end));
                    last = Some(from.min(expected.len()));
                    at = from.max(end.min(expected.len()));
                    told += page.consumed.read;
                }
            }
        }
        prop_assert!(told <= pager.cost().consumed.read);
        prop_assert!(table.most_in_flight() <= 1);
    }

    #[test]
    fn a_dropped_page_loses_nothing(
        case in case(), offset in 0_usize..20, page_size in 1_usize..12, worth in worth(),
    ) {
        let table = case.table();
        let pager = case.request().offset_pages(&table, offset as u64, page_rows(page_size));
        let mut pager = pager.request_bytes(worth);
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
fn the_documented_example_takes_no_request_more() {
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
fn where_a_request_is_worth_it_the_skip_reads_keys() {
    let rows = (0..60).map(|id| Row::new(support::key("a", id)).cell("a", id));
    let table = FakeTable::new(rows);
    let pager = support::whole_range().offset_pages(&table, 33, page_rows(8));
    let pages = all_pages(pager.request_bytes(0));
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [8, 8, 8, 3]);
    let limits: Vec<_> = table
        .requests()
        .iter()
        .map(|request| request.limit.unwrap())
        .collect();
    assert_eq!(limits, [33, 8, 8, 8, 8]);
    assert_eq!(table.requests()[0].columns_to_get, ["city", "id"]);
    assert!(table.requests()[1].columns_to_get.is_empty());
}

/// Bytes of rows that all answers had.
fn metered(table: FakeTable) -> (FakeTable, Arc<AtomicUsize>) {
    let bytes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&bytes);
    let table = table.answer(move |_, response| {
        count.fetch_add(response.rows.len(), Ordering::SeqCst);
        Ok(response)
    });
    (table, bytes)
}

#[test]
fn skipping_rows_of_two_kilobytes_takes_a_twentieth_of_the_samples_bytes() {
    let text = "x".repeat(2_000);
    let rows = (0..3_000).map(|id| Row::new(support::key("a", id)).cell("text", text.as_str()));
    let rows: Vec<Row> = rows.collect();
    let (table, bytes) = metered(FakeTable::new(rows.clone()));
    let mut pager = support::whole_range().offset_pages(&table, 2_500, page_rows(20));
    let page = block_on(pager.next_page()).unwrap().unwrap();
    assert_eq!(page.rows, rows[2_500..2_520]);
    let ours = bytes.load(Ordering::SeqCst);
    assert_eq!(pager.cost().skipped_rows, 2_500);
    assert_eq!(pager.cost().bytes, ours as u64);
    assert_eq!(pager.cost().requests, 2);

    let (table, bytes) = metered(FakeTable::new(rows));
    let request = support::whole_range().limit(2_520).into_message().unwrap();
    block_on(Call::<operation::GetRange>::call(&&table, request)).unwrap();
    let sample = bytes.load(Ordering::SeqCst);
    assert!(ours * 20 < sample, "{ours} of {sample}");
}

#[test]
fn the_second_jump_counts_only_from_the_nearest_anchor() {
    let rows = (0..3_000).map(|id| Row::new(support::key("a", id)).cell("a", id));
    let table = FakeTable::new(rows);
    let range = || support::whole_range().offset_pages(&table, 2_999, page_rows(1));
    let mut first = range();
    block_on(first.next_page()).unwrap().unwrap();
    let kept = first.anchors().unwrap().to_bytes();
    for offset in [10, 255, 256, 1_000, 2_600] {
        let anchors = Anchors::from_bytes(&kept).unwrap();
        let mut second = range().with_anchors(anchors).unwrap();
        second.seek(offset);
        let page = block_on(second.next_page()).unwrap().unwrap();
        let id = i64::try_from(offset).unwrap();
        assert_eq!(page.rows[0].primary_key, support::key("a", id));
        assert_eq!(second.cost().skipped_rows, offset % 256);
    }
    let other = GetRange::new(
        "orders",
        support::key("a", 5),
        PrimaryKey::max(["city", "id"]),
    );
    let other = other.offset_pages(&table, 0, page_rows(1));
    let error = other
        .with_anchors(Anchors::from_bytes(&kept).unwrap())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AnchorsOfOtherRange);
}

#[test]
fn an_offset_past_the_end_gives_one_page_without_rows() {
    let table = FakeTable::new([Row::new(support::key("a", 1))]);
    let pages = all_pages(support::whole_range().offset_pages(&table, 33, page_rows(8)));
    assert_eq!(pages, [Vec::new()]);
}

#[test]
fn rows_written_behind_the_last_page_are_seen_by_the_next_seek() {
    let rows = |ids: std::ops::Range<i64>| -> Vec<Row> {
        ids.map(|id| Row::new(support::key("a", id)).cell("a", id))
            .collect()
    };
    for seek in [85, 90, 100, 104, 105] {
        let client = emulated::client(Settings::default());
        emulated::load(&client, &rows(0..85), 1);
        let range = emulated::whole(&["city", "id"]);
        let mut pager = range.offset_pages(&client, 80, page_rows(10));
        let last = emulated::block_on(pager.next_page()).unwrap().unwrap();
        assert!(last.rows.len() == 5 && last.next.is_done());

        emulated::write(&client, &rows(85..105));
        pager.seek(seek);
        let page = emulated::block_on(pager.next_page()).unwrap().unwrap();
        let ids: Vec<i64> = page.rows.iter().map(id).collect();
        let first = i64::try_from(seek).unwrap();
        assert_eq!(ids, (first..105.min(first + 10)).collect::<Vec<_>>());
    }
}

#[test]
fn damage_is_told_also_among_the_rows_to_skip_and_the_page_can_be_asked_for_again() {
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
        assert_eq!(table.requests().len(), 2);
        // Now it is whole.
        let page = block_on(pager.next_page()).unwrap().unwrap();
        let ids: Vec<i64> = page.rows.iter().map(id).collect();
        assert_eq!(
            ids,
            if offset == 0 { 0..4 } else { 0..0 }.collect::<Vec<_>>()
        );
    }
}

fn id(row: &Row) -> i64 {
    row.primary_key.get("id").unwrap().as_integer().unwrap()
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
