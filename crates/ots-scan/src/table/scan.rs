//! A scan of a table under way: the stream of what its pages become.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::{FusedStream, Stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::block::TableBlock;
use super::checkpoint::TableCheckpoint;
use super::error::{TableScanError, TableScanErrorKind};
use super::page::TablePage;
use super::progress::TableProgress;
use super::rows::TableRows;
use super::worker::{Decode, Event, Shared, Worker};
use crate::decode::DecodeError;

/// A scan of a table under way: a stream of [`TablePage`]s, or of what
/// [`decode`](Self::decode) makes of them, of all ranges.
///
/// Pages come in the order of keys within a range, and in any order between ranges; empty ones come
/// too. The stream ends without an error only when every range was read to its end. After an error it
/// ends, and all that was under way is given up.
///
/// Every key is in exactly one range. So a row that is there all the time comes exactly once. There is
/// no snapshot: a row that is written or deleted meanwhile comes if it was there when its page was read.
///
/// # Cost
/// Nothing before it is polled. Then a request for each page, one page of a range ahead of the caller.
///
/// # Cancel safety
/// Waiting for a page can be given up and begun again; no page is lost. Dropping the scan aborts its
/// tasks and gives back its permits. A scan that nobody polls any more has asked for two pages in each
/// of its tasks, holds no permit, and waits.
///
/// # Errors
/// [`Range`](TableScanErrorKind::Range), [`Decode`](TableScanErrorKind::Decode),
/// [`NoRuntime`](TableScanErrorKind::NoRuntime) and [`Aborted`](TableScanErrorKind::Aborted), each with
/// what was handed over of every range. An error comes after the pages of its own range; pages of
/// others that nobody has taken are dropped, not counted, and read again from the checkpoint.
#[must_use = "streams do nothing unless polled"]
pub struct TableScan<T = TablePage> {
    shared: Arc<Shared>,
    decode: Decode<T>,
    state: State<T>,
    watch: Watch,
}

/// How long the caller has been reading.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    /// When the first page was wanted.
    started: Option<Instant>,
    ended: Option<Instant>,
}

impl Watch {
    fn elapsed(self) -> Duration {
        let until = self.ended.unwrap_or_else(Instant::now);
        self.started
            .map_or(Duration::ZERO, |started| until - started)
    }
}

enum State<T> {
    /// Nobody has asked for anything yet.
    Unpolled,
    Reading {
        events: UnboundedReceiver<Event<T>>,
        /// Aborted on drop.
        tasks: JoinSet<()>,
    },
    Ended,
}

impl TableScan {
    pub(super) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
            decode: of_pages(|page| Ok((page, None))),
            state: State::Unpolled,
            watch: Watch::default(),
        }
    }

    /// The rows instead of the pages, owning their values.
    ///
    /// Pages are verified in the tasks, side by side. Rows are made one by one by whoever polls, who
    /// mostly lets a row go before the next is made: memory that one thread takes and another gives back
    /// costs more than what a row is copied for. To make rows side by side too, there is
    /// `decode(TablePage::rows)`.
    ///
    /// It is for a scan of which no page was asked for yet: those that wait are asked for again.
    pub fn rows(self) -> TableRows {
        TableRows::new(self.decoded(of_pages(|page| Ok((page, None)))))
    }

    /// What `decode` makes of each page, instead of the page: record batches, rows of a type, sums.
    ///
    /// It runs in the tasks, side by side, while the next page of the range is on its way. A page that
    /// it refuses is asked for again before the scan fails with its error.
    ///
    /// It is for a scan of which no page was asked for yet: those that wait are asked for again.
    pub fn decode<T, E>(
        self,
        decode: impl Fn(&TablePage) -> Result<T, E> + Send + Sync + 'static,
    ) -> TableScan<T>
    where
        T: Send + 'static,
        E: Into<DecodeError>,
    {
        self.decoded(of_pages(move |page| {
            let value = decode(&page).map_err(Into::into)?;
            Ok((value, None))
        }))
    }

    /// As [`decode`](Self::decode), for what takes more memory than its page, or less: of each page
    /// the value, and what it holds in bytes. These count towards
    /// [`buffered_bytes`](crate::TableScanBuilder::buffered_bytes) until the value is taken, in place of
    /// those of the page.
    pub fn decode_sized<T, E>(
        self,
        decode: impl Fn(&TablePage) -> Result<(T, usize), E> + Send + Sync + 'static,
    ) -> TableScan<T>
    where
        T: Send + 'static,
        E: Into<DecodeError>,
    {
        self.decoded(of_pages(move |page| {
            let (value, held_bytes) = decode(&page).map_err(Into::into)?;
            Ok((value, Some(held_bytes)))
        }))
    }

    /// As [`decode_sized`](Self::decode_sized), for those who can read both forms in which the service
    /// sends rows.
    ///
    /// Pages that are read by BulkExport come as matrices, where columns are named and those of the key
    /// are among them: with names once, one checksum and no times; of narrow rows, less than half the
    /// bytes. Others come as PlainBuffers. Nobody has compared checksums yet: whoever reads the block
    /// does, and an error says that it is to be asked for again.
    ///
    /// ```
    /// use ots_proto::messages::DataBlockType;
    /// use ots_proto::simple_row_matrix::Matrix;
    ///
    /// # fn example(scan: ots_scan::TableScan) {
    /// let columns = scan.decode_blocks(|block| {
    ///     let columns = match block.form() {
    ///         DataBlockType::SimpleRowMatrix => Matrix::parse(block.bytes())?.names().len(),
    ///         DataBlockType::PlainBuffer => 0,
    ///     };
    ///     Ok::<_, ots_proto::simple_row_matrix::Error>((columns, size_of_val(&columns)))
    /// });
    /// # }
    /// ```
    pub fn decode_blocks<T, E>(
        self,
        decode: impl Fn(&TableBlock) -> Result<(T, usize), E> + Send + Sync + 'static,
    ) -> TableScan<T>
    where
        T: Send + 'static,
        E: Into<DecodeError>,
    {
        let decode = move |block| {
            let (value, held_bytes) = decode(&block).map_err(Into::into)?;
            Ok((value, Some(held_bytes)))
        };
        self.decoded(Decode {
            decode: Arc::new(decode),
            blocks: true,
        })
    }

    fn decoded<T>(self, decode: Decode<T>) -> TableScan<T> {
        let (shared, state) = match self.state {
            State::Unpolled => (self.shared, State::Unpolled),
            // Apart from the tasks that still run: ranges that they began begin again, behind what was
            // handed over.
            State::Reading { .. } => (Arc::new(self.shared.anew()), State::Unpolled),
            State::Ended => (self.shared, State::Ended),
        };
        TableScan {
            shared,
            decode,
            state,
            watch: self.watch,
        }
    }
}

/// For those who take pages only, whose rows were walked.
fn of_pages<T>(
    decode: impl Fn(TablePage) -> Result<(T, Option<usize>), DecodeError> + Send + Sync + 'static,
) -> Decode<T> {
    Decode {
        decode: Arc::new(move |block| decode(block.into_page()?)),
        blocks: false,
    }
}

impl<T> TableScan<T> {
    /// How far the scan is: what was handed over of each range.
    #[must_use]
    pub fn progress(&self) -> TableProgress {
        let concurrency = self.shared.limiter.limit();
        let elapsed = self.watch.elapsed();
        self.shared.ranges.lock().progress(concurrency, elapsed)
    }

    /// Behind the last page that was handed over of each range: to go on from, with
    /// [`TableScanBuilder::resume`](crate::TableScanBuilder::resume), at any time, in this process or in
    /// another. After an error, too.
    ///
    /// It is for the caller to have done with a page before it takes the checkpoint behind it.
    pub fn checkpoint(&self) -> TableCheckpoint {
        self.shared.ranges.lock().checkpoint()
    }

    fn end(&mut self) {
        self.state = State::Ended;
        self.watch.ended.get_or_insert_with(Instant::now);
    }

    pub(super) fn fail(&mut self, error: TableScanError) -> TableScanError {
        self.end();
        self.shared.ranges.lock().abandon();
        let error = error.of(&self.shared.spec.table);
        error.with_progress(self.progress())
    }
}

impl<T: Send + 'static> TableScan<T> {
    fn start(&self, runtime: &Handle) -> State<T> {
        // Unbounded, because every task has at most one page in it.
        let (sender, events) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for _ in 0..self.shared.workers {
            let (shared, decode) = (Arc::clone(&self.shared), self.decode.clone());
            let worker = Worker::new(shared, decode, sender.clone());
            tasks.spawn_on(worker.run(), runtime);
        }
        State::Reading { events, tasks }
    }
}

impl<T: Send + 'static> Stream for TableScan<T> {
    type Item = Result<T, TableScanError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let State::Unpolled = this.state {
            match Handle::try_current() {
                Ok(runtime) => {
                    this.watch.started.get_or_insert_with(Instant::now);
                    this.state = this.start(&runtime);
                }
                Err(error) => {
                    let error =
                        TableScanError::new(TableScanErrorKind::NoRuntime).with_source(error);
                    return Poll::Ready(Some(Err(this.fail(error))));
                }
            }
        }
        let State::Reading { events, tasks } = &mut this.state else {
            return Poll::Ready(None);
        };
        let error = loop {
            let event = events.poll_recv(cx);
            let may_come = event.is_pending();
            match event {
                Poll::Ready(Some(Event::Page(page))) => {
                    this.shared.ranges.lock().hand_over(page.counted);
                    return Poll::Ready(Some(Ok(page.value)));
                }
                Poll::Ready(Some(Event::Failed(error))) => break error,
                Poll::Ready(None) | Poll::Pending => {}
            }
            match tasks.poll_join_next(cx) {
                Poll::Ready(Some(Ok(()))) => {}
                // A task that panicked says nothing, which must not look like an end.
                Poll::Ready(Some(Err(error))) => {
                    break TableScanError::new(TableScanErrorKind::Aborted).with_source(error);
                }
                Poll::Pending => return Poll::Pending,
                // The last task has gone since the channel was asked, which wakes us again.
                Poll::Ready(None) if may_come => return Poll::Pending,
                Poll::Ready(None) if this.shared.ranges.lock().is_done() => {
                    this.end();
                    return Poll::Ready(None);
                }
                Poll::Ready(None) => break TableScanError::new(TableScanErrorKind::Aborted),
            }
        };
        Poll::Ready(Some(Err(this.fail(error))))
    }
}

impl<T: Send + 'static> FusedStream for TableScan<T> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Ended)
    }
}

impl<T> fmt::Debug for TableScan<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without filter and keys: they may hold values of rows.
        f.debug_struct("TableScan")
            .field("table", &self.shared.spec.table)
            .field("workers", &self.shared.workers)
            .finish_non_exhaustive()
    }
}
