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
    timestamps: Timestamps,
}

/// The timestamp written last and the checksum of its eight bytes: the cells of one write mostly
/// have the same.
#[derive(Debug, Default)]
struct Timestamps {
    ms: i64,
    // Eight zero bytes have the checksum zero.
    crc: u8,
}

impl Writer {
    /// A buffer with a header and no rows.
    pub fn new() -> Self {
        Self::with_capacity(tag::HEADER.len())
    }

    /// As [`new`](Self::new), with room for `bytes` without growing.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut writer = Self::empty(bytes.max(tag::HEADER.len()));
        writer.header();
        writer
    }

    /// A buffer without even a header.
    pub(super) fn empty(bytes: usize) -> Self {
        Self {
            buffer: Vec::with_capacity(bytes),
            timestamps: Timestamps::default(),
        }
    }

    /// Starts what is a buffer of its own to whoever reads it.
    pub(super) fn header(&mut self) {
        self.buffer.extend_from_slice(&tag::HEADER);
    }

    /// Starts a row, to be written cell by cell.
    pub fn begin_row(&mut self) -> RowWriter<'_> {
        self.buffer.put_u8(tag::ROW_PK);
        RowWriter {
            buffer: &mut self.buffer,
            timestamps: &mut self.timestamps,
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
            timestamps: &mut self.timestamps,
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

    /// Adds a change of a row.
    pub(super) fn change(&mut self, change: &RowChange) {
        match change {
            RowChange::Put(row) => self.row(row),
            RowChange::Update(update) => {
                let mut row = self.begin_row();
                row.primary_key(&update.primary_key);
                for cell in &update.cells {
                    row.update(cell);
                }
                row.end();
            }
            RowChange::Delete(key) => {
                let mut row = self.begin_row();
                row.primary_key(key);
                row.delete_marker();
                row.end();
            }
        }
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
    timestamps: &'a mut Timestamps,
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

    #[inline]
    fn write_cell(
        &mut self,
        name: &str,
        value: Option<VariantRef<'_>>,
        operation: Option<CellOperation>,
        timestamp_ms: Option<i64>,
    ) {
        // Pieces of a fixed size are written at once; the checksum is taken from what is written, not
        // from the buffer, which it would have to wait for.
        let mut crc = Crc8::default();
        // To the byte: who made room for all of a page isn't to be given more.
        let bytes = cell_bytes(name, value, operation.is_some(), timestamp_ms.is_some());
        self.buffer.reserve(bytes);
        let [l0, l1, l2, l3] = length(name.len());
        self.put([tag::CELL, tag::CELL_NAME, l0, l1, l2, l3]);
        self.buffer.extend_from_slice(name.as_bytes());
        crc.update(name.as_bytes());
        if let Some(value) = value {
            self.write_value(value, &mut crc);
        }
        if let Some(operation) = operation {
            self.put([tag::CELL_OPERATION, operation.code()]);
        }
        if let Some(timestamp_ms) = timestamp_ms {
            let bytes = timestamp_ms.to_le_bytes();
            if timestamp_ms != self.timestamps.ms {
                let mut alone = Crc8::default();
                alone.update_8(bytes);
                *self.timestamps = Timestamps {
                    ms: timestamp_ms,
                    crc: alone.finish(),
                };
            }
            let [t0, t1, t2, t3, t4, t5, t6, t7] = bytes;
            self.put([tag::CELL_TIMESTAMP, t0, t1, t2, t3, t4, t5, t6, t7]);
            crc.update_8_known(self.timestamps.crc);
        }
        // The buffer has the operation before the timestamp, the checksum takes it after.
        if let Some(operation) = operation {
            crc.update_byte(operation.code());
        }
        self.put([tag::CELL_CHECKSUM, crc.finish()]);
        self.crc.update_byte(crc.finish());
    }

    #[inline(always)]
    fn write_value(&mut self, value: VariantRef<'_>, crc: &mut Crc8) {
        match value {
            VariantRef::Integer(value) => {
                self.write_eight(tag::VARIANT_INTEGER, value.to_le_bytes(), crc);
            }
            VariantRef::Double(value) => {
                self.write_eight(tag::VARIANT_DOUBLE, value.to_le_bytes(), crc);
            }
            VariantRef::String(value) => {
                self.write_long(tag::VARIANT_STRING, value.as_bytes(), crc);
            }
            VariantRef::Binary(value) => self.write_long(tag::VARIANT_BLOB, value, crc),
            _ => {
                let [l0, l1, l2, l3] = length(value.encoded_len());
                self.put([tag::CELL_VALUE, l0, l1, l2, l3]);
                let start = self.buffer.len();
                variant::write(self.buffer, value);
                crc.update(self.buffer.get(start..).unwrap_or_default());
            }
        }
    }

    /// A value of eight bytes.
    #[inline(always)]
    fn write_eight(&mut self, type_byte: u8, data: [u8; 8], crc: &mut Crc8) {
        let [d0, d1, d2, d3, d4, d5, d6, d7] = data;
        self.put([
            tag::CELL_VALUE,
            9,
            0,
            0,
            0,
            type_byte,
            d0,
            d1,
            d2,
            d3,
            d4,
            d5,
            d6,
            d7,
        ]);
        crc.update_typed(type_byte, data);
    }

    /// A value with a length of its own.
    #[inline(always)]
    fn write_long(&mut self, type_byte: u8, data: &[u8], crc: &mut Crc8) {
        let [o0, o1, o2, o3] = length(data.len().saturating_add(5));
        let [l0, l1, l2, l3] = length(data.len());
        self.put([tag::CELL_VALUE, o0, o1, o2, o3, type_byte, l0, l1, l2, l3]);
        self.buffer.extend_from_slice(data);
        crc.update_5(type_byte, [l0, l1, l2, l3]);
        crc.update(data);
    }

    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.buffer.extend_from_slice(&bytes);
    }
}

/// A length as the format writes it.
#[inline]
fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap_or(i32::MAX).to_le_bytes()
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

/// What a cell takes, to the byte.
#[inline]
pub(super) fn cell_bytes(
    name: &str,
    value: Option<VariantRef<'_>>,
    has_operation: bool,
    has_timestamp: bool,
) -> usize {
    let value = value.map_or(0, |value| 5 + value.encoded_len());
    8 + name.len() + value + 2 * usize::from(has_operation) + 9 * usize::from(has_timestamp)
}
