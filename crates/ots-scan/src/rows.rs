//! The rows of a scan, one by one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};
use ots_proto::plainbuffer::{Checksums, OwningSeparateRows};
use ots_proto::{NameCache, Row};

use crate::decoded::ScanDecoded;
use crate::error::ScanError;
use crate::failure::Failure;
use crate::page::ScanPage;
use crate::progress::ScanProgress;
use crate::session::ScanSession;
use crate::split::Split;

/// The rows of a [`Scan`](crate::Scan), owning their values, in any order.
///
/// Pages are verified in the tasks of the splits, side by side; one with a damaged row is asked for
/// again before the scan fails. A row is made when it is polled for.
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
    pages: ScanDecoded<ScanPage>,
    page: Option<PageRows>,
    names: NameCache,
}

/// What is left of the page that is being read.
#[derive(Debug)]
struct PageRows {
    split: Split,
    index: u64,
    rows: OwningSeparateRows,
}

impl PageRows {
    /// Of a page that was verified before.
    fn new(page: ScanPage) -> Self {
        Self {
            split: page.split,
            index: page.index,
            rows: OwningSeparateRows::new(page.rows).checksums(Checksums::Trust),
        }
    }
}

impl ScanRows {
    pub(crate) fn new(pages: ScanDecoded<ScanPage>) -> Self {
        Self {
            pages,
            page: None,
            names: NameCache::default(),
        }
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
            if let Some(PageRows { split, index, rows }) = &mut this.page {
                match rows.next_owned(&mut this.names) {
                    Ok(Some(row)) => return Poll::Ready(Some(Ok(row))),
                    Ok(None) => this.page = None,
                    // Never: it was walked before.
                    Err(error) => {
                        let (split, page, error) = (*split, *index, error.into());
                        let failure = Failure::Damaged {
                            split,
                            page,
                            asked: 1,
                            error,
                        };
                        return Poll::Ready(Some(Err(this.pages.fail(failure))));
                    }
                }
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)?) {
                Some(page) => this.page = Some(PageRows::new(page)),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl FusedStream for ScanRows {
    fn is_terminated(&self) -> bool {
        let is_read = self.page.as_ref().is_none_or(|page| page.rows.is_done());
        is_read && self.pages.is_terminated()
    }
}
