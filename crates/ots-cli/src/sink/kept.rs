//! A finished part that stays where it is, and what is known of it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::{Value, json};

use super::checksum::{Checksum, Summing};
use super::error::{Change, Error, ErrorKind};

/// A finished part, as a file beside it describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptPart {
    /// The name of the file.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub size_bytes: u64,
    /// The checksum of its bytes as they were written.
    pub checksum: Checksum,
}

impl KeptPart {
    /// A part by what is known of it.
    #[must_use]
    pub const fn new(name: String, rows: u64, size_bytes: u64, checksum: Checksum) -> Self {
        Self {
            name,
            rows,
            size_bytes,
            checksum,
        }
    }

    /// As it is written down.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checksum = self.checksum.to_string();
        json!([self.name, self.rows, self.size_bytes, checksum])
    }

    /// As it was written down. Its name is that of a file in a folder and of no other.
    #[must_use]
    pub fn from_json(json: &Value) -> Option<Self> {
        let [name, rows, size_bytes, checksum] = json.as_array()?.as_slice() else {
            return None;
        };
        let name = name.as_str()?;
        (name.starts_with("part-") && is_plain(name)).then_some(())?;
        Some(Self {
            name: name.to_owned(),
            rows: rows.as_u64()?,
            size_bytes: size_bytes.as_u64()?,
            checksum: Checksum::parse(checksum.as_str()?)?,
        })
    }

    /// Whether the file is as it was, to the last byte.
    pub(super) fn check(&self, path: &Path) -> Result<(), Error> {
        let changed = |change| {
            let path = path.to_owned();
            Err(ErrorKind::Changed { path, change }.into())
        };
        let unreadable = |source| Error::io("read", path, source);
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return changed(Change::Gone),
            file => file.map_err(unreadable)?,
        };
        let found_bytes = file.metadata().map_err(unreadable)?.len();
        if found_bytes != self.size_bytes {
            let expected_bytes = self.size_bytes;
            return changed(Change::Size {
                expected_bytes,
                found_bytes,
            });
        }
        let (mut summing, mut buffer) = (Summing::new(), vec![0; 256 * 1024]);
        loop {
            let read = match file.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(unreadable)?,
            };
            match buffer.get(..read) {
                Some([]) | None => break,
                Some(bytes) => summing.add(bytes),
            }
        }
        let (expected, found) = (self.checksum, summing.sum());
        if found != expected {
            return changed(Change::Content { expected, found });
        }
        Ok(())
    }
}

/// Whether it names an entry of a directory and nothing elsewhere.
pub(super) fn is_plain(name: &str) -> bool {
    !name.contains(['/', '\\', '\0']) && !matches!(name, "" | "." | "..")
}
