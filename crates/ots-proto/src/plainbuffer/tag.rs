//! The bytes that say what comes next.

pub(super) const HEADER: [u8; 4] = [0x75, 0, 0, 0];

pub(super) const ROW_PK: u8 = 0x01;
pub(super) const ROW_DATA: u8 = 0x02;
pub(super) const CELL: u8 = 0x03;
pub(super) const CELL_NAME: u8 = 0x04;
pub(super) const CELL_VALUE: u8 = 0x05;
pub(super) const CELL_OPERATION: u8 = 0x06;
pub(super) const CELL_TIMESTAMP: u8 = 0x07;
pub(super) const DELETE_MARKER: u8 = 0x08;
pub(super) const ROW_CHECKSUM: u8 = 0x09;
pub(super) const CELL_CHECKSUM: u8 = 0x0a;
pub(super) const EXTENSION: u8 = 0x0b;
pub(super) const SEQ_INFO: u8 = 0x0c;
pub(super) const SEQ_INFO_EPOCH: u8 = 0x0d;
pub(super) const SEQ_INFO_TIMESTAMP: u8 = 0x0e;
pub(super) const SEQ_INFO_ROW_INDEX: u8 = 0x0f;

pub(super) const VARIANT_INTEGER: u8 = 0x00;
pub(super) const VARIANT_DOUBLE: u8 = 0x01;
pub(super) const VARIANT_BOOLEAN: u8 = 0x02;
pub(super) const VARIANT_STRING: u8 = 0x03;
pub(super) const VARIANT_NULL: u8 = 0x06;
pub(super) const VARIANT_BLOB: u8 = 0x07;
pub(super) const VARIANT_INF_MIN: u8 = 0x09;
pub(super) const VARIANT_INF_MAX: u8 = 0x0a;
pub(super) const VARIANT_AUTO_INCREMENT: u8 = 0x0b;

pub(super) const OPERATION_DELETE_ALL_VERSIONS: u8 = 0x01;
pub(super) const OPERATION_DELETE_ONE_VERSION: u8 = 0x03;
pub(super) const OPERATION_INCREMENT: u8 = 0x04;

/// The name of a tag, for error messages.
pub(super) const fn name(tag: u8) -> &'static str {
    match tag {
        ROW_PK => "ROW_PK",
        ROW_DATA => "ROW_DATA",
        CELL => "CELL",
        CELL_NAME => "CELL_NAME",
        CELL_VALUE => "CELL_VALUE",
        CELL_OPERATION => "CELL_TYPE",
        CELL_TIMESTAMP => "CELL_TIMESTAMP",
        DELETE_MARKER => "DELETE_ROW_MARKER",
        ROW_CHECKSUM => "ROW_CHECKSUM",
        CELL_CHECKSUM => "CELL_CHECKSUM",
        EXTENSION => "EXTENSION",
        SEQ_INFO => "SEQ_INFO",
        SEQ_INFO_EPOCH => "SEQ_INFO_EPOCH",
        SEQ_INFO_TIMESTAMP => "SEQ_INFO_TS",
        SEQ_INFO_ROW_INDEX => "SEQ_INFO_ROW_INDEX",
        _ => "unknown",
    }
}
