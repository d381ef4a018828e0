//! When a write may happen.

use super::Filter;
use super::error::{FilterError, FilterErrorKind};
use super::wire::{self, CONDITION};
use crate::messages::{self, RowExistenceExpectation};

/// When a write may happen: whether the row must be there, and what must hold of its columns.
///
/// ```
/// use ots_proto::filter::{Condition, Filter};
///
/// let unchanged = Filter::column("revision").eq(7).only_if_present();
/// let unchanged = Condition::expect_exist().columns(unchanged);
/// let message = unchanged.to_message()?;
/// assert_eq!(Condition::from_message(&message)?, unchanged);
/// # Ok::<(), ots_proto::filter::FilterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Condition {
    existence: RowExistence,
    columns: Option<Filter>,
}

/// Whether the row must be there before it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum RowExistence {
    /// It may or may not.
    #[default]
    Ignore,
    /// It must.
    Expect,
    /// It must not.
    ExpectNot,
}

impl Condition {
    /// Whether the row must be there.
    pub const fn row(existence: RowExistence) -> Self {
        Self {
            existence,
            columns: None,
        }
    }

    /// In any case. The same as the default.
    pub const fn ignore() -> Self {
        Self::row(RowExistence::Ignore)
    }

    /// Only if the row is there.
    pub const fn expect_exist() -> Self {
        Self::row(RowExistence::Expect)
    }

    /// Only if the row isn't there.
    pub const fn expect_not_exist() -> Self {
        Self::row(RowExistence::ExpectNot)
    }

    /// Also, the row as it is must pass a filter. A row that isn't there has no columns: each counts
    /// as missing, and so passes a comparison that isn't
    /// [`only_if_present`](super::ColumnFilter::only_if_present).
    pub fn columns(mut self, filter: impl Into<Filter>) -> Self {
        self.columns = Some(filter.into());
        self
    }

    /// Whether the row must be there.
    #[must_use]
    pub const fn existence(&self) -> RowExistence {
        self.existence
    }

    /// What must hold of its columns.
    #[must_use]
    pub const fn column_condition(&self) -> Option<&Filter> {
        self.columns.as_ref()
    }

    /// The message that says it.
    ///
    /// # Errors
    /// As [`Filter::encode`].
    pub fn to_message(&self) -> Result<messages::Condition, FilterError> {
        let row_existence = match self.existence {
            RowExistence::Ignore => RowExistenceExpectation::Ignore,
            RowExistence::Expect => RowExistenceExpectation::ExpectExist,
            RowExistence::ExpectNot => RowExistenceExpectation::ExpectNotExist,
        };
        Ok(messages::Condition {
            row_existence: row_existence.into(),
            column_condition: self
                .columns
                .as_ref()
                .map(|filter| wire::encode(CONDITION, filter))
                .transpose()?,
        })
    }

    /// The condition that a message says.
    ///
    /// # Errors
    /// When it expects something of the row that this version doesn't know, or as
    /// [`Filter::decode`].
    pub fn from_message(message: &messages::Condition) -> Result<Self, FilterError> {
        let existence = match RowExistenceExpectation::try_from(message.row_existence) {
            Ok(RowExistenceExpectation::Ignore) => RowExistence::Ignore,
            Ok(RowExistenceExpectation::ExpectExist) => RowExistence::Expect,
            Ok(RowExistenceExpectation::ExpectNotExist) => RowExistence::ExpectNot,
            Err(_) => {
                let field = "row_existence";
                let number = message.row_existence;
                return Err(FilterErrorKind::Unknown { field, number }.into());
            }
        };
        let columns = message.column_condition.clone();
        Ok(Self {
            existence,
            columns: columns
                .map(|buffer| wire::decode(CONDITION, buffer))
                .transpose()?,
        })
    }
}
