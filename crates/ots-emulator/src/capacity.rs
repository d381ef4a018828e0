//! What a request costs, in capacity units of 4 KB.
//!
//! The formula is the public documentation's; official SDKs' tests assert its results. A number
//! counts 8 bytes, a boolean 1, text and bytes their length, a name its length too.

use ots_proto::messages::{CapacityUnit, ConsumedCapacity};
use ots_proto::{ColumnValueRef, PrimaryKeyValueRef};

use crate::database::{TableMeta, TableOptions};

/// Capacity units of one request, or of one row of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Units {
    pub(crate) read: i32,
    pub(crate) write: i32,
}

impl Units {
    pub(crate) fn read(bytes: usize) -> Self {
        Self {
            read: units(bytes),
            write: 0,
        }
    }

    pub(crate) fn write(bytes: usize) -> Self {
        Self {
            read: 0,
            write: units(bytes),
        }
    }

    /// Both numbers are always there: clients read them unchecked.
    pub(crate) const fn to_message(self) -> ConsumedCapacity {
        ConsumedCapacity {
            capacity_unit: CapacityUnit {
                read: Some(self.read),
                write: Some(self.write),
            },
            capacity_data_size: None,
        }
    }
}

/// Bytes of a key: the names of its columns and their values.
pub(crate) fn key_bytes<'a>(
    meta: &TableMeta,
    values: impl IntoIterator<Item = PrimaryKeyValueRef<'a>>,
) -> usize {
    let names: usize = meta
        .primary_key
        .iter()
        .map(|column| column.name.len())
        .sum();
    names + values.into_iter().map(key_value_bytes).sum::<usize>()
}

pub(crate) const fn key_value_bytes(value: PrimaryKeyValueRef<'_>) -> usize {
    match value {
        PrimaryKeyValueRef::Integer(_) | PrimaryKeyValueRef::AutoIncrement => 8,
        PrimaryKeyValueRef::String(text) => text.len(),
        PrimaryKeyValueRef::Binary(bytes) => bytes.len(),
        PrimaryKeyValueRef::InfMin | PrimaryKeyValueRef::InfMax => 0,
    }
}

pub(crate) const fn value_bytes(value: ColumnValueRef<'_>) -> usize {
    match value {
        ColumnValueRef::Integer(_) | ColumnValueRef::Double(_) => 8,
        ColumnValueRef::Boolean(_) => 1,
        ColumnValueRef::String(text) => text.len(),
        ColumnValueRef::Binary(bytes) => bytes.len(),
    }
}

/// Bytes that each cell's timestamp counts: none where a column has just one version for ever.
pub(crate) const fn timestamp_bytes(options: &TableOptions) -> usize {
    if options.max_versions > 1 || options.time_to_live_s != -1 {
        8
    } else {
        0
    }
}

fn units(bytes: usize) -> i32 {
    i32::try_from(bytes.div_ceil(4096).max(1)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_started_blocks_of_4096_bytes_and_at_least_one() {
        for (bytes, expected) in [(0, 1), (1, 1), (4096, 1), (4097, 2), (3 * 4096 + 5, 4)] {
            assert_eq!(Units::read(bytes).read, expected, "{bytes}");
            assert_eq!(Units::write(bytes).write, expected, "{bytes}");
        }
    }
}
