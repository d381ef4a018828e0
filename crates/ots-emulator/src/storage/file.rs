//! The file of a data directory: what lies in it, and how it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ots_proto::PrimaryKeyValue;
use ots_proto::plainbuffer::VariantRef;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::StorageError;
use super::saved;
use crate::database::TableMeta;
use crate::stored::{RowKey, StoredRow};

/// Rows by instance, table and key; each is a row of PlainBuffer with all its versions, checksums
/// and all.
const ROWS: TableDefinition<'_, (&str, &str, &[u8]), &[u8]> = TableDefinition::new("rows");
/// Everything else about a table, by instance and table: a [`saved::SavedTable`].
const TABLES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("tables");
/// What changes with every write: the last generated key and the last version, by instance and
/// table.
const COUNTERS: TableDefinition<'_, (&str, &str), (i64, i64)> = TableDefinition::new("counters");
/// The version of this layout, under the empty name.
const FORMAT: TableDefinition<'_, &str, u64> = TableDefinition::new("format");

const FORMAT_VERSION: u64 = 1;

/// An open file. redb locks it: a second emulator can't open it.
#[derive(Debug)]
pub(crate) struct DataFile {
    path: PathBuf,
    database: Database,
}

/// A change.
#[derive(Debug)]
pub(crate) enum Record {
    /// Rows as they are now; none where there is none.
    Rows {
        instance: String,
        table: Arc<TableMeta>,
        rows: Vec<(RowKey, Option<Arc<StoredRow>>)>,
        counters: (i64, i64),
    },
    /// A table's schema as it is now; none when the table is gone, with its rows.
    Table {
        instance: String,
        name: String,
        saved: Option<Vec<u8>>,
        /// Whether rows of an earlier table of the same name go.
        fresh: bool,
    },
    /// All tables of an instance are gone.
    Clear { instance: String },
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl DataFile {
    /// Opens the file, created if need be.
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let opened = Database::create(path).map_err(Failure::from);
        let opened = opened.and_then(|database| {
            check_format(&database)?;
            Ok(database)
        });
        match opened {
            Ok(database) => Ok(Self {
                path: path.to_owned(),
                database,
            }),
            Err(error) => Err(StorageError::new("opened", path, error)),
        }
    }

    /// Applies changes in one transaction. When this returns, they are on disk.
    pub(crate) fn commit<'r>(
        &self,
        records: impl Iterator<Item = &'r Record>,
    ) -> Result<(), StorageError> {
        let commit = || {
            let transaction = self.database.begin_write()?;
            for record in records {
                apply(&transaction, record)?;
            }
            transaction.commit()?;
            Ok(())
        };
        commit().map_err(|error: Failure| StorageError::new("written", &self.path, error))
    }

    /// Visits all tables, then all rows: instance, table, bytes.
    pub(crate) fn read(
        &self,
        mut table: impl FnMut(&str, &str, &[u8], (i64, i64)) -> Result<(), Failure>,
        mut row: impl FnMut(&str, &str, &[u8]) -> Result<(), Failure>,
    ) -> Result<(), StorageError> {
        let mut read = || {
            let transaction = self.database.begin_read()?;
            let counters = transaction.open_table(COUNTERS)?;
            for entry in transaction.open_table(TABLES)?.iter()? {
                let (key, value) = entry?;
                let (instance, name) = key.value();
                let counters = counters.get((instance, name))?;
                let counters = counters.map_or((0, 0), |counters| counters.value());
                table(instance, name, value.value(), counters)?;
            }
            for entry in transaction.open_table(ROWS)?.iter()? {
                let (key, value) = entry?;
                let (instance, name, _) = key.value();
                row(instance, name, value.value())?;
            }
            Ok(())
        };
        read().map_err(|error: Failure| StorageError::new("read", &self.path, error))
    }
}

/// Notes the version in a new file, and refuses one of another.
fn check_format(database: &Database) -> Result<(), Failure> {
    let transaction = database.begin_write()?;
    {
        // All tables are there from now on, so that readers find them.
        transaction.open_table(ROWS)?;
        transaction.open_table(TABLES)?;
        transaction.open_table(COUNTERS)?;
        let mut format = transaction.open_table(FORMAT)?;
        let found = format.get("")?.map(|version| version.value());
        match found {
            Some(FORMAT_VERSION) => {}
            Some(other) => {
                let text = format!(
                    "its layout has version {other}, and this emulator knows {FORMAT_VERSION} only"
                );
                return Err(text.into());
            }
            None => {
                format.insert("", FORMAT_VERSION)?;
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

fn apply(transaction: &WriteTransaction, record: &Record) -> Result<(), Failure> {
    match record {
        Record::Rows {
            instance,
            table,
            rows,
            counters,
        } => {
            let name = &*table.name;
            let mut stored = transaction.open_table(ROWS)?;
            for (key, row) in rows {
                let key = key_bytes(key);
                let key = (&**instance, name, &*key);
                match row {
                    Some(row) => stored.insert(key, &*saved::row(table, row))?,
                    None => stored.remove(key)?,
                };
            }
            let mut stored = transaction.open_table(COUNTERS)?;
            stored.insert((&**instance, name), *counters)?;
        }
        Record::Table {
            instance,
            name,
            saved,
            fresh,
        } => {
            let key = (&**instance, &**name);
            let mut tables = transaction.open_table(TABLES)?;
            match saved {
                Some(saved) => tables.insert(key, &**saved)?,
                None => tables.remove(key)?,
            };
            if *fresh || saved.is_none() {
                transaction.open_table(COUNTERS)?.remove(key)?;
                let after = format!("{name}\0");
                let rows = (&**instance, &**name, EMPTY)..(&**instance, &*after, EMPTY);
                transaction
                    .open_table(ROWS)?
                    .retain_in(rows, |_, _| false)?;
            }
        }
        Record::Clear { instance } => {
            // No name has a zero byte, so this is what comes right behind the instance.
            let after = format!("{instance}\0");
            let tables = (&**instance, "")..(&*after, "");
            transaction
                .open_table(TABLES)?
                .retain_in(tables.clone(), |_, _| false)?;
            transaction
                .open_table(COUNTERS)?
                .retain_in(tables, |_, _| false)?;
            let rows = (&**instance, "", EMPTY)..(&*after, "", EMPTY);
            transaction
                .open_table(ROWS)?
                .retain_in(rows, |_, _| false)?;
        }
    }
    Ok(())
}

/// A key as it names a row in the file. Each value says where it ends, so no two keys are the same.
fn key_bytes(key: &[PrimaryKeyValue]) -> Vec<u8> {
    let values = key.iter();
    values
        .flat_map(|value| VariantRef::from(value.as_ref()).encode())
        .collect()
}

const EMPTY: &[u8] = &[];
