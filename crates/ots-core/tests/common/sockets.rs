//! Servers and proxies on real sockets, small enough to read.
#![allow(dead_code, reason = "each test uses a part")]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Serves each connection by `handle`, which learns how many came before it.
pub(crate) async fn serve<F, R>(handle: F) -> SocketAddr
where
    F: Fn(TcpStream, usize) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(handle(stream, number));
        }
    });
    address
}

/// An address that is taken, and where nobody listens.
pub(crate) fn nobody() -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    // Whoever gave it back could find another there.
    std::mem::forget(socket);
    address
}

/// One request off a connection, head and body as they came, or nothing at its end.
pub(crate) async fn request_from(
    stream: &mut (impl AsyncRead + Unpin),
) -> Option<(String, Vec<u8>)> {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let end = received.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(received[..end].to_vec()).unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            let body = &received[end + 4..];
            if body.len() >= length {
                return Some((head, body.to_vec()));
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => received.extend_from_slice(&buffer[..count]),
        }
    }
}

/// A proxy for tunnels and for plain requests. It keeps the heads that it was sent.
#[derive(Clone, Default)]
pub(crate) struct ProxyServer {
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
    /// What it wants to see in `proxy-authorization`.
    pub(crate) wanted: Option<&'static str>,
}

impl ProxyServer {
    pub(crate) async fn start(&self) -> SocketAddr {
        let proxy = self.clone();
        serve(move |stream, _| proxy.clone().handle(stream)).await
    }

    async fn handle(self, mut stream: TcpStream) {
        while let Some((head, body)) = request_from(&mut stream).await {
            self.heads.lock().unwrap().push(head.clone());
            let authorization = head
                .lines()
                .find_map(|line| line.strip_prefix("proxy-authorization: "));
            if authorization != self.wanted {
                let refusal = b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(refusal).await.unwrap();
                continue;
            }
            let target = head.split(' ').nth(1).unwrap();
            if head.starts_with("CONNECT ") {
                let Ok(mut upstream) = TcpStream::connect(target).await else {
                    let refusal = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(refusal).await.unwrap();
                    continue;
                };
                stream
                    .write_all(b"HTTP/1.1 200 Go on\r\n\r\n")
                    .await
                    .unwrap();
                tokio::io::copy_bidirectional(&mut stream, &mut upstream)
                    .await
                    .ok();
                return;
            }
            let authority = target
                .strip_prefix("http://")
                .unwrap()
                .split('/')
                .next()
                .unwrap();
            let mut upstream = TcpStream::connect(authority).await.unwrap();
            let path = &target["http://".len() + authority.len()..];
            let forwarded = head.replacen(target, path, 1) + "\r\nconnection: close\r\n\r\n";
            upstream.write_all(forwarded.as_bytes()).await.unwrap();
            upstream.write_all(&body).await.unwrap();
            tokio::io::copy(&mut upstream, &mut stream).await.unwrap();
            return;
        }
    }
}
