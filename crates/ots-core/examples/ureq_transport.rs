//! A transport over another HTTP client: `ureq`, which blocks, on tokio's threads for such work.
//!
//! ```sh
//! cargo run -p ots-core --example ureq_transport
//! ```

use std::future::pending;

use async_trait::async_trait;
use bytes::Bytes;
use ots_core::request::{CreateTable, GetRow, PutRow};
use ots_core::{Client, Credentials, PrimaryKey, Row, Transport, TransportError};
use ots_emulator::Emulator;
use ots_proto::messages::PrimaryKeyType;

#[derive(Debug)]
struct Ureq(ureq::Agent);

#[async_trait]
impl Transport for Ureq {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let (agent, request) = (self.0.clone(), request.map(Vec::from));
        // When the future is dropped, the thread goes on to the end of the exchange.
        let exchange = tokio::task::spawn_blocking(move || {
            let (head, mut body) = agent.run(request).map_err(classify)?.into_parts();
            let body = body.with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
            let body = body.map_err(TransportError::unknown)?;
            Ok(http::Response::from_parts(head, body.into()))
        });
        exchange.await.map_err(TransportError::unknown)?
    }
}

/// The one thing the client must know of a failure: could the service have seen the request? When in
/// doubt, it could.
fn classify(error: ureq::Error) -> TransportError {
    use ureq::{Error, Timeout};
    match error {
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => TransportError::not_sent(error),
        _ => TransportError::unknown(error),
    }
}

const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { Emulator::default().serve(listener, pending()).await });

    // Refusals are answers, and so is an address that has moved: the client reads them.
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0);
    let client = Client::builder(endpoint)
        .instance("example")
        .credentials(Credentials::new(
            Emulator::ACCESS_KEY_ID,
            Emulator::ACCESS_KEY_SECRET,
        ))
        .transport(Ureq(agent.build().into()))
        .build()?;

    let table = CreateTable::new("cities").primary_key("id", PrimaryKeyType::Integer);
    client.send(table).await?;
    let key = PrimaryKey::new().column("id", 7);
    let city = Row::new(key.clone()).cell("name", "Hangzhou");
    client.send(PutRow::new("cities", city)).await?;
    let found = client.send(GetRow::new("cities", key.clone())).await?;
    println!("{:?}, request {}", found.row, found.request_id);
    if let Err(error) = client.send(GetRow::new("nowhere", key)).await {
        println!("{error}");
    }
    println!("{:?}", client.usage());
    Ok(())
}
