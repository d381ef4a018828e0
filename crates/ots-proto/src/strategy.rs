//! proptest strategies for values, keys, rows, row changes, filters and queries, for the tests of this
//! workspace and of its users.

pub mod group_by;
mod query;
pub mod search_index;
pub mod search_request;
pub mod search_response;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::string::string_regex;

use crate::filter::{
    CastType, ColumnFilter, ColumnPagination, Comparator, Condition, Filter, ReadFilter,
    RowExistence,
};
use crate::{
    Cell, CellUpdate, ColumnValue, PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate,
};

pub use query::*;

/// Column names that the service takes, Chinese ones and odd characters included.
pub fn column_name() -> impl Strategy<Value = String> {
    prop_oneof![
        matching("[A-Za-z_][A-Za-z0-9_]{0,12}"),
        matching("[\\PC&&[^#]]{1,8}")
    ]
}

/// Text that matches a pattern, which is parsed once. As a strategy of its own it would be parsed for
/// every text, and as part of a recursive one for every value.
#[expect(clippy::expect_used, reason = "patterns of this module")]
pub(crate) fn matching(pattern: &'static str) -> SBoxedStrategy<String> {
    static PARSED: Mutex<BTreeMap<&str, SBoxedStrategy<String>>> = Mutex::new(BTreeMap::new());
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    let strategy = parsed.entry(pattern).or_insert_with(|| {
        let parsed = string_regex(pattern);
        parsed
            .expect("a pattern that can be generated from")
            .sboxed()
    });
    strategy.clone()
}

/// Values that a column can store.
pub fn column_value() -> impl Strategy<Value = ColumnValue> {
    prop_oneof![
        any::<i64>().prop_map(ColumnValue::Integer),
        proptest::num::f64::NORMAL.prop_map(ColumnValue::Double),
        any::<bool>().prop_map(ColumnValue::Boolean),
        matching(".{0,40}").prop_map(ColumnValue::String),
        vec(any::<u8>(), 0..40).prop_map(|bytes| ColumnValue::Binary(bytes.into())),
    ]
}

/// Values that a key column can store.
pub fn primary_key_value() -> impl Strategy<Value = PrimaryKeyValue> {
    prop_oneof![
        any::<i64>().prop_map(PrimaryKeyValue::Integer),
        matching(".{0,24}").prop_map(PrimaryKeyValue::String),
        vec(any::<u8>(), 0..24).prop_map(|bytes| PrimaryKeyValue::Binary(bytes.into())),
    ]
}

/// Values that a bound of a range can have.
pub fn bound_value() -> impl Strategy<Value = PrimaryKeyValue> {
    prop_oneof![
        4 => primary_key_value(),
        1 => Just(PrimaryKeyValue::InfMin),
        1 => Just(PrimaryKeyValue::InfMax),
    ]
}

/// Keys of one to four columns.
pub fn primary_key() -> impl Strategy<Value = PrimaryKey> {
    vec((column_name(), primary_key_value()), 1..5).prop_map(PrimaryKey::from_iter)
}

/// Cells, with and without a version.
pub fn cell() -> impl Strategy<Value = Cell> {
    (column_name(), column_value(), option::of(0..=i64::MAX)).prop_map(
        |(name, value, timestamp_ms)| Cell {
            name: name.into(),
            value,
            timestamp_ms,
        },
    )
}

/// Rows of up to eight cells.
pub fn row() -> impl Strategy<Value = Row> {
    (primary_key(), vec(cell(), 0..8)).prop_map(|(primary_key, cells)| Row { primary_key, cells })
}

/// Changes of every kind.
pub fn row_change() -> impl Strategy<Value = RowChange> {
    let update = prop_oneof![
        cell().prop_map(CellUpdate::Put),
        (column_name(), 0..=i64::MAX).prop_map(|(name, timestamp_ms)| {
            CellUpdate::DeleteOneVersion {
                name: name.into(),
                timestamp_ms,
            }
        }),
        column_name().prop_map(|name| CellUpdate::DeleteAllVersions { name: name.into() }),
        (column_name(), any::<i64>()).prop_map(|(name, by)| CellUpdate::Increment {
            name: name.into(),
            by
        }),
    ];
    prop_oneof![
        row().prop_map(RowChange::Put),
        (primary_key(), vec(update, 0..8))
            .prop_map(|(primary_key, cells)| RowChange::Update(RowUpdate { primary_key, cells })),
        primary_key().prop_map(RowChange::Delete),
    ]
}

/// Values that can be searched for: those of [`column_value`] except binaries.
pub fn search_value() -> impl Strategy<Value = ColumnValue> {
    prop_oneof![
        any::<i64>().prop_map(ColumnValue::Integer),
        proptest::num::f64::NORMAL.prop_map(ColumnValue::Double),
        any::<bool>().prop_map(ColumnValue::Boolean),
        matching(".{0,24}").prop_map(ColumnValue::String),
    ]
}

/// Conditions on one column.
pub fn column_filter() -> impl Strategy<Value = ColumnFilter> {
    let comparator = prop_oneof![
        Just(Comparator::Equal),
        Just(Comparator::NotEqual),
        Just(Comparator::GreaterThan),
        Just(Comparator::GreaterEqual),
        Just(Comparator::LessThan),
        Just(Comparator::LessEqual),
    ];
    let cast = |value: &ColumnValue| match value {
        ColumnValue::Integer(_) => Some(CastType::Integer),
        ColumnValue::Double(_) => Some(CastType::Double),
        ColumnValue::String(_) => Some(CastType::String),
        ColumnValue::Boolean(_) | ColumnValue::Binary(_) => None,
    };
    let test = prop_oneof![
        6 => (comparator, column_value()).prop_map(Some),
        1 => Just(None),
    ];
    let flags = any::<[bool; 3]>();
    (column_name(), option::of(matching(".{0,40}")), test, flags).prop_map(
        move |(name, regex, test, [missing, any_version, exists])| {
            let mut operand = Filter::column(name);
            let cast = match &test {
                Some((_, value)) => cast(value),
                None => Some(CastType::String),
            };
            if let (Some(regex), Some(cast)) = (regex, cast) {
                operand = operand.transfer(regex, cast);
            }
            let mut filter = match test {
                Some((comparator, value)) => operand.compare(comparator, value),
                None if exists => operand.exists(),
                None => operand.not_exists(),
            };
            filter.pass_if_missing = missing;
            filter.latest_version_only = !any_version;
            filter
        },
    )
}

/// Conditions on rows, nested up to five levels deep.
pub fn filter() -> impl Strategy<Value = Filter> {
    let leaf = column_filter().prop_map(Filter::from);
    leaf.prop_recursive(4, 24, 4, |inner| {
        // From a list, and not one by one: that would join lists within lists.
        let list = || vec(inner.clone(), 2..4);
        prop_oneof![
            inner.clone().prop_map(Filter::not),
            list().prop_filter_map("two or more", Filter::all),
            list().prop_filter_map("two or more", Filter::any),
        ]
    })
}

/// What reads can leave out.
pub fn read_filter() -> impl Strategy<Value = ReadFilter> {
    let number = || 0..=i32::MAX.unsigned_abs();
    prop_oneof![
        3 => filter().prop_map(ReadFilter::Rows),
        1 => (number(), 1..=i32::MAX.unsigned_abs())
            .prop_map(|(offset, limit)| ColumnPagination::new(offset, limit).into()),
    ]
}

/// Conditions of writes.
pub fn condition() -> impl Strategy<Value = Condition> {
    let existence = prop_oneof![
        Just(RowExistence::Ignore),
        Just(RowExistence::Expect),
        Just(RowExistence::ExpectNot),
    ];
    (existence, option::of(filter())).prop_map(|(existence, columns)| {
        let condition = Condition::row(existence);
        match columns {
            Some(columns) => condition.columns(columns),
            None => condition,
        }
    })
}
