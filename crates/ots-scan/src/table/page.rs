//! A page of a range of a table, and its rows.

use std::fmt;

use bytes::Bytes;
use ots_core::request::Consumed;
use ots_paging::{NextPage, Page};
use ots_proto::plainbuffer::{Accept, Checksums, Error, OwningReader, Position, Reader};
use ots_proto::{NameCache, PrimaryKey, Row};

use super::error::{TableScanError, TableScanErrorKind};
use super::step::RangeStep;
use crate::worker::count;

/// One page of a range. Its rows lie in the buffer of the response, and their checksums have been
/// compared, in the task that fetched it.
///
/// An empty page is an ordinary one: a filter may leave nothing of it.
#[derive(Clone, PartialEq)]
#[must_use]
pub struct TablePage {
    pub(super) range: u32,
    pub(super) index: u64,
    pub(super) rows: u64,
    pub(super) page: Page,
}

impl TablePage {
    /// One that isn't verified yet.
    pub(super) const fn new(range: u32, index: u64, page: Page) -> Self {
        Self {
            range,
            index,
            rows: 0,
            page,
        }
    }

    /// Compares the checksums of every row, and counts them.
    pub(super) fn verify(&mut self) -> Result<(), Error> {
        let rows = Reader::new(self.page.buffer(), Accept::Rows)?.count_rows()?;
        self.rows = count(rows);
        Ok(())
    }

    /// Which range it is of, from 0, in the order of keys.
    #[must_use]
    pub const fn range(&self) -> u32 {
        self.range
    }

    /// Which page of the range it is, from 0, without gaps, since the scan was opened or resumed.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many rows it has.
    #[must_use]
    pub const fn row_count(&self) -> u64 {
        self.rows
    }

    /// Whether the range ends with this page.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.next().is_done()
    }

    /// Where the range goes on after this page.
    #[must_use]
    pub const fn next(&self) -> &NextPage {
        self.page.next()
    }

    /// What the page covers of its range, for a checkpoint of what was done with.
    #[must_use]
    pub fn step(&self) -> RangeStep {
        RangeStep {
            range: self.range,
            start: self.page.start().clone(),
            next: self.next().clone(),
        }
    }

    /// The rows as one PlainBuffer.
    #[must_use]
    pub const fn buffer(&self) -> &Bytes {
        self.page.buffer()
    }

    /// What the page cost.
    #[must_use]
    pub const fn consumed(&self) -> Consumed {
        self.page.consumed()
    }

    /// Lends the rows, one after another, without copying.
    ///
    /// # Errors
    /// None in practice: the page was walked before it was handed over.
    pub fn reader(&self) -> Result<Reader<'_>, TableScanError> {
        let reader = Reader::new(self.buffer(), Accept::Rows);
        let reader = reader.map_err(|error| self.bad(error))?;
        Ok(reader.checksums(Checksums::Trust))
    }

    /// The rows, owning their values. Names are shared within the page.
    ///
    /// # Errors
    /// As [`reader`](Self::reader).
    pub fn rows(&self) -> Result<Vec<Row>, TableScanError> {
        let mut reader = self.reader()?;
        let mut names = NameCache::default();
        let mut rows = Vec::with_capacity(usize::try_from(self.rows).unwrap_or_default());
        let mut next = || {
            reader
                .next_owned(&mut names)
                .map_err(|error| self.bad(error))
        };
        while let Some(row) = next()? {
            rows.push(row);
        }
        Ok(rows)
    }

    /// A reader that holds the page.
    pub(super) fn owning_reader(&self) -> Result<OwningReader, TableScanError> {
        let reader = OwningReader::new(self.buffer().clone(), Accept::Rows);
        let reader = reader.map_err(|error| self.bad(error))?;
        Ok(reader.checksums(Checksums::Trust))
    }

    /// The key of the row that begins here, unless columns of it are missing or none begins here.
    pub(super) fn key_at(&self, position: Position) -> Option<PrimaryKey> {
        let mut reader = Reader::resume(self.buffer(), Accept::Rows, position).ok()?;
        let key = reader
            .next_row()
            .ok()??
            .to_primary_key(&mut NameCache::default());
        // In the table's order, which the service doesn't promise for rows.
        let columns = self.page.start().columns().iter();
        columns
            .map(|column| Some((&column.name, key.get(&column.name)?.clone())))
            .collect()
    }

    pub(super) fn bad(&self, error: Error) -> TableScanError {
        let (range, page) = (self.range, self.index);
        TableScanError::new(TableScanErrorKind::Decode { range, page }).with_source(error)
    }
}

impl fmt::Debug for TablePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without rows and keys: they are data, and have no place in logs.
        f.debug_struct("TablePage")
            .field("range", &self.range)
            .field("index", &self.index)
            .field("rows", &self.rows)
            .field("bytes", &self.buffer().len())
            .field("is_last", &self.is_last())
            .finish_non_exhaustive()
    }
}
