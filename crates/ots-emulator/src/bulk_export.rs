//! BulkExport: GetRange for throughput, forward, the newest values only.

use std::sync::Mutex;

use ots_proto::messages::{
    BulkExportRequest, BulkExportResponse, CapacityDataSize, CapacityUnit, ConsumedCapacity,
    DataBlockType, Direction,
};

use crate::block::Block;
use crate::database::Database;
use crate::error::ServiceError;
use crate::names;
use crate::page::{Caps, Page, key_buffer};
use crate::range::{self, Bounds};
use crate::read::View;
use crate::schema::{self, Role};
use crate::selection::{Selection, SelectionFields};
use crate::settings::Context;

/// Reads a page of rows.
pub(crate) fn bulk_export(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: BulkExportRequest,
) -> Result<BulkExportResponse, ServiceError> {
    names::table(&request.table_name)?;
    let selection = Selection::parse(&SelectionFields {
        columns_to_get: &request.columns_to_get,
        time_range: None,
        max_versions: Some(1),
        filter: request.filter.as_deref(),
        start_column: None,
        end_column: None,
        no_version_text: "",
    })?;
    let block_type = match request.data_block_type_hint.map(DataBlockType::try_from) {
        None => DataBlockType::SimpleRowMatrix,
        Some(Ok(block_type)) => block_type,
        // A hint that isn't understood is none.
        Some(Err(_)) => DataBlockType::PlainBuffer,
    };
    let is_matrix = block_type == DataBlockType::SimpleRowMatrix;
    if is_matrix && selection.columns.is_none() {
        let message = "DBT_SIMPLE_ROW_MATRIX need at least one column to get.";
        return Err(ServiceError::parameter(message));
    }
    let mut caps = Caps::new(context.settings, None)?.with_whole_rows();
    if context.empty_page {
        caps.scanned_rows = 0;
    }
    let bounds = Bounds {
        start: schema::parse_key(&request.inclusive_start_primary_key, Role::Bound)?,
        end: schema::parse_key(&request.exclusive_end_primary_key, Role::Bound)?,
        direction: Direction::Forward,
    };
    let found = range::find(database, &request.table_name, &bounds, &selection, &caps)?;
    let view = View::new(&found.meta, &found.options, &selection, context.now_ms)
        .with_timestamps_for_free();
    let block = if is_matrix {
        Block::matrix(&found.meta, &request.columns_to_get, false)?
    } else {
        Block::plain()
    };
    let page = Page::write(&view, &caps, block, &found.rows, None)?;
    Ok(BulkExportResponse {
        consumed: consumed(page.bytes),
        rows: page.rows,
        next_start_primary_key: page.next.map(|key| key_buffer(&found.meta, key)),
        data_block_type: Some(block_type as i32),
    })
}

/// It is charged by the byte, not in units.
fn consumed(bytes: usize) -> ConsumedCapacity {
    ConsumedCapacity {
        capacity_unit: CapacityUnit {
            read: Some(0),
            write: Some(0),
        },
        capacity_data_size: Some(CapacityDataSize {
            read_size: Some(i64::try_from(bytes).unwrap_or(i64::MAX)),
            write_size: Some(0),
        }),
    }
}
