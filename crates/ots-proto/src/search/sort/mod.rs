//! The order of what a search finds.

mod field;
mod geo_distance;
mod nested_filter;

pub use field::{FieldSort, MissingValue};
pub use geo_distance::GeoDistanceSort;
pub use nested_filter::NestedFilter;

use super::error::SearchError;
use super::wire::{known, only_one};
use crate::bounded;
use crate::messages::{self, SortOrder};

/// The order of what a search finds: by the first sorter, where that leaves rows alike by the second,
/// and so on.
///
/// ```
/// use ots_proto::search::{FieldSort, Sort, SortOrder, Sorter};
///
/// let sort = Sort::by(FieldSort::desc("price")).then(Sorter::primary_key(SortOrder::Asc));
/// assert_eq!(Sort::from_message(&sort.to_message())?, sort);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
///
/// A message whose orders, modes or distance types have numbers that this version doesn't know is
/// refused: a page in a guessed order would be wrong in silence.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Sort {
    /// What decides, the first first.
    pub sorters: Vec<Sorter>,
    /// Whether rows that all sorters leave alike stay in any order, instead of that of their keys.
    /// Paging by token then may skip rows.
    pub disable_default_pk_sorter: Option<bool>,
}

/// One thing to sort by.
///
/// Where the order is absent, the service has its own: descending for scores, ascending for all else.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub enum Sorter {
    /// The value of a field.
    Field(FieldSort),
    /// The distance of a field from points.
    GeoDistance(GeoDistanceSort),
    /// The score.
    Score(Option<SortOrder>),
    /// The primary key.
    PrimaryKey(Option<SortOrder>),
    /// The place in the nested column. Only for inner hits.
    Doc(Option<SortOrder>),
}

impl Sort {
    /// By this.
    pub fn by(sorter: impl Into<Sorter>) -> Self {
        Self::default().then(sorter)
    }

    /// Where rows are alike so far, by this.
    pub fn then(mut self, sorter: impl Into<Sorter>) -> Self {
        self.sorters.push(sorter.into());
        self
    }

    /// Leaves rows that are alike in any order. Paging by token then may skip rows.
    pub const fn disable_default_pk_sorter(mut self) -> Self {
        self.disable_default_pk_sorter = Some(true);
        self
    }

    /// The message that says the same.
    #[must_use]
    pub fn to_message(&self) -> messages::Sort {
        messages::Sort {
            sorter: self.sorters.iter().map(Sorter::to_message).collect(),
            disable_default_pk_sorter: self.disable_default_pk_sorter,
        }
    }

    /// The order that a message says.
    ///
    /// # Errors
    /// When a sorter is of no kind or of two, incomplete, or has an order, a mode or a distance type
    /// that isn't known; when a nested filter holds no query, or one nested too deeply.
    pub fn from_message(message: &messages::Sort) -> Result<Self, SearchError> {
        Self::from_message_at(message, 0)
    }

    /// As [`from_message`](Self::from_message), inside a query of that depth.
    pub(super) fn from_message_at(
        message: &messages::Sort,
        depth: usize,
    ) -> Result<Self, SearchError> {
        let sorters = message.sorter.iter();
        let sorters = sorters.map(|sorter| Sorter::from_message_at(sorter, depth));
        Ok(Self {
            sorters: bounded::collect(sorters).map_err(|error| error.within("sort"))?,
            disable_default_pk_sorter: message.disable_default_pk_sorter,
        })
    }
}

impl Sorter {
    /// By score. Without it, scores don't matter.
    pub const fn score(order: SortOrder) -> Self {
        Self::Score(Some(order))
    }

    /// By primary key.
    pub const fn primary_key(order: SortOrder) -> Self {
        Self::PrimaryKey(Some(order))
    }

    /// By the place in the nested column.
    pub const fn doc(order: SortOrder) -> Self {
        Self::Doc(Some(order))
    }

    fn to_message(&self) -> messages::Sorter {
        let order = |order: &Option<SortOrder>| order.map(Into::into);
        let mut message = messages::Sorter::default();
        match self {
            Self::Field(sort) => message.field_sort = Some(Box::new(sort.to_message())),
            Self::GeoDistance(sort) => {
                message.geo_distance_sort = Some(Box::new(sort.to_message()));
            }
            Self::Score(by) => {
                message.score_sort = Some(messages::ScoreSort { order: order(by) });
            }
            Self::PrimaryKey(by) => {
                message.pk_sort = Some(messages::PrimaryKeySort { order: order(by) });
            }
            Self::Doc(by) => message.doc_sort = Some(messages::DocSort { order: order(by) }),
        }
        message
    }

    fn from_message_at(message: &messages::Sorter, depth: usize) -> Result<Self, SearchError> {
        let field = message.field_sort.as_ref();
        let distance = message.geo_distance_sort.as_ref();
        let order = |number| known("order", number);
        only_one(
            "kind of sorter",
            [
                field.map(|sort| FieldSort::from_message_at(sort, depth).map(Self::Field)),
                distance.map(|sort| {
                    GeoDistanceSort::from_message_at(sort, depth).map(Self::GeoDistance)
                }),
                (message.score_sort.as_ref()).map(|sort| order(sort.order).map(Self::Score)),
                (message.pk_sort.as_ref()).map(|sort| order(sort.order).map(Self::PrimaryKey)),
                (message.doc_sort.as_ref()).map(|sort| order(sort.order).map(Self::Doc)),
            ],
        )
    }
}

impl From<FieldSort> for Sorter {
    fn from(sort: FieldSort) -> Self {
        Self::Field(sort)
    }
}

impl From<GeoDistanceSort> for Sorter {
    fn from(sort: GeoDistanceSort) -> Self {
        Self::GeoDistance(sort)
    }
}

impl<T: Into<Sorter>> From<T> for Sort {
    fn from(sorter: T) -> Self {
        Self::by(sorter)
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::Query;
    use super::*;
    use crate::messages::{GeoDistanceType, SortMode};
    use crate::plainbuffer::VariantRef;

    fn read(sorter: messages::Sorter) -> Result<Sort, SearchError> {
        Sort::from_message(&messages::Sort {
            sorter: vec![sorter],
            disable_default_pk_sorter: None,
        })
    }

    #[test]
    fn every_option_survives_the_message() {
        let filter = || NestedFilter::new("n", Query::term("n.k", "a"));
        let sort = Sort::by(
            FieldSort::desc("a")
                .mode(SortMode::Avg)
                .nested_filter(filter())
                .missing_value(MissingValue::First)
                .missing_field("b"),
        )
        .then(FieldSort::new("c").missing_value(7))
        .then(FieldSort::asc("d").missing_value(MissingValue::Last))
        .then(
            GeoDistanceSort::new("g", ["1,2", "3,4"].map(|point| point.parse().unwrap()))
                .order(SortOrder::Desc)
                .mode(SortMode::Max)
                .distance_type(GeoDistanceType::Plane)
                .nested_filter(filter()),
        )
        .then(Sorter::Score(None))
        .then(Sorter::primary_key(SortOrder::Asc))
        .then(Sorter::doc(SortOrder::Desc))
        .disable_default_pk_sorter();
        assert_eq!(Sort::from_message(&sort.to_message()).unwrap(), sort);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let field = |field_sort| {
            read(messages::Sorter {
                field_sort: Some(Box::new(field_sort)),
                ..messages::Sorter::default()
            })
        };
        let named = messages::FieldSort {
            field_name: Some("a".to_owned()),
            ..messages::FieldSort::default()
        };
        let with_variant = |variant: VariantRef<'_>| messages::FieldSort {
            missing_value: Some(variant.encode()),
            ..named.clone()
        };
        let cases = [
            (
                read(messages::Sorter::default()),
                "sort: expected exactly one kind of sorter, found 0",
            ),
            (
                read(messages::Sorter {
                    score_sort: Some(messages::ScoreSort { order: None }),
                    doc_sort: Some(messages::DocSort { order: None }),
                    ..messages::Sorter::default()
                }),
                "sort: expected exactly one kind of sorter, found 2",
            ),
            (
                field(messages::FieldSort::default()),
                "sort > field sort: field_name is missing",
            ),
            (
                field(messages::FieldSort {
                    order: Some(2),
                    ..named.clone()
                }),
                "sort > field sort: order is 2, which this version doesn't know",
            ),
            (
                field(with_variant(VariantRef::Null)),
                "sort > field sort: missing_value can't be of type NULL",
            ),
            (
                field(messages::FieldSort {
                    nested_filter: Some(messages::NestedFilter {
                        path: Some("n".to_owned()),
                        filter: None,
                    }),
                    ..named.clone()
                }),
                "sort > field sort > nested filter: filter is missing",
            ),
        ];
        for (result, expected) in cases {
            assert_eq!(result.unwrap_err().to_string(), expected);
        }
    }
}
