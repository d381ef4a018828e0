//! A scan under way: the stream of its pages, the one place that spawns.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};
use ots_core::{Call, ErrorCode};
use ots_proto::operation;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;

use crate::error::{ScanError, ScanErrorKind};
use crate::page::ScanPage;
use crate::progress::ScanProgress;
use crate::rows::ScanRows;
use crate::session::ScanSession;
use crate::worker::{Event, Failure, Fetched, Shared, SharedPlan, Worker, count};

/// A scan under way: a stream of [`ScanPage`]s, of all splits.
///
/// Pages come in order within a split, and in any order between splits; empty ones come too. The
/// stream ends without an error only when every split was read to its end. After an error it ends,
/// and all that was under way is given up.
///
/// # Cost
/// A request for each page. Before a page is handed over the next one of its split is asked for, so
/// a scan that is dropped early has asked for up to two pages of each split that nobody got.
///
/// # Cancel safety
/// Waiting for a page can be given up and begun again; no page is lost. Dropping the scan aborts its
/// tasks and gives back its permits. A scan that nobody polls asks for two pages of each split, holds
/// no permit, and waits: past its alive time the session is gone.
///
/// # Errors
/// [`SessionExpired`](ScanErrorKind::SessionExpired), [`Call`](ScanErrorKind::Call),
/// [`NotAdvancing`](ScanErrorKind::NotAdvancing) and [`Aborted`](ScanErrorKind::Aborted), each with
/// what was handed over of every split. An error comes after the pages of its own split; pages of
/// others that nobody has taken are lost, and not counted.
#[derive(Debug)]
#[must_use = "a scan that nobody polls stops after a few pages"]
pub struct Scan {
    session: ScanSession,
    plan: Arc<SharedPlan>,
    /// None when the scan has ended.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    events: UnboundedReceiver<Event>,
    /// Aborted on drop.
    tasks: JoinSet<()>,
}

impl Scan {
    pub(crate) fn start<C>(runtime: &Handle, session: ScanSession, shared: Arc<Shared<C>>) -> Self
    where
        C: Call<operation::ParallelScan> + 'static,
    {
        let plan = Arc::clone(&shared.plan);
        // Unbounded, because every split has at most one page in it.
        let (sender, events) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        loop {
            let Some(ask) = plan.lock().next_ask() else {
                break;
            };
            let worker = Worker::new(Arc::clone(&shared), sender.clone());
            tasks.spawn_on(worker.run(ask), runtime);
        }
        Self {
            session,
            plan,
            running: Some(Running { events, tasks }),
        }
    }

    /// The session that the scan reads in.
    #[must_use]
    pub const fn session(&self) -> &ScanSession {
        &self.session
    }

    /// How many splits the session is divided into.
    #[must_use]
    pub fn max_parallel(&self) -> u32 {
        self.plan.lock().max_parallel()
    }

    /// How far the scan is: what was handed over of each split, what lies ready.
    #[must_use]
    pub fn progress(&self) -> ScanProgress {
        self.plan.lock().progress()
    }

    /// The rows instead of the pages, owning their values.
    pub fn rows(self) -> ScanRows {
        ScanRows::new(self)
    }

    /// Counts a page as the caller's, and makes room for another.
    fn hand_over(&self, fetched: Fetched) -> ScanPage {
        let page = fetched.into_page();
        self.plan
            .lock()
            .hand_over(page.split, count(page.rows.len()), count(page.page_bytes));
        page
    }

    /// Gives up what is under way, and says what was handed over.
    pub(crate) fn fail(&mut self, error: ScanError) -> ScanError {
        self.running = None;
        let error = error.of(self.session.table(), self.session.index());
        error.with_progress(self.progress())
    }
}

impl Running {
    /// What the tasks have to say next; none when all are done with their splits.
    ///
    /// A task that panicked says nothing, which must not look like an end.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Event, ScanError>>> {
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

impl Stream for Scan {
    type Item = Result<ScanPage, ScanError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let scan = self.get_mut();
        let Some(running) = &mut scan.running else {
            return Poll::Ready(None);
        };
        let error = match ready!(running.poll_event(cx)) {
            Some(Ok(Event::Page(fetched))) => {
                return Poll::Ready(Some(Ok(scan.hand_over(fetched))));
            }
            Some(Ok(Event::Failed(failure))) => failure.into(),
            Some(Err(error)) => error,
            None if scan.plan.lock().is_done() => {
                scan.running = None;
                return Poll::Ready(None);
            }
            // No task is left, and not every split has ended: whatever the reason, not complete.
            None => ScanError::new(ScanErrorKind::Aborted),
        };
        Poll::Ready(Some(Err(scan.fail(error))))
    }
}

impl FusedStream for Scan {
    fn is_terminated(&self) -> bool {
        self.running.is_none()
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
            Failure::NotAdvancing(stuck) => Self::new(ScanErrorKind::NotAdvancing {
                split: stuck.split,
                pages: stuck.pages,
            }),
        }
    }
}
