//! Groups whose bounds the caller gives: ranges of a number, of a distance, or queries.

use std::ops;

use super::super::error::SearchError;
use super::super::geo::GeoPoint;
use super::super::query::Query;
use super::super::wire::required;
use super::geo;
use crate::bounded;
use crate::messages;

/// Numbers from one, itself included, to another, itself left out.
///
/// ```
/// use ots_proto::search::GroupRange;
///
/// let cheap = GroupRange::from(..10.0);
/// assert_eq!((cheap.from, cheap.to), (None, Some(10.0)));
/// assert_eq!(GroupRange::from(..10), cheap);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "complete: two ends")]
pub struct GroupRange {
    /// The lower end; open when absent.
    pub from: Option<f64>,
    /// The upper end; open when absent.
    pub to: Option<f64>,
}

/// A group for each of several ranges of a number.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GroupByRange {
    /// The field: LONG or DOUBLE.
    pub field: String,
    /// The ranges; the service takes at most 100.
    pub ranges: Vec<GroupRange>,
}

/// A group for each of several ranges of the distance from a point.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GroupByGeoDistance {
    /// The field: GEO_POINT.
    pub field: String,
    /// The point.
    pub origin: GeoPoint,
    /// The ranges, in metres; the service takes at most 10.
    pub ranges: Vec<GroupRange>,
}

/// A group for each of several queries.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GroupByFilter {
    /// The queries; the service takes at most 10. A row may be in several groups.
    pub filters: Vec<Query>,
}

impl GroupByRange {
    pub(super) fn new(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            ranges: Vec::new(),
        }
    }

    /// With a group for this range: `..10.0`, `10.0..20.0` or `20.0..`.
    pub fn range(mut self, range: impl Into<GroupRange>) -> Self {
        self.ranges.push(range.into());
        self
    }

    pub(super) fn to_message(&self) -> messages::GroupByRange {
        messages::GroupByRange {
            field_name: Some(self.field.clone()),
            ranges: self
                .ranges
                .iter()
                .copied()
                .map(GroupRange::to_message)
                .collect(),
            sub_aggs: None,
            sub_group_bys: None,
        }
    }

    pub(super) fn from_message(message: &messages::GroupByRange) -> Result<Self, SearchError> {
        Ok(Self {
            field: required("field_name", message.field_name.clone())?,
            ranges: message
                .ranges
                .iter()
                .map(GroupRange::from_message)
                .collect(),
        })
    }
}

impl GroupByGeoDistance {
    pub(super) fn new(field: impl Into<String>, origin: GeoPoint) -> Self {
        Self {
            field: field.into(),
            origin,
            ranges: Vec::new(),
        }
    }

    /// With a group for this range of metres: `..1_000.0`, `1_000.0..5_000.0` or `5_000.0..`.
    pub fn range(mut self, metres: impl Into<GroupRange>) -> Self {
        self.ranges.push(metres.into());
        self
    }

    pub(super) fn to_message(&self) -> messages::GroupByGeoDistance {
        messages::GroupByGeoDistance {
            field_name: Some(self.field.clone()),
            origin: Some(geo::point_to_message(self.origin)),
            ranges: self
                .ranges
                .iter()
                .copied()
                .map(GroupRange::to_message)
                .collect(),
            sub_aggs: None,
            sub_group_bys: None,
        }
    }

    pub(super) fn from_message(
        message: &messages::GroupByGeoDistance,
    ) -> Result<Self, SearchError> {
        Ok(Self {
            field: required("field_name", message.field_name.clone())?,
            origin: geo::point_from_message(&required("origin", message.origin)?)?,
            ranges: message
                .ranges
                .iter()
                .map(GroupRange::from_message)
                .collect(),
        })
    }
}

impl GroupByFilter {
    pub(super) fn new<Q: Into<Query>>(filters: impl IntoIterator<Item = Q>) -> Self {
        Self {
            filters: filters.into_iter().map(Into::into).collect(),
        }
    }

    pub(super) fn to_message(&self) -> messages::GroupByFilter {
        messages::GroupByFilter {
            filters: self.filters.iter().map(Query::to_message).collect(),
            sub_aggs: None,
            sub_group_bys: None,
        }
    }

    pub(super) fn from_message(message: &messages::GroupByFilter) -> Result<Self, SearchError> {
        let filters = message.filters.iter().map(Query::from_message);
        Ok(Self {
            filters: bounded::collect(filters)?,
        })
    }
}

impl GroupRange {
    const fn to_message(self) -> messages::Range {
        messages::Range {
            from: self.from,
            to: self.to,
        }
    }

    const fn from_message(message: &messages::Range) -> Self {
        Self {
            from: message.from,
            to: message.to,
        }
    }
}

/// From the ranges of numbers that a double holds as they are.
macro_rules! from_ranges {
    ($($number:ident)*) => {$(
        impl From<ops::Range<$number>> for GroupRange {
            fn from(range: ops::Range<$number>) -> Self {
                Self {
                    from: Some(range.start.into()),
                    to: Some(range.end.into()),
                }
            }
        }

        impl From<ops::RangeFrom<$number>> for GroupRange {
            fn from(range: ops::RangeFrom<$number>) -> Self {
                Self {
                    from: Some(range.start.into()),
                    to: None,
                }
            }
        }

        impl From<ops::RangeTo<$number>> for GroupRange {
            fn from(range: ops::RangeTo<$number>) -> Self {
                Self {
                    from: None,
                    to: Some(range.end.into()),
                }
            }
        }
    )*};
}

from_ranges!(f64 i32 u32);

#[cfg(test)]
mod tests {
    use super::super::GroupBy;
    use super::*;

    #[test]
    fn ranges_are_written_with_integers_or_floats() {
        let ages = GroupBy::range("age").range(..18).range(18..65).range(65..);
        let same = GroupBy::range("age")
            .range(..18.0)
            .range(18.0..65.0)
            .range(65.0..);
        assert_eq!(ages, same);
        let far = u32::MAX;
        let range = GroupRange::from(far..);
        assert_eq!(range.from, Some(4_294_967_295.0));
    }

    #[test]
    fn queries_of_any_kind_are_groups() {
        let ages = GroupBy::filter([Query::range("age").lt(18), Query::range("age").gte(18)]);
        assert_eq!(ages.filters[0], Query::range("age").lt(18).into());
        assert_eq!(ages.filters.len(), 2);
    }
}
