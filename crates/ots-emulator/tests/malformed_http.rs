//! Bytes on a socket that no client would send: an answer below 500 or an end, never a panic, and
//! the next client is served.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use common::server::start_with;
use common::{put_request, signed};
use ots_emulator::{Emulator, Settings};
use ots_proto::messages::Error;
use ots_proto::{Row, operation};
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;

/// One server for all cases, on a thread of its own.
static SERVER: LazyLock<(Emulator, SocketAddr)> = LazyLock::new(|| {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let mut settings = Settings::default();
            // Bodies that are announced and never come.
            settings.body_timeout = Duration::from_millis(20);
            let server = start_with(settings).await;
            sender
                .send((server.emulator.clone(), server.address))
                .unwrap();
            server.served.await.unwrap().unwrap();
        });
    });
    receiver.recv().unwrap()
});

/// Sends bytes, ends the sending, and reads to the end.
fn exchange(bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(SERVER.1).unwrap();
    // It may have heard enough before everything is said.
    if stream.write_all(bytes).is_ok() {
        stream.shutdown(Shutdown::Write).ok();
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    answer
}

/// A request as it goes over the wire.
fn on_the_wire(name: &str, body: Bytes) -> Vec<u8> {
    let request = signed(&SERVER.0, name, body);
    let mut bytes = format!("POST /{name} HTTP/1.1\r\nhost: local\r\n").into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let length = request.body().len();
    bytes.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
    bytes.extend_from_slice(request.body());
    bytes
}

fn good(which: usize) -> Vec<u8> {
    match which {
        0 => on_the_wire("ListTable", Bytes::new()),
        1 => {
            let row = Row::new(common::id(1)).cell("text", "snow 雪");
            on_the_wire("PutRow", put_request("t", row).encode_to_vec().into())
        }
        2 => b"GET /healthz HTTP/1.1\r\nhost: local\r\n\r\n".to_vec(),
        3 => b"POST /admin/clock/advance HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 8\r\n\r\n{\"ms\":1}"
            .to_vec(),
        _ => b"POST /GetRow HTTP/1.1\r\nhost: local\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            .to_vec(),
    }
}

/// Every answer has a status below 500, and those of the service their headers and a typed error.
fn check(method: &str, answer: &[u8]) -> Result<(), TestCaseError> {
    let mut rest = answer;
    let mut has_body = method != "HEAD";
    while !rest.is_empty() {
        let text = String::from_utf8_lossy(rest);
        prop_assert!(text.starts_with("HTTP/1."), "{text:?}");
        let status: u16 = text[9..12].parse().unwrap();
        prop_assert!((100..500).contains(&status), "{text:?}");
        let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Err(TestCaseError::fail(format!("half a head: {text:?}")));
        };
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 4..];
        let header = |name: &str| {
            let mut lines = head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(": "));
            lines.find_map(|(found, value)| (found == name).then(|| value.to_owned()))
        };
        let length = header("content-length").map_or(0, |text| text.parse::<usize>().unwrap());
        // The answer to a HEAD has the length of a body and no body.
        let body = &rest[..length.min(rest.len()) * usize::from(has_body)];
        // It may be told to go on before it is answered.
        has_body |= status >= 200;
        rest = &rest[body.len()..];
        if header("x-ots-requestid").is_some() && status != 200 && !body.is_empty() {
            let error = Error::decode(body).unwrap();
            prop_assert!(error.code.starts_with("OTS"), "{error:?}");
        }
    }
    Ok(())
}

/// The next one is served as if nothing had happened.
fn is_well() {
    let answer = exchange(&on_the_wire("ListTable", Bytes::new()));
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_on_a_socket_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check("", &exchange(&bytes))?;
    }

    #[test]
    fn requests_with_wrong_bytes_are_answered_or_ended(
        which in 0..5_usize,
        changes in prop::collection::vec((any::<Index>(), any::<u8>(), 0..3_u8), 1..5),
    ) {
        let mut bytes = good(which);
        for (at, byte, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        check("", &exchange(&bytes))?;
    }

    #[test]
    fn any_method_path_and_header_is_answered(
        method in prop_oneof![
            Just("GET"), Just("PUT"), Just("HEAD"), Just("OPTIONS"), Just("DELETE"), Just("PATCH"),
            Just("TRACE"), Just("CONNECT"), Just("POST"), Just("BREW"),
        ],
        path in prop_oneof![
            "/[ -~]{0,20}",
            Just("*".to_owned()),
            Just("http://local/GetRow".to_owned()),
            Just("/admin/../GetRow".to_owned()),
            Just("//GetRow".to_owned()),
            any::<Index>().prop_map(|index| format!("/{}?a=b", index.get(operation::ALL).0)),
        ],
        headers in prop::collection::vec(
            prop_oneof![
                "[a-zA-Z-]{1,12}: [ -~]{0,20}",
                Just("expect: 100-continue".to_owned()),
                Just("connection: upgrade\r\nupgrade: websocket".to_owned()),
                Just("connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c".to_owned()),
                Just("content-length: -1".to_owned()),
                Just("content-length: 5\r\ncontent-length: 6".to_owned()),
                Just("content-length: 5\r\ntransfer-encoding: chunked".to_owned()),
                Just("content-length: 18446744073709551615".to_owned()),
                Just("transfer-encoding: gzip, chunked".to_owned()),
                Just("x-ots-date: \u{7f}".to_owned()),
            ],
            0..5,
        ),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: local\r\n").into_bytes();
        for header in headers {
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&body);
        check(method, &exchange(&bytes))?;
        is_well();
    }
}
