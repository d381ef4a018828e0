//! SimpleRowMatrix blocks: those that the official parsers read, both ways; those that they refuse;
//! and blocks made to hurt.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[allow(dead_code, reason = "the other vectors need the rest")]
mod common;

use common::{cases, hex_of, list_of, only_keys, same_value, text_of, variant_of};
use ots_proto::plainbuffer::{self, Accept, Crc8, Reader, Variant, Visitor, write_row};
use ots_proto::simple_row_matrix::{Error, ErrorKind, Matrix, MatrixWriter, WriteError};
use ots_proto::{
    CellRef, ColumnValue, ColumnValueRef, KeyCellRef, PrimaryKey, PrimaryKeyValue, Row, strategy,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

fn vectors() -> Vec<Value> {
    let text = include_str!("../vectors/simple_row_matrix.json");
    cases("simple_row_matrix.json", text, 18)
}

fn of_kind(kind: &str, count: usize) -> Vec<Value> {
    let mut cases = vectors();
    cases.retain(|case| text_of(&case["kind"]) == kind);
    assert_eq!(cases.len(), count, "cases of kind {kind}");
    cases
}

/// Reads a block to its end, the values as they stand.
fn read(block: &[u8]) -> Result<Vec<Vec<Option<ColumnValue>>>, Error> {
    let matrix = Matrix::parse(block)?;
    let mut rows = matrix.rows();
    let mut read = Vec::new();
    loop {
        match rows.next_values() {
            Ok(Some(values)) => {
                let values = values
                    .iter()
                    .map(|value| value.map(ColumnValueRef::to_owned));
                read.push(values.collect());
            }
            Ok(None) => {
                assert_eq!(read.len(), matrix.row_count());
                return Ok(read);
            }
            Err(error) => {
                assert!(rows.next_values().unwrap().is_none(), "rows after an error");
                assert!(rows.next_row().unwrap().is_none(), "rows after an error");
                return Err(error);
            }
        }
    }
}

fn refusal(block: &[u8]) -> Error {
    match read(block) {
        Ok(rows) => panic!("{} rows in {}", rows.len(), hex::encode(block)),
        Err(error) => error,
    }
}

#[test]
fn blocks_of_the_official_parsers_are_read_and_written_alike() {
    for case in of_kind("matrix", 9) {
        let name = text_of(&case["name"]);
        let known = [
            "name",
            "kind",
            "primary_key_names",
            "attribute_names",
            "entire_primary_keys",
            "rows",
            "hex",
            "verified_by",
        ];
        only_keys(&case, &known);
        let block = hex_of(&case["hex"]);
        let names = |key| list_of(&case[key]).iter().map(text_of).collect::<Vec<_>>();
        let matrix = Matrix::parse(&block).unwrap_or_else(|error| panic!("{name}: {error}"));
        let entire = case["entire_primary_keys"].as_bool().unwrap();
        assert_eq!(
            matrix.primary_key_names(),
            names("primary_key_names"),
            "{name}"
        );
        assert_eq!(matrix.attribute_names(), names("attribute_names"), "{name}");
        assert_eq!(matrix.has_entire_primary_keys(), entire, "{name}");

        let expected: Vec<Vec<Option<ColumnValue>>> = list_of(&case["rows"])
            .iter()
            .map(|row| list_of(row).iter().map(value_of).collect())
            .collect();
        let rows = read(&block).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rows.len(), expected.len(), "{name}");
        for (row, expected) in rows.iter().zip(&expected) {
            assert_eq!(row.len(), expected.len(), "{name}");
            for pair in row.iter().zip(expected) {
                match pair {
                    (Some(read), Some(expected)) => assert!(same_value(read, expected), "{name}"),
                    (read, expected) => assert_eq!(read, expected, "{name}"),
                }
            }
        }

        let mut writer =
            MatrixWriter::new(names("primary_key_names"), names("attribute_names")).unwrap();
        if !entire {
            writer = writer.partial_primary_keys();
        }
        for row in &rows {
            let row: Vec<_> = row
                .iter()
                .map(|value| value.as_ref().map(ColumnValue::as_ref))
                .collect();
            writer.values(&row).unwrap();
        }
        assert_eq!(writer.finish().unwrap(), block, "{name}");
    }
}

fn value_of(json: &Value) -> Option<ColumnValue> {
    match variant_of(json) {
        Variant::Value(value) => Some(value),
        Variant::Null => None,
        other => panic!("no value of a block: {other:?}"),
    }
}

#[test]
fn what_the_official_parsers_refuse_is_refused_for_its_reason() {
    let reasons = [
        (
            "matrix_bad_magic",
            "a SimpleRowMatrix starts with 53 52 4d 30, this block doesn't (byte 0)",
        ),
        (
            "matrix_bad_checksum",
            "checksum mismatch: stored 0x35, computed 0x75 (byte 51)",
        ),
        (
            "matrix_flipped_data",
            "checksum mismatch: stored 0x75, computed 0xb1 (byte 51)",
        ),
        (
            "matrix_missing_checksum_tag",
            "expected CHECKSUM (0x01) before the last byte, found 0x05 (byte 50)",
        ),
        (
            "matrix_bad_flag",
            "the flag of entire primary keys is 00 or 01, found 0x02 (byte 28)",
        ),
        (
            "matrix_bad_options_tag",
            "expected ENTIRE_PRIMARY_KEYS (0x0a) first in the options, found 0x0c (byte 27)",
        ),
        (
            "matrix_bad_row_tag",
            "expected ROW (0x02) at the start of a row, found 0x04 (row 0, byte 34)",
        ),
        (
            "matrix_unknown_type",
            "column \"a\" has a value of unknown type 0x05 (row 0, byte 44)",
        ),
        (
            "matrix_truncated",
            "expected CHECKSUM (0x01) before the last byte, found 0x64 (byte 23)",
        ),
    ];
    let cases = of_kind("reject", 9);
    for (name, reason) in reasons {
        let case = cases.iter().find(|case| text_of(&case["name"]) == name);
        let block = hex_of(&case.unwrap_or_else(|| panic!("no {name}"))["hex"]);
        assert_eq!(refusal(&block).to_string(), reason, "{name}");
    }
}

fn sample() -> Vec<u8> {
    let mut writer = MatrixWriter::new(["id"], ["s", "b"]).unwrap();
    for id in 0..2 {
        let row = Row::new(PrimaryKey::new().column("id", id))
            .cell("s", "text")
            .cell("b", vec![1_u8, 2]);
        writer.row(&row).unwrap();
    }
    writer.finish().unwrap().to_vec()
}

/// The block with some bytes replaced, and the checksum of what it then holds.
fn forged(block: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut block = block.to_vec();
    block[at..at + bytes.len()].copy_from_slice(bytes);
    checksummed(block)
}

fn checksummed(mut block: Vec<u8>) -> Vec<u8> {
    block.pop();
    let mut crc = Crc8::default();
    crc.update(&block);
    block.push(crc.finish());
    block
}

const COUNTS: [i32; 7] = [
    i32::MAX,
    i32::MAX - 1,
    1 << 20,
    100,
    -1,
    i32::MIN,
    i32::MIN + 1,
];

#[test]
fn every_count_is_checked_before_it_is_believed() {
    let block = sample();
    assert_eq!(read(&block).unwrap().len(), 2);
    // Offsets of the rows and the options, key columns, attributes, rows, lengths in the first row.
    let options = usize::from(block[8]);
    let data = usize::from(block[4]);
    let string = data + 1 + 9 + 1;
    for at in [4, 8, 12, 16, options + 3, string, string + 4 + 4 + 1] {
        for count in COUNTS {
            let error = refusal(&forged(&block, at, &count.to_le_bytes()));
            let fits = match error.kind() {
                ErrorKind::Negative { .. } => count < 0,
                ErrorKind::Truncated { .. }
                | ErrorKind::SectionOffset { .. }
                | ErrorKind::RowCount { .. } => count > 0,
                _ => false,
            };
            assert!(fits, "{count} at byte {at}: {error}");
        }
    }
    // The length of a name has two bytes.
    for (length, text) in [
        (-1_i16, "the length of a column name is negative (byte 20)"),
        (
            i16::MAX,
            "the block ends too early for a column name: bytes needed 32767, left 8 (byte 22)",
        ),
    ] {
        let block = forged(&block, 20, &length.to_le_bytes());
        assert_eq!(refusal(&block).to_string(), text);
    }
}

#[test]
fn rows_that_are_too_few_or_too_many_are_refused() {
    let block = sample();
    let count_at = usize::from(block[8]) + 3;
    let error = refusal(&forged(&block, count_at, &1_i32.to_le_bytes()));
    assert_eq!(
        error.to_string(),
        "bytes left over after the last row: 26 (byte 63)"
    );
    // Room for a third row, were it of nulls alone.
    let error = refusal(&forged(&block, count_at, &3_i32.to_le_bytes()));
    assert_eq!(
        error.to_string(),
        "the block ends too early for ROW (0x02) at the start of a row: bytes needed 1, left 0 (row 2, byte 89)"
    );
}

#[test]
fn sections_may_leave_gaps_but_not_overlap() {
    // Bytes between sections are for what is yet to be invented.
    let block = sample();
    let options = usize::from(block[8]);
    let data = usize::from(block[4]);
    let mut spaced = block.clone();
    spaced.splice(data..data, [9, 9]);
    spaced.splice(options..options, [7]);
    spaced[4] += 3;
    spaced[8] += 1;
    let spaced = checksummed(spaced);
    assert_eq!(read(&spaced).unwrap(), read(&block).unwrap());

    for (at, offset) in [
        (8, 19),
        (8, options - 1),
        (4, data - 1),
        (4, options - 1),
        (4, 0),
    ] {
        let offset = i32::try_from(offset).unwrap();
        let error = refusal(&forged(&block, at, &offset.to_le_bytes()));
        assert!(
            matches!(
                error.kind(),
                ErrorKind::SectionOffset { .. } | ErrorKind::Truncated { .. }
            ),
            "{error}"
        );
    }
}

#[test]
fn a_key_column_has_a_value_that_a_key_can_have() {
    let mut writer = MatrixWriter::new(["id"], ["a"]).unwrap();
    let one = Some(ColumnValueRef::Integer(1));
    writer.values(&[one, None]).unwrap();
    let block = writer.finish().unwrap();
    let value_at = usize::from(block[4]) + 1;
    for (value, found) in [
        (&[6][..], "NULL"),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 0], "DOUBLE"),
        (&[2, 1], "BOOLEAN"),
    ] {
        let mut block = block.to_vec();
        block.splice(value_at..value_at + 9, value.iter().copied());
        assert_eq!(
            refusal(&checksummed(block)).to_string(),
            format!(
                "a {found} can't be the value of primary key column \"id\" (row 0, byte {value_at})"
            )
        );
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_where_it_stops_being() {
    let block = sample();
    let text_at = usize::from(block[4]) + 1 + 9 + 1 + 4;
    let error = refusal(&forged(&block, text_at + 2, &[0xff]));
    let expected = format!("a string isn't UTF-8 (row 0, byte {})", text_at + 2);
    assert_eq!(error.to_string(), expected);
    let error = refusal(&forged(&block, 23, &[0x80]));
    assert_eq!(error.to_string(), "a column name isn't UTF-8 (byte 23)");
}

#[test]
fn a_field_of_no_bytes_is_no_block() {
    assert_eq!(*refusal(&[]).kind(), ErrorKind::Magic);
    let error = refusal(b"SRM0");
    assert!(
        matches!(error.kind(), ErrorKind::Truncated { .. }),
        "{error}"
    );
}

#[test]
fn what_a_block_cannot_hold_is_refused_and_leaves_it_as_it_was() {
    let long = "n".repeat(usize::from(u16::MAX));
    let error = MatrixWriter::new([&*long], [""]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a column name of 65535 bytes is too long for a block, which takes 32767"
    );
    let mut writer = MatrixWriter::new(["id"], ["a"]).unwrap();
    let key = |value: PrimaryKeyValue| Row::new(PrimaryKey::new().column("id", value));
    for (row, found) in [
        (key(PrimaryKeyValue::InfMin), "INF_MIN"),
        (key(PrimaryKeyValue::InfMax), "INF_MAX"),
        (key(PrimaryKeyValue::AutoIncrement), "AUTO_INCREMENT"),
        (Row::default(), "NULL"),
    ] {
        let column = "id".into();
        assert_eq!(
            writer.row(&row),
            Err(WriteError::KeyValue { column, found })
        );
    }
    let one = Some(ColumnValueRef::Integer(1));
    let expected = Err(WriteError::ColumnCount {
        expected: 2,
        found: 1,
    });
    assert_eq!(writer.values(&[one]), expected);
    writer.values(&[one, one]).unwrap();
    assert_eq!(read(&writer.finish().unwrap()).unwrap().len(), 1);
}

/// Notes the number of each value and its name.
#[derive(Default)]
struct Numbers<'buf>(Vec<(usize, &'buf str)>);

#[derive(Debug)]
struct Damage;

impl From<Error> for Damage {
    fn from(_: Error) -> Self {
        Self
    }
}

impl From<plainbuffer::Error> for Damage {
    fn from(_: plainbuffer::Error) -> Self {
        Self
    }
}

impl<'buf> Visitor<'buf> for Numbers<'buf> {
    type Error = Damage;

    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), Damage> {
        self.0.push((column, cell.name));
        Ok(())
    }

    fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Damage> {
        self.0.push((column, cell.name));
        Ok(())
    }
}

#[test]
fn a_visitor_meets_columns_in_the_order_in_which_rows_have_them() {
    let mut writer = MatrixWriter::new(["id"], ["never", "late", "soon", "late"]).unwrap();
    let one = Some(ColumnValueRef::Integer(1));
    writer.values(&[one, None, None, one, None]).unwrap();
    writer.values(&[one, None, one, one, one]).unwrap();
    let block = writer.finish().unwrap();
    let matrix = Matrix::parse(&block).unwrap();
    let mut numbers = Numbers::default();
    assert_eq!(matrix.rows().visit(&mut numbers).unwrap(), 2);
    let (id, soon, late) = ((0, "id"), (1, "soon"), (2, "late"));
    assert_eq!(numbers.0, [id, soon, id, late, soon, late]);

    let mut rest = matrix.rows();
    rest.next_row().unwrap().unwrap();
    assert_eq!(rest.visit(&mut Numbers::default()).unwrap(), 1);
}

/// Blocks: key columns, attribute columns, rows of values that may be there.
fn blocks() -> impl Strategy<Value = (Vec<u8>, Vec<Vec<Option<ColumnValue>>>)> {
    let names = || vec(strategy::column_name(), 0..4);
    let key_value = || {
        strategy::primary_key_value().prop_map(|value| match value {
            PrimaryKeyValue::Integer(value) => value.into(),
            PrimaryKeyValue::String(value) => ColumnValue::from(value),
            PrimaryKeyValue::Binary(value) => value.into(),
            other => panic!("not stored: {other}"),
        })
    };
    (names(), names(), any::<bool>()).prop_flat_map(move |(keys, attributes, entire)| {
        let row = (
            vec(key_value().prop_map(Some), keys.len()),
            vec(option::of(strategy::column_value()), attributes.len()),
        )
            .prop_map(|(key, attributes)| [key, attributes].concat());
        vec(row, 0..6).prop_map(move |rows| {
            let mut writer = MatrixWriter::new(keys.clone(), attributes.clone()).unwrap();
            if !entire {
                writer = writer.partial_primary_keys();
            }
            for row in &rows {
                let values: Vec<_> = row
                    .iter()
                    .map(|value| value.as_ref().map(ColumnValue::as_ref))
                    .collect();
                writer.values(&values).unwrap();
            }
            (writer.finish().unwrap().to_vec(), rows)
        })
    })
}

proptest! {
    #[test]
    fn blocks_survive((block, rows) in blocks()) {
        prop_assert_eq!(read(&block).unwrap(), rows);
    }

    /// Code above the codec must not care which of the two formats a page came in.
    #[test]
    fn a_row_is_the_same_as_in_plain_buffer(row in strategy::row()) {
        let mut row = row;
        row.cells.sort_by(|a, b| a.name.cmp(&b.name));
        row.cells.dedup_by(|a, b| a.name == b.name);
        for cell in &mut row.cells {
            cell.timestamp_ms = None;
        }
        let mut key_names: Vec<_> = row.key_columns().iter().map(|column| column.name.clone()).collect();
        key_names.sort();
        key_names.dedup();
        prop_assume!(key_names.len() == row.primary_key.len());

        let keys = row.key_columns().iter().map(|column| column.name.clone());
        let cells = row.cells.iter().map(|cell| cell.name.clone());
        // A column that the row doesn't have is listed all the same.
        let mut writer = MatrixWriter::new(keys, cells.chain(["#absent".into()])).unwrap();
        writer.row(&row).unwrap();
        let block = writer.finish().unwrap();
        let matrix = Matrix::parse(&block).unwrap();
        let mut rows = matrix.rows();

        let plain = write_row(&row);
        let mut reader = Reader::new(&plain, Accept::Rows).unwrap();
        prop_assert_eq!(rows.next_row().unwrap(), reader.next_row().unwrap());
        prop_assert!(rows.next_row().unwrap().is_none());
        prop_assert_eq!(matrix.to_rows().unwrap(), vec![row]);
    }

    #[test]
    fn a_flipped_bit_is_noticed((block, _) in blocks(), at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut block = block;
        let at = at.index(block.len());
        block[at] ^= 1_u8 << bit;
        prop_assert!(Matrix::parse(&block).is_err());
    }

    #[test]
    fn a_block_that_was_cut_is_refused((block, _) in blocks()) {
        for end in 0..block.len() {
            prop_assert!(read(&block[..end]).is_err());
        }
        // Even with a checksum made to fit.
        for end in 22..block.len() {
            let mut cut = block[..end].to_vec();
            cut[end - 2] = 1;
            prop_assert!(read(&checksummed(cut)).is_err(), "cut at {}", end);
        }
    }

    /// Whatever stands in it, with a checksum that lets it in.
    #[test]
    fn damage_with_a_good_checksum_never_panics(
        (block, _) in blocks(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut block = block;
        for (at, byte) in changes {
            let at = at.index(block.len());
            block[at] = byte;
        }
        if let Ok(rows) = read(&checksummed(block)) {
            prop_assert!(rows.len() < 100);
        }
    }
}
