//! Pages in, record batches out.

use std::collections::HashMap;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use bytes::Bytes;
use ots_proto::plainbuffer::{Accept, Reader, SeparateRows};
use ots_proto::simple_row_matrix::Matrix;

use crate::column::ColumnBuilder;
use crate::error::Error;
use crate::schema::{Column, ScanSchema};
use crate::sink::PageSink;

/// Collects the rows of pages into columns.
///
/// The newest version of a cell is taken; cells of columns that the schema doesn't have are passed
/// over, unless [refused](Self::refuse_other_columns); a cell that a row doesn't have is null.
///
/// # Failures
/// A page is appended as a whole or not at all: after an error the builder is as it was before the
/// call, and can go on with other pages or be finished.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is finished"]
pub struct RecordBatchBuilder {
    arrow: SchemaRef,
    columns: Columns,
}

/// The columns while they grow.
#[derive(Debug)]
pub(crate) struct Columns {
    /// The key columns, then the attribute columns.
    pub(crate) described: Vec<Column>,
    /// What each of them holds.
    pub(crate) values: Vec<ColumnBuilder>,
    /// How many are key columns.
    pub(crate) keys: usize,
    /// From the name of an attribute column to its place among all.
    pub(crate) names: HashMap<String, usize>,
    pub(crate) on_mismatch: OnMismatch,
    /// Whether cells of columns that aren't described are an error.
    pub(crate) refuse_others: bool,
    pub(crate) rows: usize,
    pub(crate) mismatches: u64,
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
        let described: Vec<Column> = schema.columns().cloned().collect();
        let keys = schema.keys.len();
        let names = schema.attribute_names().map(str::to_owned);
        let columns = Columns {
            values: described.iter().map(ColumnBuilder::of).collect(),
            described,
            keys,
            names: names.zip(keys..).collect(),
            on_mismatch: OnMismatch::default(),
            refuse_others: false,
            rows: 0,
            mismatches: 0,
        };
        Self {
            arrow: schema.arrow_schema(),
            columns,
        }
    }

    /// What to do with attribute values of another type than their column's.
    pub const fn on_mismatch(mut self, on_mismatch: OnMismatch) -> Self {
        self.columns.on_mismatch = on_mismatch;
        self
    }

    /// Refuses a page with an attribute column that the schema doesn't have, instead of passing it
    /// over: for who wants all of a table, and has its columns from some of its rows.
    pub const fn refuse_other_columns(mut self) -> Self {
        self.columns.refuse_others = true;
        self
    }

    /// Appends a page of a ParallelScan: one buffer per row, as the message of a Search has them too.
    ///
    /// # Errors
    /// A buffer that can't be read or doesn't hold exactly one row, a row without a key column, a
    /// value of a wrong type, a column that grows past 2 GiB.
    pub fn append_page(&mut self, rows: &[Bytes]) -> Result<(), Error> {
        self.columns.all_or_nothing(|sink| {
            let mut reader = SeparateRows::new(rows);
            if reader.visit_row(sink)? {
                let total: usize = rows.iter().map(Bytes::len).sum();
                sink.expect_rows(total / rows.first().map_or(1, |row| row.len().max(1)));
            }
            reader.visit(sink)
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
        self.columns.all_or_nothing(|sink| {
            let mut reader = Reader::new(rows, Accept::Rows)?;
            if reader.visit_row(sink)? {
                sink.expect_rows(rows.len() / reader.position().offset().max(1));
            }
            reader.visit(sink)
        })
    }

    /// Appends a matrix, as BulkExport sends one: names once, then the values of each row.
    ///
    /// Only the columns of the key that were asked for are in it, and all of the schema's are to be. An
    /// empty buffer is a page without rows.
    ///
    /// # Errors
    /// A block that can't be read, a row without a key column, a value of a wrong type, a column that
    /// grows past 2 GiB.
    pub fn append_matrix(&mut self, block: &Bytes) -> Result<(), Error> {
        if block.is_empty() {
            return Ok(());
        }
        let matrix = Matrix::parse(block)?;
        self.columns
            .all_or_nothing(|sink| matrix.rows().visit(sink))
    }

    /// Rows appended since the last batch.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.columns.rows
    }

    /// Values that became null because they weren't of their column's type, since the builder began.
    #[must_use]
    pub const fn mismatches(&self) -> u64 {
        self.columns.mismatches
    }

    /// The memory that the columns take, in bytes: allocated, not only filled.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let columns = self.columns.values.iter();
        columns.map(ColumnBuilder::memory_bytes).sum()
    }

    /// The memory that the rows so far fill, in bytes: about what a batch of them takes. Nulls at the
    /// end of a column aren't counted yet.
    #[must_use]
    pub fn filled_bytes(&self) -> usize {
        let columns = self.columns.values.iter();
        columns.map(ColumnBuilder::filled_bytes).sum()
    }

    /// The rows so far as a batch. The builder is left without rows, ready for the next batch.
    ///
    /// # Errors
    /// Only if Arrow refuses the columns, which would be a mistake of this crate.
    pub fn finish(&mut self) -> Result<RecordBatch, Error> {
        let rows = std::mem::take(&mut self.columns.rows);
        let columns = self.columns.values.iter_mut();
        // All of them, also after one that failed: the builder is to be empty.
        let columns: Vec<_> = columns.map(|column| column.finish(rows)).collect();
        let columns = columns.into_iter().collect::<Result<Vec<ArrayRef>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = SchemaRef::clone(&self.arrow);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }

    /// Takes the memory of a batch that was written out, for the rows to come.
    ///
    /// Fresh memory costs more than filling it: the system hands it out page by page, zeroed. Who writes batch after batch
    /// and keeps none gives each back here:
    ///
    /// ```
    /// # use ots_arrow::{ColumnType, RecordBatchBuilder, ScanSchema};
    /// # use ots_proto::{PrimaryKey, Row, plainbuffer};
    /// # let key = ots_proto::messages::PrimaryKeySchema {
    /// #     name: "id".into(),
    /// #     r#type: ots_proto::messages::PrimaryKeyType::Integer.into(),
    /// #     option: None,
    /// # };
    /// # let schema = ScanSchema::from_table(&[key], [("city".to_owned(), ColumnType::String)])?;
    /// # let row = |id| Row::new(PrimaryKey::new().column("id", id)).cell("city", "Hangzhou");
    /// # let pages = (0..10).map(|id| [plainbuffer::write_row(&row(id))]);
    /// # let mut written = 0;
    /// # let mut write_out = |batch: &arrow_array::RecordBatch| written += batch.num_rows();
    /// let mut builder = RecordBatchBuilder::new(&schema);
    /// for page in pages {
    ///     builder.append_page(&page)?;
    ///     let batch = builder.finish()?;
    ///     write_out(&batch);
    ///     builder.recycle(batch);
    /// }
    /// # assert_eq!(written, 10);
    /// # Ok::<(), ots_arrow::Error>(())
    /// ```
    ///
    /// Any builder takes a batch of the same schema, while it has no rows. Arrays that something else
    /// still holds, and batches that don't fit, are let go as if dropped.
    pub fn recycle(&mut self, batch: RecordBatch) {
        let (schema, arrays, _) = batch.into_parts();
        if self.rows() == 0 && schema == self.arrow {
            for (column, array) in self.columns.values.iter_mut().zip(arrays) {
                column.recycle(array);
            }
        }
    }
}

impl Columns {
    fn all_or_nothing(
        &mut self,
        append: impl FnOnce(&mut PageSink<'_>) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        let (rows, mismatches) = (self.rows, self.mismatches);
        match append(&mut PageSink::new(self)) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.rows = rows;
                self.mismatches = mismatches;
                for column in &mut self.values {
                    column.truncate(rows);
                }
                Err(error)
            }
        }
    }
}
