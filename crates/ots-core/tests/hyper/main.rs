//! The default transport against real sockets: what only they show.
#![cfg(feature = "hyper")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod answers;
mod broken;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod not_sent;
#[path = "../common/sockets.rs"]
mod sockets;

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use ots_core::request::ListTable;
use ots_core::retry::NoRetry;
use ots_core::transport::{Delivery, HyperTransport};
use ots_core::{Client, Transport, TransportError};
use ots_proto::messages::ListTableResponse;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use common::{Answer, chain, credentials};
use sockets::{nobody, serve};

fn transport() -> HyperTransport {
    HyperTransport::builder().build().unwrap()
}

fn post(address: SocketAddr, body: impl Into<Bytes>) -> Request<Bytes> {
    let request = Request::post(format!("http://{address}/GetRow"));
    request
        .header("x-ots-date", "now")
        .body(body.into())
        .unwrap()
}

/// One request off a connection, head and body, or nothing at its end.
async fn request_from(stream: &mut TcpStream) -> Option<String> {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap().parse().unwrap() {
                return Some(text);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => received.extend_from_slice(&buffer[..count]),
        }
    }
}

async fn fails(transport: &HyperTransport, request: Request<Bytes>) -> TransportError {
    let answer = tokio::time::timeout(Duration::from_secs(60), transport.send(request));
    answer.await.unwrap().unwrap_err()
}

/// The last text of a failure: why.
fn cause(error: &TransportError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
