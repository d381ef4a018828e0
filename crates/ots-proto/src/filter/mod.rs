//! Column filters: which rows a read returns, which columns of them, and when a write may happen.
//!
//! A [`Filter`] is a condition on the columns of one row. Reads take one, and so does the
//! [`Condition`] of a write. A read may instead page through the columns of its rows: that is a
//! [`ColumnPagination`], and [`ReadFilter`] is either of the two. As they are different types, a
//! pagination inside a condition isn't an error of the service but one of the compiler:
//!
//! ```compile_fail
//! # use ots_proto::filter::{ColumnPagination, Filter};
//! Filter::column("age").ge(18).and(ColumnPagination::new(0, 10));
//! ```
//!
//! A row that lacks the column passes a comparison, as with the official SDKs, unless
//! [`only_if_present`](ColumnFilter::only_if_present) says otherwise: see [`Filter::column`].
//!
//! What a value can say but the service can't take (an expression that is too long, a comparison
//! that can never hold) is refused when it is encoded. What a message can say but a value can't (a
//! comparator, a field, a combination from another time) is refused when it is decoded: a condition
//! that is understood in part means something else.

mod column;
mod condition;
mod error;
mod fields;
mod read;
mod wire;

pub use column::{CastType, ColumnFilter, Comparator, Operand, Test, ValueTransfer};
pub use condition::{Condition, RowExistence};
pub use error::{FilterError, FilterErrorKind};
pub use read::{ColumnPagination, ColumnRange, ReadFilter};

use bytes::Bytes;

/// A condition on the columns of a row.
///
/// ```
/// use ots_proto::filter::Filter;
///
/// let adults_nearby = Filter::column("age")
///     .ge(18)
///     .only_if_present()
///     .and(Filter::column("city").eq("Hangzhou").or(Filter::column("city").eq("Ningbo")));
/// let bytes = adults_nearby.encode()?;
/// assert_eq!(Filter::decode(bytes)?, adults_nearby);
/// # Ok::<(), ots_proto::filter::FilterError>(())
/// ```
///
/// The service looks at the columns that the read returns: one that `columns_to_get` leaves out
/// counts as missing. Columns of the primary key can be named too. It takes at most 32 conditions
/// in one filter, combinations counted as well; its documentation promises 10
/// ([`check_limits`](Self::check_limits)).
///
/// Source: the service's documentation of filters, and the tests of official SDKs.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Column(ColumnFilter),
    Not(Box<Filter>),
    And(Vec<Filter>),
    Or(Vec<Filter>),
}

/// What a [`Filter`] is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FilterRef<'a> {
    /// A condition on one column.
    Column(&'a ColumnFilter),
    /// Holds when the other doesn't.
    Not(&'a Filter),
    /// Holds when each of these does, at least two.
    And(&'a [Filter]),
    /// Holds when one of these does, at least two.
    Or(&'a [Filter]),
}

impl Filter {
    /// How deeply filters may be nested. The service takes 32 conditions, so that one nested deeper
    /// can't be any it takes.
    pub const MAX_DEPTH: usize = 32;

    /// The beginning of a condition on one column.
    ///
    /// # Rows without the column
    /// **They pass a comparison**, whatever it is, `eq` included: so it is with every official SDK, and
    /// a filter carried over from there selects the same rows.
    /// [`only_if_present`](ColumnFilter::only_if_present) leaves them out, as SQL would. In the condition
    /// of a write think of it each time: without it a write happens when nothing is known of the
    /// column, also when there is no such row.
    ///
    /// They don't pass [`exists`](Operand::exists), nor a comparison after a
    /// [`transfer`](Operand::transfer), again as in the SDKs.
    ///
    /// ```
    /// use ots_proto::filter::Filter;
    ///
    /// // Also rows without a status.
    /// let all_but_deleted = Filter::column("status").ne("deleted");
    /// // Rows whose status is known, and another.
    /// let known = Filter::column("status").ne("deleted").only_if_present();
    /// assert_ne!(known, all_but_deleted);
    /// ```
    pub fn column(name: impl Into<String>) -> Operand {
        Operand::new(name.into())
    }

    /// Rows that pass this filter and the other.
    #[must_use]
    pub fn and(self, other: impl Into<Self>) -> Self {
        let mut all = match self.0 {
            Node::And(all) => all,
            first => vec![Self(first)],
        };
        all.push(other.into());
        Self(Node::And(all))
    }

    /// Rows that pass this filter or the other.
    #[must_use]
    pub fn or(self, other: impl Into<Self>) -> Self {
        let mut any = match self.0 {
            Node::Or(any) => any,
            first => vec![Self(first)],
        };
        any.push(other.into());
        Self(Node::Or(any))
    }

    /// Rows that don't pass this filter.
    ///
    /// A row without the column passes `age >= 18`, so it doesn't pass the opposite.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "`!filter` reads worse than `filter.not()`"
    )]
    pub fn not(self) -> Self {
        Self(Node::Not(Box::new(self)))
    }

    /// Rows that pass every one of `filters`; none if there are none, which means every row.
    #[must_use]
    pub fn all<F: Into<Self>>(filters: impl IntoIterator<Item = F>) -> Option<Self> {
        Self::join(filters, Node::And)
    }

    /// Rows that pass at least one of `filters`; none if there are none, which means no row at all.
    #[must_use]
    pub fn any<F: Into<Self>>(filters: impl IntoIterator<Item = F>) -> Option<Self> {
        Self::join(filters, Node::Or)
    }

    /// What it is made of.
    #[must_use]
    pub fn as_ref(&self) -> FilterRef<'_> {
        match &self.0 {
            Node::Column(filter) => FilterRef::Column(filter),
            Node::Not(filter) => FilterRef::Not(filter),
            Node::And(filters) => FilterRef::And(filters),
            Node::Or(filters) => FilterRef::Or(filters),
        }
    }

    /// The bytes of the `filter` field of a read, or of the column condition of a write.
    ///
    /// # Errors
    /// When a condition is one the service can't take or that can never hold, naming its column and
    /// its place; or when they are nested more than [`MAX_DEPTH`](Self::MAX_DEPTH) deep.
    pub fn encode(&self) -> Result<Bytes, FilterError> {
        wire::encode(wire::READ, self)
    }

    /// Whether the service takes so many conditions: 32, combinations counted as well, by what it does;
    /// its documentation promises 10. Sending doesn't ask.
    ///
    /// # Errors
    /// When there are more.
    pub fn check_limits(&self) -> Result<(), FilterError> {
        const MOST: usize = 32;
        let found = self.count();
        if found <= MOST {
            return Ok(());
        }
        let error = FilterError::new(FilterErrorKind::TooMany { found, most: MOST });
        Err(error.within(wire::READ))
    }

    /// How many conditions it is made of, combinations counted as well.
    fn count(&self) -> usize {
        1 + match &self.0 {
            Node::Column(_) => 0,
            Node::Not(filter) => filter.count(),
            Node::And(filters) | Node::Or(filters) => filters.iter().map(Self::count).sum(),
        }
    }

    /// The condition that the bytes of such a field say.
    ///
    /// # Errors
    /// When they are damaged or incomplete, hold a field, a comparator or a kind of filter that this
    /// version doesn't know, page through columns, or nest more than
    /// [`MAX_DEPTH`](Self::MAX_DEPTH) deep.
    pub fn decode(buffer: impl Into<Bytes>) -> Result<Self, FilterError> {
        wire::decode(wire::READ, buffer.into())
    }

    fn join<F: Into<Self>>(
        filters: impl IntoIterator<Item = F>,
        join: impl FnOnce(Vec<Self>) -> Node,
    ) -> Option<Self> {
        let mut filters: Vec<Self> = filters.into_iter().map(Into::into).collect();
        if filters.len() < 2 {
            filters.pop()
        } else {
            Some(Self(join(filters)))
        }
    }
}

impl From<ColumnFilter> for Filter {
    fn from(filter: ColumnFilter) -> Self {
        Self(Node::Column(filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves() -> [Filter; 3] {
        ["a", "b", "c"].map(|name| Filter::column(name).exists().into())
    }

    #[test]
    fn and_joins_one_conjunction_instead_of_nesting() {
        let [a, b, c] = leaves();
        let all = a.clone().and(b.clone()).and(c.clone());
        assert_eq!(all.as_ref(), FilterRef::And(&[a, b, c]));
    }

    #[test]
    fn or_joins_one_disjunction_instead_of_nesting() {
        let [a, b, c] = leaves();
        let any = a.clone().or(b.clone()).or(c.clone());
        assert_eq!(any.as_ref(), FilterRef::Or(&[a, b, c]));
    }

    #[test]
    fn mixed_operators_keep_their_grouping() {
        let [a, b, c] = leaves();
        let either = a.clone().or(b.clone());
        let mixed = either.clone().and(c.clone());
        assert_eq!(mixed.as_ref(), FilterRef::And(&[either, c.clone()]));
        let both = a.and(b);
        let mixed = both.clone().or(c.clone());
        assert_eq!(mixed.as_ref(), FilterRef::Or(&[both, c]));
    }

    #[test]
    fn a_combination_of_one_is_that_one_and_of_none_is_none() {
        let [a, b, c] = leaves();
        assert_eq!(Filter::all([a.clone()]), Some(a.clone()));
        assert_eq!(Filter::any([b.clone()]), Some(b.clone()));
        assert_eq!(Filter::all::<Filter>([]), None);
        assert_eq!(Filter::any::<Filter>([]), None);
        let all = Filter::all([a.clone(), b.clone(), c.clone()]);
        assert_eq!(all, Some(a.clone().and(b.clone()).and(c.clone())));
        let any = Filter::any([a.clone(), b.clone(), c.clone()]);
        assert_eq!(any, Some(a.or(b).or(c)));
    }
}
