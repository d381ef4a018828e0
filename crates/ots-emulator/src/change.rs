//! One change of a row as a request carries it, checked as far as that goes without its table.

use std::collections::HashSet;

use ots_proto::messages::{self, ReturnType};
use ots_proto::{CellOperation, CellRef, ColumnValueRef, KeyCellRef};

use crate::buffer::{RawRow, TIMESTAMP_RANGE};
use crate::capacity::{key_value_bytes, value_bytes};
use crate::condition::Condition;
use crate::database::TableMeta;
use crate::error::ServiceError;
use crate::names;
use crate::schema::{self, Role};

/// A change of one row; names and values lie in the request.
#[derive(Debug)]
pub(crate) struct Change<'buf> {
    pub(crate) kind: ChangeKind,
    pub(crate) key: Vec<KeyCellRef<'buf>>,
    pub(crate) cells: Vec<CellRef<'buf>>,
    pub(crate) condition: Condition,
    pub(crate) returns: Returns,
    /// Names, values, and 8 for each timestamp: what the limits on a request's size count.
    pub(crate) data_bytes: usize,
}

/// What a change does to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Put,
    Update,
    Delete,
}

/// What a write gives back of its row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Returns {
    Nothing,
    Key,
    /// The new values of these columns, each named once.
    AfterModify(Vec<String>),
}

impl<'buf> Change<'buf> {
    /// Checks run in an order seen in official SDKs' tests: column names come before everything that
    /// needs the table.
    pub(crate) fn parse(
        kind: ChangeKind,
        buffer: &'buf [u8],
        condition: &messages::Condition,
        return_content: Option<&messages::ReturnContent>,
    ) -> Result<Self, ServiceError> {
        let RawRow {
            key,
            cells,
            is_deleted,
        } = RawRow::parse(buffer)?;
        check_shape(kind, &cells, is_deleted)?;
        cells.iter().try_for_each(|cell| names::column(cell.name))?;
        let condition = Condition::parse(condition)?;
        schema::check_values(&key, Role::Write)?;
        check_count(cells.len())?;
        for cell in &cells {
            check_cell(cell)?;
        }
        check_increments(&cells)?;
        let returns = Returns::parse(return_content, &cells)?;
        let data_bytes = data_bytes(&key, &cells);
        Ok(Self {
            kind,
            key,
            cells,
            condition,
            returns,
            data_bytes,
        })
    }

    /// Checks the columns against the schema of the table.
    pub(crate) fn check_columns(&self, meta: &TableMeta) -> Result<(), ServiceError> {
        let clash = |cell: &&CellRef<'_>| meta.key_index(cell.name).is_some();
        self.cells.iter().find(clash).map_or(Ok(()), |cell| {
            let name = cell.name;
            Err(ServiceError::parameter(format!(
                "Duplicated attribute column name with primary key column: {name}."
            )))
        })
    }

    /// Whether it adds to a counter.
    pub(crate) fn increments(&self) -> bool {
        self.cells.iter().any(is_increment)
    }
}

impl Returns {
    fn parse(
        message: Option<&messages::ReturnContent>,
        cells: &[CellRef<'_>],
    ) -> Result<Self, ServiceError> {
        let Some(message) = message else {
            return Ok(Self::Nothing);
        };
        let columns = &message.return_column_names;
        let return_type = message.return_type.unwrap_or(ReturnType::None as i32);
        match ReturnType::try_from(return_type) {
            Ok(ReturnType::None) => Ok(Self::Nothing),
            Ok(ReturnType::Pk) if columns.is_empty() => Ok(Self::Key),
            Ok(ReturnType::Pk) => Err(ServiceError::parameter(
                "Return columns cannot be given when the return type is RT_PK.",
            )),
            // A row without a key and without columns can't be told from none.
            Ok(ReturnType::AfterModify) if columns.is_empty() => Ok(Self::Nothing),
            Ok(ReturnType::AfterModify) => {
                names::column_count(columns.len())?;
                let incremented = |name: &String| {
                    cells
                        .iter()
                        .any(|cell| cell.name == name && is_increment(cell))
                };
                match columns.iter().find(|name| !incremented(name)) {
                    Some(name) => Err(ServiceError::parameter(format!(
                        "Return column '{name}' is not incremented by the request."
                    ))),
                    None => {
                        let mut seen = HashSet::new();
                        let first = columns.iter().filter(|name| seen.insert(name.as_str()));
                        Ok(Self::AfterModify(first.cloned().collect()))
                    }
                }
            }
            Err(_) => Err(ServiceError::parameter(format!(
                "Invalid return type: {return_type}."
            ))),
        }
    }
}

/// Checks the length of an attribute value, wherever it stands.
pub(crate) fn check_value_length(column: &str, bytes: usize) -> Result<(), ServiceError> {
    if bytes > MAX_VALUE_BYTES {
        return Err(ServiceError::parameter(format!(
            "The length of attribute column: '{column}' exceeds the MaxLength:{MAX_VALUE_BYTES} with CurrentLength:{bytes}."
        )));
    }
    Ok(())
}

/// Whether the shape of the row fits the operation it came in.
fn check_shape(
    kind: ChangeKind,
    cells: &[CellRef<'_>],
    is_deleted: bool,
) -> Result<(), ServiceError> {
    let problem = match kind {
        ChangeKind::Delete if !is_deleted => {
            "Invalid request of delete row: missing RowDeleteMarker in request."
        }
        ChangeKind::Delete if !cells.is_empty() => {
            "Invalid delete row request: unexpected cells in request"
        }
        ChangeKind::Put | ChangeKind::Update if is_deleted => "Delete marker cannot be given.",
        ChangeKind::Put if cells.iter().any(|cell| cell.operation.is_some()) => {
            "A cell of a put cannot have an operation."
        }
        ChangeKind::Update if cells.is_empty() => "Attribute column is missing.",
        _ => return Ok(()),
    };
    Err(ServiceError::parameter(problem))
}

fn check_count(count: usize) -> Result<(), ServiceError> {
    if count > MAX_CELLS {
        return Err(ServiceError::parameter(format!(
            "The number of attribute columns exceeds the limit, limit count: {MAX_CELLS}, column count: {count}."
        )));
    }
    Ok(())
}

fn check_cell(cell: &CellRef<'_>) -> Result<(), ServiceError> {
    if let Some(value) = cell.value {
        check_value_length(cell.name, value_bytes(value))?;
        if let ColumnValueRef::Double(double) = value {
            if double.is_nan() {
                let message = "NaN can't be set to double value.";
                return Err(ServiceError::parameter(message));
            }
            if double.is_infinite() {
                let message = "Infinity can't be set to double value.";
                return Err(ServiceError::parameter(message));
            }
        }
    }
    if cell
        .timestamp_ms
        .is_some_and(|timestamp_ms| !(0..i64::MAX / 1000).contains(&timestamp_ms))
    {
        return Err(ServiceError::parameter(TIMESTAMP_RANGE));
    }
    Ok(())
}

/// A counter stands alone: no other cell of the request may touch its column.
fn check_increments(cells: &[CellRef<'_>]) -> Result<(), ServiceError> {
    for (index, cell) in cells.iter().enumerate() {
        let alone = || {
            cells
                .iter()
                .enumerate()
                .all(|(other, candidate)| other == index || candidate.name != cell.name)
        };
        if is_increment(cell) && !alone() {
            let name = cell.name;
            return Err(ServiceError::parameter(format!(
                "Column '{name}' is incremented, so no other cell of the request may change it."
            )));
        }
    }
    Ok(())
}

fn data_bytes(key: &[KeyCellRef<'_>], cells: &[CellRef<'_>]) -> usize {
    let key = key
        .iter()
        .map(|cell| cell.name.len() + key_value_bytes(cell.value));
    let cells = cells.iter().map(|cell| {
        let timestamp = if cell.timestamp_ms.is_some() { 8 } else { 0 };
        cell.name.len() + cell.value.map_or(0, value_bytes) + timestamp
    });
    key.chain(cells).sum()
}

fn is_increment(cell: &CellRef<'_>) -> bool {
    cell.operation == Some(CellOperation::Increment)
}

const MAX_CELLS: usize = 1024;
const MAX_VALUE_BYTES: usize = 2 << 20;
