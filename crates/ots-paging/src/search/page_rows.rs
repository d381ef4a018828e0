//! The rows of a page that a stream holds, decoded one by one.

use ots_proto::plainbuffer::{self, OwningSeparateRows, SeparateRows};
use ots_proto::{NameCache, Row};

use super::SearchPage;
use crate::search_point::SearchPoint;

/// A page, and how many of its rows were taken.
#[derive(Debug)]
pub(super) struct PageRows {
    /// Where the page begins.
    place: SearchPoint,
    rows: OwningSeparateRows,
    taken: usize,
    /// How often it came damaged.
    damages: u32,
}

impl PageRows {
    pub(super) fn new(page: SearchPage) -> Self {
        Self {
            place: page.place,
            rows: OwningSeparateRows::new(page.reply.response.rows),
            taken: 0,
            damages: 0,
        }
    }

    /// The next row, or none at the end of the page.
    pub(super) fn next_row(
        &mut self,
        names: &mut NameCache,
    ) -> Result<Option<Row>, plainbuffer::Error> {
        let row = self.rows.next_owned(names)?;
        self.taken += usize::from(row.is_some());
        Ok(row)
    }

    /// Where the page begins.
    pub(super) const fn place(&self) -> &SearchPoint {
        &self.place
    }

    /// The place of the row that is taken next.
    pub(super) fn next_place(&self) -> SearchPoint {
        self.place.clone().skip(self.taken as u64)
    }

    /// Rows in all.
    pub(super) fn count(&self) -> u64 {
        self.rows.buffers().len() as u64
    }

    /// It came damaged: says whether to ask for it again.
    pub(super) const fn may_be_asked_again(&mut self) -> bool {
        self.damages += 1;
        self.damages <= MOST_ASKED_AGAIN
    }

    /// Goes on in the same page, which was asked for again, behind the rows that were taken. Says no
    /// where those are others now, as the index may have changed.
    pub(super) fn go_on_in(&mut self, page: SearchPage) -> Result<bool, plainbuffer::Error> {
        let mut rows = OwningSeparateRows::new(page.reply.response.rows);
        let mut taken = SeparateRows::new(self.rows.buffers());
        for _ in 0..self.taken {
            let (Some(row), Some(taken)) = (rows.next_row()?, taken.next_row()?) else {
                return Ok(false);
            };
            if row.primary_key() != taken.primary_key() {
                return Ok(false);
            }
        }
        self.rows = rows;
        Ok(true)
    }
}

/// How often a page that comes damaged is asked for again; so often do scans, too.
const MOST_ASKED_AGAIN: u32 = 2;
