//! What a page covers of its range, for those who say themselves when a page is done with.

use std::fmt;

use ots_paging::NextPage;
use ots_proto::PrimaryKey;

use super::checkpoint::TableCheckpoint;
use super::error::{TableScanError, TableScanErrorKind};

/// What a page covers of its range: from a key to where the range goes on.
///
/// A scan's own [checkpoint](crate::TableScan::checkpoint) stands behind every page that was handed
/// over. Whoever writes pages later than that, as by threads of its own, keeps a checkpoint of what is
/// written: the scan's before its first page, [advanced](TableCheckpoint::advance) by a step for each
/// page that is safe.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RangeStep {
    /// The range, from 0, in the order of keys.
    pub range: u32,
    /// The key that the page was asked for from, inclusive: a bound, not always a row.
    pub start: PrimaryKey,
    /// Where the range goes on after the page.
    pub next: NextPage,
}

/// Keys are data: they stay out of logs.
impl fmt::Debug for RangeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeStep")
            .field("range", &self.range)
            .field("is_last", &self.next.is_done())
            .finish_non_exhaustive()
    }
}

impl TableCheckpoint {
    /// Counts a page as done with: from here on its range goes on behind it.
    ///
    /// Pages of a range are to come in their order; those of different ranges in any.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use ots_scan::{TableCheckpoint, TableScan, TableScanError};
    ///
    /// async fn copy(mut scan: TableScan) -> Result<TableCheckpoint, TableScanError> {
    ///     let mut written = scan.checkpoint();
    ///     while let Some(page) = scan.try_next().await? {
    ///         // Written, flushed, safe; then:
    ///         written.advance(&page.step())?;
    ///     }
    ///     Ok(written)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`CheckpointGap`](TableScanErrorKind::CheckpointGap) when the page isn't the next one of its
    /// range: one before it is missing, it was counted already, or it is of another scan. The checkpoint
    /// stays as it is.
    pub fn advance(&mut self, step: &RangeStep) -> Result<(), TableScanError> {
        let range = step.range;
        let position = self.position_mut(range);
        match position.filter(|position| position.next.key() == Some(&step.start)) {
            Some(position) => {
                position.next = step.next.clone();
                Ok(())
            }
            None => Err(TableScanError::new(TableScanErrorKind::CheckpointGap {
                range,
            })),
        }
    }
}
