//! The rows of a scan, one by one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec::IntoIter;

use futures_core::{FusedStream, Stream};
use ots_proto::Row;

use crate::decoded::ScanDecoded;
use crate::error::ScanError;
use crate::progress::ScanProgress;
use crate::session::ScanSession;

/// The rows of a [`Scan`](crate::Scan), owning their values, in any order.
///
/// They are made of pages in the tasks of the splits, side by side; a page with a damaged row is asked
/// for again before the scan fails.
///
/// # Cancel safety
/// As [`Scan`](crate::Scan). A drop loses the rest of the page that was being read.
///
/// # Errors
/// Those of [`Scan`](crate::Scan), and [`ScanErrorKind::Row`](crate::ScanErrorKind::Row). A page is
/// given whole or not at all.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct ScanRows {
    pages: ScanDecoded<Vec<Row>>,
    rows: IntoIter<Row>,
}

impl ScanRows {
    pub(crate) fn new(pages: ScanDecoded<Vec<Row>>) -> Self {
        let rows = Vec::new().into_iter();
        Self { pages, rows }
    }

    /// The session that the scan reads in; none for a scan without one.
    #[must_use]
    pub const fn session(&self) -> Option<&ScanSession> {
        self.pages.session()
    }

    /// How many splits the session is divided into.
    #[must_use]
    pub fn max_parallel(&self) -> u32 {
        self.pages.max_parallel()
    }

    /// How far the scan is. The page that is being read counts whole.
    #[must_use]
    pub fn progress(&self) -> ScanProgress {
        self.pages.progress()
    }
}

impl Stream for ScanRows {
    type Item = Result<Row, ScanError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(row) = this.rows.next() {
                return Poll::Ready(Some(Ok(row)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)?) {
                Some(rows) => this.rows = rows.into_iter(),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl FusedStream for ScanRows {
    fn is_terminated(&self) -> bool {
        self.rows.len() == 0 && self.pages.is_terminated()
    }
}
