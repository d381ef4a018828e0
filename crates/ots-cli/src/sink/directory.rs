//! The directory of an export, and what is done to any directory.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::encode::Format;
use super::error::Error;

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

/// An empty file that comes last: an export without it isn't whole, or still gives its files their
/// names. Spark and Hadoop name theirs so, and readers of data directories pass over it. Some, such as
/// Polars, only because it is empty.
pub const MARK: &str = "_SUCCESS";

/// Whether a file of this name belongs to an export: a part in any format, or its mark.
pub(super) fn is_of_export(name: &str) -> bool {
    let extension = name.rsplit('.').next();
    let known = Format::ALL.map(Format::extension);
    let is_part = name.starts_with("part-") && extension.is_some_and(|it| known.contains(&it));
    is_part || name == MARK
}

/// Creates a directory and those around it.
pub(super) fn create(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(|source| match source.kind() {
        // `create_dir_all` minds only what isn't a directory.
        io::ErrorKind::AlreadyExists => {
            let source = io::Error::from(io::ErrorKind::NotADirectory);
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

/// The directory that an entry is in.
pub(super) fn around(path: &Path) -> PathBuf {
    let around = path.parent().filter(|path| !path.as_os_str().is_empty());
    around.unwrap_or(Path::new(".")).to_owned()
}

/// Replaces a file of a folder: after a crash it is the old one or this one.
pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    // What the file speaks of has reached the disk before; now its names do.
    sync(folder)?;
    let (new, path) = (folder.join(format!("{name}.new")), folder.join(name));
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(source) = written.and_then(|()| fs::rename(&new, &path)) {
        // On a full disk it takes the room of what the user may want to look at.
        fs::remove_file(&new).ok();
        return Err(Error::io("write", &path, source));
    }
    sync(folder)
}

/// Without this a crash of the machine can forget the names, though the files are on the disk.
#[cfg(unix)]
pub(super) fn sync(directory: &Path) -> Result<(), Error> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    match synced {
        // A file system that knows no such thing, as some of a network, keeps names in its own way.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced.map_err(|source| Error::io("sync", directory, source)),
    }
}

/// A directory can't be opened to be synced elsewhere.
#[cfg(not(unix))]
pub(super) fn sync(_: &Path) -> Result<(), Error> {
    Ok(())
}
