//! How far a scan is.

use crate::split::Split;

/// How far a scan is, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanProgress {
    /// Every split, by id.
    pub splits: Vec<SplitProgress>,
    /// ParallelScan requests that came back, with a page or with an error.
    pub requests: u64,
    /// How often one of them had to be sent again.
    pub retries: u64,
    /// Pages that are fetched and not yet taken.
    pub buffered_pages: u64,
    /// Their size, in bytes.
    pub buffered_bytes: u64,
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
    /// It has its turn: its next request waits for room or for a permit.
    Waiting,
    /// Its next page has been asked for.
    InFlight,
    /// The service has said that there is no more.
    Done,
}

impl ScanProgress {
    /// Rows handed over, of all splits.
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
