//! `ots export --index`: everything a query finds in an index, by parallel scan, to files.
//!
//! Pages arrive in tasks; decoding them and writing files is work for threads of its own, each with
//! some of the splits. Everything between has a bound: what the scan buffers, what waits for a
//! writer, what a writer collects. So memory depends on the number of splits, not of rows.

mod described;
mod query;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use futures::TryStreamExt as _;
use ots_arrow::ScanSchema;
use ots_core::request::{ScanColumns, Search};
use ots_core::{Client, Query};
use ots_scan::{
    OnSessionLoss, ScanBuilder, ScanError, ScanErrorKind, ScanEvent, ScanEvents, ScanProgress,
    SplitState, parallel_scan,
};
use tokio::task::JoinSet;

use self::described::Described;
pub(in crate::commands) use self::query::{check_query, field_names, read_query};
use self::summary::Summary;
use super::{of_sink, print_plan, sink_format};
use crate::args::{Export, Format, ProgressStyle, RESTARTS};
use crate::connect::{Connected, Connection};
use crate::console::say;
use crate::export_writers::{WriteError, Writers};
use crate::failure::{Exit, Failure};
use crate::figures::Of;
use crate::interrupt::Interrupt;
use crate::progress::{Part, Progress, Snapshot};
use crate::sink::{self, Staging};

/// Exports and says so.
pub(super) async fn run(
    connection: &Connection,
    arguments: Export,
    index: String,
    style: ProgressStyle,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let query = match &arguments.query_json {
        Some(path) => read_query(path)?,
        None => Query::MatchAll,
    };
    let plan_only = arguments.plan;
    let job = Job {
        table: arguments.table,
        index,
        columns: arguments.columns,
        query,
        query_file: arguments.query_json,
        format: arguments.format,
        parallel: arguments.parallel.get(),
        restarts: arguments.restarts.unwrap_or(RESTARTS),
        out: arguments.out.unwrap_or_default(),
        may_replace: |_| false,
    };
    let connected = connection.connect()?;
    if plan_only {
        let stopped = || format!("plan of the {job} stopped");
        let plan = interrupt
            .or(Box::pin(job.plan(&connected)), stopped)
            .await?;
        return print_plan(&plan);
    }
    let described = job.described(&connected, &mut interrupt).await?;
    if let Some(earlier) = job.earlier(&described, &mut interrupt).await? {
        say(earlier);
        return Ok(());
    }
    let summary = job.export(described, &connected, style, &mut interrupt);
    say(summary.await?);
    Ok(())
}

/// What to export, and where to.
#[derive(Debug)]
pub(in crate::commands) struct Job {
    pub(in crate::commands) table: String,
    pub(in crate::commands) index: String,
    pub(in crate::commands) columns: Option<Vec<String>>,
    pub(in crate::commands) query: Query,
    /// Where the query comes from.
    pub(in crate::commands) query_file: Option<PathBuf>,
    pub(in crate::commands) format: Format,
    pub(in crate::commands) parallel: u32,
    /// How often to begin anew when the session is lost.
    pub(in crate::commands) restarts: u32,
    pub(in crate::commands) out: PathBuf,
    /// Which parts of an earlier export make room for those of this one.
    pub(in crate::commands) may_replace: fn(&Path) -> bool,
}

impl Job {
    /// Exports, also where that was done before.
    pub(in crate::commands) async fn run(
        self,
        connected: &Connected,
        style: ProgressStyle,
        interrupt: &mut Interrupt,
    ) -> Result<Summary, Failure> {
        let described = self.described(connected, interrupt).await?;
        self.earlier(&described, interrupt).await?;
        self.export(described, connected, style, interrupt).await
    }

    fn before_rows(&self) -> String {
        format!("{self} stopped before the first row")
    }

    async fn export(
        self,
        described: Described,
        connected: &Connected,
        style: ProgressStyle,
        interrupt: &mut Interrupt,
    ) -> Result<Summary, Failure> {
        let Described {
            start,
            schema,
            asked,
        } = described;
        let client = &connected.client;
        let interrupted = || self.before_rows();
        let staging = Staging::replacing(&self.out, sink_format(self.format), self.may_replace)
            .map_err(|error| of_sink(self.to_string(), error))?;
        let files = staging.parts();
        let open = Box::pin(self.open(client, &schema));
        let mut scan = interrupt.or(open, interrupted).await?;
        let counted = self.count(client);
        let counted_rows = || counted.rows.get().copied();

        let start_writers = |splits: u32| {
            let threads = available_parallelism().map_or(2, usize::from);
            Writers::start(&files, &schema, splits, threads)
        };
        let mut writers = start_writers(scan.max_parallel())
            .map_err(|error| of_write(self.to_string(), error))?;
        let mut progress = Progress::start(style, "export");
        let pumped = {
            let pump = Box::pin(self.pump(&mut scan, &mut writers, start_writers, |scan| {
                progress.report(|| snapshot(scan, counted_rows()));
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
                return Err(match error {
                    Broken::Scan(error) => of_scan(error),
                    Broken::Write(error) => of_write(self.stopped(rows), error),
                });
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
            let doing = format!("{self}: {} read, {written} written", Of(rows, "row"));
            return Err(Failure::new(Exit::Mismatch, doing));
        }
        let parts = staging.keep(parts);
        let parts = staging.commit(parts, asked.into_json());
        let mut parts = parts.map_err(|error| of_sink(self.stopped(rows), error))?;
        parts.sort_by(|a, b| a.path.cmp(&b.path));
        progress.finish();
        Ok(Summary {
            rows,
            parts,
            out: self.out,
            progress: scanned,
            elapsed: start.elapsed(),
            counted_rows: counted_rows(),
        })
    }

    /// What would be done, from what the service says without reading a row.
    async fn plan(&self, connected: &Connected) -> Result<String, Failure> {
        let client = &connected.client;
        let (schema, _) = self.describe(connected).await?;
        let scan = self.scan(client, &schema);
        let rows = scan.count().await.map_err(of_scan)?;
        let opened = scan.events().await.map_err(of_scan)?;
        let splits = u64::from(opened.max_parallel());
        // Every split ends with a page of its own, which is empty.
        let requests = rows.div_ceil(PAGE_ROWS).max(splits) + splits;
        let columns = schema.key_names().len() + schema.attribute_names().len();
        Ok(format!(
            "{self}: by ParallelScan, {} side by side: {} with {}, at least {}; the service doesn't say \
             what a parallel scan costs",
            Of(splits, "split"),
            Of(rows, "row"),
            Of(columns as u64, "column"),
            Of(requests, "request"),
        ))
    }

    fn stopped(&self, rows: u64) -> String {
        format!("{self} stopped after {}", Of(rows, "row"))
    }

    async fn open(&self, client: &Client, schema: &ScanSchema) -> Result<ScanEvents, Failure> {
        self.scan(client, schema).events().await.map_err(of_scan)
    }

    fn scan(&self, client: &Client, schema: &ScanSchema) -> ScanBuilder<Client> {
        // Named one by one: the service then refuses what the schema wouldn't expect.
        let names: Vec<String> = schema.attribute_names().map(str::to_owned).collect();
        parallel_scan(client.clone(), &self.table, &self.index)
            .query(self.query.clone())
            .concurrency(self.parallel)
            // A page that came damaged can only be asked for again before it is handed over.
            .verify_pages(true)
            .on_session_loss(OnSessionLoss::Restart { max: self.restarts })
            .columns(match names.as_slice() {
                [] => ScanColumns::PrimaryKey,
                _ => ScanColumns::Specified(names),
            })
    }

    /// Hands every page to its writer, until there are no more or a writer has failed, which its end
    /// tells. When the scan begins anew, so do the files: those of the lost session go.
    async fn pump(
        &self,
        scan: &mut ScanEvents,
        writers: &mut Writers,
        start_writers: impl Fn(u32) -> Result<Writers, WriteError>,
        mut moved: impl FnMut(&ScanProgress),
    ) -> Result<(), Broken> {
        while let Some(event) = scan.try_next().await.map_err(Broken::Scan)? {
            let page = match event {
                ScanEvent::Page(page) => page,
                ScanEvent::Restarted(lost) => {
                    say(format_args!(
                        "note: {}: the session was lost on {}, so the export begins anew \
                         ({} of {} times): {}",
                        self.stopped(lost.progress.rows()),
                        lost.split,
                        lost.generation,
                        self.restarts,
                        lost.cause,
                    ));
                    writers.abandon().await;
                    *writers = start_writers(scan.max_parallel()).map_err(Broken::Write)?;
                    continue;
                }
                // Whatever else a scan says one day changes nothing of its pages.
                _ => continue,
            };
            if writers.write(page).await.is_err() {
                break;
            }
            moved(&scan.progress());
        }
        Ok(())
    }

    /// Counts the rows there are, for the progress bar, while the scan runs. Not worth waiting for,
    /// and not worth failing for.
    fn count(&self, client: &Client) -> Counting {
        let search = Search::new(&self.table, &self.index, self.query.clone())
            .limit(0)
            .count_all()
            .columns(ScanColumns::PrimaryKey);
        let mut counting = Counting::default();
        let (client, rows) = (client.clone(), Arc::clone(&counting.rows));
        counting.task.spawn(async move {
            let counted = client.send(search).await.ok();
            if let Some(total) = counted.and_then(|reply| reply.total()) {
                // Nobody else sets it.
                rows.set(total).ok();
            }
        });
        counting
    }
}

/// A count under way. Dropping it ends it.
#[derive(Debug, Default)]
struct Counting {
    rows: Arc<OnceLock<u64>>,
    task: JoinSet<()>,
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, index, .. } = self;
        write!(f, "export of index {index:?} of table {table:?}")
    }
}

/// What the service puts into a page at most.
const PAGE_ROWS: u64 = 2_000;

/// Why no more pages can be handed to writers.
enum Broken {
    Scan(ScanError),
    Write(WriteError),
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
        ranges: None,
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
        (ScanErrorKind::Row { .. } | ScanErrorKind::Decode { .. }, _) => {
            Failure::new(Exit::Mismatch, doing)
        }
        (_, Some(call)) => Failure::like_call(doing, call),
        _ => Failure::new(Exit::Other, doing),
    };
    failure.because(error)
}

fn of_write(doing: String, error: WriteError) -> Failure {
    match error {
        WriteError::Sink(error) => of_sink(doing, error),
        WriteError::Decode {
            split,
            page,
            source,
        } => {
            let doing = format!("{doing}: page {page} of split {split} doesn't fit the columns");
            Failure::new(Exit::Mismatch, doing).because(source)
        }
        WriteError::Thread => Failure::new(Exit::Other, format!("{doing}: a writer panicked")),
    }
}
