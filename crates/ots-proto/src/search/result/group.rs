//! One group of rows, and its message in each of the shapes it has.

use super::super::error::SearchError;
use super::super::geo::GeoPoint;
use super::super::group_by::{GroupRange, geo};
use super::super::wire::{count64, int64, required, value, variant};
use super::aggregation::AggregationResults;
use super::group_by::GroupByResults;
use crate::messages;
use crate::value::ColumnValue;

/// A group of the rows that a search matches: what they have in common, how many they are, and what
/// was computed about them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Group<K> {
    /// What the rows have in common.
    pub key: K,
    /// How many rows there are.
    pub row_count: u64,
    /// What aggregations of the group came to.
    pub aggregations: AggregationResults,
    /// The groups inside the group.
    pub group_bys: GroupByResults,
}

/// A cell of a grid on the globe.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GeoCell {
    /// The cell's geohash.
    pub hash: String,
    /// The cell's north-western and south-eastern corners.
    pub corners: Option<(GeoPoint, GeoPoint)>,
}

impl GeoCell {
    /// The cell of this geohash, between these corners in the north-west and the south-east.
    #[must_use]
    pub fn new(hash: impl Into<String>, corners: Option<(GeoPoint, GeoPoint)>) -> Self {
        Self {
            hash: hash.into(),
            corners,
        }
    }
}

impl<K> Group<K> {
    /// So many rows with this in common.
    #[must_use]
    pub const fn new(key: K, row_count: u64) -> Self {
        Self {
            key,
            row_count,
            aggregations: AggregationResults::new(),
            group_bys: GroupByResults::new(),
        }
    }
}

/// What the messages of groups have alike, each in fields of its own.
pub(super) struct Parts {
    row_count: Option<i64>,
    sub_aggs_result: Option<messages::AggregationsResult>,
    sub_group_bys_result: Option<messages::GroupBysResult>,
}

impl Parts {
    pub(super) fn of<K>(group: &Group<K>) -> Result<Self, SearchError> {
        let aggs = group.aggregations.to_message()?;
        let group_bys = group.group_bys.to_message()?;
        Ok(Self {
            row_count: Some(int64(group.row_count)),
            sub_aggs_result: (!aggs.agg_results.is_empty()).then_some(aggs),
            sub_group_bys_result: (!group_bys.group_by_results.is_empty()).then_some(group_bys),
        })
    }

    /// The group of this key, in a result that lies inside so many groups.
    pub(super) fn group<K>(self, key: K, depth: usize) -> Result<Group<K>, SearchError> {
        let aggs = self.sub_aggs_result.unwrap_or_default();
        let group_bys = self.sub_group_bys_result.unwrap_or_default();
        Ok(Group {
            key,
            row_count: required("row_count", count64("row_count", self.row_count)?)?,
            aggregations: AggregationResults::from_message(&aggs)?,
            group_bys: GroupByResults::from_message_at(&group_bys, depth + 1)?,
        })
    }
}

/// A message of a group: its key, and the parts that all have.
pub(super) trait Item: Sized {
    type Key;

    fn write(key: &Self::Key, parts: Parts) -> Self;

    fn read(self) -> Result<(Self::Key, Parts), SearchError>;
}

/// For the messages that name their parts alike.
macro_rules! item {
    (
        $message:ident, $row_count:ident, $key_type:ty,
        |$key:ident| { $($field:ident: $value:expr),* $(,)? },
        |$item:ident| $read:expr
    ) => {
        impl Item for messages::$message {
            type Key = $key_type;

            fn write($key: &$key_type, parts: Parts) -> Self {
                Self {
                    $($field: $value,)*
                    $row_count: parts.row_count,
                    sub_aggs_result: parts.sub_aggs_result,
                    sub_group_bys_result: parts.sub_group_bys_result,
                }
            }

            fn read(self) -> Result<($key_type, Parts), SearchError> {
                let $item = &self;
                let key = $read;
                let parts = Parts {
                    row_count: self.$row_count,
                    sub_aggs_result: self.sub_aggs_result,
                    sub_group_bys_result: self.sub_group_bys_result,
                };
                Ok((key, parts))
            }
        }
    };
}

item!(
    GroupByFieldResultItem, row_count, String,
    |key| { key: Some(key.clone()) },
    |item| required("key", item.key.clone())?
);
item!(
    GroupByRangeResultItem, row_count, GroupRange,
    |key| { from: key.from, to: key.to },
    |item| GroupRange { from: item.from, to: item.to }
);
item!(GroupByFilterResultItem, row_count, (), |_key| {}, |_item| (
));
item!(
    GroupByGeoDistanceResultItem, row_count, GroupRange,
    |key| { from: key.from, to: key.to },
    |item| GroupRange { from: item.from, to: item.to }
);
item!(
    GroupByHistogramItem, value, ColumnValue,
    |key| { key: Some(variant(key)) },
    |item| required("key", value("key", item.key.as_ref())?)?
);
item!(
    GroupByDateHistogramItem, row_count, i64,
    |key| { timestamp: Some(*key) },
    |item| required("timestamp", item.timestamp)?
);
item!(
    GroupByGeoGridResultItem, row_count, GeoCell,
    |key| {
        key: Some(key.hash.clone()),
        geo_grid: key.corners.map(|(top_left, bottom_right)| messages::GeoGrid {
            top_left: Some(geo::point_to_message(top_left)),
            bottom_right: Some(geo::point_to_message(bottom_right)),
        }),
    },
    |item| {
        let point = |field, point: Option<messages::GeoPoint>| {
            let point = geo::point_from_message(&required(field, point)?);
            point.map_err(|error| error.within(field))
        };
        let corners = item.geo_grid.map(|grid| -> Result<_, SearchError> {
            let top_left = point("top_left", grid.top_left)?;
            Ok((top_left, point("bottom_right", grid.bottom_right)?))
        });
        GeoCell {
            hash: required("key", item.key.clone())?,
            corners: corners.transpose()?,
        }
    }
);

/// The keys of a composite, one for each source; none is a null.
impl Item for messages::GroupByCompositeResultItem {
    type Key = Vec<Option<String>>;

    fn write(keys: &Self::Key, parts: Parts) -> Self {
        Self {
            keys: keys
                .iter()
                .map(|key| key.clone().unwrap_or_default())
                .collect(),
            row_count: parts.row_count,
            sub_aggs_result: parts.sub_aggs_result,
            sub_group_bys_result: parts.sub_group_bys_result,
            is_null_keys: keys.iter().map(Option::is_none).collect(),
        }
    }

    fn read(self) -> Result<(Self::Key, Parts), SearchError> {
        // Older services don't say which keys are null.
        let flags = self.is_null_keys;
        if !flags.is_empty() && flags.len() != self.keys.len() {
            let rule = "is_null_keys must be as many as keys";
            return Err(SearchError::invalid(rule));
        }
        let flags = flags.into_iter().chain(std::iter::repeat(false));
        let keys = self.keys.into_iter().zip(flags);
        let keys = keys.map(|(key, is_null)| (!is_null).then_some(key));
        let parts = Parts {
            row_count: self.row_count,
            sub_aggs_result: self.sub_aggs_result,
            sub_group_bys_result: self.sub_group_bys_result,
        };
        Ok((keys.collect(), parts))
    }
}
