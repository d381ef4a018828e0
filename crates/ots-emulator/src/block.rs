//! The form in which the rows of a page travel.

use bytes::Bytes;
use ots_proto::plainbuffer::Writer;
use ots_proto::simple_row_matrix::{MatrixWriter, WriteError};
use ots_proto::{ColumnValueRef, PrimaryKeyValueRef};

use crate::database::TableMeta;
use crate::error::ServiceError;
use crate::read::View;
use crate::stored::StoredRow;

/// Rows of a page, as far as they are written.
#[derive(Debug)]
pub(crate) enum Block {
    /// PlainBuffer: each row says its names, versions and timestamps.
    Plain(Writer),
    /// SimpleRowMatrix: names once, then the newest values.
    Matrix(Matrix),
}

/// A SimpleRowMatrix.
#[derive(Debug)]
pub(crate) struct Matrix {
    writer: MatrixWriter,
    /// Where in a stored key its key columns stand.
    key_indexes: Vec<usize>,
    /// Its attribute columns by name, and where in a row of the matrix each stands.
    attributes: Vec<(String, usize)>,
}

impl Block {
    pub(crate) fn plain() -> Self {
        Self::Plain(Writer::new())
    }

    /// A matrix of the named columns: those of the key first, in its order, or all of them with
    /// `whole_key`; then the others in the order in which they are named.
    pub(crate) fn matrix(
        meta: &TableMeta,
        columns: &[String],
        whole_key: bool,
    ) -> Result<Self, ServiceError> {
        let key_columns = meta.primary_key.iter().enumerate();
        let key_columns: Vec<_> = key_columns
            .filter(|(_, column)| whole_key || columns.contains(&column.name))
            .collect();
        let mut names: Vec<&str> = Vec::new();
        let mut attributes = Vec::new();
        for name in columns.iter().map(String::as_str) {
            if meta.key_index(name).is_none() && !names.contains(&name) {
                attributes.push((name.to_owned(), key_columns.len() + names.len()));
                names.push(name);
            }
        }
        attributes.sort_unstable();
        let key_names = key_columns.iter().map(|(_, column)| column.name.as_str());
        let mut writer = MatrixWriter::new(key_names, names).map_err(unwritable)?;
        if key_columns.len() < meta.primary_key.len() {
            writer = writer.partial_primary_keys();
        }
        Ok(Self::Matrix(Matrix {
            writer,
            key_indexes: key_columns.iter().map(|(index, _)| *index).collect(),
            attributes,
        }))
    }

    /// Writes a row that is returned.
    pub(crate) fn write(&mut self, view: &View<'_>, row: &StoredRow) -> Result<(), ServiceError> {
        match self {
            Self::Plain(writer) => {
                view.write(row, writer);
                Ok(())
            }
            Self::Matrix(matrix) => matrix.write(view, row),
        }
    }

    pub(crate) fn finish(self) -> Result<Bytes, ServiceError> {
        match self {
            Self::Plain(writer) => Ok(writer.finish()),
            Self::Matrix(matrix) => matrix.writer.finish().map_err(unwritable),
        }
    }
}

impl Matrix {
    fn write(&mut self, view: &View<'_>, row: &StoredRow) -> Result<(), ServiceError> {
        let mut values = Vec::with_capacity(self.key_indexes.len() + self.attributes.len());
        for index in &self.key_indexes {
            values.push(match row.key.get(*index).map(|value| value.as_ref()) {
                Some(PrimaryKeyValueRef::Integer(value)) => Some(ColumnValueRef::Integer(value)),
                Some(PrimaryKeyValueRef::String(value)) => Some(ColumnValueRef::String(value)),
                Some(PrimaryKeyValueRef::Binary(value)) => Some(ColumnValueRef::Binary(value)),
                _ => None,
            });
        }
        values.resize(self.key_indexes.len() + self.attributes.len(), None);
        view.each_column(row, |name, versions| {
            let of_name = |(other, _): &(String, usize)| other.as_str().cmp(name);
            let found = self.attributes.binary_search_by(of_name).ok();
            let at = found.and_then(|found| self.attributes.get(found));
            let value = at.and_then(|(_, index)| values.get_mut(*index));
            if let (Some(value), Some(newest)) = (value, versions.first()) {
                *value = Some(newest.value.as_ref());
            }
        });
        self.writer.values(&values).map_err(unwritable)
    }
}

/// Nothing that is stored is too long for a matrix; if it were, it would be the request's fault.
fn unwritable(error: WriteError) -> ServiceError {
    ServiceError::caused(&error)
}
