//! What the vectors of a field look like.

use super::super::error::SearchError;
use super::super::wire::{count32, int32};
use super::open::Open;
use crate::messages::{self, VectorDataType, VectorMetricType};

/// What the vectors of a VECTOR field look like, and how near two of them are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct VectorOptions {
    /// What an element is.
    pub data_type: Option<Open<VectorDataType>>,
    /// How many elements there are, at most 4,096.
    pub dimension: Option<u32>,
    /// How near two vectors are.
    pub metric_type: Option<Open<VectorMetricType>>,
}

impl VectorOptions {
    /// So many 32-bit floats, compared this way.
    #[must_use]
    pub const fn new(dimension: u32, metric_type: VectorMetricType) -> Self {
        Self {
            data_type: Some(Open::Known(VectorDataType::Float32)),
            dimension: Some(dimension),
            metric_type: Some(Open::Known(metric_type)),
        }
    }

    pub(super) fn to_message(self) -> messages::VectorOptions {
        messages::VectorOptions {
            data_type: self.data_type.map(Open::number),
            dimension: self.dimension.map(int32),
            metric_type: self.metric_type.map(Open::number),
        }
    }

    pub(super) fn from_message(message: &messages::VectorOptions) -> Result<Self, SearchError> {
        Ok(Self {
            data_type: message.data_type.map(Open::from_number),
            dimension: count32("dimension", message.dimension)?,
            metric_type: message.metric_type.map(Open::from_number),
        })
    }
}
