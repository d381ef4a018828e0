//! The keys of the rows of one page, and their form in a log: one after another, each behind its length.

use std::io;

use bytes::Bytes;
use ots_proto::plainbuffer::{self, SeparateRows, Visitor};
use ots_proto::{CellRef, KeyCellRef, PrimaryKeyValueRef};

use super::Given;

/// The keys of the rows of one page, in the form of the log.
#[derive(Debug, Default)]
pub(crate) struct PageKeys {
    /// The key's columns, by the first row of the page. None of a page without rows.
    pub(super) names: Vec<String>,
    /// One entry a row.
    pub(super) log: Vec<u8>,
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
        // They wait beside their page, and are less than it.
        collector.keys.log.shrink_to_fit();
        Ok(collector.keys)
    }

    pub(super) fn rows(&self) -> usize {
        Entries(&self.log).count()
    }

    /// Whether every key of the other page is one of this.
    pub(crate) fn has_all_of(&self, other: &Self) -> bool {
        let has = |wanted: &[u8]| Entries(&self.log).any(|key| key == wanted);
        Entries(&other.log).all(has)
    }

    /// The rows that were not given, with the keys of those alone; and how many were.
    ///
    /// # Errors
    /// When what was given is on disk and can't be read.
    pub(crate) fn leave_out(
        self,
        given: &Given,
        rows: &mut Vec<Bytes>,
    ) -> Result<(Self, u64), io::Error> {
        let entries: Vec<_> = Entries(&self.log).collect();
        let found = given.find(&entries)?;
        let mut log = Vec::with_capacity(self.log.len());
        let mut each = entries.iter().zip(found);
        let before = rows.len();
        rows.retain(|_| match each.next() {
            Some((_, true)) => false,
            Some((key, false)) => {
                push_entry(&mut log, key);
                true
            }
            // Never: there is an entry for each row.
            None => true,
        });
        let suppressed = u64::try_from(before - rows.len()).unwrap_or(u64::MAX);
        let names = self.names;
        Ok((Self { names, log }, suppressed))
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
        push_entry(&mut self.keys.log, &self.key);
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

/// Appends a key to a log.
pub(super) fn push_entry(log: &mut Vec<u8>, key: &[u8]) {
    push_varint(log, key.len());
    log.extend_from_slice(key);
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
pub(super) struct Entries<'log>(pub(super) &'log [u8]);

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
