//! One call to Alibaba Cloud Tablestore (OTS), done well.
//!
//! - [`Client`]: signs, sends, verifies, retries;
//! - [`request`]: what to ask, as values;
//! - [`writer`]: many rows into a table, in batches that fill themselves;
//! - [`Transport`]: the seam below, which moves bytes: hyper, a function in this process, your own;
//! - [`Call`]: the seam above, which performs one operation: pagers and scans are built on it.
//!
//! ```no_run
//! # #[cfg(feature = "rustls")]
//! # async fn example() -> Result<(), ots_core::Error> {
//! use ots_core::request::GetRow;
//! use ots_core::{Client, Credentials, PrimaryKey};
//!
//! let client = Client::builder("https://shop.cn-hangzhou.ots.aliyuncs.com")
//!     .credentials(Credentials::new("an-id", "a-secret"))
//!     .build()?;
//! let key = PrimaryKey::new().column("id", 7);
//! let found = client.send(GetRow::new("orders", key).columns(["price"])).await?;
//! if let Some(row) = &found.row {
//!     println!("{:?}, after {} attempts", row.get("price"), found.attempts);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//! | feature | |
//! |---|---|
//! | `hyper`, on by default | the pooled HTTP/1.1 transport |
//! | `rustls`, on by default | https for it |
//! | `compression` | bodies as zlib streams, both ways |
//! | `credentials-chain` | temporary credentials: roles, profiles, the default chain |
//! | `metrics` | numbers of every call for the `metrics` facade |
//! | `record` | exchanges to a file, and answers from it |
//! | `sql` | the rows of SQL answers |
//! | `test-util` | the scripted transport and the manual clock, for tests |
//!
//! Without the first two a client is given its transport: [`ClientBuilder::transport`].

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
mod sync;
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
