//! proptest strategies for values, keys, rows, row changes and queries, for the tests of this
//! workspace and of its users.

use std::ops::Bound;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::search::{BoolQuery, Query, RangeQuery};
use crate::{
    Cell, CellUpdate, ColumnValue, PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate,
};

/// Column names that the service takes, Chinese ones and odd characters included.
pub fn column_name() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z_][A-Za-z0-9_]{0,12}", "[\\PC&&[^#]]{1,8}"]
}

/// Values that a column can store.
pub fn column_value() -> impl Strategy<Value = ColumnValue> {
    prop_oneof![
        any::<i64>().prop_map(ColumnValue::Integer),
        proptest::num::f64::NORMAL.prop_map(ColumnValue::Double),
        any::<bool>().prop_map(ColumnValue::Boolean),
        ".{0,40}".prop_map(ColumnValue::String),
        vec(any::<u8>(), 0..40).prop_map(|bytes| ColumnValue::Binary(bytes.into())),
    ]
}

/// Values that a key column can store.
pub fn primary_key_value() -> impl Strategy<Value = PrimaryKeyValue> {
    prop_oneof![
        any::<i64>().prop_map(PrimaryKeyValue::Integer),
        ".{0,24}".prop_map(PrimaryKeyValue::String),
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
        ".{0,24}".prop_map(ColumnValue::String),
    ]
}

/// Queries of every kind, nested up to four levels deep.
pub fn query() -> impl Strategy<Value = Query> {
    let leaf = prop_oneof![
        Just(Query::MatchAll),
        (column_name(), search_value()).prop_map(|(field, value)| Query::Term { field, value }),
        (column_name(), vec(search_value(), 0..4))
            .prop_map(|(field, values)| Query::Terms { field, values }),
        (column_name(), query_bound(), query_bound())
            .prop_map(|(field, from, to)| Query::Range(RangeQuery { field, from, to })),
        (column_name(), ".{0,12}").prop_map(|(field, prefix)| Query::Prefix { field, prefix }),
        column_name().prop_map(|field| Query::Exists { field }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let clause = || vec(inner.clone(), 0..3);
        (
            clause(),
            clause(),
            clause(),
            clause(),
            option::of(any::<i32>()),
        )
            .prop_map(|(must, must_not, filter, should, minimum_should_match)| {
                Query::Bool(BoolQuery {
                    must,
                    must_not,
                    filter,
                    should,
                    minimum_should_match,
                })
            })
    })
}

fn query_bound() -> impl Strategy<Value = Bound<ColumnValue>> {
    prop_oneof![
        Just(Bound::Unbounded),
        search_value().prop_map(Bound::Included),
        search_value().prop_map(Bound::Excluded),
    ]
}
