//! proptest strategies for values, keys, rows and row changes, for the tests of this workspace and
//! of its users.

use proptest::collection::vec;
use proptest::prelude::*;

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
    (
        column_name(),
        column_value(),
        proptest::option::of(0..i64::MAX),
    )
        .prop_map(|(name, value, timestamp_ms)| Cell {
            name: name.into(),
            value,
            timestamp_ms,
        })
}

/// Rows of up to eight cells.
pub fn row() -> impl Strategy<Value = Row> {
    (primary_key(), vec(cell(), 0..8)).prop_map(|(primary_key, cells)| Row { primary_key, cells })
}

/// Changes of every kind.
pub fn row_change() -> impl Strategy<Value = RowChange> {
    let update = prop_oneof![
        cell().prop_map(CellUpdate::Put),
        (column_name(), 0..i64::MAX).prop_map(|(name, timestamp_ms)| {
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
