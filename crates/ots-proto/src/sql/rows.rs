//! An SQL answer row by row, and rows as values of a type.

use std::fmt;

use super::reader::{SqlColumn, SqlRows};
use super::value::SqlValueRef;
use crate::primary_key::PrimaryKeyValueRef;
use crate::typed::{self, Columns, FromRow};
use crate::value::ColumnValueRef;

/// A row of an SQL answer: its values in all columns. A handle, cheap to copy.
///
/// As a row to be read as a type ([`Columns`]) it has no cell where a value is NULL. An answer doesn't
/// say which columns were keys of a table, so any may be read as a key column, too. Of columns of one
/// name the first counts. A DATETIME is an integer of microseconds, a DATE one of seconds, both since
/// 1970, and a TIME one of nanoseconds.
#[derive(Clone, Copy)]
pub struct SqlRow<'rows, 'buf> {
    columns: &'rows [SqlColumn<'buf>],
    row: usize,
}

impl<'buf> SqlRows<'buf> {
    /// The rows, from the first to the last.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = SqlRow<'_, 'buf>> {
        (0..self.row_count()).map(|row| SqlRow {
            columns: self.columns(),
            row,
        })
    }

    /// The rows as values of a type of yours, with their numbers in errors. What they borrow lies in the
    /// answer.
    ///
    #[cfg_attr(feature = "derive", doc = "```")]
    #[cfg_attr(not(feature = "derive"), doc = "```ignore")]
    /// use ots_proto::FromRow;
    /// use ots_proto::sql::{SqlRows, SqlType, SqlValueRef, SqlWriter};
    ///
    /// #[derive(FromRow)]
    /// struct City<'buf> {
    ///     name: &'buf str,
    ///     people: Option<u32>,
    /// }
    ///
    /// let names = ["杭州", "苏州", "宁波"].map(|name| Some(SqlValueRef::String(name)));
    /// let people = [Some(12_620_000), None, Some(-1)].map(|people| people.map(SqlValueRef::Integer));
    /// let mut writer = SqlWriter::new();
    /// writer.column("name", SqlType::String, names)?;
    /// writer.column("people", SqlType::Integer, people)?;
    /// let answer = writer.finish()?;
    ///
    /// let rows = SqlRows::parse(&answer)?;
    /// let mut cities = rows.typed::<City<'_>>();
    /// let city = cities.next().unwrap()?;
    /// assert_eq!((city.name, city.people), ("杭州", Some(12_620_000)));
    /// assert_eq!(cities.next().unwrap()?.people, None);
    /// let error = cities.next().unwrap().err().unwrap();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "row 2, column \"people\": the value is out of range for u32"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn typed<T: FromRow<'buf>>(&self) -> impl Iterator<Item = Result<T, typed::Error>> {
        let rows = self.rows().enumerate();
        rows.map(|(number, row)| T::from_row(row).map_err(|error| error.in_row(number)))
    }
}

impl<'rows, 'buf> SqlRow<'rows, 'buf> {
    /// Names and values, in the order of the statement; none where it is NULL.
    pub fn values(
        &self,
    ) -> impl ExactSizeIterator<Item = (&'buf str, Option<SqlValueRef<'buf>>)> + use<'rows, 'buf>
    {
        let row = self.row;
        let columns = self.columns.iter();
        columns.map(move |column| (column.name(), column.value(row)))
    }

    /// The value in the first column of this name; none where it is NULL, or there is no such column.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<SqlValueRef<'buf>> {
        let column = self.columns.iter().find(|column| column.name() == name);
        column?.value(self.row)
    }
}

impl<'buf> Columns<'buf> for SqlRow<'_, 'buf> {
    fn key(&self) -> impl Iterator<Item = (&'buf str, PrimaryKeyValueRef<'buf>)> {
        // From the last to the first: who reads a key takes the last one of a name.
        self.cells_in(self.columns.iter().rev())
            .filter_map(|(name, value)| {
                let value = match value {
                    ColumnValueRef::Integer(integer) => PrimaryKeyValueRef::Integer(integer),
                    ColumnValueRef::String(text) => PrimaryKeyValueRef::String(text),
                    ColumnValueRef::Binary(bytes) => PrimaryKeyValueRef::Binary(bytes),
                    ColumnValueRef::Double(_) | ColumnValueRef::Boolean(_) => return None,
                };
                Some((name, value))
            })
    }

    fn cells(&self) -> impl Iterator<Item = (&'buf str, ColumnValueRef<'buf>)> {
        self.cells_in(self.columns.iter())
    }
}

impl<'rows, 'buf: 'rows> SqlRow<'rows, 'buf> {
    fn cells_in(
        self,
        columns: impl Iterator<Item = &'rows SqlColumn<'buf>>,
    ) -> impl Iterator<Item = (&'buf str, ColumnValueRef<'buf>)> {
        columns.filter_map(move |column| {
            let value = match column.value(self.row)? {
                SqlValueRef::Integer(integer)
                | SqlValueRef::DateTime { micros: integer }
                | SqlValueRef::Date { seconds: integer }
                | SqlValueRef::Time { nanos: integer } => ColumnValueRef::Integer(integer),
                SqlValueRef::Boolean(boolean) => ColumnValueRef::Boolean(boolean),
                SqlValueRef::Double(double) => ColumnValueRef::Double(double),
                SqlValueRef::String(text) => ColumnValueRef::String(text),
                SqlValueRef::Binary(bytes) => ColumnValueRef::Binary(bytes),
            };
            Some((column.name(), value))
        })
    }
}

impl fmt::Debug for SqlRow<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the values, as with other rows' handles of a page.
        f.debug_struct("SqlRow")
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{SqlType, SqlWriter};

    #[test]
    fn a_row_has_what_is_not_null_and_of_one_name_the_first() {
        let mut writer = SqlWriter::new();
        let micros = Some(SqlValueRef::DateTime { micros: 7 });
        for (name, sql_type, value) in [
            ("n", SqlType::Integer, Some(SqlValueRef::Integer(1))),
            ("at", SqlType::DateTime, micros),
            ("n", SqlType::Integer, Some(SqlValueRef::Integer(2))),
            ("d", SqlType::Double, Some(SqlValueRef::Double(0.5))),
            ("gone", SqlType::String, None),
        ] {
            writer.column(name, sql_type, [value]).unwrap();
        }
        let answer = writer.finish().unwrap();
        let rows = SqlRows::parse(&answer).unwrap();
        assert_eq!(rows.rows().len(), 1);
        let row = rows.rows().next().unwrap();
        assert_eq!(row.get("n"), Some(SqlValueRef::Integer(1)));
        assert_eq!((row.get("gone"), row.get("other")), (None, None));
        assert_eq!(row.values().len(), 5);
        let cells: Vec<_> = row.cells().collect();
        let expected = [
            ("n", ColumnValueRef::Integer(1)),
            ("at", ColumnValueRef::Integer(7)),
            ("n", ColumnValueRef::Integer(2)),
            ("d", ColumnValueRef::Double(0.5)),
        ];
        assert_eq!(cells, expected);
        let last = row.key().last().unwrap();
        assert_eq!(last, ("n", PrimaryKeyValueRef::Integer(1)));
    }
}
