//! Threads that write the pages of a table to files, in rounds.

use std::collections::VecDeque;

use ots_arrow::ScanSchema;
use ots_scan::{TableCheckpoint, TablePage};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::share::Share;
use crate::sink::{self, FinishedPart, Parts};

/// The threads. Pages of one range go to the same thread, so that they stay in order in its file.
///
/// Dropping it ends the threads, which take the files of rounds that aren't complete away, and
/// doesn't wait for that: [`end`](Self::end) does.
#[derive(Debug)]
pub struct RoundWriters {
    pages: Vec<mpsc::Sender<Message>>,
    /// What each thread, by its number, made of a round.
    closed: mpsc::UnboundedReceiver<(usize, Closed)>,
    threads: JoinSet<()>,
    /// Rows handed over since the files were told to close.
    rows: u64,
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

/// What a thread says at the end of a round: its file, if it had a row for one.
type Closed = Result<Option<FinishedPart>, RoundError>;

#[derive(Debug)]
struct Closing {
    round: Round,
    /// The rows that its files are to hold.
    rows: u64,
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
    /// The files of a round hold more rows than were handed over for it, or fewer.
    Rows {
        /// Rows handed over.
        read: u64,
        /// Rows of the files.
        written: u64,
    },
    /// A thread ended before its work did.
    Thread,
}

impl RoundWriters {
    /// Starts the threads. Files are opened when there are rows for them.
    #[must_use]
    pub fn start(parts: &Parts, content: &Content, round: u32, threads: usize) -> Self {
        Self::with(threads, |thread| {
            let mut share = Share::new(parts.clone(), content, thread, round);
            move |message| match message {
                Message::Page(page) => share.write(&page).err().map(Err),
                Message::Close => Some(share.close()),
            }
        })
    }

    /// Threads that answer messages: a page only when it can't be written.
    fn with<S>(threads: usize, share: impl Fn(usize) -> S) -> Self
    where
        S: FnMut(Message) -> Option<Closed> + Send + 'static,
    {
        let (results, closed) = mpsc::unbounded_channel();
        let mut running = JoinSet::new();
        let pages = (0..threads.max(1)).map(|thread| {
            let (pages, mut received) = mpsc::channel(WAITING_PAGES);
            let mut share = share(thread);
            let answers = Answers {
                thread,
                results: results.clone(),
            };
            running.spawn_blocking(move || {
                while let Some(message) = received.blocking_recv() {
                    if let Some(result) = share(message)
                        && !answers.send(result)
                    {
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
            rows: 0,
            closing: VecDeque::new(),
        }
    }

    /// Hands a page to its thread, waiting while that one has enough to do. False when the thread has
    /// failed; [`next_closed`](Self::next_closed) says why.
    pub async fn write(&mut self, page: TablePage) -> bool {
        let thread = page.range() as usize % self.pages.len().max(1);
        self.rows += page.row_count();
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
            rows: std::mem::take(&mut self.rows),
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
    /// Why a thread has failed; a round that has other rows than were handed over for it.
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
                return round;
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
            match self.complete() {
                Some(Ok(round)) => rounds.push(round),
                // Nothing behind a gap is kept.
                Some(Err(_)) => break,
                None => {}
            }
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

    /// The first round, if it waits for nobody. Its place is worth something only where its files
    /// hold what was read up to there; otherwise no round behind it comes.
    fn complete(&mut self) -> Option<Result<Round, RoundError>> {
        let first = self.closing.front()?;
        if !first.waits_for.is_empty() {
            return None;
        }
        let read = first.rows;
        let written = first.round.parts.iter().map(FinishedPart::rows).sum();
        if written != read {
            return Some(Err(RoundError::Rows { read, written }));
        }
        self.closing.pop_front().map(|first| Ok(first.round))
    }
}

/// How a thread answers. It does so even when it panics: nobody waits for one that has gone.
struct Answers {
    thread: usize,
    results: mpsc::UnboundedSender<(usize, Closed)>,
}

impl Answers {
    /// Whether to go on. After a failure the file has a gap: nothing more may be written to it. And
    /// when nobody listens, nobody wants it.
    fn send(&self, result: Closed) -> bool {
        let failed = result.is_err();
        self.results.send((self.thread, result)).is_ok() && !failed
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.send(Err(RoundError::Thread));
        }
    }
}

/// Pages that may wait for a thread, besides the one it works on.
const WAITING_PAGES: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{Format, Staging};
    use crate::table_export::checkpoint;

    #[tokio::test]
    async fn a_thread_that_panics_ends_the_work_of_all() {
        // One that closes in order is never an answer for the other.
        let mut writers = RoundWriters::with(2, |thread| {
            move |_| match thread {
                0 => Some(Ok(None)),
                _ => std::panic::resume_unwind(Box::new("a defect")),
            }
        });
        // Whether the thread has gone already when it is told the second time is all the same.
        writers.close(checkpoint().await).await;
        writers.close(checkpoint().await).await;
        let error = writers.next_closed().await.unwrap_err();
        assert!(matches!(error, RoundError::Thread), "{error:?}");
        assert!(writers.end().await.is_empty());
    }

    #[tokio::test]
    async fn a_round_with_other_rows_than_were_handed_over_is_not_kept_nor_any_behind_it() {
        let place = tempfile::tempdir().unwrap();
        let staging = Staging::begin(place.path(), Format::Jsonl).unwrap();
        let mut writers = RoundWriters::with(2, |thread| {
            let (parts, mut round) = (staging.parts(), 0);
            move |_| {
                let mut part = parts.open(thread, round, None).unwrap();
                part.write_lines("{}\n", 1).unwrap();
                round += 1;
                Some(Ok(Some(part.finish().unwrap())))
            }
        });
        for rows in [2, 3, 2] {
            writers.rows = rows;
            assert!(writers.close(checkpoint().await).await);
        }
        assert_eq!(writers.next_closed().await.unwrap().parts.len(), 2);
        let error = writers.next_closed().await.unwrap_err();
        let RoundError::Rows { read, written } = error else {
            panic!("{error:?}");
        };
        assert_eq!((read, written), (3, 2));
        assert!(writers.end().await.is_empty());
    }
}
