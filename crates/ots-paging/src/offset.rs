//! Pages counted by offset, which the service doesn't know.

mod page;
mod places;
mod step;
mod walk;
pub(crate) mod width;

use std::num::{NonZeroU32, NonZeroU64};

use ots_core::request::Consumed;
use ots_proto::NameCache;

pub use self::page::{OffsetCost, OffsetPage};
use self::places::Range;
use self::step::{Goal, Step};
use self::walk::Walk;
use crate::anchors::Anchors;
use crate::cursor::RangeCursor;
use crate::error::{Error, ErrorKind};
use crate::page::NextPage;
use crate::stream::Fetch;

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
/// As [`Rows`](crate::Rows). After an error the pager is where it was: the same call asks again, and so
/// does a call for another page.
///
/// # Cost
/// Skipping reads the keys of the rows between the nearest place known and the offset, up to 5,000 rows
/// a request; the page is one more request. Where that request costs more than it saves, rows to skip
/// are read along with the page: when so many of the width that rows had so far are less than 64 KB
/// without their keys ([`request_bytes`](Self::request_bytes)), and as long as no row has come, when they
/// are no more than 128 or than a page.
///
/// Against `readByPage`, and without a filter, never more bytes are read. Of rows whose width is known,
/// from a page given before or from [`Anchors`], no more capacity units are spent either, and one request
/// more is made only where that saves 15 of them. On the first way to an offset beyond 128 a page may
/// take one request more than it does, and one capacity unit where rows have less than 32 bytes besides
/// their key. No rule could do without both: before the first row has come, rows may be of any width.
///
/// With a filter, a page takes one request more than that at most, whether the service counts `limit`
/// before the filter or after it. Before it, `readByPage` asks for as few rows as are missing, again and
/// again; here every answer that was mostly filtered doubles what is asked for, so that a filter that one
/// row of a thousand passes takes a dozen requests instead of thousands. The last answer may hold rows
/// that aren't wanted then.
///
/// Where only some columns are asked for, and no key column among them, skipped rows are read like all
/// others: which of them count shows only in these columns.
///
/// # Cancel safety
/// Dropping the future of [`next_page`](Self::next_page) or [`previous_page`](Self::previous_page) leaves
/// the pager where it was. Called again, it goes on with what was begun; the other one begins anew.
#[derive(Debug)]
#[must_use]
pub struct OffsetPager<'c> {
    range: Result<Range<'c>, Option<Error>>,
    page_rows: NonZeroU32,
    /// The row that the next page begins with.
    offset: u64,
    /// The row that the page given last began with, or where the range ends before it.
    last: Option<u64>,
    step: Option<Step<'c>>,
    finished: bool,
    names: NameCache,
    delivered: u64,
    cost: OffsetCost,
    /// What the pages handed over had cost in all.
    told: Consumed,
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

    /// What a request more is worth, in bytes: rows to skip are read by their keys alone where that saves
    /// more. 64 KB when never called.
    pub const fn request_bytes(mut self, bytes: u64) -> Self {
        if let Ok(range) = &mut self.range {
            range.request_bytes = bytes;
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
        if let (Some(step), Ok(range)) = (self.step.take(), &mut self.range) {
            range.leave(&step);
        }
        self.offset = offset;
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
        let Some(last) = self.last.filter(|last| *last > 0) else {
            return Ok(None);
        };
        let offset = last.saturating_sub(u64::from(self.page_rows.get()));
        let rows = last - offset;
        self.page(Goal { offset, rows }).await
    }

    /// The next page, or none when the last one was given.
    ///
    /// # Errors
    /// See [`OffsetPager`].
    pub async fn next_page(&mut self) -> Result<Option<OffsetPage>, Error> {
        if self.finished {
            return Ok(None);
        }
        let (offset, rows) = (self.offset, u64::from(self.page_rows.get()));
        self.page(Goal { offset, rows }).await
    }

    async fn page(&mut self, goal: Goal) -> Result<Option<OffsetPage>, Error> {
        let outcome = self.read_page(goal).await;
        if outcome.is_err() {
            // Of a damaged answer nobody knows how many rows it has: its places aren't kept.
            self.step = None;
        }
        outcome.map_err(|error| error.after_rows(self.delivered))
    }

    async fn read_page(&mut self, mut goal: Goal) -> Result<Option<OffsetPage>, Error> {
        let range = match &mut self.range {
            Ok(range) => range,
            Err(error) => return error.take().map_or(Ok(None), Err),
        };
        if let Some(total) = range.total {
            goal.rows = goal.rows.min(total.saturating_sub(goal.offset));
        }
        if let Some(step) = self.step.take_if(|step| step.goal != goal) {
            range.leave(&step);
        }
        let step = self.step.get_or_insert_with(|| range.begin(goal));
        let next = if goal.rows == 0 {
            step.row = range.total.unwrap_or(goal.offset).min(goal.offset);
            NextPage::Done
        } else {
            loop {
                if let Some(rows) = step.wanted(range.is_filtered) {
                    step.pages.want_rows(rows);
                }
                let mut beyond = None;
                if let Some(page) = step.pages.next().await {
                    let page = page?;
                    self.cost.requests += 1;
                    self.cost.consumed += page.consumed();
                    self.cost.bytes += page.buffer().len() as u64;
                    let target = step.target(range.is_filtered);
                    let mut walk = Walk {
                        step,
                        anchors: &mut range.anchors,
                        target,
                        names: &mut self.names,
                        cost: &mut self.cost,
                    };
                    beyond = walk.take(&page)?;
                }
                if let Some(next) = step.go_on(range, beyond) {
                    break next;
                }
            }
        };
        Ok(self.hand_over(next))
    }

    /// Moves to the end of the step's page, and gives the page.
    fn hand_over(&mut self, next: NextPage) -> Option<OffsetPage> {
        let (step, range) = (self.step.take()?, self.range.as_mut().ok()?);
        let Step {
            goal: Goal { offset, .. },
            row,
            rows,
            first,
            ..
        } = step;
        let start_point = range.cursor.resume_point();
        let start_point = match first {
            _ if offset == 0 => start_point,
            Some(first) => {
                range.remember(offset, NextPage::From(first.clone()));
                start_point.moved_to(first)
            }
            None => range.cursor.at(&NextPage::Done).resume_point(),
        };
        if !rows.is_empty() {
            range.remember(row, next.clone());
        }
        self.finished = next.is_done() || range.total.is_some_and(|total| row >= total);
        self.offset = row.max(offset);
        self.last = Some(offset.min(row));
        self.delivered += rows.len() as u64;
        let before = std::mem::replace(&mut self.told, self.cost.consumed);
        let mut consumed = self.cost.consumed;
        consumed.read = consumed.read.saturating_sub(before.read);
        consumed.write = consumed.write.saturating_sub(before.write);
        Some(OffsetPage {
            rows,
            offset,
            start_point,
            resume_point: range.cursor.at(&next).resume_point(),
            next,
            consumed,
        })
    }
}
