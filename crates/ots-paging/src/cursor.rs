//! Where a range stands: what to ask next, and what an answer means.

mod limits;

use std::num::NonZeroUsize;

use bytes::Bytes;
use ots_core::request::{Consumed, Direction, GetRange, GetRangeReply, Request as _};
use ots_proto::PrimaryKey;
use ots_proto::messages::{self, GetRangeRequest};
use ots_proto::plainbuffer::{Writer, read_primary_key, write_primary_key};

use self::limits::Limits;
use crate::error::{Error, ErrorKind, Place};
use crate::keys;
use crate::page::{self, NextPage, Page, whole_key};
use crate::resume::{Fnv, ResumePoint, fingerprint};
use crate::turned::precedes;
use crate::wide::{self, Cut, OpenRow, Stitched};

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

    /// The same range, rows in the parts they come in; without a total limit, which counts rows.
    pub(crate) const fn in_parts(mut self) -> Self {
        self.limits.left = None;
        self.in_parts = true;
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

    /// The rest of the range in parts, in its order, cut at those of the keys that lie inside it: for
    /// reading them side by side. Keys come from `ComputeSplitPointsBySize`, for one.
    ///
    /// Each part is a range of its own, places to resume from too. A total limit isn't divided: no part
    /// has one.
    pub fn split_at(&self, keys: impl IntoIterator<Item = PrimaryKey>) -> Vec<Self> {
        if self.finished {
            return Vec::new();
        }
        let keys = keys
            .into_iter()
            .filter_map(|key| whole_key(&key, &self.start));
        let mut keys: Vec<PrimaryKey> = keys
            .filter(|key| self.precedes(&self.start, key) && self.precedes(key, &self.end))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        if self.direction == Direction::Backward {
            keys.reverse();
        }
        let mut parts = Vec::with_capacity(keys.len() + 1);
        let mut rest = self.clone();
        rest.limits.left = None;
        for key in keys {
            let mut part = rest.clone();
            rest.go_on_from(key.clone());
            part.message.exclusive_end_primary_key = write_primary_key(&key);
            part.end = key;
            part.fingerprint = fingerprint(&part.message);
            parts.push(part);
        }
        parts.push(rest);
        parts
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

    /// Takes the answer to [`next_request`](Self::next_request) and steps past it.
    ///
    /// When the answer ends inside a row, the page has the rows before that one. The row comes with a
    /// later page, put together; until then, pages may come without rows.
    ///
    /// A page without rows may end where it began: nothing is lost by asking again. A hundred of them in a
    /// row are refused, and one with rows at once, as its rows would come twice.
    ///
    /// # Errors
    /// [`ErrorKind::WideRow`], [`ErrorKind::NotAdvancing`] or [`ErrorKind::NextKey`] for an answer
    /// that can't be gone on from, [`ErrorKind::RowTooLarge`] for a row above
    /// [`row_bytes`](Self::row_bytes), and [`ErrorKind::NotAsked`] when no request was due. The cursor
    /// then stays where it is, except that the capacity units are counted. Damaged rows are not
    /// looked for here: who reads the page finds them.
    pub fn absorb(&mut self, reply: GetRangeReply) -> Result<Page, Error> {
        self.consumed += reply.consumed;
        let refused = |kind| Error::new(kind).at(self.place());
        if self.is_done() {
            return Err(refused(ErrorKind::NotAsked));
        }
        if self.stands_still(&reply) {
            if self.standing_still >= MOST_STANDING_STILL {
                return Err(refused(ErrorKind::NotAdvancing));
            }
            self.standing_still += 1;
            self.pages += 1;
            return Ok(Page {
                start: self.start.clone(),
                buffer: Writer::new().finish(),
                resume: self.resume_point(),
                consumed: reply.consumed,
            });
        }
        let (mut next, cut) = self.next_place(reply.next_start, reply.next_token)?;
        let mut buffer = reply.rows;
        if buffer.is_empty() {
            // The service's way to say "no rows", which a reader of PlainBuffer rightly refuses.
            buffer = Writer::new().finish();
        }
        let open = self.open.as_ref();
        let stitched = if self.in_parts {
            let open = wide::follow(open, &buffer, cut, &self.start);
            open.map(|open| Stitched { buffer, open })
        } else {
            wide::stitch(open, buffer, cut, &self.start, self.row_bytes)
        };
        let Stitched {
            mut buffer,
            mut open,
        } = stitched.map_err(refused)?;
        self.limits.asked(self.page_limit());
        if self.limits.left.is_some() || self.limits.counts_bytes() {
            let left = self.limits.left.unwrap_or(u64::MAX);
            let counted = page::count(&buffer, left, &self.start);
            if let Some(rest) = counted.rest {
                buffer.truncate(rest.offset);
                open = None;
                next = match rest.key {
                    Some(key) if self.precedes(&self.start, &key) => NextPage::From(key),
                    Some(_) => return Err(Error::new(ErrorKind::NotAdvancing).at(self.place())),
                    None => return Err(Error::new(ErrorKind::NextKey).at(self.place())),
                };
            }
            self.limits.saw_bytes(counted.rows, buffer.len() as u64);
            if let Some(left) = &mut self.limits.left {
                *left = left.saturating_sub(counted.rows);
                self.limits.saw_rows(counted.rows);
            }
        }
        self.pages += 1;
        let page = Page {
            start: self.start.clone(),
            buffer,
            resume: ResumePoint::new(self.fingerprint, next.clone()),
            consumed: reply.consumed,
        };
        match next {
            NextPage::Done => self.finished = true,
            NextPage::From(key) => self.go_on_from(key),
        }
        self.open = open;
        Ok(page)
    }

    /// Whether an answer has nothing and says to ask the same again.
    fn stands_still(&self, reply: &GetRangeReply) -> bool {
        let is_start = |key: &PrimaryKey| whole_key(key, &self.start).as_ref() == Some(&self.start);
        let asked = self.open.as_ref().map(OpenRow::token);
        reply.rows.is_empty()
            && reply.next_start.as_ref().is_some_and(is_start)
            && (reply.next_token.is_none() || reply.next_token.as_ref() == asked)
    }

    /// What the end of an answer means.
    fn next_place(
        &self,
        next_start: Option<PrimaryKey>,
        token: Option<Bytes>,
    ) -> Result<(NextPage, Option<Cut>), Error> {
        let refused = |kind| Error::new(kind).at(self.place());
        let Some(key) = next_start else {
            // A row was cut, and nobody says which.
            let cut = token.is_some();
            return if cut {
                Err(refused(ErrorKind::WideRow))
            } else {
                Ok((NextPage::Done, None))
            };
        };
        let key = whole_key(&key, &self.start).ok_or_else(|| refused(ErrorKind::NextKey))?;
        // The first row of a page may be cut, and then be gone on with from the same place.
        let stays = token.is_some() && key == self.start;
        if !stays && !self.precedes(&self.start, &key) {
            return Err(refused(ErrorKind::NotAdvancing));
        }
        match token {
            Some(_) if !self.precedes(&key, &self.end) => Err(refused(ErrorKind::WideRow)),
            Some(token) => {
                let cut = Cut {
                    key: key.clone(),
                    token,
                };
                Ok((NextPage::From(key), Some(cut)))
            }
            None if self.precedes(&key, &self.end) => Ok((NextPage::From(key), None)),
            // All rows before the next key have come, so a key past the end leaves none.
            None => Ok((NextPage::Done, None)),
        }
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

    /// Another range, with the same bounds of memory and without a total limit.
    pub(crate) fn with_message(&self, message: GetRangeRequest) -> Result<Self, Error> {
        let mut cursor = Self::from_message(message)?;
        cursor.limits.by_bytes_as(&self.limits);
        cursor.row_bytes = self.row_bytes;
        Ok(cursor)
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

    /// The same range from another place, and without a total limit.
    pub(crate) fn at(&self, next: &NextPage) -> Self {
        let mut cursor = self.clone();
        cursor.limits.left = None;
        match next {
            NextPage::From(key) => {
                cursor.finished = false;
                cursor.go_on_from(key.clone());
            }
            NextPage::Done => cursor.finished = true,
        }
        cursor
    }

    /// The same rows, with no more columns than it takes to know which they are.
    pub(crate) fn keys_only(mut self) -> Self {
        self.message = keys::keys_only(&self.message, &self.start);
        self.fingerprint = fingerprint(&self.message);
        self.limits.may_probe = keys::leaves_rows_out(&self.message, &self.start);
        self
    }

    /// A hash of the range, its start included.
    pub(crate) fn fingerprint_with_start(&self) -> u64 {
        let mut bytes = self.fingerprint.to_le_bytes().to_vec();
        bytes.extend(&self.message.inclusive_start_primary_key);
        Fnv::of(&bytes)
    }
}

/// How often the service may say that it read nothing, in a row.
const MOST_STANDING_STILL: u32 = 99;

/// A row of the service's widest tables fits, and a thousand of them at once still fit in memory.
const ROW_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests;
