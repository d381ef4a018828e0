//! Pages asked for ahead: under a clock that moves only by what is waited for, so times are exact.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use futures::StreamExt as _;
use futures::executor::{block_on, block_on_stream};
use ots_core::{Call, Error, ErrorCode, Reply};
use ots_paging::testing::FakeTable;
use ots_paging::{ErrorKind, RangeExt as _, ResumePoint};
use ots_proto::messages::{GetRangeRequest, GetRangeResponse};
use ots_proto::{Row, operation};
use proptest::prelude::*;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use support::{Case, case, key, whole_range};

const LATENCY: Duration = Duration::from_millis(20);
const PAGES: u32 = 50;

/// A table at the other end of a long wire.
struct Far<'t>(&'t FakeTable);

impl Call<operation::GetRange> for Far<'_> {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        sleep(LATENCY).await;
        Call::<operation::GetRange>::call(self.0, request).await
    }
}

fn table() -> FakeTable {
    let rows = (0..i64::from(PAGES) * 10).map(|id| Row::new(key("a", id)).cell("a", id));
    FakeTable::new(rows).scan_caps([10])
}

/// The time until the last page has come, where reading one takes `work`.
async fn elapsed_by_pages(prefetch: bool, work: Duration) -> Duration {
    let table = table();
    let mut pages = whole_range().pages(Far(&table));
    if prefetch {
        pages = pages.prefetch();
    }
    let start = Instant::now();
    let mut elapsed = Duration::ZERO;
    let mut rows = 0;
    while let Some(page) = pages.next().await {
        elapsed = start.elapsed();
        rows += page.unwrap().rows().unwrap().len();
        sleep(work).await;
    }
    assert_eq!(rows, 500);
    assert_eq!(table.most_in_flight(), 1);
    elapsed
}

#[tokio::test(start_paused = true)]
async fn with_prefetch_pages_come_one_a_round_trip_whatever_reading_them_takes() {
    let pages = LATENCY * PAGES;
    for work in [Duration::ZERO, LATENCY / 2, LATENCY] {
        assert_eq!(elapsed_by_pages(true, work).await, pages, "{work:?}");
    }
    // A slow reader waits for nothing but the first page.
    let slow = LATENCY * 3;
    let waited = LATENCY + slow * (PAGES - 1);
    assert_eq!(elapsed_by_pages(true, slow).await, waited);
    // Without it, what reading takes comes on top.
    let one_by_one = pages + LATENCY * (PAGES - 1);
    assert_eq!(elapsed_by_pages(false, LATENCY).await, one_by_one);
}

#[tokio::test(start_paused = true)]
async fn with_prefetch_rows_come_one_page_a_round_trip() {
    for (prefetch, round_trips) in [(true, PAGES), (false, 2 * PAGES - 1)] {
        let table = table();
        let mut rows = whole_range().rows(Far(&table));
        if prefetch {
            rows = rows.prefetch();
        }
        let start = Instant::now();
        let mut elapsed = Duration::ZERO;
        let mut count = 0;
        while let Some(row) = rows.next().await {
            row.unwrap();
            count += 1;
            if count % 10 == 1 {
                elapsed = start.elapsed();
            }
            sleep(LATENCY / 10).await;
        }
        assert_eq!((count, elapsed), (500, LATENCY * round_trips));
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_a_stream_leaves_no_task_and_no_request() {
    let table = table();
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let mut pages = whole_range().pages(Far(&table)).prefetch();
    let mut rows = whole_range().rows(Far(&table)).prefetch();
    let _ = pages.next().await.unwrap().unwrap();
    rows.next().await.unwrap().unwrap();
    assert_eq!((table.requests().len(), tasks()), (2, 0));
    drop((pages, rows));
    sleep(LATENCY * 10).await;
    // The two that were under way never came to the table.
    assert_eq!((table.requests().len(), tasks()), (2, 0));
}

#[test]
fn the_last_page_is_followed_by_no_request() {
    let table = table();
    let pages = whole_range().pages(&table).prefetch();
    assert_eq!(block_on_stream(pages).count(), 50);
    assert_eq!(table.requests().len(), 50);
    for take in [1, 9, 10, 11, 25] {
        let table = self::table();
        let rows = whole_range().rows(&table).prefetch().take_rows(take);
        assert_eq!(block_on_stream(rows).count() as u64, take);
        assert_eq!(table.requests().len() as u64, take.div_ceil(10));
        let table = self::table();
        let pages = whole_range().pages(&table).prefetch().take_rows(take);
        let rows: usize = block_on_stream(pages)
            .map(|page| page.unwrap().rows().unwrap().len())
            .sum();
        assert_eq!(rows as u64, take);
        assert_eq!(table.requests().len() as u64, take.div_ceil(10));
    }
}

#[test]
fn a_page_asked_for_ahead_is_not_part_of_the_place_to_resume_from() {
    let table = table();
    let mut pages = whole_range().pages(&table).prefetch();
    let page = block_on(pages.next()).unwrap().unwrap();
    assert_eq!(pages.resume_point().as_ref(), Some(page.resume_point()));
    assert_eq!(pages.consumed().read, 1);
    // Nor wanted any more, once enough rows have come.
    let mut pages = pages.take_rows(0);
    assert!(block_on(pages.next()).is_none());
    assert!(block_on(pages.next()).is_none());
}

#[test]
fn a_failure_ahead_comes_after_the_rows_before_it() {
    let busy = || {
        let (code, status) = (ErrorCode::ServerBusy, 503.try_into().unwrap());
        Error::service(code, status, "busy", "r-1")
    };
    let table = table().answer(move |number, response| {
        if number == 2 {
            Err(busy())
        } else {
            Ok(response)
        }
    });
    let mut rows = whole_range().rows(&table).prefetch();
    for id in 0..20 {
        let row = block_on(rows.next()).unwrap().unwrap();
        assert_eq!(row.primary_key, key("a", id));
    }
    let error = block_on(rows.next()).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.rows()), (ErrorKind::Call, Some(20)));
    assert_eq!(
        rows.resume_point().unwrap().next().key(),
        Some(&key("a", 20))
    );
    assert!(block_on(rows.next()).is_none());
    assert_eq!(table.requests().len(), 3);
}

#[test]
fn pages_keep_to_the_bytes_wanted() {
    let text = "x".repeat(1_000);
    let rows = (0..2_000).map(|id| Row::new(key("a", id)).cell("text", text.as_str()));
    let table = FakeTable::new(rows);
    let cursor = whole_range().cursor().unwrap();
    let cursor = cursor.page_bytes((64 << 10).try_into().unwrap());
    let pages: Vec<usize> = block_on_stream(cursor.pages(&table).prefetch())
        .map(|page| page.unwrap().buffer().len())
        .collect();
    let (last, full) = pages.split_last().unwrap();
    assert!(pages.iter().all(|&bytes| bytes <= 72 << 10), "{pages:?}");
    assert!(full[1..].iter().all(|&bytes| bytes > 60 << 10), "{pages:?}");
    assert!(*last > 0 && pages.len() < 36, "{pages:?}");
}

proptest! {
    #[test]
    fn prefetch_and_bytes_change_no_row(
        case in case(), take in prop::option::of(0_u64..50), bytes in prop::option::of(1_usize..2_000),
        before in 0_usize..20,
    ) {
        let table = case.table();
        let cursor = || {
            let cursor = case.request().cursor().unwrap();
            match bytes {
                Some(bytes) => cursor.page_bytes(bytes.try_into().unwrap()),
                None => cursor,
            }
        };
        let mut expected = case.expected();
        let mut rows = cursor().rows(&table).prefetch();
        for row in expected.iter().take(before) {
            prop_assert_eq!(&block_on(rows.next()).unwrap().unwrap(), row);
        }
        expected.drain(..before.min(expected.len()));
        // The place between two rows is the same as without.
        let point = rows.resume_point().unwrap();
        let point = ResumePoint::from_bytes(&point.to_bytes()).unwrap();
        let again = Case { caps: Vec::new(), ..case.clone() }.table();
        let rest = case.request().resume(&point).unwrap().rows(&again);
        let rest: Vec<Row> = block_on(rest.map(Result::unwrap).collect());
        prop_assert_eq!(&rest, &expected);

        if let Some(take) = take {
            rows = rows.take_rows(take);
            expected.truncate(usize::try_from(take).unwrap());
        }
        let rest: Vec<Row> = block_on(rows.map(Result::unwrap).collect());
        prop_assert_eq!(rest, expected);
        prop_assert!(table.most_in_flight() <= 1);

        let mut pages = cursor().pages(&table).prefetch();
        let requests = table.requests().len();
        let mut read = Vec::new();
        let mut cost = 0;
        while let Some(page) = block_on(pages.next()) {
            let page = page.unwrap();
            cost += page.consumed().read;
            read.extend(page.rows().unwrap());
        }
        prop_assert_eq!(read, case.expected());
        prop_assert_eq!(cost, (table.requests().len() - requests) as u64);
        prop_assert_eq!(pages.consumed().read, cost);
    }
}
