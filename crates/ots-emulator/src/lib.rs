//! Tablestore on a laptop: tables, rows, ranges and search indexes of Alibaba Cloud Tablestore,
//! behind the service's own HTTP protocol.
//!
//! An [`Emulator`] is a function from request to response, [`Emulator::handle`]: give it signed HTTP
//! requests, in this process or over a socket with [`Emulator::serve`]. Requests are signed with the
//! access key [`Emulator::ACCESS_KEY_ID`] or one of your own; instances come into being when they are
//! first named.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use ots_emulator::{Emulator, ManualClock};
//!
//! // Eight splits for a parallel scan, and a clock that moves when told to.
//! let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
//! let emulator = Emulator::builder().splits(8).clock(Arc::clone(&clock)).build();
//! clock.advance(Duration::from_secs(61));
//!
//! let request = http::Request::get("/healthz").body(bytes::Bytes::new())?;
//! assert_eq!(emulator.handle(request).status(), 200);
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # What it does
//! - CreateTable, ListTable, DescribeTable, UpdateTable, DeleteTable, AddDefinedColumn,
//!   DeleteDefinedColumn;
//! - GetRow, PutRow, UpdateRow, DeleteRow, BatchGetRow, BatchWriteRow, GetRange,
//!   BulkExport and ComputeSplitPointsBySize, with conditions,
//!   filters, versions, time to live, atomic counters, generated keys and atomic batches;
//! - CreateSearchIndex, UpdateSearchIndex, ListSearchIndex, DescribeSearchIndex, DeleteSearchIndex,
//!   with every type of field but FLATTENED, virtual fields, arrays, and an index that replaces
//!   another;
//! - Search with all kinds of queries, sorts, aggregations and group-bys, collapse, highlights and
//!   inner hits; ComputeSplits, ParallelScan.
//!
//! It refuses what the service refuses, with the service's codes and, where they are known, its
//! words. They come from the public documentation and from what the tests of the official SDKs
//! assert.
//!
//! # What it doesn't do
//! Everything else answers 400 `OTSParameterInvalid` and names the feature: secondary indexes, local
//! transactions, streams' records, SQL, bulk import, compressed requests, expressions of
//! Perl that Rust's `regex` lacks. Never a 5xx: official SDKs repeat those for tens of seconds.
//!
//! Nothing is throttled unless a [fault rule](FaultRule) or [`Settings::strict`] says so. `docs/emulator-coverage.md` lists
//! every operation of the service, as [`coverage`] does.
//!
//! Of searches it lacks `minimum_should_match` as anything but a count, and time zones by name.
//!
//! # Where data lives
//! In memory; with [`EmulatorBuilder::open`] on disk, too, where every acknowledged write is found
//! again however the process ends. [`Emulator::snapshot`] and [`Emulator::restore`] bring a moment
//! back.
//!
//! # What goes wrong on purpose
//! [`Emulator::faults`] takes rules: refuse, delay, lose or damage the answers to certain requests.
//! [`Emulator::advance`] moves the time. Over a socket both are under `/admin/`.
//!
//! # Where searches differ
//! Every answer is exact and immediate: the nearest vectors are those of all rows, percentiles and
//! counts of different values are no estimates, and a row is found as soon as it is written. Two
//! things are approximations that the service does better:
//! - scores grow with how often a word stands in a text, and don't know how rare the word or how long
//!   the text is: orders of clear cases agree with the service's, numbers don't;
//! - without a dictionary of Chinese, the analyzer `max_word` takes every pair of neighbouring
//!   characters for a word, and `min_word` cuts texts into pairs from their end.
//!
//! # What is accepted without effect
//! These are checked, and kept and shown where the service shows them, but change nothing else:
//! - reserved throughput of a table;
//! - `stream_spec`: a table shows its stream, and no records are ever written to it;
//! - `sse_spec`: a table shows its encryption at rest, and nothing is encrypted;
//! - split points that a table is created with: shown, while all rows lie in one place;
//! - the number of shards and the routing fields of a search index, and `routing_values` of a Search:
//!   an index has one shard, which holds every row, so that routing changes no result;
//! - `text_similarity` of a field, `num_candidates` of a query for vectors.
//!
//! Where the service is free to choose: a GetRange that hints at SimpleRowMatrix gets it, if it names
//! its columns and wants one version of them; no row is cut unless the settings say so; and tables
//! are ready at once.

mod access_key;
mod admin;
mod answer;
mod auth;
mod batch_read;
mod batch_write;
mod block;
mod buffer;
mod bulk_export;
mod capacity;
mod change;
mod clock;
mod condition;
mod connection;
mod coverage;
mod database;
mod date;
mod defined_columns;
mod dispatch;
mod emulator;
mod error;
mod fault;
mod filter;
mod names;
mod pace;
mod page;
mod perform;
mod random;
mod range;
mod read;
mod recent;
mod reply_body;
mod schema;
mod search;
mod selection;
mod server;
mod service;
mod settings;
mod split_points;
mod stats;
mod storage;
mod stored;
mod table;
mod table_options;
mod table_schema;
mod taken;
mod versions;
mod wide_row;
mod write;

pub use access_key::{AccessKey, AccessKeyError};
pub use answer::{Answer, Reply};
pub use clock::{Clock, ManualClock, SystemClock};
pub use coverage::{Coverage, OperationCoverage, coverage};
pub use emulator::{Emulator, EmulatorBuilder};
pub use fault::{FaultAction, FaultMatch, FaultRule, FaultRuleError, FaultStatus, Faults};
pub use server::{ExposedKeysError, ServeError};
pub use settings::{LimitCounts, Settings};
pub use stats::OperationStats;
pub use storage::StorageError;

/// The guide's examples run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/emulator.md")]
struct Guide;
