//! AddDefinedColumn, DeleteDefinedColumn: the columns that a table knows beforehand.
//!
//! Rows are free to have them or not, with values of any type: only secondary indexes would care.

use ots_proto::messages::{
    AddDefinedColumnRequest, AddDefinedColumnResponse, DeleteDefinedColumnRequest,
    DeleteDefinedColumnResponse,
};

use crate::database::Database;
use crate::error::ServiceError;
use crate::names;
use crate::settings::Context;
use crate::table_schema;

/// Adds columns behind those there are: all of them or none.
pub(crate) fn add_defined_column(
    _context: &Context<'_>,
    database: &mut Database,
    request: AddDefinedColumnRequest,
) -> Result<AddDefinedColumnResponse, ServiceError> {
    names::table(&request.table_name)?;
    check_count(request.columns.len())?;
    let table = database.table_mut(&request.table_name)?;
    let columns = [table.defined_columns.clone(), request.columns].concat();
    table_schema::check_defined_columns(&table.meta.primary_key, &columns)?;
    table.defined_columns = columns;
    Ok(AddDefinedColumnResponse {})
}

/// Forgets columns, all of them or none. Rows keep what they have of them.
pub(crate) fn delete_defined_column(
    _context: &Context<'_>,
    database: &mut Database,
    request: DeleteDefinedColumnRequest,
) -> Result<DeleteDefinedColumnResponse, ServiceError> {
    names::table(&request.table_name)?;
    check_count(request.columns.len())?;
    let table = database.table_mut(&request.table_name)?;
    let mut columns = table.defined_columns.clone();
    for name in &request.columns {
        names::column(name)?;
        let Some(index) = columns.iter().position(|column| column.name == *name) else {
            return Err(ServiceError::parameter(format!(
                "Defined column '{name}' does not exist."
            )));
        };
        columns.remove(index);
    }
    table.defined_columns = columns;
    Ok(DeleteDefinedColumnResponse {})
}

fn check_count(columns: usize) -> Result<(), ServiceError> {
    if columns == 0 {
        return Err(ServiceError::parameter("No defined column is specified."));
    }
    Ok(())
}
