//! The rows of a page as values of a type.

use std::fmt;
use std::marker::PhantomData;

use super::convert::FromRow;
use super::error::Error;
use crate::plainbuffer::{Reader, SeparateRows};
use crate::simple_row_matrix::MatrixRows;

/// The rows of a page as values of a type, one after another; from [`Reader::typed`],
/// [`SeparateRows::typed`] and [`MatrixRows::typed`].
///
/// An ordinary iterator, although the reader lends: what a value borrows lies in the buffer. A row
/// that doesn't fit the type is an error, and the rows after it still come; after a damaged one there
/// are no more.
#[must_use = "iterators do nothing unless advanced"]
pub struct TypedRows<'buf, T> {
    rows: Source<'buf>,
    of: PhantomData<fn() -> T>,
}

/// Where the rows come from.
enum Source<'buf> {
    /// One buffer.
    Page(Reader<'buf>),
    /// A buffer each.
    Separate(SeparateRows<'buf>),
    /// A block, with its columns side by side.
    Matrix(MatrixRows<'buf, 'buf>),
}

impl Source<'_> {
    const fn rows_read(&self) -> usize {
        match self {
            Self::Page(reader) => reader.rows_read(),
            Self::Separate(rows) => rows.rows_read(),
            Self::Matrix(rows) => rows.rows_read(),
        }
    }
}

impl<'buf> Reader<'buf> {
    /// The rows to come as values of a type of yours, with their numbers in errors.
    ///
    #[cfg_attr(feature = "derive", doc = "```")]
    #[cfg_attr(not(feature = "derive"), doc = "```ignore")]
    /// use ots_proto::plainbuffer::{Accept, Reader, Writer};
    /// use ots_proto::{FromRow, PrimaryKey, Row};
    ///
    /// #[derive(FromRow)]
    /// struct City<'buf> {
    ///     #[ots(primary_key)]
    ///     name: &'buf str,
    ///     people: u32,
    /// }
    ///
    /// let mut writer = Writer::new();
    /// for (name, people) in [("杭州", 12_620_000), ("苏州", -1)] {
    ///     writer.row(&Row::new(PrimaryKey::new().column("name", name)).cell("people", people));
    /// }
    /// let buffer = writer.finish();
    ///
    /// let mut cities = Reader::new(&buffer, Accept::Rows)?.typed::<City<'_>>();
    /// let city = cities.next().unwrap()?;
    /// assert_eq!((city.name, city.people), ("杭州", 12_620_000));
    /// let error = cities.next().unwrap().err().unwrap();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "row 1, column \"people\": the value is out of range for u32"
    /// );
    /// assert!(cities.next().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn typed<T: FromRow<'buf>>(self) -> TypedRows<'buf, T> {
        TypedRows {
            rows: Source::Page(self),
            of: PhantomData,
        }
    }
}

impl<'buf> SeparateRows<'buf> {
    /// The rows to come as values of a type of yours, with their numbers in errors: as
    /// [`Reader::typed`], for pages of ParallelScan and Search.
    ///
    #[cfg_attr(feature = "derive", doc = "```")]
    #[cfg_attr(not(feature = "derive"), doc = "```ignore")]
    /// use ots_proto::plainbuffer::{SeparateRows, write_row};
    /// use ots_proto::{FromRow, PrimaryKey, Row};
    ///
    /// #[derive(FromRow)]
    /// struct City<'buf> {
    ///     #[ots(primary_key)]
    ///     name: &'buf str,
    ///     people: u32,
    /// }
    ///
    /// let page = [("杭州", 12_620_000), ("苏州", -1)].map(|(name, people)| {
    ///     write_row(&Row::new(PrimaryKey::new().column("name", name)).cell("people", people))
    /// });
    /// let mut cities = SeparateRows::new(&page).typed::<City<'_>>();
    /// let city = cities.next().unwrap()?;
    /// assert_eq!((city.name, city.people), ("杭州", 12_620_000));
    /// let error = cities.next().unwrap().err().unwrap();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "row 1, column \"people\": the value is out of range for u32"
    /// );
    /// assert!(cities.next().is_none());
    /// # Ok::<(), ots_proto::typed::Error>(())
    /// ```
    pub const fn typed<T: FromRow<'buf>>(self) -> TypedRows<'buf, T> {
        TypedRows {
            rows: Source::Separate(self),
            of: PhantomData,
        }
    }
}

impl<'matrix> MatrixRows<'matrix, '_> {
    /// The rows to come as values of a type of yours, with their numbers in errors: as
    /// [`Reader::typed`]. What they borrow lives as long as the [`Matrix`](crate::simple_row_matrix::Matrix).
    ///
    #[cfg_attr(feature = "derive", doc = "```")]
    #[cfg_attr(not(feature = "derive"), doc = "```ignore")]
    /// use ots_proto::simple_row_matrix::{Matrix, MatrixWriter};
    /// use ots_proto::{FromRow, PrimaryKey, Row};
    ///
    /// #[derive(FromRow)]
    /// struct City<'row> {
    ///     #[ots(primary_key)]
    ///     name: &'row str,
    ///     people: Option<u32>,
    /// }
    ///
    /// let hangzhou = Row::new(PrimaryKey::new().column("name", "杭州")).cell("people", 12_620_000);
    /// let suzhou = Row::new(PrimaryKey::new().column("name", "苏州"));
    /// let mut writer = MatrixWriter::new(["name"], ["people"])?;
    /// writer.row(&hangzhou)?;
    /// writer.row(&suzhou)?;
    /// let block = writer.finish()?;
    ///
    /// let matrix = Matrix::parse(&block)?;
    /// let mut cities = matrix.rows().typed::<City<'_>>();
    /// let city = cities.next().unwrap()?;
    /// assert_eq!((city.name, city.people), ("杭州", Some(12_620_000)));
    /// assert_eq!(cities.next().unwrap()?.people, None);
    /// assert!(cities.next().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn typed<T: FromRow<'matrix>>(self) -> TypedRows<'matrix, T> {
        TypedRows {
            rows: Source::Matrix(self),
            of: PhantomData,
        }
    }
}

impl<'buf, T: FromRow<'buf>> Iterator for TypedRows<'buf, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.rows.rows_read();
        let row = match &mut self.rows {
            Source::Page(reader) => reader.next_row().map_err(Error::from),
            Source::Separate(rows) => rows.next_row().map_err(Error::from),
            Source::Matrix(rows) => rows.next_row().map_err(Error::from),
        };
        let row = row.transpose()?;
        Some(row.and_then(|row| T::from_row(row).map_err(|error| error.in_row(number))))
    }
}

impl<'buf, T: FromRow<'buf>> std::iter::FusedIterator for TypedRows<'buf, T> {}

impl<T> fmt::Debug for TypedRows<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedRows")
            .field("rows_read", &self.rows.rows_read())
            .finish_non_exhaustive()
    }
}
