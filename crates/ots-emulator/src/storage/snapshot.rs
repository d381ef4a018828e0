//! Snapshots: a data directory written at once, and read without being opened for good.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::claim::Claim;
use super::file::name_it;
use super::{DataFile, FILE_NAME, Instances, StorageError, load, saved};
use crate::database::{Database, lock};

/// Writes instances into a directory that has none yet. The file gets its name when it is whole.
pub(crate) fn write_snapshot(
    directory: &Path,
    instances: &[(String, Arc<Mutex<Database>>)],
) -> Result<(), StorageError> {
    let failed = |error| StorageError::new("written as a snapshot", directory, error);
    std::fs::create_dir_all(directory).map_err(failed)?;
    let _claim = Claim::of(directory, "written as a snapshot")?;
    let path = directory.join(FILE_NAME);
    if path.exists() {
        let error = std::io::Error::other("it holds data already");
        return Err(failed(error));
    }
    let temporary = directory.join(TEMPORARY_NAME);
    let file = DataFile::create(&temporary)?;
    for (name, database) in instances {
        // Pointers are taken under the lock; the rows are written without it.
        let records: Vec<_> = {
            let database = lock(database);
            let tables = database.tables.values();
            tables
                .flat_map(|table| saved::whole_table(name, table))
                .collect()
        };
        file.commit(records.iter())?;
    }
    drop(file);
    name_it(&temporary, &path).map_err(failed)
}

/// What a snapshot holds, by its directory or its file.
pub(crate) fn read_snapshot(path: &Path) -> Result<Instances, StorageError> {
    let in_directory = path.join(FILE_NAME);
    let file = if path.is_dir() { &in_directory } else { path };
    if !file.exists() {
        let cause = "there is no snapshot";
        return Err(StorageError::new("read", file, cause));
    }
    load(&DataFile::open_untouched(file)?)
}

const TEMPORARY_NAME: &str = "tablestore.redb.tmp";
