//! The walk's end: cells into columns, with no row in between.

use ots_proto::plainbuffer::Visitor;
use ots_proto::{CellRef, ColumnValueRef, KeyCellRef, PrimaryKeyValueRef};

use crate::builder::{Columns, OnMismatch};
use crate::column::Refused;
use crate::error::{Error, ErrorKind};

/// Takes the cells of one page.
///
/// The walk numbers the names of a page; what a number means for the columns is looked up when it
/// first comes, and is an index from then on.
#[derive(Debug)]
pub(crate) struct PageSink<'builder> {
    columns: &'builder mut Columns,
    /// For each number of the walk the column that key cells of the name go to.
    keys: Vec<usize>,
    /// For each number of the walk the column that attribute cells of the name go to.
    attributes: Vec<usize>,
    /// Rows of the batch before this page.
    before: usize,
    /// Key columns that this row has filled.
    filled_keys: usize,
}

/// In the place of a column: its number hasn't come yet.
const UNASKED: usize = usize::MAX;

/// In the place of a column: it isn't wanted.
const NOWHERE: usize = usize::MAX - 1;

impl<'builder> PageSink<'builder> {
    pub(crate) const fn new(columns: &'builder mut Columns) -> Self {
        Self {
            before: columns.rows,
            columns,
            keys: Vec::new(),
            attributes: Vec::new(),
            filled_keys: 0,
        }
    }

    /// Makes room for about `rows` rows like the first, if that was the first of a batch.
    ///
    /// Only columns that it fills get room: it is the buffers of a page that pay for what they claim.
    pub(crate) fn expect_rows(&mut self, rows: usize) {
        // A little more: growing at the last row would cost as much as all before.
        let rows = rows + rows / 8 + 1;
        if self.columns.rows == 1 {
            for column in &mut self.columns.values {
                column.reserve(rows);
            }
        }
    }

    /// The row of the page, counted from zero.
    const fn row(&self) -> usize {
        self.columns.rows - self.before
    }

    /// The column of a number that isn't that of a column: whose number has never come, or which
    /// isn't wanted.
    #[cold]
    fn ask(&mut self, part: Part, number: usize, name: &str) -> Option<usize> {
        let columns = &self.columns;
        let places = match part {
            Part::Key => &mut self.keys,
            Part::Attribute => &mut self.attributes,
        };
        if places.get(number) == Some(&NOWHERE) {
            return None;
        }
        let found = match part {
            Part::Key => {
                let mut keys = columns.described.iter().take(columns.keys);
                keys.position(|column| column.name == name)
            }
            Part::Attribute => columns.names.get(name).copied(),
        };
        if places.len() <= number {
            places.resize(number + 1, UNASKED);
        }
        if let Some(place) = places.get_mut(number) {
            *place = found.unwrap_or(NOWHERE);
        }
        found
    }

    #[cold]
    fn missing_key(&self) -> Error {
        let rows = self.columns.rows;
        let mut keys = self.columns.described.iter().zip(&self.columns.values);
        let missing = keys.find(|(_, values)| values.len() <= rows);
        let column = missing.map_or_else(String::new, |(column, _)| column.name.clone());
        let row = self.row();
        ErrorKind::MissingKeyColumn { row, column }.into()
    }

    /// What becomes of a cell that no column takes.
    #[cold]
    fn passed_over(&self, name: &str) -> Result<(), Error> {
        if !self.columns.refuse_others {
            return Ok(());
        }
        let (row, column) = (self.row(), name.to_owned());
        Err(ErrorKind::OtherColumn { row, column }.into())
    }

    /// What becomes of an attribute value that its column refused.
    #[cold]
    fn refused(
        &mut self,
        place: usize,
        refused: Refused,
        found: &'static str,
    ) -> Result<(), Error> {
        if refused == Refused::OtherType
            && self.columns.on_mismatch == OnMismatch::Null
            && let Some(column) = self.columns.values.get_mut(place)
        {
            column.put_nulls(self.columns.rows + 1);
            self.columns.mismatches += 1;
            return Ok(());
        }
        Err(self.error(place, refused, found))
    }

    #[cold]
    fn error(&self, place: usize, refused: Refused, found: &'static str) -> Error {
        let described = self.columns.described.get(place);
        let column = described.map_or_else(String::new, |column| column.name.clone());
        match refused {
            Refused::OtherType => ErrorKind::TypeMismatch {
                row: self.row(),
                column,
                expected: described.map_or("", |column| column.type_name),
                found,
            },
            Refused::TooLarge => ErrorKind::BatchTooLarge { column },
        }
        .into()
    }
}

/// Where in a row a cell stands: a name may mean different columns in both.
#[derive(Clone, Copy)]
enum Part {
    Key,
    Attribute,
}

impl<'buf> Visitor<'buf> for PageSink<'_> {
    type Error = Error;

    #[inline(always)]
    fn begin_row(&mut self) -> Result<(), Error> {
        self.filled_keys = 0;
        Ok(())
    }

    #[inline(always)]
    fn key(&mut self, number: usize, cell: KeyCellRef<'buf>) -> Result<(), Error> {
        let mut place = self.keys.get(number).copied().unwrap_or(UNASKED);
        if place >= self.columns.values.len() {
            match self.ask(Part::Key, number, cell.name) {
                Some(found) => place = found,
                None => return Ok(()),
            }
        }
        let value = match cell.value {
            PrimaryKeyValueRef::Integer(value) => ColumnValueRef::Integer(value),
            PrimaryKeyValueRef::String(value) => ColumnValueRef::String(value),
            PrimaryKeyValueRef::Binary(value) => ColumnValueRef::Binary(value),
            PrimaryKeyValueRef::InfMin => {
                return Err(self.error(place, Refused::OtherType, "INF_MIN"));
            }
            PrimaryKeyValueRef::InfMax => {
                return Err(self.error(place, Refused::OtherType, "INF_MAX"));
            }
            PrimaryKeyValueRef::AutoIncrement => {
                return Err(self.error(place, Refused::OtherType, "AUTO_INCREMENT"));
            }
        };
        let row = self.columns.rows;
        if let Some(column) = self.columns.values.get_mut(place) {
            match column.put(row, value) {
                Ok(put) => self.filled_keys += usize::from(put),
                Err(refused) => return Err(self.error(place, refused, value.type_name())),
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn cell(&mut self, number: usize, cell: CellRef<'buf>) -> Result<(), Error> {
        let mut place = self.attributes.get(number).copied().unwrap_or(UNASKED);
        if place >= self.columns.values.len() {
            match self.ask(Part::Attribute, number, cell.name) {
                Some(found) => place = found,
                None => return self.passed_over(cell.name),
            }
        }
        let row = self.columns.rows;
        // Versions of one column stand newest first: an older one finds the place taken.
        if let Some(column) = self.columns.values.get_mut(place)
            && let Some(value) = cell.value
            && let Err(refused) = column.put(row, value)
        {
            return self.refused(place, refused, value.type_name());
        }
        Ok(())
    }

    #[inline(always)]
    fn end_row(&mut self, _deleted: bool) -> Result<(), Error> {
        if self.filled_keys < self.columns.keys {
            return Err(self.missing_key());
        }
        self.columns.rows += 1;
        Ok(())
    }
}
