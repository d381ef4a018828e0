//! Streams over ranges against a plain model: whatever the pages, the rows are the range's.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use futures::executor::{block_on, block_on_stream};
use ots_paging::{NextPage, RangeExt as _, ResumePoint};
use ots_proto::Row;
use proptest::prelude::*;

use support::{Case, case};

fn pages(case: &Case, take: Option<u64>) -> Vec<Row> {
    let table = case.table();
    let mut pages = case.request().pages(&table);
    if let Some(take) = take {
        pages = pages.take_rows(take);
    }
    let mut rows = Vec::new();
    let mut next = None;
    while let Some(page) = block_on(pages.next()) {
        let page = page.unwrap();
        if let Some(NextPage::From(key)) = &next {
            assert_eq!(page.start(), key);
        }
        rows.extend(page.rows().unwrap());
        next = Some(page.next().clone());
        assert_eq!(pages.resume_point().as_ref(), Some(page.resume_point()));
    }
    assert_eq!(pages.consumed().read, table.requests().len() as u64);
    assert!(table.most_in_flight() <= 1);
    rows
}

fn rows(case: &Case, take: Option<u64>) -> Vec<Row> {
    let table = case.table();
    let mut rows = case.request().rows(&table);
    if let Some(take) = take {
        rows = rows.take_rows(take);
    }
    let rows = block_on_stream(rows).map(Result::unwrap).collect();
    assert!(table.most_in_flight() <= 1);
    rows
}

proptest! {
    #[test]
    fn pages_of_any_size_concatenate_to_the_range(case in case()) {
        let expected = case.expected();
        prop_assert_eq!(&pages(&case, None), &expected);
        prop_assert_eq!(&rows(&case, None), &expected);
    }

    #[test]
    fn a_count_is_the_rows_of_the_range(case in case(), take in 0_u64..50) {
        let table = case.table();
        let expected = case.expected().len() as u64;
        let count = block_on(case.request().count_rows(&table)).unwrap();
        prop_assert_eq!(count.rows, expected);
        prop_assert_eq!(count.requests, table.requests().len() as u64);
        let limited = case.request().cursor().unwrap().take_rows(take);
        let count = block_on(limited.count_rows(&table)).unwrap();
        prop_assert_eq!(count.rows, expected.min(take));
        let first = block_on(case.request().first_row(&table)).unwrap();
        prop_assert_eq!(first, case.expected().into_iter().next());
    }

    #[test]
    fn the_total_limit_is_exact(case in case(), take in 0_u64..50) {
        let mut expected = case.expected();
        expected.truncate(usize::try_from(take).unwrap());
        prop_assert_eq!(&pages(&case, Some(take)), &expected);
        prop_assert_eq!(&rows(&case, Some(take)), &expected);
    }

    #[test]
    fn a_total_limit_set_between_rows_counts_from_there(
        case in case(), before in 0_usize..20, take in 0_u64..20,
    ) {
        let table = case.table();
        let mut rows = case.request().rows(&table);
        let mut expected = case.expected();
        for row in expected.iter().take(before) {
            prop_assert_eq!(&block_on(rows.next()).unwrap().unwrap(), row);
        }
        let rest: Vec<_> = block_on_stream(rows.take_rows(take)).map(Result::unwrap).collect();
        expected.drain(..before.min(expected.len()));
        expected.truncate(usize::try_from(take).unwrap());
        prop_assert_eq!(rest, expected);
    }

    #[test]
    fn any_place_between_two_rows_can_be_resumed(
        case in case(), other_caps in prop::collection::vec(1_usize..8, 0..4),
    ) {
        let expected = case.expected();
        let table = case.table();
        let mut rows = case.request().rows(&table);
        let again = Case { caps: other_caps, ..case.clone() }.table();
        for delivered in 0..=expected.len() {
            let point = rows.resume_point().unwrap();
            let point = ResumePoint::from_bytes(&point.to_bytes()).unwrap();
            let rest = case.request().resume(&point).unwrap().rows(&again);
            let rest: Vec<_> = block_on_stream(rest).map(Result::unwrap).collect();
            prop_assert_eq!(&rest, &expected[delivered..]);
            let _ = block_on(rows.next());
        }
        prop_assert!(block_on(rows.next()).is_none());
        prop_assert!(rows.resume_point().unwrap().next().is_done());
    }

    #[test]
    fn no_page_is_asked_for_more_rows_than_wanted_where_all_rows_come(
        case in case(), take in 1_u64..50,
    ) {
        let case = Case { filter: None, columns: false, ..case };
        let table = case.table();
        let count = block_on_stream(case.request().rows(&table).take_rows(take)).count() as u64;
        for request in table.requests() {
            prop_assert!(u64::try_from(request.limit.unwrap()).unwrap() <= take);
        }
        prop_assert!(count <= take);
    }
}

#[test]
fn a_selective_filter_does_not_make_a_request_for_every_row() {
    // Only the last of 3,000 rows passes, and `limit` counts rows before the filter.
    let rows = (0..3_000).map(|id| Row::new(support::key("a", id)).cell("a", id));
    let table = ots_paging::testing::FakeTable::new(rows)
        .limit_counts(ots_paging::testing::LimitCounts::Scanned)
        .filter(|row| row.get("a").is_some_and(|value| *value == 2_999.into()));
    let request = support::whole_range().filter(support::filter());
    let found: Vec<_> = block_on_stream(request.rows(&table).take_rows(1)).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(table.requests().len(), 12);
}
