//! Groups of equal width: of a number, or of time.

use bytes::Bytes;

use super::super::date_time::DateTimeValue;
use super::super::error::SearchError;
use super::super::wire::{count64, int64, required, value, variant};
use super::sort::{self, GroupBySorter};
use crate::messages;
use crate::value::ColumnValue;

/// A group for each interval of a number. Its key is the number the interval starts with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GroupByHistogram {
    /// The field: LONG or DOUBLE. All values below are of its type.
    pub field: String,
    /// How wide an interval is.
    pub interval: ColumnValue,
    /// By how much the intervals are shifted from multiples of their width.
    pub offset: Option<ColumnValue>,
    /// What stands for the value of a row that has none; such rows are left out when absent.
    pub missing: Option<ColumnValue>,
    /// Groups of fewer rows are left out.
    pub min_doc_count: Option<u64>,
    /// Rows outside are left out.
    pub field_range: Option<FieldRange>,
    /// The order of the groups; by key when empty.
    pub sorters: Vec<GroupBySorter>,
}

/// A group for each interval of time. Its key is the time the interval starts at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GroupByDateHistogram {
    /// The field: DATE. Its values below are written as in the table.
    pub field: String,
    /// How long an interval is.
    pub interval: DateTimeValue,
    /// By how much the intervals are shifted: days that start at two o'clock.
    pub offset: Option<DateTimeValue>,
    /// Where days start, as in `+08:00`; the service takes UTC when absent.
    pub time_zone: Option<String>,
    /// What stands for the value of a row that has none; such rows are left out when absent.
    pub missing: Option<ColumnValue>,
    /// Groups of fewer rows are left out.
    pub min_doc_count: Option<u64>,
    /// Rows outside are left out.
    pub field_range: Option<FieldRange>,
    /// The order of the groups; by time when empty.
    pub sorters: Vec<GroupBySorter>,
}

/// The values of a field that count.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "complete: two ends")]
pub struct FieldRange {
    /// The smallest.
    pub min: Option<ColumnValue>,
    /// The largest.
    pub max: Option<ColumnValue>,
}

impl GroupByHistogram {
    pub(super) fn new(field: impl Into<String>, interval: impl Into<ColumnValue>) -> Self {
        Self {
            field: field.into(),
            interval: interval.into(),
            offset: None,
            missing: None,
            min_doc_count: None,
            field_range: None,
            sorters: Vec::new(),
        }
    }

    /// Intervals shifted by so much.
    pub fn offset(mut self, by: impl Into<ColumnValue>) -> Self {
        self.offset = Some(by.into());
        self
    }

    pub(super) fn to_message(&self) -> messages::GroupByHistogram {
        messages::GroupByHistogram {
            field_name: Some(self.field.clone()),
            interval: Some(variant(&self.interval)),
            missing: self.missing.as_ref().map(variant),
            min_doc_count: self.min_doc_count.map(int64),
            sort: sort::to_message(&self.sorters),
            field_range: self.field_range.as_ref().map(FieldRange::to_message),
            sub_aggs: None,
            sub_group_bys: None,
            offset: self.offset.as_ref().map(variant),
        }
    }

    pub(super) fn from_message(message: &messages::GroupByHistogram) -> Result<Self, SearchError> {
        let interval = value("interval", message.interval.as_ref())?;
        Ok(Self {
            field: required("field_name", message.field_name.clone())?,
            interval: required("interval", interval)?,
            offset: value("offset", message.offset.as_ref())?,
            missing: value("missing", message.missing.as_ref())?,
            min_doc_count: count64("min_doc_count", message.min_doc_count)?,
            field_range: FieldRange::optional(message.field_range.as_ref())?,
            sorters: sort::from_message(message.sort.as_ref())?,
        })
    }
}

impl GroupByDateHistogram {
    pub(super) fn new(field: impl Into<String>, interval: DateTimeValue) -> Self {
        Self {
            field: field.into(),
            interval,
            offset: None,
            time_zone: None,
            missing: None,
            min_doc_count: None,
            field_range: None,
            sorters: Vec::new(),
        }
    }

    /// Intervals shifted by so much.
    pub const fn offset(mut self, by: DateTimeValue) -> Self {
        self.offset = Some(by);
        self
    }

    /// Days start where this clock says, as in `+08:00`.
    pub fn time_zone(mut self, zone: impl Into<String>) -> Self {
        self.time_zone = Some(zone.into());
        self
    }

    pub(super) fn to_message(&self) -> messages::GroupByDateHistogram {
        messages::GroupByDateHistogram {
            field_name: Some(self.field.clone()),
            interval: Some(self.interval.to_message()),
            field_range: self.field_range.as_ref().map(FieldRange::to_message),
            missing: self.missing.as_ref().map(variant),
            min_doc_count: self.min_doc_count.map(int64),
            time_zone: self.time_zone.clone(),
            sort: sort::to_message(&self.sorters),
            sub_aggs: None,
            sub_group_bys: None,
            offset: self.offset.map(DateTimeValue::to_message),
        }
    }

    pub(super) fn from_message(
        message: &messages::GroupByDateHistogram,
    ) -> Result<Self, SearchError> {
        let span = |field, message: Option<&messages::DateTimeValue>| {
            let span = message.map(DateTimeValue::from_message).transpose();
            span.map_err(|error| error.within(field))
        };
        Ok(Self {
            field: required("field_name", message.field_name.clone())?,
            interval: required("interval", span("interval", message.interval.as_ref())?)?,
            offset: span("offset", message.offset.as_ref())?,
            time_zone: message.time_zone.clone(),
            missing: value("missing", message.missing.as_ref())?,
            min_doc_count: count64("min_doc_count", message.min_doc_count)?,
            field_range: FieldRange::optional(message.field_range.as_ref())?,
            sorters: sort::from_message(message.sort.as_ref())?,
        })
    }
}

/// The options that both histograms have.
macro_rules! histogram_options {
    ($($histogram:ident),*) => {$(
        impl $histogram {
            /// What stands for the value of a row that has none.
            pub fn missing(mut self, value: impl Into<ColumnValue>) -> Self {
                self.missing = Some(value.into());
                self
            }

            /// Without groups of fewer rows.
            pub const fn min_doc_count(mut self, rows: u64) -> Self {
                self.min_doc_count = Some(rows);
                self
            }

            /// Only rows whose value lies between these.
            pub fn field_range(
                mut self,
                min: impl Into<ColumnValue>,
                max: impl Into<ColumnValue>,
            ) -> Self {
                self.field_range = Some(FieldRange {
                    min: Some(min.into()),
                    max: Some(max.into()),
                });
                self
            }

            /// In this order, after the sorters given before.
            pub fn sort(mut self, sorter: GroupBySorter) -> Self {
                self.sorters.push(sorter);
                self
            }
        }
    )*};
}

histogram_options!(GroupByHistogram, GroupByDateHistogram);

impl FieldRange {
    fn to_message(&self) -> messages::FieldRange {
        messages::FieldRange {
            min: self.min.as_ref().map(variant),
            max: self.max.as_ref().map(variant),
        }
    }

    fn optional(message: Option<&messages::FieldRange>) -> Result<Option<Self>, SearchError> {
        let end = |field, bytes: Option<&Bytes>| value(field, bytes);
        let read = |message: &messages::FieldRange| {
            Ok(Self {
                min: end("min", message.min.as_ref())?,
                max: end("max", message.max.as_ref())?,
            })
        };
        message.map(read).transpose()
    }
}
