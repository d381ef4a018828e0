//! The matches of a search, page after page.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use bytes::Bytes;
use ots_core::request::{self, Columns, Consumed, Request as _, Search, SearchReply};
use ots_core::{Call, Error as CallError};
use ots_proto::messages::SearchRequest;
use ots_proto::operation;
use ots_proto::search::{SearchQuery, TotalCount};

use crate::error::{Error, ErrorKind};
use crate::resume::Fnv;
use crate::search_point::{SearchPlace, SearchPoint};
use crate::search_rows::SearchRows;

/// The road from a search to all its pages.
pub trait SearchExt: sealed::Sealed {
    /// A pager before the first page: the search's own offset is where it begins, its limit is replaced
    /// by `page_rows`.
    ///
    /// # Errors
    /// [`ErrorKind::Call`] when the search is wrong in a way that needs no service to tell.
    fn pager<C: Call<operation::Search>>(
        self,
        call: C,
        page_rows: NonZeroU32,
    ) -> Result<SearchPager<C>, Error>;

    /// All rows that match, one after another. The search's limit is the size of its pages: 100 when it
    /// has none, which the service allows whichever columns are asked for.
    ///
    /// # Errors
    /// As [`pager`](Self::pager).
    fn search_rows<'c, C: Call<operation::Search> + 'c>(
        self,
        call: C,
    ) -> Result<SearchRows<'c, C>, Error>;
}

impl SearchExt for Search {
    fn pager<C: Call<operation::Search>>(
        self,
        call: C,
        page_rows: NonZeroU32,
    ) -> Result<SearchPager<C>, Error> {
        SearchPager::new(self, call, page_rows)
    }

    fn search_rows<'c, C: Call<operation::Search> + 'c>(
        self,
        call: C,
    ) -> Result<SearchRows<'c, C>, Error> {
        let message = self.clone().into_message().map_err(Error::call)?;
        let bytes = message.search_query.unwrap_or_default();
        let query = SearchQuery::from_bytes(&bytes).map_err(|error| unpaged(&error))?;
        let limit = query.limit.and_then(NonZeroU32::new).unwrap_or(PAGE_ROWS);
        Ok(SearchRows::new(self.pager(call, limit)?))
    }
}

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
/// it, and only by the first request.
///
/// # Errors
/// [`ErrorKind::Call`] when a call fails. [`ErrorKind::SearchToken`] when there may be more rows but the
/// service gives no token to them, as for an index with NESTED fields and a search without a sort;
/// [`ErrorKind::SearchWindow`] for a search that collapses, which pages by offset alone. A short result
/// is never passed for the whole. After an error no page comes until the next [`seek`](Self::seek).
///
/// # Cost
/// A request a page. A place beyond the window takes one request to the window's end, and one for every
/// thousand rows from there or from the nearest place known, with keys only. Aggregations and groups of
/// the search are computed for every page.
///
/// # Cancel safety
/// Dropping the future of [`next_page`](Self::next_page) loses nothing: the next one asks again.
#[derive(Debug)]
#[must_use]
pub struct SearchPager<C> {
    call: C,
    search: Search,
    facts: Facts,
    page_rows: u32,
    window: u64,
    fingerprint: u64,
    /// The row that the next page begins with.
    row: u64,
    place: SearchPlace,
    /// Tokens that were given lately, with the row they lead to.
    tokens: VecDeque<(u64, Bytes)>,
    left: Option<u64>,
    total: Option<u64>,
    counts: Option<TotalCount>,
    consumed: Consumed,
    requests: u64,
    failed: bool,
}

/// What of a search decides how it can be paged.
#[derive(Clone, Copy, Debug)]
struct Facts {
    has_sort: bool,
    collapses: bool,
}

/// One page of a search.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchPage {
    /// What the service said: rows, aggregations, highlights.
    pub reply: SearchReply,
    /// The number of the first row among all matches, counted from zero.
    pub offset: u64,
    /// The place of the page before this one, so many rows before it as a page has; none before the
    /// first row. Beyond the window it is reached by walking there.
    pub previous: Option<SearchPoint>,
    /// The place after this page; none after the last.
    pub next: Option<SearchPoint>,
    /// What it cost, with the way to it.
    pub consumed: Consumed,
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
        let fingerprint = fingerprint(message, &query).map_err(|error| unpaged(&error))?;
        let row = u64::from(query.offset.unwrap_or_default());
        let place = match query.token {
            Some(token) => SearchPlace::Token(token),
            None => SearchPlace::Offset,
        };
        Ok(Self {
            call,
            search,
            facts: Facts {
                has_sort: query.sort.is_some() || matches!(place, SearchPlace::Token(_)),
                collapses: query.collapse.is_some(),
            },
            page_rows: page_rows.get(),
            window: WINDOW_ROWS,
            fingerprint,
            row,
            place,
            tokens: VecDeque::new(),
            left: None,
            total: None,
            counts: query.total,
            consumed: Consumed::default(),
            requests: 0,
            failed: false,
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
            return Err(Error::new(ErrorKind::ResumePointOfOtherSearch));
        }
        self.row = point.row();
        self.place = point.place().clone();
        Ok(self)
    }

    /// Goes to a row, counted from zero: the next page begins with it. No request is made yet.
    pub fn seek(&mut self, row: u64) {
        self.row = row;
        self.failed = false;
        let known = self.tokens.iter().find(|(number, _)| *number == row);
        self.place = match known {
            Some((_, token)) => SearchPlace::Token(token.clone()),
            None => SearchPlace::Offset,
        };
    }

    /// How many rows match, if the search asks for it and the first page came.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many pages there are, where the total is known.
    #[must_use]
    pub fn total_pages(&self) -> Option<u64> {
        self.total
            .map(|total| total.div_ceil(u64::from(self.page_rows)))
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
        if self.failed || self.left == Some(0) {
            return Ok(None);
        }
        let outcome = self.read_page().await;
        self.failed = outcome.is_err();
        outcome
    }

    async fn read_page(&mut self) -> Result<Option<SearchPage>, Error> {
        let before = self.consumed.read;
        loop {
            let left = self.left.unwrap_or(u64::MAX).min(u64::from(self.page_rows));
            let rows = u32::try_from(left).unwrap_or(self.page_rows);
            let end = self.row.saturating_add(u64::from(rows));
            let mut rows = rows;
            if matches!(self.place, SearchPlace::Offset) && end > self.window {
                self.walk_to_row().await?;
                if matches!(self.place, SearchPlace::Offset) {
                    rows = self.last_of_window(rows).await?;
                }
            }
            let offset = self.row;
            let Some(reply) = self.ask(rows, None).await? else {
                return Ok(None);
            };
            if reply.response.rows.is_empty() {
                // A page without rows may have others behind it.
                if matches!(self.place, SearchPlace::Done) && self.requests > 1 {
                    return Ok(None);
                }
                if !matches!(self.place, SearchPlace::Done) {
                    continue;
                }
            }
            let count = reply.response.rows.len() as u64;
            self.left = self.left.map(|left| left.saturating_sub(count));
            let mut consumed = reply.consumed;
            consumed.read = self.consumed.read.saturating_sub(before);
            return Ok(Some(SearchPage {
                reply,
                offset,
                previous: self.point_before(offset),
                next: self.point(),
                consumed,
            }));
        }
    }

    /// Comes to a row beyond the window by reading the keys of those before it.
    async fn walk_to_row(&mut self) -> Result<(), Error> {
        if self.facts.collapses {
            return Err(Error::new(ErrorKind::SearchWindow));
        }
        let target = self.row;
        let known = self.tokens.iter().filter(|(row, _)| *row <= target);
        match known.max_by_key(|(row, _)| *row).cloned() {
            Some((row, token)) => (self.row, self.place) = (row, SearchPlace::Token(token)),
            // The last rows of the window lead to the first token, if not to the target itself.
            None => {
                let last = WALK_ROWS.min(self.window).min(target);
                self.row = self.window.min(target).saturating_sub(last);
            }
        }
        while self.row < target && !matches!(self.place, SearchPlace::Done) {
            let mut rows = WALK_ROWS.min(target.saturating_sub(self.row));
            if matches!(self.place, SearchPlace::Offset) {
                rows = rows.min(self.window.saturating_sub(self.row));
            }
            let rows = u32::try_from(rows).unwrap_or(u32::MAX);
            if self.ask(rows, Some(Columns::PrimaryKey)).await?.is_none() {
                break;
            }
            if matches!(self.place, SearchPlace::Offset) {
                break;
            }
        }
        self.row = target;
        Ok(())
    }

    /// How many rows the window still has where no token leads beyond; an error where it has none, but
    /// the search has.
    async fn last_of_window(&mut self, rows: u32) -> Result<u32, Error> {
        let left = self.window.saturating_sub(self.row);
        if left > 0 {
            return Ok(rows.min(u32::try_from(left).unwrap_or(rows)));
        }
        // Whether anything is missing, only a count can tell.
        if self.total.is_none() {
            let count = self.search.clone().limit(0).count_all();
            self.total = self.send(count).await?.response.total();
        }
        if self.total.is_some_and(|total| total <= self.row) {
            self.place = SearchPlace::Done;
            return Ok(rows);
        }
        Err(Error::new(ErrorKind::SearchToken))
    }

    async fn send(&mut self, search: Search) -> Result<SearchReply, Error> {
        let reply = request::send(&self.call, search).await;
        let reply = reply.map_err(Error::call)?.into_inner();
        self.requests += 1;
        self.consumed += reply.consumed;
        Ok(reply)
    }

    /// Asks for rows from the place reached, and steps past them.
    async fn ask(
        &mut self,
        rows: u32,
        columns: Option<Columns>,
    ) -> Result<Option<SearchReply>, Error> {
        let mut search = self.search.clone().limit(rows);
        search = match &self.place {
            SearchPlace::Done => return Ok(None),
            SearchPlace::Token(token) => search.token(token.clone()),
            SearchPlace::Offset => search.offset(u32::try_from(self.row).unwrap_or(u32::MAX)),
        };
        if let Some(columns) = columns {
            search = search.columns(columns);
        }
        // Counting costs, and the number stays what it was.
        search = match self.counts.filter(|_| self.total.is_none()) {
            Some(count) => search.total(count),
            None => search.total(TotalCount::Flag(false)),
        };
        let reply = self.send(search).await?;
        self.total = self.total.or(reply.response.total());
        let came = reply.response.rows.len() as u64;
        let row = self.row.saturating_add(came);
        let next = match &reply.response.next_token {
            // Collapsed rows are counted by offset alone.
            Some(token) if !token.is_empty() && !self.facts.collapses => {
                if SearchPlace::Token(token.clone()) == self.place {
                    return Err(Error::new(ErrorKind::NotAdvancing));
                }
                self.tokens.push_back((row, token.clone()));
                if self.tokens.len() > RECENT_TOKENS {
                    self.tokens.pop_front();
                }
                SearchPlace::Token(token.clone())
            }
            _ if came < u64::from(rows) => SearchPlace::Done,
            // With a sort there is a token as long as there are rows.
            _ if self.facts.has_sort && !self.facts.collapses => SearchPlace::Done,
            _ if self.total.is_some_and(|total| row >= total) => SearchPlace::Done,
            // All rows that were asked for, and no token: the end, or an index that gives none.
            _ => SearchPlace::Offset,
        };
        (self.row, self.place) = (row, next);
        Ok(Some(reply))
    }

    fn point_before(&self, offset: u64) -> Option<SearchPoint> {
        let row = offset.saturating_sub(u64::from(self.page_rows));
        let point = || SearchPoint::new(self.fingerprint, row, SearchPlace::Offset);
        (offset > 0).then(point)
    }

    fn point(&self) -> Option<SearchPoint> {
        match &self.place {
            SearchPlace::Done => None,
            place => Some(SearchPoint::new(self.fingerprint, self.row, place.clone())),
        }
    }
}

/// A hash of everything that decides which rows come, and in which order.
fn fingerprint(
    mut message: SearchRequest,
    query: &SearchQuery,
) -> Result<u64, ots_proto::search::SearchError> {
    let mut query = query.clone();
    (query.offset, query.limit, query.token, query.total) = (None, None, None, None);
    message.search_query = Some(query.to_bytes()?);
    message.timeout_ms = None;
    Ok(Fnv::of(&prost::Message::encode_to_vec(&message)))
}

/// The most the service returns at once of rows whose columns come from the table.
const PAGE_ROWS: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

/// What every version of the service allows offset and limit to reach.
const WINDOW_ROWS: u64 = 10_000;

/// The most the service returns at once of rows whose columns all come from the index.
const WALK_ROWS: u64 = 1_000;

/// Enough to walk back some pages.
const RECENT_TOKENS: usize = 64;

mod sealed {
    /// Keeps the trait free to grow.
    #[expect(unnameable_types, reason = "nobody else shall implement it")]
    pub trait Sealed {}

    impl Sealed for ots_core::request::Search {}
}
