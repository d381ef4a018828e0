//! The conversions themselves: a row into a type, and a type into a row.

use super::columns::Columns;
use super::error::Error;
use crate::plainbuffer::SharedRow;
use crate::row::{Row, RowRef};

/// A type that can be read from a row; derive it with `#[derive(FromRow)]`.
///
/// `'row` is the life of the row's values: a type that owns its fields is `FromRow<'row>` for any, a
/// type with `&str` fields borrows from the row.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be read from a row",
    note = "derive it: `#[derive(FromRow)]`"
)]
pub trait FromRow<'row>: Sized {
    /// The attribute columns it reads, sorted by name: what to ask the service for.
    ///
    /// A row that has none of the columns asked for counts as absent in GetRow and GetRange. Where
    /// every field may be missing, ask for all columns instead.
    const COLUMNS: &'static [&'static str];

    /// Reads a row: a [`RowRef`], or a reference to a [`Row`] or a [`SharedRow`].
    ///
    /// # Errors
    /// When a column is missing, has another type, or a value that doesn't fit; the error names the
    /// column and the types, never the value.
    fn from_row<R: Columns<'row>>(row: R) -> Result<Self, Error>;
}

/// A type that can be written as a row; derive it with `#[derive(IntoRow)]`.
///
/// The row is what PutRow and BatchWriteRow take: `PutRow::new("orders", order.into_row()?)`, or
/// `RowChange::Put(order.into_row()?)`. Versions of cells are left to the service. A put replaces the
/// whole row: columns that the type doesn't have are gone, and so are those that are `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be written as a row",
    note = "derive it: `#[derive(IntoRow)]`"
)]
pub trait IntoRow {
    /// The row, its columns in the order of the fields.
    ///
    /// # Errors
    /// When a value has no form in a column: an integer beyond `i64`, or a JSON field that can't be
    /// written as JSON.
    fn into_row(self) -> Result<Row, Error>;
}

impl Row {
    /// The row as a type of yours.
    ///
    #[cfg_attr(feature = "derive", doc = "```")]
    #[cfg_attr(not(feature = "derive"), doc = "```ignore")]
    /// use ots_proto::{FromRow, PrimaryKey, Row};
    ///
    /// #[derive(FromRow)]
    /// struct City<'row> {
    ///     #[ots(primary_key)]
    ///     name: &'row str,
    ///     people: u32,
    /// }
    ///
    /// let row = Row::new(PrimaryKey::new().column("name", "杭州")).cell("people", 12_620_000);
    /// let city: City<'_> = row.parse()?;
    /// assert_eq!((city.name, city.people), ("杭州", 12_620_000));
    /// # Ok::<(), ots_proto::typed::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`FromRow::from_row`].
    pub fn parse<'row, T: FromRow<'row>>(&'row self) -> Result<T, Error> {
        T::from_row(self)
    }
}

impl SharedRow {
    /// The row as a type of yours, without a [`Row`] in between. What the type borrows lies in the
    /// page, which this handle keeps; a type that owns its fields keeps nothing.
    ///
    #[cfg_attr(feature = "derive", doc = "```")]
    #[cfg_attr(not(feature = "derive"), doc = "```ignore")]
    /// use ots_proto::plainbuffer::{Accept, SharedRows, Writer};
    /// use ots_proto::{FromRow, PrimaryKey, Row};
    ///
    /// #[derive(FromRow)]
    /// struct City<'row> {
    ///     #[ots(primary_key)]
    ///     name: &'row str,
    ///     people: u32,
    /// }
    ///
    /// let mut writer = Writer::new();
    /// writer.row(&Row::new(PrimaryKey::new().column("name", "杭州")).cell("people", 12_620_000));
    /// let rows = SharedRows::read(writer.finish(), Accept::Rows)?;
    /// for row in rows.iter() {
    ///     let city: City<'_> = row.parse()?;
    ///     assert_eq!((city.name, city.people), ("杭州", 12_620_000));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`FromRow::from_row`].
    pub fn parse<'row, T: FromRow<'row>>(&'row self) -> Result<T, Error> {
        T::from_row(self)
    }
}

impl<'buf> RowRef<'_, 'buf> {
    /// The row as a type of yours, without a [`Row`] in between. What the type borrows lies in the
    /// buffer, and outlives this row.
    ///
    /// # Errors
    /// As [`FromRow::from_row`].
    pub fn parse<T: FromRow<'buf>>(&self) -> Result<T, Error> {
        T::from_row(*self)
    }
}
