//! Connections that ask for too much, or too slowly, or for nothing at all.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::server::{Server, ask, receive, receive_whole, send, start, start_with};
use common::{refusal, signed};
use http::{Request, Response};
use ots_emulator::{FaultAction, FaultRule, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.unwrap()
}

fn list(server: &Server) -> Request<Bytes> {
    signed(&server.emulator, "ListTable", Bytes::new())
}

/// The next answer is this refusal, in the service's own form.
async fn is_refused(stream: &mut TcpStream, status: u16, code: &str) {
    let receives = tokio::time::timeout(PATIENCE, receive_whole(stream));
    let (head, body) = receives.await.expect("no answer");
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    assert!(head.contains("x-ots-requestid: "), "{head}");
    let response = Response::builder().status(status).body(body.into());
    assert_eq!(refusal(&response.unwrap()).code, code);
}

/// The connection ends without another byte.
async fn ends(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let reads = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest));
    // A reset is an end, too.
    reads.await.expect("no end").ok();
    assert_eq!(String::from_utf8_lossy(&rest), "");
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_before_a_byte_of_it() {
    let server = start().await;
    let mut stream = connect(&server).await;
    let head = "POST /PutRow HTTP/1.1\r\nhost: local\r\ncontent-length: 1099511627776\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    is_refused(&mut stream, 413, "OTSRequestBodyTooLarge").await;
}

#[tokio::test]
async fn a_body_without_a_length_is_refused_when_it_passes_the_limit() {
    let mut settings = Settings::default();
    settings.request_body_bytes = 10_000;
    let server = start_with(settings).await;
    let mut stream = connect(&server).await;
    let head = "POST /PutRow HTTP/1.1\r\nhost: local\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000));
    for _ in 0..11 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    // The end has not come, and is not waited for.
    is_refused(&mut stream, 413, "OTSRequestBodyTooLarge").await;
}

#[tokio::test]
async fn one_who_sends_too_large_a_body_to_its_end_gets_an_answer_and_may_go_on() {
    let server = start().await;
    let mut stream = connect(&server).await;
    let (parts, _) = list(&server).into_parts();
    let request = Request::from_parts(parts, Bytes::from(vec![0; 8 << 20]));
    send(&mut stream, &request).await;
    is_refused(&mut stream, 413, "OTSRequestBodyTooLarge").await;
    send(&mut stream, &list(&server)).await;
    assert!(receive(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_collected_for_ever() {
    let server = start().await;
    let mut stream = connect(&server).await;
    stream
        .write_all(b"POST /PutRow HTTP/1.1\r\n")
        .await
        .unwrap();
    let line = format!("x-header: {}\r\n", "x".repeat(1000));
    let mut answer = Vec::new();
    for _ in 0..200 {
        // It ends while there is more to say.
        if stream.write_all(line.as_bytes()).await.is_err() {
            break;
        }
    }
    let reads = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
    reads.await.expect("no end").ok();
    let answer = String::from_utf8(answer).unwrap();
    // Where the connection was reset the answer may be lost.
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{answer}"
    );
    assert!(receive_list(&server).await.starts_with("HTTP/1.1 200 "));
}

async fn receive_list(server: &Server) -> String {
    let mut stream = connect(server).await;
    send(&mut stream, &list(server)).await;
    receive(&mut stream).await
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_ends_the_connection() {
    let mut settings = Settings::default();
    settings.head_timeout = Duration::from_millis(50);
    let server = start_with(settings).await;
    for begun in ["", "POST /GetRow HTTP/1.1\r\nhost: "] {
        let mut stream = connect(&server).await;
        stream.write_all(begun.as_bytes()).await.ok();
        ends(&mut stream).await;
    }
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_refused() {
    let mut settings = Settings::default();
    settings.body_timeout = Duration::from_millis(50);
    let server = start_with(settings).await;
    let mut stream = connect(&server).await;
    let head = "POST /PutRow HTTP/1.1\r\nhost: local\r\ncontent-length: 100\r\n\r\nhalf";
    stream.write_all(head.as_bytes()).await.unwrap();
    is_refused(&mut stream, 408, "OTSRequestTimeout").await;
}

#[tokio::test]
async fn a_connection_too_many_is_told_so_until_another_ends() {
    let mut settings = Settings::default();
    settings.max_connections = 2;
    let server = start_with(settings).await;
    let mut first = connect(&server).await;
    let mut second = connect(&server).await;
    for stream in [&mut first, &mut second] {
        send(stream, &list(&server)).await;
        assert!(receive(stream).await.starts_with("HTTP/1.1 200 "));
    }
    let mut third = connect(&server).await;
    send(&mut third, &list(&server)).await;
    is_refused(&mut third, 503, "OTSServerBusy").await;
    ends(&mut third).await;

    drop(first);
    let admitted = async {
        while !receive_list(&server).await.starts_with("HTTP/1.1 200 ") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, admitted)
        .await
        .expect("no place");
    // The one that stayed is served as before.
    send(&mut second, &list(&server)).await;
    assert!(receive(&mut second).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_stop_waits_for_requests_under_way_and_not_for_halves() {
    let mut settings = Settings::default();
    settings.head_timeout = PATIENCE * 10;
    settings.body_timeout = PATIENCE * 10;
    let server = start_with(settings).await;
    let mut halves = Vec::new();
    for half in [
        "",
        "POST /GetRow HTTP/1.1\r\nhost",
        "POST /GetRow HTTP/1.1\r\nhost: local\r\ncontent-length: 100\r\n\r\nhalf",
    ] {
        let mut stream = connect(&server).await;
        stream.write_all(half.as_bytes()).await.unwrap();
        halves.push(stream);
    }
    // Longer than a connection without a request is waited for.
    let rule = FaultRule::delay(Duration::from_millis(2500));
    server.emulator.faults().add(rule);
    let mut stream = connect(&server).await;
    send(&mut stream, &list(&server)).await;
    while server.emulator.faults().list()[0].met == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.stop.send(()).unwrap();
    assert!(receive(&mut stream).await.starts_with("HTTP/1.1 200 "));
    let stops = tokio::time::timeout(PATIENCE, server.served);
    stops.await.expect("it doesn't stop").unwrap().unwrap();
    for stream in &mut halves {
        ends(stream).await;
    }
}

#[tokio::test]
async fn the_admin_api_and_health_have_the_same_bounds() {
    let server = start().await;
    let mut stream = connect(&server).await;
    let head = "POST /admin/reset HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 99999999\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    is_refused(&mut stream, 413, "OTSRequestBodyTooLarge").await;
    let (status, answer) = ask(&server, "GET", "/healthz", "host: anything\r\n", "").await;
    assert_eq!((status, &*answer), (200, "ok"));
    server
        .emulator
        .faults()
        .add(FaultRule::new(FaultAction::DropBefore));
    let (status, _) = ask(&server, "GET", "/healthz", "host: anything\r\n", "").await;
    assert_eq!(status, 200, "faults are for operations");
}
