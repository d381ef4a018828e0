//! What the benchmarks share: their inputs, and the yardstick they are compared with.

pub mod decode;
mod embedded;
pub mod matrix;
pub mod reference;
mod shape;

pub use embedded::{Embedded, INDEX, TABLE};
pub use shape::Shape;
