//! Rows that come each in a buffer of its own, as ParallelScan and Search send them.

use std::slice;

use bytes::Bytes;

use super::error::Error;
use super::lent::LentRow;
use super::owned::OwnedRow;
use super::visit::{Unheeded, Visitor};
use super::walk::{Accept, Checksums, Walk};
use crate::name::NameCache;
use crate::row::{Row, RowRef};

/// Reads rows that come each in a buffer of its own, without copying.
///
/// A buffer without a row, or with two, is refused like any other damage: a row that was lost on the
/// way must not go unnoticed. Rows are counted over all buffers, so that an error names the right one.
///
/// ```
/// use ots_proto::plainbuffer::{SeparateRows, write_row};
/// use ots_proto::{PrimaryKey, Row};
///
/// let page = [1, 2].map(|id| write_row(&Row::new(PrimaryKey::new().column("id", id))));
/// let mut rows = SeparateRows::new(&page);
/// while let Some(row) = rows.next_row()? {
///     assert_eq!(row.primary_key()[0].name, "id");
/// }
/// # Ok::<(), ots_proto::plainbuffer::Error>(())
/// ```
///
/// After an error it gives no more rows: what follows damage can't be trusted.
#[derive(Debug)]
#[must_use]
pub struct SeparateRows<'buf> {
    buffers: slice::Iter<'buf, Bytes>,
    walk: Walk<'buf>,
    row: LentRow<'buf>,
    owned: OwnedRow,
}

impl<'buf> SeparateRows<'buf> {
    /// A reader of these buffers.
    pub fn new(buffers: &'buf [Bytes]) -> Self {
        Self {
            buffers: buffers.iter(),
            walk: Walk::new(Accept::Rows),
            row: LentRow::new(),
            owned: OwnedRow::default(),
        }
    }

    /// Whether to compare checksums from the next row on; without this they are.
    pub fn checksums(mut self, checksums: Checksums) -> Self {
        self.set_checksums(checksums);
        self
    }

    pub(super) const fn set_checksums(&mut self, checksums: Checksums) {
        self.walk.set_checksums(checksums);
    }

    /// Whether no row is left, or none that can be trusted.
    pub(super) fn is_done(&self) -> bool {
        self.buffers.len() == 0
    }

    /// The next row, or none after the last buffer.
    ///
    /// # Errors
    /// When a buffer breaks a rule of the format, or doesn't hold exactly one row.
    #[inline]
    pub fn next_row(&mut self) -> Result<Option<RowRef<'_, 'buf>>, Error> {
        Ok(self.advance()?.then(|| self.lent()))
    }

    /// Reads the next row, if there is one. What it says fits in registers, the row stays where it is.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        let Some(buffer) = self.buffers.next() else {
            return Ok(false);
        };
        let read = self.row.fill(|row| self.walk.only_row_of(buffer, row));
        if let Err(error) = read {
            self.buffers = [].iter();
            return Err(error);
        }
        Ok(true)
    }

    /// The row that was read last.
    #[inline]
    pub(super) fn lent(&self) -> RowRef<'_, 'buf> {
        self.row.lend()
    }

    /// The next row, owning its values: what [`RowRef::to_row`] makes of a lent one, without that one in
    /// between. `names` lets rows share their names, also those of other pages.
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row).
    #[inline]
    pub fn next_owned(&mut self, names: &mut NameCache) -> Result<Option<Row>, Error> {
        Ok(self.advance_owned(names)?.then(|| self.take_owned()))
    }

    /// The row that was read last by [`advance_owned`](Self::advance_owned).
    #[inline]
    pub(super) fn take_owned(&mut self) -> Row {
        self.owned.take()
    }

    /// Reads the next row, if there is one, into parts of an owned one.
    pub(super) fn advance_owned(&mut self, names: &mut NameCache) -> Result<bool, Error> {
        let Some(buffer) = self.buffers.next() else {
            return Ok(false);
        };
        let making = &mut self.owned.making(names);
        if let Err(error) = self.walk.only_row_of(buffer, making) {
            self.buffers = [].iter();
            return Err(error);
        }
        Ok(true)
    }

    /// How many rows were read.
    pub(crate) const fn rows_read(&self) -> usize {
        self.walk.rows()
    }

    /// Hands the rows that are left to a visitor, and says how many they were.
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row), and when the visitor refuses something.
    pub fn visit<V: Visitor<'buf>>(&mut self, visitor: &mut V) -> Result<usize, V::Error> {
        let before = self.walk.rows();
        while self.visit_row(visitor)? {}
        Ok(self.walk.rows() - before)
    }

    /// Counts the rows that are left. Each is verified as by [`next_row`](Self::next_row), and none is
    /// made: the quickest way to know that a page is sound.
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row).
    pub fn count_rows(&mut self) -> Result<usize, Error> {
        self.visit(&mut Unheeded)
    }

    /// Hands the next row to a visitor, and says whether there was one.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    #[inline]
    pub fn visit_row<V: Visitor<'buf>>(&mut self, visitor: &mut V) -> Result<bool, V::Error> {
        let Some(buffer) = self.buffers.next() else {
            return Ok(false);
        };
        if let Err(error) = self.walk.only_row_of(buffer, visitor) {
            self.buffers = [].iter();
            return Err(error);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plainbuffer::{ErrorKind, Writer, write_row};
    use crate::{NameCache, PrimaryKey, Row};

    fn row(id: i64) -> Row {
        Row::new(PrimaryKey::new().column("id", id))
    }

    fn buffer(ids: &[i64]) -> Bytes {
        let mut writer = Writer::new();
        for id in ids {
            writer.row(&row(*id));
        }
        writer.finish()
    }

    #[test]
    fn every_buffer_gives_its_row() {
        let buffers = [1, 2, 3].map(|id| write_row(&row(id)));
        let mut rows = SeparateRows::new(&buffers);
        for id in 1..=3 {
            let read = rows.next_row().unwrap().unwrap();
            assert_eq!(read.to_row(&mut NameCache::default()), row(id));
        }
        assert!(rows.next_row().unwrap().is_none());
    }

    #[test]
    fn a_buffer_without_a_row_or_with_two_is_damage_and_ends_the_page() {
        for damaged in [buffer(&[]), buffer(&[2, 3])] {
            let buffers = [buffer(&[1]), damaged, buffer(&[4])];
            let mut rows = SeparateRows::new(&buffers);
            assert!(rows.next_row().unwrap().is_some());
            let error = rows.next_row().unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::RowCount { .. }),
                "{error}"
            );
            assert_eq!(error.row(), Some(1));
            assert!(rows.next_row().unwrap().is_none());
        }
    }

    #[test]
    fn counted_rows_are_verified_like_rows_that_are_read() {
        let mut buffers = [1, 2, 3].map(|id| write_row(&row(id)));
        assert_eq!(SeparateRows::new(&buffers).count_rows().unwrap(), 3);
        let mut damaged = buffers[1].to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        buffers[1] = damaged.into();
        let mut rows = SeparateRows::new(&buffers);
        assert_eq!(rows.count_rows().unwrap_err().row(), Some(1));
        assert_eq!(rows.count_rows().unwrap(), 0);
        let mut trusting = SeparateRows::new(&buffers).checksums(Checksums::Trust);
        assert_eq!(trusting.count_rows().unwrap(), 3);
    }

    #[test]
    fn an_empty_buffer_is_no_row() {
        let buffers = [Bytes::new()];
        let error = SeparateRows::new(&buffers).next_row().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Header);
    }
}
