//! What goes wrong at page k: everything before it is delivered, nothing after it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::executor::{block_on, block_on_stream};
use futures::stream::FusedStream as _;
use futures::{FutureExt as _, StreamExt as _};
use ots_core::request::GetRange;
use ots_core::{ErrorCode, ErrorKind as CallErrorKind};
use ots_paging::testing::FakeTable;
use ots_paging::{ErrorKind, RangeExt as _, Rows};
use ots_proto::plainbuffer::write_primary_key;
use ots_proto::{PrimaryKey, Row};
use proptest::prelude::*;

use support::{Case, case, key, whole_range};

fn table(rows: i64) -> FakeTable {
    FakeTable::new((0..rows).map(|id| Row::new(key("a", id)).cell("a", id))).scan_caps([3])
}

fn busy() -> ots_core::Error {
    let (code, status) = (ErrorCode::ServerBusy, 503.try_into().unwrap());
    ots_core::Error::service(code, status, "busy", "r-1")
}

/// Reads to the first error, and checks that nothing comes after it.
fn read(mut rows: Rows<'_>) -> (Vec<Row>, Option<ots_paging::Error>) {
    let mut delivered = Vec::new();
    let error = loop {
        match block_on(rows.next()) {
            Some(Ok(row)) => delivered.push(row),
            Some(Err(error)) => break Some(error),
            None => break None,
        }
    };
    assert!(rows.is_terminated());
    assert!(block_on(rows.next()).is_none());
    assert!(block_on(rows.next()).is_none());
    assert_eq!(rows.delivered(), delivered.len() as u64);
    (delivered, error)
}

#[test]
fn nothing_is_asked_before_the_first_poll() {
    let table = table(9);
    let rows = whole_range().rows(&table);
    let pages = whole_range().pages(&table);
    drop((rows, pages));
    assert!(table.requests().is_empty());
}

#[test]
fn the_next_page_is_asked_for_only_after_the_last_row_of_the_one_before() {
    let table = table(9);
    let mut rows = whole_range().rows(&table);
    for taken in 1..=9_usize {
        let _ = block_on(rows.next()).unwrap().unwrap();
        assert_eq!(table.requests().len(), taken.div_ceil(3));
    }
    assert!(block_on(rows.next()).is_none());
    assert_eq!(table.requests().len(), 3);
}

#[test]
fn taking_no_rows_asks_for_nothing() {
    let table = table(9);
    assert_eq!(
        block_on_stream(whole_range().rows(&table).take_rows(0)).count(),
        0
    );
    assert_eq!(
        block_on_stream(whole_range().pages(&table).take_rows(0)).count(),
        0
    );
    assert!(table.requests().is_empty());
}

#[test]
fn a_dropped_next_loses_nothing() {
    let table = table(9);
    let mut rows = whole_range().rows(&table);
    let mut context = Context::from_waker(Waker::noop());
    let mut delivered = Vec::new();
    loop {
        // Each future is polled once and dropped; the fake is ready at its second poll.
        match pin!(rows.next()).poll_unpin(&mut context) {
            Poll::Pending => {}
            Poll::Ready(None) => break,
            Poll::Ready(Some(row)) => delivered.push(row.unwrap()),
        }
    }
    assert_eq!(delivered.len(), 9);
    assert_eq!(table.requests().len(), 3);
}

#[test]
fn a_failed_call_ends_the_stream_and_can_be_resumed() {
    let table = table(9).answer(|number, response| {
        if number == 1 {
            Err(busy())
        } else {
            Ok(response)
        }
    });
    let mut rows = whole_range().rows(&table);
    for _ in 0..3 {
        let _ = block_on(rows.next()).unwrap().unwrap();
    }
    let error = block_on(rows.next()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Call);
    assert!(error.is_retryable());
    assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    let text = "GetRange on table \"orders\", page 2, after 3 rows: the call failed";
    assert_eq!(error.to_string(), text);
    assert_eq!((error.page(), error.rows()), (Some(2), Some(3)));
    assert_eq!(error.stopped_at(), Some(&key("a", 3)));
    assert!(block_on(rows.next()).is_none());
    assert_eq!(table.requests().len(), 2);

    let point = rows.resume_point().unwrap();
    let rest = whole_range().resume(&point).unwrap().rows(&table);
    let rest: Vec<_> = block_on_stream(rest)
        .map(|row| row.unwrap().primary_key)
        .collect();
    assert_eq!(rest, (3..9).map(|id| key("a", id)).collect::<Vec<_>>());
}

#[test]
fn pages_end_at_an_error_too() {
    let table = table(9).answer(|number, response| {
        if number == 1 {
            Err(busy())
        } else {
            Ok(response)
        }
    });
    let mut pages = whole_range().pages(&table);
    assert!(block_on(pages.next()).unwrap().is_ok());
    assert!(block_on(pages.next()).unwrap().is_err());
    assert!(pages.is_terminated());
    assert!(block_on(pages.next()).is_none());
    assert_eq!(table.requests().len(), 2);
    assert_eq!(
        pages.resume_point().unwrap().next().key(),
        Some(&key("a", 3))
    );
}

#[test]
fn a_wrong_request_is_the_first_item_and_the_last() {
    let table = table(9);
    let wrong = || GetRange::new("orders", key("b", 0), key("a", 0));
    let (rows, error) = read(wrong().rows(&table));
    assert!(rows.is_empty());
    assert!(matches!(
        error.unwrap().as_call().unwrap().kind(),
        CallErrorKind::Request(_)
    ));
    let mut pages = wrong().pages(&table);
    assert!(block_on(pages.next()).unwrap().is_err());
    assert!(block_on(pages.next()).is_none());
    assert!(pages.is_terminated() && pages.resume_point().is_none());
    assert!(table.requests().is_empty());
}

#[test]
fn a_service_that_does_not_advance_is_refused_instead_of_asked_for_ever() {
    let stuck = write_primary_key(&key("a", 3));
    let table = table(9).answer(move |number, mut response| {
        if number >= 1 {
            response.rows = Bytes::new();
            response.next_start_primary_key = Some(stuck.clone());
        }
        Ok(response)
    });
    let (rows, error) = read(whole_range().rows(&table));
    assert_eq!(rows.len(), 3);
    assert_eq!(error.unwrap().kind(), ErrorKind::NotAdvancing);
    assert_eq!(table.requests().len(), 101);
}

#[test]
fn a_cut_row_that_is_not_named_ends_the_stream() {
    let table = table(9).answer(|number, mut response| {
        if number == 1 {
            response.next_token = Some(Bytes::from_static(b"column 900"));
        }
        Ok(response)
    });
    let (rows, error) = read(whole_range().rows(&table));
    assert_eq!(rows.len(), 3);
    assert_eq!(error.unwrap().kind(), ErrorKind::WideRow);
}

#[test]
fn damage_in_any_part_of_a_wide_row_is_found() {
    for damaged in 0..4 {
        let wide = (0..8).fold(Row::new(key("a", 0)), |row, n| row.cell(format!("c{n}"), n));
        let table = FakeTable::new([wide, Row::new(key("a", 1)).cell("a", 1)])
            .cell_caps([2])
            .answer(move |number, mut response| {
                if number == damaged {
                    let mut bytes = response.rows.to_vec();
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                    response.rows = bytes.into();
                }
                Ok(response)
            });
        let (rows, error) = read(whole_range().rows(&table));
        assert!(rows.len() <= 1, "part {damaged}");
        assert_eq!(error.unwrap().kind(), ErrorKind::Rows, "part {damaged}");
    }
}

#[test]
fn a_range_that_begins_inside_a_wide_row_is_refused_and_not_asked_for() {
    let table = table(9);
    let inside = whole_range().token(Bytes::from_static(b"column 900"));
    let (rows, error) = read(inside.rows(&table));
    assert!(rows.is_empty() && table.requests().is_empty());
    assert_eq!(error.unwrap().kind(), ErrorKind::WideRow);
}

#[test]
fn an_empty_token_is_no_token() {
    let table = table(9).answer(|_, mut response| {
        response.next_token = Some(Bytes::new());
        Ok(response)
    });
    assert_eq!(read(whole_range().rows(&table)).0.len(), 9);
}

#[test]
fn a_service_that_sends_more_than_asked_is_cut() {
    // All nine rows in one page, whatever the limit was.
    let table = table(9);
    let all = FakeTable::new((0..9).map(|id| Row::new(key("a", id)).cell("a", id)));
    let everything = block_on(whole_range().pages(&all).next()).unwrap().unwrap();
    let buffer = everything.buffer().clone();
    let table = table.answer(move |_, mut response| {
        response.rows = buffer.clone();
        response.next_start_primary_key = None;
        Ok(response)
    });
    let mut pages = whole_range().pages(&table).take_rows(4);
    let page = block_on(pages.next()).unwrap().unwrap();
    assert_eq!(page.rows().unwrap().len(), 4);
    assert_eq!(page.next().key(), Some(&key("a", 4)));
    assert!(block_on(pages.next()).is_none());
}

#[test]
fn the_buffer_of_a_page_is_that_of_the_response() {
    let pointer = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let seen = std::sync::Arc::clone(&pointer);
    let table = table(3).answer(move |_, response| {
        seen.store(
            response.rows.as_ptr().addr(),
            std::sync::atomic::Ordering::SeqCst,
        );
        Ok(response)
    });
    let page = block_on(whole_range().pages(&table).next())
        .unwrap()
        .unwrap();
    assert_eq!(
        page.buffer().as_ptr().addr(),
        pointer.load(std::sync::atomic::Ordering::SeqCst)
    );
}

#[test]
fn streams_are_send_and_owned_calls_make_them_static() {
    fn send_and_static<T: Send + Unpin + 'static>(stream: T) -> T {
        stream
    }
    let table = std::sync::Arc::new(table(9));
    let rows = send_and_static(whole_range().rows(std::sync::Arc::clone(&table)));
    assert_eq!(block_on_stream(rows).count(), 9);
    let pages = send_and_static(whole_range().pages(table));
    assert_eq!(block_on_stream(pages).count(), 3);
}

#[test]
fn the_streams_work_with_combinators() {
    let table = table(9);
    let ids = whole_range()
        .rows(&table)
        .map(|row| row.unwrap().primary_key);
    let ids: Vec<PrimaryKey> = block_on(ids.collect());
    assert_eq!(ids.len(), 9);
}

/// Flips a bit in the row checksum that ends the last row of a page.
fn damage(rows: &Bytes) -> Bytes {
    let mut damaged = rows.to_vec();
    if let Some(last) = damaged.last_mut() {
        *last ^= 1;
    }
    damaged.into()
}

proptest! {
    #[test]
    fn a_damaged_row_in_page_k_comes_after_all_rows_before_it(
        case in case(), k in 0_usize..8, take in prop::option::of(40_u64..50),
    ) {
        let table = case.table().answer(move |number, mut response| {
            if number == k {
                response.rows = damage(&response.rows);
            }
            Ok(response)
        });
        let expected = case.expected();
        let rows = case.request().rows(&table);
        let (delivered, error) = read(match take {
            Some(take) => rows.take_rows(take),
            None => rows,
        });
        prop_assert_eq!(&delivered[..], &expected[..delivered.len()]);
        match error {
            // There was no page k, or no row in it.
            None => prop_assert_eq!(delivered.len(), expected.len()),
            Some(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Rows);
                prop_assert_eq!(error.table(), Some("orders"));
                prop_assert_eq!(error.page(), Some(k as u64 + 1));
                prop_assert_eq!(error.rows(), Some(delivered.len() as u64));
                let row_of_page = error.as_plain_buffer().unwrap().row().unwrap();
                prop_assert!(row_of_page <= delivered.len());
                prop_assert_eq!(table.requests().len(), k + 1);
            }
        }
    }

    #[test]
    fn a_call_that_fails_at_page_k_comes_after_all_rows_before_it(case in case(), k in 0_usize..8) {
        let table = case.table().answer(move |number, response| {
            if number == k { Err(busy()) } else { Ok(response) }
        });
        let expected = case.expected();
        let mut rows = case.request().rows(&table);
        let mut delivered = Vec::new();
        let error = loop {
            match block_on(rows.next()) {
                Some(Ok(row)) => delivered.push(row),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        prop_assert_eq!(&delivered[..], &expected[..delivered.len()]);
        if error.is_some() {
            let point = rows.resume_point().unwrap();
            let again = Case { caps: Vec::new(), ..case.clone() }.table();
            let rest = case.request().resume(&point).unwrap().rows(&again);
            delivered.extend(block_on_stream(rest).map(Result::unwrap));
        }
        prop_assert_eq!(delivered, expected);
    }
}
