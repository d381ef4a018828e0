//! Groups by the cells of a grid on the globe.

use super::super::error::SearchError;
use super::super::geo::GeoPoint;
use super::super::wire::{count32, int32, known, required};
use crate::messages::{self, GeoHashPrecision};

/// A group for each cell of a grid on the globe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct GroupByGeoGrid {
    /// The field: GEO_POINT.
    pub field: String,
    /// How fine the grid is: from level 1, cells of 5,009 by 4,992 kilometres, to level 12, cells of
    /// 37 by 19 millimetres.
    pub precision: GeoHashPrecision,
    /// Groups wanted.
    pub size: Option<u32>,
}

impl GroupByGeoGrid {
    pub(super) fn new(field: impl Into<String>, precision: GeoHashPrecision) -> Self {
        Self {
            field: field.into(),
            precision,
            size: None,
        }
    }

    /// At most so many groups.
    pub const fn size(mut self, groups: u32) -> Self {
        self.size = Some(groups);
        self
    }

    pub(super) fn to_message(&self) -> messages::GroupByGeoGrid {
        messages::GroupByGeoGrid {
            field_name: Some(self.field.clone()),
            precision: Some(self.precision.into()),
            size: self.size.map(int32),
            sub_aggs: None,
            sub_group_bys: None,
        }
    }

    pub(super) fn from_message(message: &messages::GroupByGeoGrid) -> Result<Self, SearchError> {
        Ok(Self {
            field: required("field_name", message.field_name.clone())?,
            precision: required("precision", known("precision", message.precision)?)?,
            size: count32("size", message.size)?,
        })
    }
}

pub(in super::super) const fn point_to_message(point: GeoPoint) -> messages::GeoPoint {
    messages::GeoPoint {
        lat: Some(point.latitude()),
        lon: Some(point.longitude()),
    }
}

pub(in super::super) fn point_from_message(
    message: &messages::GeoPoint,
) -> Result<GeoPoint, SearchError> {
    let latitude = required("lat", message.lat)?;
    let longitude = required("lon", message.lon)?;
    Ok(GeoPoint::new(latitude, longitude)?)
}
