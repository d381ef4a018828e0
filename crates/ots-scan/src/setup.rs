//! What a scan is and how far it is, apart from how its pages are wanted.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{Context, Poll};

use ots_core::limiter::Limiter;
use ots_core::{Error, ErrorCode};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::checkpoint::Checkpoint;
use crate::delivered::{Delivered, DeliveredError, Given, PageKeys, Segment};
use crate::error::{ScanError, ScanErrorKind};
use crate::events::Restarted;
use crate::failure::Failure;
use crate::launch::Launch;
use crate::plan::Handed;
use crate::progress::ScanProgress;
use crate::session::ScanSession;
use crate::session_life::SessionLife;
use crate::session_loss::OnSessionLoss;
use crate::split::Split;
use crate::worker::{SharedPlan, count};

/// What a scan is, apart from how its pages are wanted.
pub(crate) struct Setup {
    pub(crate) runtime: Handle,
    pub(crate) launcher: Arc<dyn Launch>,
    pub(crate) table: Arc<str>,
    pub(crate) index: Arc<str>,
    /// None for a scan without one.
    pub(crate) session: Option<ScanSession>,
    /// Of everything that a token depends on.
    pub(crate) fingerprint: u64,
    pub(crate) life: Arc<SessionLife>,
    pub(crate) plan: Arc<SharedPlan>,
    pub(crate) concurrency: NonZeroU32,
    pub(crate) limiter: Limiter,
    pub(crate) on_session_loss: OnSessionLoss,
    /// What the caller was given, where that must be remembered.
    pub(crate) delivered: Option<Delivered>,
    pub(crate) started: Option<Instant>,
    pub(crate) ended: Option<Instant>,
}

/// How a session was lost.
pub(crate) struct Loss {
    split: Split,
    cause: Error,
    progress: ScanProgress,
}

impl Setup {
    pub(crate) fn progress(&self) -> ScanProgress {
        let mut progress = self.plan.lock().progress();
        progress.earlier_rows_stand = self.on_session_loss.is_exactly_once();
        progress.concurrency = self.limiter.limit();
        if let Some(delivered) = &self.delivered {
            progress.keys_memory_bytes = count(delivered.memory_bytes());
            progress.keys_disk_bytes = delivered.disk_bytes();
        }
        if let Some(started) = self.started {
            progress.elapsed = self.ended.unwrap_or_else(Instant::now) - started;
        }
        progress
    }

    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        let session = self.session.as_ref()?;
        let expires_at = self.life.expires_at()?;
        let plan = self.plan.lock();
        if plan.generation() > 0 {
            return None;
        }
        let splits = plan.positions();
        let splits = splits.map(|(split, position)| (split, position.clone()));
        Some(Checkpoint::new(
            session,
            self.fingerprint,
            expires_at,
            splits.collect(),
        ))
    }

    /// Counts a page as the caller's.
    pub(crate) fn hand_over(
        &mut self,
        handed: Handed,
        keys: Option<PageKeys>,
    ) -> Result<(), ScanError> {
        let mut plan = self.plan.lock();
        if let (Some(delivered), Some(keys)) = (&mut self.delivered, keys) {
            let is_last = !self.on_session_loss.may_restart(plan.generation());
            let limit_bytes = delivered.limit_bytes();
            delivered.record(keys, is_last).map_err(|error| {
                ScanError::new(match error {
                    DeliveredError::Limit => ScanErrorKind::DeliveredKeys { limit_bytes },
                    DeliveredError::OtherKey => ScanErrorKind::KeyChanged,
                })
            })?;
        }
        plan.hand_over(handed);
        Ok(())
    }

    /// Waits until a page with these keys can be kept in mind.
    pub(crate) fn poll_delivered(
        &mut self,
        cx: &mut Context<'_>,
        keys: &PageKeys,
    ) -> Poll<Result<(), Failure>> {
        let may_restart = self.may_restart();
        match &mut self.delivered {
            Some(delivered) if may_restart => delivered
                .poll_ready(cx, &self.runtime, keys)
                .map_err(Failure::Spill),
            // Of the last session nothing is kept.
            _ => Poll::Ready(Ok(())),
        }
    }

    fn may_restart(&self) -> bool {
        let generation = self.plan.lock().generation();
        self.on_session_loss.may_restart(generation)
    }

    /// Whether the scan goes on after a failure, in another session.
    pub(crate) fn recover(&self, failure: Failure) -> Result<Loss, Failure> {
        match failure {
            Failure::Call { split, error, .. }
                if error.code() == Some(&ErrorCode::SessionExpired) && self.may_restart() =>
            {
                Ok(Loss {
                    split,
                    cause: error,
                    progress: self.progress(),
                })
            }
            failure => Err(failure),
        }
    }

    /// Goes on in another session.
    pub(crate) fn restart(
        &mut self,
        session: ScanSession,
        segment: Option<Segment>,
        loss: Loss,
    ) -> (Restarted, Option<Given>) {
        let generation = {
            let mut plan = self.plan.lock();
            plan.restart(session.splits_size(), self.concurrency);
            plan.generation()
        };
        self.session = Some(session);
        let delivered = self.delivered.as_mut();
        let given = delivered
            .zip(segment)
            .map(|(delivered, segment)| delivered.add(segment));
        let Loss {
            split,
            cause,
            progress,
        } = loss;
        tracing::info!(
            table = &*self.table,
            index = &*self.index,
            generation,
            split = split.id(),
            rows = progress.rows(),
            "the session of a scan was lost, and it began anew"
        );
        let restarted = Restarted {
            generation,
            split,
            cause,
            progress,
            rows_stand: given.is_some(),
        };
        (restarted, given)
    }
}
