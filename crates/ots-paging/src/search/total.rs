//! How many rows match, as far as that is asked for and known.

use ots_proto::search::TotalCount;

/// What a search has still to count, and the total where all of its matches were counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Total {
    wanted: Option<TotalCount>,
    known: Option<u64>,
}

impl Total {
    pub(super) const fn new(wanted: Option<TotalCount>) -> Self {
        let known = None;
        Self { wanted, known }
    }

    pub(super) const fn known(self) -> Option<u64> {
        self.known
    }

    /// Whether no row is left from this one on, as far as is known.
    pub(super) fn ends_by(self, row: u64) -> bool {
        self.known.is_some_and(|total| total <= row)
    }

    /// What the next request is to count.
    pub(super) fn to_count(self) -> TotalCount {
        self.wanted.unwrap_or(TotalCount::Flag(false))
    }

    /// Takes the answer to a request that was to count so far.
    pub(super) fn saw(&mut self, asked: TotalCount, answer: Option<u64>) {
        let Some(count) = answer else { return };
        let is_all = match asked {
            TotalCount::Exact | TotalCount::Flag(true) => true,
            // From there on it only says that there are as many.
            TotalCount::UpTo(most) => count < u64::from(most),
            _ => false,
        };
        if is_all {
            self.known = Some(count);
        }
        // Counting costs, and the number stays what it was.
        self.wanted = None;
    }
}
