//! Dates as they stand in headers: UTC, `YYYY-MM-DDTHH:MM:SS`, a fraction, `Z`.

/// Writes microseconds since 1970 with six digits of fraction, as the service does.
pub(crate) fn format_us(us: i64) -> String {
    let (seconds, fraction) = (us.div_euclid(1_000_000), us.rem_euclid(1_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z")
}

/// Seconds since 1970 of a date; none if it is none.
///
/// The fraction may be any digits or missing: one official SDK writes other parts of the date there.
pub(crate) fn parse_s(text: &str) -> Option<i64> {
    let body = text.strip_suffix('Z')?;
    let (whole, fraction) = body.split_once('.').unwrap_or((body, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (date, time) = whole.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let plausible = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    plausible.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Days since 1970 of a day of the Gregorian calendar: years begin in March, so that the leap day is
/// the last of its year, and 400 of them have 146,097 days.
pub(crate) const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days`].
pub(crate) const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read() {
        for (us, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (1_599_640_631_680_616, "2020-09-09T08:37:11.680616Z"),
            (1_767_225_599_000_000, "2025-12-31T23:59:59.000000Z"),
        ] {
            assert_eq!(format_us(us), text);
            assert_eq!(parse_s(text), Some(us / 1_000_000));
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in -3000..146_097 {
            let (year, month, date) = civil(day);
            assert_eq!(days(year, month, date), day);
        }
    }

    #[test]
    fn the_fraction_is_read_loosely() {
        for text in [
            "2024-01-02T03:04:05Z",
            "2024-01-02T03:04:05.0Z",
            "2024-01-02T03:04:05.10203Z",
        ] {
            assert_eq!(parse_s(text), Some(1_704_164_645), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "Z",
            "2024-01-02",
            "2024-01-02 03:04:05Z",
            "2024-01-02T03:04:05",
            "2024-01-02T03:04:05.Z",
            "2024-13-02T03:04:05Z",
            "2024-01-02T24:04:05Z",
            "24-01-02T03:04:05Z",
            "2024-01-02T03:04:05:06Z",
            "+024-01-02T03:04:05Z",
            "Tue, 02 Jan 2024 03:04:05 GMT",
        ] {
            assert_eq!(parse_s(text), None, "{text}");
        }
    }
}
