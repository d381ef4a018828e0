//! A proxy for plain requests: reads where the first request of a connection goes, and forwards.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The proxy's address, and how many connections it has forwarded.
pub(crate) async fn start() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let forwarded = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&forwarded);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(forward(stream, Arc::clone(&count)));
        }
    });
    (address, forwarded)
}

async fn forward(mut client: TcpStream, count: Arc<AtomicUsize>) {
    let mut received = Vec::new();
    while !received.contains(&b'\r') {
        if client.read_buf(&mut received).await.unwrap_or(0) == 0 {
            return;
        }
    }
    // The whole address stands in the first line: that is how a request to a proxy looks.
    let line = received.split(|byte| *byte == b'\r').next().unwrap();
    let line = std::str::from_utf8(line).unwrap();
    let authority = line
        .strip_prefix("POST http://")
        .and_then(|rest| rest.split('/').next());
    let mut service = TcpStream::connect(authority.unwrap()).await.unwrap();
    count.fetch_add(1, Ordering::SeqCst);
    service.write_all(&received).await.unwrap();
    tokio::io::copy_bidirectional(&mut client, &mut service)
        .await
        .ok();
}
