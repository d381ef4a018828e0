//! Scans of tables without an index: each row once, whatever the ranges, pages and stops.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::error::Error as _;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

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
}

fn key(city: &str, id: i64) -> PrimaryKey {
    PrimaryKey::new().column("city", city).column("id", id)
}

fn row(key: PrimaryKey) -> Row {
    let id = key.get("id").unwrap().as_integer().unwrap();
    Row::new(key).cell("a", id)
}

impl Call<operation::GetRange> for World {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        Call::<operation::GetRange>::call(&self.table, request).await
    }
}

impl Call<operation::ComputeSplitPointsBySize> for World {
    async fn call(
        &self,
        _: ComputeSplitPointsBySizeRequest,
    ) -> Result<Reply<ComputeSplitPointsBySizeResponse>, Error> {
        let column = |name: &str, kind: PrimaryKeyType| PrimaryKeySchema {
            name: name.to_owned(),
            r#type: kind.into(),
            option: None,
        };
        let schema = vec![
            column("city", PrimaryKeyType::String),
            column("id", PrimaryKeyType::Integer),
        ];
        let splits = TableSplits::new(schema, self.points.iter().cloned(), []).unwrap();
        Ok(Reply::new(splits.to_message()))
    }
}

/// 18 rows in three ranges of three pages each.
fn three_by_three(change: impl FnOnce(FakeTable) -> FakeTable) -> Arc<World> {
    let keys = ["a", "b", "c"]
        .into_iter()
        .flat_map(|city| (0..6).map(move |id| key(city, id)));
    let table = change(FakeTable::new(keys.map(row)).scan_caps([2]));
    let points = ["b", "c"]
        .map(|city| PrimaryKey::new().column("city", city))
        .to_vec();
    Arc::new(World { table, points })
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

#[derive(Clone, Debug)]
struct Case {
    rows: Vec<(String, i64)>,
    tombstones: Vec<(String, i64)>,
    points: Vec<(String, Option<i64>)>,
    caps: Vec<usize>,
    cells: Vec<usize>,
    bounds: (Option<(String, i64)>, Option<String>),
    filter: Option<i64>,
    limit: Option<u32>,
    concurrency: u32,
    in_flight: usize,
    buffered_bytes: usize,
    /// After so many pages, or rows, the scan is dropped and resumed.
    stops: Vec<usize>,
    damaged: usize,
}

fn any_key() -> impl Strategy<Value = (String, i64)> {
    ("[a-d]{1,2}", 0_i64..6)
}

prop_compose! {
    fn case()(
        rows in btree_set(any_key(), 0..60),
        tombstones in btree_set(any_key(), 0..8),
        points in btree_set(("[a-d]{1,2}", prop::option::of(0_i64..6)), 0..8),
        caps in vec(1_usize..7, 1..5),
        cells in vec(1_usize..3, 0..3),
        bounds in (prop::option::of(any_key()), prop::option::of("[c-e]{1,2}")),
        filter in prop::option::of(1_i64..4),
        limit in prop::option::of(1_u32..9),
        concurrency in 1_u32..6,
        in_flight in 1_usize..6,
        buffered_bytes in prop_oneof![Just(0_usize), Just(400), Just(1 << 20)],
        stops in vec(0_usize..12, 0..5),
        damaged in 2_usize..9,
    ) -> Case {
        Case {
            tombstones: tombstones.into_iter().filter(|key| !rows.contains(key)).collect(),
            rows: rows.into_iter().collect(),
            points: points.into_iter().collect(),
            caps, cells, bounds, filter, limit, concurrency, in_flight, buffered_bytes, stops, damaged,
        }
    }
}

impl Case {
    fn world(&self) -> Arc<World> {
        let key_of = |(city, id): &(String, i64)| key(city, *id);
        let every = self.filter.unwrap_or(1);
        let damaged = self.damaged;
        let table = FakeTable::new(self.rows.iter().map(|it| row(key_of(it)).cell("b", "wide")))
            .tombstones(self.tombstones.iter().map(key_of))
            .scan_caps(self.caps.iter().copied())
            .cell_caps(self.cells.iter().copied())
            .filter(move |row| {
                row.primary_key.get("id").unwrap().as_integer().unwrap() % every == 0
            })
            // By chance, so that asking again helps in the end.
            .answer(move |number, response| {
                Ok(if hash(number) % damaged == 1 {
                    damage(response)
                } else {
                    response
                })
            });
        let points = self.points.iter().map(|(city, id)| {
            let point = PrimaryKey::new().column("city", city.as_str());
            match id {
                Some(id) => point.column("id", *id),
                None => point,
            }
        });
        Arc::new(World {
            table,
            points: points.collect(),
        })
    }

    fn scan(&self, world: &Arc<World>) -> TableScanBuilder<Arc<World>> {
        let mut scan = scan(world)
            .concurrency(self.concurrency)
            .limiter(Limiter::fixed(self.in_flight))
            .buffered_bytes(self.buffered_bytes)
            // Requests of other ranges come between, so that a page may be hit again.
            .refetches(1_000);
        if let Some((city, id)) = &self.bounds.0 {
            scan = scan.start(key(city, *id));
        }
        if let Some(city) = &self.bounds.1 {
            scan = scan.end(PrimaryKey::new().column("city", city.as_str()));
        }
        if self.filter.is_some() {
            scan = scan.filter(Filter::column("a").exists());
        }
        match self.limit {
            Some(rows) => scan.limit(rows),
            None => scan,
        }
    }

    fn is_empty_range(&self) -> bool {
        let (Some((from, _)), Some(to)) = &self.bounds else {
            return false;
        };
        from >= to
    }

    fn expected(&self) -> Vec<PrimaryKey> {
        let (from, to) = &self.bounds;
        let rows = self.rows.iter().filter(|(city, id)| {
            from.as_ref()
                .is_none_or(|from| (city, id) >= (&from.0, &from.1))
                && to.as_ref().is_none_or(|to| city < to)
                && id % self.filter.unwrap_or(1) == 0
        });
        rows.map(|(city, id)| key(city, *id)).collect()
    }
}

/// No rhythm that requests could fall in with.
fn hash(number: usize) -> usize {
    let mix = |it: u64, by: u64| (it ^ (it >> 30)).wrapping_mul(by);
    let mixed = mix(
        mix(number as u64 + 1, 0xbf58_476d_1ce4_e5b9),
        0x94d0_49bb_1331_11eb,
    );
    (mixed >> 40) as usize
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_row_comes_once_in_order_within_its_range_whenever_it_is_stopped(case in case()) {
        let world = case.world();
        let builder = case.scan(&world);
        block_on(async {
            let mut scan = match builder.open().await {
                Err(error) if case.is_empty_range() => {
                    assert_eq!(*error.kind(), TableScanErrorKind::Request);
                    return;
                }
                scan => scan.unwrap(),
            };
            let mut found = Vec::new();
            let mut rows_of_page = |page: &TablePage, last: &mut Vec<Option<PrimaryKey>>| {
                let range = page.range() as usize;
                last.resize(last.len().max(range + 1), None);
                for key in keys(page) {
                    assert!(last[range].as_ref() < Some(&key), "out of order");
                    last[range] = Some(key.clone());
                    found.push(key);
                }
            };
            for stop in &case.stops {
                let mut last = Vec::new();
                for page in take(&mut scan, *stop).await {
                    rows_of_page(&page, &mut last);
                }
                scan = builder.resume(&kept(&scan.checkpoint())).unwrap();
            }
            let mut last = Vec::new();
            for page in take(&mut scan, usize::MAX).await {
                rows_of_page(&page, &mut last);
            }
            assert!(scan.progress().is_done() && scan.checkpoint().is_done() && scan.is_terminated());
            assert_eq!(sorted(found), case.expected());
        });
    }

    #[test]
    fn a_stop_in_the_middle_of_a_page_of_rows_loses_and_doubles_nothing(case in case()) {
        prop_assume!(!case.is_empty_range());
        let world = case.world();
        let builder = case.scan(&world);
        block_on(async {
            let mut rows = builder.open().await.unwrap().rows();
            let mut found = Vec::new();
            for stop in case.stops.iter().copied().chain([usize::MAX]) {
                let taken = take(&mut rows, stop).await;
                found.extend(taken.into_iter().map(|row| {
                    assert_eq!(row.cells.len(), 2, "a wide row comes whole");
                    row.primary_key
                }));
                rows = builder.resume(&kept(&rows.checkpoint())).unwrap().rows();
            }
            assert!(rows.try_next().await.unwrap().is_none());
            assert_eq!(sorted(found), case.expected());
        });
    }

    /// With a checksum that fits, whatever the content.
    #[test]
    fn any_content_of_a_checkpoint_is_read_or_refused(
        at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = block_on(checkpoint()).to_bytes();
        bytes.truncate(bytes.len() - 8);
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = to }
        let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        bytes.extend(sum.to_le_bytes());
        if let Ok(read) = TableCheckpoint::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }
}

/// Half of a scan of `three_by_three`.
async fn checkpoint() -> TableCheckpoint {
    let world = three_by_three(|table| table);
    let mut half = scan(&world).concurrency(1).open().await.unwrap();
    assert_eq!(take(&mut half, 4).await.len(), 4);
    half.checkpoint()
}

#[tokio::test]
async fn a_checkpoint_is_refused_by_any_other_scan() {
    let half = checkpoint().await;
    let world = three_by_three(|table| table);
    let rest = scan(&world)
        .concurrency(3)
        .limit(1)
        .resume(&half)
        .unwrap()
        .rows();
    assert_eq!(rest.try_collect::<Vec<_>>().await.unwrap().len(), 18 - 8);

    let all = || scan(&world);
    for other in [
        table_scan(Arc::clone(&world), "flights"),
        all().filter(Filter::column("a").exists()),
        all().columns(["a"]),
        all().max_versions(2),
        all().start(key("a", 0)),
        all().end(key("z", 0)),
        all().start(PrimaryKey::new().column("id", 0)),
    ] {
        let error = other.resume(&half).unwrap_err();
        assert_eq!(
            *error.kind(),
            TableScanErrorKind::CheckpointOfOtherScan,
            "{other:?}"
        );
        assert!(error.table().is_some() && !error.is_retryable());
    }
}

#[tokio::test]
async fn damage_of_a_checkpoint_is_noticed_and_its_keys_stay_out_of_logs() {
    let half = checkpoint().await;
    let bytes = half.to_bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let error = TableCheckpoint::from_bytes(&damaged).unwrap_err();
            assert!(matches!(error.kind(), TableScanErrorKind::Checkpoint(_)));
        }
        assert!(TableCheckpoint::from_bytes(&bytes[..at]).is_err());
    }
    let debug = format!("{half:?}");
    assert_eq!(debug, "TableCheckpoint { ranges: 3, ranges_done: 1, .. }");
}

#[tokio::test]
async fn a_fault_in_the_middle_leaves_exact_counts_and_a_place_to_go_on_from() {
    // The second page of the second range.
    let world = three_by_three(|table| {
        table.answer(|number, response| {
            if number == 4 {
                let (code, status) = (ErrorCode::ServerBusy, 503.try_into().unwrap());
                return Err(Error::service(code, status, "busy", "r-1"));
            }
            Ok(response)
        })
    });
    let builder = scan(&world).concurrency(1);
    let mut half = builder.open().await.unwrap();
    let mut found = Vec::new();
    let error = loop {
        match half.next().await.unwrap() {
            Ok(page) => found.extend(keys(&page)),
            Err(error) => break error,
        }
    };
    assert!(half.next().await.is_none() && half.is_terminated());
    assert_eq!(
        *error.kind(),
        TableScanErrorKind::Range { range: 1, page: 1 }
    );
    assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    assert!(error.is_retryable());
    let progress = error.progress().unwrap();
    let ranges = progress
        .ranges
        .iter()
        .map(|range| (range.pages, range.rows));
    assert_eq!(ranges.collect::<Vec<_>>(), [(3, 6), (1, 2), (0, 0)]);
    assert_eq!(
        (progress.requests, progress.rows(), progress.ranges_done()),
        (5, 8, 1)
    );
    assert_eq!(progress.ranges[2].state, SplitState::Pending);
    assert_eq!(
        error.to_string(),
        "scan of table \"orders\": page 1 of range 1 of 3 failed after 8 rows; resume from the \
         checkpoint to go on behind them"
    );

    let rest = builder.resume(&kept(&half.checkpoint())).unwrap();
    let rest: Vec<_> = rest.try_collect().await.unwrap();
    found.extend(rest.iter().flat_map(keys));
    let found = sorted(found);
    assert!(found.is_sorted_by(|one, next| one < next) && found.len() == 18);
}

#[tokio::test]
async fn a_damaged_page_is_asked_for_again_and_then_given_up() {
    for limiter in [Limiter::fixed(1), Limiter::adaptive(4)] {
        let once = three_by_three(|table| {
            table.answer(|number, response| {
                Ok(if number == 1 {
                    damage(response)
                } else {
                    response
                })
            })
        });
        let builder = scan(&once)
            .concurrency(1)
            .limiter(limiter.clone())
            .buffered_bytes(0);
        let mut pages = builder.open().await.unwrap();
        let rows: Vec<_> = take(&mut pages, usize::MAX)
            .await
            .iter()
            .flat_map(keys)
            .collect();
        assert_eq!((rows.len(), pages.progress().refetched), (18, 1));
        assert_eq!(limiter.in_flight(), 0);
    }
    let always = three_by_three(|table| {
        table.answer(|number, response| {
            Ok(if number > 0 {
                damage(response)
            } else {
                response
            })
        })
    });
    let mut pages = scan(&always).concurrency(1).open().await.unwrap();
    assert_eq!(take(&mut pages, 1).await.len(), 1);
    let error = pages.try_next().await.unwrap_err();
    assert_eq!(
        *error.kind(),
        TableScanErrorKind::Decode { range: 0, page: 1 }
    );
    assert!(error.source().unwrap().is::<plainbuffer::Error>());
    assert_eq!(error.progress().unwrap().rows(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_waits_is_waited_for_and_one_who_goes_leaves_nothing_behind() {
    let world = three_by_three(|table| table);
    let limiter = Limiter::fixed(8);
    let mut pages = scan(&world)
        .concurrency(2)
        .limiter(limiter.clone())
        .open()
        .await
        .unwrap();
    assert!(world.table.requests().is_empty());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pages.poll_next_unpin(&mut cx).is_pending());
    settle().await;
    assert_eq!(
        world.table.requests().len(),
        4,
        "two pages in each of two tasks"
    );
    assert_eq!((limiter.in_flight(), pages.progress().rows()), (0, 0));
    assert_eq!(world.table.most_in_flight(), 2);
    assert!(matches!(
        pages.poll_next_unpin(&mut cx),
        Poll::Ready(Some(Ok(_)))
    ));
    drop(pages);
    settle().await;
    assert_eq!(Arc::strong_count(&world), 1, "a task is left");

    // Without room, none is asked for ahead: only the first ones, whose size nobody knows.
    let mut narrow = scan(&world)
        .concurrency(3)
        .buffered_bytes(0)
        .open()
        .await
        .unwrap();
    let before = world.table.requests().len();
    assert!(narrow.poll_next_unpin(&mut cx).is_pending());
    settle().await;
    assert_eq!(world.table.requests().len() - before, 3);
    assert_eq!(take(&mut narrow, usize::MAX).await.len(), 9);
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

mod emulator {
    use ots_core::request::{BatchWriteRow, CreateTable, TableWrites};
    use ots_core::transport::InProcess;
    use ots_core::{Client, Credentials, RowChange};
    use ots_emulator::{Emulator, Settings};

    use super::*;

    async fn client() -> Client {
        let mut settings = Settings::default();
        (settings.min_split_unit_bytes, settings.range_page_rows) = (1, 7);
        let emulator = Emulator::builder().settings(settings).build();
        let (id, secret) = (Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET);
        let client = Client::builder("http://embedded")
            .instance("scan")
            .credentials(Credentials::new(id, secret))
            .transport(InProcess::new(move |request| emulator.handle(request)))
            .build()
            .unwrap();
        let table = CreateTable::new("orders").primary_key("id", PrimaryKeyType::Integer);
        client.send(table).await.unwrap();
        for from in [0, 100, 200_i64] {
            let rows = (from..from + 100).map(|id| Row::new(PrimaryKey::new().column("id", id)));
            let puts = rows.map(|row| RowChange::Put(row.cell("a", 1).cell("b", "text")));
            let batch = BatchWriteRow::new().table(TableWrites::new("orders").changes(puts));
            client.send(batch).await.unwrap();
        }
        client
    }

    #[tokio::test]
    async fn a_table_in_many_ranges_with_columns_filter_and_bounds() {
        let client = client().await;
        let orders = table_scan(client, "orders").part_bytes(NonZeroU64::new(500).unwrap());
        let plan = orders.plan().await.unwrap();
        assert!(plan.ranges > 10, "{plan}");
        let id = |row: &Row| row.primary_key.get("id").unwrap().as_integer().unwrap();
        let mut scan = orders.open().await.unwrap();
        let mut rows = 0;
        while let Some(page) = scan.try_next().await.unwrap() {
            rows += page.row_count();
            assert!(page.consumed().read > 0);
        }
        let progress = scan.progress();
        assert_eq!(
            (rows, progress.rows(), progress.ranges.len()),
            (300, 300, usize::try_from(plan.ranges).unwrap())
        );
        assert!(
            progress.consumed.read > progress.requests,
            "and what the ranges cost"
        );

        let filter = Filter::column("a").eq(1);
        let some = orders.columns(["a"]).filter(filter);
        let some = some
            .start(PrimaryKey::new().column("id", 17))
            .end(PrimaryKey::new().column("id", 203));
        let rows = some.open().await.unwrap().rows();
        let rows: Vec<_> = rows.try_collect().await.unwrap();
        assert!(rows.iter().all(|row| row.cells.len() == 1));
        let mut ids: Vec<_> = rows.iter().map(id).collect();
        ids.sort_unstable();
        assert_eq!(ids, Vec::from_iter(17..203));
    }

    #[tokio::test]
    async fn a_missing_table_is_a_typed_error_before_the_first_row() {
        let missing = table_scan(client().await, "missing");
        let error = missing.open().await.unwrap_err();
        assert_eq!(*error.kind(), TableScanErrorKind::Open);
        assert_eq!(error.code(), Some(&ErrorCode::ObjectNotExist));
        assert_eq!(
            error.to_string(),
            "scan of table \"missing\": its ranges can't be had"
        );
    }
}
