//! Batches into the bytes of a format.

use std::io::Write as _;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::base64::{BASE64_STANDARD, b64_encode};
use arrow_csv::WriterBuilder;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::staged::Tracked;

/// The format of the files of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Apache Parquet, compressed with snappy.
    Parquet,
    /// Comma-separated values with a line of names.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::Jsonl];

    /// The ending of its files, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

/// One open file of a format.
pub(super) enum Encoder {
    Parquet(Box<ArrowWriter<Tracked>>),
    Csv(Box<arrow_csv::Writer<Tracked>>, TextSchema),
    Jsonl(Box<arrow_json::LineDelimitedWriter<Tracked>>, TextSchema),
    /// Lines that come as they are.
    Lines(Tracked),
}

/// What an encoder can say no with.
#[derive(Debug)]
pub(super) enum Refused {
    Arrow(ArrowError),
    Parquet(ParquetError),
}

impl Encoder {
    pub(super) fn new(format: Format, schema: &SchemaRef, file: Tracked) -> Result<Self, Refused> {
        Ok(match format {
            Format::Parquet => {
                let schema = Arc::clone(schema);
                let writer = ArrowWriter::try_new(file, schema, Some(parquet_properties()))?;
                Self::Parquet(Box::new(writer))
            }
            Format::Csv => {
                let texts = TextSchema::new(schema);
                let mut writer = WriterBuilder::new().with_header(true).build(file);
                // The names stand there also if no row follows.
                writer.write(&RecordBatch::new_empty(Arc::clone(&texts.schema)))?;
                Self::Csv(Box::new(writer), texts)
            }
            Format::Jsonl => {
                let writer = arrow_json::LineDelimitedWriter::new(file);
                Self::Jsonl(Box::new(writer), TextSchema::new(schema))
            }
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), Refused> {
        match self {
            Self::Parquet(writer) => {
                // In slices, so that memory is looked at often enough whatever the size of a batch.
                let rows = batch.num_rows();
                let step = slice_rows(rows, batch.get_array_memory_size());
                for start in (0..rows).step_by(step) {
                    writer.write(&batch.slice(start, step.min(rows - start)))?;
                    if writer.memory_size() >= ROW_GROUP_MEMORY_BYTES {
                        writer.flush()?;
                    }
                }
            }
            Self::Csv(writer, texts) => writer.write(&texts.convert(batch)?)?,
            Self::Jsonl(writer, texts) => writer.write(&texts.convert(batch)?)?,
            Self::Lines(_) => {
                let problem = "columns for a file of lines".to_owned();
                return Err(ArrowError::InvalidArgumentError(problem).into());
            }
        }
        Ok(())
    }

    pub(super) fn write_lines(&mut self, lines: &str) -> Result<(), Refused> {
        match self {
            Self::Lines(file) => Ok(file.write_all(lines.as_bytes()).map_err(ArrowError::from)?),
            Self::Parquet(_) | Self::Csv(..) | Self::Jsonl(..) => {
                let problem = "lines for a file of columns".to_owned();
                Err(ArrowError::InvalidArgumentError(problem).into())
            }
        }
    }

    pub(super) fn finish(self) -> Result<Tracked, Refused> {
        Ok(match self {
            Self::Parquet(writer) => writer.into_inner()?,
            Self::Csv(writer, _) => writer.into_inner(),
            Self::Lines(file) => file,
            Self::Jsonl(mut writer, _) => {
                writer.finish()?;
                writer.into_inner()
            }
        })
    }
}

/// The schema of a file that holds only text: binary columns as base64.
#[derive(Debug)]
pub(super) struct TextSchema {
    schema: SchemaRef,
}

impl TextSchema {
    fn new(schema: &SchemaRef) -> Self {
        let field = |field: &Arc<Field>| match field.data_type() {
            DataType::Binary => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8)),
            _ => Arc::clone(field),
        };
        let fields = schema.fields().iter().map(field).collect::<Vec<_>>();
        Self {
            schema: Arc::new(Schema::new(fields)),
        }
    }

    fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let column = |column: &ArrayRef| match column.data_type() {
            DataType::Binary => {
                Arc::new(b64_encode(&BASE64_STANDARD, column.as_binary::<i32>())) as ArrayRef
            }
            _ => Arc::clone(column),
        };
        let columns = batch.columns().iter().map(column).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

/// Settings that keep the memory of one open file small; see `tests/sink_memory.rs`.
fn parquet_properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        // Each column holds a dictionary and a page before it is encoded: 1 MiB each by default.
        .set_dictionary_page_size_limit(128 * 1024)
        .set_data_page_size_limit(256 * 1024)
        // Statistics of every page stay in memory until the file is closed, those of every row
        // group are enough to skip by.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build()
}

/// Rows to hand over at once, of a batch of so many rows and bytes.
fn slice_rows(rows: usize, batch_bytes: usize) -> usize {
    let fitting = rows.saturating_mul(SLICE_BYTES) / batch_bytes.max(1);
    fitting.clamp(1, SLICE_ROWS)
}

const ROW_GROUP_ROWS: usize = 65_536;
const ROW_GROUP_MEMORY_BYTES: usize = 6 * 1024 * 1024;
const SLICE_ROWS: usize = 4_096;
const SLICE_BYTES: usize = 1024 * 1024;

impl From<ArrowError> for Refused {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl From<ParquetError> for Refused {
    fn from(error: ParquetError) -> Self {
        Self::Parquet(error)
    }
}

impl From<Refused> for Box<dyn std::error::Error + Send + Sync> {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Arrow(error) => error.into(),
            Refused::Parquet(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_small_in_rows_and_in_bytes() {
        let cases = [
            (0, 0, 1),
            (1, 100 << 20, 1),
            (1_000, 1_000, SLICE_ROWS),
            (100_000, 100_000, SLICE_ROWS),
            (1_000, 10 << 20, 100),
        ];
        for (rows, bytes, expected) in cases {
            assert_eq!(
                slice_rows(rows, bytes),
                expected,
                "{rows} rows, {bytes} bytes"
            );
        }
    }
}
