//! What is written can be read, what is damaged is noticed, and nothing panics.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::cmp::Ordering;
use std::ops::Range;

use bytes::Bytes;
use ots_proto::plainbuffer::{
    Accept, Position, Reader, VariantRef, Writer, change_bytes, read_change, read_primary_key,
    read_row, write_change, write_changes, write_primary_key, write_row,
};
use ots_proto::search::Query;
use ots_proto::{
    ColumnValueRef, NameCache, PrimaryKey, PrimaryKeyValue, PrimaryKeyValueRef, Row, RowChange,
    RowUpdate, messages, strategy,
};
use proptest::collection::vec;
use proptest::prelude::*;

const ACCEPTS: [Accept; 3] = [Accept::Rows, Accept::PartialRows, Accept::Changes];

fn write_rows(rows: &[Row]) -> Bytes {
    let mut writer = Writer::new();
    for row in rows {
        writer.row(row);
    }
    writer.finish()
}

/// All rows up to the end or the first error, and whether there was one.
fn read_rows(buffer: &[u8], accept: Accept) -> (Vec<Row>, bool) {
    let mut names = NameCache::default();
    let mut rows = Vec::new();
    let Ok(mut reader) = Reader::new(buffer, accept) else {
        return (rows, true);
    };
    loop {
        match reader.next_row() {
            Ok(Some(row)) => rows.push(row.to_row(&mut names)),
            Ok(None) => return (rows, false),
            Err(error) => {
                assert!(error.offset() <= buffer.len());
                assert_eq!(error.row(), Some(rows.len()));
                assert!(!error.to_string().is_empty());
                // Whatever follows the damage, the reader gives none of it.
                for _ in 0..3 {
                    assert!(matches!(reader.next_row(), Ok(None)));
                }
                assert_eq!(reader.rows_read(), rows.len());
                return (rows, true);
            }
        }
    }
}

proptest! {
    #[test]
    fn a_row_comes_back(row in strategy::row()) {
        let buffer = write_row(&row);
        for accept in ACCEPTS {
            prop_assert_eq!(&read_row(&buffer, accept).unwrap(), &row);
        }
        prop_assert_eq!(write_row(&row), buffer);
    }

    #[test]
    fn rows_come_back_in_order(rows in vec(strategy::row(), 0..6)) {
        let buffer = write_rows(&rows);
        prop_assert_eq!(read_rows(&buffer, Accept::Rows), (rows, false));
    }

    #[test]
    fn rows_in_buffers_of_their_own_come_back_through_one_reader(
        rows in vec(strategy::row(), 1..6),
    ) {
        let buffers: Vec<Bytes> = rows.iter().map(write_row).collect();
        let mut names = NameCache::default();
        let mut reader = Reader::new(&buffers[0], Accept::Rows).unwrap();
        for (index, (buffer, row)) in buffers.iter().zip(&rows).enumerate() {
            if index > 0 {
                reader.continue_with(buffer).unwrap();
            }
            prop_assert_eq!(&reader.next_row().unwrap().unwrap().to_row(&mut names), row);
            prop_assert!(reader.next_row().unwrap().is_none());
        }
        prop_assert_eq!(reader.rows_read(), rows.len());
    }

    #[test]
    fn another_reader_goes_on_where_one_stopped(rows in vec(strategy::row(), 0..6)) {
        let buffer = write_rows(&rows);
        let mut names = NameCache::default();
        let mut position = Position::START;
        for (index, row) in rows.iter().enumerate() {
            prop_assert_eq!(position.rows(), index);
            let mut reader = Reader::resume(&buffer, Accept::Rows, position).unwrap();
            prop_assert_eq!(&reader.next_row().unwrap().unwrap().to_row(&mut names), row);
            position = reader.position();
            prop_assert_eq!(position.offset(), row_ends(&rows)[index + 1]);
        }
        let mut reader = Reader::resume(&buffer, Accept::Rows, position).unwrap();
        prop_assert!(reader.next_row().unwrap().is_none());
    }

    #[test]
    fn a_borrowed_row_is_written_as_it_was_read(change in strategy::row_change()) {
        let buffer = write_change(&change);
        let mut reader = Reader::new(&buffer, Accept::Changes).unwrap();
        let mut writer = Writer::new();
        writer.row_ref(reader.next_row().unwrap().unwrap());
        prop_assert_eq!(writer.finish(), buffer);
    }

    #[test]
    fn a_key_comes_back(columns in vec((strategy::column_name(), strategy::bound_value()), 1..5)) {
        let key = PrimaryKey::from_iter(columns);
        let buffer = write_primary_key(&key);
        prop_assert_eq!(read_primary_key(&buffer).unwrap(), key);
    }

    #[test]
    fn a_change_comes_back(change in strategy::row_change()) {
        let update = matches!(change, RowChange::Update(_));
        let buffer = write_change(&change);
        prop_assert_eq!(read_change(&buffer, update).unwrap(), change);
    }

    #[test]
    fn changes_cut_from_one_buffer_are_those_written_alone(
        changes in vec(strategy::row_change(), 0..6),
    ) {
        let alone: Vec<_> = changes.iter().map(write_change).collect();
        let bytes = changes.iter().map(change_bytes);
        prop_assert!(bytes.clone().eq(alone.iter().map(bytes::Bytes::len)), "measured to the byte");
        prop_assert_eq!(&write_changes(&changes, bytes.sum()), &alone);
        prop_assert_eq!(write_changes(&changes, 0), alone);
    }

    #[test]
    fn a_change_is_no_primary_key_unless_it_is_one(change in strategy::row_change()) {
        let buffer = write_change(&change);
        let bare = match &change {
            RowChange::Put(row) => row.cells.is_empty(),
            RowChange::Update(update) => update.cells.is_empty(),
            _ => false,
        };
        prop_assert_eq!(read_primary_key(&buffer).is_ok(), bare);
    }

    #[test]
    fn a_variant_comes_back(value in strategy::column_value(), key in strategy::bound_value()) {
        for variant in [VariantRef::from(value.as_ref()), key.as_ref().into()] {
            let buffer = variant.encode();
            prop_assert_eq!(VariantRef::decode(&buffer).unwrap(), variant);
            let owned = variant.to_owned();
            prop_assert_eq!(owned.as_ref(), variant);
            for end in 0..buffer.len() {
                prop_assert!(VariantRef::decode(&buffer[..end]).is_err(), "cut at {}", end);
            }
            let longer = [&buffer[..], &[0]].concat();
            prop_assert!(VariantRef::decode(&longer).is_err());
        }
    }

    #[test]
    fn a_double_comes_back_bit_by_bit(bits in any::<u64>()) {
        let row = Row::new(PrimaryKey::new().column("id", 1)).cell("d", f64::from_bits(bits));
        let row = read_row(&write_row(&row), Accept::Rows).unwrap();
        let double = row.get("d").and_then(|value| value.as_double()).unwrap();
        prop_assert_eq!(double.to_bits(), bits);
    }

    #[test]
    fn a_query_comes_back_from_its_message(query in strategy::query()) {
        let message = query.to_message();
        prop_assert_eq!(Query::from_message(&message).unwrap(), query);
        // And through bytes, as it travels.
        let body = prost::Message::encode_to_vec(&message);
        let again: messages::Query = prost::Message::decode(Bytes::from(body)).unwrap();
        prop_assert_eq!(again, message);
    }

    #[test]
    fn a_query_comes_back_from_json(query in strategy::query()) {
        let json = query.to_json();
        prop_assert_eq!(&Query::from_json(&json).unwrap(), &query);
        // And through text, as it is typed.
        let json = serde_json::from_str(&json.to_string()).unwrap();
        prop_assert_eq!(Query::from_json(&json).unwrap(), query);
    }

    #[test]
    fn and_holds_both_and_or_holds_both(a in strategy::query(), b in strategy::query()) {
        for query in [a.clone().and(b.clone()), a.clone().or(b.clone()), a.not()] {
            prop_assert_eq!(&Query::from_message(&query.to_message()).unwrap(), &query);
            prop_assert!(matches!(query, Query::Bool(_)));
        }
    }
}

/// Where each row of the buffer ends.
fn row_ends(rows: &[Row]) -> Vec<usize> {
    let mut writer = Writer::new();
    let mut ends = vec![writer.len_bytes()];
    for row in rows {
        writer.row(row);
        ends.push(writer.len_bytes());
    }
    ends
}

/// The bytes that hold the names and values of one row's cells.
fn name_and_value_regions(buffer: &[u8]) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    let mut push = |part: &[u8]| {
        let start = part.as_ptr().addr() - buffer.as_ptr().addr();
        regions.push(start..start + part.len());
    };
    let mut reader = Reader::new(buffer, Accept::Rows).unwrap();
    while let Some(row) = reader.next_row().unwrap() {
        for column in row.primary_key() {
            push(column.name.as_bytes());
            match column.value {
                PrimaryKeyValueRef::String(text) => push(text.as_bytes()),
                PrimaryKeyValueRef::Binary(bytes) => push(bytes),
                // After the name: CELL_VALUE, a length of four bytes, the type, then the number.
                _ => {
                    let end =
                        column.name.as_ptr().addr() - buffer.as_ptr().addr() + column.name.len();
                    push(&buffer[end + 6..end + 14]);
                }
            }
        }
        for cell in row.cells() {
            push(cell.name.as_bytes());
            let end = cell.name.as_ptr().addr() - buffer.as_ptr().addr() + cell.name.len();
            match cell.value.unwrap() {
                ColumnValueRef::String(text) => push(text.as_bytes()),
                ColumnValueRef::Binary(bytes) => push(bytes),
                ColumnValueRef::Boolean(_) => push(&buffer[end + 6..end + 7]),
                ColumnValueRef::Integer(_) | ColumnValueRef::Double(_) => {
                    push(&buffer[end + 6..end + 14]);
                }
            }
        }
    }
    regions
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_buffer_cut_inside_a_row_is_an_error(rows in vec(strategy::row(), 1..4)) {
        let buffer = write_rows(&rows);
        let ends = row_ends(&rows);
        for cut in 0..buffer.len() {
            let (read, failed) = read_rows(&buffer[..cut], Accept::Rows);
            // A cut between rows can't be seen: the length of the message tells.
            let between = ends.contains(&cut);
            prop_assert_eq!(failed, !between, "cut at {} of {}", cut, buffer.len());
            // All rows before the cut are whole, and there are no others.
            let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
            prop_assert_eq!(&read[..], &rows[..whole], "cut at {}", cut);
        }
    }

    #[test]
    fn a_flipped_bit_in_a_name_or_value_is_noticed(row in strategy::row()) {
        let buffer = write_row(&row);
        for region in name_and_value_regions(&buffer) {
            for position in region {
                for bit in 0..8 {
                    let mut damaged = buffer.to_vec();
                    damaged[position] ^= 1 << bit;
                    let (read, failed) = read_rows(&damaged, Accept::Rows);
                    prop_assert!(failed && read.is_empty(), "bit {} of byte {}", bit, position);
                }
            }
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_never_panics(row in strategy::row()) {
        let buffer = write_row(&row);
        for position in 0..buffer.len() {
            for bit in 0..8 {
                let mut damaged = buffer.to_vec();
                damaged[position] ^= 1 << bit;
                for accept in ACCEPTS {
                    let _ = read_rows(&damaged, accept);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        for accept in ACCEPTS {
            let _ = read_rows(&bytes, accept);
        }
        let _ = VariantRef::decode(&bytes);
        let _ = read_primary_key(&bytes);
        let _ = read_change(&bytes, true);
    }

    #[test]
    fn random_tags_after_a_header_never_panic(
        // Small numbers are tags, types and lengths alike: this gets much deeper than noise.
        bytes in vec(prop_oneof![4 => 0_u8..0x10, 1 => any::<u8>()], 0..200),
    ) {
        let buffer = [&[0x75, 0, 0, 0, 1][..], &bytes].concat();
        for accept in ACCEPTS {
            let _ = read_rows(&buffer, accept);
        }
    }

    #[test]
    fn random_messages_never_panic(kind in 0..25_i32, bytes in vec(any::<u8>(), 0..60)) {
        let message = messages::Query {
            r#type: Some(kind),
            query: Some(bytes.into()),
        };
        let _ = Query::from_message(&message);
    }
}

fn any_value() -> impl Strategy<Value = PrimaryKeyValue> {
    prop_oneof![
        8 => strategy::bound_value(),
        // Equal pairs are rare among random values, and prefixes even rarer.
        4 => (0_i64..3).prop_map(PrimaryKeyValue::Integer),
        4 => "[ab]{0,2}".prop_map(PrimaryKeyValue::String),
        4 => vec(0_u8..2, 0..3).prop_map(|bytes| PrimaryKeyValue::Binary(bytes.into())),
        1 => Just(PrimaryKeyValue::AutoIncrement),
    ]
}

fn any_key() -> impl Strategy<Value = PrimaryKey> {
    vec((prop_oneof!["a", "b"], any_value()), 0..4).prop_map(PrimaryKey::from_iter)
}

/// The laws of a total order that agrees with equality.
fn assert_total_order<T: Ord + std::fmt::Debug>(a: &T, b: &T, c: &T) {
    assert_eq!(a.cmp(a), Ordering::Equal);
    assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{a:?} {b:?}");
    assert_eq!(a.cmp(b) == Ordering::Equal, a == b, "{a:?} {b:?}");
    assert_eq!(a.partial_cmp(b), Some(a.cmp(b)));
    if a <= b && b <= c {
        assert!(a <= c, "{a:?} {b:?} {c:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn values_are_totally_ordered(a in any_value(), b in any_value(), c in any_value()) {
        assert_total_order(&a, &b, &c);
        assert_total_order(&a.as_ref(), &b.as_ref(), &c.as_ref());
        prop_assert_eq!(a.cmp(&b), a.as_ref().cmp(&b.as_ref()));
        prop_assert_eq!(a.as_ref().to_owned(), a);
    }

    #[test]
    fn keys_are_totally_ordered(a in any_key(), b in any_key(), c in any_key()) {
        assert_total_order(&a, &b, &c);
    }

    #[test]
    fn keys_compare_column_by_column(
        first in strategy::primary_key_value(),
        a in strategy::primary_key_value(),
        b in strategy::primary_key_value(),
    ) {
        let key = |second: &PrimaryKeyValue| {
            PrimaryKey::new().column("p", first.clone()).column("q", second.clone())
        };
        prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
    }

    #[test]
    fn every_key_lies_between_the_bounds_of_its_table(key in strategy::primary_key()) {
        let names = || key.columns().iter().map(|column| &column.name);
        let (min, max) = (PrimaryKey::min(names()), PrimaryKey::max(names()));
        prop_assert!(min < key && key < max);
        // So does it with each column turned infinite alone.
        for index in 0..key.len() {
            let with = |infinity: &PrimaryKeyValue| -> PrimaryKey {
                let columns = key.columns().iter().enumerate();
                columns
                    .map(|(at, column)| {
                        let value = if at == index { infinity } else { &column.value };
                        (&column.name, value.clone())
                    })
                    .collect()
            };
            prop_assert!(with(&PrimaryKeyValue::InfMin) < key);
            prop_assert!(key < with(&PrimaryKeyValue::InfMax));
        }
    }

    #[test]
    fn text_and_bytes_are_ordered_by_byte(a in ".{0,6}", b in ".{0,6}") {
        let order = a.as_bytes().cmp(b.as_bytes());
        let text = |text: &str| PrimaryKeyValue::from(text);
        prop_assert_eq!(text(&a).cmp(&text(&b)), order);
        let binary = |text: &str| PrimaryKeyValue::from(Bytes::copy_from_slice(text.as_bytes()));
        prop_assert_eq!(binary(&a).cmp(&binary(&b)), order);
    }
}

#[test]
fn a_row_without_its_key_is_read_only_where_it_may_stand() {
    use ots_proto::plainbuffer::{ErrorKind, Writer};

    let mut writer = Writer::new();
    let mut row = writer.begin_keyless_row();
    row.cell("count", ots_proto::ColumnValueRef::Integer(7), Some(5));
    row.end();
    let buffer = writer.finish();

    let row = read_row(&buffer, Accept::PartialRows).unwrap();
    assert!(row.primary_key.is_empty());
    assert_eq!(row.cells, [ots_proto::Cell::new("count", 7).at(5)]);
    for accept in [Accept::Rows, Accept::Changes] {
        let error = read_row(&buffer, accept).unwrap_err();
        assert!(matches!(
            error.kind(),
            ErrorKind::UnexpectedTag { found: 0x02, .. }
        ));
    }
}

#[test]
fn an_update_without_cells_has_no_part_for_them() {
    let key = PrimaryKey::new().column("a", 0);
    let update = RowChange::Update(RowUpdate::new(key.clone()));
    let put = RowChange::Put(Row {
        primary_key: key,
        cells: Vec::new(),
    });
    // As the official SDKs write it.
    assert_eq!(write_change(&update), write_change(&put));
}
