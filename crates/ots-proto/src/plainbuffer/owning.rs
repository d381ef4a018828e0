//! A reader that holds the buffer it reads.

use std::fmt;

use bytes::Bytes;
use self_cell::self_cell;

use super::error::Error;
use super::reader::{Position, Reader};
use super::walk::{Accept, Checksums};
use crate::name::NameCache;
use crate::row::{Row, RowRef};

/// A [`Reader`] that holds its buffer: for who hands rows out one at a time and can't keep a borrow
/// from call to call, a stream for one.
///
/// It lends rows as [`Reader`] does and remembers as much from row to row, names above all; so reading
/// a page with it, with any pauses, costs what reading it at once does. [`Reader::resume`] goes on in
/// a buffer, too, but begins with nothing remembered.
///
/// ```
/// use ots_proto::plainbuffer::{Accept, OwningReader, Writer};
/// use ots_proto::{NameCache, PrimaryKey, Row};
///
/// /// The rows of a page, decoded when they are asked for.
/// struct Rows {
///     reader: OwningReader,
///     names: NameCache,
/// }
///
/// impl Iterator for Rows {
///     type Item = Result<Row, ots_proto::plainbuffer::Error>;
///
///     fn next(&mut self) -> Option<Self::Item> {
///         self.reader.next_owned(&mut self.names).transpose()
///     }
/// }
///
/// let mut writer = Writer::new();
/// for id in 0..3 {
///     writer.row(&Row::new(PrimaryKey::new().column("id", id)));
/// }
/// let reader = OwningReader::new(writer.finish(), Accept::Rows)?;
/// let rows = Rows { reader, names: NameCache::default() };
/// assert_eq!(rows.collect::<Result<Vec<_>, _>>()?.len(), 3);
/// # Ok::<(), ots_proto::plainbuffer::Error>(())
/// ```
///
/// # Cost
/// One allocation more than a [`Reader`].
pub struct OwningReader {
    held: Held,
}

self_cell!(
    struct Held {
        owner: Bytes,
        #[covariant]
        dependent: Reader,
    }
);

impl OwningReader {
    /// A reader of a buffer with its header.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn new(buffer: Bytes, accept: Accept) -> Result<Self, Error> {
        let held = Held::try_new(buffer, |buffer| Reader::new(buffer, accept))?;
        Ok(Self { held })
    }

    /// Whether to compare checksums from the next row on; without this they are.
    #[must_use]
    pub fn checksums(mut self, checksums: Checksums) -> Self {
        self.held
            .with_dependent_mut(|_, reader| reader.set_checksums(checksums));
        self
    }

    /// The next row, or none at the end of the buffer.
    ///
    /// # Errors
    /// As [`Reader::next_row`].
    #[inline]
    pub fn next_row(&mut self) -> Result<Option<RowRef<'_, '_>>, Error> {
        let is_row = self.held.with_dependent_mut(|_, reader| reader.advance())?;
        Ok(is_row.then(|| self.held.borrow_dependent().lent()))
    }

    /// The next row, owning its values, as [`Reader::next_owned`].
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row).
    #[inline]
    pub fn next_owned(&mut self, names: &mut NameCache) -> Result<Option<Row>, Error> {
        let held = &mut self.held;
        let is_row = held.with_dependent_mut(|_, reader| reader.advance_owned(names))?;
        Ok(is_row.then(|| held.with_dependent_mut(|_, reader| reader.take_owned())))
    }

    /// Whether every row was read, or one of them was damaged.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.held.borrow_dependent().is_done()
    }

    /// Where the next row begins, as [`Reader::position`].
    #[must_use]
    pub fn position(&self) -> Position {
        self.held.borrow_dependent().position()
    }
}

impl fmt::Debug for OwningReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwningReader")
            .field("buffer_bytes", &self.held.borrow_owner().len())
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plainbuffer::Writer;
    use crate::{NameCache, PrimaryKey, Row};

    fn rows() -> Vec<Row> {
        // More columns than a walk remembers in a list.
        let row = |id| {
            let row = Row::new(PrimaryKey::new().column("id", id));
            (0..40).fold(row, |row, column| {
                row.cell(format!("column {column}"), id + column)
            })
        };
        (0..20).map(row).collect()
    }

    fn buffer(rows: &[Row]) -> Bytes {
        let mut writer = Writer::new();
        rows.iter().for_each(|row| writer.row(row));
        writer.finish()
    }

    #[test]
    fn rows_and_places_are_those_of_a_reader_that_borrows() {
        let rows = rows();
        let buffer = buffer(&rows);
        let mut names = NameCache::default();
        let mut reader = Reader::new(&buffer, Accept::Rows).unwrap();
        let mut owning = OwningReader::new(buffer.clone(), Accept::Rows).unwrap();
        for row in &rows {
            assert!(!owning.is_done());
            assert_eq!(owning.position(), reader.position());
            let read = owning.next_row().unwrap().unwrap();
            assert_eq!(Some(read), reader.next_row().unwrap());
            assert_eq!(read.to_row(&mut names), *row);
            // It is moved about between two rows, as streams are.
            owning = *std::hint::black_box(Box::new(owning));
        }
        assert!(owning.is_done());
        assert_eq!(owning.next_row().unwrap(), None);
        assert_eq!(owning.position(), reader.position());
    }

    #[test]
    fn damage_is_told_in_its_turn_and_nothing_comes_after_it() {
        let rows = rows();
        let mut damaged = buffer(&rows).to_vec();
        let end_of_third = buffer(&rows[..3]).len();
        damaged[end_of_third - 1] ^= 1;
        let mut owning = OwningReader::new(damaged.into(), Accept::Rows).unwrap();
        for _ in 0..2 {
            owning.next_row().unwrap().unwrap();
        }
        let place = owning.position();
        assert_eq!(owning.next_row().unwrap_err().row(), Some(2));
        assert_eq!(owning.position(), place);
        assert_eq!(owning.next_row().unwrap(), None);
        assert!(OwningReader::new(Bytes::from_static(b"page"), Accept::Rows).is_err());
    }

    #[test]
    fn who_trusts_a_buffer_reads_what_a_checksum_would_refuse() {
        let rows = rows();
        let mut damaged = buffer(&rows).to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        let owning = OwningReader::new(damaged.into(), Accept::Rows).unwrap();
        let mut owning = owning.checksums(Checksums::Trust);
        for row in &rows {
            let read = owning.next_row().unwrap().unwrap();
            assert_eq!(read.to_row(&mut NameCache::default()), *row);
        }
        assert_eq!(owning.next_row().unwrap(), None);
    }

    #[test]
    fn a_stream_of_any_runtime_may_hold_it() {
        fn is_sound<T: Send + Sync + Unpin>() {}
        is_sound::<OwningReader>();
    }
}
