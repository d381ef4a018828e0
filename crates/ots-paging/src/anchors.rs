//! Row numbers of a range with their keys: a few of them, to jump from.

use std::num::{NonZeroU32, NonZeroU64};

use ots_proto::PrimaryKey;
use ots_proto::plainbuffer::{read_primary_key, write_primary_key};

use crate::error::{Error, ErrorKind};
use crate::offset::width::Widths;
use crate::resume::Fnv;

/// The keys of every m-th row of a range, as far as it was read: where an offset can be reached from
/// without counting all rows before it.
///
/// They are bounded: when there are too many, every other one goes and m doubles. They belong to their
/// range, its start included, and can be kept as bytes between programs. Rows that are written or
/// deleted later shift the numbers: an offset then counts as it did when the anchors were taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Anchors {
    fingerprint: u64,
    every_rows: NonZeroU64,
    most: NonZeroU32,
    /// How wide rows are, which decides how an offset is best reached.
    pub(crate) widths: Widths,
    /// The n-th is the key of row `(n + 1) * every_rows`, counted from zero.
    keys: Vec<PrimaryKey>,
}

impl Anchors {
    pub(crate) fn new(fingerprint: u64, every_rows: NonZeroU64, most: NonZeroU32) -> Self {
        Self {
            fingerprint,
            every_rows,
            most,
            widths: Widths::default(),
            keys: Vec::new(),
        }
    }

    pub(crate) const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// How many rows lie between two anchors.
    #[must_use]
    pub const fn every_rows(&self) -> u64 {
        self.every_rows.get()
    }

    /// How many anchors there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether the row of this number is the next one to be remembered.
    pub(crate) fn wants(&self, row: u64) -> bool {
        row == (self.keys.len() as u64 + 1).saturating_mul(self.every_rows())
    }

    pub(crate) fn add(&mut self, key: PrimaryKey) {
        if self.keys.len() >= self.most.get() as usize {
            let mut number = 0;
            self.keys.retain(|_| {
                number += 1;
                number % 2 == 0
            });
            let doubled = self
                .every_rows
                .saturating_mul(NonZeroU64::MIN.saturating_add(1));
            let next = (self.keys.len() as u64 + 1).saturating_mul(doubled.get());
            let was_next = (u64::from(self.most.get()) + 1).saturating_mul(self.every_rows());
            self.every_rows = doubled;
            if next != was_next {
                return;
            }
        }
        self.keys.push(key);
    }

    /// The last anchor at or before a row: its number and key.
    pub(crate) fn before(&self, row: u64) -> Option<(u64, &PrimaryKey)> {
        let number = (row / self.every_rows()).min(self.keys.len() as u64);
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        Some((number * self.every_rows(), self.keys.get(index)?))
    }

    /// The anchors as bytes: a version, the hash of the range, the width of rows, the keys, a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.fingerprint.to_le_bytes());
        bytes.extend(self.every_rows.get().to_le_bytes());
        bytes.extend(self.most.get().to_le_bytes());
        bytes.extend(self.widths.rows.to_le_bytes());
        bytes.extend(self.widths.bytes.to_le_bytes());
        for key in &self.keys {
            let key = write_primary_key(key);
            // A key has at most four columns of a kilobyte.
            bytes.extend((key.len() as u64).to_le_bytes());
            bytes.extend(key);
        }
        bytes.extend(Fnv::of(&bytes).to_le_bytes());
        bytes
    }

    /// Anchors that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`ErrorKind::AnchorsDamaged`] when the bytes aren't what was written, or of a version that this
    /// one doesn't know. They are only a shortcut: without them everything is found as well.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse(bytes).ok_or_else(|| Error::new(ErrorKind::AnchorsDamaged))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (content, checksum) = bytes.split_last_chunk()?;
        if Fnv::of(content) != u64::from_le_bytes(*checksum) {
            return None;
        }
        let (version, content) = content.split_first()?;
        let (fingerprint, content) = content.split_first_chunk()?;
        let (every_rows, content) = content.split_first_chunk()?;
        let (most, content) = content.split_first_chunk()?;
        let (rows, content) = content.split_first_chunk()?;
        let (width_bytes, mut content) = content.split_first_chunk()?;
        let mut anchors = Self::new(
            u64::from_le_bytes(*fingerprint),
            NonZeroU64::new(u64::from_le_bytes(*every_rows))?,
            NonZeroU32::new(u32::from_le_bytes(*most))?,
        );
        anchors.widths = Widths {
            rows: u64::from_le_bytes(*rows),
            bytes: u64::from_le_bytes(*width_bytes),
        };
        while !content.is_empty() {
            let (length, rest) = content.split_first_chunk()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (key, rest) = rest.split_at_checked(length)?;
            anchors.keys.push(read_primary_key(key).ok()?);
            content = rest;
        }
        let fits = anchors.keys.len() <= anchors.most.get() as usize;
        (*version == VERSION && fits).then_some(anchors)
    }
}

const VERSION: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(row: u64) -> PrimaryKey {
        PrimaryKey::new().column("id", i64::try_from(row).unwrap())
    }

    fn anchors(every: u64, most: u32, rows: u64) -> Anchors {
        let (every, most) = (every.try_into().unwrap(), most.try_into().unwrap());
        let mut anchors = Anchors::new(42, every, most);
        for row in 0..rows {
            if anchors.wants(row) {
                anchors.add(key(row));
            }
        }
        anchors
    }

    #[test]
    fn an_anchor_is_the_key_of_its_row_however_many_went() {
        for most in [1, 2, 3, 5, 8] {
            for rows in [0, 1, 7, 100, 1_000] {
                let anchors = anchors(3, most, rows);
                assert!(anchors.len() <= most as usize);
                for row in 0..rows {
                    if let Some((number, anchor)) = anchors.before(row) {
                        assert!(number <= row);
                        assert_eq!(*anchor, key(number), "{most} of {rows}");
                    }
                }
                if rows == 1_000 {
                    let (last, _) = anchors.before(u64::MAX).unwrap();
                    assert!(last * 2 >= 300, "{most}: {last}");
                }
            }
        }
    }

    #[test]
    fn bytes_and_back_and_no_damage_passes() {
        let mut anchors = anchors(3, 5, 40);
        anchors.widths = Widths {
            rows: 40,
            bytes: 80_000,
        };
        let bytes = anchors.to_bytes();
        assert_eq!(Anchors::from_bytes(&bytes).unwrap(), anchors);
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 4;
            for damaged in [&damaged[..], &bytes[..index]] {
                let error = Anchors::from_bytes(damaged).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AnchorsDamaged);
            }
        }
    }
}
