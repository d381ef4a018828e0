//! A condition on one column.

use super::Filter;
use crate::value::ColumnValue;

/// A condition on one column: one leaf of a [`Filter`].
///
/// A value of another type than the one compared with never passes, not even `ne`: nothing is
/// converted. A row without the column does pass, as with the official SDKs, unless
/// [`only_if_present`](Self::only_if_present) says otherwise.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct ColumnFilter {
    /// The column's name.
    pub column: String,
    /// What is taken out of the column's text before it is compared.
    pub transfer: Option<ValueTransfer>,
    /// What must hold.
    pub test: Test,
    /// Whether a row without the column passes.
    pub pass_if_missing: bool,
    /// Whether the newest version alone is looked at; otherwise any version may pass.
    pub latest_version_only: bool,
}

/// What must hold of a column.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Test {
    /// Its value stands in this relation to another.
    Compare(Comparator, ColumnValue),
    /// The row has it.
    Exists,
    /// The row doesn't have it.
    NotExists,
}

/// How two values of one type are compared: numbers by size, text and binaries bytewise, false
/// before true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Comparator {
    /// The same.
    Equal,
    /// Not the same.
    NotEqual,
    /// Greater.
    GreaterThan,
    /// Greater or the same.
    GreaterEqual,
    /// Less.
    LessThan,
    /// Less or the same.
    LessEqual,
}

/// What is taken out of a text before it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ValueTransfer {
    /// A Perl regular expression of at most 256 bytes. Its first group is taken, or the whole match
    /// if it has none; without a match the column counts as missing.
    pub regex: String,
    /// What the text taken is converted to.
    pub cast: CastType,
}

/// What the text that an expression took is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three types the service casts to"
)]
pub enum CastType {
    /// A 64-bit signed integer.
    Integer,
    /// A 64-bit float.
    Double,
    /// Nothing: it stays text.
    String,
}

/// A column to be compared: the beginning of a [`ColumnFilter`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Operand {
    column: String,
    transfer: Option<ValueTransfer>,
}

impl Operand {
    pub(super) const fn new(column: String) -> Self {
        Self {
            column,
            transfer: None,
        }
    }

    /// Compares not the column's text but what `regex` takes out of it, converted to `cast`. A row
    /// whose text it doesn't match, or that lacks the column, doesn't pass.
    ///
    /// ```
    /// use ots_proto::filter::{CastType, Filter};
    ///
    /// // Among texts such as `t:37,h:80`.
    /// let fever = Filter::column("reading")
    ///     .transfer("t:([0-9]+)", CastType::Integer)
    ///     .gt(37);
    /// ```
    pub fn transfer(mut self, regex: impl Into<String>, cast: CastType) -> Self {
        let regex = regex.into();
        self.transfer = Some(ValueTransfer { regex, cast });
        self
    }

    /// The column equals `value`.
    pub fn eq(self, value: impl Into<ColumnValue>) -> ColumnFilter {
        self.compare(Comparator::Equal, value)
    }

    /// The column has a value other than `value`, of the same type.
    pub fn ne(self, value: impl Into<ColumnValue>) -> ColumnFilter {
        self.compare(Comparator::NotEqual, value)
    }

    /// The column is greater than `value`.
    pub fn gt(self, value: impl Into<ColumnValue>) -> ColumnFilter {
        self.compare(Comparator::GreaterThan, value)
    }

    /// The column is greater than or equal to `value`.
    #[doc(alias = "gte")]
    pub fn ge(self, value: impl Into<ColumnValue>) -> ColumnFilter {
        self.compare(Comparator::GreaterEqual, value)
    }

    /// The column is less than `value`.
    pub fn lt(self, value: impl Into<ColumnValue>) -> ColumnFilter {
        self.compare(Comparator::LessThan, value)
    }

    /// The column is less than or equal to `value`.
    #[doc(alias = "lte")]
    pub fn le(self, value: impl Into<ColumnValue>) -> ColumnFilter {
        self.compare(Comparator::LessEqual, value)
    }

    /// The row has the column.
    pub fn exists(self) -> ColumnFilter {
        self.test(Test::Exists)
    }

    /// The row doesn't have the column.
    pub fn not_exists(self) -> ColumnFilter {
        self.test(Test::NotExists)
    }

    /// The column stands in this relation to `value`.
    pub fn compare(self, comparator: Comparator, value: impl Into<ColumnValue>) -> ColumnFilter {
        self.test(Test::Compare(comparator, value.into()))
    }

    fn test(self, test: Test) -> ColumnFilter {
        ColumnFilter {
            // As the official SDKs send it.
            pass_if_missing: self.transfer.is_none() && matches!(test, Test::Compare(..)),
            column: self.column,
            transfer: self.transfer,
            test,
            latest_version_only: true,
        }
    }
}

impl ColumnFilter {
    /// A row without the column doesn't pass, as in SQL. `pass_if_missing = false` in the official SDKs.
    ///
    /// ```
    /// use ots_proto::filter::{Condition, Filter};
    ///
    /// // Not if there is no balance, and not if there is no such row.
    /// let enough = Condition::ignore().columns(Filter::column("balance").ge(100).only_if_present());
    /// ```
    #[doc(alias = "filter_if_missing")]
    pub const fn only_if_present(mut self) -> Self {
        self.pass_if_missing = false;
        self
    }

    /// A row without the column passes too. That is so by default, except after a
    /// [`transfer`](Operand::transfer).
    pub const fn pass_if_missing(mut self) -> Self {
        self.pass_if_missing = true;
        self
    }

    /// One version that passes is enough, not only the newest.
    pub const fn any_version(mut self) -> Self {
        self.latest_version_only = false;
        self
    }

    /// Rows that pass this condition and the other.
    #[must_use]
    pub fn and(self, other: impl Into<Filter>) -> Filter {
        Filter::from(self).and(other)
    }

    /// Rows that pass this condition or the other.
    #[must_use]
    pub fn or(self, other: impl Into<Filter>) -> Filter {
        Filter::from(self).or(other)
    }

    /// Rows that don't pass this condition.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "`!filter` reads worse than `filter.not()`"
    )]
    pub fn not(self) -> Filter {
        Filter::from(self).not()
    }
}

impl CastType {
    /// Its name, as the service spells it.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Double => "DOUBLE",
            Self::String => "STRING",
        }
    }
}
