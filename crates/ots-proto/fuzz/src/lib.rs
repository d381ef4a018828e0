//! What is run on bytes that nobody meant well with.
//!
//! Each target is a function of bytes that must neither panic nor hang, and whose own assertions must
//! hold: what was read can be written, and reads the same again. The files in `fuzz_targets` hand them
//! to libFuzzer; `tests/fuzz_smoke.rs` includes this file and hands them mutated seeds, on stable.

mod filters;
pub(crate) mod messages;
mod queries;
mod rows;
mod searches;
pub mod seeds;
mod splits;
mod sql;

/// A target: its name and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("plainbuffer", rows::plainbuffer),
    ("separate_rows", rows::separate_rows),
    ("variant", rows::variant),
    ("matrix", rows::matrix),
    ("message", messages::message),
    ("filter", filters::filter),
    ("query", queries::query),
    ("query_json", queries::query_json),
    ("sql_rows", sql::sql_rows),
];

/// Runs one target.
///
/// # Panics
/// When there is no such target, or it has found something.
pub fn run(target: &str, data: &[u8]) {
    let (_, body) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .unwrap_or_else(|| panic!("no target is called {target:?}"));
    body(data);
}
