//! Answers that break off, are too large, or meet a closing connection.

use super::*;

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
    for round in 0..30 {
        let (address, late_bytes) = closing();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let outcome = runtime.block_on(async {
            let transport = transport();
            transport.send(post(address, "first")).await.unwrap();
            // Blocks the only thread: the close arrives, but nobody looks at the socket.
            std::thread::sleep(Duration::from_millis(round % 3));
            transport.send(post(address, "second")).await
        });
        // Every connection ends with the tasks that have them.
        drop(runtime);
        let late_bytes = late_bytes();
        if let Err(error) = outcome
            && error.delivery() == Delivery::NotSent
        {
            assert_eq!(late_bytes, 0, "round {round}: {error:?}");
        }
    }
}

/// A server that answers the first request of each connection and closes it; and what says, once all
/// connections have ended, how many bytes came after a close.
fn closing() -> (SocketAddr, impl FnOnce() -> usize) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let accepting = std::thread::spawn(move || {
        let mut connections = Vec::new();
        for stream in listener.incoming() {
            if is_over.load(Ordering::SeqCst) {
                break;
            }
            let mut stream = stream.unwrap();
            connections.push(std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                let _ = stream.write_all(answer);
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let mut late = Vec::new();
                let _ = stream.read_to_end(&mut late);
                late.len()
            }));
        }
        let late_bytes = connections.into_iter().map(|it| it.join().unwrap());
        late_bytes.sum()
    });
    let late_bytes = move || {
        over.store(true, Ordering::SeqCst);
        // Behind all those that are to be accepted.
        drop(std::net::TcpStream::connect(address).unwrap());
        accepting.join().unwrap()
    };
    (address, late_bytes)
}
