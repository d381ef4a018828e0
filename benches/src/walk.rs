//! The walk that every client of a page makes: each row lent, its checksums verified, none kept.

use std::hint::black_box;

use bytes::Bytes;
use ots_proto::plainbuffer::{Accept, Error, Reader, SeparateRows};

/// How many rows a page of an index has.
///
/// # Errors
/// When a row is damaged.
pub fn walk_rows(rows: &[Bytes]) -> Result<usize, Error> {
    let mut reader = SeparateRows::new(rows);
    let mut count = 0;
    while let Some(row) = reader.next_row()? {
        black_box(row.cells());
        count += 1;
    }
    Ok(count)
}

/// How many rows a page of a table has.
///
/// # Errors
/// When a row is damaged.
pub fn walk_range(rows: &[u8]) -> Result<usize, Error> {
    let mut reader = Reader::new(rows, Accept::Rows)?;
    let mut count = 0;
    while let Some(row) = reader.next_row()? {
        black_box(row.cells());
        count += 1;
    }
    Ok(count)
}
