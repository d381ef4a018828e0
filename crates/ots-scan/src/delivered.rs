//! The keys of the rows that the caller was given, exactly: for leaving them out in another session.
//!
//! In a session no row comes twice, so nothing is looked up before a session is lost. Until then keys
//! are only appended: a log of bytes. When the session is lost the log is sorted into a [`Segment`],
//! and the tasks of the next session look their pages up in it, side by side, without a lock.

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use bytes::Bytes;
use ots_proto::plainbuffer::{self, SeparateRows, Visitor};
use ots_proto::{CellRef, KeyCellRef, PrimaryKeyValueRef};

/// The keys of the rows of one page, in the form of the log.
#[derive(Debug, Default)]
pub(crate) struct PageKeys {
    /// The key's columns, by the first row of the page. None of a page without rows.
    names: Vec<String>,
    /// One entry a row: its length, and the key's bytes.
    log: Vec<u8>,
}

/// Why the keys of a page can't be taken.
#[derive(Debug)]
pub(crate) enum KeysError {
    /// A row breaks a rule of the format.
    Damage(plainbuffer::Error),
    /// Its rows don't have the same key columns.
    Mixed,
}

impl From<plainbuffer::Error> for KeysError {
    fn from(error: plainbuffer::Error) -> Self {
        Self::Damage(error)
    }
}

impl PageKeys {
    /// Walks a page, comparing its checksums, and takes the keys of its rows.
    pub(crate) fn read(rows: &[Bytes]) -> Result<Self, KeysError> {
        let mut collector = Collector::default();
        SeparateRows::new(rows).visit(&mut collector)?;
        Ok(collector.keys)
    }

    /// The rows that were not given, with the keys of those alone; and how many were.
    pub(crate) fn leave_out(self, given: &Given, rows: &mut Vec<Bytes>) -> (Self, u64) {
        let mut left = Self {
            names: self.names,
            log: Vec::with_capacity(self.log.len()),
        };
        let mut entries = Entries(&self.log);
        let before = rows.len();
        rows.retain(|_| {
            let Some(entry) = entries.next() else {
                // Never: there is an entry for each row.
                return true;
            };
            let is_new = !given.contains(entry);
            if is_new {
                left.push(entry);
            }
            is_new
        });
        let suppressed = u64::try_from(before - rows.len()).unwrap_or(u64::MAX);
        (left, suppressed)
    }

    fn push(&mut self, key: &[u8]) {
        push_varint(&mut self.log, key.len());
        self.log.extend_from_slice(key);
    }
}

/// Takes the key of each row of a page. All of a page have the same columns in the same order, so
/// that their numbers are 0, 1 and so on.
#[derive(Debug, Default)]
struct Collector {
    keys: PageKeys,
    /// The key of this row.
    key: Vec<u8>,
    columns: usize,
    rows: usize,
}

impl<'buf> Visitor<'buf> for Collector {
    type Error = KeysError;

    fn begin_row(&mut self) -> Result<(), KeysError> {
        self.key.clear();
        self.columns = 0;
        Ok(())
    }

    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), KeysError> {
        if column != self.columns {
            return Err(KeysError::Mixed);
        }
        self.columns += 1;
        if self.rows == 0 {
            self.keys.names.push(cell.name.to_owned());
        }
        push_value(&mut self.key, cell.value);
        Ok(())
    }

    fn cell(&mut self, _: usize, _: CellRef<'buf>) -> Result<(), KeysError> {
        Ok(())
    }

    fn end_row(&mut self, _: bool) -> Result<(), KeysError> {
        self.rows += 1;
        if self.columns != self.keys.names.len() {
            return Err(KeysError::Mixed);
        }
        self.keys.push(&self.key);
        Ok(())
    }
}

/// Says where it ends, so that no two keys have the same bytes.
fn push_value(key: &mut Vec<u8>, value: PrimaryKeyValueRef<'_>) {
    match value {
        PrimaryKeyValueRef::Integer(value) => {
            key.push(0);
            key.extend_from_slice(&value.to_le_bytes());
        }
        PrimaryKeyValueRef::String(text) => {
            key.push(1);
            push_varint(key, text.len());
            key.extend_from_slice(text.as_bytes());
        }
        PrimaryKeyValueRef::Binary(bytes) => {
            key.push(2);
            push_varint(key, bytes.len());
            key.extend_from_slice(bytes);
        }
        // No stored row has them.
        PrimaryKeyValueRef::InfMin => key.push(3),
        PrimaryKeyValueRef::InfMax => key.push(4),
        PrimaryKeyValueRef::AutoIncrement => key.push(5),
    }
}

fn push_varint(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// The keys of a log.
#[derive(Debug)]
struct Entries<'log>(&'log [u8]);

impl<'log> Iterator for Entries<'log> {
    type Item = &'log [u8];

    fn next(&mut self) -> Option<&'log [u8]> {
        let mut length = 0_usize;
        let mut shift = 0;
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (key, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(key)
    }
}

/// What the caller was given in this session, and in those before it.
#[derive(Debug)]
pub(crate) struct Delivered {
    limit_bytes: usize,
    names: Vec<String>,
    log: Vec<u8>,
    rows: usize,
    given: Given,
}

/// Why what was given can't be kept in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeliveredError {
    /// It takes more memory than allowed.
    Limit,
    /// The rows have other key columns than those before them.
    OtherKey,
}

impl Delivered {
    pub(crate) const fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            names: Vec::new(),
            log: Vec::new(),
            rows: 0,
            given: Given(Vec::new()),
        }
    }

    /// The rows of a page are the caller's from now on.
    pub(crate) fn record(&mut self, keys: PageKeys) -> Result<(), DeliveredError> {
        if !keys.names.is_empty() && keys.names != self.names {
            if !self.names.is_empty() {
                return Err(DeliveredError::OtherKey);
            }
            self.names = keys.names;
        }
        if keys.log.is_empty() {
            return Ok(());
        }
        let rows = Entries(&keys.log).count();
        let bytes = self.bytes() + keys.log.len() + rows * size_of::<u64>();
        if bytes > self.limit_bytes {
            return Err(DeliveredError::Limit);
        }
        self.rows += rows;
        self.log.extend_from_slice(&keys.log);
        Ok(())
    }

    /// What it takes, or will when it is sorted.
    fn bytes(&self) -> usize {
        let earlier: usize = self.given.0.iter().map(|segment| segment.bytes()).sum();
        earlier + self.log.len() + self.rows * size_of::<u64>()
    }

    /// The session is over: what was given in it, to be sorted and [added](Self::add).
    pub(crate) fn take_log(&mut self) -> Log {
        self.rows = 0;
        Log(std::mem::take(&mut self.log))
    }

    /// What is to be left out in the next session.
    pub(crate) fn add(&mut self, segment: Segment) -> Given {
        if !segment.log.is_empty() {
            self.given.0.push(Arc::new(segment));
        }
        self.given.clone()
    }
}

/// The keys of one session, in the order in which they were given.
#[derive(Debug)]
pub(crate) struct Log(Vec<u8>);

impl Log {
    /// Makes it fit to be looked up.
    ///
    /// Takes time: of a million keys, a tenth of a second.
    pub(crate) fn sort(self) -> Segment {
        Segment::new(self.0)
    }
}

/// What the caller was given in earlier sessions. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(Vec<Arc<Segment>>);

impl Given {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contains(&self, key: &[u8]) -> bool {
        let mark = mark(key);
        self.0.iter().any(|segment| segment.contains(mark, key))
    }
}

/// The keys of one session, to be looked up.
#[derive(Debug)]
pub(crate) struct Segment {
    log: Vec<u8>,
    /// For each key a part of its hash, above its place in the log: sorted.
    ///
    /// A key is found by the part of its hash and then compared byte by byte, so that the hash makes
    /// it quick and never wrong. Eight bytes a key, where a hash map would take twice that.
    places: Vec<u64>,
}

impl Segment {
    fn new(log: Vec<u8>) -> Self {
        let mut entries = Entries(&log);
        let mut places = Vec::new();
        loop {
            let place = log.len() - entries.0.len();
            let Some(key) = entries.next() else { break };
            places.push(mark(key) | as_u64(place) & PLACE);
        }
        places.shrink_to_fit();
        places.sort_unstable();
        Self { log, places }
    }

    fn contains(&self, mark: u64, key: &[u8]) -> bool {
        let first = self.places.partition_point(|place| *place < mark);
        let same = self.places.get(first..).unwrap_or_default();
        same.iter()
            .take_while(|place| **place & !PLACE == mark)
            .any(|place| {
                let place = usize::try_from(place & PLACE).unwrap_or(usize::MAX);
                let rest = self.log.get(place..).unwrap_or_default();
                Entries(rest).next() == Some(key)
            })
    }

    const fn bytes(&self) -> usize {
        self.log.len() + self.places.len() * size_of::<u64>()
    }
}

/// The part of a key's hash that stands above its place.
fn mark(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.finish() & !PLACE
}

fn as_u64(place: usize) -> u64 {
    u64::try_from(place).unwrap_or(u64::MAX)
}

/// A terabyte of keys, far above any limit in memory.
const PLACE: u64 = (1 << 40) - 1;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ots_proto::plainbuffer::write_row;
    use ots_proto::{PrimaryKey, PrimaryKeyValue, Row};
    use proptest::prelude::*;

    use super::*;

    fn page(keys: &[PrimaryKey]) -> Vec<Bytes> {
        let row = |key: &PrimaryKey| write_row(&Row::new(key.clone()).cell("city", "Hangzhou"));
        keys.iter().map(row).collect()
    }

    fn key(id: i64) -> PrimaryKey {
        PrimaryKey::new().column("id", id)
    }

    fn keys(page: &[Bytes]) -> PageKeys {
        PageKeys::read(page).unwrap()
    }

    fn freeze(delivered: &mut Delivered) -> Given {
        let log = delivered.take_log();
        delivered.add(log.sort())
    }

    #[test]
    fn what_was_given_is_left_out_and_nothing_else() {
        let mut delivered = Delivered::new(usize::MAX);
        delivered.record(keys(&page(&[key(1), key(2)]))).unwrap();
        delivered.record(keys(&[])).unwrap();
        let first = freeze(&mut delivered);
        let mut rows = page(&[key(2), key(3), key(1), key(4)]);
        let (left, suppressed) = keys(&rows).leave_out(&first, &mut rows);
        assert_eq!((suppressed, &rows), (2, &page(&[key(3), key(4)])));
        delivered.record(left).unwrap();
        let second = freeze(&mut delivered);
        let mut rows = page(&[key(1), key(3), key(5)]);
        let (_, suppressed) = keys(&rows).leave_out(&second, &mut rows);
        assert_eq!((suppressed, rows), (2, page(&[key(5)])));
        assert!(!second.is_empty() && freeze(&mut Delivered::new(0)).is_empty());
    }

    #[test]
    fn other_key_columns_are_refused() {
        let mut delivered = Delivered::new(usize::MAX);
        delivered.record(keys(&page(&[key(1)]))).unwrap();
        let other = PrimaryKey::new().column("other", 1);
        let refused = delivered.record(keys(&page(std::slice::from_ref(&other))));
        assert_eq!(refused, Err(DeliveredError::OtherKey));
        for second in [
            other,
            key(1).column("more", 2),
            PrimaryKey::new().column("more", 2),
        ] {
            let mixed = PageKeys::read(&page(&[key(1), second]));
            assert!(matches!(mixed, Err(KeysError::Mixed)), "{mixed:?}");
        }
        let fewer = PageKeys::read(&page(&[key(1).column("more", 2), key(1)]));
        assert!(matches!(fewer, Err(KeysError::Mixed)), "{fewer:?}");
    }

    #[test]
    fn a_damaged_row_has_no_key() {
        let mut rows = page(&[key(1), key(2)]);
        let mut damaged = rows[1].to_vec();
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        rows[1] = damaged.into();
        let Err(KeysError::Damage(error)) = PageKeys::read(&rows) else {
            panic!()
        };
        assert_eq!(error.row(), Some(1));
    }

    #[test]
    fn the_limit_is_on_what_the_keys_take() {
        // A length, a type, eight bytes, and eight for finding it.
        let mut delivered = Delivered::new(3 * 18);
        for rows in 1..=3 {
            delivered.record(keys(&page(&[key(0)]))).unwrap();
            assert_eq!(delivered.bytes(), 18 * rows);
        }
        let refused = delivered.record(keys(&page(&[key(3)])));
        assert_eq!(refused, Err(DeliveredError::Limit));
        let _ = freeze(&mut delivered);
        assert_eq!(delivered.bytes(), 3 * 18, "nor does sorting change it");
    }

    fn value() -> impl Strategy<Value = PrimaryKeyValue> {
        prop_oneof![
            (-3_i64..3).prop_map(PrimaryKeyValue::Integer),
            "[ab\u{1}]{0,3}".prop_map(PrimaryKeyValue::String),
            proptest::collection::vec(0_u8..3, 0..4)
                .prop_map(|bytes| PrimaryKeyValue::Binary(bytes.into())),
            "x{120,140}".prop_map(PrimaryKeyValue::String),
        ]
    }

    proptest! {
        /// Keys of two columns from so small a world that they repeat, and that their bytes would, were
        /// values not told apart.
        #[test]
        fn a_set_of_keys_is_a_set_of_keys(
            generations in proptest::collection::vec(
                proptest::collection::vec((value(), value()), 0..40), 1..4),
            asked in proptest::collection::vec((value(), value()), 1..60),
        ) {
            let key = |(a, b): &(PrimaryKeyValue, PrimaryKeyValue)| {
                PrimaryKey::new().column("a", a.clone()).column("b", b.clone())
            };
            let mut delivered = Delivered::new(usize::MAX);
            let mut model = HashSet::new();
            for generation in &generations {
                let generation: Vec<_> = generation.iter().map(key).collect();
                for some in generation.chunks(7) {
                    delivered.record(keys(&page(some))).unwrap();
                    model.extend(some.iter().map(|key| format!("{key:?}")));
                }
                let _ = freeze(&mut delivered);
            }
            let given = freeze(&mut delivered);
            let asked: Vec<_> = asked.iter().map(key).collect();
            let mut rows = page(&asked);
            let (_, suppressed) = keys(&rows).leave_out(&given, &mut rows);
            let new: Vec<_> =
                asked.iter().filter(|key| !model.contains(&format!("{key:?}"))).cloned().collect();
            prop_assert_eq!(usize::try_from(suppressed).unwrap(), asked.len() - new.len());
            prop_assert_eq!(rows, page(&new));
        }
    }
}
