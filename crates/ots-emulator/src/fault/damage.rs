//! What a fault does to an answer that is otherwise right.

use bytes::Bytes;
use ots_proto::operation::{self, Operation};
use prost::Message;

/// A successful answer with a wrong checksum in its last row; unchanged if it has no rows.
///
/// The checksum is the last byte of a row, and of a matrix, so the envelope stays what it was.
pub(crate) fn corrupt_rows(name: &str, body: Bytes) -> Bytes {
    let corrupted = match name {
        operation::GetRow::NAME => edit::<operation::GetRow>(&body, |response| {
            flip_last(&mut response.row);
        }),
        operation::GetRange::NAME => edit::<operation::GetRange>(&body, |response| {
            flip_last(&mut response.rows);
        }),
        operation::BulkExport::NAME => edit::<operation::BulkExport>(&body, |response| {
            flip_last(&mut response.rows);
        }),
        operation::BatchGetRow::NAME => edit::<operation::BatchGetRow>(&body, |response| {
            let rows = response.tables.iter_mut().flat_map(|table| &mut table.rows);
            let row = rows.rev().find_map(|row| row.row.as_mut());
            row.into_iter().for_each(flip_last);
        }),
        operation::Search::NAME => edit::<operation::Search>(&body, |response| {
            response.rows.last_mut().into_iter().for_each(flip_last);
        }),
        operation::ParallelScan::NAME => edit::<operation::ParallelScan>(&body, |response| {
            response.rows.last_mut().into_iter().for_each(flip_last);
        }),
        _ => None,
    };
    corrupted.unwrap_or(body)
}

/// The first bytes of a body.
pub(crate) fn cut(body: &Bytes, bytes: usize) -> Bytes {
    body.slice(..bytes.min(body.len()))
}

fn edit<O: Operation>(body: &Bytes, change: impl FnOnce(&mut O::Response)) -> Option<Bytes> {
    let mut response = O::Response::decode(body.clone()).ok()?;
    change(&mut response);
    Some(response.encode_to_vec().into())
}

fn flip_last(buffer: &mut Bytes) {
    let mut bytes = buffer.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 0xff;
    }
    *buffer = bytes.into();
}
