//! The rows of a page that a stream holds, decoded one by one.

use ots_proto::plainbuffer::{self, Accept, OwningReader, Position, Reader};
use ots_proto::{NameCache, PrimaryKey, Row};

use crate::page::{Page, whole_key};

/// A page and how far it is decoded.
///
/// A row is decoded when it is wanted and not before: what was just read is still in the fastest memory
/// when it is looked at, and is mostly let go before the next row is made.
#[derive(Debug)]
pub(crate) struct PageRows {
    page: Page,
    /// None before the first row, as even opening a damaged page fails: in its turn.
    reader: Option<OwningReader>,
}

/// What is known of the row that comes next.
#[derive(Debug, PartialEq)]
pub(crate) enum NextRow {
    /// Its key.
    Key(PrimaryKey),
    /// There is none in this page.
    EndOfPage,
    /// It is there, but damaged, or lacks columns of its key.
    Unknown,
}

impl PageRows {
    pub(crate) const fn new(page: Page) -> Self {
        Self { page, reader: None }
    }

    pub(crate) const fn page(&self) -> &Page {
        &self.page
    }

    /// The next row, or none at the end of the page.
    #[inline]
    pub(crate) fn next_row(
        &mut self,
        names: &mut NameCache,
    ) -> Result<Option<Row>, plainbuffer::Error> {
        if self.reader.is_none() {
            self.reader = Some(open(&self.page)?);
        }
        match &mut self.reader {
            Some(reader) => reader.next_owned(names),
            None => Ok(None),
        }
    }

    /// The row that comes next; `start` has the columns of a whole key.
    pub(crate) fn peek(&self, start: &PrimaryKey) -> NextRow {
        match self.next_key() {
            Ok(Some(key)) => whole_key(&key, start).map_or(NextRow::Unknown, NextRow::Key),
            Ok(None) => NextRow::EndOfPage,
            Err(_) => NextRow::Unknown,
        }
    }

    fn next_key(&self) -> Result<Option<PrimaryKey>, plainbuffer::Error> {
        let reader = self.reader.as_ref();
        let position = reader.map_or(Position::START, OwningReader::position);
        let mut reader = Reader::resume(&self.page.buffer, Accept::Rows, position)?;
        let row = reader.next_row()?;
        Ok(row.map(|row| row.to_primary_key(&mut NameCache::default())))
    }
}

#[cold]
fn open(page: &Page) -> Result<OwningReader, plainbuffer::Error> {
    OwningReader::new(page.buffer.clone(), Accept::Rows)
}

#[cfg(test)]
mod tests {
    use ots_core::request::Consumed;
    use ots_proto::plainbuffer::Writer;

    use super::*;
    use crate::page::NextPage;
    use crate::resume::ResumePoint;

    fn key(id: i64) -> PrimaryKey {
        PrimaryKey::new().column("id", id)
    }

    fn page(rows: i64) -> (Page, Vec<usize>) {
        let mut writer = Writer::new();
        let mut ends = Vec::new();
        for id in 0..rows {
            writer.row(&Row::new(key(id)).cell("a", id));
            ends.push(writer.len_bytes());
        }
        let page = Page {
            start: key(0),
            buffer: writer.finish(),
            resume: ResumePoint::new(0, NextPage::Done),
            consumed: Consumed::default(),
        };
        (page, ends)
    }

    #[test]
    fn the_row_that_comes_next_is_known_before_it_is_decoded() {
        let (page, _) = page(200);
        let mut rows = PageRows::new(page.clone());
        let mut names = NameCache::default();
        let mut decoded = Vec::new();
        loop {
            let next = rows.peek(&key(0));
            let Some(row) = rows.next_row(&mut names).unwrap() else {
                assert_eq!(next, NextRow::EndOfPage);
                break;
            };
            assert_eq!(next, NextRow::Key(row.primary_key.clone()));
            decoded.push(row);
        }
        assert_eq!(decoded, page.rows().unwrap());
    }

    #[test]
    fn every_row_before_the_damage_comes_first() {
        for damaged_row in [0, 1, 63, 64, 65, 130, 199] {
            let (mut page, ends) = page(200);
            let mut buffer = page.buffer.to_vec();
            buffer[ends[damaged_row] - 1] ^= 1;
            page.buffer = buffer.into();
            let mut rows = PageRows::new(page);
            let mut names = NameCache::default();
            for _ in 0..damaged_row {
                rows.next_row(&mut names).unwrap().unwrap();
            }
            assert_eq!(rows.peek(&key(0)), NextRow::Unknown);
            let error = rows.next_row(&mut names).unwrap_err();
            assert_eq!(error.row(), Some(damaged_row));
        }
    }
}
