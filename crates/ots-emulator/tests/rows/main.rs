//! Single rows: written, conditioned, versioned, read back.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod bounds;
mod changes;
#[path = "../common/mod.rs"]
mod common;
mod counters;
mod expectations;
mod keys;
mod reads;
mod row_versions;

use std::time::Duration;

use common::*;
use ots_proto::messages::{
    ComparatorType, Condition, LogicalOperator, PrimaryKeyOption, PrimaryKeyType, ReturnType,
    RowExistenceExpectation, TableOptions, TimeRange,
};
use ots_proto::operation::{CreateTable, DeleteRow, GetRow, PutRow, UpdateRow, UpdateTable};
use ots_proto::plainbuffer::write_primary_key;
use ots_proto::{ColumnValue, PrimaryKey, PrimaryKeyValue, Row, RowUpdate};

const ID: &[(&str, PrimaryKeyType)] = &[("id", PrimaryKeyType::Integer)];

/// A client with the empty table `t`, one integer key `id`, and so many versions of any age.
fn client(max_versions: i32) -> Client {
    let client = Client::new();
    client.create_with("t", ID, options(max_versions));
    client
}

fn row(key: i64) -> Row {
    Row::new(id(key))
}

fn update(key: i64) -> RowUpdate {
    RowUpdate::new(id(key))
}

fn timestamps(row: &Row) -> Vec<i64> {
    row.cells
        .iter()
        .map(|cell| cell.timestamp_ms.unwrap())
        .collect()
}
