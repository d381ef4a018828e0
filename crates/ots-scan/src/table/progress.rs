//! How far a scan of a table is.

use std::time::Duration;

use ots_core::request::Consumed;

use super::error::{TableScanError, TableScanErrorKind};
use super::source::ReadBy;
use crate::progress::SplitState;

/// How far a scan of a table is, at one moment.
///
/// Its counts begin when the scan was opened or resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableProgress {
    /// Every range, in the order of keys.
    pub ranges: Vec<RangeProgress>,
    /// Requests for pages that came back, with a page or with an error.
    pub requests: u64,
    /// How often one of them had to be sent again.
    pub retries: u64,
    /// How often the service throttled one of them.
    pub throttled: u64,
    /// Pages that were asked for again because they came damaged.
    pub refetched: u64,
    /// What they cost, and what it cost to find the ranges.
    pub consumed: Consumed,
    /// Bytes that pages by BulkExport were charged for, which has no capacity units.
    pub charged_bytes: u64,
    /// By what pages are asked for now. [`Auto`](ReadBy::Auto) until BulkExport has answered or was
    /// refused.
    pub read_by: ReadBy,
    /// Pages that are fetched and not yet taken.
    pub buffered_pages: u64,
    /// Their size, in bytes.
    pub buffered_bytes: u64,
    /// Requests that may be in flight now.
    pub concurrency: usize,
    /// Since the first page was wanted.
    pub elapsed: Duration,
}

/// How far one range is: what the caller was given of it. Where that is in keys, the
/// [checkpoint](crate::TableScan::checkpoint) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RangeProgress {
    /// What is happening to it. Done as soon as all of it was handed over.
    pub state: SplitState,
    /// Pages handed over, empty ones too.
    pub pages: u64,
    /// Rows handed over.
    pub rows: u64,
    /// Size of the pages handed over, in bytes.
    pub bytes: u64,
}

impl TableProgress {
    /// Rows handed over for each second of [`elapsed`](Self::elapsed).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    pub fn rows_per_second(&self) -> f64 {
        self.rows() as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Holds a finished scan against a count from elsewhere: of a search index, with
    /// [`ScanBuilder::count`](crate::ScanBuilder::count), or of what was written.
    ///
    /// The two are of different moments: of a table that is written to, they may differ by the rows
    /// written between, which is what `tolerance_rows` is for. Of a scan that was resumed the rows given
    /// before are to be taken off the count.
    ///
    /// # Errors
    /// [`TableScanErrorKind::Count`] when they differ by more.
    pub fn check_count(&self, counted: u64, tolerance_rows: u64) -> Result<(), TableScanError> {
        let given = self.rows();
        if given.abs_diff(counted) <= tolerance_rows {
            return Ok(());
        }
        let kind = TableScanErrorKind::Count { given, counted };
        Err(TableScanError::new(kind))
    }

    /// Rows handed over, of all ranges.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.ranges.iter().map(|range| range.rows).sum()
    }

    /// Pages handed over, of all ranges.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.ranges.iter().map(|range| range.pages).sum()
    }

    /// Size of the pages handed over, of all ranges, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.ranges.iter().map(|range| range.bytes).sum()
    }

    /// Ranges of which all was handed over.
    #[must_use]
    pub fn ranges_done(&self) -> usize {
        let done = |range: &&RangeProgress| range.state == SplitState::Done;
        self.ranges.iter().filter(done).count()
    }

    /// Whether all of every range was handed over.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.ranges_done() == self.ranges.len()
    }
}
