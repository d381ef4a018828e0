//! What a table is told to do with its rows: how long to keep them, how many versions, whether to
//! record changes, whether to encrypt.

use std::time::Duration;

use bytes::Bytes;
use ots_proto::messages;
use ots_proto::search::TimeToLive;

use super::number::{count, positive, received, seconds, whole_seconds};
use crate::error::Error;

/// The options of a table. What is absent is left to the service: its default when the table is
/// created, what it was when the table is updated.
///
/// ```
/// use std::time::Duration;
/// use ots_core::request::TableOptions;
///
/// let day = Duration::from_secs(86_400);
/// let options = TableOptions::new().expire_after(30 * day).max_versions(3);
/// assert_eq!(options.max_versions, Some(3));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct TableOptions {
    /// How long values are kept.
    pub time_to_live: Option<TimeToLive>,
    /// How many versions of each column are kept; at least 1.
    pub max_versions: Option<u32>,
    /// By how much the timestamp of a value that is written may differ from the service's clock; a day
    /// by default. In whole seconds.
    pub max_deviation: Option<Duration>,
    /// Whether UpdateRow is allowed, as it is by default. A search index with a time to live needs a
    /// table without.
    pub allow_update: Option<bool>,
    /// Whether an UpdateRow must write the whole row. It can't be changed later.
    pub update_full_row: Option<bool>,
}

impl TableOptions {
    /// No option given.
    pub const fn new() -> Self {
        Self {
            time_to_live: None,
            max_versions: None,
            max_deviation: None,
            allow_update: None,
            update_full_row: None,
        }
    }

    /// Values expire this long after their timestamp, rounded up to whole seconds; at least a day.
    pub const fn expire_after(mut self, time: Duration) -> Self {
        self.time_to_live = Some(TimeToLive::Seconds(whole_seconds(time)));
        self
    }

    /// Values never expire.
    pub const fn keep_forever(mut self) -> Self {
        self.time_to_live = Some(TimeToLive::Never);
        self
    }

    /// How many versions of each column are kept.
    pub const fn max_versions(mut self, versions: u32) -> Self {
        self.max_versions = Some(versions);
        self
    }

    /// By how much the timestamp of a value may differ from the service's clock.
    pub const fn max_deviation(mut self, time: Duration) -> Self {
        self.max_deviation = Some(time);
        self
    }

    /// Whether UpdateRow is allowed.
    pub const fn allow_update(mut self, allow: bool) -> Self {
        self.allow_update = Some(allow);
        self
    }

    /// Whether an UpdateRow must write the whole row.
    pub const fn update_full_row(mut self, full: bool) -> Self {
        self.update_full_row = Some(full);
        self
    }

    pub(super) fn to_message(
        &self,
        operation: &str,
        table: &str,
    ) -> Result<messages::TableOptions, Error> {
        let max_versions = self.max_versions;
        let deviation = self.max_deviation;
        Ok(messages::TableOptions {
            time_to_live: match self.time_to_live {
                Some(TimeToLive::Seconds(seconds)) => {
                    Some(positive(operation, table, "time to live", seconds)?)
                }
                time => time.map(TimeToLive::to_number),
            },
            max_versions: max_versions
                .map(|versions| positive(operation, table, "max_versions", versions))
                .transpose()?,
            deviation_cell_version_in_sec: deviation
                .map(|time| seconds(operation, table, "max_deviation", time).map(i64::from))
                .transpose()?,
            allow_update: self.allow_update,
            update_full_row: self.update_full_row,
            ..messages::TableOptions::default()
        })
    }

    pub(super) fn from_message(message: &messages::TableOptions) -> Self {
        Self {
            time_to_live: message
                .time_to_live
                .and_then(|time| TimeToLive::from_number(time).ok()),
            max_versions: message
                .max_versions
                .and_then(|versions| u32::try_from(versions).ok()),
            max_deviation: received(message.deviation_cell_version_in_sec).map(Duration::from_secs),
            allow_update: message.allow_update,
            update_full_row: message.update_full_row,
        }
    }
}

/// Whether a table records its changes, for tunnels and streams to read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Stream {
    /// Changes are not recorded.
    Disabled,
    /// Changes are recorded.
    Enabled {
        /// How long they are kept, 1 to 168 hours.
        retention_hours: u32,
        /// Columns whose earlier values are recorded too.
        original_columns: Vec<String>,
    },
}

impl Stream {
    /// Changes are recorded, and kept for this many hours.
    pub const fn enabled(retention_hours: u32) -> Self {
        Self::Enabled {
            retention_hours,
            original_columns: Vec::new(),
        }
    }

    /// Also records the earlier values of these columns.
    pub fn original_columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        if let Self::Enabled {
            original_columns, ..
        } = &mut self
        {
            original_columns.extend(names.into_iter().map(Into::into));
        }
        self
    }

    pub(super) fn into_message(
        self,
        operation: &str,
        table: &str,
    ) -> Result<messages::StreamSpecification, Error> {
        Ok(match self {
            Self::Disabled => messages::StreamSpecification {
                enable_stream: false,
                ..messages::StreamSpecification::default()
            },
            Self::Enabled {
                retention_hours,
                original_columns,
            } => messages::StreamSpecification {
                enable_stream: true,
                expiration_time: Some(positive(
                    operation,
                    table,
                    "stream retention_hours",
                    retention_hours,
                )?),
                columns_to_get: original_columns,
            },
        })
    }
}

/// Which key a table's data is encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encryption {
    /// A key that the service keeps.
    ServiceKey,
    /// A key of your own, in the key management service.
    OwnKey {
        /// The key's id.
        key_id: String,
        /// The role that may use it.
        role_arn: String,
    },
}

impl Encryption {
    pub(super) fn into_message(self) -> messages::SseSpecification {
        let (key_type, key_id, role_arn) = match self {
            Self::ServiceKey => (messages::SseKeyType::KmsService, None, None),
            Self::OwnKey { key_id, role_arn } => (
                messages::SseKeyType::Byok,
                Some(key_id.into()),
                Some(role_arn.into()),
            ),
        };
        messages::SseSpecification {
            enable: true,
            key_type: Some(key_type.into()),
            key_id,
            role_arn,
        }
    }

    pub(super) fn from_message(details: messages::SseDetails) -> Option<Self> {
        let text = |bytes: Option<Bytes>| {
            let bytes = bytes.unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        details.enable.then(|| match details.key_type() {
            messages::SseKeyType::KmsService => Self::ServiceKey,
            messages::SseKeyType::Byok => Self::OwnKey {
                key_id: text(details.key_id),
                role_arn: text(details.role_arn),
            },
        })
    }
}

/// Capacity units that a table reserves, paid for whether used or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "complete: reads and writes")]
pub struct ReservedThroughput {
    /// Read capacity units a second; in an update, absent keeps what is.
    pub read: Option<u32>,
    /// Write capacity units a second; in an update, absent keeps what is.
    pub write: Option<u32>,
}

impl ReservedThroughput {
    pub(super) fn to_message(
        self,
        operation: &str,
        table: &str,
    ) -> Result<messages::ReservedThroughput, Error> {
        let units = |name, units: Option<u32>| {
            units
                .map(|units| count(operation, table, name, units))
                .transpose()
        };
        Ok(messages::ReservedThroughput {
            capacity_unit: messages::CapacityUnit {
                read: units("reserved read units", self.read)?,
                write: units("reserved write units", self.write)?,
            },
        })
    }

    pub(super) fn from_message(units: &messages::CapacityUnit) -> Self {
        let count = |units: Option<i32>| units.and_then(|units| u32::try_from(units).ok());
        Self {
            read: count(units.read),
            write: count(units.write),
        }
    }
}
