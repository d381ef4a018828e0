//! The decisions of a scan: what to ask next, what has arrived, what is done.

use std::fmt;
use std::num::NonZeroU32;

use bytes::Bytes;

use crate::progress::{ScanProgress, SplitProgress, SplitState};
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

#[derive(Debug)]
struct SplitPlan {
    split: Split,
    state: SplitState,
    reading: Reading,
    taken: Counts,
    /// Behind the last page that was handed over.
    position: Position,
}

/// How far a split is read.
#[derive(Clone, Debug)]
struct Reading {
    /// Where the next page begins, or the one that is asked for.
    token: Option<Bytes>,
    arrived: Counts,
    /// Empty pages in a row that said: go on where you were.
    standing_still: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    pages: u64,
    rows: u64,
    bytes: u64,
}

/// The next page to ask for.
#[derive(Debug)]
#[must_use = "a split goes no further while its ask is open"]
pub struct Ask {
    split: Split,
    generation: u32,
    page: u64,
    token: Option<Bytes>,
}

/// Where a split stood before a page, to go back to when that page turns out to be damaged.
#[derive(Clone, Debug)]
#[must_use]
pub struct Before {
    split: Split,
    generation: u32,
    reading: Reading,
}

/// Between two pages of a split.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Position {
    /// Before the first page.
    Start,
    /// Before the page that begins with this token.
    At(Bytes),
    /// Behind the last page.
    Done,
}

/// What the plan needs to know of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// Rows in the page.
    pub rows: u64,
    /// Size of the page, in bytes.
    pub bytes: u64,
    /// Where the next page begins. Empty means the same as absent.
    pub token: Option<Bytes>,
    /// How often the request was sent.
    pub attempts: u32,
    /// How many of the attempts the service throttled.
    pub throttled: u32,
}

/// A page that is given to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handed {
    /// The split.
    pub split: Split,
    /// Rows that the caller is given.
    pub rows: u64,
    /// Rows of the page that the caller isn't given, because an earlier generation gave them.
    pub suppressed_rows: u64,
    /// Size of the page, in bytes.
    pub bytes: u64,
    /// Where the split goes on behind it.
    pub position: Position,
}

/// How a split goes on.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Next {
    /// With another page.
    Ask(Ask),
    /// Not at all: it was read to its end.
    SplitDone,
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

    /// Says that the caller was given a page.
    pub fn hand_over(&mut self, page: Handed) {
        self.tally.suppressed_rows += page.suppressed_rows;
        let generation = self.generation;
        if let Some(split) = self.of_ask(page.split, generation) {
            split.taken.add(page.rows, page.bytes);
            split.position = page.position;
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

impl SplitPlan {
    fn all(splits_size: NonZeroU32, concurrency: NonZeroU32) -> Vec<Self> {
        let of = splits_size.min(concurrency).get();
        let splits = (0..of).filter_map(|id| Split::new(id, of));
        splits
            .map(|split| Self::new(split, Position::Start))
            .collect()
    }

    fn new(split: Split, position: Position) -> Self {
        let (state, token) = match &position {
            Position::Start => (SplitState::Pending, None),
            Position::At(token) => (SplitState::Pending, Some(token.clone())),
            Position::Done => (SplitState::Done, None),
        };
        Self {
            split,
            state,
            reading: Reading {
                token,
                arrived: Counts::default(),
                standing_still: 0,
            },
            taken: Counts::default(),
            position,
        }
    }

    fn ask(&mut self, generation: u32) -> Ask {
        self.state = SplitState::Waiting;
        Ask {
            split: self.split,
            generation,
            page: self.reading.arrived.pages,
            token: self.reading.token.clone(),
        }
    }

    const fn progress(&self) -> SplitProgress {
        let Counts { pages, rows, bytes } = self.taken;
        SplitProgress {
            split: self.split,
            state: self.state,
            pages,
            rows,
            bytes,
        }
    }
}

impl Counts {
    const fn add(&mut self, rows: u64, bytes: u64) {
        self.pages += 1;
        self.rows += rows;
        self.bytes += bytes;
    }
}

impl Ask {
    /// The split.
    #[must_use]
    pub const fn split(&self) -> Split {
        self.split
    }

    /// The session it belongs to, from 0.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Which page of the split it is, from 0.
    #[must_use]
    pub const fn page(&self) -> u64 {
        self.page
    }

    /// Where the page begins; absent for the first.
    #[must_use]
    pub const fn token(&self) -> Option<&Bytes> {
        self.token.as_ref()
    }
}

impl Next {
    /// Where the split goes on.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Ask(ask) => ask.token.clone().map_or(Position::Start, Position::At),
            Self::SplitDone => Position::Done,
        }
    }
}

impl Arrival {
    /// A page that came at the first attempt.
    #[must_use]
    pub const fn new(rows: u64, bytes: u64, token: Option<Bytes>) -> Self {
        Self {
            rows,
            bytes,
            token,
            attempts: 1,
            throttled: 0,
        }
    }

    /// The same page after this many attempts, of which the service throttled some.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32, throttled: u32) -> Self {
        self.attempts = attempts;
        self.throttled = throttled;
        self
    }
}

impl Handed {
    /// A page of which the caller is given every row.
    #[must_use]
    pub const fn new(split: Split, rows: u64, bytes: u64, position: Position) -> Self {
        Self {
            split,
            rows,
            suppressed_rows: 0,
            bytes,
            position,
        }
    }

    /// The same page, of which so many rows fewer are given.
    #[must_use]
    pub const fn suppressing(mut self, rows: u64) -> Self {
        self.rows = self.rows.saturating_sub(rows);
        self.suppressed_rows = rows;
        self
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the token, which admits to the data.
        f.write_str(match self {
            Self::Start => "Start",
            Self::At(_) => "At(..)",
            Self::Done => "Done",
        })
    }
}

/// The service keeps answering a split with the same token and without rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotAdvancing {
    /// The split.
    pub split: Split,
    /// Empty pages in a row with the token they were asked with.
    pub pages: u32,
}

impl std::error::Error for NotAdvancing {}

impl fmt::Display for NotAdvancing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { split, pages } = self;
        write!(
            f,
            "{split} stands still: {pages} pages without rows, each with the same token"
        )
    }
}

/// Far above what a service needs that means well, and soon reached by one that is stuck.
const MAX_STANDING_STILL: u32 = 1_000;

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    fn count(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn token(page: u64) -> Option<Bytes> {
        Some(page.to_string().into())
    }

    #[test]
    fn a_session_is_divided_into_as_many_splits_as_may_run() {
        for (splits_size, concurrency, max_parallel) in [(16, 8, 8), (3, 8, 3), (1, 1, 1)] {
            let mut plan = ScanPlan::new(count(splits_size), count(concurrency));
            assert_eq!(plan.max_parallel(), max_parallel);
            let asks: Vec<_> = std::iter::from_fn(|| plan.next_ask()).collect();
            let ids: Vec<_> = asks.iter().map(|ask| ask.split().id()).collect();
            assert_eq!(
                ids,
                Vec::from_iter(0..max_parallel),
                "nothing is left to wait"
            );
            assert!(asks.iter().all(|ask| ask.split().of() == max_parallel));
        }
    }

    #[test]
    fn an_empty_page_with_a_token_is_not_the_end() {
        let mut plan = ScanPlan::new(count(1), count(1));
        let mut ask = plan.next_ask().unwrap();
        for page in 1..=5 {
            assert_eq!(ask.page(), page - 1);
            let next = plan.absorb(ask, Arrival::new(0, 8, token(page))).unwrap();
            let Next::Ask(next) = next else {
                panic!("ended after page {page}")
            };
            assert_eq!(next.token().cloned(), token(page));
            ask = next;
        }
        assert!(!plan.is_done());
    }

    #[test]
    fn an_absent_token_ends_a_split_and_an_empty_one_too() {
        for end in [None, Some(Bytes::new())] {
            let mut plan = ScanPlan::new(count(2), count(2));
            let first = plan.next_ask().unwrap();
            let second = plan.next_ask().unwrap();
            let page = Arrival::new(4, 8, end);
            assert!(matches!(
                plan.absorb(second, page.clone()),
                Ok(Next::SplitDone)
            ));
            assert!(!plan.is_done(), "the other split has not ended");
            assert!(matches!(plan.absorb(first, page), Ok(Next::SplitDone)));
            assert!(plan.is_done());
            assert!(plan.next_ask().is_none());
        }
    }

    #[test]
    fn a_repeated_token_is_borne_with_rows_and_for_a_while_without() {
        let mut plan = ScanPlan::new(count(1), count(1));
        let mut ask = plan.next_ask();
        let mut absorb = |rows| {
            match plan.absorb(ask.take().unwrap(), Arrival::new(rows, 8, token(0)))? {
                Next::Ask(next) => ask = Some(next),
                Next::SplitDone => panic!("ended"),
            }
            Ok::<(), NotAdvancing>(())
        };
        for _ in 0..3_000 {
            absorb(1).unwrap();
        }
        for _ in 0..999 {
            absorb(0).unwrap();
        }
        absorb(1).unwrap();
        for _ in 0..999 {
            absorb(0).unwrap();
        }
        let error = absorb(0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "split 0 of 1 stands still: 1000 pages without rows, each with the same token"
        );
        assert!(plan.has_failed() && !plan.is_done());
    }

    #[test]
    fn nothing_is_asked_after_a_failure() {
        let mut plan = ScanPlan::new(count(3), count(3));
        let (failing, running) = (plan.next_ask().unwrap(), plan.next_ask().unwrap());
        assert!(plan.begin(&failing) && plan.begin(&running));
        plan.refused(4, 1);
        plan.fail(failing.generation());
        assert!(plan.next_ask().is_none(), "the third split is never begun");
        let Next::Ask(next) = plan.absorb(running, Arrival::new(1, 1, token(1))).unwrap() else {
            panic!("ended")
        };
        assert!(!plan.begin(&next));
        let progress = plan.progress();
        assert_eq!((progress.requests, progress.retries), (2, 3));
    }

    #[test]
    fn nothing_of_an_earlier_session_is_taken() {
        let mut plan = ScanPlan::new(count(4), count(2));
        let (old, other) = (plan.next_ask().unwrap(), plan.next_ask().unwrap());
        let before = plan.before(&old).unwrap();
        let Next::Ask(following) = plan.absorb(old, Arrival::new(5, 50, token(1))).unwrap() else {
            panic!("ended")
        };
        plan.hand_over(Handed::new(other.split(), 5, 50, Position::At("1".into())));
        plan.restart(count(1), count(2));
        assert_eq!((plan.generation(), plan.max_parallel()), (1, 1));

        assert!(!plan.begin(&other) && plan.before(&other).is_none());
        assert!(plan.again(before).is_none());
        // Late answers and late failures of the old tasks change nothing.
        assert!(matches!(
            plan.absorb(following, Arrival::new(9, 90, token(2))),
            Ok(Next::SplitDone)
        ));
        plan.fail(0);
        assert!(!plan.has_failed() && !plan.is_done());
        let progress = plan.progress();
        assert_eq!(
            (
                progress.earlier_rows,
                progress.rows(),
                progress.buffered_pages
            ),
            (5, 0, 0)
        );

        let ask = plan.next_ask().unwrap();
        assert_eq!((ask.generation(), ask.page()), (1, 0));
        assert!(ask.token().is_none() && plan.next_ask().is_none());
        plan.absorb(ask, Arrival::new(0, 0, None)).unwrap();
        assert!(plan.is_done());
    }

    #[test]
    fn a_damaged_page_takes_back_what_it_led_to() {
        let mut plan = ScanPlan::new(count(1), count(1));
        let first = plan.next_ask().unwrap();
        let Next::Ask(second) = plan.absorb(first, Arrival::new(3, 30, token(1))).unwrap() else {
            panic!("ended")
        };
        let before = plan.before(&second).unwrap();
        // It says that there is more, and what it leads to says that there isn't.
        let Next::Ask(third) = plan.absorb(second, Arrival::new(3, 30, token(7))).unwrap() else {
            panic!("ended")
        };
        plan.absorb(third, Arrival::new(0, 0, None)).unwrap();
        assert!(plan.is_done());

        let again = plan.again(before).unwrap();
        assert!(!plan.is_done(), "the end was that of a damaged page");
        assert_eq!((again.page(), again.token().cloned()), (1, token(1)));
        plan.absorb(again, Arrival::new(2, 20, None)).unwrap();
        let progress = plan.progress();
        assert_eq!(
            (
                progress.refetched,
                progress.buffered_pages,
                progress.buffered_bytes
            ),
            (1, 2, 50)
        );
        assert!(plan.is_done());
    }

    #[test]
    fn a_plan_of_some_splits_goes_on_where_they_stand() {
        let split = |id| Split::new(id, 9).unwrap();
        let positions = [
            (split(7), Position::At("x".into())),
            (split(2), Position::Start),
            (split(4), Position::Done),
        ];
        let mut plan = ScanPlan::of(positions.clone());
        assert_eq!(plan.max_parallel(), 9);
        let asks: Vec<_> = std::iter::from_fn(|| plan.next_ask()).collect();
        let tokens: Vec<_> = asks
            .iter()
            .map(|ask| (ask.split().id(), ask.token().cloned()))
            .collect();
        assert_eq!(tokens, [(2, None), (7, Some("x".into()))]);
        for (split, position) in plan.positions() {
            assert!(positions.contains(&(split, position.clone())));
        }
        plan.hand_over(Handed::new(split(2), 1, 9, Position::At("y".into())));
        let stands: Vec<_> = plan
            .positions()
            .map(|(_, position)| position.clone())
            .collect();
        assert_eq!(
            stands,
            [
                Position::At("y".into()),
                Position::Done,
                Position::At("x".into())
            ]
        );
        for ask in asks {
            plan.absorb(ask, Arrival::new(0, 0, None)).unwrap();
        }
        assert!(plan.is_done());
    }

    #[test]
    fn states_follow_a_page_on_its_way() {
        let mut plan = ScanPlan::new(count(1), count(1));
        let state = |plan: &ScanPlan| plan.progress().splits[0].state;
        assert_eq!(state(&plan), SplitState::Pending);
        let ask = plan.next_ask().unwrap();
        assert_eq!(state(&plan), SplitState::Waiting);
        assert!(plan.begin(&ask));
        assert_eq!(state(&plan), SplitState::InFlight);
        plan.absorb(ask, Arrival::new(2, 9, None)).unwrap();
        assert_eq!(state(&plan), SplitState::Done);
        let buffered = plan.progress();
        assert_eq!((buffered.buffered_pages, buffered.buffered_bytes), (1, 9));
        assert!(!buffered.is_done(), "nobody has taken the page");
        plan.hand_over(Handed::new(Split::new(0, 1).unwrap(), 2, 9, Position::Done));
        assert!(plan.progress().is_done());
    }

    /// The rows of each page of each split; the first page always exists.
    fn splits() -> impl Strategy<Value = Vec<Vec<u64>>> {
        let pages = proptest::collection::vec(prop_oneof![Just(0_u64), 1_u64..50], 1..12);
        proptest::collection::vec(pages, 1..=10)
    }

    proptest! {
        /// Asks are answered in any order; pages are taken late or at once.
        #[test]
        fn every_page_arrives_exactly_once_and_the_scan_ends_with_the_last(
            shape in splits(),
            spare in 0_u32..4,
            order in proptest::collection::vec(any::<proptest::sample::Index>(), 1..400),
            failure in proptest::option::of(0_usize..60),
        ) {
            let of = u32::try_from(shape.len()).unwrap();
            let mut plan = ScanPlan::new(count(of + spare), count(of));
            let mut open: Vec<Ask> = std::iter::from_fn(|| plan.next_ask()).collect();
            let mut buffered = VecDeque::new();
            let mut seen = vec![Vec::new(); shape.len()];
            let mut given = vec![(0, 0); shape.len()];
            let mut answers = 0;
            let mut order = order.iter().cycle();
            let mut done = 0;

            while !open.is_empty() {
                prop_assert!(!plan.is_done(), "done while a page is awaited");
                let choice = order.next().unwrap();
                let ask = open.swap_remove(choice.index(open.len()));
                prop_assert!(plan.begin(&ask));
                if failure == Some(answers) {
                    plan.refused(1, 0);
                    plan.fail(ask.generation());
                    break;
                }
                answers += 1;
                let split = ask.split();
                let pages = &shape[split.id() as usize];
                let page = usize::try_from(ask.page()).unwrap();
                // The token is the service's own account of what was asked.
                let asked = ask.token().map_or(0, |token| {
                    std::str::from_utf8(token).unwrap().parse::<usize>().unwrap()
                });
                prop_assert_eq!(asked, page);
                seen[split.id() as usize].push(page);
                let token = (page + 1 < pages.len()).then(|| (page + 1).to_string().into());
                match plan.absorb(ask, Arrival::new(pages[page], pages[page] * 10, token)).unwrap() {
                    Next::Ask(next) => open.push(next),
                    Next::SplitDone => done += 1,
                }
                prop_assert_eq!(plan.is_done(), done == shape.len());
                buffered.push_back((split, pages[page]));
                if choice.index(3) > 0 && let Some((split, rows)) = buffered.pop_front() {
                    plan.hand_over(Handed::new(split, rows, rows * 10, Position::Done));
                    let given = &mut given[split.id() as usize];
                    *given = (given.0 + 1, given.1 + rows);
                }
            }

            let total: usize = shape.iter().map(Vec::len).sum();
            prop_assert_eq!(plan.is_done(), failure.is_none_or(|failure| failure >= total));
            prop_assert_eq!(plan.has_failed(), !plan.is_done());
            prop_assert!(plan.next_ask().is_none());
            for (pages, seen) in shape.iter().zip(&seen) {
                prop_assert_eq!(seen, &Vec::from_iter(0..seen.len()));
                prop_assert!(plan.has_failed() || seen.len() == pages.len());
            }
            // What the caller was given is counted, exactly, however the scan ended.
            let progress = plan.progress();
            let counted: Vec<_> =
                progress.splits.iter().map(|split| (split.pages, split.rows)).collect();
            prop_assert_eq!(counted, given);
            prop_assert_eq!(progress.buffered_pages, buffered.len() as u64);
        }
    }
}
