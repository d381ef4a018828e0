//! What a world is made of, and worlds from numbers.

use std::time::Duration;

use fastrand::Rng;
use ots_core::limiter::Limiter;
use ots_scan::{OnSessionLoss, ScanBuilder, parallel_scan};

use super::model::{Faults, Model, Tokens};

/// Everything that a world is made of.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) rows: i64,
    pub(crate) splits_size: u32,
    pub(crate) concurrency: u32,
    pub(crate) limit: u32,
    pub(crate) alive: Duration,
    /// What the caller says of it, if it is less than the service grants.
    pub(crate) told_alive: Option<Duration>,
    pub(crate) keep_alive: Duration,
    pub(crate) buffered_bytes: usize,
    pub(crate) limiter: Option<usize>,
    pub(crate) refetches: u32,
    pub(crate) verify_pages: bool,
    pub(crate) policy: OnSessionLoss,
    /// A bound on keys in memory, beyond which they are spilled.
    pub(crate) keys_bytes: Option<usize>,
    pub(crate) view: View,
    pub(crate) caller: Caller,
    pub(crate) faults: Faults,
    /// Another scan, of another table, with the same permits.
    pub(crate) neighbour: Option<Neighbour>,
}

/// A scan that somebody else begins and drops.
#[derive(Debug)]
pub(crate) struct Neighbour {
    pub(crate) world: Box<World>,
    pub(crate) dropped_after_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Pages,
    Events,
    Rows,
}

#[derive(Debug)]
pub(crate) struct Caller {
    /// In milliseconds, at most, and of so many in a hundred.
    pub(crate) pause_ms: u64,
    pub(crate) pauses: u8,
    /// Goes away after so many items.
    pub(crate) drops_after: Option<usize>,
    /// Or is killed, and goes on from where it was.
    pub(crate) resumes_after: Option<usize>,
    pub(crate) resumes: Resumes,
}

/// How a caller goes on that was killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resumes {
    FromCheckpoint,
    /// Each split from its token, fewer of them at once.
    InSession {
        concurrency: u32,
    },
}
impl World {
    pub(crate) fn new(rng: &mut Rng) -> Self {
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
        let concurrency = if rng.bool() {
            rng.u32(1..=10)
        } else {
            rng.u32(1..=64)
        };
        let resumes = if rng.bool() {
            Resumes::FromCheckpoint
        } else {
            let concurrency = rng.u32(1..=concurrency);
            Resumes::InSession { concurrency }
        };
        let delay_ms = [0, 1, 20, 300][rng.usize(0..4)];
        let (alive, delay_ms) = match (resumes_after, resumes) {
            // The age of a checkpoint is that of the computer's clock.
            (Some(_), Resumes::FromCheckpoint) => (Duration::from_secs(86_400), delay_ms),
            // Some sixty splits, one after another, are kept alive in time.
            (Some(_), Resumes::InSession { .. }) => {
                (Duration::from_secs(rng.u64(20..60)), delay_ms.min(20))
            }
            (None, _) => (Duration::from_secs(rng.u64(20..60)), delay_ms),
        };
        let damaged = rare(rng, 30);
        let expires = rng.usize(0..5);
        Self {
            rows: rng.i64(0..70),
            splits_size: rng.u32(1..=64),
            concurrency,
            limit: rng.u32(2..9),
            alive,
            told_alive: None,
            keep_alive: Duration::from_secs(if rng.bool() { 3_600 } else { 0 }),
            buffered_bytes: if rng.bool() {
                rng.usize(0..2_000)
            } else {
                1 << 20
            },
            limiter: rng.bool().then(|| rng.usize(1..12)),
            refetches: rng.u32(0..4),
            verify_pages: rng.bool(),
            policy,
            // A key takes 18, or 34 on its way to the disk: a page fits into a quarter.
            keys_bytes: rng.bool().then(|| rng.usize(2_000..6_000)),
            view,
            caller: Caller {
                pause_ms: if rng.u8(0..6) == 0 { 90_000 } else { 40 },
                pauses: rng.u8(0..60),
                drops_after: (rng.u8(0..6) == 0).then(|| rng.usize(0..30)),
                resumes_after,
                resumes,
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
                delay_ms,
                tokens: Tokens::Places,
            },
            neighbour: None,
        }
    }

    /// A world in which another scan has the same permits, and is dropped at some moment.
    pub(crate) fn of_two(rng: &mut Rng) -> Self {
        let mut world = Self::new(rng);
        let mut other = Self::new(rng);
        world.limiter = Some(rng.usize(1..4));
        if world.caller.resumes_after.is_none() {
            // Soon its requests can't wait for their turn.
            world.told_alive = Some(Duration::from_millis(rng.u64(300..2_000)));
        }
        // It may be urgent for the other, and keeps none from being in time.
        other.concurrency = rng.u32(1..=10);
        other.alive = Duration::from_millis(rng.u64(20..4_000));
        other.faults.delay_ms = other.faults.delay_ms.min(20);
        let most = [4, 60, 2_000][rng.usize(0..3)];
        world.neighbour = Some(Neighbour {
            world: Box::new(other),
            dropped_after_ms: rng.u64(0..most),
        });
        world
    }

    /// A world whose service has a cursor, so that nothing can be asked twice without a loss; and in
    /// which no other harm is done than to make a scan do so.
    pub(crate) fn of_cursors(rng: &mut Rng) -> Self {
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
        if rng.u8(0..3) == 0 {
            world.view = View::Pages;
            world.caller.resumes_after = Some(rng.usize(0..40));
            // In a session nobody asks for a row first.
            world.caller.resumes = Resumes::FromCheckpoint;
            // The age of a checkpoint is that of the computer's clock.
            world.alive = Duration::from_secs(86_400);
            // Where a split goes on with an empty page no row can come again.
            world.faults.empty_page = 0;
        }
        if tokens == Tokens::FreshCursor {
            // What was lost on its way can't be missed by anybody.
            world.faults.lost = 0;
            world.faults.damaged = 0;
        }
        world
    }

    pub(crate) fn model(&self, rng: &mut Rng) -> Model {
        Model::new(
            rng.fork(),
            self.faults.clone(),
            self.rows,
            self.splits_size.try_into().unwrap(),
            self.limit.try_into().unwrap(),
            self.alive,
        )
    }

    pub(crate) fn builder(&self, model: &Model, limiter: Option<&Limiter>) -> ScanBuilder<Model> {
        let builder = parallel_scan(model.clone(), "orders", "orders_index")
            .task_limit(64)
            .concurrency(self.concurrency)
            .limit(self.limit)
            .alive_time(self.told_alive.unwrap_or(self.alive))
            .keep_alive(self.keep_alive)
            .buffered_bytes(self.buffered_bytes)
            .refetches(self.refetches)
            .verify_pages(self.verify_pages)
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
}
