//! The place of a search as bytes, for a program to go on later.

use bytes::Bytes;

use crate::error::{Error, ErrorKind};
use crate::resume::Fnv;

/// A place between two rows of a search, to go on from later, in another process too.
///
/// It is bound to its table, index, query and sort by a hash. A token of the service is inside where it
/// gave one, and is good for as long as the service lets it be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct SearchPoint {
    fingerprint: u64,
    row: u64,
    place: SearchPlace,
    /// The row that a token leads to, from where rows are skipped: `row`, or one before it.
    reached_row: u64,
}

/// How the next row is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SearchPlace {
    /// By its number.
    Offset,
    /// By a token of the service.
    Token(Bytes),
    /// Not at all: there is none.
    Done,
}

impl SearchPoint {
    pub(crate) const fn new(fingerprint: u64, row: u64, place: SearchPlace) -> Self {
        Self {
            fingerprint,
            row,
            place,
            reached_row: row,
        }
    }

    /// So many rows further on, on the way to the same search's next token.
    pub(crate) fn skip(mut self, rows: u64) -> Self {
        self.row = self.row.saturating_add(rows);
        if !matches!(self.place, SearchPlace::Token(_)) {
            self.reached_row = self.row;
        }
        self
    }

    pub(crate) const fn reached_row(&self) -> u64 {
        self.reached_row
    }

    pub(crate) const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    pub(crate) const fn place(&self) -> &SearchPlace {
        &self.place
    }

    /// The number of the next row among all matches, counted from zero.
    #[must_use]
    pub const fn row(&self) -> u64 {
        self.row
    }

    /// The point as bytes: a version, the hash of the search, the row, the token, a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.fingerprint.to_le_bytes());
        bytes.extend(self.row.to_le_bytes());
        match &self.place {
            SearchPlace::Offset => bytes.push(0),
            SearchPlace::Token(token) if self.reached_row == self.row => {
                bytes.push(1);
                bytes.extend(token);
            }
            SearchPlace::Token(token) => {
                bytes.push(3);
                bytes.extend(self.reached_row.to_le_bytes());
                bytes.extend(token);
            }
            SearchPlace::Done => bytes.push(2),
        }
        bytes.extend(Fnv::of(&bytes).to_le_bytes());
        bytes
    }

    /// A point that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`ErrorKind::ResumePointVersion`] when a version wrote it that this one doesn't know;
    /// [`ErrorKind::ResumePointDamaged`] when it isn't what was written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::new(ErrorKind::ResumePointDamaged);
        let (content, checksum) = bytes.split_last_chunk().ok_or_else(damaged)?;
        if Fnv::of(content) != u64::from_le_bytes(*checksum) {
            return Err(damaged());
        }
        let (version, content) = content.split_first().ok_or_else(damaged)?;
        if *version != VERSION {
            return Err(Error::new(ErrorKind::ResumePointVersion));
        }
        let (fingerprint, content) = content.split_first_chunk().ok_or_else(damaged)?;
        let (row, content) = content.split_first_chunk().ok_or_else(damaged)?;
        let row = u64::from_le_bytes(*row);
        let token = |token: &[u8]| SearchPlace::Token(Bytes::copy_from_slice(token));
        let (reached_row, place) = match content {
            [0] => (row, SearchPlace::Offset),
            [1, rest @ ..] => (row, token(rest)),
            [2] => (row, SearchPlace::Done),
            [3, rest @ ..] => {
                let (reached_row, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
                let reached_row = u64::from_le_bytes(*reached_row);
                if reached_row >= row {
                    return Err(damaged());
                }
                (reached_row, token(rest))
            }
            _ => return Err(damaged()),
        };
        Ok(Self {
            fingerprint: u64::from_le_bytes(*fingerprint),
            row,
            place,
            reached_row,
        })
    }
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_back_and_no_damage_passes() {
        let token = SearchPlace::Token("token".into());
        for place in [SearchPlace::Offset, token, SearchPlace::Done] {
            for skipped in [0, 7] {
                let point = SearchPoint::new(42, 12_345, place.clone()).skip(skipped);
                assert_eq!(point.row(), 12_345 + skipped);
                let bytes = point.to_bytes();
                assert_eq!(SearchPoint::from_bytes(&bytes).unwrap(), point);
                for index in 0..bytes.len() {
                    let mut damaged = bytes.clone();
                    damaged[index] ^= 4;
                    for damaged in [&damaged[..], &bytes[..index]] {
                        let error = SearchPoint::from_bytes(damaged).unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::ResumePointDamaged);
                    }
                }
            }
        }
    }
}
