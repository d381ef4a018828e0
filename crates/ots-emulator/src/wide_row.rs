//! Rows that don't fit in one response: cut between two cells, and gone on with by a token.
//!
//! The token says which cell comes next, not how many have come: writers in between neither shift nor
//! repeat what is read.

use bytes::Bytes;
use md5::{Digest, Md5};
use ots_proto::KeyCellRef;
use ots_proto::plainbuffer::Writer;

use crate::error::ServiceError;
use crate::stored::Version;

/// A cell, as the place in its row at which to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellPlace {
    column: String,
    timestamp_ms: i64,
}

impl CellPlace {
    pub(crate) fn new(column: &str, version: &Version) -> Self {
        Self {
            column: column.to_owned(),
            timestamp_ms: version.timestamp_ms,
        }
    }

    /// Whether a cell is this one or comes after it: columns by name, the newest version first.
    pub(crate) fn is_reached_by(&self, column: &str, version: &Version) -> bool {
        match column.cmp(self.column.as_str()) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => version.timestamp_ms <= self.timestamp_ms,
            std::cmp::Ordering::Greater => true,
        }
    }

    /// The token that leads to it, in the row with this key of this table.
    pub(crate) fn to_token(&self, table: &str, key_buffer: &[u8]) -> Bytes {
        let place = [&self.timestamp_ms.to_be_bytes(), self.column.as_bytes()].concat();
        let seal = seal(table, key_buffer, &place);
        [&seal[..], &place].concat().into()
    }

    /// The place a token leads to; none if there is no token, or an empty one.
    pub(crate) fn parse(
        token: Option<&[u8]>,
        table: &str,
        key: &[KeyCellRef<'_>],
    ) -> Result<Option<Self>, ServiceError> {
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        let parse = || {
            let (token_seal, place) = token.split_first_chunk::<SEAL_BYTES>()?;
            let (timestamp_ms, column) = place.split_first_chunk()?;
            let expected = seal(table, &key_buffer(key), place);
            (*token_seal == expected).then_some(Self {
                column: String::from_utf8(column.to_vec()).ok()?,
                timestamp_ms: i64::from_be_bytes(*timestamp_ms),
            })
        };
        parse().map(Some).ok_or_else(|| {
            ServiceError::parameter("The token is not one that was given for this row.")
        })
    }
}

/// Binds a token to its row.
fn seal(table: &str, key_buffer: &[u8], place: &[u8]) -> [u8; SEAL_BYTES] {
    let digest = Md5::new()
        .chain_update(table)
        .chain_update([0])
        .chain_update(key_buffer)
        .chain_update(place);
    let digest: [u8; 16] = digest.finalize().into();
    let [seal @ .., _, _, _, _, _, _, _, _] = digest;
    seal
}

fn key_buffer(key: &[KeyCellRef<'_>]) -> Bytes {
    let mut writer = Writer::new();
    let mut row = writer.begin_row();
    for cell in key {
        row.key(cell.name, cell.value);
    }
    row.end();
    writer.finish()
}

const SEAL_BYTES: usize = 8;
