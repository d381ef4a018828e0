//! Points in time, kept as integers in a unit that the field names.

use std::time::{Duration, SystemTime};

use super::error::ValueError;

/// The unit in which a point in time is counted since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: what an i64 is used for")]
pub enum TimestampUnit {
    /// Seconds, `"s"`.
    Seconds,
    /// Milliseconds, `"ms"`: the service's own unit, for versions of cells.
    Milliseconds,
    /// Microseconds, `"us"`.
    Microseconds,
    /// Nanoseconds, `"ns"`: from 1677 to 2262.
    Nanoseconds,
}

impl TimestampUnit {
    /// How many nanoseconds one of it is.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}

/// A point in time, for fields with `#[ots(timestamp = "ms")]` (or `"s"`, `"us"`, `"ns"`).
///
/// The column is an INTEGER. What is finer than the unit is cut off on writing, towards the past;
/// what an `i64` in this unit can't hold is refused. Implemented for [`SystemTime`], with the feature
/// `jiff` for `jiff::Timestamp`, and for `Option`s of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a point in time",
    note = "`SystemTime` is, and `jiff::Timestamp` with the feature `jiff`"
)]
pub trait TimestampValue: Sized {
    /// The point in time `count` units after 1970, before it if negative.
    ///
    /// # Errors
    /// When the type can't hold it.
    fn from_unix(count: i64, unit: TimestampUnit) -> Result<Self, ValueError>;

    /// The units since 1970; none leaves the column out.
    ///
    /// # Errors
    /// When an `i64` can't hold them.
    fn into_unix(self, unit: TimestampUnit) -> Result<Option<i64>, ValueError>;

    /// What stands for a missing column; none when the column is needed.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: TimestampValue> TimestampValue for Option<T> {
    fn from_unix(count: i64, unit: TimestampUnit) -> Result<Self, ValueError> {
        T::from_unix(count, unit).map(Some)
    }

    fn into_unix(self, unit: TimestampUnit) -> Result<Option<i64>, ValueError> {
        self.map_or(Ok(None), |time| time.into_unix(unit))
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl TimestampValue for SystemTime {
    fn from_unix(count: i64, unit: TimestampUnit) -> Result<Self, ValueError> {
        let magnitude =
            u128::from(count.unsigned_abs()) * u128::from(unit.nanoseconds().unsigned_abs());
        let distance = duration(magnitude);
        let time = if count < 0 {
            Self::UNIX_EPOCH.checked_sub(distance)
        } else {
            Self::UNIX_EPOCH.checked_add(distance)
        };
        time.ok_or(ValueError::out_of_range("SystemTime"))
    }

    fn into_unix(self, unit: TimestampUnit) -> Result<Option<i64>, ValueError> {
        let nanoseconds = match self.duration_since(Self::UNIX_EPOCH) {
            Ok(after) => i128::try_from(after.as_nanos()),
            Err(before) => i128::try_from(before.duration().as_nanos()).map(|count| -count),
        };
        match nanoseconds {
            Ok(nanoseconds) => count(nanoseconds, unit),
            Err(_) => Err(ValueError::out_of_range("i64")),
        }
    }
}

#[cfg(feature = "jiff")]
impl TimestampValue for jiff::Timestamp {
    fn from_unix(count: i64, unit: TimestampUnit) -> Result<Self, ValueError> {
        let nanoseconds = i128::from(count) * i128::from(unit.nanoseconds());
        Self::from_nanosecond(nanoseconds).map_err(|_| ValueError::out_of_range("Timestamp"))
    }

    fn into_unix(self, unit: TimestampUnit) -> Result<Option<i64>, ValueError> {
        count(self.as_nanosecond(), unit)
    }
}

fn count(nanoseconds: i128, unit: TimestampUnit) -> Result<Option<i64>, ValueError> {
    i64::try_from(nanoseconds.div_euclid(unit.nanoseconds().into()))
        .map(Some)
        .map_err(|_| ValueError::out_of_range("i64"))
}

/// Of at most 2^63 seconds, in nanoseconds.
fn duration(nanoseconds: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanoseconds / SECOND).unwrap_or(u64::MAX);
    let rest = u32::try_from(nanoseconds % SECOND).unwrap_or(0);
    Duration::new(seconds, rest)
}

#[cfg(test)]
mod tests {
    use TimestampUnit::{Microseconds, Milliseconds, Nanoseconds, Seconds};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_finer_than_the_unit_is_cut_towards_the_past() {
        let after = SystemTime::UNIX_EPOCH + Duration::from_micros(1_999);
        assert_eq!(after.into_unix(Milliseconds).unwrap(), Some(1));
        let before = SystemTime::UNIX_EPOCH - Duration::from_micros(1);
        assert_eq!(before.into_unix(Milliseconds).unwrap(), Some(-1));
        assert_eq!(before.into_unix(Microseconds).unwrap(), Some(-1));
        assert_eq!(before.into_unix(Seconds).unwrap(), Some(-1));
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn a_time_beyond_the_type_is_refused() {
        let beyond = jiff::Timestamp::from_unix(i64::MAX, Milliseconds).unwrap_err();
        assert_eq!(
            beyond.to_string(),
            "the value is out of range for Timestamp"
        );
        let beyond = jiff::Timestamp::MAX.into_unix(Nanoseconds).unwrap_err();
        assert_eq!(beyond.to_string(), "the value is out of range for i64");
        let time: jiff::Timestamp = "2024-02-29T12:00:00.123Z".parse().unwrap();
        assert_eq!(
            time.into_unix(Milliseconds).unwrap(),
            Some(1_709_208_000_123)
        );
    }

    proptest! {
        #[test]
        fn units_come_back_as_they_were(count in -(1_i64 << 53)..1 << 53) {
            for unit in [Milliseconds, Microseconds, Nanoseconds] {
                let time = SystemTime::from_unix(count, unit).unwrap();
                prop_assert_eq!(time.into_unix(unit).unwrap(), Some(count));
            }
        }
    }
}
