//! The checksum of a file: XXH64, as `xxhsum` prints it.

use std::fmt;
use std::hash::Hasher as _;

use twox_hash::xxhash64::Hasher;

/// XXH64 of some bytes: against accidents, not against people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Checksum(u64);

/// A checksum of bytes that are still coming.
#[derive(Clone, Debug)]
pub(super) struct Summing(Hasher);

impl Checksum {
    /// That of bytes which are all there.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Hasher::oneshot(0, bytes))
    }

    /// From its 16 digits.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let sum = Self(u64::from_str_radix(digits, 16).ok()?);
        // Written one way only.
        (sum.to_string() == digits).then_some(sum)
    }
}

impl Summing {
    pub(super) const fn new() -> Self {
        Self(Hasher::with_seed(0))
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    pub(super) fn sum(&self) -> Checksum {
        Checksum(self.0.finish())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_xxhsum_prints() {
        // `printf abc | xxhsum -H1`
        let sum = Checksum::of(b"abc");
        assert_eq!(sum.to_string(), "44bc2cf5ad770999");
        assert_eq!(Checksum::parse("44bc2cf5ad770999"), Some(sum));
        for digits in ["44BC2CF5AD770999", "+4bc2cf5ad770999", "4bc", ""] {
            assert_eq!(Checksum::parse(digits), None, "{digits}");
        }
    }

    #[test]
    fn bytes_sum_up_the_same_in_pieces() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for piece in [1, 7, 32, 999] {
            let mut summing = Summing::new();
            bytes.chunks(piece).for_each(|piece| summing.add(piece));
            assert_eq!(summing.sum(), Checksum::of(&bytes));
        }
    }
}
