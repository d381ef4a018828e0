//! The default transport against real sockets: what only they show.
#![cfg(feature = "hyper")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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

mod common;
#[path = "common/sockets.rs"]
mod sockets;

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
    let answer = tokio::time::timeout(Duration::from_secs(20), transport.send(request));
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

#[tokio::test]
async fn a_request_is_written_as_the_service_wants_it() {
    let address = serve(|mut stream, _| async move {
        let request = request_from(&mut stream).await.unwrap();
        let length = request.len();
        let head = format!("HTTP/1.1 200 OK\r\nX-OTS-Echo: 1\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
    });
    let address = address.await;
    for (body, length) in [("", "0"), ("abc", "3")] {
        let answer = transport().send(post(address, body)).await.unwrap();
        assert_eq!(answer.headers()["x-ots-echo"], "1");
        let seen = String::from_utf8(answer.into_body().to_vec()).unwrap();
        let (head, seen_body) = seen.split_once("\r\n\r\n").unwrap();
        let lines: Vec<_> = head.lines().collect();
        assert_eq!(lines[0], "POST /GetRow HTTP/1.1");
        // Names in lower case: they are signed so.
        assert!(lines.contains(&"x-ots-date: now"), "{lines:?}");
        assert!(
            lines.contains(&format!("host: {address}").as_str()),
            "{lines:?}"
        );
        assert!(
            lines.contains(&format!("content-length: {length}").as_str()),
            "{lines:?}"
        );
        assert_eq!(seen_body, body);
    }
}

#[tokio::test]
async fn a_body_in_many_pieces_is_one_buffer() {
    let address = serve(|mut stream, _| async move {
        request_from(&mut stream).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            .await
            .unwrap();
        for piece in [
            &b"3\r\nabc\r\n"[..],
            b"1\r\nd\r\n",
            b"2\r\nef\r\n",
            b"0\r\n\r\n",
        ] {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let answer = transport().send(post(address.await, "")).await.unwrap();
    assert_eq!(answer.into_body(), "abcdef");
}

#[tokio::test]
async fn a_body_larger_than_the_first_buffer_arrives_whole() {
    let body: Arc<[u8]> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let sent = Arc::clone(&body);
    let address = serve(move |mut stream, _| {
        let sent = Arc::clone(&sent);
        async move {
            request_from(&mut stream).await.unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", sent.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&sent).await.unwrap();
        }
    });
    let answer = transport().send(post(address.await, "")).await.unwrap();
    assert!(answer.into_body()[..] == body[..]);
}

#[tokio::test]
async fn refusals_are_answers() {
    let server = MockServer::start().await;
    for status in [301, 403, 404, 500, 503] {
        let answer = ResponseTemplate::new(status).set_body_string("why");
        let mock = Mock::given(method("POST"))
            .and(path("/GetRow"))
            .respond_with(answer);
        let _mock = mock.mount_as_scoped(&server).await;
        let answer = transport()
            .send(post(*server.address(), "x"))
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.into_body(), "why");
    }
}

#[tokio::test]
async fn connections_are_kept() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    let address = serve(move |mut stream, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            while request_from(&mut stream).await.is_some() {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                    .await
                    .unwrap();
            }
        }
    });
    let (address, transport) = (address.await, transport());
    for _ in 0..10 {
        transport.send(post(address, "x")).await.unwrap();
        // The connection returns to the pool on a task of its own.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn requests_run_side_by_side() {
    // None is answered before all have come.
    let all = Arc::new(tokio::sync::Barrier::new(16));
    let address = serve(move |mut stream, _| {
        let all = Arc::clone(&all);
        async move {
            let request = request_from(&mut stream).await.unwrap();
            all.wait().await;
            let (_, body) = request.split_once("\r\n\r\n").unwrap();
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let (address, transport) = (address.await, transport());
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let transport = transport.clone();
            tokio::spawn(async move {
                let answer = transport
                    .send(post(address, number.to_string()))
                    .await
                    .unwrap();
                assert_eq!(answer.into_body(), number.to_string());
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn nobody_listening_means_not_sent() {
    let address = nobody();
    let error = fails(&transport(), post(address, "x")).await;
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(error.to_string(), "the request could not be sent");
    assert_ne!(cause(&error), error.to_string());
}

#[tokio::test]
async fn a_host_that_does_not_exist_means_not_sent() {
    // A label of DNS has 63 bytes at most, so nobody is asked for this one, on whatever network.
    let label = "x".repeat(64);
    let request = Request::post(format!("http://{label}.invalid/GetRow"))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(
        fails(&transport(), request).await.delivery(),
        Delivery::NotSent
    );
}

// A full queue of waiting connections leaves new ones unanswered on Linux; elsewhere it refuses them.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_that_is_never_made_means_not_sent() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Far more than the queue takes, all at once: whoever comes later finds it full, however slow this
    // machine is.
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..64 {
        waiting.spawn(TcpStream::connect(address));
    }
    let connected = async {
        let mut connected = Vec::new();
        while let Some(stream) = waiting.join_next().await {
            connected.push(stream);
        }
    };
    let all = tokio::time::timeout(Duration::from_millis(300), connected);
    assert!(all.await.is_err(), "the queue never filled");
    let timeout = Duration::from_millis(200);
    let transport = HyperTransport::builder()
        .connect_timeout(timeout)
        .build()
        .unwrap();
    let error = fails(&transport, post(address, "x")).await;
    assert_eq!(error.delivery(), Delivery::NotSent, "{error:?}");
    assert!(error.is_timeout());
}

/// A server that reads one request, writes this, and closes.
async fn answering(answer: &'static [u8]) -> SocketAddr {
    serve(move |mut stream, _| async move {
        request_from(&mut stream).await.unwrap();
        stream.write_all(answer).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn an_answer_that_breaks_off_means_unknown() {
    let cases: [(&str, &[u8]); 6] = [
        ("nothing", b""),
        ("part of the head", b"HTTP/1.1 200 OK\r\ncontent-le"),
        (
            "part of the body",
            b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        ),
        ("no body", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"),
        (
            "part of the pieces",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        ),
        ("not HTTP", b"SSH-2.0-OpenSSH_9.7\r\n\r\n"),
    ];
    for (name, answer) in cases {
        let error = fails(&transport(), post(answering(answer).await, "x")).await;
        assert_eq!(error.delivery(), Delivery::Unknown, "{name}: {error:?}");
        let text = "the request was sent, but no whole answer came back";
        assert_eq!(error.to_string(), text, "{name}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_taken() {
    let transport = HyperTransport::builder()
        .max_response_bytes(8)
        .build()
        .unwrap();
    let stated = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123456789";
    let found = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n";
    for answer in [&stated[..], found] {
        let error = fails(&transport, post(answering(answer).await, "x")).await;
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert_eq!(cause(&error), "the answer is larger than 8 bytes");
    }
    let fits = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n12345678";
    transport
        .send(post(answering(fits).await, "x"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_length_nobody_could_send_is_not_reserved() {
    // Within the limit of bytes that are taken, but far beyond what the server sends.
    let transport = HyperTransport::builder()
        .max_response_bytes(usize::MAX)
        .build()
        .unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000000\r\n\r\nabc";
    let error = fails(&transport, post(answering(answer).await, "x")).await;
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced() {
    let address = serve(|mut stream, _| async move {
        request_from(&mut stream).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await
            .unwrap();
    });
    let (address, transport) = (address.await, transport());
    for _ in 0..5 {
        transport.send(post(address, "x")).await.unwrap();
        // Time enough to notice.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The race that a pool can't win: the server closes an idle connection while the next request is on
/// its way. It may succeed on a new connection, or fail; but it must not be called unsent if the
/// server has seen it.
#[test]
fn a_request_that_met_a_closing_connection_is_not_called_unsent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (report, reports) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, report) = (stream.unwrap(), report.clone());
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                let first = stream.read(&mut buffer).unwrap_or(0);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                let _ = stream.write_all(answer);
                let _ = stream.shutdown(std::net::Shutdown::Write);
                // Whatever still comes was sent after the close.
                let mut late = Vec::new();
                let _ = stream.read_to_end(&mut late);
                let _ = report.send((first, late.len()));
            });
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for round in 0..30 {
        let (outcome, expected) = runtime.block_on(async {
            let transport = transport();
            transport.send(post(address, "first")).await.unwrap();
            // Blocks the only thread: the close arrives, but nobody looks at the socket.
            std::thread::sleep(Duration::from_millis(round % 3));
            let outcome = transport.send(post(address, "second")).await;
            let expected = if outcome.is_ok() { 2 } else { 1 };
            (outcome, expected)
        });
        // The transport is gone, so every connection has ended.
        runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
        let mut late = 0;
        for _ in 0..expected {
            late += reports.recv_timeout(Duration::from_secs(10)).unwrap().1;
        }
        if let Err(error) = outcome
            && error.delivery() == Delivery::NotSent
        {
            assert_eq!(late, 0, "round {round}: {error:?}");
        }
        while reports.try_recv().is_ok() {}
    }
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn https_to_a_server_without_tls_means_not_sent() {
    let address = serve(|mut stream, _| async move {
        let mut buffer = [0; 64];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let address = address.await;
    let request = Request::post(format!("https://{address}/GetRow"))
        .body(Bytes::new())
        .unwrap();
    let error = fails(&transport(), request).await;
    assert_eq!(error.delivery(), Delivery::NotSent, "{error:?}");
}

#[cfg(not(feature = "rustls"))]
#[tokio::test]
async fn https_without_tls_built_in_is_an_error_and_never_plain() {
    let address = serve(|_, _| async { panic!("a connection was made") });
    let address = address.await;
    let request = Request::post(format!("https://{address}/GetRow"))
        .body(Bytes::new())
        .unwrap();
    let error = fails(&transport(), request).await;
    assert_eq!(error.delivery(), Delivery::NotSent, "{error:?}");

    let client = Client::builder("https://h")
        .instance("i")
        .credentials(credentials());
    assert_eq!(
        client.build().unwrap_err().to_string(),
        "endpoint https://h is https, but this build is without the feature `rustls`"
    );
}

/// A client of this computer's clock.
fn client(address: SocketAddr) -> ots_core::ClientBuilder {
    let client = Client::builder(format!("http://{address}"));
    client.instance("shop").credentials(credentials())
}

#[tokio::test]
async fn a_client_speaks_to_a_server_and_tries_again() {
    let server = MockServer::start().await;
    let count = AtomicUsize::new(0);
    let respond = move |request: &wiremock::Request| {
        let mut asked = Request::post(request.url.as_str());
        *asked.headers_mut().unwrap() = request.headers.clone();
        let asked = asked.body(Bytes::from(request.body.clone())).unwrap();
        let answer = match count.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::busy(),
            _ => Answer::ok(&ListTableResponse {
                table_names: vec!["orders".to_owned()],
            }),
        };
        let date = asked.headers()["x-ots-date"].clone();
        let answer = answer.with("x-ots-date", date).to(&asked);
        let mut template = ResponseTemplate::new(answer.status());
        for (name, value) in answer.headers() {
            template = template.insert_header(name.clone(), value.clone());
        }
        template.set_body_bytes(answer.into_body().to_vec())
    };
    Mock::given(method("POST"))
        .and(path("/ListTable"))
        .respond_with(respond)
        .mount(&server)
        .await;
    let client = client(*server.address()).build().unwrap();
    let reply = client.send(ListTable::new()).await.unwrap();
    assert_eq!(reply.into_inner(), ["orders"]);
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_server_that_never_answers_costs_one_attempts_time() {
    let address =
        serve(|mut stream, _| async move { while request_from(&mut stream).await.is_some() {} });
    let client = client(address.await).attempt_timeout(Duration::from_millis(100));
    let error = client
        .retry(NoRetry)
        .build()
        .unwrap()
        .send(ListTable::new())
        .await
        .unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "ListTable on instance \"shop\" failed: no answer from the service",
            "the request was sent, but no whole answer came back",
            "no answer within 0.1 s",
        ]
    );
}
