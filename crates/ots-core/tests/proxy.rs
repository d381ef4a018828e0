//! Through a proxy: what it sees, what it may refuse, and how long it may take.
#![cfg(feature = "rustls")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use ots_core::transport::{Delivery, HyperTransport, Proxy};
use ots_core::{Transport, TransportError};
use tokio::io::AsyncWriteExt as _;

#[path = "common/sockets.rs"]
mod sockets;
#[path = "common/tls.rs"]
mod tls;

use sockets::{ProxyServer, nobody, request_from, serve};
use tls::Authority;

const AUTHORIZATION: &str = "Basic bWU6aHVzaA==";

fn through(proxy: SocketAddr) -> Proxy {
    Proxy::new(&format!("http://me:hush@{proxy}")).unwrap()
}

fn transport(proxy: Proxy) -> HyperTransport {
    HyperTransport::builder().proxy(proxy).build().unwrap()
}

fn post(url: &str) -> Request<Bytes> {
    Request::post(format!("{url}/GetRow"))
        .body("abc".into())
        .unwrap()
}

/// The texts of a failure and of its causes.
fn texts(error: &TransportError) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts
}

/// A service that answers with the head and the body that it was sent.
async fn echo() -> SocketAddr {
    serve(|mut stream, _| async move {
        while let Some((head, body)) = request_from(&mut stream).await {
            let length = head.len() + body.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{head}");
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.write_all(&body).await.unwrap();
        }
    })
    .await
}

/// The same with TLS; and its certificate, in PEM.
async fn tls_echo() -> (SocketAddr, String) {
    let Authority { acceptor, root_pem } = Authority::of(&["127.0.0.1"]);
    let address = serve(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut buffer = [0; 1024];
            let count = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer)
                .await
                .unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {count}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&buffer[..count]).await.unwrap();
            stream.flush().await.unwrap();
        }
    });
    (address.await, root_pem)
}

#[tokio::test]
async fn a_plain_request_goes_whole_to_the_proxy() {
    let proxy = ProxyServer {
        wanted: Some(AUTHORIZATION),
        ..ProxyServer::default()
    };
    let (service, address) = (echo().await, proxy.start().await);
    let request = post(&format!("http://{service}"));
    let answer = transport(through(address)).send(request).await.unwrap();
    let seen = String::from_utf8(answer.into_body().to_vec()).unwrap();
    assert!(seen.starts_with("POST /GetRow HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with("abc"));
    let heads = proxy.heads.lock().unwrap();
    let line = format!("POST http://{service}/GetRow HTTP/1.1\r\n");
    assert!(heads[0].starts_with(&line), "{heads:?}");
}

#[tokio::test]
async fn an_https_request_goes_through_a_tunnel_that_hides_it() {
    let proxy = ProxyServer {
        wanted: Some(AUTHORIZATION),
        ..ProxyServer::default()
    };
    let ((service, certificate), address) = (tls_echo().await, proxy.start().await);
    let transport = HyperTransport::builder()
        .proxy(through(address))
        .root_certificates_pem(certificate)
        .build()
        .unwrap();
    let port = service.port();
    let request = post(&format!("https://127.0.0.1:{port}"));
    let answer = transport.send(request).await.unwrap();
    let seen = String::from_utf8(answer.into_body().to_vec()).unwrap();
    // The service sees a request as without a proxy, and none of the proxy's credentials.
    assert!(seen.starts_with("POST /GetRow HTTP/1.1\r\n"), "{seen}");
    assert!(!seen.contains("proxy-authorization"), "{seen}");
    let heads = proxy.heads.lock().unwrap();
    let line = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n");
    assert!(heads.len() == 1 && heads[0].starts_with(&line), "{heads:?}");
    assert!(!heads[0].contains("GetRow"));
}

#[tokio::test]
async fn a_proxy_that_wants_other_credentials_is_not_asked_again() {
    let proxy = ProxyServer {
        wanted: Some("Basic b3RoZXI="),
        ..ProxyServer::default()
    };
    let address = proxy.start().await;
    let transport = transport(through(address));
    let error = transport
        .send(post("https://db.example"))
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(error.is_permanent());
    let texts = texts(&error);
    assert_eq!(
        texts.last().unwrap(),
        &format!(
            "the proxy http://{address}/ refused a tunnel with HTTP 407: it wants a user and password \
             that it knows"
        )
    );
    assert!(!format!("{error:?} {texts:?} {transport:?}").contains("hush"));
}

#[tokio::test]
async fn a_proxy_that_cannot_reach_the_service_may_later() {
    let proxy = ProxyServer {
        wanted: Some(AUTHORIZATION),
        ..ProxyServer::default()
    };
    let address = proxy.start().await;
    let request = post("https://127.0.0.1:1");
    let error = transport(through(address)).send(request).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(!error.is_permanent());
    let texts = texts(&error);
    let cause = format!("the proxy http://{address}/ refused a tunnel with HTTP 502");
    assert_eq!(texts.last().unwrap(), &cause);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let address = nobody();
    for url in ["http://db.example", "https://db.example"] {
        let error = transport(through(address))
            .send(post(url))
            .await
            .unwrap_err();
        assert_eq!(error.delivery(), Delivery::NotSent);
        let cause = format!("no connection to the proxy http://{address}/");
        assert!(texts(&error).contains(&cause), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_hangs_anywhere_ends_in_time() {
    let silent = serve(|mut stream, _| async move {
        let mut buffer = [0; 64];
        while tokio::io::AsyncReadExt::read(&mut stream, &mut buffer)
            .await
            .unwrap_or(0)
            > 0
        {}
    });
    let silent = silent.await;
    let limit = Duration::from_millis(200);
    // The handshake of TLS, and the tunnel before it.
    for (proxy, url) in [
        (Proxy::none(), format!("https://{silent}")),
        (through(silent), "https://db.example".to_owned()),
    ] {
        let transport = HyperTransport::builder()
            .proxy(proxy)
            .connect_timeout(limit);
        let send = transport.build().unwrap();
        let send = send.send(post(&url));
        let error = tokio::time::timeout(Duration::from_secs(60), send);
        let error = error.await.unwrap().unwrap_err();
        assert_eq!(error.delivery(), Delivery::NotSent, "{url}");
        assert!(error.is_timeout());
        let texts = texts(&error);
        assert_eq!(
            texts.last().unwrap(),
            "no connection within 0.2 s",
            "{texts:?}"
        );
    }
}

#[tokio::test]
async fn a_closed_transport_sends_nothing_more_and_keeps_no_connection() {
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let address = serve(move |mut stream, _| {
        let ended = ended.clone();
        async move {
            while request_from(&mut stream).await.is_some() {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
            }
            ended.send(()).unwrap();
        }
    });
    let address = address.await;
    let transport = HyperTransport::builder()
        .idle_timeout(Duration::from_secs(3600))
        .proxy(Proxy::none())
        .build()
        .unwrap();
    let url = format!("http://{address}");
    transport.send(post(&url)).await.unwrap();
    let clone = transport.clone();
    transport.close().await;
    let end = tokio::time::timeout(Duration::from_secs(60), ends.recv());
    end.await.unwrap().unwrap();
    let error = clone.send(post(&url)).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(texts(&error)[1], "the transport is closed");
    assert!(error.is_permanent());
}
