//! The samples of the service's documentation, line by line, with requests made one by one. Each says
//! what is wrong with it.

pub(crate) mod go_multi;
pub(crate) mod go_single;
pub(crate) mod java_iterator;
pub(crate) mod java_semaphore;

use bytes::Bytes;
use ots_core::Query;
use ots_core::request::{ParallelScan, ScanColumns};

/// A page of orders.
fn request(session: &Bytes, query: Query) -> ParallelScan {
    ParallelScan::new("orders", "orders_index", query)
        .columns(ScanColumns::AllFromIndex)
        .session(session.clone())
        .limit(500)
}
