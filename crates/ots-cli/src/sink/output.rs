//! The directory of an export.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;

use super::encode::Format;
use super::error::{Error, ErrorKind};
use super::part::{FinishedPart, PartWriter};
use super::staged::Staged;
use super::staging::refuse_staged;

/// A directory that takes the parts of one export.
///
/// Parts can be opened and written side by side, from any thread. When an export fails its files go
/// away, and the directory too if the export has created it. A process that is killed leaves files
/// with names like `.part-00000-00000.csv.1f2e3d4c.partial`, which can be removed.
#[derive(Debug)]
#[must_use = "an export is only there once it is committed"]
pub struct OutputDir {
    directory: PathBuf,
    format: Format,
    /// Keeps the temporary files of two runs apart.
    run: String,
    /// The directories that this export has created, outer ones first.
    created: Vec<PathBuf>,
    /// Parts that make room for this export's.
    replaced: Vec<PathBuf>,
    unfinished: Vec<PathBuf>,
}

/// A file of a finished export.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommittedPart {
    /// Where it is.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub size_bytes: u64,
}

impl OutputDir {
    /// Opens a directory for an export, and creates it if need be.
    ///
    /// # Errors
    /// A directory that already has parts of an export, in whatever format: old and new rows would
    /// be read together. One that can't be created or read.
    pub fn create(directory: impl Into<PathBuf>, format: Format) -> Result<Self, Error> {
        Self::replacing(directory, format, |_| false)
    }

    /// As [`create`](Self::create), but parts for which `may_replace` holds make room when the export
    /// is committed. Until then they stay.
    ///
    /// # Errors
    /// As [`create`](Self::create), for other parts.
    pub fn replacing(
        directory: impl Into<PathBuf>,
        format: Format,
        may_replace: impl Fn(&Path) -> bool,
    ) -> Result<Self, Error> {
        let directory = directory.into();
        let random = RandomState::new().build_hasher().finish();
        // From here on what is created is removed again if this fails.
        let mut output = Self {
            created: absent(&directory),
            directory,
            format,
            run: format!("{random:016x}"),
            replaced: Vec::new(),
            unfinished: Vec::new(),
        };
        let directory = &output.directory;
        create(directory)?;
        refuse_staged(directory)?;
        for (name, path) in entries(directory)? {
            if is_part(&name) {
                if !may_replace(&path) {
                    return Err(ErrorKind::AlreadyThere { path }.into());
                }
                output.replaced.push(path);
            } else if name.starts_with(".part-") && name.ends_with(".partial") {
                output.unfinished.push(path);
            }
        }
        Ok(output)
    }

    /// Files that another export left when it was killed, or that it writes right now.
    #[must_use]
    pub fn unfinished(&self) -> &[PathBuf] {
        &self.unfinished
    }

    /// Opens part `sequence` of a split.
    ///
    /// # Errors
    /// A part that is already open or finished; a file that can't be created.
    pub fn part(
        &self,
        split: usize,
        sequence: usize,
        schema: &SchemaRef,
    ) -> Result<PartWriter, Error> {
        let name = format!("part-{split:05}-{sequence:05}.{}", self.format.extension());
        let (staged, file) = Staged::create(&self.directory, &name, &self.run)?;
        PartWriter::new(staged, file, self.format, schema)
    }

    /// Gives all parts of the export their names.
    ///
    /// The parts must be of this directory: that is what makes the export one.
    ///
    /// # Errors
    /// A file that can't be renamed, or a part of another export, which came here meanwhile. Then none
    /// of the parts is left, neither under its temporary nor under its final name.
    pub fn commit_all(mut self, parts: Vec<FinishedPart>) -> Result<Vec<CommittedPart>, Error> {
        let mut there = entries(&self.directory)?.into_iter();
        let other = there.find(|(name, path)| is_part(name) && !self.replaced.contains(path));
        if let Some((_, path)) = other {
            return Err(ErrorKind::AlreadyThere { path }.into());
        }
        for path in &self.replaced {
            fs::remove_file(path).map_err(|source| Error::io("remove", path, source))?;
        }
        let mut committed = Vec::with_capacity(parts.len());
        let result = parts.into_iter().try_for_each(|part| {
            let (rows, size_bytes) = (part.rows(), part.size_bytes());
            if part.path().exists() {
                let path = part.path().to_owned();
                return Err(Error::from(ErrorKind::AlreadyThere { path }));
            }
            let path = part.staged.rename()?;
            committed.push(CommittedPart {
                path,
                rows,
                size_bytes,
            });
            Ok(())
        });
        match result.and_then(|()| sync_directory(&self.directory)) {
            Ok(()) => {
                self.created.clear();
                Ok(committed)
            }
            Err(error) => {
                for part in committed {
                    // The first error is the one to tell.
                    fs::remove_file(part.path).ok();
                }
                Err(error)
            }
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.directory
    }
}

impl Drop for OutputDir {
    fn drop(&mut self) {
        for directory in self.created.iter().rev() {
            // One that holds something stays, and nobody is left to be told.
            fs::remove_dir(directory).ok();
        }
    }
}

/// Creates a directory and those around it.
pub(super) fn create(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(|source| match source.kind() {
        // `create_dir_all` minds only what isn't a directory.
        std::io::ErrorKind::AlreadyExists => {
            let source = std::io::Error::from(std::io::ErrorKind::NotADirectory);
            Error::io("create", directory, source)
        }
        _ => Error::io("create", directory, source),
    })
}

/// What is in a directory: names and paths.
pub(super) fn entries(directory: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let unreadable = |source| Error::io("read", directory, source);
    let entries = fs::read_dir(directory).map_err(unreadable)?;
    let entries = entries.map(|entry| {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        Ok((name, entry.path()))
    });
    entries.collect()
}

/// The directory and those around it that aren't there, outer ones first.
pub(super) fn absent(directory: &Path) -> Vec<PathBuf> {
    let named = directory.ancestors();
    let named = named.take_while(|path| !path.as_os_str().is_empty());
    let absent = named.take_while(|path| matches!(path.try_exists(), Ok(false)));
    let mut absent: Vec<_> = absent.map(Path::to_owned).collect();
    absent.reverse();
    absent
}

pub(super) fn is_part(name: &str) -> bool {
    let extension = name.rsplit('.').next();
    let known = Format::ALL.map(Format::extension);
    name.starts_with("part-") && extension.is_some_and(|it| known.contains(&it))
}

/// Without this a crash of the machine can forget the names, though the files are on the disk.
#[cfg(unix)]
pub(super) fn sync_directory(directory: &Path) -> Result<(), Error> {
    fs::File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| Error::io("sync", directory, source))
}

/// A directory can't be opened to be synced elsewhere.
#[cfg(not(unix))]
pub(super) fn sync_directory(_: &Path) -> Result<(), Error> {
    Ok(())
}
