//! Where a range stands: what to ask next, and what an answer means.

mod answer;
mod limits;
mod others;

use std::num::NonZeroUsize;

use bytes::Bytes;
use ots_core::request::{Consumed, Direction, GetRange, Request as _};
use ots_proto::PrimaryKey;
use ots_proto::messages::{self, GetRangeRequest};
use ots_proto::plainbuffer::{read_primary_key, write_primary_key};

use self::limits::Limits;
use crate::error::{Error, ErrorKind, Place};
use crate::keys;
use crate::page::{NextPage, Page, whole_key};
use crate::resume::{Fnv, ResumePoint, fingerprint};
use crate::turned::precedes;
use crate::wide::OpenRow;

/// A range and how far it is read: a plain value, without async, clock or connection.
///
/// It says what to ask, is told the answer, and turns it into a [`Page`]; sending is left to whoever
/// drives it. [`Pages`](crate::Pages) is such a driver, and a loop is another:
///
/// ```
/// use ots_core::request::{GetRange, Request as _};
/// use ots_core::{Call, Error as CallError};
/// use ots_paging::{Error, Page, RangeCursor};
/// use ots_proto::operation;
///
/// async fn next_page(
///     cursor: &mut RangeCursor,
///     call: &impl Call<operation::GetRange>,
/// ) -> Result<Option<Page>, Box<dyn std::error::Error>> {
///     let Some(message) = cursor.next_request() else { return Ok(None) };
///     let reply = GetRange::read(call.call(message).await?)?;
///     Ok(Some(cursor.absorb(reply)?))
/// }
/// ```
///
/// Three limits are kept apart: [`GetRange::limit`] is the rows wanted in a page,
/// [`page_bytes`](Self::page_bytes) the bytes wanted in a page, [`take_rows`](Self::take_rows) the rows
/// wanted in all.
#[derive(Clone, Debug)]
#[must_use]
pub struct RangeCursor {
    /// Always the next page's request, but for its limit.
    message: GetRangeRequest,
    start: PrimaryKey,
    end: PrimaryKey,
    direction: Direction,
    fingerprint: u64,
    finished: bool,
    limits: Limits,
    pages: u64,
    consumed: Consumed,
    /// The row at the start, if parts of it have come.
    open: Option<OpenRow>,
    row_bytes: usize,
    /// Pages in a row that said to go on where they began.
    standing_still: u32,
    /// Whether rows are handed over in the parts they come in.
    in_parts: bool,
}

impl RangeCursor {
    /// A cursor before the first page of a range.
    ///
    /// # Errors
    /// [`ErrorKind::Call`] when the request is wrong in a way that needs no service to tell, and
    /// [`ErrorKind::WideRow`] when it has a [`token`](GetRange::token).
    pub fn new(request: GetRange) -> Result<Self, Error> {
        let mut message = request.into_message().map_err(Error::call)?;
        let token = message.token.take();
        let cursor = Self::from_message(message)?;
        // It belongs to one page only, and the answer to that page would be a part of a row.
        match token.filter(|token| !token.is_empty()) {
            Some(_) => Err(Error::new(ErrorKind::WideRow).at(cursor.place())),
            None => Ok(cursor),
        }
    }

    fn from_message(message: GetRangeRequest) -> Result<Self, Error> {
        let key = |key: &Bytes| {
            read_primary_key(key).map_err(|error| {
                Error::call(ots_core::Error::request(format!(
                    "a bound is not a key: {error}"
                )))
            })
        };
        let mut cursor = Self {
            start: key(&message.inclusive_start_primary_key)?,
            end: key(&message.exclusive_end_primary_key)?,
            direction: match message.direction() {
                messages::Direction::Forward => Direction::Forward,
                messages::Direction::Backward => Direction::Backward,
            },
            fingerprint: fingerprint(&message),
            finished: false,
            limits: Limits::default(),
            pages: 0,
            consumed: Consumed::default(),
            open: None,
            row_bytes: ROW_BYTES,
            standing_still: 0,
            in_parts: false,
            message,
        };
        // Elsewhere no row that is read is left out.
        cursor.limits.may_probe = keys::leaves_rows_out(&cursor.message, &cursor.start);
        Ok(cursor)
    }

    /// At most so many rows from here on, over all pages.
    ///
    /// Pages are cut to keep to it exactly, and no request is made for zero rows. To be counted, the
    /// rows of each page are walked once more than they are read, without comparing checksums.
    pub const fn take_rows(mut self, rows: u64) -> Self {
        self.limit_rows(Some(rows));
        self
    }

    /// About so many bytes of rows in a page; as many as the service sends when never called.
    ///
    /// The service knows only rows, and a limit of its own of 4 MB. So the rows asked for follow from the
    /// width of those that came: a page may be larger where rows get wider or more of them pass a filter,
    /// but never by more than the service's limit. Together with
    /// [`Pages::prefetch`](crate::Pages::prefetch) it bounds the memory of a stream: the page that is read
    /// and the next one. To be counted, the rows of each page are walked once more than they are read,
    /// without comparing checksums.
    pub fn page_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.limits.by_bytes(bytes.get() as u64);
        self
    }

    /// The largest row to put together from parts, in bytes; 64 MiB when never called.
    ///
    /// A row with more columns than fit in an answer comes in several. Its parts are kept until it is
    /// whole, which takes memory. To read rows of any width, there are
    /// [`RowParts`](crate::RowParts), and [`ColumnPager`](crate::ColumnPager) for one row.
    pub const fn row_bytes(mut self, bytes: usize) -> Self {
        self.row_bytes = bytes;
        self
    }

    /// The same range from a place reached earlier.
    ///
    /// # Errors
    /// [`ErrorKind::ResumePointOfOtherRange`] when the place isn't of this range.
    pub fn resume(mut self, point: &ResumePoint) -> Result<Self, Error> {
        let refused = || Error::new(ErrorKind::ResumePointOfOtherRange).at(self.place());
        if point.fingerprint() != self.fingerprint {
            return Err(refused());
        }
        match point.next() {
            NextPage::Done => self.finished = true,
            NextPage::From(key) => {
                let key = whole_key(key, &self.start).ok_or_else(refused)?;
                if self.precedes(&key, &self.start) || !self.precedes(&key, &self.end) {
                    return Err(refused());
                }
                self.go_on_from(key);
            }
        }
        Ok(self)
    }

    /// The request of the next page; none when the range is read, or the rows wanted in all have come.
    ///
    /// It stays the same until its answer is absorbed.
    #[must_use]
    pub fn next_request(&self) -> Option<GetRangeRequest> {
        if self.is_done() {
            return None;
        }
        Some(GetRangeRequest {
            limit: self.page_limit(),
            token: self.open.as_ref().map(|open| open.token().clone()),
            ..self.message.clone()
        })
    }

    /// Whether there is nothing more to ask: the range is read, or the rows wanted in all have come.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.finished || matches!(self.limits.left, Some(0))
    }

    /// Where the range goes on: [`NextPage::Done`] only at its end, not when merely enough rows came.
    #[must_use]
    pub fn position(&self) -> NextPage {
        if self.finished {
            NextPage::Done
        } else {
            NextPage::From(self.start.clone())
        }
    }

    /// The place between the last page absorbed and the next one.
    pub fn resume_point(&self) -> ResumePoint {
        ResumePoint::new(self.fingerprint, self.position())
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.message.table_name
    }

    /// Which way the range is read.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Pages absorbed so far.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        self.pages
    }

    /// What the pages so far cost, those refused included.
    #[must_use]
    pub const fn consumed(&self) -> Consumed {
        self.consumed
    }

    pub(crate) const fn rows_left(&self) -> Option<u64> {
        self.limits.left
    }

    pub(crate) const fn limit_rows(&mut self, left: Option<u64>) {
        self.limits.left = left;
    }

    /// Where the range ends, exclusive.
    pub(crate) const fn end(&self) -> &PrimaryKey {
        &self.end
    }

    /// The request of the next page, but for its limit.
    pub(crate) const fn message(&self) -> &GetRangeRequest {
        &self.message
    }

    /// The start of the range from here on; it has the columns of a whole key.
    pub(crate) const fn start(&self) -> &PrimaryKey {
        &self.start
    }

    /// The page that comes next, for an error about it.
    pub(crate) fn place(&self) -> Place {
        let (table, page) = (self.table().to_owned(), self.pages + 1);
        Place {
            table,
            page,
            start: self.start.clone(),
        }
    }

    /// The page that came last, for an error about its rows.
    pub(crate) fn place_of(&self, page: &Page) -> Place {
        let table = self.table().to_owned();
        Place {
            table,
            page: self.pages,
            start: page.start().clone(),
        }
    }

    fn go_on_from(&mut self, key: PrimaryKey) {
        self.open = None;
        self.standing_still = 0;
        self.message.inclusive_start_primary_key = write_primary_key(&key);
        self.start = key;
    }

    /// Whether `a` comes before `b` the way the range is read.
    fn precedes(&self, a: &PrimaryKey, b: &PrimaryKey) -> bool {
        precedes(a, b, self.direction)
    }

    fn page_limit(&self) -> Option<i32> {
        self.limits.of_page(self.message.limit)
    }

    /// Told how many rows the last page held, so that a sparse one makes the next one larger.
    pub(crate) fn saw_rows(&mut self, rows: u64) {
        self.limits.saw_rows(rows);
    }

    /// Asks for so many rows from now on, without counting what comes.
    pub(crate) const fn want_rows(&mut self, rows: Option<u64>) {
        self.limits.wanted = rows;
    }

    /// A hash of the range, its start included.
    pub(crate) fn fingerprint_with_start(&self) -> u64 {
        let mut bytes = self.fingerprint.to_le_bytes().to_vec();
        bytes.extend(&self.message.inclusive_start_primary_key);
        Fnv::of(&bytes)
    }
}

/// A row of the service's widest tables fits, and a thousand of them at once still fit in memory.
const ROW_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests;
