//! BatchGetRow and BatchWriteRow: many rows in one request, each with a result of its own.

mod get;
mod resend;
mod results;
mod write;

pub use get::{BatchGetRow, TableRead};
pub(crate) use resend::{Pace, Rows, Settled, settle};
pub(crate) use results::by_table;
pub use results::{BatchRequest, RowResult};
pub(crate) use write::WriteRows;
pub use write::{BatchWriteRow, TableWrites};
