//! A page of a split, and its rows.

use bytes::Bytes;
use ots_proto::plainbuffer::{Accept, Reader};
use ots_proto::{NameCache, Row, RowRef};

use crate::error::{ScanError, ScanErrorKind};
use crate::split::Split;

/// One page of a split, as it came: decoding is left to whoever wants the rows, where they want it.
///
/// An empty page is an ordinary one; the last page of a split usually is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct ScanPage {
    /// The split.
    pub split: Split,
    /// Which page of the split it is, from 0, without gaps.
    pub index: u64,
    /// The rows, each a PlainBuffer of its own. All are slices of one buffer, which lives as long as
    /// any of them.
    pub rows: Vec<Bytes>,
    /// Size of the page on the wire, in bytes.
    pub page_bytes: usize,
    /// Whether the split ends with this page.
    pub is_last: bool,
}

impl ScanPage {
    /// Lends the rows, one after another, without copying.
    pub const fn reader(&self) -> PageReader<'_> {
        PageReader {
            page: self,
            next: 0,
            reader: None,
        }
    }

    /// The rows, owning their values. Names are shared within the page.
    ///
    /// # Errors
    /// [`ScanErrorKind::Row`] when one of them can't be decoded; no row is given then.
    pub fn rows(&self) -> Result<Vec<Row>, ScanError> {
        let (rows, end) = self.decode(&mut NameCache::default());
        end.map(|()| rows)
    }

    /// The rows up to the end, or up to the first that can't be decoded.
    pub(crate) fn decode(&self, names: &mut NameCache) -> (Vec<Row>, Result<(), ScanError>) {
        let mut rows = Vec::with_capacity(self.rows.len());
        let mut reader = self.reader();
        loop {
            match reader.next_row() {
                Ok(Some(row)) => rows.push(row.to_row(names)),
                Ok(None) => return (rows, Ok(())),
                Err(error) => return (rows, Err(error)),
            }
        }
    }

    /// What the page takes in memory: its buffer, and the handles into it, which outweigh the data
    /// when rows are a key and nothing more.
    pub(crate) fn held_bytes(&self) -> usize {
        self.page_bytes
            .saturating_add(self.rows.len().saturating_mul(size_of::<Bytes>()))
    }
}

/// Lends the rows of a page, each until the next is asked for.
///
/// After an error it gives no more rows.
#[derive(Debug)]
#[must_use]
pub struct PageReader<'page> {
    page: &'page ScanPage,
    next: usize,
    reader: Option<Reader<'page>>,
}

impl<'page> PageReader<'page> {
    /// The next row, or none at the end of the page.
    ///
    /// # Errors
    /// [`ScanErrorKind::Row`] when the row breaks a rule of the format.
    pub fn next_row(&mut self) -> Result<Option<RowRef<'_, 'page>>, ScanError> {
        let row = self.next;
        if !self.advance()? {
            return Ok(None);
        }
        let problem = match self.reader.as_mut().map(Reader::next_row) {
            Some(Ok(Some(row))) => return Ok(Some(row)),
            Some(Ok(None)) | None => self.page.bad_row(row, "the buffer of the row holds none"),
            Some(Err(error)) => self.page.bad_row(row, error),
        };
        self.next = self.page.rows.len();
        Err(problem)
    }

    /// Steps to the buffer of the next row, if there is one.
    fn advance(&mut self) -> Result<bool, ScanError> {
        if let Some(reader) = &mut self.reader {
            let before = self.next.saturating_sub(1);
            let problem = match reader.next_row() {
                Ok(None) => None,
                Ok(Some(_)) => Some(
                    self.page
                        .bad_row(before, "the buffer of the row holds another"),
                ),
                Err(error) => Some(self.page.bad_row(before, error)),
            };
            if let Some(problem) = problem {
                return Err(self.end(problem));
            }
        }
        let Some(buffer) = self.page.rows.get(self.next) else {
            return Ok(false);
        };
        let opened = match &mut self.reader {
            // One reader for all: it keeps its list of cells.
            Some(reader) => reader.continue_with(buffer),
            None => Reader::new(buffer, Accept::Rows).map(|reader| self.reader = Some(reader)),
        };
        if let Err(error) = opened {
            let problem = self.page.bad_row(self.next, error);
            return Err(self.end(problem));
        }
        self.next += 1;
        Ok(true)
    }

    /// What follows damage can't be trusted.
    fn end(&mut self, problem: ScanError) -> ScanError {
        self.reader = None;
        self.next = self.page.rows.len();
        problem
    }
}

impl ScanPage {
    #[cold]
    fn bad_row(
        &self,
        row: usize,
        problem: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ScanError {
        let kind = ScanErrorKind::Row {
            split: self.split,
            page: self.index,
            row,
        };
        ScanError::new(kind).with_source(problem)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use ots_proto::plainbuffer::{Writer, write_row};
    use ots_proto::{PrimaryKey, Row};

    use super::*;

    fn row(id: i64) -> Row {
        Row::new(PrimaryKey::new().column("id", id)).cell("city", "Hangzhou")
    }

    fn page(rows: Vec<Bytes>) -> ScanPage {
        let split = Split::new(3, 16).unwrap();
        ScanPage {
            split,
            index: 4,
            rows,
            page_bytes: 0,
            is_last: false,
        }
    }

    #[test]
    fn rows_are_lent_and_owned() {
        let page = page((0..3).map(|id| write_row(&row(id))).collect());
        let rows: Vec<_> = (0..3).map(row).collect();
        assert_eq!(page.rows().unwrap(), rows);
        let mut reader = page.reader();
        let mut lent = Vec::new();
        while let Some(row) = reader.next_row().unwrap() {
            lent.push(row.to_row(&mut NameCache::default()));
        }
        assert_eq!(lent, rows);
        assert!(reader.next_row().unwrap().is_none());
    }

    #[test]
    fn an_empty_page_has_no_rows() {
        assert_eq!(page(Vec::new()).rows().unwrap(), []);
    }

    #[test]
    fn a_damaged_row_is_named_and_ends_the_page() {
        let mut damaged = write_row(&row(7)).to_vec();
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        let mut two = Writer::new();
        two.row(&row(7));
        two.row(&row(8));
        let cases = [
            (Bytes::from(damaged), "row checksum mismatch: row 1, byte"),
            (Bytes::new(), "a PlainBuffer starts with 75 00 00 00"),
            (Writer::new().finish(), "the buffer of the row holds none"),
            (two.finish(), "the buffer of the row holds another"),
        ];
        for (damaged, cause) in cases {
            let page = page(vec![write_row(&row(0)), damaged, write_row(&row(2))]);
            let error = page.rows().unwrap_err();
            let split = page.split;
            assert_eq!(
                *error.kind(),
                ScanErrorKind::Row {
                    split,
                    page: 4,
                    row: 1
                }
            );
            assert_eq!(
                error.to_string(),
                "row 1 of page 4 of split 3 of 16 can't be decoded"
            );
            let source = error.source().unwrap().to_string();
            assert!(source.starts_with(cause), "{source}");

            let mut reader = page.reader();
            while reader.next_row().is_ok_and(|row| row.is_some()) {}
            assert!(
                reader.next_row().unwrap().is_none(),
                "nothing after an error"
            );
        }
    }
}
