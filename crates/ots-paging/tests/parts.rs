//! Rows in the parts they come in.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use bytes::Bytes;
use futures::executor::{block_on, block_on_stream};
use futures::stream::FusedStream as _;
use ots_core::request::GetRange;
use ots_paging::testing::FakeTable;
use ots_paging::{ErrorKind, RangeExt as _};
use ots_proto::Row;
use proptest::prelude::*;

use support::{case, key, whole_range};

proptest! {
    #[test]
    fn parts_put_together_are_the_rows(case in case()) {
        let table = case.table();
        let most = case.cells.iter().copied().max().unwrap_or(usize::MAX);
        let mut rows: Vec<Row> = Vec::new();
        let mut parts = case.request().row_parts(&table);
        while let Some(part) = block_on(parts.next()) {
            let part = part.unwrap();
            prop_assert!(part.row.cells.len() <= most);
            if part.continues {
                let row = rows.last_mut().unwrap();
                prop_assert_eq!(&row.primary_key, &part.row.primary_key);
                row.cells.extend(part.row.cells);
            } else {
                rows.push(part.row);
            }
        }
        prop_assert_eq!(rows, case.expected());
        prop_assert!(parts.is_terminated());
        prop_assert_eq!(parts.consumed().read, table.requests().len() as u64);
    }

    #[test]
    fn a_place_to_resume_from_is_before_a_row(case in case(), taken in 0_usize..20) {
        let table = case.table();
        let mut parts = case.request().row_parts(&table);
        for _ in 0..taken {
            let _ = block_on(parts.next());
        }
        let point = parts.resume_point().unwrap();
        let rest = case.request().resume(&point).unwrap().rows(&table);
        let rest: Vec<Row> = block_on_stream(rest).map(Result::unwrap).collect();
        let expected = case.expected();
        prop_assert_eq!(&rest[..], &expected[expected.len() - rest.len()..]);
    }
}

fn wide() -> Row {
    (0..8).fold(Row::new(key("a", 0)), |row, n| row.cell(format!("c{n}"), n))
}

#[test]
fn a_row_of_any_size_passes() {
    let table = FakeTable::new([wide(), Row::new(key("a", 1)).cell("a", 1)]).cell_caps([2]);
    let cursor = whole_range().cursor().unwrap().row_bytes(10);
    let parts: Vec<_> = block_on_stream(cursor.clone().row_parts(&table))
        .map(|part| part.unwrap())
        .map(|part| (part.row.cells.len(), part.continues))
        .collect();
    assert_eq!(
        parts,
        [(2, false), (2, true), (2, true), (2, true), (1, false)]
    );
    let error = block_on(cursor.rows(&table).next()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RowTooLarge);
}

#[test]
fn a_part_that_comes_again_or_never_ends_is_refused() {
    // The first part, again and again: as if the token were left aside.
    let first = FakeTable::new([wide()]).cell_caps([2]);
    let page = block_on(whole_range().row_parts(&first).next());
    assert_eq!(page.unwrap().unwrap().row.cells.len(), 2);
    let again =
        ots_proto::plainbuffer::write_row(&Row::new(key("a", 0)).cell("c0", 0).cell("c1", 1));
    for (rows, requests) in [(again, 2), (Bytes::new(), 101)] {
        let table = FakeTable::new([wide()])
            .cell_caps([2])
            .answer(move |number, mut response| {
                if number >= 1 {
                    response.rows = rows.clone();
                    response.next_start_primary_key =
                        Some(ots_proto::plainbuffer::write_primary_key(&key("a", 0)));
                    response.next_token = Some(Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0, 2]));
                }
                Ok(response)
            });
        let mut parts = whole_range().row_parts(&table);
        assert!(block_on(parts.next()).unwrap().is_ok());
        let error = block_on(parts.next()).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAdvancing);
        assert!(block_on(parts.next()).is_none());
        assert_eq!(table.requests().len(), requests);
    }
}

#[test]
fn a_wrong_request_is_told_by_the_first_part() {
    let table = FakeTable::new([]);
    let wrong = GetRange::new("orders", key("b", 0), key("a", 0));
    let error = block_on(wrong.row_parts(&table).next())
        .unwrap()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Call);
}
