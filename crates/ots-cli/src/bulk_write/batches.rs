//! Rows in batches that one request can carry.

use ots_core::{ColumnValue, PrimaryKeyValue, Row};

/// A row with its place in the file, from 0: what an error about it can name without telling its
/// values.
#[derive(Clone, Debug)]
pub(crate) struct NumberedRow {
    pub(crate) number: u64,
    pub(crate) row: Row,
}

/// The most rows that one BatchWriteRow takes.
pub const BATCH_ROWS: std::num::NonZeroUsize = match std::num::NonZeroUsize::new(200) {
    Some(rows) => rows,
    None => std::num::NonZeroUsize::MIN,
};

/// One BatchWriteRow takes 4 MB; this leaves room for what [`row_bytes`] only estimates.
const BATCH_BYTES: usize = 3_000_000;

/// Cuts rows into batches, in order. The first row has the number `first`.
pub(super) fn batches(first: u64, rows: Vec<Row>) -> Vec<Vec<NumberedRow>> {
    let mut batches: Vec<Vec<NumberedRow>> = Vec::new();
    let mut bytes = 0;
    for (number, row) in (first..).zip(rows) {
        let size = row_bytes(&row);
        let row = NumberedRow { number, row };
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_ROWS.get() && bytes + size <= BATCH_BYTES => {
                batch.push(row);
                bytes += size;
            }
            // A row that is too large for any batch is sent by itself: the service says so best.
            _ => {
                batches.push(vec![row]);
                bytes = size;
            }
        }
    }
    batches
}

/// What a row takes on the wire, about.
fn row_bytes(row: &Row) -> usize {
    let key = row.primary_key.columns().iter().map(|column| {
        column.name.len()
            + match &column.value {
                PrimaryKeyValue::String(text) => text.len(),
                PrimaryKeyValue::Binary(bytes) => bytes.len(),
                _ => 8,
            }
    });
    let cells = row.cells.iter().map(|cell| {
        cell.name.len()
            + match &cell.value {
                ColumnValue::String(text) => text.len(),
                ColumnValue::Binary(bytes) => bytes.len(),
                _ => 8,
            }
    });
    key.chain(cells)
        .map(|bytes| bytes + CELL_OVERHEAD_BYTES)
        .sum()
}

/// Tags, lengths and checksums around a name and a value.
const CELL_OVERHEAD_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use ots_core::PrimaryKey;
    use ots_proto::plainbuffer;
    use proptest::prelude::*;

    use super::*;

    fn row(id: i64, text_bytes: usize) -> Row {
        Row::new(PrimaryKey::new().column("id", id)).cell("text", "x".repeat(text_bytes))
    }

    fn sizes(texts: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let rows = texts.into_iter().map(|bytes| row(0, bytes)).collect();
        batches(0, rows).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_batch_ends_after_200_rows() {
        assert_eq!(sizes([]), [0_usize; 0]);
        assert_eq!(sizes([0; 200]), [200]);
        assert_eq!(sizes([0; 201]), [200, 1]);
        assert_eq!(sizes([0; 600]), [200, 200, 200]);
    }

    #[test]
    fn a_batch_ends_before_3_megabytes() {
        assert_eq!(sizes([1_000_000; 5]), [2, 2, 1]);
        assert_eq!(sizes([10, 2_999_900, 10, 10]), [1, 1, 2]);
    }

    #[test]
    fn a_row_too_large_for_any_batch_goes_alone() {
        assert_eq!(sizes([10, 5_000_000, 10]), [1, 1, 1]);
        assert_eq!(sizes([5_000_000, 5_000_000]), [1, 1]);
    }

    #[test]
    fn the_estimate_leaves_room_for_what_is_sent() {
        // Many small cells are the worst case: the overhead weighs most.
        let mut wide = Row::new(PrimaryKey::new().column("id", 1));
        for column in 0..1_000 {
            wide = wide.cell(format!("c{column}"), true);
        }
        for row in [row(1, 0), row(1, 100_000), wide] {
            let sent = plainbuffer::write_row(&row).len();
            let room = row_bytes(&row) * 4 / 3;
            assert!(
                sent <= room,
                "{sent} bytes are sent, there is room for {room}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_batch_in_order(
            texts in proptest::collection::vec(0_usize..400_000, 0..50),
            first in 0_u64..1_000_000,
        ) {
            let rows: Vec<_> = (0..).zip(&texts).map(|(id, bytes)| row(id, *bytes)).collect();
            let batches = batches(first, rows.clone());
            prop_assert!(batches.iter().all(|batch| !batch.is_empty()));
            let flat: Vec<_> = batches.into_iter().flatten().collect();
            let numbers: Vec<_> = flat.iter().map(|row| row.number).collect();
            let expected: Vec<_> = (first..first + rows.len() as u64).collect();
            prop_assert_eq!(numbers, expected);
            let same: Vec<_> = flat.into_iter().map(|row| row.row).collect();
            prop_assert_eq!(same, rows);
        }
    }
}
