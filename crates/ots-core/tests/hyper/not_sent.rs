//! What the service has surely not seen.

use super::*;

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
