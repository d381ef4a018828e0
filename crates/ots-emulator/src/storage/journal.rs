//! Where an operation leaves its changes, and how it waits until they are on disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::file::Record;
use super::saved;
use super::{FILE_NAME, StorageError, Store};
use crate::database::{Database, Table};
use crate::error::ServiceError;
use crate::stored::RowKey;

/// The journal of one instance; of an emulator in memory it takes nothing and costs nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journal<'a>(Option<(&'a Store, &'a str)>);

/// Changes on their way to the disk.
#[derive(Debug)]
#[must_use = "a change may be acknowledged only when it is on disk"]
pub(crate) struct Kept(Option<Receiver<Result<(), Arc<StorageError>>>>);

/// Changes of one request, which are on disk together or not at all.
#[derive(Debug)]
pub(crate) struct Changes<'a> {
    journal: Journal<'a>,
    records: Vec<Record>,
}

impl<'a> Journal<'a> {
    /// That of an emulator in memory.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    pub(crate) const fn new(store: &'a Store, instance: &'a str) -> Self {
        Self(Some((store, instance)))
    }

    /// Begins a request's changes.
    pub(crate) const fn begin(self) -> Changes<'a> {
        Changes {
            journal: self,
            records: Vec::new(),
        }
    }

    /// The table's schema as it is now, or that it is gone. A `fresh` table has no rows yet, whatever
    /// an earlier one of its name left behind.
    pub(crate) fn table(self, database: &Database, name: &str, fresh: bool) -> Kept {
        let mut changes = self.begin();
        if let Some((_, instance)) = self.0 {
            changes.records.push(Record::Table {
                instance: instance.to_owned(),
                name: name.to_owned(),
                saved: database.tables.get(name).map(saved::table),
                fresh,
            });
        }
        changes.send()
    }
}

impl Changes<'_> {
    /// The rows under these keys as they are now.
    pub(crate) fn rows<'k>(&mut self, table: &Table, keys: impl Iterator<Item = &'k RowKey>) {
        let Some((_, instance)) = self.journal.0 else {
            return;
        };
        let rows: Vec<_> = keys
            .map(|key| (Arc::clone(key), table.rows.get(key).map(Arc::clone)))
            .collect();
        if rows.is_empty() {
            return;
        }
        self.records.push(Record::Rows {
            instance: instance.to_owned(),
            table: Arc::clone(&table.meta),
            rows,
            counters: (table.last_generated, table.last_version_ms),
        });
    }

    /// Everything: a table and all its rows, in place of what was there.
    pub(crate) fn whole_table(&mut self, table: &Table) {
        if let Some((_, instance)) = self.journal.0 {
            self.records.extend(saved::whole_table(instance, table));
        }
    }

    /// That the instance is empty.
    pub(crate) fn clear(&mut self) {
        if let Some((_, instance)) = self.journal.0 {
            let instance = instance.to_owned();
            self.records.push(Record::Clear { instance });
        }
    }

    /// Hands the changes over. Called while what they changed is still locked.
    pub(crate) fn send(self) -> Kept {
        match self.journal.0 {
            Some((store, _)) if !self.records.is_empty() => store.send(self.records),
            _ => Kept(None),
        }
    }
}

impl Kept {
    pub(super) const fn later(done: Receiver<Result<(), Arc<StorageError>>>) -> Self {
        Self(Some(done))
    }

    /// Waits until the changes are on disk. Called without any lock.
    pub(crate) fn wait(self) -> Result<(), ServiceError> {
        // The one 5xx the emulator has: the change may or may not have happened.
        self.on_disk().map_err(|error| {
            let message = format!("{}.", error.failure());
            ServiceError::new(500, "OTSInternalServerError", message)
        })
    }

    /// Like [`wait`](Self::wait), for those who aren't clients.
    pub(crate) fn on_disk(self) -> Result<(), StorageError> {
        let Some(done) = self.0 else {
            return Ok(());
        };
        match done.recv() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(StorageError::shared(error)),
            // Only a panic ends the thread before its store.
            Err(_) => Err(StorageError::new(
                "written",
                Path::new(FILE_NAME),
                "the thread that writes it is gone",
            )),
        }
    }
}
