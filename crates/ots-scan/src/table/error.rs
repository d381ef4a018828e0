//! How a scan of a table fails, with exact counts of what the caller was given.

use std::error::Error as StdError;
use std::fmt;

use ots_core::ErrorCode;

use super::progress::TableProgress;

/// Why a scan of a table, or a page of it, can't go on.
///
/// Branch on [`kind`](Self::kind), [`code`](Self::code) and [`is_retryable`](Self::is_retryable), never
/// on the text. The cause, where there is one, is in [`source`](StdError::source).
///
/// The rows that were given stand: a [checkpoint](crate::TableScan::checkpoint) taken after the error
/// goes on behind them.
pub struct TableScanError(Box<Inner>);

struct Inner {
    kind: TableScanErrorKind,
    table: Option<String>,
    progress: Option<TableProgress>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of failure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableScanErrorKind {
    /// The scan is wrong in a way that needs no rows to tell; the source says what it is. No row was
    /// asked for.
    Request,
    /// The start or the end isn't a key of this table, nor the leading columns of one. No row was
    /// asked for.
    Bounds,
    /// It was polled outside a tokio runtime, where no task can run. No row was asked for.
    NoRuntime,
    /// The table's ranges aren't known: ComputeSplitPointsBySize failed.
    Open,
    /// A page of a range can't be had: its call failed, retries included; or its answer can't be gone
    /// on from, however often it was asked for.
    Range {
        /// The range, from 0.
        range: u32,
        /// The page of it, from 0, since this scan was opened.
        page: u64,
    },
    /// A page of a range is damaged, however often it was asked for; or what it was to become refused
    /// it. The source says what is wrong.
    Decode {
        /// The range, from 0.
        range: u32,
        /// The page of it, from 0, since this scan was opened.
        page: u64,
    },
    /// These bytes are no checkpoint of a table scan, or a damaged one.
    Checkpoint(&'static str),
    /// The checkpoint is of a scan of another table, or of another range of it, or with another filter,
    /// other columns or other versions.
    CheckpointOfOtherScan,
    /// A page isn't the one that a checkpoint expects next of its range. See
    /// [`TableCheckpoint::advance`](crate::TableCheckpoint::advance).
    CheckpointGap {
        /// The range, from 0.
        range: u32,
    },
    /// The rows given aren't as many as were counted elsewhere.
    Count {
        /// Rows that the caller was given.
        given: u64,
        /// Rows that were counted.
        counted: u64,
    },
    /// A task ended before its range did: the runtime shut down, or the call panicked.
    Aborted,
}

impl TableScanError {
    pub(super) fn new(kind: TableScanErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            table: None,
            progress: None,
            source: None,
        }))
    }

    pub(super) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(super) fn of(mut self, table: &str) -> Self {
        self.0.table = Some(table.to_owned());
        self
    }

    pub(super) fn with_progress(mut self, progress: TableProgress) -> Self {
        self.0.progress = Some(progress);
        self
    }

    /// What is to be done about it; none where the rest of the text says so.
    fn advice(&self) -> Option<&'static str> {
        Some(match &self.0.kind {
            TableScanErrorKind::Bounds
            | TableScanErrorKind::NoRuntime
            | TableScanErrorKind::CheckpointGap { .. } => return None,
            TableScanErrorKind::Open if self.is_retryable() => "open the scan again later",
            TableScanErrorKind::Request | TableScanErrorKind::Open => {
                "the cause says what to change"
            }
            TableScanErrorKind::Range { .. } | TableScanErrorKind::Aborted => {
                "resume from the checkpoint to go on behind them"
            }
            TableScanErrorKind::Decode { .. } => {
                "the cause says what is wrong; resume from the checkpoint to ask for the page again"
            }
            TableScanErrorKind::Checkpoint(_) => "open the scan to begin anew, with every row",
            TableScanErrorKind::CheckpointOfOtherScan => {
                "resume it with those that it was taken with"
            }
            TableScanErrorKind::Count { .. } => {
                "count again, and scan again if they still differ and nobody writes"
            }
        })
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> &TableScanErrorKind {
        &self.0.kind
    }

    /// The table. Absent from an error about bytes, which don't tell it.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.0.table.as_deref()
    }

    /// What the caller had been given when the scan ended, by range. Absent when it never began.
    #[must_use]
    pub fn progress(&self) -> Option<&TableProgress> {
        self.0.progress.as_ref()
    }

    /// The failed call, if it was one.
    #[must_use]
    pub fn as_call(&self) -> Option<&ots_core::Error> {
        let source = self.source()?;
        let paging = || source.downcast_ref::<ots_paging::Error>()?.as_call();
        source.downcast_ref().or_else(paging)
    }

    /// The service's code, if the service refused a call.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        self.as_call()?.code()
    }

    /// Whether the same scan, resumed from its checkpoint, may succeed later. The client has already
    /// retried what it may.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.as_call().is_some_and(ots_core::Error::is_retryable)
    }
}

impl StdError for TableScanError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

impl fmt::Debug for TableScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableScanError")
            .field("kind", &self.0.kind)
            .field("table", &self.0.table)
            .field("progress", &self.0.progress)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for TableScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(table) = &self.0.table {
            write!(f, "scan of table {table:?}: ")?;
        }
        let progress = self.0.progress.as_ref();
        let rows = match progress.map_or(0, TableProgress::rows) {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        let of = progress.map_or(0, |progress| progress.ranges.len());
        match &self.0.kind {
            TableScanErrorKind::Request => f.write_str("this scan can't be asked for"),
            TableScanErrorKind::Bounds => {
                f.write_str("the start or the end doesn't have the leading columns of the table's key")
            }
            TableScanErrorKind::NoRuntime => {
                f.write_str("a scan runs in tasks: poll it inside a tokio runtime")
            }
            TableScanErrorKind::Open => {
                f.write_str("its ranges can't be had by ComputeSplitPointsBySize")
            }
            TableScanErrorKind::Range { range, page } => write!(
                f,
                "page {page} of range {range} of {of} failed after {rows}"
            ),
            TableScanErrorKind::Decode { range, page } => {
                write!(f, "page {page} of range {range} of {of} can't be decoded, after {rows}")
            }
            TableScanErrorKind::Checkpoint(problem) => {
                write!(f, "this is no checkpoint of a table scan: {problem}")
            }
            TableScanErrorKind::CheckpointOfOtherScan => f.write_str(
                "the checkpoint is of a scan of another table or key range, or with another filter, \
                 other columns or versions",
            ),
            TableScanErrorKind::CheckpointGap { range } => write!(
                f,
                "this page of range {range} doesn't begin where the checkpoint stands: one before it \
                 is missing, it was counted already, or it is of another scan"
            ),
            TableScanErrorKind::Count { given, counted } => write!(
                f,
                "the scan gave {given} rows, and {counted} were counted elsewhere"
            ),
            TableScanErrorKind::Aborted => write!(
                f,
                "a task ended after {rows}, before its range did: the runtime shut down or the call \
                 panicked"
            ),
        }?;
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}
