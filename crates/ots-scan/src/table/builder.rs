//! What to scan of a table, and how.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use ots_core::Call;
use ots_core::filter::ReadFilter;
use ots_core::limiter::Limiter;
use ots_core::request::{self, ComputeSplitPointsBySize};
use ots_proto::{ColumnName, PrimaryKey, operation};

use super::checkpoint::TableCheckpoint;
use super::error::{TableScanError, TableScanErrorKind};
use super::estimate::TableScanPlan;
use super::ranges::{Ranges, SharedRanges};
use super::scan::TableScan;
use super::source::{ByBulkExport, ByGetRange, Fetch, ReadBy};
use super::spec::Spec;
use super::worker::Shared;
use crate::budget::Budget;

/// Every row of a table, or of a range of its keys, without an index: many ranges at once.
///
/// ```
/// use futures::TryStreamExt;
/// use ots_core::filter::Filter;
/// use ots_scan::{TableCheckpoint, table_scan};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use ots_core::request::{CreateTable, PutRow};
/// # use ots_core::{Client, Credentials, PrimaryKey, Row, transport::InProcess};
/// # use ots_proto::messages::PrimaryKeyType;
/// # let service = ots_emulator::Emulator::builder().build();
/// # let (id, secret) = (ots_emulator::Emulator::ACCESS_KEY_ID, ots_emulator::Emulator::ACCESS_KEY_SECRET);
/// # let client = Client::builder("http://embedded").instance("example")
/// #     .credentials(Credentials::new(id, secret))
/// #     .transport(InProcess::new(move |request| service.handle(request))).build()?;
/// # client.send(CreateTable::new("orders").primary_key("id", PrimaryKeyType::Integer)).await?;
/// # for id in 0..10_i64 {
/// #     let row = Row::new(PrimaryKey::new().column("id", id)).cell("price", id);
/// #     client.send(PutRow::new("orders", row)).await?;
/// # }
/// let orders = table_scan(client, "orders")
///     .columns(["price"])
///     .filter(Filter::column("price").ge(5).only_if_present());
/// println!("{}", orders.plan().await?);
///
/// let mut scan = orders.open().await?;
/// let mut rows = 0;
/// let mut kept = Vec::new();
/// while let Some(page) = scan.try_next().await? {
///     let mut reader = page.reader()?;
///     while let Some(row) = reader.next_row()? {
///         rows += usize::from(row.get("price").is_some());
///     }
///     // The page is done with: from here on it would go on behind it.
///     kept = scan.checkpoint().to_bytes();
/// }
/// assert_eq!(rows, 5);
///
/// // Whenever, wherever.
/// let mut rest = orders.resume(&TableCheckpoint::from_bytes(&kept)?)?.rows();
/// assert!(rest.try_next().await?.is_none());
/// # Ok(())
/// # }
/// ```
pub fn table_scan<C>(call: C, table: impl Into<String>) -> TableScanBuilder<C>
where
    C: Call<operation::ComputeSplitPointsBySize> + Call<operation::GetRange> + 'static,
{
    TableScanBuilder {
        call: Arc::new(call),
        spec: Spec {
            table: table.into(),
            start: PrimaryKey::new(),
            end: None,
            columns: Vec::new(),
            filter: None,
            max_versions: None,
            limit: None,
        },
        part_bytes: DEFAULT_PART_BYTES,
        concurrency: DEFAULT_CONCURRENCY,
        limiter: None,
        buffered_bytes: DEFAULT_BUFFERED_BYTES,
        refetches: DEFAULT_REFETCHES,
        read_by: ReadBy::GetRange,
        bulk_export: None,
    }
}

/// A scan of a table that isn't open yet. See [`table_scan`]. It may be opened any number of times.
#[must_use = "a scan does nothing before `open`"]
pub struct TableScanBuilder<C> {
    call: Arc<C>,
    spec: Spec,
    part_bytes: NonZeroU64,
    concurrency: u32,
    limiter: Option<Limiter>,
    buffered_bytes: usize,
    refetches: u32,
    read_by: ReadBy,
    /// Without saying whose calls they are: only those who want it need to have it.
    bulk_export: Option<Arc<dyn Fetch>>,
}

impl<C> TableScanBuilder<C> {
    /// From this key on, inclusive; from the table's beginning when never called. Leading columns are
    /// enough: those left out begin at `INF_MIN`.
    pub fn start(mut self, key: PrimaryKey) -> Self {
        self.spec.start = key;
        self
    }

    /// Up to this key, exclusive; to the table's end when never called. Leading columns are enough:
    /// those left out begin at `INF_MIN`, so that no row that begins with them is read.
    pub fn end(mut self, key: PrimaryKey) -> Self {
        self.spec.end = Some(key);
        self
    }

    /// The attribute columns to return; all when never called. A row that has none of them counts as
    /// absent.
    pub fn columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.spec.columns = names.into_iter().map(Into::into).collect();
        self
    }

    /// Only rows that pass. The service reads, and charges for, those that don't.
    pub fn filter(mut self, filter: impl Into<ReadFilter>) -> Self {
        self.spec.filter = Some(filter.into());
        self
    }

    /// How many versions of each column to return; 1 when never called.
    pub const fn max_versions(mut self, versions: u32) -> Self {
        self.spec.max_versions = Some(versions);
        self
    }

    /// Rows wanted in a page. The service stops at 5,000 rows or 4 MB, also when never called.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.spec.limit = Some(rows);
        self
    }

    /// About how many bytes of the table make a range; 32 MiB when never called, and the service takes
    /// nothing below 1 MiB. Smaller ranges spread better, and each costs about one read capacity unit
    /// to find and some tens of bytes in the checkpoint. The service never cuts a partition, the rows
    /// with one value in the first column of the key.
    pub const fn part_bytes(mut self, bytes: NonZeroU64) -> Self {
        self.part_bytes = bytes;
        self
    }

    /// Ranges read at once; 8 when never called. Zero is refused when the scan is opened.
    pub const fn concurrency(mut self, ranges: u32) -> Self {
        self.concurrency = ranges;
        self
    }

    /// The bound on requests in flight, which other scans, and writers, may share.
    ///
    /// When never called, the scan finds it itself: it begins with eight, doubles with each round until
    /// it reaches the [`concurrency`](Self::concurrency), and halves when the service throttles. A
    /// permit covers one request, retries included, and is never held while the caller thinks.
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// A bound on the size of pages that are fetched and not yet taken, those on their way included,
    /// in bytes; 64 MiB when never called: two pages of 4 MB for each of eight ranges.
    ///
    /// A page on its way counts as the largest page of late. So the bound may be exceeded by what
    /// pages are larger than that, and by a page that is larger than the bound itself: it passes alone.
    pub const fn buffered_bytes(mut self, bytes: usize) -> Self {
        self.buffered_bytes = bytes;
        self
    }

    /// How often a page is asked for again that is damaged, or whose answer can't be gone on from,
    /// before the scan fails; twice when never called.
    pub const fn refetches(mut self, times: u32) -> Self {
        self.refetches = times;
        self
    }
}

impl<C: Call<operation::BulkExport> + 'static> TableScanBuilder<C> {
    /// Which operation reads the pages; [`GetRange`](ReadBy::GetRange) when never called.
    ///
    /// ```
    /// # fn example(client: ots_core::Client) {
    /// use ots_scan::{ReadBy, table_scan};
    ///
    /// let orders = table_scan(client, "orders").read_by(ReadBy::Auto);
    /// # }
    /// ```
    pub fn read_by(mut self, read_by: ReadBy) -> Self {
        self.read_by = read_by;
        self.bulk_export = match read_by {
            ReadBy::GetRange => None,
            ReadBy::BulkExport | ReadBy::Auto => {
                Some(Arc::new(ByBulkExport(Arc::clone(&self.call))))
            }
        };
        self
    }
}

impl<C> TableScanBuilder<C>
where
    C: Call<operation::ComputeSplitPointsBySize> + Call<operation::GetRange> + 'static,
{
    /// What the scan would do, and about what that costs. Nothing is read.
    ///
    /// # Cost
    /// One request, of about one read capacity unit for each [part](Self::part_bytes) of the table.
    ///
    /// # Errors
    /// [`Open`](TableScanErrorKind::Open) when the ranges can't be had, as of a table that doesn't
    /// exist; [`Request`](TableScanErrorKind::Request) and [`Bounds`](TableScanErrorKind::Bounds).
    pub async fn plan(&self) -> Result<TableScanPlan, TableScanError> {
        let plan = self.find_ranges().await;
        plan.map_err(|error| error.of(&self.spec.table))
    }

    /// Finds the ranges, and is ready to read them.
    ///
    /// # Cost
    /// As [`plan`](Self::plan). Reading begins when the scan is polled.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub async fn open(&self) -> Result<TableScan, TableScanError> {
        let plan = self.plan().await?;
        let TableScanPlan {
            whole, positions, ..
        } = plan;
        let ranges = Ranges::new(whole, positions, plan.consumed, plan.read_by);
        Ok(self.scan(ranges))
    }

    /// Goes on where a scan with the same table, bounds, columns, filter and versions stood; how it is
    /// read, such as [`concurrency`](Self::concurrency), may be another way. Nothing is sent.
    ///
    /// # Errors
    /// [`CheckpointOfOtherScan`](TableScanErrorKind::CheckpointOfOtherScan) and
    /// [`Request`](TableScanErrorKind::Request).
    pub fn resume(&self, checkpoint: &TableCheckpoint) -> Result<TableScan, TableScanError> {
        let resumed = self.check().and_then(|()| checkpoint.for_scan(&self.spec));
        let (whole, positions) = resumed.map_err(|error| error.of(&self.spec.table))?;
        let end = positions.last().map(|position| position.end.columns());
        let end = end.unwrap_or_default().iter();
        let names: Vec<ColumnName> = end.map(|column| column.name.clone()).collect();
        let (read_by, _) = self.spec.read_by(self.read_by, &names);
        let consumed = request::Consumed::default();
        Ok(self.scan(Ranges::new(whole, positions, consumed, read_by)))
    }

    async fn find_ranges(&self) -> Result<TableScanPlan, TableScanError> {
        self.check()?;
        let splits = ComputeSplitPointsBySize::new(&self.spec.table)
            .size(NonZeroU64::MIN)
            .unit_bytes(self.part_bytes);
        let splits = request::send(&*self.call, splits).await;
        let splits = splits
            .map_err(|error| TableScanError::new(TableScanErrorKind::Open).with_source(error))?
            .into_inner();
        let names = splits.primary_key.iter();
        let names: Vec<ColumnName> = names.map(|column| column.name.as_str().into()).collect();
        let (whole, end) = self.spec.whole(&names)?;
        Ok(TableScanPlan::new(
            &whole,
            &end,
            &splits.ranges,
            self.part_bytes,
            self.concurrency,
            splits.consumed,
            self.spec.read_by(self.read_by, &names),
        ))
    }

    fn check(&self) -> Result<(), TableScanError> {
        if self.concurrency == 0 {
            let error = TableScanError::new(TableScanErrorKind::Request);
            return Err(error.with_source("no range may be read at once: the concurrency is 0"));
        }
        if self.read_by == ReadBy::BulkExport
            && let Some(lacking) = self.spec.beyond_bulk_export()
        {
            return Err(TableScanError::new(TableScanErrorKind::Request).with_source(lacking));
        }
        self.spec.check()
    }

    fn scan(&self, ranges: Ranges) -> TableScan {
        let ranges_at_once = u32::try_from(ranges.len()).unwrap_or(u32::MAX);
        let workers = self.concurrency.min(ranges_at_once);
        let fits_matrix = self.spec.names_all(ranges.key_names());
        let limiter = self.limiter.clone();
        let at_most = usize::try_from(self.concurrency).unwrap_or(usize::MAX);
        let start = usize::try_from(DEFAULT_CONCURRENCY).unwrap_or(usize::MAX);
        let shared = Shared {
            spec: self.spec.clone(),
            ranges: SharedRanges::new(ranges),
            limiter: limiter.unwrap_or_else(|| Limiter::adaptive_from(start, at_most)),
            budget: Budget::new(self.buffered_bytes, workers),
            buffered_bytes: self.buffered_bytes,
            workers,
            refetches: self.refetches,
            get_range: Arc::new(ByGetRange(Arc::clone(&self.call))),
            bulk_export: self.bulk_export.clone(),
            fits_matrix,
        };
        TableScan::new(shared)
    }
}

impl<C> Clone for TableScanBuilder<C> {
    fn clone(&self) -> Self {
        Self {
            call: Arc::clone(&self.call),
            spec: self.spec.clone(),
            part_bytes: self.part_bytes,
            concurrency: self.concurrency,
            limiter: self.limiter.clone(),
            buffered_bytes: self.buffered_bytes,
            refetches: self.refetches,
            read_by: self.read_by,
            bulk_export: self.bulk_export.clone(),
        }
    }
}

impl<C> fmt::Debug for TableScanBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without filter and keys: they may hold values of rows.
        f.debug_struct("TableScanBuilder")
            .field("table", &self.spec.table)
            .field("columns", &self.spec.columns)
            .field("limit", &self.spec.limit)
            .field("part_bytes", &self.part_bytes)
            .field("concurrency", &self.concurrency)
            .field("limiter", &self.limiter)
            .field("buffered_bytes", &self.buffered_bytes)
            .field("read_by", &self.read_by)
            .finish_non_exhaustive()
    }
}

/// Of a table of a terabyte, some 30,000 ranges: a checkpoint of two megabytes, and a ten-thousandth of
/// what it costs to read.
const DEFAULT_PART_BYTES: NonZeroU64 = NonZeroU64::MIN.saturating_add((32 << 20) - 1);

/// As many as an index scan reads by default.
const DEFAULT_CONCURRENCY: u32 = 8;

/// Damage on the way is rare and by chance; damage at rest is there again.
const DEFAULT_REFETCHES: u32 = 2;

const DEFAULT_BUFFERED_BYTES: usize = 64 << 20;
