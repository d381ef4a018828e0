//! Rows into buffers.

use bytes::{BufMut, Bytes};

use super::crc8::Crc8;
use super::tag;
use super::variant::{self, VariantRef};
use crate::primary_key::{PrimaryKey, PrimaryKeyValueRef};
use crate::row::{CellOperation, CellUpdate, Row, RowChange, RowRef};
use crate::value::ColumnValueRef;

/// Builds a buffer row by row.
///
/// ```
/// use ots_proto::plainbuffer::{Writer, write_row};
/// use ots_proto::{PrimaryKey, Row};
///
/// let row = Row::new(PrimaryKey::new().column("id", 7)).cell("city", "Hangzhou");
/// let mut writer = Writer::new();
/// writer.row(&row);
/// assert_eq!(writer.finish(), write_row(&row));
/// ```
#[derive(Debug)]
#[must_use]
pub struct Writer {
    buffer: Vec<u8>,
}

impl Writer {
    /// A buffer with a header and no rows.
    pub fn new() -> Self {
        Self {
            buffer: tag::HEADER.to_vec(),
        }
    }

    /// As [`new`](Self::new), with room for `bytes` without growing.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(bytes.max(tag::HEADER.len()));
        buffer.extend_from_slice(&tag::HEADER);
        Self { buffer }
    }

    /// Starts a row, to be written cell by cell.
    pub fn begin_row(&mut self) -> RowWriter<'_> {
        self.buffer.put_u8(tag::ROW_PK);
        RowWriter {
            buffer: &mut self.buffer,
            crc: Crc8::default(),
            in_data: false,
            deleted: false,
        }
    }

    /// Starts a row that has attribute cells only: what UpdateRow returns of columns it incremented.
    /// The key is left out altogether, not written empty, and only [`Accept::PartialRows`] reads it.
    ///
    /// [`Accept::PartialRows`]: super::Accept::PartialRows
    pub fn begin_keyless_row(&mut self) -> RowWriter<'_> {
        let mut row = RowWriter {
            buffer: &mut self.buffer,
            crc: Crc8::default(),
            in_data: false,
            deleted: false,
        };
        row.begin_data();
        row
    }

    /// Adds a row.
    pub fn row(&mut self, row: &Row) {
        let mut writer = self.begin_row();
        writer.primary_key(&row.primary_key);
        for cell in &row.cells {
            writer.cell(&cell.name, cell.value.as_ref(), cell.timestamp_ms);
        }
        writer.end();
    }

    /// Adds a row that was read from another buffer.
    pub fn row_ref(&mut self, row: RowRef<'_, '_>) {
        let mut writer = self.begin_row();
        for cell in row.primary_key() {
            writer.key(cell.name, cell.value);
        }
        for cell in row.cells() {
            let value = cell.value.map(VariantRef::from);
            writer.attribute(cell.name, value, cell.operation, cell.timestamp_ms);
        }
        if row.is_deleted() {
            writer.delete_marker();
        }
        writer.end();
    }

    /// Bytes written so far, the header included.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// The finished buffer.
    #[must_use]
    pub fn finish(self) -> Bytes {
        self.buffer.into()
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes one row cell by cell: the key, the attributes, the delete marker, then [`end`](Self::end).
#[derive(Debug)]
#[must_use = "a row isn't complete before `end`"]
pub struct RowWriter<'a> {
    buffer: &'a mut Vec<u8>,
    crc: Crc8,
    in_data: bool,
    deleted: bool,
}

impl RowWriter<'_> {
    /// Adds every column of a key.
    pub fn primary_key(&mut self, key: &PrimaryKey) {
        for column in key.columns() {
            self.key(&column.name, column.value.as_ref());
        }
    }

    /// Adds a key column. Key columns come before all attribute cells.
    pub fn key(&mut self, name: &str, value: PrimaryKeyValueRef<'_>) {
        debug_assert!(!self.in_data, "key columns come before attribute cells");
        self.write_cell(name, Some(value.into()), None, None);
    }

    /// Adds an attribute cell with a value.
    pub fn cell(&mut self, name: &str, value: ColumnValueRef<'_>, timestamp_ms: Option<i64>) {
        self.attribute(name, Some(value.into()), None, timestamp_ms);
    }

    /// Adds a change of an attribute cell.
    pub fn update(&mut self, update: &CellUpdate) {
        match update {
            CellUpdate::Put(cell) => self.cell(&cell.name, cell.value.as_ref(), cell.timestamp_ms),
            CellUpdate::DeleteOneVersion { name, timestamp_ms } => {
                let operation = Some(CellOperation::DeleteOneVersion);
                self.attribute(name, None, operation, Some(*timestamp_ms));
            }
            CellUpdate::DeleteAllVersions { name } => {
                self.attribute(name, None, Some(CellOperation::DeleteAllVersions), None);
            }
            CellUpdate::Increment { name, by } => {
                let value = Some(VariantRef::Integer(*by));
                self.attribute(name, value, Some(CellOperation::Increment), None);
            }
        }
    }

    fn begin_data(&mut self) {
        if !self.in_data {
            self.buffer.put_u8(tag::ROW_DATA);
            self.in_data = true;
        }
    }

    /// Marks the row as deleted.
    pub fn delete_marker(&mut self) {
        self.buffer.put_u8(tag::DELETE_MARKER);
        self.deleted = true;
    }

    /// Closes the row with its checksum.
    pub fn end(mut self) {
        self.crc.update_byte(self.deleted.into());
        self.buffer.put_u8(tag::ROW_CHECKSUM);
        self.buffer.put_u8(self.crc.finish());
    }

    fn attribute(
        &mut self,
        name: &str,
        value: Option<VariantRef<'_>>,
        operation: Option<CellOperation>,
        timestamp_ms: Option<i64>,
    ) {
        self.begin_data();
        self.write_cell(name, value, operation, timestamp_ms);
    }

    fn write_cell(
        &mut self,
        name: &str,
        value: Option<VariantRef<'_>>,
        operation: Option<CellOperation>,
        timestamp_ms: Option<i64>,
    ) {
        let mut crc = Crc8::default();
        self.buffer.put_u8(tag::CELL);
        self.buffer.put_u8(tag::CELL_NAME);
        variant::put_length(self.buffer, name.len());
        self.buffer.put_slice(name.as_bytes());
        crc.update(name.as_bytes());
        if let Some(value) = value {
            self.buffer.put_u8(tag::CELL_VALUE);
            variant::put_length(self.buffer, value.encoded_len());
            let start = self.buffer.len();
            variant::write(self.buffer, value);
            crc.update(self.buffer.get(start..).unwrap_or_default());
        }
        if let Some(operation) = operation {
            self.buffer.put_u8(tag::CELL_OPERATION);
            self.buffer.put_u8(operation.code());
        }
        if let Some(timestamp_ms) = timestamp_ms {
            self.buffer.put_u8(tag::CELL_TIMESTAMP);
            self.buffer.put_i64_le(timestamp_ms);
            crc.update(&timestamp_ms.to_le_bytes());
        }
        if let Some(operation) = operation {
            crc.update_byte(operation.code());
        }
        self.buffer.put_u8(tag::CELL_CHECKSUM);
        self.buffer.put_u8(crc.finish());
        self.crc.update_byte(crc.finish());
    }
}

/// A buffer with one primary key: range bounds, routing values, tokens.
#[must_use]
pub fn write_primary_key(key: &PrimaryKey) -> Bytes {
    let mut writer = Writer::new();
    let mut row = writer.begin_row();
    row.primary_key(key);
    row.end();
    writer.finish()
}

/// A buffer with one row, as PutRow takes it.
#[must_use]
pub fn write_row(row: &Row) -> Bytes {
    let mut writer = Writer::new();
    writer.row(row);
    writer.finish()
}

/// A buffer with one change of a row.
#[must_use]
pub fn write_change(change: &RowChange) -> Bytes {
    let mut writer = Writer::new();
    match change {
        RowChange::Put(row) => writer.row(row),
        RowChange::Update(update) => {
            let mut row = writer.begin_row();
            row.primary_key(&update.primary_key);
            for cell in &update.cells {
                row.update(cell);
            }
            row.end();
        }
        RowChange::Delete(key) => {
            let mut row = writer.begin_row();
            row.primary_key(key);
            row.delete_marker();
            row.end();
        }
    }
    writer.finish()
}
