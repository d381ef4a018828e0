//! `ots export` without an index: every row of a table, or of a range of its keys, to files.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::{Duration, Instant, UNIX_EPOCH};

use futures::{StreamExt as _, TryStreamExt as _};
use ots_arrow::{ColumnType, ScanSchema};
use ots_core::request::{DescribeTable, GetRange, TableDescription};
use ots_core::{Client, PrimaryKey};
use ots_paging::RangeExt as _;
use ots_proto::messages::DefinedColumnType;
use ots_scan::{
    TableProgress, TableRoad, TableScan, TableScanBuilder, TableScanError, TableScanErrorKind,
    table_scan,
};
use serde_json::json;

use super::resume::Kept;
use super::{of_sink, print_plan, sink_format};
use crate::args::{Export, Format, ProgressStyle};
use crate::connect::{Connected, Connection};
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::figures::{Bytes, Count, Of, Seconds, per_second};
use crate::interrupt::Interrupt;
use crate::progress::{Progress, Snapshot};
use crate::sink::{self, CommittedPart, Staging};
use crate::table_export::{Asked, Content, RoundError, RoundWriters, Sampled, Wanted, bound};

/// Exports and says so.
pub(super) async fn run(
    connection: &Connection,
    arguments: Export,
    style: ProgressStyle,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let connected = connection.connect()?;
    let doing = format!("export of table {:?}", arguments.table);
    let stopped = || format!("{doing} stopped before the first row");
    let describe = async {
        let described = connected.first.send(DescribeTable::new(&arguments.table));
        let described = described.await;
        described.map_err(|error| Failure::of_call(&*doing, error))
    };
    let description = interrupt.or(describe, stopped).await?.into_inner();
    let job = Job::new(arguments, description, connected)?;
    if job.plan {
        let plan = interrupt.or(Box::pin(job.describe_plan()), stopped).await?;
        return print_plan(&plan);
    }
    let summary = job.run(style, &mut interrupt).await?;
    say(&summary);
    Ok(())
}

/// What to export, and where to.
struct Job {
    connected: Connected,
    description: TableDescription,
    start: Option<PrimaryKey>,
    end: Option<PrimaryKey>,
    wanted: Wanted,
    format: Format,
    parallel: u32,
    out: PathBuf,
    plan: bool,
    resume: bool,
    checkpoint_rows: u64,
    asked: Asked,
}

/// A finished export.
struct Summary {
    out: PathBuf,
    rows: u64,
    earlier_rows: u64,
    parts: Vec<CommittedPart>,
    /// None when all was read before.
    progress: Option<TableProgress>,
    elapsed: Duration,
}

/// Why no more pages are read.
enum Stop {
    End,
    Interrupted,
    Scan(TableScanError),
    Write(RoundError),
    Sink(sink::Error),
}

impl Job {
    fn new(
        arguments: Export,
        description: TableDescription,
        connected: Connected,
    ) -> Result<Self, Failure> {
        let table = &arguments.table;
        let usage = || Failure::new(Exit::Usage, format!("export of table {table:?}"));
        let given = |text: &Option<String>| {
            let key = text
                .as_ref()
                .map(|text| bound(text, &description.primary_key));
            key.transpose().map_err(|error| usage().because(error))
        };
        let (start, end) = (given(&arguments.start_pk)?, given(&arguments.end_pk)?);
        let keys = description.primary_key.iter().map(|key| key.name.as_str());
        let wanted = Wanted::new(arguments.columns.as_deref(), keys);
        let wanted = wanted.map_err(|error| usage().because(error))?;
        if let (Format::Jsonl, Some(column)) = (arguments.format, wanted.typed_one()) {
            let problem = format!("lines of JSON need no types, and {column:?} has one");
            return Err(usage().because(problem).advise("leave the type out"));
        }
        let created = description.created;
        let created = created.and_then(|created| created.duration_since(UNIX_EPOCH).ok());
        let asked = Asked::new([
            ("instance", json!(connected.instance)),
            ("table", json!(table)),
            // A table of the same name, deleted and created anew, is another one.
            ("created", json!(created.map(|created| created.as_secs()))),
            ("columns", json!(arguments.columns)),
            ("start-pk", json!(arguments.start_pk)),
            ("end-pk", json!(arguments.end_pk)),
            ("format", json!(sink_format(arguments.format).extension())),
        ]);
        Ok(Self {
            connected,
            description,
            start,
            end,
            wanted,
            format: arguments.format,
            parallel: arguments.parallel.get(),
            out: arguments.out.unwrap_or_default(),
            plan: arguments.plan,
            resume: arguments.resume,
            checkpoint_rows: arguments
                .checkpoint_rows
                .map_or(CHECKPOINT_ROWS, NonZeroU64::get),
            asked,
        })
    }

    async fn run(
        self,
        style: ProgressStyle,
        interrupt: &mut Interrupt,
    ) -> Result<Summary, Failure> {
        let begun = Instant::now();
        let before_rows = || format!("{self} stopped before the first row");
        let opened = interrupt.or(Box::pin(self.open()), before_rows);
        let (mut kept, mut scan) = opened.await?;
        let earlier_rows = kept.journal().rows();
        let mut progress = Progress::start(style, "export");
        let mut read = None;
        if let Some(scan) = &mut scan {
            let content = self.content(kept.journal().columns.as_deref())?;
            let threads = available_parallelism().map_or(2, usize::from);
            let parts = kept.staging().parts();
            let mut writers = RoundWriters::start(&parts, &content, kept.journal().round, threads);
            let pump = Box::pin(self.pump(scan, &mut writers, &mut kept, interrupt, |now| {
                progress.report(|| snapshot(now, earlier_rows));
            }));
            let mut stop = pump.await;
            // What was read until then is worth as much as the rounds before.
            if matches!(stop, Stop::End | Stop::Interrupted | Stop::Scan(_))
                && let Err(failed) = last_round(scan, &mut writers, &mut kept).await
            {
                stop = failed;
            }
            for round in writers.end().await {
                // The first failure is the one to tell.
                if kept.add(round).is_err() {
                    break;
                }
            }
            let now = scan.progress();
            let rows = earlier_rows + now.rows();
            let or = match stop {
                Stop::Write(RoundError::Decode { .. }) => "or put the row right and ",
                _ => "",
            };
            if let Some(failure) = self.failure(stop, rows, interrupt) {
                return Err(failure.also_advise(kept.advice(&self.out, or)));
            }
            let written = kept.journal().rows();
            if written != rows || !now.is_done() {
                let doing = format!("{self}: {} read, {written} written", Of(rows, "row"));
                return Err(Failure::new(Exit::Mismatch, doing));
            }
            read = Some(now);
        }
        drop(scan);
        self.name_the_columns(&mut kept)
            .map_err(|error| of_sink(self.to_string(), error))?;
        let (rows, advice) = (kept.journal().rows(), kept.advice(&self.out, ""));
        let committed = kept.commit();
        let parts =
            committed.map_err(|error| of_sink(self.stopped(rows), error).also_advise(advice))?;
        progress.finish();
        Ok(Summary {
            out: self.out,
            rows,
            earlier_rows,
            parts,
            progress: read,
            elapsed: begun.elapsed(),
        })
    }

    /// The folder of the export and its scan; no scan when all was read before.
    async fn open(&self) -> Result<(Kept, Option<TableScan>), Failure> {
        let format = sink_format(self.format);
        if self.resume {
            let kept = Kept::reopen(&self.to_string(), &self.out, format, &self.asked)?;
            let journal = kept.journal();
            let note = Of(journal.rows(), "row");
            say(format_args!("note: {self} goes on after {note}"));
            if journal.checkpoint.is_done() {
                return Ok((kept, None));
            }
            let scan = self.scan(journal.columns.as_deref());
            let scan = scan.resume(&journal.checkpoint);
            let scan = scan.map_err(|error| of_scan(self.to_string(), error))?;
            return Ok((kept, Some(scan)));
        }
        let of_sink = |error| of_sink(self.to_string(), error);
        let staging = Staging::begin(&self.out, format).map_err(of_sink)?;
        let columns = self.columns().await?;
        let (_, scan) = self.in_parts(self.scan(columns.as_deref())).await?;
        let scan = scan.open().await;
        let scan = scan.map_err(|error| of_scan(self.to_string(), error))?;
        let kept = Kept::begin(staging, self.asked.clone(), columns, scan.checkpoint());
        Ok((kept.map_err(of_sink)?, Some(scan)))
    }

    /// The scan of the whole range, with the columns pushed down.
    fn scan(&self, columns: Option<&[(String, ColumnType)]>) -> TableScanBuilder<Client> {
        let mut scan = self.whole();
        let names: Vec<&str> = match (&self.wanted, columns) {
            (Wanted::All, _) => return scan,
            (Wanted::These(wanted), None) => wanted.iter().map(|(name, _)| name.as_str()).collect(),
            (_, Some(columns)) => columns.iter().map(|(name, _)| name.as_str()).collect(),
        };
        // A row without any of the columns isn't there for the service. With a key column among them
        // every row is.
        let key = self
            .description
            .primary_key
            .first()
            .map(|key| key.name.as_str());
        scan = scan.columns(names.into_iter().chain(key));
        scan
    }

    fn whole(&self) -> TableScanBuilder<Client> {
        let (client, table) = (self.connected.client.clone(), &self.description.name);
        let mut scan = table_scan(client, table).concurrency(self.parallel);
        if let Some(start) = &self.start {
            scan = scan.start(start.clone());
        }
        if let Some(end) = &self.end {
            scan = scan.end(end.clone());
        }
        scan
    }

    /// The scan in ranges small enough that as many as wanted are read at once, and its plan.
    async fn in_parts(
        &self,
        scan: TableScanBuilder<Client>,
    ) -> Result<(ots_scan::TableScanPlan, TableScanBuilder<Client>), Failure> {
        let failed = |error| of_scan(self.to_string(), error);
        let plan = scan.plan().await.map_err(failed)?;
        let enough = self.parallel.saturating_mul(2);
        if plan.ranges >= enough {
            return Ok((plan, scan));
        }
        let part_bytes = plan.stored_bytes.end() / u64::from(enough);
        let part_bytes = NonZeroU64::new(part_bytes.max(LEAST_PART_BYTES));
        let scan = scan.part_bytes(part_bytes.unwrap_or(NonZeroU64::MIN));
        let plan = scan.plan().await.map_err(failed)?;
        Ok((plan, scan))
    }

    /// The columns of the files: none for lines, which hold whatever a row has.
    async fn columns(&self) -> Result<Option<Vec<(String, ColumnType)>>, Failure> {
        if self.format == Format::Jsonl {
            return Ok(None);
        }
        let defined = self.description.defined_columns.iter();
        let defined: Vec<(String, ColumnType)> = defined
            .filter_map(|column| {
                let defined = DefinedColumnType::try_from(column.r#type).ok()?;
                Some((column.name.clone(), defined.into()))
            })
            .collect();
        let sampled = if self.wanted.needs_sample(&defined) {
            self.sample().await?
        } else {
            Sampled::default()
        };
        let typed = self.wanted.typed(&defined, &sampled);
        let typed =
            typed.map_err(|error| Failure::new(Exit::Usage, self.to_string()).because(error))?;
        Ok(Some(typed))
    }

    /// Looks at rows here and there: a few of each of a few ranges, the first and the last among them.
    async fn sample(&self) -> Result<Sampled, Failure> {
        let (_, scan) = self.in_parts(self.whole()).await?;
        let scan = scan.open().await;
        let scan = scan.map_err(|error| of_scan(self.to_string(), error))?;
        let checkpoint = scan.checkpoint();
        let ranges = checkpoint.positions();
        let count = ranges.len().min(SAMPLED_RANGES);
        let last = ranges.len().saturating_sub(1);
        let chosen = (0..count).filter_map(|place| ranges.get(place * last / (count - 1).max(1)));
        let rows = SAMPLED_ROWS / u32::try_from(count.max(1)).unwrap_or(SAMPLED_ROWS);
        let pages = chosen.filter_map(|range| {
            let start = range.next.key()?.clone();
            let request = GetRange::new(&self.description.name, start, range.end.clone());
            let client = &self.connected.client;
            Some(async move { request.limit(rows).pages(client).next().await.transpose() })
        });
        let mut pages = futures::stream::iter(pages).buffered(self.parallel as usize);
        let mut sampled = Sampled::default();
        let failed = |error| super::super::range::of_paging(&self.to_string(), 0, error);
        while let Some(page) = pages.try_next().await.map_err(failed)? {
            let Some(page) = page else { continue };
            let mut rows = page.reader().map_err(failed)?;
            while let Some(row) = rows
                .next_row()
                .map_err(|error| Failure::new(Exit::Mismatch, self.to_string()).because(error))?
            {
                sampled.see(row);
            }
        }
        Ok(sampled)
    }

    fn content(&self, columns: Option<&[(String, ColumnType)]>) -> Result<Content, Failure> {
        let Some(columns) = columns else {
            return Ok(Content::Lines);
        };
        let schema = ScanSchema::from_table(&self.description.primary_key, columns.iter().cloned())
            .map_err(|error| Failure::new(Exit::Usage, self.to_string()).because(error))?;
        Ok(Content::Columns {
            schema,
            only_these: self.wanted == Wanted::All,
        })
    }

    /// Hands every page to its writer, and keeps every round that is complete.
    async fn pump(
        &self,
        scan: &mut TableScan,
        writers: &mut RoundWriters,
        kept: &mut Kept,
        interrupt: &mut Interrupt,
        mut moved: impl FnMut(&TableProgress),
    ) -> Stop {
        let (mut rows, mut bytes) = (0, 0);
        loop {
            let page = tokio::select! {
                // A scan that is fast, and always has a page, mustn't be deaf.
                biased;
                _ = interrupt.wait() => return Stop::Interrupted,
                closed = writers.next_closed() => {
                    let added = match closed {
                        Ok(round) => kept.add(round).map_err(Stop::Sink),
                        Err(error) => Err(Stop::Write(error)),
                    };
                    match added {
                        Ok(()) => continue,
                        Err(stop) => return stop,
                    }
                }
                page = scan.try_next() => page,
            };
            let page = match page {
                Ok(Some(page)) => page,
                Ok(None) => return Stop::End,
                Err(error) => return Stop::Scan(error),
            };
            rows += page.row_count();
            bytes += page.buffer().len();
            let mut goes_on = writers.write(page).await;
            if goes_on && (rows >= self.checkpoint_rows || bytes >= CHECKPOINT_BYTES) {
                (rows, bytes) = (0, 0);
                goes_on = writers.close(scan.checkpoint()).await;
            }
            if !goes_on {
                return failed(writers, kept).await;
            }
            moved(&scan.progress());
        }
    }

    /// A table without rows still has columns: a file says so.
    fn name_the_columns(&self, kept: &mut Kept) -> Result<(), sink::Error> {
        let journal = kept.journal();
        if !journal.parts.is_empty() {
            return Ok(());
        }
        let content = self.content(journal.columns.as_deref());
        let schema = match content {
            Ok(Content::Columns { schema, .. }) => Some(schema.arrow_schema()),
            _ => None,
        };
        let part = kept.staging().parts().open(0, 0, schema.as_ref())?;
        let round = crate::table_export::Round {
            checkpoint: journal.checkpoint.clone(),
            parts: vec![part.finish()?],
        };
        kept.add(round)
    }

    /// How it failed, unless it didn't.
    fn failure(&self, stop: Stop, rows: u64, interrupt: &Interrupt) -> Option<Failure> {
        let doing = || self.stopped(rows);
        let failure = match stop {
            // Also if it came while the last rows went to the disk.
            Stop::End | Stop::Interrupted => Failure::new(interrupt.signal()?, doing()),
            Stop::Scan(error) => of_scan(doing(), error),
            Stop::Sink(error) | Stop::Write(RoundError::Sink(error)) => of_sink(doing(), error),
            Stop::Write(RoundError::Decode {
                range,
                page,
                source,
            }) => {
                let advice = match source.kind() {
                    ots_arrow::ErrorKind::TypeMismatch { .. } => Some(
                        "choose other columns or types with --columns, or take --format jsonl, \
                         which needs no types",
                    ),
                    ots_arrow::ErrorKind::OtherColumn { .. } => Some(
                        "name the columns with --columns, or take --format jsonl, which needs no \
                         names",
                    ),
                    _ => None,
                };
                let doing = format!("{}: page {page} of range {range} doesn't fit", doing());
                let failure = Failure::new(Exit::Mismatch, doing).because(source);
                match advice {
                    Some(advice) => failure.advise(advice),
                    None => failure,
                }
            }
            Stop::Write(RoundError::Page(error)) => of_scan(doing(), error),
            Stop::Write(_) => Failure::new(Exit::Other, format!("{}: a writer panicked", doing())),
        };
        Some(failure)
    }

    async fn describe_plan(&self) -> Result<String, Failure> {
        let (plan, _) = self.in_parts(self.whole()).await?;
        let at_once = match plan.road {
            TableRoad::SideBySide { ranges } => format!(", {ranges} at a time"),
            _ => String::new(),
        };
        let (stored, units) = (&plan.stored_bytes, &plan.read_units);
        Ok(format!(
            "{self}: by GetRange, {}{at_once}: {} to {} stored, at least {}, about {} to {}",
            Of(plan.ranges.into(), "range"),
            Bytes(*stored.start()),
            Bytes(*stored.end()),
            Of(plan.least_requests, "request"),
            Count(*units.start()),
            Of(*units.end(), "read capacity unit"),
        ))
    }

    fn stopped(&self, rows: u64) -> String {
        format!("{self} stopped after {}", Of(rows, "row"))
    }
}

/// Finishes the files, and keeps them, up to where the scan stands.
async fn last_round(
    scan: &mut TableScan,
    writers: &mut RoundWriters,
    kept: &mut Kept,
) -> Result<(), Stop> {
    if !writers.close(scan.checkpoint()).await {
        return Err(failed(writers, kept).await);
    }
    while writers.is_closing() {
        let round = writers.next_closed().await.map_err(Stop::Write)?;
        kept.add(round).map_err(Stop::Sink)?;
    }
    Ok(())
}

/// Why a writer has gone. Rounds that are complete all the same are kept.
async fn failed(writers: &mut RoundWriters, kept: &mut Kept) -> Stop {
    loop {
        match writers.next_closed().await {
            Ok(round) => {
                if let Err(error) = kept.add(round) {
                    return Stop::Sink(error);
                }
            }
            Err(error) => return Stop::Write(error),
        }
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "export of table {:?}", self.description.name)
    }
}

fn snapshot(scan: &TableProgress, earlier_rows: u64) -> Snapshot {
    Snapshot {
        rows: earlier_rows + scan.rows(),
        bytes: scan.bytes(),
        expected_rows: None,
        parts: Vec::new(),
        ranges: Some((scan.ranges_done(), scan.ranges.len())),
    }
}

/// A failed scan: what the call says decides. The scan's own sentence names the table and says where
/// it stopped.
fn of_scan(doing: String, error: TableScanError) -> Failure {
    let failure = match (error.kind(), error.as_call()) {
        (TableScanErrorKind::Request | TableScanErrorKind::Bounds, None) => {
            Failure::new(Exit::Usage, doing)
        }
        (TableScanErrorKind::CheckpointOfOtherScan, _) => {
            let failure = Failure::new(Exit::Usage, doing);
            failure.advise("give the options that it was begun with")
        }
        (_, Some(call)) => Failure::like_call(doing, call),
        (
            TableScanErrorKind::Range { .. }
            | TableScanErrorKind::Decode { .. }
            | TableScanErrorKind::Checkpoint(_),
            None,
        ) => Failure::new(Exit::Mismatch, doing),
        _ => Failure::new(Exit::Other, doing),
    };
    failure.because(error)
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written: u64 = self.parts.iter().map(|part| part.size_bytes).sum();
        let now = self.rows - self.earlier_rows;
        write!(f, "exported {}", Of(self.rows, "row"))?;
        if self.earlier_rows > 0 {
            write!(f, ", {} of them now,", Of(now, "row"))?;
        }
        write!(
            f,
            " in {}: {} rows/s",
            Seconds(self.elapsed),
            per_second(now, self.elapsed)
        )?;
        if let Some(progress) = &self.progress {
            write!(
                f,
                ", {} read, {} written, {}, {}, {}",
                Bytes(progress.bytes()),
                Bytes(written),
                Of(progress.requests, "request"),
                Of(progress.retries + progress.refetched, "retry"),
                Of(progress.consumed.read, "read capacity unit"),
            )?;
        }
        let (files, out) = (Of(self.parts.len() as u64, "file"), self.out.display());
        write!(f, "; {files} in {out}")
    }
}

/// Ranges to look at, and rows in all of them.
const SAMPLED_RANGES: usize = 16;
const SAMPLED_ROWS: u32 = 4_000;

/// The service makes no smaller ranges.
const LEAST_PART_BYTES: u64 = 1 << 20;

/// What is read between two closings of the files, at most.
const CHECKPOINT_ROWS: u64 = 1_000_000;
const CHECKPOINT_BYTES: usize = 256_000_000;
