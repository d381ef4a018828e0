//! A reader that holds the rows it reads, each in a buffer of its own.

use std::fmt;

use bytes::Bytes;
use self_cell::self_cell;

use super::error::Error;
use super::separate::SeparateRows;
use super::walk::Checksums;
use crate::name::NameCache;
use crate::row::{Row, RowRef};

/// [`SeparateRows`] that hold their buffers, as [`OwningReader`](super::OwningReader) holds its one: for
/// who hands out the rows of a search one at a time and can't keep a borrow from call to call.
///
/// ```
/// use ots_proto::plainbuffer::{OwningSeparateRows, write_row};
/// use ots_proto::{NameCache, PrimaryKey, Row};
///
/// let page = [1, 2].map(|id| write_row(&Row::new(PrimaryKey::new().column("id", id))));
/// let mut rows = OwningSeparateRows::new(page.into());
/// let mut names = NameCache::default();
/// while let Some(row) = rows.next_row()? {
///     println!("{}", row.to_row(&mut names).primary_key);
/// }
/// # Ok::<(), ots_proto::plainbuffer::Error>(())
/// ```
///
/// # Cost
/// One allocation more than [`SeparateRows`].
pub struct OwningSeparateRows {
    held: Held,
}

self_cell!(
    struct Held {
        owner: Vec<Bytes>,
        #[covariant]
        dependent: SeparateRows,
    }
);

impl OwningSeparateRows {
    /// A reader of these buffers.
    #[must_use]
    pub fn new(buffers: Vec<Bytes>) -> Self {
        let held = Held::new(buffers, |buffers| SeparateRows::new(buffers));
        Self { held }
    }

    /// Whether to compare checksums from the next row on; without this they are.
    #[must_use]
    pub fn checksums(mut self, checksums: Checksums) -> Self {
        self.held
            .with_dependent_mut(|_, rows| rows.set_checksums(checksums));
        self
    }

    /// The next row, or none after the last buffer.
    ///
    /// # Errors
    /// As [`SeparateRows::next_row`].
    #[inline]
    pub fn next_row(&mut self) -> Result<Option<RowRef<'_, '_>>, Error> {
        let is_row = self.held.with_dependent_mut(|_, rows| rows.advance())?;
        Ok(is_row.then(|| self.held.borrow_dependent().lent()))
    }

    /// The next row, owning its values, as [`SeparateRows::next_owned`].
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row).
    #[inline]
    pub fn next_owned(&mut self, names: &mut NameCache) -> Result<Option<Row>, Error> {
        let held = &mut self.held;
        let is_row = held.with_dependent_mut(|_, rows| rows.advance_owned(names))?;
        Ok(is_row.then(|| held.with_dependent_mut(|_, rows| rows.take_owned())))
    }

    /// Whether every buffer was read, or one of them was damaged.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.held.borrow_dependent().is_done()
    }

    /// All buffers, those of rows that were read too.
    #[must_use]
    pub fn buffers(&self) -> &[Bytes] {
        self.held.borrow_owner()
    }
}

impl fmt::Debug for OwningSeparateRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwningSeparateRows")
            .field("rows", &self.buffers().len())
            .field("rows_read", &self.held.borrow_dependent().rows_read())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plainbuffer::write_row;
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

    #[test]
    fn rows_are_those_of_a_reader_that_borrows() {
        let rows = rows();
        let buffers: Vec<_> = rows.iter().map(write_row).collect();
        let mut names = NameCache::default();
        let mut separate = SeparateRows::new(&buffers);
        let mut owning = OwningSeparateRows::new(buffers.clone());
        for row in &rows {
            assert!(!owning.is_done());
            let read = owning.next_row().unwrap().unwrap();
            assert_eq!(Some(read), separate.next_row().unwrap());
            assert_eq!(read.to_row(&mut names), *row);
            // It is moved about between two rows, as streams are.
            owning = *std::hint::black_box(Box::new(owning));
        }
        assert!(owning.is_done());
        assert_eq!(owning.next_row().unwrap(), None);
        assert_eq!(owning.buffers(), buffers);
    }

    #[test]
    fn damage_is_told_in_its_turn_and_nothing_comes_after_it() {
        let mut buffers: Vec<_> = rows().iter().map(write_row).collect();
        buffers[2] = Bytes::from_static(b"row");
        let mut owning = OwningSeparateRows::new(buffers);
        for _ in 0..2 {
            owning.next_row().unwrap().unwrap();
        }
        assert_eq!(owning.next_row().unwrap_err().row(), Some(2));
        assert_eq!(owning.next_row().unwrap(), None);
    }

    #[test]
    fn who_trusts_its_buffers_reads_what_a_checksum_would_refuse() {
        let rows = rows();
        let mut buffers: Vec<_> = rows.iter().map(write_row).collect();
        let mut damaged = buffers[2].to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        buffers[2] = damaged.into();
        let mut owning = OwningSeparateRows::new(buffers).checksums(Checksums::Trust);
        let mut names = NameCache::default();
        for row in &rows {
            assert_eq!(owning.next_owned(&mut names).unwrap().as_ref(), Some(row));
        }
        assert!(owning.next_owned(&mut names).unwrap().is_none());
    }

    #[test]
    fn a_stream_of_any_runtime_may_hold_it_and_print_it_without_its_rows() {
        fn is_sound<T: Send + Sync + Unpin>() {}
        is_sound::<OwningSeparateRows>();
        let printed = format!("{:?}", OwningSeparateRows::new(vec!["secret".into()]));
        assert!(!printed.contains("secret"), "{printed}");
    }
}
