//! What a scan shall read, and within which bounds.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ots_core::request::{ParallelScan, ScanColumns};
use ots_core::{Call, Error};
use ots_proto::operation;
use ots_proto::search::Query;
use tokio::runtime::Handle;

use crate::budget::Budget;
use crate::error::{ScanError, ScanErrorKind};
use crate::permits::Permits;
use crate::plan::ScanPlan;
use crate::request::PageRequest;
use crate::scan::Scan;
use crate::session::ScanSession;
use crate::worker::{Shared, SharedPlan};

/// Splits read at once, unless told otherwise.
///
/// The service's documentation puts eight at four times the speed of one; beyond, memory and load
/// grow with the number and speed hardly does. It leaves two of the service's ten to others.
pub const DEFAULT_CONCURRENCY: u32 = 8;

/// The most splits read at once: the service runs ten scan tasks on an index at once.
///
/// Its documentation counts requests of one session and one query as one task, and doesn't say
/// whether the number of the split belongs to the query. This is the cautious reading.
pub const MAX_CONCURRENCY: u32 = 10;

/// Every row of a search index that a query finds, many splits at once.
///
/// ```
/// use std::time::Duration;
/// use ots_core::Query;
/// use ots_scan::parallel_scan;
///
/// # async fn example(client: ots_core::Client) -> Result<(), ots_scan::ScanError> {
/// let scan = parallel_scan(client, "orders", "orders_index")
///     .query(Query::term("city", "Hangzhou"))
///     .column_names(["city", "price"])
///     .concurrency(4)
///     .alive_time(Duration::from_secs(120))
///     .open()
///     .await?;
/// # Ok(())
/// # }
/// ```
pub fn parallel_scan<C>(
    call: C,
    table: impl Into<String>,
    index: impl Into<String>,
) -> ScanBuilder<C>
where
    C: Call<operation::ComputeSplits> + Call<operation::ParallelScan> + 'static,
{
    ScanBuilder {
        call: Arc::new(call),
        table: table.into(),
        index: index.into(),
        query: Query::MatchAll,
        columns: ScanColumns::default(),
        limit: DEFAULT_LIMIT,
        alive_time: DEFAULT_ALIVE_TIME,
        concurrency: DEFAULT_CONCURRENCY,
        permits: None,
        buffered_bytes: DEFAULT_BUFFERED_BYTES,
    }
}

/// A scan that isn't open yet. See [`parallel_scan`].
///
/// It may be opened any number of times, which is how a scan whose session has expired is begun anew.
#[derive(Clone)]
#[must_use = "a scan does nothing before `open`"]
pub struct ScanBuilder<C> {
    call: Arc<C>,
    table: String,
    index: String,
    query: Query,
    columns: ScanColumns,
    limit: u32,
    alive_time: Duration,
    concurrency: u32,
    permits: Option<Permits>,
    buffered_bytes: usize,
}

impl<C> ScanBuilder<C> {
    /// What to look for; every row of the index when never called.
    pub fn query(mut self, query: Query) -> Self {
        self.query = query;
        self
    }

    /// The columns to return besides the primary key; all that the index can when never called.
    pub fn columns(mut self, columns: ScanColumns) -> Self {
        self.columns = columns;
        self
    }

    /// These columns, by name.
    pub fn column_names(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns(ScanColumns::Specified(
            names.into_iter().map(Into::into).collect(),
        ))
    }

    /// Rows wanted in a page; 2,000 when never called, and the service stops there.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.limit = rows;
        self
    }

    /// How long the session lives without a request; 60 s when never called, as the service advises.
    /// Rounded up to whole seconds.
    ///
    /// A caller who takes longer than this over the pages that are ready lets the session expire:
    /// nothing more is asked of a split while two of its pages wait, and nothing keeps the session
    /// alive meanwhile. Half of it is a sound limit for a pause, because the session ages from the
    /// moment the last page was asked for.
    pub const fn alive_time(mut self, time: Duration) -> Self {
        self.alive_time = time;
        self
    }

    /// Splits read at once, from 1 to [`MAX_CONCURRENCY`]; [`DEFAULT_CONCURRENCY`] when never called.
    /// Any other number is refused when the scan is opened.
    ///
    /// The session is divided into this many, or into the service's `splits_size` if that is less,
    /// so that no split waits for another to end while the session ages.
    pub const fn concurrency(mut self, splits: u32) -> Self {
        self.concurrency = splits;
        self
    }

    /// A bound on requests in flight that other scans share; none but the
    /// [`concurrency`](Self::concurrency) when never called.
    ///
    /// With fewer permits than splits the splits take turns, page by page, and none waits long.
    pub fn permits(mut self, permits: Permits) -> Self {
        self.permits = Some(permits);
        self
    }

    /// A bound on the size of pages that are fetched and not yet taken, those on their way included,
    /// in bytes; 32 MiB when never called.
    ///
    /// A page on its way counts as the largest page of late. So the bound may be exceeded by what
    /// pages are larger than that, and by a page that is larger than the bound itself: it passes
    /// alone. A bound below two pages for each split costs speed.
    pub const fn buffered_bytes(mut self, bytes: usize) -> Self {
        self.buffered_bytes = bytes;
        self
    }
}

impl<C> ScanBuilder<C>
where
    C: Call<operation::ComputeSplits> + Call<operation::ParallelScan> + 'static,
{
    /// Opens a session and begins to read. Opened again, it reads everything again, in a session of
    /// its own.
    ///
    /// # Cost
    /// One ComputeSplits request. Then at least two ParallelScan requests for each split: the service
    /// ends a split with a page of its own.
    ///
    /// # Cancel safety
    /// Safe: a session that nobody reads costs nothing and ends by itself.
    ///
    /// # Errors
    /// [`Columns`](ScanErrorKind::Columns), [`Request`](ScanErrorKind::Request) or
    /// [`NoRuntime`](ScanErrorKind::NoRuntime), with nothing sent; [`Open`](ScanErrorKind::Open)
    /// when there is no session to be had: no such table or index, no permission, no answer.
    pub async fn open(&self) -> Result<Scan, ScanError> {
        let opened = self.try_open().await;
        opened.map_err(|error| error.of(&self.table, &self.index))
    }

    async fn try_open(&self) -> Result<Scan, ScanError> {
        let runtime = Handle::try_current()
            .map_err(|error| ScanError::new(ScanErrorKind::NoRuntime).with_source(error))?;
        check(&self.columns)?;
        let wrong = |error: Error| ScanError::new(ScanErrorKind::Request).with_source(error);
        let concurrency = self.checked_concurrency().map_err(wrong)?;
        let request = ParallelScan::new(&self.table, &self.index, self.query.clone())
            .columns(self.columns.clone())
            .limit(self.limit)
            .alive_time(self.alive_time);
        let request = PageRequest::new(request).map_err(wrong)?;

        let session = ScanSession::open(&self.call, &self.table, &self.index)
            .await
            .map_err(|error| ScanError::new(ScanErrorKind::Open).with_source(error))?;

        let plan = ScanPlan::new(session.splits_size(), concurrency);
        let splits = plan.max_parallel();
        let plan = Arc::new(SharedPlan::new(plan));
        // Without a bound of its own, as many as there are splits.
        let permits = self.permits.clone();
        let shared = Shared {
            call: Arc::clone(&self.call),
            request: request.in_session(&session),
            plan: Arc::clone(&plan),
            permits: permits.unwrap_or_else(|| Permits::new(usize::MAX)),
            budget: Budget::new(self.buffered_bytes, splits),
        };
        Ok(Scan::start(&runtime, session, Arc::new(shared)))
    }

    fn checked_concurrency(&self) -> Result<NonZeroU32, Error> {
        let splits = self.concurrency;
        match NonZeroU32::new(splits) {
            Some(splits) if splits.get() <= MAX_CONCURRENCY => Ok(splits),
            _ => Err(Error::request(format!(
                "concurrency must be between 1 and {MAX_CONCURRENCY}, got {splits}"
            ))),
        }
    }
}

/// What can be known of columns without an index at hand.
fn check(columns: &ScanColumns) -> Result<(), ScanError> {
    let ScanColumns::Specified(names) = columns else {
        return Ok(());
    };
    let problem = if names.is_empty() {
        "none is named; for the primary key alone, ask for ScanColumns::PrimaryKey".to_owned()
    } else if names.iter().any(String::is_empty) {
        "one of the names is empty".to_owned()
    } else if let Some(name) = repeated(names) {
        format!("{name:?} is named twice")
    } else {
        return Ok(());
    };
    Err(ScanError::new(ScanErrorKind::Columns(problem)))
}

fn repeated(names: &[String]) -> Option<&String> {
    let mut seen = std::collections::HashSet::with_capacity(names.len());
    names.iter().find(|name| !seen.insert(name.as_str()))
}

impl<C> fmt::Debug for ScanBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the query: it may hold values of rows.
        f.debug_struct("ScanBuilder")
            .field("table", &self.table)
            .field("index", &self.index)
            .field("columns", &self.columns)
            .field("limit", &self.limit)
            .field("alive_time", &self.alive_time)
            .field("concurrency", &self.concurrency)
            .field("permits", &self.permits)
            .field("buffered_bytes", &self.buffered_bytes)
            .finish_non_exhaustive()
    }
}

/// The service's default, and by its current documentation the most it gives.
const DEFAULT_LIMIT: u32 = 2_000;

/// The service's default, which it advises to keep.
const DEFAULT_ALIVE_TIME: Duration = Duration::from_secs(60);

/// Two pages for each of eight splits, at 2 MiB: above the usual page of 2,000 rows.
const DEFAULT_BUFFERED_BYTES: usize = 32 << 20;
