//! Rows in every format, read in every way there is.

use bytes::Bytes;
use ots_proto::plainbuffer::{
    Accept, Crc8, Reader, SeparateRows, VariantRef, Writer, read_change, read_primary_key,
    read_row, write_change, write_primary_key, write_row,
};
use ots_proto::simple_row_matrix::{Matrix, MatrixWriter};
use ots_proto::{NameCache, Row, RowRef};

/// One buffer as a page, as a change, as a key.
pub(crate) fn plainbuffer(data: &[u8]) {
    page(data, Accept::Rows);
    page(data, Accept::PartialRows);
    walk(data, Accept::Changes);
    for update in [false, true] {
        if let Ok(change) = read_change(data, update) {
            let bytes = write_change(&change);
            let again = read_change(&bytes, update).expect("a change that was written");
            assert_eq!(write_change(&again), bytes);
        }
    }
    if let Ok(key) = read_primary_key(data) {
        let bytes = write_primary_key(&key);
        assert_eq!(
            read_primary_key(&bytes).expect("a key that was written"),
            key
        );
    }
}

/// The rows of a page, borrowed and owned, and written again.
pub(crate) fn page(data: &[u8], accept: Accept) {
    let Some(rows) = walk(data, accept) else {
        return;
    };
    let mut writer = Writer::new();
    for row in &rows {
        writer.row(row);
    }
    let bytes = writer.finish();
    let again = walk(&bytes, accept).expect("rows that were written");
    // By their bytes, because NaN isn't equal to itself.
    let mut writer = Writer::new();
    for row in &again {
        writer.row(row);
    }
    assert_eq!(writer.finish(), bytes);
    assert_eq!(again.len(), rows.len());
    // The bytes need not be the same as those that came: extensions are read over, and where a key
    // needn't be, its tag needn't be either, but is written.
    assert!(bytes.len() <= data.len() + rows.len());
    if let [row] = rows.as_slice() {
        let single = read_row(data, accept).expect("a buffer of one row");
        assert_eq!(write_row(&single), write_row(row));
    }
}

/// Every row of a buffer, if all of it is good.
fn walk(data: &[u8], accept: Accept) -> Option<Vec<Row>> {
    let mut reader = Reader::new(data, accept).ok()?;
    let mut names = NameCache::default();
    let mut rows = Vec::new();
    loop {
        match reader.next_row() {
            Ok(Some(row)) => rows.push(owned(&row, data, &mut names)),
            Ok(None) => return Some(rows),
            Err(error) => {
                assert!(error.offset() <= data.len());
                assert_eq!(error.row(), Some(rows.len()));
                assert!(reader.next_row().is_ok_and(|row| row.is_none()));
                return None;
            }
        }
    }
}

/// A copy of a row whose names lie in the buffer.
fn owned(row: &RowRef<'_, '_>, data: &[u8], names: &mut NameCache) -> Row {
    let range = data.as_ptr_range();
    for cell in row.cells() {
        let name = cell.name.as_bytes().as_ptr_range();
        assert!(range.start <= name.start && name.end <= range.end);
    }
    let owned = row.to_row(names);
    assert_eq!(owned.primary_key.len(), row.primary_key().len());
    owned
}

/// Buffers of one row each: two bytes of length before every buffer.
pub(crate) fn separate_rows(data: &[u8]) {
    let mut rest = data;
    let mut buffers = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
        let (buffer, after) = after.split_at(length);
        buffers.push(Bytes::copy_from_slice(buffer));
        rest = after;
    }
    separate(&buffers);
}

pub(crate) fn separate(buffers: &[Bytes]) {
    let mut rows = SeparateRows::new(buffers);
    let mut names = NameCache::default();
    for buffer in buffers {
        match (rows.next_row(), read_row(buffer, Accept::Rows)) {
            (Ok(Some(row)), Ok(single)) => {
                assert_eq!(write_row(&row.to_row(&mut names)), write_row(&single));
            }
            (Err(_), Err(_)) => break,
            (row, single) => panic!("{row:?} against {single:?}"),
        }
    }
    assert!(rows.next_row().is_ok_and(|row| row.is_none()));
}

/// A value that stands alone.
pub(crate) fn variant(data: &[u8]) {
    match VariantRef::decode(data) {
        Ok(value) => {
            // Every value has one encoding.
            assert_eq!(value.encode(), data);
            assert_eq!(value.to_owned().as_ref().encode(), data);
        }
        Err(error) => assert!(error.offset() <= data.len()),
    }
}

/// A block as it stands, and with a checksum that lets the rest be looked at.
pub(crate) fn matrix(data: &[u8]) {
    block(data);
    if let Some((_, covered)) = data.split_last() {
        let mut crc = Crc8::default();
        crc.update(covered);
        block(&[covered, &[crc.finish()]].concat());
    }
}

pub(crate) fn block(data: &[u8]) {
    let matrix = match Matrix::parse(data) {
        Ok(matrix) => matrix,
        Err(error) => {
            assert!(error.offset() <= data.len());
            return;
        }
    };
    let mut writer = MatrixWriter::new(
        matrix.primary_key_names().iter().copied(),
        matrix.attribute_names().iter().copied(),
    )
    .expect("names that were read");
    if !matrix.has_entire_primary_keys() {
        writer = writer.partial_primary_keys();
    }
    let mut rows = matrix.rows();
    let mut values = matrix.rows();
    let mut count = 0;
    loop {
        match (rows.next_row(), values.next_values()) {
            (Ok(Some(row)), Ok(Some(values))) => {
                let key = matrix.primary_key_names().len();
                assert_eq!(row.primary_key().len(), key);
                let present = values.iter().flatten().count();
                assert_eq!(row.cells().len(), present - key);
                writer.values(values).expect("values that were read");
                count += 1;
            }
            (Ok(None), Ok(None)) => break,
            (Err(a), Err(b)) => {
                assert_eq!(a.to_string(), b.to_string());
                assert!(a.offset() <= data.len());
                assert!(rows.next_row().is_ok_and(|row| row.is_none()));
                return;
            }
            (row, values) => panic!("{row:?} against {values:?}"),
        }
    }
    assert_eq!(count, matrix.row_count());
    let written = writer.finish().expect("a block that was read");
    // There may have been gaps between the sections.
    assert!(written.len() <= data.len());
    if written.len() == data.len() {
        assert_eq!(written, data);
    }
}
