//! What a read takes of a row: the part that GetRow, BatchGetRow and GetRange have in common.

use bytes::Bytes;
use ots_proto::filter::{ColumnRange, ReadFilter};
use ots_proto::messages;

use super::number::positive;
use crate::error::Error;

/// Columns, versions and filter of a read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReadOptions {
    pub(super) columns: Vec<String>,
    pub(super) max_versions: Option<u32>,
    pub(super) time: Option<TimeSelection>,
    pub(super) filter: Option<ReadFilter>,
    pub(super) column_range: Option<ColumnRange>,
    pub(super) skips_cache: bool,
}

/// Which versions, by their timestamp in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeSelection {
    /// From the first, inclusive, to the second, exclusive.
    Range(i64, i64),
    /// With this very timestamp.
    At(i64),
}

/// What the fields of a message are made from, after the checks that need no service.
#[derive(Clone, Debug)]
pub(super) struct ReadFields {
    pub(super) columns_to_get: Vec<String>,
    pub(super) max_versions: Option<i32>,
    pub(super) time_range: Option<messages::TimeRange>,
    pub(super) cache_blocks: Option<bool>,
    pub(super) filter: Option<Bytes>,
    pub(super) start_column: Option<String>,
    pub(super) end_column: Option<String>,
}

impl ReadOptions {
    pub(super) fn into_fields(self, operation: &str, table: &str) -> Result<ReadFields, Error> {
        // The service wants versions or a time; without either, the newest version is meant.
        let max_versions = match (self.max_versions, self.time) {
            (Some(_), Some(TimeSelection::At(_))) => {
                return Err(Error::request(format!(
                    "{operation} on table {table:?}: max_versions and a specific time can't be given \
                     together"
                )));
            }
            (Some(versions), _) => Some(positive(operation, table, "max_versions", versions)?),
            (None, None) => Some(1),
            (None, Some(_)) => None,
        };
        let refused = |error| Error::request(format!("{operation} on table {table:?}: {error}"));
        let filter = self.filter.map(|filter| filter.encode());
        let column_range = self.column_range.map(ColumnRange::into_fields);
        let (start_column, end_column) = column_range
            .transpose()
            .map_err(refused)?
            .unwrap_or_default();
        Ok(ReadFields {
            columns_to_get: self.columns,
            max_versions,
            time_range: self.time.map(TimeSelection::into_message),
            cache_blocks: self.skips_cache.then_some(false),
            filter: filter.transpose().map_err(refused)?,
            start_column,
            end_column,
        })
    }
}

impl TimeSelection {
    fn into_message(self) -> messages::TimeRange {
        match self {
            Self::Range(start, end) => messages::TimeRange {
                start_time: Some(start),
                end_time: Some(end),
                specific_time: None,
            },
            Self::At(time) => messages::TimeRange {
                start_time: None,
                end_time: None,
                specific_time: Some(time),
            },
        }
    }
}

/// The setters of [`ReadOptions`], for a request that has one in its field `options`.
macro_rules! read_setters {
    () => {
        /// The attribute columns to return; all when never called. A row that has none of them counts
        /// as absent.
        pub fn columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
            self.options.columns = names.into_iter().map(Into::into).collect();
            self
        }

        /// How many versions of each column to return; 1 when neither this nor a time is given.
        pub const fn max_versions(mut self, versions: u32) -> Self {
            self.options.max_versions = Some(versions);
            self
        }

        /// Only versions from `start_ms`, inclusive, to `end_ms`, exclusive, in milliseconds since 1970.
        pub const fn time_range(mut self, start_ms: i64, end_ms: i64) -> Self {
            self.options.time = Some($crate::request::read_options::TimeSelection::Range(
                start_ms, end_ms,
            ));
            self
        }

        /// Only the version with this very timestamp, in milliseconds since 1970. Not together with
        /// [`max_versions`](Self::max_versions).
        pub const fn specific_time(mut self, time_ms: i64) -> Self {
            self.options.time = Some($crate::request::read_options::TimeSelection::At(time_ms));
            self
        }

        /// Only rows that pass a filter, or columns by their position
        /// ([`ColumnPagination`](ots_proto::filter::ColumnPagination)).
        ///
        /// ```
        /// use ots_core::{PrimaryKey, filter::Filter, request::GetRow};
        ///
        /// let key = PrimaryKey::new().column("id", 7);
        /// // As with the official SDKs, a city without a population passes unless told otherwise.
        /// let large = Filter::column("population").gt(1_000_000).only_if_present();
        /// let _ = GetRow::new("cities", key).filter(large);
        /// ```
        pub fn filter(mut self, filter: impl Into<ots_proto::filter::ReadFilter>) -> Self {
            self.options.filter = Some(filter.into());
            self
        }

        /// Only columns whose name is in a window, bytewise: as in `"2025-01".."2025-02"`.
        pub fn column_range(mut self, names: impl Into<ots_proto::filter::ColumnRange>) -> Self {
            self.options.column_range = Some(names.into());
            self
        }

        /// Keeps what is read out of the service's cache: for a scan of all rows, which would push out
        /// what others need.
        pub const fn without_cache(mut self) -> Self {
            self.options.skips_cache = true;
            self
        }
    };
}

pub(super) use read_setters;
