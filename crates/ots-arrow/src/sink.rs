//! The walk's end: cells into columns, with no row in between.

use ots_proto::plainbuffer::Visitor;
use ots_proto::{CellRef, ColumnValueRef, KeyCellRef, PrimaryKeyValueRef};

use crate::builder::{Columns, Growing, OnMismatch};
use crate::column::Refused;
use crate::error::{Error, ErrorKind};

/// Takes the cells of one page.
///
/// The walk numbers the names of a page; what a number means for the columns is looked up when it
/// first comes, and is an index from then on.
#[derive(Debug)]
pub(crate) struct PageSink<'builder> {
    columns: &'builder mut Columns,
    /// For each number of the walk the place among the key columns, if it is one.
    keys: Vec<Place>,
    /// For each number of the walk the place among the attribute columns, if it is one.
    attributes: Vec<Place>,
    /// Rows of the page before this one.
    row: usize,
    /// Key columns that this row has filled.
    filled_keys: usize,
}

/// What a number of the walk means for the columns.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// It hasn't come yet.
    Unasked,
    /// A column that isn't wanted.
    Nowhere,
    /// The place of its column.
    At(usize),
}

impl<'builder> PageSink<'builder> {
    pub(crate) const fn new(columns: &'builder mut Columns) -> Self {
        Self {
            columns,
            keys: Vec::new(),
            attributes: Vec::new(),
            row: 0,
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
            let columns = self.columns.keys.iter_mut();
            for it in columns.chain(&mut self.columns.attributes) {
                if it.rows == 1 {
                    it.values.make_room(rows);
                }
            }
        }
    }

    #[cold]
    fn missing_key(&self) -> Error {
        let rows = self.columns.rows;
        let missing = self.columns.keys.iter().find(|it| it.rows <= rows);
        let column = missing.map_or_else(String::new, |it| it.column.name.clone());
        let row = self.row;
        ErrorKind::MissingKeyColumn { row, column }.into()
    }
}

impl<'buf> Visitor<'buf> for PageSink<'_> {
    type Error = Error;

    #[inline]
    fn begin_row(&mut self) -> Result<(), Error> {
        self.filled_keys = 0;
        Ok(())
    }

    #[inline(always)]
    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), Error> {
        let place = match self.keys.get(column) {
            Some(Place::At(place)) => Some(*place),
            Some(Place::Nowhere) => None,
            Some(Place::Unasked) | None => {
                let keys = &self.columns.keys;
                let found = keys.iter().position(|it| it.column.name == cell.name);
                note(&mut self.keys, column, found)
            }
        };
        let rows = self.columns.rows;
        if let Some(it) = place.and_then(|place| self.columns.keys.get_mut(place))
            && it.rows <= rows
        {
            it.append_key(cell.value, self.row)?;
            it.rows = rows + 1;
            self.filled_keys += 1;
        }
        Ok(())
    }

    #[inline(always)]
    fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Error> {
        if self.filled_keys < self.columns.keys.len() {
            return Err(self.missing_key());
        }
        let place = match self.attributes.get(column) {
            Some(Place::At(place)) => Some(*place),
            Some(Place::Nowhere) => None,
            Some(Place::Unasked) | None => {
                let found = self.columns.names.get(cell.name).copied();
                note(&mut self.attributes, column, found)
            }
        };
        let rows = self.columns.rows;
        let on_mismatch = self.columns.on_mismatch;
        let it = place.and_then(|place| self.columns.attributes.get_mut(place));
        let (Some(it), Some(value)) = (it, cell.value) else {
            return Ok(());
        };
        // Versions of one column stand newest first: an older one finds the place taken.
        if it.rows > rows {
            return Ok(());
        }
        it.catch_up(rows);
        match it.values.append(value) {
            Ok(()) => {}
            Err(Refused::OtherType) if on_mismatch == OnMismatch::Null => {
                it.values.append_null();
                self.columns.mismatches += 1;
            }
            Err(refused) => return Err(it.error(refused, value.type_name(), self.row)),
        }
        it.rows = rows + 1;
        Ok(())
    }

    #[inline]
    fn end_row(&mut self, _deleted: bool) -> Result<(), Error> {
        if self.filled_keys < self.columns.keys.len() {
            return Err(self.missing_key());
        }
        self.columns.rows += 1;
        self.row += 1;
        Ok(())
    }
}

/// Notes what a number means that comes for the first time.
#[cold]
fn note(places: &mut Vec<Place>, number: usize, found: Option<usize>) -> Option<usize> {
    if places.len() <= number {
        places.resize(number + 1, Place::Unasked);
    }
    if let Some(place) = places.get_mut(number) {
        *place = found.map_or(Place::Nowhere, Place::At);
    }
    found
}

impl Growing {
    #[inline]
    fn append_key(&mut self, value: PrimaryKeyValueRef<'_>, row: usize) -> Result<(), Error> {
        let value = match value {
            PrimaryKeyValueRef::Integer(value) => ColumnValueRef::Integer(value),
            PrimaryKeyValueRef::String(value) => ColumnValueRef::String(value),
            PrimaryKeyValueRef::Binary(value) => ColumnValueRef::Binary(value),
            PrimaryKeyValueRef::InfMin => {
                return Err(self.error(Refused::OtherType, "INF_MIN", row));
            }
            PrimaryKeyValueRef::InfMax => {
                return Err(self.error(Refused::OtherType, "INF_MAX", row));
            }
            PrimaryKeyValueRef::AutoIncrement => {
                return Err(self.error(Refused::OtherType, "AUTO_INCREMENT", row));
            }
        };
        self.values
            .append(value)
            .map_err(|refused| self.error(refused, value.type_name(), row))
    }

    #[cold]
    fn error(&self, refused: Refused, found: &'static str, row: usize) -> Error {
        let column = self.column.name.clone();
        match refused {
            Refused::OtherType => ErrorKind::TypeMismatch {
                row,
                column,
                expected: self.column.type_name,
                found,
            },
            Refused::TooLarge => ErrorKind::BatchTooLarge { column },
        }
        .into()
    }
}
