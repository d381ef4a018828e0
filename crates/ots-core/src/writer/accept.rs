//! What happens to a change before it waits: it is checked, measured, and given its lane.

use ots_proto::plainbuffer::change_bytes;
use ots_proto::{PrimaryKey, PrimaryKeyValue, RowChange};

use super::limits;
use super::queue::Entry;
use super::rejected::Rejected;
use super::shared::Shared;
use crate::request::RowWrite;

impl<T> Shared<T> {
    /// A change as the queue takes it. The bytes of the row are only counted: they are written by
    /// whoever sends them, so that one who feeds the writer isn't held up.
    ///
    /// One that no table takes comes back, with its key.
    pub(super) fn entry(
        &self,
        write: RowWrite,
        tag: T,
    ) -> Result<Entry<T>, (Rejected<T>, PrimaryKey)> {
        let checked = limits::check(&self.table, write.change());
        let frame = checked.and_then(|()| {
            let frame = write.has_frame();
            let frame = frame.then(|| write.to_frame("BatchWriteRow", &self.table));
            frame.transpose()
        });
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                let key = write.change.into_primary_key();
                return Err((Rejected { error, tag }, key));
            }
        };
        let may_repeat = write.may_repeat();
        let change = write.change;
        let key = change.primary_key();
        let mut columns = key.columns().iter();
        let is_picked = columns.any(|column| column.value == PrimaryKeyValue::AutoIncrement);
        let row_bytes = change_bytes(&change);
        let frame_bytes = frame.as_ref().map_or(0, prost::Message::encoded_len);
        Ok(Entry {
            lane: (!is_picked).then(|| self.lane(key)),
            wire_bytes: row_bytes + frame_bytes + FIELDS_BYTES,
            held_bytes: self.held_bytes(row_bytes + cells(&change) * CELL_BYTES),
            change,
            frame: frame.map(Box::new),
            may_repeat,
            epoch: 0,
            tag,
        })
    }
}

/// Changes that have their room and aren't in the queue yet. However it goes out of scope, they get
/// there: what was accepted has an outcome.
pub(super) struct Group<'a, T> {
    shared: &'a Shared<T>,
    entries: Vec<Entry<T>>,
}

impl<'a, T> Group<'a, T> {
    pub(super) const fn new(shared: &'a Shared<T>) -> Self {
        Self {
            shared,
            entries: Vec::new(),
        }
    }

    /// Takes a change that there is room for.
    pub(super) fn push(&mut self, entry: Entry<T>) {
        if self.entries.capacity() == 0 {
            self.entries.reserve(ROWS);
        }
        self.entries.push(entry);
        if self.entries.len() == ROWS {
            self.hand_over();
        }
    }

    pub(super) fn hand_over(&mut self) {
        if !self.entries.is_empty() {
            self.shared.push(self.entries.drain(..));
        }
    }
}

impl<T> Drop for Group<'_, T> {
    fn drop(&mut self) {
        self.hand_over();
    }
}

fn cells(change: &RowChange) -> usize {
    match change {
        RowChange::Put(row) => row.cells.len(),
        RowChange::Update(update) => update.cells.len(),
        RowChange::Delete(_) => 0,
    }
}

/// Tags and lengths around a row.
const FIELDS_BYTES: usize = 32;
/// What a cell takes in memory beside its name and its value.
const CELL_BYTES: usize = 64;
/// Changes that go into the queue together: its lock is taken so much less often.
const ROWS: usize = 200;
