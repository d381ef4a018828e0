//! Columns of values into rows.

use std::collections::HashSet;

use bytes::Bytes;
use ots_arrow::ColumnType;
use ots_proto::{Cell, ColumnName, ColumnValueRef, PrimaryKey, PrimaryKeyValue, Row};

use super::error::{Error, ErrorKind};
use super::values::Values;
use super::{SourceColumn, SourceOptions};

/// Which columns of the file make the key and which the cells.
#[derive(Debug)]
pub(super) struct Layout {
    keys: Vec<(ColumnName, Place)>,
    cells: Vec<(ColumnName, Place)>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Column(usize),
    RowNumber,
}

/// Checks the columns of a file against what was asked of it.
pub(super) fn lay_out(
    file_columns: Vec<(String, ColumnType)>,
    options: &SourceOptions,
) -> Result<(Vec<SourceColumn>, Layout), Error> {
    let is_key = |name: &String| options.key_columns.contains(name);
    let mut places = (0..file_columns.len())
        .map(Place::Column)
        .collect::<Vec<_>>();
    let mut columns = file_columns;
    if let Some(name) = &options.row_number {
        places.push(Place::RowNumber);
        columns.push((name.clone(), ColumnType::Integer));
    }
    unique(columns.iter().map(|(name, _)| name))?;
    unique(&options.key_columns)?;
    if let Some(position) = columns.iter().position(|(name, _)| name.is_empty()) {
        return Err(ErrorKind::UnnamedColumn { position }.into());
    }
    if options.key_columns.is_empty() {
        return Err(ErrorKind::NoKey.into());
    }

    let named = |name: &String| {
        let position = columns.iter().position(|(it, _)| it == name);
        let found = position.and_then(|at| Some((columns.get(at)?.1, *places.get(at)?)));
        found.ok_or_else(|| missing(name, columns.iter().map(|(name, _)| name)))
    };
    let mut keys = Vec::new();
    for name in &options.key_columns {
        let (found, place) = named(name)?;
        if matches!(found, ColumnType::Double | ColumnType::Boolean) {
            let column = name.clone();
            return Err(ErrorKind::KeyType { column, found }.into());
        }
        keys.push((ColumnName::from(name.as_str()), place));
    }
    let cells = columns
        .iter()
        .zip(&places)
        .filter(|((name, _), _)| !is_key(name))
        .map(|((name, _), place)| (ColumnName::from(name.as_str()), *place))
        .collect();
    let described = columns
        .into_iter()
        .map(|(name, column_type)| SourceColumn {
            is_key: is_key(&name),
            name,
            column_type,
        })
        .collect();
    Ok((described, Layout { keys, cells }))
}

pub(super) fn missing<'a>(name: &str, columns: impl IntoIterator<Item = &'a String>) -> Error {
    ErrorKind::MissingColumn {
        column: name.to_owned(),
        columns: columns.into_iter().cloned().collect(),
    }
    .into()
}

fn unique<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            let column = name.clone();
            return Err(ErrorKind::DuplicateColumn { column }.into());
        }
    }
    Ok(())
}

impl Layout {
    pub(super) fn rows(
        &self,
        rows: usize,
        values: &[Values],
        first_row: u64,
    ) -> Result<Vec<Row>, Error> {
        let mut chunk = Vec::with_capacity(rows);
        for (index, row) in (0..rows).zip(first_row..) {
            let mut primary_key = PrimaryKey::new();
            for (name, place) in &self.keys {
                let value = place.value(values, index, row).and_then(key_value);
                let value = value.ok_or_else(|| {
                    let column = name.to_string();
                    ErrorKind::NullKey { row, column }
                })?;
                primary_key.push(name.clone(), value);
            }
            let cells = self.cells.iter().filter_map(|(name, place)| {
                let value = place.value(values, index, row)?;
                Some(Cell::new(name.clone(), value.to_owned()))
            });
            chunk.push(Row {
                primary_key,
                cells: cells.collect(),
            });
        }
        Ok(chunk)
    }
}

impl Place {
    fn value(self, values: &[Values], index: usize, row: u64) -> Option<ColumnValueRef<'_>> {
        match self {
            Self::Column(column) => values.get(column)?.get(index),
            Self::RowNumber => i64::try_from(row).ok().map(ColumnValueRef::Integer),
        }
    }
}

/// None for the types that [`lay_out`] keeps out of keys.
fn key_value(value: ColumnValueRef<'_>) -> Option<PrimaryKeyValue> {
    match value {
        ColumnValueRef::Integer(value) => Some(PrimaryKeyValue::Integer(value)),
        ColumnValueRef::String(value) => Some(PrimaryKeyValue::String(value.to_owned())),
        ColumnValueRef::Binary(value) => {
            Some(PrimaryKeyValue::Binary(Bytes::copy_from_slice(value)))
        }
        ColumnValueRef::Double(_) | ColumnValueRef::Boolean(_) => None,
    }
}
