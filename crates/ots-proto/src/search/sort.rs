//! The order of what a search finds.

use bytes::Bytes;

use super::error::SearchError;
use super::geo::GeoPoint;
use super::query::{self, Query};
use super::wire::{column_value, known, only_one, read_variant, required, variant};
use crate::messages::{self, GeoDistanceType, SortMode, SortOrder};
use crate::plainbuffer::VariantRef;
use crate::value::ColumnValue;

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

/// Sorts by the value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct FieldSort {
    /// The field.
    pub field: String,
    /// The direction; the service takes ascending when absent.
    pub order: Option<SortOrder>,
    /// Which of an array's values counts; the service takes the smallest when absent.
    pub mode: Option<SortMode>,
    /// Which of the inner rows count, when the field lies in a nested one.
    pub nested_filter: Option<NestedFilter>,
    /// What stands for the value of a row that has none; such rows come last when absent.
    pub missing_value: Option<MissingValue>,
    /// The field whose value counts for a row that has none in this one.
    pub missing_field: Option<String>,
}

/// Where a row without the field comes in the order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MissingValue {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// Where a row with this value comes.
    Value(ColumnValue),
}

/// Sorts by the distance of a GEO_POINT field from one or more points.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GeoDistanceSort {
    /// The field.
    pub field: String,
    /// The points.
    pub points: Vec<GeoPoint>,
    /// The direction; the service takes nearest first when absent.
    pub order: Option<SortOrder>,
    /// Which of several distances counts.
    pub mode: Option<SortMode>,
    /// How to measure: exactly, or faster.
    pub distance_type: Option<GeoDistanceType>,
    /// Which of the inner rows count, when the field lies in a nested one.
    pub nested_filter: Option<NestedFilter>,
}

/// Which of the inner rows of a NESTED field count.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NestedFilter {
    /// The NESTED field.
    pub path: String,
    /// What an inner row must match.
    pub filter: Query,
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
            sorters: sorters
                .collect::<Result<_, _>>()
                .map_err(|error| error.within("sort"))?,
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
            Self::Field(sort) => message.field_sort = Some(sort.to_message()),
            Self::GeoDistance(sort) => message.geo_distance_sort = Some(sort.to_message()),
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

impl FieldSort {
    /// By `field`, in the service's own order: smallest first.
    pub fn new(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            order: None,
            mode: None,
            nested_filter: None,
            missing_value: None,
            missing_field: None,
        }
    }

    /// By `field`, smallest first.
    pub fn asc(field: impl Into<String>) -> Self {
        Self::new(field).order(SortOrder::Asc)
    }

    /// By `field`, largest first.
    pub fn desc(field: impl Into<String>) -> Self {
        Self::new(field).order(SortOrder::Desc)
    }

    /// In this direction.
    pub const fn order(mut self, order: SortOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// Of an array, this value counts.
    pub const fn mode(mut self, mode: SortMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Only these inner rows count.
    pub fn nested_filter(mut self, filter: NestedFilter) -> Self {
        self.nested_filter = Some(filter);
        self
    }

    /// Where rows without the field come.
    pub fn missing_value(mut self, value: impl Into<MissingValue>) -> Self {
        self.missing_value = Some(value.into());
        self
    }

    /// The field that counts for a row without this one.
    pub fn missing_field(mut self, field: impl Into<String>) -> Self {
        self.missing_field = Some(field.into());
        self
    }

    fn to_message(&self) -> messages::FieldSort {
        messages::FieldSort {
            field_name: Some(self.field.clone()),
            order: self.order.map(Into::into),
            mode: self.mode.map(Into::into),
            nested_filter: self.nested_filter.as_ref().map(NestedFilter::to_message),
            missing_value: self.missing_value.as_ref().map(MissingValue::to_variant),
            missing_field: self.missing_field.clone(),
        }
    }

    fn from_message_at(message: &messages::FieldSort, depth: usize) -> Result<Self, SearchError> {
        let read = || {
            let missing_value = message.missing_value.as_deref();
            Ok(Self {
                field: required("field_name", message.field_name.clone())?,
                order: known("order", message.order)?,
                mode: known("mode", message.mode)?,
                nested_filter: NestedFilter::optional(message.nested_filter.as_ref(), depth)?,
                missing_value: missing_value.map(MissingValue::from_variant).transpose()?,
                missing_field: message.missing_field.clone(),
            })
        };
        read().map_err(|error: SearchError| error.within("field sort"))
    }
}

impl MissingValue {
    fn to_variant(&self) -> Bytes {
        match self {
            Self::First => VariantRef::InfMin.encode(),
            Self::Last => VariantRef::InfMax.encode(),
            Self::Value(value) => variant(value),
        }
    }

    fn from_variant(bytes: &[u8]) -> Result<Self, SearchError> {
        Ok(match read_variant(bytes)? {
            VariantRef::InfMin => Self::First,
            VariantRef::InfMax => Self::Last,
            other => Self::Value(column_value("missing_value", other)?),
        })
    }
}

impl<T: Into<ColumnValue>> From<T> for MissingValue {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

impl GeoDistanceSort {
    /// By the distance of `field` from the nearest of `points`.
    pub fn new(field: impl Into<String>, points: impl IntoIterator<Item = GeoPoint>) -> Self {
        Self {
            field: field.into(),
            points: points.into_iter().collect(),
            order: None,
            mode: None,
            distance_type: None,
            nested_filter: None,
        }
    }

    /// In this direction.
    pub const fn order(mut self, order: SortOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// Of several distances, this one counts.
    pub const fn mode(mut self, mode: SortMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Measured this way.
    pub const fn distance_type(mut self, distance_type: GeoDistanceType) -> Self {
        self.distance_type = Some(distance_type);
        self
    }

    /// Only these inner rows count.
    pub fn nested_filter(mut self, filter: NestedFilter) -> Self {
        self.nested_filter = Some(filter);
        self
    }

    fn to_message(&self) -> messages::GeoDistanceSort {
        messages::GeoDistanceSort {
            field_name: Some(self.field.clone()),
            points: self.points.iter().map(GeoPoint::to_string).collect(),
            order: self.order.map(Into::into),
            mode: self.mode.map(Into::into),
            distance_type: self.distance_type.map(Into::into),
            nested_filter: self.nested_filter.as_ref().map(NestedFilter::to_message),
        }
    }

    fn from_message_at(
        message: &messages::GeoDistanceSort,
        depth: usize,
    ) -> Result<Self, SearchError> {
        let read = || {
            let points = message.points.iter().map(|text| text.parse());
            Ok(Self {
                field: required("field_name", message.field_name.clone())?,
                points: points.collect::<Result<_, _>>()?,
                order: known("order", message.order)?,
                mode: known("mode", message.mode)?,
                distance_type: known("distance_type", message.distance_type)?,
                nested_filter: NestedFilter::optional(message.nested_filter.as_ref(), depth)?,
            })
        };
        read().map_err(|error: SearchError| error.within("geo distance sort"))
    }
}

impl NestedFilter {
    /// The inner rows of `path` that match `filter`.
    #[must_use]
    pub fn new(path: impl Into<String>, filter: impl Into<Query>) -> Self {
        Self {
            path: path.into(),
            filter: filter.into(),
        }
    }

    fn to_message(&self) -> messages::NestedFilter {
        messages::NestedFilter {
            path: Some(self.path.clone()),
            filter: Some(self.filter.to_message()),
        }
    }

    fn optional(
        message: Option<&messages::NestedFilter>,
        depth: usize,
    ) -> Result<Option<Self>, SearchError> {
        let Some(message) = message else {
            return Ok(None);
        };
        let read = || {
            let filter = message.filter.as_ref();
            let filter = filter.ok_or_else(|| SearchError::missing("filter"))?;
            Ok(Self {
                path: required("path", message.path.clone())?,
                filter: query::decode(filter, depth)?,
            })
        };
        let read = read().map_err(|error: SearchError| error.within("nested filter"));
        read.map(Some)
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
    use super::*;

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
                field_sort: Some(field_sort),
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
