//! The wire language of Alibaba Cloud Tablestore (OTS): messages, rows, keys, queries.
//!
//! No async, no clock, no sockets: bytes in, values out, and back. Everything that comes from the
//! network is checked while it is read, and read where it lies.
//!
//! - [`plainbuffer`]: the row format, read as borrowed [`RowRef`]s over one buffer;
//! - [`PrimaryKey`](struct@PrimaryKey), [`Row`], [`RowChange`], [`ColumnValue`]: what rows are made of;
//! - [`messages`]: the protobuf messages, with `bytes` fields that share the response's buffer;
//! - [`operation`]: the table of operations;
//! - [`filter`]: conditions on the columns of a row, as values;
//! - [`simple_row_matrix`]: the columnar blocks of BulkExport and GetRange;
//! - [`search`]: search indexes as values: schemas, queries, results;
#![cfg_attr(feature = "sql", doc = "- [`sql`]: the rows of an SQL answer;")]
//! - [`typed`]: rows as structs of your own, with the feature `derive` by macros.
//!
//! ```
//! use ots_proto::plainbuffer::{Accept, Reader, write_row};
//! use ots_proto::{ColumnValueRef, PrimaryKey, Row};
//!
//! let row = Row::new(PrimaryKey::new().column("id", 7)).cell("city", "Hangzhou");
//! let page = write_row(&row);
//!
//! let mut rows = Reader::new(&page, Accept::Rows)?;
//! while let Some(row) = rows.next_row()? {
//!     assert_eq!(row.get("city"), Some(ColumnValueRef::String("Hangzhou")));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//! None is on by default.
//!
//! | feature | |
//! |---|---|
//! | `derive` | macros that turn rows into structs and back |
//! | `jiff` | points in time as `jiff::Timestamp` |
//! | `json` | queries to and from JSON, columns that hold JSON |
//! | `sql` | the rows of SQLQuery |
//! | `test-util` | proptest strategies for values, keys, rows and row changes |

mod bounded;
mod fields;
pub mod filter;
pub(crate) mod generated;
mod name;
pub mod operation;
pub mod plainbuffer;
mod primary_key;
mod row;
pub mod search;
pub mod simple_row_matrix;
mod split_points;
#[cfg(feature = "sql")]
pub mod sql;
#[cfg(any(test, feature = "test-util"))]
pub mod strategy;
pub mod typed;
mod value;

/// The protobuf messages, generated from `proto/`.
///
/// Bodies from the network are better decoded by [`Operation::decode_response`] and
/// [`Operation::decode_request`] than by the messages themselves: those refuse what would take many times
/// its own bytes of memory.
///
/// [`Operation::decode_response`]: operation::Operation::decode_response
/// [`Operation::decode_request`]: operation::Operation::decode_request
pub mod messages {
    pub use crate::generated::messages::*;
}

pub use name::{ColumnName, NameCache};
pub use primary_key::{PrimaryKey, PrimaryKeyColumn, PrimaryKeyValue, PrimaryKeyValueRef};
pub use row::{
    Cell, CellOperation, CellRef, CellUpdate, KeyCellRef, Row, RowChange, RowRef, RowUpdate,
};
pub use split_points::{SplitPointError, TableSplit, TableSplits};
pub use value::{ColumnValue, ColumnValueRef};

#[cfg(feature = "derive")]
pub use ots_derive::{FromRow, IntoRow, PrimaryKey};
pub use typed::{FromPrimaryKey, FromRow, IntoPrimaryKey, IntoRow};
