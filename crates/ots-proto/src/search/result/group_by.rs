//! The groups that a search found.

use bytes::Bytes;
use prost::Message as _;

use super::super::error::{SearchError, SearchErrorKind};
use super::super::group_by::{GroupBys, GroupRange};
use super::super::named::Named;
use super::super::wire::{decode, required};
use super::composite::CompositePage;
use super::group::{GeoCell, Group, Item, Parts};
use super::lookup::LookupError;
use crate::messages::{self, GroupByType};
use crate::value::ColumnValue;

/// The groups that a search found, each grouping under the name it was asked by.
///
/// ```
/// use ots_proto::search::{AggregationResult, Group, GroupByResult, GroupByResults};
///
/// let mut hangzhou = Group::new("Hangzhou".to_owned(), 12);
/// hangzhou.aggregations.push("mean price", AggregationResult::Avg(Some(7.5)));
/// let results = GroupByResults::new().with("by city", GroupByResult::Field(vec![hangzhou]));
///
/// let results = GroupByResults::from_bytes(&results.to_bytes()?)?;
/// for group in results.field("by city")? {
///     assert_eq!((group.key.as_str(), group.row_count), ("Hangzhou", 12));
///     assert_eq!(group.aggregations.avg("mean price")?, Some(7.5));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type GroupByResults = Named<GroupByResult>;

/// The groups of one grouping.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GroupByResult {
    /// By the value of a field, as text.
    Field(Vec<Group<String>>),
    /// By ranges of a number.
    Range(Vec<Group<GroupRange>>),
    /// By queries, in the order of the request.
    Filter(Vec<Group<()>>),
    /// By ranges of a distance, in metres.
    GeoDistance(Vec<Group<GroupRange>>),
    /// By the number that an interval starts with.
    Histogram(Vec<Group<ColumnValue>>),
    /// By the time an interval starts at, in milliseconds since 1970.
    DateHistogram(Vec<Group<i64>>),
    /// By the cells of a grid on the globe.
    GeoGrid(Vec<Group<GeoCell>>),
    /// By a combination, one page of it.
    Composite(CompositePage),
    /// The result of a kind of group-by that this version doesn't know, kept as it came.
    Unknown {
        /// The number of the kind.
        number: i32,
        /// The message of that kind.
        body: Bytes,
    },
}

impl GroupByResult {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Field(_) => "field",
            Self::Range(_) => "range",
            Self::Filter(_) => "filter",
            Self::GeoDistance(_) => "geo_distance",
            Self::Histogram(_) => "histogram",
            Self::DateHistogram(_) => "date_histogram",
            Self::GeoGrid(_) => "geo_grid",
            Self::Composite(_) => "composite",
            Self::Unknown { .. } => "unknown",
        }
    }

    fn to_message(&self, name: &str) -> Result<messages::GroupByResult, SearchError> {
        macro_rules! body {
            ($groups:ident, $message:ident { $items:ident }) => {{
                let $items = write($groups)?;
                messages::$message { $items }.encode_to_vec()
            }};
        }
        let (kind, body) = match self {
            Self::Field(groups) => (
                GroupByType::Field.into(),
                body!(
                    groups,
                    GroupByFieldResult {
                        group_by_field_result_items
                    }
                ),
            ),
            Self::Range(groups) => (
                GroupByType::Range.into(),
                body!(
                    groups,
                    GroupByRangeResult {
                        group_by_range_result_items
                    }
                ),
            ),
            Self::Filter(groups) => (
                GroupByType::Filter.into(),
                body!(
                    groups,
                    GroupByFilterResult {
                        group_by_filter_result_items
                    }
                ),
            ),
            Self::GeoDistance(groups) => (
                GroupByType::GeoDistance.into(),
                body!(
                    groups,
                    GroupByGeoDistanceResult {
                        group_by_geo_distance_result_items
                    }
                ),
            ),
            Self::Histogram(groups) => (
                GroupByType::Histogram.into(),
                body!(
                    groups,
                    GroupByHistogramResult {
                        group_by_histogra_items
                    }
                ),
            ),
            Self::DateHistogram(groups) => (
                GroupByType::DateHistogram.into(),
                body!(
                    groups,
                    GroupByDateHistogramResult {
                        group_by_date_histogram_items
                    }
                ),
            ),
            Self::GeoGrid(groups) => (
                GroupByType::GeoGrid.into(),
                body!(
                    groups,
                    GroupByGeoGridResult {
                        group_by_geo_grid_result_items
                    }
                ),
            ),
            Self::Composite(page) => (
                GroupByType::Composite.into(),
                page.to_message()?.encode_to_vec(),
            ),
            Self::Unknown { number, body } => (*number, body.to_vec()),
        };
        Ok(messages::GroupByResult {
            name: Some(name.to_owned()),
            r#type: Some(kind),
            group_by_result: Some(body.into()),
        })
    }

    fn from_message_at(
        message: &messages::GroupByResult,
        depth: usize,
    ) -> Result<Self, SearchError> {
        if depth > GroupBys::MAX_DEPTH {
            let max_depth = GroupBys::MAX_DEPTH;
            return Err(SearchError::new(SearchErrorKind::TooDeep { max_depth }));
        }
        let body = message.group_by_result.as_ref();
        macro_rules! groups {
            ($message:ident, $items:ident) => {{
                let body: messages::$message = decode(body)?;
                read(body.$items, depth)?
            }};
        }
        let number = required("type", message.r#type)?;
        let Ok(kind) = GroupByType::try_from(number) else {
            let body = body.cloned().unwrap_or_default();
            return Ok(Self::Unknown { number, body });
        };
        Ok(match kind {
            GroupByType::Field => {
                Self::Field(groups!(GroupByFieldResult, group_by_field_result_items))
            }
            GroupByType::Range => {
                Self::Range(groups!(GroupByRangeResult, group_by_range_result_items))
            }
            GroupByType::Filter => {
                Self::Filter(groups!(GroupByFilterResult, group_by_filter_result_items))
            }
            GroupByType::GeoDistance => Self::GeoDistance(groups!(
                GroupByGeoDistanceResult,
                group_by_geo_distance_result_items
            )),
            GroupByType::Histogram => {
                Self::Histogram(groups!(GroupByHistogramResult, group_by_histogra_items))
            }
            GroupByType::DateHistogram => Self::DateHistogram(groups!(
                GroupByDateHistogramResult,
                group_by_date_histogram_items
            )),
            GroupByType::GeoGrid => Self::GeoGrid(groups!(
                GroupByGeoGridResult,
                group_by_geo_grid_result_items
            )),
            GroupByType::Composite => {
                Self::Composite(CompositePage::from_message_at(decode(body)?, depth)?)
            }
        })
    }
}

pub(super) fn write<I: Item>(groups: &[Group<I::Key>]) -> Result<Vec<I>, SearchError> {
    let items = groups.iter().enumerate().map(|(index, group)| {
        let parts = Parts::of(group).map_err(|error| error.within(format!("group {index}")));
        Ok(I::write(&group.key, parts?))
    });
    items.collect()
}

pub(super) fn read<I: Item>(
    items: Vec<I>,
    depth: usize,
) -> Result<Vec<Group<I::Key>>, SearchError> {
    let groups = items.into_iter().enumerate().map(|(index, item)| {
        let group = item.read().and_then(|(key, parts)| parts.group(key, depth));
        group.map_err(|error| error.within(format!("group {index}")))
    });
    groups.collect()
}

/// What is asked for by name and kind.
macro_rules! find {
    ($results:ident, $name:ident, $kind:ident, $asked:literal) => {
        match $results.get($name) {
            Some(GroupByResult::$kind(groups)) => Ok(groups),
            Some(other) => Err(LookupError::WrongKind {
                what: "group-by",
                name: $name.to_owned(),
                asked: $asked,
                found: other.kind(),
            }),
            None => Err(LookupError::NotFound {
                what: "group-by",
                name: $name.to_owned(),
            }),
        }
    };
}

impl GroupByResults {
    /// The groups by the value of a field, called `name`.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn field(&self, name: &str) -> Result<&[Group<String>], LookupError> {
        find!(self, name, Field, "field").map(Vec::as_slice)
    }

    /// The groups by ranges of a number, called `name`.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn range(&self, name: &str) -> Result<&[Group<GroupRange>], LookupError> {
        find!(self, name, Range, "range").map(Vec::as_slice)
    }

    /// The groups by queries, called `name`, in the order of the request.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn filter(&self, name: &str) -> Result<&[Group<()>], LookupError> {
        find!(self, name, Filter, "filter").map(Vec::as_slice)
    }

    /// The groups by ranges of a distance, called `name`.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn geo_distance(&self, name: &str) -> Result<&[Group<GroupRange>], LookupError> {
        find!(self, name, GeoDistance, "geo_distance").map(Vec::as_slice)
    }

    /// The groups by intervals of a number, called `name`.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn histogram(&self, name: &str) -> Result<&[Group<ColumnValue>], LookupError> {
        find!(self, name, Histogram, "histogram").map(Vec::as_slice)
    }

    /// The groups by intervals of time, called `name`: by the time each starts at, in milliseconds
    /// since 1970.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn date_histogram(&self, name: &str) -> Result<&[Group<i64>], LookupError> {
        find!(self, name, DateHistogram, "date_histogram").map(Vec::as_slice)
    }

    /// The groups by cells of a grid, called `name`.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn geo_grid(&self, name: &str) -> Result<&[Group<GeoCell>], LookupError> {
        find!(self, name, GeoGrid, "geo_grid").map(Vec::as_slice)
    }

    /// The page of combined groups called `name`.
    ///
    /// # Errors
    /// When there is no result of this name, or it is of another kind.
    pub fn composite(&self, name: &str) -> Result<&CompositePage, LookupError> {
        find!(self, name, Composite, "composite")
    }

    /// The message that says the same.
    ///
    /// # Errors
    /// When a name is empty or given twice on its level, or a combined group has another number of
    /// keys than there are sources.
    pub fn to_message(&self) -> Result<messages::GroupBysResult, SearchError> {
        let group_by_results =
            self.write("result of group-by", |name, part| part.to_message(name))?;
        Ok(messages::GroupBysResult { group_by_results })
    }

    /// The results that a message says. A kind that this version doesn't know is kept as it came.
    ///
    /// # Errors
    /// When one is damaged, incomplete, or nested deeper than 16 levels; when a name is missing, empty
    /// or given twice on its level.
    pub fn from_message(message: &messages::GroupBysResult) -> Result<Self, SearchError> {
        Self::from_message_at(message, 0)
    }

    pub(super) fn from_message_at(
        message: &messages::GroupBysResult,
        depth: usize,
    ) -> Result<Self, SearchError> {
        let name = |message: &messages::GroupByResult| message.name.clone();
        Self::read(
            "result of group-by",
            &message.group_by_results,
            name,
            |message| GroupByResult::from_message_at(message, depth),
        )
    }

    /// The bytes that a SearchResponse holds.
    ///
    /// # Errors
    /// As [`to_message`](Self::to_message).
    pub fn to_bytes(&self) -> Result<Bytes, SearchError> {
        Ok(self.to_message()?.encode_to_vec().into())
    }

    /// The results in the bytes of a SearchResponse.
    ///
    /// # Errors
    /// As [`from_message`](Self::from_message), and when the bytes aren't the message.
    pub fn from_bytes(bytes: &Bytes) -> Result<Self, SearchError> {
        Self::from_message(&decode(Some(bytes))?)
    }
}
