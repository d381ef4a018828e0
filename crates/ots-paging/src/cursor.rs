//! Where a range stands: what to ask next, and what an answer means.

use bytes::Bytes;
use ots_core::request::{Consumed, Direction, GetRange, GetRangeReply, Request as _};
use ots_proto::PrimaryKey;
use ots_proto::messages::{self, GetRangeRequest};
use ots_proto::plainbuffer::{Writer, read_primary_key, write_primary_key};

use crate::error::{Error, ErrorKind, Place};
use crate::keys;
use crate::page::{self, NextPage, Page, whole_key};
use crate::resume::{Fnv, ResumePoint, fingerprint};
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
/// Two limits are kept apart: [`GetRange::limit`] is the rows wanted in a page,
/// [`take_rows`](Self::take_rows) the rows wanted in all.
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
    /// Rows still wanted in all.
    left: Option<u64>,
    /// Rows to ask for, where whoever drives the cursor counts them.
    wanted: Option<u64>,
    /// Rows that the last page was asked for.
    asked: u64,
    /// Rows to ask for although fewer are wanted; see [`Self::page_limit`].
    probe: u64,
    /// Whether to ask for more than is wanted after sparse pages.
    may_probe: bool,
    pages: u64,
    consumed: Consumed,
    /// The row at the start, if parts of it have come.
    open: Option<OpenRow>,
    row_bytes: usize,
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
            left: None,
            probe: 0,
            wanted: None,
            asked: 0,
            may_probe: false,
            pages: 0,
            consumed: Consumed::default(),
            open: None,
            row_bytes: ROW_BYTES,
            message,
        };
        // Elsewhere no row that is read is left out.
        cursor.may_probe = keys::leaves_rows_out(&cursor.message, &cursor.start);
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

    /// The largest row to put together from parts, in bytes; 64 MiB when never called.
    ///
    /// A row with more columns than fit in an answer comes in several. Its parts are kept until it is
    /// whole, which takes memory. To read rows of any width, column by column, there is
    /// [`ColumnPager`](crate::ColumnPager).
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
                if self.precedes(&key, &self.start) {
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
        let limit = self.page_limit();
        Some(GetRangeRequest {
            limit,
            token: self.open.as_ref().map(|open| open.token().clone()),
            ..self.message.clone()
        })
    }

    /// Takes the answer to [`next_request`](Self::next_request) and steps past it.
    ///
    /// When the answer ends inside a row, the page has the rows before that one. The row comes with a
    /// later page, put together; until then, pages may come without rows.
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
        let (mut next, cut) = self.next_place(reply.next_start, reply.next_token)?;
        let mut buffer = reply.rows;
        if buffer.is_empty() {
            // The service's way to say "no rows", which a reader of PlainBuffer rightly refuses.
            buffer = Writer::new().finish();
        }
        let stitched = wide::stitch(self.open.as_ref(), buffer, cut, &self.start, self.row_bytes);
        let Stitched {
            mut buffer,
            mut open,
        } = stitched.map_err(refused)?;
        self.asked = self.page_limit().map_or(0, i64::from).unsigned_abs();
        self.probe = 0;
        if let Some(left) = self.left {
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
            self.left = Some(left.saturating_sub(counted.rows));
            if !next.is_done() {
                self.saw_rows(counted.rows);
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
        self.finished || matches!(self.left, Some(0))
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
        self.left
    }

    pub(crate) const fn limit_rows(&mut self, left: Option<u64>) {
        self.left = left;
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
        self.message.inclusive_start_primary_key = write_primary_key(&key);
        self.start = key;
    }

    /// Whether `a` comes before `b` the way the range is read.
    fn precedes(&self, a: &PrimaryKey, b: &PrimaryKey) -> bool {
        match self.direction {
            Direction::Forward => a < b,
            Direction::Backward => a > b,
        }
    }

    /// Rows to ask for in the next page.
    ///
    /// With a total limit, the rest of it: more would be read, paid and thrown away. But should the
    /// service count `limit` before the filter, the rest of a small total would make tiny pages, one
    /// for every few rows that don't pass; so after a sparse page more is asked for.
    fn page_limit(&self) -> Option<i32> {
        let wanted = self
            .left
            .or(self.wanted)
            .map(|left| left.max(self.probe).min(MAX_PAGE_ROWS));
        let wanted = wanted.and_then(|rows| i32::try_from(rows).ok());
        match (self.message.limit, wanted) {
            (Some(page), Some(wanted)) => Some(page.min(wanted)),
            (page, wanted) => page.or(wanted),
        }
    }

    /// Told how many rows the last page held, decides how many to ask for: twice as many when it held
    /// less than half of what was asked for, for no other reason than a filter or a choice of columns.
    pub(crate) fn saw_rows(&mut self, rows: u64) {
        self.probe = if self.may_probe && rows.saturating_mul(2) < self.asked {
            self.asked.saturating_mul(2).min(MAX_PAGE_ROWS)
        } else {
            0
        };
    }

    /// Asks for so many rows from now on, without counting what comes.
    pub(crate) const fn want_rows(&mut self, rows: Option<u64>) {
        self.wanted = rows;
    }

    /// The same range from another place, and without a total limit.
    pub(crate) fn at(&self, next: &NextPage) -> Self {
        let mut cursor = self.clone();
        cursor.left = None;
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
        self.may_probe = keys::leaves_rows_out(&self.message, &self.start);
        self
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

/// The service ends a page here, whatever the limit.
const MAX_PAGE_ROWS: u64 = 5_000;

#[cfg(test)]
mod tests {
    use ots_core::Reply;
    use ots_core::filter::Filter;
    use ots_core::request::Request as _;
    use ots_proto::messages::GetRangeResponse;
    use ots_proto::{NameCache, Row};

    use super::*;

    fn key(id: i64) -> PrimaryKey {
        PrimaryKey::new().column("id", id)
    }

    fn range() -> GetRange {
        GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]))
    }

    fn backward() -> GetRange {
        GetRange::new("orders", PrimaryKey::max(["id"]), PrimaryKey::min(["id"]))
            .direction(Direction::Backward)
    }

    fn cursor(request: GetRange) -> RangeCursor {
        RangeCursor::new(request).unwrap()
    }

    fn reply(ids: impl IntoIterator<Item = i64>, next: Option<PrimaryKey>) -> GetRangeReply {
        let mut writer = Writer::new();
        for id in ids {
            writer.row(&Row::new(key(id)).cell("a", id));
        }
        let rows = if writer.len_bytes() == 4 {
            Bytes::new()
        } else {
            writer.finish()
        };
        let next_start_primary_key = next.as_ref().map(write_primary_key);
        let response = GetRangeResponse {
            rows,
            next_start_primary_key,
            ..Default::default()
        };
        GetRange::read(Reply::new(response)).unwrap()
    }

    fn ids(page: &Page) -> Vec<i64> {
        let rows = page.rows().unwrap();
        rows.iter()
            .map(|row| row.primary_key.get("id").unwrap().as_integer().unwrap())
            .collect()
    }

    fn start(cursor: &RangeCursor) -> PrimaryKey {
        let request = cursor.next_request().unwrap();
        read_primary_key(&request.inclusive_start_primary_key).unwrap()
    }

    fn limit(cursor: &RangeCursor) -> Option<i32> {
        cursor.next_request().unwrap().limit
    }

    #[test]
    fn empty_page_with_next_key_is_not_the_end() {
        let mut cursor = cursor(range());
        let page = cursor.absorb(reply([], Some(key(7)))).unwrap();
        assert!(ids(&page).is_empty());
        assert_eq!(page.next(), &NextPage::From(key(7)));
        assert_eq!(start(&cursor), key(7));
        let page = cursor.absorb(reply([7, 8], None)).unwrap();
        assert_eq!(ids(&page), [7, 8]);
        assert_eq!(page.start(), &key(7));
        assert_eq!(page.next(), &NextPage::Done);
        assert!(cursor.next_request().is_none());
        assert_eq!(
            cursor.absorb(reply([], None)).unwrap_err().kind(),
            ErrorKind::NotAsked
        );
    }

    #[test]
    fn empty_page_without_next_key_is_the_end() {
        let mut cursor = cursor(range());
        let page = cursor.absorb(reply([], None)).unwrap();
        assert!(page.next().is_done());
        assert!(page.reader().unwrap().next_row().unwrap().is_none());
        assert!(cursor.is_done());
    }

    #[test]
    fn a_next_key_that_does_not_advance_is_refused_both_ways() {
        for (request, first, stuck) in [(range(), 7, [7, 6]), (backward(), 7, [7, 8])] {
            let mut cursor = cursor(request);
            let _ = cursor.absorb(reply([], Some(key(first)))).unwrap();
            for next in stuck {
                let error = cursor.absorb(reply([], Some(key(next)))).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NotAdvancing);
                assert_eq!(
                    (error.page(), error.stopped_at()),
                    (Some(2), Some(&key(first)))
                );
                assert_eq!(start(&cursor), key(first));
            }
        }
    }

    #[test]
    fn a_next_key_at_or_past_the_end_leaves_nothing() {
        for next in [9, 10] {
            let mut cursor = cursor(GetRange::new("orders", key(0), key(9)));
            let page = cursor.absorb(reply([1], Some(key(next)))).unwrap();
            assert!(page.next().is_done() && cursor.is_done());
        }
    }

    #[test]
    fn a_next_key_with_other_columns_is_refused() {
        for next in [
            PrimaryKey::new().column("other", 1),
            key(1).column("more", 2),
        ] {
            let error = cursor(range()).absorb(reply([], Some(next))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NextKey);
        }
    }

    fn part(id: i64, cells: &[(&str, i64)], token: Option<&'static [u8]>) -> GetRangeReply {
        let mut row = Row::new(key(id));
        for (name, value) in cells {
            row = row.cell(*name, *value);
        }
        let mut part = reply([], token.map(|_| key(id)));
        part.rows = ots_proto::plainbuffer::write_row(&row);
        part.next_token = token.map(Bytes::from_static);
        part
    }

    #[test]
    fn a_row_in_parts_comes_once_and_whole() {
        let mut cursor = cursor(range());
        let page = cursor
            .absorb(part(1, &[("a", 1), ("b", 2)], Some(b"c")))
            .unwrap();
        assert!(ids(&page).is_empty());
        assert_eq!(page.next(), &NextPage::From(key(1)));
        assert_eq!(
            cursor.next_request().unwrap().token.as_deref(),
            Some(&b"c"[..])
        );
        assert_eq!(start(&cursor), key(1));
        let page = cursor.absorb(part(1, &[("c", 3)], Some(b"d"))).unwrap();
        assert!(ids(&page).is_empty());
        let page = cursor.absorb(part(1, &[("d", 4)], None)).unwrap();
        let [row] = &*page.rows().unwrap() else {
            panic!("one row")
        };
        let names: Vec<&str> = row.cells.iter().map(|cell| cell.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert!(cursor.is_done());
    }

    #[test]
    fn a_part_that_came_before_is_refused() {
        let mut cursor = cursor(range());
        let _ = cursor
            .absorb(part(1, &[("a", 1), ("b", 2)], Some(b"c")))
            .unwrap();
        for repeated in [("a", 1), ("b", 2)] {
            let error = cursor.absorb(part(1, &[repeated], None)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotAdvancing);
        }
        // Nor may the service answer the same for ever.
        let mut nothing = reply([], Some(key(1)));
        nothing.next_token = Some(Bytes::from_static(b"c"));
        assert_eq!(
            cursor.absorb(nothing).unwrap_err().kind(),
            ErrorKind::NotAdvancing
        );
    }

    #[test]
    fn a_row_above_its_limit_is_refused() {
        let mut cursor = cursor(range()).row_bytes(60);
        let _ = cursor.absorb(part(1, &[("a", 1)], Some(b"b"))).unwrap();
        let error = cursor.absorb(part(1, &[("b", 1)], Some(b"c"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RowTooLarge);
        assert_eq!(error.stopped_at(), Some(&key(1)));
    }

    #[test]
    fn a_cut_that_names_no_row_is_refused() {
        for next in [None, Some(key(2))] {
            let mut cursor = cursor(range());
            let mut cut = reply([1], next);
            cut.next_token = Some(Bytes::from_static(b"column 900"));
            assert_eq!(cursor.absorb(cut).unwrap_err().kind(), ErrorKind::WideRow);
            assert_eq!(start(&cursor), PrimaryKey::min(["id"]));
        }
    }

    #[test]
    fn the_page_limit_is_the_smaller_of_both_limits() {
        assert_eq!(limit(&cursor(range())), None);
        assert_eq!(limit(&cursor(range().limit(10))), Some(10));
        assert_eq!(limit(&cursor(range()).take_rows(7)), Some(7));
        assert_eq!(limit(&cursor(range().limit(10)).take_rows(7)), Some(7));
        assert_eq!(limit(&cursor(range().limit(10)).take_rows(70)), Some(10));
        assert_eq!(limit(&cursor(range()).take_rows(u64::MAX)), Some(5_000));
        assert!(cursor(range()).take_rows(0).next_request().is_none());
    }

    #[test]
    fn the_total_limit_counts_down_and_ends_before_the_range() {
        let mut cursor = cursor(range()).take_rows(5);
        let _ = cursor.absorb(reply([1, 2, 3], Some(key(4)))).unwrap();
        assert_eq!(limit(&cursor), Some(2));
        let page = cursor.absorb(reply([4, 5], Some(key(6)))).unwrap();
        assert_eq!(page.next(), &NextPage::From(key(6)));
        assert!(cursor.is_done());
        assert_eq!(cursor.position(), NextPage::From(key(6)));
    }

    #[test]
    fn a_page_with_more_rows_than_wanted_is_cut() {
        let mut cursor = cursor(range()).take_rows(2);
        let page = cursor.absorb(reply([1, 2, 3, 4], None)).unwrap();
        assert_eq!(ids(&page), [1, 2]);
        assert_eq!(page.next(), &NextPage::From(key(3)));
        // Nor may the place of the cut lead back.
        let mut cursor = self::cursor(GetRange::new("orders", key(5), key(9))).take_rows(2);
        let error = cursor.absorb(reply([5, 6, 5], None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAdvancing);
    }

    #[test]
    fn a_row_without_its_key_is_damage_whatever_columns_are_asked_for() {
        let mut keyless = reply([], None);
        let mut writer = Writer::new();
        writer.row(&Row::new(key(0)).cell("a", 0));
        writer.row(&Row::new(PrimaryKey::new()).cell("a", 1));
        keyless.rows = writer.finish();
        for request in [range(), range().columns(["a"])] {
            let page = cursor(request).absorb(keyless.clone()).unwrap();
            let error = page.rows().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Rows);
            assert_eq!(error.as_plain_buffer().unwrap().row(), Some(1));
        }
    }

    #[test]
    fn a_page_is_not_cut_before_a_row_with_a_part_of_its_key() {
        let two = ["city", "id"];
        let request = GetRange::new("orders", PrimaryKey::min(two), PrimaryKey::max(two));
        let mut cursor = cursor(request).take_rows(2);
        let error = cursor.absorb(reply([1, 2, 3], None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NextKey);
        assert_eq!(start(&cursor), PrimaryKey::min(two));
    }

    #[test]
    fn a_request_that_goes_on_inside_a_wide_row_is_refused() {
        let inside = range().token(Bytes::from_static(b"column 900"));
        let error = RangeCursor::new(inside).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WideRow);
        assert_eq!((error.table(), error.page()), (Some("orders"), Some(1)));
        // An empty token is none, and isn't sent either.
        let request = cursor(range().token(Bytes::new())).next_request().unwrap();
        assert_eq!(request.token, None);
    }

    #[test]
    fn sparse_pages_make_the_next_one_larger_only_where_rows_may_be_left_out() {
        let mut plain = cursor(range()).take_rows(8);
        let _ = plain.absorb(reply([], Some(key(1)))).unwrap();
        assert_eq!(limit(&plain), Some(8));

        let mut filtered = cursor(range().filter(Filter::column("a").exists())).take_rows(8);
        let mut asked = Vec::new();
        for next in 1..12 {
            let _ = filtered.absorb(reply([], Some(key(next)))).unwrap();
            asked.push(limit(&filtered).unwrap());
        }
        let doubling = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 5000, 5000];
        assert_eq!(asked, doubling);
        let _ = filtered.clone().absorb(reply([12], Some(key(13)))).unwrap();
        // A dense page: back to what is left.
        let _ = filtered.absorb(reply(11..18, Some(key(18)))).unwrap();
        assert_eq!(limit(&filtered), Some(5_000));
    }

    #[test]
    fn a_damaged_row_is_left_to_the_reader_of_the_page() {
        let mut damaged = reply([1, 2], Some(key(3)));
        let mut bytes = damaged.rows.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        damaged.rows = bytes.into();
        let mut cursor = cursor(range()).take_rows(9);
        let page = cursor.absorb(damaged).unwrap();
        let mut reader = page.reader().unwrap();
        let first = reader.next_row().unwrap().unwrap();
        assert_eq!(first.to_primary_key(&mut NameCache::default()), key(1));
        assert_eq!(reader.next_row().unwrap_err().row(), Some(1));
        assert_eq!(page.rows().unwrap_err().kind(), ErrorKind::Rows);
    }

    #[test]
    fn a_wrong_request_is_told_at_once() {
        let error = RangeCursor::new(GetRange::new("orders", key(2), key(1))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Call);
        assert!(matches!(
            error.as_call().unwrap().kind(),
            ots_core::ErrorKind::Request(_)
        ));
    }

    #[test]
    fn only_the_same_range_can_be_resumed() {
        let mut reached = cursor(range());
        let _ = reached.absorb(reply([], Some(key(7)))).unwrap();
        let point = reached.resume_point();
        let resume = |request| cursor(request).resume(&point);
        assert_eq!(start(&resume(range()).unwrap()), key(7));
        assert_eq!(start(&resume(range().limit(3)).unwrap()), key(7));

        let other_table = GetRange::new("order", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
        let other_end = GetRange::new("orders", PrimaryKey::min(["id"]), key(100));
        let later_start = GetRange::new("orders", key(8), PrimaryKey::max(["id"]));
        let others = [
            other_table,
            other_end,
            later_start,
            backward(),
            range().columns(["a"]),
            range().filter(Filter::column("a").exists()),
        ];
        for request in others {
            let error = resume(request).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResumePointOfOtherRange);
        }
    }

    #[test]
    fn a_finished_range_resumes_to_nothing() {
        let mut reached = cursor(range());
        let _ = reached.absorb(reply([1], None)).unwrap();
        let resumed = cursor(range()).resume(&reached.resume_point()).unwrap();
        assert!(resumed.is_done());
        assert!(resumed.next_request().is_none());
    }
}
