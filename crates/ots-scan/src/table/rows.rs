//! The rows of a table scan, one by one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec::IntoIter;

use futures_core::{FusedStream, Stream};
use ots_proto::{PrimaryKey, Row};

use super::checkpoint::TableCheckpoint;
use super::error::TableScanError;
use super::page::TablePage;
use super::progress::TableProgress;
use super::scan::TableScan;

/// The rows of a [`TableScan`], owning their values: in the order of keys within a page, and pages as
/// they come.
///
/// # Cancel safety
/// As [`TableScan`]. The [`checkpoint`](Self::checkpoint) is exact to the row, so that a drop in the
/// middle of a page loses nothing.
///
/// # Errors
/// Those of [`TableScan`]. A page is given whole or not at all.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct TableRows {
    pages: TableScan<PageRows>,
    /// What is left of the page that is being read.
    rows: IntoIter<Row>,
    page: Option<(u32, PrimaryKey)>,
}

/// The rows of a page, and where it is: its range, and the key that it begins at.
#[derive(Debug)]
pub(super) struct PageRows {
    page: (u32, PrimaryKey),
    rows: Vec<Row>,
}

impl PageRows {
    pub(super) fn new(page: &TablePage, rows: Vec<Row>) -> Self {
        Self {
            page: (page.range(), page.page.start().clone()),
            rows,
        }
    }
}

impl TableRows {
    pub(super) fn new(pages: TableScan<PageRows>) -> Self {
        Self {
            pages,
            rows: Vec::new().into_iter(),
            page: None,
        }
    }

    /// How far the scan is. The page that is being read counts whole.
    #[must_use]
    pub fn progress(&self) -> TableProgress {
        self.pages.progress()
    }

    /// Behind the last row that was handed over. See [`TableScan::checkpoint`].
    pub fn checkpoint(&self) -> TableCheckpoint {
        let mut checkpoint = self.pages.checkpoint();
        if let (Some(row), Some((range, start))) = (self.rows.as_slice().first(), &self.page) {
            let columns = start.columns().iter();
            // In the table's order, which the service doesn't promise for rows.
            let key: Option<PrimaryKey> = columns
                .map(|column| Some((&column.name, row.primary_key.get(&column.name)?.clone())))
                .collect();
            // Should a row come without its whole key, rather its page again than none of it.
            checkpoint.back_to(*range, key.unwrap_or_else(|| start.clone()));
        }
        checkpoint
    }
}

impl Stream for TableRows {
    type Item = Result<Row, TableScanError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(row) = this.rows.next() {
                return Poll::Ready(Some(Ok(row)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)?) {
                Some(PageRows { page, rows }) => {
                    this.page = Some(page);
                    this.rows = rows.into_iter();
                }
                None => return Poll::Ready(None),
            }
        }
    }
}

impl FusedStream for TableRows {
    fn is_terminated(&self) -> bool {
        self.rows.len() == 0 && self.pages.is_terminated()
    }
}
