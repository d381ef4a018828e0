//! The rows before a place: the same range, read the other way.

use ots_core::request::Direction;
use ots_proto::messages;
use ots_proto::plainbuffer::write_primary_key;
use ots_proto::{PrimaryKey, PrimaryKeyValue};

use crate::cursor::RangeCursor;
use crate::page::NextPage;

/// A cursor that reads towards the start of a range, and what of its rows isn't meant.
///
/// A start belongs to its range and an end doesn't, both ways; so neither can be swapped for the other.
/// Where there is a key right beside a bound, it takes the bound's place. Beside text and bytes there
/// is none on one side: then a row too many is read at the one end, and perhaps some at the other.
#[derive(Clone, Debug)]
pub(crate) struct Turned {
    pub(crate) cursor: RangeCursor,
    /// The row with this key, which would come first, is not meant.
    pub(crate) skip: Option<PrimaryKey>,
    /// The rows beyond this key, which would come last, are not meant.
    last: Option<PrimaryKey>,
    towards: Direction,
}

impl Turned {
    /// The rows of `whole`, a cursor before its first page, that come before `place`; none when there
    /// can't be any.
    pub(crate) fn new(whole: &RangeCursor, place: &NextPage) -> Option<Self> {
        let towards = match whole.direction() {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        };
        let from = place.key().unwrap_or_else(|| whole.end());
        let (start, skip) = match beside(from, towards) {
            Some(start) => (start, None),
            None => (from.clone(), Some(from.clone())),
        };
        let (end, last) = match beside(whole.start(), towards) {
            Some(end) => (end, None),
            None => (widened(whole.start(), towards), Some(whole.start().clone())),
        };
        if !precedes(&start, &end, towards) {
            return None;
        }
        let mut message = whole.message().clone();
        message.direction = match towards {
            Direction::Forward => messages::Direction::Forward,
            Direction::Backward => messages::Direction::Backward,
        }
        .into();
        message.inclusive_start_primary_key = write_primary_key(&start);
        message.exclusive_end_primary_key = write_primary_key(&end);
        Some(Self {
            cursor: whole.with_message(message).ok()?,
            skip,
            last,
            towards,
        })
    }

    /// Whether a key lies beyond the rows that are meant.
    pub(crate) fn is_beyond(&self, key: &PrimaryKey) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|last| precedes(last, key, self.towards))
    }
}

/// Whether `a` comes before `b` where a range is read so.
pub(crate) fn precedes(a: &PrimaryKey, b: &PrimaryKey, direction: Direction) -> bool {
    match direction {
        Direction::Forward => a < b,
        Direction::Backward => a > b,
    }
}

/// The key right beside another: no row lies between them, and a bound at the one is the same as a
/// bound behind the other.
fn beside(key: &PrimaryKey, towards: Direction) -> Option<PrimaryKey> {
    use PrimaryKeyValue as Value;
    let is_bound = |value: &Value| matches!(value, Value::InfMin | Value::InfMax);
    if key.columns().iter().any(|column| is_bound(&column.value)) {
        // No row has this key.
        return Some(key.clone());
    }
    let value = match (&key.columns().last()?.value, towards) {
        (Value::Integer(i64::MIN), Direction::Backward) => Value::InfMin,
        (Value::Integer(i64::MAX), Direction::Forward) => Value::InfMax,
        (Value::Integer(value), Direction::Backward) => Value::Integer(value.saturating_sub(1)),
        (Value::Integer(value), Direction::Forward) => Value::Integer(value.saturating_add(1)),
        (Value::String(value), Direction::Forward) if value.len() < MOST_KEY_BYTES => {
            Value::String(format!("{value}\0"))
        }
        (Value::Binary(value), Direction::Forward) if value.len() < MOST_KEY_BYTES => {
            Value::Binary([&**value, &[0]].concat().into())
        }
        _ => return None,
    };
    Some(with_last(key, value))
}

/// A bound beyond a key, with perhaps some rows between them.
fn widened(key: &PrimaryKey, towards: Direction) -> PrimaryKey {
    let value = match towards {
        Direction::Forward => PrimaryKeyValue::InfMax,
        Direction::Backward => PrimaryKeyValue::InfMin,
    };
    with_last(key, value)
}

fn with_last(key: &PrimaryKey, value: PrimaryKeyValue) -> PrimaryKey {
    let mut other = PrimaryKey::new();
    if let Some((_, before)) = key.columns().split_last() {
        for column in before {
            other.push(&column.name, column.value.clone());
        }
    }
    if let Some(last) = key.columns().last() {
        other.push(&last.name, value);
    }
    other
}

/// The service takes no longer text or bytes in a key.
const MOST_KEY_BYTES: usize = 1_024;

#[cfg(test)]
mod tests {
    use ots_core::request::GetRange;
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = PrimaryKeyValue> {
        prop_oneof![
            prop_oneof![Just(i64::MIN), Just(i64::MAX), -2_i64..3]
                .prop_map(PrimaryKeyValue::Integer),
            "[\0a]{0,3}".prop_map(PrimaryKeyValue::String),
            prop::collection::vec(0_u8..2, 0..3)
                .prop_map(|bytes| PrimaryKeyValue::Binary(bytes.into())),
        ]
    }

    fn key(value: PrimaryKeyValue) -> PrimaryKey {
        PrimaryKey::new().column("g", "g").column("k", value)
    }

    proptest! {
        #[test]
        fn no_key_lies_between_two_beside_each_other(one in value(), other in value()) {
            let (one, other) = (key(one), key(other));
            prop_assume!(one.columns()[1].value.as_ref().type_name()
                == other.columns()[1].value.as_ref().type_name());
            for towards in [Direction::Forward, Direction::Backward] {
                if let Some(beside) = beside(&one, towards) {
                    prop_assert!(precedes(&one, &beside, towards));
                    prop_assert_eq!(
                        precedes(&one, &other, towards),
                        other == beside || precedes(&beside, &other, towards)
                    );
                }
                let bound = widened(&one, towards);
                prop_assert!(precedes(&one, &bound, towards));
            }
        }
    }

    #[test]
    fn before_the_first_row_there_is_nothing_to_ask() {
        let start = PrimaryKey::new().column("k", 5);
        let whole = GetRange::new("t", start.clone(), PrimaryKey::max(["k"]));
        let whole = RangeCursor::new(whole).unwrap();
        assert!(Turned::new(&whole, &NextPage::From(start)).is_none());
        assert!(Turned::new(&whole, &NextPage::Done).is_some());
    }
}
