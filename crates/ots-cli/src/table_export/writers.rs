//! Threads that write the pages of a table to files, in rounds.

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use ots_arrow::{RecordBatchBuilder, ScanSchema};
use ots_scan::{TableCheckpoint, TablePage};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::sink::{self, FinishedPart, PartWriter, Parts};
use crate::value_json;

/// The threads. Pages of one range go to the same thread, so that they stay in order in its file.
///
/// Dropping it ends the threads, which take the files of rounds that aren't complete away, and
/// doesn't wait for that: [`end`](Self::end) does.
#[derive(Debug)]
pub struct RoundWriters {
    pages: Vec<mpsc::Sender<Message>>,
    /// What each thread, by its number, made of a round.
    closed: mpsc::UnboundedReceiver<(usize, Result<Option<FinishedPart>, RoundError>)>,
    threads: JoinSet<()>,
    /// Rounds that were told to close and haven't yet, in order.
    closing: VecDeque<Closing>,
}

/// What the files hold.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Content {
    /// Columns.
    Columns {
        /// Which.
        schema: ScanSchema,
        /// Whether a row with another column is an error: where none may be left out.
        only_these: bool,
    },
    /// Lines of JSON, whatever a row has.
    Lines,
}

/// A round of files that are whole and on the disk.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "complete by nature")]
pub struct Round {
    /// The place behind all of its rows.
    pub checkpoint: TableCheckpoint,
    /// Its files: none for threads that had no row.
    pub parts: Vec<FinishedPart>,
}

#[derive(Debug)]
struct Closing {
    round: Round,
    /// The threads that haven't answered.
    waits_for: Vec<usize>,
}

#[derive(Debug)]
enum Message {
    Page(TablePage),
    /// Finish the file; the next page begins another.
    Close,
}

/// Why pages can't be written.
#[derive(Debug)]
#[non_exhaustive]
pub enum RoundError {
    /// A file can't be written.
    Sink(sink::Error),
    /// A page can't be made columns of.
    Decode {
        /// The range.
        range: u32,
        /// The page of it, from 0, since the scan was opened or resumed.
        page: u64,
        /// What is wrong with it.
        source: ots_arrow::Error,
    },
    /// A page can't be read.
    Page(ots_scan::TableScanError),
    /// A thread ended before its work did.
    Thread,
}

impl RoundWriters {
    /// Starts the threads. Files are opened when there are rows for them.
    #[must_use]
    pub fn start(parts: &Parts, content: &Content, round: u32, threads: usize) -> Self {
        let (results, closed) = mpsc::unbounded_channel();
        let mut running = JoinSet::new();
        let pages = (0..threads.max(1)).map(|thread| {
            let (pages, mut received) = mpsc::channel(WAITING_PAGES);
            let mut share = Share::new(parts.clone(), content, thread, round);
            let results = results.clone();
            running.spawn_blocking(move || {
                while let Some(message) = received.blocking_recv() {
                    let result = match message {
                        Message::Page(page) => match share.write(&page) {
                            Ok(()) => continue,
                            Err(error) => Err(error),
                        },
                        Message::Close => share.close(),
                    };
                    let failed = result.is_err();
                    // After a failure its file has a gap: nothing more may be written to it. And
                    // when nobody listens, nobody wants it.
                    if results.send((thread, result)).is_err() || failed {
                        return;
                    }
                }
            });
            pages
        });
        Self {
            pages: pages.collect(),
            closed,
            threads: running,
            closing: VecDeque::new(),
        }
    }

    /// Hands a page to its thread, waiting while that one has enough to do. False when the thread has
    /// failed; [`next_closed`](Self::next_closed) says why.
    pub async fn write(&mut self, page: TablePage) -> bool {
        let thread = page.range() as usize % self.pages.len().max(1);
        match self.pages.get(thread) {
            Some(pages) => pages.send(Message::Page(page)).await.is_ok(),
            None => false,
        }
    }

    /// Tells every thread to finish its file, and goes on: the place is that behind the pages written
    /// so far. False as with [`write`](Self::write).
    pub async fn close(&mut self, checkpoint: TableCheckpoint) -> bool {
        self.closing.push_back(Closing {
            round: Round {
                checkpoint,
                parts: Vec::new(),
            },
            waits_for: (0..self.pages.len()).collect(),
        });
        for pages in &self.pages {
            if pages.send(Message::Close).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Whether a round isn't complete that was told to close.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        !self.closing.is_empty()
    }

    /// Waits for the next complete round, or for the failure of any thread.
    ///
    /// # Errors
    /// Why a thread has failed.
    ///
    /// # Cancel safety
    /// Given up and called again, it waits on.
    pub async fn next_closed(&mut self) -> Result<Round, RoundError> {
        loop {
            let (thread, part) = self.closed.recv().await.ok_or(RoundError::Thread)?;
            if !self.answered(thread, part?) {
                return Err(RoundError::Thread);
            }
            if let Some(round) = self.complete() {
                return Ok(round);
            }
        }
    }

    /// Ends the threads, waits until the files of rounds that aren't complete are gone, and gives the
    /// rounds that are: those before a failure.
    pub async fn end(mut self) -> Vec<Round> {
        self.pages.clear();
        let mut rounds = Vec::new();
        while let Some((thread, part)) = self.closed.recv().await {
            let Ok(part) = part else { continue };
            if !self.answered(thread, part) {
                break;
            }
            rounds.extend(self.complete());
        }
        while self.threads.join_next().await.is_some() {}
        rounds
    }

    /// Takes what a thread made of the first round that waits for it: each answers in order.
    fn answered(&mut self, thread: usize, part: Option<FinishedPart>) -> bool {
        let mut closing = self.closing.iter_mut();
        let closing = closing.find(|closing| closing.waits_for.contains(&thread));
        let Some(closing) = closing else {
            return false;
        };
        closing.waits_for.retain(|other| *other != thread);
        closing.round.parts.extend(part);
        true
    }

    /// The first round, if it waits for nobody.
    fn complete(&mut self) -> Option<Round> {
        let first = self.closing.front()?;
        let is_complete = first.waits_for.is_empty();
        let first = is_complete.then(|| self.closing.pop_front())?;
        first.map(|first| first.round)
    }
}

/// What one thread is at.
struct Share {
    parts: Parts,
    thread: usize,
    round: u32,
    /// The file, if there was a row for it.
    part: Option<PartWriter>,
    form: Form,
}

enum Form {
    Columns {
        schema: SchemaRef,
        builder: Box<RecordBatchBuilder>,
        /// The batch that was written last: its memory serves the next.
        spare: Option<RecordBatch>,
        /// The range and the number of the latest page.
        page: (u32, u64),
    },
    Lines(String),
}

impl Share {
    fn new(parts: Parts, content: &Content, thread: usize, round: u32) -> Self {
        let form = match content {
            Content::Lines => Form::Lines(String::new()),
            Content::Columns { schema, only_these } => {
                let builder = RecordBatchBuilder::new(schema);
                Form::Columns {
                    schema: schema.arrow_schema(),
                    builder: Box::new(if *only_these {
                        builder.refuse_other_columns()
                    } else {
                        builder
                    }),
                    spare: None,
                    page: (0, 0),
                }
            }
        };
        Self {
            parts,
            thread,
            round,
            part: None,
            form,
        }
    }

    fn write(&mut self, page: &TablePage) -> Result<(), RoundError> {
        if page.row_count() == 0 {
            return Ok(());
        }
        match &mut self.form {
            Form::Columns {
                builder,
                spare,
                page: latest,
                ..
            } => {
                *latest = (page.range(), page.index());
                if builder.rows() == 0
                    && let Some(written) = spare.take()
                {
                    builder.recycle(written);
                }
                builder
                    .append_buffer(page.buffer())
                    .map_err(|source| decode(*latest, source))?;
                if builder.rows() >= BATCH_ROWS || builder.filled_bytes() >= BATCH_BYTES {
                    self.flush()?;
                }
            }
            Form::Lines(lines) => {
                lines.clear();
                let mut rows = page.reader().map_err(RoundError::Page)?;
                while let Some(row) = rows
                    .next_row()
                    .map_err(|error| decode((page.range(), page.index()), error.into()))?
                {
                    value_json::write_row_ref(lines, row);
                }
                let part = open(&mut self.part, &self.parts, (self.thread, self.round), None)?;
                part.write_lines(lines, page.row_count())
                    .map_err(RoundError::Sink)?;
            }
        }
        Ok(())
    }

    /// Writes the rows of the batch that is being made.
    fn flush(&mut self) -> Result<(), RoundError> {
        if let Form::Columns {
            schema,
            builder,
            spare,
            page,
        } = &mut self.form
            && builder.rows() > 0
        {
            let batch = builder.finish().map_err(|source| decode(*page, source))?;
            let place = (self.thread, self.round);
            let part = open(&mut self.part, &self.parts, place, Some(schema))?;
            part.write(&batch).map_err(RoundError::Sink)?;
            *spare = Some(batch);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<Option<FinishedPart>, RoundError> {
        self.flush()?;
        self.round += 1;
        let finished = self.part.take().map(PartWriter::finish);
        finished.transpose().map_err(RoundError::Sink)
    }
}

/// The file of a thread in a round.
fn open<'p>(
    part: &'p mut Option<PartWriter>,
    parts: &Parts,
    (thread, round): (usize, u32),
    schema: Option<&SchemaRef>,
) -> Result<&'p mut PartWriter, RoundError> {
    if part.is_none() {
        let opened = parts.open(thread, round, schema);
        *part = Some(opened.map_err(RoundError::Sink)?);
    }
    part.as_mut().ok_or(RoundError::Thread)
}

const fn decode((range, page): (u32, u64), source: ots_arrow::Error) -> RoundError {
    RoundError::Decode {
        range,
        page,
        source,
    }
}

/// Pages that may wait for a thread, besides the one it works on.
const WAITING_PAGES: usize = 2;

/// Enough rows for an encoder to work well.
const BATCH_ROWS: usize = 8_192;
const BATCH_BYTES: usize = 2 * 1024 * 1024;
