//! Pages counted by offset, which the service doesn't know.

use std::num::NonZeroU32;

use ots_core::request::Consumed;
use ots_proto::{NameCache, Row};

use crate::cursor::RangeCursor;
use crate::error::Error;
use crate::page::{NextPage, Page};
use crate::stream::Pages;

/// Skips an offset, then gives the rows in pages of exactly the wanted size, until the last one.
///
/// It does what `readByPage` of the service's own documentation does, which reads the skipped rows
/// and drops them. It can begin at a row number, but it can't know how many rows or pages there are.
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
///     println!("{} rows, next page: {:?}", page.rows.len(), page.next);
/// }
/// # Ok(())
/// # }
/// ```
///
/// The first page always comes, even without rows when the offset is past the end. The last page may
/// have no rows either: that nothing more passes the filter shows only when it was looked for.
///
/// # Errors
/// As [`Rows`](crate::Rows). After an error no page comes any more.
///
/// # Cost
/// The skipped rows are read and paid like all others, once: the first page reads `offset` +
/// `page_rows` rows, each further one `page_rows`. To reach a page again, don't skip again: keep
/// [`OffsetPage::next`] and start there with offset 0. Skipped rows are checked, but never become owned
/// rows; that only their keys are asked for is left to a later version.
///
/// # Cancel safety
/// Dropping the future of [`next_page`](Self::next_page) loses nothing: the next one goes on.
#[derive(Debug)]
#[must_use]
pub struct OffsetPager<'c> {
    pages: Pages<'c>,
    page_rows: NonZeroU32,
    skip: u64,
    /// Rows still to be read in all, skipped ones included, if the cursor came with such a limit.
    left: Option<u64>,
    /// The page being filled.
    rows: Vec<Row>,
    names: NameCache,
    /// What the pages handed over had cost in all.
    consumed: Consumed,
    delivered: u64,
    finished: bool,
}

/// One page of an [`OffsetPager`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OffsetPage {
    /// The rows: as many as wanted, or fewer at the end of the range.
    pub rows: Vec<Row>,
    /// Where the next page starts.
    pub next: NextPage,
    /// What it cost, skipped rows included.
    pub consumed: Consumed,
}

impl<'c> OffsetPager<'c> {
    pub(crate) fn over(pages: Pages<'c>, offset: u64, page_rows: NonZeroU32) -> Self {
        Self {
            left: pages.cursor().and_then(RangeCursor::rows_left),
            pages,
            page_rows,
            skip: offset,
            rows: Vec::new(),
            names: NameCache::default(),
            consumed: Consumed::default(),
            delivered: 0,
            finished: false,
        }
    }

    /// The next page, or none when the last one was given.
    ///
    /// # Errors
    /// See [`OffsetPager`].
    pub async fn next_page(&mut self) -> Result<Option<OffsetPage>, Error> {
        while !self.finished {
            let missing = u64::from(self.page_rows.get()).saturating_sub(self.rows.len() as u64);
            if missing == 0 {
                return Ok(Some(self.hand_over()));
            }
            if !self.pages.has_request_in_flight() {
                let wanted = self.skip.saturating_add(missing);
                self.pages
                    .limit_rows(Some(self.left.map_or(wanted, |left| left.min(wanted))));
            }
            match self.pages.next().await {
                Some(Ok(page)) => self.fill(&page)?,
                Some(Err(error)) => {
                    self.finished = true;
                    return Err(error.after_rows(self.delivered));
                }
                None => return Ok(Some(self.hand_over())),
            }
        }
        Ok(None)
    }

    /// Steps over what is still to be skipped, and keeps the rest.
    fn fill(&mut self, page: &Page) -> Result<(), Error> {
        // A page whose rows could not be counted has a damaged one, found again below.
        if let Some(rows) = page.row_count {
            self.left = self.left.map(|left| left.saturating_sub(rows));
            if rows <= self.skip {
                self.skip -= rows;
                return Ok(());
            }
        }
        self.keep_rows(page).map_err(|error| {
            self.finished = true;
            self.pages.fail(error, page).after_rows(self.delivered)
        })
    }

    fn keep_rows(&mut self, page: &Page) -> Result<(), Error> {
        let mut reader = page.reader()?;
        while let Some(row) = reader.next_row()? {
            if self.skip > 0 {
                self.skip -= 1;
            } else {
                self.rows.push(row.to_row(&mut self.names));
            }
        }
        Ok(())
    }

    fn hand_over(&mut self) -> OffsetPage {
        let next = self
            .pages
            .cursor()
            .map_or(NextPage::Done, RangeCursor::position);
        self.finished = next.is_done() || self.left == Some(0);
        let rows = std::mem::take(&mut self.rows);
        self.delivered += rows.len() as u64;
        let before = std::mem::replace(&mut self.consumed, self.pages.consumed());
        let mut consumed = self.consumed;
        consumed.read = consumed.read.saturating_sub(before.read);
        consumed.write = consumed.write.saturating_sub(before.write);
        OffsetPage {
            rows,
            next,
            consumed,
        }
    }
}
