//! The pages of a range as a stream.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use ots_core::Call;
use ots_core::request::{Consumed, GetRangeReply};
use ots_proto::operation;

use super::fetch::{Fetch, InFlight, fetch};
use crate::cursor::RangeCursor;
use crate::error::Error;
use crate::page::Page;
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
