//! What a read wants of each row: which columns, which versions, and whether the row at all.

use std::ops::Range;

use ots_proto::messages::TimeRange;

use crate::error::ServiceError;
use crate::filter::{Filter, Pagination, ReadFilter};
use crate::names;
use crate::stored::Version;

/// The part of a read that GetRow, BatchGetRow and GetRange have in common.
#[derive(Debug)]
pub(crate) struct Selection {
    /// Sorted, each name once; none means all columns.
    pub(crate) columns: Option<Vec<String>>,
    /// The first column name wanted.
    start_column: Option<String>,
    /// The first column name no longer wanted.
    end_column: Option<String>,
    pub(crate) versions: VersionRange,
    pub(crate) filter: Option<Filter>,
    pub(crate) pagination: Option<Pagination>,
}

/// Which of the visible versions of a column are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionRange {
    times_ms: Range<i64>,
    max_versions: usize,
}

/// The fields of a request that a selection is read from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SelectionFields<'a> {
    pub(crate) columns_to_get: &'a [String],
    pub(crate) time_range: Option<&'a TimeRange>,
    pub(crate) max_versions: Option<i32>,
    pub(crate) filter: Option<&'a [u8]>,
    pub(crate) start_column: Option<&'a str>,
    pub(crate) end_column: Option<&'a str>,
    /// What the operation says when no version is asked for.
    pub(crate) no_version_text: &'static str,
}

impl Selection {
    /// Column names, those of filters included, are checked before the versions: seen in an official
    /// SDK's tests.
    pub(crate) fn parse(fields: &SelectionFields<'_>) -> Result<Self, ServiceError> {
        names::columns_to_get(fields.columns_to_get)?;
        let (filter, pagination) = match fields.filter.filter(|bytes| !bytes.is_empty()) {
            None => (None, None),
            Some(bytes) => match ReadFilter::parse(bytes)? {
                ReadFilter::Rows(filter) => (Some(filter), None),
                ReadFilter::Columns(pagination) => (None, Some(pagination)),
            },
        };
        let versions = VersionRange::parse(fields)?;
        let columns = (!fields.columns_to_get.is_empty()).then(|| {
            let mut columns = fields.columns_to_get.to_vec();
            columns.sort_unstable();
            columns.dedup();
            columns
        });
        Ok(Self {
            columns,
            start_column: fields.start_column.map(str::to_owned),
            end_column: fields.end_column.map(str::to_owned),
            versions,
            filter,
            pagination,
        })
    }

    /// Whether an attribute column is among those wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.in_window(name)
            && self.columns.as_ref().is_none_or(|columns| {
                columns
                    .binary_search_by(|column| column.as_str().cmp(name))
                    .is_ok()
            })
    }

    /// Whether a name lies between `start_column` and `end_column`.
    pub(crate) fn in_window(&self, name: &str) -> bool {
        self.start_column
            .as_ref()
            .is_none_or(|start| name >= start.as_str())
            && self
                .end_column
                .as_ref()
                .is_none_or(|end| name < end.as_str())
    }
}

impl VersionRange {
    fn parse(fields: &SelectionFields<'_>) -> Result<Self, ServiceError> {
        let refuse = |message: &str| Err(ServiceError::parameter(message));
        let range = fields.time_range.copied().unwrap_or_default();
        let times_ms = match (range.specific_time, range.start_time, range.end_time) {
            (Some(_), None, None) if fields.max_versions.is_some() => {
                // The spelling is the service's.
                return refuse(
                    "Specific tiemstamp and max versions cannot be given at the same time.",
                );
            }
            (Some(time), None, None) => time..time.saturating_add(1),
            (Some(_), _, _) => {
                return refuse(
                    "Specific tiemstamp and time range cannot be given at the same time.",
                );
            }
            (None, Some(start), Some(end)) if start > end => {
                return Err(ServiceError::parameter(format!(
                    "The start {start} of the time range lies after its end {end}."
                )));
            }
            (None, Some(start), Some(end)) => start..end,
            (None, None, None) if fields.max_versions.is_none() => {
                return refuse(fields.no_version_text);
            }
            (None, None, None) => 0..i64::MAX,
            (None, _, _) => return refuse("Start and end time must be given at the same time."),
        };
        let max_versions = match fields.max_versions {
            None => usize::MAX,
            Some(count) => match usize::try_from(count) {
                Ok(count) if count > 0 => count,
                _ => {
                    return Err(ServiceError::parameter(format!(
                        "max_versions must be greater than 0, found {count}."
                    )));
                }
            },
        };
        Ok(Self {
            times_ms,
            max_versions,
        })
    }

    /// Whether it wants just one version of a column.
    pub(crate) const fn is_one(&self) -> bool {
        self.max_versions == 1
    }

    /// The wanted ones of a column's visible versions, newest first.
    pub(crate) fn of<'v>(&self, versions: &'v [Version]) -> &'v [Version] {
        let Range { start, end } = self.times_ms;
        let first = versions.partition_point(|version| version.timestamp_ms >= end);
        let last = versions.partition_point(|version| version.timestamp_ms >= start);
        let last = last.min(first.saturating_add(self.max_versions));
        versions.get(first..last).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<'a>(
        time_range: Option<&'a TimeRange>,
        max_versions: Option<i32>,
    ) -> SelectionFields<'a> {
        SelectionFields {
            columns_to_get: &[],
            time_range,
            max_versions,
            filter: None,
            start_column: None,
            end_column: None,
            no_version_text: "No version condition is specified.",
        }
    }

    fn range(start: Option<i64>, end: Option<i64>, specific: Option<i64>) -> TimeRange {
        TimeRange {
            start_time: start,
            end_time: end,
            specific_time: specific,
        }
    }

    #[test]
    fn a_read_needs_a_version_condition_that_makes_sense() {
        let both = "Start and end time must be given at the same time.";
        for (time_range, max_versions, expected) in [
            (None, None, Some("No version condition is specified.")),
            (
                Some(range(None, None, None)),
                None,
                Some("No version condition is specified."),
            ),
            (None, Some(1), None),
            (
                None,
                Some(0),
                Some("max_versions must be greater than 0, found 0."),
            ),
            (Some(range(Some(1), Some(2), None)), None, None),
            (Some(range(Some(1), Some(2), None)), Some(1), None),
            (Some(range(Some(1), None, None)), None, Some(both)),
            (Some(range(None, Some(1), None)), Some(1), Some(both)),
            (Some(range(None, None, Some(1))), None, None),
            (
                Some(range(None, None, Some(1))),
                Some(1),
                Some("Specific tiemstamp and max versions cannot be given at the same time."),
            ),
            (
                Some(range(Some(1), Some(2), Some(1))),
                None,
                Some("Specific tiemstamp and time range cannot be given at the same time."),
            ),
        ] {
            let result = VersionRange::parse(&fields(time_range.as_ref(), max_versions));
            assert_eq!(
                result.err().map(|error| error.message).as_deref(),
                expected,
                "{time_range:?} {max_versions:?}"
            );
        }
    }

    #[test]
    fn versions_are_cut_by_time_and_by_number() {
        let versions: Vec<_> = [50, 40, 30, 20]
            .map(|timestamp_ms| Version {
                timestamp_ms,
                value: timestamp_ms.into(),
            })
            .into();
        let shown = |times_ms, max_versions| {
            let range = VersionRange {
                times_ms,
                max_versions,
            };
            let shown = range.of(&versions).iter();
            shown
                .map(|version| version.timestamp_ms)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(0..i64::MAX, 9), [50, 40, 30, 20]);
        assert_eq!(shown(20..50, 9), [40, 30, 20]);
        assert_eq!(shown(21..50, 1), [40]);
        assert_eq!(shown(30..31, 9), [30]);
        assert_eq!(shown(31..40, 9), [0; 0]);
    }

    #[test]
    fn the_window_includes_its_start_and_not_its_end() {
        let selection = Selection::parse(&SelectionFields {
            start_column: Some("b"),
            end_column: Some("d"),
            ..fields(None, Some(1))
        });
        let selection = selection.unwrap();
        let wanted = ["a", "b", "c", "cz", "d"].map(|name| selection.wants(name));
        assert_eq!(wanted, [false, true, true, true, false]);
    }
}
