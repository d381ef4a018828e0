//! Pages from the scan to the writers, and rounds from the writers to the journal.

use futures::TryStreamExt as _;
use ots_scan::{TableCheckpoint, TableProgress, TableScan, TableScanError};

use super::Job;
use crate::commands::export::resume::Kept;
use crate::interrupt::Interrupt;
use crate::progress::Snapshot;
use crate::sink;
use crate::table_export::{RoundError, RoundWriters};

/// Why no more pages are read.
pub(super) enum Stop {
    End,
    Interrupted,
    Scan(TableScanError),
    Write(RoundError),
    Sink(sink::Error),
}

impl Job {
    /// Hands every page to its writer, and keeps every round that is complete.
    pub(super) async fn pump(
        &self,
        scan: &mut TableScan,
        writers: &mut RoundWriters,
        kept: &mut Kept,
        interrupt: &mut Interrupt,
        mut moved: impl FnMut(&TableScan),
    ) -> Stop {
        let (mut rows, mut bytes) = (0, 0);
        loop {
            let page = tokio::select! {
                // A scan that is fast, and always has a page, mustn't be deaf.
                biased;
                _ = interrupt.wait() => return Stop::Interrupted,
                kept = keep_next(writers, kept) => match kept {
                    Ok(()) => continue,
                    Err(stop) => return stop,
                },
                page = scan.try_next() => page,
            };
            let page = match page {
                Ok(Some(page)) => page,
                Ok(None) => return Stop::End,
                Err(error) => return Stop::Scan(error),
            };
            rows += page.row_count();
            bytes += page.buffer().len();
            let mut goes_on = writers.write(page).await;
            if goes_on && (rows >= self.checkpoint_rows || bytes >= CHECKPOINT_BYTES) {
                (rows, bytes) = (0, 0);
                // One round at most is on its way to the disk while the next is filled: a kill costs
                // no more than these.
                while writers.is_closing() {
                    if let Err(stop) = keep_next(writers, kept).await {
                        return stop;
                    }
                }
                goes_on = writers.close(scan.checkpoint()).await;
            }
            if !goes_on {
                return failed(writers, kept).await;
            }
            moved(scan);
        }
    }
}

/// Finishes the files, and keeps them: they end where the scan stood.
pub(super) async fn last_round(
    checkpoint: TableCheckpoint,
    writers: &mut RoundWriters,
    kept: &mut Kept,
) -> Result<(), Stop> {
    if !writers.close(checkpoint).await {
        return Err(failed(writers, kept).await);
    }
    while writers.is_closing() {
        keep_next(writers, kept).await?;
    }
    Ok(())
}

/// Waits for the next round that is complete, and keeps it. Given up and called again, it waits on.
async fn keep_next(writers: &mut RoundWriters, kept: &mut Kept) -> Result<(), Stop> {
    let round = writers.next_closed().await.map_err(Stop::Write)?;
    kept.add(round).map_err(Stop::Sink)
}

/// Why a writer has gone. Rounds that are complete all the same are kept.
pub(super) async fn failed(writers: &mut RoundWriters, kept: &mut Kept) -> Stop {
    loop {
        if let Err(stop) = keep_next(writers, kept).await {
            return stop;
        }
    }
}

pub(super) fn snapshot(scan: &TableProgress, earlier_rows: u64) -> Snapshot {
    Snapshot {
        rows: earlier_rows + scan.rows(),
        bytes: scan.bytes(),
        expected_rows: None,
        parts: Vec::new(),
        ranges: Some((scan.ranges_done(), scan.ranges.len())),
    }
}

/// What is read between two closings of the files, at most: in bytes.
const CHECKPOINT_BYTES: usize = 256_000_000;
