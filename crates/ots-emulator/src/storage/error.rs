//! What goes wrong with a data directory.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::claim::InUse;

/// A data directory that can't be used.
///
/// It says what could not be done with which path; the cause is its source.
#[derive(Debug)]
pub struct StorageError {
    doing: &'static str,
    path: PathBuf,
    source: Box<dyn Error + Send + Sync>,
}

impl StorageError {
    /// `doing` completes "it can't be".
    pub(crate) fn new(
        doing: &'static str,
        path: &Path,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            doing,
            path: path.to_owned(),
            source: source.into(),
        }
    }

    /// The failure of a transaction, as each of those hears it whose changes were in it.
    pub(crate) fn shared(error: Arc<Self>) -> Self {
        let path = error.path.clone();
        Self {
            doing: error.doing,
            path,
            source: Box::new(Shared(error)),
        }
    }

    /// A failure as those hear it who asked for something else.
    pub(crate) fn failure(&self) -> String {
        format!(
            "The emulator's data directory has failed: {self}: {}",
            self.source
        )
    }

    /// The file or directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doing, path, .. } = self;
        write!(f, "{} can't be {doing}", path.display())
    }
}

impl StorageError {
    /// Whether another emulator has the data open.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.source.is::<InUse>()
    }
}

impl Error for StorageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// The cause of a failure that several share, seen through the failure of one.
#[derive(Debug)]
struct Shared(Arc<StorageError>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source.fmt(f)
    }
}

impl Error for Shared {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.source()
    }
}
