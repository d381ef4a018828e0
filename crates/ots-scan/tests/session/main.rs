//! Whole scans in a session, over a service in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../fake/mod.rs"]
mod fake;

mod alive;
mod bounds;
mod endings;
mod faults;
mod given;
mod loss;
mod refusals;
mod resumed;
mod union;
mod views;

use std::task::{Context, Waker};
use std::time::Duration;

use fake::Fake;
use futures::StreamExt as _;
use ots_proto::PrimaryKeyValue;
use ots_scan::{Scan, ScanBuilder, ScanPage, parallel_scan};

/// What keeps a session alive has tests of its own.
fn scan(fake: &Fake) -> ScanBuilder<Fake> {
    parallel_scan(fake.clone(), "orders", "orders_index").keep_alive(Duration::ZERO)
}

/// A scan does nothing before it is polled.
fn begin(scan: &mut Scan) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(scan.poll_next_unpin(&mut cx).is_pending());
}

/// Everything that can happen without the caller has happened.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3_600)).await;
}

fn ids(page: &ScanPage) -> Vec<i64> {
    page.rows().unwrap().iter().map(id).collect()
}

fn id(row: &ots_proto::Row) -> i64 {
    let PrimaryKeyValue::Integer(id) = row.primary_key.columns()[0].value else {
        panic!()
    };
    id
}
