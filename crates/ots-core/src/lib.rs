//! One call to Alibaba Cloud Tablestore (OTS), done well.
//!
//! - [`Client`]: signs, sends, verifies, retries;
//! - [`request`]: what to ask, as values;
//! - [`writer`]: many rows into a table, in batches that fill themselves;
//! - [`Transport`]: the seam below, which moves bytes: hyper, a function in this process, your own;
//! - [`Call`]: the seam above, which performs one operation: pagers and scans are built on it.
//!
//! ```
//! # fn main() -> Result<(), ots_core::Error> {
//! use ots_core::{Client, Credentials};
//! # #[cfg(feature = "rustls")]
//! let client = Client::builder("https://shop.cn-hangzhou.ots.aliyuncs.com")
//!     .credentials(Credentials::new("an-id", "a-secret"))
//!     .build()?;
//! # Ok(())
//! # }
//! ```

mod call;
mod client;
mod clock;
mod compression;
pub mod credentials;
mod date;
mod endpoint;
mod error;
mod in_flight;
pub mod limiter;
mod observe;
pub mod request;
mod response;
pub mod retry;
pub mod sign;
mod skew;
mod time_limits;
pub mod transport;
mod usage;
pub mod writer;

pub use call::{Call, Reply};
pub use client::{Client, ClientBuilder};
#[cfg(any(test, feature = "test-util"))]
pub use clock::ManualClock;
pub use clock::{Clock, SystemClock};
#[cfg(feature = "compression")]
pub use compression::Compression;
pub use credentials::{Credentials, CredentialsProvider};
pub use endpoint::Endpoint;
pub use error::{
    AccessDenied, Error, ErrorClass, ErrorCode, ErrorKind, ResponseProblem, ServiceError,
};
pub use ots_proto::filter;
pub use ots_proto::search::Query;
pub use ots_proto::{
    Cell, ColumnName, ColumnValue, PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate,
};
pub use response::Verification;
pub use transport::{Transport, TransportError};
pub use usage::Usage;
