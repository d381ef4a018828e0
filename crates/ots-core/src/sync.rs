//! The locks of the limiter, in one place: `tests/shuttle.rs` puts others there, which try every order of
//! events.

pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};
