//! Reads everything a query finds in a search index, many splits at once.
//!
//! ```no_run
//! use futures::TryStreamExt;
//! use ots_core::{Client, Query};
//! use ots_scan::parallel_scan;
//!
//! # async fn example(client: Client) -> Result<(), ots_scan::ScanError> {
//! let mut scan = parallel_scan(client, "orders", "orders_index")
//!     .query(Query::term("city", "Hangzhou"))
//!     .column_names(["city", "price"])
//!     .open()
//!     .await?;
//! while let Some(page) = scan.try_next().await? {
//!     let mut rows = page.reader();
//!     while let Some(row) = rows.next_row()? {
//!         println!("{:?}", row.get("price"));
//!     }
//! }
//! assert!(scan.progress().is_done());
//! # Ok(())
//! # }
//! ```
//!
//! A program that does this depends on `ots-core` too: its features `hyper` and `rustls`, on by default
//! there, are the way to the service.
//!
//! [`parallel_scan`] opens a [`ScanSession`], divides it into as many [`Split`]s as it may ask at
//! once, and gives every page of every split exactly once, or an error. It ends without one only
//! after the service has said of each split that there is no more: a scan that stops early never
//! looks like one that is complete.
//!
//! # Ways to look at it
//! | | |
//! |---|---|
//! | [`ScanBuilder::open`] | pages of all splits, to be decoded where the caller wants |
//! | [`Scan::rows`] | rows that own their values, made in the tasks of the splits |
//! | [`Scan::decode`] | what a function of the caller's makes of each page, in those tasks |
//! | [`ScanBuilder::events`] | pages, and word of each session that was lost |
//! | [`ScanBuilder::splits`] | each split as a scan of its own, for workers of the caller's |
//! | [`ScanBuilder::resume`] | the rest of a scan, or of a split, behind a [`Checkpoint`] |
//! | [`ScanBuilder::in_session`] | splits of a session that another program opened, from its tokens |
//! | [`ScanBuilder::without_session`] | one split without a snapshot, in which rows may come twice |
//!
//! # What holds
//! - Pages come in order within a split, and in any order between splits.
//! - While a page is decoded, and while it is with the caller, the next one of its split is already on
//!   its way.
//! - Three bounds hold whatever the caller does: splits ([`ScanBuilder::concurrency`]), requests in
//!   flight (a [`Limiter`], which scans and writers can share, and which gives way when the service
//!   throttles), bytes that nobody has taken yet ([`ScanBuilder::buffered_bytes`]; of what
//!   [`Scan::decode`] makes of a page, the bytes of the page count, and with [`Scan::decode_sized`]
//!   those that the caller says). A permit is never held while the
//!   caller thinks.
//! - A page that comes damaged is asked for again, with the same token in the same session, before
//!   the scan fails ([`ScanBuilder::refetches`]).
//! - A session that waits for the caller is kept alive, for a while, once its first page was wanted
//!   ([`ScanBuilder::keep_alive`]).
//! - A session that is lost all the same ends the scan with [`ScanErrorKind::SessionExpired`] and exact
//!   counts of what the caller was given; or it begins anew, at least once or exactly once, as
//!   [`OnSessionLoss`] says. Splits of two sessions are never mixed.
//!
//! # How
//! [`ScanPlan`] holds the decisions and does nothing; one task per split does what it says, and one
//! opens the next session. All end with the scan. What is promised is held against a model in ten
//! thousand random worlds of faults, in `tests/simulation`.
//!
//! # Without an index
//! [`table_scan`] reads a table the same way: ComputeSplitPointsBySize cuts it into ranges of keys,
//! each of which is read by GetRange, or by BulkExport if [wanted](ReadBy), with columns, filter and
//! key range pushed down, under the same three bounds. The ranges are disjoint and cover what is asked for, so a row that is there all the
//! time comes exactly once; rows that are written meanwhile come or don't, as there is no snapshot.
//! There is no session either: a [`TableCheckpoint`] can be [resumed](TableScanBuilder::resume) at any
//! time, in any process, also after an error. [`TableScanBuilder::plan`] says how the table would be
//! read and about what that costs.

mod budget;
#[cfg(test)]
mod budget_tests;
mod builder;
mod checkpoint;
mod circle;
mod columns;
mod decode;
mod decoded;
mod delivered;
mod engine;
mod error;
mod events;
mod failure;
mod framing;
mod keep_alive;
mod launch;
mod open;
mod outlet;
mod page;
mod places;
mod plan;
mod progress;
mod request;
mod rows;
mod scan;
mod session;
mod session_life;
mod session_loss;
mod setup;
mod split;
mod sync;
mod table;
mod tokens;
mod worker;

pub use builder::{DEFAULT_CONCURRENCY, MAX_CONCURRENCY, ScanBuilder, parallel_scan};
pub use checkpoint::Checkpoint;
pub use decoded::ScanDecoded;
pub use error::{ScanError, ScanErrorKind};
pub use events::{Restarted, ScanEvent, ScanEvents};
pub use ots_core::limiter::Limiter;
pub use ots_core::request::ScanColumns;
pub use page::{PageReader, ScanPage};
pub use plan::{Arrival, Ask, Before, Handed, Next, NotAdvancing, Position, ScanPlan};
pub use progress::{ScanProgress, SplitProgress, SplitState};
pub use rows::ScanRows;
pub use scan::Scan;
pub use session::ScanSession;
pub use session_loss::OnSessionLoss;
pub use split::Split;
pub use table::{
    RangePosition, RangeProgress, RangeStep, ReadBy, TableBlock, TableCheckpoint, TablePage,
    TableProgress, TableRoad, TableRows, TableScan, TableScanBuilder, TableScanError,
    TableScanErrorKind, TableScanPlan, table_scan,
};

/// The examples of the guide, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/scans.md")]
struct Guide;
