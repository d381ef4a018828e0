//! The columns of one row, page after page, against the row.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt as _;
use futures::executor::block_on;
use ots_core::filter::Filter;
use ots_core::request::GetRow;
use ots_core::{Call, Error, Reply};
use ots_paging::testing::FakeTable;
use ots_paging::{ColumnPager, ErrorKind};
use ots_proto::messages::{GetRowRequest, GetRowResponse};
use ots_proto::{Cell, PrimaryKey, Row, operation};
use proptest::prelude::*;

fn key() -> PrimaryKey {
    PrimaryKey::new().column("id", 7)
}

fn row(versions: &[usize]) -> Row {
    let mut row = Row::new(key());
    for (column, versions) in versions.iter().enumerate() {
        for version in (0..*versions).rev() {
            let (name, time) = (format!("c{column:02}"), i64::try_from(version).unwrap());
            row.cells.push(Cell::new(name, time).at(time));
        }
    }
    row
}

proptest! {
    #[test]
    fn pages_of_columns_are_the_row(
        versions in prop::collection::vec(1_usize..4, 0..20),
        columns in prop::option::of(1_u32..8),
        caps in prop::collection::vec(1_usize..9, 0..3),
    ) {
        let row = row(&versions);
        let table = FakeTable::new([row.clone()]).cell_caps(caps.iter().copied());
        let request = GetRow::new("t", key()).max_versions(4);
        let mut pager = ColumnPager::new(request, &table).unwrap();
        if let Some(columns) = columns {
            pager = pager.page_columns(columns.try_into().unwrap()).unwrap();
        }
        let mut cells = Vec::new();
        let mut pages = 0;
        while let Some(page) = block_on(pager.next_page()).unwrap() {
            prop_assert_eq!(&page.primary_key, &row.primary_key);
            prop_assert!(pages == 0 || !page.cells.is_empty());
            if let Some(columns) = columns {
                let mut names: Vec<_> = page.cells.iter().map(|cell| &cell.name).collect();
                names.dedup();
                prop_assert!(names.len() <= columns as usize);
            }
            cells.extend(page.cells);
            pages += 1;
        }
        prop_assert!(pages > 0);
        prop_assert_eq!(cells, row.cells);
        prop_assert!(block_on(pager.next_page()).unwrap().is_none());
    }

    #[test]
    fn another_process_goes_on_from_the_name_of_the_last_column(
        versions in prop::collection::vec(1_usize..4, 1..20), columns in 1_u32..8, taken in 1_usize..5,
        caps in prop::collection::vec(1_usize..9, 0..3),
    ) {
        let row = row(&versions);
        let table = FakeTable::new([row.clone()]).cell_caps(caps.iter().copied());
        let request = || GetRow::new("t", key()).max_versions(4);
        let pager = |request| ColumnPager::new(request, &table).unwrap().page_columns(columns.try_into().unwrap());
        let mut first = pager(request()).unwrap();
        let mut cells = Vec::new();
        for _ in 0..taken {
            let page = block_on(first.next_page()).unwrap();
            cells.extend(page.map(|page| page.cells).unwrap_or_default());
        }
        let last = cells.last().unwrap().name.to_string();
        cells.retain(|cell| cell.name != last.as_str());
        let mut rest = pager(request().column_range(last..)).unwrap();
        while let Some(page) = block_on(rest.next_page()).unwrap() {
            cells.extend(page.cells);
        }
        prop_assert_eq!(cells, row.cells);
    }
}

/// Fails and waits by turns.
struct Unsteady(FakeTable, AtomicUsize);

impl Call<operation::GetRow> for Unsteady {
    async fn call(&self, request: GetRowRequest) -> Result<Reply<GetRowResponse>, Error> {
        let number = self.1.fetch_add(1, Ordering::SeqCst);
        if number.is_multiple_of(3) {
            return Err(Error::request("busy"));
        }
        if number % 3 == 1 {
            tokio::task::yield_now().await;
        }
        Call::<operation::GetRow>::call(&self.0, request).await
    }
}

#[test]
fn a_page_of_columns_dropped_or_failed_is_asked_for_again() {
    let row = (0..20).fold(Row::new(key()), |row, n| row.cell(format!("c{n:02}"), n));
    for page_columns in [None, Some(4)] {
        let table = FakeTable::new([row.clone()]).cell_caps([3]);
        let table = Unsteady(table, AtomicUsize::new(0));
        let mut pager = ColumnPager::new(GetRow::new("t", key()), &table).unwrap();
        if let Some(columns) = page_columns {
            pager = pager
                .page_columns(NonZeroU32::new(columns).unwrap())
                .unwrap();
        }
        let mut cells = Vec::new();
        let (mut failed, mut dropped) = (0, 0);
        loop {
            match pager.next_page().now_or_never() {
                None => dropped += 1,
                Some(Err(error)) => {
                    assert_eq!(error.to_string(), "GetRow on table \"t\": the call failed");
                    failed += 1;
                }
                Some(Ok(Some(page))) => cells.extend(page.cells),
                Some(Ok(None)) => break,
            }
        }
        assert_eq!(cells, row.cells);
        assert!(failed > 5 && dropped > 5, "{failed} {dropped}");
    }
}

#[test]
fn a_row_that_is_not_there_has_no_page() {
    let table = FakeTable::new([]);
    let mut pager = ColumnPager::new(GetRow::new("t", key()), &table).unwrap();
    assert!(block_on(pager.next_page()).unwrap().is_none());
    assert_eq!(pager.consumed().read, 1);
}

#[test]
fn a_filter_and_pages_of_columns_exclude_each_other() {
    let table = FakeTable::new([]);
    let request = GetRow::new("t", key()).filter(Filter::column("a").exists());
    let pager = ColumnPager::new(request, &table).unwrap();
    let error = pager.page_columns(3.try_into().unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Call);
}
