//! `ots export` without an index: every row of a table, or of a range of its keys, to files.

mod columns;
mod failure;
mod pump;
mod ranges;
mod summary;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Instant;

use ots_arrow::{ColumnType, ScanSchema};
use ots_core::PrimaryKey;
use ots_core::request::{DescribeTable, TableDescription};
use ots_scan::{TableCheckpoint, TableScan};
use serde_json::json;

use self::columns::Looked;
use self::failure::of_scan;
use self::pump::{Stop, last_round, snapshot};
use self::summary::Summary;
use super::earlier::finish_earlier;
use super::resume::Kept;
use super::{of_sink, of_sink_there, print_plan, sink_format};
use crate::args::{Export, Format, ProgressStyle, ReadBy};
use crate::asked::Asked;
use crate::connect::{Connected, Connection};
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::figures::{Count, Of};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::sink::{self, Staging};
use crate::table_export::{Content, Round, RoundWriters, Wanted, bound};

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
    let earlier = Box::pin(finish_earlier(&job, &job.out, &job.asked));
    if let Some(earlier) = interrupt.or(earlier, stopped).await? {
        say(earlier);
        return Ok(());
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
    read_by: ReadBy,
    out: PathBuf,
    plan: bool,
    resume: bool,
    checkpoint_rows: u64,
    asked: Asked,
}

/// An export that is ready to read.
struct Opened {
    kept: Kept,
    /// None when all was read before.
    scan: Option<TableScan>,
    looked: Looked,
}

impl Opened {
    fn of(kept: Kept, scan: Option<TableScan>) -> Self {
        Self {
            kept,
            scan,
            looked: Looked::default(),
        }
    }
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
        let asked = Asked::new([
            ("instance", json!(connected.instance)),
            ("table", json!(table)),
            Asked::created(description.created),
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
            read_by: arguments.read_by,
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
        let Opened {
            mut kept,
            scan,
            looked,
        } = opened.await?;
        let earlier_rows = kept.journal().rows();
        let mut progress = Progress::start(style, "export");
        let mut read = None;
        if let Some(mut scan) = scan {
            let content = self.content(kept.journal().columns.as_deref())?;
            let threads = available_parallelism().map_or(2, usize::from);
            let parts = kept.staging().parts();
            let mut writers = RoundWriters::start(&parts, &content, kept.journal().round, threads);
            let pump = Box::pin(
                self.pump(&mut scan, &mut writers, &mut kept, interrupt, |scan| {
                    progress.report(|| snapshot(&scan.progress(), earlier_rows));
                }),
            );
            let mut stop = pump.await;
            let (now, behind) = (scan.progress(), scan.checkpoint());
            // Its requests end before the files do.
            drop(scan);
            // What was read until then is worth as much as the rounds before.
            if matches!(stop, Stop::End | Stop::Interrupted | Stop::Scan(_))
                && let Err(failed) = last_round(behind, &mut writers, &mut kept).await
            {
                stop = failed;
            }
            // The first failure is the one to tell.
            kept.catch_up(writers.end().await).ok();
            let rows = earlier_rows + now.rows();
            if let Some(failure) = self.failure(stop, rows, &kept, interrupt) {
                return Err(failure);
            }
            if !now.is_done() {
                let doing = format!("{}: ranges are left", self.stopped(rows, kept.rows()));
                let failure = Failure::new(Exit::Mismatch, doing);
                return Err(failure.also_advise(kept.advice(&self.out, "")));
            }
            read = Some(now);
        }
        self.name_the_columns(&mut kept)
            .map_err(|error| of_sink(self.to_string(), error))?;
        let (rows, advice) = (kept.journal().rows(), kept.advice(&self.out, ""));
        let committed = kept.commit();
        let parts = committed
            .map_err(|error| of_sink_there(self.stopped(rows, rows), error).also_advise(advice))?;
        progress.finish();
        Ok(Summary {
            out: self.out,
            rows,
            earlier_rows,
            parts,
            looked,
            progress: read,
            elapsed: begun.elapsed(),
        })
    }

    /// The folder of the export and its scan; no scan when all was read before.
    async fn open(&self) -> Result<Opened, Failure> {
        let format = sink_format(self.format);
        if self.resume {
            let kept = Kept::reopen(&self.to_string(), &self.out, format, &self.asked).await?;
            let journal = kept.journal();
            let note = Of(journal.rows(), "row");
            say(format_args!("note: {self} goes on after {note}"));
            if journal.checkpoint.is_done() {
                return Ok(Opened::of(kept, None));
            }
            let scan = self.scan_from(&journal.checkpoint)?;
            return Ok(Opened::of(kept, Some(scan)));
        }
        let of_sink = |error| of_sink(self.to_string(), error);
        let staging = Staging::begin(&self.out, format).map_err(of_sink)?;
        let (plan, mut looked) = self.in_parts().await?;
        let begin = plan.checkpoint();
        let columns = self.columns(begin.positions(), &mut looked).await?;
        let scan = self.scan_from(&begin)?;
        let kept = Kept::begin(staging, self.asked.clone(), columns, begin);
        let opened = Opened::of(kept.map_err(of_sink)?, Some(scan));
        Ok(Opened { looked, ..opened })
    }

    fn scan_from(&self, place: &TableCheckpoint) -> Result<TableScan, Failure> {
        let scan = self.scan().resume(place);
        scan.map_err(|error| of_scan(self.to_string(), error))
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
        let round = Round {
            checkpoint: journal.checkpoint.clone(),
            parts: vec![part.finish()?],
        };
        kept.add(round)
    }

    /// Rows that were read, and those of them that are in finished files.
    fn stopped(&self, rows: u64, kept: u64) -> String {
        let stopped = format!("{self} stopped after {}", Of(rows, "row"));
        if kept == 0 || kept == rows {
            return stopped;
        }
        format!("{stopped}, {} of them kept", Count(kept))
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "export of table {:?}", self.description.name)
    }
}

/// What is read between two closings of the files, at most: in rows, unless said otherwise.
const CHECKPOINT_ROWS: u64 = 1_000_000;
