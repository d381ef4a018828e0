//! `ots quickstart`: the whole road on this computer, in one process and without a socket.

use std::fs::File;
use std::path::Path;

use ots_core::request::{CreateSearchIndex, CreateTable};
use ots_core::transport::InProcess;
use ots_core::{Client, ColumnValue, Credentials, Query, Row};
use ots_emulator::Emulator;
use ots_proto::messages::{FieldType, PrimaryKeyType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::export::Job;
use super::load::written;
use crate::args::{Format, ProgressStyle, Quickstart, RESTARTS};
use crate::bulk_write::bulk_write;
use crate::connect::{Connected, LOCAL_INSTANCE};
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::figures::{Count, Of};
use crate::interrupt::Interrupt;
use crate::quickstart_data::{AIRPORTS_CSV, AIRPORTS_KEY, AIRPORTS_ROWS};
use crate::sink::MARK;
use crate::source::{RowSource, SourceOptions};

const TABLE: &str = "airports";
const INDEX: &str = "airports_index";
const SPLITS: u32 = 4;

/// Loads the bundled airports into an embedded emulator and exports them again.
pub async fn run(
    arguments: Quickstart,
    style: ProgressStyle,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let emulator = Emulator::builder().splits(SPLITS).build();
    let credentials = Credentials::new(Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET);
    let client = Client::builder("http://embedded")
        .instance(LOCAL_INSTANCE)
        .credentials(credentials)
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()
        .map_err(|error| Failure::of_call("the embedded Tablestore can't be reached", error))?;
    say("1. an embedded Tablestore runs in this process: nothing to install, nothing to pay");

    let failed = |error| Failure::of_call("the quickstart failed", error);
    let table = CreateTable::new(TABLE).primary_key(AIRPORTS_KEY, PrimaryKeyType::String);
    client.send(table).await.map_err(failed)?;
    let index = CreateSearchIndex::new(TABLE, INDEX)
        .field("name", FieldType::Text)
        .field("city", FieldType::Keyword)
        .field("state", FieldType::Keyword)
        .field("country", FieldType::Keyword)
        .field("latitude", FieldType::Double)
        .field("longitude", FieldType::Double)
        .field("location", FieldType::GeoPoint);
    client.send(index).await.map_err(failed)?;
    say(format_args!(
        "2. table {TABLE:?} with search index {INDEX:?}: keywords, text, numbers, geo points"
    ));

    let options = SourceOptions::new([AIRPORTS_KEY]);
    let source = RowSource::bundled_csv(AIRPORTS_CSV, &options).map_err(|error| {
        Failure::new(Exit::Other, "the bundled airports can't be read").because(error)
    })?;
    let rows = source.map(|chunk| Ok(chunk?.into_iter().map(with_location).collect()));
    let writer = client.batch_writer(TABLE);
    let load = bulk_write(writer, rows, 2, &mut interrupt, |_| {});
    let loaded = written(Box::pin(load).await, "load of the bundled airports")?;
    say(format_args!(
        "3. {} US airports loaded in batches",
        Count(loaded)
    ));

    let job = Job {
        table: TABLE.to_owned(),
        index: INDEX.to_owned(),
        columns: None,
        query: Query::MatchAll,
        query_file: None,
        format: Format::Parquet,
        parallel: SPLITS,
        restarts: RESTARTS,
        out: arguments.out,
        may_replace: of_earlier_run,
    };
    let connected = Connected::embedded(client);
    let summary = job.run(&connected, style, &mut interrupt).await?;
    if summary.rows != AIRPORTS_ROWS as u64 {
        let doing = format!("{} airports were loaded, {} exported", loaded, summary.rows);
        return Err(Failure::new(Exit::Mismatch, doing));
    }
    say(format_args!(
        "4. scanned in {SPLITS} splits at once, every page verified: {summary}"
    ));
    for part in &summary.parts {
        let rows = Of(part.rows, "row");
        say(format_args!("   {} ({rows})", part.path.display()));
    }
    say("
Next, a Tablestore that stays, and files of your own:
  ots emulator --listen 127.0.0.1:8087 &
  export OTS_ENDPOINT=http://127.0.0.1:8087
  ots load --table mine --create --index mine_index --row-number id --key id FILE.csv
  ots export --table mine --index mine_index --format csv --out ./mine
  ots range --table mine --limit 5
(in a clone of the project, `ots` is `cargo run --bin ots --`)");
    Ok(())
}

/// An airport with its place as a geo point, which an index keeps as `latitude,longitude`.
fn with_location(row: Row) -> Row {
    let coordinate = |name| row.get(name).and_then(ColumnValue::as_double);
    match (coordinate("latitude"), coordinate("longitude")) {
        (Some(latitude), Some(longitude)) => {
            let location = format!("{latitude},{longitude}");
            row.cell("location", location)
        }
        _ => row,
    }
}

/// Running the quickstart twice is no mistake: files of an earlier run make room. Others are left,
/// above all those of an export of something else, which have the same names.
fn of_earlier_run(path: &Path) -> bool {
    // Alone it says nothing.
    if path.ends_with(MARK) {
        return true;
    }
    path.extension().is_some_and(|ending| ending == "parquet") && has_airports(path)
}

/// Whether a Parquet file has the columns that the quickstart writes.
fn has_airports(path: &Path) -> bool {
    let columns = File::open(path).ok().and_then(|file| {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).ok()?;
        let fields = reader.schema().fields().iter();
        Some(fields.map(|field| field.name().clone()).collect::<Vec<_>>())
    });
    columns.is_some_and(|columns| columns == COLUMNS)
}

/// The columns of the exported files: the key, then the fields of the index.
const COLUMNS: [&str; 8] = [
    "iata",
    "name",
    "city",
    "state",
    "country",
    "latitude",
    "longitude",
    "location",
];
