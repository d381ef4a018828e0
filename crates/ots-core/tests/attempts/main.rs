//! The loop of attempts, over a scripted transport and a clock that doesn't wait.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod asked_credentials;
mod bodies;
#[path = "../common/mod.rs"]
mod common;
mod limits;
mod repeats;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use ots_core::request::{GetRange, GetRow, ListTable, PutRow};
use ots_core::retry::{DefaultRetryPolicy, NoRetry};
use ots_core::transport::{Delivery, Scripted, Step};
use ots_core::{
    Call, Client, Credentials, CredentialsProvider, Error, ErrorCode, ErrorKind, PrimaryKey, Row,
    sign,
};
use ots_proto::messages;
use ots_proto::operation;
use prost::Message as _;

use common::{Answer, ID, REQUEST_ID, SECRET, builder, chain, client, clock, credentials};

fn key() -> PrimaryKey {
    PrimaryKey::new().column("id", 7)
}

fn read() -> GetRow {
    GetRow::new("orders", key())
}

fn write() -> PutRow {
    PutRow::new("orders", Row::new(key()).cell("price", 12))
}

fn absent_row() -> Answer {
    Answer::ok(&messages::GetRowResponse::default())
}

fn written() -> Answer {
    Answer::ok(&messages::PutRowResponse::default())
}

fn script(steps: impl IntoIterator<Item = Step>) -> Arc<Scripted> {
    Arc::new(Scripted::new(steps))
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers()[name].to_str().unwrap()
}
