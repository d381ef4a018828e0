//! Runs of keys in files that nobody else can open, written while the scan goes on.

use std::fs::File;
use std::future::Future as _;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use super::Segment;
use super::log::Log;
use super::run::{Run, Wanted};
use super::sorted::Sorted;

/// What one session has on disk.
///
/// Its file has no name, or loses it with the last handle, so that nothing is left behind however the
/// program ends; and only its owner could read it.
#[derive(Debug)]
pub(super) struct Spill {
    directory: PathBuf,
    runs: Vec<Run>,
    writing: Option<Writing>,
    /// Whoever writes stops when it is gone.
    wanted: Arc<()>,
}

/// A piece of the log on its way to disk.
#[derive(Debug)]
struct Writing {
    job: JoinHandle<io::Result<Run>>,
    bytes: usize,
}

impl Spill {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            runs: Vec::new(),
            writing: None,
            wanted: Arc::new(()),
        }
    }

    /// Begins to write a piece of the log, on a thread of its own. No other may be on its way.
    pub(super) fn write(&mut self, log: Log, bytes: usize, runtime: &Handle) {
        let file = self.runs.first().map(|run| Arc::clone(run.file()));
        let (directory, wanted) = (self.directory.clone(), self.wanted());
        let job = runtime.spawn_blocking(move || write(&log, file, &directory, &wanted));
        self.writing = Some(Writing { job, bytes });
    }

    /// Waits until nothing is on its way to disk.
    pub(super) fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(writing) = &mut self.writing else {
            return Poll::Ready(Ok(()));
        };
        let written = ready!(Pin::new(&mut writing.job).poll(cx));
        self.writing = None;
        self.runs.push(written.map_err(io::Error::other)??);
        Poll::Ready(Ok(()))
    }

    /// Whether nothing of the session is on disk, or on its way there.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.writing.is_none()
    }

    fn wanted(&self) -> Wanted {
        Arc::downgrade(&self.wanted)
    }

    /// The indices of what is on disk.
    pub(super) fn memory_bytes(&self) -> usize {
        self.runs.iter().map(Run::memory_bytes).sum()
    }

    pub(super) fn writing_bytes(&self) -> usize {
        self.writing.as_ref().map_or(0, |writing| writing.bytes)
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.runs.iter().map(Run::disk_bytes).sum()
    }
}

/// What was given in a session that is over.
#[derive(Debug)]
pub(crate) struct Unsorted {
    log: Log,
    spilled: Option<Spilled>,
}

/// The part of it that is on disk, and where the rest goes.
#[derive(Debug)]
struct Spilled {
    directory: PathBuf,
    runs: Vec<Run>,
    writing: Option<Writing>,
    wanted: Wanted,
}

impl Unsorted {
    /// `fits` says that all of it may stay in memory.
    pub(super) fn new(log: Log, spill: Option<&mut Spill>, fits: bool) -> Self {
        let spill = spill.filter(|_| !fits);
        let spilled = spill.map(|spill| Spilled {
            directory: spill.directory.clone(),
            runs: std::mem::take(&mut spill.runs),
            writing: spill.writing.take(),
            wanted: spill.wanted(),
        });
        Self { log, spilled }
    }

    /// Changes what is on disk.
    #[cfg(test)]
    #[cfg(unix)]
    pub(super) fn damage(&mut self, damage: impl FnOnce(&File)) {
        let spilled = self.spilled.as_ref().unwrap();
        damage(spilled.runs.first().unwrap().file());
    }

    /// Makes it fit to be looked up, on a thread of its own.
    ///
    /// Takes time: of a million keys in memory a tenth of a second; and what is on disk is read and
    /// written once.
    ///
    /// # Errors
    /// When the disk can't take it, or give it back.
    pub(crate) async fn sort(self) -> io::Result<Segment> {
        let Self { log, spilled } = self;
        let Some(mut spilled) = spilled else {
            let sorting = spawn_blocking(|| Segment::Memory(Sorted::new(log)));
            return sorting.await.map_err(io::Error::other);
        };
        if let Some(Writing { job, .. }) = spilled.writing.take() {
            let run = job.await.map_err(io::Error::other)?;
            spilled.runs.push(run?);
        }
        let merging = spawn_blocking(move || spilled.merge(log));
        merging.await.map_err(io::Error::other)?.map(Segment::Disk)
    }
}

impl Spilled {
    fn merge(mut self, log: Log) -> io::Result<Run> {
        if self.runs.is_empty() || !log.is_empty() {
            let file = self.runs.first().map(|run| Arc::clone(run.file()));
            self.runs
                .push(write(&log, file, &self.directory, &self.wanted)?);
        }
        // Making the index anew takes as much.
        drop(log);
        if let [_] = self.runs.as_slice()
            && let Some(run) = self.runs.pop()
        {
            return Ok(run);
        }
        let file = create(&self.directory)?;
        Run::merge(&self.runs, &file, &self.wanted)
    }
}

/// Into the file of the session, which its first piece creates.
fn write(
    log: &Log,
    file: Option<Arc<File>>,
    directory: &Path,
    wanted: &Weak<()>,
) -> io::Result<Run> {
    let file = match file {
        Some(file) => file,
        None => create(directory)?,
    };
    Run::write(log, &file, wanted)
}

pub(super) fn create(directory: &Path) -> io::Result<Arc<File>> {
    let file = tempfile::tempfile_in(directory)?;
    // Before anything is in it. It may have been made as the mask of the process says, though there is
    // hardly a way to open a file without a name.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(Arc::new(file))
}
