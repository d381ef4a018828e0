//! Rows in every format, read in every way there is.

use bytes::Bytes;
use ots_proto::plainbuffer::{
    Accept, Checksums, Crc8, Error, Reader, SeparateRows, VariantRef, Visitor, Writer, read_change,
    read_primary_key, read_row, write_change, write_primary_key, write_row,
};
use ots_proto::simple_row_matrix::{self, Matrix, MatrixWriter};
use ots_proto::{Cell, CellRef, KeyCellRef, NameCache, Row, RowRef};

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
    let bytes = rewritten(&rows);
    let again = walk(&bytes, accept).expect("rows that were written");
    assert_eq!(rewritten(&again), bytes);
    assert_eq!(again.len(), rows.len());
    // The bytes need not be the same as those that came: extensions are read over, and where a key
    // needn't be, its tag needn't be either, but is written.
    assert!(bytes.len() <= data.len() + rows.len());
    if let [row] = rows.as_slice() {
        let single = read_row(data, accept).expect("a buffer of one row");
        assert_eq!(write_row(&single), write_row(row));
    }
}

/// Every row of a buffer, if all of it is good: lent row by row, handed to a visitor, and with the
/// checksums taken on trust.
fn walk(data: &[u8], accept: Accept) -> Option<Vec<Row>> {
    let lent = lend(data, accept, Checksums::Verify);
    let visited = visit(data, accept);
    match (&lent, &visited) {
        (Ok(lent), Ok(visited)) => assert_eq!(rewritten(lent), rewritten(visited)),
        (Err(lent), Err(visited)) => assert_eq!(lent, visited),
        other => panic!("{other:?}"),
    }
    let rows = lent.ok()?;
    let trusted = lend(data, accept, Checksums::Trust).expect("a buffer that was verified");
    assert_eq!(rewritten(&trusted), rewritten(&rows));
    Some(rows)
}

/// By their bytes, because NaN isn't equal to itself.
fn rewritten(rows: &[Row]) -> Bytes {
    let mut writer = Writer::new();
    for row in rows {
        writer.row(row);
    }
    writer.finish()
}

fn lend(data: &[u8], accept: Accept, checksums: Checksums) -> Result<Vec<Row>, String> {
    let mut reader = Reader::new(data, accept)
        .map_err(|error| error.to_string())?
        .checksums(checksums);
    let mut names = NameCache::default();
    let mut rows = Vec::new();
    loop {
        let position = reader.position();
        match reader.next_row() {
            Ok(Some(row)) => {
                let resumed = Reader::resume(data, accept, position);
                let mut resumed = resumed
                    .expect("a buffer with a header")
                    .checksums(checksums);
                let again = resumed.next_row().expect("the same row");
                assert_eq!(
                    again.as_ref().map(|row| row.cells().len()),
                    Some(row.cells().len())
                );
                rows.push(owned(&row, data, &mut names));
            }
            Ok(None) => return Ok(rows),
            Err(error) => {
                assert!(error.offset() <= data.len());
                assert_eq!(error.row(), Some(rows.len()));
                assert!(reader.next_row().is_ok_and(|row| row.is_none()));
                return Err(error.to_string());
            }
        }
    }
}

fn visit(data: &[u8], accept: Accept) -> Result<Vec<Row>, String> {
    let mut reader = Reader::new(data, accept).map_err(|error| error.to_string())?;
    let mut collected = Collected::default();
    let rows = reader
        .visit(&mut collected)
        .map_err(|error| error.to_string())?;
    assert_eq!(rows, collected.rows.len());
    Ok(collected.rows)
}

/// A visitor that makes rows of what it is handed, and holds numbers to their names.
#[derive(Default)]
struct Collected<'buf> {
    names: Vec<&'buf str>,
    row: Row,
    rows: Vec<Row>,
}

impl<'buf> Collected<'buf> {
    fn name(&mut self, column: usize, name: &'buf str) {
        if column == self.names.len() {
            assert!(!self.names.contains(&name), "two numbers for {name:?}");
            self.names.push(name);
        }
        assert_eq!(self.names[column], name);
    }
}

impl<'buf> Visitor<'buf> for Collected<'buf> {
    type Error = Error;

    fn begin_row(&mut self) -> Result<(), Error> {
        self.row = Row::default();
        Ok(())
    }

    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), Error> {
        self.name(column, cell.name);
        self.row.primary_key.push(cell.name, cell.value.to_owned());
        Ok(())
    }

    fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Error> {
        self.name(column, cell.name);
        if let Some(value) = cell.value {
            self.row.cells.push(Cell {
                name: cell.name.into(),
                value: value.to_owned(),
                timestamp_ms: cell.timestamp_ms,
            });
        }
        Ok(())
    }

    fn end_row(&mut self, _: bool) -> Result<(), Error> {
        self.rows.push(std::mem::take(&mut self.row));
        Ok(())
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

    let mut visited = Collected::default();
    let count = SeparateRows::new(buffers).visit(&mut visited);
    let good = buffers.iter().map(|buffer| read_row(buffer, Accept::Rows));
    match good.collect::<Result<Vec<_>, _>>() {
        Ok(good) => {
            assert_eq!(count.expect("good rows"), good.len());
            assert_eq!(rewritten(&visited.rows), rewritten(&good));
        }
        Err(_) => assert!(count.is_err()),
    }
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
    let mut collected = Collected::default();
    let visited = matrix.rows().visit(&mut Blocks(&mut collected));
    let mut names = NameCache::default();
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
                let visited = collected.rows.get(count..=count);
                let visited = visited.expect("as many rows for a visitor");
                assert_eq!(rewritten(visited), rewritten(&[row.to_row(&mut names)]));
                count += 1;
            }
            (Ok(None), Ok(None)) => break,
            (Err(a), Err(b)) => {
                assert_eq!(a.to_string(), b.to_string());
                assert_eq!(visited.expect_err("the same error"), a.to_string());
                assert_eq!(collected.rows.len(), count);
                assert!(a.offset() <= data.len());
                assert!(rows.next_row().is_ok_and(|row| row.is_none()));
                return;
            }
            (row, values) => panic!("{row:?} against {values:?}"),
        }
    }
    assert_eq!(count, matrix.row_count());
    assert_eq!(visited, Ok(count));
    let written = writer.finish().expect("a block that was read");
    // There may have been gaps between the sections.
    assert!(written.len() <= data.len());
    if written.len() == data.len() {
        assert_eq!(written, data);
    }
}

/// The visitor of PlainBuffers, with room for the errors of a block.
struct Blocks<'a, 'buf>(&'a mut Collected<'buf>);

/// What went wrong, as text.
#[derive(Debug, PartialEq)]
struct Text(String);

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

impl From<Error> for Text {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<simple_row_matrix::Error> for Text {
    fn from(error: simple_row_matrix::Error) -> Self {
        Self(error.to_string())
    }
}

impl<'buf> Visitor<'buf> for Blocks<'_, 'buf> {
    type Error = Text;

    fn begin_row(&mut self) -> Result<(), Text> {
        Ok(self.0.begin_row()?)
    }

    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), Text> {
        Ok(self.0.key(column, cell)?)
    }

    fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Text> {
        Ok(self.0.cell(column, cell)?)
    }

    fn end_row(&mut self, deleted: bool) -> Result<(), Text> {
        Ok(self.0.end_row(deleted)?)
    }
}
