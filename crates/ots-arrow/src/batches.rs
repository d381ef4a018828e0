//! Parallel scans as streams of record batches.

use arrow_array::RecordBatch;
use ots_proto::messages::DataBlockType;
use ots_scan::{RangeStep, Scan, ScanDecoded, TableScan};

use crate::schema::ScanSchema;

/// Record batches of a whole scan, of an index or of a table.
pub trait ScanBatches {
    /// The stream of batches.
    type Batches;

    /// A batch for each page, in any order between splits or ranges; of an empty page, an empty batch.
    ///
    /// Pages become batches in the tasks that fetch them, side by side, and a page that is damaged is
    /// asked for again before the scan fails with [`ScanErrorKind::Decode`], or
    /// [`TableScanErrorKind::Decode`]. The columns of the scan are to be those of the schema:
    ///
    /// ```no_run
    /// # async fn example(
    /// #     client: ots_core::Client,
    /// #     schema: ots_arrow::ScanSchema,
    /// # ) -> Result<(), ots_scan::ScanError> {
    /// use futures::TryStreamExt;
    /// use ots_arrow::ScanBatches;
    /// use ots_scan::parallel_scan;
    ///
    /// let scan = parallel_scan(client, "orders", "orders_index");
    /// let scan = scan.column_names(schema.attribute_names()).open().await?;
    /// let mut batches = scan.batches(&schema);
    /// while let Some(batch) = batches.try_next().await? {
    ///     println!("{} rows", batch.num_rows());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Batches of a table say where they stand, so that a checkpoint may cover exactly those that are
    /// written. GetRange leaves out a row that has none of the columns that are named, unless a column
    /// of the key is named too:
    ///
    /// ```no_run
    /// # async fn example(
    /// #     client: ots_core::Client,
    /// #     schema: ots_arrow::ScanSchema,
    /// # ) -> Result<(), ots_scan::TableScanError> {
    /// use futures::TryStreamExt;
    /// use ots_arrow::ScanBatches;
    /// use ots_scan::table_scan;
    ///
    /// let columns = schema.key_names().chain(schema.attribute_names());
    /// let scan = table_scan(client, "orders").columns(columns).open().await?;
    /// let mut written = scan.checkpoint();
    /// let mut batches = scan.batches(&schema);
    /// while let Some(page) = batches.try_next().await? {
    ///     println!("{} rows of range {}", page.batch.num_rows(), page.step.range);
    ///     written.advance(&page.step)?;
    /// }
    /// assert!(written.is_done());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`ScanErrorKind::Decode`]: ots_scan::ScanErrorKind::Decode
    /// [`TableScanErrorKind::Decode`]: ots_scan::TableScanErrorKind::Decode
    fn batches(self, schema: &ScanSchema) -> Self::Batches;
}

impl ScanBatches for Scan {
    type Batches = ScanDecoded<RecordBatch>;

    fn batches(self, schema: &ScanSchema) -> Self::Batches {
        let schema = schema.clone();
        self.decode_sized(move |page| {
            let batch = schema.read_page(&page.rows)?;
            let bytes = batch.get_array_memory_size();
            Ok::<_, crate::Error>((batch, bytes))
        })
    }
}

/// A page of a table as a batch, and where it stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TableBatch {
    /// The rows, in the order of keys.
    pub batch: RecordBatch,
    /// Which page of its range it is, from 0, since the scan was opened or resumed.
    pub page: u64,
    /// What it covers of its range.
    pub step: RangeStep,
}

impl ScanBatches for TableScan {
    type Batches = TableScan<TableBatch>;

    fn batches(self, schema: &ScanSchema) -> Self::Batches {
        let schema = schema.clone();
        self.decode_blocks(move |block| {
            let batch = match block.form() {
                DataBlockType::SimpleRowMatrix => schema.read_matrix(block.bytes())?,
                DataBlockType::PlainBuffer => schema.read_buffer(block.bytes())?,
            };
            let bytes = batch.get_array_memory_size();
            let batch = TableBatch {
                batch,
                page: block.index(),
                step: block.step(),
            };
            Ok::<_, crate::Error>((batch, bytes))
        })
    }
}
