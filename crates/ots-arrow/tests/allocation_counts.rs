//! How often a page on its way into columns allocates: by the column, never by the row or cell.
#![allow(clippy::unwrap_used, reason = "tests")]

use allocation_counter::measure;
use bytes::Bytes;
use ots_arrow::{ColumnType, ScanSchema};
use ots_proto::messages::{PrimaryKeySchema, PrimaryKeyType};
use ots_proto::plainbuffer::{Writer, write_row};
use ots_proto::{PrimaryKey, Row};

const COLUMNS: usize = 20;

fn name(column: usize) -> String {
    format!("column_{column:02}")
}

fn schema() -> ScanSchema {
    let key = PrimaryKeySchema {
        name: "id".into(),
        r#type: PrimaryKeyType::Integer.into(),
        option: None,
    };
    let columns = (0..COLUMNS).map(|column| (name(column), ColumnType::String));
    ScanSchema::from_table(&[key], columns).unwrap()
}

fn rows(count: i64) -> Vec<Row> {
    let row = |id| {
        (0..COLUMNS).fold(
            Row::new(PrimaryKey::new().column("id", id)),
            |row, column| row.cell(name(column), format!("{id:08} {column:02}")),
        )
    };
    (0..count).map(row).collect()
}

#[test]
fn a_page_becomes_a_batch_with_a_few_allocations_a_column() {
    let schema = schema();
    let count = |rows: &[Row]| {
        let separate: Vec<Bytes> = rows.iter().map(write_row).collect();
        let mut writer = Writer::new();
        for row in rows {
            writer.row(row);
        }
        let together = writer.finish();
        [
            measure(|| drop(schema.read_page(&separate).unwrap())).count_total,
            measure(|| drop(schema.read_buffer(&together).unwrap())).count_total,
        ]
    };
    let (small, large) = (count(&rows(100)), count(&rows(2_000)));
    for (small, large) in small.into_iter().zip(large) {
        assert!(small > COLUMNS as u64, "nothing was measured: {small}");
        assert!(large <= small + 2 * COLUMNS as u64, "{small}, then {large}");
        assert!(large <= 20 * COLUMNS as u64, "{large}");
    }
}
