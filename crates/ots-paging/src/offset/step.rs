//! The way to one page, answer after answer.

use ots_proto::{PrimaryKey, Row};

use super::places::Range;
use crate::cursor::RangeCursor;
use crate::page::NextPage;
use crate::stream::Pages;

/// What a page is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Goal {
    /// The number of its first row.
    pub(super) offset: u64,
    /// How many rows it has at most.
    pub(super) rows: u64,
}

impl Goal {
    /// The row behind the page.
    pub(super) const fn end(self) -> u64 {
        self.offset.saturating_add(self.rows)
    }
}

/// What is being done for the next page, and for which.
///
/// The pager itself stays where it is until the page is handed over, so that a step can be dropped at any
/// time.
#[derive(Debug)]
pub(super) struct Step<'c> {
    pub(super) goal: Goal,
    pub(super) pages: Pages<'c>,
    /// The number of the next row.
    pub(super) row: u64,
    pub(super) reads: Reads,
    pub(super) rows: Vec<Row>,
    /// The key of the first row of the page, once it came.
    pub(super) first: Option<PrimaryKey>,
}

/// What is read of rows.
#[derive(Debug)]
pub(super) enum Reads {
    /// Keys alone, of the rows to skip.
    ///
    /// Where rows may be left out, as many more are asked for as the page has: should the service count
    /// `limit` before the filter, a small rest to skip would take a request for every few rows. That the
    /// number asked for is never smaller than the rows still missing, the page's included, is what
    /// bounds the requests.
    Keys,
    /// All that was asked for.
    Rows,
    /// The same, of rows whose keys came along with those to skip: none lies at this place or behind it.
    Found {
        /// Where the keys that came end.
        until: NextPage,
    },
}

impl<'c> Step<'c> {
    pub(super) const fn new(goal: Goal, pages: Pages<'c>, row: u64, reads: Reads) -> Self {
        Self {
            goal,
            pages,
            row,
            reads,
            rows: Vec::new(),
            first: None,
        }
    }

    /// The row at which this way of reading ends.
    pub(super) const fn target(&self, is_filtered: bool) -> u64 {
        if matches!(self.reads, Reads::Keys) && !is_filtered {
            self.goal.offset
        } else {
            self.goal.end()
        }
    }

    /// How many rows the next request asks for; as many as lie there where they were counted before.
    pub(super) const fn wanted(&self, is_filtered: bool) -> Option<u64> {
        match self.reads {
            Reads::Found { .. } => None,
            _ => Some(self.target(is_filtered).saturating_sub(self.row)),
        }
    }

    pub(super) fn position(&self) -> NextPage {
        let cursor = self.pages.cursor();
        let position = cursor.map_or(NextPage::Done, RangeCursor::position);
        match &self.reads {
            Reads::Found { until } if position.is_done() => until.clone(),
            _ => position,
        }
    }

    /// Decides what follows an answer, and prepares it; `beyond` is the place of the first row of the
    /// answer that isn't wanted. Gives the place behind the page when the page is complete.
    pub(super) fn go_on(
        &mut self,
        range: &mut Range<'c>,
        beyond: Option<NextPage>,
    ) -> Option<NextPage> {
        let Goal { offset, rows } = self.goal;
        let next = beyond.unwrap_or_else(|| self.position());
        if matches!(self.reads, Reads::Keys)
            && let Some(first) = self.first.take()
        {
            let first = NextPage::From(first);
            range.remember(offset, first.clone());
            self.row = offset;
            self.turn_to(range, Reads::Found { until: next }, &first);
            return None;
        }
        let is_complete = !matches!(self.reads, Reads::Keys) && self.row >= self.goal.end();
        if next.is_done() || is_complete {
            return Some(next);
        }
        let is_read = self
            .pages
            .cursor()
            .is_none_or(|cursor| cursor.position().is_done());
        // Fewer rows are left to skip, or their width is known now.
        let left = offset.saturating_sub(self.row);
        let reads = match self.reads {
            Reads::Keys if !range.skips(left, rows) => Reads::Rows,
            Reads::Found { .. } if is_read => Reads::Rows,
            Reads::Rows if range.skips(left, rows) => Reads::Keys,
            _ => return None,
        };
        range.remember(self.row, next.clone());
        self.turn_to(range, reads, &next);
        None
    }

    fn turn_to(&mut self, range: &Range<'c>, reads: Reads, from: &NextPage) {
        self.pages = range.read(&reads, from);
        self.reads = reads;
    }
}
