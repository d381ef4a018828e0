//! How many rows a range has, and which are at its ends.

use std::num::{NonZeroU32, NonZeroUsize};

use ots_core::Call;
use ots_core::request::Consumed;
use ots_proto::plainbuffer::Accept;
use ots_proto::{PrimaryKey, Row, operation};

use crate::cursor::RangeCursor;
use crate::error::Error;
use crate::side_by_side::{Job, side_by_side};
use crate::stream::{Pages, Rows};

/// How many rows a range has, and what it took to count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowCount {
    /// The rows.
    pub rows: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// What they cost.
    pub consumed: Consumed,
}

impl RowCount {
    /// How many pages of so many rows they are, the last of which may be short; none without rows.
    #[must_use]
    pub fn pages(&self, page_rows: NonZeroU32) -> u64 {
        self.rows.div_ceil(page_rows.get().into())
    }
}

/// Counts the rows from where a cursor stands, by their keys.
pub(crate) async fn rows<C: Call<operation::GetRange>>(
    cursor: RangeCursor,
    call: C,
) -> Result<RowCount, Error> {
    // A row counted twice or not at all would be no better than none: every page is verified.
    let mut pages = Pages::new(cursor.keys_only(), call);
    let mut rows = 0;
    while let Some(page) = pages.next().await {
        let page = page?;
        let mut reader = ots_proto::plainbuffer::Reader::new(page.buffer(), Accept::Rows)?;
        loop {
            match reader.next_row() {
                Ok(Some(_)) => rows += 1,
                Ok(None) => break,
                Err(error) => return Err(pages.fail(error.into(), &page).after_rows(rows)),
            }
        }
    }
    let cursor = pages.cursor();
    Ok(RowCount {
        rows,
        requests: cursor.map_or(0, RangeCursor::pages),
        consumed: pages.consumed(),
    })
}

/// Counts the rows from where a cursor stands, parts of the range side by side.
pub(crate) async fn rows_of_parts<C: Call<operation::GetRange>>(
    cursor: RangeCursor,
    call: C,
    keys: Vec<PrimaryKey>,
    at_once: NonZeroUsize,
) -> Result<RowCount, Error> {
    let most = cursor.rows_left().unwrap_or(u64::MAX);
    let mut all = RowCount {
        rows: 0,
        requests: 0,
        consumed: Consumed::default(),
    };
    let call = &call;
    let parts = cursor.split_at(keys).into_iter();
    let jobs = parts.map(|part| -> Job<'_, RowCount> { Box::pin(rows(part, call)) });
    side_by_side(jobs, at_once.get(), |part: RowCount| {
        all.rows += part.rows;
        all.requests += part.requests;
        all.consumed += part.consumed;
    })
    .await?;
    all.rows = all.rows.min(most);
    Ok(all)
}

/// The first row from where a cursor stands.
pub(crate) async fn first<C: Call<operation::GetRange>>(
    cursor: RangeCursor,
    call: C,
) -> Result<Option<Row>, Error> {
    Rows::new(cursor, call)
        .take_rows(1)
        .next()
        .await
        .transpose()
}
