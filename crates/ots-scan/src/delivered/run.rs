//! Keys on disk, in the order of their hashes: a run.
//!
//! A run is a row of blocks of about four kilobytes, each with a checksum. In memory stands where each
//! block begins, and the hash of its first key: 16 bytes for some two hundred keys. To look a key up
//! is to read the block in which it would be and to compare it byte by byte with those that are there;
//! so the answer is exact, and a block that can't be read is an error and never a no.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Weak};

use super::keys::{Entries, push_entry};
use super::log::Log;
use super::{KeyHash, hash};

/// Keys on disk. Dropped with its file, when no other run is in it.
#[derive(Debug)]
pub(crate) struct Run {
    file: Arc<File>,
    blocks: Vec<Block>,
    /// Where the last block ends.
    end: u64,
}

/// A block, in memory.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// The hash of its first key.
    first: KeyHash,
    /// Where it begins in the file.
    start: u64,
}

/// What goes away when nobody waits for the run any more.
pub(super) type Wanted = Weak<()>;

impl Run {
    /// Writes the keys of a log behind what is in the file.
    pub(super) fn write(log: &Log, file: &Arc<File>, wanted: &Wanted) -> io::Result<Self> {
        // As many as there are: a list that grows would hold more than was counted.
        let mut keys: Vec<(KeyHash, &[u8])> = Vec::with_capacity(log.rows());
        keys.extend(log.keys().map(|(_, key)| (hash(key), key)).take(log.rows()));
        keys.sort_unstable_by_key(|(hash, _)| *hash);
        let blocks = log.held_bytes() / BLOCK_BYTES + 1;
        let mut writer = Writer::new(file, wanted, blocks)?;
        for (hash, key) in keys {
            writer.push(hash, key)?;
        }
        writer.finish()
    }

    /// Writes the keys of all runs into one.
    ///
    /// Holds a block of each run in memory.
    pub(super) fn merge(runs: &[Self], file: &Arc<File>, wanted: &Wanted) -> io::Result<Self> {
        // About as many blocks as before.
        let blocks = runs.iter().map(|run| run.blocks.len()).sum();
        let mut writer = Writer::new(file, wanted, blocks)?;
        let mut cursors: Vec<_> = runs.iter().map(Cursor::new).collect();
        // Keys with the same hash may come in any order: all of them are compared.
        let mut next = BinaryHeap::with_capacity(runs.len());
        for (number, cursor) in cursors.iter_mut().enumerate() {
            if let Some(hash) = cursor.advance()? {
                next.push(Reverse((hash, number)));
            }
        }
        while let Some(Reverse((hash, number))) = next.pop() {
            let Some(cursor) = cursors.get_mut(number) else {
                continue;
            };
            writer.push(hash, cursor.key())?;
            if let Some(hash) = cursor.advance()? {
                next.push(Reverse((hash, number)));
            }
        }
        writer.finish()
    }

    /// Marks those of the keys that are in it. They come in the order of their hashes, so that a block
    /// that has several of them is read once.
    pub(super) fn find(
        &self,
        keys: &[(KeyHash, usize)],
        entries: &[&[u8]],
        found: &mut [bool],
    ) -> io::Result<()> {
        // The last block that was read.
        let mut read: Option<(usize, Vec<u8>)> = None;
        for (hash, number) in keys {
            let (Some(key), Some(found)) = (entries.get(*number), found.get_mut(*number)) else {
                continue;
            };
            if *found {
                continue;
            }
            // In the last block that begins below the hash, or in one that begins with it.
            let above = self.blocks.partition_point(|block| block.first < *hash);
            let same = self.blocks.iter().skip(above);
            let same = same.take_while(|block| block.first == *hash).count();
            for block in above.saturating_sub(1)..above + same {
                let content = match &mut read {
                    Some((number, content)) if *number == block => content,
                    other => &other.insert((block, self.read(block)?)).1,
                };
                if Entries(content).any(|entry| entry == *key) {
                    *found = true;
                    break;
                }
            }
        }
        Ok(())
    }

    /// The keys of a block.
    fn read(&self, number: usize) -> io::Result<Vec<u8>> {
        let Some(block) = self.blocks.get(number) else {
            return Ok(Vec::new());
        };
        let end = self.blocks.get(number + 1).map_or(self.end, |it| it.start);
        let length = usize::try_from(end - block.start).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        read_at(&self.file, &mut bytes, block.start)?;
        let checked = bytes.split_last_chunk().is_some_and(|(content, sum)| {
            checksum(block.start, content) == u64::from_le_bytes(*sum)
        });
        if !checked {
            let problem = "the keys on disk were changed since they were written";
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        bytes.truncate(length.saturating_sub(CHECKSUM_BYTES));
        Ok(bytes)
    }

    pub(super) const fn memory_bytes(&self) -> usize {
        self.blocks.len() * size_of::<Block>()
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.end - self.blocks.first().map_or(self.end, |block| block.start)
    }

    /// Where other runs may be too.
    pub(super) const fn file(&self) -> &Arc<File> {
        &self.file
    }
}

/// Appends a run to a file.
struct Writer<'a> {
    file: &'a Arc<File>,
    out: BufWriter<&'a File>,
    block: Vec<u8>,
    blocks: Vec<Block>,
    /// Where the block begins.
    at: u64,
    wanted: &'a Wanted,
}

impl<'a> Writer<'a> {
    fn new(file: &'a Arc<File>, wanted: &'a Wanted, blocks: usize) -> io::Result<Self> {
        let mut out: &File = file;
        let at = out.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            out: BufWriter::with_capacity(WRITE_BYTES, out),
            block: Vec::with_capacity(BLOCK_BYTES),
            blocks: Vec::with_capacity(blocks),
            at,
            wanted,
        })
    }

    fn push(&mut self, hash: KeyHash, key: &[u8]) -> io::Result<()> {
        if !self.block.is_empty() && self.block.len() + key.len() >= BLOCK_BYTES {
            self.end_block()?;
        }
        if self.block.is_empty() {
            let (first, start) = (hash, self.at);
            self.blocks.push(Block { first, start });
        }
        push_entry(&mut self.block, key);
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.wanted.strong_count() == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let sum = checksum(self.at, &self.block).to_le_bytes();
        self.out.write_all(&self.block)?;
        self.out.write_all(&sum)?;
        let length = self.block.len() + CHECKSUM_BYTES;
        self.at += u64::try_from(length).map_err(io::Error::other)?;
        self.block.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<Run> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        self.out.flush()?;
        self.blocks.shrink_to_fit();
        Ok(Run {
            file: Arc::clone(self.file),
            blocks: self.blocks,
            end: self.at,
        })
    }
}

/// Reads a run from its beginning.
struct Cursor<'a> {
    run: &'a Run,
    /// The number of the block that comes next.
    next: usize,
    block: Vec<u8>,
    /// Where the key stands in the block, and where it ends.
    key: std::ops::Range<usize>,
}

impl<'a> Cursor<'a> {
    const fn new(run: &'a Run) -> Self {
        Self {
            run,
            next: 0,
            block: Vec::new(),
            key: 0..0,
        }
    }

    /// The hash of the next key; none at the end.
    fn advance(&mut self) -> io::Result<Option<KeyHash>> {
        if self.key.end == self.block.len() {
            if self.next == self.run.blocks.len() {
                return Ok(None);
            }
            self.block = self.run.read(self.next)?;
            self.next += 1;
            self.key = 0..0;
        }
        let mut entries = Entries(self.block.get(self.key.end..).unwrap_or_default());
        let Some(key) = entries.next() else {
            // Never: blocks are made of entries, and their checksum fits.
            return Err(io::ErrorKind::InvalidData.into());
        };
        let end = self.block.len() - entries.0.len();
        self.key = end - key.len()..end;
        Ok(Some(hash(key)))
    }

    fn key(&self) -> &[u8] {
        self.block.get(self.key.clone()).unwrap_or_default()
    }
}

/// Of a block at its place: one that stands elsewhere is not taken for it.
fn checksum(start: u64, content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(start);
    hasher.write(content);
    hasher.finish()
}

/// Reads without moving what others read or write.
#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = bytes.get_mut(read..).unwrap_or_default();
        at += u64::try_from(read).map_err(io::Error::other)?;
    }
    Ok(())
}

#[cfg(not(any(unix, windows)))]
fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What a disk reads at once anyway. A key that is larger has a block of its own.
const BLOCK_BYTES: usize = 4_096 - CHECKSUM_BYTES;
const CHECKSUM_BYTES: usize = 8;
pub(super) const WRITE_BYTES: usize = 64 << 10;
