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
use ots_scan::{ScanError, ScanErrorKind, ScanProgress, SplitState, parallel_scan};

use crate::args::{Export, Format, ProgressStyle};
use crate::connect::Connection;
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
    let client = connection.client()?;
    let summary = job.run(&client, style, &mut interrupt).await?;
    eprintln!("{summary}");
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
    Query::from_json(&json).map_err(|error| {
        wrong()
            .because(error)
            .advise("see `match_all`, `term`, `range`, `bool` in the documentation")
    })
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
        client: &Client,
        style: ProgressStyle,
        interrupt: &mut Interrupt,
    ) -> Result<Summary, Failure> {
        let doing = || format!("export of index {:?} of table {:?}", self.index, self.table);
        let schema = interrupt
            .or(self.schema(client), || {
                format!("{} was interrupted", doing())
            })
            .await?;
        let output = OutputDir::create(&self.out, sink_format(self.format)).map_err(|error| {
            Failure::new(Exit::Output, doing())
                .because(error)
                .advise("choose another --out")
        })?;
        let counted_rows = self.count(client).await;

        let mut scan = parallel_scan(client.clone(), &self.table, &self.index)
            .query(self.query.clone())
            .concurrency(self.parallel);
        if let Some(columns) = &self.columns {
            scan = scan.columns(match columns.as_slice() {
                [] => ScanColumns::PrimaryKey,
                names => ScanColumns::Specified(names.to_vec()),
            });
        } else {
            // Named one by one: the service then refuses what the schema wouldn't expect.
            let names: Vec<String> = schema.attribute_names().map(str::to_owned).collect();
            scan = scan.columns(match names.as_slice() {
                [] => ScanColumns::PrimaryKey,
                _ => ScanColumns::Specified(names),
            });
        }
        let mut scan = scan.open().await.map_err(|error| of_scan(doing(), error))?;

        let threads = available_parallelism().map_or(2, usize::from);
        let mut writers = Writers::start(&output, &schema, scan.max_parallel(), threads)
            .map_err(|error| of_write(doing(), error))?;
        let mut progress = Progress::start(style, "export");
        let stopped = |rows| format!("{} stopped after {} rows", doing(), Count(rows));
        loop {
            let page = tokio::select! {
                page = scan.try_next() => page,
                exit = interrupt.wait() => {
                    let rows = scan.progress().rows();
                    let failure = Failure::new(exit, stopped(rows));
                    return Err(failure.advise(format!("nothing was left in {}", self.out.display())));
                }
            };
            match page {
                Ok(Some(page)) => {
                    if writers.write(page).await.is_err() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => return Err(of_scan(doing(), error)),
            }
            progress.report(|| snapshot(&scan.progress(), counted_rows));
        }
        let scanned = scan.progress();
        let parts = writers.finish().await;
        let parts = parts.map_err(|error| of_write(stopped(scanned.rows()), error))?;
        let rows: u64 = parts.iter().map(sink::FinishedPart::rows).sum();
        if rows != scanned.rows() || !scanned.is_done() {
            let (read, written) = (Count(scanned.rows()), Count(rows));
            let doing = format!("{}: {read} rows were read, {written} written", doing());
            return Err(Failure::new(Exit::Mismatch, doing));
        }
        let parts = output
            .commit_all(parts)
            .map_err(|error| Failure::new(Exit::Output, stopped(rows)).because(error))?;
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

    /// The columns of the files, from what the service says of the table and the index.
    async fn schema(&self, client: &Client) -> Result<ScanSchema, Failure> {
        let Self { table, index, .. } = self;
        let doing = || format!("export of index {index:?} of table {table:?}");
        let failed = |error| Failure::of_call(doing(), error);
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
            .map_err(|error| Failure::new(Exit::Usage, doing()).because(error))
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

/// A failed scan: what the call says decides, and the scan's own sentence says where it stopped.
fn of_scan(doing: String, error: ScanError) -> Failure {
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

fn of_write(doing: String, error: WriteError) -> Failure {
    match error {
        WriteError::Sink(error) => Failure::new(Exit::Output, doing)
            .because(error)
            .advise("free some space or choose another --out, and run it again"),
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
