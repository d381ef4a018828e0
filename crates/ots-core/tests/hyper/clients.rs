//! A client over it.

use super::*;

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
    let limit = Duration::from_secs(30);
    let address = serve(move |mut stream, _| async move {
        request_from(&mut stream).await.unwrap();
        // The attempt's time passes at once, however long this machine takes for anything.
        tokio::time::pause();
        tokio::time::advance(limit).await;
        tokio::time::resume();
        std::future::pending::<()>().await;
    });
    let client = client(address.await).attempt_timeout(limit);
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
            "no answer within 30 s",
        ]
    );
}
