//! SimpleRowMatrix: a block of rows that names its columns once.
//!
//! BulkExport answers with it by default, GetRange when asked to. Only responses carry it.
//! Little-endian throughout; offsets count from the start of the block.
//!
//! ```text
//! block   = magic data_offset32 options_offset32 key_count32 attribute_count32
//!           name*                      key columns first
//!           options                    at options_offset
//!           row*                       at data_offset
//!           01 crc8                    over every byte before the crc8
//! magic   = 53 52 4D 30                "SRM0"
//! name    = len16 UTF-8
//! options = 0A flag8                   01: the key columns are the table's whole key
//!           03 row_count32
//! row     = 02 value*                  one for each name
//! value   = type8 data                 as in PlainBuffer, 06 where the row has no such column
//! ```
//!
//! There are no timestamps: a value is the newest version of its column. The one checksum covers the
//! whole block, so a [`Matrix`] is verified before its first row is seen; its rows are then read
//! where they lie.
//!
//! A `rows` field of no bytes means "no rows" and is not a block: [`Matrix::parse`] refuses it, as
//! [`plainbuffer::Reader`](crate::plainbuffer::Reader) does. Which of the two formats a response
//! holds is said by its `data_block_type` alone, whatever was asked for.

mod cursor;
mod error;
mod reader;
mod visit;
mod writer;

pub use error::{Error, ErrorKind};
pub use reader::{Matrix, MatrixRows};
pub use writer::{MatrixWriter, WriteError};

const MAGIC: [u8; 4] = *b"SRM0";
const HEADER_BYTES: usize = 20;

const CHECKSUM: u8 = 0x01;
const ROW: u8 = 0x02;
const ROW_COUNT: u8 = 0x03;
const ENTIRE_PRIMARY_KEYS: u8 = 0x0a;

const INTEGER: u8 = 0x00;
const DOUBLE: u8 = 0x01;
const BOOLEAN: u8 = 0x02;
const STRING: u8 = 0x03;
const NULL: u8 = 0x06;
const BINARY: u8 = 0x07;
