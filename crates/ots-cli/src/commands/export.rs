//! `ots export`: everything a query finds in an index, by parallel scan, to files.
//!
//! Pages arrive in tasks; decoding them and writing files is work for threads of its own, each with
//! some of the splits. Everything between has a bound: what the scan buffers, what waits for a
//! writer, what a writer collects. So memory depends on the number of splits, not of rows.

use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use futures::TryStreamExt as _;
use ots_arrow::ScanSchema;
use ots_core::request::{DescribeSearchIndex, DescribeTable, ScanColumns, Search};
use ots_core::{Client, Query};
use ots_scan::{Scan, ScanError, ScanErrorKind, ScanProgress, SplitState, parallel_scan};

use crate::args::{Export, Format, ProgressStyle};
use crate::connect::{Connected, Connection};
use crate::console::say;
use crate::export_writers::{WriteError, Writers};
use crate::failure::{Exit, Failure};
use crate::figures::{Bytes, Count, Seconds, per_second};
use crate::interrupt::Interrupt;
use crate::progress::{Part, Progress, Snapshot};
use crate::sink::{self, CommittedPart, OutputDir};

/// Exports and says so.
pub async fn run(
    connection: &Connection,
    arguments: Export,
    style: ProgressStyle,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let Export {
        table,
        index,
        columns,
        query_json,
        format,
        parallel,
        out,
    } = arguments;
    let query = match query_json {
        Some(path) => read_query(&path)?,
        None => Query::MatchAll,
    };
    let job = Job {
        table,
        index,
        columns,
        query,
        format,
        parallel: parallel.get(),
        out,
    };
    let connected = connection.connect()?;
    let summary = job.run(&connected, style, &mut interrupt).await?;
    say(&summary);
    Ok(())
}

fn read_query(path: &Path) -> Result<Query, Failure> {
    let wrong = || {
        Failure::new(
            Exit::Usage,
            format!("the query in {} can't be used", path.display()),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong().because(error))?;
    let json = serde_json::from_str(&text).map_err(|error| wrong().because(error))?;
    Query::from_json(&json).map_err(|error| wrong().because(error))
}

/// What to export, and where to.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) table: String,
    pub(super) index: String,
    pub(super) columns: Option<Vec<String>>,
    pub(super) query: Query,
    pub(super) format: Format,
    pub(super) parallel: u32,
    pub(super) out: PathBuf,
}

/// A finished export.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) rows: u64,
    pub(super) parts: Vec<CommittedPart>,
    out: PathBuf,
    progress: ScanProgress,
    elapsed: Duration,
    counted_rows: Option<u64>,
}

impl Job {
    pub(super) async fn run(
        self,
        connected: &Connected,
        style: ProgressStyle,
        interrupt: &mut Interrupt,
    ) -> Result<Summary, Failure> {
        let client = &connected.client;
        let interrupted = || format!("{self} stopped before the first row");
        let schema = interrupt.or(self.schema(&connected.first), interrupted);
        let schema = schema.await?;
        let output = OutputDir::create(&self.out, sink_format(self.format))
            .map_err(|error| of_sink(self.to_string(), error))?;
        let open = Box::pin(async {
            let counted_rows = self.count(client).await;
            Ok((counted_rows, self.open(client, &schema).await?))
        });
        let (counted_rows, mut scan) = interrupt.or(open, interrupted).await?;

        let threads = available_parallelism().map_or(2, usize::from);
        let mut writers = Writers::start(&output, &schema, scan.max_parallel(), threads)
            .map_err(|error| of_write(self.to_string(), error))?;
        let mut progress = Progress::start(style, "export");
        let pumped = {
            let pump = Box::pin(pump(&mut scan, &mut writers, |scan| {
                progress.report(|| snapshot(scan, counted_rows));
            }));
            tokio::select! {
                pumped = pump => pumped,
                _ = interrupt.wait() => Ok(()),
            }
        };
        let scanned = scan.progress();
        let rows = scanned.rows();
        // The scan's requests end before the files do.
        drop(scan);
        let parts = match pumped {
            Ok(()) if interrupt.signal().is_none() => writers.finish().await,
            Ok(()) => {
                writers.abandon().await;
                Ok(Vec::new())
            }
            Err(error) => {
                writers.abandon().await;
                return Err(of_scan(error));
            }
        };
        // Also if it came while the last rows went to the disk.
        if let Some(exit) = interrupt.signal() {
            drop(parts);
            let failure = Failure::new(exit, self.stopped(rows));
            return Err(failure.advise(format!("no file was left in {}", self.out.display())));
        }
        let parts = parts.map_err(|error| of_write(self.stopped(rows), error))?;
        let written: u64 = parts.iter().map(sink::FinishedPart::rows).sum();
        if written != rows || !scanned.is_done() {
            let (read, written) = (Count(rows), Count(written));
            let doing = format!("{self}: {read} rows were read, {written} written");
            return Err(Failure::new(Exit::Mismatch, doing));
        }
        let parts = output.commit_all(parts);
        let mut parts = parts.map_err(|error| of_sink(self.stopped(rows), error))?;
        parts.sort_by(|a, b| a.path.cmp(&b.path));
        let elapsed = progress.elapsed();
        progress.finish();
        Ok(Summary {
            rows,
            parts,
            out: self.out,
            progress: scanned,
            elapsed,
            counted_rows,
        })
    }

    fn stopped(&self, rows: u64) -> String {
        format!("{self} stopped after {} rows", Count(rows))
    }

    async fn open(&self, client: &Client, schema: &ScanSchema) -> Result<Scan, Failure> {
        // Named one by one: the service then refuses what the schema wouldn't expect.
        let names: Vec<String> = schema.attribute_names().map(str::to_owned).collect();
        let scan = parallel_scan(client.clone(), &self.table, &self.index)
            .query(self.query.clone())
            .concurrency(self.parallel)
            .columns(match names.as_slice() {
                [] => ScanColumns::PrimaryKey,
                _ => ScanColumns::Specified(names),
            });
        let scan = scan.open().await;
        scan.map_err(of_scan)
    }

    /// The columns of the files, from what the service says of the table and the index.
    async fn schema(&self, client: &Client) -> Result<ScanSchema, Failure> {
        let Self { table, index, .. } = self;
        let failed = |error| Failure::of_call(self.to_string(), error);
        let description = client
            .send(DescribeTable::new(table))
            .await
            .map_err(failed)?;
        let index = client
            .send(DescribeSearchIndex::new(table, index))
            .await
            .map_err(failed)?;
        let fields = index.schema.unwrap_or_default();
        ScanSchema::from_index(&description.primary_key, &fields, self.columns.as_deref())
            .map_err(|error| Failure::new(Exit::Usage, self.to_string()).because(error))
    }

    /// How many rows there are, for the progress bar. Not worth failing for.
    async fn count(&self, client: &Client) -> Option<u64> {
        let search = Search::new(&self.table, &self.index, self.query.clone())
            .limit(0)
            .total();
        let counted = client.send(search.columns(ScanColumns::PrimaryKey)).await;
        counted.ok().and_then(|reply| reply.total)
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, index, .. } = self;
        write!(f, "export of index {index:?} of table {table:?}")
    }
}

/// Hands every page to its writer, until there are no more or a writer has failed, which its end
/// tells.
async fn pump(
    scan: &mut Scan,
    writers: &mut Writers,
    mut moved: impl FnMut(&ScanProgress),
) -> Result<(), ScanError> {
    while let Some(page) = scan.try_next().await? {
        if writers.write(page).await.is_err() {
            break;
        }
        moved(&scan.progress());
    }
    Ok(())
}

fn snapshot(scan: &ScanProgress, expected_rows: Option<u64>) -> Snapshot {
    let parts = scan.splits.iter();
    let parts = parts.map(|split| Part {
        rows: split.rows,
        done: split.state == SplitState::Done,
    });
    Snapshot {
        rows: scan.rows(),
        bytes: scan.bytes(),
        expected_rows,
        parts: parts.collect(),
    }
}

const fn sink_format(format: Format) -> sink::Format {
    match format {
        Format::Parquet => sink::Format::Parquet,
        Format::Csv => sink::Format::Csv,
        Format::Jsonl => sink::Format::Jsonl,
    }
}

/// A failed scan: what the call says decides, and the scan's own sentence names index and table and
/// says where it stopped.
fn of_scan(error: ScanError) -> Failure {
    let doing = "export";
    let failure = match (error.kind(), error.as_call()) {
        (ScanErrorKind::SessionExpired { .. }, _) => {
            let failure = Failure::new(Exit::SessionExpired, doing);
            failure.advise("run the command again: it starts with a new session")
        }
        (ScanErrorKind::Columns(_) | ScanErrorKind::Request, _) => Failure::new(Exit::Usage, doing),
        (_, Some(call)) => Failure::like_call(doing, call),
        _ => Failure::new(Exit::Other, doing),
    };
    failure.because(error)
}

fn of_sink(doing: String, error: sink::Error) -> Failure {
    let advice = match error.kind() {
        sink::ErrorKind::DiskFull { .. } => Some("free some space or choose another --out"),
        // It says itself what to do.
        sink::ErrorKind::AlreadyThere { .. } => None,
        _ => Some("choose another --out"),
    };
    let failure = Failure::new(Exit::Output, doing).because(error);
    match advice {
        Some(advice) => failure.advise(advice),
        None => failure,
    }
}

fn of_write(doing: String, error: WriteError) -> Failure {
    match error {
        WriteError::Sink(error) => of_sink(doing, error),
        WriteError::Decode {
            split,
            page,
            source,
        } => {
            let doing = format!("{doing}: page {page} of split {split} is damaged");
            Failure::new(Exit::Mismatch, doing).because(source)
        }
        WriteError::Thread => Failure::new(Exit::Other, format!("{doing}: a writer panicked")),
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written: u64 = self.parts.iter().map(|part| part.size_bytes).sum();
        write!(
            f,
            "exported {} rows in {}: {} rows/s, {} read, {} written, {} requests, {} retries; \
             {} files in {}",
            Count(self.rows),
            Seconds(self.elapsed),
            per_second(self.rows, self.elapsed),
            Bytes(self.progress.bytes()),
            Bytes(written),
            Count(self.progress.requests),
            Count(self.progress.retries),
            self.parts.len(),
            self.out.display(),
        )?;
        if let Some(counted) = self.counted_rows.filter(|counted| *counted != self.rows) {
            let counted = Count(counted);
            write!(
                f,
                "\nnote: a count just before found {counted} rows; rows were written meanwhile"
            )?;
        }
        Ok(())
    }
}
