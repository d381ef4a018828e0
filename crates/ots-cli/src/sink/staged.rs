//! A file that isn't there until it is given its name.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::checksum::{Checksum, Summing};
use super::error::Error;

/// A file under its temporary name: it goes away with this value unless it is kept.
#[derive(Debug)]
pub(super) struct Staged {
    temporary: PathBuf,
    finally: PathBuf,
    is_kept: bool,
}

impl Staged {
    /// Creates the file, in the file system of its final path.
    pub(super) fn create(temporary: PathBuf, finally: PathBuf) -> Result<(Self, File), Error> {
        let file =
            File::create_new(&temporary).map_err(|source| Error::io("create", &finally, source))?;
        let staged = Self {
            temporary,
            finally,
            is_kept: false,
        };
        Ok((staged, file))
    }

    /// The name it is meant to have in the end.
    pub(super) fn path(&self) -> &Path {
        &self.finally
    }

    /// Lets the file lie under its temporary name.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_kept {
            // Nobody is left to be told, and a file with a leading dot does no harm.
            fs::remove_file(&self.temporary).ok();
        }
    }
}

/// A buffered file that keeps the system's error: the encoders turn it into text, and a full disk
/// could no longer be told from anything else.
#[derive(Debug)]
pub(super) struct Tracked {
    file: BufWriter<File>,
    summing: Summing,
    failure: Failure,
}

/// The error a [`Tracked`] file met.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Tracked {
    pub(super) fn new(file: File) -> (Self, Failure) {
        let failure = Failure::default();
        let tracked = Self {
            file: BufWriter::new(file),
            summing: Summing::new(),
            failure: failure.clone(),
        };
        (tracked, failure)
    }

    /// Brings everything to the disk; returns the size of the file and the checksum of what was written.
    pub(super) fn sync(mut self) -> io::Result<(u64, Checksum)> {
        self.flush()?;
        let file = self.file.get_ref();
        file.sync_all()?;
        Ok((file.metadata()?.len(), self.summing.sum()))
    }

    fn keep<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let copy = io::Error::from(error.kind());
            // The writers try again after an interruption: no failure yet.
            if error.kind() != io::ErrorKind::Interrupted
                && let Ok(mut failure) = self.failure.0.lock()
            {
                failure.get_or_insert(error);
            }
            copy
        })
    }
}

impl Failure {
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().ok()?.take()
    }
}

impl Write for Tracked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.file.write(bytes);
        if let Ok(written) = result {
            self.summing.add(bytes.get(..written).unwrap_or_default());
        }
        self.keep(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.file.flush();
        self.keep(result)
    }
}
