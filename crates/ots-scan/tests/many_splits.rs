//! A table of billions in small: what a page costs grows neither with the splits nor with the pages.
//!
//! Work is counted, not timed: allocations, polls of requests and of the stream.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use ots_core::{Call, Error, Reply};
use ots_proto::messages::{
    ComputeSplitsRequest, ComputeSplitsResponse, ParallelScanRequest, ParallelScanResponse,
};
use ots_proto::operation;
use ots_proto::plainbuffer::write_row;
use ots_proto::{PrimaryKey, Row};
use ots_scan::{Limiter, parallel_scan};

/// Splits of as many pages as are asked for, each with the same row.
struct Pages {
    of_a_split: u64,
    splits: i32,
    latency: Duration,
    row: Bytes,
    /// Polls of requests, but for those of the clock.
    polls: Arc<AtomicU64>,
}

impl Call<operation::ComputeSplits> for Pages {
    async fn call(&self, _: ComputeSplitsRequest) -> Result<Reply<ComputeSplitsResponse>, Error> {
        Ok(Reply::new(ComputeSplitsResponse {
            session_id: Some(Bytes::from_static(b"a session")),
            splits_size: Some(self.splits),
        }))
    }
}

impl Call<operation::ParallelScan> for Pages {
    async fn call(
        &self,
        request: ParallelScanRequest,
    ) -> Result<Reply<ParallelScanResponse>, Error> {
        let token = request.scan_query.unwrap().token;
        let page = token.map_or(0, |token| {
            u64::from_le_bytes(token.as_ref().try_into().unwrap())
        });
        let mut wait = Box::pin(async {
            if self.latency > Duration::ZERO {
                tokio::time::sleep(self.latency).await;
            }
        });
        std::future::poll_fn(|cx| {
            self.polls.fetch_add(1, Ordering::Relaxed);
            wait.as_mut().poll(cx)
        })
        .await;
        let next = page + 1;
        let next_token = Bytes::copy_from_slice(&next.to_le_bytes());
        Ok(Reply::new(ParallelScanResponse {
            rows: vec![self.row.clone()],
            next_token: (next < self.of_a_split).then_some(next_token),
        }))
    }
}

/// What a scan took, for each of its pages.
#[derive(Debug)]
struct Work {
    allocations: f64,
    /// Held at once, at most.
    most_bytes: u64,
    polls_of_requests: f64,
    polls_of_stream: f64,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    permits: usize,
    buffered_bytes: usize,
    latency: Duration,
}

fn scan(splits: u32, of_a_split: u64, bounds: Bounds) -> Work {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let polls = Arc::new(AtomicU64::new(0));
    let pages = Pages {
        of_a_split,
        splits: splits.try_into().unwrap(),
        latency: bounds.latency,
        row: write_row(&Row::new(PrimaryKey::new().column("id", 7)).cell("city", "Hangzhou")),
        polls: Arc::clone(&polls),
    };
    let (mut given, mut polls_of_stream) = (0_u64, 0_u64);
    let allocated = allocation_counter::measure(|| {
        runtime.block_on(async {
            let builder = parallel_scan(pages, "orders", "orders_index")
                .task_limit(256)
                .concurrency(splits)
                .limiter(Limiter::fixed(bounds.permits))
                .buffered_bytes(bounds.buffered_bytes);
            let mut scan = builder.open().await.unwrap();
            std::future::poll_fn(|cx| {
                polls_of_stream += 1;
                loop {
                    match scan.poll_next_unpin(cx) {
                        Poll::Ready(Some(page)) => given += page.unwrap().rows.len() as u64,
                        Poll::Ready(None) => return Poll::Ready(()),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            })
            .await;
            assert!(scan.progress().is_done());
        });
    });
    let pages = u64::from(splits) * of_a_split;
    assert_eq!(given, pages);
    #[expect(clippy::cast_precision_loss, reason = "figures to compare")]
    let a_page = |count: u64| count as f64 / pages as f64;
    Work {
        allocations: a_page(allocated.count_total),
        most_bytes: allocated.bytes_max,
        polls_of_requests: a_page(polls.load(Ordering::Relaxed)),
        polls_of_stream: a_page(polls_of_stream),
    }
}

/// With room and permits for all, and with neither.
const BOUNDS: [Bounds; 3] = [
    Bounds {
        permits: 256,
        buffered_bytes: 1 << 20,
        latency: Duration::ZERO,
    },
    Bounds {
        permits: 7,
        buffered_bytes: 1 << 20,
        latency: Duration::from_millis(5),
    },
    Bounds {
        permits: 64,
        buffered_bytes: 2_000,
        latency: Duration::from_millis(5),
    },
];

#[test]
fn a_page_costs_the_same_of_more_pages_and_of_more_splits() {
    for bounds in BOUNDS {
        let small = scan(32, 100, bounds);
        for (splits, pages) in [(32, 400), (256, 100), (256, 200)] {
            let large = scan(splits, pages, bounds);
            for (small, large) in [
                (small.allocations, large.allocations),
                (small.polls_of_requests, large.polls_of_requests),
                (small.polls_of_stream, large.polls_of_stream),
            ] {
                // What a scan and a split cost once is a part of each page's share.
                assert!(
                    large <= small * 1.1 + 0.1,
                    "{splits} of {pages}, {bounds:?}: {small} grew to {large}"
                );
            }
        }
    }
}

/// 2,560,000 pages: a step of `cargo xtask ci`.
#[test]
#[ignore = "long, for what is built with every change"]
fn two_hundred_and_fifty_six_splits_of_ten_thousand_pages() {
    let few = scan(256, 100, BOUNDS[0]);
    let many = scan(256, 10_000, BOUNDS[0]);
    assert!(
        many.allocations <= few.allocations * 1.05,
        "{few:?} {many:?}"
    );
    assert!(many.polls_of_requests <= few.polls_of_requests * 1.05);
    assert!(many.polls_of_stream <= few.polls_of_stream * 1.05);
    // Nothing is kept of a page.
    assert!(many.most_bytes <= few.most_bytes * 2, "{few:?} {many:?}");
}
