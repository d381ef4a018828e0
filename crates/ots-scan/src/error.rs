//! How a scan fails, with exact counts of what the caller was given.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use ots_core::ErrorCode;

use crate::progress::ScanProgress;
use crate::split::Split;

/// Why a scan, or a page of it, can't go on.
///
/// Branch on [`kind`](Self::kind), [`code`](Self::code) and [`is_retryable`](Self::is_retryable), never
/// on the text. The cause, where there is one, is in [`source`](StdError::source): for a failed call,
/// [`ots_core::Error`], which [`as_call`](Self::as_call) gives back typed.
pub struct ScanError(Box<Inner>);

struct Inner {
    kind: ScanErrorKind,
    place: Option<Place>,
    progress: Option<ScanProgress>,
    /// How often the page was asked for, where that page is the trouble.
    asked: u32,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Which scan it was.
#[derive(Debug)]
struct Place {
    table: String,
    index: String,
}

/// What kind of failure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanErrorKind {
    /// The columns asked for can't be had. Nothing was sent.
    Columns(String),
    /// The policy for a lost session and the way the scan was opened don't go together. Nothing was
    /// sent.
    Policy(&'static str),
    /// The scan is wrong in another way that needs no service to tell. Nothing was sent, and the
    /// source says what it is.
    Request,
    /// It was started outside a tokio runtime, where no task can run. Nothing was sent.
    NoRuntime,
    /// No session could be opened: ComputeSplits failed.
    Open,
    /// The session is gone, and with it the snapshot: the rest can't be read any more. To have all
    /// rows, open the scan again; it gives those that were read again, and possibly in other splits.
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
    /// A split is led back to where it was, and would never end: a thousand pages without rows, or pages
    /// whose rows come again.
    NotAdvancing {
        /// The split.
        split: Split,
        /// Pages in a row that led back to where the first of them began.
        pages: u32,
        /// Whether rows came with them. Then the last rows of the split may have been given more than once.
        has_rows: bool,
    },
    /// A row of a page can't be decoded, however often the page was asked for. The source says what is
    /// wrong.
    Row {
        /// The split.
        split: Split,
        /// The page, from 0.
        page: u64,
        /// The row of the page, from 0.
        row: usize,
    },
    /// What was to decode a page refused it, however often the page was asked for, and named no row.
    Decode {
        /// The split.
        split: Split,
        /// The page, from 0.
        page: u64,
    },
    /// A token was asked a second time and led on: to keep the session alive, after an answer that was
    /// lost, for a page that came damaged, or by a scan that was [resumed](crate::ScanBuilder::resume).
    /// The service has a cursor that moves with each request, and what it read the first time would be
    /// missing. In such a service no session can be [kept alive](crate::ScanBuilder::keep_alive), no
    /// request be retried, and no scan resumed.
    TokenMoved {
        /// The split.
        split: Split,
    },
    /// The keys of the rows given take more memory than allowed, so that they can't be given exactly
    /// once. They may be [spilled](crate::ScanBuilder::spill_keys_to) to disk. Where they are, the bound
    /// is too small for what can't be: one page, or what finds the keys on disk.
    DeliveredKeys {
        /// What is allowed, in bytes.
        limit_bytes: usize,
    },
    /// The keys of the rows given can't be [spilled](crate::ScanBuilder::spill_keys_to) to disk, or read
    /// from there. The source, a [`std::io::Error`], says why.
    Spill,
    /// The rows of another session have other key columns: the table was made anew, and which rows
    /// were given can't be said any more.
    KeyChanged,
    /// These bytes are no checkpoint, or one that was changed since it was written. Nothing was sent.
    Checkpoint(&'static str),
    /// The checkpoint was taken of a scan of another table or index, with another query or other
    /// columns. Nothing was sent.
    CheckpointOfOtherScan,
    /// The session of the checkpoint is gone: it lives for its alive time. Nothing was sent.
    CheckpointExpired {
        /// How long ago it expired.
        ago: Duration,
    },
    /// The rows given aren't as many as a count found.
    Count {
        /// Rows that the caller has.
        given: u64,
        /// Rows that a search counted.
        counted: u64,
    },
    /// The rows couldn't be counted.
    Counting,
    /// The scan was stopped half way: the runtime shut down, or the [`Call`](ots_core::Call) or what was
    /// to decode a page panicked.
    Aborted,
}

impl ScanError {
    pub(crate) fn new(kind: ScanErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            place: None,
            progress: None,
            asked: 1,
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

    pub(crate) fn of(mut self, table: &str, index: &str) -> Self {
        let (table, index) = (table.to_owned(), index.to_owned());
        self.0.place = Some(Place { table, index });
        self
    }

    pub(crate) fn with_progress(mut self, progress: ScanProgress) -> Self {
        self.0.progress = Some(progress);
        self
    }

    pub(crate) fn asked(mut self, times: u32) -> Self {
        self.0.asked = times;
        self
    }

    /// What is to be done about it; none where the rest of the text says so.
    fn advice(&self) -> Option<&'static str> {
        Some(match &self.0.kind {
            ScanErrorKind::Columns(_)
            | ScanErrorKind::Policy(_)
            | ScanErrorKind::NoRuntime
            | ScanErrorKind::DeliveredKeys { .. } => return None,
            ScanErrorKind::Open if self.is_retryable() => "open the scan again later",
            ScanErrorKind::Call { .. } if self.is_retryable() => {
                "go on from a checkpoint while the session lives, or open the scan again later"
            }
            ScanErrorKind::Request | ScanErrorKind::Open | ScanErrorKind::Call { .. } => {
                "the cause says what to change"
            }
            ScanErrorKind::SessionExpired { .. }
            | ScanErrorKind::Checkpoint(_)
            | ScanErrorKind::CheckpointExpired { .. } => RESTART,
            ScanErrorKind::NotAdvancing { .. } => {
                "open the scan again; if it is led back there again, the fault is the service's"
            }
            ScanErrorKind::Row { .. } | ScanErrorKind::Decode { .. } if self.0.place.is_none() => {
                "the cause says what is wrong, and with verify_pages the scan asks for such a page again"
            }
            ScanErrorKind::Row { .. } | ScanErrorKind::Decode { .. } => {
                "the cause says what is wrong, and more refetches help if it is damage on the way"
            }
            ScanErrorKind::TokenMoved { .. } => {
                "open the scan again, with keep_alive(Duration::ZERO), refetches(0) and a client that \
                 doesn't retry, and don't resume it"
            }
            ScanErrorKind::Spill => {
                "the cause says why: make room or name another directory (spill_keys_to), and open the \
                 scan again"
            }
            ScanErrorKind::KeyChanged => "forget the rows given, and open the scan again",
            ScanErrorKind::Count { .. } => {
                "count again, and scan again if they still differ and nobody writes"
            }
            ScanErrorKind::Counting => "the cause says why, and the scan itself needs no count",
            ScanErrorKind::CheckpointOfOtherScan => "resume it with those that it was taken with",
            ScanErrorKind::Aborted => "open the scan again, in a runtime that lives until it ends",
        })
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> &ScanErrorKind {
        &self.0.kind
    }

    /// The table. Absent from an error of [`ScanPage`](crate::ScanPage), which doesn't know it.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.0.place.as_ref().map(|place| place.table.as_str())
    }

    /// The search index, where the table is known too.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        self.0.place.as_ref().map(|place| place.index.as_str())
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

    /// The service's code, if the service refused a call.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        self.as_call()?.code()
    }

    /// Whether the same scan may succeed when it is [opened](crate::ScanBuilder::open) again. It
    /// begins anew then, and gives the rows again that it has given: an expired session can't be
    /// gone on with. The client has already retried what it may.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.0.kind {
            ScanErrorKind::SessionExpired { .. } => true,
            ScanErrorKind::Open | ScanErrorKind::Counting | ScanErrorKind::Call { .. } => {
                self.as_call().is_some_and(ots_core::Error::is_retryable)
            }
            ScanErrorKind::Columns(_)
            | ScanErrorKind::Policy(_)
            | ScanErrorKind::Request
            | ScanErrorKind::NoRuntime
            | ScanErrorKind::NotAdvancing { .. }
            | ScanErrorKind::Row { .. }
            | ScanErrorKind::Decode { .. }
            | ScanErrorKind::TokenMoved { .. }
            | ScanErrorKind::DeliveredKeys { .. }
            | ScanErrorKind::Spill
            | ScanErrorKind::KeyChanged
            | ScanErrorKind::Count { .. }
            | ScanErrorKind::Checkpoint(_)
            | ScanErrorKind::CheckpointOfOtherScan
            | ScanErrorKind::CheckpointExpired { .. }
            | ScanErrorKind::Aborted => false,
        }
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
            .field("place", &self.0.place)
            .field("progress", &self.0.progress)
            .field("asked", &self.0.asked)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { table, index }) = &self.0.place {
            write!(f, "ParallelScan on index {index:?} of table {table:?}: ")?;
        }
        let rows = self.0.progress.as_ref().map_or(0, ScanProgress::rows);
        let rows = counted(rows, "row");
        let after = match (self.0.asked, &self.0.progress) {
            (2.., Some(_)) => format!(", asked for {} times, after {rows}", self.0.asked),
            (_, Some(_)) => format!(", after {rows}"),
            (_, None) => String::new(),
        };
        match &self.0.kind {
            ScanErrorKind::Columns(problem) => {
                write!(f, "these columns can't be scanned: {problem}")
            }
            ScanErrorKind::Policy(problem) => f.write_str(problem),
            ScanErrorKind::Request => f.write_str("this scan can't be asked for"),
            ScanErrorKind::NoRuntime => {
                f.write_str("a scan runs in tasks: open it inside a tokio runtime")
            }
            ScanErrorKind::Open if self.0.progress.is_some() => write!(
                f,
                "the session was lost after {rows}, and no other could be opened"
            ),
            ScanErrorKind::Open => f.write_str("no session could be opened"),
            ScanErrorKind::SessionExpired { split } => {
                write!(f, "the session expired on {split} after {rows}")?;
                if let Some(restarts @ 1..) = self.0.progress.as_ref().map(|it| it.generation) {
                    write!(f, ", in session {} of this scan", restarts + 1)?;
                }
                Ok(())
            }
            ScanErrorKind::Call { split, page } => {
                write!(f, "page {page} of {split} failed after {rows}")
            }
            ScanErrorKind::NotAdvancing {
                split,
                pages,
                has_rows,
            } => {
                let came = if *has_rows {
                    "whose rows came again"
                } else {
                    "all without rows"
                };
                let pages = counted((*pages).into(), "page");
                write!(
                    f,
                    "stopped on {split} after {rows}: it was led back by {pages}, {came}"
                )
            }
            ScanErrorKind::Row { split, page, row } => {
                write!(
                    f,
                    "row {row} of page {page} of {split} can't be decoded{after}"
                )
            }
            ScanErrorKind::Decode { split, page } => {
                write!(f, "page {page} of {split} can't be decoded{after}")
            }
            ScanErrorKind::TokenMoved { split } => write!(
                f,
                "{split} moved on when it was asked again, after {rows}: this service's tokens can't be \
                 asked twice, and what they led over is missing"
            ),
            ScanErrorKind::DeliveredKeys { limit_bytes } => write!(
                f,
                "the keys of {rows} and of the next page take more than {limit_bytes} bytes; allow more, \
                 let them be spilled to disk (spill_keys_to) if they aren't, or read without ExactlyOnce"
            ),
            ScanErrorKind::Spill => write!(
                f,
                "the keys of {rows}, which are to be given once, can't be kept on disk"
            ),
            ScanErrorKind::KeyChanged => write!(
                f,
                "after {rows} the rows have other key columns: the table was made anew"
            ),
            ScanErrorKind::Count { given, counted } => {
                write!(
                    f,
                    "the scan gave {given} rows, and a search counts {counted}"
                )
            }
            ScanErrorKind::Counting => f.write_str("the rows can't be counted"),
            ScanErrorKind::Checkpoint(problem) => write!(f, "this is no checkpoint: {problem}"),
            ScanErrorKind::CheckpointOfOtherScan => f.write_str(
                "the checkpoint is of a scan of another table or index, or with another query or \
                 other columns",
            ),
            ScanErrorKind::CheckpointExpired { ago } => write!(
                f,
                "the session of the checkpoint expired {} s ago",
                ago.as_secs()
            ),
            ScanErrorKind::Aborted => write!(
                f,
                "stopped half way, after {rows}: the runtime shut down, or a call or a decoder \
                 panicked"
            ),
        }?;
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

const RESTART: &str = "open the scan again to restart from the beginning";

fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
