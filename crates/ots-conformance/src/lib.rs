//! One suite for our own client, and the official SDKs, unmodified, as its referees.
//!
//! [`cases`] is what the service must do, as data, asked through every [`sdk`]: our own client, and the
//! official ones behind their drivers.
//!
//! [`suite`] is what our own client must do, in this process, over HTTP, and on a real instance.
//!
//! Client and emulator of this workspace share a codec, so they could agree and both be wrong. Here
//! programs that others wrote, in other languages, write rows to the emulator and read them back. What
//! they read must be what they were given, and what our own client reads from the same tables.
//!
//! A language is a folder under `drivers/`: a manifest, a pinned list of dependencies, a program. The
//! contract between runner and driver is in this crate's `README.md`.

pub mod canonical;
pub mod cases;
pub mod codec;
pub mod driver;
pub mod emulator;
pub mod error;
pub mod expectation;
pub mod fixture;
pub mod own_client;
mod process;
pub mod report;
pub mod sdk;
pub mod suite;
pub mod workspace;

/// Names drivers to leave out, separated by commas: `OTS_CONFORMANCE_SKIP=node`.
pub const SKIP_VARIABLE: &str = "OTS_CONFORMANCE_SKIP";
