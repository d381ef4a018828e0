//! The same rows as a SimpleRowMatrix and as PlainBuffer.
#![expect(clippy::unwrap_used, reason = "benchmarks, of blocks that are sound")]

use std::collections::BTreeSet;
use std::hint::black_box;

use bytes::Bytes;
use ots_proto::plainbuffer::{Accept, Reader, Writer};
use ots_proto::simple_row_matrix::{Matrix, MatrixWriter};
use ots_proto::{ColumnName, Row};

use crate::Shape;
use crate::decode::{Look, touch};

/// A page in both forms.
#[derive(Clone, Debug)]
pub struct Both {
    matrix: Bytes,
    plainbuffer: Bytes,
}

impl Both {
    /// The first page of a table of this shape, as a search index has it: without versions.
    ///
    /// # Panics
    /// If a block can't hold the rows: it can.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let mut rows = shape.rows(shape.page_rows());
        for cell in rows.iter_mut().flat_map(|row| &mut row.cells) {
            cell.timestamp_ms = None;
        }
        let mut plainbuffer = Writer::new();
        rows.iter().for_each(|row| plainbuffer.row(row));

        let keys = rows.iter().take(1).flat_map(Row::key_columns);
        let keys: Vec<ColumnName> = keys.map(|key| key.name.clone()).collect();
        let cells = rows.iter().flat_map(|row| &row.cells);
        let attributes: BTreeSet<ColumnName> = cells.map(|cell| cell.name.clone()).collect();
        let mut matrix = MatrixWriter::new(keys, attributes).unwrap();
        for row in &rows {
            matrix.row(row).unwrap();
        }
        Self {
            matrix: matrix.finish().unwrap(),
            plainbuffer: plainbuffer.finish(),
        }
    }

    /// The bytes of the block.
    #[must_use]
    pub fn matrix_bytes(&self) -> usize {
        self.matrix.len()
    }

    /// The bytes of the buffer.
    #[must_use]
    pub fn plainbuffer_bytes(&self) -> usize {
        self.plainbuffer.len()
    }

    /// The block, as rows that are lent.
    ///
    /// # Panics
    /// As all ways, if the block is damaged: it isn't.
    #[must_use]
    #[inline(never)]
    pub fn matrix_lent(&self) -> usize {
        let matrix = Matrix::parse(black_box(&self.matrix)).unwrap();
        let (mut rows, mut cells) = (matrix.rows(), 0);
        while let Some(row) = rows.next_row().unwrap() {
            cells += touch(row);
        }
        cells
    }

    /// The block, as values without names.
    #[must_use]
    #[inline(never)]
    pub fn matrix_values(&self) -> usize {
        let matrix = Matrix::parse(black_box(&self.matrix)).unwrap();
        let (mut rows, mut count) = (matrix.rows(), 0);
        while let Some(values) = rows.next_values().unwrap() {
            count += black_box(values).len();
        }
        count
    }

    /// The block, by a visitor that looks at every value.
    #[must_use]
    #[inline(never)]
    pub fn matrix_visited(&self) -> usize {
        let matrix = Matrix::parse(black_box(&self.matrix)).unwrap();
        matrix.rows().visit(&mut Look).unwrap()
    }

    /// The buffer, as rows that are lent.
    #[must_use]
    #[inline(never)]
    pub fn plainbuffer_lent(&self) -> usize {
        let mut reader = Reader::new(black_box(&self.plainbuffer), Accept::Rows).unwrap();
        let mut cells = 0;
        while let Some(row) = reader.next_row().unwrap() {
            cells += touch(row);
        }
        cells
    }

    /// The buffer, by a visitor that looks at every value.
    #[must_use]
    #[inline(never)]
    pub fn plainbuffer_visited(&self) -> usize {
        let mut reader = Reader::new(black_box(&self.plainbuffer), Accept::Rows).unwrap();
        reader.visit(&mut Look).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_hold_the_same_rows() {
        for shape in Shape::ALL {
            let both = Both::new(shape);
            assert_eq!(both.matrix_lent(), both.plainbuffer_lent());
            assert_eq!(both.matrix_visited(), shape.page_rows());
            assert_eq!(both.plainbuffer_visited(), shape.page_rows());
        }
    }
}
