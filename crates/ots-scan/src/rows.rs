//! The rows of a scan, one by one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec::IntoIter;

use futures_core::{FusedStream, Stream};
use ots_proto::{NameCache, Row};

use crate::error::ScanError;
use crate::progress::ScanProgress;
use crate::scan::Scan;

/// The rows of a [`Scan`], owning their values, decoded a page at a time by whoever polls.
///
/// The short road. A caller with many rows and several cores decodes
/// [`ScanPage`](crate::ScanPage)s in tasks of its own, without copies.
///
/// # Cancel safety
/// As [`Scan`]. A drop loses the rest of the page that was being read.
///
/// # Errors
/// Those of [`Scan`], and [`ScanErrorKind::Row`](crate::ScanErrorKind::Row) after the rows of the
/// page that could be read. The stream ends then.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct ScanRows {
    scan: Scan,
    rows: IntoIter<Row>,
    /// What comes after `rows`.
    error: Option<ScanError>,
    names: NameCache,
}

impl ScanRows {
    pub(crate) fn new(scan: Scan) -> Self {
        Self {
            scan,
            rows: Vec::new().into_iter(),
            error: None,
            names: NameCache::default(),
        }
    }

    /// How far the scan is. The page that is being read counts whole.
    #[must_use]
    pub fn progress(&self) -> ScanProgress {
        self.scan.progress()
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
            if let Some(error) = this.error.take() {
                return Poll::Ready(Some(Err(error)));
            }
            let Some(page) = ready!(Pin::new(&mut this.scan).poll_next(cx)).transpose()? else {
                return Poll::Ready(None);
            };
            let (rows, end) = page.decode(&mut this.names);
            this.rows = rows.into_iter();
            this.error = end.err().map(|error| this.scan.fail(error));
        }
    }
}

impl FusedStream for ScanRows {
    fn is_terminated(&self) -> bool {
        self.rows.len() == 0 && self.error.is_none() && self.scan.is_terminated()
    }
}
