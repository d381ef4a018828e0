//! Types that stand for a primary key.

use super::columns::Columns;
use super::error::{Error, ErrorKind};
use crate::primary_key::PrimaryKey;

/// The key columns of a type, in the table's order; derived by `#[derive(PrimaryKey)]`.
pub trait KeyColumns {
    /// Their names.
    const KEY_COLUMNS: &'static [&'static str];

    /// The key before every row: each column `INF_MIN`. A bound; the type itself can't hold it.
    #[must_use]
    fn min_key() -> PrimaryKey {
        PrimaryKey::min(Self::KEY_COLUMNS.iter().copied())
    }

    /// The key after every row: each column `INF_MAX`.
    #[must_use]
    fn max_key() -> PrimaryKey {
        PrimaryKey::max(Self::KEY_COLUMNS.iter().copied())
    }
}

/// A type that can be turned into a primary key; derive it with `#[derive(PrimaryKey)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be turned into a primary key",
    note = "derive it: `#[derive(PrimaryKey)]`"
)]
pub trait IntoPrimaryKey: KeyColumns + Sized {
    /// Adds its columns to a key, in order.
    ///
    /// # Errors
    /// When an integer is beyond `i64`.
    fn push_onto(self, key: &mut PrimaryKey) -> Result<(), Error>;

    /// The key.
    ///
    /// # Errors
    /// When an integer is beyond `i64`.
    fn into_primary_key(self) -> Result<PrimaryKey, Error> {
        let mut key = PrimaryKey::new();
        self.push_onto(&mut key)?;
        Ok(key)
    }
}

/// A type that can be read from a primary key; derive it with `#[derive(PrimaryKey)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be read from a primary key",
    note = "derive it: `#[derive(PrimaryKey)]`"
)]
pub trait FromPrimaryKey<'row>: KeyColumns + Sized {
    /// Reads its columns from the key of a row, whatever other columns the key has.
    ///
    /// # Errors
    /// When a column is missing, has another type (`INF_MIN` and `INF_MAX` always have), or a value
    /// that doesn't fit.
    fn from_key_of<R: Columns<'row>>(row: R) -> Result<Self, Error>;

    /// Reads a whole key: a column that the type doesn't have is an error, because the type wouldn't
    /// stand for the same row.
    ///
    /// # Errors
    /// As [`from_key_of`](Self::from_key_of), and [`ErrorKind::UnknownKeyColumn`].
    fn from_primary_key(key: &'row PrimaryKey) -> Result<Self, Error> {
        let unknown = key
            .columns()
            .iter()
            .find(|column| !Self::KEY_COLUMNS.contains(&column.name.as_str()));
        match unknown {
            Some(column) => Err(Error::new(ErrorKind::UnknownKeyColumn, Some(&column.name))),
            None => Self::from_key_of(key),
        }
    }
}
