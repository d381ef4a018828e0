//! A cursor driven by calls, as streams.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use ots_core::Call;
use ots_core::request::{Consumed, GetRange, GetRangeReply, Request as _};
use ots_proto::messages::GetRangeRequest;
use ots_proto::{NameCache, Row, operation};

use crate::cursor::RangeCursor;
use crate::decode::{NextRow, PageRows};
use crate::error::Error;
use crate::page::{self, Page};
use crate::resume::ResumePoint;

/// The pages of a range, one after another.
///
/// Lazy: a page is asked for when it is polled for, so at most one request is in flight, and without
/// [`prefetch`](Self::prefetch) none between a page and the next poll. Nothing is spawned. After an
/// error, as after the end, it gives nothing more.
///
/// # Errors
/// As [`RangeCursor::absorb`], and [`ErrorKind::Call`](crate::ErrorKind::Call) when a call fails.
///
/// # Cost
/// One request a page; each costs one read capacity unit for every started 4 KB, at least one.
///
/// # Cancel safety
/// Dropping it abandons the request in flight, whose capacity units are spent all the same.
#[must_use = "streams do nothing unless polled"]
pub struct Pages<'c> {
    state: State<'c>,
}

enum State<'c> {
    /// The request was wrong; the error is taken by the first poll.
    Refused(Option<Error>),
    Reading(Box<Reading<'c>>),
}

struct Reading<'c> {
    cursor: RangeCursor,
    fetch: Fetch<'c>,
    ahead: Ahead<'c>,
    prefetch: bool,
    failed: bool,
}

/// What has become of the next page. The cursor stays before it until the page is handed over, so that
/// places to resume from don't skip it.
enum Ahead<'c> {
    NotAsked,
    InFlight(InFlight<'c>),
    Came(Result<GetRangeReply, ots_core::Error>),
}

// A box for each page is nothing beside its round trip, and spares the streams a type parameter.
pub(crate) type InFlight<'c> =
    Pin<Box<dyn Future<Output = Result<GetRangeReply, ots_core::Error>> + Send + 'c>>;
pub(crate) type Fetch<'c> = Arc<dyn Fn(GetRangeRequest) -> InFlight<'c> + Send + Sync + 'c>;

impl<'c> Pages<'c> {
    /// The pages from where a cursor stands.
    pub fn new<C: Call<operation::GetRange> + 'c>(cursor: RangeCursor, call: C) -> Self {
        Self::over(cursor, fetch(call))
    }

    pub(crate) fn over(cursor: RangeCursor, fetch: Fetch<'c>) -> Self {
        let reading = Reading {
            cursor,
            fetch,
            ahead: Ahead::NotAsked,
            prefetch: false,
            failed: false,
        };
        Self {
            state: State::Reading(Box::new(reading)),
        }
    }

    pub(crate) const fn failed(error: Error) -> Self {
        Self {
            state: State::Refused(Some(error)),
        }
    }

    /// At most so many rows from the next page on; the page that reaches the limit is cut.
    ///
    /// Unlike counting the rows outside, this tells the service to send no more than that.
    pub fn take_rows(mut self, rows: u64) -> Self {
        self.limit_rows(Some(rows));
        self
    }

    /// Asks for the next page as a page is handed over, so that it comes while that one is read.
    ///
    /// Nothing is spawned: the request is sent at once, and what becomes of it is seen at the next poll.
    /// Where reading a page takes no longer than a round trip, pages then come one a round trip. In memory
    /// lies one page more, at most 4 MB and bounded further by [`RangeCursor::page_bytes`]. A page asked
    /// for in vain, as nobody read on, is paid all the same.
    pub fn prefetch(mut self) -> Self {
        if let State::Reading(reading) = &mut self.state {
            reading.prefetch = true;
        }
        self
    }

    /// The next page, or none at the end.
    ///
    /// # Errors
    /// As the stream.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the request goes on at the next poll.
    pub async fn next(&mut self) -> Option<Result<Page, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The cursor; none when the request was wrong.
    #[must_use]
    pub fn cursor(&self) -> Option<&RangeCursor> {
        match &self.state {
            State::Reading(reading) => Some(&reading.cursor),
            State::Refused(_) => None,
        }
    }

    /// The place after the last page given, also after an error; none when the request was wrong.
    #[must_use]
    pub fn resume_point(&self) -> Option<ResumePoint> {
        self.cursor().map(RangeCursor::resume_point)
    }

    /// What the pages so far cost.
    #[must_use]
    pub fn consumed(&self) -> Consumed {
        self.cursor().map(RangeCursor::consumed).unwrap_or_default()
    }

    pub(crate) fn limit_rows(&mut self, left: Option<u64>) {
        if let State::Reading(reading) = &mut self.state {
            reading.cursor.limit_rows(left);
        }
    }

    /// Asks for so many rows from now on; what is in flight was asked for with the number of then.
    pub(crate) fn want_rows(&mut self, rows: u64) {
        if let State::Reading(reading) = &mut self.state
            && matches!(reading.ahead, Ahead::NotAsked)
        {
            reading.cursor.want_rows(Some(rows));
        }
    }

    pub(crate) fn saw_rows(&mut self, rows: u64) {
        if let State::Reading(reading) = &mut self.state {
            reading.cursor.saw_rows(rows);
        }
    }

    /// Asks for the next page, unless that was done, and sees how far it is.
    pub(crate) fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        if let State::Reading(reading) = &mut self.state
            && !reading.failed
        {
            reading.poll_ahead(cx);
        }
    }

    fn has_request_in_flight(&self) -> bool {
        matches!(&self.state, State::Reading(reading) if matches!(reading.ahead, Ahead::InFlight(_)))
    }

    /// An error about the rows of the last page, after which no page is given.
    pub(crate) fn fail(&mut self, error: Error, page: &Page) -> Error {
        match &mut self.state {
            State::Reading(reading) => {
                reading.failed = true;
                reading.ahead = Ahead::NotAsked;
                error.at(reading.cursor.place_of(page))
            }
            State::Refused(_) => error,
        }
    }
}

/// The calls of a pager, without their type.
pub(crate) fn fetch<'c, C: Call<operation::GetRange> + 'c>(call: C) -> Fetch<'c> {
    let call = Arc::new(call);
    Arc::new(move |message| {
        let call = Arc::clone(&call);
        Box::pin(async move { GetRange::read(call.call(message).await?) })
    })
}

impl Reading<'_> {
    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Page, Error>>> {
        if self.failed || self.cursor.is_done() {
            // Whatever was asked for isn't wanted any more.
            self.ahead = Ahead::NotAsked;
            return Poll::Ready(None);
        }
        self.poll_ahead(cx);
        let reply = match std::mem::replace(&mut self.ahead, Ahead::NotAsked) {
            Ahead::Came(reply) => reply,
            Ahead::NotAsked => return Poll::Ready(None),
            in_flight @ Ahead::InFlight(_) => {
                self.ahead = in_flight;
                return Poll::Pending;
            }
        };
        let page = match reply {
            Ok(reply) => self.cursor.absorb(reply),
            Err(error) => Err(Error::call(error).at(self.cursor.place())),
        };
        self.failed = page.is_err();
        if self.prefetch && !self.failed {
            self.poll_ahead(cx);
        }
        Poll::Ready(Some(page))
    }

    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        if matches!(self.ahead, Ahead::NotAsked)
            && let Some(message) = self.cursor.next_request()
        {
            self.ahead = Ahead::InFlight((self.fetch)(message));
        }
        if let Ahead::InFlight(in_flight) = &mut self.ahead
            && let Poll::Ready(reply) = in_flight.as_mut().poll(cx)
        {
            self.ahead = Ahead::Came(reply);
        }
    }
}

impl Stream for Pages<'_> {
    type Item = Result<Page, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.get_mut().state {
            State::Refused(error) => Poll::Ready(error.take().map(Err)),
            State::Reading(reading) => reading.poll_page(cx),
        }
    }
}

impl FusedStream for Pages<'_> {
    fn is_terminated(&self) -> bool {
        match &self.state {
            State::Refused(error) => error.is_none(),
            State::Reading(reading) => reading.failed || reading.cursor.is_done(),
        }
    }
}

impl fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("cursor", &self.cursor())
            .field("request_in_flight", &self.has_request_in_flight())
            .field("is_terminated", &self.is_terminated())
            .finish()
    }
}

/// The rows of a range, one after another, each owning its values.
///
/// A page is decoded as its rows are taken, and the next page is asked for when the last row of the
/// one before has been taken, or with [`prefetch`](Self::prefetch) when its first row is. Otherwise like
/// [`Pages`]: lazy, at most one request in flight, nothing spawned, nothing more after an error.
///
/// # Errors
/// As [`Pages`], and [`ErrorKind::Rows`](crate::ErrorKind::Rows) in the place of a damaged row: every
/// row before it has been given.
///
/// # Cost
/// As [`Pages`]. Where owned rows aren't needed, the reader of a [`Page`] copies nothing.
///
/// # Cancel safety
/// Dropping it loses the rows of the page that were not taken, and abandons the request in flight;
/// [`resume_point`](Self::resume_point) tells where to go on.
#[must_use = "streams do nothing unless polled"]
pub struct Rows<'c> {
    pages: Pages<'c>,
    page: Option<PageRows>,
    names: NameCache,
    left: Option<u64>,
    delivered: u64,
    /// Of them, those before the page that is being read.
    delivered_before: u64,
    /// Rows of the page that is being read, where that had to be known beforehand.
    rows_of_page: Option<u64>,
    prefetch: bool,
    failed: bool,
}

impl<'c> Rows<'c> {
    /// The rows from where a cursor stands.
    pub fn new<C: Call<operation::GetRange> + 'c>(cursor: RangeCursor, call: C) -> Self {
        Self::of(Pages::new(cursor, call))
    }

    pub(crate) fn of(mut pages: Pages<'c>) -> Self {
        // The rows are counted here, so that no page must be walked to be cut.
        let left = pages.cursor().and_then(RangeCursor::rows_left);
        pages.limit_rows(None);
        let names = NameCache::default();
        Self {
            pages,
            page: None,
            names,
            left,
            delivered: 0,
            delivered_before: 0,
            rows_of_page: None,
            prefetch: false,
            failed: false,
        }
    }

    /// At most so many rows from here on.
    ///
    /// Unlike `StreamExt::take`, this tells the service to send no more than that.
    pub fn take_rows(mut self, rows: u64) -> Self {
        self.left = Some(rows);
        self
    }

    /// Asks for the next page while the rows of one are taken; see [`Pages::prefetch`].
    ///
    /// How far it is, is looked at between rows. With a total limit the rows of a page are counted first,
    /// so that none is asked for that isn't wanted.
    pub const fn prefetch(mut self) -> Self {
        self.prefetch = true;
        self
    }

    /// The next row, or none at the end.
    ///
    /// # Errors
    /// As the stream.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the request goes on at the next poll.
    pub async fn next(&mut self) -> Option<Result<Row, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The place of the next row that was not given yet, also after an error.
    ///
    /// None when that place can't be named: the request was wrong, or the next row is damaged. Between
    /// pages there is always a place.
    ///
    /// # Cost
    /// No request; at most the decoding of one row.
    #[must_use]
    pub fn resume_point(&self) -> Option<ResumePoint> {
        let cursor = self.pages.cursor()?;
        let Some(page) = &self.page else {
            return Some(cursor.resume_point());
        };
        match page.peek(cursor.start()) {
            NextRow::Key(key) => Some(cursor.resume_point().moved_to(key)),
            NextRow::EndOfPage => Some(cursor.resume_point()),
            NextRow::Unknown => None,
        }
    }

    /// Rows given so far.
    #[must_use]
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// What the pages so far cost.
    #[must_use]
    pub fn consumed(&self) -> Consumed {
        self.pages.consumed()
    }

    fn row_of_page(&mut self) -> Result<Option<Row>, Error> {
        let Some(page) = &mut self.page else {
            return Ok(None);
        };
        match page.next_row(&mut self.names) {
            Ok(row) => Ok(row),
            Err(error) => Err(self.pages.fail(error.into(), page.page())),
        }
    }

    /// Asks for the page after the one that is being read, or sees how far it is.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        let Some(page) = self.page.as_ref().filter(|_| self.prefetch) else {
            return;
        };
        if !page.is_between_handfuls() {
            return;
        }
        if let Some(left) = self.left {
            let rows = self.rows_of_page.unwrap_or_else(|| {
                let page = page.page();
                let rows = page::count(page.buffer(), u64::MAX, page.start()).rows;
                self.pages.saw_rows(rows);
                rows
            });
            self.rows_of_page = Some(rows);
            let rest = left.saturating_sub(rows.saturating_sub(self.taken_of_page()));
            if rest == 0 {
                return;
            }
            self.pages.want_rows(rest);
        }
        self.pages.poll_ahead(cx);
    }

    const fn taken_of_page(&self) -> u64 {
        self.delivered.saturating_sub(self.delivered_before)
    }

    fn poll_row(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Row>, Error>> {
        while !self.failed && self.left != Some(0) {
            self.poll_ahead(cx);
            if let Some(row) = self.row_of_page()? {
                return Poll::Ready(Ok(Some(row)));
            }
            if self.page.take().is_some() {
                self.pages.saw_rows(self.taken_of_page());
            }
            if let Some(left) = self.left {
                self.pages.want_rows(left);
            }
            match ready!(Pin::new(&mut self.pages).poll_next(cx)) {
                Some(page) => {
                    let page = page?;
                    self.delivered_before = self.delivered;
                    self.rows_of_page = None;
                    self.page = Some(PageRows::new(page));
                }
                None => break,
            }
        }
        Poll::Ready(Ok(None))
    }
}

impl Stream for Rows<'_> {
    type Item = Result<Row, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let item = ready!(this.poll_row(cx)).map_err(|error| error.after_rows(this.delivered));
        match &item {
            Ok(Some(_)) => {
                this.delivered += 1;
                this.left = this.left.map(|left| left.saturating_sub(1));
            }
            Ok(None) => {}
            Err(_) => this.failed = true,
        }
        Poll::Ready(item.transpose())
    }
}

impl FusedStream for Rows<'_> {
    fn is_terminated(&self) -> bool {
        self.failed || self.left == Some(0) || (self.page.is_none() && self.pages.is_terminated())
    }
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("pages", &self.pages)
            .field("rows", &self.delivered)
            .field("left", &self.left)
            .field("is_terminated", &self.is_terminated())
            .finish_non_exhaustive()
    }
}
