//! Why an export can't be written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::checksum::Checksum;

/// What can't be written, and why.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no space left for the file.
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses something else; the source tells why.
    Io {
        /// What was to be done: `write`, `create`, `rename`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
    },
    /// The directory already has parts of an export, or a part has been given out twice.
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// The directory has an export that was interrupted, and that could be gone on with.
    Unfinished {
        /// What is staged of it.
        path: PathBuf,
    },
    /// Another process is at this export.
    InUse {
        /// What is staged of it.
        path: PathBuf,
    },
    /// The directory has no export that could be gone on with.
    NothingStaged {
        /// The directory.
        path: PathBuf,
        /// Whether it has one that is finished.
        has_finished: bool,
    },
    /// A finished part of an interrupted export isn't as it was.
    Changed {
        /// The file.
        path: PathBuf,
        /// What is with it.
        change: Change,
    },
    /// What was written down of an interrupted export can't be read.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An export is decided, and not all of its files have their names.
    Undecided {
        /// The directory.
        path: PathBuf,
    },
    /// The rows can't be expressed in the format; the source tells why.
    Encode {
        /// The file.
        path: PathBuf,
    },
    /// A batch whose columns aren't those the part was opened with.
    OtherColumns {
        /// The file.
        path: PathBuf,
    },
    /// The part failed before: what was written since the failure would have a gap before it.
    Failed {
        /// The file.
        path: PathBuf,
    },
}

/// What is with a file that isn't as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It isn't there.
    Gone,
    /// It is longer or shorter.
    Size {
        /// As it was written.
        expected_bytes: u64,
        /// As it is.
        found_bytes: u64,
    },
    /// It has other bytes.
    Content {
        /// As it was written.
        expected: Checksum,
        /// As it is.
        found: Checksum,
    },
}

impl Error {
    /// Whether a file isn't as it was written, or is gone: not only unreadable just now.
    pub(super) fn is_change(&self) -> bool {
        matches!(self.kind(), ErrorKind::Changed { .. })
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The file or directory it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.0.kind {
            ErrorKind::DiskFull { path }
            | ErrorKind::Io { path, .. }
            | ErrorKind::AlreadyThere { path }
            | ErrorKind::Unfinished { path }
            | ErrorKind::InUse { path }
            | ErrorKind::NothingStaged { path, .. }
            | ErrorKind::Changed { path, .. }
            | ErrorKind::Damaged { path, .. }
            | ErrorKind::Undecided { path }
            | ErrorKind::Encode { path }
            | ErrorKind::OtherColumns { path }
            | ErrorKind::Failed { path } => path,
        }
    }

    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        let kind = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                ErrorKind::DiskFull { path }
            }
            io::ErrorKind::AlreadyExists => ErrorKind::AlreadyThere { path },
            _ => ErrorKind::Io { action, path },
        };
        Self(Box::new(Inner {
            kind,
            source: Some(source.into()),
        }))
    }

    /// An export that is neither there nor gone, because of this.
    pub(super) fn undecided(directory: &Path, source: Self) -> Self {
        let path = directory.to_owned();
        Self(Box::new(Inner {
            kind: ErrorKind::Undecided { path },
            source: Some(source.into()),
        }))
    }

    pub(super) fn encode(
        path: &Path,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let path = path.to_owned();
        Self(Box::new(Inner {
            kind: ErrorKind::Encode { path },
            source: Some(source.into()),
        }))
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, source: None }))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("it is gone"),
            Self::Size {
                expected_bytes,
                found_bytes,
            } => write!(f, "it has {found_bytes} bytes instead of {expected_bytes}"),
            Self::Content { expected, found } => {
                write!(f, "its checksum is {found} instead of {expected}")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path().display();
        match &self.0.kind {
            ErrorKind::DiskFull { .. } => write!(f, "no space left to write {path}"),
            ErrorKind::Io { action, .. } => write!(f, "can't {action} {path}"),
            ErrorKind::AlreadyThere { .. } => write!(
                f,
                "{path} is already there: export to another directory, or remove the old parts"
            ),
            ErrorKind::Unfinished { .. } => write!(
                f,
                "{path} holds an export that was interrupted: go on with it by --resume, or remove it"
            ),
            ErrorKind::InUse { .. } => write!(f, "another process is writing to {path}"),
            ErrorKind::NothingStaged { has_finished, .. } => match has_finished {
                true => write!(
                    f,
                    "{path} holds a finished export, and none that was interrupted"
                ),
                false => write!(f, "{path} holds no interrupted export"),
            },
            ErrorKind::Changed { change, .. } => {
                write!(
                    f,
                    "{path} isn't as it was when the export was interrupted: {change}"
                )
            }
            ErrorKind::Damaged { problem, .. } => {
                write!(f, "{path} isn't what an export has written: {problem}")
            }
            ErrorKind::Undecided { .. } => write!(
                f,
                "not all files of the export in {path} have their names: run the same command again, \
                 which gives them theirs"
            ),
            ErrorKind::Encode { .. } => write!(f, "the rows for {path} can't be encoded"),
            ErrorKind::OtherColumns { .. } => write!(
                f,
                "rows for {path} have other columns than those before them"
            ),
            ErrorKind::Failed { .. } => {
                write!(f, "{path} can't be finished: an earlier write to it failed")
            }
        }
    }
}
