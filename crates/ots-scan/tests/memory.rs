//! How much memory a scan holds at its peak: what its bounds say, however large the table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt as _};
use ots_core::{Call, Error, Reply};
use ots_proto::messages::{
    ComputeSplitPointsBySizeRequest, ComputeSplitPointsBySizeResponse, ComputeSplitsRequest,
    ComputeSplitsResponse, GetRangeRequest, GetRangeResponse, ParallelScanRequest,
    ParallelScanResponse, PrimaryKeySchema, PrimaryKeyType,
};
use ots_proto::operation;
use ots_proto::plainbuffer::{Writer, read_primary_key, write_primary_key, write_row};
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row};
use ots_scan::{Limiter, OnSessionLoss, ScanBuilder, TableScanBuilder, parallel_scan, table_scan};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const ROWS_OF_A_PAGE: usize = 50;
const SPLITS: u32 = 8;

/// Splits, or ranges, of many pages, each copied when it is asked for and kept by nobody.
#[derive(Clone)]
struct Pages {
    of_a_split: usize,
    page: Arc<Vec<Bytes>>,
    range: Arc<Bytes>,
}

impl Pages {
    fn new() -> Self {
        let row = |id: usize| {
            let row = Row::new(PrimaryKey::new().column("id", id as i64));
            row.cell("text", "x".repeat(900))
        };
        let rows: Vec<Row> = (0..ROWS_OF_A_PAGE).map(row).collect();
        let mut range = Writer::new();
        rows.iter().for_each(|row| range.row(row));
        Self {
            of_a_split: 0,
            page: Arc::new(rows.iter().map(write_row).collect()),
            range: Arc::new(range.finish()),
        }
    }

    /// The same pages, more or fewer of them.
    fn many(&self, of_a_split: usize) -> Self {
        let mut pages = self.clone();
        pages.of_a_split = of_a_split;
        pages
    }

    fn page_bytes(&self) -> usize {
        self.page.iter().map(Bytes::len).sum()
    }

    /// The page's rows lie in one buffer, as those of a response do.
    fn copy(&self) -> Vec<Bytes> {
        let mut buffer = BytesMut::with_capacity(self.page_bytes());
        self.page
            .iter()
            .for_each(|row| buffer.extend_from_slice(row));
        let mut buffer = buffer.freeze();
        self.page
            .iter()
            .map(|row| buffer.split_to(row.len()))
            .collect()
    }
}

/// Every split at its own pace.
async fn think(split: u64) {
    tokio::time::sleep(Duration::from_millis(split + 1)).await;
}

impl Call<operation::ComputeSplits> for Pages {
    async fn call(&self, _: ComputeSplitsRequest) -> Result<Reply<ComputeSplitsResponse>, Error> {
        Ok(Reply::new(ComputeSplitsResponse {
            session_id: Some(Bytes::from_static(b"a session")),
            splits_size: i32::try_from(SPLITS).ok(),
        }))
    }
}

impl Call<operation::ParallelScan> for Pages {
    async fn call(
        &self,
        request: ParallelScanRequest,
    ) -> Result<Reply<ParallelScanResponse>, Error> {
        let scan = request.scan_query.unwrap();
        let page = scan.token.map_or(0, |token| {
            std::str::from_utf8(&token)
                .unwrap()
                .parse::<usize>()
                .unwrap()
        });
        think(scan.current_parallel_id.unwrap().try_into().unwrap()).await;
        let rows = self.copy();
        let next_token = (page + 1 < self.of_a_split).then(|| (page + 1).to_string().into());
        let mut reply = Reply::new(ParallelScanResponse { rows, next_token });
        reply.body_bytes = self.page_bytes();
        Ok(reply)
    }
}

/// Between the first keys of two ranges.
const RANGE: i64 = 1_000_000;

fn key(id: i64) -> Bytes {
    write_primary_key(&PrimaryKey::new().column("id", id))
}

impl Call<operation::ComputeSplitPointsBySize> for Pages {
    async fn call(
        &self,
        _: ComputeSplitPointsBySizeRequest,
    ) -> Result<Reply<ComputeSplitPointsBySizeResponse>, Error> {
        let points = (1..i64::from(SPLITS)).map(|range| key(range * RANGE));
        let response = ComputeSplitPointsBySizeResponse {
            schema: vec![PrimaryKeySchema {
                name: "id".into(),
                r#type: PrimaryKeyType::Integer.into(),
                option: None,
            }],
            split_points: points.collect(),
            ..ComputeSplitPointsBySizeResponse::default()
        };
        Ok(Reply::new(response))
    }
}

impl Call<operation::GetRange> for Pages {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        let start = read_primary_key(&request.inclusive_start_primary_key).unwrap();
        let id = match start.get("id") {
            Some(PrimaryKeyValue::Integer(id)) => *id,
            _ => 0,
        };
        think(u64::try_from(id / RANGE).unwrap()).await;
        let goes_on = usize::try_from(id % RANGE).unwrap() + 1 < self.of_a_split;
        let mut reply = Reply::new(GetRangeResponse {
            rows: Bytes::copy_from_slice(&self.range),
            next_start_primary_key: goes_on.then(|| key(id + 1)),
            ..GetRangeResponse::default()
        });
        reply.body_bytes = self.range.len();
        Ok(reply)
    }
}

/// The most that was held while `work` ran, above what was before it; and the rows.
fn peak(work: impl Future<Output = usize>) -> (usize, usize) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let rows = runtime.block_on(work);
    (MEMORY.peak_usage() - before, rows)
}

fn scan(service: Pages, permits: usize, buffered_bytes: usize) -> ScanBuilder<Pages> {
    parallel_scan(service, "orders", "orders_index")
        .limiter(Limiter::fixed(permits))
        .buffered_bytes(buffered_bytes)
}

fn table(service: Pages, permits: usize, buffered_bytes: usize) -> TableScanBuilder<Pages> {
    table_scan(service, "orders")
        .concurrency(SPLITS)
        .limiter(Limiter::fixed(permits))
        .buffered_bytes(buffered_bytes)
}

/// A caller who lets everything lie that may.
async fn slowly<T, E: std::fmt::Debug>(
    mut stream: impl Stream<Item = Result<T, E>> + Unpin,
    rows_of: impl Fn(&T) -> usize,
) -> usize {
    let mut rows = 0;
    while let Some(item) = stream.try_next().await.unwrap() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        rows += rows_of(&item);
    }
    rows
}

/// A caller who takes what is there.
async fn counted<T, E: std::fmt::Debug>(
    mut stream: impl Stream<Item = Result<T, E>> + Unpin,
) -> usize {
    let mut count = 0;
    while stream.try_next().await.unwrap().is_some() {
        count += 1;
    }
    count
}

/// One test: the allocator counts what all threads of the process hold.
#[test]
fn the_peak_follows_from_the_bounds_and_not_from_the_table() {
    // Not counted: what the service holds is its own.
    let service = Pages::new();
    let page_bytes = service.page_bytes();
    for (permits, buffered_pages) in [(2, 2), (4, 2), (4, 8), (4, 16)] {
        let buffer = buffered_pages * page_bytes;
        let bound = permits * 2 * page_bytes + buffer;
        for of_a_split in [3, 24] {
            let all = of_a_split * usize::try_from(SPLITS).unwrap() * ROWS_OF_A_PAGE;
            let holds = |view: &str, (peak, rows): (usize, usize)| {
                let case = format!(
                    "{view}, {permits} permits, {buffered_pages} pages, {of_a_split} of a split"
                );
                assert_eq!(rows, all, "{case}");
                assert!(peak <= bound, "{case}: {peak} of {bound}");
            };
            let pages = async {
                let pages = scan(service.many(of_a_split), permits, buffer)
                    .open()
                    .await
                    .unwrap();
                slowly(pages, |page| page.rows.len()).await
            };
            holds("pages", peak(pages));
            let verified = async {
                let builder = scan(service.many(of_a_split), permits, buffer).verify_pages(true);
                slowly(builder.open().await.unwrap(), |page| page.rows.len()).await
            };
            holds("pages, verified", peak(verified));
            let decoded = async {
                let scan = scan(service.many(of_a_split), permits, buffer)
                    .open()
                    .await
                    .unwrap();
                let counts = scan.decode(|page| page.rows().map(|rows| rows.len()));
                slowly(counts, |count| *count).await
            };
            holds("decoded", peak(decoded));
            let rows = async {
                counted(
                    scan(service.many(of_a_split), permits, buffer)
                        .open()
                        .await
                        .unwrap()
                        .rows(),
                )
                .await
            };
            holds("rows", peak(rows));
            let pages = async {
                let pages = table(service.many(of_a_split), permits, buffer)
                    .open()
                    .await
                    .unwrap();
                slowly(pages, |page| usize::try_from(page.row_count()).unwrap()).await
            };
            holds("table, pages", peak(pages));
            let rows = async {
                counted(
                    table(service.many(of_a_split), permits, buffer)
                        .open()
                        .await
                        .unwrap()
                        .rows(),
                )
                .await
            };
            holds("table, rows", peak(rows));
        }
    }

    // The keys of what was given: as documented, 18 bytes of each row; a list that grows by doubling
    // has up to as much again.
    let once = async |of_a_split| {
        let policy = OnSessionLoss::ExactlyOnce { max: 1 };
        let builder = scan(service.many(of_a_split), 4, 4 * page_bytes).on_session_loss(policy);
        let mut pages = builder.open().await.unwrap();
        let mut rows = 0;
        while let Some(page) = pages.try_next().await.unwrap() {
            rows += page.rows.len();
        }
        rows
    };
    let (small, few) = peak(once(10));
    let (large, many) = peak(once(100));
    let keys = 2 * 10 * (many - few);
    assert!(
        large <= small + keys,
        "{small} for {few}, {large} for {many}"
    );
}
