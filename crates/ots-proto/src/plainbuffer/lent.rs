//! The row that is lent, in lists that the next row reuses.

use super::error::Error;
use super::visit::Visitor;
use crate::primary_key::PrimaryKeyValueRef;
use crate::row::{CellRef, KeyCellRef, RowRef};

/// Lists of cells of which the first ones are the row's; what stands behind them is of earlier rows.
///
/// Nothing is cleared and nothing pushed: a cell is written over one of a row before, and how many
/// there are is counted by [`Filling`], in registers. A list that is cleared and pushed to keeps its
/// length in memory, and waits for it at every cell.
#[derive(Debug)]
pub(crate) struct LentRow<'buf> {
    keys: Vec<KeyCellRef<'buf>>,
    cells: Vec<CellRef<'buf>>,
    key_count: usize,
    cell_count: usize,
    deleted: bool,
}

/// The row while it is read.
pub(crate) struct Filling<'row, 'buf> {
    keys: &'row mut Vec<KeyCellRef<'buf>>,
    cells: &'row mut Vec<CellRef<'buf>>,
    key_count: usize,
    cell_count: usize,
    deleted: bool,
}

impl<'buf> LentRow<'buf> {
    /// Without cells.
    pub(crate) const fn new() -> Self {
        Self {
            keys: Vec::new(),
            cells: Vec::new(),
            key_count: 0,
            cell_count: 0,
            deleted: false,
        }
    }

    /// Takes the cells that `read` hands over for those of the row, whatever `read` then says.
    #[inline(always)]
    pub(crate) fn fill<T>(&mut self, read: impl FnOnce(&mut Filling<'_, 'buf>) -> T) -> T {
        let mut filling = Filling {
            keys: &mut self.keys,
            cells: &mut self.cells,
            key_count: 0,
            cell_count: 0,
            deleted: false,
        };
        let read = read(&mut filling);
        let (key_count, cell_count) = (filling.key_count, filling.cell_count);
        self.deleted = filling.deleted;
        self.key_count = key_count;
        self.cell_count = cell_count;
        read
    }

    #[inline]
    pub(crate) fn lend(&self) -> RowRef<'_, 'buf> {
        RowRef {
            key: self.keys.get(..self.key_count).unwrap_or_default(),
            cells: self.cells.get(..self.cell_count).unwrap_or_default(),
            delete_marker: self.deleted,
        }
    }
}

impl<'buf> Filling<'_, 'buf> {
    #[inline(always)]
    pub(crate) fn push_key(&mut self, cell: KeyCellRef<'buf>) {
        if self.key_count >= self.keys.len() {
            grow(self.keys, NO_KEY_CELL);
        }
        if let Some(place) = self.keys.get_mut(self.key_count) {
            *place = cell;
        }
        self.key_count += 1;
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, cell: CellRef<'buf>) {
        if self.cell_count >= self.cells.len() {
            grow(self.cells, NO_CELL);
        }
        if let Some(place) = self.cells.get_mut(self.cell_count) {
            *place = cell;
        }
        self.cell_count += 1;
    }
}

impl<'buf> Visitor<'buf> for Filling<'_, 'buf> {
    type Error = Error;

    #[inline(always)]
    fn key(&mut self, _: usize, cell: KeyCellRef<'buf>) -> Result<(), Error> {
        self.push_key(cell);
        Ok(())
    }

    #[inline(always)]
    fn cell(&mut self, _: usize, cell: CellRef<'buf>) -> Result<(), Error> {
        self.push(cell);
        Ok(())
    }

    #[inline(always)]
    fn end_row(&mut self, deleted: bool) -> Result<(), Error> {
        self.deleted = deleted;
        Ok(())
    }
}

/// Makes a place for one more cell.
#[cold]
fn grow<T>(cells: &mut Vec<T>, empty: T) {
    cells.push(empty);
}

const NO_KEY_CELL: KeyCellRef<'static> = KeyCellRef {
    name: "",
    value: PrimaryKeyValueRef::Integer(0),
};

const NO_CELL: CellRef<'static> = CellRef {
    name: "",
    value: None,
    operation: None,
    timestamp_ms: None,
};
