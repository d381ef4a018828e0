//! The writer of many rows, over a service that fails in every way a service can.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod answers;
mod batches;
mod endings;
mod model;
mod service;
