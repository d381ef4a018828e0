//! How a scan fails, with exact counts of what the caller was given.

use std::error::Error as StdError;
use std::fmt;

use crate::progress::ScanProgress;
use crate::split::Split;

/// Why a scan, or a page of it, can't go on.
///
/// Branch on [`kind`](Self::kind), never on the text. The cause, where there is one, is in
/// [`source`](StdError::source): for a failed call, [`ots_core::Error`], which
/// [`as_call`](Self::as_call) gives back typed.
pub struct ScanError(Box<Inner>);

struct Inner {
    kind: ScanErrorKind,
    progress: Option<ScanProgress>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of failure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanErrorKind {
    /// The columns asked for can't be had. Nothing was sent.
    Columns(String),
    /// The scan is wrong in another way that needs no service to tell. Nothing was sent, and the
    /// source says what it is.
    Request,
    /// It was started outside a tokio runtime, where no task can run. Nothing was sent.
    NoRuntime,
    /// No session could be opened: ComputeSplits failed.
    Open,
    /// The session is gone, and with it the snapshot: the rest can't be read any more. To have all
    /// rows, open another scan; it gives those that were read again, and possibly in other splits.
    SessionExpired {
        /// The split that was told so; the others would have been.
        split: Split,
    },
    /// A request for a page failed, retries included.
    Call {
        /// The split.
        split: Split,
        /// The page, from 0.
        page: u64,
    },
    /// A split gives pages without rows that all say: go on where you were.
    NotAdvancing {
        /// The split.
        split: Split,
        /// How many in a row.
        pages: u32,
    },
    /// A row of a page can't be decoded. The page was handed over; the source says what is wrong.
    Row {
        /// The split.
        split: Split,
        /// The page, from 0.
        page: u64,
        /// The row of the page, from 0.
        row: usize,
    },
    /// A task of the scan ended before its split did: the runtime shut down, or the
    /// [`Call`](ots_core::Call) panicked.
    Aborted,
}

impl ScanError {
    pub(crate) fn new(kind: ScanErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            progress: None,
            source: None,
        }))
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_progress(mut self, progress: ScanProgress) -> Self {
        self.0.progress = Some(progress);
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> &ScanErrorKind {
        &self.0.kind
    }

    /// What the caller had been given when the scan ended, by split. Absent when the scan never
    /// began, and from [`ScanPage`](crate::ScanPage), which knows only itself.
    #[must_use]
    pub fn progress(&self) -> Option<&ScanProgress> {
        self.0.progress.as_ref()
    }

    /// The failed call, if it was one.
    #[must_use]
    pub fn as_call(&self) -> Option<&ots_core::Error> {
        self.source()?.downcast_ref()
    }
}

impl StdError for ScanError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

impl fmt::Debug for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanError")
            .field("kind", &self.0.kind)
            .field("progress", &self.0.progress)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = Grouped(self.0.progress.as_ref().map_or(0, ScanProgress::rows));
        match &self.0.kind {
            ScanErrorKind::Columns(problem) => {
                write!(f, "these columns can't be scanned: {problem}")
            }
            ScanErrorKind::Request => f.write_str("this scan can't be asked for"),
            ScanErrorKind::NoRuntime => {
                f.write_str("a scan runs in tasks: open it inside a tokio runtime")
            }
            ScanErrorKind::Open => f.write_str("no session for the scan could be opened"),
            ScanErrorKind::SessionExpired { split } => write!(
                f,
                "scan session expired on {split} after {rows} rows; compute splits again to \
                 restart from the beginning"
            ),
            ScanErrorKind::Call { split, page } => {
                write!(f, "scan failed on page {page} of {split} after {rows} rows")
            }
            ScanErrorKind::NotAdvancing { split, pages } => write!(
                f,
                "scan stopped on {split} after {rows} rows: {} pages without rows in a row, each \
                 with the token it was asked with",
                Grouped((*pages).into())
            ),
            ScanErrorKind::Row { split, page, row } => {
                write!(f, "row {row} of page {page} of {split} can't be decoded")
            }
            ScanErrorKind::Aborted => write!(
                f,
                "a task of the scan ended after {rows} rows, before its split did: the runtime \
                 shut down or the call panicked"
            ),
        }
    }
}

/// A number in groups of three digits: `41,200`.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1_000 {
            return write!(f, "{}", self.0);
        }
        write!(f, "{},{:03}", Self(self.0 / 1_000), self.0 % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (41_200, "41,200"),
            (3_000_007, "3,000,007"),
        ] {
            assert_eq!(Grouped(number).to_string(), text);
        }
    }
}
