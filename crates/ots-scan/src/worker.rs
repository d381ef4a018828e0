//! The task of one split: asks for page after page, one ahead of what is handed over.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use ots_core::request::send;
use ots_core::{Call, Error, Reply};
use ots_proto::messages::ParallelScanResponse;
use ots_proto::operation;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::budget::{Budget, Room};
use crate::page::ScanPage;
use crate::permits::Permits;
use crate::plan::{Arrival, Ask, Next, NotAdvancing, ScanPlan};
use crate::request::PageRequest;
use crate::split::Split;

/// What the tasks of a scan have in common.
pub(crate) struct Shared<C> {
    pub(crate) call: C,
    /// The request of every page, but for split and token.
    pub(crate) request: PageRequest,
    pub(crate) plan: Arc<SharedPlan>,
    pub(crate) permits: Permits,
    pub(crate) budget: Arc<Budget>,
}

/// The plan, for the tasks and for the scan. Held for the length of a decision, never across an await.
#[derive(Debug)]
pub(crate) struct SharedPlan(Mutex<ScanPlan>);

impl SharedPlan {
    pub(crate) fn new(plan: ScanPlan) -> Self {
        Self(Mutex::new(plan))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ScanPlan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a task sends to the scan.
#[derive(Debug)]
pub(crate) enum Event {
    Page(Fetched),
    Failed(Failure),
}

/// A page that nobody has taken yet. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Fetched {
    page: ScanPage,
    _room: Room,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Fetched {
    /// The page is taken.
    pub(crate) fn into_page(self) -> ScanPage {
        self.page
    }
}

/// Why a split can't be read to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    Call {
        split: Split,
        page: u64,
        error: Error,
    },
    NotAdvancing(NotAdvancing),
}

/// Reads one split.
pub(crate) struct Worker<C> {
    shared: Arc<Shared<C>>,
    events: UnboundedSender<Event>,
    /// Held by the one page of this split that waits for the caller.
    turn: Arc<Semaphore>,
}

impl<C: Call<operation::ParallelScan>> Worker<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>, events: UnboundedSender<Event>) -> Self {
        Self {
            shared,
            events,
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Reads one split to its end, or until the scan has failed.
    pub(crate) async fn run(self, first: Ask) {
        if let Err(failure) = self.read(first).await {
            // Behind the pages of this split, so that the caller is given those first.
            self.send(Event::Failed(failure));
        }
    }

    async fn read(&self, first: Ask) -> Result<(), Failure> {
        let mut current = self.fetch(first).await?;
        while let Some((page, room, next)) = current {
            // Until the caller has taken the page before, so that the bound on bytes is shared by
            // all splits, and none fills it alone. Refused only after `close`, which nobody calls.
            let turn = Arc::clone(&self.turn).acquire_owned().await.ok();
            let fetched = Event::Page(Fetched {
                page,
                _room: room,
                _turn: turn,
            });
            current = match next {
                Next::Ask(ask) => {
                    // The next request leaves before this page does.
                    let mut next = pin!(self.fetch(ask));
                    let at_once = poll_once(next.as_mut()).await;
                    self.send(fetched);
                    match at_once {
                        Some(next) => next?,
                        None => next.await?,
                    }
                }
                Next::SplitDone => {
                    self.send(fetched);
                    None
                }
            };
        }
        Ok(())
    }

    /// One page, and how the split goes on. None when the scan has failed elsewhere.
    async fn fetch(&self, ask: Ask) -> Result<Option<(ScanPage, Room, Next)>, Failure> {
        let shared = &*self.shared;
        // Room first: it may have to wait for the caller, and a permit must not.
        let mut room = shared.budget.reserve().await;
        let permit = shared.permits.acquire().await;
        if !shared.plan.lock().begin(&ask) {
            return Ok(None);
        }
        let (split, index) = (ask.split(), ask.page());
        let answer = send(&shared.call, shared.request.page(&ask)).await;
        drop(permit);

        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                // It was sent, though a stand-in for the service need not say how often.
                shared.plan.lock().fail(ask, error.attempts().max(1));
                return Err(Failure::Call {
                    split,
                    page: index,
                    error,
                });
            }
        };
        let page_bytes = page_bytes(&reply);
        let ParallelScanResponse { rows, next_token } = reply.response;
        let arrival = Arrival::new(count(rows.len()), count(page_bytes), next_token);
        let arrival = arrival.attempts(reply.attempts);
        let next = shared.plan.lock().absorb(ask, arrival);
        let next = next.map_err(Failure::NotAdvancing)?;
        let is_last = matches!(next, Next::SplitDone);
        let page = ScanPage {
            split,
            index,
            rows,
            page_bytes,
            is_last,
        };
        room.fill(page.held_bytes(), page.rows.is_empty());
        Ok(Some((page, room, next)))
    }

    fn send(&self, event: Event) {
        // Refused only when the scan is gone, and then nobody is left to tell.
        let _ = self.events.send(event);
    }
}

/// The size of the answer, which a stand-in for the service need not say: then that of the rows.
fn page_bytes(reply: &Reply<ParallelScanResponse>) -> usize {
    match reply.body_bytes {
        0 => reply.response.rows.iter().map(Bytes::len).sum(),
        bytes => bytes,
    }
}

/// Polls a future once: it begins, and is not waited for.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

pub(crate) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
