//! The rows of a range as a stream.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use ots_core::Call;
use ots_core::request::Consumed;
use ots_proto::plainbuffer;
use ots_proto::{NameCache, Row, operation};

use super::pages::Pages;
use crate::cursor::RangeCursor;
use crate::decode::{NextRow, PageRows};
use crate::error::Error;
use crate::page;
use crate::resume::ResumePoint;

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
/// As [`Pages`]. Where owned rows aren't needed, the reader of a [`Page`](crate::Page) copies nothing.
///
/// # Cancel safety
/// Dropping it loses the rows of the page that were not taken, and abandons the request in flight;
/// [`resume_point`](Self::resume_point) tells where to go on.
#[must_use = "streams do nothing unless polled"]
pub struct Rows<'c> {
    pages: Pages<'c>,
    page: Option<PageRows>,
    names: NameCache,
    delivered: u64,
    /// Rows delivered when as many as are wanted have been.
    end: Option<u64>,
    /// Rows delivered when something else than the next row has to be looked at: the end, or how far the
    /// next page is.
    pause: u64,
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
        let end = pages.cursor().and_then(RangeCursor::rows_left);
        pages.limit_rows(None);
        let names = NameCache::default();
        Self {
            pages,
            page: None,
            names,
            delivered: 0,
            end,
            pause: 0,
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
        self.end = Some(self.delivered.saturating_add(rows));
        self.pause = 0;
        self
    }

    /// Asks for the next page while the rows of one are taken; see [`Pages::prefetch`].
    ///
    /// How far it is, is looked at every few dozen rows. With a total limit the rows of a page are counted first,
    /// so that none is asked for that isn't wanted.
    pub const fn prefetch(mut self) -> Self {
        self.prefetch = true;
        self.pause = 0;
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

    /// The rows still wanted, if there is a limit.
    fn left(&self) -> Option<u64> {
        self.end.map(|end| end.saturating_sub(self.delivered))
    }

    fn is_over(&self) -> bool {
        self.failed || self.left() == Some(0)
    }

    /// Looks at all that isn't the next row, and says whether there may be one.
    #[inline(never)]
    fn goes_on(&mut self, cx: &mut Context<'_>) -> bool {
        if self.is_over() {
            return false;
        }
        self.pause = self.end.unwrap_or(u64::MAX);
        if self.prefetch {
            self.look_ahead(cx);
            let look = self.delivered.saturating_add(ROWS_BETWEEN_LOOKS);
            self.pause = self.pause.min(look);
        }
        true
    }

    /// Asks for the page after the one that is being read, or sees how far it is.
    fn look_ahead(&mut self, cx: &mut Context<'_>) {
        let Some(page) = &self.page else {
            return;
        };
        if let Some(left) = self.left() {
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

    /// Goes on to the next page, and says whether there is one.
    #[inline(never)]
    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        if self.page.take().is_some() {
            self.pages.saw_rows(self.taken_of_page());
        }
        if let Some(left) = self.left() {
            self.pages.want_rows(left);
        }
        let Some(page) = ready!(Pin::new(&mut self.pages).poll_next(cx)) else {
            return Poll::Ready(Ok(false));
        };
        self.page = Some(PageRows::new(page?));
        self.delivered_before = self.delivered;
        self.rows_of_page = None;
        self.pause = 0;
        Poll::Ready(Ok(true))
    }

    #[cold]
    fn damaged(&mut self, error: plainbuffer::Error) -> Error {
        let error = Error::from(error);
        match &self.page {
            Some(page) => self.pages.fail(error, page.page()),
            None => error,
        }
    }

    #[cold]
    fn fail(&mut self, error: Error) -> Error {
        self.failed = true;
        self.pause = 0;
        error.after_rows(self.delivered)
    }
}

/// How far the next page is, is looked at only so often: asking a real transport takes as long as a
/// short row.
const ROWS_BETWEEN_LOOKS: u64 = 64;

impl Stream for Rows<'_> {
    type Item = Result<Row, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.delivered >= this.pause && !this.goes_on(cx) {
                return Poll::Ready(None);
            }
            let damaged = match &mut this.page {
                Some(page) => match page.next_row(&mut this.names) {
                    // Returned from right here, so that a row is moved once.
                    Ok(Some(row)) => {
                        this.delivered += 1;
                        return Poll::Ready(Some(Ok(row)));
                    }
                    Ok(None) => None,
                    Err(error) => Some(this.damaged(error)),
                },
                None => None,
            };
            let error = match damaged {
                Some(error) => error,
                None => match ready!(this.poll_page(cx)) {
                    Ok(true) => continue,
                    Ok(false) => return Poll::Ready(None),
                    Err(error) => error,
                },
            };
            return Poll::Ready(Some(Err(this.fail(error))));
        }
    }
}

impl FusedStream for Rows<'_> {
    fn is_terminated(&self) -> bool {
        self.is_over() || (self.page.is_none() && self.pages.is_terminated())
    }
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("pages", &self.pages)
            .field("rows", &self.delivered)
            .field("left", &self.left())
            .field("is_terminated", &self.is_terminated())
            .finish_non_exhaustive()
    }
}
