//! BatchGetRow: many rows of many tables, each with an answer of its own.

use std::iter;
use std::sync::{Arc, Mutex};

use ots_proto::KeyCellRef;
use ots_proto::messages::{
    BatchGetRowRequest, BatchGetRowResponse, RowInBatchGetRowResponse, TableInBatchGetRowRequest,
    TableInBatchGetRowResponse,
};

use crate::capacity::Units;
use crate::database::{Database, Table, lock};
use crate::error::ServiceError;
use crate::names;
use crate::read::{self, Source};
use crate::schema::{self, Role};
use crate::selection::{Selection, SelectionFields};
use crate::settings::Context;
use crate::stored::StoredRow;
use crate::wide_row::CellPlace;

/// Reads rows. A mistake that shows without the table fails the request, a key that doesn't fit its
/// table only its row. Rows and tables may repeat.
pub(crate) fn batch_get_row(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: BatchGetRowRequest,
) -> Result<BatchGetRowResponse, ServiceError> {
    if request.tables.is_empty() {
        let message = "No row specified in the request of BatchGetRow.";
        return Err(ServiceError::parameter(message));
    }
    let tables = &request.tables;
    tables
        .iter()
        .try_for_each(|table| names::table(&table.table_name))?;
    let count: usize = tables.iter().map(|table| table.primary_key.len()).sum();
    if count > MAX_ROWS {
        let message = format!("Rows count exceeds the upper limit: {MAX_ROWS}.");
        return Err(ServiceError::parameter(message));
    }
    let reads = tables
        .iter()
        .map(TableRead::parse)
        .collect::<Result<Vec<_>, _>>()?;
    let found = {
        let database = lock(database);
        reads
            .iter()
            .map(|read| Ok(read.find(database.table(read.table_name)?)))
            .collect::<Result<Vec<_>, ServiceError>>()?
    };
    let tables = reads
        .iter()
        .zip(found)
        .map(|(read, (source, rows))| {
            let rows = rows
                .into_iter()
                .zip(&read.places)
                .map(|(row, from)| {
                    let written = row.map(|row| {
                        source.write(context, &read.selection, row.as_deref(), from.as_ref())
                    });
                    match written {
                        Ok(written) => RowInBatchGetRowResponse {
                            is_ok: true,
                            error: None,
                            consumed: Some(written.units.to_message()),
                            row: Some(written.row),
                            next_token: written.next_token,
                        },
                        Err(error) => RowInBatchGetRowResponse {
                            is_ok: false,
                            error: Some(error.to_message()),
                            consumed: Some(Units::read(0).to_message()),
                            row: None,
                            next_token: None,
                        },
                    }
                })
                .collect();
            TableInBatchGetRowResponse {
                table_name: read.table_name.to_owned(),
                rows,
            }
        })
        .collect();
    Ok(BatchGetRowResponse { tables })
}

/// What is to be read from one table.
struct TableRead<'a> {
    table_name: &'a str,
    selection: Selection,
    keys: Vec<Vec<KeyCellRef<'a>>>,
    /// For each key the cell at which to go on, if the row was cut before.
    places: Vec<Option<CellPlace>>,
}

impl<'a> TableRead<'a> {
    fn parse(table: &'a TableInBatchGetRowRequest) -> Result<Self, ServiceError> {
        let selection = Selection::parse(&SelectionFields {
            columns_to_get: &table.columns_to_get,
            time_range: table.time_range.as_ref(),
            max_versions: table.max_versions,
            filter: table.filter.as_deref(),
            start_column: table.start_column.as_deref(),
            end_column: table.end_column.as_deref(),
            no_version_text: "No version condition is specified while querying row.",
        })?;
        let keys = table
            .primary_key
            .iter()
            .map(|key| schema::parse_key(key, Role::Read))
            .collect::<Result<Vec<_>, _>>()?;
        // One official SDK sends an empty token for each key, others none at all.
        if !table.token.is_empty() && table.token.len() != keys.len() {
            let (tokens, keys) = (table.token.len(), keys.len());
            let message = format!("There must be a token for each of the {keys} keys: {tokens}.");
            return Err(ServiceError::parameter(message));
        }
        let tokens = table.token.iter().map(|token| Some(&**token));
        let places = keys.iter().zip(tokens.chain(iter::repeat(None)));
        let places = places
            .map(|(key, token)| CellPlace::parse(token, &table.table_name, key))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            table_name: &table.table_name,
            selection,
            keys,
            places,
        })
    }

    /// The rows as they are stored, or what is wrong with their keys.
    fn find(&self, table: &Table) -> (Source, Vec<FoundRow>) {
        let rows = self.keys.iter().map(|key| read::find(table, key));
        (Source::of(table), rows.collect())
    }
}

type FoundRow = Result<Option<Arc<StoredRow>>, ServiceError>;

const MAX_ROWS: usize = 100;
