//! The end of an export: its files get their names, all of them or none.
//!
//! No file system gives several files their names at once. So what is to be done is written down
//! first: from the moment this record is on the disk the export is decided. Then come the steps, the
//! mark last. A process that ends in between leaves the record, and the next export to the directory
//! takes the steps that are left. An error in between takes back those that were done, and then the
//! record.
//!
//! A reader who waits for the mark, or who finds no record, sees all files or none.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::directory::{CommittedPart, MARK, replace, sync};
use super::error::{Error, ErrorKind};
use super::kept::{KeptPart, is_plain};
use super::sealed::{UNFIT, seal, unseal};

/// What an export does to its directory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    /// What was asked for, in the words of whoever asked.
    pub(super) asked: Map<String, Value>,
    pub(super) parts: Vec<KeptPart>,
    /// Names of files of an earlier export that make room.
    pub(super) replaced: Vec<String>,
}

/// One thing to do. Each can be done again without harm, and taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A file of an earlier export goes into the folder.
    MakeRoom {
        path: PathBuf,
        aside: PathBuf,
        /// Where a part lies that is to have this name: once it has, the file there is the new one.
        successor: Option<PathBuf>,
    },
    /// A part gets its name.
    Name { staged: PathBuf, path: PathBuf },
    /// The names reach the disk.
    Sync(PathBuf),
    /// The mark says that all files are there.
    Mark(PathBuf),
}

/// A commit that stopped.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) error: Error,
    /// Whether all is as it was before.
    pub(super) is_undone: bool,
}

impl Record {
    /// Writes it down: from here on the export is decided.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let parts: Vec<Value> = self.parts.iter().map(KeptPart::to_json).collect();
        let content = json!({
            "asked": self.asked,
            "parts": parts,
            "replaced": self.replaced,
        });
        replace(folder, RECORD, &seal(TITLE, &content))
    }

    /// The record of an export that was decided; none where none was.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(RECORD);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|source| Error::io("read", &path, source))?,
        };
        let record = Self::from_bytes(&bytes);
        let record = record.map_err(|problem| ErrorKind::Damaged { path, problem })?;
        Ok(Some(record))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut content = unseal(TITLE, bytes)?;
        let Some(Value::Object(asked)) = content.remove("asked") else {
            return Err(UNFIT);
        };
        let list = |name| content.get(name).and_then(Value::as_array);
        let parts = list("parts").and_then(|parts| parts.iter().map(KeptPart::from_json).collect());
        let replaced = list("replaced").and_then(|names| {
            let names = names.iter().map(|name| {
                let name = name.as_str().filter(|name| is_plain(name))?;
                Some(name.to_owned())
            });
            names.collect()
        });
        Ok(Self {
            asked,
            parts: parts.ok_or(UNFIT)?,
            replaced: replaced.ok_or(UNFIT)?,
        })
    }

    /// Takes it back: the export isn't decided any more.
    pub(super) fn remove(folder: &Path) -> Result<(), Error> {
        let path = folder.join(RECORD);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", &path, source))
            }
            _ => sync(folder),
        }
    }

    /// What there is to do, in order.
    pub(super) fn steps(&self, directory: &Path, folder: &Path) -> Vec<Step> {
        let make_room = self.replaced.iter().map(|name| Step::MakeRoom {
            path: directory.join(name),
            aside: folder.join(format!("{name}.replaced")),
            successor: self
                .parts
                .iter()
                .find(|part| part.name == *name)
                .map(|part| staged(folder, &part.name)),
        });
        let name = self.parts.iter().map(|part| Step::Name {
            staged: staged(folder, &part.name),
            path: directory.join(&part.name),
        });
        let at_last = [
            Step::Sync(directory.to_owned()),
            Step::Mark(directory.join(MARK)),
            Step::Sync(directory.to_owned()),
        ];
        make_room.chain(name).chain(at_last).collect()
    }

    /// Whether every part is as it was written, wherever it lies by now.
    pub(super) fn check(&self, directory: &Path, folder: &Path) -> Result<(), Error> {
        self.parts.iter().try_for_each(|part| {
            let staged = staged(folder, &part.name);
            let path = directory.join(&part.name);
            part.check(if is_there(&staged) { &staged } else { &path })
        })
    }

    /// Takes back what was done of an export that can't become whole: all but files that aren't as
    /// they were written, which may be anyone's. Where even that fails the record stays.
    pub(super) fn give_up(&self, directory: &Path, folder: &Path) {
        let is_ours = |step: &&Step| match step {
            Step::Name { path, .. } => {
                let mut parts = self.parts.iter();
                parts.any(|part| path.ends_with(&part.name) && !is_changed(part, path))
            }
            // It came when all parts had their names; one that is there before is that of an earlier
            // export.
            Step::Mark(_) => {
                let mut parts = self.parts.iter();
                !parts.any(|part| is_there(&staged(folder, &part.name)))
            }
            _ => true,
        };
        let steps = self.steps(directory, folder);
        let undone = steps.iter().rev().filter(is_ours).map(Step::undo);
        if undone.fold(true, |all, undone| all & undone.is_ok()) && sync(directory).is_ok() {
            // The error that it was given up for is the one to tell.
            Self::remove(folder).ok();
        }
    }

    pub(super) fn committed(&self, directory: &Path) -> Vec<CommittedPart> {
        let committed = self.parts.iter().map(|part| CommittedPart {
            path: directory.join(&part.name),
            rows: part.rows,
            size_bytes: part.size_bytes,
        });
        committed.collect()
    }
}

/// One that can't be read just now may be as it was written.
fn is_changed(part: &KeptPart, path: &Path) -> bool {
    part.check(path).is_err_and(|error| error.is_change())
}

/// Does all that is to be done, or nothing.
pub(super) fn all_or_nothing(
    steps: &[Step],
    mut perform: impl FnMut(&Step) -> Result<(), Error>,
) -> Result<(), Stopped> {
    for (done, step) in steps.iter().enumerate() {
        let Err(error) = perform(step) else { continue };
        let done = steps.get(..done).unwrap_or_default();
        // Each, also behind one that can't be taken back. The first error is the one to tell.
        let undone = done.iter().rev().map(Step::undo);
        let is_undone = undone.fold(true, |all, undone| all & undone.is_ok());
        return Err(Stopped { error, is_undone });
    }
    Ok(())
}

impl Step {
    /// Does it, unless that was done before.
    pub(super) fn perform(&self) -> Result<(), Error> {
        match self {
            Self::MakeRoom {
                path,
                aside,
                successor,
            } => {
                let is_succeeded = successor.as_deref().is_some_and(|path| !is_there(path));
                match is_succeeded || is_there(aside) || !is_there(path) {
                    true => Ok(()),
                    false => rename(path, aside, path),
                }
            }
            Self::Name { staged, path } => match (is_there(staged), is_there(path)) {
                (false, true) => Ok(()),
                (true, true) => Err(ErrorKind::AlreadyThere { path: path.clone() }.into()),
                _ => rename(staged, path, path),
            },
            Self::Sync(directory) => sync(directory),
            Self::Mark(path) => match File::create_new(path) {
                Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                    Err(Error::io("create", path, source))
                }
                _ => Ok(()),
            },
        }
    }

    /// Takes it back, if it was done.
    fn undo(&self) -> Result<(), Error> {
        match self {
            Self::MakeRoom { path, aside, .. } => match is_there(aside) && !is_there(path) {
                true => rename(aside, path, path),
                false => Ok(()),
            },
            Self::Name { staged, path } => match is_there(path) && !is_there(staged) {
                true => rename(path, staged, path),
                false => Ok(()),
            },
            Self::Sync(_) => Ok(()),
            Self::Mark(path) => match fs::remove_file(path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    Err(Error::io("remove", path, source))
                }
                _ => Ok(()),
            },
        }
    }
}

fn rename(from: &Path, to: &Path, told: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(|source| Error::io("rename", told, source))
}

/// Whatever it is: a link that leads nowhere has a name too.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Where a part lies until it gets its name. Readers that look into every folder, hidden ones too, go
/// by the ending.
pub(super) fn staged(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.partial"))
}

/// The name of the record.
pub(super) const RECORD: &str = "commit";

const TITLE: &str = "ots export commit 1";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sink::Checksum;

    fn record() -> Record {
        let part = |name: &str| KeptPart::new(name.to_owned(), 7, 3, Checksum::of(b"abc"));
        let asked = json!({"table": "t\n\"", "columns": null});
        Record {
            asked: asked.as_object().unwrap().clone(),
            parts: vec![part("part-0.csv"), part("part-1.csv")],
            replaced: vec!["part-0.csv".to_owned(), MARK.to_owned()],
        }
    }

    #[test]
    fn a_record_reads_back_and_nothing_else_does() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(place.path()).unwrap(), None);
        record().write(place.path()).unwrap();
        assert_eq!(Record::read(place.path()).unwrap(), Some(record()));
        let bytes = fs::read(place.path().join(RECORD)).unwrap();
        for cut in 0..bytes.len() {
            assert!(Record::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        for (place, bit) in (0..bytes.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << bit;
            assert!(Record::from_bytes(&flipped).is_err(), "{place}, {bit}");
        }
        fs::write(place.path().join(RECORD), "ots").unwrap();
        let error = Record::read(place.path()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Damaged { .. }), "{error}");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "../part-1",
            "part-/../../x",
            "part-\\x",
            "/part-1",
            "commit",
        ] {
            let mut record = record();
            record.parts[0].name = name.to_owned();
            let place = tempfile::tempdir().unwrap();
            record.write(place.path()).unwrap();
            assert!(Record::read(place.path()).is_err(), "{name}");
        }
        for name in ["../x", "a/b", "..", ""] {
            let mut record = record();
            record.replaced[0] = name.to_owned();
            let place = tempfile::tempdir().unwrap();
            record.write(place.path()).unwrap();
            assert!(Record::read(place.path()).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in any::<Vec<u8>>(), titled in any::<bool>()) {
            let title = if titled { TITLE.as_bytes() } else { b"" };
            let bytes = [title, b"\n", &bytes].concat();
            prop_assert!(Record::from_bytes(&bytes).is_err());
        }
    }
}
