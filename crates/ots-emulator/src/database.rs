//! What an instance holds: tables, their rows, their search indexes, and open scan sessions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ots_proto::messages::{DefinedColumnSchema, PrimaryKeySchema, SseDetails};
use ots_proto::{NameCache, PrimaryKeyValue};

use crate::error::ServiceError;
use crate::pace::Pace;
use crate::recent::Recent;
use crate::search::{SearchIndex, Sessions};
use crate::stored::{RowKey, StoredRow};

/// The data of one instance.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) sessions: Sessions,
    pub(crate) pace: Pace,
}

/// A table with its rows.
#[derive(Debug)]
pub(crate) struct Table {
    /// Shared, so that a page can be written after the lock is gone.
    pub(crate) meta: Arc<TableMeta>,
    pub(crate) options: TableOptions,
    pub(crate) defined_columns: Vec<DefinedColumnSchema>,
    pub(crate) throughput: Throughput,
    pub(crate) stream: Option<Stream>,
    pub(crate) encryption: Option<SseDetails>,
    /// Values of the first key column at which the table was split when it was created.
    pub(crate) split_points: Vec<PrimaryKeyValue>,
    /// Microseconds since 1970.
    pub(crate) created_us: i64,
    /// In the order of their keys.
    pub(crate) rows: BTreeMap<RowKey, Arc<StoredRow>>,
    pub(crate) indexes: BTreeMap<String, SearchIndex>,
    /// For the indexes, if they are behind.
    pub(crate) recent: Recent,
    /// Column names of the rows, so that they share one allocation each.
    pub(crate) names: NameCache,
    /// The last integer given out in the auto-increment column. The service counts for each partition
    /// key; one count for all of them is just as unique and strictly increasing.
    pub(crate) last_generated: i64,
    /// The highest version the server has chosen itself.
    pub(crate) last_version_ms: i64,
}

/// The part of a table that never changes.
#[derive(Clone, Debug)]
pub(crate) struct TableMeta {
    pub(crate) name: String,
    /// One to four columns, in order.
    pub(crate) primary_key: Vec<PrimaryKeySchema>,
}

/// What UpdateTable can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableOptions {
    /// Seconds until a cell disappears; -1 for never.
    pub(crate) time_to_live_s: i32,
    /// At least 1.
    pub(crate) max_versions: i32,
    /// Seconds a timestamp chosen by a client may differ from the server's clock.
    pub(crate) max_deviation_s: i64,
    /// Whether UpdateRow is allowed.
    pub(crate) allow_update: bool,
}

/// Reserved capacity units: kept and shown, never enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Throughput {
    pub(crate) read: i32,
    pub(crate) write: i32,
    /// Seconds since 1970.
    pub(crate) last_increase_s: i64,
    pub(crate) last_decrease_s: Option<i64>,
}

/// The settings of a table's stream: kept and shown, but nothing is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) id: String,
    pub(crate) expiration_hours: i32,
    pub(crate) last_enable_us: i64,
    pub(crate) columns: Vec<String>,
}

impl Database {
    /// The table, or 404 as the table and row operations report it. Search operations have an error
    /// of their own.
    pub(crate) fn table(&self, name: &str) -> Result<&Table, ServiceError> {
        self.tables.get(name).ok_or_else(table_does_not_exist)
    }

    /// Like [`table`](Self::table), for changing it.
    pub(crate) fn table_mut(&mut self, name: &str) -> Result<&mut Table, ServiceError> {
        self.tables.get_mut(name).ok_or_else(table_does_not_exist)
    }
}

impl TableMeta {
    /// The value of the key column called `name`, if there is one.
    pub(crate) fn key_value<'row>(
        &self,
        row: &'row StoredRow,
        name: &str,
    ) -> Option<&'row PrimaryKeyValue> {
        let index = self.key_index(name)?;
        row.key.get(index)
    }

    /// Where in the key the column called `name` stands, if it is a key column.
    pub(crate) fn key_index(&self, name: &str) -> Option<usize> {
        self.primary_key
            .iter()
            .position(|column| column.name == name)
    }
}

/// Locks a database.
///
/// A poisoned lock is taken all the same: a row is replaced by one assignment, so a panic elsewhere
/// can't leave half of one behind.
pub(crate) fn lock(database: &Mutex<Database>) -> MutexGuard<'_, Database> {
    database.lock().unwrap_or_else(PoisonError::into_inner)
}

fn table_does_not_exist() -> ServiceError {
    ServiceError::new(404, "OTSObjectNotExist", "Requested table does not exist.")
}
