//! The forms of date in the headers: `2024-01-02T03:04:05.678Z` and back, and `20240102`.
//!
//! Thirty lines of calendar instead of a date library in everyone's dependencies.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `x-ots-date` of a request: UTC, with milliseconds.
pub(crate) fn format(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let millis = since.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The day that a key of signature V4 is derived for: `20240102`, UTC.
pub(crate) fn sign_date(time: SystemTime) -> String {
    let (year, month, day) = civil_from_days(day(time));
    format!("{year:04}{month:02}{day:02}")
}

/// Days since 1970, UTC.
pub(crate) fn day(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        / 86_400
}

/// `x-ots-date` of a response. The fraction may have any number of digits, or be missing.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let text = text.strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let valid = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !valid {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Year, month and day of a number of days since 1970, by the calendar's 400-year cycle that begins
/// in March, so that the leap day comes last.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn known_dates_are_written() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_704_164_645, "2024-01-02T03:04:05.000Z"),
            (4_102_444_799, "2099-12-31T23:59:59.000Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(format(at(seconds)), text);
            assert_eq!(parse(text), Some(at(seconds)));
            let day = text.get(..10).unwrap().replace('-', "");
            assert_eq!(sign_date(at(seconds)), day);
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in 0..146_097 {
            let time = at(day * 86_400 + 12_345);
            assert_eq!(parse(&format(time)), Some(time));
        }
    }

    #[test]
    fn dates_of_the_service_with_six_digits_are_read() {
        assert_eq!(
            parse("2020-09-09T08:37:11.680616Z"),
            Some(at(1_599_640_631))
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "Z",
            "2020-09-09",
            "2020-13-09T08:37:11Z",
            "2020-09-09T08:37:11.Z",
            "nonsense",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
