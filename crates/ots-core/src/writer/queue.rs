//! Which rows may be sent: a queue that never lets two changes of one row overtake each other.
//!
//! Without a lock, a clock or a socket.

use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use ots_proto::RowChange;
use ots_proto::messages::RowInBatchWriteRowRequest;

/// A change that was accepted and isn't settled.
#[derive(Debug)]
pub(super) struct Entry<T> {
    /// What stands for the row's key; none where the service picks the key, so that every change is
    /// of a row of its own. Two keys may have the same: then one waits for the other without need.
    pub(super) lane: Option<u64>,
    pub(super) change: RowChange,
    /// What is sent around the change, unless that is nothing but what kind of change it is.
    pub(super) frame: Option<Box<RowInBatchWriteRowRequest>>,
    /// What it takes of a request.
    pub(super) wire_bytes: usize,
    pub(super) may_repeat: bool,
    /// What it takes of the writer's memory.
    pub(super) held_bytes: u32,
    /// Which flush waits for it.
    pub(super) epoch: u64,
    pub(super) tag: T,
}

/// What one request can carry.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchLimits {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

/// The changes that wait.
#[derive(Debug)]
pub(super) struct Queue<T> {
    limits: BatchLimits,
    /// Changes that may be sent, each of another row.
    ready: VecDeque<Entry<T>>,
    ready_bytes: usize,
    /// The rows that are ready or under way, each with the changes that wait for it.
    busy: HashMap<u64, VecDeque<Entry<T>>, BuildHasherDefault<Lane>>,
    epoch: u64,
    /// How many changes of each epoch aren't settled.
    unsettled: BTreeMap<u64, usize>,
}

impl<T> Queue<T> {
    pub(super) fn new(limits: BatchLimits) -> Self {
        Self {
            limits,
            ready: VecDeque::new(),
            ready_bytes: 0,
            busy: HashMap::default(),
            epoch: 0,
            unsettled: BTreeMap::new(),
        }
    }

    pub(super) fn push(&mut self, mut entry: Entry<T>) {
        entry.epoch = self.epoch;
        *self.unsettled.entry(self.epoch).or_default() += 1;
        match entry.lane.map(|lane| self.busy.entry(lane)) {
            Some(Slot::Occupied(mut waiting)) => waiting.get_mut().push_back(entry),
            Some(Slot::Vacant(free)) => {
                free.insert(VecDeque::new());
                self.make_ready(entry);
            }
            None => self.make_ready(entry),
        }
    }

    fn make_ready(&mut self, entry: Entry<T>) {
        self.ready_bytes += entry.wire_bytes;
        self.ready.push_back(entry);
    }

    /// Whether nothing can be sent.
    pub(super) fn is_idle(&self) -> bool {
        self.ready.is_empty()
    }

    /// Whether a batch wouldn't grow by waiting.
    pub(super) fn is_full(&self) -> bool {
        self.ready.len() >= self.limits.rows || self.ready_bytes >= self.limits.bytes
    }

    /// The next batch: no row twice, within the limits. A change that is too large for any batch goes
    /// alone: the service says so best.
    pub(super) fn take(&mut self) -> Vec<Entry<T>> {
        let mut batch = Vec::with_capacity(self.ready.len().min(self.limits.rows));
        let mut left = self.limits.bytes;
        while batch.len() < self.limits.rows
            && let Some(next) = self.ready.front()
        {
            let bytes = next.wire_bytes;
            if bytes > left && !batch.is_empty() {
                break;
            }
            left = left.saturating_sub(bytes);
            self.ready_bytes = self.ready_bytes.saturating_sub(bytes);
            batch.extend(self.ready.pop_front());
        }
        batch
    }

    /// A change has its outcome: what waited for its row may be sent.
    pub(super) fn settle(&mut self, lane: Option<u64>, epoch: u64) {
        if let Some(Slot::Occupied(mut waiting)) = lane.map(|lane| self.busy.entry(lane)) {
            match waiting.get_mut().pop_front() {
                Some(next) => self.make_ready(next),
                None => {
                    waiting.remove();
                }
            }
        }
        if let Some(count) = self.unsettled.get_mut(&epoch) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.unsettled.remove(&epoch);
            }
        }
    }

    /// Ends an epoch, and names it: changes accepted from now on belong to the next.
    pub(super) fn end_epoch(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch - 1
    }

    /// Whether every change of this epoch and those before has its outcome.
    pub(super) fn is_settled_through(&self, epoch: u64) -> bool {
        self.unsettled
            .first_key_value()
            .is_none_or(|(first, _)| *first > epoch)
    }

    /// Every change that isn't under way, in the order of its row's changes.
    pub(super) fn drain(&mut self) -> Vec<Entry<T>> {
        self.ready_bytes = 0;
        let mut all: Vec<_> = self.ready.drain(..).collect();
        all.extend(self.busy.values_mut().flat_map(|waiting| waiting.drain(..)));
        all
    }
}

/// Lanes are hashes already, under a key that nobody outside knows.
#[derive(Debug, Default)]
struct Lane(u64);

impl Hasher for Lane {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, lane: u64) {
        self.0 = lane;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use ots_proto::PrimaryKey;
    use proptest::prelude::*;

    use super::*;

    fn entry(lane: u64, bytes: usize, tag: usize) -> Entry<usize> {
        Entry {
            lane: Some(lane),
            change: RowChange::Delete(PrimaryKey::new()),
            frame: None,
            wire_bytes: bytes,
            may_repeat: true,
            held_bytes: 0,
            epoch: 0,
            tag,
        }
    }

    const LIMITS: BatchLimits = BatchLimits {
        rows: 5,
        bytes: 1_000,
    };

    proptest! {
        #[test]
        fn changes_of_a_row_leave_in_order_and_one_at_a_time(
            changes in proptest::collection::vec((0_u64..6, 0_usize..600), 0..60),
            settle_first in proptest::collection::vec(any::<bool>(), 200),
        ) {
            let mut queue = Queue::new(LIMITS);
            let mut wanted: HashMap<u64, Vec<usize>> = HashMap::new();
            for (tag, (lane, bytes)) in changes.iter().enumerate() {
                queue.push(entry(*lane, *bytes, tag));
                wanted.entry(*lane).or_default().push(tag);
            }
            let epoch = queue.end_epoch();
            let mut sent: HashMap<u64, Vec<usize>> = HashMap::new();
            let mut under_way: VecDeque<Vec<Entry<usize>>> = VecDeque::new();
            for settle in settle_first {
                if settle && let Some(batch) = under_way.pop_front() {
                    for entry in batch {
                        queue.settle(entry.lane, entry.epoch);
                    }
                    continue;
                }
                let batch = queue.take();
                prop_assert!(batch.len() <= LIMITS.rows);
                let bytes: usize = batch.iter().map(|entry| entry.wire_bytes).sum();
                prop_assert!(bytes <= LIMITS.bytes || batch.len() == 1);
                for entry in &batch {
                    let lane = entry.lane.unwrap();
                    let here = batch.iter().filter(|other| other.lane == entry.lane).count();
                    let elsewhere = under_way.iter().flatten();
                    prop_assert_eq!(here, 1);
                    prop_assert!(elsewhere.into_iter().all(|other| other.lane != entry.lane));
                    sent.entry(lane).or_default().push(entry.tag);
                }
                under_way.push_back(batch);
            }
            while !queue.is_settled_through(epoch) {
                for entry in under_way.drain(..).flatten() {
                    queue.settle(entry.lane, entry.epoch);
                }
                let batch = queue.take();
                for entry in &batch {
                    sent.entry(entry.lane.unwrap()).or_default().push(entry.tag);
                }
                under_way.push_back(batch);
            }
            prop_assert_eq!(sent, wanted);
            prop_assert!(queue.busy.is_empty() && queue.is_idle());
            prop_assert_eq!(queue.ready_bytes, 0);
        }
    }

    #[test]
    fn a_change_too_large_for_any_batch_goes_alone() {
        let mut queue = Queue::new(LIMITS);
        for (lane, bytes) in [(1, 10), (2, 5_000), (3, 10)] {
            queue.push(entry(lane, bytes, 0));
        }
        let sizes: Vec<_> = std::iter::repeat_with(|| queue.take().len())
            .take(4)
            .collect();
        assert_eq!(sizes, [1, 1, 1, 0]);
    }

    #[test]
    fn a_flush_waits_for_what_was_there_and_not_for_what_came_later() {
        let mut queue = Queue::new(LIMITS);
        queue.push(entry(1, 10, 0));
        let epoch = queue.end_epoch();
        queue.push(entry(2, 10, 1));
        assert!(!queue.is_settled_through(epoch));
        queue.settle(Some(1), epoch);
        assert!(queue.is_settled_through(epoch));
        assert!(!queue.is_settled_through(epoch + 1));
    }
}
