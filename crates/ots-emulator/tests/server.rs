//! The emulator behind a real socket.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use common::server::{ask, receive, send, start};
use common::signed;
use http::Request;
use ots_emulator::{Emulator, FaultAction, FaultRule, ServeError};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

fn list(emulator: &Emulator) -> Request<Bytes> {
    signed(emulator, "ListTable", Bytes::new())
}

#[tokio::test]
async fn a_connection_carries_many_requests() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..3 {
        send(&mut stream, &list(&server.emulator)).await;
        let head = receive(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("authorization: OTS ots-local:"), "{head}");
    }
    let health = Request::get("/healthz").body(Bytes::new()).unwrap();
    send(&mut stream, &health).await;
    let head = receive(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
}

#[tokio::test]
async fn it_stops_when_told_to_and_closes_idle_connections() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    send(&mut stream, &list(&server.emulator)).await;
    receive(&mut stream).await;
    server.stop.send(()).unwrap();
    server.served.await.unwrap().unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[test]
fn the_built_in_key_stays_on_the_loopback() {
    let emulator = Emulator::default();
    assert!(emulator.check_exposure(Ipv4Addr::LOCALHOST.into()).is_ok());
    assert!(emulator.check_exposure(Ipv6Addr::LOCALHOST.into()).is_ok());
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    assert!(emulator.check_exposure(mapped.into()).is_ok());
    let error = emulator
        .check_exposure(Ipv4Addr::UNSPECIFIED.into())
        .unwrap_err();
    assert_eq!(error.address(), Ipv4Addr::UNSPECIFIED);
    assert_eq!(
        error.to_string(),
        "the built-in access key is public knowledge, and 0.0.0.0 can be reached from other \
         computers: listen on 127.0.0.1, or choose an access key of your own"
    );
    assert!(
        emulator
            .check_exposure(Ipv6Addr::UNSPECIFIED.into())
            .is_err()
    );

    let own = Emulator::builder().credentials("me", "mine").build();
    assert!(own.check_exposure(Ipv4Addr::UNSPECIFIED.into()).is_ok());
}

#[tokio::test]
async fn serving_the_built_in_key_to_everyone_is_refused() {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let served = Emulator::default().serve(listener, async {}).await;
    assert!(matches!(served, Err(ServeError::ExposedKeys(_))));
}

const LOCAL: &str = "host: 127.0.0.1\r\n";

#[tokio::test]
async fn the_admin_api_moves_the_clock_lists_and_resets() {
    let server = start().await;
    let list = list(&server.emulator);
    assert_eq!(server.emulator.handle(list).status(), 200);
    let (status, tables) = ask(&server, "GET", "/admin/tables", LOCAL, "").await;
    assert_eq!(
        (status, &*tables),
        (200, r#"{"instances":{"test-instance":[]}}"#)
    );
    let advance = r#"{"ms": 61000}"#;
    let (status, clock) = ask(&server, "POST", "/admin/clock/advance", LOCAL, advance).await;
    assert_eq!(status, 200);
    assert!(clock.contains(r#""advanced_ms":61000"#), "{clock}");
    let (status, stats) = ask(&server, "GET", "/admin/stats", LOCAL, "").await;
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(status, 200);
    assert_eq!(stats["operations"]["ListTable"]["requests"], 1);
    assert_eq!(stats["sessions"], 0);
    assert_eq!(ask(&server, "POST", "/admin/reset", LOCAL, "").await.0, 200);
    let (_, clock) = ask(&server, "GET", "/admin/clock", LOCAL, "").await;
    assert!(clock.contains(r#""advanced_ms":0"#), "{clock}");
}

#[tokio::test]
async fn the_admin_api_takes_faults_and_refuses_what_it_does_not_know() {
    let server = start().await;
    let rules =
        r#"[{"do": "drop_after"}, {"match": {"op": "GetRow"}, "do": {"delay": {"ms": 5}}}]"#;
    let (status, ids) = ask(&server, "POST", "/admin/faults", LOCAL, rules).await;
    assert_eq!((status, &*ids), (200, r#"{"ids":[1,2]}"#));
    assert_eq!(server.emulator.faults().list().len(), 2);
    assert_eq!(
        ask(&server, "DELETE", "/admin/faults/1", LOCAL, "").await.0,
        200
    );
    assert_eq!(
        ask(&server, "DELETE", "/admin/faults/1", LOCAL, "").await.0,
        404
    );
    assert_eq!(
        ask(&server, "DELETE", "/admin/faults", LOCAL, "").await.0,
        200
    );
    assert_eq!(server.emulator.faults().list(), []);
    for (method, path, body, expected) in [
        ("POST", "/admin/faults", "{}", 400),
        ("POST", "/admin/faults", r#"{"do": "explode"}"#, 400),
        ("POST", "/admin/clock/advance", r#"{"s": 1}"#, 400),
        ("PUT", "/admin/faults", "", 405),
        ("GET", "/admin/nothing", "", 404),
    ] {
        let (status, answer) = ask(&server, method, path, LOCAL, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        assert!(answer.starts_with(r#"{"error":"#), "{answer}");
    }
}

#[tokio::test]
async fn the_admin_api_is_not_for_web_pages() {
    let server = start().await;
    for headers in [
        "host: 127.0.0.1\r\norigin: https://example.com\r\n",
        "host: rebound.example.com\r\n",
        "host: localhost.example.com:8087\r\n",
    ] {
        let (status, _) = ask(&server, "POST", "/admin/reset", headers, "").await;
        assert_eq!(status, 403, "{headers}");
    }
    for headers in ["host: localhost:8087\r\n", "host: [::1]:8087\r\n"] {
        assert_eq!(
            ask(&server, "GET", "/admin/clock", headers, "").await.0,
            200
        );
    }
}

#[tokio::test]
async fn a_lost_reply_closes_the_connection_and_a_cut_one_ends_too_soon() {
    let server = start().await;
    let faults = server.emulator.faults();
    faults.add(FaultRule::new(FaultAction::DropAfter).nth(1));
    faults.add(FaultRule::new(FaultAction::Truncate { bytes: 0 }).nth(1));
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    send(&mut stream, &list(&server.emulator)).await;
    let mut nothing = Vec::new();
    stream.read_to_end(&mut nothing).await.ok();
    assert_eq!(String::from_utf8(nothing).unwrap(), "");

    // A refusal has a body to cut.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = signed(&server.emulator, "GetRow", Bytes::new());
    send(&mut stream, &request).await;
    let mut head = Vec::new();
    stream.read_to_end(&mut head).await.ok();
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    assert!(!head.contains("content-length: 0\r\n"), "{head}");
}
