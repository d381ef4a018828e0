//! The keys of one session in memory, to be looked up.

use super::log::{Log, PLACES};
use super::{KeyHash, hash};

/// A log of keys, and where to find each.
#[derive(Debug)]
pub(crate) struct Sorted {
    log: Log,
    /// For each key a part of its hash, above its place in the log: sorted.
    ///
    /// A key is found by the part of its hash and then compared byte by byte, so that the hash makes
    /// it quick and never wrong. Eight bytes a key, where a hash map would take twice that.
    places: Vec<u64>,
}

impl Sorted {
    pub(super) fn new(log: Log) -> Self {
        // As many as there are: a list that grows would hold more than was counted.
        let mut places = Vec::with_capacity(log.rows());
        let marked = log
            .keys()
            .map(|(place, key)| mark(hash(key)) | place & PLACE);
        places.extend(marked.take(log.rows()));
        places.sort_unstable();
        Self { log, places }
    }

    pub(super) fn contains(&self, hash: KeyHash, key: &[u8]) -> bool {
        let mark = mark(hash);
        let first = self.places.partition_point(|place| *place < mark);
        let same = self.places.get(first..).unwrap_or_default();
        same.iter()
            .take_while(|place| **place & !PLACE == mark)
            .any(|place| self.log.key(place & PLACE) == Some(key))
    }

    pub(super) const fn memory_bytes(&self) -> usize {
        self.log.held_bytes() + self.places.len() * size_of::<u64>()
    }
}

/// The part of a key's hash that stands above its place.
const fn mark(hash: KeyHash) -> u64 {
    hash & !PLACE
}

const PLACE: u64 = PLACES - 1;
