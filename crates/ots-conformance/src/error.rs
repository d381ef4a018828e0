//! What can go wrong around a driver, apart from the driver finding a fault.

use std::fmt;

/// An error of the conformance runner.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The part of a run that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The workspace or its `target` folder could not be found.
    Workspace,
    /// A program that the driver needs is not on this machine.
    MissingProgram,
    /// The manifest of a driver is missing or cannot be read.
    Manifest,
    /// The dependencies of a driver could not be installed.
    Install,
    /// The emulator could not be built, or did not start.
    Emulator,
    /// A program ran longer than it may.
    TimedOut,
    /// The driver could not be started.
    Driver,
    /// The driver printed something that is not part of the contract.
    Report,
    /// Our own client failed to read what the driver had written.
    Client,
    /// A file of cases, or of exceptions, is not what it should be.
    Cases,
    /// A file could not be read or written.
    Io,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source: None,
        }))
    }

    pub(crate) fn because(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source: Some(source.into()),
        }))
    }

    /// The part of the run that failed.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}
