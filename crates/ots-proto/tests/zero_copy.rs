//! A response is decoded where it lies: `Bytes` in, slices of the same buffer out.
//!
//! Copying isn't an error that any other test would notice, so pointers are compared.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::ops::Range;

use bytes::Bytes;
use ots_proto::messages::{GetRangeResponse, ParallelScanResponse};
use ots_proto::plainbuffer::{Accept, Reader, Writer, write_row};
use ots_proto::{ColumnValueRef, PrimaryKey, PrimaryKeyValueRef, Row};
use prost::Message as _;

fn rows() -> Vec<Row> {
    (0..3)
        .map(|id| {
            let key = PrimaryKey::new()
                .column("city", format!("city {id}"))
                .column("id", id);
            Row::new(key)
                .cell("name", format!("name {id}"))
                .cell("photo", vec![7_u8; 100])
        })
        .collect()
}

/// A message as it arrives: one buffer that nobody else holds.
fn arrived(message: &impl prost::Message) -> Bytes {
    Bytes::from(message.encode_to_vec())
}

fn lies_in(part: &[u8], whole: &Range<*const u8>) -> bool {
    let part = part.as_ptr_range();
    whole.start <= part.start && part.end <= whole.end
}

/// Every name and value of every row lies in `whole`; says how many rows there were.
fn names_and_values_lie_in(page: &[u8], whole: &Range<*const u8>) -> usize {
    let mut reader = Reader::new(page, Accept::Rows).unwrap();
    while let Some(row) = reader.next_row().unwrap() {
        for column in row.primary_key() {
            assert!(lies_in(column.name.as_bytes(), whole));
            match column.value {
                PrimaryKeyValueRef::String(text) => assert!(lies_in(text.as_bytes(), whole)),
                PrimaryKeyValueRef::Integer(_) => {}
                other => panic!("not in this test: {other:?}"),
            }
        }
        assert_eq!(row.cells().len(), 2);
        for cell in row.cells() {
            assert!(lies_in(cell.name.as_bytes(), whole));
            match cell.value.unwrap() {
                ColumnValueRef::String(text) => assert!(lies_in(text.as_bytes(), whole)),
                ColumnValueRef::Binary(bytes) => assert!(lies_in(bytes, whole)),
                other => panic!("not in this test: {other:?}"),
            }
        }
    }
    reader.rows_read()
}

#[test]
fn a_range_page_is_a_slice_of_the_response() {
    let mut writer = Writer::new();
    for row in rows() {
        writer.row(&row);
    }
    let body = arrived(&GetRangeResponse {
        rows: writer.finish(),
        next_start_primary_key: Some(Bytes::from_static(b"a key")),
        ..GetRangeResponse::default()
    });
    let whole = body.as_ptr_range();

    let response = GetRangeResponse::decode(body).unwrap();
    assert!(lies_in(&response.rows, &whole));
    assert!(lies_in(&response.next_start_primary_key.unwrap(), &whole));
    assert_eq!(names_and_values_lie_in(&response.rows, &whole), 3);
}

#[test]
fn each_row_of_a_parallel_scan_is_a_slice_of_the_response() {
    let body = arrived(&ParallelScanResponse {
        rows: rows().iter().map(write_row).collect(),
        next_token: Some(Bytes::from_static(b"a token")),
    });
    let whole = body.as_ptr_range();

    let response = ParallelScanResponse::decode(body).unwrap();
    assert_eq!(response.rows.len(), 3);
    assert!(lies_in(&response.next_token.unwrap(), &whole));
    for row in &response.rows {
        assert!(lies_in(row, &whole));
        assert_eq!(names_and_values_lie_in(row, &whole), 1);
    }
}

#[test]
fn decoding_from_a_byte_slice_would_copy() {
    // The contrast that makes the two tests above mean something.
    let body = arrived(&ParallelScanResponse {
        rows: rows().iter().map(write_row).collect(),
        next_token: None,
    });
    let response = ParallelScanResponse::decode(&body[..]).unwrap();
    assert!(!lies_in(&response.rows[0], &body.as_ptr_range()));
}

#[test]
fn an_owned_row_does_not_keep_the_page_alive() {
    let page = write_row(&rows()[0]);
    let whole = page.as_ptr_range();
    let row = ots_proto::plainbuffer::read_row(&page, Accept::Rows).unwrap();
    let photo = row.get("photo").unwrap().as_bytes().unwrap();
    assert!(!lies_in(photo, &whole));
}
