//! What every scan promises, held against what the service knows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ots_scan::{OnSessionLoss, ScanError, ScanErrorKind, ScanProgress};

use super::caller::Given;
use super::model::{Model, Table, Tokens};
use super::world::{View, World};

impl World {
    /// What every scan promises.
    pub(crate) fn check(&self, given: &Given, model: &Model) {
        let seen = model.seen();
        assert_eq!(seen.wrong, Vec::<String>::new());
        let snapshots = model.snapshots();
        let most = self.splits_size.min(self.concurrency) as usize;
        assert!(seen.max_in_flight <= most.min(self.limiter.unwrap_or(most)));
        self.check_requests(given, model);

        let progress = given.progress.as_ref().unwrap();
        let restarts = progress.generation;
        let max = match self.policy {
            OnSessionLoss::Restart { max } | OnSessionLoss::ExactlyOnce { max } => max,
            _ => 0,
        };
        assert!(restarts <= max);
        assert!(snapshots.len() <= 1 + restarts as usize + 1);

        // Rows come at most once from a session, and as that session saw them.
        for (rows, snapshot) in given.rows.iter().zip(&snapshots) {
            let distinct: BTreeMap<i64, i64> = rows.iter().copied().collect();
            assert_eq!(distinct.len(), rows.len(), "doubled");
            for (key, version) in distinct {
                assert_eq!(snapshot.get(&key), Some(&version), "changed on the way");
            }
        }
        match self.policy {
            OnSessionLoss::ExactlyOnce { .. } => self.check_exactly_once(given, &snapshots),
            _ => check_last(given, &snapshots, &seen.unseen),
        }
        self.check_counts(given, progress);
        let keys_bytes = self.keys_bytes.unwrap_or(usize::MAX) as u64;
        assert!(progress.keys_memory_bytes <= keys_bytes);
        match given.ended.as_ref() {
            Some(Err(error)) => self.check_error(error, given, model, max),
            Some(Ok(())) => assert!(progress.is_done()),
            None => self.check_given_up(given, model),
        }
    }

    /// Nothing doubled over all sessions; nothing of the last one missing.
    fn check_exactly_once(&self, given: &Given, snapshots: &[Table]) {
        let mut keys = BTreeSet::new();
        for (key, _) in given.rows.iter().flatten() {
            assert!(keys.insert(*key), "{key} was given twice");
        }
        if matches!(given.ended, Some(Ok(()))) {
            let last = snapshots.last().unwrap();
            for key in last.keys() {
                assert!(keys.contains(key), "{key} is missing");
            }
            for key in keys {
                let was = snapshots.iter().any(|snapshot| snapshot.contains_key(&key));
                assert!(was, "{key} never was");
            }
        }
    }

    /// Who gives up has a reason: a page that nobody looked at before, if nothing else.
    fn check_given_up(&self, given: &Given, model: &Model) {
        if given.unread.is_some() {
            assert!(model.seen().damaged > 0 && self.view != View::Rows);
            // Of rows that are to be given once the keys are read, and the checksums with them.
            let looks = matches!(self.policy, OnSessionLoss::ExactlyOnce { .. });
            assert!(!self.verify_pages && !looks);
        } else {
            assert!(self.caller.drops_after.is_some());
        }
    }

    /// The figures are exact, but for the rows of a page that is being read one by one.
    fn check_counts(&self, given: &Given, progress: &ScanProgress) {
        let rows = given.rows.iter().map(Vec::len).sum::<usize>() - given.before;
        let rows = rows + given.unread.unwrap_or_default();
        let counted = progress.rows() + progress.earlier_rows;
        if self.view == View::Rows && given.ended.is_none() {
            assert!(counted >= rows as u64);
        } else {
            assert_eq!(counted, rows as u64);
        }
        if let Some(Err(error)) = &given.ended {
            let of_error = error.progress().unwrap();
            assert_eq!(
                (of_error.rows(), of_error.earlier_rows),
                (progress.rows(), progress.earlier_rows)
            );
        }
    }

    /// An error has its reason in the world.
    fn check_error(&self, error: &ScanError, given: &Given, model: &Model, max: u32) {
        let seen = model.seen();
        let restarts = given.progress.as_ref().unwrap().generation;
        match error.kind() {
            ScanErrorKind::SessionExpired { .. } => {
                assert_eq!(restarts, max, "it could have begun anew");
                assert!(!seen.expired.is_empty());
                if self.keep_alive > Duration::ZERO {
                    assert_eq!(seen.grew_old, 0, "it should have been kept alive");
                }
            }
            ScanErrorKind::Call { .. } => assert!(seen.failed),
            ScanErrorKind::Row { .. } => assert!(seen.damaged > u64::from(self.refetches)),
            ScanErrorKind::Open => assert!(seen.refused_session),
            ScanErrorKind::TokenMoved { .. } => {
                assert_ne!(self.faults.tokens, Tokens::Places);
                // Also by a row that nobody waited for, before the service saw that it was asked for.
                let pinged = self.caller.pause_ms >= 20_000;
                let again = seen.resumed || pinged;
                let asked_again = self.faults.lost > 0 || seen.damaged > 0 || again;
                assert!(asked_again, "nothing was asked twice");
            }
            kind => panic!("{kind:?}: {error}"),
        }
        assert!(!(seen.refused_session && restarts >= max));
    }

    /// For every page: once, as often again as it was damaged or lost, and what that drew after it.
    fn check_requests(&self, given: &Given, model: &Model) {
        let seen = model.seen();
        let progress = given.progress.as_ref().unwrap();
        if self.faults.lost == 0 && self.faults.throttled == 0 {
            // All of those that came back are counted; others were given up.
            assert!(progress.requests <= seen.requests);
            assert_eq!(progress.retries, 0);
        }
        assert!(progress.kept_alive <= progress.requests);
        if self.keep_alive == Duration::ZERO {
            assert_eq!(progress.kept_alive, 0);
            assert!(seen.pings == 0 || seen.resumed);
        }
        if self.faults.damaged == 0 {
            assert_eq!(progress.refetched, 0);
        }
        // A page has at least one row, or is empty for no reason, and each split has a last one; another
        // of each split may be on its way when a session is lost, and two when the caller is.
        let splits = u64::from(self.splits_size.min(self.concurrency));
        let snapshots = model.snapshots();
        let rows: usize = snapshots.iter().map(BTreeMap::len).sum();
        let resumed = u64::from(self.caller.resumes_after.is_some());
        let once = rows as u64 + (snapshots.len() as u64 + resumed) * 2 * splits;
        // What comes damaged is asked for again, and so may be what it led to.
        let again = seen.empty + seen.lost + 2 * seen.damaged;
        let pages = seen.requests - seen.pings;
        assert!(pages <= once + again, "{pages} pages, {once} and {again}");
        // Each split, three times in the life of the session.
        let every = self.told_alive.unwrap_or(self.alive) / 3;
        let every = every.max(Duration::from_millis(100));
        let times = given.elapsed.div_duration_f64(every).ceil();
        let kept_alive = splits as f64 * (times + 1.0);
        // A row of each split comes first where a scan goes on, unless a page comes without.
        let first = resumed * (splits + seen.empty + seen.damaged);
        let pings = seen.pings - seen.lost.min(seen.pings);
        assert!(
            pings as f64 <= kept_alive + first as f64,
            "{pings} in {:?}",
            given.elapsed
        );
    }
}

/// What the last session gave: nothing else, and all of it when the scan ended well, but for what
/// nobody can see.
fn check_last(given: &Given, snapshots: &[Table], unseen: &BTreeSet<i64>) {
    if matches!(given.ended, Some(Ok(()))) {
        let last = given.rows.get(snapshots.len() - 1);
        let rows: Table = last.into_iter().flatten().copied().collect();
        let mut all = snapshots.last().unwrap().clone();
        all.retain(|key, _| rows.contains_key(key) || !unseen.contains(key));
        assert_eq!(rows, all, "not the table");
    }
}
