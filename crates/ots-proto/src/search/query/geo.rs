//! Queries about places.

use super::decode::{self, required, required_point};
use super::place::Place;
use super::{Kind, QueryError};
use crate::bounded;
use crate::messages::{self, QueryType};
use crate::search::geo::GeoPoint;

/// Rows whose GEO_POINT field is near a point: at most so far along a great circle.
///
/// ```
/// use ots_proto::search::{GeoPoint, Query};
///
/// let near = Query::geo_distance("place", "30.25,120.14".parse::<GeoPoint>()?, 5_000.0);
/// # Ok::<(), ots_proto::search::GeoPointError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GeoDistanceQuery {
    /// The field.
    pub field: String,
    /// The point.
    pub center_point: GeoPoint,
    /// How far from it, in metres.
    pub distance_metres: f64,
}

/// Rows whose GEO_POINT field lies in a rectangle.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GeoBoundingBoxQuery {
    /// The field.
    pub field: String,
    /// The corner in the north-west.
    pub top_left: GeoPoint,
    /// The corner in the south-east.
    pub bottom_right: GeoPoint,
}

/// Rows whose GEO_POINT field lies in a polygon.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GeoPolygonQuery {
    /// The field.
    pub field: String,
    /// The corners, three at least.
    pub points: Vec<GeoPoint>,
}

impl GeoDistanceQuery {
    /// Rows whose `field` is at most so many metres from a point.
    pub fn new(field: impl Into<String>, center_point: GeoPoint, distance_metres: f64) -> Self {
        Self {
            field: field.into(),
            center_point,
            distance_metres,
        }
    }
}

impl GeoBoundingBoxQuery {
    /// Rows whose `field` lies between these two corners.
    pub fn new(field: impl Into<String>, top_left: GeoPoint, bottom_right: GeoPoint) -> Self {
        Self {
            field: field.into(),
            top_left,
            bottom_right,
        }
    }
}

impl GeoPolygonQuery {
    /// Rows whose `field` lies between these corners.
    pub fn new(field: impl Into<String>, points: impl IntoIterator<Item = GeoPoint>) -> Self {
        Self {
            field: field.into(),
            points: points.into_iter().collect(),
        }
    }
}

impl Kind for GeoDistanceQuery {
    const TYPE: QueryType = QueryType::GeoDistance;
    type Message = messages::GeoDistanceQuery;

    fn to_message(&self) -> Self::Message {
        messages::GeoDistanceQuery {
            field_name: Some(self.field.clone()),
            center_point: Some(self.center_point.to_string()),
            distance: Some(self.distance_metres),
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            center_point: required_point(message.center_point, &place.key("center_point"))?,
            distance_metres: required(message.distance, &place.key("distance"))?,
        })
    }
}

impl Kind for GeoBoundingBoxQuery {
    const TYPE: QueryType = QueryType::GeoBoundingBox;
    type Message = messages::GeoBoundingBoxQuery;

    fn to_message(&self) -> Self::Message {
        messages::GeoBoundingBoxQuery {
            field_name: Some(self.field.clone()),
            top_left: Some(self.top_left.to_string()),
            bottom_right: Some(self.bottom_right.to_string()),
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            top_left: required_point(message.top_left, &place.key("top_left"))?,
            bottom_right: required_point(message.bottom_right, &place.key("bottom_right"))?,
        })
    }
}

impl Kind for GeoPolygonQuery {
    const TYPE: QueryType = QueryType::GeoPolygon;
    type Message = messages::GeoPolygonQuery;

    fn to_message(&self) -> Self::Message {
        messages::GeoPolygonQuery {
            field_name: Some(self.field.clone()),
            points: self.points.iter().map(GeoPoint::to_string).collect(),
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        let at = &place.key("points");
        let points = message.points.iter().enumerate();
        let points = points.map(|(index, text)| decode::point(text, &at.index(index)));
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            points: bounded::collect(points)?,
        })
    }
}
