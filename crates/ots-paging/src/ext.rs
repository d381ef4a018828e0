//! The short roads from a request to its rows.

use std::future::Future;
use std::num::NonZeroU32;

use ots_core::Call;
use ots_core::request::GetRange;
use ots_proto::{Row, operation};

use crate::count::{self, RowCount};
use crate::cursor::RangeCursor;
use crate::error::Error;
use crate::offset::OffsetPager;
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
