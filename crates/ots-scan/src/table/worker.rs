//! A task of a table scan: reads range after range, one page ahead of what is handed over.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use ots_core::limiter::Limiter;
use ots_core::request::GetRangeReply;
use ots_paging::{ErrorKind, RangeCursor};
use ots_proto::PrimaryKey;
use ots_proto::messages::{DataBlockType, GetRangeRequest};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::block::{self, TableBlock};
use super::error::{TableScanError, TableScanErrorKind};
use super::page::TablePage;
use super::ranges::{Counted, Fallback, SharedRanges, Turn};
use super::source::{Answer, Arrived, Fetch, ReadBy};
use super::spec::Spec;
use crate::budget::{Budget, Room};
use crate::decode::DecodeError;

/// What a page becomes, in the task that fetched it; and what that takes in memory, if it isn't what
/// the page takes.
pub(super) struct Decode<T> {
    pub(super) decode: Arc<DecodeBlock<T>>,
    /// Whether it takes matrices too, and compares checksums itself.
    pub(super) blocks: bool,
}

type DecodeBlock<T> = dyn Fn(TableBlock) -> Result<(T, Option<usize>), DecodeError> + Send + Sync;

impl<T> Clone for Decode<T> {
    fn clone(&self) -> Self {
        Self {
            decode: Arc::clone(&self.decode),
            blocks: self.blocks,
        }
    }
}

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
    pub(super) get_range: Arc<dyn Fetch>,
    /// If it is wanted.
    pub(super) bulk_export: Option<Arc<dyn Fetch>>,
    /// Whether a matrix would hold all that is asked for.
    pub(super) fits_matrix: bool,
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
            get_range: Arc::clone(&self.get_range),
            bulk_export: self.bulk_export.clone(),
            fits_matrix: self.fits_matrix,
        }
    }

    /// The answer to a request, by the operation that the scan reads by now.
    async fn fetch(&self, range: u32, request: GetRangeRequest) -> Answer {
        let bulk_export = match &self.bulk_export {
            // Only GetRange goes on inside a row.
            Some(fetch) if request.token.is_none() => fetch,
            _ => return self.get_range(range, request).await,
        };
        if self.ranges.lock().read_by() == ReadBy::GetRange {
            return self.get_range(range, request).await;
        }
        let answer = bulk_export.fetch(request.clone()).await;
        let fallback = {
            let mut ranges = self.ranges.lock();
            ranges.came_back(range, answer.attempts, answer.throttled);
            ranges.exported(answer.is_refused())
        };
        match fallback {
            Fallback::No => return answer,
            Fallback::Begins => {
                let error = answer.reply.as_ref().err();
                let code = error.and_then(ots_core::Error::code);
                let code = code.map(tracing::field::display);
                let table = &self.spec.table;
                tracing::info!(
                    table,
                    code,
                    "BulkExport is refused: the scan reads by GetRange"
                );
            }
            Fallback::Known => {}
        }
        if !self.ranges.lock().begin(range) {
            return answer;
        }
        self.get_range(range, request).await
    }

    async fn get_range(&self, range: u32, request: GetRangeRequest) -> Answer {
        let answer = self.get_range.fetch(request).await;
        let mut ranges = self.ranges.lock();
        ranges.came_back(range, answer.attempts, answer.throttled);
        answer
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
    /// An error when the answer can't be understood.
    reply: Result<GetRangeReply, ots_core::Error>,
    is_matrix: bool,
    bytes: usize,
    room: Room,
}

/// A page that its range can be gone on from.
struct Absorbed {
    page: TablePage,
    is_matrix: bool,
    bytes: usize,
    room: Room,
}

/// Why a page wasn't handed over. It may be whole when it is asked for again.
enum Damaged {
    /// But not this one.
    ForGood(TableScanError),
    /// Its answer can't be gone on from.
    Answer(TableScanError),
    /// It can't be decoded.
    Rows(DecodeError),
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
        while let Some(fetched) = current {
            let before = cursor.position();
            let given = match self.absorb(&mut cursor, fetched, (range, index)) {
                Ok(absorbed) => {
                    // Until the caller has taken the page before, so that the bound on bytes is shared
                    // by all ranges, and none fills it alone. Refused only after `close`, which nobody
                    // calls.
                    let turn = Arc::clone(&self.turn).acquire_owned().await.ok();
                    // The next request leaves before this page is walked.
                    let ahead = cursor.clone();
                    let mut following = pin!(self.next(&ahead, range, index + 1));
                    let at_once = poll_once(following.as_mut()).await;
                    match (self.give(absorbed, turn), at_once) {
                        (Ok(()), Some(following)) => Ok(following?),
                        (Ok(()), None) => Ok(following.await?),
                        (Err(error), _) => Err(Damaged::Rows(error)),
                    }
                }
                Err(error) => Err(error),
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
                Err(Damaged::ForGood(error)) => return Err(error),
                Err(error) if damaged >= shared.refetches => {
                    return Err(match error {
                        Damaged::Answer(error) | Damaged::ForGood(error) => error,
                        Damaged::Rows(error) => {
                            let kind = TableScanErrorKind::Decode { range, page: index };
                            TableScanError::new(kind).with_source(error)
                        }
                    });
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

    /// What an answer means for its range.
    fn absorb(
        &self,
        cursor: &mut RangeCursor,
        fetched: Fetched,
        (range, index): (u32, u64),
    ) -> Result<Absorbed, Damaged> {
        let Fetched {
            reply,
            is_matrix,
            bytes,
            room,
        } = fetched;
        let page = index;
        let failed = TableScanError::new(TableScanErrorKind::Range { range, page });
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => return Err(Damaged::Answer(failed.with_source(error))),
        };
        self.shared.ranges.lock().paid(reply.consumed);
        // Of rows in parts alone the cursor reads more than whether there are any, and those are no matrix.
        let page = match cursor.absorb(reply) {
            Ok(page) => page,
            // It is put together from parts, and would be again.
            Err(error) if error.kind() == ErrorKind::RowTooLarge => {
                return Err(Damaged::ForGood(failed.with_source(error)));
            }
            Err(error) => return Err(Damaged::Answer(failed.with_source(error))),
        };
        Ok(Absorbed {
            page: TablePage::new(range, index, page),
            is_matrix,
            bytes,
            room,
        })
    }

    /// The answer to the cursor's request; none at the end of the range, or when the scan has failed
    /// elsewhere.
    async fn next(
        &self,
        cursor: &RangeCursor,
        range: u32,
        page: u64,
    ) -> Result<Option<Fetched>, TableScanError> {
        let Some(mut request) = cursor.next_request() else {
            return Ok(None);
        };
        let shared = &*self.shared;
        if self.decode.blocks && shared.fits_matrix {
            request.data_block_type_hint = Some(DataBlockType::SimpleRowMatrix.into());
        }
        let (mut room, permit) = loop {
            // Room first: it may have to wait for the caller, and a permit must not.
            let mut room = shared.budget.reserve().await;
            let permit = shared.limiter.acquire().await;
            if room.renew() {
                break (room, permit);
            }
        };
        if !shared.ranges.lock().begin(range) {
            return Ok(None);
        }
        let answer = shared.fetch(range, request).await;
        if let Ok(arrived) = &answer.reply {
            // Before the permit is free: whoever has it next must know how large pages are.
            room.fill(arrived.bytes, is_empty(arrived));
        }
        permit.finish(answer.outcome);
        match answer.reply {
            Ok(arrived) => {
                shared.ranges.lock().charged(arrived.charged_bytes);
                Ok(Some(Fetched {
                    reply: arrived.reply,
                    is_matrix: arrived.is_matrix,
                    bytes: arrived.bytes,
                    room,
                }))
            }
            Err(error) => {
                let kind = TableScanErrorKind::Range { range, page };
                Err(TableScanError::new(kind).with_source(error))
            }
        }
    }

    /// Walks a page, makes of it what is wanted, and hands it over.
    fn give(
        &self,
        absorbed: Absorbed,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<(), DecodeError> {
        let Absorbed {
            mut page,
            is_matrix,
            bytes,
            mut room,
        } = absorbed;
        match (is_matrix, self.decode.blocks) {
            (true, _) => page.rows = block::count_matrix(page.buffer())?,
            (false, true) => page.rows = block::count_rows(page.buffer())?,
            (false, false) => page.verify()?,
        }
        let counted = Counted {
            range: page.range,
            rows: page.rows,
            bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
            next: page.next().clone(),
        };
        let (value, held_bytes) = (self.decode.decode)(TableBlock::new(page, is_matrix))?;
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
fn is_empty(arrived: &Arrived) -> bool {
    let reply = arrived.reply.as_ref();
    reply.is_ok_and(|reply| reply.rows.len() <= HEADER_BYTES)
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
