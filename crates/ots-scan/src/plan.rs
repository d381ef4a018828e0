//! The decisions of a scan: what to ask next, what has arrived, what is done.

mod page;
mod split;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

pub use self::page::{Arrival, Ask, Before, Handed, Next, NotAdvancing, Position};
use self::split::{Counts, SplitPlan};
use crate::progress::{ScanProgress, SplitState};
use crate::split::Split;

/// What a scan has asked, what came, what was handed over, and so what to do next. It does nothing
/// itself: whoever holds it asks the service, and tells it the answers.
///
/// ```
/// use std::num::NonZeroU32;
/// use ots_scan::{Arrival, Next, ScanPlan};
///
/// let eight = NonZeroU32::new(8).unwrap();
/// let mut plan = ScanPlan::new(NonZeroU32::MIN, eight);
/// let ask = plan.next_ask().expect("the first page of the only split");
/// assert!(ask.token().is_none());
///
/// // An empty page with a token is a page like any other.
/// let page = Arrival::new(0, 12, Some("more".into()));
/// let Next::Ask(ask) = plan.absorb(ask, page)? else { panic!("the split goes on") };
/// assert_eq!(ask.token().map(|token| &token[..]), Some(&b"more"[..]));
///
/// // No token, and only that, ends the split.
/// assert!(matches!(plan.absorb(ask, Arrival::new(3, 96, None))?, Next::SplitDone));
/// assert!(plan.is_done());
/// # Ok::<(), ots_scan::NotAdvancing>(())
/// ```
///
/// Of each split at most one page is asked for at a time, because only a page says where the next
/// one begins. An [`Ask`] is a value that is given out once and taken back by
/// [`absorb`](Self::absorb), so a page can't be counted twice.
///
/// A scan may begin anew in another session, with [`restart`](Self::restart). Every session is a
/// *generation*, counted from 0. What was asked in an earlier one is no longer taken: the splits of
/// two sessions are other splits, even under the same number.
#[derive(Debug)]
#[must_use]
pub struct ScanPlan {
    generation: u32,
    /// By id.
    splits: Vec<SplitPlan>,
    /// Those before it have been given a worker.
    next: usize,
    failed: bool,
    tally: Tally,
}

/// What is counted over all generations.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    requests: u64,
    retries: u64,
    throttled: u64,
    refetched: u64,
    kept_alive: u64,
    suppressed_rows: u64,
    earlier_rows: u64,
}
impl ScanPlan {
    /// The plan of a scan that keeps `concurrency` splits going, in a session that allows
    /// `splits_size`.
    ///
    /// The session is divided once, into the smaller of the two numbers. A client that takes all
    /// `splits_size` splits and works through them a few at a time leaves the others idle, and the
    /// service gives up a session by time: splits at the end of the queue would find it expired.
    /// With as many splits as may run, none ever waits for another to end.
    pub fn new(splits_size: NonZeroU32, concurrency: NonZeroU32) -> Self {
        let mut plan = Self::of([]);
        plan.splits = SplitPlan::all(splits_size, concurrency);
        plan
    }

    /// The plan of a scan of these splits only, each from a place in it.
    pub fn of(splits: impl IntoIterator<Item = (Split, Position)>) -> Self {
        let splits = splits.into_iter();
        let mut splits: Vec<_> = splits
            .map(|(split, position)| SplitPlan::new(split, position))
            .collect();
        splits.sort_by_key(|plan| plan.split);
        Self {
            generation: 0,
            splits,
            next: 0,
            failed: false,
            tally: Tally::default(),
        }
    }

    /// Begins anew in another session, which allows `splits_size`. Nothing of the earlier session is
    /// taken any more, and nothing of it is left to be asked.
    pub fn restart(&mut self, splits_size: NonZeroU32, concurrency: NonZeroU32) {
        self.tally.earlier_rows += self
            .splits
            .iter()
            .map(|split| split.taken.rows)
            .sum::<u64>();
        self.generation += 1;
        self.splits = SplitPlan::all(splits_size, concurrency);
        self.next = 0;
        self.failed = false;
    }

    /// Which session of the scan it is, from 0.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// How many splits the session is divided into, in every request.
    #[must_use]
    pub fn max_parallel(&self) -> u32 {
        self.splits.first().map_or(0, |plan| plan.split.of())
    }

    /// A split that nobody works on yet, to be given a worker: its first page. None when every split
    /// has one, or the scan has failed.
    pub fn next_ask(&mut self) -> Option<Ask> {
        if self.failed {
            return None;
        }
        let generation = self.generation;
        while let Some(split) = self.splits.get_mut(self.next) {
            self.next += 1;
            if split.state == SplitState::Pending {
                return Some(split.ask(generation));
            }
        }
        None
    }

    /// Says that the request for this page is being sent. False when it must not be, because the
    /// scan has failed meanwhile, or begun anew.
    #[must_use]
    pub fn begin(&mut self, ask: &Ask) -> bool {
        let failed = self.failed;
        let Some(split) = self.of_ask(ask.split, ask.generation).filter(|_| !failed) else {
            return false;
        };
        split.state = SplitState::InFlight;
        true
    }

    /// Where the split of this ask stands, for [`again`](Self::again).
    pub fn before(&mut self, ask: &Ask) -> Option<Before> {
        let split = self.of_ask(ask.split, ask.generation)?;
        Some(Before {
            split: ask.split,
            generation: ask.generation,
            reading: split.reading.clone(),
        })
    }

    /// Goes back to a place before a page that arrived damaged, and asks for it again. What came
    /// behind it is forgotten: its token was that page's. None when the scan has failed meanwhile, or
    /// begun anew.
    pub fn again(&mut self, before: Before) -> Option<Ask> {
        let (failed, generation) = (self.failed, self.generation);
        let split = self.of_ask(before.split, before.generation);
        let split = split.filter(|_| !failed)?;
        split.reading = before.reading;
        let ask = split.ask(generation);
        self.tally.refetched += 1;
        Some(ask)
    }

    /// Takes a page in, and says how its split goes on.
    ///
    /// # Errors
    /// When the service has given a thousand empty pages in a row that all said to go on where they
    /// began. The scan has failed then. One such page is no reason to stop: nothing says that a token
    /// must change when the service has looked at rows and found none that match.
    pub fn absorb(&mut self, ask: Ask, page: Arrival) -> Result<Next, NotAdvancing> {
        self.answered(page.attempts, page.throttled);
        let generation = self.generation;
        let Some(split) = self.of_ask(ask.split, ask.generation) else {
            return Ok(Next::SplitDone);
        };
        let token = page.token.filter(|token| !token.is_empty());
        let reading = &mut split.reading;
        reading.arrived.add(page.rows, page.bytes);
        let stands_still = page.rows == 0 && token.is_some() && token == ask.token;
        reading.standing_still = if stands_still {
            reading.standing_still + 1
        } else {
            0
        };
        let pages = reading.standing_still;
        reading.token = token;
        if reading.token.is_none() {
            split.state = SplitState::Done;
            return Ok(Next::SplitDone);
        }
        if pages >= MAX_STANDING_STILL {
            split.state = SplitState::Pending;
            self.failed = true;
            return Err(NotAdvancing {
                split: ask.split,
                pages,
                has_rows: false,
            });
        }
        Ok(Next::Ask(split.ask(generation)))
    }

    /// Says that a request for a page was refused, after `attempts`, of which the service throttled
    /// some. Whether the scan fails by it is another question.
    pub fn refused(&mut self, attempts: u32, throttled: u32) {
        self.answered(attempts, throttled);
    }

    /// Says that the scan has failed in this generation: nothing more is to be asked in it.
    pub fn fail(&mut self, generation: u32) {
        if generation != self.generation {
            return;
        }
        self.failed = true;
        for split in &mut self.splits {
            if split.state != SplitState::Done {
                split.state = SplitState::Pending;
            }
        }
    }

    /// Says that the session was kept alive by a request whose answer nobody needs.
    pub fn kept_alive(&mut self, attempts: u32, throttled: u32) {
        self.answered(attempts, throttled);
        self.tally.kept_alive += 1;
    }

    /// Requests for pages that came back.
    pub(crate) const fn pages(&self) -> u64 {
        self.tally.requests.saturating_sub(self.tally.kept_alive)
    }

    /// Says that a row was asked for whose page is asked for next.
    pub fn probed(&mut self, attempts: u32, throttled: u32) {
        self.answered(attempts, throttled);
    }

    /// Says that the caller was given a page. One of an earlier session says nothing any more: what was
    /// given in it is counted.
    pub fn hand_over(&mut self, page: Handed) {
        if let Some(split) = self.of_ask(page.split, page.generation) {
            split.taken.add(page.rows, page.bytes);
            split.position = page.position;
            self.tally.suppressed_rows += page.suppressed_rows;
        }
    }

    /// Where each split stands, behind what was handed over.
    pub fn positions(&self) -> impl Iterator<Item = (Split, &Position)> {
        self.splits.iter().map(|plan| (plan.split, &plan.position))
    }

    /// Whether the service has said of every split that there is no more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.splits
            .iter()
            .all(|split| split.state == SplitState::Done)
    }

    /// Whether the scan has failed: nothing more is to be asked.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        self.failed
    }

    /// How far the scan is.
    #[must_use]
    pub fn progress(&self) -> ScanProgress {
        let buffered = |count: fn(&Counts) -> u64| {
            let of = |split: &SplitPlan| {
                count(&split.reading.arrived).saturating_sub(count(&split.taken))
            };
            self.splits.iter().map(of).sum()
        };
        let tally = self.tally;
        ScanProgress {
            generation: self.generation,
            splits: self.splits.iter().map(SplitPlan::progress).collect(),
            requests: tally.requests,
            retries: tally.retries,
            throttled: tally.throttled,
            refetched: tally.refetched,
            kept_alive: tally.kept_alive,
            earlier_rows: tally.earlier_rows,
            earlier_rows_stand: false,
            suppressed_rows: tally.suppressed_rows,
            keys_memory_bytes: 0,
            keys_disk_bytes: 0,
            buffered_pages: buffered(|counts| counts.pages),
            buffered_bytes: buffered(|counts| counts.bytes),
            concurrency: 0,
            elapsed: std::time::Duration::ZERO,
        }
    }

    fn answered(&mut self, attempts: u32, throttled: u32) {
        // A request that was never sent has none.
        self.tally.requests += u64::from(attempts.min(1));
        self.tally.retries += u64::from(attempts.saturating_sub(1));
        self.tally.throttled += u64::from(throttled);
    }

    /// Nothing for a split of another plan, or of an earlier generation.
    fn of_ask(&mut self, split: Split, generation: u32) -> Option<&mut SplitPlan> {
        if generation != self.generation {
            return None;
        }
        let found = self.splits.binary_search_by_key(&split, |plan| plan.split);
        self.splits.get_mut(found.ok()?)
    }
}

/// Far above what a service needs that means well, and soon reached by one that is stuck.
pub(crate) const MAX_STANDING_STILL: u32 = 1_000;
