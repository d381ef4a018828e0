//! ComputeSplitPointsBySize: a table cut into parts of about one size.
//!
//! A part ends between two partition keys, the values of the first key column: a partition key is
//! never cut, however many rows it has.

use std::ops::Bound;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use md5::{Digest, Md5};
use ots_proto::messages::{
    ComputeSplitPointsBySizeRequest, ComputeSplitPointsBySizeResponse, SplitLocation,
};
use ots_proto::{PrimaryKeyValue, PrimaryKeyValueRef};

use crate::capacity::{self, Units};
use crate::database::{Database, TableMeta, lock};
use crate::error::ServiceError;
use crate::names;
use crate::page;
use crate::schema;
use crate::settings::{Context, Settings};
use crate::stored::StoredRow;

/// Says where to cut a table.
///
/// It looks at some thousand rows at a time and lets writers in between, so the parts are those of no
/// single moment: they cover the table all the same.
pub(crate) fn compute_split_points_by_size(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: ComputeSplitPointsBySizeRequest,
) -> Result<ComputeSplitPointsBySizeResponse, ServiceError> {
    names::table(&request.table_name)?;
    let mut cutter = Cutter::new(context.settings, &request)?;
    let meta = Arc::clone(&lock(database).table(&request.table_name)?.meta);
    let mut last: Option<Arc<StoredRow>> = None;
    while !cutter.is_done() {
        let rows = next_rows(&lock(database), &request.table_name, last.as_deref())?;
        for row in &rows {
            cutter.pass(row, row_bytes(&meta, row));
        }
        match rows.last() {
            Some(row) => last = Some(Arc::clone(row)),
            None => break,
        }
    }
    let splits = cutter.points.len() + 1;
    Ok(ComputeSplitPointsBySizeResponse {
        consumed: units(splits).to_message(),
        schema: meta.primary_key.clone(),
        split_points: cutter.points.iter().map(|at| point(&meta, at)).collect(),
        // All parts lie in one place.
        locations: vec![SplitLocation {
            location: format!("{:032x}", location(&meta.name)),
            repeat: i64::try_from(splits).unwrap_or(i64::MAX),
        }],
    })
}

/// Finds the points, row by row.
#[derive(Debug)]
struct Cutter {
    split_bytes: u64,
    max_points: usize,
    /// Bytes since the last point.
    bytes: u64,
    /// The partition key of the row before.
    last: Option<PrimaryKeyValue>,
    points: Vec<PrimaryKeyValue>,
}

impl Cutter {
    fn new(
        settings: &Settings,
        request: &ComputeSplitPointsBySizeRequest,
    ) -> Result<Self, ServiceError> {
        let size = match u64::try_from(request.split_size) {
            Ok(size) if size > 0 => size,
            _ => {
                let message = "The split_size should be greater than 0.";
                return Err(ServiceError::parameter(message));
            }
        };
        let least = settings.min_split_unit_bytes;
        let unit = match request.split_size_unit_in_byte.map(u64::try_from) {
            None => DEFAULT_UNIT_BYTES,
            Some(Ok(bytes)) if bytes >= least => bytes,
            Some(_) => {
                return Err(ServiceError::parameter(format!(
                    "The split_size_unit_in_byte should be greater equal than: {least}"
                )));
            }
        };
        let max_points = match request.split_point_limit.map(usize::try_from) {
            None => usize::MAX,
            Some(Ok(limit)) if limit > 0 => limit,
            Some(_) => {
                let message = "The split_point_limit should be greater than 0.";
                return Err(ServiceError::parameter(message));
            }
        };
        Ok(Self {
            split_bytes: size.saturating_mul(unit),
            max_points,
            bytes: 0,
            last: None,
            points: Vec::new(),
        })
    }

    const fn is_done(&self) -> bool {
        self.points.len() >= self.max_points
    }

    /// The next row, in the order of keys.
    fn pass(&mut self, row: &StoredRow, row_bytes: u64) {
        let Some(partition) = row.key.first() else {
            return;
        };
        if self.last.as_ref() != Some(partition)
            && let Some(last) = self.last.replace(partition.clone())
            && self.bytes >= self.split_bytes
            && !self.is_done()
        {
            self.points.push(between(&last, partition));
            self.bytes = 0;
        }
        self.bytes = self.bytes.saturating_add(row_bytes);
    }
}

/// The first key value there could be after `last`; `next`, the one there is, if the first is too
/// long to be a key. The service's own points for texts were seen to end with a zero byte.
fn between(last: &PrimaryKeyValue, next: &PrimaryKeyValue) -> PrimaryKeyValue {
    let fits = |bytes: &[u8]| bytes.len() < schema::MAX_VALUE_BYTES;
    match last.as_ref() {
        // Something comes after it, so it isn't the largest there is.
        PrimaryKeyValueRef::Integer(value) => PrimaryKeyValue::Integer(value.saturating_add(1)),
        PrimaryKeyValueRef::String(text) if fits(text.as_bytes()) => format!("{text}\0").into(),
        PrimaryKeyValueRef::Binary(bytes) if fits(bytes) => {
            PrimaryKeyValue::Binary([bytes, &[0]].concat().into())
        }
        _ => next.clone(),
    }
}

/// Rows after `last`, not so many that others would wait for them.
pub(crate) fn next_rows(
    database: &Database,
    table: &str,
    last: Option<&StoredRow>,
) -> Result<Vec<Arc<StoredRow>>, ServiceError> {
    let from = last.map_or(Bound::Unbounded, |row| Bound::Excluded(&*row.key));
    let rows = &database.table(table)?.rows;
    let rows = rows.range::<[PrimaryKeyValue], _>((from, Bound::Unbounded));
    Ok(rows
        .take(ROWS_AT_A_TIME)
        .map(|(_, row)| Arc::clone(row))
        .collect())
}

/// Names and values of a row as it is stored, all versions included.
pub(crate) fn row_bytes(meta: &TableMeta, row: &StoredRow) -> u64 {
    let key = capacity::key_bytes(meta, row.key.iter().map(PrimaryKeyValue::as_ref));
    let columns = row.columns.iter().map(|column| {
        let versions = column.versions.iter();
        let values = versions.map(|version| capacity::value_bytes(version.value.as_ref()));
        values.map(|bytes| bytes + column.name.len()).sum::<usize>()
    });
    u64::try_from(key + columns.sum::<usize>()).unwrap_or(u64::MAX)
}

/// A point as it travels: the columns behind the first begin at `INF_MIN` and are left out.
fn point(meta: &TableMeta, at: &PrimaryKeyValue) -> Bytes {
    page::key_buffer(meta, std::slice::from_ref(at))
}

/// Seen in official SDKs' tests: one unit for one part, four for three. The documentation says one
/// for each.
fn units(splits: usize) -> Units {
    let read = if splits == 1 { 1 } else { splits + 1 };
    Units {
        read: i32::try_from(read).unwrap_or(i32::MAX),
        write: 0,
    }
}

/// Looks like the service's: 32 characters that say nothing.
fn location(table: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(table.as_bytes()).into())
}

const DEFAULT_UNIT_BYTES: u64 = 100 << 20;
const ROWS_AT_A_TIME: usize = 4096;
