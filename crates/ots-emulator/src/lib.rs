//! Tablestore on a laptop.

mod clock;
mod error;
mod stored;

pub use clock::{Clock, ManualClock, SystemClock};
