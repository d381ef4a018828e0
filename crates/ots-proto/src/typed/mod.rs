//! Rows as structs: conversions between rows and types of your own, mostly derived.
//!
//! With the feature `derive`, three macros write the conversions (`FromRow`, `IntoRow` and
//! `PrimaryKey`); their attributes are described in the crate `ots-derive`.
//!
#![cfg_attr(feature = "derive", doc = "```")]
#![cfg_attr(not(feature = "derive"), doc = "```ignore")]
//! use ots_proto::{FromRow, IntoRow, PrimaryKey, Row};
//!
//! #[derive(Clone, Debug, PartialEq, PrimaryKey)]
//! struct OrderId {
//!     customer: String,
//!     number: u32,
//! }
//!
//! #[derive(Clone, Debug, PartialEq, FromRow, IntoRow)]
//! struct Order {
//!     #[ots(primary_key(flatten))]
//!     id: OrderId,
//!     #[ots(rename = "price_cents")]
//!     price: u32,
//!     note: Option<String>,
//! }
//!
//! let order = Order {
//!     id: OrderId { customer: "李雷".to_owned(), number: 7 },
//!     price: 1_250,
//!     note: None,
//! };
//! let row: Row = order.clone().into_row()?;
//! assert_eq!(row.cells.len(), 1, "an absent note is no cell");
//! assert_eq!(row.parse::<Order>()?, order);
//! # Ok::<(), ots_proto::typed::Error>(())
//! ```
//!
//! # How a row becomes a struct
//! The struct is filled in one pass over the row's cells, straight from where they lie. The service
//! sends columns sorted by name, and the macro knows its names sorted: the next name is tried
//! first, so that a cell costs one comparison, also where optional columns are missing. A row in
//! another order costs a binary search a cell. Nothing is hashed, and nothing is allocated but what
//! the struct owns; a struct of `&str` fields borrows from the buffer of the response.
//!
//! Of a column with several versions the newest counts, and columns that the struct doesn't have
//! are passed over: [`FromRow::COLUMNS`] is the list to ask the service for.
//!
//! # Types
//! | field | column | key column |
//! |---|---|---|
//! | `i8` to `i64`, `u8` to `u64`, `isize`, `usize` | INTEGER, range checked both ways | INTEGER, range checked |
//! | `f64`, `f32` | DOUBLE; as `f32` rounded to the nearest, out of its range refused | |
//! | `bool` | BOOLEAN | |
//! | `String`, `&str`, `Cow<str>`, `Box<str>`, `Arc<str>` | STRING | STRING |
//! | `Bytes`, `Vec<u8>`, `&[u8]`, `Cow<[u8]>` | BINARY | BINARY |
//! | `Option` of these | may be absent | |
//! | [`ColumnValue`](crate::ColumnValue), [`PrimaryKeyValue`](crate::PrimaryKeyValue) | any type | any type |
//!
//! Types of your own join them by [`FromColumnValue`] and [`IntoColumnValue`], and as keys by
//! [`FromKeyValue`] and [`IntoKeyValue`]. Points in time are integers in a unit that the field names
//! ([`TimestampValue`]).

mod columns;
mod convert;
mod error;
mod key;
mod key_value;
mod rows;
mod timestamp;
mod value;

#[cfg(feature = "json")]
mod json;

#[doc(hidden)]
pub mod __private;

pub use columns::Columns;
pub use convert::{FromRow, IntoRow};
pub use error::{Error, ErrorKind, ValueError};
pub use key::{FromPrimaryKey, IntoPrimaryKey, KeyColumns};
pub use key_value::{FromKeyValue, IntoKeyValue};
pub use rows::TypedRows;
pub use timestamp::{TimestampUnit, TimestampValue};
pub use value::{FromColumnValue, IntoColumnValue};
