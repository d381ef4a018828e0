//! The file of a data directory: what lies in it, and how it changes.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ots_proto::PrimaryKeyValue;
use ots_proto::plainbuffer::VariantRef;
use redb::backends::FileBackend;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
    TableError, WriteTransaction,
};

use super::StorageError;
use super::claim::InUse;
use super::saved;
use super::untouched::Untouched;
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
    /// Opens the file, created if need be. Nobody else may do so at the same time: see [`Claim`].
    ///
    /// [`Claim`]: super::claim::Claim
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        // An empty one holds nothing that could be lost.
        if !std::fs::metadata(path).is_ok_and(|found| found.len() > 0) {
            // It gets its name when it is whole: what a crash leaves of a new file can't be opened.
            let temporary = path.with_extension("redb.tmp");
            drop(Self::create(&temporary)?);
            name_it(&temporary, path).map_err(|error| StorageError::new("created", path, error))?;
        }
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(path);
        Self::with(path, || Ok(FileBackend::new(file?)?))
    }

    /// Makes a new file, in place of what an interrupted attempt has left.
    pub(crate) fn create(path: &Path) -> Result<Self, StorageError> {
        let failed = |error| StorageError::new("created", path, error);
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path);
        let created = file.map_err(Failure::from).and_then(|file| {
            let database = Database::builder().create_with_backend(FileBackend::new(file)?)?;
            create_tables(&database)?;
            Ok(database)
        });
        Self::of(path, created)
    }

    /// Opens a file that stays as it is; changes are lost.
    pub(crate) fn open_untouched(path: &Path) -> Result<Self, StorageError> {
        Self::with(path, || Ok(Untouched::new(std::fs::File::open(path)?)?))
    }

    fn with<B: StorageBackend>(
        path: &Path,
        open: impl FnOnce() -> Result<B, Failure>,
    ) -> Result<Self, StorageError> {
        let opened = open().and_then(|backend| {
            if backend.len()? == 0 {
                return Err("it is empty".into());
            }
            // Without the check a damaged file might be believed, or end in a panic.
            let database = Database::builder()
                .set_check_integrity_on_open(true)
                .create_with_backend(backend)
                .map_err(explain)?;
            check_format(&database)?;
            Ok(database)
        });
        Self::of(path, opened)
    }

    fn of(path: &Path, opened: Result<Database, Failure>) -> Result<Self, StorageError> {
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

/// Gives a file its name, in place of what has that name.
pub(crate) fn name_it(temporary: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::rename(temporary, path)?;
    // The name is on disk when the directory is; where directories can't be opened, so be it.
    if let Some(directory) = path.parent()
        && let Ok(directory) = std::fs::File::open(directory)
    {
        drop(directory.sync_all());
    }
    Ok(())
}

/// Says in our words what may well happen; the rest is for redb to say.
fn explain(error: DatabaseError) -> Failure {
    match error {
        DatabaseError::DatabaseAlreadyOpen => InUse.into(),
        DatabaseError::Storage(redb::StorageError::Corrupted(found)) => {
            format!("it is damaged: {found}").into()
        }
        DatabaseError::Storage(redb::StorageError::Io(error))
            if error.kind() == ErrorKind::InvalidData =>
        {
            "it was not written by an emulator".into()
        }
        other => other.into(),
    }
}

/// All tables are there from the beginning, so that readers find them.
fn create_tables(database: &Database) -> Result<(), Failure> {
    let transaction = database.begin_write()?;
    transaction.open_table(ROWS)?;
    transaction.open_table(TABLES)?;
    transaction.open_table(COUNTERS)?;
    transaction.open_table(FORMAT)?.insert("", FORMAT_VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// Refuses the file of another program, and one of another version.
fn check_format(database: &Database) -> Result<(), Failure> {
    let transaction = database.begin_read()?;
    let found = match transaction.open_table(FORMAT) {
        Ok(format) => format.get("")?.map(|version| version.value()),
        Err(TableError::Storage(error)) => return Err(error.into()),
        // It isn't there, or is something else.
        Err(_) => None,
    };
    match found {
        Some(FORMAT_VERSION) => Ok(()),
        Some(other) => {
            let text = format!(
                "its layout has version {other}, and this emulator knows {FORMAT_VERSION} only"
            );
            Err(text.into())
        }
        None => Err("it was not written by an emulator".into()),
    }
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
