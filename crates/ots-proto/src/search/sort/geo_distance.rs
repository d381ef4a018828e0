//! Sorting by the distance from points.

use super::super::error::SearchError;
use super::super::geo::GeoPoint;
use super::super::wire::{known, required};
use super::nested_filter::NestedFilter;
use crate::bounded;
use crate::messages::{self, GeoDistanceType, SortMode, SortOrder};

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
    pub nested_filter: Option<Box<NestedFilter>>,
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
        self.nested_filter = Some(Box::new(filter));
        self
    }

    pub(super) fn to_message(&self) -> messages::GeoDistanceSort {
        messages::GeoDistanceSort {
            field_name: Some(self.field.clone()),
            points: self.points.iter().map(GeoPoint::to_string).collect(),
            order: self.order.map(Into::into),
            mode: self.mode.map(Into::into),
            distance_type: self.distance_type.map(Into::into),
            nested_filter: self.nested_filter.as_deref().map(NestedFilter::to_message),
        }
    }

    pub(super) fn from_message_at(
        message: &messages::GeoDistanceSort,
        depth: usize,
    ) -> Result<Self, SearchError> {
        let read = || {
            let points = message.points.iter().map(|text| text.parse());
            Ok(Self {
                field: required("field_name", message.field_name.clone())?,
                points: bounded::collect(points)?,
                order: known("order", message.order)?,
                mode: known("mode", message.mode)?,
                distance_type: known("distance_type", message.distance_type)?,
                nested_filter: NestedFilter::optional(message.nested_filter.as_ref(), depth)?,
            })
        };
        read().map_err(|error: SearchError| error.within("geo distance sort"))
    }
}
