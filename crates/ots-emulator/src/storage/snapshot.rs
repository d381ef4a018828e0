//! Snapshots: a data directory written at once, and read without being opened for good.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::{DataFile, FILE_NAME, Instances, StorageError, load, saved};
use crate::database::{Database, lock};

/// Writes instances into a directory that has none yet. The file gets its name when it is whole.
pub(crate) fn write_snapshot(
    directory: &Path,
    instances: &[(String, Arc<Mutex<Database>>)],
) -> Result<(), StorageError> {
    let failed = |error| StorageError::new("written as a snapshot", directory, error);
    std::fs::create_dir_all(directory).map_err(failed)?;
    let path = directory.join(FILE_NAME);
    if path.exists() {
        let error = std::io::Error::other("it holds data already");
        return Err(failed(error));
    }
    let temporary = directory.join(TEMPORARY_NAME);
    if temporary.exists() {
        std::fs::remove_file(&temporary).map_err(failed)?;
    }
    let file = DataFile::open(&temporary)?;
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
    std::fs::rename(&temporary, &path).map_err(failed)?;
    // The name is on disk when the directory is; where directories can't be opened, so be it.
    if let Ok(directory) = std::fs::File::open(directory) {
        drop(directory.sync_all());
    }
    Ok(())
}

/// What a snapshot holds.
pub(crate) fn read_snapshot(directory: &Path) -> Result<Instances, StorageError> {
    let path = directory.join(FILE_NAME);
    if !path.exists() {
        return Err(StorageError::new(
            "read",
            &path,
            "there is no snapshot in the directory",
        ));
    }
    load(&DataFile::open(&path)?)
}

const TEMPORARY_NAME: &str = "tablestore.redb.tmp";
