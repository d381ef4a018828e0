//! The rows of a table scan, one by one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};
use ots_proto::plainbuffer::OwningReader;
use ots_proto::{NameCache, Row};

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
    pages: TableScan,
    page: Option<PageRows>,
    names: NameCache,
}

/// A page, and what is left of it.
#[derive(Debug)]
struct PageRows {
    page: TablePage,
    rows: OwningReader,
}

impl TableRows {
    pub(super) fn new(pages: TableScan) -> Self {
        Self {
            pages,
            page: None,
            names: NameCache::default(),
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
        if let Some(PageRows { page, rows }) = &self.page
            && !rows.is_done()
        {
            let key = page.key_at(rows.position());
            // Should a row come without its whole key, rather its page again than none of it.
            checkpoint.back_to(
                page.range(),
                key.unwrap_or_else(|| page.page.start().clone()),
            );
        }
        checkpoint
    }
}

impl Stream for TableRows {
    type Item = Result<Row, TableScanError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(PageRows { page, rows }) = &mut this.page {
                match rows.next_owned(&mut this.names) {
                    Ok(Some(row)) => return Poll::Ready(Some(Ok(row))),
                    Ok(None) => this.page = None,
                    // Never: it was walked before.
                    Err(error) => {
                        let error = page.bad(error);
                        return Poll::Ready(Some(Err(this.pages.fail(error))));
                    }
                }
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)?) {
                Some(page) => {
                    let rows = page
                        .owning_reader()
                        .map_err(|error| this.pages.fail(error))?;
                    this.page = Some(PageRows { page, rows });
                }
                None => return Poll::Ready(None),
            }
        }
    }
}

impl FusedStream for TableRows {
    fn is_terminated(&self) -> bool {
        let is_read = self.page.as_ref().is_none_or(|page| page.rows.is_done());
        is_read && self.pages.is_terminated()
    }
}
