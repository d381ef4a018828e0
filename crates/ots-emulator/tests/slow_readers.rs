//! Clients that are slow to take their answer, or never do.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::server::{Server, receive, send, start_with};
use common::{Client, id, range_request, signed};
use http::Request;
use ots_emulator::{FaultAction, FaultRule, ManualClock, Settings};
use ots_proto::messages::PrimaryKeyType;
use ots_proto::{PrimaryKeyValue, Row};
use prost::Message as _;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the sockets of both ends never hold together.
const LARGE_BYTES: usize = 16_000_000;
const ROWS: i64 = 8;

/// A server for one connection, with a table too large for a socket.
async fn start(answer_timeout: Duration) -> Server {
    let mut settings = Settings::default();
    settings.range_page_bytes = 2 * LARGE_BYTES;
    settings.max_connections = 1;
    settings.answer_timeout = answer_timeout;
    let server = start_with(settings).await;
    let client = Client {
        emulator: server.emulator.clone(),
        clock: Arc::new(ManualClock::at_ms(0)),
    };
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    for n in 0..ROWS {
        let blob = vec![7; LARGE_BYTES / usize::try_from(ROWS).unwrap()];
        client.put("t", Row::new(id(n)).cell("blob", blob)).unwrap();
    }
    server
}

fn all(server: &Server) -> Request<Bytes> {
    let [min, max] = [PrimaryKeyValue::InfMin, PrimaryKeyValue::InfMax].map(id);
    let request = range_request("t", &min, &max);
    signed(&server.emulator, "GetRange", request.encode_to_vec().into())
}

/// Asks for all, and gives the head of the answer: the rest has begun to come.
async fn ask(server: &Server) -> (TcpStream, usize) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    send(&mut stream, &all(server)).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    (stream, length.parse().unwrap())
}

/// What still comes, until the connection ends in whatever way.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let reads = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest));
    // A reset is an end, too.
    reads.await.expect("no end").ok();
    rest
}

#[tokio::test]
async fn a_stop_waits_until_a_slow_reader_has_his_whole_answer() {
    let server = start(PATIENCE * 10).await;
    let (mut stream, length) = ask(&server).await;
    assert!(length > LARGE_BYTES);
    server.stop.send(()).unwrap();
    // Longer than a connection without a request is waited for.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(rest(&mut stream).await.len(), length);
    let stops = tokio::time::timeout(PATIENCE, server.served);
    stops.await.expect("it doesn't stop").unwrap().unwrap();
}

#[tokio::test]
async fn one_who_never_takes_his_answer_loses_his_place() {
    let server = start(Duration::from_millis(50)).await;
    let (mut stream, length) = ask(&server).await;
    let served = async {
        loop {
            let mut other = TcpStream::connect(server.address).await.unwrap();
            send(
                &mut other,
                &signed(&server.emulator, "ListTable", Bytes::new()),
            )
            .await;
            if receive(&mut other).await.starts_with("HTTP/1.1 200 ") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let served = tokio::time::timeout(PATIENCE, served);
    served.await.expect("his place is not given away");
    assert!(rest(&mut stream).await.len() < length);
}

#[tokio::test]
async fn an_answer_that_is_cut_comes_up_to_the_cut_however_slowly_it_is_read() {
    let server = start(PATIENCE * 10).await;
    let cut_bytes = LARGE_BYTES / 2;
    let cut = FaultRule::new(FaultAction::Truncate { bytes: cut_bytes });
    server.emulator.faults().add(cut);
    let (mut stream, length) = ask(&server).await;
    assert!(length > LARGE_BYTES);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rest(&mut stream).await.len(), cut_bytes);
}
