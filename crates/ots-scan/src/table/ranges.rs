//! The decisions of a table scan: which range is next, where each stands, when all is done. Pure.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ots_core::request::Consumed;
use ots_paging::{NextPage, ResumePoint};
use ots_proto::{ColumnName, PrimaryKey};

use super::checkpoint::{RangePosition, TableCheckpoint};
use super::progress::{RangeProgress, TableProgress};
use super::source::ReadBy;
use crate::progress::SplitState;

/// The ranges of a scan, which are disjoint and cover what is to be read, and how far each is.
#[derive(Debug)]
pub(super) struct Ranges {
    /// The beginning of it all, bound to everything that decides which rows there are.
    whole: ResumePoint,
    ranges: Vec<(RangePosition, RangeProgress)>,
    /// Ranges before this one have had their turn.
    next: usize,
    failed: bool,
    requests: u64,
    retries: u64,
    throttled: u64,
    refetched: u64,
    consumed: Consumed,
    charged_bytes: u64,
    buffered_pages: u64,
    buffered_bytes: u64,
    read_by: ReadBy,
    /// Whether it may read by GetRange if BulkExport is refused.
    may_fall_back: bool,
}

/// A range whose turn it is.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) range: u32,
    pub(super) start: PrimaryKey,
    pub(super) end: PrimaryKey,
}

/// Whether a page that was asked for by BulkExport is to be asked for by GetRange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    No,
    /// It is the first such page.
    Begins,
    /// Another range was refused it meanwhile.
    Known,
}

/// A page, as far as it counts.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) range: u32,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) next: NextPage,
}

impl Ranges {
    pub(super) fn new(
        whole: ResumePoint,
        positions: Vec<RangePosition>,
        consumed: Consumed,
        read_by: ReadBy,
    ) -> Self {
        let progress = |position: &RangePosition| RangeProgress {
            state: match position.next {
                NextPage::Done => SplitState::Done,
                NextPage::From(_) => SplitState::Pending,
            },
            pages: 0,
            rows: 0,
            bytes: 0,
        };
        let ranges = positions.into_iter().map(|position| {
            let progress = progress(&position);
            (position, progress)
        });
        Self {
            whole,
            ranges: ranges.collect(),
            next: 0,
            failed: false,
            requests: 0,
            retries: 0,
            throttled: 0,
            refetched: 0,
            consumed,
            charged_bytes: 0,
            buffered_pages: 0,
            buffered_bytes: 0,
            read_by,
            may_fall_back: read_by == ReadBy::Auto,
        }
    }

    /// As after what was handed over, with nothing under way.
    pub(super) fn anew(&self) -> Self {
        let mut ranges = self.ranges.clone();
        for (_, progress) in &mut ranges {
            if progress.state != SplitState::Done {
                progress.state = SplitState::Pending;
            }
        }
        Self {
            whole: self.whole.clone(),
            ranges,
            next: 0,
            buffered_pages: 0,
            buffered_bytes: 0,
            failed: false,
            ..*self
        }
    }

    /// The next range to be read, in the order of keys; none when all have had their turn, or the scan
    /// has failed.
    pub(super) fn take(&mut self) -> Option<Turn> {
        if self.failed {
            return None;
        }
        loop {
            let at = self.next;
            let (position, progress) = self.ranges.get_mut(at)?;
            self.next += 1;
            if let NextPage::From(start) = &position.next {
                progress.state = SplitState::Waiting;
                return Some(Turn {
                    range: u32::try_from(at).ok()?,
                    start: start.clone(),
                    end: position.end.clone(),
                });
            }
        }
    }

    /// Whether a page of the range may be asked for: not after a failure elsewhere.
    pub(super) fn begin(&mut self, range: u32) -> bool {
        if !self.failed {
            self.set(range, SplitState::InFlight);
        }
        !self.failed
    }

    /// A request came back, whatever with.
    pub(super) fn came_back(&mut self, range: u32, attempts: u32, throttled: u32) {
        self.requests += 1;
        self.retries += u64::from(attempts.saturating_sub(1));
        self.throttled += u64::from(throttled);
        self.set(range, SplitState::Waiting);
    }

    pub(super) fn paid(&mut self, consumed: Consumed) {
        self.consumed += consumed;
    }

    pub(super) const fn charged(&mut self, bytes: u64) {
        self.charged_bytes = self.charged_bytes.saturating_add(bytes);
    }

    /// By what the next page is asked for.
    pub(super) const fn read_by(&self) -> ReadBy {
        self.read_by
    }

    /// BulkExport has answered, or was refused.
    pub(super) fn exported(&mut self, refused: bool) -> Fallback {
        if refused && self.may_fall_back {
            let known = self.read_by == ReadBy::GetRange;
            self.read_by = ReadBy::GetRange;
            return if known {
                Fallback::Known
            } else {
                Fallback::Begins
            };
        }
        if !refused && self.read_by == ReadBy::Auto {
            self.read_by = ReadBy::BulkExport;
        }
        Fallback::No
    }

    pub(super) const fn again(&mut self) {
        self.refetched += 1;
    }

    pub(super) const fn buffer(&mut self, bytes: u64) {
        self.buffered_pages += 1;
        self.buffered_bytes += bytes;
    }

    /// A page is the caller's now.
    pub(super) fn hand_over(&mut self, counted: Counted) {
        let Counted {
            range,
            rows,
            bytes,
            next,
        } = counted;
        self.buffered_pages = self.buffered_pages.saturating_sub(1);
        self.buffered_bytes = self.buffered_bytes.saturating_sub(bytes);
        let Some((position, progress)) = self.range(range) else {
            return;
        };
        progress.pages += 1;
        progress.rows += rows;
        progress.bytes += bytes;
        if next.is_done() {
            progress.state = SplitState::Done;
        }
        position.next = next;
    }

    pub(super) const fn fail(&mut self) {
        self.failed = true;
    }

    /// What nobody has taken is gone, with the tasks that fetched it.
    pub(super) const fn abandon(&mut self) {
        self.failed = true;
        self.buffered_pages = 0;
        self.buffered_bytes = 0;
    }

    /// Whether all of every range was handed over.
    pub(super) fn is_done(&self) -> bool {
        self.ranges
            .iter()
            .all(|(position, _)| position.next.is_done())
    }

    pub(super) fn checkpoint(&self) -> TableCheckpoint {
        let positions = self.ranges.iter().map(|(position, _)| position.clone());
        TableCheckpoint::new(self.whole.clone(), positions.collect())
    }

    pub(super) fn progress(&self, concurrency: usize, elapsed: Duration) -> TableProgress {
        TableProgress {
            ranges: self.ranges.iter().map(|(_, progress)| *progress).collect(),
            requests: self.requests,
            retries: self.retries,
            throttled: self.throttled,
            refetched: self.refetched,
            consumed: self.consumed,
            charged_bytes: self.charged_bytes,
            read_by: self.read_by,
            buffered_pages: self.buffered_pages,
            buffered_bytes: self.buffered_bytes,
            concurrency,
            elapsed,
        }
    }

    /// The columns of the key.
    pub(super) fn key_names(&self) -> impl Iterator<Item = &ColumnName> {
        let last = self.ranges.last();
        let end = last.map(|(position, _)| position.end.columns());
        end.unwrap_or_default().iter().map(|column| &column.name)
    }

    pub(super) const fn len(&self) -> usize {
        self.ranges.len()
    }

    fn set(&mut self, range: u32, state: SplitState) {
        if let Some((_, progress)) = self.range(range)
            && progress.state != SplitState::Done
        {
            progress.state = state;
        }
    }

    fn range(&mut self, range: u32) -> Option<&mut (RangePosition, RangeProgress)> {
        self.ranges.get_mut(usize::try_from(range).ok()?)
    }
}

/// The ranges, for the tasks and for the scan. Held for the length of a decision, never across an await.
#[derive(Debug)]
pub(super) struct SharedRanges(Mutex<Ranges>);

impl SharedRanges {
    pub(super) const fn new(ranges: Ranges) -> Self {
        Self(Mutex::new(ranges))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Ranges> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
