//! The emulator behind a real socket.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use common::signed;
use http::Request;
use ots_emulator::{Emulator, ServeError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Server {
    emulator: Emulator,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

async fn start() -> Server {
    let emulator = Emulator::default();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn({
        let emulator = emulator.clone();
        async move {
            let shutdown = async move { drop(stopped.await) };
            emulator.serve(listener, shutdown).await
        }
    });
    Server {
        emulator,
        address,
        stop,
        served,
    }
}

async fn send(stream: &mut TcpStream, request: &Request<Bytes>) {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
    write!(
        head,
        "host: local\r\ncontent-length: {}\r\n",
        request.body().len()
    )
    .unwrap();
    for (name, value) in request.headers() {
        write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(request.body()).await.unwrap();
}

/// The status line and the headers of one response, its body skipped.
async fn receive(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    head
}

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
async fn a_body_that_is_too_large_is_not_read_to_its_end() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = list(&server.emulator);
    let (parts, _) = request.into_parts();
    let request = Request::from_parts(parts, Bytes::from(vec![0; (5 << 20) + 1]));
    send(&mut stream, &request).await;
    let head = receive(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    assert!(head.contains("x-ots-requestid: "), "{head}");
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
