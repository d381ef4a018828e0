//! The ways to read a page of rows.
#![expect(clippy::unwrap_used, reason = "benchmarks, of pages that are sound")]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;

use bytes::Bytes;
use ots_arrow::{ColumnType, RecordBatchBuilder, ScanSchema};
use ots_proto::messages::{ParallelScanResponse, PrimaryKeySchema, PrimaryKeyType};
use ots_proto::plainbuffer::{
    Accept, Checksums, Reader, SeparateRows, SharedRow, SharedRows, Visitor, Writer, write_row,
};
use ots_proto::{CellRef, ColumnValue, KeyCellRef, PrimaryKeyColumn, PrimaryKeyValue, Row, RowRef};

use prost::Message as _;

use crate::Shape;
use crate::reference::{Reference, Value};

/// How a page comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two forms there are")]
pub enum Form {
    /// All rows in one buffer, as GetRange sends them.
    Range,
    /// A buffer for each row, as ParallelScan sends them.
    Scan,
}

impl Form {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Range, Self::Scan];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::Scan => "scan",
        }
    }
}

/// A page in one of its forms.
#[derive(Clone, Debug)]
pub struct Page {
    form: Form,
    buffers: Vec<Bytes>,
    schema: ScanSchema,
}

impl Page {
    /// The first page of a table of this shape.
    #[must_use]
    pub fn new(shape: Shape, form: Form) -> Self {
        let rows = shape.rows(shape.page_rows());
        let buffers = match form {
            Form::Range => {
                let mut writer = Writer::new();
                rows.iter().for_each(|row| writer.row(row));
                vec![writer.finish()]
            }
            Form::Scan => scanned(&rows),
        };
        Self {
            form,
            buffers,
            schema: schema(shape),
        }
    }

    /// The bytes of all buffers.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.buffers.iter().map(Bytes::len).sum()
    }

    /// A builder of batches of every column.
    pub fn batches(&self) -> Batches {
        Batches(RecordBatchBuilder::new(&self.schema))
    }

    /// By the yardstick.
    ///
    /// # Panics
    /// As all ways, if the page is damaged: it isn't.
    #[must_use]
    #[inline(never)]
    pub fn reference(&self) -> usize {
        let mut decoder = Reference::default();
        let mut rows = 0;
        let mut each = |name: &str, value: Value<'_>| {
            black_box((name, value));
        };
        for buffer in black_box(&self.buffers) {
            rows += decoder.decode(buffer, &mut each).unwrap();
        }
        rows
    }

    /// As rows that are lent.
    #[must_use]
    #[inline(never)]
    pub fn lent(&self, checksums: Checksums) -> usize {
        let mut cells = 0;
        match (self.form, black_box(&*self.buffers)) {
            (Form::Range, [buffer, ..]) => {
                let mut reader = Reader::new(buffer, Accept::Rows).unwrap();
                reader = reader.checksums(checksums);
                while let Some(row) = reader.next_row().unwrap() {
                    cells += touch(row);
                }
            }
            (_, buffers) => {
                let mut rows = SeparateRows::new(buffers).checksums(checksums);
                while let Some(row) = rows.next_row().unwrap() {
                    cells += touch(row);
                }
            }
        }
        cells
    }

    /// By a visitor that looks at every value, as the yardstick's does.
    #[must_use]
    #[inline(never)]
    pub fn visited(&self) -> usize {
        match (self.form, black_box(&*self.buffers)) {
            (Form::Range, [buffer, ..]) => {
                let mut reader = Reader::new(buffer, Accept::Rows).unwrap();
                reader.visit(&mut Look).unwrap()
            }
            (_, buffers) => SeparateRows::new(buffers).visit(&mut Look).unwrap(),
        }
    }

    /// Handles of all buffers, as a response is left with that nobody needs any more.
    #[must_use]
    pub fn buffers(&self) -> Vec<Bytes> {
        self.buffers.clone()
    }

    /// As rows that are values, every one of them taken; then all of it is dropped, the handles of the
    /// buffers too.
    #[inline(never)]
    pub fn shared(&self, buffers: Vec<Bytes>) {
        let rows = match (self.form, buffers) {
            (Form::Range, buffers) => {
                let buffer = buffers.into_iter().next().unwrap_or_default();
                SharedRows::read(buffer, Accept::Rows)
            }
            (Form::Scan, buffers) => SharedRows::read_separate(buffers),
        };
        let rows: Vec<SharedRow> = rows.unwrap().iter().collect();
        drop(black_box(rows));
    }
}

/// Batches that are written out and give their memory back, of the size that `ots export` makes them.
#[derive(Debug)]
pub struct Batches(RecordBatchBuilder);

impl Batches {
    /// Appends a page, and finishes a batch when there is enough for one; says whether it did.
    ///
    /// # Panics
    /// If the page is damaged: it isn't.
    #[inline(never)]
    pub fn append(&mut self, page: &Page) -> bool {
        let Self(builder) = self;
        match (page.form, black_box(&*page.buffers)) {
            (Form::Range, [buffer, ..]) => builder.append_buffer(buffer).unwrap(),
            (_, buffers) => builder.append_page(buffers).unwrap(),
        }
        let enough = builder.rows() >= BATCH_ROWS || builder.filled_bytes() >= BATCH_BYTES;
        if enough {
            let batch = builder.finish().unwrap();
            builder.recycle(black_box(batch));
        }
        enough
    }

    /// The pages of one batch, and the batch. Gives their number.
    pub fn batch(&mut self, page: &Page) -> usize {
        let mut pages = 1;
        while !self.append(page) {
            pages += 1;
        }
        pages
    }

    /// Appends a page to a builder that has no memory, and drops its batch.
    ///
    /// # Panics
    /// If the page is damaged: it isn't.
    #[inline(never)]
    pub fn alone(page: &Page) {
        let mut batches = page.batches();
        if !batches.append(page) {
            drop(black_box(batches.0.finish().unwrap()));
        }
    }
}

const BATCH_ROWS: usize = 8_192;
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// The rows of a response as it is decoded: slices of the one buffer that it came in.
fn scanned(rows: &[Row]) -> Vec<Bytes> {
    let response = ParallelScanResponse {
        rows: rows.iter().map(write_row).collect(),
        ..ParallelScanResponse::default()
    };
    let response = Bytes::from(response.encode_to_vec());
    ParallelScanResponse::decode(response).unwrap().rows
}

/// Something cheap that depends on the row, so that the walk can't be left out.
pub(crate) fn touch(row: RowRef<'_, '_>) -> usize {
    black_box(row.primary_key()).len() + black_box(row.cells()).len()
}

/// Looks at every value, as `reference` does.
pub(crate) struct Look;

impl<'buf> Visitor<'buf> for Look {
    // What PlainBuffer and matrix both end with.
    type Error = Box<dyn Error>;

    #[inline]
    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), Self::Error> {
        black_box((column, cell.value));
        Ok(())
    }

    #[inline]
    fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Self::Error> {
        black_box((column, cell.value, cell.timestamp_ms));
        Ok(())
    }
}

/// Every column of a shape.
#[must_use]
pub fn schema(shape: Shape) -> ScanSchema {
    let rows = shape.rows(shape.page_rows());
    let key = |column: &PrimaryKeyColumn| PrimaryKeySchema {
        name: column.name.to_string(),
        r#type: match column.value {
            PrimaryKeyValue::Integer(_) => PrimaryKeyType::Integer.into(),
            _ => PrimaryKeyType::String.into(),
        },
        option: None,
    };
    let keys: Vec<_> = rows
        .iter()
        .take(1)
        .flat_map(Row::key_columns)
        .map(key)
        .collect();
    let mut columns = BTreeMap::new();
    for cell in rows.iter().flat_map(|row| &row.cells) {
        let column_type = match cell.value {
            ColumnValue::Integer(_) => ColumnType::Integer,
            ColumnValue::Double(_) => ColumnType::Double,
            ColumnValue::Boolean(_) => ColumnType::Boolean,
            ColumnValue::String(_) => ColumnType::String,
            ColumnValue::Binary(_) => ColumnType::Binary,
        };
        columns.insert(cell.name.to_string(), column_type);
    }
    ScanSchema::from_table(&keys, columns).unwrap()
}
