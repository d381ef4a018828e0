//! An emulator behind a socket, and a client of raw bytes.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::Request;
use ots_emulator::{Emulator, ServeError, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// An emulator that serves a port of its own.
pub(crate) struct Server {
    pub(crate) emulator: Emulator,
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) served: JoinHandle<Result<(), ServeError>>,
}

pub(crate) async fn start() -> Server {
    start_with(Settings::default()).await
}

pub(crate) async fn start_with(settings: Settings) -> Server {
    let emulator = Emulator::builder().settings(settings).build();
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

pub(crate) async fn send(stream: &mut TcpStream, request: &Request<Bytes>) {
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
pub(crate) async fn receive(stream: &mut TcpStream) -> String {
    receive_whole(stream).await.0
}

/// The status line and the headers of one response, and its body.
pub(crate) async fn receive_whole(stream: &mut TcpStream) -> (String, Vec<u8>) {
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
    (head, body)
}

/// Sends an unsigned request with these headers; the status line and the body.
pub(crate) async fn ask(
    server: &Server,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.trim_end().to_owned())
}
