//! `ots load`: the rows of a file into a table, several batches at once.

use std::path::PathBuf;
use std::time::Duration;

use ots_arrow::ColumnType;
use ots_core::request::{BatchWriteRow, CreateSearchIndex, CreateTable, TableWrites, WriteReply};
use ots_core::{Client, Error, ErrorClass, ErrorCode, Row, RowChange};
use ots_proto::messages::{FieldType, PrimaryKeyType};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::args::{Load, ProgressStyle};
use crate::connect::Connection;
use crate::failure::{Exit, Failure};
use crate::figures::{Count, Seconds, per_second};
use crate::interrupt::Interrupt;
use crate::progress::{Progress, Snapshot};
use crate::source::{RowSource, SourceColumn, SourceOptions};

/// Loads the file and says so.
pub async fn run(
    connection: &Connection,
    arguments: Load,
    style: ProgressStyle,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let Load {
        table,
        key,
        row_number,
        create,
        index,
        parallel,
        file,
    } = arguments;
    let mut options = SourceOptions::new(key);
    options.row_number = row_number;
    options.chunk_rows = BATCH_ROWS;
    let source = open(file.clone(), options).await?;
    let client = connection.client()?;
    if create {
        create_table(&client, &table, index.as_deref(), source.columns()).await?;
    }
    let mut progress = Progress::start(style, "load");
    let mut written = 0;
    let expected_rows = source.total_rows();
    let loading = write_all(&client, &table, source, parallel.get() as usize, |rows| {
        written += rows;
        progress.report(|| Snapshot {
            rows: written,
            expected_rows,
            ..Snapshot::default()
        });
    });
    // Boxed, because the loop with all it holds is a large future.
    let outcome = {
        let loading = Box::pin(loading);
        tokio::select! {
            outcome = loading => outcome,
            exit = interrupt.wait() => Err(Stop::Interrupted(exit)),
        }
    };
    let elapsed = progress.elapsed();
    progress.finish();
    let doing = || {
        let rows = Count(written);
        let file = file.display();
        format!("load of {file} into table {table:?} stopped after {rows} rows")
    };
    match outcome {
        Ok(requests) => {
            let rate = per_second(written, elapsed);
            eprintln!(
                "loaded {} rows of {} into table {table:?} in {}: {rate} rows/s, {} requests",
                Count(written),
                file.display(),
                Seconds(elapsed),
                Count(requests),
            );
            Ok(())
        }
        Err(stop) => Err(stop.into_failure(doing())),
    }
}

/// Why loading stopped.
enum Stop {
    Call(Error),
    Source(crate::source::Error),
    Interrupted(Exit),
}

impl Stop {
    fn into_failure(self, doing: String) -> Failure {
        match self {
            Self::Call(error) => Failure::of_call(doing, error),
            Self::Source(error) => Failure::new(Exit::Usage, doing).because(error),
            Self::Interrupted(exit) => Failure::new(exit, doing).advise(
                "run it again without --create to write all rows: writing a row twice is harmless",
            ),
        }
    }
}

async fn open(file: PathBuf, options: SourceOptions) -> Result<RowSource, Failure> {
    let doing = format!("{} can't be loaded", file.display());
    let opened = tokio::task::spawn_blocking(move || RowSource::open(&file, &options)).await;
    match opened {
        Ok(Ok(source)) => Ok(source),
        Ok(Err(error)) => Err(Failure::new(Exit::Usage, doing).because(error)),
        Err(error) => Err(Failure::new(Exit::Other, doing).because(error)),
    }
}

/// Creates the table with these columns as key, and perhaps an index over all that can be indexed.
pub(super) async fn create_table(
    client: &Client,
    table: &str,
    index: Option<&str>,
    columns: &[SourceColumn],
) -> Result<(), Failure> {
    let mut request = CreateTable::new(table);
    for column in columns.iter().filter(|column| column.is_key) {
        request = request.primary_key(&column.name, key_type(column.column_type));
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
    let Some(index) = index else { return Ok(()) };
    let mut request = CreateSearchIndex::new(table, index);
    for column in columns {
        if let Some(kind) = field_type(column.column_type) {
            request = request.field(&column.name, kind);
        }
    }
    client.send(request).await.map_err(|error| {
        Failure::of_call(
            format!("index {index:?} of table {table:?} can't be created"),
            error,
        )
    })
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
        _ => None,
    }
}

/// Writes every row, `parallel` batches at a time. Gives the number of requests.
async fn write_all(
    client: &Client,
    table: &str,
    chunks: impl Iterator<Item = Result<Vec<Row>, crate::source::Error>> + Send + 'static,
    parallel: usize,
    mut wrote: impl FnMut(u64),
) -> Result<u64, Stop> {
    // Reading a file is work of its own; a few chunks ahead are enough.
    let (sender, mut read) = mpsc::channel(parallel);
    tokio::task::spawn_blocking(move || {
        for chunk in chunks {
            // Nobody listens any more when the writing has failed.
            if sender.blocking_send(chunk).is_err() {
                break;
            }
        }
    });
    let mut requests = 0;
    let mut writing = JoinSet::new();
    loop {
        let chunk = tokio::select! {
            biased;
            Some(done) = writing.join_next() => {
                let (rows, sent) = finished(done)?;
                requests += sent;
                wrote(rows);
                continue;
            }
            chunk = read.recv(), if writing.len() < parallel => chunk,
        };
        let Some(chunk) = chunk else { break };
        let rows = chunk.map_err(Stop::Source)?;
        for batch in batches(rows) {
            let (client, table) = (client.clone(), table.to_owned());
            writing.spawn(async move { write_batch(&client, &table, batch).await });
        }
    }
    while let Some(done) = writing.join_next().await {
        let (rows, sent) = finished(done)?;
        requests += sent;
        wrote(rows);
    }
    Ok(requests)
}

fn finished(
    done: Result<Result<(u64, u64), Error>, tokio::task::JoinError>,
) -> Result<(u64, u64), Stop> {
    match done {
        Ok(Ok(counts)) => Ok(counts),
        Ok(Err(error)) => Err(Stop::Call(error)),
        Err(error) => Err(Stop::Call(Error::body(error))),
    }
}

/// What one BatchWriteRow takes: 200 rows, and 4 MB with room for names and overhead.
const BATCH_ROWS: std::num::NonZeroUsize = match std::num::NonZeroUsize::new(200) {
    Some(rows) => rows,
    None => std::num::NonZeroUsize::MIN,
};
const BATCH_BYTES: usize = 3_000_000;

fn batches(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut batches = vec![Vec::new()];
    let mut bytes = 0;
    for row in rows {
        let size = row_bytes(&row);
        match batches.last_mut() {
            Some(batch) if batch.is_empty() || fits(batch, bytes + size) => {
                batch.push(row);
                bytes += size;
            }
            _ => {
                batches.push(vec![row]);
                bytes = size;
            }
        }
    }
    batches.retain(|batch| !batch.is_empty());
    batches
}

fn fits(batch: &[Row], bytes: usize) -> bool {
    batch.len() < BATCH_ROWS.get() && bytes <= BATCH_BYTES
}

/// What a row takes on the wire, about.
fn row_bytes(row: &Row) -> usize {
    use ots_core::{ColumnValue, PrimaryKeyValue};

    let key = row.primary_key.columns().iter().map(|column| {
        column.name.len()
            + match &column.value {
                PrimaryKeyValue::String(text) => text.len(),
                PrimaryKeyValue::Binary(bytes) => bytes.len(),
                _ => 8,
            }
    });
    let cells = row.cells.iter().map(|cell| {
        cell.name.len()
            + match &cell.value {
                ColumnValue::String(text) => text.len(),
                ColumnValue::Binary(bytes) => bytes.len(),
                _ => 8,
            }
    });
    key.chain(cells)
        .map(|bytes| bytes + CELL_OVERHEAD_BYTES)
        .sum()
}

/// Tags, lengths and checksums around a name and a value.
const CELL_OVERHEAD_BYTES: usize = 24;

/// Writes one batch, and again what of it may be written again. Gives rows and requests.
///
/// A whole row without a condition is put: doing so twice is doing so once, so even a request whose
/// fate is unknown may be sent again.
async fn write_batch(
    client: &Client,
    table: &str,
    mut rows: Vec<Row>,
) -> Result<(u64, u64), Error> {
    let total = rows.len() as u64;
    let mut pause = Duration::from_millis(50);
    for requests in 1.. {
        let changes = rows.iter().cloned().map(RowChange::Put);
        let batch = BatchWriteRow::new().table(TableWrites::new(table).changes(changes));
        let last_try = requests == MAX_REQUESTS;
        match client.send(batch).await {
            Ok(results) => rows = failed_rows(rows, results, last_try)?,
            Err(error) if error.is_retryable() && !last_try => {}
            Err(error) => return Err(error),
        }
        if rows.is_empty() {
            return Ok((total, requests));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(4));
    }
    Ok((total, 0))
}

const MAX_REQUESTS: u64 = 8;

/// The rows that must be written again, or the error of one that can't be.
fn failed_rows(
    rows: Vec<Row>,
    results: Vec<Vec<Result<WriteReply, Error>>>,
    last_try: bool,
) -> Result<Vec<Row>, Error> {
    let results: Vec<_> = results.into_iter().flatten().collect();
    if results.len() != rows.len() {
        let (sent, received) = (rows.len(), results.len());
        return Err(Error::body(format!(
            "{sent} rows were sent, {received} results came back"
        )));
    }
    let mut again = Vec::new();
    for (row, result) in rows.into_iter().zip(results) {
        match result {
            Ok(_) => {}
            Err(error) => {
                let class = error.as_service().map(|refusal| refusal.class());
                if last_try || class.is_none_or(|class| class == ErrorClass::Final) {
                    return Err(error);
                }
                again.push(row);
            }
        }
    }
    Ok(again)
}

/// Writes rows that come from elsewhere than the command line, called `from` in errors.
pub(super) async fn write_rows(
    client: &Client,
    table: &str,
    chunks: impl Iterator<Item = Result<Vec<Row>, crate::source::Error>> + Send + 'static,
    from: &str,
) -> Result<u64, Failure> {
    let mut written = 0;
    let outcome = write_all(client, table, chunks, 2, |rows| written += rows).await;
    let doing = format!("load of {from} into table {table:?}");
    match outcome {
        Ok(_) => Ok(written),
        Err(stop) => Err(stop.into_failure(doing)),
    }
}
