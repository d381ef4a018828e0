//! A page of a split, and its rows.

use std::fmt;

use bytes::Bytes;
use ots_proto::plainbuffer::{self, SeparateRows};
use ots_proto::{NameCache, Row, RowRef};

use crate::error::{ScanError, ScanErrorKind};
use crate::split::Split;

/// One page of a split, as it came: decoding is left to whoever wants the rows, where they want it.
///
/// An empty page is an ordinary one; the last page of a split usually is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct ScanPage {
    /// The split.
    pub split: Split,
    /// Which session of the scan it is of, from 0: see [`OnSessionLoss`](crate::OnSessionLoss).
    pub generation: u32,
    /// Which page of the split it is, from 0, without gaps, since the scan was opened or
    /// [resumed](crate::ScanBuilder::resume).
    pub index: u64,
    /// The rows, each a PlainBuffer of its own. All are slices of one buffer, which lives as long as
    /// any of them.
    pub rows: Vec<Bytes>,
    /// Size of the page as the service sent it, in bytes, unpacked. Where a stand-in for the service
    /// doesn't say, of its rows alone.
    pub page_bytes: usize,
    /// Whether the split ends with this page.
    pub is_last: bool,
}

impl ScanPage {
    /// Lends the rows, one after another, without copying.
    pub fn reader(&self) -> PageReader<'_> {
        PageReader {
            page: self,
            rows: SeparateRows::new(&self.rows),
        }
    }

    /// The rows, owning their values. Names are shared within the page.
    ///
    /// # Errors
    /// [`ScanErrorKind::Row`] when one of them can't be decoded; no row is given then.
    pub fn rows(&self) -> Result<Vec<Row>, ScanError> {
        let mut names = NameCache::default();
        let mut rows = Vec::with_capacity(self.rows.len());
        let mut reader = SeparateRows::new(&self.rows);
        let mut next = || {
            reader
                .next_owned(&mut names)
                .map_err(|error| self.bad_row(error))
        };
        while let Some(row) = next()? {
            rows.push(row);
        }
        Ok(rows)
    }

    /// Compares the checksums of every row.
    pub(crate) fn verify(&self) -> Result<(), plainbuffer::Error> {
        SeparateRows::new(&self.rows).count_rows().map(drop)
    }
}

/// Lends the rows of a page, each until the next is asked for.
///
/// After an error it gives no more rows.
#[must_use]
pub struct PageReader<'page> {
    page: &'page ScanPage,
    rows: SeparateRows<'page>,
}

impl<'page> PageReader<'page> {
    /// The next row, or none at the end of the page.
    ///
    /// # Errors
    /// [`ScanErrorKind::Row`] when the row breaks a rule of the format, or its buffer doesn't hold
    /// exactly one row.
    pub fn next_row(&mut self) -> Result<Option<RowRef<'_, 'page>>, ScanError> {
        let page = self.page;
        self.rows.next_row().map_err(|error| page.bad_row(error))
    }
}

impl fmt::Debug for ScanPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // How many rows, and not which: they are data, and have no place in logs.
        f.debug_struct("ScanPage")
            .field("split", &self.split)
            .field("generation", &self.generation)
            .field("index", &self.index)
            .field("rows", &self.rows.len())
            .field("page_bytes", &self.page_bytes)
            .field("is_last", &self.is_last)
            .finish()
    }
}

impl fmt::Debug for PageReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageReader")
            .field("page", self.page)
            .finish_non_exhaustive()
    }
}

impl ScanPage {
    #[cold]
    fn bad_row(&self, error: plainbuffer::Error) -> ScanError {
        let kind = ScanErrorKind::Row {
            split: self.split,
            page: self.index,
            // Never absent: a row that comes in a buffer of its own is always inside one.
            row: error.row().unwrap_or_default(),
        };
        ScanError::new(kind).with_source(error)
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
            generation: 0,
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
    fn what_is_printed_of_a_page_is_not_its_rows() {
        let page = page((0..3).map(|id| write_row(&row(id))).collect());
        let printed = format!("{page:?} {:?}", page.reader());
        assert!(
            printed.contains("rows: 3") && printed.contains("index: 4"),
            "{printed}"
        );
        assert!(!printed.contains("Hangzhou"), "{printed}");
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
            (
                Writer::new().finish(),
                "expected one row in a buffer of its own, found none (row 1,",
            ),
            (
                two.finish(),
                "expected one row in a buffer of its own, found more (row 1,",
            ),
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
                "row 1 of page 4 of split 3 of 16 can't be decoded; the cause says what is wrong, and \
                 with verify_pages the scan asks for such a page again"
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
