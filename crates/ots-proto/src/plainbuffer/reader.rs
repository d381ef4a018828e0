//! Buffers into rows: every rule of the format is checked on the way, nothing is copied.

use super::crc8::Crc8;
use super::cursor::Cursor;
use super::error::{Error, ErrorKind};
use super::{tag, variant};
use crate::name::NameCache;
use crate::primary_key::{PrimaryKey, PrimaryKeyValueRef};
use crate::row::{
    Cell, CellOperation, CellRef, CellUpdate, KeyCellRef, Row, RowChange, RowRef, RowUpdate,
};
use crate::value::ColumnValueRef;

/// Which shapes of rows a place may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three places a row can stand in"
)]
pub enum Accept {
    /// Rows that were read: a whole key, and a value in every cell.
    Rows,
    /// Rows that were read without all of their key: GetRange when asked for only some key columns,
    /// or what UpdateRow returns of the columns it incremented.
    PartialRows,
    /// Changes of rows: operations and delete markers too.
    Changes,
}

/// Reads the rows of a buffer, one after another, without copying.
///
/// It lends each row until the next is asked for, so that a page of any size needs one list of
/// cells. Everything is verified before a row is lent: lengths, tags, UTF-8, both checksums.
///
/// ```
/// use ots_proto::plainbuffer::{Accept, Reader, write_row};
/// use ots_proto::{PrimaryKey, Row};
///
/// let row = Row::new(PrimaryKey::new().column("id", 7)).cell("city", "Hangzhou");
/// let buffer = write_row(&row);
///
/// let mut reader = Reader::new(&buffer, Accept::Rows)?;
/// while let Some(row) = reader.next_row()? {
///     assert_eq!(row.primary_key()[0].name, "id");
///     assert_eq!(row.cells()[0].name, "city");
/// }
/// # Ok::<(), ots_proto::plainbuffer::Error>(())
/// ```
///
/// After an error it gives no more rows: what follows damage can't be trusted.
#[derive(Debug)]
pub struct Reader<'buf> {
    cursor: Cursor<'buf>,
    accept: Accept,
    rows: usize,
    failed: bool,
    key: Vec<KeyCellRef<'buf>>,
    cells: Vec<CellRef<'buf>>,
}

/// A place between two rows of a buffer; the default is the one before the first row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    offset: usize,
    rows: usize,
}

impl Position {
    /// Before the first row.
    pub const START: Self = Self { offset: 0, rows: 0 };

    /// The offset in the buffer, in bytes.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }

    /// The rows before it.
    #[must_use]
    pub const fn rows(self) -> usize {
        self.rows
    }
}

impl<'buf> Reader<'buf> {
    /// A reader of a buffer with its header.
    ///
    /// # Errors
    /// When the buffer doesn't start with the header of the format; an empty one doesn't either.
    pub fn new(buffer: &'buf [u8], accept: Accept) -> Result<Self, Error> {
        let mut reader = Self::without_buffer(accept);
        reader.cursor = open(buffer)?;
        Ok(reader)
    }

    /// A reader that is to be given its buffers later.
    pub(super) const fn without_buffer(accept: Accept) -> Self {
        Self {
            cursor: Cursor::new(&[]),
            accept,
            rows: 0,
            failed: false,
            key: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// The one row that a buffer must hold.
    pub(super) fn only_row_of(&mut self, buffer: &'buf [u8]) -> Result<RowRef<'_, 'buf>, Error> {
        self.continue_with(buffer)?;
        let number = self.rows;
        let wrong =
            |expected| Error::new(ErrorKind::RowCount { expected }, buffer.len()).in_row(number);
        if self.cursor.left() == 0 {
            return Err(wrong("one row in a buffer of its own, found none"));
        }
        let delete_marker = self.walk().map_err(|error| error.in_row(number))?;
        if self.cursor.left() > 0 {
            return Err(wrong("one row in a buffer of its own, found more"));
        }
        self.rows += 1;
        Ok(RowRef {
            key: &self.key,
            cells: &self.cells,
            delete_marker,
        })
    }

    /// Goes on with another buffer, keeping the memory and the count of rows: for the responses that
    /// send each row in a buffer of its own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn continue_with(&mut self, buffer: &'buf [u8]) -> Result<(), Error> {
        // Should this fail, the rest of the earlier buffer must not be taken for the new one.
        self.failed = true;
        self.cursor = open(buffer).map_err(|error| error.in_row(self.rows))?;
        self.failed = false;
        Ok(())
    }

    /// The next row, or none at the end of the buffer.
    ///
    /// # Errors
    /// When the buffer breaks a rule of the format; see [`ErrorKind`].
    pub fn next_row(&mut self) -> Result<Option<RowRef<'_, 'buf>>, Error> {
        if self.failed || self.cursor.left() == 0 {
            return Ok(None);
        }
        match self.walk() {
            Ok(delete_marker) => {
                self.rows += 1;
                Ok(Some(RowRef {
                    key: &self.key,
                    cells: &self.cells,
                    delete_marker,
                }))
            }
            Err(error) => {
                self.failed = true;
                Err(error.in_row(self.rows))
            }
        }
    }

    /// Rows read so far.
    #[must_use]
    pub const fn rows_read(&self) -> usize {
        self.rows
    }

    /// Where the next row begins. After an error there is no next row, and this means nothing.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position {
            offset: self.cursor.position(),
            rows: self.rows,
        }
    }

    /// A reader that goes on where another reader of the same buffer stopped: for who holds the
    /// buffer and can't hold a reader that borrows from it.
    ///
    /// ```
    /// use ots_proto::plainbuffer::{Accept, Reader, Writer};
    /// use ots_proto::{PrimaryKey, Row};
    ///
    /// let mut writer = Writer::new();
    /// for id in [7, 8] {
    ///     writer.row(&Row::new(PrimaryKey::new().column("id", id)));
    /// }
    /// let buffer = writer.finish();
    ///
    /// let mut reader = Reader::new(&buffer, Accept::Rows)?;
    /// reader.next_row()?;
    /// let mut resumed = Reader::resume(&buffer, Accept::Rows, reader.position())?;
    /// assert_eq!(resumed.next_row()?, reader.next_row()?);
    /// assert_eq!(resumed.rows_read(), 2);
    /// # Ok::<(), ots_proto::plainbuffer::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn resume(buffer: &'buf [u8], accept: Accept, position: Position) -> Result<Self, Error> {
        let mut reader = Self::new(buffer, accept)?;
        let ahead = position.offset.saturating_sub(reader.cursor.position());
        reader.cursor.skip(ahead);
        reader.rows = position.rows;
        Ok(reader)
    }

    /// Steps over one row, filling `key` and `cells`; says whether it carries the delete marker.
    fn walk(&mut self) -> Result<bool, Error> {
        self.key.clear();
        self.cells.clear();
        let mut row_crc = Crc8::default();

        // The service leaves the key out altogether where UpdateRow returns only what it incremented:
        // one official SDK refuses a key part without cells, and all read a row that begins with data.
        let keyless =
            self.accept == Accept::PartialRows && self.cursor.peek() == Some(tag::ROW_DATA);
        if !keyless {
            expect(
                &mut self.cursor,
                tag::ROW_PK,
                "ROW_PK (0x01) at the start of a row",
            )?;
        }
        while self.cursor.peek() == Some(tag::CELL) {
            let (cell, crc) = self.key_cell()?;
            row_crc.update_byte(crc);
            self.key.push(cell);
        }
        if self.key.is_empty() && self.accept != Accept::PartialRows {
            return Err(Error::new(
                ErrorKind::EmptyPrimaryKey,
                self.cursor.position(),
            ));
        }
        if self.cursor.peek() == Some(tag::ROW_DATA) {
            self.cursor.skip(1);
            while self.cursor.peek() == Some(tag::CELL) {
                let (cell, crc) = self.attribute_cell()?;
                row_crc.update_byte(crc);
                self.cells.push(cell);
            }
        }
        let delete_marker = self.cursor.peek() == Some(tag::DELETE_MARKER);
        if delete_marker {
            if self.accept != Accept::Changes {
                return Err(self.only_in_changes("a delete marker"));
            }
            self.cursor.skip(1);
        }
        if self.cursor.peek() == Some(tag::EXTENSION) {
            self.cursor.skip(1);
            skip_extension(&mut self.cursor)?;
        }
        row_crc.update_byte(delete_marker.into());

        expect(
            &mut self.cursor,
            tag::ROW_CHECKSUM,
            "a cell, or ROW_CHECKSUM (0x09) after the row",
        )?;
        let position = self.cursor.position();
        let stored = self.cursor.byte("a row's checksum")?;
        let computed = row_crc.finish();
        if stored == computed {
            Ok(delete_marker)
        } else {
            Err(Error::new(
                ErrorKind::RowChecksum { stored, computed },
                position,
            ))
        }
    }

    #[inline]
    fn key_cell(&mut self) -> Result<(KeyCellRef<'buf>, u8), Error> {
        let start = self.cursor.position();
        let cell = read_cell(&mut self.cursor)?;
        let misplaced = |found: &'static str| {
            let kind = ErrorKind::MisplacedValueType {
                column: cell.name.to_owned(),
                found,
                place: "primary key",
            };
            Error::new(kind, start)
        };
        if cell.operation.is_some() || cell.timestamp_ms.is_some() {
            let problem = "a primary key column has an operation or a timestamp";
            return Err(Error::new(ErrorKind::Operation { problem }, start));
        }
        let Some(value) = cell.value else {
            return Err(Error::new(
                ErrorKind::MissingValue {
                    column: cell.name.to_owned(),
                },
                start,
            ));
        };
        let value =
            PrimaryKeyValueRef::try_from(value).map_err(|other| misplaced(other.type_name()))?;
        // A placeholder is something to be written; the infinities are let through, because split
        // points are sent as rows.
        if value == PrimaryKeyValueRef::AutoIncrement && self.accept != Accept::Changes {
            return Err(misplaced("AUTO_INCREMENT"));
        }
        Ok((
            KeyCellRef {
                name: cell.name,
                value,
            },
            cell.crc,
        ))
    }

    #[inline]
    fn attribute_cell(&mut self) -> Result<(CellRef<'buf>, u8), Error> {
        let start = self.cursor.position();
        let cell = read_cell(&mut self.cursor)?;
        let value = match cell.value.map(ColumnValueRef::try_from).transpose() {
            Ok(value) => value,
            Err(other) => {
                let column = cell.name.to_owned();
                let (found, place) = (other.type_name(), "attribute");
                return Err(Error::new(
                    ErrorKind::MisplacedValueType {
                        column,
                        found,
                        place,
                    },
                    start,
                ));
            }
        };
        if self.accept != Accept::Changes {
            if cell.operation.is_some() {
                return Err(self.only_in_changes("a cell operation"));
            }
            if value.is_none() {
                let column = cell.name.to_owned();
                return Err(Error::new(ErrorKind::MissingValue { column }, start));
            }
        }
        if let Some(problem) = mismatch(cell.operation, value, cell.timestamp_ms) {
            return Err(Error::new(ErrorKind::Operation { problem }, start));
        }
        let RawCell {
            name,
            operation,
            timestamp_ms,
            crc,
            ..
        } = cell;
        Ok((
            CellRef {
                name,
                value,
                operation,
                timestamp_ms,
            },
            crc,
        ))
    }

    #[cold]
    fn only_in_changes(&self, found: &'static str) -> Error {
        Error::new(ErrorKind::OnlyInChanges { found }, self.cursor.position())
    }
}

/// Reads a buffer that holds exactly one primary key: range bounds, tokens, routing values.
///
/// # Errors
/// When the buffer breaks a rule of the format, or holds anything but one key.
pub fn read_primary_key(buffer: &[u8]) -> Result<PrimaryKey, Error> {
    only_row(buffer, Accept::Changes, |row| {
        if row.is_deleted() || !row.cells().is_empty() {
            return Err("a primary key alone, without attribute columns or a delete marker");
        }
        Ok(row.to_primary_key(&mut NameCache::default()))
    })
}

/// Reads a buffer that holds exactly one row.
///
/// # Errors
/// When the buffer breaks a rule of the format, or holds another number of rows.
pub fn read_row(buffer: &[u8], accept: Accept) -> Result<Row, Error> {
    only_row(buffer, accept, |row| {
        Ok(row.to_row(&mut NameCache::default()))
    })
}

/// Reads a buffer that holds exactly one change of a row: what it does follows from its shape.
///
/// A row without delete marker and without operations may be a put or an update; `update` says
/// which request it came in.
///
/// # Errors
/// When the buffer breaks a rule of the format, or its shape doesn't fit.
pub fn read_change(buffer: &[u8], update: bool) -> Result<RowChange, Error> {
    only_row(buffer, Accept::Changes, |row| {
        let names = &mut NameCache::default();
        if row.is_deleted() {
            return match row.cells() {
                [] => Ok(RowChange::Delete(row.to_primary_key(names))),
                _ => Err("no attribute columns in a deletion"),
            };
        }
        if !update {
            if row.cells().iter().any(|cell| cell.operation.is_some()) {
                return Err("no cell operations in a put");
            }
            return Ok(RowChange::Put(row.to_row(names)));
        }
        let primary_key = row.to_primary_key(names);
        let cells = row
            .cells()
            .iter()
            .filter_map(|cell| cell_update(cell, names))
            .collect();
        Ok(RowChange::Update(RowUpdate { primary_key, cells }))
    })
}

fn cell_update(cell: &CellRef<'_>, names: &mut NameCache) -> Option<CellUpdate> {
    let name = names.get(cell.name);
    let timestamp_ms = cell.timestamp_ms;
    Some(match cell.operation {
        None => CellUpdate::Put(Cell {
            name,
            value: cell.value?.to_owned(),
            timestamp_ms,
        }),
        Some(CellOperation::DeleteAllVersions) => CellUpdate::DeleteAllVersions { name },
        Some(CellOperation::DeleteOneVersion) => CellUpdate::DeleteOneVersion {
            name,
            timestamp_ms: timestamp_ms?,
        },
        Some(CellOperation::Increment) => match cell.value? {
            ColumnValueRef::Integer(by) => CellUpdate::Increment { name, by },
            _ => return None,
        },
    })
}

fn only_row<T>(
    buffer: &[u8],
    accept: Accept,
    read: impl FnOnce(RowRef<'_, '_>) -> Result<T, &'static str>,
) -> Result<T, Error> {
    let mut reader = Reader::new(buffer, accept)?;
    let wrong = |expected| Error::new(ErrorKind::RowCount { expected }, buffer.len());
    let row = reader
        .next_row()?
        .ok_or_else(|| wrong("one row, found none"))?;
    let value = read(row)
        .map_err(|expected| Error::new(ErrorKind::Shape { expected }, tag::HEADER.len()))?;
    match reader.next_row()? {
        None => Ok(value),
        Some(_) => Err(wrong("one row, found more")),
    }
}

fn open(buffer: &[u8]) -> Result<Cursor<'_>, Error> {
    let mut cursor = Cursor::new(buffer);
    match cursor.array::<4>("the header") {
        Ok(tag::HEADER) => Ok(cursor),
        _ => Err(Error::new(ErrorKind::Header, 0)),
    }
}

/// The parts of a cell, before anyone has asked whether they fit where it stands.
struct RawCell<'buf> {
    name: &'buf str,
    value: Option<variant::VariantRef<'buf>>,
    operation: Option<CellOperation>,
    timestamp_ms: Option<i64>,
    crc: u8,
}

#[inline]
fn read_cell<'buf>(cursor: &mut Cursor<'buf>) -> Result<RawCell<'buf>, Error> {
    // The caller has seen the CELL tag.
    cursor.skip(1);
    let mut crc = Crc8::default();

    expect(
        cursor,
        tag::CELL_NAME,
        "CELL_NAME (0x04) at the start of a cell",
    )?;
    let length = cursor.length("a column name")?;
    let position = cursor.position();
    let name = cursor.bytes(length, "a column name")?;
    crc.update(name);
    let name = std::str::from_utf8(name).map_err(|error| {
        let kind = ErrorKind::NotUtf8 {
            reading: "a column name",
        };
        Error::new(kind, position + error.valid_up_to())
    })?;

    let mut value = None;
    if cursor.peek() == Some(tag::CELL_VALUE) {
        cursor.skip(1);
        let stated_bytes = cursor.length("a value")?;
        let start = cursor.position();
        value = Some(variant::read(cursor)?);
        let variant = cursor.since(start);
        if variant.len() != stated_bytes {
            let actual_bytes = variant.len();
            return Err(Error::new(
                ErrorKind::ValueLength {
                    stated_bytes,
                    actual_bytes,
                },
                start,
            ));
        }
        crc.update(variant);
    }

    let mut operation = None;
    if cursor.peek() == Some(tag::CELL_OPERATION) {
        cursor.skip(1);
        operation = Some(match cursor.byte("a cell's operation")? {
            tag::OPERATION_DELETE_ALL_VERSIONS => CellOperation::DeleteAllVersions,
            tag::OPERATION_DELETE_ONE_VERSION => CellOperation::DeleteOneVersion,
            tag::OPERATION_INCREMENT => CellOperation::Increment,
            _ => {
                let kind = ErrorKind::Operation {
                    problem: "a cell operation is 01, 03 or 04",
                };
                return Err(Error::new(kind, cursor.position() - 1));
            }
        });
    }

    let mut timestamp_ms = None;
    if cursor.peek() == Some(tag::CELL_TIMESTAMP) {
        cursor.skip(1);
        let bytes = cursor.array("a cell's timestamp")?;
        let timestamp = i64::from_le_bytes(bytes);
        if timestamp < 0 {
            return Err(Error::new(
                ErrorKind::NegativeTimestamp,
                cursor.position() - 8,
            ));
        }
        crc.update(&bytes);
        timestamp_ms = Some(timestamp);
    }
    // The checksum takes the timestamp first, the buffer the operation.
    if let Some(operation) = operation {
        crc.update_byte(operation.code());
    }

    expect(
        cursor,
        tag::CELL_CHECKSUM,
        "CELL_CHECKSUM (0x0a) at the end of a cell",
    )?;
    let position = cursor.position();
    let stored = cursor.byte("a cell's checksum")?;
    let computed = crc.finish();
    if stored != computed {
        let column = name.to_owned();
        return Err(Error::new(
            ErrorKind::CellChecksum {
                column,
                stored,
                computed,
            },
            position,
        ));
    }
    Ok(RawCell {
        name,
        value,
        operation,
        timestamp_ms,
        crc: computed,
    })
}

/// What is wrong with the combination, if anything.
fn mismatch(
    operation: Option<CellOperation>,
    value: Option<ColumnValueRef<'_>>,
    timestamp_ms: Option<i64>,
) -> Option<&'static str> {
    match (operation, value, timestamp_ms) {
        (None, None, _) => Some("a cell that is put has no value"),
        (Some(CellOperation::DeleteAllVersions), Some(_), _)
        | (Some(CellOperation::DeleteOneVersion), Some(_), _) => {
            Some("a cell that is deleted has a value")
        }
        (Some(CellOperation::DeleteAllVersions), _, Some(_)) => {
            Some("a column that is deleted has a timestamp")
        }
        (Some(CellOperation::DeleteOneVersion), _, None) => {
            Some("a version that is deleted has no timestamp")
        }
        (Some(CellOperation::Increment), Some(ColumnValueRef::Integer(_)), None) => None,
        (Some(CellOperation::Increment), ..) => {
            Some("a cell that is incremented needs an integer and no timestamp")
        }
        _ => None,
    }
}

/// Extensions stand in change records only. Their entries are stepped over, known or not, but must
/// fill the length they state.
///
/// An entry can't begin with a tag of the row or of a cell: a decoder that reads entries until such
/// a tag comes, whatever the stated length, would take another turn there than this one.
fn skip_extension(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    let length = cursor.length("an extension")?;
    let mut entries = cursor.take(length);
    while entries.left() > 0 {
        let start = entries.position();
        let found = entries.byte("an extension's entry")?;
        if matches!(
            found,
            tag::ROW_PK..=tag::EXTENSION | tag::SEQ_INFO_EPOCH..=tag::SEQ_INFO_ROW_INDEX
        ) {
            let expected = "an entry of an extension";
            let kind = ErrorKind::UnexpectedTag { expected, found };
            return Err(Error::new(kind, start));
        }
        let length = entries.length("an extension's entry")?;
        entries.skip(length);
    }
    Ok(())
}

#[inline]
fn expect(cursor: &mut Cursor<'_>, wanted: u8, expected: &'static str) -> Result<(), Error> {
    match cursor.peek() {
        Some(found) if found == wanted => {
            cursor.skip(1);
            Ok(())
        }
        Some(found) => Err(Error::new(
            ErrorKind::UnexpectedTag { expected, found },
            cursor.position(),
        )),
        None => cursor.byte(expected).map(drop),
    }
}

impl CellOperation {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::DeleteAllVersions => tag::OPERATION_DELETE_ALL_VERSIONS,
            Self::DeleteOneVersion => tag::OPERATION_DELETE_ONE_VERSION,
            Self::Increment => tag::OPERATION_INCREMENT,
        }
    }
}
