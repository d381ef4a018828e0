//! The emulator: what all its instances share.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::auth::AccessKeys;
use crate::clock::{Clock, SystemClock};
use crate::database::Database;
use crate::server::ExposedKeysError;
use crate::settings::Settings;

/// Tablestore in this process. Cheap to clone; all clones share their data.
///
/// An instance comes into being, empty, when a request first names it. Nothing is written to disk.
#[derive(Clone, Debug)]
pub struct Emulator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    clock: Arc<dyn Clock>,
    access_keys: AccessKeys,
    databases: Mutex<HashMap<String, Arc<Mutex<Database>>>>,
    requests: AtomicU64,
}

/// Settings of an [`Emulator`] to be.
#[derive(Debug)]
#[must_use]
pub struct EmulatorBuilder {
    settings: Settings,
    clock: Arc<dyn Clock>,
    access_keys: AccessKeys,
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
        }
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

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn access_keys(&self) -> &AccessKeys {
        &self.0.access_keys
    }

    /// The data of an instance, created when first asked for.
    pub(crate) fn database(&self, instance: &str) -> Arc<Mutex<Database>> {
        let mut databases = self
            .0
            .databases
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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

    /// The emulator, without any data.
    #[must_use]
    pub fn build(self) -> Emulator {
        // Two emulators must not give out the same request ids.
        let seed = RandomState::new().hash_one(0);
        Emulator(Arc::new(Inner {
            settings: self.settings,
            clock: self.clock,
            access_keys: self.access_keys,
            databases: Mutex::default(),
            requests: AtomicU64::new(seed),
        }))
    }
}
