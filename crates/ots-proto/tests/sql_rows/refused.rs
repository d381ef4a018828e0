//! Answers made to hurt, and columns that can't be written.

use flatbuffers::FlatBufferBuilder;
use ots_proto::ColumnValue;
use ots_proto::sql::{ErrorKind, SqlRows, SqlType, SqlValueRef, SqlWriter, WriteError};

use super::library::{build, table};
use super::{Column, read, refusal, write};

fn column_of(sql_type: SqlType, values: &[Option<ColumnValue>]) -> Column {
    Column {
        name: "n".to_owned(),
        sql_type,
        values: values.to_vec(),
    }
}

/// A buffer with one number replaced wherever a function says.
fn patched(columns: &[Column], find: &[u8], with: &[u8]) -> Vec<u8> {
    let mut buffer = write(columns, true).to_vec();
    let mut found = buffer.windows(find.len()).enumerate();
    let at = found.find(|(_, bytes)| *bytes == find).unwrap().0;
    assert!(
        buffer
            .windows(find.len())
            .filter(|bytes| *bytes == find)
            .count()
            == 1
    );
    buffer[at..at + with.len()].copy_from_slice(with);
    buffer
}

#[test]
fn what_is_wrong_is_named() {
    let marker = 0x1122_3344_5566_7788_i64;
    let long = column_of(SqlType::Integer, &[Some(marker.into()), None]);
    let text = column_of(SqlType::String, &[Some("marker".into()), None]);
    let truth = column_of(SqlType::Boolean, &[Some(true.into()), None, None]);
    // The number of rows, two, stands in the root table as eight bytes.
    let two = [2, 0, 0, 0, 0, 0, 0, 0];
    let with_rows = |rows: i64| {
        let mut buffer = write(std::slice::from_ref(&long), false).to_vec();
        let at = buffer.windows(8).position(|bytes| bytes == two).unwrap();
        buffer[at..at + 8].copy_from_slice(&rows.to_le_bytes());
        refusal(&buffer).to_string()
    };
    assert_eq!(with_rows(-1), "an answer can't have -1 rows (byte 24)");
    assert_eq!(
        with_rows(3),
        "is_nullvalues has 2 elements for 3 rows (column 0, byte 104)"
    );
    assert_eq!(
        with_rows(i64::MAX),
        "is_nullvalues has 2 elements for 9223372036854775807 rows (column 0, byte 104)"
    );

    let not_utf8 = refusal(&patched(
        std::slice::from_ref(&text),
        b"marker",
        &[b'm', 0xff],
    ));
    let text_at = not_utf8.offset();
    assert_eq!(
        not_utf8.to_string(),
        format!("a text of rle_string_values isn't UTF-8 (column 0, byte {text_at})")
    );
    // The vector of booleans is `03 00 00 00 01 00 00`; that of nulls `03 00 00 00 00 01 01`.
    let error = refusal(&patched(&[truth], &[3, 0, 0, 0, 1, 0], &[3, 0, 0, 0, 7]));
    assert_eq!(
        *error.kind(),
        ErrorKind::Boolean {
            field: "bool_values",
            found: 7
        }
    );
    // Row 0 refers to text 0 of one: to text 1, then to text -1.
    for index in [1_i32, -1] {
        let mut buffer = write(std::slice::from_ref(&text), true).to_vec();
        let last_eight = buffer.len() - 8;
        buffer[last_eight..last_eight + 4].copy_from_slice(&index.to_le_bytes());
        let found = index;
        assert_eq!(
            *refusal(&buffer).kind(),
            ErrorKind::TextIndex { found, texts: 1 }
        );
        // What fills the place of a NULL refers to nothing.
        let mut buffer = write(std::slice::from_ref(&text), true).to_vec();
        buffer[last_eight + 4..].copy_from_slice(&index.to_le_bytes());
        assert!(read(&buffer).is_ok());
    }
}

#[test]
fn types_that_are_unknown_are_refused_by_number() {
    let time = column_of(SqlType::Time, &[Some(5.into())]);
    let buffer = write(std::slice::from_ref(&time), false).to_vec();
    // The type of the column stands 16 bytes into its table, that of the logic 4 into its own.
    let pairs = buffer.windows(2).enumerate();
    let places: Vec<usize> = pairs
        .filter(|(_, bytes)| *bytes == [7, 0])
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places.len(), 1);
    let mut unknown = buffer.clone();
    unknown[places[0]] = 8;
    let error = refusal(&unknown);
    assert!(
        error
            .to_string()
            .starts_with("column_type is 8, which is unknown")
    );
    let logic = buffer
        .windows(2)
        .rposition(|bytes| bytes == [3, 1])
        .unwrap();
    for (at, number, text) in [
        (logic, 4, "column_logic_type is 4, which is unknown"),
        (logic + 1, 3, "column_encode_type is 3, which is unknown"),
    ] {
        let mut unknown = buffer.clone();
        unknown[at] = number;
        let error = refusal(&unknown).to_string();
        assert!(error.starts_with(text), "{error}");
    }
    // A value without a type isn't worth guessing at.
    let mut b = FlatBufferBuilder::new();
    let name = b.create_string("n");
    let nulls = b.create_vector(&[false]);
    let longs = b.create_vector(&[5_i64]);
    let values = table(&mut b, |b| {
        b.push_slot_always(4, nulls);
        b.push_slot_always(6, longs);
    });
    let column = table(&mut b, |b| {
        b.push_slot_always(4, name);
        b.push_slot_always(8, values);
    });
    let columns = b.create_vector(&[column]);
    let root = table(&mut b, |b| {
        b.push_slot_always(4, columns);
        b.push_slot(6, 1_i64, 0);
    });
    b.finish_minimal(root);
    assert_eq!(*refusal(b.finished_data()).kind(), ErrorKind::Untyped);
}

#[test]
fn rows_without_columns_are_no_answer() {
    let nothing = SqlWriter::new().finish().unwrap();
    assert_eq!(read(&nothing).unwrap(), (0, vec![]));
    let error = refusal(&build(&[], 5));
    assert_eq!(*error.kind(), ErrorKind::RowCount { found: 5 });
    for empty in [&[][..], &[0], &[0; 4], &[4, 0, 0, 0], &[0xff; 64]] {
        refusal(empty);
    }
}

#[test]
fn what_does_not_fit_into_a_column_is_refused() {
    let mut writer = SqlWriter::new();
    let long = Some(SqlValueRef::Integer(1));
    let expected = SqlType::Date;
    let found = SqlType::Integer;
    let column = "d".to_owned();
    assert_eq!(
        writer.column("d", SqlType::Date, [long]),
        Err(WriteError::ValueType {
            column: column.clone(),
            expected,
            found
        })
    );
    writer.column("n", SqlType::Integer, [long]).unwrap();
    assert_eq!(
        writer.column("d", SqlType::Date, [None, None]),
        Err(WriteError::ColumnLength {
            column,
            expected: 1,
            found: 2
        })
    );
    assert_eq!(
        SqlRows::parse(&writer.finish().unwrap())
            .unwrap()
            .columns()
            .len(),
        1
    );
}

/// Many references to the same few bytes: following each would take the square of the buffer.
#[test]
fn a_small_buffer_cannot_pose_as_a_large_one() {
    let mut b = FlatBufferBuilder::new();
    let name = b.create_string("n");
    let long = b.create_string(&"x".repeat(50_000));
    // Not one after the other, where they would be followed once.
    let short = b.create_string("y");
    let texts: Vec<_> = (0..10_000)
        .map(|row| if row % 2 == 0 { long } else { short })
        .collect();
    let texts = b.create_vector(&texts);
    let nulls = b.create_vector(&vec![false; 10_000]);
    let values = table(&mut b, |b| {
        b.push_slot_always(4, nulls);
        b.push_slot_always(12, texts);
    });
    let column = table(&mut b, |b| {
        b.push_slot_always(4, name);
        b.push_slot(6, 4_i8, 0);
        b.push_slot_always(8, values);
    });
    let columns = b.create_vector(&[column]);
    let root = table(&mut b, |b| {
        b.push_slot_always(4, columns);
        b.push_slot(6, 10_000_i64, 0);
    });
    b.finish_minimal(root);
    let error = refusal(b.finished_data());
    assert!(
        matches!(error.kind(), ErrorKind::Repetition { .. }),
        "{error}"
    );

    // The same column ten thousand times.
    let mut b = FlatBufferBuilder::new();
    let name = b.create_string(&"n".repeat(1_000));
    let values = table(&mut b, |_| {});
    let column = table(&mut b, |b| {
        b.push_slot_always(4, name);
        b.push_slot_always(8, values);
    });
    let columns = b.create_vector(&vec![column; 10_000]);
    let root = table(&mut b, |b| b.push_slot_always(4, columns));
    b.finish_minimal(root);
    let error = refusal(b.finished_data());
    assert!(
        matches!(error.kind(), ErrorKind::Repetition { .. }),
        "{error}"
    );
}
