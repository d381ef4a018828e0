//! The emulator: what all its instances share.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::access_key::{AccessKey, AccessKeys};
use crate::clock::{Clock, SystemClock};
use crate::database::{Database, lock};
use crate::fault::Faults;
use crate::random::Random;
use crate::server::ExposedKeysError;
use crate::settings::Settings;
use crate::stats::{OperationStats, Stats};
use crate::storage::{self, Instances, Journal, StorageError, Store};

/// Tablestore in this process. Cheap to clone; all clones share their data.
///
/// An instance comes into being, empty, when a request first names it. Nothing is written to disk
/// unless it was [opened](EmulatorBuilder::open) on a data directory.
#[derive(Clone, Debug)]
pub struct Emulator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    clock: Arc<dyn Clock>,
    access_keys: AccessKeys,
    databases: Mutex<HashMap<String, Arc<Mutex<Database>>>>,
    requests: AtomicU64,
    /// How far the emulator's time is ahead of its clock.
    advanced_ms: AtomicI64,
    /// The splits and the milliseconds that indexes are behind, as they are now: faults change them.
    splits: AtomicU32,
    index_delay_ms: AtomicU64,
    faults: Faults,
    random: Random,
    stats: Stats,
    /// Where data outlives the process.
    store: Option<Store>,
}

/// Settings of an [`Emulator`] to be.
#[derive(Debug)]
#[must_use]
pub struct EmulatorBuilder {
    settings: Settings,
    clock: Arc<dyn Clock>,
    access_keys: AccessKeys,
    seed: Option<u64>,
}

impl Emulator {
    /// The id of the built-in access key.
    pub const ACCESS_KEY_ID: &str = "ots-local";
    /// The secret of the built-in access key. Whoever reads this knows it: see
    /// [`check_exposure`](Self::check_exposure).
    pub const ACCESS_KEY_SECRET: &str = "ots-local-secret";

    /// An emulator with the service's own limits, the computer's clock and the built-in access key.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder {
            settings: Settings::default(),
            clock: Arc::new(SystemClock),
            access_keys: AccessKeys::one(Self::ACCESS_KEY_ID, Self::ACCESS_KEY_SECRET),
            seed: None,
        }
    }

    /// The rules by which requests go wrong: none at first.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Moves the emulator's time ahead of its clock, whatever clock that is: sessions expire, cells
    /// outlive their time, in no time at all. The dates in headers stay true: they are what clients
    /// hold against their own clocks.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let advanced = &self.0.advanced_ms;
        let mut now = advanced.load(Ordering::SeqCst);
        while let Err(other) = advanced.compare_exchange(
            now,
            now.saturating_add(by_ms),
            Ordering::SeqCst,
            Ordering::SeqCst,
        ) {
            now = other;
        }
    }

    /// The emulator's time, in milliseconds since 1970: that of its clock, and what it was
    /// [advanced](Self::advance) by.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.0.clock.now_ms().saturating_add(self.advanced_ms())
    }

    /// What was asked so far, by the names of the operations.
    #[must_use]
    pub fn operation_stats(&self) -> BTreeMap<&'static str, OperationStats> {
        self.0.stats.list()
    }

    /// Whether there are no tables in any instance.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let mut instances = self.instances().into_iter();
        instances.all(|(_, database)| lock(&database).tables.is_empty())
    }

    /// Ends all sessions of parallel scans, in all instances, as if their time had come: whoever goes
    /// on with one is told 400 `OTSSessionExpired`. Gives how many there were.
    pub fn expire_sessions(&self) -> usize {
        let instances = self.instances().into_iter();
        let ended = instances.map(|(_, database)| lock(&database).sessions.close_all());
        // Dropped here, without the lock: a session may hold a snapshot of millions of rows.
        ended.map(|sessions| sessions.len()).sum()
    }

    /// Back to the beginning: no data in any instance, no faults, no counts, the time that of the
    /// clock. Requests under way may find their table gone.
    ///
    /// # Errors
    /// When there is a data directory and it can't be written; the data in memory is gone then.
    pub fn reset(&self) -> Result<(), StorageError> {
        self.faults().clear();
        self.replace_data(Instances::new())?;
        self.0.random.reset();
        self.0.stats.reset();
        self.0.advanced_ms.store(0, Ordering::SeqCst);
        self.set_splits(self.settings().splits);
        self.set_index_delay(self.settings().index_delay);
        Ok(())
    }

    /// Writes all data into a directory, which is then a data directory like any other: open an
    /// emulator on it, or bring one [back](Self::restore) to it. Each instance is kept as it is at
    /// one moment, and requests go on meanwhile.
    ///
    /// # Errors
    /// When the directory holds data already, or can't be written.
    pub fn snapshot(&self, directory: impl AsRef<Path>) -> Result<(), StorageError> {
        storage::write_snapshot(directory.as_ref(), &self.instances())
    }

    /// Replaces all data by what a snapshot holds, and ends all sessions. The path is the directory
    /// that [`snapshot`](Self::snapshot) wrote, or the file in it; a data directory that no emulator
    /// has open will do. It stays as it is, byte for byte.
    ///
    /// # Errors
    /// When there is no snapshot, it is in use, it was not written by an emulator or by a later one,
    /// or it is damaged: nothing has changed then. When there is a data directory and it can't be
    /// written.
    pub fn restore(&self, path: impl AsRef<Path>) -> Result<(), StorageError> {
        self.replace_data(storage::read_snapshot(path.as_ref())?)
    }

    /// Whether it may listen on `address`: with the built-in access key, which everyone knows, on
    /// the loopback only.
    ///
    /// # Errors
    /// When the address can be reached from other computers and the built-in key opens the door.
    pub fn check_exposure(&self, address: IpAddr) -> Result<(), ExposedKeysError> {
        let well_known = self
            .0
            .access_keys
            .contains(Self::ACCESS_KEY_ID, Self::ACCESS_KEY_SECRET);
        if well_known && !address.to_canonical().is_loopback() {
            Err(ExposedKeysError::new(address))
        } else {
            Ok(())
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The settings with what has changed since the beginning.
    pub(crate) fn settings_now(&self) -> Settings {
        let mut settings = self.settings().clone();
        settings.splits = self.0.splits.load(Ordering::SeqCst);
        let index_delay_ms = self.0.index_delay_ms.load(Ordering::SeqCst);
        settings.index_delay = Duration::from_millis(index_delay_ms);
        settings
    }

    pub(crate) fn set_splits(&self, splits: u32) {
        self.0.splits.store(splits, Ordering::SeqCst);
    }

    pub(crate) fn random(&self) -> &Random {
        &self.0.random
    }

    pub(crate) fn set_index_delay(&self, delay: Duration) {
        let delay_ms = &self.0.index_delay_ms;
        let before_ms = delay_ms.load(Ordering::SeqCst);
        if before_ms == milliseconds(delay) {
            return;
        }
        let (now_ms, before) = (self.now_ms(), Duration::from_millis(before_ms));
        for (_, database) in self.instances() {
            for table in lock(&database).tables.values_mut() {
                table.recent.forget(now_ms, before);
            }
        }
        delay_ms.store(milliseconds(delay), Ordering::SeqCst);
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.0.stats
    }

    pub(crate) fn advanced_ms(&self) -> i64 {
        self.0.advanced_ms.load(Ordering::SeqCst)
    }

    /// Where changes of an instance are kept.
    pub(crate) fn journal<'a>(&'a self, instance: &'a str) -> Journal<'a> {
        match &self.0.store {
            Some(store) => Journal::new(store, instance),
            None => Journal::none(),
        }
    }

    /// Why nothing can be written any more, if so.
    pub(crate) fn storage_failure(&self) -> Option<&StorageError> {
        self.0.store.as_ref()?.failure()
    }

    /// Where a snapshot of this name lies, if there is a data directory to keep it in.
    pub(crate) fn snapshot_directory(&self, name: &str) -> Option<PathBuf> {
        let store = self.0.store.as_ref()?;
        Some(store.directory().join("snapshots").join(name))
    }

    /// All instances that were named so far, by name.
    pub(crate) fn instances(&self) -> Vec<(String, Arc<Mutex<Database>>)> {
        let databases = self.databases();
        let named = databases.iter();
        let mut instances: Vec<_> = named
            .map(|(name, database)| (name.clone(), Arc::clone(database)))
            .collect();
        instances.sort_by(|(a, _), (b, _)| a.cmp(b));
        instances
    }

    /// Open sessions of all instances.
    pub(crate) fn sessions(&self) -> usize {
        let instances = self.instances().into_iter();
        instances
            .map(|(_, database)| lock(&database).sessions.len())
            .sum()
    }

    /// Puts other data in the place of all there is.
    fn replace_data(&self, mut new: Instances) -> Result<(), StorageError> {
        // Those that are to come exist from now on, empty.
        for name in new.keys() {
            drop(self.database(name));
        }
        for (name, database) in self.instances() {
            let new = new.remove(&name).unwrap_or_default();
            let (old, kept) = {
                let mut database = lock(&database);
                let old = std::mem::replace(&mut *database, new);
                let mut changes = self.journal(&name).begin();
                changes.clear();
                for table in database.tables.values() {
                    changes.whole_table(table);
                }
                (old, changes.send())
            };
            drop(old);
            kept.on_disk()?;
        }
        Ok(())
    }

    fn databases(&self) -> MutexGuard<'_, HashMap<String, Arc<Mutex<Database>>>> {
        let databases = &self.0.databases;
        databases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn access_keys(&self) -> &AccessKeys {
        &self.0.access_keys
    }

    /// The data of an instance, created when first asked for.
    pub(crate) fn database(&self, instance: &str) -> Arc<Mutex<Database>> {
        let mut databases = self.databases();
        if let Some(database) = databases.get(instance) {
            return Arc::clone(database);
        }
        Arc::clone(databases.entry(instance.to_owned()).or_default())
    }

    /// A request id that looks like the service's: the time in microseconds, then a number that is
    /// never given twice.
    pub(crate) fn request_id(&self, now_us: i64) -> String {
        let time = now_us.cast_unsigned();
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            time >> 32,
            time >> 16 & 0xffff,
            time & 0xffff,
            number >> 48,
            number & 0xffff_ffff_ffff,
        )
    }
}

impl Default for Emulator {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl EmulatorBuilder {
    /// The number of splits that ComputeSplits reports, 1 by default: sets [`Settings::splits`].
    pub fn splits(mut self, splits: u32) -> Self {
        self.settings.splits = splits;
        self
    }

    /// Limits and choices.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The clock that versions, time to live and sessions go by. Keep a clone of a
    /// [`ManualClock`](crate::ManualClock) to move it.
    pub fn clock(mut self, clock: Arc<impl Clock + 'static>) -> Self {
        self.clock = clock;
        self
    }

    /// The one access key that requests may be signed with, instead of the built-in one.
    pub fn credentials(mut self, id: &str, secret: &str) -> Self {
        self.access_keys = AccessKeys::one(id, secret);
        self
    }

    /// One more access key that requests may be signed with.
    pub fn also_credentials(mut self, id: &str, secret: &str) -> Self {
        self.access_keys.add(AccessKey::new(id, secret));
        self
    }

    /// The access keys that requests may be signed with, instead of the built-in one. Without any,
    /// every request is refused.
    pub fn access_keys(mut self, keys: impl IntoIterator<Item = AccessKey>) -> Self {
        self.access_keys = keys.into_iter().collect();
        self
    }

    /// What all that is random is drawn from: faults that come by chance, ids of requests and sessions,
    /// scores by chance. The same seed and the same requests in the same order meet the same; without one,
    /// each emulator has its own.
    ///
    /// On a data directory only the faults are drawn from it: a session that ended with the process
    /// must not come back because another one was given the same id.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The emulator, in memory, without any data.
    #[must_use]
    pub fn build(self) -> Emulator {
        self.with_data(None, Instances::new())
    }

    /// The emulator on a data directory, created if need be, with the data it holds. A change is
    /// acknowledged when it is on disk; whatever happens to the process, it is there afterwards.
    ///
    /// All data is in memory, too: opening reads it all.
    ///
    /// # Errors
    /// When the directory can't be created, read or written, when another emulator has it open, and
    /// when it was written by a later version.
    pub fn open(self, directory: impl AsRef<Path>) -> Result<Emulator, StorageError> {
        let (store, instances) = Store::open(directory.as_ref())?;
        Ok(self.with_data(Some(store), instances))
    }

    fn with_data(self, store: Option<Store>, instances: Instances) -> Emulator {
        // Two emulators must not give out the same request ids, unless they are meant to.
        let own = RandomState::new().hash_one(0);
        let seed = self.seed.unwrap_or(own);
        let ids = if store.is_some() { own } else { seed };
        let databases = instances.into_iter();
        let databases = databases.map(|(name, database)| (name, Arc::new(Mutex::new(database))));
        Emulator(Arc::new(Inner {
            clock: self.clock,
            access_keys: self.access_keys,
            databases: Mutex::new(databases.collect()),
            requests: AtomicU64::new(ids),
            advanced_ms: AtomicI64::new(0),
            splits: AtomicU32::new(self.settings.splits),
            index_delay_ms: AtomicU64::new(milliseconds(self.settings.index_delay)),
            faults: Faults::new(seed),
            random: Random::new(ids),
            stats: Stats::new(),
            store,
            settings: self.settings,
        }))
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
