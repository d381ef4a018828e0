//! What a query asks of one value of a field, with the query's own values turned into the field's type.

use std::collections::HashSet;
use std::ops::Bound;

use ots_proto::ColumnValue;
use ots_proto::search::GeoPoint;

use super::doc::Doc;
use super::field::{Field, Kind, Scalar};
use super::geo::{BoundingBox, Polygon, distance_m};
use super::kind::{epoch_nanos, ip, pattern_nanos};
use crate::error::ServiceError;

/// What a query asks of one value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Predicate {
    /// Nothing satisfies it, for example a LONG that should be 1.5.
    Never,
    /// Any value does.
    Present,
    /// A LONG, or a DATE in nanoseconds, both ends included.
    Between {
        min: i64,
        max: i64,
    },
    /// Rising, without repetitions.
    LongIn(Vec<i64>),
    DoubleWithin(Bound<f64>, Bound<f64>),
    DoubleIn(Vec<f64>),
    /// Whether false will do, and whether true will.
    BooleanIn {
        no: bool,
        yes: bool,
    },
    TextIs(String),
    TextIn(HashSet<String>),
    TextWithin(Bound<String>, Bound<String>),
    TextPrefix(String),
    TextSuffix(String),
    /// `*` stands for any characters, `?` for one.
    TextLike(Vec<char>),
    IpIn(Vec<u128>),
    IpWithin(Bound<u128>, Bound<u128>),
    Near {
        center: GeoPoint,
        metres: f64,
    },
    InBox(BoundingBox),
    InPolygon(Polygon),
}

impl Predicate {
    /// Equal to one of the values.
    pub(crate) fn one_of(field: &Field, values: &[ColumnValue]) -> Result<Self, ServiceError> {
        match &field.kind {
            Kind::Long => {
                let numbers = collect(values, |value| long(field, value))?;
                Ok(longs(
                    numbers.into_iter().filter_map(|number| number.exact()),
                ))
            }
            Kind::Date(_) => {
                let dates = collect(values, |value| date(field, value))?;
                Ok(longs(
                    dates
                        .into_iter()
                        .filter_map(|nanos| i64::try_from(nanos).ok()),
                ))
            }
            Kind::Double => Ok(Self::DoubleIn(collect(values, |value| {
                double(field, value)
            })?)),
            Kind::Boolean => {
                let wanted = collect(values, |value| boolean(field, value))?;
                Ok(Self::BooleanIn {
                    no: wanted.contains(&false),
                    yes: wanted.contains(&true),
                })
            }
            Kind::Keyword | Kind::FuzzyKeyword | Kind::Text(_) => {
                let mut texts = collect(values, |value| text(field, value))?;
                match texts.pop() {
                    Some(only) if texts.is_empty() => Ok(Self::TextIs(only)),
                    last => Ok(Self::TextIn(texts.into_iter().chain(last).collect())),
                }
            }
            Kind::Ip => Ok(Self::IpIn(collect(values, |value| address(field, value))?)),
            Kind::GeoPoint | Kind::Vector(_) | Kind::Nested | Kind::Json => {
                Err(unsupported("a term query", field))
            }
        }
    }

    /// Between two values.
    pub(crate) fn range(
        field: &Field,
        from: &Bound<ColumnValue>,
        to: &Bound<ColumnValue>,
    ) -> Result<Self, ServiceError> {
        match &field.kind {
            Kind::Long => Ok(between(
                map(from, |value| long(field, value))?.map(|number| (number.floor, number.whole)),
                map(to, |value| long(field, value))?.map(|number| (number.floor, number.whole)),
            )),
            Kind::Date(_) => Ok(between(
                map(from, |value| date(field, value))?.map(|nanos| (nanos, true)),
                map(to, |value| date(field, value))?.map(|nanos| (nanos, true)),
            )),
            Kind::Double => Ok(Self::DoubleWithin(
                map(from, |value| double(field, value))?,
                map(to, |value| double(field, value))?,
            )),
            Kind::Boolean => {
                let from = map(from, |value| boolean(field, value))?;
                let to = map(to, |value| boolean(field, value))?;
                Ok(Self::BooleanIn {
                    no: within(&from, &to, &false),
                    yes: within(&from, &to, &true),
                })
            }
            Kind::Keyword | Kind::FuzzyKeyword | Kind::Text(_) => Ok(Self::TextWithin(
                map(from, |value| text(field, value))?,
                map(to, |value| text(field, value))?,
            )),
            Kind::Ip => Ok(Self::IpWithin(
                map(from, |value| address(field, value))?,
                map(to, |value| address(field, value))?,
            )),
            Kind::GeoPoint | Kind::Vector(_) | Kind::Nested | Kind::Json => {
                Err(unsupported("a range query", field))
            }
        }
    }

    /// Starting with a text.
    pub(crate) fn prefix(field: &Field, prefix: &str) -> Result<Self, ServiceError> {
        match field.kind {
            Kind::Keyword | Kind::FuzzyKeyword | Kind::Text(_) => {
                Ok(Self::TextPrefix(prefix.to_owned()))
            }
            _ => Err(unsupported("a prefix query", field)),
        }
    }

    /// Ending with a text.
    pub(crate) fn suffix(field: &Field, suffix: &str) -> Result<Self, ServiceError> {
        match field.kind {
            Kind::FuzzyKeyword => Ok(Self::TextSuffix(suffix.to_owned())),
            _ => Err(unsupported("a suffix query", field)),
        }
    }

    /// Like a text with `*` and `?`.
    pub(crate) fn wildcard(field: &Field, pattern: &str) -> Result<Self, ServiceError> {
        match field.kind {
            Kind::Keyword | Kind::FuzzyKeyword | Kind::Text(_) => {
                Ok(Self::TextLike(pattern.chars().collect()))
            }
            _ => Err(unsupported("a wildcard query", field)),
        }
    }

    /// At a place, in one of three ways.
    pub(crate) fn place(field: &Field, query: &str, place: Self) -> Result<Self, ServiceError> {
        match field.kind {
            Kind::GeoPoint => Ok(place),
            _ => Err(unsupported(query, field)),
        }
    }

    /// Whether some value of the document's field satisfies it; of a TEXT, some token.
    #[inline]
    pub(crate) fn holds_for(&self, field: &Field, doc: Doc<'_>) -> bool {
        match (&field.kind, self) {
            (Kind::Text(_), Self::Present) => field.any(doc, |_| true),
            (Kind::Text(analyzer), _) => field.any(doc, |value| match value {
                Scalar::Text(text) => analyzer.any_token(text, |token| self.holds_token(token)),
                _ => false,
            }),
            _ => field.any(doc, |value| self.holds(value)),
        }
    }

    /// Whether one token of a TEXT satisfies it.
    pub(crate) fn holds_token(&self, token: &str) -> bool {
        self.holds(Scalar::Text(token))
    }

    #[inline]
    fn holds(&self, value: Scalar<'_>) -> bool {
        match (self, value) {
            (Self::Present, _) => true,
            (Self::Between { min, max }, Scalar::Long(value) | Scalar::Date(value)) => {
                *min <= value && value <= *max
            }
            (Self::LongIn(values), Scalar::Long(value) | Scalar::Date(value)) => {
                values.binary_search(&value).is_ok()
            }
            (Self::DoubleWithin(from, to), Scalar::Double(value)) => within(from, to, &value),
            (Self::DoubleIn(values), Scalar::Double(value)) => values.contains(&value),
            (Self::BooleanIn { no, yes }, Scalar::Boolean(value)) => {
                if value {
                    *yes
                } else {
                    *no
                }
            }
            (Self::TextIs(wanted), Scalar::Text(value)) => wanted == value,
            (Self::TextIn(wanted), Scalar::Text(value)) => wanted.contains(value),
            (Self::TextPrefix(prefix), Scalar::Text(value)) => value.starts_with(prefix.as_str()),
            (Self::TextSuffix(suffix), Scalar::Text(value)) => value.ends_with(suffix.as_str()),
            (Self::TextLike(pattern), Scalar::Text(value)) => is_like(value, pattern),
            (Self::IpIn(wanted), Scalar::Ip(value)) => wanted.contains(&value),
            (Self::IpWithin(from, to), Scalar::Ip(value)) => within(from, to, &value),
            (Self::Near { center, metres }, Scalar::Point(point)) => {
                distance_m(*center, point) <= *metres
            }
            (Self::InBox(bounds), Scalar::Point(point)) => bounds.contains(point),
            (Self::InPolygon(polygon), Scalar::Point(point)) => polygon.contains(point),
            (Self::TextWithin(from, to), Scalar::Text(value)) => within(
                &from.as_ref().map(String::as_str),
                &to.as_ref().map(String::as_str),
                &value,
            ),
            _ => false,
        }
    }
}

/// A number that a LONG is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Number {
    floor: i128,
    /// Whether `floor` is the number itself.
    whole: bool,
}

impl Number {
    fn exact(self) -> Option<i64> {
        if self.whole {
            i64::try_from(self.floor).ok()
        } else {
            None
        }
    }
}

/// An integer, a float, or the text of an integer: official tests search LONG fields with `"28"`.
fn long(field: &Field, value: &ColumnValue) -> Result<Number, ServiceError> {
    let whole = |value: i64| Number {
        floor: value.into(),
        whole: true,
    };
    match value {
        ColumnValue::Integer(value) => Ok(whole(*value)),
        ColumnValue::Double(value) if !value.is_nan() => Ok(Number {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates far beyond every LONG"
            )]
            floor: value.floor() as i128,
            whole: value.fract() == 0.0,
        }),
        ColumnValue::String(text) => match text.parse() {
            Ok(value) => Ok(whole(value)),
            Err(_) => Err(unfit(field, value)),
        },
        _ => Err(unfit(field, value)),
    }
}

/// Nanoseconds since 1970: a number in the field's unit, also as text, or text in one of its formats.
pub(crate) fn date(field: &Field, value: &ColumnValue) -> Result<i128, ServiceError> {
    let Kind::Date(formats) = &field.kind else {
        return Err(unfit(field, value));
    };
    let nanos = match value {
        ColumnValue::Integer(value) => epoch_nanos(formats, *value),
        ColumnValue::String(text) => {
            pattern_nanos(formats, text).or_else(|| epoch_nanos(formats, text.parse().ok()?))
        }
        _ => None,
    };
    nanos.ok_or_else(|| unfit(field, value))
}

fn address(field: &Field, value: &ColumnValue) -> Result<u128, ServiceError> {
    match value {
        ColumnValue::String(text) => ip(text),
        _ => None,
    }
    .ok_or_else(|| unfit(field, value))
}

/// Each `*` is tried with one more character only when the rest fails, and an earlier one never
/// again: at worst the product of both lengths, however many `*` there are.
fn is_like(text: &str, pattern: &[char]) -> bool {
    let mut rest = text.chars();
    let mut at = 0;
    let mut retry = None;
    loop {
        let before = rest.clone();
        let next = rest.next();
        match (pattern.get(at), next) {
            (Some('*'), _) => {
                rest = before;
                at += 1;
                retry = Some((rest.clone(), at));
                if at == pattern.len() {
                    return true;
                }
            }
            (Some(wanted), Some(found)) if *wanted == '?' || *wanted == found => at += 1,
            (None, None) => return true,
            _ => {
                let Some((mut from, after)) = retry.take() else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                rest = from.clone();
                at = after;
                retry = Some((from, after));
            }
        }
    }
}

fn double(field: &Field, value: &ColumnValue) -> Result<f64, ServiceError> {
    match value {
        ColumnValue::Integer(value) => Some(*value as f64),
        ColumnValue::Double(value) => Some(*value),
        ColumnValue::String(text) => text.parse().ok(),
        _ => None,
    }
    .filter(|value: &f64| !value.is_nan())
    .ok_or_else(|| unfit(field, value))
}

fn boolean(field: &Field, value: &ColumnValue) -> Result<bool, ServiceError> {
    match value {
        ColumnValue::Boolean(value) => Ok(*value),
        ColumnValue::String(text) => text.parse().map_err(|_| unfit(field, value)),
        _ => Err(unfit(field, value)),
    }
}

fn text(field: &Field, value: &ColumnValue) -> Result<String, ServiceError> {
    match value {
        ColumnValue::String(text) => Ok(text.clone()),
        ColumnValue::Integer(value) => Ok(value.to_string()),
        ColumnValue::Boolean(value) => Ok(value.to_string()),
        _ => Err(unfit(field, value)),
    }
}

fn longs(values: impl Iterator<Item = i64>) -> Predicate {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    values.dedup();
    match values.as_slice() {
        [] => Predicate::Never,
        [only] => Predicate::Between {
            min: *only,
            max: *only,
        },
        _ => Predicate::LongIn(values),
    }
}

/// The integers between two bounds, each given as its floor and whether that is the bound itself.
fn between(from: Bound<(i128, bool)>, to: Bound<(i128, bool)>) -> Predicate {
    let min = match from {
        Bound::Included((floor, true)) => floor,
        Bound::Included((floor, false)) | Bound::Excluded((floor, _)) => floor.saturating_add(1),
        Bound::Unbounded => i64::MIN.into(),
    };
    let max = match to {
        Bound::Included((floor, _)) | Bound::Excluded((floor, false)) => floor,
        Bound::Excluded((floor, true)) => floor.saturating_sub(1),
        Bound::Unbounded => i64::MAX.into(),
    };
    let ends = (
        i64::try_from(min.max(i64::MIN.into())),
        i64::try_from(max.min(i64::MAX.into())),
    );
    match ends {
        (Ok(min), Ok(max)) if min <= max => Predicate::Between { min, max },
        _ => Predicate::Never,
    }
}

fn within<T: PartialOrd>(from: &Bound<T>, to: &Bound<T>, value: &T) -> bool {
    let after = match from {
        Bound::Included(from) => from <= value,
        Bound::Excluded(from) => from < value,
        Bound::Unbounded => true,
    };
    after
        && match to {
            Bound::Included(to) => value <= to,
            Bound::Excluded(to) => value < to,
            Bound::Unbounded => true,
        }
}

fn collect<T>(
    values: &[ColumnValue],
    convert: impl Fn(&ColumnValue) -> Result<T, ServiceError>,
) -> Result<Vec<T>, ServiceError> {
    values.iter().map(convert).collect()
}

fn map<T>(
    bound: &Bound<ColumnValue>,
    convert: impl Fn(&ColumnValue) -> Result<T, ServiceError>,
) -> Result<Bound<T>, ServiceError> {
    Ok(match bound {
        Bound::Included(value) => Bound::Included(convert(value)?),
        Bound::Excluded(value) => Bound::Excluded(convert(value)?),
        Bound::Unbounded => Bound::Unbounded,
    })
}

pub(crate) fn unfit(field: &Field, value: &ColumnValue) -> ServiceError {
    ServiceError::parameter(format!(
        "the {} value of the query can't be compared with field [{}] of type {}",
        value.type_name(),
        field.name,
        field.kind.name()
    ))
}

fn unsupported(query: &str, field: &Field) -> ServiceError {
    ServiceError::parameter(format!(
        "{query} is not supported on field [{}] of type {}",
        field.name,
        field.kind.name()
    ))
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn wildcards_stand_for_any_characters_or_one() {
        for (text, pattern, expected) in [
            ("", "", true),
            ("", "*", true),
            ("", "?", false),
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("abc", "a*", true),
            ("abc", "*c", true),
            ("abc", "*b*", true),
            ("abc", "a?c", true),
            ("abc", "a??c", false),
            ("梨花茶", "梨?茶", true),
            ("aab", "*ab", true),
            ("ababc", "*abc", true),
            ("abab", "*abc*", false),
            ("a", "**", true),
        ] {
            let found = is_like(text, &pattern.chars().collect::<Vec<_>>());
            assert_eq!(found, expected, "{text} like {pattern}");
        }
        // A pattern that costs a naive matcher 2^16 times this.
        let pattern: Vec<_> = "*a".repeat(16).chars().chain(['b']).collect();
        assert!(!is_like(&"a".repeat(100_000), &pattern));
    }
}
