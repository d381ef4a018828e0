//! What a query asks of one value of a field, with the query's own values turned into the field's type.

use std::collections::HashSet;
use std::ops::Bound;

use ots_proto::ColumnValue;

use super::field::{EpochUnit, Field, Kind, Scalar};
use crate::error::ServiceError;
use crate::stored::StoredRow;

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
            Kind::Date(unit) => {
                let dates = collect(values, |value| date(field, *unit, value))?;
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
            Kind::Keyword | Kind::Text(_) => {
                let mut texts = collect(values, |value| text(field, value))?;
                match texts.pop() {
                    Some(only) if texts.is_empty() => Ok(Self::TextIs(only)),
                    last => Ok(Self::TextIn(texts.into_iter().chain(last).collect())),
                }
            }
            Kind::GeoPoint => Err(unsupported("a term query", field)),
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
            Kind::Date(unit) => Ok(between(
                map(from, |value| date(field, *unit, value))?.map(|nanos| (nanos, true)),
                map(to, |value| date(field, *unit, value))?.map(|nanos| (nanos, true)),
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
            Kind::Keyword | Kind::Text(_) => Ok(Self::TextWithin(
                map(from, |value| text(field, value))?,
                map(to, |value| text(field, value))?,
            )),
            Kind::GeoPoint => Err(unsupported("a range query", field)),
        }
    }

    /// Starting with a text.
    pub(crate) fn prefix(field: &Field, prefix: &str) -> Result<Self, ServiceError> {
        match field.kind {
            Kind::Keyword | Kind::Text(_) => Ok(Self::TextPrefix(prefix.to_owned())),
            _ => Err(unsupported("a prefix query", field)),
        }
    }

    /// Whether some value of the row's field satisfies it; of a TEXT, some token.
    #[inline]
    pub(crate) fn holds_for(&self, field: &Field, row: &StoredRow) -> bool {
        match (&field.kind, self) {
            (Kind::Text(_), Self::Present) => field.any(row, |_| true),
            (Kind::Text(analyzer), _) => field.any(row, |value| match value {
                Scalar::Text(text) => {
                    analyzer.any_token(text, |token| self.holds(Scalar::Text(token)))
                }
                _ => false,
            }),
            _ => field.any(row, |value| self.holds(value)),
        }
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

/// Nanoseconds since 1970.
fn date(field: &Field, unit: EpochUnit, value: &ColumnValue) -> Result<i128, ServiceError> {
    let count = match value {
        ColumnValue::Integer(value) => Some(*value),
        ColumnValue::String(text) => text.parse().ok(),
        _ => None,
    };
    let count = count.ok_or_else(|| unfit(field, value))?;
    Ok(i128::from(count) * i128::from(unit.nanos()))
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

fn unfit(field: &Field, value: &ColumnValue) -> ServiceError {
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
