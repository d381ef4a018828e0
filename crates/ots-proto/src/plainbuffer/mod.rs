//! PlainBuffer: the row format inside the `bytes` fields of the data operations.
//!
//! Little-endian throughout. One header per buffer, also for many rows:
//!
//! ```text
//! buffer    = header row*
//! header    = 75 00 00 00
//! row       = 01 cell*                 primary key
//!             [02 cell*]               attribute cells; left out when there are none
//!             [08]                     delete marker
//!             [extension]
//!             09 crc8                  row checksum
//! cell      = 03
//!             04 len32 name            UTF-8
//!             [05 len32 variant]       len32 counts the type byte too
//!             [06 op8]
//!             [07 ts64]                milliseconds
//!             0A crc8                  cell checksum
//! variant   = type8 data
//! extension = 0B len32 (tag8 len32 body)*
//! ```
//!
//! The checksum of a cell runs over the name, the variant as it stands in the buffer, the
//! timestamp, then the operation: the last two in the opposite order of the buffer. The checksum of
//! a row runs over the checksums of its cells and ends with one byte for the delete marker, also
//! when there is none. The extension is covered by neither.
//!
//! GetRange sends one buffer per page, ParallelScan and Search one per row. An *empty* `bytes` field
//! means "no row" and is not a buffer: [`Reader::new`] refuses it, because a page that was lost on
//! the way must not look like a page without rows.

mod cell;
mod change;
mod columns;
mod crc8;
mod cursor;
mod error;
mod lent;
mod owned;
mod owning;
mod owning_separate;
mod quick;
mod reader;
mod separate;
mod shared;
mod single;
mod tag;
mod variant;
mod visit;
mod walk;
mod writer;

pub use change::{change_bytes, write_change, write_changes};
pub use crc8::Crc8;
pub use error::{Error, ErrorKind};
pub(crate) use lent::LentRow;
pub use owning::OwningReader;
pub use owning_separate::OwningSeparateRows;
pub use reader::{Position, Reader};
pub use separate::SeparateRows;
pub use shared::{SharedRow, SharedRows};
pub use single::{read_change, read_primary_key, read_row};
pub use variant::{Variant, VariantRef};
pub use visit::Visitor;
pub use walk::{Accept, Checksums};
pub use writer::{RowWriter, Writer, write_primary_key, write_row};
