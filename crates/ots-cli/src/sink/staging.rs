//! The folder of an export that can be gone on with.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;

use super::encode::Format;
use super::error::{Error, ErrorKind};
use super::output::{CommittedPart, absent, create, entries, is_part, sync_directory};
use super::part::{FinishedPart, PartWriter};
use super::staged::Staged;

/// A hidden folder in the directory of an export, which outlives the process.
///
/// It holds the finished parts and a journal that names them. Parts that the journal doesn't name
/// count as never written. The folder is locked while a process is at it. Dropping it leaves what
/// is worth going on with, and takes away what isn't.
#[derive(Debug)]
#[must_use = "an export is only there once it is committed"]
pub struct Staging {
    directory: PathBuf,
    folder: PathBuf,
    format: Format,
    /// Locked as long as it is open.
    lock: Option<File>,
    /// The directories that this export has created, outer ones first.
    created: Vec<PathBuf>,
    /// Whether there are parts that cost something to read.
    worth_keeping: bool,
}

/// Opens the parts of a [`Staging`], from any thread.
#[derive(Clone, Debug)]
pub struct Parts {
    directory: PathBuf,
    folder: PathBuf,
    format: Format,
}

/// A finished part that stays in its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptPart {
    /// The name of the file.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub size_bytes: u64,
}

impl KeptPart {
    /// A part as a journal describes it.
    #[must_use]
    pub const fn new(name: String, rows: u64, size_bytes: u64) -> Self {
        Self {
            name,
            rows,
            size_bytes,
        }
    }
}

impl Staging {
    /// Begins an export in a directory, and creates that if need be.
    ///
    /// # Errors
    /// A directory that has the parts of an export, or one that was interrupted; one that can't be
    /// created, read or locked.
    pub fn begin(directory: impl Into<PathBuf>, format: Format) -> Result<Self, Error> {
        let directory = directory.into();
        let folder = directory.join(FOLDER);
        // From here on what is created is removed again if this fails.
        let mut staging = Self {
            created: absent(&directory),
            directory,
            folder,
            format,
            lock: None,
            worth_keeping: true,
        };
        create(&staging.directory)?;
        staging.refuse_other_parts(&[])?;
        match fs::create_dir(&staging.folder) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::io("create", &staging.folder, source));
            }
            _ => staging.lock()?,
        }
        if staging.folder.join(JOURNAL).exists() {
            let path = staging.folder.clone();
            return Err(ErrorKind::Unfinished { path }.into());
        }
        staging.worth_keeping = false;
        // Those of one that held the lock and ended in between, too.
        staging.refuse_other_parts(&[])?;
        // A crash of the machine mustn't forget the way to the journal.
        for created in &staging.created {
            // Whether those around it can be opened is nothing that has to stop an export.
            sync_directory(&around(created)).ok();
        }
        sync_directory(&staging.directory)?;
        // One that was killed before it had anything.
        staging.remove_all_but(&[])?;
        Ok(staging)
    }

    /// Goes on with an export that was interrupted, and gives its journal.
    ///
    /// # Errors
    /// A directory without one; one that can't be read or locked.
    pub fn reopen(directory: impl Into<PathBuf>, format: Format) -> Result<(Self, Vec<u8>), Error> {
        let directory = directory.into();
        let folder = directory.join(FOLDER);
        let mut staging = Self {
            directory,
            folder,
            format,
            lock: None,
            created: Vec::new(),
            worth_keeping: true,
        };
        let journal = staging.folder.join(JOURNAL);
        if !journal.try_exists().unwrap_or(true) {
            let has_finished = staging.committed().is_ok_and(|parts| !parts.is_empty());
            let path = staging.directory.clone();
            return Err(ErrorKind::NothingStaged { path, has_finished }.into());
        }
        staging.lock()?;
        let journal = fs::read(&journal).map_err(|source| Error::io("read", &journal, source))?;
        Ok((staging, journal))
    }

    /// Compares what lies here with what the journal names, and takes away all that it doesn't.
    ///
    /// # Errors
    /// A part that is gone or has another size; a part of another export in the directory.
    pub fn check(&self, kept: &[KeptPart]) -> Result<(), Error> {
        for part in kept {
            let path = self.place_of(part);
            let size_bytes = fs::metadata(&path).map(|metadata| metadata.len());
            if !matches!(size_bytes, Ok(size_bytes) if size_bytes == part.size_bytes) {
                return Err(ErrorKind::Changed { path }.into());
            }
        }
        self.refuse_other_parts(kept)?;
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

    /// Lets finished parts stay, for the next journal to name.
    pub fn keep(&self, parts: impl IntoIterator<Item = FinishedPart>) -> Vec<KeptPart> {
        let parts = parts.into_iter().map(|part| {
            let name = part.path().file_name().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            let kept = KeptPart::new(name, part.rows(), part.size_bytes());
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
        // The parts have reached the disk when they were finished; now their names do.
        sync_directory(&self.folder)?;
        let (new, path) = (self.folder.join(NEW_JOURNAL), self.folder.join(JOURNAL));
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(journal)?;
            file.sync_all()
        });
        if let Err(source) = written.and_then(|()| fs::rename(&new, &path)) {
            // On a full disk it takes the room of what the user may want to look at.
            fs::remove_file(&new).ok();
            return Err(Error::io("write", &path, source));
        }
        self.worth_keeping |= worth_keeping;
        sync_directory(&self.folder)
    }

    /// Gives all parts their names, and takes the folder away. Of one that was interrupted here
    /// before, those that have no name yet.
    ///
    /// # Errors
    /// A file that can't be renamed: then all that this call has renamed are back in the folder. A part
    /// of another export, which came here meanwhile.
    pub fn commit(mut self, kept: &[KeptPart]) -> Result<Vec<CommittedPart>, Error> {
        self.refuse_other_parts(kept)?;
        let mut renamed = Vec::new();
        let result = kept.iter().try_for_each(|part| {
            let (staged, path) = (self.staged(part), self.directory.join(&part.name));
            match (staged.exists(), path.exists()) {
                (false, true) => return Ok(()),
                (true, true) => return Err(ErrorKind::AlreadyThere { path }.into()),
                _ => {}
            }
            fs::rename(&staged, &path).map_err(|source| Error::io("rename to", &path, source))?;
            renamed.push((staged, path));
            Ok(())
        });
        if let Err(error) = result.and_then(|()| sync_directory(&self.directory)) {
            for (staged, path) in renamed {
                // The first error is the one to tell.
                fs::rename(path, staged).ok();
            }
            return Err(error);
        }
        self.created.clear();
        self.worth_keeping = false;
        let committed = kept.iter().map(|part| CommittedPart {
            path: self.directory.join(&part.name),
            rows: part.rows,
            size_bytes: part.size_bytes,
        });
        Ok(committed.collect())
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

    fn lock(&mut self) -> Result<(), Error> {
        let path = self.folder.join(LOCK);
        let lock = File::create(&path).map_err(|source| Error::io("create", &path, source))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let path = self.folder.clone();
                return Err(ErrorKind::InUse { path }.into());
            }
            // Some file systems have no locks; their users are on their own.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        // One that ended just now has taken it away, and the next would lock another.
        if !is_at(&lock, &path) {
            let path = self.folder.clone();
            return Err(ErrorKind::InUse { path }.into());
        }
        self.lock = Some(lock);
        Ok(())
    }

    fn staged(&self, part: &KeptPart) -> PathBuf {
        staged(&self.folder, &part.name)
    }

    /// Where a part lies: still in the folder, or under its name already.
    fn place_of(&self, part: &KeptPart) -> PathBuf {
        let committed = self.directory.join(&part.name);
        match self.staged(part) {
            staged if !staged.exists() && committed.exists() => committed,
            staged => staged,
        }
    }

    /// The parts of an export that have their names.
    fn committed(&self) -> Result<Vec<PathBuf>, Error> {
        let mut parts = entries(&self.directory)?;
        parts.retain(|(name, _)| is_part(name));
        Ok(parts.into_iter().map(|(_, path)| path).collect())
    }

    /// The directory is for one export.
    fn refuse_other_parts(&self, kept: &[KeptPart]) -> Result<(), Error> {
        let kept: HashSet<&str> = kept.iter().map(|part| part.name.as_str()).collect();
        let mut committed = self.committed()?.into_iter();
        // Those of this one have names if it was interrupted while it gave them out.
        let other = committed.find(|path| {
            let name = path.file_name().unwrap_or_default().to_str();
            name.is_none_or(|name| !kept.contains(name))
        });
        match other {
            Some(path) => Err(ErrorKind::AlreadyThere { path }.into()),
            None => Ok(()),
        }
    }

    fn remove_all_but(&self, kept: &[KeptPart]) -> Result<(), Error> {
        let kept: HashSet<PathBuf> = kept.iter().map(|part| self.staged(part)).collect();
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
            // The journal first: without it the rest counts as nothing. Nobody is left to be told.
            fs::remove_file(self.folder.join(JOURNAL)).ok();
            self.remove_all_but(&[]).ok();
            fs::remove_file(self.folder.join(LOCK)).ok();
            fs::remove_dir(&self.folder).ok();
        }
        for directory in self.created.iter().rev() {
            // One that holds something stays.
            fs::remove_dir(directory).ok();
        }
    }
}

impl Parts {
    /// Opens part `sequence` of a thread: of columns, or of lines where there is no schema.
    ///
    /// # Errors
    /// A part that is already there; a file that can't be created.
    pub fn open(
        &self,
        thread: usize,
        sequence: u32,
        schema: Option<&SchemaRef>,
    ) -> Result<PartWriter, Error> {
        let name = format!("part-{thread:05}-{sequence:05}.{}", self.format.extension());
        let (temporary, finally) = (staged(&self.folder, &name), self.directory.join(&name));
        let (staged, file) = Staged::create_at(temporary, finally)?;
        match schema {
            Some(schema) => PartWriter::new(staged, file, self.format, schema),
            None => Ok(PartWriter::lines(staged, file)),
        }
    }
}

/// An export of another kind would come between the parts of this one.
pub(super) fn refuse_staged(directory: &Path) -> Result<(), Error> {
    let path = directory.join(FOLDER);
    if path.join(JOURNAL).exists() {
        return Err(ErrorKind::Unfinished { path }.into());
    }
    Ok(())
}

/// Readers that look into every folder, hidden ones too, go by the ending.
fn staged(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.partial"))
}

/// The directory that an entry is in.
fn around(path: &Path) -> PathBuf {
    let around = path.parent().filter(|path| !path.as_os_str().is_empty());
    around.unwrap_or(Path::new(".")).to_owned()
}

/// Whether the open file is the one that has this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => place(open) == place(named),
        _ => false,
    }
}

/// Elsewhere an open file keeps its name, or leaves none.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

const FOLDER: &str = ".ots-export";
const JOURNAL: &str = "journal";
const NEW_JOURNAL: &str = "journal.new";
const LOCK: &str = "lock";

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_taken_away_is_none() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(LOCK);
        let lock = File::create(&path).unwrap();
        assert!(is_at(&lock, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&lock, &path));
        let _other = File::create(&path).unwrap();
        assert!(!is_at(&lock, &path));
    }
}
