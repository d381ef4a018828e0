//! How an export of a table fails.

use std::error::Error as _;

use ots_scan::{TableScanError, TableScanErrorKind};

use super::Job;
use super::pump::Stop;
use crate::args::ReadBy;
use crate::commands::export::resume::Kept;
use crate::commands::export::{of_sink, of_sink_there};
use crate::failure::{Exit, Failure};
use crate::figures::Of;
use crate::interrupt::Interrupt;
use crate::table_export::RoundError;

impl Job {
    /// How it failed, unless it didn't.
    pub(super) fn failure(
        &self,
        stop: Stop,
        rows: u64,
        kept: &Kept,
        interrupt: &Interrupt,
    ) -> Option<Failure> {
        let doing = || self.stopped(rows, kept.rows());
        let mut or = "";
        let failure = match stop {
            // Also if it came while the last rows went to the disk.
            Stop::End | Stop::Interrupted => Failure::new(interrupt.signal()?, doing()),
            Stop::Scan(error) if is_row_too_large(&error) => {
                or = "or make the row smaller and ";
                of_scan(doing(), error).advise("begin anew with fewer --columns")
            }
            Stop::Scan(error) if self.refuses_bulk_export(&error) => {
                let failure = Failure::new(Exit::Usage, doing()).because(error);
                let failure = failure.advise(
                    "BulkExport isn't for every instance, nor for every row: take --read-by \
                     get-range, which is",
                );
                return Some(failure.also_advise(kept.advice_by_get_range(&self.out)));
            }
            Stop::Scan(error) => of_scan(doing(), error),
            Stop::Sink(error) | Stop::Write(RoundError::Sink(error)) => {
                match kept.is_worth_keeping() {
                    true => of_sink_there(doing(), error),
                    false => of_sink(doing(), error),
                }
            }
            Stop::Write(RoundError::Decode {
                range,
                page,
                source,
            }) => {
                or = "or put the row right and ";
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
            Stop::Write(RoundError::Rows { read, written }) => {
                let (read, doing) = (Of(read, "row"), doing());
                let doing = format!("{doing}: {read} read for the next files, {written} written");
                Failure::new(Exit::Mismatch, doing)
            }
            Stop::Write(RoundError::Thread) => {
                Failure::new(Exit::Other, format!("{}: a writer panicked", doing()))
            }
        };
        Some(failure.also_advise(kept.advice(&self.out, or)))
    }
}

impl Job {
    /// Whether the service said no to the operation that was asked for, or to a row of it, and to nothing
    /// that another operation would meet too.
    fn refuses_bulk_export(&self, error: &TableScanError) -> bool {
        let is_refused = error.code().is_some() && !error.is_retryable();
        let exit = error
            .as_call()
            .map(|call| Failure::like_call("", call).exit());
        self.read_by == ReadBy::BulkExport && is_refused && exit == Some(Exit::Other)
    }
}

/// A row that is put together from parts has a bound, and would meet it again.
fn is_row_too_large(error: &TableScanError) -> bool {
    let source = error.source();
    let paging = source.and_then(|source| source.downcast_ref::<ots_paging::Error>());
    paging.is_some_and(|error| error.kind() == ots_paging::ErrorKind::RowTooLarge)
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
