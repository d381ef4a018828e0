//! The ways to a row beyond the window for offsets.

use std::collections::VecDeque;

use bytes::Bytes;
use ots_core::Call;
use ots_core::request::Columns;
use ots_proto::operation;
use ots_proto::search::TotalCount;

use super::SearchPager;
use crate::error::{Error, ErrorKind};
use crate::search_point::SearchPlace;

/// A row, and how it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    pub(super) row: u64,
    pub(super) place: SearchPlace,
}

/// Tokens that were given lately, with the row they lead to.
#[derive(Debug, Default)]
pub(super) struct Tokens(VecDeque<(u64, Bytes)>);

impl Tokens {
    pub(super) fn remember(&mut self, row: u64, token: Bytes) {
        self.0.retain(|(number, _)| *number != row);
        self.0.push_back((row, token));
        if self.0.len() > RECENT_TOKENS {
            self.0.pop_front();
        }
    }

    /// How a row is asked for: by its token where there is one, else by its number.
    pub(super) fn to(&self, row: u64) -> Reached {
        let known = self.0.iter().find(|(number, _)| *number == row);
        let token = known.map(|(_, token)| SearchPlace::Token(token.clone()));
        let place = token.unwrap_or(SearchPlace::Offset);
        Reached { row, place }
    }

    /// The nearest place at or before a row that has a token.
    fn before(&self, row: u64) -> Option<Reached> {
        let known = self.0.iter().filter(|(number, _)| *number <= row);
        let (row, token) = known.max_by_key(|(number, _)| *number)?;
        let place = SearchPlace::Token(token.clone());
        Some(Reached { row: *row, place })
    }
}

impl<C: Call<operation::Search>> SearchPager<C> {
    /// Whether the next page lies beyond what an offset may reach, or the way there is not at its end.
    pub(super) fn is_beyond_window(&self, rows: u32) -> bool {
        let is_on_the_way = self.reached.row < self.row;
        let end = self.row.saturating_add(u64::from(rows));
        is_on_the_way || (matches!(self.reached.place, SearchPlace::Offset) && end > self.window)
    }

    /// Comes to a row beyond the window by reading the keys of those before it.
    ///
    /// How far it came stays in `reached`, so that it goes on from there when it was dropped on the way.
    pub(super) async fn walk_to_row(&mut self) -> Result<(), Error> {
        let target = self.row;
        if self.reached.row >= target {
            // Collapsed rows are counted by offset alone.
            if self.collapses || self.without_token == Some(target) {
                return Ok(());
            }
            self.empty = (0, None);
            self.reached = self.tokens.before(target).unwrap_or_else(|| {
                // The last rows of the window lead to the first token, if not to the target itself.
                let end = self.window.min(target);
                let row = end.saturating_sub(WALK_ROWS);
                let place = SearchPlace::Offset;
                Reached { row, place }
            });
        }
        while self.reached.row < target && !matches!(self.reached.place, SearchPlace::Done) {
            let mut rows = WALK_ROWS.min(target.saturating_sub(self.reached.row));
            if matches!(self.reached.place, SearchPlace::Offset) {
                rows = rows.min(self.window.saturating_sub(self.reached.row));
            }
            let rows = u32::try_from(rows).unwrap_or(u32::MAX);
            self.ask(rows, Some(Columns::PrimaryKey)).await?;
            if matches!(self.reached.place, SearchPlace::Offset) {
                self.without_token = Some(target);
                break;
            }
        }
        self.reached.row = target;
        Ok(())
    }

    /// How many rows the window still has where no token leads beyond; an error where it has none, but
    /// the search has.
    pub(super) async fn last_of_window(&mut self, rows: u32) -> Result<u32, Error> {
        let left = self.window.saturating_sub(self.row);
        if left > 0 {
            return Ok(rows.min(u32::try_from(left).unwrap_or(rows)));
        }
        // Whether anything is missing, only a count of all can tell.
        if self.total.known().is_none() {
            let count = TotalCount::Flag(true);
            let search = self.search.clone().limit(0).total(count);
            let reply = self.send(search).await?;
            self.total.saw(count, reply.response.total());
        }
        if self.total.ends_by(self.row) {
            self.reached.place = SearchPlace::Done;
            return Ok(rows);
        }
        Err(Error::new(if self.collapses {
            ErrorKind::SearchWindow
        } else {
            ErrorKind::SearchToken
        }))
    }
}

/// The most the service returns at once of rows whose columns all come from the index.
const WALK_ROWS: u64 = 1_000;

/// Enough to walk back some pages.
const RECENT_TOKENS: usize = 64;
