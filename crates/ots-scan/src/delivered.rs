//! The keys of the rows that the caller was given, exactly: for leaving them out in another session.
//!
//! In a session no row comes twice, so nothing is looked up before a session is lost. Until then keys
//! are only appended: a [log] of bytes. When the session is lost the log is sorted into a [`Segment`],
//! and the tasks of the next session look their pages up in it, side by side, without a lock.
//!
//! What doesn't fit into memory is [spilled](spill), where the caller allows it: sorted pieces of the
//! log become runs on disk, and when the session is lost they become one.

mod keys;
mod log;
mod run;
mod sorted;
mod spill;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::runtime::Handle;

pub(crate) use self::keys::{KeysError, PageKeys};
use self::log::Log;
use self::run::Run;
use self::sorted::Sorted;
use self::spill::Spill;
pub(crate) use self::spill::Unsorted;

/// What the caller was given in this session, and in those before it.
#[derive(Debug)]
pub(crate) struct Delivered {
    limit_bytes: usize,
    names: Vec<String>,
    log: Log,
    given: Given,
    /// What a session that is over takes until it is [added](Self::add).
    sorting_bytes: usize,
    /// Where to go beyond the limit.
    spill: Option<Spill>,
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
    pub(crate) fn new(limit_bytes: usize, spill_to: Option<PathBuf>) -> Self {
        Self {
            limit_bytes,
            names: Vec::new(),
            log: Log::new(limit_bytes),
            given: Given::default(),
            sorting_bytes: 0,
            spill: spill_to.map(Spill::new),
        }
    }

    /// The bound on memory.
    pub(crate) const fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// The rows of a page are the caller's from now on. Where no session follows, nothing is kept but
    /// the names of the key's columns.
    pub(crate) fn record(
        &mut self,
        mut keys: PageKeys,
        is_last: bool,
    ) -> Result<(), DeliveredError> {
        if !keys.names.is_empty() && keys.names != self.names {
            if !self.names.is_empty() {
                return Err(DeliveredError::OtherKey);
            }
            self.names = std::mem::take(&mut keys.names);
        }
        if keys.log.is_empty() || is_last {
            return Ok(());
        }
        let too_much = match &self.spill {
            // With what sorting them will take.
            None => {
                let log = self.log.bytes_with(&keys, PLACE_BYTES);
                self.given.memory_bytes() + log > self.limit_bytes
            }
            // What can't go to disk; and a page for which nothing makes room. See `poll_ready`.
            Some(spill) => {
                let index = self.given.memory_bytes() + spill.memory_bytes();
                let log = self.log.bytes_with(&keys, SORTING_BYTES) + spill.writing_bytes();
                index.max(log) > self.limit_bytes / 2
            }
        };
        if too_much {
            return Err(DeliveredError::Limit);
        }
        self.log.push(&keys.log);
        Ok(())
    }

    /// Makes room for the keys of a page, where there can be any: what was recorded before it goes to
    /// disk, and waits for an earlier piece that is being written.
    ///
    /// Half of the limit is for the log and for the piece of it that is sorted and written: a quarter
    /// each, but for a page that takes more than that, which waits until it has the half alone. Of the
    /// other half a quarter is for what was given in earlier sessions, where it fits, and the rest for
    /// the index of what is on disk.
    pub(crate) fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        runtime: &Handle,
        page: &PageKeys,
    ) -> Poll<io::Result<()>> {
        let Some(spill) = &mut self.spill else {
            return Poll::Ready(Ok(()));
        };
        // What has failed is told as soon as it is known.
        let mut written = spill.poll_written(cx)?;
        let mut log_bytes = self.log.bytes_with(page, SORTING_BYTES);
        if !self.log.is_empty() && log_bytes > self.limit_bytes / 4 {
            ready!(written);
            let bytes = self.log.bytes(SORTING_BYTES);
            let log = std::mem::replace(&mut self.log, Log::new(self.limit_bytes));
            spill.write(log, bytes, runtime);
            log_bytes = self.log.bytes_with(page, SORTING_BYTES);
            written = spill.poll_written(cx)?;
        }
        if log_bytes + spill.writing_bytes() > self.limit_bytes / 2 {
            ready!(written);
        }
        Poll::Ready(Ok(()))
    }

    /// What is held in memory, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let spilled = self.spill.as_ref();
        let spilled = spilled.map_or(0, |it| it.memory_bytes() + it.writing_bytes());
        self.given.memory_bytes() + self.log.held_bytes() + self.sorting_bytes + spilled
    }

    /// What is held on disk, in bytes.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let given: u64 = self.given.0.iter().map(|it| it.disk_bytes()).sum();
        given + self.spill.as_ref().map_or(0, Spill::disk_bytes)
    }

    /// The session is over: what was given in it, to be sorted and [added](Self::add).
    pub(crate) fn take(&mut self) -> Unsorted {
        let sorted = self.log.bytes(PLACE_BYTES);
        let (fits, sorting) = match &self.spill {
            None => (true, sorted),
            // What fills the other half would leave no room for the index of what comes later.
            Some(spill) if spill.is_empty() => {
                let fits = self.given.memory_bytes() + sorted <= self.limit_bytes / 4;
                let written = self.log.bytes(SORTING_BYTES);
                (fits, if fits { sorted } else { written })
            }
            // First the rest of the log goes to disk, and then the index is made anew.
            Some(spill) => {
                let log = self.log.bytes(SORTING_BYTES) + spill.writing_bytes();
                (false, spill.memory_bytes() + log.max(spill.memory_bytes()))
            }
        };
        self.sorting_bytes = sorting;
        let log = std::mem::replace(&mut self.log, Log::new(self.limit_bytes));
        Unsorted::new(log, self.spill.as_mut(), fits)
    }

    /// What is to be left out in the next session.
    pub(crate) fn add(&mut self, segment: Segment) -> Given {
        self.sorting_bytes = 0;
        if segment.memory_bytes() > 0 {
            self.given.0.push(Arc::new(segment));
        }
        self.given.clone()
    }
}

/// What the caller was given in earlier sessions. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(Vec<Arc<Segment>>);

impl Given {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether looking a key up reads from a disk.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.0.iter().any(|it| matches!(**it, Segment::Disk(_)))
    }

    /// Which of these keys were given.
    fn find(&self, entries: &[&[u8]]) -> io::Result<Vec<bool>> {
        let mut found = vec![false; entries.len()];
        let hashes = entries.iter().map(|key| hash(key));
        let mut keys: Vec<(KeyHash, usize)> = hashes.zip(0..).collect();
        if self.is_on_disk() {
            keys.sort_unstable();
        }
        for segment in &self.0 {
            match &**segment {
                Segment::Memory(sorted) => {
                    for (hash, number) in &keys {
                        if let (Some(key), Some(found)) =
                            (entries.get(*number), found.get_mut(*number))
                        {
                            *found = *found || sorted.contains(*hash, key);
                        }
                    }
                }
                Segment::Disk(run) => run.find(&keys, entries, &mut found)?,
            }
        }
        Ok(found)
    }

    fn memory_bytes(&self) -> usize {
        self.0.iter().map(|it| it.memory_bytes()).sum()
    }
}

/// The keys of one session, to be looked up.
#[derive(Debug)]
pub(crate) enum Segment {
    Memory(Sorted),
    Disk(Run),
}

impl Segment {
    const fn memory_bytes(&self) -> usize {
        match self {
            Self::Memory(sorted) => sorted.memory_bytes(),
            Self::Disk(run) => run.memory_bytes(),
        }
    }

    fn disk_bytes(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
            Self::Disk(run) => run.disk_bytes(),
        }
    }
}

/// Orders keys. It says nothing of whether two are the same.
type KeyHash = u64;

fn hash(key: &[u8]) -> KeyHash {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.finish()
}

/// What finding a key in memory takes beside it.
const PLACE_BYTES: usize = size_of::<u64>();

/// What sorting a key takes beside it, before it is written: a hash and a slice.
const SORTING_BYTES: usize = size_of::<(KeyHash, &[u8])>();
