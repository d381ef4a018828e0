//! What can be chosen about the emulator's behaviour, as an operation sees it.

use std::time::Duration;

use crate::random::Random;
use crate::storage::Journal;

/// Limits and choices of the emulator. The defaults are the service's own numbers, but nothing has
/// to be waited for: [`strict`](Self::strict) has that, too.
///
/// Smaller limits let a test see many pages with few rows.
///
/// ```
/// let mut settings = ots_emulator::Settings::default();
/// settings.range_page_rows = 3;
/// let emulator = ots_emulator::Emulator::builder().settings(settings).build();
/// # drop(emulator);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Splits that ComputeSplits reports for a search index, 1 by default. The service's own rule is
    /// not public; it reports 1 for every small index.
    pub splits: u32,
    /// Rows a page of GetRange or BulkExport may read before it ends, rows that a filter rejects included: 5,000.
    pub range_page_rows: usize,
    /// Bytes of names and values a page of GetRange or BulkExport may read before it ends, rows that a filter rejects
    /// included: 4 MiB. A page has at least one row even if that row is larger.
    pub range_page_bytes: usize,
    /// Bytes of one row that a response to GetRow, BatchGetRow or GetRange has before the row is cut
    /// and `next_token` leads to the rest of it. No row is cut by default: the public documentation
    /// calls the token reserved, and most official SDKs would take the first part for the whole.
    pub wide_row_bytes: usize,
    /// What `limit` of a GetRange under a filter counts.
    pub limit_counts: LimitCounts,
    /// The least unit in which ComputeSplitPointsBySize may be asked for sizes, in bytes: 1 MiB.
    pub min_split_unit_bytes: u64,
    /// Rows a ParallelScan page has at most, and has when the request names no limit: 2,000.
    pub scan_page_rows: usize,
    /// Scans within sessions that an instance may have running, 64; each holds a snapshot of its rows
    /// until it is read to its end or its session expires. One more is refused with 400
    /// `OTSParameterInvalid`. The service documents 10, and not what it answers beyond.
    pub max_scan_tasks: usize,
    /// How far search indexes are behind their tables: not at all by default. What is written is found
    /// when so much time has passed on the emulator's clock, and until then searches and scans see what
    /// was there before.
    pub index_delay: Duration,
    /// The largest `limit` of a Search that reads columns from the table: 100.
    pub search_limit: usize,
    /// The largest `limit` of a Search that returns nothing but what the index holds: 1,000.
    pub search_index_limit: usize,
    /// The largest `offset + limit` of a Search: 100,000.
    pub search_window: usize,
    /// Tables an instance may have: 64.
    pub max_tables: usize,
    /// Bytes the body of a request may have: 5 MiB. What is larger is refused with 413
    /// `OTSRequestBodyTooLarge`, without being read whole.
    pub request_body_bytes: usize,
    /// How long a table must be left alone between two UpdateTable: not at all. Sooner, they are
    /// refused with 403 `OTSTooFrequentReservedThroughputAdjustment`; the service wants two minutes.
    pub table_update_pause: Duration,
    /// Operations on tables that an instance takes in a second: any number. Those beyond are refused
    /// with 403 `OTSQuotaExhausted`, which clients repeat; the service takes ten.
    pub table_operations_per_s: Option<u32>,
    /// Connections that a server has at once: 1,024. Requests on others are refused with 503
    /// `OTSServerBusy`, which clients repeat.
    pub max_connections: usize,
    /// How long a connection may take to send the head of its next request, silence included, before
    /// it is closed: 60 s.
    pub head_timeout: Duration,
    /// How long it may take for the body, before it is refused with 408 `OTSRequestTimeout`: 60 s.
    pub body_timeout: Duration,
    /// How long a connection may go without taking more of an answer that waits for it, before it is
    /// closed: 60 s.
    pub answer_timeout: Duration,
}

/// What `limit` of a GetRange under a filter counts.
///
/// The public documentation speaks of rows returned, but no official test settles it. Clients must be
/// right under both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitCounts {
    /// Rows that pass the filter.
    #[default]
    Returned,
    /// Rows that are read, whether or not they pass the filter.
    Scanned,
}

/// What an operation may know besides its request and its data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Settings,
    /// The clock's time when the request came in, in milliseconds since 1970: one moment for the
    /// whole request.
    pub(crate) now_ms: i64,
    /// Whether a fault rule wants a page without rows.
    pub(crate) empty_page: bool,
    /// Where changes are kept, if anywhere but in memory.
    pub(crate) journal: Journal<'a>,
    /// For what nobody can foresee without the seed.
    pub(crate) random: &'a Random,
}

impl<'a> Context<'a> {
    /// A context without faults, in memory.
    pub(crate) const fn new(settings: &'a Settings, random: &'a Random, now_ms: i64) -> Self {
        Self {
            settings,
            now_ms,
            empty_page: false,
            journal: Journal::none(),
            random,
        }
    }
}

impl Settings {
    /// The service as it is documented, with what it makes one wait for and how little it does at
    /// once. The default is lenient there, since tests of programs would only take longer:
    ///
    /// | | lenient | strict |
    /// |---|---|---|
    /// | [`table_update_pause`](Self::table_update_pause) | none | two minutes |
    /// | [`table_operations_per_s`](Self::table_operations_per_s) | any number | 10 |
    /// | [`max_scan_tasks`](Self::max_scan_tasks) | 64 | 10 |
    /// | [`index_delay`](Self::index_delay) | none | three seconds |
    ///
    /// All times are those of the emulator's clock, so a test may
    /// [advance](crate::Emulator::advance) over them. All other limits, those of names, keys, rows,
    /// pages, batches and tables, are the service's in both.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            table_update_pause: Duration::from_secs(120),
            table_operations_per_s: Some(10),
            max_scan_tasks: 10,
            index_delay: Duration::from_secs(3),
            ..Self::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            splits: 1,
            range_page_rows: 5000,
            range_page_bytes: 4 << 20,
            wide_row_bytes: usize::MAX,
            limit_counts: LimitCounts::Returned,
            min_split_unit_bytes: 1 << 20,
            scan_page_rows: 2000,
            max_scan_tasks: 64,
            index_delay: Duration::ZERO,
            search_limit: 100,
            search_index_limit: 1000,
            search_window: 100_000,
            max_tables: 64,
            request_body_bytes: 5 << 20,
            table_update_pause: Duration::ZERO,
            table_operations_per_s: None,
            max_connections: 1024,
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(60),
        }
    }
}
