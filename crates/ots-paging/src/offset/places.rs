//! A range, and the places in it that are known by number.

use std::collections::VecDeque;
use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

use super::step::{Goal, Reads, Step};
use super::width::REQUEST_BYTES;
use crate::anchors::Anchors;
use crate::cursor::RangeCursor;
use crate::keys;
use crate::page::NextPage;
use crate::stream::{Fetch, Pages};

/// The range, and the places in it that are known.
pub(super) struct Range<'c> {
    fetch: Fetch<'c>,
    pub(super) cursor: RangeCursor,
    /// The same range by keys alone, where that has fewer columns.
    keys: Option<RangeCursor>,
    /// Whether rows that are read may be left out.
    pub(super) is_filtered: bool,
    /// Rows of the range that may be read in all, skipped ones included.
    pub(super) total: Option<u64>,
    pub(super) anchors: Anchors,
    /// What a request more is worth.
    pub(super) request_bytes: u64,
    /// Where pages that were given lately begin or end.
    places: VecDeque<(u64, NextPage)>,
}

impl<'c> Range<'c> {
    pub(super) fn new(mut cursor: RangeCursor, fetch: Fetch<'c>) -> Self {
        let total = cursor.rows_left();
        cursor.limit_rows(None);
        let anchors = Anchors::new(cursor.fingerprint_with_start(), EVERY_ROWS, MOST_ANCHORS);
        let places = VecDeque::from([(0, cursor.position())]);
        let keys = cursor.clone().keys_only();
        let keys = (keys.message() != cursor.message()).then_some(keys);
        Self {
            is_filtered: keys::leaves_rows_out(cursor.message(), cursor.start()),
            fetch,
            cursor,
            keys,
            total,
            anchors,
            request_bytes: REQUEST_BYTES,
            places,
        }
    }

    /// The nearest place known at or before a row.
    fn place_before(&self, row: u64) -> (u64, NextPage) {
        let known = self.places.iter().filter(|(number, _)| *number <= row);
        let nearest = known.max_by_key(|(number, _)| *number).cloned();
        let nearest = nearest.unwrap_or_else(|| (0, self.cursor.position()));
        match self.anchors.before(row) {
            Some((number, key)) if number > nearest.0 => (number, NextPage::From(key.clone())),
            _ => nearest,
        }
    }

    /// Remembers where a row lies. The end is no such place: rows may be written behind it, and whoever
    /// goes on from there would never see them.
    pub(super) fn remember(&mut self, row: u64, next: NextPage) {
        self.places.retain(|(number, _)| *number != row);
        if next.is_done() {
            return;
        }
        self.places.push_back((row, next));
        if self.places.len() > RECENT_PLACES {
            self.places.pop_front();
        }
    }

    /// Whether keys alone are read of the rows before a page, where so many are left.
    pub(super) fn skips(&self, skip_rows: u64, page_rows: u64) -> bool {
        let widths = &self.anchors.widths;
        self.keys.is_some() && widths.pay_for_keys(skip_rows, page_rows, self.request_bytes)
    }

    /// The way to a page, from the nearest place known.
    pub(super) fn begin(&self, goal: Goal) -> Step<'c> {
        let (row, next) = self.place_before(goal.offset);
        let reads = if self.skips(goal.offset.saturating_sub(row), goal.rows) {
            Reads::Keys
        } else {
            Reads::Rows
        };
        let pages = self.read(&reads, &next);
        Step::new(goal, pages, row, reads)
    }

    /// What is read from a place on.
    pub(super) fn read(&self, reads: &Reads, from: &NextPage) -> Pages<'c> {
        let cursor = match reads {
            Reads::Keys => self.keys.as_ref().unwrap_or(&self.cursor).at(from),
            Reads::Rows => self.cursor.at(from),
            Reads::Found { until } => {
                let cursor = self.cursor.at(from);
                let parts = cursor.split_at(until.key().cloned());
                parts.into_iter().next().unwrap_or(cursor)
            }
        };
        Pages::over(cursor, Fetch::clone(&self.fetch))
    }

    /// A step that isn't gone on with still knows a place.
    pub(super) fn leave(&mut self, step: &Step<'_>) {
        self.remember(step.row, step.position());
    }
}

impl fmt::Debug for Range<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Range")
            .field("cursor", &self.cursor)
            .field("total", &self.total)
            .field("anchors", &self.anchors.len())
            .finish_non_exhaustive()
    }
}

const EVERY_ROWS: NonZeroU64 = NonZeroU64::MIN.saturating_add(255);
const MOST_ANCHORS: NonZeroU32 = NonZeroU32::MIN.saturating_add(1_023);

/// Enough to walk back some pages without counting.
const RECENT_PLACES: usize = 64;
