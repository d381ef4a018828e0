//! Groups of the rows that a search matches.

mod composite;
mod field;
pub(super) mod geo;
mod histogram;
mod ranges;
mod sort;

pub use composite::GroupByComposite;
pub use field::GroupByField;
pub use geo::GroupByGeoGrid;
pub use histogram::{FieldRange, GroupByDateHistogram, GroupByHistogram};
pub use ranges::{GroupByFilter, GroupByGeoDistance, GroupByRange, GroupRange};
pub use sort::GroupBySorter;

use prost::Message as _;

use super::aggregation::{Aggregation, Aggregations};
use super::date_time::DateTimeValue;
use super::error::{SearchError, SearchErrorKind};
use super::geo::GeoPoint;
use super::named::Named;
use super::query::Query;
use super::wire::{decode_all, known, required};
use crate::messages::{self, GeoHashPrecision, GroupByType};
use crate::value::ColumnValue;

/// Groupings of all rows that a search matches, whatever its limit, each with a name.
///
/// The service takes at most 5 of a level, and 3 levels.
pub type GroupBys = Named<GroupBy>;

/// Sorts all rows that a search matches into groups, and counts them; with aggregations of each
/// group, and groups inside each group.
///
/// ```
/// use ots_proto::search::{Aggregation, DateTimeUnit, DateTimeValue, GroupBy, GroupBys};
///
/// let day = DateTimeValue::new(1, DateTimeUnit::Day);
/// let group_bys = GroupBys::new().with(
///     "by city",
///     GroupBy::field("city")
///         .size(100)
///         .aggregation("mean price", Aggregation::avg("price"))
///         .group_by("by day", GroupBy::date_histogram("at", day).time_zone("+08:00")),
/// );
/// assert_eq!(GroupBys::from_message(&group_bys.to_message()?)?, group_bys);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
///
/// Source: the service's documentation of group-bys.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GroupBy {
    /// What makes a group.
    pub kind: GroupByKind,
    /// What to compute about each group.
    pub aggregations: Aggregations,
    /// The groups inside each group.
    pub group_bys: GroupBys,
}

/// What makes a group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GroupByKind {
    /// The value of a field.
    Field(GroupByField),
    /// A range of a number.
    Range(GroupByRange),
    /// A query.
    Filter(GroupByFilter),
    /// A range of the distance from a point.
    GeoDistance(GroupByGeoDistance),
    /// An interval of a number.
    Histogram(GroupByHistogram),
    /// An interval of time.
    DateHistogram(GroupByDateHistogram),
    /// A cell of a grid on the globe.
    GeoGrid(GroupByGeoGrid),
    /// A combination of other groups.
    Composite(GroupByComposite),
}

impl GroupBy {
    /// A group for each value of `field`.
    pub fn field(field: impl Into<String>) -> GroupByField {
        GroupByField::new(field)
    }

    /// A group for each of several ranges of `field`, to be added.
    pub fn range(field: impl Into<String>) -> GroupByRange {
        GroupByRange::new(field)
    }

    /// A group for each of these queries.
    pub fn filter<Q: Into<Query>>(filters: impl IntoIterator<Item = Q>) -> GroupByFilter {
        GroupByFilter::new(filters)
    }

    /// A group for each of several ranges of the distance of `field` from `origin`, to be added.
    pub fn geo_distance(field: impl Into<String>, origin: GeoPoint) -> GroupByGeoDistance {
        GroupByGeoDistance::new(field, origin)
    }

    /// A group for each interval of `field`, of a width given in the field's type.
    pub fn histogram(
        field: impl Into<String>,
        interval: impl Into<ColumnValue>,
    ) -> GroupByHistogram {
        GroupByHistogram::new(field, interval)
    }

    /// A group for each interval of time of `field`.
    pub fn date_histogram(
        field: impl Into<String>,
        interval: DateTimeValue,
    ) -> GroupByDateHistogram {
        GroupByDateHistogram::new(field, interval)
    }

    /// A group for each cell of a grid over `field`.
    pub fn geo_grid(field: impl Into<String>, precision: GeoHashPrecision) -> GroupByGeoGrid {
        GroupByGeoGrid::new(field, precision)
    }

    /// A group for each combination of the groups of several sources, to be added.
    pub const fn composite() -> GroupByComposite {
        GroupByComposite::new()
    }

    /// Groups of this kind, with nothing inside.
    pub const fn of(kind: GroupByKind) -> Self {
        Self {
            kind,
            aggregations: Aggregations::new(),
            group_bys: GroupBys::new(),
        }
    }

    /// Computes this about each group.
    pub fn aggregation(
        mut self,
        name: impl Into<String>,
        aggregation: impl Into<Aggregation>,
    ) -> Self {
        self.aggregations.push(name, aggregation);
        self
    }

    /// Sorts the rows of each group into groups.
    pub fn group_by(mut self, name: impl Into<String>, group_by: impl Into<Self>) -> Self {
        self.group_bys.push(name, group_by);
        self
    }

    fn to_message(&self, name: &str) -> Result<messages::GroupBy, SearchError> {
        let aggs = self.aggregations.to_message()?;
        let group_bys = self.group_bys.to_message()?;
        // Without elements they are left out, as the SDKs do.
        let sub_aggs = (!aggs.aggs.is_empty()).then_some(aggs);
        let sub_group_bys = (!group_bys.group_bys.is_empty()).then_some(group_bys);
        macro_rules! body {
            ($message:expr) => {{
                let mut message = $message;
                message.sub_aggs = sub_aggs;
                message.sub_group_bys = sub_group_bys;
                message.encode_to_vec()
            }};
        }
        let (kind, body) = match &self.kind {
            GroupByKind::Field(by) => (GroupByType::Field, body!(by.to_message())),
            GroupByKind::Range(by) => (GroupByType::Range, body!(by.to_message())),
            GroupByKind::Filter(by) => (GroupByType::Filter, body!(by.to_message())),
            GroupByKind::GeoDistance(by) => (GroupByType::GeoDistance, body!(by.to_message())),
            GroupByKind::Histogram(by) => (GroupByType::Histogram, body!(by.to_message())),
            GroupByKind::DateHistogram(by) => (GroupByType::DateHistogram, body!(by.to_message())),
            GroupByKind::GeoGrid(by) => (GroupByType::GeoGrid, body!(by.to_message())),
            GroupByKind::Composite(by) => (GroupByType::Composite, body!(by.to_message()?)),
        };
        Ok(messages::GroupBy {
            name: Some(name.to_owned()),
            r#type: Some(kind.into()),
            body: Some(body.into()),
        })
    }

    fn from_message_at(message: &messages::GroupBy, depth: usize) -> Result<Self, SearchError> {
        if depth > GroupBys::MAX_DEPTH {
            let max_depth = GroupBys::MAX_DEPTH;
            return Err(SearchError::new(SearchErrorKind::TooDeep { max_depth }));
        }
        macro_rules! by {
            ($message:ident, $kind:ident, $read:expr) => {{
                let message: messages::$message = decode_all(message.body.as_ref())?;
                let kind = GroupByKind::$kind($read(&message)?);
                (kind, message.sub_aggs, message.sub_group_bys)
            }};
        }
        let kind = required("type", known("type", message.r#type)?)?;
        let (kind, sub_aggs, sub_group_bys) = match kind {
            GroupByType::Field => by!(GroupByField, Field, GroupByField::from_message),
            GroupByType::Range => by!(GroupByRange, Range, GroupByRange::from_message),
            GroupByType::Filter => by!(GroupByFilter, Filter, GroupByFilter::from_message),
            GroupByType::GeoDistance => {
                by!(
                    GroupByGeoDistance,
                    GeoDistance,
                    GroupByGeoDistance::from_message
                )
            }
            GroupByType::Histogram => {
                by!(GroupByHistogram, Histogram, GroupByHistogram::from_message)
            }
            GroupByType::DateHistogram => {
                by!(
                    GroupByDateHistogram,
                    DateHistogram,
                    GroupByDateHistogram::from_message
                )
            }
            GroupByType::GeoGrid => by!(GroupByGeoGrid, GeoGrid, GroupByGeoGrid::from_message),
            GroupByType::Composite => {
                let read = |message: &_| GroupByComposite::from_message_at(message, depth + 1);
                by!(GroupByComposite, Composite, read)
            }
        };
        let group_bys = sub_group_bys.unwrap_or_default();
        Ok(Self {
            kind,
            aggregations: Aggregations::from_message(&sub_aggs.unwrap_or_default())?,
            group_bys: GroupBys::from_message_at(&group_bys, depth + 1)?,
        })
    }
}

impl GroupBys {
    /// The message that says the same.
    ///
    /// # Errors
    /// When a name is empty or given twice on its level, a composite has no sources or one that can't
    /// be combined, or a percentile doesn't lie between 0 and 100.
    pub fn to_message(&self) -> Result<messages::GroupBys, SearchError> {
        let group_bys = self.write("group-by", |name, part| part.to_message(name))?;
        Ok(messages::GroupBys { group_bys })
    }

    /// The group-bys that a message says.
    ///
    /// # Errors
    /// When one is damaged, incomplete, nested deeper than 16 levels, or of a kind that this version
    /// doesn't know; when a name is missing, empty or given twice on its level.
    pub fn from_message(message: &messages::GroupBys) -> Result<Self, SearchError> {
        Self::from_message_at(message, 0)
    }

    fn from_message_at(message: &messages::GroupBys, depth: usize) -> Result<Self, SearchError> {
        let name = |message: &messages::GroupBy| message.name.clone();
        Self::read("group-by", &message.group_bys, name, |message| {
            GroupBy::from_message_at(message, depth)
        })
    }

    /// The service stops at 3 levels.
    pub(super) const MAX_DEPTH: usize = 16;
}

/// Every kind becomes a group-by, and can be given parts of its own on the way.
macro_rules! kinds {
    ($($kind:ident($by:ident)),*) => {$(
        impl From<$by> for GroupBy {
            fn from(by: $by) -> Self {
                Self::of(GroupByKind::$kind(by))
            }
        }

        impl $by {
            /// Computes this about each group.
            pub fn aggregation(
                self,
                name: impl Into<String>,
                aggregation: impl Into<Aggregation>,
            ) -> GroupBy {
                GroupBy::from(self).aggregation(name, aggregation)
            }

            /// Sorts the rows of each group into groups.
            pub fn group_by(
                self,
                name: impl Into<String>,
                group_by: impl Into<GroupBy>,
            ) -> GroupBy {
                GroupBy::from(self).group_by(name, group_by)
            }
        }
    )*};
}

kinds!(
    Field(GroupByField),
    Range(GroupByRange),
    Filter(GroupByFilter),
    GeoDistance(GroupByGeoDistance),
    Histogram(GroupByHistogram),
    DateHistogram(GroupByDateHistogram),
    GeoGrid(GroupByGeoGrid),
    Composite(GroupByComposite)
);
