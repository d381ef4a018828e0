//! Threads that decode the pages of an export and write them to its files.

use arrow_array::RecordBatch;
use ots_arrow::{RecordBatchBuilder, ScanSchema};
use ots_scan::ScanPage;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::sink::{self, FinishedPart, PartWriter, Parts};

/// The threads, each with some of the splits. A split has one file.
///
/// Dropping it ends the threads, which take their files away, and doesn't wait for that:
/// [`abandon`](Self::abandon) does.
#[derive(Debug)]
pub struct Writers {
    threads: Vec<Thread>,
}

#[derive(Debug)]
struct Thread {
    /// None once it was told to give up.
    pages: Option<mpsc::Sender<Message>>,
    outcome: JoinHandle<Result<Vec<FinishedPart>, WriteError>>,
}

/// What a thread is told. Without `End` it was abandoned, and must not finish its files.
enum Message {
    Page(ScanPage),
    End,
}

/// Why pages can't be written.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// A file can't be written.
    Sink(sink::Error),
    /// A page can't be decoded.
    Decode {
        /// The split.
        split: u32,
        /// The page, from 0.
        page: u64,
        /// What is wrong with it.
        source: ots_arrow::Error,
    },
    /// A thread ended before its work did.
    Thread,
}

/// That a writer has failed; [`Writers::finish`] says why.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

impl Writers {
    /// Opens a file for each split and starts the threads.
    ///
    /// # Errors
    /// When a file can't be created.
    pub fn start(
        parts: &Parts,
        schema: &ScanSchema,
        splits: u32,
        threads: usize,
    ) -> Result<Self, WriteError> {
        let mut shares: Vec<Vec<Split>> = Vec::new();
        shares.resize_with(threads.clamp(1, splits.max(1) as usize), Vec::new);
        let count = shares.len();
        for (id, share) in (0..splits).zip((0..count).cycle()) {
            let part = parts
                .open(id as usize, 0, Some(&schema.arrow_schema()))
                .map_err(WriteError::Sink)?;
            if let Some(share) = shares.get_mut(share) {
                share.push(Split {
                    id,
                    part,
                    builder: RecordBatchBuilder::new(schema),
                    page: 0,
                });
            }
        }
        let threads = shares.into_iter().map(|splits| {
            let (pages, received) = mpsc::channel(WAITING_PAGES);
            let outcome = tokio::task::spawn_blocking(move || write_pages(splits, received));
            Thread {
                pages: Some(pages),
                outcome,
            }
        });
        Ok(Self {
            threads: threads.collect(),
        })
    }

    /// Hands a page to its thread, waiting while that one has enough to do.
    ///
    /// # Errors
    /// When the thread has failed.
    pub async fn write(&mut self, page: ScanPage) -> Result<(), Failed> {
        let share = page.split.id() as usize % self.threads.len().max(1);
        let thread = self.threads.get(share).ok_or(Failed)?;
        let pages = thread.pages.as_ref().ok_or(Failed)?;
        pages.send(Message::Page(page)).await.map_err(|_| Failed)
    }

    /// Waits until everything is on the disk, under temporary names still.
    ///
    /// # Errors
    /// The first failure of any thread.
    pub async fn finish(mut self) -> Result<Vec<FinishedPart>, WriteError> {
        for pages in self
            .threads
            .iter()
            .filter_map(|thread| thread.pages.as_ref())
        {
            // A thread that has failed hears nothing; its outcome says why.
            pages.send(Message::End).await.ok();
        }
        let mut finished = Ok(Vec::new());
        for outcome in self.outcomes().await {
            finished = match (finished, outcome) {
                (Ok(mut parts), Ok(more)) => {
                    parts.extend(more);
                    Ok(parts)
                }
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
        }
        finished
    }

    /// Ends the threads and waits until their files are gone.
    ///
    /// # Cancel safety
    /// Given up and called again, it waits on.
    pub async fn abandon(&mut self) {
        for thread in &mut self.threads {
            thread.pages = None;
        }
        drop(self.outcomes().await);
    }

    /// Waits for every thread, also after one has failed: its files go away only when it ends.
    async fn outcomes(&mut self) -> Vec<Result<Vec<FinishedPart>, WriteError>> {
        let mut outcomes = Vec::new();
        while let Some(thread) = self.threads.last_mut() {
            thread.pages = None;
            let outcome = (&mut thread.outcome).await;
            outcomes.push(outcome.unwrap_or(Err(WriteError::Thread)));
            self.threads.pop();
        }
        outcomes
    }
}

/// A split on its way to its file.
struct Split {
    id: u32,
    part: PartWriter,
    builder: RecordBatchBuilder,
    /// The latest page.
    page: u64,
}

/// Pages that may wait for a thread, besides the one it works on.
const WAITING_PAGES: usize = 2;

/// Enough rows for an encoder to work well, few enough to stay small for every split at once.
const BATCH_ROWS: usize = 8_192;
const BATCH_BYTES: usize = 2 * 1024 * 1024;

fn write_pages(
    mut splits: Vec<Split>,
    mut pages: mpsc::Receiver<Message>,
) -> Result<Vec<FinishedPart>, WriteError> {
    // The batch that was written last: its memory serves whichever split begins a batch next, so
    // that the system hands out fresh pages only while more splits are filling at once than before.
    let mut spare = None;
    loop {
        match pages.blocking_recv() {
            Some(Message::Page(page)) => {
                let id = page.split.id();
                let split = splits.iter_mut().find(|split| split.id == id);
                split.ok_or(WriteError::Thread)?.write(&page, &mut spare)?;
            }
            Some(Message::End) => return splits.into_iter().map(Split::finish).collect(),
            None => return Err(WriteError::Thread),
        }
    }
}

impl Split {
    fn write(
        &mut self,
        page: &ScanPage,
        spare: &mut Option<RecordBatch>,
    ) -> Result<(), WriteError> {
        self.page = page.index;
        if self.builder.rows() == 0
            && let Some(written) = spare.take()
        {
            self.builder.recycle(written);
        }
        self.builder
            .append_page(&page.rows)
            .map_err(|source| self.damaged(source))?;
        if self.builder.rows() >= BATCH_ROWS || self.builder.filled_bytes() >= BATCH_BYTES {
            *spare = self.flush()?;
        }
        Ok(())
    }

    /// Writes the rows so far, and gives their batch.
    fn flush(&mut self) -> Result<Option<RecordBatch>, WriteError> {
        if self.builder.rows() == 0 {
            return Ok(None);
        }
        let batch = self.builder.finish();
        let batch = batch.map_err(|source| self.damaged(source))?;
        self.part.write(&batch).map_err(WriteError::Sink)?;
        Ok(Some(batch))
    }

    fn finish(mut self) -> Result<FinishedPart, WriteError> {
        self.flush()?;
        self.part.finish().map_err(WriteError::Sink)
    }

    const fn damaged(&self, source: ots_arrow::Error) -> WriteError {
        WriteError::Decode {
            split: self.id,
            page: self.page,
            source,
        }
    }
}
