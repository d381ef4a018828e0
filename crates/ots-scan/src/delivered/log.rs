//! Keys in the order in which they were given, in chunks that never move: so that what is held is what
//! is counted. A list that grows by doubling holds up to twice that, and three times while it moves.

use super::keys::{Entries, PageKeys};

/// A log of keys. It grows by a chunk at a time.
#[derive(Debug)]
pub(super) struct Log {
    /// How much is taken at once, for pages with less.
    chunk_bytes: usize,
    chunks: Vec<Vec<u8>>,
    room: Room,
    rows: usize,
}

/// What is held, and how much of that is still free in the last chunk.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    held_bytes: usize,
    free_bytes: usize,
}

/// The next keys that go into one chunk.
struct Piece {
    /// Into a new one of this size.
    chunk_bytes: Option<usize>,
    length: usize,
}

impl Log {
    /// Of what may be held a chunk is a small part.
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self {
            chunk_bytes: (limit_bytes / 64).min(CHUNK_BYTES),
            chunks: Vec::new(),
            room: Room::default(),
            rows: 0,
        }
    }

    /// Appends the keys of a page.
    pub(super) fn push(&mut self, mut keys: &[u8]) {
        self.rows += Entries(keys).count();
        while !keys.is_empty() {
            let piece = self.room.take(keys, self.chunk_bytes);
            if let Some(bytes) = piece.chunk_bytes {
                self.chunks.push(Vec::with_capacity(bytes));
            }
            let (these, rest) = keys.split_at_checked(piece.length).unwrap_or((keys, &[]));
            if let Some(chunk) = self.chunks.last_mut() {
                chunk.extend_from_slice(these);
            }
            keys = rest;
        }
    }

    /// What is held in memory, with what is free in it.
    pub(super) const fn held_bytes(&self) -> usize {
        self.room.held_bytes
    }

    /// The same, and this much more for each key when they are sorted.
    pub(super) const fn bytes(&self, a_key: usize) -> usize {
        self.room.held_bytes + self.rows * a_key
    }

    /// The same, with the keys of a page.
    pub(super) fn bytes_with(&self, page: &PageKeys, a_key: usize) -> usize {
        let mut room = self.room;
        let mut keys = page.log.as_slice();
        while !keys.is_empty() {
            let piece = room.take(keys, self.chunk_bytes);
            keys = keys.get(piece.length..).unwrap_or_default();
        }
        room.held_bytes + (self.rows + page.rows()) * a_key
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Every key, and where it stands: a number below [`PLACES`].
    pub(super) fn keys(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.chunks.iter().zip(0_u64..).flat_map(|(chunk, number)| {
            let mut entries = Entries(chunk);
            std::iter::from_fn(move || {
                let start = chunk.len() - entries.0.len();
                let place = number << START_BITS | u64::try_from(start).ok()?;
                Some((place, entries.next()?))
            })
        })
    }

    /// The key that stands there.
    pub(super) fn key(&self, place: u64) -> Option<&[u8]> {
        let number = usize::try_from(place >> START_BITS).ok()?;
        let start = usize::try_from(place & START).ok()?;
        Entries(self.chunks.get(number)?.get(start..)?).next()
    }
}

impl Room {
    /// Makes room for the next of these keys, and says for how many.
    fn take(&mut self, keys: &[u8], chunk_bytes: usize) -> Piece {
        let mut piece = Piece {
            chunk_bytes: None,
            length: whole(keys, self.free_bytes),
        };
        if piece.length == 0 {
            // As large as the rest of the page; a key that is larger than a chunk has its own.
            let bytes = keys.len().clamp(chunk_bytes, CHUNK_BYTES).max(first(keys));
            self.held_bytes += bytes + LISTED_BYTES;
            self.free_bytes = bytes;
            piece.chunk_bytes = Some(bytes);
            piece.length = whole(keys, bytes);
        }
        self.free_bytes -= piece.length;
        piece
    }
}

/// The bytes of as many of the keys as fit, each whole.
fn whole(keys: &[u8], free_bytes: usize) -> usize {
    if keys.len() <= free_bytes {
        return keys.len();
    }
    let mut entries = Entries(keys);
    let ends = std::iter::from_fn(|| entries.next().map(|_| keys.len() - entries.0.len()));
    ends.take_while(|end| *end <= free_bytes)
        .last()
        .unwrap_or(0)
}

/// The bytes of the first key.
fn first(keys: &[u8]) -> usize {
    let mut entries = Entries(keys);
    entries
        .next()
        .map_or(keys.len(), |_| keys.len() - entries.0.len())
}

/// What a chunk takes in the list of them, at most: the list grows by doubling, and is copied then.
pub(super) const LISTED_BYTES: usize = 4 * size_of::<Vec<u8>>();

/// Where a key starts in its chunk has this many bits; above them stands the number of the chunk.
const START_BITS: u32 = 16;
const START: u64 = (1 << START_BITS) - 1;
const CHUNK_BYTES: usize = 1 << START_BITS;

/// Chunks of a terabyte, far above any limit in memory.
pub(super) const PLACES: u64 = 1 << 40;
