//! A page counted by offset, and what such pages cost.

use ots_core::request::Consumed;
use ots_proto::Row;

use crate::list::PagePlace;
use crate::page::NextPage;
use crate::resume::ResumePoint;

/// One page of an [`OffsetPager`](crate::OffsetPager).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OffsetPage {
    /// The rows: as many as wanted, or fewer at the end of the range.
    pub rows: Vec<Row>,
    /// The number of the first row, counted from zero.
    pub offset: u64,
    /// Where the next page starts.
    pub next: NextPage,
    /// The place before this page.
    pub start_point: ResumePoint,
    /// The place after this page, to go on from later; with a total limit, the rest of it isn't part of
    /// the place.
    pub resume_point: ResumePoint,
    /// What it cost, skipped rows included.
    pub consumed: Consumed,
}

impl OffsetPage {
    /// This page, for a link that needs no counting: see [`RangeExt::page_at`](crate::RangeExt::page_at).
    #[must_use]
    pub fn place(&self) -> PagePlace {
        PagePlace::From(self.start_point.clone())
    }

    /// The page before it; none at the start of the range.
    #[must_use]
    pub fn previous_place(&self) -> Option<PagePlace> {
        (self.offset > 0).then(|| PagePlace::Before(self.start_point.clone()))
    }

    /// The page after it; none at the end of the range.
    #[must_use]
    pub fn next_place(&self) -> Option<PagePlace> {
        (!self.next.is_done()).then(|| PagePlace::From(self.resume_point.clone()))
    }
}

/// What the pages of an [`OffsetPager`](crate::OffsetPager) took so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OffsetCost {
    /// Requests that were answered.
    pub requests: u64,
    /// Rows that came only to be counted.
    pub skipped_rows: u64,
    /// Rows of pages.
    pub rows: u64,
    /// Bytes of rows that came, skipped or not.
    pub bytes: u64,
    /// Capacity units.
    pub consumed: Consumed,
}
