//! A cursor driven by calls, as streams.

mod fetch;
mod pages;
mod rows;

pub(crate) use fetch::{Fetch, fetch};
pub use pages::Pages;
pub use rows::Rows;
