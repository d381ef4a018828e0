//! What a read can leave out: rows, or columns of them.

use std::ops::{Range, RangeFrom, RangeTo};

use bytes::Bytes;

use super::error::{FilterError, FilterErrorKind};
use super::{ColumnFilter, Filter, wire};

/// What the `filter` field of a read can say.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "rows or columns")]
pub enum ReadFilter {
    /// Which rows to return.
    Rows(Filter),
    /// Which columns of every row to return, by position.
    Columns(ColumnPagination),
}

/// A window of the columns of every row, by position in the order of their names.
///
/// ```
/// use ots_proto::filter::{ColumnPagination, ReadFilter};
///
/// let second_page = ReadFilter::from(ColumnPagination::new(10, 10));
/// assert_eq!(ReadFilter::decode(second_page.encode()?)?, second_page);
/// # Ok::<(), ots_proto::filter::FilterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ColumnPagination {
    /// How many columns to leave out first. Counted from the start of a [`ColumnRange`], if there is
    /// one.
    pub offset: u32,
    /// How many columns to return then, at least 1.
    pub limit: u32,
}

/// A window of the columns of every row, by name: from one, inclusive, to another, exclusive,
/// bytewise.
///
/// ```
/// use ots_proto::filter::ColumnRange;
///
/// let january = ColumnRange::from("2025-01".."2025-02");
/// let later = ColumnRange::from("2025-02"..);
/// assert_eq!(january.end(), later.start());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnRange {
    start: Option<String>,
    end: Option<String>,
}

impl ReadFilter {
    /// The bytes of the field.
    ///
    /// # Errors
    /// As [`Filter::encode`]; and when a pagination has a limit of 0 or a number beyond 31 bits.
    pub fn encode(&self) -> Result<Bytes, FilterError> {
        match self {
            Self::Rows(filter) => filter.encode(),
            Self::Columns(pagination) => wire::encode_pagination(*pagination),
        }
    }

    /// What the bytes of the field say.
    ///
    /// # Errors
    /// As [`Filter::decode`], except that a pagination is welcome here if it is the whole filter.
    pub fn decode(buffer: impl Into<Bytes>) -> Result<Self, FilterError> {
        wire::decode_read(buffer.into())
    }
}

impl ColumnPagination {
    /// At most `limit` columns after the first `offset`.
    #[must_use]
    pub const fn new(offset: u32, limit: u32) -> Self {
        Self { offset, limit }
    }
}

impl ColumnRange {
    /// The first column wanted; absent means from the very first.
    #[must_use]
    pub fn start(&self) -> Option<&str> {
        self.start.as_deref()
    }

    /// The column to stop before; absent means to the very last.
    #[must_use]
    pub fn end(&self) -> Option<&str> {
        self.end.as_deref()
    }

    /// The fields `start_column` and `end_column` of a request.
    ///
    /// # Errors
    /// When the end isn't after the start: no column could lie between them.
    pub fn into_fields(self) -> Result<(Option<String>, Option<String>), FilterError> {
        match (self.start, self.end) {
            (Some(start), Some(end)) if start >= end => {
                Err(FilterErrorKind::ColumnRange { start, end }.into())
            }
            fields => Ok(fields),
        }
    }
}

impl From<Filter> for ReadFilter {
    fn from(filter: Filter) -> Self {
        Self::Rows(filter)
    }
}

impl From<ColumnFilter> for ReadFilter {
    fn from(filter: ColumnFilter) -> Self {
        Self::Rows(filter.into())
    }
}

impl From<ColumnPagination> for ReadFilter {
    fn from(pagination: ColumnPagination) -> Self {
        Self::Columns(pagination)
    }
}

impl<S: Into<String>> From<Range<S>> for ColumnRange {
    fn from(range: Range<S>) -> Self {
        Self {
            start: Some(range.start.into()),
            end: Some(range.end.into()),
        }
    }
}

impl<S: Into<String>> From<RangeFrom<S>> for ColumnRange {
    fn from(range: RangeFrom<S>) -> Self {
        Self {
            start: Some(range.start.into()),
            end: None,
        }
    }
}

impl<S: Into<String>> From<RangeTo<S>> for ColumnRange {
    fn from(range: RangeTo<S>) -> Self {
        Self {
            start: None,
            end: Some(range.end.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_columns_has_the_ends_it_was_given() {
        let fields = |range: ColumnRange| range.into_fields().unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(fields(("a".."c").into()), (text("a"), text("c")));
        assert_eq!(fields(("a"..).into()), (text("a"), None));
        assert_eq!(fields((.."c".to_owned()).into()), (None, text("c")));
    }

    #[test]
    fn a_range_that_no_column_lies_in_is_refused() {
        for (start, end) in [("b", "a"), ("a", "a"), ("a", "A")] {
            let error = ColumnRange::from(start..end).into_fields().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "end_column {end:?} is not after start_column {start:?}: no column lies between them"
                )
            );
        }
    }
}
