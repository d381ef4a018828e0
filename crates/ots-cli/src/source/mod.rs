//! Files as rows, ready to be written to a table.
//!
//! A [`RowSource`] reads a CSV or Parquet file chunk by chunk, so memory depends on the chunk and
//! not on the file.
//!
//! # What becomes what
//!
//! | in Parquet | in CSV | stored as |
//! |---|---|---|
//! | integers of any width | `-12` | INTEGER |
//! | floats of any width | `0.5`, `1e9` | DOUBLE |
//! | booleans | `true`, `FALSE` | BOOLEAN |
//! | text, also in dictionaries | anything else | STRING |
//! | binary of any kind | only when told so: base64 | BINARY |
//! | timestamps of any unit | `2026-01-31 12:00:00.5`, taken as UTC unless it says otherwise | INTEGER: microseconds since 1970 |
//! | dates | `2026-01-31` | STRING: `2026-01-31` |
//! | null | an empty field, quoted or not | no cell at all |
//!
//! A timestamp becomes what a DATE field with format `epoch_micros` reads; a date stays text because
//! no such format counts days, while a DATE field reads `yyyy-MM-dd`. Lists, structs, maps, decimals,
//! times of day, durations and unions are refused by column name.
//!
//! CSV has no types: they are inferred from the whole file, or its first rows, in a pass of its own.
//! Only what reads back the same becomes a number: `00601`, `+49` and `NaN` make a column of text.

mod csv;
mod error;
mod infer;
mod parquet;
mod rows;
mod values;

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use ots_arrow::ColumnType;
use ots_proto::Row;

pub use error::{Error, ErrorKind};

use rows::Layout;
use values::Values;

/// What to make of a file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceOptions {
    /// The columns of the primary key, in the table's order.
    pub key_columns: Vec<String>,
    /// The name of an INTEGER column to add, which counts the rows from 0.
    pub row_number: Option<String>,
    /// Types that the caller knows better than inference. CSV only: Parquet files have types.
    pub types: Vec<(String, ColumnType)>,
    /// Rows of a CSV file to infer types from; none stands for all.
    pub infer_rows: Option<usize>,
    /// The most rows in a chunk.
    pub chunk_rows: NonZeroUsize,
}

impl SourceOptions {
    /// Options with this primary key, types from the whole file, and chunks of 1,000 rows.
    #[must_use]
    pub fn new<N: Into<String>>(key_columns: impl IntoIterator<Item = N>) -> Self {
        Self {
            key_columns: key_columns.into_iter().map(Into::into).collect(),
            row_number: None,
            types: Vec::new(),
            infer_rows: None,
            chunk_rows: NonZeroUsize::MIN.saturating_add(999),
        }
    }
}

/// A column of the rows of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// The type its values are stored as.
    pub column_type: ColumnType,
    /// Whether it is part of the primary key.
    pub is_key: bool,
}

/// The rows of a file: an iterator of chunks.
///
/// It ends after the first error: rows are never passed over.
#[must_use = "a source reads nothing until it is iterated"]
pub struct RowSource {
    columns: Vec<SourceColumn>,
    layout: Layout,
    batches: Batches,
    total_rows: Option<u64>,
    next_row: u64,
    done: bool,
}

/// The values of each column for some rows, and how many rows they are.
type Batch = (usize, Vec<Values>);

/// The file as columns; the row number of the first row is given so that errors can name rows.
type Batches = Box<dyn FnMut(u64) -> Option<Result<Batch, Error>> + Send>;

/// A file opened: its columns, and what reads them.
struct Opened {
    columns: Vec<(String, ColumnType)>,
    batches: Batches,
    total_rows: Option<u64>,
}

/// Where bytes come from; CSV is read twice.
#[derive(Clone, Debug)]
enum Input {
    Path(PathBuf),
    Bundled(&'static [u8]),
}

impl RowSource {
    /// Opens a file, whose ending tells its format: `.csv`, `.tsv`, `.parquet` or `.pq`.
    ///
    /// # Errors
    /// A file that can't be read or isn't of its format; a column of a type that can't be stored; a
    /// key column that isn't there, or whose values can't be part of a key.
    pub fn open(path: &Path, options: &SourceOptions) -> Result<Self, Error> {
        let ending = path.extension().map(|it| it.to_ascii_lowercase());
        let input = Input::Path(path.to_owned());
        let opened = match ending.as_ref().and_then(|it| it.to_str()) {
            Some("csv") => csv::open(&input, b',', options)?,
            Some("tsv") => csv::open(&input, b'\t', options)?,
            Some("parquet" | "pq") => parquet::open(path, options)?,
            _ => {
                let path = path.to_owned();
                return Err(ErrorKind::UnknownFormat { path }.into());
            }
        };
        Self::new(opened, options)
    }

    /// Reads CSV that is part of the program.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn bundled_csv(text: &'static [u8], options: &SourceOptions) -> Result<Self, Error> {
        Self::new(csv::open(&Input::Bundled(text), b',', options)?, options)
    }

    fn new(opened: Opened, options: &SourceOptions) -> Result<Self, Error> {
        let (columns, layout) = rows::lay_out(opened.columns, options)?;
        Ok(Self {
            columns,
            layout,
            batches: opened.batches,
            total_rows: opened.total_rows,
            next_row: 0,
            done: false,
        })
    }

    /// The columns in the order of the file, then the row number if one was asked for.
    #[must_use]
    pub fn columns(&self) -> &[SourceColumn] {
        &self.columns
    }

    /// The rows of the whole file, where opening it has already told: not if types were inferred
    /// from the first rows only.
    #[must_use]
    pub const fn total_rows(&self) -> Option<u64> {
        self.total_rows
    }
}

impl Iterator for RowSource {
    type Item = Result<Vec<Row>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let chunk = (self.batches)(self.next_row).map(|batch| {
            let (rows, values) = batch?;
            self.layout.rows(rows, &values, self.next_row)
        });
        match &chunk {
            Some(Ok(rows)) => self.next_row += rows.len() as u64,
            Some(Err(_)) | None => self.done = true,
        }
        chunk
    }
}

impl std::fmt::Debug for RowSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowSource")
            .field("columns", &self.columns)
            .field("next_row", &self.next_row)
            .finish_non_exhaustive()
    }
}

impl Input {
    fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Path(path) => Box::new(File::open(path)?),
            Self::Bundled(bytes) => Box::new(*bytes),
        })
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Path(path) => path.clone(),
            Self::Bundled(_) => PathBuf::from("(bundled data)"),
        }
    }
}
