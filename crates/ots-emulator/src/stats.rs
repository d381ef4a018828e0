//! Counts of what was asked, operation by operation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use ots_proto::messages::ConsumedCapacity;
use ots_proto::operation;
use serde::Serialize;

/// Counters of all operations, in the order of [`operation::ALL`].
#[derive(Debug)]
pub(crate) struct Stats(Vec<Counters>);

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    refused: AtomicU64,
    response_bytes: AtomicU64,
    read_units: AtomicU64,
    write_units: AtomicU64,
}

/// What has come of one operation's requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OperationStats {
    /// Requests, whatever came of them.
    pub requests: u64,
    /// Those that were refused, by the emulator or by a fault.
    pub refused: u64,
    /// Bytes of all answers' bodies.
    pub response_bytes: u64,
    /// Read capacity units that the answers named.
    pub read_units: u64,
    /// Write capacity units that the answers named.
    pub write_units: u64,
}

/// Capacity units of a request with all its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnitSums {
    pub(crate) read: u64,
    pub(crate) write: u64,
}

impl UnitSums {
    pub(crate) fn add(&mut self, consumed: &ConsumedCapacity) {
        let unit = &consumed.capacity_unit;
        let count = |units: Option<i32>| units.and_then(|units| u64::try_from(units).ok());
        self.read += count(unit.read).unwrap_or(0);
        self.write += count(unit.write).unwrap_or(0);
    }
}

impl Stats {
    pub(crate) fn new() -> Self {
        let counters = operation::ALL.iter().map(|_| Counters::default());
        Self(counters.collect())
    }

    /// Counts an answer; one to an operation that doesn't exist is nobody's.
    pub(crate) fn count(
        &self,
        operation: &str,
        status: u16,
        response_bytes: usize,
        units: UnitSums,
    ) {
        let known = operation::ALL
            .iter()
            .position(|(name, _)| *name == operation);
        let Some(counters) = known.and_then(|index| self.0.get(index)) else {
            return;
        };
        counters.requests.fetch_add(1, Ordering::Relaxed);
        if status != 200 {
            counters.refused.fetch_add(1, Ordering::Relaxed);
        }
        let bytes = u64::try_from(response_bytes).unwrap_or(u64::MAX);
        counters.response_bytes.fetch_add(bytes, Ordering::Relaxed);
        counters.read_units.fetch_add(units.read, Ordering::Relaxed);
        counters
            .write_units
            .fetch_add(units.write, Ordering::Relaxed);
    }

    /// The operations that were asked for.
    pub(crate) fn list(&self) -> BTreeMap<&'static str, OperationStats> {
        let named = operation::ALL.iter().zip(&self.0);
        named
            .map(|((name, _), counters)| (*name, counters.read()))
            .filter(|(_, stats)| stats.requests > 0)
            .collect()
    }

    pub(crate) fn reset(&self) {
        for counters in &self.0 {
            counters.requests.store(0, Ordering::Relaxed);
            counters.refused.store(0, Ordering::Relaxed);
            counters.response_bytes.store(0, Ordering::Relaxed);
            counters.read_units.store(0, Ordering::Relaxed);
            counters.write_units.store(0, Ordering::Relaxed);
        }
    }
}

impl Counters {
    fn read(&self) -> OperationStats {
        OperationStats {
            requests: self.requests.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            response_bytes: self.response_bytes.load(Ordering::Relaxed),
            read_units: self.read_units.load(Ordering::Relaxed),
            write_units: self.write_units.load(Ordering::Relaxed),
        }
    }
}
