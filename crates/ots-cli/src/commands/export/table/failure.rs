//! How an export of a table fails.

use ots_scan::{TableScanError, TableScanErrorKind};

use super::Job;
use super::pump::Stop;
use crate::commands::export::of_sink;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::table_export::RoundError;

impl Job {
    /// How it failed, unless it didn't.
    pub(super) fn failure(&self, stop: Stop, rows: u64, interrupt: &Interrupt) -> Option<Failure> {
        let doing = || self.stopped(rows);
        let failure = match stop {
            // Also if it came while the last rows went to the disk.
            Stop::End | Stop::Interrupted => Failure::new(interrupt.signal()?, doing()),
            Stop::Scan(error) => of_scan(doing(), error),
            Stop::Sink(error) | Stop::Write(RoundError::Sink(error)) => of_sink(doing(), error),
            Stop::Write(RoundError::Decode {
                range,
                page,
                source,
            }) => {
                let advice = match source.kind() {
                    ots_arrow::ErrorKind::TypeMismatch { .. } => Some(
                        "choose other columns or types with --columns, or take --format jsonl, \
                         which needs no types",
                    ),
                    ots_arrow::ErrorKind::OtherColumn { .. } => Some(
                        "name the columns with --columns, or take --format jsonl, which needs no \
                         names",
                    ),
                    _ => None,
                };
                let doing = format!("{}: page {page} of range {range} doesn't fit", doing());
                let failure = Failure::new(Exit::Mismatch, doing).because(source);
                match advice {
                    Some(advice) => failure.advise(advice),
                    None => failure,
                }
            }
            Stop::Write(RoundError::Page(error)) => of_scan(doing(), error),
            Stop::Write(_) => Failure::new(Exit::Other, format!("{}: a writer panicked", doing())),
        };
        Some(failure)
    }
}

/// A failed scan: what the call says decides. The scan's own sentence names the table and says where
/// it stopped.
pub(super) fn of_scan(doing: String, error: TableScanError) -> Failure {
    let failure = match (error.kind(), error.as_call()) {
        (TableScanErrorKind::Request | TableScanErrorKind::Bounds, None) => {
            Failure::new(Exit::Usage, doing)
        }
        (TableScanErrorKind::CheckpointOfOtherScan, _) => {
            let failure = Failure::new(Exit::Usage, doing);
            failure.advise("give the options that it was begun with")
        }
        (_, Some(call)) => Failure::like_call(doing, call),
        (
            TableScanErrorKind::Range { .. }
            | TableScanErrorKind::Decode { .. }
            | TableScanErrorKind::Checkpoint(_),
            None,
        ) => Failure::new(Exit::Mismatch, doing),
        _ => Failure::new(Exit::Other, doing),
    };
    failure.because(error)
}
