//! The short roads from a request to its rows.

use std::future::Future;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use ots_core::Call;
use ots_core::request::GetRange;
use ots_proto::{PrimaryKey, Row, operation};

use crate::count::{self, RowCount};
use crate::cursor::RangeCursor;
use crate::error::Error;
use crate::estimate::{self, RowEstimate};
use crate::list::{self, ListPage, PagePlace};
use crate::offset::OffsetPager;
use crate::parts::RowParts;
use crate::resume::ResumePoint;
use crate::stream::{Pages, Rows, fetch};

/// Reads a whole range: methods for [`GetRange`], and for a [`RangeCursor`] that was set up by hand.
///
/// ```no_run
/// # async fn example(
/// #     client: ots_core::Client,
/// #     bytes: Vec<u8>,
/// # ) -> Result<(), ots_paging::Error> {
/// use ots_core::request::GetRange;
/// use ots_paging::{RangeExt as _, ResumePoint};
/// use ots_proto::PrimaryKey;
///
/// let range = || GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
/// let mut rows = range().rows(&client);
/// let mut latest = range().columns(["price"]).rows(&client).take_rows(10);
/// let mut rest = range().resume(&ResumePoint::from_bytes(&bytes)?)?.rows(&client);
/// # Ok(())
/// # }
/// ```
///
/// A request that is wrong is told by the first item of the stream.
pub trait RangeExt: Sized + sealed::Sealed {
    /// A cursor before the first page.
    ///
    /// # Errors
    /// As [`RangeCursor::new`].
    fn cursor(self) -> Result<RangeCursor, Error>;

    /// A cursor at a place reached earlier.
    ///
    /// # Errors
    /// As [`cursor`](Self::cursor), and
    /// [`ErrorKind::ResumePointOfOtherRange`](crate::ErrorKind::ResumePointOfOtherRange) when the
    /// place isn't of this range.
    fn resume(self, point: &ResumePoint) -> Result<RangeCursor, Error> {
        self.cursor()?.resume(point)
    }

    /// The pages of the range, as a stream.
    fn pages<'c, C: Call<operation::GetRange> + 'c>(self, call: C) -> Pages<'c> {
        match self.cursor() {
            Ok(cursor) => Pages::new(cursor, call),
            Err(error) => Pages::failed(error),
        }
    }

    /// The rows of the range, as a stream.
    fn rows<'c, C: Call<operation::GetRange> + 'c>(self, call: C) -> Rows<'c> {
        Rows::of(self.pages(call))
    }

    /// The rows of the range as a stream, those that don't fit in one answer in parts.
    fn row_parts<'c, C: Call<operation::GetRange> + 'c>(self, call: C) -> RowParts<'c> {
        match self.cursor() {
            Ok(cursor) => RowParts::new(cursor, call),
            Err(error) => RowParts::of(Rows::of(Pages::failed(error))),
        }
    }

    /// Counts the rows of the range. Only their keys are read, and the columns a filter looks at; where
    /// only some columns are asked for, and no key column among them, those.
    ///
    /// # Errors
    /// As [`Pages`]; a part of a count is never given.
    fn count_rows<C: Call<operation::GetRange>>(
        self,
        call: C,
    ) -> impl Future<Output = Result<RowCount, Error>> + Send {
        let cursor = self.cursor();
        async move { count::rows(cursor?, call).await }
    }

    /// Counts the rows of the range in parts, cut at `keys`, of which `at_once` are read side by side; on
    /// the caller's own task.
    ///
    /// ```no_run
    /// # async fn example(client: ots_core::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::num::NonZeroUsize;
    ///
    /// use ots_core::request::{ComputeSplitPointsBySize, GetRange};
    /// use ots_paging::RangeExt as _;
    /// use ots_proto::PrimaryKey;
    ///
    /// let splits = client.send(ComputeSplitPointsBySize::new("orders")).await?;
    /// let keys = splits.ranges.iter().map(|part| part.start.clone());
    /// let at_once = NonZeroUsize::new(8).ok_or("none would never end")?;
    /// let orders = GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    /// println!("{} orders", orders.count_rows_by_parts(&client, keys, at_once).await?.rows);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`count_rows`](Self::count_rows); the first one ends all parts.
    ///
    /// # Cost
    /// As [`count_rows`](Self::count_rows), and a request more for each part, as none shares a page with
    /// the next.
    fn count_rows_by_parts<C: Call<operation::GetRange>>(
        self,
        call: C,
        keys: impl IntoIterator<Item = PrimaryKey>,
        at_once: NonZeroUsize,
    ) -> impl Future<Output = Result<RowCount, Error>> + Send {
        let cursor = self.cursor();
        let keys: Vec<PrimaryKey> = keys.into_iter().collect();
        async move { count::rows_of_parts(cursor?, call, keys, at_once).await }
    }

    /// About how many rows the range has, before a filter. What fits in one page is counted; beyond, it
    /// follows from how many parts of `part_bytes` the table has in the range, and how wide rows are in
    /// some of them.
    ///
    /// # Errors
    /// As [`Rows`]; the service takes parts of one megabyte and more.
    ///
    /// # Cost
    /// One request for a range of one page; else up to six: one page of keys, the parts of the whole
    /// table (one read capacity unit each), and up to four pages of a hundred rows.
    fn estimate_rows<C>(
        self,
        call: C,
        part_bytes: NonZeroU64,
    ) -> impl Future<Output = Result<RowEstimate, Error>> + Send
    where
        C: Call<operation::GetRange> + Call<operation::ComputeSplitPointsBySize>,
    {
        let cursor = self.cursor();
        async move { estimate::rows(cursor?, call, part_bytes).await }
    }

    /// The first row of the range, in its direction: of a backward one the row with the greatest key.
    ///
    /// # Errors
    /// As [`Rows`].
    fn first_row<C: Call<operation::GetRange>>(
        self,
        call: C,
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send {
        let cursor = self.cursor();
        async move { count::first(cursor?, call).await }
    }

    /// The last row of the range, in its direction: one row is read, the other way.
    ///
    /// # Errors
    /// As [`Rows`].
    ///
    /// # Cost
    /// One request; of a range that starts at a row with text or bytes last in its key, and has no rows
    /// or few, it may read some that lie before.
    fn last_row<C: Call<operation::GetRange>>(
        self,
        call: C,
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send {
        let cursor = self.cursor();
        async move { list::last_row(cursor?, call).await }
    }

    /// The first page of a list of `page_rows` rows a page.
    ///
    /// ```no_run
    /// # async fn example(client: ots_core::Client, asked: Option<String>) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::num::NonZeroU32;
    ///
    /// use ots_core::request::GetRange;
    /// use ots_paging::{PageTokens, RangeExt as _};
    /// use ots_proto::PrimaryKey;
    ///
    /// let tokens = PageTokens::keyed(b"from the configuration of the service");
    /// let orders = GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    /// let size = NonZeroU32::new(20).ok_or("a page needs rows")?;
    /// // What the browser sends is all that is known of it.
    /// let page = match asked {
    ///     Some(token) => orders.page_at(&client, &tokens.read_place(&token)?, size).await?,
    ///     None => orders.first_page(&client, size).await?,
    /// };
    /// let previous = page.previous.map(|place| tokens.write_place(&place));
    /// let next = page.next.map(|place| tokens.write_place(&place));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Rows`].
    fn first_page<C: Call<operation::GetRange>>(
        self,
        call: C,
        page_rows: NonZeroU32,
    ) -> impl Future<Output = Result<ListPage, Error>> + Send {
        let cursor = self.cursor();
        async move {
            let cursor = cursor?;
            let start = PagePlace::From(cursor.resume_point());
            list::page_at(cursor, call, &start, page_rows).await
        }
    }

    /// The last page of a list: always of `page_rows` rows where the range has so many, so that it ends
    /// with the range.
    ///
    /// # Errors
    /// As [`Rows`].
    fn last_page<C: Call<operation::GetRange>>(
        self,
        call: C,
        page_rows: NonZeroU32,
    ) -> impl Future<Output = Result<ListPage, Error>> + Send {
        let cursor = self.cursor();
        async move { list::last_page(cursor?, call, page_rows).await }
    }

    /// The page of a list that a link leads to, forward or back; nothing else needs to be remembered.
    ///
    /// A total limit that was set on a cursor isn't kept: a page knows nothing of those before it.
    ///
    /// Forward, the last page may have no rows where a filter is set: that nothing more passes shows only
    /// when it was looked for. Back, rows are read the other way and handed over in the order of the range.
    ///
    /// # Errors
    /// As [`Rows`], and [`ErrorKind::ResumePointOfOtherRange`](crate::ErrorKind::ResumePointOfOtherRange)
    /// when the place isn't of this range.
    ///
    /// # Cost
    /// One request a page, more where the service ends its pages earlier. Before a row with text or bytes
    /// last in its key, one row more is read.
    fn page_at<C: Call<operation::GetRange>>(
        self,
        call: C,
        place: &PagePlace,
        page_rows: NonZeroU32,
    ) -> impl Future<Output = Result<ListPage, Error>> + Send {
        let cursor = self.cursor();
        async move { list::page_at(cursor?, call, place, page_rows).await }
    }

    /// Skips `offset` rows, then gives pages of exactly `page_rows` rows, until the last one. See
    /// [`OffsetPager`] for what the offset costs.
    fn offset_pages<'c, C: Call<operation::GetRange> + 'c>(
        self,
        call: C,
        offset: u64,
        page_rows: NonZeroU32,
    ) -> OffsetPager<'c> {
        OffsetPager::new(self.cursor(), fetch(call), offset, page_rows)
    }
}

impl RangeExt for GetRange {
    fn cursor(self) -> Result<RangeCursor, Error> {
        RangeCursor::new(self)
    }
}

impl RangeExt for RangeCursor {
    fn cursor(self) -> Result<RangeCursor, Error> {
        Ok(self)
    }
}

mod sealed {
    /// Keeps the trait free to grow.
    #[expect(unnameable_types, reason = "nobody else shall implement it")]
    pub trait Sealed {}

    impl Sealed for ots_core::request::GetRange {}
    impl Sealed for crate::cursor::RangeCursor {}
}
