//! Rows that own their values, made as they are read.

use super::error::Error;
use super::visit::Visitor;
use crate::name::{ColumnName, NameCache};
use crate::primary_key::{PrimaryKey, PrimaryKeyColumn};
use crate::row::{Cell, CellRef, KeyCellRef, Row};

/// What a walk makes its rows of.
///
/// A name is found by the number of its column and not looked up for every cell. Cells wait in lists
/// that the next row reuses, until their number is known: so a row allocates what a copy of it does.
#[derive(Debug, Default)]
pub(super) struct OwnedRow {
    /// By the number of the column; none where a column came while nobody wanted it owned.
    names: Vec<Option<ColumnName>>,
    key: Vec<PrimaryKeyColumn>,
    cells: Vec<Cell>,
}

/// The row while it is read.
pub(super) struct Making<'a> {
    row: &'a mut OwnedRow,
    /// What columns of other walks are called, too.
    names: &'a mut NameCache,
}

impl OwnedRow {
    pub(super) const fn making<'a>(&'a mut self, names: &'a mut NameCache) -> Making<'a> {
        Making { row: self, names }
    }

    /// The row that was read last.
    #[inline]
    pub(super) fn take(&mut self) -> Row {
        Row {
            primary_key: PrimaryKey::from_columns(moved(&mut self.key)),
            cells: moved(&mut self.cells),
        }
    }

    /// The name of a column that has none yet.
    #[cold]
    fn learn(&mut self, column: usize, name: ColumnName) -> ColumnName {
        if self.names.len() <= column {
            self.names.resize(column + 1, None);
        }
        if let Some(place) = self.names.get_mut(column) {
            *place = Some(name.clone());
        }
        name
    }
}

impl Making<'_> {
    #[inline(always)]
    fn name(&mut self, column: usize, name: &str) -> ColumnName {
        match self.row.names.get(column) {
            Some(Some(name)) => name.clone(),
            _ => self.row.learn(column, self.names.get(name)),
        }
    }
}

impl<'buf> Visitor<'buf> for Making<'_> {
    type Error = Error;

    #[inline(always)]
    fn begin_row(&mut self) -> Result<(), Error> {
        // What a damaged row left.
        self.row.key.clear();
        self.row.cells.clear();
        Ok(())
    }

    #[inline(always)]
    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), Error> {
        let name = self.name(column, cell.name);
        let value = cell.value.to_owned();
        self.row.key.push(PrimaryKeyColumn { name, value });
        Ok(())
    }

    #[inline(always)]
    fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Error> {
        // Only deletions have no value, and they are no rows.
        if let Some(value) = cell.value {
            let name = self.name(column, cell.name);
            let (value, timestamp_ms) = (value.to_owned(), cell.timestamp_ms);
            self.row.cells.push(Cell {
                name,
                value,
                timestamp_ms,
            });
        }
        Ok(())
    }
}

/// The same in a list of its own, which has no room to spare.
#[inline]
fn moved<T>(list: &mut Vec<T>) -> Vec<T> {
    let mut moved = Vec::with_capacity(list.len());
    moved.append(list);
    moved
}

#[cfg(test)]
mod tests {
    use crate::plainbuffer::{Accept, Reader, Writer};
    use crate::{NameCache, PrimaryKey, Row};

    #[test]
    fn rows_of_other_columns_each_and_lent_rows_between_them_get_their_own_names() {
        let rows: Vec<Row> = (0..60_i64)
            .map(|id| {
                let row = Row::new(PrimaryKey::new().column("id", id));
                let columns = (0..40).filter(|column| (id * 7 + column) % 3 == 0);
                columns.fold(row, |row, column| row.cell(format!("c{column}"), id))
            })
            .collect();
        let mut writer = Writer::new();
        rows.iter().for_each(|row| writer.row(row));
        let page = writer.finish();
        let mut names = NameCache::default();
        for lent in [1, 2, 3, 5] {
            let mut reader = Reader::new(&page, Accept::Rows).unwrap();
            for (number, row) in rows.iter().enumerate() {
                let read = if number % lent == 0 {
                    reader.next_owned(&mut names).unwrap().unwrap()
                } else {
                    reader.next_row().unwrap().unwrap().to_row(&mut names)
                };
                assert_eq!(read, *row);
                assert_eq!(read.cells.capacity(), read.cells.len());
            }
            assert!(reader.next_owned(&mut names).unwrap().is_none());
        }
    }

    #[test]
    fn names_are_shared_between_rows_and_between_pages() {
        let row = |id: i64| Row::new(PrimaryKey::new().column("id", id)).cell("city", "Hangzhou");
        let mut names = NameCache::default();
        let mut found = Vec::new();
        for _ in 0..2 {
            let mut writer = Writer::new();
            (0..3).for_each(|id| writer.row(&row(id)));
            let page = writer.finish();
            let mut reader = Reader::new(&page, Accept::Rows).unwrap();
            while let Some(row) = reader.next_owned(&mut names).unwrap() {
                found.push(row.cells[0].name.as_str().as_ptr());
            }
        }
        assert_eq!(found.len(), 6);
        found.dedup();
        assert_eq!(found.len(), 1);
    }
}
