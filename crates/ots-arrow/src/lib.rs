//! Pages of Tablestore straight into Arrow record batches.
//!
//! A response's rows are read where they lie and appended to Arrow buffers: no row is built in
//! between, not even a borrowed one, and a name is looked up once a page.
//!
//! - [`ScanSchema`]: which columns, in which Arrow types, derived from the description of an index
//!   or declared for a table;
//! - [`RecordBatchBuilder`]: pages in, [`RecordBatch`]es out;
//! - [`OnMismatch`]: what happens to a value that isn't of its column's type;
//! - `ScanBatches`, with the feature `scan`: a whole parallel scan, of an index or of a table, as a stream
//!   of batches.
//!
//! ```
//! use arrow_array::cast::AsArray;
//! use arrow_array::types::Int64Type;
//! use ots_arrow::{RecordBatchBuilder, ScanSchema};
//! use ots_proto::messages::{FieldSchema, FieldType, IndexSchema, PrimaryKeySchema, PrimaryKeyType};
//! use ots_proto::{PrimaryKey, Row, plainbuffer};
//!
//! // What DescribeTable and DescribeSearchIndex say.
//! let primary_key = [PrimaryKeySchema {
//!     name: "id".into(),
//!     r#type: PrimaryKeyType::Integer.into(),
//!     option: None,
//! }];
//! let city = FieldSchema {
//!     field_name: Some("city".into()),
//!     field_type: Some(FieldType::Keyword.into()),
//!     ..FieldSchema::default()
//! };
//! let index = IndexSchema { field_schemas: vec![city], ..IndexSchema::default() };
//!
//! // One buffer per row, as ParallelScan sends them.
//! let page = [
//!     plainbuffer::write_row(&Row::new(PrimaryKey::new().column("id", 7)).cell("city", "Hangzhou")),
//!     plainbuffer::write_row(&Row::new(PrimaryKey::new().column("id", 8))),
//! ];
//!
//! let schema = ScanSchema::from_index(&primary_key, &index, None)?;
//! let mut builder = RecordBatchBuilder::new(&schema);
//! builder.append_page(&page)?;
//! let batch = builder.finish()?;
//!
//! assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[7, 8]);
//! let city = batch.column(1).as_string::<i32>().iter().collect::<Vec<_>>();
//! assert_eq!(city, [Some("Hangzhou"), None]);
//! # Ok::<(), ots_arrow::Error>(())
//! ```
//!
//! [`RecordBatch`]: arrow_array::RecordBatch

#[cfg(feature = "scan")]
mod batches;
mod builder;
mod column;
mod error;
mod fixed;
mod schema;
mod sink;
mod text;
mod validity;

#[cfg(feature = "scan")]
pub use batches::{ScanBatches, TableBatch};
pub use builder::{OnMismatch, RecordBatchBuilder};
pub use error::{Error, ErrorKind};
pub use schema::{ARRAY_METADATA, ColumnType, KEY_POSITION_METADATA, ScanSchema, TYPE_METADATA};
