//! A scan under way, whatever its pages become: the one place that spawns for it.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use ots_core::limiter::Limiter;
use ots_core::{Error, ErrorCode};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::checkpoint::Checkpoint;
use crate::decode::Decoder;
use crate::delivered::{Delivered, DeliveredError, Given};
use crate::error::{ScanError, ScanErrorKind};
use crate::events::Restarted;
use crate::launch::Launch;
use crate::outlet::{Channel, Event, Outlet, Ready};
use crate::progress::ScanProgress;
use crate::session::ScanSession;
use crate::session_loss::OnSessionLoss;
use crate::split::Split;
use crate::worker::{Failure, SharedPlan};

/// A scan under way.
pub(crate) struct Engine<T> {
    pub(crate) setup: Setup,
    decoder: Decoder<T>,
    state: State<T>,
}

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
    pub(crate) alive_time: Duration,
    pub(crate) plan: Arc<SharedPlan>,
    pub(crate) concurrency: NonZeroU32,
    pub(crate) limiter: Limiter,
    pub(crate) on_session_loss: OnSessionLoss,
    /// What the caller was given, where that must be remembered; with its bound.
    pub(crate) delivered: Option<(Delivered, usize)>,
    pub(crate) started: Option<Instant>,
    pub(crate) ended: Option<Instant>,
}

enum State<T> {
    /// Nobody has asked for anything yet.
    Unpolled,
    Reading(Running<T>),
    /// The session is gone. Its tasks are on their way out, and the next one waits for the last, so
    /// that two sessions never read at once.
    Closing(Running<T>, Loss),
    /// The next session is being opened.
    Opening(Running<T>, Loss),
    Ended,
}

struct Running<T> {
    events: UnboundedReceiver<Event<T>>,
    /// Aborted on drop.
    tasks: JoinSet<()>,
}

/// How a session was lost.
struct Loss {
    split: Split,
    cause: Error,
    progress: ScanProgress,
}

/// What a scan has to say.
pub(crate) enum Item<T> {
    Page(T),
    Restarted(Restarted),
}

impl<T: Send + 'static> Engine<T> {
    pub(crate) const fn new(setup: Setup, decoder: Decoder<T>) -> Self {
        Self {
            setup,
            decoder,
            state: State::Unpolled,
        }
    }

    /// Whether nobody has asked for a page yet.
    pub(crate) const fn is_unpolled(&self) -> bool {
        matches!(self.state, State::Unpolled)
    }

    /// The same scan from its beginning, with pages that become something else.
    pub(crate) fn decoded<U: Send + 'static>(self, decoder: Decoder<U>) -> Engine<U> {
        Engine::new(self.setup, decoder)
    }

    pub(crate) const fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Gives up what is under way, and says what was handed over.
    pub(crate) fn fail(&mut self, error: ScanError) -> ScanError {
        self.state = State::Ended;
        self.setup.ended = Some(Instant::now());
        let error = error.of(&self.setup.table, &self.setup.index);
        error.with_progress(self.setup.progress())
    }

    /// What there is to say next; none at the end.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Item<T>, ScanError>>> {
        loop {
            // Every way on puts back the state that it means.
            let error = match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Unpolled => {
                    self.setup.started = Some(Instant::now());
                    let given = self.setup.delivered.as_ref().map(|_| Given::default());
                    self.state = State::Reading(self.read(given));
                    continue;
                }
                State::Reading(mut running) => match running.poll_event(cx) {
                    Poll::Pending => {
                        self.state = State::Reading(running);
                        return Poll::Pending;
                    }
                    Poll::Ready(Some(Ok(Event::Page(page)))) => {
                        self.state = State::Reading(running);
                        match self.setup.hand_over(page) {
                            Ok(value) => return Poll::Ready(Some(Ok(Item::Page(value)))),
                            Err(error) => error,
                        }
                    }
                    Poll::Ready(Some(Ok(Event::Failed(failure)))) => {
                        match self.setup.recover(failure) {
                            Ok(loss) => {
                                running.tasks.abort_all();
                                self.state = State::Closing(running, loss);
                                continue;
                            }
                            Err(failure) => failure.into(),
                        }
                    }
                    Poll::Ready(Some(Err(error))) => error,
                    Poll::Ready(None) if self.setup.plan.lock().is_done() => {
                        self.setup.ended = Some(Instant::now());
                        return Poll::Ready(None);
                    }
                    // No task is left, and not every split has ended: whatever the reason, not
                    // complete. Nor does a scan that reads open a session.
                    Poll::Ready(None | Some(Ok(Event::Opened(..)))) => {
                        ScanError::new(ScanErrorKind::Aborted)
                    }
                },
                State::Closing(mut running, loss) => match running.tasks.poll_join_next(cx) {
                    Poll::Pending => {
                        self.state = State::Closing(running, loss);
                        return Poll::Pending;
                    }
                    Poll::Ready(Some(Err(error))) if error.is_panic() => {
                        ScanError::new(ScanErrorKind::Aborted).with_source(error)
                    }
                    Poll::Ready(Some(_)) => {
                        self.state = State::Closing(running, loss);
                        continue;
                    }
                    Poll::Ready(None) => {
                        // With the pages that nobody has taken, which go.
                        drop(running);
                        self.state = State::Opening(self.open(), loss);
                        continue;
                    }
                },
                State::Opening(mut running, loss) => match running.poll_event(cx) {
                    Poll::Pending => {
                        self.state = State::Opening(running, loss);
                        return Poll::Pending;
                    }
                    Poll::Ready(Some(Ok(Event::Opened(Ok(session), segment)))) => {
                        let (restarted, given) = self.setup.restart(session, segment, loss);
                        self.state = State::Reading(self.read(given));
                        return Poll::Ready(Some(Ok(Item::Restarted(restarted))));
                    }
                    Poll::Ready(Some(Ok(Event::Opened(Err(error), _)))) => {
                        ScanError::new(ScanErrorKind::Open).with_source(error)
                    }
                    Poll::Ready(Some(Err(error))) => error,
                    Poll::Ready(None | Some(Ok(_))) => ScanError::new(ScanErrorKind::Aborted),
                },
            };
            return Poll::Ready(Some(Err(self.fail(error))));
        }
    }

    /// Starts a task for each split of the session.
    fn read(&self, given: Option<Given>) -> Running<T> {
        let Setup {
            runtime,
            launcher,
            plan,
            ..
        } = &self.setup;
        // Unbounded, because every split has at most one page in it.
        let (sender, events) = mpsc::unbounded_channel();
        let outlet: Arc<dyn Outlet> = Arc::new(Channel {
            events: sender,
            decoder: self.decoder.clone(),
            given,
        });
        let mut tasks = JoinSet::new();
        loop {
            let Some(ask) = plan.lock().next_ask() else {
                break;
            };
            let span = tracing::debug_span!(
                "split",
                table = &*self.setup.table,
                index = &*self.setup.index,
                split = ask.split().id(),
                max_parallel = ask.split().of(),
                generation = ask.generation(),
            );
            let session = self.setup.session.as_ref();
            let task = launcher.read(session, ask, Arc::clone(&outlet));
            tasks.spawn_on(task.instrument(span), runtime);
        }
        Running { events, tasks }
    }

    /// Starts a task that opens another session, and meanwhile sorts what was given.
    fn open(&mut self) -> Running<T> {
        let opening = self.setup.launcher.open();
        let delivered = self.setup.delivered.as_mut();
        let log = delivered.map(|(delivered, _)| delivered.take_log());
        let (sender, events) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let task = async move {
            let sorting = log.map(|log| tokio::task::spawn_blocking(|| log.sort()));
            let session = opening.await;
            let segment = match sorting {
                Some(sorting) => match sorting.await {
                    Ok(segment) => Some(segment),
                    // It panicked, or the runtime is shutting down: this task ends without a word.
                    Err(_) => return,
                },
                None => None,
            };
            let _ = sender.send(Event::Opened(session, segment));
        };
        tasks.spawn_on(task, &self.setup.runtime);
        Running { events, tasks }
    }
}

impl Setup {
    pub(crate) fn progress(&self) -> ScanProgress {
        let mut progress = self.plan.lock().progress();
        progress.earlier_rows_stand = self.on_session_loss.is_exactly_once();
        progress.concurrency = self.limiter.limit();
        if let Some(started) = self.started {
            progress.elapsed = self.ended.unwrap_or_else(Instant::now) - started;
        }
        progress
    }

    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        let session = self.session.as_ref()?;
        let plan = self.plan.lock();
        if plan.generation() > 0 {
            return None;
        }
        let splits = plan.positions();
        let splits = splits.map(|(split, position)| (split, position.clone()));
        Some(Checkpoint::new(
            session,
            self.fingerprint,
            SystemTime::now() + self.alive_time,
            splits.collect(),
        ))
    }

    /// Counts a page as the caller's, and makes room for another.
    fn hand_over<T>(&mut self, page: Ready<T>) -> Result<T, ScanError> {
        let Ready {
            value,
            handed,
            keys,
            ..
        } = page;
        if let (Some((delivered, limit_bytes)), Some(keys)) = (&mut self.delivered, keys) {
            delivered.record(keys).map_err(|error| {
                ScanError::new(match error {
                    DeliveredError::Limit => ScanErrorKind::DeliveredKeys {
                        limit_bytes: *limit_bytes,
                    },
                    DeliveredError::OtherKey => ScanErrorKind::KeyChanged,
                })
            })?;
        }
        self.plan.lock().hand_over(handed);
        Ok(value)
    }

    /// Whether the scan goes on after a failure, in another session.
    fn recover(&self, failure: Failure) -> Result<Loss, Failure> {
        match failure {
            Failure::Call { split, error, .. }
                if error.code() == Some(&ErrorCode::SessionExpired)
                    && self
                        .on_session_loss
                        .may_restart(self.plan.lock().generation()) =>
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
    fn restart(
        &mut self,
        session: ScanSession,
        segment: Option<crate::delivered::Segment>,
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
            .map(|((delivered, _), segment)| delivered.add(segment));
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

impl<T> Running<T> {
    /// What the tasks have to say next; none when all are done with their splits.
    ///
    /// A task that panicked says nothing, which must not look like an end.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Event<T>, ScanError>>> {
        loop {
            let event = self.events.poll_recv(cx);
            if let Poll::Ready(Some(event)) = event {
                return Poll::Ready(Some(Ok(event)));
            }
            match self.tasks.poll_join_next(cx) {
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(Some(Err(error))) => {
                    let error = ScanError::new(ScanErrorKind::Aborted).with_source(error);
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Pending => return Poll::Pending,
                // The last task has gone since the channel was asked, which wakes us again.
                Poll::Ready(None) => return event.map(|_| None),
            }
        }
    }
}

impl From<Failure> for ScanError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Call { split, page, error } => {
                let kind = match error.code() {
                    Some(ErrorCode::SessionExpired) => ScanErrorKind::SessionExpired { split },
                    _ => ScanErrorKind::Call { split, page },
                };
                Self::new(kind).with_source(error)
            }
            Failure::Damaged { split, page, error } => {
                let error = match error.downcast::<Self>() {
                    // A page's own account of it.
                    Ok(error) if matches!(error.kind(), ScanErrorKind::Row { .. }) => {
                        return *error;
                    }
                    Ok(error) => error,
                    Err(error) => error,
                };
                let damage = error.downcast_ref::<ots_proto::plainbuffer::Error>();
                let kind = match damage.map(ots_proto::plainbuffer::Error::row) {
                    // Never absent: a row that comes in a buffer of its own is always inside one.
                    Some(row) => ScanErrorKind::Row {
                        split,
                        page,
                        row: row.unwrap_or_default(),
                    },
                    None => ScanErrorKind::Decode { split, page },
                };
                Self::new(kind).with_source(error)
            }
            Failure::NotAdvancing(stuck) => Self::new(ScanErrorKind::NotAdvancing {
                split: stuck.split,
                pages: stuck.pages,
            }),
            Failure::TokenMoved(split) => Self::new(ScanErrorKind::TokenMoved { split }),
        }
    }
}

impl<T> fmt::Debug for Engine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Unpolled => "unpolled",
            State::Reading(_) => "reading",
            State::Closing(..) | State::Opening(..) => "beginning anew",
            State::Ended => "ended",
        };
        f.debug_struct("Engine")
            .field("session", &self.setup.session)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
