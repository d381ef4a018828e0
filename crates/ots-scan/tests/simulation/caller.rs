//! A caller with habits, and what it was given.

use std::time::Duration;

use fastrand::Rng;
use futures::StreamExt as _;
use futures::future::join;
use ots_core::limiter::Limiter;
use ots_proto::Row;
use ots_scan::{Checkpoint, OnSessionLoss, ScanBuilder, ScanError, ScanEvent, ScanProgress};
use tokio::time::{Instant, timeout};

use super::model::{Model, Tokens};
use super::world::{Neighbour, Resumes, View, World};

/// What the caller was given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// By session: every row, as often as it came.
    pub(crate) rows: Vec<Vec<(i64, i64)>>,
    pub(crate) restarts: u32,
    pub(crate) ended: Option<Result<(), ScanError>>,
    pub(crate) progress: Option<ScanProgress>,
    /// Rows given before the last checkpoint.
    pub(crate) before: usize,
    /// Rows of a page that was given damaged, with which the caller gave up.
    pub(crate) unread: Option<usize>,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

impl World {
    pub(crate) async fn play(&self, model: &Model, rng: &mut Rng) -> Given {
        let limiter = self.limiter.map(Limiter::fixed);
        let start = Instant::now();
        let mut given = match (&self.neighbour, &limiter) {
            (Some(neighbour), Some(limiter)) => {
                let mut of_other = rng.fork();
                let other = neighbour.play(limiter, &mut of_other);
                join(self.read(model, Some(limiter), rng), other).await.0
            }
            _ => self.read(model, limiter.as_ref(), rng).await,
        };
        given.elapsed = start.elapsed();
        // Whatever was aborted has gone.
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        let tasks = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks();
        assert_eq!(tasks, 0, "tasks are left");
        assert_eq!(model.seen().in_flight, 0);
        if let Some(limiter) = limiter {
            assert_eq!(limiter.in_flight(), 0);
            let all: Vec<_> = std::iter::from_fn(|| limiter.try_acquire()).collect();
            assert_eq!(all.len(), limiter.max(), "permits were lost");
        }
        given
    }

    async fn read(&self, model: &Model, limiter: Option<&Limiter>, rng: &mut Rng) -> Given {
        let builder = self.builder(model, limiter);
        match self.view {
            View::Pages => self.pages(&builder, model, rng).await,
            View::Events => self.events(&builder, rng).await,
            View::Rows => self.lone_rows(&builder, rng).await,
        }
    }

    async fn pages(&self, builder: &ScanBuilder<Model>, model: &Model, rng: &mut Rng) -> Given {
        let mut scan = builder.open().await.unwrap();
        let mut given = Given::default();
        for items in 0.. {
            if self.caller.drops_after == Some(items) {
                break;
            }
            if self.caller.resumes_after == Some(items) {
                if let Some(checkpoint) = scan.checkpoint() {
                    let session = scan.session().unwrap().clone();
                    drop(scan);
                    // What was under way when it was killed.
                    tokio::task::yield_now().await;
                    model.resumed(checkpoint.positions());
                    scan = match self.caller.resumes {
                        Resumes::FromCheckpoint => {
                            let bytes = checkpoint.to_bytes();
                            builder.resume(&Checkpoint::from_bytes(&bytes).unwrap())
                        }
                        Resumes::InSession { concurrency } => {
                            let fewer = builder.clone().concurrency(concurrency);
                            fewer.in_session(&session, checkpoint.positions())
                        }
                    }
                    .unwrap();
                    given.before = given.rows.iter().map(Vec::len).sum();
                } else {
                    let cursors = self.faults.tokens != Tokens::Places;
                    assert!(cursors || !model.seen().expired.is_empty());
                }
            }
            match scan.next().await {
                Some(Ok(page)) => match page.rows() {
                    Ok(rows) => given.take(page.generation, &rows),
                    Err(_) => {
                        given.unread = Some(page.rows.len());
                        break;
                    }
                },
                Some(Err(error)) => given.ended = Some(Err(error)),
                None => given.ended = Some(Ok(())),
            }
            if given.ended.is_some() {
                assert!(scan.next().await.is_none(), "fused");
                break;
            }
            // The tokens of pages that nobody has taken are not kept alive for those who come after.
            let in_session = matches!(self.caller.resumes, Resumes::InSession { .. });
            if !in_session || self.caller.resumes_after.is_none_or(|after| after <= items) {
                self.pause(rng).await;
            }
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
                    match page.rows() {
                        Ok(rows) => given.take(page.generation, &rows),
                        Err(_) => {
                            given.unread = Some(page.rows.len());
                            break;
                        }
                    }
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
}

impl Neighbour {
    /// Reads, until it is dropped: whatever its tasks wait for then, or hold.
    async fn play(&self, limiter: &Limiter, rng: &mut Rng) {
        let model = self.world.model(rng);
        let read = self.world.read(&model, Some(limiter), rng);
        drop(timeout(Duration::from_millis(self.dropped_after_ms), read).await);
        let of_model = model.seen();
        assert_eq!(of_model.wrong, Vec::<String>::new());
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
