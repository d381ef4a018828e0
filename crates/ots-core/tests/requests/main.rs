//! Typed requests against bytes made by the official SDKs, and what is refused before it is sent.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod answers;
mod arguments;
#[path = "../common/mod.rs"]
mod common;
mod stubs;
mod written;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use ots_core::filter::Filter;
use ots_core::request::{
    BatchGetRow, BatchWriteRow, ComputeSplits, Condition, CreateSearchIndex, DeleteRow,
    DeleteSearchIndex, DeleteTable, DescribeSearchIndex, DescribeTable, Direction, GetRange,
    GetRow, ListSearchIndex, ListTable, ParallelScan, PutRow, Request, ReturnContent, RowExistence,
    RowWrite, ScanColumns, Search, TableRead, TableWrites, UpdateRow, send,
};
use ots_core::{
    Call, Error, ErrorCode, ErrorKind, PrimaryKey, PrimaryKeyValue, Query, Reply, ResponseProblem,
    Row, RowChange, RowUpdate,
};
use ots_proto::operation::{self, Operation};
use ots_proto::plainbuffer::{Accept, Reader, read_change, write_primary_key, write_row};
use ots_proto::search::{FieldSchema, FieldSort};
use ots_proto::{NameCache, messages};
use prost::Message;
use serde_json::Value;

use common::chain;

fn cases(json: &str) -> Vec<(String, Bytes)> {
    let vectors: Value = serde_json::from_str(json).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    cases
        .map(|case| {
            let hex = case["hex"].as_str().unwrap();
            (
                case["name"].as_str().unwrap().to_owned(),
                hex::decode(hex).unwrap().into(),
            )
        })
        .collect()
}

fn requests() -> Vec<(String, Bytes)> {
    cases(include_str!("../../vectors/requests.json"))
}

fn response<M: Message + Default>(name: &str) -> M {
    let cases = cases(include_str!("../../vectors/responses.json"));
    let (_, body) = cases.into_iter().find(|(case, _)| case == name).unwrap();
    M::decode(body).unwrap()
}

/// The answer in a vector, as this request reads it.
fn read<R: Request>(name: &str) -> Result<R::Output, Error> {
    R::read(Reply::new(response(name)))
}

fn encoded<R: Request>(request: R) -> Bytes {
    request.into_message().unwrap().encode_to_vec().into()
}

fn key() -> PrimaryKey {
    PrimaryKey::new().column("gid", 1).column("uid", "a")
}

fn gid(id: i64) -> PrimaryKey {
    PrimaryKey::new().column("gid", id)
}

/// The rows that a write in a vector changes: PlainBuffer has its own vectors, in `ots-proto`.
fn change(name: &str, update: bool, row: impl Fn(&Bytes) -> Bytes) -> RowChange {
    let body = requests()
        .into_iter()
        .find(|(case, _)| case == name)
        .unwrap()
        .1;
    read_change(&row(&body), update).unwrap()
}
