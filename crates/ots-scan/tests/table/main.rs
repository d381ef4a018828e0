//! Scans of tables without an index: each row once, whatever the ranges, pages and stops.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod checkpoints;
mod emulated;
mod failures;
mod model;
mod roads;
mod simulation;
mod worlds;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::FusedStream as _;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use ots_core::filter::Filter;
use ots_core::{Call, Error, ErrorCode, Reply};
use ots_paging::testing::FakeTable;
use ots_proto::messages::{
    ComputeSplitPointsBySizeRequest, ComputeSplitPointsBySizeResponse, GetRangeRequest,
    GetRangeResponse, PrimaryKeySchema, PrimaryKeyType,
};
use ots_proto::{PrimaryKey, Row, TableSplits, operation, plainbuffer};
use ots_scan::{
    Limiter, SplitState, TableCheckpoint, TablePage, TableRoad, TableScan, TableScanBuilder,
    TableScanError, TableScanErrorKind, table_scan,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

/// A table and the points at which the service would cut it.
struct World {
    table: FakeTable,
    points: Vec<PrimaryKey>,
    /// Of every page, on tokio's clock.
    latency: Duration,
}

impl World {
    fn new(table: FakeTable, points: impl IntoIterator<Item = PrimaryKey>) -> Self {
        Self {
            table,
            points: points.into_iter().collect(),
            latency: Duration::ZERO,
        }
    }
}

fn key(city: &str, id: i64) -> PrimaryKey {
    PrimaryKey::new().column("city", city).column("id", id)
}

fn row(key: PrimaryKey) -> Row {
    let id = key.get("id").unwrap().as_integer().unwrap();
    Row::new(key).cell("a", id)
}

fn key_schema() -> Vec<PrimaryKeySchema> {
    let column = |name: &str, kind: PrimaryKeyType| PrimaryKeySchema {
        name: name.to_owned(),
        r#type: kind.into(),
        option: None,
    };
    vec![
        column("city", PrimaryKeyType::String),
        column("id", PrimaryKeyType::Integer),
    ]
}

impl Call<operation::GetRange> for World {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        Call::<operation::GetRange>::call(&self.table, request).await
    }
}

impl Call<operation::ComputeSplitPointsBySize> for World {
    async fn call(
        &self,
        _: ComputeSplitPointsBySizeRequest,
    ) -> Result<Reply<ComputeSplitPointsBySizeResponse>, Error> {
        let splits = TableSplits::new(key_schema(), self.points.iter().cloned(), []).unwrap();
        Ok(Reply::new(splits.to_message()))
    }
}

/// 18 rows in three ranges of three pages each.
fn three_by_three(change: impl FnOnce(FakeTable) -> FakeTable) -> Arc<World> {
    let keys = ["a", "b", "c"]
        .into_iter()
        .flat_map(|city| (0..6).map(move |id| key(city, id)));
    let table = change(FakeTable::new(keys.map(row)).scan_caps([2]));
    let points = ["b", "c"].map(|city| PrimaryKey::new().column("city", city));
    Arc::new(World::new(table, points))
}

fn scan(world: &Arc<World>) -> TableScanBuilder<Arc<World>> {
    table_scan(Arc::clone(world), "orders")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// Everything that can happen without the caller has happened.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3_600)).await;
}

fn keys(page: &TablePage) -> Vec<PrimaryKey> {
    let rows = page.rows().unwrap();
    assert_eq!(rows.len() as u64, page.row_count());
    rows.into_iter().map(|row| row.primary_key).collect()
}

fn kept(checkpoint: &TableCheckpoint) -> TableCheckpoint {
    TableCheckpoint::from_bytes(&checkpoint.to_bytes()).unwrap()
}

fn sorted(mut keys: Vec<PrimaryKey>) -> Vec<PrimaryKey> {
    keys.sort();
    keys
}

fn damage(mut response: GetRangeResponse) -> GetRangeResponse {
    let mut rows = response.rows.to_vec();
    if let Some(last) = rows.last_mut() {
        *last ^= 1;
    }
    response.rows = rows.into();
    response
}

/// Some of a stream.
async fn take<T>(
    stream: &mut (impl Stream<Item = Result<T, TableScanError>> + Unpin),
    items: usize,
) -> Vec<T> {
    let mut taken = Vec::new();
    while taken.len() < items {
        match stream.try_next().await.unwrap() {
            Some(item) => taken.push(item),
            None => break,
        }
    }
    taken
}

#[tokio::test]
async fn what_pages_become_is_made_in_the_tasks_and_a_change_of_mind_loses_nothing() {
    let world = three_by_three(|table| table);
    let counts = scan(&world).open().await.unwrap();
    let counts = counts.decode(|page| Ok::<_, TableScanError>(page.row_count()));
    assert_eq!(counts.try_collect::<Vec<_>>().await.unwrap(), [2; 9]);

    let refused = scan(&world).refetches(0).open().await.unwrap();
    let mut refused: TableScan<()> = refused.decode(|_| Err("not today"));
    let error = refused.try_next().await.unwrap_err();
    assert!(matches!(
        error.kind(),
        TableScanErrorKind::Decode { page: 0, .. }
    ));
    assert_eq!(error.source().unwrap().to_string(), "not today");

    let mut pages = scan(&world).open().await.unwrap();
    let mut found: Vec<_> = take(&mut pages, 4).await.iter().flat_map(keys).collect();
    let rest: Vec<_> = pages.rows().try_collect().await.unwrap();
    found.extend(rest.into_iter().map(|row| row.primary_key));
    let found = sorted(found);
    assert!(found.is_sorted_by(|one, next| one < next) && found.len() == 18);
}

#[tokio::test]
async fn what_is_printed_of_a_page_is_not_its_rows() {
    let world = three_by_three(|table| table);
    let mut pages = scan(&world).open().await.unwrap();
    let page = pages.try_next().await.unwrap().unwrap();
    let printed = format!("{page:?}");
    assert!(printed.contains("rows: 2"), "{printed}");
    for (number, bytes) in page.buffer().windows(8).enumerate() {
        let data = format!("{:?}", Bytes::copy_from_slice(bytes));
        let data = data.trim_start_matches('b').trim_matches('"');
        assert!(!printed.contains(data), "{number}: {printed}");
    }
    assert!(!printed.contains("PrimaryKey"), "{printed}");
}

#[tokio::test]
async fn what_can_be_known_before_is_refused_before() {
    let world = three_by_three(|table| table);
    for wrong in [
        scan(&world).concurrency(0),
        scan(&world).limit(0),
        scan(&world).max_versions(0),
        scan(&world).start(key("b", 1)).end(key("b", 1)),
    ] {
        let error = wrong.open().await.unwrap_err();
        assert_eq!(*error.kind(), TableScanErrorKind::Request);
        assert!(error.source().is_some());
    }
    let error = scan(&world)
        .start(PrimaryKey::new().column("id", 1))
        .plan()
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), TableScanErrorKind::Bounds);
    assert!(world.table.requests().is_empty());
}

#[test]
fn without_a_runtime_it_fails_and_does_not_panic() {
    let world = three_by_three(|table| table);
    let mut pages = block_on(scan(&world).open()).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Err(error))) = pages.poll_next_unpin(&mut cx) else {
        panic!("it is polled outside a runtime")
    };
    assert_eq!(*error.kind(), TableScanErrorKind::NoRuntime);
}

#[tokio::test]
async fn a_plan_tells_the_road_and_about_what_it_costs() {
    let world = three_by_three(|table| table);
    let mebibyte = NonZeroU64::new(1 << 20).unwrap();
    let plan = scan(&world)
        .part_bytes(mebibyte)
        .concurrency(2)
        .plan()
        .await
        .unwrap();
    assert_eq!(
        (plan.road, plan.ranges),
        (TableRoad::SideBySide { ranges: 2 }, 3)
    );
    assert_eq!(
        plan.to_string(),
        "3 ranges, 2 at a time, by GetRange: 2097152 to 3145728 bytes stored, at least 3 requests, \
         about 512 to 768 read capacity units"
    );
    // Cut by the bounds: only the second part is whole.
    let within = scan(&world)
        .start(key("a", 3))
        .end(key("c", 3))
        .part_bytes(mebibyte);
    let plan = within.plan().await.unwrap();
    assert_eq!((plan.ranges, plan.stored_bytes), (3, 1 << 20..=3 << 20));
    let one = scan(&world)
        .start(key("a", 1))
        .end(key("a", 3))
        .plan()
        .await
        .unwrap();
    assert_eq!((one.road, one.ranges), (TableRoad::OneRange, 1));
    assert!(
        one.to_string()
            .starts_with("one range, page after page, by GetRange: 0 to ")
    );
    assert!(world.table.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn ranges_are_read_side_by_side_and_a_page_ahead() {
    let mut world = Arc::into_inner(three_by_three(|table| table)).unwrap();
    world.latency = Duration::from_millis(20);
    let world = Arc::new(world);
    let elapsed = async |concurrency: u32, limiter: Limiter, pause: Duration| {
        let scan = scan(&world).concurrency(concurrency).limiter(limiter);
        let mut pages = scan.open().await.unwrap();
        let begin = tokio::time::Instant::now();
        while pages.try_next().await.unwrap().is_some() {
            tokio::time::sleep(pause).await;
        }
        begin.elapsed().as_millis()
    };
    let none = Duration::ZERO;
    assert_eq!(elapsed(3, Limiter::fixed(3), none).await, 3 * 20);
    assert_eq!(elapsed(1, Limiter::fixed(3), none).await, 9 * 20);
    assert_eq!(elapsed(3, Limiter::fixed(1), none).await, 9 * 20);
    // While the caller has a page, the next one is on its way.
    let busy = Duration::from_millis(20);
    assert_eq!(elapsed(1, Limiter::fixed(1), busy).await, 9 * 20 + 20);
}

#[tokio::test(start_paused = true)]
async fn progress_tells_what_lies_ready_how_long_it_takes_and_whether_all_came() {
    let mut world = Arc::into_inner(three_by_three(|table| table)).unwrap();
    world.latency = Duration::from_millis(500);
    let mut pages = scan(&Arc::new(world)).concurrency(3).open().await.unwrap();
    settle().await;
    assert_eq!(
        pages.progress().elapsed,
        Duration::ZERO,
        "nothing is wanted"
    );
    let first = pages.try_next().await.unwrap().unwrap();
    settle().await;
    let progress = pages.progress();
    let page_bytes = first.buffer().len() as u64;
    // Of the two other ranges one page each; of this one the next.
    let buffered = (progress.buffered_pages, progress.buffered_bytes);
    assert_eq!(buffered, (3, 3 * page_bytes));
    assert_eq!(progress.elapsed, Duration::from_millis(3_600_500));
    assert_eq!(take(&mut pages, usize::MAX).await.len(), 8);

    let progress = pages.progress();
    assert_eq!((progress.buffered_pages, progress.buffered_bytes), (0, 0));
    settle().await;
    assert_eq!(pages.progress(), progress, "it has ended");
    let rate = progress.rows_per_second();
    assert!((rate - 18.0 / progress.elapsed.as_secs_f64()).abs() < 1e-9);
    progress.check_count(18, 0).unwrap();
    progress.check_count(20, 2).unwrap();
    let error = progress.check_count(17, 0).unwrap_err();
    let counts = TableScanErrorKind::Count {
        given: 18,
        counted: 17,
    };
    assert_eq!(*error.kind(), counts);
    assert_eq!(
        error.to_string(),
        "the scan gave 18 rows, and 17 were counted elsewhere; count again, and scan again if they \
         still differ and nobody writes"
    );
}
