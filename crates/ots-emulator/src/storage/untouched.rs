//! A data file that is read and stays as it is.
//!
//! redb makes sure of a file, and mends what a crash has left, by writing to it. A snapshot may lie
//! on a read-only disk, or under version control, so what would be written is kept in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// A file, and what would have been written to it.
#[derive(Debug)]
pub(super) struct Untouched {
    file: FileBackend,
    file_bytes: u64,
    written: Mutex<Written>,
}

/// Pages as they would be now, by their number.
#[derive(Debug)]
struct Written {
    bytes: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Untouched {
    pub(super) fn new(file: File) -> Result<Self, redb::Error> {
        let file = FileBackend::new(file)?;
        let file_bytes = file.len()?;
        Ok(Self {
            file,
            file_bytes,
            written: Mutex::new(Written {
                bytes: file_bytes,
                pages: BTreeMap::new(),
            }),
        })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the file itself has there; zeros behind its end.
    fn read_file(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = self.file_bytes.saturating_sub(offset);
        let there = usize::try_from(there).map_or(out.len(), |there| there.min(out.len()));
        let (there, beyond) = out.split_at_mut(there);
        beyond.fill(0);
        if there.is_empty() {
            return Ok(());
        }
        self.file.read(offset, there)
    }
}

/// The pages from `offset` on, `length` bytes of them: the number of each, where in the page it
/// begins, and where in the `length` bytes.
fn pages(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + u64::try_from(done).ok()?;
        let within = usize::try_from(at % PAGE_BYTES).ok()?;
        let page_bytes = usize::try_from(PAGE_BYTES).ok()?;
        let end = length.min(done + page_bytes - within);
        let range = done..end;
        done = end;
        (!range.is_empty()).then_some((at / PAGE_BYTES, within, range))
    })
}

impl StorageBackend for Untouched {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().bytes)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        let end = offset.saturating_add(u64::try_from(out.len()).unwrap_or(u64::MAX));
        if end > written.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_file(offset, out)?;
        for (number, within, range) in pages(offset, out.len()) {
            let page = written.pages.get(&number);
            let from = page.and_then(|page| page.get(within..within + range.len()));
            if let (Some(to), Some(from)) = (out.get_mut(range), from) {
                to.copy_from_slice(from);
            }
        }
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut written = self.written();
        if bytes < written.bytes {
            // What is cut off must be gone should the file grow again: the file itself keeps it.
            let error = "a file that must stay as it is can't become shorter";
            return Err(io::Error::new(io::ErrorKind::Unsupported, error));
        }
        written.bytes = bytes;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        for (number, within, range) in pages(offset, data.len()) {
            let page = match written.pages.entry(number) {
                std::collections::btree_map::Entry::Occupied(page) => page.into_mut(),
                std::collections::btree_map::Entry::Vacant(page) => {
                    let mut bytes = vec![0; usize::try_from(PAGE_BYTES).unwrap_or(0)];
                    self.read_file(number * PAGE_BYTES, &mut bytes)?;
                    page.insert(bytes)
                }
            };
            let to = page.get_mut(within..within + range.len());
            if let (Some(to), Some(from)) = (to, data.get(range)) {
                to.copy_from_slice(from);
            }
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    // Whoever only reads shares the file with those who only read.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

const PAGE_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_the_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let original: Vec<u8> = (0..10_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(&path, &original).unwrap();
        let file = Untouched::new(File::open(&path).unwrap()).unwrap();
        let mut expected = original.clone();
        let mut random = fastrand::Rng::with_seed(1);
        file.set_len(30_000).unwrap();
        expected.resize(30_000, 0);
        for _ in 0..100 {
            let start = random.usize(..expected.len());
            let end = random.usize(start..=expected.len().min(start + 9000));
            let data = vec![random.u8(..); end - start];
            let offset = u64::try_from(start).unwrap();
            file.write(offset, &data).unwrap();
            expected[start..end].copy_from_slice(&data);

            let start = random.usize(..expected.len());
            let end = random.usize(start..=expected.len());
            let mut found = vec![0; end - start];
            file.read(u64::try_from(start).unwrap(), &mut found)
                .unwrap();
            assert!(found == expected[start..end]);
        }
        assert!(file.read(29_999, &mut [0; 2]).is_err());
        assert!(std::fs::read(&path).unwrap() == original);
    }
}
