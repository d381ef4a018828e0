//! The rows of a page as values of a type.

use std::fmt;
use std::marker::PhantomData;

use super::convert::FromRow;
use super::error::Error;
use crate::plainbuffer::Reader;

/// The rows of a buffer as values of a type, one after another; from [`Reader::typed`].
///
/// An ordinary iterator, although the reader lends: what a value borrows lies in the buffer. A row
/// that doesn't fit the type is an error, and the rows after it still come; after a damaged one there
/// are no more.
#[must_use = "iterators do nothing unless advanced"]
pub struct TypedRows<'buf, T> {
    reader: Reader<'buf>,
    rows: PhantomData<fn() -> T>,
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
            reader: self,
            rows: PhantomData,
        }
    }
}

impl<'buf, T: FromRow<'buf>> Iterator for TypedRows<'buf, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.reader.rows_read();
        match self.reader.next_row() {
            Ok(Some(row)) => Some(T::from_row(row).map_err(|error| error.in_row(number))),
            Ok(None) => None,
            Err(damaged) => Some(Err(damaged.into())),
        }
    }
}

impl<'buf, T: FromRow<'buf>> std::iter::FusedIterator for TypedRows<'buf, T> {}

impl<T> fmt::Debug for TypedRows<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedRows")
            .field("rows_read", &self.reader.rows_read())
            .finish_non_exhaustive()
    }
}
