//! CSV files.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{RecordBatch, StringArray};
use arrow_cast::base64::{BASE64_STANDARD, Engine};
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::{Format, Reader};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::error::{Error, ErrorKind};
use super::infer::{self, Reading};
use super::values::Values;
use super::{Batch, Input, Opened, SourceOptions, rows};

/// The text of a CSV file, column by column: types are our own affair, so that an error can name
/// the row and keep the values to itself.
type Texts = Reader<Box<dyn std::io::Read + Send>>;

pub(super) fn open(input: &Input, delimiter: u8, options: &SourceOptions) -> Result<Opened, Error> {
    let names = header(input, delimiter)?;
    let all_text = names
        .iter()
        .map(|name| Field::new(name, DataType::Utf8, true))
        .collect::<Vec<_>>();
    let schema = Arc::new(Schema::new(all_text));
    let texts = || texts(input, delimiter, &schema, options.chunk_rows.get());

    let (mut readings, total_rows) = infer(texts()?, names.len(), input, options.infer_rows)?;
    let columns = |readings: &[Reading]| {
        let types = readings.iter().map(|reading| reading.column_type());
        names.iter().cloned().zip(types).collect::<Vec<_>>()
    };
    for (name, column_type) in &options.types {
        let position = names.iter().position(|it| it == name);
        *position
            .and_then(|at| readings.get_mut(at))
            .ok_or_else(|| rows::missing(name, &names))? = Reading::for_type(*column_type);
    }

    let columns = columns(&readings);
    let mut texts = texts()?;
    let path = input.clone();
    Ok(Opened {
        columns,
        total_rows,
        batches: Box::new(move |first_row| {
            let batch = texts.next()?;
            let batch = batch.map_err(|error| malformed(&path, error));
            Some(batch.and_then(|batch| read(&batch, &readings, first_row)))
        }),
    })
}

fn header(input: &Input, delimiter: u8) -> Result<Vec<String>, Error> {
    let reader = input.reader().map_err(|error| unreadable(input, error))?;
    let format = Format::default()
        .with_header(true)
        .with_delimiter(delimiter);
    let (schema, _) = format
        .infer_schema(reader, Some(0))
        .map_err(|error| malformed(input, error))?;
    if schema.fields().is_empty() {
        let path = input.path();
        return Err(ErrorKind::NoHeader { path }.into());
    }
    let fields = schema.fields().iter();
    Ok(fields.map(|field| field.name().clone()).collect())
}

fn texts(input: &Input, delimiter: u8, schema: &SchemaRef, rows: usize) -> Result<Texts, Error> {
    let reader = input.reader().map_err(|error| unreadable(input, error))?;
    ReaderBuilder::new(Arc::clone(schema))
        .with_header(true)
        .with_delimiter(delimiter)
        .with_batch_size(rows)
        .build(reader)
        .map_err(|error| malformed(input, error))
}

/// How to read each column, and the rows of the file if all of them were looked at.
fn infer(
    texts: Texts,
    columns: usize,
    input: &Input,
    limit: Option<usize>,
) -> Result<(Vec<Reading>, Option<u64>), Error> {
    let mut seen: Vec<Option<Reading>> = vec![None; columns];
    let mut rows = 0;
    for batch in texts {
        let batch = batch.map_err(|error| malformed(input, error))?;
        let left = limit.map_or(usize::MAX, |limit| limit.saturating_sub(rows));
        rows += batch.num_rows();
        for (seen, column) in seen.iter_mut().zip(batch.columns()) {
            let column = column.as_string::<i32>();
            for text in column.iter().take(left).flatten() {
                // Nothing can make it anything else again.
                if *seen == Some(Reading::String) {
                    break;
                }
                let reading = Reading::of(text);
                *seen = Some(seen.map_or(reading, |seen| seen.or(reading)));
            }
        }
        if limit.is_some_and(|limit| rows >= limit) {
            break;
        }
    }
    // A column without any value has no cells, so its type only matters to a reader of the schema.
    let readings = seen.into_iter().map(|seen| seen.unwrap_or(Reading::String));
    let total_rows = limit.is_none().then_some(rows as u64);
    Ok((readings.collect(), total_rows))
}

fn read(batch: &RecordBatch, readings: &[Reading], first_row: u64) -> Result<Batch, Error> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).zip(readings);
    let values = columns.map(|((field, column), reading)| {
        typed(column.as_string::<i32>(), *reading).map_err(|row| {
            Error::from(ErrorKind::Value {
                row: first_row + row as u64,
                column: field.name().clone(),
                expected: reading.column_type(),
                problem: reading.complaint(),
            })
        })
    });
    Ok((batch.num_rows(), values.collect::<Result<_, _>>()?))
}

/// The texts read as `reading` says, or the first row that can't be.
fn typed(texts: &StringArray, reading: Reading) -> Result<Values, usize> {
    /// Each text parsed; null stays null.
    fn parsed<T, A: FromIterator<Option<T>>>(
        texts: &StringArray,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<A, usize> {
        let fields = texts.iter().enumerate();
        fields
            .map(|(row, text)| text.map(|text| parse(text).ok_or(row)).transpose())
            .collect()
    }
    Ok(match reading {
        Reading::Boolean => Values::Boolean(parsed(texts, infer::boolean)?),
        // A type that the caller demands is taken by its word: 007 is a number then.
        Reading::Integer => Values::Integer(parsed(texts, |text| text.parse::<i64>().ok())?),
        Reading::Double => Values::Double(parsed(texts, |text| {
            text.parse::<f64>().ok().filter(|value| value.is_finite())
        })?),
        Reading::Timestamp => Values::Integer(parsed(texts, infer::timestamp)?),
        Reading::String => Values::String(texts.clone()),
        Reading::Base64 => Values::Binary(parsed(texts, |text| BASE64_STANDARD.decode(text).ok())?),
    })
}

impl Reading {
    const fn complaint(self) -> &'static str {
        match self {
            Self::Boolean => "the field is neither true nor false",
            Self::Integer => "the field isn't an integer of 64 bits",
            Self::Double => "the field isn't a finite number",
            Self::Timestamp => "the field isn't a timestamp like those before it",
            Self::String => "the field isn't text",
            Self::Base64 => "the field isn't base64",
        }
    }
}

fn unreadable(input: &Input, source: std::io::Error) -> Error {
    let path = input.path();
    Error::with_source(ErrorKind::Io { path }, source)
}

fn malformed(input: &Input, source: ArrowError) -> Error {
    let path = input.path();
    match source {
        ArrowError::IoError(_, source) => Error::with_source(ErrorKind::Io { path }, source),
        source => {
            let format = "CSV";
            Error::with_source(ErrorKind::Malformed { path, format }, source)
        }
    }
}
