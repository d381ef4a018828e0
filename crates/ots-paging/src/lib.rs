//! Ranges of Alibaba Cloud Tablestore, page after page.
//!
//! The service answers a GetRange with one page and the key of the next unread row. This crate goes
//! on from there: as a stream of rows, as a stream of pages that lend their rows uncopied, or as
//! pages counted by offset. [`RangeExt`] adds these roads to the request:
//!
//! ```no_run
//! use ots_core::request::GetRange;
//! use ots_paging::RangeExt as _;
//! use ots_proto::PrimaryKey;
//!
//! # async fn example(client: ots_core::Client) -> Result<(), ots_paging::Error> {
//! let (start, end) = (PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
//!
//! // Rows that own their values; only the first hundred.
//! let request = GetRange::new("orders", start.clone(), end.clone()).columns(["price"]);
//! let mut rows = request.rows(&client).take_rows(100);
//! while let Some(row) = rows.next().await {
//!     println!("{}", row?.primary_key);
//! }
//!
//! // Pages, whose rows are read where they lie.
//! let mut pages = GetRange::new("orders", start, end).pages(&client);
//! while let Some(page) = pages.next().await {
//!     let page = page?;
//!     let mut reader = page.reader()?;
//!     while let Some(row) = reader.next_row()? {
//!         println!("{} cells", row.cells().len());
//!     }
//!     println!("{} read capacity units", page.consumed().read);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What it holds to:
//!
//! - only the absence of the next key ends a range; a page without rows doesn't;
//! - nothing depends on whether the service counts `limit` before or after the filter;
//! - it never spawns, keeps no clock, and has at most one request in flight, made when polled;
//!   [`Pages::prefetch`] makes it as the page before is handed over;
//! - rows in all, rows in a page and bytes in a page are limits apart;
//! - pages of a list turn both ways with nothing kept but a token: [`RangeExt::page_at`];
//! - a stream ends at the first error, and its `resume_point` says where to go on;
//! - a row that is too wide for one answer comes once, whole, up to a size in bytes; [`RowParts`] hands
//!   wider ones over in parts, and [`ColumnPager`] reads one column by column.
//!
//! Every decision is in [`RangeCursor`], a plain value without async; the streams only drive it.

mod anchors;
mod column;
mod count;
mod cursor;
mod decode;
mod error;
mod estimate;
mod ext;
mod keys;
mod list;
mod offset;
mod page;
mod parts;
mod resume;
mod search;
mod search_point;
mod side_by_side;
mod stream;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
mod token;
mod turned;
mod wide;

pub use anchors::Anchors;
pub use column::{ColumnPage, ColumnPager};
pub use count::RowCount;
pub use cursor::RangeCursor;
pub use error::{Error, ErrorKind};
pub use estimate::RowEstimate;
pub use ext::RangeExt;
pub use list::{ListPage, PagePlace};
pub use offset::{OffsetCost, OffsetPage, OffsetPager};
pub use page::{NextPage, Page};
pub use parts::{RowPart, RowParts};
pub use resume::ResumePoint;
pub use search::{SearchExt, SearchPage, SearchPager, SearchRows};
pub use search_point::SearchPoint;
pub use stream::{Pages, Rows};
pub use token::PageTokens;

/// The examples of the guides, compiled and run.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/guides/paging.md")]
    struct Paging;
    #[doc = include_str!("../../../docs/guides/typed-rows.md")]
    struct TypedRows;
}
