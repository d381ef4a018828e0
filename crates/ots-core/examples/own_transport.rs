//! A transport of one's own: it brings requests to a Tablestore in this process, and says what it
//! moved. Whatever can send HTTP fits in its place.
//!
//! ```sh
//! cargo run -p ots-core --example own_transport
//! ```

use async_trait::async_trait;
use bytes::Bytes;
use ots_core::request::{CreateTable, GetRow, PutRow};
use ots_core::{Client, Credentials, PrimaryKey, Row, Transport, TransportError};
use ots_emulator::Emulator;
use ots_proto::messages::PrimaryKeyType;

#[derive(Debug)]
struct Embedded(Emulator);

#[async_trait]
impl Transport for Embedded {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let (path, sent) = (request.uri().path().to_owned(), request.body().len());
        // Signed already; the whole answer comes back, whatever its status. A transport that fails
        // says whether the service could have seen the request: `TransportError::not_sent` or
        // `unknown`, on which it depends whether a write is tried again.
        let response = self.0.handle(request);
        let (status, received) = (response.status(), response.body().len());
        println!("POST {path}: {sent} bytes, answered {status} with {received}");
        Ok(response)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ots_core::Error> {
    let client = Client::builder("http://embedded")
        .instance("example")
        .credentials(Credentials::new(
            Emulator::ACCESS_KEY_ID,
            Emulator::ACCESS_KEY_SECRET,
        ))
        .transport(Embedded(Emulator::default()))
        .build()?;

    let table = CreateTable::new("cities").primary_key("id", PrimaryKeyType::Integer);
    client.send(table).await?;
    let key = PrimaryKey::new().column("id", 7);
    let city = Row::new(key.clone()).cell("name", "Hangzhou");
    client.send(PutRow::new("cities", city)).await?;
    let found = client.send(GetRow::new("cities", key.clone())).await?;
    let name = found.row.as_ref().and_then(|row| row.get("name"));
    println!("{key}: {name:?}");

    // A refusal is an answer too: the client reads it, the transport doesn't.
    let refused = client.send(GetRow::new("nowhere", key)).await;
    if let Err(error) = refused {
        println!("{error}");
    }
    Ok(())
}
