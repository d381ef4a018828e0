//! Ten thousand worlds, each made from a number: a table, a service with its faults, a caller with its
//! habits. In each, what the policy promises is held against what the service knows.
//!
//! A world that fails says its number; `OTS_WORLD=number cargo test -p ots-scan --test simulation`
//! plays it alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use fastrand::Rng;
use futures::StreamExt as _;
use model::{Faults, Model, Table, Tokens};
use ots_core::limiter::Limiter;
use ots_proto::Row;
use ots_scan::{
    Checkpoint, OnSessionLoss, ScanBuilder, ScanError, ScanErrorKind, ScanEvent, ScanProgress,
    parallel_scan,
};

/// Everything that a world is made of.
#[derive(Debug)]
struct World {
    rows: i64,
    splits_size: u32,
    concurrency: u32,
    limit: u32,
    alive: Duration,
    keep_alive: Duration,
    buffered_bytes: usize,
    limiter: Option<usize>,
    refetches: u32,
    policy: OnSessionLoss,
    /// A bound on keys in memory, beyond which they are spilled.
    keys_bytes: Option<usize>,
    view: View,
    caller: Caller,
    faults: Faults,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Pages,
    Events,
    Rows,
}

#[derive(Debug)]
struct Caller {
    /// In milliseconds, at most, and of so many in a hundred.
    pause_ms: u64,
    pauses: u8,
    /// Goes away after so many items.
    drops_after: Option<usize>,
    /// Or is killed, and goes on from a checkpoint.
    resumes_after: Option<usize>,
}

/// What the caller was given.
#[derive(Debug, Default)]
struct Given {
    /// By session: every row, as often as it came.
    rows: Vec<Vec<(i64, i64)>>,
    restarts: u32,
    ended: Option<Result<(), ScanError>>,
    progress: Option<ScanProgress>,
    /// Rows given before the last checkpoint.
    before: usize,
}

impl World {
    fn new(rng: &mut Rng) -> Self {
        let rare = |rng: &mut Rng, hundredths: u8| {
            if rng.u8(0..3) == 0 {
                rng.u8(0..hundredths)
            } else {
                0
            }
        };
        let policy = match rng.u8(0..3) {
            0 => OnSessionLoss::Fail,
            1 => OnSessionLoss::Restart { max: rng.u32(0..4) },
            _ => OnSessionLoss::ExactlyOnce { max: rng.u32(0..4) },
        };
        let view = match (policy, rng.u8(0..3)) {
            (OnSessionLoss::Restart { .. }, _) | (_, 0) => View::Events,
            (_, 1) => View::Pages,
            _ => View::Rows,
        };
        let resumes_after = match (policy, view) {
            (OnSessionLoss::Fail, View::Pages) if rng.bool() => Some(rng.usize(0..40)),
            _ => None,
        };
        let alive = match resumes_after {
            // The age of a checkpoint is that of the computer's clock.
            Some(_) => Duration::from_secs(86_400),
            None => Duration::from_secs(rng.u64(20..60)),
        };
        let damaged = rare(rng, 30);
        let expires = rng.usize(0..5);
        Self {
            rows: rng.i64(0..70),
            splits_size: rng.u32(1..=64),
            concurrency: if rng.bool() {
                rng.u32(1..=10)
            } else {
                rng.u32(1..=64)
            },
            limit: rng.u32(2..9),
            alive,
            keep_alive: Duration::from_secs(if rng.bool() { 3_600 } else { 0 }),
            buffered_bytes: if rng.bool() {
                rng.usize(0..2_000)
            } else {
                1 << 20
            },
            limiter: rng.bool().then(|| rng.usize(1..12)),
            refetches: rng.u32(0..4),
            policy,
            // A key takes 18, or 26 on its way to the disk.
            keys_bytes: rng.bool().then(|| rng.usize(700..6_000)),
            view,
            caller: Caller {
                pause_ms: if rng.u8(0..6) == 0 { 90_000 } else { 40 },
                pauses: rng.u8(0..60),
                drops_after: (rng.u8(0..6) == 0).then(|| rng.usize(0..30)),
                resumes_after,
            },
            faults: Faults {
                empty_page: rare(rng, 60),
                lost: rare(rng, 30),
                throttled: rare(rng, 40),
                damaged,
                damaged_for_ever: damaged > 0 && rng.u8(0..4) == 0,
                fails_at: (rng.u8(0..12) == 0).then(|| rng.u64(1..60)),
                expires_at: (0..expires).map(|_| rng.u64(0..80)).collect(),
                sessions: (rng.u8(0..12) == 0).then(|| rng.usize(1..4)),
                changes: rare(rng, 40),
                delay_ms: [0, 1, 20, 300][rng.usize(0..4)],
                tokens: Tokens::Places,
            },
        }
    }

    /// A world whose service has a cursor, so that nothing can be asked twice without a loss; and in
    /// which no other harm is done than to make a scan do so.
    fn of_cursors(rng: &mut Rng) -> Self {
        let mut world = Self::new(rng);
        let tokens = [Tokens::Cursor, Tokens::FreshCursor][rng.usize(0..2)];
        world.splits_size = rng.u32(1..4);
        // So that every split has pages enough for its cursor to show.
        world.rows = i64::from(world.splits_size) * 80;
        world.policy = OnSessionLoss::Fail;
        world.view = [View::Pages, View::Rows][rng.usize(0..2)];
        world.alive = Duration::from_secs(60);
        world.keep_alive = Duration::from_secs(3_600);
        world.caller.drops_after = None;
        world.caller.resumes_after = None;
        if rng.u8(0..3) == 0 {
            // Pages that are taken while a request to keep the session alive is on its way.
            world.caller.pause_ms = 40_000;
            world.caller.pauses = 5;
        }
        world.faults = Faults {
            fails_at: None,
            expires_at: Vec::new(),
            sessions: None,
            changes: 0,
            damaged_for_ever: false,
            tokens,
            ..world.faults
        };
        if tokens == Tokens::FreshCursor {
            // What was lost on its way can't be missed by anybody.
            world.faults.lost = 0;
            world.faults.damaged = 0;
        }
        world
    }

    fn model(&self, rng: &mut Rng) -> Model {
        Model::new(
            rng.fork(),
            self.faults.clone(),
            self.rows,
            self.splits_size.try_into().unwrap(),
            self.limit.try_into().unwrap(),
            self.alive,
        )
    }

    fn builder(&self, model: &Model, limiter: Option<&Limiter>) -> ScanBuilder<Model> {
        let builder = parallel_scan(model.clone(), "orders", "orders_index")
            .task_limit(64)
            .concurrency(self.concurrency)
            .limit(self.limit)
            .alive_time(self.alive)
            .keep_alive(self.keep_alive)
            .buffered_bytes(self.buffered_bytes)
            .refetches(self.refetches)
            .verify_pages(true)
            .on_session_loss(self.policy);
        let builder = match self.keys_bytes {
            Some(bytes) => builder
                .delivered_keys_bytes(bytes)
                .spill_keys_to(std::env::temp_dir()),
            None => builder,
        };
        match limiter {
            Some(limiter) => builder.limiter(limiter.clone()),
            None => builder,
        }
    }

    async fn play(&self, model: &Model, rng: &mut Rng) -> Given {
        let limiter = self.limiter.map(Limiter::fixed);
        let builder = self.builder(model, limiter.as_ref());
        let given = match self.view {
            View::Pages => self.pages(&builder, rng).await,
            View::Events => self.events(&builder, rng).await,
            View::Rows => self.lone_rows(&builder, rng).await,
        };
        // Whatever was aborted has gone.
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        let tasks = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks();
        assert_eq!(tasks, 0, "tasks are left");
        assert_eq!(model.seen().in_flight, 0);
        assert_eq!(limiter.map_or(0, |limiter| limiter.in_flight()), 0);
        given
    }

    async fn pages(&self, builder: &ScanBuilder<Model>, rng: &mut Rng) -> Given {
        let mut scan = builder.open().await.unwrap();
        let mut given = Given::default();
        for items in 0.. {
            if self.caller.drops_after == Some(items) {
                break;
            }
            if self.caller.resumes_after == Some(items) {
                let bytes = scan.checkpoint().unwrap().to_bytes();
                drop(scan);
                // What was under way when it was killed.
                tokio::task::yield_now().await;
                scan = builder
                    .resume(&Checkpoint::from_bytes(&bytes).unwrap())
                    .unwrap();
                given.before = given.rows.iter().map(Vec::len).sum();
            }
            match scan.next().await {
                Some(Ok(page)) => given.take(page.generation, &page.rows().unwrap()),
                Some(Err(error)) => given.ended = Some(Err(error)),
                None => given.ended = Some(Ok(())),
            }
            if given.ended.is_some() {
                assert!(scan.next().await.is_none(), "fused");
                break;
            }
            self.pause(rng).await;
        }
        given.progress = Some(scan.progress());
        given
    }

    async fn events(&self, builder: &ScanBuilder<Model>, rng: &mut Rng) -> Given {
        let mut scan = builder.events().await.unwrap();
        let mut given = Given::default();
        for items in 0.. {
            if self.caller.drops_after == Some(items) {
                break;
            }
            match scan.next().await {
                Some(Ok(ScanEvent::Page(page))) => {
                    assert_eq!(page.generation, given.restarts, "before its event");
                    given.take(page.generation, &page.rows().unwrap());
                }
                Some(Ok(ScanEvent::Restarted(restarted))) => {
                    given.restarts += 1;
                    assert_eq!(restarted.generation, given.restarts);
                    let exactly_once = matches!(self.policy, OnSessionLoss::ExactlyOnce { .. });
                    assert_eq!(restarted.rows_stand, exactly_once);
                    let rows: usize = given.rows.last().map_or(0, Vec::len);
                    let lost = u32::try_from(given.rows.len()).unwrap() == given.restarts;
                    assert_eq!(
                        restarted.progress.rows(),
                        if lost { rows as u64 } else { 0 }
                    );
                }
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(error)) => given.ended = Some(Err(error)),
                None => given.ended = Some(Ok(())),
            }
            if given.ended.is_some() {
                assert!(scan.next().await.is_none(), "fused");
                break;
            }
            self.pause(rng).await;
        }
        given.progress = Some(scan.progress());
        given
    }

    async fn lone_rows(&self, builder: &ScanBuilder<Model>, rng: &mut Rng) -> Given {
        let mut scan = builder.open().await.unwrap().rows();
        let mut given = Given::default();
        for items in 0.. {
            if self.caller.drops_after == Some(items) {
                break;
            }
            match scan.next().await {
                Some(Ok(row)) => given.take(scan.progress().generation, &[row]),
                Some(Err(error)) => given.ended = Some(Err(error)),
                None => given.ended = Some(Ok(())),
            }
            if given.ended.is_some() {
                assert!(scan.next().await.is_none(), "fused");
                break;
            }
            self.pause(rng).await;
        }
        given.progress = Some(scan.progress());
        given
    }

    async fn pause(&self, rng: &mut Rng) {
        if rng.u8(0..100) < self.caller.pauses {
            tokio::time::sleep(Duration::from_millis(rng.u64(0..=self.caller.pause_ms))).await;
        }
    }

    /// What every scan promises.
    fn check(&self, given: &Given, model: &Model) {
        let seen = model.seen();
        assert_eq!(seen.wrong, Vec::<String>::new());
        let snapshots = model.snapshots();
        let most = self.splits_size.min(self.concurrency) as usize;
        assert!(seen.max_in_flight <= most.min(self.limiter.unwrap_or(most)));
        self.check_requests(given, model);

        let progress = given.progress.as_ref().unwrap();
        let restarts = progress.generation;
        let max = match self.policy {
            OnSessionLoss::Restart { max } | OnSessionLoss::ExactlyOnce { max } => max,
            _ => 0,
        };
        assert!(restarts <= max);
        assert!(snapshots.len() <= 1 + restarts as usize + 1);

        // Rows come at most once from a session, and as that session saw them.
        for (rows, snapshot) in given.rows.iter().zip(&snapshots) {
            let distinct: BTreeMap<i64, i64> = rows.iter().copied().collect();
            assert_eq!(distinct.len(), rows.len(), "doubled");
            for (key, version) in distinct {
                assert_eq!(snapshot.get(&key), Some(&version), "changed on the way");
            }
        }
        match self.policy {
            OnSessionLoss::ExactlyOnce { .. } => self.check_exactly_once(given, &snapshots),
            _ => check_last(given, &snapshots),
        }
        self.check_counts(given, progress);
        let keys_bytes = self.keys_bytes.unwrap_or(usize::MAX) as u64;
        assert!(progress.keys_memory_bytes <= keys_bytes);
        match given.ended.as_ref() {
            Some(Err(error)) => self.check_error(error, given, model, max),
            Some(Ok(())) => assert!(progress.is_done()),
            None => assert!(self.caller.drops_after.is_some()),
        }
    }

    /// Nothing doubled over all sessions; nothing of the last one missing.
    fn check_exactly_once(&self, given: &Given, snapshots: &[Table]) {
        let mut keys = BTreeSet::new();
        for (key, _) in given.rows.iter().flatten() {
            assert!(keys.insert(*key), "{key} was given twice");
        }
        if matches!(given.ended, Some(Ok(()))) {
            let last = snapshots.last().unwrap();
            for key in last.keys() {
                assert!(keys.contains(key), "{key} is missing");
            }
            for key in keys {
                let was = snapshots.iter().any(|snapshot| snapshot.contains_key(&key));
                assert!(was, "{key} never was");
            }
        }
    }

    /// The figures are exact, but for the rows of a page that is being read one by one.
    fn check_counts(&self, given: &Given, progress: &ScanProgress) {
        let rows = given.rows.iter().map(Vec::len).sum::<usize>() - given.before;
        let counted = progress.rows() + progress.earlier_rows;
        if self.view == View::Rows && given.ended.is_none() {
            assert!(counted >= rows as u64);
        } else {
            assert_eq!(counted, rows as u64);
        }
        if let Some(Err(error)) = &given.ended {
            let of_error = error.progress().unwrap();
            assert_eq!(
                (of_error.rows(), of_error.earlier_rows),
                (progress.rows(), progress.earlier_rows)
            );
        }
    }

    /// An error has its reason in the world.
    fn check_error(&self, error: &ScanError, given: &Given, model: &Model, max: u32) {
        let seen = model.seen();
        let restarts = given.progress.as_ref().unwrap().generation;
        match error.kind() {
            ScanErrorKind::SessionExpired { .. } => {
                assert_eq!(restarts, max, "it could have begun anew");
                assert!(!seen.expired.is_empty());
                if self.keep_alive > Duration::ZERO {
                    assert_eq!(seen.grew_old, 0, "it should have been kept alive");
                }
            }
            ScanErrorKind::Call { .. } => assert!(seen.failed),
            ScanErrorKind::Row { .. } => assert!(seen.damaged > u64::from(self.refetches)),
            ScanErrorKind::Open => assert!(seen.refused_session),
            ScanErrorKind::TokenMoved { .. } => {
                assert_ne!(self.faults.tokens, Tokens::Places);
                // Also by a row that nobody waited for, before the service saw that it was asked for.
                let pinged = self.caller.pause_ms >= 20_000;
                let asked_again = self.faults.lost > 0 || seen.damaged > 0 || pinged;
                assert!(asked_again, "nothing was asked twice");
            }
            kind => panic!("{kind:?}: {error}"),
        }
        assert!(!(seen.refused_session && restarts >= max));
    }

    /// For every page: once, as often again as it was damaged, and what that drew after it.
    fn check_requests(&self, given: &Given, model: &Model) {
        let seen = model.seen();
        let progress = given.progress.as_ref().unwrap();
        if self.faults.lost == 0 && self.faults.throttled == 0 {
            // All of those that came back are counted; others were given up.
            assert!(progress.requests <= seen.requests);
            assert_eq!(progress.retries, 0);
        }
        assert!(progress.kept_alive <= progress.requests);
        if self.keep_alive == Duration::ZERO {
            assert_eq!((progress.kept_alive, seen.pings), (0, 0));
        }
        if self.faults.damaged == 0 {
            assert_eq!(progress.refetched, 0);
        }
        let once = self.caller.resumes_after.is_none();
        let whole = once && self.faults.empty_page == 0 && self.faults.lost == 0;
        if whole && self.faults.damaged == 0 && self.faults.changes == 0 {
            // A page has at least one row, and each split a last one without; two of each split may
            // be on their way when a session is lost.
            let splits = u64::from(self.splits_size.min(self.concurrency));
            let a_session = self.rows.unsigned_abs() + 2 * splits;
            let sessions = u64::from(progress.generation) + 1;
            assert!(seen.requests - seen.pings <= sessions * a_session);
        }
    }
}

/// What the last session gave: nothing else, and all of it when the scan ended well.
fn check_last(given: &Given, snapshots: &[Table]) {
    if matches!(given.ended, Some(Ok(()))) {
        let last = given.rows.get(snapshots.len() - 1);
        let rows: Table = last.into_iter().flatten().copied().collect();
        assert_eq!(&rows, snapshots.last().unwrap(), "not the table");
    }
}

impl Given {
    fn take(&mut self, generation: u32, rows: &[Row]) {
        let generation = generation as usize;
        self.rows
            .resize(self.rows.len().max(generation + 1), Vec::new());
        let row = |row: &Row| {
            let key = row.primary_key.get("id").unwrap().as_integer().unwrap();
            let Some(ots_proto::ColumnValue::Integer(version)) = row.get("version") else {
                panic!("{row:?}")
            };
            (key, *version)
        };
        self.rows[generation].extend(rows.iter().map(row));
    }
}

/// Plays one world, and says what its end was; and whether keys were on disk then.
fn play(number: u64) -> (&'static str, bool) {
    let mut rng = Rng::with_seed(number);
    let world = if CURSORS.contains(&number) {
        World::of_cursors(&mut rng)
    } else {
        World::new(&mut rng)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let played = catch_unwind(AssertUnwindSafe(|| {
        let model = world.model(&mut rng);
        let given = runtime.block_on(async {
            // No pause of the caller's is longer than a minute and a half.
            let a_week = Duration::from_secs(7 * 86_400);
            let played = tokio::time::timeout(a_week, world.play(&model, &mut rng));
            played.await.expect("stuck")
        });
        world.check(&given, &model);
        given
    }));
    match played {
        Ok(given) => {
            let progress = given.progress.unwrap();
            let end = match given.ended {
                None => "dropped",
                Some(Ok(())) if progress.generation > 0 => "restarted",
                Some(Ok(())) => "complete",
                Some(Err(error)) => match error.kind() {
                    ScanErrorKind::SessionExpired { .. } => "expired",
                    ScanErrorKind::Row { .. } => "damaged",
                    ScanErrorKind::TokenMoved { .. } => "moved",
                    _ => "failed",
                },
            };
            (end, progress.keys_disk_bytes > 0)
        }
        Err(panic) => {
            eprintln!("OTS_WORLD={number} plays this again: {world:#?}");
            resume_unwind(panic)
        }
    }
}

fn play_all(worlds: std::ops::Range<u64>, expected: &[&str]) {
    if let Some(number) = std::env::var("OTS_WORLD")
        .ok()
        .and_then(|it| it.parse().ok())
    {
        if worlds.contains(&number) {
            play(number);
        }
        return;
    }
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let count = worlds.end - worlds.start;
    for number in worlds {
        let (end, spilled) = play(number);
        *ends.entry(end).or_default() += 1;
        *ends.entry("spilled").or_default() += u64::from(spilled);
    }
    // A simulation in which nothing happens proves nothing.
    for end in expected {
        let share = ends.get(end).copied().unwrap_or_default();
        assert!(share * 100 >= count, "too few are {end}: {ends:?}");
    }
}

/// The worlds of services whose tokens can't be asked twice.
const CURSORS: std::ops::Range<u64> = 10_000..11_000;

/// What the worlds of a service within its rights end with.
const ENDS: &[&str] = &[
    "complete",
    "restarted",
    "expired",
    "damaged",
    "dropped",
    "failed",
    "spilled",
];

#[test]
fn a_service_whose_tokens_cannot_be_asked_twice_loses_nothing_in_silence() {
    play_all(CURSORS, &["complete", "moved"]);
}

// In parts, so that they are played side by side.

#[test]
fn the_first_worlds_keep_every_promise() {
    play_all(0..2_500, ENDS);
}

#[test]
fn the_second_worlds_keep_every_promise() {
    play_all(2_500..5_000, ENDS);
}

#[test]
fn the_third_worlds_keep_every_promise() {
    play_all(5_000..7_500, ENDS);
}

#[test]
fn the_last_worlds_keep_every_promise() {
    play_all(7_500..10_000, ENDS);
}
