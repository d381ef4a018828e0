//! Rows as requests carry them, and what the service says of broken ones.

use ots_proto::plainbuffer::{Accept, Error, ErrorKind, Reader};
use ots_proto::{CellRef, KeyCellRef};

use crate::error::ServiceError;

/// The one row of a buffer, its names and values lying in the request.
#[derive(Debug)]
pub(crate) struct RawRow<'buf> {
    pub(crate) key: Vec<KeyCellRef<'buf>>,
    pub(crate) cells: Vec<CellRef<'buf>>,
    pub(crate) is_deleted: bool,
}

impl<'buf> RawRow<'buf> {
    /// Reads a buffer that holds exactly one row, of any shape a request may have.
    pub(crate) fn parse(buffer: &'buf [u8]) -> Result<Self, ServiceError> {
        let mut reader = Reader::new(buffer, Accept::Changes).map_err(|error| broken(&error))?;
        let Some(row) = reader.next_row().map_err(|error| broken(&error))? else {
            return Err(ServiceError::parameter("Cell data broken, no row is given"));
        };
        let row = Self {
            key: row.primary_key().to_vec(),
            cells: row.cells().to_vec(),
            is_deleted: row.is_deleted(),
        };
        // The official Node.js SDK makes some buffers too large: bounds with INF_MIN or INF_MAX, and
        // updates with versions. Zeros are left behind the row.
        let rest = buffer.get(reader.position().offset()..).unwrap_or_default();
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(row);
        }
        match reader.next_row() {
            Ok(None) => Ok(row),
            Ok(Some(_)) => {
                let message = "Cell data broken, more than one row is given";
                Err(ServiceError::parameter(message))
            }
            Err(error) => Err(broken(&error)),
        }
    }
}

/// The service's words where they are known (public documentation, official SDKs' tests), ours
/// behind its opening where not.
fn broken(error: &Error) -> ServiceError {
    let message = match error.kind() {
        ErrorKind::Header => "Cell data broken, mismatch header".to_owned(),
        ErrorKind::EmptyPrimaryKey => "Cell data broken, PK is empty".to_owned(),
        ErrorKind::CellChecksum {
            stored, computed, ..
        }
        | ErrorKind::RowChecksum { stored, computed } => {
            format!("Cell data broken, checksum is mismatch, {computed}：{stored}：")
        }
        ErrorKind::ValueLength { .. } => {
            "Cell data broken, has more data in cell, but they can't be parsed.".to_owned()
        }
        ErrorKind::MisplacedValueType { found, place, .. } if *place == "primary key" => {
            format!("{found} is an invalid type for the primary key.")
        }
        ErrorKind::NegativeTimestamp => TIMESTAMP_RANGE.to_owned(),
        ErrorKind::UnexpectedTag { expected, .. } if expected.contains("ROW_CHECKSUM") => {
            "Invalid row: missing checksum.".to_owned()
        }
        ErrorKind::Operation { problem } => operation_text(problem),
        _ => format!("Cell data broken, {error}"),
    };
    ServiceError::parameter(message)
}

fn operation_text(problem: &str) -> String {
    let text = match problem {
        "a version that is deleted has no timestamp" => {
            "Timestamp must be given when type is DELETE_ONE_VERSION."
        }
        "a column that is deleted has a timestamp" => {
            "Timestamp cannot be given when type is DELETE_ALL_VERSION."
        }
        "a cell that is deleted has a value" => {
            "Column value cannot be given when type is DELETE_ONE_VERSION,DELETE_ALL_VERSION."
        }
        other => return format!("Cell data broken, {other}"),
    };
    text.to_owned()
}

/// What is said of a timestamp that no version can have.
pub(crate) const TIMESTAMP_RANGE: &str = "Timestamp must be in range [0, INT64_MAX/1000).";

#[cfg(test)]
mod tests {
    use ots_proto::plainbuffer::{Crc8, write_row};
    use ots_proto::{PrimaryKey, Row};

    use super::*;

    fn message(buffer: &[u8]) -> String {
        RawRow::parse(buffer).unwrap_err().message
    }

    /// A row with the key `k` = 1 and one cell `c` made of these parts.
    fn with_cell(parts: &[u8], crc_input: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0x75, 0, 0, 0, 0x01];
        let mut row_crc = Crc8::default();
        let mut cell = |name: u8, parts: &[u8], crc_input: &[u8]| {
            let mut crc = Crc8::default();
            crc.update(&[name]);
            crc.update(crc_input);
            row_crc.update_byte(crc.finish());
            let mut bytes = vec![0x03, 0x04, 1, 0, 0, 0, name];
            bytes.extend_from_slice(parts);
            bytes.extend_from_slice(&[0x0a, crc.finish()]);
            bytes
        };
        let one = [0x00, 1, 0, 0, 0, 0, 0, 0, 0];
        let key = cell(b'k', &[&[0x05, 9, 0, 0, 0], &one[..]].concat(), &one);
        let attribute = cell(b'c', parts, crc_input);
        buffer.extend_from_slice(&key);
        buffer.push(0x02);
        buffer.extend_from_slice(&attribute);
        row_crc.update_byte(0);
        buffer.extend_from_slice(&[0x09, row_crc.finish()]);
        buffer
    }

    #[test]
    fn broken_buffers_are_named_as_the_service_names_them() {
        let good = write_row(&Row::new(PrimaryKey::new().column("k", 1)).cell("c", "v"));
        assert!(RawRow::parse(&good).is_ok());
        assert_eq!(message(b""), "Cell data broken, mismatch header");
        assert_eq!(message(&good[4..]), "Cell data broken, mismatch header");

        let mut flipped = good.to_vec();
        *flipped.last_mut().unwrap() ^= 1;
        assert!(message(&flipped).starts_with("Cell data broken, checksum is mismatch, "));

        let mut cut = good[..good.len() - 2].to_vec();
        cut.push(0x42);
        assert_eq!(message(&cut), "Invalid row: missing checksum.");

        let padded = [&good[..], &[0; 22]].concat();
        assert_eq!(RawRow::parse(&padded).unwrap().cells.len(), 1);
        let two = [&good[..], &good[4..]].concat();
        assert_eq!(
            message(&two),
            "Cell data broken, more than one row is given"
        );
    }

    #[test]
    fn operations_that_do_not_fit_their_cell_are_named() {
        let integer = [0x05, 9, 0, 0, 0, 0x00, 1, 0, 0, 0, 0, 0, 0, 0];
        let value = &integer[5..];
        let timestamp = [5, 0, 0, 0, 0, 0, 0, 0];

        let delete_one = with_cell(&[0x06, 0x03], &[0x03]);
        assert_eq!(
            message(&delete_one),
            "Timestamp must be given when type is DELETE_ONE_VERSION."
        );
        let parts = [&[0x06, 0x01, 0x07][..], &timestamp].concat();
        let delete_all = with_cell(&parts, &[&timestamp[..], &[0x01]].concat());
        assert_eq!(
            message(&delete_all),
            "Timestamp cannot be given when type is DELETE_ALL_VERSION."
        );
        let parts = [&integer[..], &[0x06, 0x01]].concat();
        let with_value = with_cell(&parts, &[value, &[0x01]].concat());
        assert_eq!(
            message(&with_value),
            "Column value cannot be given when type is DELETE_ONE_VERSION,DELETE_ALL_VERSION."
        );
    }
}
