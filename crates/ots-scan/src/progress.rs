//! How far a scan is.

use std::time::Duration;

use crate::error::{ScanError, ScanErrorKind};
use crate::split::Split;

/// How far a scan is, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanProgress {
    /// Which session of the scan it is, from 0: how often it has begun anew.
    pub generation: u32,
    /// Every split of this session, by id.
    pub splits: Vec<SplitProgress>,
    /// ParallelScan requests that came back, with a page or with an error.
    pub requests: u64,
    /// How often one of them had to be sent again.
    pub retries: u64,
    /// How often the service throttled one of them.
    pub throttled: u64,
    /// Pages that were asked for again because they came damaged.
    pub refetched: u64,
    /// Requests that only kept the session alive.
    pub kept_alive: u64,
    /// Rows handed over in earlier sessions. Under
    /// [`ExactlyOnce`](crate::OnSessionLoss::ExactlyOnce) they stand; under
    /// [`Restart`](crate::OnSessionLoss::Restart) the caller was told to forget them.
    pub earlier_rows: u64,
    /// Whether the rows of earlier sessions stand.
    pub earlier_rows_stand: bool,
    /// Rows left out because an earlier session gave them.
    pub suppressed_rows: u64,
    /// What the keys of rows that were given hold in memory now, in bytes: under
    /// [`ExactlyOnce`](crate::OnSessionLoss::ExactlyOnce). When their session is lost, finding them takes
    /// eight bytes more of each row, for which the [bound](crate::ScanBuilder::delivered_keys_bytes)
    /// keeps room.
    pub keys_memory_bytes: u64,
    /// And on disk, where they may be [spilled](crate::ScanBuilder::spill_keys_to).
    pub keys_disk_bytes: u64,
    /// Pages that are fetched and not yet taken.
    pub buffered_pages: u64,
    /// Their size, in bytes.
    pub buffered_bytes: u64,
    /// Requests that may be in flight now.
    pub concurrency: usize,
    /// Since the first page was wanted.
    pub elapsed: Duration,
}

/// How far one split is: what the caller was given of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SplitProgress {
    /// The split.
    pub split: Split,
    /// What is happening to it.
    pub state: SplitState,
    /// Pages handed over, empty ones too.
    pub pages: u64,
    /// Rows handed over.
    pub rows: u64,
    /// Size of the pages handed over, in bytes.
    pub bytes: u64,
}

/// What is happening to a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SplitState {
    /// Nothing yet.
    Pending,
    /// Its next request waits: for another split to end, for room or for a permit.
    Waiting,
    /// Its next page has been asked for.
    InFlight,
    /// The service has said that there is no more.
    Done,
}

impl ScanProgress {
    /// Rows handed over for each second of [`elapsed`](Self::elapsed), in all sessions.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    pub fn rows_per_second(&self) -> f64 {
        let rows = self.rows() + self.earlier_rows;
        rows as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The rows that the caller has: of this session, and of earlier ones where they stand.
    #[must_use]
    pub fn rows_that_stand(&self) -> u64 {
        let earlier = if self.earlier_rows_stand {
            self.earlier_rows
        } else {
            0
        };
        self.rows() + earlier
    }

    /// Holds a finished scan against a [count](crate::ScanBuilder::count).
    ///
    /// The two are of different moments: of a table that is written to, they may differ by the rows
    /// written between, which is what `tolerance_rows` is for.
    ///
    /// # Errors
    /// [`ScanErrorKind::Count`] when they differ by more.
    pub fn check_count(&self, counted: u64, tolerance_rows: u64) -> Result<(), ScanError> {
        let given = self.rows_that_stand();
        if given.abs_diff(counted) <= tolerance_rows {
            return Ok(());
        }
        Err(ScanError::new(ScanErrorKind::Count { given, counted }))
    }

    /// Rows handed over in this session, of all splits.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.splits.iter().map(|split| split.rows).sum()
    }

    /// Pages handed over, of all splits.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.splits.iter().map(|split| split.pages).sum()
    }

    /// Size of the pages handed over, of all splits, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.splits.iter().map(|split| split.bytes).sum()
    }

    /// Splits of which the service has said that there is no more.
    #[must_use]
    pub fn splits_done(&self) -> usize {
        self.splits
            .iter()
            .filter(|split| split.state == SplitState::Done)
            .count()
    }

    /// Whether the service has said so of every split, and all was handed over.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.splits_done() == self.splits.len() && self.buffered_pages == 0
    }
}
