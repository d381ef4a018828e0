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
use futures::TryStreamExt as _;
use ots_core::{Call, Error, Reply};
use ots_proto::messages::{
    ComputeSplitsRequest, ComputeSplitsResponse, ParallelScanRequest, ParallelScanResponse,
};
use ots_proto::operation;
use ots_proto::plainbuffer::write_row;
use ots_proto::{PrimaryKey, Row};
use ots_scan::{Limiter, OnSessionLoss, ScanBuilder, parallel_scan};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const ROWS_OF_A_PAGE: usize = 50;
const SPLITS: i32 = 8;

/// Splits of many pages, each copied when it is asked for and kept by nobody.
struct Pages {
    of_a_split: usize,
    page: Arc<Vec<Bytes>>,
}

impl Pages {
    fn new(of_a_split: usize) -> Self {
        let row = |id: usize| {
            let row = Row::new(PrimaryKey::new().column("id", id as i64));
            write_row(&row.cell("text", "x".repeat(1_900)))
        };
        let page = Arc::new((0..ROWS_OF_A_PAGE).map(row).collect());
        Self { of_a_split, page }
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

impl Call<operation::ComputeSplits> for Pages {
    async fn call(&self, _: ComputeSplitsRequest) -> Result<Reply<ComputeSplitsResponse>, Error> {
        Ok(Reply::new(ComputeSplitsResponse {
            session_id: Some(Bytes::from_static(b"a session")),
            splits_size: Some(SPLITS),
        }))
    }
}

impl Call<operation::ParallelScan> for Pages {
    async fn call(
        &self,
        request: ParallelScanRequest,
    ) -> Result<Reply<ParallelScanResponse>, Error> {
        let scan = request.scan_query.unwrap();
        let split = scan.current_parallel_id.unwrap();
        let page = scan.token.map_or(0, |token| {
            std::str::from_utf8(&token)
                .unwrap()
                .parse::<usize>()
                .unwrap()
        });
        tokio::time::sleep(Duration::from_millis(u64::from(split.unsigned_abs()) + 1)).await;
        let rows = self.copy();
        let next_token = (page + 1 < self.of_a_split).then(|| (page + 1).to_string().into());
        let mut reply = Reply::new(ParallelScanResponse { rows, next_token });
        reply.body_bytes = self.page_bytes();
        Ok(reply)
    }
}

/// The most that was held while `work` ran, above what was before it.
fn peak(work: impl Future<Output = usize>) -> (usize, usize) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let rows = runtime.block_on(work);
    (MEMORY.peak_usage() - before, rows)
}

fn scan(of_a_split: usize, buffered_bytes: usize) -> ScanBuilder<Pages> {
    parallel_scan(Pages::new(of_a_split), "orders", "orders_index")
        .limiter(Limiter::fixed(4))
        .buffered_bytes(buffered_bytes)
}

/// One test: the allocator counts what all threads of the process hold.
#[test]
fn the_peak_follows_from_the_bounds_and_not_from_the_table() {
    let page_bytes = Pages::new(0).page_bytes();
    // A caller who lets everything lie that may.
    let slow = |of_a_split, bytes| async move {
        let mut pages = scan(of_a_split, bytes).open().await.unwrap();
        let mut rows = 0;
        while let Some(page) = pages.try_next().await.unwrap() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            rows += page.rows.len();
        }
        rows
    };
    for buffered_pages in [2, 4, 8, 16] {
        let bytes = buffered_pages * page_bytes;
        // Two pages for each permit, the buffer, and what is needed to make a page.
        let bound = 4 * 2 * page_bytes + bytes + 2 * page_bytes;
        for of_a_split in [4, 40] {
            let (peak, rows) = peak(slow(of_a_split, bytes));
            assert_eq!(rows, of_a_split * 8 * ROWS_OF_A_PAGE);
            assert!(peak <= bound, "{of_a_split}: {peak} of {bound}");
        }
    }

    // Owned rows are larger than their page, and count as what they are.
    let owned = |of_a_split| async move {
        let mut rows = scan(of_a_split, 8 * page_bytes)
            .open()
            .await
            .unwrap()
            .rows();
        let mut count = 0;
        while rows.try_next().await.unwrap().is_some() {
            count += 1;
        }
        count
    };
    let bound = 4 * 2 * page_bytes + 8 * page_bytes + 4 * page_bytes;
    for of_a_split in [4, 40] {
        let (peak, _) = peak(owned(of_a_split));
        assert!(peak <= bound, "owned, {of_a_split}: {peak} of {bound}");
    }

    // The keys of what was given: as documented, 18 bytes of each row; a list that grows by doubling
    // has up to as much again.
    let once = |of_a_split| async move {
        let policy = OnSessionLoss::ExactlyOnce { max: 1 };
        let builder = scan(of_a_split, 4 * page_bytes).on_session_loss(policy);
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
