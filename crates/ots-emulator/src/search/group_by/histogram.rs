//! Numbers and dates in intervals of one length.

use std::collections::BTreeSet;
use std::sync::Arc;

use ots_proto::ColumnValue;
use ots_proto::search::{
    DateTimeUnit, DateTimeValue, FieldRange, GroupByDateHistogram, GroupByHistogram,
};

use super::super::aggregation::given;
use super::super::date_format::time_zone_s;
use super::super::field::Field;
use super::super::key::{Double, Key, keys};
use super::super::schema::Schema;
use super::{field, refused};
use crate::date::{civil, days};
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// Numbers or dates in intervals of one length. Each interval's key is its beginning.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    field: Arc<Field>,
    interval: Interval,
    missing: Option<Key>,
    min: Option<Key>,
    max: Option<Key>,
}

#[derive(Clone, Copy, Debug)]
enum Interval {
    Long {
        length: i64,
        offset: i64,
    },
    Double {
        length: f64,
        offset: f64,
    },
    Date {
        count: i64,
        unit: DateTimeUnit,
        /// Milliseconds by which local time is ahead, and by which intervals are shifted.
        zone_ms: i64,
        offset_ms: i64,
    },
}

impl Histogram {
    pub(super) fn of_numbers(
        schema: &Schema,
        asked: &GroupByHistogram,
    ) -> Result<Self, ServiceError> {
        let field = field(schema, &asked.field, &["long", "double"])?;
        let offset = asked.offset.as_ref();
        let offset = offset.map(|offset| given(&field, offset)).transpose()?;
        let interval = match (given(&field, &asked.interval)?, offset) {
            (Key::Long(length @ 1..), None) => Interval::Long { length, offset: 0 },
            (Key::Long(length @ 1..), Some(Key::Long(offset))) => Interval::Long { length, offset },
            (Key::Double(Double(length)), offset) if length > 0.0 => Interval::Double {
                length,
                offset: offset.and_then(|offset| offset.number()).unwrap_or(0.0),
            },
            _ => return refused("the interval of a histogram must be positive".to_owned()),
        };
        Self::new(
            field,
            interval,
            asked.missing.as_ref(),
            asked.field_range.as_ref(),
        )
    }

    pub(super) fn of_dates(
        schema: &Schema,
        asked: &GroupByDateHistogram,
    ) -> Result<Self, ServiceError> {
        let field = field(schema, &asked.field, &["date"])?;
        let count = i64::from(asked.interval.value);
        if count < 1 {
            return refused(format!(
                "the interval of a date histogram must be positive, it is {count}"
            ));
        }
        let zone_s = match asked.time_zone.as_deref() {
            None | Some("") => 0,
            Some(text) => match time_zone_s(text) {
                Some(seconds) => seconds,
                None => {
                    return refused(format!(
                        "the time zone [{text}] is not supported by the emulator, only such as \
                         +08:00 are"
                    ));
                }
            },
        };
        let interval = Interval::Date {
            count,
            unit: asked.interval.unit,
            zone_ms: zone_s * 1000,
            offset_ms: asked.offset.map_or(Ok(0), fixed_ms)?,
        };
        Self::new(
            field,
            interval,
            asked.missing.as_ref(),
            asked.field_range.as_ref(),
        )
    }

    fn new(
        field: Arc<Field>,
        interval: Interval,
        missing: Option<&ColumnValue>,
        range: Option<&FieldRange>,
    ) -> Result<Self, ServiceError> {
        let given =
            |value: Option<&ColumnValue>| value.map(|value| given(&field, value)).transpose();
        Ok(Self {
            interval,
            missing: given(missing)?,
            min: given(range.and_then(|range| range.min.as_ref()))?,
            max: given(range.and_then(|range| range.max.as_ref()))?,
            field,
        })
    }

    pub(super) const fn is_of_dates(&self) -> bool {
        matches!(self.interval, Interval::Date { .. })
    }

    /// The intervals that the row's values are in.
    pub(super) fn keys(&self, row: &Arc<StoredRow>) -> BTreeSet<Key> {
        let values = keys(&self.field, row, self.missing.as_ref()).into_iter();
        let keys = values.filter_map(|value| self.interval.key(&value));
        let inside = |key: &Key| {
            self.min.as_ref().is_none_or(|min| min <= key)
                && self.max.as_ref().is_none_or(|max| key <= max)
        };
        keys.filter(inside).collect()
    }
}

impl Interval {
    fn key(self, value: &Key) -> Option<Key> {
        match (self, value) {
            (Self::Long { length, offset }, Key::Long(value)) => {
                let (length, offset) = (i128::from(length), i128::from(offset));
                let place = (i128::from(*value) - offset).div_euclid(length);
                i64::try_from(place * length + offset).ok().map(Key::Long)
            }
            (Self::Double { length, offset }, Key::Double(Double(value))) => {
                let key = ((value - offset) / length).floor() * length + offset;
                key.is_finite().then(|| Key::Double(Double::new(key)))
            }
            (
                Self::Date {
                    count,
                    unit,
                    zone_ms,
                    offset_ms,
                },
                Key::Date(value),
            ) => {
                let shift = zone_ms.saturating_sub(offset_ms);
                let begin = begin(value.saturating_add(shift), count, unit)?;
                Some(Key::Date(begin.saturating_sub(shift)))
            }
            _ => None,
        }
    }
}

/// Where the interval begins that a moment is in, both in milliseconds of local time. Weeks begin on
/// Mondays.
fn begin(ms: i64, count: i64, unit: DateTimeUnit) -> Option<i64> {
    let (year, month, _) = civil(ms.div_euclid(DAY_MS));
    let months = |length: i64| {
        let length = length.checked_mul(count)?;
        let begin = ((year - 1970) * 12 + month - 1).div_euclid(length) * length;
        let first = days(1970 + begin.div_euclid(12), begin.rem_euclid(12) + 1, 1);
        first.checked_mul(DAY_MS)
    };
    let fixed = |length: i64, origin: i64| {
        let length = length.checked_mul(count)?;
        Some((ms - origin).div_euclid(length) * length + origin)
    };
    match unit {
        DateTimeUnit::Year => months(12),
        DateTimeUnit::QuarterYear => months(3),
        DateTimeUnit::Month => months(1),
        DateTimeUnit::Week => fixed(7 * DAY_MS, FIRST_MONDAY_MS),
        DateTimeUnit::Day => fixed(DAY_MS, 0),
        DateTimeUnit::Hour => fixed(3_600_000, 0),
        DateTimeUnit::Minute => fixed(60_000, 0),
        DateTimeUnit::Second => fixed(1000, 0),
        DateTimeUnit::Millisecond => fixed(1, 0),
    }
}

/// A shift of intervals, which must have a length.
fn fixed_ms(span: DateTimeValue) -> Result<i64, ServiceError> {
    let unit = match span.unit {
        DateTimeUnit::Week => 7 * DAY_MS,
        DateTimeUnit::Day => DAY_MS,
        DateTimeUnit::Hour => 3_600_000,
        DateTimeUnit::Minute => 60_000,
        DateTimeUnit::Second => 1000,
        DateTimeUnit::Millisecond => 1,
        DateTimeUnit::Year | DateTimeUnit::QuarterYear | DateTimeUnit::Month => {
            return refused(
                "an offset of years or months in a date histogram is not supported by the emulator"
                    .to_owned(),
            );
        }
    };
    Ok(i64::from(span.value) * unit)
}

/// The key of a group of numbers.
pub(super) fn value(key: Key) -> ColumnValue {
    match key {
        Key::Double(Double(value)) => ColumnValue::Double(value),
        Key::Long(value) | Key::Date(value) => ColumnValue::Integer(value),
        other => ColumnValue::String(other.text()),
    }
}

const DAY_MS: i64 = 86_400_000;
/// 1970-01-05.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_begin_where_the_calendar_says() {
        let ms = |year, month, day| days(year, month, day) * DAY_MS;
        let moment = ms(2024, 2, 29) + 3_723_004;
        for (count, unit, expected) in [
            (1, DateTimeUnit::Year, ms(2024, 1, 1)),
            (1, DateTimeUnit::QuarterYear, ms(2024, 1, 1)),
            (1, DateTimeUnit::Month, ms(2024, 2, 1)),
            (1, DateTimeUnit::Week, ms(2024, 2, 26)),
            (1, DateTimeUnit::Day, ms(2024, 2, 29)),
            (1, DateTimeUnit::Hour, ms(2024, 2, 29) + 3_600_000),
            (1, DateTimeUnit::Second, ms(2024, 2, 29) + 3_723_000),
            (6, DateTimeUnit::Hour, ms(2024, 2, 29)),
        ] {
            assert_eq!(begin(moment, count, unit), Some(expected), "{unit:?}");
        }
        assert_eq!(begin(moment, i64::MAX, DateTimeUnit::Week), None);
    }
}
