//! GetRange: the rows between two keys, a page at a time.

use std::ops::Bound;
use std::sync::{Arc, Mutex};

use ots_proto::messages::{DataBlockType, Direction, GetRangeRequest, GetRangeResponse};
use ots_proto::{KeyCellRef, PrimaryKeyValue};

use crate::block::Block;
use crate::capacity::Units;
use crate::database::{Database, Table, TableMeta, TableOptions, lock};
use crate::error::ServiceError;
use crate::names;
use crate::page::{Caps, Page, key_buffer};
use crate::read::{self, View};
use crate::schema::{self, Role};
use crate::selection::{Selection, SelectionFields};
use crate::settings::Context;
use crate::stored::{RowKey, StoredRow};
use crate::wide_row::CellPlace;

/// Reads a page of rows.
///
/// A hint that asks for SimpleRowMatrix is followed where a matrix can hold the answer: it needs its
/// columns named, and has one version of each. A row that travels in parts travels in PlainBuffer.
pub(crate) fn get_range(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: GetRangeRequest,
) -> Result<GetRangeResponse, ServiceError> {
    names::table(&request.table_name)?;
    if request.transaction_id.is_some() {
        return Err(ServiceError::unimplemented("local transactions"));
    }
    let direction = Direction::try_from(request.direction).map_err(|_| {
        ServiceError::parameter(format!("Invalid direction: {}.", request.direction))
    })?;
    let selection = Selection::parse(&SelectionFields {
        columns_to_get: &request.columns_to_get,
        time_range: request.time_range.as_ref(),
        max_versions: request.max_versions,
        filter: request.filter.as_deref(),
        start_column: request.start_column.as_deref(),
        end_column: request.end_column.as_deref(),
        no_version_text: read::NO_VERSION,
    })?;
    let mut caps = Caps::new(context.settings, request.limit)?;
    if context.empty_page {
        caps.scanned_rows = 0;
    }
    let bounds = Bounds {
        start: schema::parse_key(&request.inclusive_start_primary_key, Role::Bound)?,
        end: schema::parse_key(&request.exclusive_end_primary_key, Role::Bound)?,
        direction,
    };
    let from = CellPlace::parse(request.token.as_deref(), &request.table_name, &bounds.start)?;
    let found = find(database, &request.table_name, &bounds, &selection, &caps)?;
    // The row may be gone since its first part was read.
    let from = from.filter(|_| {
        found
            .rows
            .first()
            .is_some_and(|row| bounds.starts_with(row))
    });

    let whole_key = request.return_entire_primary_keys != Some(false);
    let mut view = View::new(&found.meta, &found.options, &selection, context.now_ms);
    if !whole_key {
        view = view.with_named_key_columns_only();
    }
    let wants_matrix = request.data_block_type_hint == Some(DataBlockType::SimpleRowMatrix as i32);
    let one_version = found.options.max_versions == 1 || selection.versions.is_one();
    let is_matrix =
        wants_matrix && one_version && selection.columns.is_some() && request.token.is_none();
    let block = if is_matrix {
        Block::matrix(&found.meta, &request.columns_to_get, whole_key)?
    } else {
        Block::plain()
    };
    let page = Page::write(&view, &caps, block, &found.rows, from)?;
    let next = page.next.map(|key| key_buffer(&found.meta, key));
    let next_token = match (&next, &page.next_cell) {
        (Some(key), Some(place)) => Some(place.to_token(&request.table_name, key)),
        _ => None,
    };
    Ok(GetRangeResponse {
        consumed: Units::read(page.bytes).to_message(),
        rows: page.rows,
        next_start_primary_key: next,
        next_token,
        data_block_type: is_matrix.then_some(DataBlockType::SimpleRowMatrix as i32),
        compress_type: None,
    })
}

/// The keys a range lies between, and which way it is read.
#[derive(Debug)]
pub(crate) struct Bounds<'a> {
    pub(crate) start: Vec<KeyCellRef<'a>>,
    pub(crate) end: Vec<KeyCellRef<'a>>,
    pub(crate) direction: Direction,
}

impl Bounds<'_> {
    fn starts_with(&self, row: &StoredRow) -> bool {
        let values = self.start.iter().map(|cell| cell.value);
        row.key.iter().map(PrimaryKeyValue::as_ref).eq(values)
    }
}

/// What a page is written from.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) meta: Arc<TableMeta>,
    pub(crate) options: TableOptions,
    /// One row more than a page can have: it says where the next page starts.
    pub(crate) rows: Vec<Arc<StoredRow>>,
}

/// Finds the rows of a page.
///
/// Only pointers are taken under the lock; the page is written without it, so that several readers
/// and writers run side by side.
pub(crate) fn find(
    database: &Mutex<Database>,
    table_name: &str,
    bounds: &Bounds<'_>,
    selection: &Selection,
    caps: &Caps,
) -> Result<Found, ServiceError> {
    let guard = lock(database);
    let table = guard.table(table_name)?;
    schema::check_schema(&table.meta, &bounds.start)?;
    schema::check_schema(&table.meta, &bounds.end)?;
    let (start, end) = (schema::row_key(&bounds.start), schema::row_key(&bounds.end));
    let range = KeyRange::new(start, end, bounds.direction)?;
    let most = caps.most_rows(selection, &table.options);
    Ok(Found {
        meta: Arc::clone(&table.meta),
        options: table.options,
        rows: range.rows(table, most.saturating_add(1)),
    })
}

/// A range that isn't empty by its bounds.
#[derive(Debug)]
struct KeyRange {
    start: RowKey,
    end: RowKey,
    direction: Direction,
}

impl KeyRange {
    fn new(start: RowKey, end: RowKey, direction: Direction) -> Result<Self, ServiceError> {
        // The texts as official SDKs' tests compare them: without a final dot.
        let problem = match direction {
            Direction::Forward if start >= end => "Begin key must less than end key in FORWARD",
            Direction::Backward if start <= end => "Begin key must more than end key in BACKWARD",
            Direction::Forward | Direction::Backward => {
                return Ok(Self {
                    start,
                    end,
                    direction,
                });
            }
        };
        Err(ServiceError::parameter(problem))
    }

    /// The first so many rows of the range, in its direction.
    fn rows(&self, table: &Table, count: usize) -> Vec<Arc<StoredRow>> {
        let (start, end) = (&*self.start, &*self.end);
        let rows = &table.rows;
        match self.direction {
            Direction::Forward => rows
                .range::<[PrimaryKeyValue], _>((Bound::Included(start), Bound::Excluded(end)))
                .take(count)
                .map(|(_, row)| Arc::clone(row))
                .collect(),
            Direction::Backward => rows
                .range::<[PrimaryKeyValue], _>((Bound::Excluded(end), Bound::Included(start)))
                .rev()
                .take(count)
                .map(|(_, row)| Arc::clone(row))
                .collect(),
        }
    }
}
