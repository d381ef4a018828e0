//! Pages counted by offset, which the service doesn't know.

use std::collections::VecDeque;
use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

use ots_core::request::Consumed;
use ots_proto::{NameCache, PrimaryKey, Row};

use crate::anchors::Anchors;
use crate::cursor::RangeCursor;
use crate::error::{Error, ErrorKind};
use crate::page::{NextPage, Page, whole_key};
use crate::resume::ResumePoint;
use crate::stream::{Fetch, Pages};

/// Skips an offset, then gives the rows in pages of exactly the wanted size, until the last one; and
/// back again.
///
/// It gives what `readByPage` of the service's own documentation does, at less cost: of the rows to
/// skip only the keys are read (and the columns a filter looks at), and keys on the way are remembered
/// as [`Anchors`], so that the way to the same place is short the next time. It can begin at a row
/// number, but it can't know how many rows or pages there are.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::num::NonZeroU32;
///
/// use ots_core::request::GetRange;
/// use ots_paging::RangeExt as _;
/// use ots_proto::PrimaryKey;
///
/// let page_rows = NonZeroU32::new(8).ok_or("a page needs rows")?;
/// let request = GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
/// let mut pages = request.offset_pages(&client, 33, page_rows);
/// while let Some(page) = pages.next_page().await? {
///     println!("rows from {}: {:?}, next page: {:?}", page.offset, page.rows, page.next);
/// }
/// // Any other place: the anchors shorten the way.
/// pages.seek(20);
/// let page = pages.next_page().await?;
/// println!("it took {:?}", pages.cost());
/// # Ok(())
/// # }
/// ```
///
/// The first page always comes, even without rows when the offset is past the end. The last page may
/// have no rows either: that nothing more passes the filter shows only when it was looked for.
///
/// # Errors
/// As [`Rows`](crate::Rows). After an error no page comes until the next [`seek`](Self::seek).
///
/// # Cost
/// Skipping reads the keys of the rows between the nearest place known and the offset, up to 5,000 rows
/// a request; the page is one more request. An offset no larger than a page is read along with the
/// page, in one request. Where only some columns are asked for, and no key column among them, skipped
/// rows are read like all others: which of them count shows only in these columns.
///
/// # Cancel safety
/// Dropping the future of [`next_page`](Self::next_page) loses nothing: the next one goes on.
#[derive(Debug)]
#[must_use]
pub struct OffsetPager<'c> {
    range: Result<Range<'c>, Option<Error>>,
    page_rows: NonZeroU32,
    /// The row that the next page begins with.
    offset: u64,
    /// How many rows the next page has at most, where that is not `page_rows`.
    short: Option<u64>,
    /// The first row of the page given last, and how many there were.
    last: Option<u64>,
    step: Option<Step<'c>>,
    finished: bool,
    names: NameCache,
    delivered: u64,
    cost: OffsetCost,
    /// What the pages handed over had cost in all.
    told: Consumed,
}

/// One page of an [`OffsetPager`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OffsetPage {
    /// The rows: as many as wanted, or fewer at the end of the range.
    pub rows: Vec<Row>,
    /// The number of the first row, counted from zero.
    pub offset: u64,
    /// Where the next page starts.
    pub next: NextPage,
    /// The place after this page, to go on from later; with a total limit, the rest of it isn't part of
    /// the place.
    pub resume_point: ResumePoint,
    /// What it cost, skipped rows included.
    pub consumed: Consumed,
}

/// What the pages of an [`OffsetPager`] took so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OffsetCost {
    /// Requests that were answered.
    pub requests: u64,
    /// Rows that came only to be counted.
    pub skipped_rows: u64,
    /// Rows of pages.
    pub rows: u64,
    /// Bytes of rows that came, skipped or not.
    pub bytes: u64,
    /// Capacity units.
    pub consumed: Consumed,
}

/// The range, and the places in it that are known.
struct Range<'c> {
    fetch: Fetch<'c>,
    cursor: RangeCursor,
    /// Rows of the range that may be read in all, skipped ones included.
    total: Option<u64>,
    anchors: Anchors,
    /// Where pages that were given lately begin or end.
    places: VecDeque<(u64, NextPage)>,
}

/// What is being done for the next page.
#[derive(Debug)]
struct Step<'c> {
    pages: Pages<'c>,
    /// The number of the next row.
    row: u64,
    /// Whether only keys are read.
    skips: bool,
    rows: Vec<Row>,
}

impl fmt::Debug for Range<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Range")
            .field("cursor", &self.cursor)
            .field("total", &self.total)
            .field("anchors", &self.anchors.len())
            .finish_non_exhaustive()
    }
}

impl<'c> Range<'c> {
    fn new(mut cursor: RangeCursor, fetch: Fetch<'c>) -> Self {
        let total = cursor.rows_left();
        cursor.limit_rows(None);
        let anchors = Anchors::new(cursor.fingerprint_with_start(), EVERY_ROWS, MOST_ANCHORS);
        let places = VecDeque::from([(0, cursor.position())]);
        Self {
            fetch,
            cursor,
            total,
            anchors,
            places,
        }
    }

    /// The nearest place known at or before a row.
    fn place_before(&self, row: u64) -> (u64, NextPage) {
        let known = self.places.iter().filter(|(number, _)| *number <= row);
        let nearest = known.max_by_key(|(number, _)| *number).cloned();
        let nearest = nearest.unwrap_or_else(|| (0, self.cursor.position()));
        match self.anchors.before(row) {
            Some((number, key)) if number > nearest.0 => (number, NextPage::From(key.clone())),
            _ => nearest,
        }
    }

    fn remember(&mut self, row: u64, next: NextPage) {
        self.places.retain(|(number, _)| *number != row);
        self.places.push_back((row, next));
        if self.places.len() > RECENT_PLACES {
            self.places.pop_front();
        }
    }

    fn begin(&self, row: u64, next: &NextPage, skips: bool) -> Step<'c> {
        let cursor = self.cursor.at(next);
        let cursor = if skips { cursor.keys_only() } else { cursor };
        Step {
            pages: Pages::over(cursor, Fetch::clone(&self.fetch)),
            row,
            skips,
            rows: Vec::new(),
        }
    }
}

impl<'c> OffsetPager<'c> {
    pub(crate) fn new(
        cursor: Result<RangeCursor, Error>,
        fetch: Fetch<'c>,
        offset: u64,
        page_rows: NonZeroU32,
    ) -> Self {
        Self {
            range: cursor.map(|cursor| Range::new(cursor, fetch)).map_err(Some),
            page_rows,
            offset,
            short: None,
            last: None,
            step: None,
            finished: false,
            names: NameCache::default(),
            delivered: 0,
            cost: OffsetCost::default(),
            told: Consumed::default(),
        }
    }

    /// Remembers the key of every so many rows, and at most so many keys; 256 and 1,024 when never
    /// called. Anchors taken before are forgotten.
    pub fn anchor_every(mut self, rows: NonZeroU64, most: NonZeroU32) -> Self {
        if let Ok(range) = &mut self.range {
            range.anchors = Anchors::new(range.anchors.fingerprint(), rows, most);
        }
        self
    }

    /// Goes on with anchors of an earlier pager over the same range.
    ///
    /// # Errors
    /// [`ErrorKind::AnchorsOfOtherRange`] when they aren't.
    pub fn with_anchors(mut self, anchors: Anchors) -> Result<Self, Error> {
        if let Ok(range) = &mut self.range {
            if anchors.fingerprint() != range.anchors.fingerprint() {
                return Err(Error::new(ErrorKind::AnchorsOfOtherRange));
            }
            range.anchors = anchors;
        }
        Ok(self)
    }

    /// The anchors so far; none when the request was wrong.
    #[must_use]
    pub const fn anchors(&self) -> Option<&Anchors> {
        match &self.range {
            Ok(range) => Some(&range.anchors),
            Err(_) => None,
        }
    }

    /// What all pages so far took.
    #[must_use]
    pub const fn cost(&self) -> OffsetCost {
        self.cost
    }

    /// Goes to a row, counted from zero: the next page begins with it. No request is made.
    ///
    /// Page `k`, counted from zero, is at `k` times the size of pages.
    pub fn seek(&mut self, offset: u64) {
        self.offset = offset;
        self.short = None;
        self.step = None;
        self.finished = false;
    }

    /// The page before the one given last, or none when that was the first.
    ///
    /// It ends where that one begins, so that going forward again gives the same pages. At the beginning
    /// of the range it may be short.
    ///
    /// # Errors
    /// See [`OffsetPager`].
    pub async fn previous_page(&mut self) -> Result<Option<OffsetPage>, Error> {
        let last = match self.last {
            Some(last) if last > 0 => last,
            _ => return Ok(None),
        };
        let offset = last.saturating_sub(u64::from(self.page_rows.get()));
        if (self.step.is_none() || self.offset != offset) && self.short.is_none() {
            self.seek(offset);
            self.short = Some(last - offset);
        }
        self.next_page().await
    }

    /// The next page, or none when the last one was given.
    ///
    /// # Errors
    /// See [`OffsetPager`].
    pub async fn next_page(&mut self) -> Result<Option<OffsetPage>, Error> {
        let outcome = self.read_page().await;
        if outcome.is_err() {
            self.finished = true;
            self.step = None;
        }
        outcome.map_err(|error| error.after_rows(self.delivered))
    }

    async fn read_page(&mut self) -> Result<Option<OffsetPage>, Error> {
        if self.finished {
            return Ok(None);
        }
        let range = match &mut self.range {
            Ok(range) => range,
            Err(error) => {
                return match error.take() {
                    Some(error) => Err(error),
                    None => Ok(None),
                };
            }
        };
        // The row behind the page.
        let size = self.short.unwrap_or(u64::from(self.page_rows.get()));
        let end = self.offset.saturating_add(size);
        let end = range.total.map_or(end, |total| end.min(total));
        if self.offset >= end {
            self.finished = true;
            return Ok(Some(OffsetPage {
                rows: Vec::new(),
                offset: self.offset,
                next: NextPage::Done,
                resume_point: range.cursor.at(&NextPage::Done).resume_point(),
                consumed: Consumed::default(),
            }));
        }
        loop {
            let step = match &mut self.step {
                Some(step) => step,
                None => {
                    let (row, next) = range.place_before(self.offset);
                    let skip = self.offset.saturating_sub(row);
                    self.step.insert(range.begin(row, &next, skip > size))
                }
            };
            let target = if step.skips { self.offset } else { end };
            let mut next = None;
            if step.row < target {
                step.pages.want_rows(target.saturating_sub(step.row));
                match step.pages.next().await {
                    Some(page) => {
                        let page = page?;
                        self.cost.requests += 1;
                        self.cost.consumed += page.consumed();
                        self.cost.bytes += page.buffer().len() as u64;
                        let anchors = &mut range.anchors;
                        let mut walk = Walk {
                            step,
                            anchors,
                            offset: self.offset,
                            target,
                            names: &mut self.names,
                            cost: &mut self.cost,
                        };
                        next = walk.take(&page)?;
                        if next.is_none() && step.row < target {
                            continue;
                        }
                    }
                    None => next = Some(NextPage::Done),
                }
            }
            let next = next.unwrap_or_else(|| step.position());
            let row = step.row;
            if step.skips && !next.is_done() {
                range.remember(row, next.clone());
                self.step = None;
                continue;
            }
            let rows = std::mem::take(&mut step.rows);
            self.step = None;
            self.finished = next.is_done() || range.total.is_some_and(|total| row >= total);
            if !rows.is_empty() {
                range.remember(row, next.clone());
            }
            self.short = None;
            self.delivered += rows.len() as u64;
            let offset = self.offset;
            self.offset = row.max(offset);
            self.last = Some(offset.min(row));
            let before = std::mem::replace(&mut self.told, self.cost.consumed);
            let mut consumed = self.cost.consumed;
            consumed.read = consumed.read.saturating_sub(before.read);
            consumed.write = consumed.write.saturating_sub(before.write);
            return Ok(Some(OffsetPage {
                rows,
                offset,
                resume_point: range.cursor.at(&next).resume_point(),
                next,
                consumed,
            }));
        }
    }
}

impl Step<'_> {
    fn position(&self) -> NextPage {
        let cursor = self.pages.cursor();
        cursor.map_or(NextPage::Done, RangeCursor::position)
    }
}

/// The rows of one page, counted or kept.
struct Walk<'a, 'c> {
    step: &'a mut Step<'c>,
    anchors: &'a mut Anchors,
    offset: u64,
    target: u64,
    names: &'a mut NameCache,
    cost: &'a mut OffsetCost,
}

impl Walk<'_, '_> {
    /// Takes the rows up to the target. Gives the place of the first row beyond, if the page has one.
    fn take(&mut self, page: &Page) -> Result<Option<NextPage>, Error> {
        let before = self.step.row;
        let taken = self.take_rows(page);
        self.step.pages.saw_rows(self.step.row - before);
        taken.map_err(|error| self.step.pages.fail(error, page))
    }

    fn take_rows(&mut self, page: &Page) -> Result<Option<NextPage>, Error> {
        let mut reader = page.reader()?;
        while let Some(row) = reader.next_row()? {
            let at = self.step.row;
            let whole = |names: &mut NameCache| -> Result<PrimaryKey, Error> {
                let key = whole_key(&row.to_primary_key(names), page.start());
                key.ok_or_else(|| Error::new(ErrorKind::NextKey))
            };
            if self.anchors.wants(at) {
                self.anchors.add(whole(self.names)?);
            }
            if at >= self.target {
                return Ok(Some(NextPage::From(whole(self.names)?)));
            }
            if at < self.offset {
                self.cost.skipped_rows += 1;
            } else {
                self.cost.rows += 1;
                self.step.rows.push(row.to_row(self.names));
            }
            self.step.row += 1;
        }
        Ok(None)
    }
}

const EVERY_ROWS: NonZeroU64 = NonZeroU64::MIN.saturating_add(255);
const MOST_ANCHORS: NonZeroU32 = NonZeroU32::MIN.saturating_add(1_023);

/// Enough to walk back some pages without counting.
const RECENT_PLACES: usize = 64;
