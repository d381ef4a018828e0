//! In which form a DATE stands in its column.

use crate::date::{civil, days};
use crate::error::ServiceError;

/// In which form a DATE stands in its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DateFormat {
    /// An integer.
    Epoch(EpochUnit),
    /// Text.
    Pattern(Pattern),
}

/// What an integer in a DATE field counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EpochUnit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

/// A form of text, such as `yyyy-MM-dd HH:mm:ss.SSS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Literal(char),
    /// A letter, and how often it stands there: so many digits, no more and no less, but for a single
    /// letter, which takes two digits as well.
    Letter(char, usize),
}

impl DateFormat {
    pub(crate) fn parse(name: &str, format: &str) -> Result<Self, ServiceError> {
        Ok(Self::Epoch(match format {
            "epoch_second" => EpochUnit::Seconds,
            "epoch_millis" => EpochUnit::Millis,
            "epoch_micros" => EpochUnit::Micros,
            "epoch_nanos" => EpochUnit::Nanos,
            pattern => return Pattern::parse(name, pattern).map(Self::Pattern),
        }))
    }
}

impl EpochUnit {
    /// Nanoseconds of one unit.
    pub(crate) const fn nanos(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }
}

impl Pattern {
    fn parse(name: &str, pattern: &str) -> Result<Self, ServiceError> {
        let refused = |what: &str| {
            ServiceError::parameter(format!(
                "the date format [{pattern}] of field [{name}] is not supported: {what}"
            ))
        };
        let mut parts = Vec::new();
        let mut characters = pattern.chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '\'' if characters.next_if_eq(&'\'').is_some() => parts.push(Part::Literal('\'')),
                '\'' => loop {
                    match characters.next() {
                        Some('\'') => break,
                        Some(literal) => parts.push(Part::Literal(literal)),
                        None => return Err(refused("a quotation has no end")),
                    }
                },
                'y' | 'M' | 'd' | 'a' | 'K' | 'H' | 'm' | 's' | 'S' | 'X' | 'x' => {
                    let mut count = 1;
                    while characters.next_if_eq(&c).is_some() {
                        count += 1;
                    }
                    let most = match c {
                        'y' => 4,
                        'S' => 9,
                        'X' | 'x' => 3,
                        'a' => 1,
                        _ => 2,
                    };
                    if count > most {
                        return Err(refused(&format!("{count} times the letter {c}")));
                    }
                    parts.push(Part::Letter(c, count));
                }
                c if c.is_alphabetic() => return Err(refused(&format!("the letter {c}"))),
                literal => parts.push(Part::Literal(literal)),
            }
        }
        Ok(Self(parts))
    }

    /// Nanoseconds since 1970 of a text in this form, to its end.
    pub(crate) fn read(&self, text: &str) -> Option<i128> {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        let (mut hour, mut minute, mut second, mut nanos) = (0, 0, 0, 0);
        let (mut noon, mut zone_s) = (0, 0);
        let mut rest = text;
        for part in &self.0 {
            match *part {
                Part::Literal(literal) => rest = rest.strip_prefix(literal)?,
                Part::Letter('a', _) => {
                    let (word, after) = rest.split_at_checked(2)?;
                    noon = match word {
                        "AM" | "am" => 0,
                        "PM" | "pm" => 12,
                        _ => return None,
                    };
                    rest = after;
                }
                Part::Letter(letter @ ('X' | 'x'), count) => {
                    (zone_s, rest) = zone(rest, letter == 'X', count)?;
                }
                Part::Letter(letter, count) => {
                    let (number, after) = digits(rest, count, letter)?;
                    rest = after;
                    let place = match letter {
                        'y' => &mut year,
                        'M' => &mut month,
                        'd' => &mut day,
                        'K' | 'H' => &mut hour,
                        'm' => &mut minute,
                        's' => &mut second,
                        _ => &mut nanos,
                    };
                    *place = number;
                    if letter == 'S' {
                        let missing = u32::try_from(9_usize.saturating_sub(count)).ok()?;
                        nanos *= 10_i64.pow(missing);
                    }
                    if letter == 'K' && number > 11 {
                        return None;
                    }
                }
            }
        }
        hour += noon;
        let number = days(year, month, day);
        let valid = rest.is_empty()
            && (1..=12).contains(&month)
            && civil(number) == (year, month, day)
            && hour < 24
            && minute < 60
            && second < 60;
        let seconds = number * 86_400 + hour * 3600 + minute * 60 + second - zone_s;
        valid.then(|| i128::from(seconds) * 1_000_000_000 + i128::from(nanos))
    }
}

fn digits(text: &str, count: usize, letter: char) -> Option<(i64, &str)> {
    let present = text.bytes().take_while(u8::is_ascii_digit).count();
    let taken = match count {
        1 if letter != 'S' => present.min(2),
        _ => count,
    };
    if taken == 0 || taken > present {
        return None;
    }
    let (number, rest) = text.split_at_checked(taken)?;
    Some((number.parse().ok()?, rest))
}

/// Seconds east of Greenwich: `+08`, `+0800` or `+08:00`, or `Z` for none where `X` stands.
fn zone(text: &str, z: bool, count: usize) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix('Z').filter(|_| z) {
        return Some((0, rest));
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, rest) = digits(rest, 2, 'H')?;
    let (minutes, rest) = match count {
        1 => (0, rest),
        2 => digits(rest, 2, 'm')?,
        _ => digits(rest.strip_prefix(':')?, 2, 'm')?,
    };
    (hours <= 18 && minutes < 60).then_some((sign * (hours * 3600 + minutes * 60), rest))
}

/// Seconds east of Greenwich of a time zone such as `+08:00`, `+8` or `Z`.
pub(crate) fn time_zone_s(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "UTC" | "GMT") {
        return Some(0);
    }
    [3, 2, 1].into_iter().find_map(|count| {
        zone(text, true, count)
            .filter(|(_, rest)| rest.is_empty())
            .map(|(seconds, _)| seconds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str, text: &str) -> Option<i128> {
        match DateFormat::parse("f", pattern).unwrap() {
            DateFormat::Pattern(pattern) => pattern.read(text),
            DateFormat::Epoch(_) => None,
        }
    }

    #[test]
    fn patterns_read_what_has_their_form() {
        const S: i128 = 1_000_000_000;
        for (pattern, text, expected) in [
            ("yyyy-MM-dd", "1970-01-02", Some(86_400 * S)),
            ("yyyy-MM-dd", "2022-05-1", None),
            ("yyyy-MM-dd", "2022-02-30", None),
            ("yyyy-MM-dd", "2022-02-03x", None),
            ("yyyy-M-d", "1970-1-2", Some(86_400 * S)),
            (
                "yyyy-MM-dd HH:mm:ss.SSS",
                "1970-01-01 00:00:01.500",
                Some(3 * S / 2),
            ),
            ("yyyy-MM-dd'T'HH:mm:ssX", "1970-01-01T08:00:00+08", Some(0)),
            ("yyyy-MM-dd'T'HH:mm:ssXXX", "1970-01-01T00:00:00Z", Some(0)),
            ("yyyy-MM-dd'T'HH:mm:ssxx", "1970-01-01T00:00:00Z", None),
            (
                "yyyy-MM-dd'T'HH:mm:ssxx",
                "1970-01-01T01:00:00+0100",
                Some(0),
            ),
            (
                "dd/MM/yyyy KK:mm a",
                "01/01/1970 01:00 PM",
                Some(13 * 3600 * S),
            ),
            ("dd/MM/yyyy KK:mm a", "01/01/1970 13:00 PM", None),
            ("yyyy", "梨", None),
        ] {
            assert_eq!(read(pattern, text), expected, "{pattern}: {text}");
        }
    }

    #[test]
    fn unknown_letters_are_refused() {
        for pattern in ["yyyy-MM-dd E", "'T", "yyyyy", "hh"] {
            assert!(DateFormat::parse("f", pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn time_zones_are_hours_and_minutes() {
        for (text, expected) in [
            ("+08:00", Some(28_800)),
            ("-0330", Some(-12_600)),
            ("+08", Some(28_800)),
            ("Z", Some(0)),
            ("Asia/Shanghai", None),
        ] {
            assert_eq!(time_zone_s(text), expected, "{text}");
        }
    }
}
