//! What the benchmarks share: their inputs, and the yardstick they are compared with.

mod cpu;
pub mod decode;
mod embedded;
mod instant;
pub mod matrix;
pub mod reference;
mod shape;
mod walk;

pub use cpu::{cpu_of_process, cpu_of_thread};
pub use embedded::{Embedded, INDEX, TABLE};
pub use instant::{InstantRange, InstantScan};
pub use shape::Shape;
pub use walk::{walk_range, walk_rows};
