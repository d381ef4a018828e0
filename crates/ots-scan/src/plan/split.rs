//! How far one split of a plan is.

use std::fmt;
use std::num::NonZeroU32;

use bytes::Bytes;

use super::page::{Ask, Position};
use crate::progress::{SplitProgress, SplitState};
use crate::split::Split;

#[derive(Debug)]
pub(super) struct SplitPlan {
    pub(super) split: Split,
    pub(super) state: SplitState,
    pub(super) reading: Reading,
    pub(super) taken: Counts,
    /// Behind the last page that was handed over.
    pub(super) position: Position,
}

/// How far a split is read.
#[derive(Clone)]
pub(super) struct Reading {
    /// Where the next page begins, or the one that is asked for.
    pub(super) token: Option<Bytes>,
    pub(super) arrived: Counts,
    /// Empty pages in a row that said: go on where you were.
    pub(super) standing_still: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) pages: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}
impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the token, which admits to the data.
        f.debug_struct("Reading")
            .field("arrived", &self.arrived)
            .finish_non_exhaustive()
    }
}

impl SplitPlan {
    pub(super) fn all(splits_size: NonZeroU32, concurrency: NonZeroU32) -> Vec<Self> {
        let of = splits_size.min(concurrency).get().min(Split::MOST);
        let splits = (0..of).filter_map(|id| Split::new(id, of));
        splits
            .map(|split| Self::new(split, Position::Start))
            .collect()
    }

    pub(super) fn new(split: Split, position: Position) -> Self {
        let (state, token) = match &position {
            Position::Start => (SplitState::Pending, None),
            Position::At(token) => (SplitState::Pending, Some(token.clone())),
            Position::Done => (SplitState::Done, None),
        };
        Self {
            split,
            state,
            reading: Reading {
                token,
                arrived: Counts::default(),
                standing_still: 0,
            },
            taken: Counts::default(),
            position,
        }
    }

    pub(super) fn ask(&mut self, generation: u32) -> Ask {
        self.state = SplitState::Waiting;
        Ask {
            split: self.split,
            generation,
            page: self.reading.arrived.pages,
            token: self.reading.token.clone(),
        }
    }

    pub(super) const fn progress(&self) -> SplitProgress {
        let Counts { pages, rows, bytes } = self.taken;
        SplitProgress {
            split: self.split,
            state: self.state,
            pages,
            rows,
            bytes,
        }
    }
}

impl Counts {
    pub(super) const fn add(&mut self, rows: u64, bytes: u64) {
        self.pages += 1;
        self.rows += rows;
        self.bytes += bytes;
    }
}
