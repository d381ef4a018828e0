//! Macros that turn rows of Alibaba Cloud Tablestore into structs and back.
//!
//! Use them through `ots-proto` with its feature `derive`; the traits they implement live there, in
//! `ots_proto::typed`, and so does the table of types that fields can have.
//!
//! ```
//! use ots_proto::{FromPrimaryKey, FromRow, IntoPrimaryKey, IntoRow, PrimaryKey};
//!
//! #[derive(Clone, Debug, PartialEq, PrimaryKey)]
//! struct OrderId {
//!     customer: String,
//!     number: u32,
//! }
//!
//! #[derive(Clone, Debug, PartialEq, FromRow, IntoRow)]
//! #[ots(rename_all = "camelCase")]
//! struct Order {
//!     #[ots(primary_key(flatten))]
//!     id: OrderId,
//!     price_cents: u32,
//!     #[ots(timestamp = "ms")]
//!     ordered_at: jiff::Timestamp,
//!     note: Option<String>,
//!     #[ots(json)]
//!     tags: Vec<String>,
//! }
//!
//! let order = Order {
//!     id: OrderId { customer: "李雷".to_owned(), number: 7 },
//!     price_cents: 1_250,
//!     ordered_at: "2024-02-29T12:00:00Z".parse()?,
//!     note: None,
//!     tags: vec!["gift".to_owned()],
//! };
//!
//! // `PutRow::new("orders", row)` takes it as it is.
//! let row = order.clone().into_row()?;
//! let names: Vec<&str> = row.cells.iter().map(|cell| cell.name.as_str()).collect();
//! assert_eq!(names, ["priceCents", "orderedAt", "tags"]);
//!
//! let back: Order = row.parse()?;
//! assert_eq!(back, order);
//!
//! // `GetRow::new("orders", key)` takes this one.
//! let key = order.id.clone().into_primary_key()?;
//! assert_eq!(OrderId::from_primary_key(&key)?, order.id);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Attributes of a struct
//! | attribute | effect |
//! |---|---|
//! | `#[ots(rename_all = "camelCase")]` | how field names become column names; also `lowercase`, `UPPERCASE`, `PascalCase`, `snake_case`, `SCREAMING_SNAKE_CASE` |
//! | `#[ots(crate = "path")]` | where `ots_proto` is, if not at `::ots_proto` |
//!
//! # Attributes of a field
//! | attribute | effect |
//! |---|---|
//! | `#[ots(rename = "name")]` | the column's name, whatever `rename_all` says |
//! | `#[ots(primary_key)]` | a key column; key fields come first, in the table's order |
//! | `#[ots(primary_key(flatten))]` | the columns of a type that derives `PrimaryKey` |
//! | `#[ots(auto_increment)]` | a key column whose value the service picks: an `Option` that is `None` before |
//! | `#[ots(timestamp = "ms")]` | a point in time as an INTEGER in this unit: `"s"`, `"ms"`, `"us"` or `"ns"` |
//! | `#[ots(json)]` | any type of serde's, as JSON text; `null` and a missing column are the same. Needs the feature `json` |
//! | `#[ots(default)]` | a missing column is `Default::default()` |
//! | `#[ots(default = "path")]` | a missing column is `path()` |
//! | `#[ots(skip)]` | no column: never written, and `Default::default()` when read |
//!
//! Structs have named fields. Names are checked when the macro runs: two fields of one column, an
//! empty name, one that is too long or starts with `#`, more than four key columns are errors at the
//! field.

mod attributes;
mod case;
mod from_row;
mod generics;
mod into_row;
mod model;
mod primary_key;

use proc_macro::TokenStream;
use syn::DeriveInput;

/// Implements `FromRow`: the struct can be read from a row. See the [crate](self) for the attributes.
///
/// A struct with a lifetime borrows from the row:
///
/// ```
/// use ots_proto::plainbuffer::{Accept, Reader, write_row};
/// use ots_proto::{FromRow, PrimaryKey, Row};
///
/// #[derive(FromRow)]
/// struct Page<'row> {
///     #[ots(primary_key)]
///     address: &'row str,
///     body: &'row [u8],
/// }
///
/// let row = Row::new(PrimaryKey::new().column("address", "/")).cell("body", b"hello".to_vec());
/// let buffer = write_row(&row);
/// let mut pages = Reader::new(&buffer, Accept::Rows)?.typed::<Page<'_>>();
/// let page = pages.next().unwrap()?;
/// assert!(buffer.as_ptr_range().contains(&page.body.as_ptr()), "not copied");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A field of a type that no column has doesn't compile:
///
/// ```compile_fail,E0277
/// use ots_proto::FromRow;
///
/// #[derive(FromRow)]
/// struct Page {
///     links: Vec<String>,
/// }
/// ```
///
/// Nor does a field of a column that the flattened key has already:
///
/// ```compile_fail,E0080
/// use ots_proto::{FromRow, PrimaryKey};
///
/// #[derive(PrimaryKey)]
/// struct OrderId {
///     number: i64,
/// }
///
/// #[derive(FromRow)]
/// struct Order {
///     #[ots(primary_key(flatten))]
///     id: OrderId,
///     #[ots(rename = "number")]
///     price: i64,
/// }
/// ```
#[proc_macro_derive(FromRow, attributes(ots))]
pub fn derive_from_row(input: TokenStream) -> TokenStream {
    expand(input, from_row::expand)
}

/// Implements `IntoRow`: the struct can be written as a row. See the [crate](self) for the
/// attributes.
///
/// ```
/// use ots_proto::{IntoRow, PrimaryKeyValue};
///
/// #[derive(IntoRow)]
/// struct Event {
///     #[ots(primary_key)]
///     source: String,
///     #[ots(primary_key, auto_increment)]
///     number: Option<i64>,
///     text: String,
/// }
///
/// let event = Event { source: "door".to_owned(), number: None, text: "open".to_owned() };
/// let row = event.into_row()?;
/// // The service picks the number; ask for it with `ReturnContent::PrimaryKey`.
/// assert_eq!(row.primary_key.get("number"), Some(&PrimaryKeyValue::AutoIncrement));
/// # Ok::<(), ots_proto::typed::Error>(())
/// ```
#[proc_macro_derive(IntoRow, attributes(ots))]
pub fn derive_into_row(input: TokenStream) -> TokenStream {
    expand(input, into_row::expand)
}

/// Implements `KeyColumns`, `IntoPrimaryKey` and `FromPrimaryKey`: the struct stands for a primary
/// key, its fields for the columns in the table's order.
///
/// Every field is a key column, so of the attributes only `rename`, `timestamp` and
/// `auto_increment` apply. `INF_MIN` and `INF_MAX` are bounds, not values: no field can hold them,
/// but `min_key()` and `max_key()` give the ends of the table.
///
/// ```
/// use ots_proto::typed::KeyColumns as _;
/// use ots_proto::{IntoPrimaryKey, PrimaryKey};
///
/// #[derive(PrimaryKey)]
/// struct OrderId {
///     customer: String,
///     number: u32,
/// }
///
/// let key = OrderId { customer: "李雷".to_owned(), number: 7 }.into_primary_key()?;
/// assert_eq!(key, PrimaryKey::new().column("customer", "李雷").column("number", 7));
/// assert!(OrderId::min_key() < key && key < OrderId::max_key());
/// # Ok::<(), ots_proto::typed::Error>(())
/// ```
///
/// A type that no key column has doesn't compile:
///
/// ```compile_fail,E0277
/// use ots_proto::PrimaryKey;
///
/// #[derive(PrimaryKey)]
/// struct OrderId {
///     words: Vec<String>,
/// }
/// ```
#[proc_macro_derive(PrimaryKey, attributes(ots))]
pub fn derive_primary_key(input: TokenStream) -> TokenStream {
    expand(input, primary_key::expand)
}

fn expand(
    input: TokenStream,
    with: fn(&DeriveInput) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    with(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
