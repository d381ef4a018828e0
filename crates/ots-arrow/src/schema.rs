//! The columns of a scan and their Arrow types.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use ots_proto::messages::{
    DefinedColumnType, FieldSchema, FieldType, IndexSchema, PrimaryKeySchema, PrimaryKeyType,
};

use crate::builder::RecordBatchBuilder;
use crate::error::{Error, ErrorKind};

/// The columns that the rows of a scan become: the key columns first, in the table's order, then
/// the attribute columns.
///
/// | Tablestore | Arrow |
/// |---|---|
/// | INTEGER, LONG | `Int64` |
/// | DOUBLE | `Float64` |
/// | BOOLEAN | `Boolean` |
/// | STRING, KEYWORD, TEXT, FUZZY_KEYWORD, IP | `Utf8` |
/// | BINARY | `Binary` |
/// | GEO_POINT | `Utf8`, as the service formats it: `10.0,50.0` |
/// | any of them as an array | `Utf8`, the JSON text as the service formats it: `[1,2,3]` |
/// | DATE, NESTED, VECTOR, JSON, virtual fields | never returned by a scan |
///
/// Every field is nullable, the key too: engines refuse a `not null` that doesn't match theirs.
/// The metadata of each Arrow field names its Tablestore type, see [`TYPE_METADATA`].
#[derive(Clone, Debug, PartialEq)]
pub struct ScanSchema {
    pub(crate) keys: Vec<Column>,
    pub(crate) attributes: Vec<Column>,
    arrow: SchemaRef,
}

/// One column: where its values come from and what they become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As the service spells it, for messages and metadata.
    pub(crate) type_name: &'static str,
    pub(crate) value: ColumnType,
    is_array: bool,
}

/// The type of a stored column, for columns that no index describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the five types a stored column can have"
)]
pub enum ColumnType {
    /// A 64-bit signed integer.
    Integer,
    /// A 64-bit float.
    Double,
    /// True or false.
    Boolean,
    /// UTF-8 text.
    String,
    /// Any bytes.
    Binary,
}

/// Arrow field metadata: the Tablestore type of the column (`KEYWORD`, `LONG`, `INTEGER`).
pub const TYPE_METADATA: &str = "ots.type";

/// Arrow field metadata: `true` on an index field that holds arrays of its type.
pub const ARRAY_METADATA: &str = "ots.array";

/// Arrow field metadata: the place of a key column in the primary key, counted from zero.
pub const KEY_POSITION_METADATA: &str = "ots.primary_key";

impl ScanSchema {
    /// The schema of a scan of a search index: what DescribeTable says of the key, what
    /// DescribeSearchIndex says of the fields, and the columns to ask for.
    ///
    /// `columns` of none asks for every field a scan can return; those it can't, and those whose
    /// `store` flag is off, are left out. A named column is taken whatever its `store` flag says.
    /// A key column that is also an index field, or is named, appears once, as a key column.
    ///
    /// # Errors
    /// A named column that the index doesn't have, that a scan never returns, or that is named
    /// twice; a description this crate doesn't understand.
    pub fn from_index(
        primary_key: &[PrimaryKeySchema],
        index: &IndexSchema,
        columns: Option<&[String]>,
    ) -> Result<Self, Error> {
        let keys = key_columns(primary_key)?;
        let is_key = |name: &str| keys.iter().any(|key| key.name == name);
        let fields = &index.field_schemas;
        let attributes = match columns {
            None => {
                let mut kept = Vec::new();
                for field in fields {
                    if !is_key(field.field_name()) && field.store != Some(false) {
                        // A type that a newer service added must not stop a scan of the others.
                        kept.extend(index_column(field).ok());
                    }
                }
                kept
            }
            Some(names) => names
                .iter()
                .filter(|name| !is_key(name))
                .map(|name| {
                    let field = fields.iter().find(|field| field.field_name() == name);
                    let column = name.clone();
                    index_column(field.ok_or(ErrorKind::UnknownColumn { column })?)
                })
                .collect::<Result<_, _>>()?,
        };
        Self::new(keys, attributes)
    }

    /// The schema of a read of a table, whose attribute columns have whatever type was written: the
    /// caller says which columns to expect, and in which type.
    ///
    /// `primary_key` holds the key columns to take: all of them or only some. Rows carry all, whatever
    /// columns are asked for.
    ///
    /// # Errors
    /// A column named twice, or named like a key column; a key type this crate doesn't understand.
    pub fn from_table<N: Into<String>>(
        primary_key: &[PrimaryKeySchema],
        columns: impl IntoIterator<Item = (N, ColumnType)>,
    ) -> Result<Self, Error> {
        let attributes = columns
            .into_iter()
            .map(|(name, value)| Column {
                name: name.into(),
                type_name: value.name(),
                value,
                is_array: false,
            })
            .collect();
        Self::new(key_columns(primary_key)?, attributes)
    }

    fn new(keys: Vec<Column>, attributes: Vec<Column>) -> Result<Self, Error> {
        let mut seen = HashSet::new();
        for column in keys.iter().chain(&attributes) {
            if !seen.insert(column.name.as_str()) {
                let column = column.name.clone();
                return Err(ErrorKind::DuplicateColumn { column }.into());
            }
        }
        let keyed = keys
            .iter()
            .enumerate()
            .map(|(place, column)| column.arrow_field(Some(place)));
        let plain = attributes.iter().map(|column| column.arrow_field(None));
        let arrow = Arc::new(Schema::new(keyed.chain(plain).collect::<Vec<_>>()));
        Ok(Self {
            keys,
            attributes,
            arrow,
        })
    }

    /// The Arrow schema.
    #[must_use]
    pub fn arrow_schema(&self) -> SchemaRef {
        Arc::clone(&self.arrow)
    }

    /// The names of the key columns, in the table's order.
    pub fn key_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.keys.iter().map(|column| column.name.as_str())
    }

    /// The names of the attribute columns: what to ask the service for.
    pub fn attribute_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.attributes.iter().map(|column| column.name.as_str())
    }

    /// The key columns, then the attribute columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.keys.iter().chain(&self.attributes)
    }

    /// One page of a ParallelScan, a buffer per row, as a batch of its own.
    ///
    /// # Errors
    /// As [`RecordBatchBuilder::append_page`].
    pub fn read_page(&self, rows: &[Bytes]) -> Result<RecordBatch, Error> {
        let mut builder = RecordBatchBuilder::new(self);
        builder.append_page(rows)?;
        builder.finish()
    }

    /// One page of a GetRange, all rows in one buffer, as a batch of its own.
    ///
    /// # Errors
    /// As [`RecordBatchBuilder::append_buffer`].
    pub fn read_buffer(&self, rows: &Bytes) -> Result<RecordBatch, Error> {
        let mut builder = RecordBatchBuilder::new(self);
        builder.append_buffer(rows)?;
        builder.finish()
    }

    /// One page of a BulkExport that came as a matrix, as a batch of its own.
    ///
    /// # Errors
    /// As [`RecordBatchBuilder::append_matrix`].
    pub fn read_matrix(&self, block: &Bytes) -> Result<RecordBatch, Error> {
        let mut builder = RecordBatchBuilder::new(self);
        builder.append_matrix(block)?;
        builder.finish()
    }
}

impl Column {
    fn arrow_field(&self, key_position: Option<usize>) -> Field {
        let mut metadata = HashMap::from([(TYPE_METADATA.to_owned(), self.type_name.to_owned())]);
        if self.is_array {
            metadata.insert(ARRAY_METADATA.to_owned(), "true".to_owned());
        }
        if let Some(position) = key_position {
            metadata.insert(KEY_POSITION_METADATA.to_owned(), position.to_string());
        }
        Field::new(&self.name, self.value.arrow_type(), true).with_metadata(metadata)
    }
}

impl ColumnType {
    /// The Arrow type of such a column.
    #[must_use]
    pub const fn arrow_type(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::String => DataType::Utf8,
            Self::Binary => DataType::Binary,
        }
    }

    /// The name of the type, as the service spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Double => "DOUBLE",
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Binary => "BINARY",
        }
    }
}

impl From<DefinedColumnType> for ColumnType {
    fn from(defined: DefinedColumnType) -> Self {
        match defined {
            DefinedColumnType::Integer => Self::Integer,
            DefinedColumnType::Double => Self::Double,
            DefinedColumnType::Boolean => Self::Boolean,
            DefinedColumnType::String => Self::String,
            DefinedColumnType::Blob => Self::Binary,
        }
    }
}

fn key_columns(primary_key: &[PrimaryKeySchema]) -> Result<Vec<Column>, Error> {
    let column = |key: &PrimaryKeySchema| {
        let value = match PrimaryKeyType::try_from(key.r#type) {
            Ok(PrimaryKeyType::Integer) => ColumnType::Integer,
            Ok(PrimaryKeyType::String) => ColumnType::String,
            Ok(PrimaryKeyType::Binary) => ColumnType::Binary,
            Ok(PrimaryKeyType::Boolean) | Err(_) => {
                let column = key.name.clone();
                let problem = "has a key type that isn't INTEGER, STRING or BINARY";
                return Err(ErrorKind::Description { column, problem }.into());
            }
        };
        Ok(Column {
            name: key.name.clone(),
            type_name: value.name(),
            value,
            is_array: false,
        })
    };
    primary_key.iter().map(column).collect()
}

fn index_column(field: &FieldSchema) -> Result<Column, Error> {
    let name = field.field_name().to_owned();
    let field_type = field.field_type.map(FieldType::try_from);
    let Some(Ok(field_type)) = field_type else {
        let problem = "has a field type that this version doesn't know";
        return Err(ErrorKind::Description {
            column: name,
            problem,
        }
        .into());
    };
    if field.is_virtual_field() {
        let what = "a virtual field, which can only be queried";
        return Err(ErrorKind::NotReturnable { column: name, what }.into());
    }
    let (type_name, value) = match field_type {
        FieldType::Long => ("LONG", ColumnType::Integer),
        FieldType::Double => ("DOUBLE", ColumnType::Double),
        FieldType::Boolean => ("BOOLEAN", ColumnType::Boolean),
        FieldType::Keyword => ("KEYWORD", ColumnType::String),
        FieldType::Text => ("TEXT", ColumnType::String),
        FieldType::FuzzyKeyword => ("FUZZY_KEYWORD", ColumnType::String),
        FieldType::Ip => ("IP", ColumnType::String),
        FieldType::GeoPoint => ("GEO_POINT", ColumnType::String),
        FieldType::Date => return Err(not_returnable(name, "a DATE field")),
        FieldType::Nested => return Err(not_returnable(name, "a NESTED field")),
        FieldType::Vector => return Err(not_returnable(name, "a VECTOR field")),
        FieldType::Json => return Err(not_returnable(name, "a JSON field")),
        FieldType::Flattened => return Err(not_returnable(name, "a FLATTENED field")),
    };
    let is_array = field.is_array();
    Ok(Column {
        name,
        type_name,
        // The service sends an array as one piece of JSON text.
        value: if is_array { ColumnType::String } else { value },
        is_array,
    })
}

fn not_returnable(column: String, what: &'static str) -> Error {
    ErrorKind::NotReturnable { column, what }.into()
}
