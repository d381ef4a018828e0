//! The operations as a client meets them, without HTTP.

mod index;
mod parallel_scan;
mod ranking;
mod search;
mod summary;
