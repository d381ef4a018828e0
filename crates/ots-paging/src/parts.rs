//! Rows of any width, a part at a time.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use ots_core::Call;
use ots_core::request::Consumed;
use ots_proto::{PrimaryKey, Row, operation};

use crate::cursor::RangeCursor;
use crate::error::Error;
use crate::resume::ResumePoint;
use crate::stream::Rows;

/// The rows of a range, those that don't fit in one answer in the parts they come in: for rows that are
/// too large to be put together in memory. No more than one answer is held.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_paging::Error> {
/// use ots_core::request::GetRange;
/// use ots_paging::RangeExt as _;
/// use ots_proto::PrimaryKey;
///
/// let range = GetRange::new("readings", PrimaryKey::min(["sensor"]), PrimaryKey::max(["sensor"]));
/// let mut parts = range.row_parts(&client);
/// while let Some(part) = parts.next().await {
///     let part = part?;
///     if !part.continues {
///         println!("{}", part.row.primary_key);
///     }
///     println!("  {} cells", part.row.cells.len());
/// }
/// # Ok(())
/// # }
/// ```
///
/// A total limit of its cursor isn't kept. Otherwise as [`Rows`]: lazy, at most one request in flight,
/// nothing spawned, nothing more after an error.
///
/// # Errors
/// As [`Rows`], but no row is too large.
///
/// # Cost
/// As [`Rows`].
///
/// # Cancel safety
/// As [`Rows`]; a place to resume from is always before a row, never inside one.
#[must_use = "streams do nothing unless polled"]
pub struct RowParts<'c> {
    rows: Rows<'c>,
    /// The row that the last part was of.
    last: Option<PrimaryKey>,
}

/// A row, or a part of one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RowPart {
    /// The key, and the cells of this part. They come by name, so a part goes on behind the one before.
    pub row: Row,
    /// Whether it goes on with the row of the part before; else a row begins.
    pub continues: bool,
}

impl<'c> RowParts<'c> {
    /// The parts from where a cursor stands.
    pub fn new<C: Call<operation::GetRange> + 'c>(cursor: RangeCursor, call: C) -> Self {
        Self::of(Rows::new(cursor.in_parts(), call))
    }

    pub(crate) const fn of(rows: Rows<'c>) -> Self {
        Self { rows, last: None }
    }

    /// The next part, or none at the end.
    ///
    /// # Errors
    /// As the stream.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the request goes on at the next poll.
    pub async fn next(&mut self) -> Option<Result<RowPart, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The place of the row that the next part is of; see [`Rows::resume_point`].
    #[must_use]
    pub fn resume_point(&self) -> Option<ResumePoint> {
        self.rows.resume_point()
    }

    /// What the pages so far cost.
    #[must_use]
    pub fn consumed(&self) -> Consumed {
        self.rows.consumed()
    }
}

impl Stream for RowParts<'_> {
    type Item = Result<RowPart, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let row = match ready!(Pin::new(&mut this.rows).poll_next(cx)) {
            Some(Ok(row)) => row,
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => return Poll::Ready(None),
        };
        let continues = this.last.as_ref() == Some(&row.primary_key);
        if !continues {
            this.last = Some(row.primary_key.clone());
        }
        Poll::Ready(Some(Ok(RowPart { row, continues })))
    }
}

impl FusedStream for RowParts<'_> {
    fn is_terminated(&self) -> bool {
        self.rows.is_terminated()
    }
}

impl fmt::Debug for RowParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowParts")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
