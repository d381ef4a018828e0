//! Requests as the service wants them, answers as it gives them.

use super::*;

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
    let address = address.await;
    // However long this machine takes between two requests.
    let an_hour = Duration::from_secs(3600);
    let transport = HyperTransport::builder().idle_timeout(an_hour);
    let transport = transport.build().unwrap();
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
