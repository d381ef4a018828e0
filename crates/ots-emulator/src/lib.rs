//! Tablestore on a laptop.

mod auth;
mod batch_read;
mod batch_write;
mod buffer;
mod capacity;
mod change;
mod clock;
mod condition;
mod database;
mod date;
mod dispatch;
mod emulator;
mod error;
mod filter;
mod names;
mod range;
mod read;
mod schema;
mod search;
mod selection;
mod server;
mod service;
mod settings;
mod stored;
mod table;
mod table_options;
mod table_schema;
mod versions;
mod write;

pub use clock::{Clock, ManualClock, SystemClock};
pub use emulator::{Emulator, EmulatorBuilder};
pub use server::{ExposedKeysError, ServeError};
pub use settings::{LimitCounts, Settings};
