//! What a scan shall read, and within which bounds.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ots_core::Call;
use ots_core::limiter::Limiter;
use ots_core::request::ScanColumns;
use ots_proto::operation;
use ots_proto::search::{FieldSchema, IndexSchema, Query};

use crate::session_loss::{DELIVERED_KEYS_BYTES, OnSessionLoss};

/// Splits read at once, unless told otherwise.
///
/// The service's documentation puts eight at four times the speed of one; beyond, memory and load
/// grow with the number and speed hardly does. It leaves two of the service's ten to others.
pub const DEFAULT_CONCURRENCY: u32 = 8;

/// The most splits read at once, unless [told otherwise](ScanBuilder::task_limit): the service runs ten
/// scan tasks on an index at once.
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
        fields: Vec::new(),
        limit: DEFAULT_LIMIT,
        alive_time: DEFAULT_ALIVE_TIME,
        concurrency: DEFAULT_CONCURRENCY,
        task_limit: MAX_CONCURRENCY,
        limiter: None,
        buffered_bytes: DEFAULT_BUFFERED_BYTES,
        keep_alive: DEFAULT_KEEP_ALIVE,
        verify_pages: false,
        refetches: DEFAULT_REFETCHES,
        on_session_loss: OnSessionLoss::default(),
        delivered_keys_bytes: DELIVERED_KEYS_BYTES,
        spill_keys_to: None,
    }
}

/// A scan that isn't open yet. See [`parallel_scan`].
///
/// It may be opened any number of times, which is how a scan whose session has expired is begun anew.
#[derive(Clone)]
#[must_use = "a scan does nothing before `open`"]
pub struct ScanBuilder<C> {
    pub(crate) call: Arc<C>,
    pub(crate) table: String,
    pub(crate) index: String,
    pub(crate) query: Query,
    pub(crate) columns: ScanColumns,
    pub(crate) fields: Vec<FieldSchema>,
    pub(crate) limit: u32,
    pub(crate) alive_time: Duration,
    pub(crate) concurrency: u32,
    pub(crate) task_limit: u32,
    pub(crate) limiter: Option<Limiter>,
    pub(crate) buffered_bytes: usize,
    pub(crate) keep_alive: Duration,
    pub(crate) verify_pages: bool,
    pub(crate) refetches: u32,
    pub(crate) on_session_loss: OnSessionLoss,
    pub(crate) delivered_keys_bytes: usize,
    pub(crate) spill_keys_to: Option<PathBuf>,
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

    /// The fields of the index, as DescribeSearchIndex gives them, or as it was made: columns that no
    /// scan returns, those of the types DATE and NESTED and those that the index doesn't store, are then
    /// refused before the first request of the scan.
    ///
    /// ```
    /// # async fn example(client: ots_core::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use ots_core::request::DescribeSearchIndex;
    /// use ots_scan::parallel_scan;
    ///
    /// let index = DescribeSearchIndex::new("orders", "orders_index");
    /// let described = client.send(index).await?;
    /// let mut scan = parallel_scan(client, "orders", "orders_index").column_names(["city", "at"]);
    /// if let Some(schema) = &described.schema {
    ///     scan = scan.index_fields(schema);
    /// }
    /// // "at" is of type DATE, which no scan returns: leave it out, or read it from the table
    /// let scan = scan.open().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn index_fields(mut self, schema: &IndexSchema) -> Self {
        self.fields.clone_from(&schema.fields);
        self
    }

    /// Rows wanted in a page; 2,000 when never called, and the service stops there.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.limit = rows;
        self
    }

    /// How long the session lives without a request; 60 s when never called, as the service advises.
    /// Rounded up to whole seconds.
    ///
    /// A caller who takes longer than this over the pages that are ready doesn't lose the session:
    /// see [`keep_alive`](Self::keep_alive).
    pub const fn alive_time(mut self, time: Duration) -> Self {
        self.alive_time = time;
        self
    }

    /// Splits read at once, from 1 to the [`task_limit`](Self::task_limit); [`DEFAULT_CONCURRENCY`] when
    /// never called.
    /// Any other number is refused when the scan is opened.
    ///
    /// The session is divided into this many, or into the service's `splits_size` if that is less,
    /// so that no split waits for another to end while the session ages. Of a scan that is given more
    /// splits than this, by [`in_session`](Self::in_session) or [`resume`](Self::resume), the next begins
    /// when one has ended; its token is [kept alive](Self::keep_alive) until then.
    pub const fn concurrency(mut self, splits: u32) -> Self {
        self.concurrency = splits;
        self
    }

    /// The most splits that may be read at once: [`MAX_CONCURRENCY`] when never called. For an instance
    /// to which the service grants more.
    pub const fn task_limit(mut self, tasks: u32) -> Self {
        self.task_limit = tasks;
        self
    }

    /// The bound on requests in flight, which other scans, and writers, may share.
    ///
    /// When never called, the scan finds it itself: it begins with [`DEFAULT_CONCURRENCY`], doubles with
    /// each round until it reaches the [`concurrency`](Self::concurrency), and halves when the service
    /// throttles. For a fixed number, [`Limiter::fixed`].
    ///
    /// A permit covers one request, retries included. It is taken when there is room for the answer,
    /// and given back before the page is handed over, so that a scan whose caller is slow, or has
    /// stopped reading, starves no other. With fewer permits than splits the splits take turns, page
    /// by page, and none waits long.
    ///
    /// ```
    /// use ots_core::limiter::Limiter;
    /// use ots_scan::parallel_scan;
    ///
    /// # fn example(client: std::sync::Arc<ots_core::Client>) {
    /// // Two scans, four requests in flight between them.
    /// let four = Limiter::fixed(4);
    /// let orders = parallel_scan(client.clone(), "orders", "orders_index").limiter(four.clone());
    /// let flights = parallel_scan(client, "flights", "flights_index").limiter(four);
    /// # }
    /// ```
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// A bound on the size of pages that are fetched and not yet taken, those on their way included,
    /// in bytes; 64 MiB when never called.
    ///
    /// A page on its way counts as the largest page of late. So the bound may be exceeded by what
    /// pages are larger than that, and by a page that is larger than the bound itself: it passes
    /// alone. A bound below two pages for each split costs speed.
    pub const fn buffered_bytes(mut self, bytes: usize) -> Self {
        self.buffered_bytes = bytes;
        self
    }

    /// How long a pause of the caller's may last before the session is let go; 10 minutes when never
    /// called. Zero lets it go after its [`alive_time`](Self::alive_time).
    ///
    /// A session ages while nothing is asked in it, and nothing is asked of a split while two of its
    /// pages wait. So every third of the alive time one row is asked for where the split goes on, and
    /// thrown away; the page is asked for again when it is wanted. This rests on tokens that can be
    /// asked twice, as every retry of a lost answer does. A service whose token leads on by itself is
    /// found out, and ends the scan with [`TokenMoved`](crate::ScanErrorKind::TokenMoved).
    pub const fn keep_alive(mut self, pause: Duration) -> Self {
        self.keep_alive = pause;
        self
    }

    /// Whether the checksums of every row are compared before a page is handed over, so that a damaged
    /// page is asked for again; false when never called.
    ///
    /// Views that decode, [`Scan::rows`](crate::Scan::rows) and [`Scan::decode`](crate::Scan::decode), do so anyway. A caller of pages who
    /// decodes them finds the damage too, but then it is too late to ask again. It costs one walk of
    /// the page in the task of its split: of 5,000 narrow rows, below a millisecond.
    pub const fn verify_pages(mut self, verify: bool) -> Self {
        self.verify_pages = verify;
        self
    }

    /// How often a page is asked for again that is damaged, before the scan fails; twice when never
    /// called. The same token is asked, in the same session.
    pub const fn refetches(mut self, times: u32) -> Self {
        self.refetches = times;
        self
    }

    /// What to do when the service has given up the session; to fail, when never called.
    pub const fn on_session_loss(mut self, policy: OnSessionLoss) -> Self {
        self.on_session_loss = policy;
        self
    }

    /// A bound on the memory for keys of rows that were given, in bytes; 256 MiB when never called.
    /// Only [`ExactlyOnce`](OnSessionLoss::ExactlyOnce) needs any. It holds before a session is lost, when
    /// it is, and afterwards: room for sorting the keys is kept, and the log of them grows in chunks of
    /// 64 KiB, or of a 64th part of a smaller bound. The keys of a page that nobody has taken yet come on
    /// top, less than the page itself. At the bound the scan fails with
    /// [`DeliveredKeys`](crate::ScanErrorKind::DeliveredKeys), as exactly once can't be had for less:
    /// unless the keys may be [spilled](Self::spill_keys_to). Then half of it is for keys on their way to
    /// disk, and the scan fails so where the keys of a single page take more than that, by 24 bytes a row
    /// above their own; or when what must stay in memory to find keys on disk takes the other half.
    pub const fn delivered_keys_bytes(mut self, bytes: usize) -> Self {
        self.delivered_keys_bytes = bytes;
        self
    }

    /// Where keys go that don't fit into [`delivered_keys_bytes`](Self::delivered_keys_bytes): to files
    /// in this directory. Nowhere, when never called.
    ///
    /// Nothing is written before a quarter of the bound is full. The files have no name there, or one
    /// that goes with them; they are gone with the scan, however the program ends. Nobody but the owner
    /// of the process could read them (mode 0600), and they hold primary keys of rows in the clear: for
    /// keys that are secrets choose an encrypted disk, or memory.
    ///
    /// # Cost
    /// On disk the key's own bytes, a byte or two for each of its columns, and one more: of a million
    /// rows with one integer for a key 10 MB, with a text of 20 bytes 23 MB; twice that for the moment
    /// in which a session was lost and its runs become one. In memory 0.04 and 0.1 MB for finding them;
    /// and beside the bound, while it lasts, 68 KiB to write and a block of 4 KiB of each run to read.
    /// Of the next session each row is looked up by a read of 4 KiB, on a thread for blocking work: with
    /// a million keys, and the file in the system's cache, 2 µs a row where memory takes 0.3.
    ///
    /// # Errors
    /// A directory that can't be written to, or is full, ends the scan with
    /// [`Spill`](crate::ScanErrorKind::Spill) when it is needed, and not before.
    pub fn spill_keys_to(mut self, directory: impl Into<PathBuf>) -> Self {
        self.spill_keys_to = Some(directory.into());
        self
    }
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
            .field("limiter", &self.limiter)
            .field("buffered_bytes", &self.buffered_bytes)
            .field("on_session_loss", &self.on_session_loss)
            .finish_non_exhaustive()
    }
}

/// The service's default, and by its current documentation the most it gives.
const DEFAULT_LIMIT: u32 = 2_000;

/// The service's default, which it advises to keep.
const DEFAULT_ALIVE_TIME: Duration = Duration::from_secs(60);

/// A meal is longer, but then somebody should say so.
const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(600);

/// Damage on the way is rare and by chance; damage at rest is there again.
const DEFAULT_REFETCHES: u32 = 2;

/// Two pages for each of eight splits, at 4 MB, as large as they get: with half of it, pages of long texts
/// are read slower than by a client that asks for one page after another.
const DEFAULT_BUFFERED_BYTES: usize = 64 << 20;
