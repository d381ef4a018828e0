//! The rows of a page that a stream holds, decoded a handful at a time.

use std::collections::VecDeque;

use ots_proto::plainbuffer::{self, Accept, Position, Reader};
use ots_proto::{NameCache, PrimaryKey, Row};

use crate::page::{Page, whole_key};

/// A page and how far it is decoded.
///
/// A [`Reader`] borrows the page, so that both can't be kept side by side; and a new reader for every
/// row would need new lists of cells each time. Hence a handful of rows at once, ahead of delivery.
#[derive(Debug)]
pub(crate) struct PageRows {
    page: Page,
    position: Position,
    ready: VecDeque<Row>,
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
        Self {
            page,
            position: Position::START,
            ready: VecDeque::new(),
        }
    }

    pub(crate) const fn page(&self) -> &Page {
        &self.page
    }

    /// Whether the next row is yet to be decoded, with some others.
    pub(crate) fn is_between_handfuls(&self) -> bool {
        self.ready.is_empty()
    }

    /// The next row, or none at the end of the page.
    pub(crate) fn next_row(
        &mut self,
        names: &mut NameCache,
    ) -> Result<Option<Row>, plainbuffer::Error> {
        if self.ready.is_empty() {
            self.decode_ahead(names)?;
        }
        Ok(self.ready.pop_front())
    }

    fn decode_ahead(&mut self, names: &mut NameCache) -> Result<(), plainbuffer::Error> {
        let mut reader = Reader::resume(&self.page.buffer, Accept::Rows, self.position)?;
        while self.ready.len() < ROWS_AHEAD {
            match reader.next_row() {
                Ok(Some(row)) => self.ready.push_back(row.to_row(names)),
                Ok(None) => break,
                // Damage is told in its turn: this place is read again when the rows before it are
                // delivered.
                Err(_) if !self.ready.is_empty() => break,
                Err(error) => return Err(error),
            }
            self.position = reader.position();
        }
        Ok(())
    }

    /// The row that comes next; `start` has the columns of a whole key.
    pub(crate) fn peek(&self, start: &PrimaryKey) -> NextRow {
        let key = match self.ready.front() {
            Some(row) => whole_key(&row.primary_key, start),
            None => {
                let reader = Reader::resume(&self.page.buffer, Accept::Rows, self.position);
                match reader.and_then(|mut reader| {
                    let row = reader.next_row()?;
                    Ok(row.map(|row| row.to_primary_key(&mut NameCache::default())))
                }) {
                    Ok(Some(key)) => whole_key(&key, start),
                    Ok(None) => return NextRow::EndOfPage,
                    Err(_) => None,
                }
            }
        };
        key.map_or(NextRow::Unknown, NextRow::Key)
    }
}

const ROWS_AHEAD: usize = 64;

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
    fn rows_come_in_order_across_handfuls() {
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
