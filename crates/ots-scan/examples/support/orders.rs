//! A Tablestore in this process with 10,000 orders, searched in four splits.

use ots_core::request::{CreateSearchIndex, CreateTable};
use ots_core::transport::InProcess;
use ots_core::writer::{BatchWriter, Outcome};
use ots_core::{Client, Credentials, PrimaryKey, Row, RowChange};
use ots_emulator::Emulator;
use ots_proto::messages::{FieldType, PrimaryKeyType};

/// A client of this service, in whose table the orders lie then.
pub(crate) async fn client_with_orders(service: Emulator) -> Result<Client, ots_core::Error> {
    let client = Client::builder("http://embedded")
        .instance("example")
        .credentials(Credentials::new(
            Emulator::ACCESS_KEY_ID,
            Emulator::ACCESS_KEY_SECRET,
        ))
        .transport(InProcess::new(move |request| service.handle(request)))
        .build()?;
    let table = CreateTable::new("orders").primary_key("id", PrimaryKeyType::Integer);
    client.send(table).await?;
    let index = CreateSearchIndex::new("orders", "orders_index")
        .field("city", FieldType::Keyword)
        .field("price", FieldType::Long);
    client.send(index).await?;

    let writer = BatchWriter::builder(client.clone(), "orders").start(|settled| {
        if let Outcome::Failed { error, .. } = &settled.outcome {
            eprintln!("order {} wasn't written: {error}", settled.key);
        }
    })?;
    for id in 0..10_000_i64 {
        let city = if id % 3 == 0 { "Hangzhou" } else { "Shanghai" };
        let row = Row::new(PrimaryKey::new().column("id", id));
        let row = row.cell("city", city).cell("price", id);
        writer.write(RowChange::Put(row), ()).await?;
    }
    writer.close().await;
    Ok(client)
}
