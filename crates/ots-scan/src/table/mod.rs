//! Scans without an index: a table in ranges of keys, read side by side.

mod block;
mod builder;
mod checkpoint;
mod error;
mod estimate;
mod page;
mod progress;
mod ranges;
mod rows;
mod scan;
mod source;
mod spec;
mod step;
mod worker;

pub use block::TableBlock;
pub use builder::{TableScanBuilder, table_scan};
pub use checkpoint::{RangePosition, TableCheckpoint};
pub use error::{TableScanError, TableScanErrorKind};
pub use estimate::{TableRoad, TableScanPlan};
pub use page::TablePage;
pub use progress::{RangeProgress, TableProgress};
pub use rows::TableRows;
pub use scan::TableScan;
pub use source::ReadBy;
pub use step::RangeStep;
