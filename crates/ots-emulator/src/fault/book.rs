//! The rules in force, and which of them is due.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::{Facts, FaultAction, FaultRule};
use crate::stats::UnitSums;

/// The fault rules of an emulator; see [`Emulator::faults`](crate::Emulator::faults).
///
/// They may be changed at any time, from any thread; the next request meets the new ones.
#[derive(Debug)]
pub struct Faults {
    /// Whether there are rules: without any, requests don't wait for the lock.
    any: AtomicBool,
    book: Mutex<Book>,
}

/// A rule in force, and what has come of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FaultStatus {
    /// What [`Faults::add`] returned.
    pub id: u64,
    /// The rule.
    pub rule: FaultRule,
    /// Requests that fitted, whether or not the rule was due.
    pub seen: u64,
    /// Requests that met the fault.
    pub met: u64,
}

/// What happens to a request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decision {
    pub(crate) action: Option<FaultAction>,
    /// The rules that count what the request costs.
    pub(crate) meters: Vec<u64>,
}

#[derive(Debug)]
struct Book {
    rules: Vec<Entry>,
    next_id: u64,
    seed: u64,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Entry {
    status: FaultStatus,
    meter: Meter,
}

/// The capacity units of one second.
#[derive(Debug, Default)]
struct Meter {
    second: i64,
    used: UnitSums,
}

impl Meter {
    /// What was used in this second so far.
    fn used(&mut self, now_ms: i64) -> &mut UnitSums {
        let second = now_ms.div_euclid(1000);
        if self.second != second {
            *self = Self {
                second,
                used: UnitSums::default(),
            };
        }
        &mut self.used
    }
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        let book = Book {
            rules: Vec::new(),
            next_id: 1,
            seed,
            random: fastrand::Rng::with_seed(seed),
        };
        Self {
            any: AtomicBool::new(false),
            book: Mutex::new(book),
        }
    }

    /// Adds a rule behind the others, and gives it an id.
    pub fn add(&self, rule: FaultRule) -> u64 {
        let mut book = self.book();
        let id = book.next_id;
        book.next_id += 1;
        book.rules.push(Entry {
            status: FaultStatus {
                id,
                rule,
                seen: 0,
                met: 0,
            },
            meter: Meter::default(),
        });
        self.any.store(true, Ordering::Release);
        id
    }

    /// Removes a rule. Whether it was there.
    pub fn remove(&self, id: u64) -> bool {
        let mut book = self.book();
        let before = book.rules.len();
        book.rules.retain(|entry| entry.status.id != id);
        book.rules.len() < before
    }

    /// Removes all rules, and begins the sequence of the seed anew.
    pub fn clear(&self) {
        let mut book = self.book();
        book.rules.clear();
        book.random = fastrand::Rng::with_seed(book.seed);
        self.any.store(false, Ordering::Release);
    }

    /// The rules in force, in the order they are asked.
    #[must_use]
    pub fn list(&self) -> Vec<FaultStatus> {
        let book = self.book();
        book.rules
            .iter()
            .map(|entry| entry.status.clone())
            .collect()
    }

    /// What happens to a request; `facts` is asked only if there are rules.
    pub(crate) fn decide(&self, now_ms: i64, facts: impl FnOnce() -> Facts) -> Decision {
        if !self.any.load(Ordering::Acquire) {
            return Decision::default();
        }
        // Before the lock: the body is read for them.
        let facts = facts();
        self.book().decide(now_ms, &facts)
    }

    /// Counts what a request has cost on the meters of its decision.
    pub(crate) fn charge(&self, meters: &[u64], now_ms: i64, units: UnitSums) {
        if meters.is_empty() {
            return;
        }
        let mut book = self.book();
        let entries = book.rules.iter_mut();
        for entry in entries.filter(|entry| meters.contains(&entry.status.id)) {
            let used = entry.meter.used(now_ms);
            used.read += units.read;
            used.write += units.write;
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn decide(&mut self, now_ms: i64, facts: &Facts) -> Decision {
        let Self { rules, random, .. } = self;
        let mut meters = Vec::new();
        let due = rules
            .iter_mut()
            .filter(|entry| facts.fit(&entry.status.rule.matches))
            .find_map(|Entry { status, meter }| {
                let FaultRule {
                    matches,
                    times,
                    action,
                } = &status.rule;
                if let FaultAction::LimitUnits { read, write } = action {
                    let used = *meter.used(now_ms);
                    let (limit, used) = if facts.only_reads() {
                        (read, used.read)
                    } else {
                        (write, used.write)
                    };
                    let limit = (*limit)?;
                    if used < limit {
                        status.seen += 1;
                        meters.push(status.id);
                        return None;
                    }
                }
                status.seen += 1;
                // The draw comes last: a rule that isn't due leaves the sequence alone.
                let is_due = times.is_none_or(|times| status.met < u64::from(times))
                    && matches.nth.is_none_or(|nth| nth == status.seen)
                    && matches
                        .probability
                        .is_none_or(|probability| random.f64() < probability);
                is_due.then_some(status)
            });
        let action = due.map(|status| {
            status.met += 1;
            status.rule.action.clone()
        });
        Decision { action, meters }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn ask(faults: &Faults, operation: &str) -> Option<FaultAction> {
        faults
            .decide(0, || Facts::of(operation, &Bytes::new()))
            .action
    }

    #[test]
    fn the_first_rule_that_is_due_decides() {
        let faults = Faults::new(0);
        faults.add(FaultRule::new(FaultAction::BadMd5).nth(2));
        faults.add(FaultRule::new(FaultAction::Throttle).operation("GetRow"));
        assert_eq!(ask(&faults, "GetRow"), Some(FaultAction::Throttle));
        assert_eq!(ask(&faults, "GetRow"), Some(FaultAction::BadMd5));
        assert_eq!(ask(&faults, "PutRow"), None);
        let counts: Vec<_> = faults
            .list()
            .iter()
            .map(|rule| (rule.seen, rule.met))
            .collect();
        assert_eq!(counts, [(3, 1), (1, 1)]);
    }

    #[test]
    fn a_rule_ends_after_its_times_and_can_be_removed() {
        let faults = Faults::new(0);
        let id = faults.add(FaultRule::new(FaultAction::DropAfter).times(2));
        let met: Vec<_> = (0..3).map(|_| ask(&faults, "GetRow").is_some()).collect();
        assert_eq!(met, [true, true, false]);
        assert!(faults.remove(id));
        assert!(!faults.remove(id));
        assert_eq!(faults.list(), []);
    }

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        let draw = |seed| {
            let faults = Faults::new(seed);
            faults.add(FaultRule::new(FaultAction::DropBefore).probability(0.5));
            (0..64)
                .map(|_| ask(&faults, "GetRow").is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let met = draw(7).iter().filter(|met| **met).count();
        assert!((16..48).contains(&met), "{met} of 64 at one half");
    }

    #[test]
    fn units_are_limited_second_by_second_for_reads_and_writes_apart() {
        let faults = Faults::new(0);
        let read = Some(10);
        faults.add(FaultRule::new(FaultAction::LimitUnits {
            read,
            write: None,
        }));
        let ask = |operation, now_ms| {
            let decision = faults.decide(now_ms, || Facts::of(operation, &Bytes::new()));
            let units = UnitSums { read: 6, write: 6 };
            if decision.action.is_none() {
                faults.charge(&decision.meters, now_ms, units);
            }
            decision.action.is_some()
        };
        let refused = [
            ask("GetRow", 5_000),
            ask("GetRow", 5_100),
            ask("GetRow", 5_999),
            ask("PutRow", 5_999),
            ask("GetRow", 6_000),
            // A clock that goes back, as after a reset, begins another second, too.
            ask("GetRow", 1_000),
        ];
        assert_eq!(refused, [false, false, true, false, false, false]);
        let status = &faults.list()[0];
        assert_eq!((status.seen, status.met), (5, 1));
    }
}
