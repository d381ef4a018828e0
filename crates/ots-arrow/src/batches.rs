//! A parallel scan as a stream of record batches.

use arrow_array::RecordBatch;
use ots_scan::{Scan, ScanDecoded};

use crate::schema::ScanSchema;

/// Record batches of a whole scan.
pub trait ScanBatches {
    /// A batch for each page, in any order between splits; of an empty page, an empty batch.
    ///
    /// Pages become batches in the tasks of their splits, side by side, and a page that is damaged is
    /// asked for again before the scan fails with [`ScanErrorKind::Decode`]. The columns of the scan
    /// are to be those of the schema:
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
    /// [`ScanErrorKind::Decode`]: ots_scan::ScanErrorKind::Decode
    fn batches(self, schema: &ScanSchema) -> ScanDecoded<RecordBatch>;
}

impl ScanBatches for Scan {
    fn batches(self, schema: &ScanSchema) -> ScanDecoded<RecordBatch> {
        let schema = schema.clone();
        self.decode(move |page| schema.read_page(&page.rows))
    }
}
