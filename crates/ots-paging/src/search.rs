//! The matches of a search, page after page.

mod ext;
mod fingerprint;
mod page;
mod page_rows;
mod reach;
mod rows;
mod total;

use std::fmt;
use std::num::NonZeroU32;

use bytes::Bytes;
use ots_core::request::{self, Columns, Consumed, Request as _, Search, SearchReply};
use ots_core::{Call, Error as CallError};
use ots_proto::operation;
use ots_proto::search::SearchQuery;

use crate::error::{Asked, Error, ErrorKind};
use crate::search_point::{SearchPlace, SearchPoint};

pub use self::ext::SearchExt;
use self::fingerprint::fingerprint;
pub use self::page::SearchPage;
use self::reach::{Reached, Tokens};
pub use self::rows::SearchRows;
use self::total::Total;

fn unpaged(error: &dyn std::fmt::Display) -> Error {
    let problem = format!("the search can't be paged: {error}");
    Error::call(CallError::request(problem))
}

/// The pages of a search, by whichever of the service's ways leads to them.
///
/// The service pages by offset within a window, and by token beyond. This goes by token where it has
/// one, by offset where it may, and to a place beyond the window by the keys of the rows before it.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::num::NonZeroU32;
///
/// use ots_core::Query;
/// use ots_core::request::Search;
/// use ots_paging::SearchExt as _;
///
/// let page_rows = NonZeroU32::new(20).ok_or("a page needs rows")?;
/// let search = Search::new("orders", "by_city", Query::term("city", "Hangzhou")).count_all();
/// let mut pages = search.pager(&client, page_rows)?;
/// while let Some(page) = pages.next_page().await? {
///     println!("rows from {} of {:?}: {:?}", page.offset, pages.total(), page.reply.rows()?);
/// }
/// // Page 700, also where its offset is beyond the window.
/// pages.seek(700 * 20);
/// let page = pages.next_page().await?;
/// # Ok(())
/// # }
/// ```
///
/// A page without rows but with a token is stepped over. A total is counted only if the search asks for
/// it, and only by the first request; and where the end can't be told otherwise, at the window's end.
///
/// # Errors
/// [`ErrorKind::Call`] when a call fails. [`ErrorKind::SearchToken`] when there may be more rows but the
/// service gives no token to them, as for an index with NESTED fields and a search without a sort;
/// [`ErrorKind::SearchWindow`] for a search that collapses, which pages by offset alone. A short result
/// is never passed for the whole. After an error the pager is where it was: the next call asks again.
///
/// # Cost
/// A request a page. A place beyond the window takes one request to the window's end, and one for every
/// thousand rows from there or from the nearest place known, with keys only. Aggregations and groups of
/// the search are computed for every page.
///
/// # Cancel safety
/// Dropping the future of [`next_page`](Self::next_page) loses nothing: the next one asks again, also in
/// the middle of the way to a place beyond the window.
#[must_use]
pub struct SearchPager<C> {
    call: C,
    search: Search,
    table: String,
    index: String,
    has_sort: bool,
    collapses: bool,
    page_rows: u32,
    window: u64,
    fingerprint: u64,
    /// The row that the next page begins with.
    row: u64,
    /// How far it is reached: before that row only while walking there.
    reached: Reached,
    tokens: Tokens,
    /// The row that was found to have no token.
    without_token: Option<u64>,
    /// Pages in a row that said to go on where they began.
    standing_still: u32,
    /// Pages without rows in a row, and the token of one of them.
    empty: (u32, Option<Bytes>),
    left: Option<u64>,
    total: Total,
    consumed: Consumed,
    /// What the pages handed over had cost in all.
    told: Consumed,
    requests: u64,
}

impl<C: Call<operation::Search>> SearchPager<C> {
    /// The pages of a search.
    ///
    /// # Errors
    /// As [`SearchExt::pager`].
    pub fn new(search: Search, call: C, page_rows: NonZeroU32) -> Result<Self, Error> {
        let message = search.clone().into_message().map_err(Error::call)?;
        let bytes = message.search_query.clone().unwrap_or_default();
        let query = SearchQuery::from_bytes(&bytes).map_err(|error| unpaged(&error))?;
        let table = message.table_name.clone().unwrap_or_default();
        let index = message.index_name.clone().unwrap_or_default();
        let fingerprint = fingerprint(message, &query).map_err(|error| unpaged(&error))?;
        let row = u64::from(query.offset.unwrap_or_default());
        let place = match query.token {
            Some(token) => SearchPlace::Token(token),
            None => SearchPlace::Offset,
        };
        Ok(Self {
            call,
            search,
            table,
            index,
            has_sort: query.sort.is_some() || matches!(place, SearchPlace::Token(_)),
            collapses: query.collapse.is_some(),
            page_rows: page_rows.get(),
            window: WINDOW_ROWS,
            fingerprint,
            row,
            reached: Reached { row, place },
            tokens: Tokens::default(),
            without_token: None,
            standing_still: 0,
            empty: (0, None),
            left: None,
            total: Total::new(query.total),
            consumed: Consumed::default(),
            told: Consumed::default(),
            requests: 0,
        })
    }

    /// How far offset and limit together may reach, in rows; 10,000 when never called, which every
    /// version of the service allows.
    pub const fn window(mut self, rows: u64) -> Self {
        self.window = rows;
        self
    }

    /// At most so many rows from here on, over all pages.
    pub const fn take_rows(mut self, rows: u64) -> Self {
        self.left = Some(rows);
        self
    }

    /// Goes on at a place reached earlier.
    ///
    /// # Errors
    /// [`ErrorKind::ResumePointOfOtherSearch`] when it isn't of this search.
    pub fn resume(mut self, point: &SearchPoint) -> Result<Self, Error> {
        if point.fingerprint() != self.fingerprint {
            let error = Error::new(ErrorKind::ResumePointOfOtherSearch);
            return Err(error.asked(self.asked()));
        }
        self.go_to(point);
        Ok(self)
    }

    fn go_to(&mut self, point: &SearchPoint) {
        self.row = point.row();
        let (row, place) = (point.reached_row(), point.place().clone());
        if let SearchPlace::Token(token) = &place {
            self.tokens.remember(row, token.clone());
        }
        (self.reached, self.empty) = (Reached { row, place }, (0, None));
    }

    /// Back before the last page, of so many rows, to ask for it again.
    fn back_to(&mut self, page: &SearchPoint, rows: u64) {
        self.go_to(page);
        self.left = self.left.map(|left| left.saturating_add(rows));
    }

    /// Goes to a row, counted from zero: the next page begins with it. No request is made yet.
    pub fn seek(&mut self, row: u64) {
        self.row = row;
        (self.reached, self.empty) = (self.tokens.to(row), (0, None));
    }

    /// The place of the next page, to go on from later; behind the last one there is nothing.
    pub fn resume_point(&self) -> SearchPoint {
        let Reached { row, place } = &self.reached;
        match place {
            SearchPlace::Token(_) => self.point_at(*row).skip(self.row.saturating_sub(*row)),
            _ => self.point_at(self.row),
        }
    }

    fn point_at(&self, row: u64) -> SearchPoint {
        SearchPoint::new(self.fingerprint, row, self.reached.place.clone())
    }

    /// How many rows match, if all of them were counted: the search asks for it, and the first page came.
    ///
    /// With [`TotalCount::UpTo`](ots_proto::search::TotalCount::UpTo) it is none where more match than
    /// are to be counted. That they are at least as many stands in the first page's
    /// [`reply`](SearchPage::reply).
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total.known()
    }

    /// How many pages there are, where the total is known.
    #[must_use]
    pub fn total_pages(&self) -> Option<u64> {
        let page_rows = u64::from(self.page_rows);
        self.total().map(|total| total.div_ceil(page_rows))
    }

    /// What all requests so far cost, where the service says so.
    #[must_use]
    pub const fn consumed(&self) -> Consumed {
        self.consumed
    }

    /// Requests that were answered.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// The next page, or none after the last.
    ///
    /// # Errors
    /// See [`SearchPager`].
    pub async fn next_page(&mut self) -> Result<Option<SearchPage>, Error> {
        let outcome = self.read_page().await;
        outcome.map_err(|error| error.asked(self.asked()))
    }

    /// What is being asked for, for an error about it.
    fn asked(&self) -> Asked {
        self.asked_from(self.row)
    }

    fn asked_from(&self, row: u64) -> Asked {
        let Self { table, index, .. } = self;
        Asked {
            table: table.clone(),
            text: format!("Search on table {table:?}, index {index:?}, from row {row}"),
        }
    }

    async fn read_page(&mut self) -> Result<Option<SearchPage>, Error> {
        if self.left == Some(0) {
            return Ok(None);
        }
        loop {
            let left = self.left.unwrap_or(u64::MAX).min(u64::from(self.page_rows));
            let mut rows = u32::try_from(left).unwrap_or(self.page_rows);
            if self.is_beyond_window(rows) {
                self.walk_to_row().await?;
                if matches!(self.reached.place, SearchPlace::Offset) {
                    rows = self.last_of_window(rows).await?;
                }
            }
            let (offset, place) = (self.row, self.resume_point());
            let Some(reply) = self.ask(rows, None).await? else {
                return Ok(None);
            };
            self.row = self.reached.row;
            if reply.response.rows.is_empty() {
                // A page without rows may have others behind it.
                if matches!(self.reached.place, SearchPlace::Done) && self.requests > 1 {
                    return Ok(None);
                }
                if !matches!(self.reached.place, SearchPlace::Done) {
                    continue;
                }
            }
            let count = reply.response.rows.len() as u64;
            self.left = self.left.map(|left| left.saturating_sub(count));
            let before = std::mem::replace(&mut self.told, self.consumed);
            let mut consumed = self.consumed;
            consumed.read = consumed.read.saturating_sub(before.read);
            consumed.write = consumed.write.saturating_sub(before.write);
            return Ok(Some(SearchPage {
                reply,
                offset,
                place,
                previous: self.point_before(offset),
                next: self.point(),
                consumed,
            }));
        }
    }

    async fn send(&mut self, search: Search) -> Result<SearchReply, Error> {
        let reply = request::send(&self.call, search).await;
        let reply = reply.map_err(Error::call)?.into_inner();
        self.requests += 1;
        self.consumed += reply.consumed;
        Ok(reply)
    }

    /// Whether tokens of pages without rows lead to each other, for longer than pages may stand still.
    /// One of them is kept in mind, each for twice as many pages as the one before: so a circle of any
    /// length is met.
    fn goes_round(&mut self, came: u64, token: &Bytes) -> bool {
        let (pages, kept) = &mut self.empty;
        if came > 0 {
            (*pages, *kept) = (0, None);
            return false;
        }
        *pages = pages.saturating_add(1);
        if *pages > MOST_STANDING_STILL + 1 && kept.as_ref() == Some(token) {
            return true;
        }
        if pages.is_power_of_two() {
            *kept = Some(token.clone());
        }
        false
    }

    /// Asks for rows from the place reached, and steps past them.
    async fn ask(
        &mut self,
        rows: u32,
        columns: Option<Columns>,
    ) -> Result<Option<SearchReply>, Error> {
        let mut search = self.search.clone().limit(rows);
        let Reached { row, place } = &self.reached;
        search = match place {
            SearchPlace::Done => return Ok(None),
            SearchPlace::Token(token) => search.token(token.clone()),
            SearchPlace::Offset => search.offset(u32::try_from(*row).unwrap_or(u32::MAX)),
        };
        if let Some(columns) = columns {
            search = search.columns(columns);
        }
        let count = self.total.to_count();
        let reply = self.send(search.total(count)).await?;
        self.total.saw(count, reply.response.total());
        let came = reply.response.rows.len() as u64;
        let row = self.reached.row.saturating_add(came);
        let place = match &reply.response.next_token {
            // Collapsed rows are counted by offset alone.
            Some(token) if !token.is_empty() && !self.collapses => {
                let place = SearchPlace::Token(token.clone());
                let stands_still = place == self.reached.place;
                if stands_still && (came > 0 || self.standing_still >= MOST_STANDING_STILL) {
                    return Err(Error::new(ErrorKind::NotAdvancing));
                }
                self.standing_still = if stands_still {
                    self.standing_still + 1
                } else {
                    0
                };
                if self.goes_round(came, token) {
                    return Err(Error::new(ErrorKind::NotAdvancing));
                }
                self.tokens.remember(row, token.clone());
                place
            }
            _ if came < u64::from(rows) && !may_be_cut(came) => SearchPlace::Done,
            // With a sort there is a token as long as there are rows.
            _ if self.has_sort && !self.collapses => SearchPlace::Done,
            _ if self.total.ends_by(row) => SearchPlace::Done,
            // As many rows as the service may give, and no token: the end, or an index that gives none.
            _ => {
                self.without_token = Some(row);
                SearchPlace::Offset
            }
        };
        self.reached = Reached { row, place };
        Ok(Some(reply))
    }

    fn point_before(&self, offset: u64) -> Option<SearchPoint> {
        let row = offset.saturating_sub(u64::from(self.page_rows));
        let point = || SearchPoint::new(self.fingerprint, row, SearchPlace::Offset);
        (offset > 0).then(point)
    }

    fn point(&self) -> Option<SearchPoint> {
        let is_done = matches!(self.reached.place, SearchPlace::Done);
        (!is_done).then(|| self.resume_point())
    }
}

impl<C> fmt::Debug for SearchPager<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is searched for is data.
        f.debug_struct("SearchPager")
            .field("table", &self.table)
            .field("index", &self.index)
            .field("row", &self.row)
            .field("page_rows", &self.page_rows)
            .field("window", &self.window)
            .field("left", &self.left)
            .field("total", &self.total.known())
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

/// Whether so many rows may be fewer than were asked for because the service gives no more at once: it
/// documents a hundred, and a thousand where the index has all columns.
const fn may_be_cut(rows: u64) -> bool {
    rows > 0 && rows.is_multiple_of(100)
}

/// How often the service may say that it found nothing yet, in a row.
const MOST_STANDING_STILL: u32 = 99;

/// What every version of the service allows offset and limit to reach.
const WINDOW_ROWS: u64 = 10_000;
