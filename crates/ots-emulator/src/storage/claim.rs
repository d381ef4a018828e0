//! A directory that one emulator has to itself.

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::Path;

use super::StorageError;

/// A directory is claimed as long as this lives, and no longer than the process does.
///
/// redb locks its file, but a new file is made under another name: without a claim two emulators that
/// start at once on a new directory would both make one, and one of them would lose what it writes.
/// The lock is on the directory itself, so that no file of locks lies about. Where directories can't
/// be opened or locked, as on Windows and on some network disks, the lock of the file must do.
#[derive(Debug)]
pub(super) struct Claim(#[expect(dead_code, reason = "the lock ends with it")] Option<File>);

impl Claim {
    /// Claims a directory that is there. `doing` is what can't be done with it otherwise.
    pub(super) fn of(directory: &Path, doing: &'static str) -> Result<Self, StorageError> {
        let Ok(file) = File::open(directory) else {
            return Ok(Self(None));
        };
        match file.try_lock() {
            Ok(()) => Ok(Self(Some(file))),
            Err(TryLockError::WouldBlock) => Err(StorageError::new(doing, directory, InUse)),
            Err(TryLockError::Error(_)) => Ok(Self(None)),
        }
    }
}

/// A directory, or a file, that another emulator has.
#[derive(Debug)]
pub(super) struct InUse;

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another emulator has it open")
    }
}

impl std::error::Error for InUse {}
