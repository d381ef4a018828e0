//! The rows of SQL answers.

use ots_proto::sql::{SqlRows, SqlType, SqlWriter};

/// An answer, read and written again.
pub(crate) fn sql_rows(data: &[u8]) {
    let rows = match SqlRows::parse(data) {
        Ok(rows) => rows,
        Err(error) => {
            assert!(error.offset() <= data.len());
            return;
        }
    };
    let bytes = write(&rows, false);
    let again = SqlRows::parse(&bytes).expect("an answer that was written");
    assert_eq!(again.columns().len(), rows.columns().len());
    // By their bytes, because NaN isn't equal to itself.
    assert_eq!(write(&again, false), bytes);
    let runs = write(&rows, true);
    let again = SqlRows::parse(&runs).expect("an answer that was written");
    assert_eq!(write(&again, false), bytes);
}

fn write(rows: &SqlRows<'_>, runs: bool) -> bytes::Bytes {
    let mut writer = SqlWriter::new();
    for column in rows.columns() {
        let values = column.values();
        assert_eq!(values.len(), rows.row_count());
        if runs && column.sql_type() == SqlType::String {
            let texts = values.map(|value| match value {
                Some(ots_proto::sql::SqlValueRef::String(text)) => Some(text),
                _ => None,
            });
            writer.column_of_runs(column.name(), texts)
        } else {
            writer.column(column.name(), column.sql_type(), values)
        }
        .expect("values of one type, as many as there are rows");
    }
    writer.finish().expect("an answer that was read")
}
