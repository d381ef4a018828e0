//! A task of a table scan: reads range after range, one page ahead of what is handed over.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use futures_core::future::BoxFuture;
use ots_core::Call;
use ots_core::limiter::{Limiter, Outcome};
use ots_core::request::{GetRange, GetRangeReply, Request as _};
use ots_paging::{Page, RangeCursor};
use ots_proto::messages::GetRangeRequest;
use ots_proto::{PrimaryKey, operation};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::error::{TableScanError, TableScanErrorKind};
use super::page::{self, TablePage};
use super::ranges::{Counted, SharedRanges, Turn};
use super::spec::Spec;
use crate::budget::{Budget, Room};
use crate::decode::DecodeError;

/// What a page becomes, in the task that fetched it; and what that takes in memory, if it isn't what
/// the page takes.
pub(super) type Decode<T> =
    Arc<dyn Fn(TablePage) -> Result<(T, Option<usize>), DecodeError> + Send + Sync>;

/// What the tasks have in common.
pub(super) struct Shared {
    pub(super) spec: Spec,
    pub(super) ranges: SharedRanges,
    pub(super) limiter: Limiter,
    pub(super) budget: Arc<Budget>,
    pub(super) buffered_bytes: usize,
    /// Ranges read at once.
    pub(super) workers: u32,
    /// How often a page is asked for again that is damaged.
    pub(super) refetches: u32,
    pub(super) fetch: Arc<dyn Fetch>,
}

impl Shared {
    /// The same for other tasks, which have asked for nothing yet.
    pub(super) fn anew(&self) -> Self {
        Self {
            spec: self.spec.clone(),
            ranges: SharedRanges::new(self.ranges.lock().anew()),
            limiter: self.limiter.clone(),
            budget: Budget::new(self.buffered_bytes, self.workers),
            buffered_bytes: self.buffered_bytes,
            workers: self.workers,
            refetches: self.refetches,
            fetch: Arc::clone(&self.fetch),
        }
    }
}

/// Makes the calls, without saying whose they are: it lets a scan be a plain type.
pub(super) trait Fetch: Send + Sync {
    fn fetch(&self, request: GetRangeRequest) -> BoxFuture<'_, Answer>;
}

/// An answer as it came, its size in bytes, and what it took to get it.
pub(super) struct Answer {
    reply: Result<(GetRangeReply, usize), ots_core::Error>,
    outcome: Outcome,
    attempts: u32,
    throttled: u32,
}

impl<C: Call<operation::GetRange>> Fetch for C {
    fn fetch(&self, request: GetRangeRequest) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let answer = self.call(request).await;
            let outcome = Outcome::of(&answer);
            let (attempts, throttled) = match &answer {
                Ok(reply) => (reply.attempts, reply.throttled),
                // It was sent, though a stand-in for the service need not say how often.
                Err(error) => (error.attempts().max(1), error.throttled()),
            };
            let reply = answer.and_then(|reply| {
                let bytes = match reply.body_bytes {
                    0 => reply.response.rows.len(),
                    bytes => bytes,
                };
                Ok((GetRange::read(reply)?, bytes))
            });
            Answer {
                reply,
                outcome,
                attempts,
                throttled,
            }
        })
    }
}

/// What a task sends to the scan.
pub(super) enum Event<T> {
    Page(Ready<T>),
    Failed(TableScanError),
}

/// A page that nobody has taken yet. Dropping it makes room for another.
pub(super) struct Ready<T> {
    pub(super) value: T,
    pub(super) counted: Counted,
    _room: Room,
    _turn: Option<OwnedSemaphorePermit>,
}

/// Reads ranges until none is left.
pub(super) struct Worker<T> {
    pub(super) shared: Arc<Shared>,
    pub(super) decode: Decode<T>,
    pub(super) events: UnboundedSender<Event<T>>,
    /// Held by the one page of this task that waits for the caller.
    turn: Arc<Semaphore>,
}

/// A page that has come, and room for it.
struct Fetched {
    reply: GetRangeReply,
    bytes: usize,
    room: Room,
}

impl<T> Worker<T> {
    pub(super) fn new(
        shared: Arc<Shared>,
        decode: Decode<T>,
        events: UnboundedSender<Event<T>>,
    ) -> Self {
        Self {
            shared,
            decode,
            events,
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    pub(super) async fn run(self) {
        loop {
            let Some(turn) = self.shared.ranges.lock().take() else {
                return;
            };
            let span =
                tracing::debug_span!("range", table = self.shared.spec.table, range = turn.range);
            if let Err(error) = self.read(turn).instrument(span).await {
                self.shared.ranges.lock().fail();
                // Behind the pages of this range, so that the caller is given those first. Refused
                // only when the scan is gone, and then nobody is left to tell.
                let _ = self.events.send(Event::Failed(error));
                return;
            }
        }
    }

    async fn read(&self, turn: Turn) -> Result<(), TableScanError> {
        let Turn { range, start, end } = turn;
        let shared = &*self.shared;
        let mut index = 0;
        let failed = |page: u64, error: ots_paging::Error| {
            TableScanError::new(TableScanErrorKind::Range { range, page }).with_source(error)
        };
        let from = |key: &PrimaryKey| shared.spec.cursor(key.clone(), end.clone());
        let mut cursor = from(&start).map_err(|error| failed(index, error))?;
        let mut damaged = 0;
        let mut current = self.next(&cursor, range, index).await?;
        while let Some(mut fetched) = current {
            let before = cursor.position();
            shared.ranges.lock().paid(fetched.reply.consumed);
            let absorbed = cursor.absorb(fetched.reply);
            let page = absorbed.map_err(|error| failed(index, error))?;
            fetched.room.fill(fetched.bytes, is_empty(&page));
            // Until the caller has taken the page before, so that the bound on bytes is shared by all
            // ranges, and none fills it alone. Refused only after `close`, which nobody calls.
            let turn = Arc::clone(&self.turn).acquire_owned().await.ok();
            let given = {
                // The next request leaves before this page is walked.
                let ahead = cursor.clone();
                let mut following = pin!(self.next(&ahead, range, index + 1));
                let at_once = poll_once(following.as_mut()).await;
                let page_bytes = (fetched.room, fetched.bytes);
                match (self.give(page, range, index, page_bytes, turn), at_once) {
                    (Ok(()), Some(following)) => Ok(following?),
                    (Ok(()), None) => Ok(following.await?),
                    (Err(error), _) => Err(error),
                }
            };
            current = match given {
                Ok(following) => {
                    // Not inside a row that comes in parts, of which an earlier one may be what is
                    // damaged.
                    if cursor.position() != before {
                        damaged = 0;
                    }
                    index += 1;
                    following
                }
                Err(error) if damaged >= shared.refetches => {
                    let kind = TableScanErrorKind::Decode { range, page: index };
                    return Err(TableScanError::new(kind).with_source(error));
                }
                Err(_) => {
                    // What followed is given up: where it began is what a damaged page said.
                    damaged += 1;
                    shared.ranges.lock().again();
                    // From the beginning of a row, should this page go on inside one.
                    let again = from(before.key().unwrap_or(&start));
                    cursor = again.map_err(|error| failed(index, error))?;
                    self.next(&cursor, range, index).await?
                }
            };
        }
        Ok(())
    }

    /// The answer to the cursor's request; none at the end of the range, or when the scan has failed
    /// elsewhere.
    async fn next(
        &self,
        cursor: &RangeCursor,
        range: u32,
        page: u64,
    ) -> Result<Option<Fetched>, TableScanError> {
        let Some(request) = cursor.next_request() else {
            return Ok(None);
        };
        let shared = &*self.shared;
        // Room first: it may have to wait for the caller, and a permit must not.
        let room = shared.budget.reserve().await;
        let permit = shared.limiter.acquire().await;
        if !shared.ranges.lock().begin(range) {
            return Ok(None);
        }
        let answer = shared.fetch.fetch(request).await;
        permit.finish(answer.outcome);
        let (attempts, throttled) = (answer.attempts, answer.throttled);
        shared.ranges.lock().came_back(range, attempts, throttled);
        match answer.reply {
            Ok((reply, bytes)) => Ok(Some(Fetched { reply, bytes, room })),
            Err(error) => {
                let kind = TableScanErrorKind::Range { range, page };
                Err(TableScanError::new(kind).with_source(error))
            }
        }
    }

    /// Walks a page, makes of it what is wanted, and hands it over.
    fn give(
        &self,
        page: Page,
        range: u32,
        index: u64,
        (mut room, page_bytes): (Room, usize),
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<(), DecodeError> {
        let rows = page::verify(&page)?;
        let counted = Counted {
            range,
            rows,
            bytes: u64::try_from(page_bytes).unwrap_or(u64::MAX),
            next: page.next().clone(),
        };
        let page = TablePage {
            range,
            index,
            rows,
            page,
        };
        let (value, held_bytes) = (self.decode)(page)?;
        if let Some(bytes) = held_bytes {
            room.resize(bytes);
        }
        self.shared.ranges.lock().buffer(counted.bytes);
        let _ = self.events.send(Event::Page(Ready {
            value,
            counted,
            _room: room,
            _turn: turn,
        }));
        Ok(())
    }
}

/// Whether nothing follows the header.
fn is_empty(page: &Page) -> bool {
    page.buffer().len() <= HEADER_BYTES
}

const HEADER_BYTES: usize = 4;

/// Polls a future once: it begins, and is not waited for.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
