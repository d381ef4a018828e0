//! `ots load`: the rows of a file into a table.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ots_arrow::ColumnType;
use ots_core::request::{CreateSearchIndex, CreateTable, DescribeTable, ListSearchIndex};
use ots_core::writer::BatchWriter;
use ots_core::{Client, ErrorCode, ErrorKind};
use ots_proto::messages::{FieldType, PrimaryKeySchema, PrimaryKeyType};

use crate::args::{Load, ProgressStyle};
use crate::bulk_write::{self, BATCH_ROWS, Outcome, Stop, bulk_write};
use crate::connect::Connection;
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::figures::{Bytes, Count, Of, Seconds, per_second};
use crate::interrupt::Interrupt;
use crate::progress::{Progress, Snapshot};
use crate::source::{RowSource, SourceColumn, SourceOptions};
use crate::tally::Counted;

/// Loads the file and says so.
pub async fn run(
    connection: &Connection,
    arguments: Load,
    style: ProgressStyle,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let start = Instant::now();
    let doing = format!(
        "load of {} into table {:?}",
        arguments.file.display(),
        arguments.table
    );
    let connected = connection.connect()?;
    // Boxed, because what it holds makes a large future.
    let prepare = Box::pin(prepare(&arguments, &connected.first));
    let interrupted = || format!("{doing} stopped before the first row");
    let source = interrupt.or(prepare, interrupted).await?;

    let mut progress = Progress::start(style, "load");
    let expected_rows = source.total_rows();
    let wrote = |rows| {
        progress.report(|| Snapshot {
            rows,
            expected_rows,
            ..Snapshot::default()
        });
    };
    let parallel = arguments.parallel.get() as usize;
    let table = &arguments.table;
    let counted = Counted::new(connected.client.clone());
    let writer = BatchWriter::builder(counted.clone(), table).retries_of(&connected.client);
    let loading = bulk_write(writer, source, parallel, &mut interrupt, wrote);
    let outcome = Box::pin(loading).await;
    let elapsed = start.elapsed();
    progress.finish();
    let (requests, retries) = (outcome.requests, outcome.retries);
    let rows = written(outcome, &doing)?;
    say(format_args!(
        "loaded {} of {} into table {table:?} in {}: {} rows/s, {} sent, {}, {}",
        Of(rows, "row"),
        arguments.file.display(),
        Seconds(elapsed),
        per_second(rows, elapsed),
        Bytes(counted.tally().sent_bytes),
        Of(requests, "request"),
        Of(retries, "retry"),
    ));
    Ok(())
}

/// The file opened, and a table that takes its rows.
async fn prepare(arguments: &Load, client: &Client) -> Result<RowSource, Failure> {
    let Load { table, file, .. } = arguments;
    let mut options = SourceOptions::new(&arguments.key);
    options.row_number.clone_from(&arguments.row_number);
    options.chunk_rows = BATCH_ROWS;
    let source = open(file, options.clone()).await?;
    if arguments.create {
        create_table(client, table, &arguments.key, source.columns()).await?;
        if let Some(index) = &arguments.index {
            let created = create_index(client, table, index, source.columns()).await;
            created.map_err(|error| {
                let doing = format!("table {table:?} was created, but not its index {index:?}");
                Failure::of_call(doing, error)
                    .advise("run it again without --create to go on, with --index or without")
            })?;
        }
        return Ok(source);
    }
    let described = client.send(DescribeTable::new(table)).await;
    let described = described.map_err(|error| {
        let doing = format!("{} can't be loaded into table {table:?}", file.display());
        Failure::of_call(doing, error)
    })?;
    let wanted = &described.primary_key;
    let source = match types_of_table(source.columns(), wanted, file) {
        Some(types) => {
            options.types = types;
            open(file, options).await?
        }
        None => source,
    };
    if !fits(source.columns(), &arguments.key, wanted) {
        let doing = format!(
            "{} can't be loaded into table {table:?}: the table's primary key is {}, the rows' is {}",
            file.display(),
            described_key(wanted),
            key_of_rows(source.columns(), &arguments.key),
        );
        let names: Vec<_> = wanted.iter().map(|column| column.name.as_str()).collect();
        return Err(Failure::new(Exit::Usage, doing).advise(format!(
            "pass --key {}, or another --table with --create",
            names.join(",")
        )));
    }
    if let Some(index) = &arguments.index {
        add_index(client, table, index, source.columns()).await?;
    }
    Ok(source)
}

async fn open(file: &Path, options: SourceOptions) -> Result<RowSource, Failure> {
    let doing = format!("{} can't be loaded", file.display());
    let file: PathBuf = file.to_owned();
    let opened = tokio::task::spawn_blocking(move || RowSource::open(&file, &options)).await;
    match opened {
        Ok(Ok(source)) => Ok(source),
        Ok(Err(error)) => Err(Failure::new(Exit::Usage, doing).because(error)),
        Err(error) => Err(Failure::new(Exit::Other, doing).because(error)),
    }
}

/// The types that the table wants for the key columns of a CSV file, if they aren't what the fields
/// look like: identifiers that happen to have only digits.
fn types_of_table(
    columns: &[SourceColumn],
    wanted: &[PrimaryKeySchema],
    file: &Path,
) -> Option<Vec<(String, ColumnType)>> {
    let is_parquet = file.extension().is_some_and(|ending| {
        ending.eq_ignore_ascii_case("parquet") || ending.eq_ignore_ascii_case("pq")
    });
    if is_parquet {
        return None;
    }
    let types = wanted.iter().filter_map(|key| {
        let found = columns.iter().find(|column| column.name == key.name)?;
        let is_text = key.r#type == i32::from(PrimaryKeyType::String);
        let differs = is_text && found.column_type != ColumnType::String;
        differs.then(|| (key.name.clone(), ColumnType::String))
    });
    let types: Vec<_> = types.collect();
    (!types.is_empty()).then_some(types)
}

/// Whether rows with this key belong into the table.
fn fits(columns: &[SourceColumn], key: &[String], wanted: &[PrimaryKeySchema]) -> bool {
    let kind = |name: &String| {
        let column = columns.iter().find(|column| column.name == *name)?;
        Some(i32::from(key_type(column.column_type)))
    };
    key.len() == wanted.len()
        && key
            .iter()
            .zip(wanted)
            .all(|(name, wanted)| *name == wanted.name && kind(name) == Some(wanted.r#type))
}

fn described_key(key: &[PrimaryKeySchema]) -> String {
    let columns = key.iter().map(|column| {
        let kind = PrimaryKeyType::try_from(column.r#type).map_or("?", type_name);
        format!("{} {kind}", column.name)
    });
    columns.collect::<Vec<_>>().join(", ")
}

fn key_of_rows(columns: &[SourceColumn], key: &[String]) -> String {
    let columns = key.iter().map(|name| {
        let column = columns.iter().find(|column| column.name == *name);
        let kind = column.map_or("?", |column| type_name(key_type(column.column_type)));
        format!("{name} {kind}")
    });
    columns.collect::<Vec<_>>().join(", ")
}

/// The type as the service's documentation spells it.
fn type_name(kind: PrimaryKeyType) -> &'static str {
    let name = kind.as_str_name();
    name.strip_prefix("PRIMARY_KEY_TYPE_").unwrap_or(name)
}

/// Creates the table with these columns as key, in this order.
async fn create_table(
    client: &Client,
    table: &str,
    key: &[String],
    columns: &[SourceColumn],
) -> Result<(), Failure> {
    let mut request = CreateTable::new(table);
    for name in key {
        // The source has refused names that aren't there.
        if let Some(column) = columns.iter().find(|column| column.name == *name) {
            request = request.primary_key(name, key_type(column.column_type));
        }
    }
    client.send(request).await.map_err(|error| {
        let exists = error.code() == Some(&ErrorCode::ObjectAlreadyExist);
        let failure = Failure::of_call(format!("table {table:?} can't be created"), error);
        if exists {
            failure.advise("leave out --create to write into it")
        } else {
            failure
        }
    })?;
    Ok(())
}

/// Creates the index unless the table has it already, whatever its fields are then.
async fn add_index(
    client: &Client,
    table: &str,
    index: &str,
    columns: &[SourceColumn],
) -> Result<(), Failure> {
    let failed = |error| {
        let doing = format!("index {index:?} of table {table:?} can't be created");
        Failure::of_call(doing, error)
    };
    let listed = client.send(ListSearchIndex::new().table(table)).await;
    if listed
        .map_err(failed)?
        .iter()
        .any(|there| there.index == index)
    {
        return Ok(());
    }
    create_index(client, table, index, columns)
        .await
        .map_err(failed)
}

/// An index over all columns that can be indexed.
async fn create_index(
    client: &Client,
    table: &str,
    index: &str,
    columns: &[SourceColumn],
) -> Result<(), ots_core::Error> {
    let mut request = CreateSearchIndex::new(table, index);
    for column in columns {
        if let Some(kind) = field_type(column.column_type) {
            request = request.field(&column.name, kind);
        }
    }
    client.send(request).await?;
    Ok(())
}

const fn key_type(column: ColumnType) -> PrimaryKeyType {
    match column {
        ColumnType::Binary => PrimaryKeyType::Binary,
        ColumnType::Integer => PrimaryKeyType::Integer,
        // A source has refused other types for keys already.
        _ => PrimaryKeyType::String,
    }
}

/// The field a column becomes; binary columns can't be indexed.
const fn field_type(column: ColumnType) -> Option<FieldType> {
    match column {
        ColumnType::Integer => Some(FieldType::Long),
        ColumnType::Double => Some(FieldType::Double),
        ColumnType::Boolean => Some(FieldType::Boolean),
        ColumnType::String => Some(FieldType::Keyword),
        ColumnType::Binary => None,
    }
}

/// How many rows were written, if all of them were.
pub(super) fn written(outcome: Outcome, doing: &str) -> Result<u64, Failure> {
    let Some(stop) = outcome.stop else {
        return Ok(outcome.written_rows);
    };
    let mut stopped = format!("stopped after {}", Of(outcome.written_rows, "row"));
    if outcome.unknown_rows > 0 {
        stopped += &format!("; {} more may be written", Count(outcome.unknown_rows));
    }
    let failure = match stop {
        Stop::Refused(refused) => of_refused(doing, refused),
        Stop::Source(error) => Failure::new(Exit::Usage, doing).because(error),
        Stop::Interrupted(exit) => Failure::new(exit, doing).advise(
            "run it again without --create to write all rows: writing a row twice is harmless",
        ),
        Stop::Task(lost) => Failure::new(Exit::Other, doing).because(lost),
        Stop::Reader(error) => Failure::new(Exit::Other, doing).because(error),
        Stop::Writer(error) => Failure::of_call(doing, error),
    };
    Err(failure.stopped(stopped))
}

fn of_refused(doing: &str, refused: bulk_write::Refused) -> Failure {
    if matches!(refused.error.kind(), ErrorKind::Request(_)) {
        // What the service would have said of the row.
        return Failure::new(Exit::Other, doing).because(refused);
    }
    let failure = Failure::like_call(doing, &refused.error);
    match failure.exit() {
        // Something about the row: then it matters which.
        Exit::Other | Exit::Usage => failure.because(refused),
        _ => failure.because(refused.error),
    }
}
