//! The parts of an export of a table that isn't asked through an index: nothing here sends a request.
//!
//! Pages come from many ranges of keys in any order. They go to files in rounds: when enough was
//! read, every thread closes its file, and only then the journal names the files and the place
//! behind them. So the two always agree, whenever the process ends, and what a kill costs is what was
//! read since the files before were closed.

mod bounds;
mod columns;
mod journal;
mod share;
mod writers;

pub use bounds::{BoundError, bound};
pub use columns::{ColumnsError, Sampled, Wanted};
#[cfg(test)]
pub(crate) use journal::tests::checkpoint;
pub use journal::{Journal, JournalError};
pub use writers::{Content, Round, RoundError, RoundWriters};
