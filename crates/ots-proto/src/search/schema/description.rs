//! What the service says about an index.

use super::super::error::{SearchError, SearchErrorKind};
use super::super::wire::{int32, required};
use super::IndexSchema;
use super::open::Open;
use crate::bounded;
use crate::messages::{self, IndexStatusEnum, SyncPhase};

/// What the service says about an index.
///
/// ```
/// use ots_proto::messages;
/// use ots_proto::search::{SearchIndexDescription, TimeToLive};
///
/// let message = messages::DescribeSearchIndexResponse {
///     time_to_live: Some(-1),
///     ..messages::DescribeSearchIndexResponse::default()
/// };
/// let description = SearchIndexDescription::from_message(&message)?;
/// assert_eq!(description.time_to_live, Some(TimeToLive::Never));
/// assert_eq!(description.to_message()?, message);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
///
/// Source: the service's documentation of DescribeSearchIndex.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SearchIndexDescription {
    /// What the index is made of.
    pub schema: Option<IndexSchema>,
    /// How far the index has followed the table.
    pub sync_stat: Option<SyncStat>,
    /// How large the index is.
    pub metering_info: Option<MeteringInfo>,
    /// The other index that shares its searches, while one replaces the other.
    pub brother_index_name: Option<String>,
    /// How searches are shared between the two.
    pub query_flow_weights: Vec<QueryFlowWeight>,
    /// When the index was made. The service doesn't state the unit.
    pub create_time: Option<i64>,
    /// How long rows stay in the index.
    pub time_to_live: Option<TimeToLive>,
    /// Whether the index can be searched.
    pub status: Option<IndexStatus>,
}

/// How far an index has followed its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SyncStat {
    /// Whether it reads the table as it was, or follows its changes.
    pub phase: Option<Open<SyncPhase>>,
    /// Up to which change; the service counts nanoseconds since 1970, and doesn't document it.
    pub current_sync_timestamp: Option<i64>,
}

/// How large an index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MeteringInfo {
    /// Its size in bytes.
    pub storage_size_bytes: Option<i64>,
    /// Its rows.
    pub row_count: Option<i64>,
    /// Its reserved capacity units for reading.
    pub reserved_read_cu: Option<i64>,
    /// When this was measured. The service doesn't state the unit.
    pub timestamp: Option<i64>,
}

/// The share of the searches that an index gets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct QueryFlowWeight {
    /// The index.
    pub index: String,
    /// The share, in percent.
    pub weight: i32,
}

/// How long rows stay in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum TimeToLive {
    /// As long as in the table.
    Never,
    /// So many seconds from their last change.
    Seconds(u32),
}

/// Whether an index can be searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexStatus {
    /// In short.
    pub status: Option<Open<IndexStatusEnum>>,
    /// In words.
    pub description: Option<String>,
}

impl SearchIndexDescription {
    /// The message that says the same.
    ///
    /// # Errors
    /// As [`IndexSchema::to_message`].
    pub fn to_message(&self) -> Result<messages::DescribeSearchIndexResponse, SearchError> {
        let schema = self.schema.as_ref().map(IndexSchema::to_message);
        let weights = self
            .query_flow_weights
            .iter()
            .map(QueryFlowWeight::to_message);
        Ok(messages::DescribeSearchIndexResponse {
            schema: schema.transpose()?,
            sync_stat: self.sync_stat.map(|stat| messages::SyncStat {
                sync_phase: stat.phase.map(Open::number),
                current_sync_timestamp: stat.current_sync_timestamp,
            }),
            metering_info: self.metering_info.map(|info| messages::MeteringInfo {
                storage_size: info.storage_size_bytes,
                row_count: info.row_count,
                reserved_read_cu: info.reserved_read_cu,
                timestamp: info.timestamp,
            }),
            brother_index_name: self.brother_index_name.clone(),
            query_flow_weight: weights.collect(),
            create_time: self.create_time,
            time_to_live: self.time_to_live.map(TimeToLive::to_number),
            index_status: self.status.as_ref().map(|status| messages::IndexStatus {
                status: status.status.map(Open::number),
                status_description: status.description.clone(),
            }),
        })
    }

    /// What a message says.
    ///
    /// # Errors
    /// As [`IndexSchema::from_message`]; when a time to live is negative but not -1, or a weight has
    /// no index.
    pub fn from_message(
        message: &messages::DescribeSearchIndexResponse,
    ) -> Result<Self, SearchError> {
        let schema = message.schema.as_ref().map(IndexSchema::from_message);
        let weights = message.query_flow_weight.iter();
        let weights = weights.map(QueryFlowWeight::from_message);
        Ok(Self {
            schema: schema.transpose()?,
            sync_stat: message.sync_stat.as_ref().map(|stat| SyncStat {
                phase: stat.sync_phase.map(Open::from_number),
                current_sync_timestamp: stat.current_sync_timestamp,
            }),
            metering_info: message.metering_info.as_ref().map(|info| MeteringInfo {
                storage_size_bytes: info.storage_size,
                row_count: info.row_count,
                reserved_read_cu: info.reserved_read_cu,
                timestamp: info.timestamp,
            }),
            brother_index_name: message.brother_index_name.clone(),
            query_flow_weights: bounded::collect(weights)?,
            create_time: message.create_time,
            time_to_live: message
                .time_to_live
                .map(TimeToLive::from_number)
                .transpose()?,
            status: message.index_status.as_ref().map(|status| IndexStatus {
                status: status.status.map(Open::from_number),
                description: status.status_description.clone(),
            }),
        })
    }
}

impl QueryFlowWeight {
    /// So many percent of the searches for `index`.
    #[must_use]
    pub fn new(index: impl Into<String>, weight: i32) -> Self {
        Self {
            index: index.into(),
            weight,
        }
    }

    /// The message that says the same.
    #[must_use]
    pub fn to_message(&self) -> messages::QueryFlowWeight {
        messages::QueryFlowWeight {
            index_name: Some(self.index.clone()),
            weight: Some(self.weight),
        }
    }

    /// What a message says.
    ///
    /// # Errors
    /// When the index or the weight is missing.
    pub fn from_message(message: &messages::QueryFlowWeight) -> Result<Self, SearchError> {
        Ok(Self {
            index: required("index_name", message.index_name.clone())?,
            weight: required("weight", message.weight)?,
        })
    }
}

impl TimeToLive {
    /// The number that the messages have: seconds, or -1.
    #[must_use]
    pub fn to_number(self) -> i32 {
        match self {
            Self::Never => -1,
            Self::Seconds(seconds) => int32(seconds),
        }
    }

    /// What a number of the messages says.
    ///
    /// # Errors
    /// When it is negative, but not -1.
    pub fn from_number(number: i32) -> Result<Self, SearchError> {
        match u32::try_from(number) {
            Ok(seconds) => Ok(Self::Seconds(seconds)),
            Err(_) if number == -1 => Ok(Self::Never),
            Err(_) => {
                let (field, found) = ("time_to_live", number.into());
                Err(SearchError::new(SearchErrorKind::OutOfRange {
                    field,
                    found,
                }))
            }
        }
    }
}
