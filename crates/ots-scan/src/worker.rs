//! The task of one split: asks for page after page, one ahead of what is handed over.

mod waiting;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use ots_core::limiter::{Limiter, Outcome};
use ots_core::request::send;
use ots_core::{Call, Reply};
use ots_proto::messages::ParallelScanResponse;
use ots_proto::operation;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::circle::{Circle, Round};
use crate::failure::Failure;
use crate::keep_alive::KeepAlive;
use crate::outlet::{Fetched, Handing, Outlet, Refused};
use crate::page::ScanPage;
use crate::places::Places;
use crate::plan::{Arrival, Ask, Before, Next, NotAdvancing, ScanPlan};
use crate::request::PageRequest;
use crate::session_life::SessionLife;
use crate::tokens::Tokens;

/// What the tasks of a scan have in common.
pub(crate) struct Shared<C> {
    pub(crate) call: Arc<C>,
    pub(crate) plan: Arc<SharedPlan>,
    pub(crate) limiter: Limiter,
    pub(crate) budget: Arc<Budget>,
    pub(crate) keep_alive: KeepAlive,
    pub(crate) places: Places,
    pub(crate) life: Arc<SessionLife>,
    /// Whether the tokens that the splits begin with were asked before, or may have been.
    pub(crate) resumed: bool,
    /// How often a page is asked for again that can't be decoded.
    pub(crate) refetches: u32,
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

/// Reads one split.
pub(crate) struct Worker<C> {
    shared: Arc<Shared<C>>,
    /// The request of every page, but for split and token.
    request: PageRequest,
    outlet: Arc<dyn Outlet>,
    /// Held by the one page of this split that waits for the caller.
    turn: Arc<Semaphore>,
    asked: Mutex<Asked>,
}

/// What the requests of a split have come to.
struct Asked {
    last: Instant,
    tokens: Tokens,
    circle: Circle,
    /// Whether a scan that was resumed has yet to show that a token can be asked twice.
    unproved: bool,
}

/// A page that has come.
struct Arrived {
    fetched: Fetched,
    next: Next,
    /// Where to ask for it again. None when the scan has begun anew meanwhile.
    before: Option<Before>,
    /// What must come again then.
    first_row: Option<Bytes>,
}

impl<C: Call<operation::ParallelScan>> Worker<C> {
    pub(crate) fn new(
        shared: Arc<Shared<C>>,
        request: PageRequest,
        outlet: Arc<dyn Outlet>,
    ) -> Self {
        let asked = Asked {
            last: Instant::now(),
            tokens: Tokens::new(request.has_session()),
            circle: Circle::default(),
            unproved: false,
        };
        Self {
            shared,
            request,
            outlet,
            turn: Arc::new(Semaphore::new(1)),
            asked: Mutex::new(asked),
        }
    }

    /// Reads one split to its end, or until the scan has failed.
    pub(crate) async fn run(self, first: Ask) {
        let generation = first.generation();
        // A split's beginning is a place in any case.
        self.asked().unproved = self.shared.resumed && first.token().is_some();
        if let Err(failure) = self.read(first).await {
            self.shared.plan.lock().fail(generation);
            if failure.ends_the_session() {
                self.shared.life.end();
            }
            // Behind the pages of this split, so that the caller is given those first.
            self.outlet.failed(failure);
        }
    }

    async fn read(&self, first: Ask) -> Result<(), Failure> {
        let mut place = self.place(&first).await?;
        let mut current = self.fetch(first).await?;
        let mut damaged = 0;
        while let Some(arrived) = current {
            let Arrived {
                mut fetched,
                next,
                before,
                mut first_row,
            } = arrived;
            // Until the caller has taken the page before, so that the bound on bytes is shared by
            // all splits, and none fills it alone.
            let turn = Arc::clone(&self.turn).acquire_owned();
            fetched.turn = match &next {
                // Refused only after `close`, which nobody calls.
                Next::Ask(ask) => self.keeping_alive(ask, turn).await?.ok(),
                Next::SplitDone => {
                    // Whoever begins now keeps the session alive while the last page waits.
                    drop(place.take());
                    turn.await.ok()
                }
            };
            let (split, page) = (fetched.page.split, fetched.page.index);
            let given = match next {
                Next::Ask(ask) => {
                    // The next request leaves before this page is decoded. Where that waits for a disk,
                    // it goes on meanwhile, and gives its permit back.
                    let mut following = pin!(self.fetch(ask));
                    let mut early = poll_once(following.as_mut()).await;
                    let mut handing = pin!(self.hand_over(fetched));
                    let handed = poll_fn(|cx| {
                        let handed = handing.as_mut().poll(cx);
                        if handed.is_pending() && early.is_none() {
                            early = match following.as_mut().poll(cx) {
                                Poll::Ready(following) => Some(following),
                                Poll::Pending => None,
                            };
                        }
                        handed
                    });
                    match (handed.await, early) {
                        (Ok(()), Some(following)) => Ok(following?),
                        (Ok(()), None) => {
                            // It would keep the whole page in memory.
                            first_row = None;
                            Ok(following.await?)
                        }
                        (Err(error), _) => Err(error),
                    }
                }
                Next::SplitDone => self.hand_over(fetched).await.map(|()| None),
            };
            current = match given {
                Ok(following) => {
                    damaged = 0;
                    following
                }
                Err(Refused::Spill(error)) => return Err(Failure::Spill(error)),
                Err(Refused::Damaged(error)) if damaged >= self.shared.refetches => {
                    return Err(Failure::Damaged {
                        split,
                        page,
                        asked: damaged + 1,
                        error,
                    });
                }
                Err(Refused::Damaged(_)) => {
                    // What followed is given up: where it began is what a damaged page said.
                    damaged += 1;
                    let again = before.and_then(|before| self.shared.plan.lock().again(before));
                    match again {
                        Some(ask) => {
                            self.ask_again(&ask, first_row.as_ref())?;
                            self.fetch(ask).await?
                        }
                        None => None,
                    }
                }
            };
        }
        Ok(())
    }

    async fn hand_over(&self, fetched: Fetched) -> Result<(), Refused> {
        match Arc::clone(&self.outlet).page(fetched) {
            Handing::Done(handed) => handed,
            Handing::Waiting(handing) => handing.await,
        }
    }

    /// One page, and how the split goes on. None when the scan has failed elsewhere.
    async fn fetch(&self, ask: Ask) -> Result<Option<Arrived>, Failure> {
        let shared = &*self.shared;
        if self.asked().unproved {
            self.prove(&ask).await?;
        }
        let (mut room, place, permit) = loop {
            // Room first: it may have to wait for the caller, and a permit must not.
            let mut room = self.keeping_alive(&ask, shared.budget.reserve()).await?;
            let place = shared.places.request().await;
            let permit = self.permit().await;
            if room.renew() {
                break (room, place, permit);
            }
        };
        let before = {
            let mut plan = shared.plan.lock();
            if !plan.begin(&ask) {
                return Ok(None);
            }
            plan.before(&ask)
        };
        let (split, generation, index) = (ask.split(), ask.generation(), ask.page());
        self.touch();
        let answer = send(&*shared.call, self.request.page(&ask)).await;
        if let Ok(reply) = &answer {
            // Before the permit is free: whoever has it next must know how large pages are.
            room.fill(held_bytes(reply), reply.rows.is_empty());
        }
        permit.finish(Outcome::of(&answer));
        drop(place);
        self.touch();

        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                // It was sent, though a stand-in for the service need not say how often.
                let (attempts, throttled) = (error.attempts().max(1), error.throttled());
                shared.plan.lock().refused(attempts, throttled);
                return Err(Failure::Call {
                    split,
                    page: index,
                    error,
                });
            }
        };
        let page_bytes = page_bytes(&reply);
        let (attempts, throttled) = (reply.attempts, reply.throttled);
        let times = attempts.saturating_sub(throttled);
        let ParallelScanResponse { rows, next_token } = reply.response;
        // It is a slice of the answer, and would keep all of it wherever it is kept: in the plan, in a
        // checkpoint.
        let next_token = next_token.map(|token| Bytes::copy_from_slice(&token));
        {
            let Asked { tokens, circle, .. } = &mut *self.asked();
            let (asked, next) = (ask.token(), next_token.as_ref());
            tokens.answer(asked, !rows.is_empty(), next, times);
            tokens.page(asked, &rows, next);
            if tokens.have_moved() {
                return Err(Failure::TokenMoved(split));
            }
            if tokens.lead_on() {
                shared.life.end();
            }
            if let Some(Round { pages, has_rows }) = circle.page(index, asked, &rows) {
                return Err(Failure::NotAdvancing(NotAdvancing {
                    split,
                    pages,
                    has_rows,
                }));
            }
        }
        let first_row = rows.first().cloned();
        let arrival = Arrival::new(count(rows.len()), count(page_bytes), next_token);
        let arrival = arrival.attempts(attempts, throttled);
        let next = shared.plan.lock().absorb(ask, arrival);
        let next = next.map_err(Failure::NotAdvancing)?;
        let is_last = matches!(next, Next::SplitDone);
        let page = ScanPage {
            split,
            generation,
            index,
            rows,
            page_bytes,
            is_last,
        };
        let fetched = Fetched {
            page,
            position: next.position(),
            room,
            turn: None,
        };
        Ok(Some(Arrived {
            fetched,
            next,
            before,
            first_row,
        }))
    }

    /// Says that a token is asked more than once, and that this row came with it.
    fn ask_again(&self, ask: &Ask, row: Option<&Bytes>) -> Result<(), Failure> {
        let tokens = &mut self.asked().tokens;
        tokens.ask_again();
        tokens.expect(ask.token(), row);
        if tokens.have_moved() {
            return Err(Failure::TokenMoved(ask.split()));
        }
        Ok(())
    }

    fn touch(&self) {
        self.shared.life.asked();
        self.asked().last = Instant::now();
    }

    fn last_request(&self) -> Instant {
        self.asked().last
    }

    /// Held for the length of a decision, never across an await.
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The size of the answer, which a stand-in for the service need not say: then that of the rows.
fn page_bytes(reply: &Reply<ParallelScanResponse>) -> usize {
    match reply.body_bytes {
        0 => reply.response.rows.iter().map(Bytes::len).sum(),
        bytes => bytes,
    }
}

/// What a page takes in memory: its buffer, and the handles into it, which outweigh the data when rows
/// are a key and nothing more.
fn held_bytes(reply: &Reply<ParallelScanResponse>) -> usize {
    let handles = reply.rows.len().saturating_mul(size_of::<Bytes>());
    page_bytes(reply).saturating_add(handles)
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
