#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]
//! What scans promise, over HTTP, from an emulator where everything goes wrong that can, and from one
//! that is killed and started again meanwhile. The simulation of ots-scan plays many more worlds, but
//! in memory.

mod given;
mod killed;
mod place;
mod refused;
mod sessions;
mod shared;
#[path = "../support/mod.rs"]
mod support;
mod tables;
