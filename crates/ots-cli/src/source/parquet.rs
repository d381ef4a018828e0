//! Parquet files.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, TimeUnit};
use ots_arrow::ColumnType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::error::{Error, ErrorKind};
use super::values::Values;
use super::{Batch, Opened, SourceOptions};

pub(super) fn open(path: &Path, options: &SourceOptions) -> Result<Opened, Error> {
    if let Some((name, _)) = options.types.first() {
        let column = name.clone();
        return Err(ErrorKind::TypesGiven { column }.into());
    }
    let path = path.to_owned();
    let file = File::open(&path).map_err(|source| {
        let path = path.clone();
        Error::with_source(ErrorKind::Io { path }, source)
    })?;
    let malformed = move |source: Box<dyn std::error::Error + Send + Sync>| {
        let (path, format) = (path.clone(), "Parquet");
        Error::with_source(ErrorKind::Malformed { path, format }, source)
    };
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| malformed(error.into()))?;
    let rows = builder.metadata().file_metadata().num_rows();
    let columns = builder
        .schema()
        .fields()
        .iter()
        .map(|field| match stored_as(field.data_type()) {
            Some(column_type) => Ok((field.name().clone(), column_type)),
            None => Err(ErrorKind::UnsupportedType {
                column: field.name().clone(),
                found: field.data_type().to_string(),
            }),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut batches = builder
        .with_batch_size(options.chunk_rows.get())
        .build()
        .map_err(|error| malformed(error.into()))?;
    Ok(Opened {
        columns,
        total_rows: u64::try_from(rows).ok(),
        batches: Box::new(move |first_row| {
            let batch = batches.next()?;
            let batch = batch.map_err(|error| malformed(error.into()));
            Some(batch.and_then(|batch| read(&batch, first_row)))
        }),
    })
}

/// The type that values of an Arrow type are stored as.
fn stored_as(arrow_type: &DataType) -> Option<ColumnType> {
    use DataType as D;
    Some(match arrow_type {
        D::Int8 | D::Int16 | D::Int32 | D::Int64 => ColumnType::Integer,
        D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => ColumnType::Integer,
        D::Timestamp(_, _) => ColumnType::Integer,
        D::Float16 | D::Float32 | D::Float64 => ColumnType::Double,
        D::Boolean => ColumnType::Boolean,
        D::Utf8 | D::LargeUtf8 | D::Utf8View => ColumnType::String,
        D::Date32 | D::Date64 => ColumnType::String,
        // Only nulls, so no cells.
        D::Null => ColumnType::String,
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => ColumnType::Binary,
        D::Dictionary(_, values) => return stored_as(values),
        _ => return None,
    })
}

fn read(batch: &RecordBatch, first_row: u64) -> Result<Batch, Error> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let values = columns.map(|(field, column)| values(field, column, first_row));
    Ok((batch.num_rows(), values.collect::<Result<_, _>>()?))
}

fn values(field: &Field, column: &ArrayRef, first_row: u64) -> Result<Values, Error> {
    let unsupported = || ErrorKind::UnsupportedType {
        column: field.name().clone(),
        found: field.data_type().to_string(),
    };
    let stored_as = stored_as(field.data_type()).ok_or_else(unsupported)?;
    let refuse = |row: usize, problem| {
        Error::from(ErrorKind::Value {
            row: first_row + row as u64,
            column: field.name().clone(),
            expected: stored_as,
            problem,
        })
    };

    let mut cast = ArrayRef::clone(column);
    for step in steps(field.data_type(), stored_as) {
        let before = cast;
        cast = cast_with_options(&before, &step, &LOSSES_ARE_NULL)
            .map_err(|error| Error::with_source(unsupported(), error))?;
        if let Some(row) = lost(&before, &cast) {
            return Err(refuse(row, "the value is out of range"));
        }
    }
    Ok(match stored_as {
        ColumnType::Integer => Values::Integer(cast.as_primitive::<Int64Type>().clone()),
        ColumnType::Double => {
            let array = cast.as_primitive::<Float64Type>().clone();
            let odd = |value: Option<f64>| value.is_some_and(|value| !value.is_finite());
            if let Some(row) = array.iter().position(odd) {
                return Err(refuse(row, "a table stores no NaN and no infinity"));
            }
            Values::Double(array)
        }
        ColumnType::Boolean => Values::Boolean(cast.as_boolean().clone()),
        ColumnType::String => Values::String(cast.as_string::<i32>().clone()),
        ColumnType::Binary => Values::Binary(cast.as_binary::<i32>().clone()),
    })
}

/// The casts that lead from an Arrow type to the type of [`Values`].
fn steps(from: &DataType, stored_as: ColumnType) -> Vec<DataType> {
    let target = stored_as.arrow_type();
    match from {
        DataType::Dictionary(_, values) => {
            let mut all = vec![values.as_ref().clone()];
            all.extend(steps(values, stored_as));
            all
        }
        DataType::Timestamp(_, zone) => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            vec![micros, target]
        }
        // Milliseconds that are meant to be whole days.
        DataType::Date64 => vec![DataType::Date32, target],
        _ => vec![target],
    }
}

/// The first row that had a value before and has none after.
fn lost(before: &ArrayRef, after: &ArrayRef) -> Option<usize> {
    if before.logical_null_count() == after.logical_null_count() {
        return None;
    }
    let nulls = before.logical_nulls();
    let had = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    (0..after.len()).find(|row| had(*row) && after.is_null(*row))
}

const LOSSES_ARE_NULL: CastOptions<'static> = CastOptions {
    safe: true,
    format_options: arrow_cast::display::FormatOptions::new(),
};
