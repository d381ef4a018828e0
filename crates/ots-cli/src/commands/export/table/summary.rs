//! What a finished export of a table says.

use std::path::PathBuf;
use std::time::Duration;

use ots_scan::TableProgress;

use super::columns::Looked;
use crate::figures::{Bytes, Count, Of, Seconds, per_second};
use crate::sink::CommittedPart;

/// A finished export.
pub(super) struct Summary {
    pub(super) out: PathBuf,
    pub(super) rows: u64,
    pub(super) earlier_rows: u64,
    pub(super) parts: Vec<CommittedPart>,
    /// What it took to know ranges and columns.
    pub(super) looked: Looked,
    /// None when all was read before.
    pub(super) progress: Option<TableProgress>,
    pub(super) elapsed: Duration,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written: u64 = self.parts.iter().map(|part| part.size_bytes).sum();
        let now = self.rows - self.earlier_rows;
        write!(f, "exported {}", Of(self.rows, "row"))?;
        if self.earlier_rows > 0 {
            write!(f, ", {} of them now,", Count(now))?;
        }
        write!(
            f,
            " in {}: {} rows/s",
            Seconds(self.elapsed),
            per_second(now, self.elapsed)
        )?;
        if let Some(progress) = &self.progress {
            write!(
                f,
                ", {} read, {} written, {}, {}, {}",
                Bytes(progress.bytes()),
                Bytes(written),
                Of(progress.requests + self.looked.requests, "request"),
                Of(progress.retries + progress.refetched, "retry"),
                Of(
                    progress.consumed.read + self.looked.consumed.read,
                    "read capacity unit"
                ),
            )?;
        }
        let charged = self.progress.as_ref().map_or(0, |now| now.charged_bytes);
        if charged > 0 {
            write!(f, ", {} charged", Bytes(charged))?;
        }
        let (files, out) = (Of(self.parts.len() as u64, "file"), self.out.display());
        write!(f, "; {files} in {out}")
    }
}
