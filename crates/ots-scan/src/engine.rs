//! A scan under way, whatever its pages become: the one place that spawns for it.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::decode::Decoder;
use crate::delivered::{Delivered, Given};
use crate::error::{ScanError, ScanErrorKind};
use crate::events::Restarted;
use crate::failure::Failure;
use crate::outlet::{Channel, Event, Outlet, Ready};
use crate::setup::{Loss, Setup};

/// A scan under way.
pub(crate) struct Engine<T> {
    pub(crate) setup: Setup,
    decoder: Decoder<T>,
    state: State<T>,
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
    /// Whoever polled was stopped half way, by a panic of what was to accept a page.
    Broken,
    Ended,
}

struct Running<T> {
    events: UnboundedReceiver<Event<T>>,
    /// A page that waits until its keys can be kept in mind.
    held: Option<Box<Ready<T>>>,
    /// Aborted on drop.
    tasks: JoinSet<()>,
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
        self.poll_as(cx, Ok)
    }

    /// The same, of pages that become something else before they count as given.
    pub(crate) fn poll_as<U>(
        &mut self,
        cx: &mut Context<'_>,
        mut accept: impl FnMut(T) -> Result<U, Failure>,
    ) -> Poll<Option<Result<Item<U>, ScanError>>> {
        loop {
            // Every way on puts back the state that it means; a panic doesn't.
            let error = match std::mem::replace(&mut self.state, State::Broken) {
                State::Ended => {
                    self.state = State::Ended;
                    return Poll::Ready(None);
                }
                // Its page is gone, so that an end would be one of a scan that isn't whole.
                State::Broken => ScanError::new(ScanErrorKind::Aborted),
                State::Unpolled => {
                    self.setup.started = Some(Instant::now());
                    let given = self.setup.delivered.as_ref().map(|_| Given::default());
                    self.state = State::Reading(self.read(given));
                    continue;
                }
                State::Reading(mut running) => match self.poll_page(&mut running, cx) {
                    Poll::Pending => {
                        self.state = State::Reading(running);
                        return Poll::Pending;
                    }
                    Poll::Ready(Some(Ok(Event::Page(page)))) => {
                        let Ready {
                            value,
                            handed,
                            keys,
                            ..
                        } = page;
                        match accept(value).map_err(ScanError::from) {
                            Ok(value) => match self.setup.hand_over(handed, keys) {
                                Ok(()) => {
                                    self.state = State::Reading(running);
                                    return Poll::Ready(Some(Ok(Item::Page(value))));
                                }
                                Err(error) => error,
                            },
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
                        self.state = State::Ended;
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
                    Poll::Ready(Some(Ok(Event::Opened(session, segment)))) => {
                        let (restarted, given) = self.setup.restart(session, segment, loss);
                        self.state = State::Reading(self.read(given));
                        return Poll::Ready(Some(Ok(Item::Restarted(restarted))));
                    }
                    Poll::Ready(Some(Ok(Event::Failed(failure)))) => failure.into(),
                    Poll::Ready(Some(Err(error))) => error,
                    Poll::Ready(None | Some(Ok(Event::Page(_)))) => {
                        ScanError::new(ScanErrorKind::Aborted)
                    }
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
        Running {
            events,
            held: None,
            tasks,
        }
    }

    /// Starts a task that sorts what was given, and opens another session: in this order, as a session
    /// ages from its beginning.
    fn open(&mut self) -> Running<T> {
        let opening = self.setup.launcher.open();
        let unsorted = self.setup.delivered.as_mut().map(Delivered::take);
        let (sender, events) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let open = async move {
            let segment = match unsorted {
                Some(unsorted) => Some(unsorted.sort().await.map_err(Failure::Spill)?),
                None => None,
            };
            let session = opening.await.map_err(Failure::Open)?;
            Ok(Event::Opened(session, segment))
        };
        let task = async move {
            let opened = open.await.unwrap_or_else(Event::Failed);
            let _ = sender.send(opened);
        };
        tasks.spawn_on(task, &self.setup.runtime);
        Running {
            events,
            held: None,
            tasks,
        }
    }

    /// What the tasks of a session have to say next; a page, once it can be kept in mind.
    fn poll_page(
        &mut self,
        running: &mut Running<T>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Event<T>, ScanError>>> {
        let page = match running.held.take() {
            Some(page) => *page,
            None => match ready!(running.poll_event(cx)) {
                Some(Ok(Event::Page(page))) => page,
                other => return Poll::Ready(other),
            },
        };
        let kept = match &page.keys {
            Some(keys) => self.setup.poll_delivered(cx, keys),
            None => Poll::Ready(Ok(())),
        };
        let event = match kept {
            Poll::Ready(Ok(())) => Event::Page(page),
            Poll::Ready(Err(failure)) => Event::Failed(failure),
            Poll::Pending => {
                running.held = Some(Box::new(page));
                return Poll::Pending;
            }
        };
        Poll::Ready(Some(Ok(event)))
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

impl<T> fmt::Debug for Engine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Unpolled => "unpolled",
            State::Reading(_) => "reading",
            State::Closing(..) | State::Opening(..) => "beginning anew",
            State::Broken => "broken",
            State::Ended => "ended",
        };
        f.debug_struct("Engine")
            .field("session", &self.setup.session)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
