//! What the checksums of PlainBuffer notice, and what they can't: the list is in
//! `docs/wire/plainbuffer.md`, and each of its lines has a test here.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bytes::Bytes;
use ots_proto::plainbuffer::{Accept, Crc8, Error, Reader, Writer, write_change, write_row};
use ots_proto::{Cell, NameCache, PrimaryKey, Row, RowChange, RowUpdate};

fn read(buffer: &[u8]) -> Result<Vec<Row>, Error> {
    let mut names = NameCache::default();
    let mut rows = Vec::new();
    let mut reader = Reader::new(buffer, Accept::Changes)?;
    while let Some(row) = reader.next_row()? {
        rows.push(row.to_row(&mut names));
    }
    Ok(rows)
}

fn key(id: i64) -> PrimaryKey {
    PrimaryKey::new().column("id", id)
}

/// More columns than a walk remembers in a short list.
#[test]
fn every_flipped_bit_of_a_wide_row_that_follows_another_is_noticed() {
    let row = |id| {
        (0..20).fold(Row::new(key(id)), |row, column| {
            row.cell(format!("column_{column:02}"), id + column)
        })
    };
    let first = write_row(&row(1)).len();
    let mut writer = Writer::new();
    writer.row(&row(1));
    writer.row(&row(2));
    let sound = writer.finish();
    assert_eq!(read(&sound).unwrap(), [row(1), row(2)]);
    for at in first..sound.len() {
        for bit in 0..8 {
            let mut damaged = sound.to_vec();
            damaged[at] ^= 1 << bit;
            assert!(read(&damaged).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn every_flipped_bit_of_a_change_with_everything_in_it_is_noticed() {
    let update = RowUpdate::new(
        key(7)
            .column("city", "杭州")
            .column("bytes", Bytes::from_static(&[0, 255])),
    )
    .put("integer", 1)
    .put("double", 0.5)
    .put("boolean", true)
    .put("text", "西湖")
    .put("binary", vec![1_u8, 2, 3])
    .delete_one_version("one", 1_700_000_000_000)
    .delete_all_versions("all")
    .increment("more", -1);
    let timed = Row::new(key(8)).cell("n", 1);
    let timed = Row {
        cells: timed
            .cells
            .into_iter()
            .map(|cell: Cell| cell.at(1_700_000_000_000))
            .collect(),
        ..timed
    };
    let changes = [
        RowChange::Update(update),
        RowChange::Put(timed),
        RowChange::Delete(key(9)),
    ];
    for change in changes {
        let sound = write_change(&change);
        assert_eq!(read(&sound).unwrap().len(), 1);
        // Alone, and after a row with the same columns.
        for before in [&sound[..4], &sound[..]] {
            for place in 4..sound.len() {
                for bit in 0..8 {
                    let mut damaged = [before, &sound[4..]].concat();
                    damaged[before.len() - 4 + place] ^= 1 << bit;
                    assert!(
                        read(&damaged).is_err(),
                        "{change:?}: byte {place}, bit {bit}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_cut_between_rows_is_invisible() {
    let mut writer = Writer::new();
    writer.row(&Row::new(key(1)));
    let first = writer.len_bytes();
    writer.row(&Row::new(key(2)));
    let page = writer.finish();
    assert_eq!(read(&page[..first]).unwrap().len(), 1);
}

#[test]
fn rows_that_changed_places_came_twice_or_not_at_all_are_invisible() {
    let rows = [1, 2, 3].map(|id| write_row(&Row::new(key(id))).slice(4..));
    for order in [&[2, 1, 0][..], &[0, 0, 1, 2], &[0, 2]] {
        let mut page = vec![0x75, 0, 0, 0];
        for &row in order {
            page.extend_from_slice(&rows[row]);
        }
        assert_eq!(read(&page).unwrap().len(), order.len());
    }
}

#[test]
fn damage_in_an_extension_is_invisible() {
    let row = write_row(&Row::new(key(1)));
    let (row, checksum) = row.split_at(row.len() - 2);
    for byte in 0..=u8::MAX {
        // An entry of an unknown tag with one byte in it.
        let extension = [0x0b, 6, 0, 0, 0, 0x20, 1, 0, 0, 0, byte];
        assert_eq!(
            read(&[row, &extension, checksum].concat()).unwrap().len(),
            1
        );
    }
}

#[test]
fn the_same_bit_flipped_twice_127_bytes_or_bits_apart_is_invisible_within_a_cell() {
    let text = "a".repeat(300);
    let sound = write_row(&Row::new(key(1)).cell("text", text.as_str()));
    let start = sound
        .windows(300)
        .position(|part| part == text.as_bytes())
        .unwrap();

    let mut bytes_apart = sound.to_vec();
    bytes_apart[start + 50] ^= 0x01;
    bytes_apart[start + 50 + 127] ^= 0x01;
    assert_ne!(read(&bytes_apart).unwrap(), read(&sound).unwrap());

    // 127 bits are 16 bytes less one bit; the highest bit of a byte comes first.
    let mut bits_apart = sound.to_vec();
    bits_apart[start + 50] ^= 0x02;
    bits_apart[start + 50 + 16] ^= 0x04;
    assert_ne!(read(&bits_apart).unwrap(), read(&sound).unwrap());

    // One bit nearer, and it is seen.
    let mut nearer = sound.to_vec();
    nearer[start + 50] ^= 0x02;
    nearer[start + 50 + 16] ^= 0x02;
    assert!(read(&nearer).is_err());
}

#[test]
fn two_cells_of_equal_checksums_that_changed_places_are_invisible() {
    let cell = |name: &str, value: i64| {
        let one = write_row(&Row::new(key(1)).cell(name, value));
        // After the key: ROW_DATA, the cell, ROW_CHECKSUM and its byte.
        let start = write_row(&Row::new(key(1))).len() - 2 + 1;
        one[start..one.len() - 2].to_vec()
    };
    let first = cell("a", 0);
    let second = (0..)
        .map(|value| cell("b", value))
        .find(|cell| cell.last() == first.last());
    let second = second.unwrap();

    let key = write_row(&Row::new(key(1)));
    let mut row_crc = Crc8::default();
    // The checksum of the only key cell stands before the end of the row.
    row_crc.update(&[
        key[key.len() - 3],
        *first.last().unwrap(),
        *second.last().unwrap(),
        0,
    ]);
    let end = [0x09, row_crc.finish()];
    let key = &key[..key.len() - 2];
    let ordered = read(&[key, &[0x02], &first, &second, &end].concat()).unwrap();
    let swapped = read(&[key, &[0x02], &second, &first, &end].concat()).unwrap();
    assert_ne!(ordered, swapped);
}

#[test]
fn zeros_at_the_front_of_a_name_leave_its_cell_the_same_checksum() {
    let last_cell_checksum = |name: &str| {
        let row = write_row(&Row::new(key(1)).cell(name, 1));
        row[row.len() - 3]
    };
    assert_eq!(last_cell_checksum("\0\0n"), last_cell_checksum("n"));
}

#[test]
fn one_of_256_random_cells_would_pass() {
    // Eight bits can't tell more apart: what the sums don't see by chance, the MD5 has to.
    let sound = write_row(&Row::new(key(1)).cell("n", 0));
    let place = sound.len() - 3 - 2 - 2;
    let passed = (0..=u16::MAX).filter(|bits| {
        let mut damaged = sound.to_vec();
        let [a, b] = bits.to_le_bytes();
        damaged[place] ^= a;
        damaged[place + 1] ^= b;
        read(&damaged).is_ok()
    });
    assert_eq!(passed.count(), 256);
}
