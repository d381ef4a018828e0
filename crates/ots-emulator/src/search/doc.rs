//! What a query is asked of: a row, or one of the inner rows of a NESTED field.

use std::sync::Arc;

use serde_json::Value;

use crate::stored::StoredRow;

/// What a query is asked of: a row, or one of the inner rows of a NESTED field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doc<'r> {
    Row(&'r StoredRow),
    Inner(InnerRow<'r>),
}

/// One of the objects in the JSON of a NESTED field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InnerRow<'r> {
    pub(crate) object: &'r Value,
    /// How many names below the column lead to it.
    pub(crate) depth: usize,
    /// Its place among the inner rows of its field.
    pub(crate) offset: usize,
}

impl<'r> From<&'r StoredRow> for Doc<'r> {
    fn from(row: &'r StoredRow) -> Self {
        Self::Row(row)
    }
}

impl<'r> From<&'r Arc<StoredRow>> for Doc<'r> {
    fn from(row: &'r Arc<StoredRow>) -> Self {
        Self::Row(row)
    }
}

/// Calls `each` with whatever lies at the end of `path` inside `value`. Arrays on the way are passed
/// through, as the service does with arrays of objects; one at the end is given as it is.
///
/// The depth of both is bounded: JSON by its reader, paths by the schema.
pub(crate) fn walk<'v>(value: &'v Value, path: &[String], each: &mut dyn FnMut(&'v Value)) {
    let Some((name, rest)) = path.split_first() else {
        return each(value);
    };
    match value {
        Value::Array(values) => {
            for value in values {
                walk(value, path, each);
            }
        }
        Value::Object(fields) => {
            if let Some(value) = fields.get(name) {
                walk(value, rest, each);
            }
        }
        _ => {}
    }
}
