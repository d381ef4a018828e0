//! The data: airports of the United States, in a Tablestore inside this process.

use ots_core::request::{CreateSearchIndex, CreateTable};
use ots_core::transport::InProcess;
use ots_core::writer::{BatchWriter, Outcome};
use ots_core::{Client, Credentials, RowChange};
use ots_emulator::Emulator;
use ots_proto::messages::{FieldType, PrimaryKeyType};
use ots_proto::{FromRow, IntoRow};

pub(crate) const TABLE: &str = "airports";
pub(crate) const INDEX: &str = "airports_index";

/// One airport, as a row of the table and as a line of the file.
#[derive(Clone, Debug, FromRow, IntoRow, serde::Deserialize)]
pub(crate) struct Airport {
    #[ots(primary_key)]
    pub(crate) iata: String,
    pub(crate) name: String,
    pub(crate) city: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) country: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

/// A client of a Tablestore that holds all airports, and an index over them.
pub(crate) async fn client() -> Result<Client, Box<dyn std::error::Error>> {
    let emulator = Emulator::default();
    let client = Client::builder("http://embedded")
        .instance("example")
        .credentials(Credentials::new(
            Emulator::ACCESS_KEY_ID,
            Emulator::ACCESS_KEY_SECRET,
        ))
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()?;
    let table = CreateTable::new(TABLE).primary_key("iata", PrimaryKeyType::String);
    client.send(table).await?;
    let index = CreateSearchIndex::new(TABLE, INDEX)
        .field("iata", FieldType::Keyword)
        .field("name", FieldType::Text)
        .field("city", FieldType::Text)
        .field("state", FieldType::Keyword);
    client.send(index).await?;

    let writer = BatchWriter::builder(client.clone(), TABLE).start(|settled| {
        if let Outcome::Failed { error, .. } = &settled.outcome {
            eprintln!("airport {} wasn't written: {error}", settled.key);
        }
    })?;
    let file = include_bytes!("../../../ots-cli/data/airports.csv");
    for airport in csv::Reader::from_reader(file.as_slice()).deserialize::<Airport>() {
        let row = airport?.into_row()?;
        writer.write(RowChange::Put(row), ()).await?;
    }
    writer.close().await;
    Ok(client)
}
