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
        }
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
            SearchPlace::Token(token) => {
                bytes.push(1);
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
        let place = match content {
            [0] => SearchPlace::Offset,
            [1, token @ ..] => SearchPlace::Token(Bytes::copy_from_slice(token)),
            [2] => SearchPlace::Done,
            _ => return Err(damaged()),
        };
        Ok(Self {
            fingerprint: u64::from_le_bytes(*fingerprint),
            row: u64::from_le_bytes(*row),
            place,
        })
    }
}

const VERSION: u8 = 1;
