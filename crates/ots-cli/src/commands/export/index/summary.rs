//! What a finished export of an index says.

use std::path::PathBuf;
use std::time::Duration;

use ots_scan::ScanProgress;

use crate::figures::{Bytes, Of, Seconds, per_second};
use crate::sink::CommittedPart;

/// A finished export.
#[derive(Debug)]
pub(in crate::commands) struct Summary {
    pub(in crate::commands) rows: u64,
    pub(in crate::commands) parts: Vec<CommittedPart>,
    pub(super) out: PathBuf,
    pub(super) progress: ScanProgress,
    pub(super) elapsed: Duration,
    pub(super) counted_rows: Option<u64>,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written: u64 = self.parts.iter().map(|part| part.size_bytes).sum();
        write!(
            f,
            "exported {} in {}: {} rows/s, {} read, {} written, {}, {}, {}; {} in {}",
            Of(self.rows, "row"),
            Seconds(self.elapsed),
            per_second(self.rows, self.elapsed),
            Bytes(self.progress.bytes()),
            Bytes(written),
            Of(self.progress.requests, "request"),
            Of(self.progress.retries + self.progress.refetched, "retry"),
            Of(self.progress.generation.into(), "restart"),
            Of(self.parts.len() as u64, "file"),
            self.out.display(),
        )?;
        if let Some(counted) = self.counted_rows.filter(|counted| *counted != self.rows) {
            let counted = Of(counted, "row");
            write!(
                f,
                "\nnote: a count meanwhile found {counted}; rows were written or deleted during \
                 the export"
            )?;
        }
        Ok(())
    }
}
