//! TLS to a server whose certificate nobody vouches for.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use ots_core::request::ListTable;
use ots_core::transport::{Delivery, HyperTransport};
use ots_core::{Credentials, ErrorKind, Transport};
use tokio::net::TcpListener;

#[path = "common/tls.rs"]
mod tls;

use tls::Authority;

/// A server with a certificate of its own making. It counts the connections it was offered.
async fn self_signed() -> (String, tokio::sync::watch::Receiver<u32>) {
    let Authority { acceptor, .. } = Authority::of(&["127.0.0.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (count, connections) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            count.send_modify(|count| *count += 1);
            // The client hangs up during the handshake, which is no concern of the server's.
            acceptor.accept(stream).await.ok();
        }
    });
    (format!("https://127.0.0.1:{port}"), connections)
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_for_good() {
    let (url, _connections) = self_signed().await;
    let transport = HyperTransport::builder().build().unwrap();
    let request = http::Request::post(format!("{url}/ListTable"));
    let error = transport
        .send(request.body(Bytes::new()).unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(error.is_permanent(), "{error:?}");
}

#[tokio::test]
async fn it_is_not_asked_again() {
    let (url, connections) = self_signed().await;
    let client = ots_core::Client::builder(url)
        .instance("shop")
        .credentials(Credentials::new("id", "secret"))
        .build()
        .unwrap();
    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Transport);
    assert_eq!((error.attempts(), *connections.borrow()), (1, 1));
    assert!(!error.may_have_run() && !error.is_retryable());
}
