//! A page in the form in which the service sent it.

use bytes::Bytes;
use ots_proto::messages::DataBlockType;
use ots_proto::plainbuffer::{self, Accept, Checksums, Reader};
use ots_proto::simple_row_matrix::Matrix;

use super::page::TablePage;
use super::step::RangeStep;
use crate::decode::DecodeError;
use crate::worker::count;

/// A page in the form in which the service sent it: rows as a PlainBuffer, or as a matrix, which has
/// names once, one checksum and no times. See [`TableScan::decode_blocks`](crate::TableScan::decode_blocks).
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct TableBlock {
    page: TablePage,
    /// And no PlainBuffer, which nobody but this type is to take it for.
    is_matrix: bool,
}

impl TableBlock {
    pub(super) const fn new(page: TablePage, is_matrix: bool) -> Self {
        Self { page, is_matrix }
    }

    /// The page, if its rows are a PlainBuffer: as everywhere that a matrix isn't asked for.
    pub(super) fn into_page(self) -> Result<TablePage, DecodeError> {
        if self.is_matrix {
            return Err("a matrix came where rows were asked for".into());
        }
        Ok(self.page)
    }

    /// Which range it is of, from 0, in the order of keys.
    #[must_use]
    pub const fn range(&self) -> u32 {
        self.page.range()
    }

    /// Which page of the range it is, from 0, without gaps, since the scan was opened or resumed.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.page.index()
    }

    /// How many rows it has.
    #[must_use]
    pub const fn row_count(&self) -> u64 {
        self.page.row_count()
    }

    /// What the page covers of its range.
    #[must_use]
    pub fn step(&self) -> RangeStep {
        self.page.step()
    }

    /// What the [bytes](Self::bytes) are.
    #[must_use]
    pub const fn form(&self) -> DataBlockType {
        if self.is_matrix {
            DataBlockType::SimpleRowMatrix
        } else {
            DataBlockType::PlainBuffer
        }
    }

    /// The rows. A [`Matrix`] or a [`Reader`] over them compares checksums, as nobody has yet.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        self.page.buffer()
    }
}

/// How many rows a matrix says it has, its checksum compared.
pub(super) fn count_matrix(matrix: &Bytes) -> Result<u64, DecodeError> {
    let rows = Matrix::parse(matrix)?.row_count();
    Ok(u64::try_from(rows)?)
}

/// How many rows a PlainBuffer has, without comparing checksums.
pub(super) fn count_rows(buffer: &Bytes) -> Result<u64, plainbuffer::Error> {
    let reader = Reader::new(buffer, Accept::Rows)?;
    Ok(count(reader.checksums(Checksums::Trust).count_rows()?))
}
