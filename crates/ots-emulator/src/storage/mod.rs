//! Data that outlives the process.
//!
//! What is in memory serves all requests. With a data directory, each change is also handed to one
//! thread, in the order in which changes were made, and answered when that thread has it on disk. The
//! thread commits whatever has come in meanwhile as one transaction of redb, so a hundred writers
//! share one flush. A batch that is all or nothing is one record, so it is on disk, too.
//!
//! A crash leaves the last transaction that was committed: every acknowledged change is in it. A
//! change that was not acknowledged may be there or not, as with the service; readers may have seen
//! it before it was on disk. Sessions of scans are not kept: after a restart they have expired.

mod claim;
mod error;
mod file;
mod journal;
mod load;
mod saved;
mod snapshot;
mod untouched;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use claim::Claim;
pub use error::StorageError;
pub(crate) use file::{DataFile, Record};
pub(crate) use journal::{Journal, Kept};
pub(crate) use load::{Instances, load};
pub(crate) use snapshot::{read_snapshot, write_snapshot};

/// The thread that writes a data directory. When it is dropped, everything handed to it is on disk.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    sender: Option<Sender<Message>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Given up last, when the file is closed.
    _claim: Claim,
    /// Why nothing can be written any more.
    failed: Arc<OnceLock<Arc<StorageError>>>,
}

/// Changes that belong together, and whom to tell.
struct Message {
    records: Vec<Record>,
    done: SyncSender<Result<(), Arc<StorageError>>>,
}

impl Store {
    /// Opens a data directory, created if need be, with what it holds.
    pub(crate) fn open(directory: &Path) -> Result<(Self, Instances), StorageError> {
        std::fs::create_dir_all(directory)
            .map_err(|error| StorageError::new("created", directory, error))?;
        let claim = Claim::of(directory, "opened")?;
        let file = DataFile::open(&directory.join(FILE_NAME))?;
        let instances = load(&file)?;
        let (sender, receiver) = mpsc::channel();
        let failed = Arc::new(OnceLock::new());
        let fails = Arc::clone(&failed);
        let writer = thread::Builder::new()
            .name("ots-emulator-storage".to_owned())
            .spawn(move || write(&file, &receiver, &fails))
            .map_err(|error| {
                StorageError::new("written by a thread of its own", directory, error)
            })?;
        let store = Self {
            directory: directory.to_owned(),
            sender: Some(sender),
            writer: Mutex::new(Some(writer)),
            _claim: claim,
            failed,
        };
        Ok((store, instances))
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Why nothing can be written any more, if so: what is in memory is ahead of the disk then, and
    /// nothing may be added behind the gap.
    pub(crate) fn failure(&self) -> Option<&StorageError> {
        self.failed.get().map(|error| &**error)
    }

    /// Hands changes over. Called while what they change is locked: that is what keeps the order.
    fn send(&self, records: Vec<Record>) -> Kept {
        let (done, kept) = mpsc::sync_channel(1);
        if let Some(sender) = &self.sender {
            // Without a thread there is no one to answer either, which `Kept` reports.
            drop(sender.send(Message { records, done }));
        }
        Kept::later(kept)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The end of the channel is the end of the thread.
        self.sender = None;
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writer.take() {
            drop(writer.join());
        }
    }
}

/// Commits what comes in, until nothing can come any more.
fn write(
    file: &DataFile,
    receiver: &mpsc::Receiver<Message>,
    failed: &OnceLock<Arc<StorageError>>,
) {
    while let Ok(first) = receiver.recv() {
        let mut group = vec![first];
        group.extend(receiver.try_iter().take(GROUP_MESSAGES));
        let result = match failed.get() {
            Some(error) => Err(Arc::clone(error)),
            None => {
                let records = group.iter().flat_map(|message| &message.records);
                file.commit(records).map_err(Arc::new)
            }
        };
        if let Err(error) = &result {
            failed.get_or_init(|| Arc::clone(error));
        }
        for message in group {
            // Whoever asked may have gone away.
            drop(message.done.send(result.clone()));
        }
    }
}

/// The one file of a data directory.
pub(crate) const FILE_NAME: &str = "tablestore.redb";
/// Messages that share a transaction at most, lest a flood make the first wait for ever.
const GROUP_MESSAGES: usize = 1023;
