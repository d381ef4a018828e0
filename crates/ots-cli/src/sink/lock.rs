//! The lock of an export on its directory, which goes with the process.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::error::{Error, ErrorKind};

/// A locked file. The system unlocks it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "locked as long as it is open")] File);

impl Lock {
    /// The lock of the export that has this folder.
    pub(super) fn take(folder: &Path) -> Result<Self, Error> {
        let in_use = || {
            let path = folder.to_owned();
            Error::from(ErrorKind::InUse { path })
        };
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(|source| match source.kind() {
            // One that ends right now takes the folder away.
            io::ErrorKind::NotFound => in_use(),
            _ => Error::io("create", &path, source),
        })?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(in_use()),
            // Some file systems have no locks; their users are on their own.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        // One that ended just now has taken it away, and the next would lock another.
        if !is_at(&lock, &path) {
            return Err(in_use());
        }
        Ok(Self(lock))
    }
}

/// Whether the open file is the one that has this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => place(open) == place(named),
        _ => false,
    }
}

/// Elsewhere an open file keeps its name, or leaves none.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// The name of the file.
pub(super) const LOCK: &str = "lock";

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_taken_away_is_none() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(LOCK);
        let lock = File::create(&path).unwrap();
        assert!(is_at(&lock, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&lock, &path));
        let _other = File::create(&path).unwrap();
        assert!(!is_at(&lock, &path));
    }

    #[test]
    fn one_has_it_until_it_ends_and_no_file_of_its_holds_up_the_next() {
        let place = tempfile::tempdir().unwrap();
        let first = Lock::take(place.path()).unwrap();
        let error = Lock::take(place.path()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InUse { .. }), "{error}");
        drop(first);
        assert!(place.path().join(LOCK).exists());
        Lock::take(place.path()).unwrap();
        // A folder that goes away meanwhile is in use too: by whoever takes it away.
        let error = Lock::take(&place.path().join("gone")).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InUse { .. }), "{error}");
    }
}
