//! Keys against the schema of their table.

use ots_proto::messages::{PrimaryKeyOption, PrimaryKeySchema, PrimaryKeyType};
use ots_proto::{KeyCellRef, PrimaryKeyValueRef};

use crate::buffer::RawRow;
use crate::database::TableMeta;
use crate::error::ServiceError;
use crate::stored::RowKey;

/// What a key in a request is for: which values may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It names a row to read.
    Read,
    /// It names a row to change; the service may pick one of its columns.
    Write,
    /// It bounds a range.
    Bound,
}

/// Reads a key that stands alone in a buffer.
pub(crate) fn parse_key(buffer: &[u8], role: Role) -> Result<Vec<KeyCellRef<'_>>, ServiceError> {
    let row = RawRow::parse(buffer)?;
    if row.is_deleted {
        return Err(ServiceError::parameter("Delete marker cannot be given."));
    }
    if !row.cells.is_empty() {
        let message = "Attribute column cannot be given while reading data.";
        return Err(ServiceError::parameter(message));
    }
    check_values(&row.key, role)?;
    Ok(row.key)
}

/// Checks what can be checked without the table. Such a mistake fails a whole batch.
pub(crate) fn check_values(key: &[KeyCellRef<'_>], role: Role) -> Result<(), ServiceError> {
    if !(1..=MAX_COLUMNS).contains(&key.len()) {
        return Err(ServiceError::parameter(COUNT));
    }
    for cell in key {
        let length = match cell.value {
            PrimaryKeyValueRef::InfMin | PrimaryKeyValueRef::InfMax if role != Role::Bound => {
                let name = type_name(cell.value);
                let message = format!("{name} is an invalid type for the primary key.");
                return Err(ServiceError::parameter(message));
            }
            PrimaryKeyValueRef::AutoIncrement if role != Role::Write => {
                let message = "PKAutoIncr can't be used for read operations.";
                return Err(ServiceError::parameter(message));
            }
            PrimaryKeyValueRef::String(text) => text.len(),
            PrimaryKeyValueRef::Binary(bytes) => bytes.len(),
            _ => 0,
        };
        if length > MAX_VALUE_BYTES {
            let name = cell.name;
            return Err(ServiceError::parameter(format!(
                "The length of primary key column: '{name}' exceeds the MaxLength:{MAX_VALUE_BYTES} with CurrentLength:{length}."
            )));
        }
    }
    Ok(())
}

/// Checks a key against the schema: the count, then the names, then the types, in their order. Such
/// a mistake fails one row of a batch.
pub(crate) fn check_schema(meta: &TableMeta, key: &[KeyCellRef<'_>]) -> Result<(), ServiceError> {
    let schema = &meta.primary_key;
    if key.len() != schema.len() {
        let (input, wanted) = (key.len(), schema.len());
        return Err(invalid(format!(
            "Validate PK size fail. Input: {input}, Meta: {wanted}."
        )));
    }
    for (cell, column) in key.iter().zip(schema) {
        if cell.name != column.name {
            let (input, wanted) = (cell.name, &column.name);
            return Err(invalid(format!(
                "Validate PK name fail. Input: {input}, Meta: {wanted}."
            )));
        }
    }
    for (cell, column) in key.iter().zip(schema) {
        let fits = match cell.value {
            PrimaryKeyValueRef::Integer(_) => column.r#type() == PrimaryKeyType::Integer,
            PrimaryKeyValueRef::String(_) => column.r#type() == PrimaryKeyType::String,
            PrimaryKeyValueRef::Binary(_) => column.r#type() == PrimaryKeyType::Binary,
            PrimaryKeyValueRef::AutoIncrement => is_auto_increment(column),
            PrimaryKeyValueRef::InfMin | PrimaryKeyValueRef::InfMax => true,
        };
        if !fits {
            let input = type_name(cell.value);
            let wanted = match column.r#type() {
                PrimaryKeyType::Integer => "VT_INTEGER",
                PrimaryKeyType::String => "VT_STRING",
                PrimaryKeyType::Binary => "VT_BLOB",
                PrimaryKeyType::Boolean => "VT_BOOLEAN",
            };
            return Err(invalid(format!(
                "Validate PK type fail. Input: {input}, Meta: {wanted}."
            )));
        }
    }
    Ok(())
}

/// The values of a key, to look it up or keep it.
pub(crate) fn row_key(key: &[KeyCellRef<'_>]) -> RowKey {
    key.iter().map(|cell| cell.value.to_owned()).collect()
}

/// Whether the service picks the values of a column.
pub(crate) fn is_auto_increment(column: &PrimaryKeySchema) -> bool {
    column.option == Some(PrimaryKeyOption::AutoIncrement as i32)
}

const fn type_name(value: PrimaryKeyValueRef<'_>) -> &'static str {
    match value {
        PrimaryKeyValueRef::InfMin => "VT_INF_MIN",
        PrimaryKeyValueRef::Integer(_) => "VT_INTEGER",
        PrimaryKeyValueRef::String(_) => "VT_STRING",
        PrimaryKeyValueRef::Binary(_) => "VT_BLOB",
        PrimaryKeyValueRef::AutoIncrement => "VT_AUTO_INCREMENT",
        PrimaryKeyValueRef::InfMax => "VT_INF_MAX",
    }
}

fn invalid(message: String) -> ServiceError {
    ServiceError::new(400, "OTSInvalidPK", message)
}

/// Columns a key has at most.
pub(crate) const MAX_COLUMNS: usize = 4;
/// What is said of a key with too many columns, or none.
pub(crate) const COUNT: &str = "The number of primary key columns must be in range: [1, 4].";

/// Bytes a text or bytes in a key have at most.
pub(crate) const MAX_VALUE_BYTES: usize = 1024;
