//! GetRange: the rows between two keys, a page at a time.

use std::ops::Bound;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ots_proto::PrimaryKeyValue;
use ots_proto::messages::{Direction, GetRangeRequest, GetRangeResponse};
use ots_proto::plainbuffer::Writer;

use crate::capacity::Units;
use crate::database::{Database, Table, TableMeta, TableOptions, lock};
use crate::error::ServiceError;
use crate::names;
use crate::read::{self, View};
use crate::schema::{self, Role};
use crate::selection::{Selection, SelectionFields};
use crate::settings::{Context, LimitCounts, Settings};
use crate::stored::{RowKey, StoredRow};

/// Reads a page of rows.
///
/// A hint that asks for SimpleRowMatrix is answered with PlainBuffer: the service is free to, and
/// the absent `data_block_type` says so.
pub(crate) fn get_range(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: GetRangeRequest,
) -> Result<GetRangeResponse, ServiceError> {
    names::table(&request.table_name)?;
    read::refuse_token(request.token.as_deref())?;
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
    let start = schema::parse_key(&request.inclusive_start_primary_key, Role::Bound)?;
    let end = schema::parse_key(&request.exclusive_end_primary_key, Role::Bound)?;

    // Only pointers are taken under the lock; the page is written without it, so that several
    // readers and writers run side by side.
    let (meta, options, rows) = {
        let guard = lock(database);
        let table = guard.table(&request.table_name)?;
        schema::check_schema(&table.meta, &start)?;
        schema::check_schema(&table.meta, &end)?;
        let range = KeyRange::new(schema::row_key(&start), schema::row_key(&end), direction)?;
        // One row more than a page can have: it says where the next page starts.
        let most = caps.most_rows(&selection, &table.options);
        let rows = range.rows(table, most.saturating_add(1));
        (Arc::clone(&table.meta), table.options, rows)
    };
    let mut view = View::new(&meta, &options, &selection, context.now_ms);
    if request.return_entire_primary_keys == Some(false) {
        view = view.with_named_key_columns_only();
    }
    let page = Page::write(&view, &caps, &rows);
    Ok(GetRangeResponse {
        consumed: Units::read(page.bytes).to_message(),
        rows: page.rows,
        next_start_primary_key: page.next.map(|key| key_buffer(&meta, key)),
        next_token: None,
        data_block_type: None,
        compress_type: None,
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

/// Where a page ends, if not with the range.
#[derive(Clone, Copy, Debug)]
struct Caps {
    scanned_rows: usize,
    scanned_bytes: usize,
    limit: usize,
    limit_counts: LimitCounts,
}

impl Caps {
    fn new(settings: &Settings, limit: Option<i32>) -> Result<Self, ServiceError> {
        let limit = match limit.map(usize::try_from) {
            None => usize::MAX,
            Some(Ok(limit)) if limit > 0 => limit,
            Some(_) => {
                let message = "The limit must be greater than 0.";
                return Err(ServiceError::parameter(message));
            }
        };
        Ok(Self {
            // A page that can't have a row would never get anywhere.
            scanned_rows: settings.range_page_rows.max(1),
            scanned_bytes: settings.range_page_bytes,
            limit,
            limit_counts: settings.limit_counts,
        })
    }

    /// Rows a page may read, before it is known which of them are returned.
    fn most_rows(&self, selection: &Selection, options: &TableOptions) -> usize {
        // Expired rows lie in the table, and are not returned either.
        let every_row_is_shown = selection.filter.is_none()
            && selection.columns.is_none()
            && options.time_to_live_s == -1;
        let every_row_counts = self.limit_counts == LimitCounts::Scanned || every_row_is_shown;
        if every_row_counts {
            self.scanned_rows.min(self.limit)
        } else {
            self.scanned_rows
        }
    }
}

/// A page, and where the next one starts.
#[derive(Debug)]
struct Page<'a> {
    rows: Bytes,
    bytes: usize,
    next: Option<&'a RowKey>,
}

impl<'a> Page<'a> {
    /// Writes rows until a cap is reached. Rows that aren't returned count for the caps like those
    /// that are; only `limit` may count otherwise.
    fn write(view: &View<'_>, caps: &Caps, rows: &'a [Arc<StoredRow>]) -> Self {
        let mut writer = Writer::new();
        let mut bytes = 0;
        let mut returned = 0;
        let mut next = None;
        for (scanned, row) in rows.iter().enumerate() {
            let counted = match caps.limit_counts {
                LimitCounts::Returned => returned,
                LimitCounts::Scanned => scanned,
            };
            if scanned >= caps.scanned_rows || counted >= caps.limit {
                next = Some(&row.key);
                break;
            }
            let seen = view.look(row);
            // A row larger than a page gets a page of its own.
            if scanned > 0 && bytes + seen.bytes > caps.scanned_bytes {
                next = Some(&row.key);
                break;
            }
            bytes += seen.bytes;
            if seen.is_shown {
                returned += 1;
                view.write(row, &mut writer);
            }
        }
        // "No rows" is an empty field, not a buffer with a header and nothing behind it.
        let rows = if returned == 0 {
            Bytes::new()
        } else {
            writer.finish()
        };
        Self { rows, bytes, next }
    }
}

/// A stored key as it travels when it stands alone.
pub(crate) fn key_buffer(meta: &TableMeta, key: &[PrimaryKeyValue]) -> Bytes {
    let mut writer = Writer::new();
    let mut row = writer.begin_row();
    for (column, value) in meta.primary_key.iter().zip(key) {
        row.key(&column.name, value.as_ref());
    }
    row.end();
    writer.finish()
}
