//! Pages in, record batches out.

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use bytes::Bytes;
use ots_proto::plainbuffer::{Accept, Reader, SeparateRows};
use ots_proto::{ColumnValueRef, KeyCellRef, PrimaryKeyValueRef, RowRef};

use crate::column::{ColumnBuilder, Refused};
use crate::error::{Error, ErrorKind};
use crate::lookup::Lookup;
use crate::schema::{Column, ScanSchema};

/// Collects the rows of pages into columns.
///
/// The newest version of a cell is taken; cells of columns that the schema doesn't have are passed
/// over; a cell that a row doesn't have is null.
///
/// # Failures
/// A page is appended as a whole or not at all: after an error the builder is as it was before the
/// call, and can go on with other pages or be finished.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is finished"]
pub struct RecordBatchBuilder {
    arrow: SchemaRef,
    keys: Vec<Growing>,
    attributes: Vec<Growing>,
    lookup: Lookup,
    on_mismatch: OnMismatch,
    rows: usize,
    mismatches: u64,
}

#[derive(Debug)]
struct Growing {
    column: Column,
    values: ColumnBuilder,
}

/// What happens to an attribute value that isn't of its column's type.
///
/// A table has no types for its attribute columns, so any row may hold any type. Values of key
/// columns always are of the table's type: there a mismatch is an error whatever is chosen here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnMismatch {
    /// Refuse the page.
    #[default]
    Error,
    /// Put null in its place, counted by [`RecordBatchBuilder::mismatches`].
    Null,
}

impl RecordBatchBuilder {
    /// A builder without rows.
    pub fn new(schema: &ScanSchema) -> Self {
        let growing = |column: &Column| Growing {
            column: column.clone(),
            values: ColumnBuilder::new(column.value),
        };
        let names = schema.attribute_names().map(str::to_owned).collect();
        Self {
            arrow: schema.arrow_schema(),
            keys: schema.keys.iter().map(growing).collect(),
            attributes: schema.attributes.iter().map(growing).collect(),
            lookup: Lookup::new(names),
            on_mismatch: OnMismatch::default(),
            rows: 0,
            mismatches: 0,
        }
    }

    /// What to do with attribute values of another type than their column's.
    pub const fn on_mismatch(mut self, on_mismatch: OnMismatch) -> Self {
        self.on_mismatch = on_mismatch;
        self
    }

    /// Appends a page of a ParallelScan: one buffer per row, as the message of a Search has them too.
    ///
    /// # Errors
    /// A buffer that can't be read or doesn't hold exactly one row, a row without a key column, a
    /// value of a wrong type, a column that grows past 2 GiB.
    pub fn append_page(&mut self, rows: &[Bytes]) -> Result<(), Error> {
        self.all_or_nothing(|builder| {
            let mut rows = SeparateRows::new(rows);
            let mut place = 0;
            while let Some(row) = rows.next_row()? {
                builder.append_row(row, place)?;
                place += 1;
            }
            Ok(())
        })
    }

    /// Appends a page of a GetRange: all rows in one buffer.
    ///
    /// An empty buffer is a page without rows: that is how GetRange sends one. That nothing was lost
    /// on the way is for the checksum of the response to say.
    ///
    /// # Errors
    /// A buffer that can't be read, a row without a key column, a value of a wrong type, a column
    /// that grows past 2 GiB.
    pub fn append_buffer(&mut self, rows: &Bytes) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        self.all_or_nothing(|builder| {
            let mut reader = Reader::new(rows, Accept::Rows)?;
            let mut place = 0;
            while let Some(row) = reader.next_row()? {
                builder.append_row(row, place)?;
                place += 1;
            }
            Ok(())
        })
    }

    /// Rows appended since the last batch.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Values that became null because they weren't of their column's type, since the builder began.
    #[must_use]
    pub const fn mismatches(&self) -> u64 {
        self.mismatches
    }

    /// The memory that the columns take, in bytes: allocated, not only filled.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.columns().map(|it| it.values.memory_bytes()).sum()
    }

    /// The rows so far as a batch. The builder is left without rows, ready for the next batch.
    ///
    /// # Errors
    /// Only if Arrow refuses the columns, which would be a mistake of this crate.
    pub fn finish(&mut self) -> Result<RecordBatch, Error> {
        let columns = self.columns_mut().map(|it| it.values.finish()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.rows = 0;
        let schema = SchemaRef::clone(&self.arrow);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }

    fn columns(&self) -> impl Iterator<Item = &Growing> {
        self.keys.iter().chain(&self.attributes)
    }

    fn columns_mut(&mut self) -> impl Iterator<Item = &mut Growing> {
        self.keys.iter_mut().chain(&mut self.attributes)
    }

    fn all_or_nothing(
        &mut self,
        append: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (rows, mismatches) = (self.rows, self.mismatches);
        append(self).inspect_err(|_| {
            self.rows = rows;
            self.mismatches = mismatches;
            for it in self.columns_mut() {
                it.values.truncate(rows);
            }
        })
    }

    fn append_row(&mut self, row: RowRef<'_, '_>, place: usize) -> Result<(), Error> {
        for (position, it) in self.keys.iter_mut().enumerate() {
            let value = key_value(row.primary_key(), position, &it.column.name);
            let value = value.ok_or_else(|| ErrorKind::MissingKeyColumn {
                row: place,
                column: it.column.name.clone(),
            })?;
            it.append_key(value, place)?;
        }

        self.lookup.start_row();
        for cell in row.cells() {
            let (Some(index), Some(value)) = (self.lookup.find(cell.name), cell.value) else {
                continue;
            };
            let Some(it) = self.attributes.get_mut(index) else {
                continue;
            };
            // Versions of one column stand newest first: an older one finds the place taken.
            if it.values.len() > self.rows {
                continue;
            }
            match it.values.append(value) {
                Ok(()) => {}
                Err(Refused::OtherType) if self.on_mismatch == OnMismatch::Null => {
                    it.values.append_null();
                    self.mismatches += 1;
                }
                Err(refused) => return Err(it.error(refused, value.type_name(), place)),
            }
        }
        self.rows += 1;
        for it in &mut self.attributes {
            if it.values.len() < self.rows {
                it.values.append_null();
            }
        }
        Ok(())
    }
}

impl Growing {
    fn append_key(&mut self, value: PrimaryKeyValueRef<'_>, place: usize) -> Result<(), Error> {
        let value = match value {
            PrimaryKeyValueRef::Integer(value) => ColumnValueRef::Integer(value),
            PrimaryKeyValueRef::String(value) => ColumnValueRef::String(value),
            PrimaryKeyValueRef::Binary(value) => ColumnValueRef::Binary(value),
            PrimaryKeyValueRef::InfMin => {
                return Err(self.error(Refused::OtherType, "INF_MIN", place));
            }
            PrimaryKeyValueRef::InfMax => {
                return Err(self.error(Refused::OtherType, "INF_MAX", place));
            }
            PrimaryKeyValueRef::AutoIncrement => {
                return Err(self.error(Refused::OtherType, "AUTO_INCREMENT", place));
            }
        };
        self.values
            .append(value)
            .map_err(|refused| self.error(refused, value.type_name(), place))
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

/// The value of a key column, which nearly always stands in the table's place.
#[inline]
fn key_value<'buf>(
    cells: &[KeyCellRef<'buf>],
    position: usize,
    name: &str,
) -> Option<PrimaryKeyValueRef<'buf>> {
    match cells.get(position) {
        Some(cell) if cell.name == name => Some(cell.value),
        _ => cells
            .iter()
            .find(|cell| cell.name == name)
            .map(|cell| cell.value),
    }
}
