//! Chance, drawn from one seed: the same requests in the same order meet the same of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where whatever is random about an emulator's answers comes from.
#[derive(Debug)]
pub(crate) struct Random {
    seed: u64,
    generator: Mutex<fastrand::Rng>,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            generator: Mutex::new(fastrand::Rng::with_seed(seed)),
        }
    }

    pub(crate) fn u64(&self) -> u64 {
        self.generator().u64(..)
    }

    pub(crate) fn u128(&self) -> u128 {
        self.generator().u128(..)
    }

    /// Begins again.
    pub(crate) fn reset(&self) {
        *self.generator() = fastrand::Rng::with_seed(self.seed);
    }

    fn generator(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.generator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
