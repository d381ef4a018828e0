//! One cell, read the careful way: every rule is checked one by one, and what is wrong is named.
//!
//! This is what a cell means. The quick way in `quick.rs` reads the common forms only and gives up
//! on everything else, which then comes here.

use super::crc8::Crc8;
use super::cursor::Cursor;
use super::error::{Error, ErrorKind};
use super::walk::{Accept, Checksums};
use super::{tag, variant};
use crate::primary_key::PrimaryKeyValueRef;
use crate::row::{CellOperation, CellRef, KeyCellRef};
use crate::value::ColumnValueRef;

/// The parts of a cell, before anyone has asked whether they fit where it stands.
pub(super) struct RawCell<'buf> {
    /// Where it begins.
    start: usize,
    /// From the tag of the cell to the end of the name.
    pub(super) head: &'buf [u8],
    pub(super) name: &'buf str,
    pub(super) name_crc: u8,
    value: Option<variant::VariantRef<'buf>>,
    operation: Option<CellOperation>,
    timestamp_ms: Option<i64>,
    pub(super) checksum: u8,
    /// The position after it.
    pub(super) end: usize,
}

impl<'buf> RawCell<'buf> {
    /// Reads a cell whose tag the caller has seen.
    pub(super) fn read(cursor: &mut Cursor<'buf>, checksums: Checksums) -> Result<Self, Error> {
        let start = cursor.position();
        cursor.skip(1);
        let mut crc = Crc8::default();

        expect(
            cursor,
            tag::CELL_NAME,
            "CELL_NAME (0x04) at the start of a cell",
        )?;
        let name = read_name(cursor)?;
        let head = cursor.since(start);
        crc.update(name.as_bytes());
        let name_crc = crc.finish();

        let mut value = None;
        if cursor.peek() == Some(tag::CELL_VALUE) {
            cursor.skip(1);
            let (read, bytes) = read_value(cursor)?;
            value = Some(read);
            crc.update(bytes);
        }

        let mut operation = None;
        if cursor.peek() == Some(tag::CELL_OPERATION) {
            cursor.skip(1);
            operation = Some(read_operation(cursor)?);
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
        if checksums == Checksums::Verify && stored != computed {
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
        Ok(Self {
            start,
            head,
            name,
            name_crc,
            value,
            operation,
            timestamp_ms,
            checksum: stored,
            end: cursor.position(),
        })
    }

    /// The cell as a column of a primary key.
    pub(super) fn into_key(self, accept: Accept) -> Result<KeyCellRef<'buf>, Error> {
        let misplaced = |found: &'static str| {
            let kind = ErrorKind::MisplacedValueType {
                column: self.name.to_owned(),
                found,
                place: "primary key",
            };
            Error::new(kind, self.start)
        };
        if self.operation.is_some() || self.timestamp_ms.is_some() {
            let problem = "a primary key column has an operation or a timestamp";
            return Err(Error::new(ErrorKind::Operation { problem }, self.start));
        }
        let Some(value) = self.value else {
            return Err(self.missing_value());
        };
        let value =
            PrimaryKeyValueRef::try_from(value).map_err(|other| misplaced(other.type_name()))?;
        // A placeholder is something to be written; the infinities are let through, because split
        // points are sent as rows.
        if value == PrimaryKeyValueRef::AutoIncrement && accept != Accept::Changes {
            return Err(misplaced("AUTO_INCREMENT"));
        }
        Ok(KeyCellRef {
            name: self.name,
            value,
        })
    }

    /// The cell as one of an attribute column.
    pub(super) fn into_attribute(self, accept: Accept) -> Result<CellRef<'buf>, Error> {
        let value = match self.value.map(ColumnValueRef::try_from).transpose() {
            Ok(value) => value,
            Err(other) => {
                let kind = ErrorKind::MisplacedValueType {
                    column: self.name.to_owned(),
                    found: other.type_name(),
                    place: "attribute",
                };
                return Err(Error::new(kind, self.start));
            }
        };
        if accept != Accept::Changes {
            if self.operation.is_some() {
                let found = "a cell operation";
                return Err(Error::new(ErrorKind::OnlyInChanges { found }, self.end));
            }
            if value.is_none() {
                return Err(self.missing_value());
            }
        }
        if let Some(problem) = mismatch(self.operation, value, self.timestamp_ms) {
            return Err(Error::new(ErrorKind::Operation { problem }, self.start));
        }
        Ok(CellRef {
            name: self.name,
            value,
            operation: self.operation,
            timestamp_ms: self.timestamp_ms,
        })
    }

    fn missing_value(&self) -> Error {
        let column = self.name.to_owned();
        Error::new(ErrorKind::MissingValue { column }, self.start)
    }
}

fn read_name<'buf>(cursor: &mut Cursor<'buf>) -> Result<&'buf str, Error> {
    let length = cursor.length("a column name")?;
    let position = cursor.position();
    let name = cursor.bytes(length, "a column name")?;
    variant::text(name, "a column name", position)
}

/// A value with its length before it, and the bytes that the checksum runs over.
fn read_value<'buf>(
    cursor: &mut Cursor<'buf>,
) -> Result<(variant::VariantRef<'buf>, &'buf [u8]), Error> {
    let stated_bytes = cursor.length("a value")?;
    let start = cursor.position();
    let value = variant::read(cursor)?;
    let bytes = cursor.since(start);
    if bytes.len() != stated_bytes {
        let actual_bytes = bytes.len();
        return Err(Error::new(
            ErrorKind::ValueLength {
                stated_bytes,
                actual_bytes,
            },
            start,
        ));
    }
    Ok((value, bytes))
}

fn read_operation(cursor: &mut Cursor<'_>) -> Result<CellOperation, Error> {
    let position = cursor.position();
    match cursor.byte("a cell's operation")? {
        tag::OPERATION_DELETE_ALL_VERSIONS => Ok(CellOperation::DeleteAllVersions),
        tag::OPERATION_DELETE_ONE_VERSION => Ok(CellOperation::DeleteOneVersion),
        tag::OPERATION_INCREMENT => Ok(CellOperation::Increment),
        _ => {
            let problem = "a cell operation is 01, 03 or 04";
            Err(Error::new(ErrorKind::Operation { problem }, position))
        }
    }
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

#[inline]
pub(super) fn expect(
    cursor: &mut Cursor<'_>,
    wanted: u8,
    expected: &'static str,
) -> Result<(), Error> {
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
