//! What a column of text holds.

use arrow_array::types::TimestampMicrosecondType;
use arrow_cast::parse::Parser;
use ots_arrow::ColumnType;

/// How the fields of a CSV column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Boolean,
    Integer,
    Double,
    /// Microseconds since 1970.
    Timestamp,
    String,
    /// Never inferred.
    Base64,
}

impl Reading {
    /// The narrowest reading of one field that isn't empty.
    pub(super) fn of(text: &str) -> Self {
        if integer(text).is_some() {
            Self::Integer
        } else if double(text).is_some() {
            Self::Double
        } else if boolean(text).is_some() {
            Self::Boolean
        } else if timestamp(text).is_some() {
            Self::Timestamp
        } else {
            Self::String
        }
    }

    /// The narrowest reading of a column that has fields of both.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Integer, Self::Double) | (Self::Double, Self::Integer) => Self::Double,
            _ => Self::String,
        }
    }

    /// The reading for a type that the caller demands.
    pub(super) const fn for_type(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Integer => Self::Integer,
            ColumnType::Double => Self::Double,
            ColumnType::Boolean => Self::Boolean,
            ColumnType::String => Self::String,
            ColumnType::Binary => Self::Base64,
        }
    }

    /// The type that the values are stored as.
    pub(super) const fn column_type(self) -> ColumnType {
        match self {
            Self::Boolean => ColumnType::Boolean,
            Self::Integer | Self::Timestamp => ColumnType::Integer,
            Self::Double => ColumnType::Double,
            Self::String => ColumnType::String,
            Self::Base64 => ColumnType::Binary,
        }
    }
}

/// `12`, `-3`, `0`; not `007`, `+49` or `-0`, which wouldn't read back the same.
pub(super) fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0" && digits.len() == text.len()
        || digits.starts_with(|first: char| matches!(first, '1'..='9'));
    plain.then(|| text.parse().ok()).flatten()
}

/// `0.5`, `-12`, `.5`, `1e9`; not `NaN`, `inf` or `1e999`, which a table can't store, nor `007.5`.
pub(super) fn double(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut bytes = digits.bytes();
    let plain = match (bytes.next()?, bytes.next()) {
        (b'0', Some(next)) => !next.is_ascii_digit(),
        (b'0'..=b'9', _) => true,
        (b'.', next) => next.is_some_and(|next| next.is_ascii_digit()),
        _ => false,
    };
    // A run of digits alone that is too long for an integer is an identifier: keep every digit.
    let fractional = digits.bytes().any(|byte| !byte.is_ascii_digit());
    let exact = fractional || text.parse::<i64>().is_ok();
    let value = (plain && exact)
        .then(|| text.parse::<f64>().ok())
        .flatten()?;
    value.is_finite().then_some(value)
}

/// `true` and `false`, whatever the case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// `2026-01-31 12:00:00`, with a `T`, a fraction or a zone if need be, as microseconds since 1970.
///
/// A date alone stays text.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let has_time = matches!(text.as_bytes().get(10), Some(b' ' | b'T'));
    let has_seconds = text.as_bytes().get(16) == Some(&b':');
    (has_time && has_seconds).then(|| TimestampMicrosecondType::parse(text))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_back_the_same_is_a_number() {
        let cases = [
            ("0", Reading::Integer),
            ("-7", Reading::Integer),
            ("9223372036854775807", Reading::Integer),
            ("-9223372036854775808", Reading::Integer),
            ("9223372036854775808", Reading::String),
            ("12345678901234567890123", Reading::String),
            ("00601", Reading::String),
            ("-0", Reading::Double),
            ("-00", Reading::String),
            ("+49", Reading::String),
            ("1 000", Reading::String),
            ("1,5", Reading::String),
            ("0x1f", Reading::String),
            ("0.5", Reading::Double),
            (".5", Reading::Double),
            ("5.", Reading::Double),
            ("1e9", Reading::Double),
            ("-1.5E-3", Reading::Double),
            ("1e999", Reading::String),
            ("007.5", Reading::String),
            ("NaN", Reading::String),
            ("inf", Reading::String),
            ("-infinity", Reading::String),
            (".", Reading::String),
            ("-", Reading::String),
            ("e5", Reading::String),
            ("true", Reading::Boolean),
            ("FALSE", Reading::Boolean),
            ("t", Reading::String),
            ("2026-01-31", Reading::String),
            ("2026-01-31 12:00:00", Reading::Timestamp),
            ("2026-01-31T12:00:00.123456Z", Reading::Timestamp),
            ("2026-01-31T12:00:00+08:00", Reading::Timestamp),
            ("2026-01-31T12:00", Reading::String),
            ("2026-13-31 12:00:00", Reading::String),
            ("杭州", Reading::String),
        ];
        for (text, reading) in cases {
            assert_eq!(Reading::of(text), reading, "{text}");
        }
    }

    #[test]
    fn timestamps_are_microseconds_since_1970_in_utc() {
        let cases = [
            ("1970-01-01 00:00:00", 0),
            ("1970-01-01T00:00:01.5", 1_500_000),
            ("1970-01-01T08:00:00+08:00", 0),
            ("1969-12-31 23:59:59.999999", -1),
        ];
        for (text, micros) in cases {
            assert_eq!(timestamp(text), Some(micros), "{text}");
        }
    }

    #[test]
    fn mixed_columns_take_the_narrowest_reading_of_both() {
        use Reading::{Boolean, Double, Integer, String, Timestamp};
        let cases = [
            (Integer, Integer, Integer),
            (Integer, Double, Double),
            (Double, Integer, Double),
            (Integer, Boolean, String),
            (Integer, Timestamp, String),
            (String, Double, String),
        ];
        for (a, b, both) in cases {
            assert_eq!(a.or(b), both);
        }
    }
}
