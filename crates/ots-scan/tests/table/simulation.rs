//! Thousands of worlds, each made from a number: a table that changes while it is read, a service with
//! its faults, a caller with its habits. In each, what a scan of a table promises is held against what
//! the service knows.
//!
//! A world that fails says its number; `OTS_TABLE_WORLD=number cargo test -p ots-scan --test table
//! simulation -- --include-ignored` plays it alone. There are as many others as anybody likes:
//! `OTS_TABLE_WORLDS=10000..30000 cargo test -p ots-scan --test table simulation -- --ignored` plays those.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;
use ots_proto::ColumnValue;
use ots_scan::{RangeStep, ReadBy, TableProgress};

use super::model::{Faults, Model};
use super::roads::{DecodeError, rows_of};
use super::*;

/// Everything that a world is made of.
#[derive(Debug)]
struct Sim {
    rows: Vec<(PrimaryKey, Option<usize>)>,
    points: Vec<PrimaryKey>,
    most_rows: usize,
    limit: Option<u32>,
    /// Blocks by BulkExport are matrices then.
    names_columns: bool,
    read_by: ReadBy,
    concurrency: u32,
    limiter: Option<usize>,
    buffered_bytes: usize,
    refetches: u32,
    view: View,
    /// In milliseconds, at most, and of so many in a hundred.
    pause_ms: u64,
    pauses: u8,
    /// Goes away after so many items.
    drops_after: Option<usize>,
    /// Is killed after so many items, and goes on from a checkpoint.
    stops: Vec<usize>,
    faults: Faults,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Pages,
    Rows,
    /// Written later than they come.
    Written,
}

/// What the caller has.
#[derive(Debug, Default)]
struct Given {
    rows: Vec<(PrimaryKey, i64)>,
    /// Of the latest life: rows by range, and pages.
    by_range: Vec<u64>,
    pages: u64,
    /// What it cost in this life to find the ranges.
    found_for: u64,
    lives: usize,
    ended: Option<Result<(), TableScanError>>,
}

/// How a life of a caller ends.
enum End {
    Stopped(TableCheckpoint),
    Dropped,
    Complete,
    Failed(TableScanError, TableCheckpoint),
}

impl Sim {
    fn new(rng: &mut Rng) -> Self {
        let any_key = |rng: &mut Rng| {
            let city = ["a", "ab", "b", "c", "d"][rng.usize(0..5)];
            key(city, rng.i64(0..12))
        };
        let rare = |rng: &mut Rng, hundredths: u8| match rng.u8(0..3) {
            0 => rng.u8(0..hundredths),
            _ => 0,
        };
        let wide = rng.u8(0..3) == 0;
        let rows: Vec<_> = (0..rng.usize(0..50))
            .map(|_| {
                let cells = match rng.u8(0..8) {
                    0 => None,
                    1 if wide => Some(rng.usize(3..7)),
                    _ => Some(1),
                };
                (any_key(rng), cells)
            })
            .collect();
        let points: BTreeSet<_> = (0..rng.usize(0..12)).map(|_| any_key(rng)).collect();
        let poisoned = match rng.choice(&rows) {
            Some((key, Some(_))) if rng.u8(0..12) == 0 => Some(key.clone()),
            _ => None,
        };
        let view = [View::Pages, View::Rows, View::Written][rng.usize(0..3)];
        let drops = rng.u8(0..8) == 0;
        Self {
            most_rows: rng.usize(1..8),
            limit: (rng.u8(0..4) == 0).then(|| rng.u32(1..5)),
            names_columns: rng.bool(),
            read_by: [ReadBy::GetRange, ReadBy::BulkExport, ReadBy::Auto][rng.usize(0..3)],
            concurrency: rng.u32(1..=8),
            limiter: rng.bool().then(|| rng.usize(1..9)),
            buffered_bytes: if rng.bool() {
                rng.usize(0..900)
            } else {
                1 << 20
            },
            refetches: rng.u32(0..4),
            view,
            pause_ms: if rng.u8(0..6) == 0 { 90_000 } else { 40 },
            pauses: rng.u8(0..60),
            drops_after: drops.then(|| rng.usize(0..20)),
            stops: match rng.bool() {
                true => (0..rng.usize(0..5)).map(|_| rng.usize(0..15)).collect(),
                false => Vec::new(),
            },
            faults: Faults {
                lost: rare(rng, 30),
                throttled: rare(rng, 40),
                damaged: rare(rng, 25),
                stands: rare(rng, 40),
                changes: rare(rng, 60),
                poisoned,
                fails_at: match rng.u8(0..5) {
                    0 => (0..rng.usize(1..4)).map(|_| rng.u64(1..40)).collect(),
                    _ => Vec::new(),
                },
                refuses_export_from: rng.bool().then(|| rng.u64(0..30)),
                delay_ms: [0, 1, 20, 300][rng.usize(0..4)],
            },
            rows,
            points: points.into_iter().collect(),
        }
    }

    fn builder(&self, model: &Model, limiter: Option<&Limiter>) -> TableScanBuilder<Model> {
        let mut builder = table_scan(model.clone(), "orders")
            .concurrency(self.concurrency)
            .buffered_bytes(self.buffered_bytes)
            .refetches(self.refetches)
            .read_by(self.read_by);
        // By BulkExport alone it is refused.
        if let Some(rows) = self.limit.filter(|_| self.read_by != ReadBy::BulkExport) {
            builder = builder.limit(rows);
        }
        if self.names_columns {
            builder = builder.columns(["city", "id", "0", "1", "2", "3", "4", "5", "6"]);
        }
        match limiter {
            Some(limiter) => builder.limiter(limiter.clone()),
            None => builder,
        }
    }

    /// Life after life, until the scan is complete, or has been dropped, or fails again and again.
    async fn play(&self, model: &Model, rng: &mut Rng) -> Given {
        let limiter = self.limiter.map(Limiter::fixed);
        let builder = self.builder(model, limiter.as_ref());
        let mut scan = builder.open().await.unwrap();
        let mut given = Given {
            found_for: builder.plan().await.unwrap().consumed.read,
            ..Given::default()
        };
        let mut stops = self.stops.iter();
        loop {
            given.by_range.clear();
            given.pages = 0;
            let before = model.seen();
            let stop = stops.next().copied();
            let end = match self.view {
                View::Pages => self.pages(scan, stop, rng, &mut given, model).await,
                View::Rows => self.lone_rows(scan, stop, rng, &mut given).await,
                View::Written => self.written(scan, stop, rng, &mut given).await,
            };
            // Whatever was aborted has gone.
            tokio::time::sleep(Duration::from_millis(1)).await;
            let tasks = tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks();
            assert_eq!(tasks, 0, "tasks are left");
            let seen = model.seen();
            assert_eq!(seen.in_flight, 0);
            assert_eq!(limiter.as_ref().map_or(0, Limiter::in_flight), 0);
            given.lives += 1;
            let kept_at = match end {
                End::Stopped(checkpoint) => checkpoint,
                End::Dropped => return given,
                End::Complete => {
                    given.ended = Some(Ok(()));
                    return given;
                }
                End::Failed(error, checkpoint) => {
                    self.check_error(&error, &before, &seen);
                    // Whoever is told to come back later does.
                    if given.lives >= 8 || self.faults.poisoned.is_some() {
                        given.ended = Some(Err(error));
                        return given;
                    }
                    checkpoint
                }
            };
            scan = builder.resume(&kept(&kept_at)).unwrap();
            given.found_for = 0;
        }
    }

    async fn pages(
        &self,
        mut scan: TableScan,
        stop: Option<usize>,
        rng: &mut Rng,
        given: &mut Given,
        model: &Model,
    ) -> End {
        let mut last = vec![None; 64];
        let requests_before = model.seen().requests;
        let quiet = self.faults.is_quiet();
        for items in 0.. {
            if self.drops_after == Some(items) {
                return End::Dropped;
            }
            if stop == Some(items) {
                return End::Stopped(scan.checkpoint());
            }
            let next = scan.next().await;
            let progress = scan.progress();
            let requests = model.seen().requests - requests_before;
            match next {
                Some(Ok(page)) => {
                    let range = page.range() as usize;
                    for row in page.rows().unwrap() {
                        let key = Some(row.primary_key.clone());
                        assert!(last[range] < key, "out of order");
                        last[range] = key;
                        given.take(range, &row);
                    }
                    given.pages += 1;
                    if quiet {
                        // One page waits for the caller and one is ahead of it, in each task.
                        let ahead = 2 * u64::from(self.concurrency);
                        assert!(requests <= given.pages + ahead, "too far ahead");
                        assert!(progress.buffered_pages <= u64::from(self.concurrency));
                    }
                }
                Some(Err(error)) => {
                    assert!(scan.next().await.is_none(), "fused");
                    given.check_counts(error.progress().unwrap());
                    given.check_counts(&progress);
                    return End::Failed(error, scan.checkpoint());
                }
                None => {
                    assert!(scan.next().await.is_none() && scan.is_terminated(), "fused");
                    given.check_counts(&progress);
                    assert!(progress.is_done() && scan.checkpoint().is_done());
                    self.check_requests(given, requests, &progress);
                    return End::Complete;
                }
            }
            given.check_counts(&progress);
            self.pause(rng).await;
        }
        unreachable!()
    }

    async fn lone_rows(
        &self,
        scan: TableScan,
        stop: Option<usize>,
        rng: &mut Rng,
        given: &mut Given,
    ) -> End {
        let mut scan = scan.rows();
        for items in 0.. {
            if self.drops_after == Some(items) {
                return End::Dropped;
            }
            if stop == Some(items) {
                return End::Stopped(scan.checkpoint());
            }
            match scan.next().await {
                Some(Ok(row)) => given.take(0, &row),
                Some(Err(error)) => return End::Failed(error, scan.checkpoint()),
                None => {
                    assert!(scan.checkpoint().is_done());
                    return End::Complete;
                }
            }
            self.pause(rng).await;
        }
        unreachable!()
    }

    /// Blocks, as pages or matrices, are written a while after they came, in the order in which they came.
    async fn written(
        &self,
        scan: TableScan,
        stop: Option<usize>,
        rng: &mut Rng,
        given: &mut Given,
    ) -> End {
        let mut written = scan.checkpoint();
        let mut scan = scan.decode_blocks(|block| {
            let (rows, bytes) = rows_of(block)?;
            Ok::<_, DecodeError>(((block.step(), rows), bytes))
        });
        let mut waiting: VecDeque<(RangeStep, Vec<Row>)> = VecDeque::new();
        for items in 0.. {
            if self.drops_after == Some(items) {
                return End::Dropped;
            }
            if stop == Some(items) {
                return End::Stopped(written);
            }
            let ended = match scan.next().await {
                Some(Ok(page)) => {
                    waiting.push_back(page);
                    None
                }
                Some(Err(error)) => Some(Err(error)),
                None => Some(Ok(())),
            };
            let lag = match ended {
                Some(Ok(())) => 0,
                _ => rng.usize(0..5),
            };
            while waiting.len() > lag {
                let (step, rows) = waiting.pop_front().unwrap();
                rows.iter()
                    .for_each(|row| given.take(step.range as usize, row));
                written.advance(&step).unwrap();
            }
            match ended {
                Some(Ok(())) => {
                    assert!(written.is_done());
                    return End::Complete;
                }
                Some(Err(error)) => return End::Failed(error, written),
                None => self.pause(rng).await,
            }
        }
        unreachable!()
    }

    async fn pause(&self, rng: &mut Rng) {
        if rng.u8(0..100) < self.pauses {
            tokio::time::sleep(Duration::from_millis(rng.u64(0..=self.pause_ms))).await;
        }
    }

    /// For every page one request; for one that was asked for again another, and what was ahead of it;
    /// for a refused BulkExport one in each task.
    fn check_requests(&self, given: &Given, requests: u64, progress: &TableProgress) {
        let pages = given.pages;
        if self.faults.lost > 0 {
            return;
        }
        let refused = u64::from(self.concurrency);
        let most = pages + 2 * progress.refetched + refused;
        assert!(
            requests <= most,
            "{requests} for {pages} pages: {progress:?}"
        );
        assert!(progress.requests <= requests);
        if self.faults.is_quiet() {
            assert_eq!((pages, progress.requests), (requests, requests));
            assert_eq!(progress.consumed.read, pages + given.found_for);
        }
    }

    /// An error has its reason in the world.
    fn check_error(&self, error: &TableScanError, before: &model::Seen, seen: &model::Seen) {
        let damaged = seen.damaged - before.damaged > u64::from(self.refetches);
        match error.kind() {
            TableScanErrorKind::Range { .. } if error.code().is_some() => {
                let refused = self.read_by == ReadBy::BulkExport && seen.refused_exports > 0;
                assert!(seen.failed > before.failed || refused, "{error}");
            }
            TableScanErrorKind::Range { .. } | TableScanErrorKind::Decode { .. } => {
                assert!(damaged, "{error}");
            }
            kind => panic!("{kind:?}: {error}"),
        }
        assert!(error.progress().is_some());
    }

    /// What every scan promises.
    fn check(&self, given: &Given, model: &Model) {
        let seen = model.seen();
        assert_eq!(seen.wrong, Vec::<String>::new());
        let most = self.concurrency as usize;
        assert!(seen.max_in_flight <= most.min(self.limiter.unwrap_or(most)));
        let mut found = BTreeSet::new();
        for row in &given.rows {
            assert!(seen.versions.contains(row), "{row:?} never was");
            assert!(found.insert(&row.0), "{row:?} came twice");
        }
        if matches!(given.ended, Some(Ok(()))) {
            for key in &seen.lasting {
                assert!(found.contains(key), "{key:?} is missing");
            }
        }
        if given.ended.is_none() {
            assert!(self.drops_after.is_some());
        }
    }
}

impl Faults {
    fn is_quiet(&self) -> bool {
        let never = [self.lost, self.throttled, self.damaged] == [0; 3];
        never
            && self.fails_at.is_empty()
            && self.poisoned.is_none()
            && self.refuses_export_from.is_none()
    }
}

impl Given {
    fn take(&mut self, range: usize, row: &Row) {
        self.by_range.resize(self.by_range.len().max(range + 1), 0);
        self.by_range[range] += 1;
        let Some(ColumnValue::Integer(version)) = row.get("0") else {
            panic!("{row:?}")
        };
        let whole = |(number, cell): (usize, &ots_proto::Cell)| *cell.name == *number.to_string();
        assert!(row.cells.iter().enumerate().all(whole), "{row:?}");
        self.rows.push((row.primary_key.clone(), *version));
    }

    /// The figures are exact, for each range.
    fn check_counts(&self, progress: &TableProgress) {
        assert_eq!(progress.pages(), self.pages);
        for (number, range) in progress.ranges.iter().enumerate() {
            let rows = self.by_range.get(number).copied().unwrap_or_default();
            assert_eq!(range.rows, rows, "of range {number}");
        }
    }
}

/// Plays one world, and says what its end was.
fn play(number: u64) -> &'static str {
    let mut rng = Rng::with_seed(number);
    let sim = Sim::new(&mut rng);
    let played = catch_unwind(AssertUnwindSafe(|| {
        let model = Model::new(
            rng.fork(),
            sim.faults.clone(),
            sim.points.clone(),
            sim.rows.iter().cloned(),
            sim.most_rows,
        );
        let given = block_on(async {
            // No pause of the caller's is longer than a minute and a half.
            let a_week = Duration::from_secs(7 * 86_400);
            let played = tokio::time::timeout(a_week, sim.play(&model, &mut rng));
            played.await.expect("stuck")
        });
        sim.check(&given, &model);
        given
    }));
    match played {
        Ok(given) => match given.ended {
            None => "dropped",
            Some(Ok(())) if given.lives > 1 => "resumed",
            Some(Ok(())) => "complete",
            Some(Err(error)) => match error.kind() {
                TableScanErrorKind::Decode { .. } => "damaged",
                _ => "failed",
            },
        },
        Err(panic) => {
            eprintln!("OTS_TABLE_WORLD={number} plays this again: {sim:#?}");
            resume_unwind(panic)
        }
    }
}

fn play_all(worlds: std::ops::Range<u64>, expected: &[&str]) {
    let alone = std::env::var("OTS_TABLE_WORLD").ok();
    if let Some(number) = alone.and_then(|it| it.parse().ok()) {
        if worlds.contains(&number) {
            play(number);
        }
        return;
    }
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let count = worlds.end - worlds.start;
    for number in worlds {
        *ends.entry(play(number)).or_default() += 1;
    }
    // A simulation in which nothing happens proves nothing.
    for end in expected {
        let share = ends.get(end).copied().unwrap_or_default();
        assert!(share * 100 >= count, "too few are {end}: {ends:?}");
    }
}

const ENDS: &[&str] = &["complete", "resumed", "dropped", "damaged", "failed"];

// In parts, so that they are played side by side.

#[test]
fn the_first_worlds_keep_every_promise() {
    play_all(0..1_500, ENDS);
}

#[test]
fn the_last_worlds_keep_every_promise() {
    play_all(1_500..3_000, ENDS);
}

#[test]
#[ignore = "for whoever has the time"]
fn all_other_worlds_keep_every_promise() {
    let wanted = std::env::var("OTS_TABLE_WORLDS");
    let wanted = wanted.as_deref().unwrap_or("3000..6000");
    let (from, to) = wanted.split_once("..").expect("as in 10000..30000");
    if std::env::var_os("OTS_TABLE_WORLD").is_some() {
        play_all(3_000..u64::MAX, &[]);
    } else {
        play_all(from.parse().unwrap()..to.parse().unwrap(), &[]);
    }
}
