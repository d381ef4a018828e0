//! A service in this process with one table in it.

use ots_core::request::{
    BatchWriteRow, CreateSearchIndex, CreateTable, DescribeSearchIndex, DescribeTable, TableWrites,
};
use ots_core::transport::InProcess;
use ots_core::{Client, ColumnValue, Credentials, Error, PrimaryKeyValue, RowChange};
use ots_emulator::Emulator;
use ots_proto::Row;
use ots_proto::messages::{FieldType, IndexSchema, PrimaryKeySchema, PrimaryKeyType};

use crate::Shape;

/// The name of the table.
pub const TABLE: &str = "rows";
/// The name of its search index.
pub const INDEX: &str = "rows_index";

/// A table with rows of one shape and an index over their columns, and a client that reaches it
/// without a socket.
#[derive(Debug)]
#[non_exhaustive]
pub struct Embedded {
    /// The service.
    pub emulator: Emulator,
    /// The client.
    pub client: Client,
    /// Rows in the table.
    pub rows: usize,
    /// The key columns.
    pub primary_key: Vec<PrimaryKeySchema>,
    /// The index.
    pub index: IndexSchema,
}

impl Embedded {
    /// The first `rows` rows of a shape, in `splits` splits.
    ///
    /// # Errors
    /// When the emulator refuses a row, which would be a mistake here.
    pub async fn new(shape: Shape, rows: usize, splits: u32) -> Result<Self, Error> {
        let emulator = Emulator::builder().splits(splits).build();
        let service = emulator.clone();
        let client = Client::builder("http://embedded")
            .instance("benches")
            .credentials(Credentials::new(
                Emulator::ACCESS_KEY_ID,
                Emulator::ACCESS_KEY_SECRET,
            ))
            .transport(InProcess::new(move |request| service.handle(request)))
            .build()?;
        let rows = shape.rows(rows);
        if let Some(first) = rows.first() {
            client.send(create_table(first)).await?;
            client.send(create_index(first)).await?;
        }
        for rows in rows.chunks(BATCH_ROWS) {
            let puts = rows.iter().cloned().map(RowChange::Put);
            // The versions of the input are too far from today to be written.
            let puts = puts.map(without_versions);
            let batch = BatchWriteRow::new().table(TableWrites::new(TABLE).changes(puts));
            for result in client.send(batch).await?.into_iter().flatten() {
                result?;
            }
        }
        let table = client.send(DescribeTable::new(TABLE)).await?.into_inner();
        let index = client
            .send(DescribeSearchIndex::new(TABLE, INDEX))
            .await?
            .into_inner();
        let schema = index.schema.unwrap_or_default();
        Ok(Self {
            emulator,
            client,
            rows: rows.len(),
            primary_key: table.primary_key,
            index: schema.to_message().map_err(ots_core::Error::body)?,
        })
    }
}

fn create_table(row: &Row) -> CreateTable {
    let columns = row.primary_key.columns().iter();
    columns.fold(CreateTable::new(TABLE), |create, column| {
        let kind = match column.value {
            PrimaryKeyValue::String(_) => PrimaryKeyType::String,
            PrimaryKeyValue::Binary(_) => PrimaryKeyType::Binary,
            _ => PrimaryKeyType::Integer,
        };
        create.primary_key(column.name.to_string(), kind)
    })
}

fn create_index(row: &Row) -> CreateSearchIndex {
    let cells = row.cells.iter();
    cells.fold(CreateSearchIndex::new(TABLE, INDEX), |create, cell| {
        let kind = match cell.value {
            ColumnValue::Integer(_) => FieldType::Long,
            ColumnValue::Double(_) => FieldType::Double,
            ColumnValue::Boolean(_) => FieldType::Boolean,
            ColumnValue::String(_) => FieldType::Keyword,
            // An index has no type for it.
            ColumnValue::Binary(_) => return create,
        };
        create.field(cell.name.to_string(), kind)
    })
}

fn without_versions(change: RowChange) -> RowChange {
    match change {
        RowChange::Put(mut row) => {
            for cell in &mut row.cells {
                cell.timestamp_ms = None;
            }
            RowChange::Put(row)
        }
        other => other,
    }
}

const BATCH_ROWS: usize = 200;
