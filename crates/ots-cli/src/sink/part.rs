//! One file of an export.

use std::fs::File;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::checksum::Checksum;
use super::encode::{Encoder, Format, Refused};
use super::error::{Error, ErrorKind};
use super::staged::{Failure, Staged, Tracked};

/// A file of an export that is being written.
///
/// Dropping it takes the file away. After an error it can only be dropped: a file with a gap must not
/// be finished.
#[must_use = "a part that is dropped is removed"]
pub struct PartWriter {
    // Before `staged`, so that the file is closed when it is removed.
    encoder: Option<Encoder>,
    failure: Failure,
    staged: Staged,
    schema: SchemaRef,
    rows: u64,
}

/// A file of an export that is whole and on the disk, but still under its temporary name.
///
/// Dropping it takes the file away.
#[derive(Debug)]
#[must_use = "a part that is dropped is removed; keep it"]
pub struct FinishedPart {
    pub(super) staged: Staged,
    rows: u64,
    size_bytes: u64,
    checksum: Checksum,
}

impl PartWriter {
    pub(super) fn new(
        staged: Staged,
        file: File,
        format: Format,
        schema: &SchemaRef,
    ) -> Result<Self, Error> {
        let (tracked, failure) = Tracked::new(file);
        let encoder = Encoder::new(format, schema, tracked)
            .map_err(|refused| error(&failure, staged.path(), refused))?;
        Ok(Self {
            encoder: Some(encoder),
            failure,
            staged,
            schema: SchemaRef::clone(schema),
            rows: 0,
        })
    }

    /// A file of lines, which have no columns.
    pub(super) fn lines(staged: Staged, file: File) -> Self {
        let (tracked, failure) = Tracked::new(file);
        Self {
            encoder: Some(Encoder::Lines(tracked)),
            failure,
            staged,
            schema: SchemaRef::new(Schema::empty()),
            rows: 0,
        }
    }

    /// Appends rows, each a line of a file that was opened without columns.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_lines(&mut self, lines: &str, rows: u64) -> Result<(), Error> {
        let mut encoder = self.take()?;
        encoder
            .write_lines(lines)
            .map_err(|refused| self.error(refused))?;
        self.encoder = Some(encoder);
        self.rows += rows;
        Ok(())
    }

    /// Appends rows. The batch must have the schema the part was opened with.
    ///
    /// # Errors
    /// A full disk and whatever else the system refuses, by path; a batch with other columns.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        // Taken out, and put back only if all went well.
        let mut encoder = self.take()?;
        // The Parquet writer would take what it finds and leave the other columns short.
        if !same_columns(&self.schema, &batch.schema()) {
            let path = self.staged.path().to_owned();
            return Err(ErrorKind::OtherColumns { path }.into());
        }
        encoder
            .write(batch)
            .map_err(|refused| self.error(refused))?;
        self.encoder = Some(encoder);
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Writes what is left and waits until the file is on the disk.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn finish(mut self) -> Result<FinishedPart, Error> {
        let encoder = self.take()?;
        let file = encoder.finish().map_err(|refused| self.error(refused))?;
        let synced = file.sync();
        // The failure has the system's own words, the result only its kind.
        let (size_bytes, checksum) = synced.map_err(|source| {
            let source = self.failure.take().unwrap_or(source);
            Error::io("write", self.staged.path(), source)
        })?;
        Ok(FinishedPart {
            staged: self.staged,
            rows: self.rows,
            size_bytes,
            checksum,
        })
    }

    /// Rows written so far.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The path the file is meant to have in the end.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.staged.path()
    }

    fn take(&mut self) -> Result<Encoder, Error> {
        let path = || self.staged.path().to_owned();
        self.encoder
            .take()
            .ok_or_else(|| ErrorKind::Failed { path: path() }.into())
    }

    fn error(&self, refused: Refused) -> Error {
        error(&self.failure, self.staged.path(), refused)
    }
}

/// Whether names and types agree, in order; metadata doesn't matter.
fn same_columns(a: &SchemaRef, b: &SchemaRef) -> bool {
    let columns = |schema: &SchemaRef| schema.fields().len();
    let mut pairs = a.fields().iter().zip(b.fields());
    columns(a) == columns(b)
        && pairs.all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type())
}

/// What the system said, if it was the system; else what the encoder said.
fn error(failure: &Failure, path: &Path, refused: Refused) -> Error {
    match failure.take() {
        Some(source) => Error::io("write", path, source),
        None => Error::encode(path, refused),
    }
}

impl FinishedPart {
    /// The rows of the file.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The size of the file.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The checksum of what was written to it.
    #[must_use]
    pub const fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The path the file is meant to have in the end.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.staged.path()
    }
}

impl std::fmt::Debug for PartWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartWriter")
            .field("staged", &self.staged)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;

    use super::*;

    /// A part whose every byte goes to a disk that is full.
    fn on_a_full_disk(format: Format) -> Result<(PartWriter, RecordBatch), Error> {
        let directory = tempfile::tempdir().unwrap();
        let (temporary, finally) = (
            directory.path().join("hidden"),
            directory.path().join("part"),
        );
        let (staged, _) = Staged::create(temporary, finally).unwrap();
        let full = File::options().write(true).open("/dev/full").unwrap();
        let numbers = Int64Array::from_iter_values(0..100_000);
        let batch = RecordBatch::try_from_iter([("n", Arc::new(numbers) as _)]).unwrap();
        let part = PartWriter::new(staged, full, format, &batch.schema())?;
        Ok((part, batch))
    }

    #[test]
    fn a_full_disk_is_told_from_other_errors() {
        for format in Format::ALL {
            let error = on_a_full_disk(format)
                .and_then(|(mut part, batch)| {
                    part.write(&batch)?;
                    part.finish()
                })
                .unwrap_err();
            let full =
                matches!(error.kind(), ErrorKind::DiskFull { path } if path.ends_with("part"));
            assert!(full, "{format:?}: {error:?}");
            let text = error.to_string();
            assert!(text.starts_with("no space left to write "), "{text}");
        }
    }

    #[test]
    fn a_part_that_failed_is_never_finished() {
        for format in Format::ALL {
            let Ok((mut part, batch)) = on_a_full_disk(format) else {
                continue;
            };
            // Snappy makes little of these numbers: a few batches fill any buffer.
            while part.write(&batch).is_ok() {}
            for error in [part.write(&batch).unwrap_err(), part.finish().unwrap_err()] {
                assert!(matches!(error.kind(), ErrorKind::Failed { .. }), "{error}");
            }
        }
    }
}
