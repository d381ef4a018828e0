//! The folder in which an export is until all of it is there.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;
use serde_json::{Map, Value};

use super::commit::{RECORD, Record, Step, Stopped, all_or_nothing, staged};
use super::directory::{
    CommittedPart, MARK, absent, around, create, entries, is_of_export, replace, sync,
};
use super::encode::Format;
use super::error::{Error, ErrorKind};
use super::kept::KeptPart;
use super::lock::{LOCK, Lock};
use super::part::{FinishedPart, PartWriter};
use super::staged::Staged;

/// A hidden folder in the directory of an export.
///
/// It is locked while a process is at it. It holds the parts, and where an export can be gone on with
/// a journal that names those which are finished: others count as never written. Dropping it leaves
/// what is worth going on with, and takes away what isn't, with the directories that were created.
#[derive(Debug)]
#[must_use = "an export is only there once it is committed"]
pub struct Staging {
    directory: PathBuf,
    folder: PathBuf,
    format: Format,
    lock: Option<Lock>,
    /// The directories that this export has created, outer ones first.
    created: Vec<PathBuf>,
    /// Names of files that make room for those of this export.
    replaced: Vec<String>,
    /// Whether there is something that the next process needs.
    worth_keeping: bool,
}

/// Opens the parts of a [`Staging`], from any thread.
#[derive(Clone, Debug)]
pub struct Parts {
    directory: PathBuf,
    folder: PathBuf,
    format: Format,
}

/// An export whose process had ended while its files got their names; they have them now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recovered {
    /// What was asked for, as it was handed to [`Staging::commit`].
    pub asked: Map<String, Value>,
    /// Its files.
    pub parts: Vec<CommittedPart>,
}

impl Staging {
    /// Begins an export in a directory, and creates that if need be.
    ///
    /// # Errors
    /// A directory that has files of an export in whatever format, as old and new rows would be read
    /// together; one whose export was interrupted, or is being written; one that can't be created,
    /// read or locked.
    pub fn begin(directory: impl Into<PathBuf>, format: Format) -> Result<Self, Error> {
        Self::replacing(directory, format, |_| false)
    }

    /// As [`begin`](Self::begin), but files of an export for which `may_replace` holds make room when
    /// this one is committed. Until then they stay.
    ///
    /// # Errors
    /// As [`begin`](Self::begin), for other files.
    pub fn replacing(
        directory: impl Into<PathBuf>,
        format: Format,
        may_replace: impl Fn(&Path) -> bool,
    ) -> Result<Self, Error> {
        let directory = directory.into();
        // From here on what is created is removed again if this fails.
        let created = absent(&directory);
        let mut staging = Self::at(directory, format);
        staging.created = created;
        create(&staging.directory)?;
        staging.take_note_of_files(&may_replace)?;
        let is_new = match fs::create_dir(&staging.folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            created => {
                created.map_err(|source| Error::io("create", &staging.folder, source))?;
                true
            }
        };
        let lock = Lock::take(&staging.folder);
        if is_new && lock.is_err() {
            // One in which another was faster isn't empty, and stays.
            fs::remove_dir(&staging.folder).ok();
        }
        staging.lock = Some(lock?);
        staging.refuse_decided()?;
        if staging.folder.join(JOURNAL).exists() {
            let path = staging.folder.clone();
            return Err(ErrorKind::Unfinished { path }.into());
        }
        staging.worth_keeping = false;
        // Those of one that held the lock and ended in between, too.
        staging.take_note_of_files(&may_replace)?;
        // A crash of the machine mustn't forget the way to the folder.
        for created in &staging.created {
            // Whether those around it can be opened is nothing that has to stop an export.
            sync(&around(created)).ok();
        }
        sync(&staging.directory)?;
        // One that was killed before it had anything that another needs.
        staging.remove_all_but(&[])?;
        Ok(staging)
    }

    /// Goes on with an export that was interrupted, and gives its journal.
    ///
    /// # Errors
    /// A directory without one; one that can't be read or locked.
    pub fn reopen(directory: impl Into<PathBuf>, format: Format) -> Result<(Self, Vec<u8>), Error> {
        let mut staging = Self::at(directory.into(), format);
        let journal = staging.folder.join(JOURNAL);
        if !journal.try_exists().unwrap_or(true) {
            let entries = entries(&staging.directory).unwrap_or_default();
            let has_finished = entries.iter().any(|(name, _)| is_of_export(name));
            let path = staging.directory.clone();
            return Err(ErrorKind::NothingStaged { path, has_finished }.into());
        }
        staging.lock = Some(Lock::take(&staging.folder)?);
        staging.refuse_decided()?;
        let journal = fs::read(&journal).map_err(|source| Error::io("read", &journal, source))?;
        Ok((staging, journal))
    }

    /// Gives the files of an export their names whose process ended while it did so; none if there is
    /// no such export. Every file is read: it must be as it was written.
    ///
    /// # Errors
    /// A file that can't be renamed, or one of another export in the way: another time it may go well.
    /// A file that was changed since, or is gone: then the export is given up. In these cases no file has
    /// its name but one that was changed. A file that can't be read: then all stays as it is, for another
    /// time. A process that is at it.
    pub fn recover(directory: &Path) -> Result<Option<Recovered>, Error> {
        let folder = directory.join(FOLDER);
        if folder.join(RECORD).symlink_metadata().is_err() {
            return Ok(None);
        }
        let _lock = Lock::take(&folder)?;
        let Some(record) = Record::read(&folder)? else {
            return Ok(None);
        };
        if let Err(error) = record.check(directory, &folder) {
            if error.is_change() {
                record.give_up(directory, &folder);
            }
            return Err(error);
        }
        // The record stays when this fails.
        let steps = record.steps(directory, &folder);
        all_or_nothing(&steps, Step::perform).map_err(|stopped| stopped.error)?;
        remove(&folder);
        Ok(Some(Recovered {
            parts: record.committed(directory),
            asked: record.asked,
        }))
    }

    fn at(directory: PathBuf, format: Format) -> Self {
        Self {
            folder: directory.join(FOLDER),
            directory,
            format,
            lock: None,
            created: Vec::new(),
            replaced: Vec::new(),
            worth_keeping: true,
        }
    }

    /// Compares what lies here with what the journal names, to the last byte, and takes away all that
    /// it doesn't name.
    ///
    /// # Errors
    /// A part that is gone or was changed; a file of another export in the directory.
    pub fn check(&self, kept: &[KeptPart]) -> Result<(), Error> {
        self.refuse_other_files()?;
        for part in kept {
            part.check(&staged(&self.folder, &part.name))?;
        }
        self.remove_all_but(kept)
    }

    /// Where the parts are opened.
    #[must_use]
    pub fn parts(&self) -> Parts {
        Parts {
            directory: self.directory.clone(),
            folder: self.folder.clone(),
            format: self.format,
        }
    }

    /// Lets finished parts stay, for the next journal to name, or to be committed.
    pub fn keep(&self, parts: impl IntoIterator<Item = FinishedPart>) -> Vec<KeptPart> {
        let parts = parts.into_iter().map(|part| {
            let name = part.path().file_name().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            let kept = KeptPart::new(name, part.rows(), part.size_bytes(), part.checksum());
            part.staged.keep();
            kept
        });
        parts.collect()
    }

    /// Replaces the journal: after a crash it is the old one or this one.
    ///
    /// # Errors
    /// A file that can't be written. The old journal is there then.
    pub fn write_journal(&mut self, journal: &[u8], worth_keeping: bool) -> Result<(), Error> {
        let written = replace(&self.folder, JOURNAL, journal);
        self.worth_keeping |= worth_keeping && written.is_ok();
        written
    }

    /// Gives all parts their names, and takes the folder away. What was asked for is for
    /// [`recover`](Self::recover) to tell, should the process end meanwhile.
    ///
    /// # Errors
    /// A file that can't be written or renamed; one of another export, which came here meanwhile. Then
    /// none of the parts has its name, and they are in the folder if that is worth keeping; or, where
    /// even that failed, [`ErrorKind::Undecided`].
    pub fn commit(
        self,
        parts: Vec<KeptPart>,
        asked: Map<String, Value>,
    ) -> Result<Vec<CommittedPart>, Error> {
        self.commit_by(parts, asked, Step::perform)
    }

    fn commit_by(
        mut self,
        parts: Vec<KeptPart>,
        asked: Map<String, Value>,
        perform: impl FnMut(&Step) -> Result<(), Error>,
    ) -> Result<Vec<CommittedPart>, Error> {
        self.refuse_other_files()?;
        let replaced = std::mem::take(&mut self.replaced);
        let record = Record {
            asked,
            parts,
            replaced,
        };
        let steps = record.steps(&self.directory, &self.folder);
        let written = record.write(&self.folder).map_err(|error| Stopped {
            error,
            is_undone: true,
        });
        let Err(stopped) = written.and_then(|()| all_or_nothing(&steps, perform)) else {
            self.created.clear();
            self.worth_keeping = false;
            return Ok(record.committed(&self.directory));
        };
        let Stopped { error, is_undone } = stopped;
        if is_undone && sync(&self.directory).is_ok() && Record::remove(&self.folder).is_ok() {
            return Err(error);
        }
        self.worth_keeping = true;
        Err(Error::undecided(&self.directory, error))
    }

    /// The folder, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Whether it will be there when this is dropped.
    #[must_use]
    pub const fn is_worth_keeping(&self) -> bool {
        self.worth_keeping
    }

    /// One that is decided is to be recovered first; here it was decided this very moment.
    fn refuse_decided(&self) -> Result<(), Error> {
        if self.folder.join(RECORD).symlink_metadata().is_ok() {
            let path = self.directory.clone();
            return Err(ErrorKind::Undecided { path }.into());
        }
        Ok(())
    }

    /// The directory is for one export. Files that may be replaced are noted.
    fn take_note_of_files(&mut self, may_replace: impl Fn(&Path) -> bool) -> Result<(), Error> {
        let there = entries(&self.directory)?.into_iter();
        let there = there.filter(|(name, _)| is_of_export(name));
        let (mut replaced, others): (Vec<_>, Vec<_>) =
            there.partition(|(_, path)| may_replace(path));
        // The mark goes first, and comes back last.
        replaced.sort_by_key(|(name, _)| name != MARK);
        self.replaced = replaced.into_iter().map(|(name, _)| name).collect();
        refuse(others)
    }

    fn refuse_other_files(&self) -> Result<(), Error> {
        let there = entries(&self.directory)?.into_iter();
        let is_other = |name: &String| is_of_export(name) && !self.replaced.contains(name);
        refuse(there.filter(|(name, _)| is_other(name)))
    }

    fn remove_all_but(&self, kept: &[KeptPart]) -> Result<(), Error> {
        let kept = kept.iter().map(|part| staged(&self.folder, &part.name));
        let kept: HashSet<PathBuf> = kept.collect();
        for (name, path) in entries(&self.folder)? {
            if !kept.contains(&path) && name != JOURNAL && name != LOCK {
                fs::remove_file(&path).map_err(|source| Error::io("remove", &path, source))?;
            }
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.worth_keeping {
            remove(&self.folder);
        }
        for directory in self.created.iter().rev() {
            // One that holds something stays.
            fs::remove_dir(directory).ok();
        }
    }
}

/// Files of another export. One of them is told, the mark only where it is alone.
fn refuse(others: impl IntoIterator<Item = (String, PathBuf)>) -> Result<(), Error> {
    let others = others.into_iter();
    match others.min_by_key(|(name, _)| (name == MARK, name.clone())) {
        Some((_, path)) => Err(ErrorKind::AlreadyThere { path }.into()),
        None => Ok(()),
    }
}

/// Takes the folder away. The journal goes before what it names, the lock last: nobody is left to be
/// told of an error.
fn remove(folder: &Path) {
    fs::remove_file(folder.join(JOURNAL)).ok();
    fs::remove_file(folder.join(RECORD)).ok();
    // A record that came back after a loss of power would speak of files that have a life of their own.
    sync(folder).ok();
    for (name, path) in entries(folder).unwrap_or_default() {
        if name != LOCK {
            fs::remove_file(path).ok();
        }
    }
    fs::remove_file(folder.join(LOCK)).ok();
    fs::remove_dir(folder).ok();
}

impl Parts {
    /// Opens part `sequence` of a split or thread: of columns, or of lines where there is no schema.
    ///
    /// # Errors
    /// A part that is already there; a file that can't be created.
    pub fn open(
        &self,
        split: usize,
        sequence: u32,
        schema: Option<&SchemaRef>,
    ) -> Result<PartWriter, Error> {
        let name = format!("part-{split:05}-{sequence:05}.{}", self.format.extension());
        let (temporary, finally) = (staged(&self.folder, &name), self.directory.join(&name));
        let (staged, file) = Staged::create(temporary, finally)?;
        match schema {
            Some(schema) => PartWriter::new(staged, file, self.format, schema),
            None => Ok(PartWriter::lines(staged, file)),
        }
    }
}

const FOLDER: &str = ".ots-export";
const JOURNAL: &str = "journal";

#[cfg(test)]
mod tests;
