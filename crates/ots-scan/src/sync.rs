//! The locks of the accounting, in one place: `tests/shuttle.rs` puts others there, which try every
//! order of events.

pub(crate) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
