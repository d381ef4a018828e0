//! Which rows of a batch are sent again: those that failed for a moment, until each is settled.
//!
//! A batch succeeds as a request even when rows of it were throttled, so the client's own retries
//! don't see them. Here the same policy decides about each row: one that surely did not run is sent
//! again, whatever it is; one that may have run, only if doing it twice is doing it once. A refusal of
//! the whole request for what is in it is the fault of one row, seldom of all: the batch is halved
//! until that row stands alone. Where row after row is refused alone and none is taken, it is the fault
//! of all: what is left is sent as it is, and halved only when some of it was taken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ots_proto::operation::{Idempotency, Operation};

use super::results::{Asked, RowResult};
use crate::call::{Call, Reply};
use crate::clock::Clock;
use crate::error::{Error, ErrorCode};
use crate::limiter::{Limiter, Outcome, Permit};
use crate::retry::{Decision, Failure, RetryPolicy, Turn};

/// The rows of a batch, to be sent in any selection.
#[expect(unnameable_types, reason = "sealed: nobody else has rows to send")]
pub trait Rows: Send + Sync {
    /// The operation.
    type Operation: Operation;
    /// What a row gives.
    type Row: Send;

    /// How many rows there are.
    fn len(&self) -> usize;
    /// The tables.
    fn tables(&self) -> &[String];
    /// To which table a row belongs.
    fn table_of(&self, row: usize) -> usize;
    /// Whether the row may run twice.
    fn may_repeat(&self, row: usize) -> bool;
    /// Whether no row happens without the others.
    fn all_or_none(&self) -> bool;
    /// The request for these rows, which rise.
    fn request(&self, rows: &[usize]) -> <Self::Operation as Operation>::Request;
    /// The results of these rows.
    fn read(
        &self,
        asked: &Asked,
        rows: &[usize],
        reply: Reply<<Self::Operation as Operation>::Response>,
    ) -> Result<Vec<RowResult<Self::Row>>, Error>;
}

/// How rows are sent again.
pub(crate) struct Pace<'a> {
    pub(crate) policy: &'a dyn RetryPolicy,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) random: &'a (dyn Fn() -> f64 + Send + Sync),
    /// How long a request that repeats rows has to wait: it wanted to pause so long, and so much time
    /// has passed.
    pub(crate) turn: &'a (dyn Fn(Duration, Duration) -> Turn + Send + Sync),
    /// Bounds the requests in flight, if anything does. It isn't held in pauses.
    pub(crate) limiter: Option<&'a Limiter>,
    /// Set when nobody waits any more: then nothing is sent again.
    pub(crate) abandoned: Option<&'a AtomicBool>,
}

/// What became of a row.
#[derive(Debug)]
pub(crate) struct Settled<T> {
    pub(crate) result: RowResult<T>,
    /// Whether a row that failed may have happened all the same, at this or an earlier attempt.
    pub(crate) may_have_run: bool,
}

/// Sends rows until each is settled. There is a result for every row, in order. The first request
/// goes under `permit`, if there is one already.
pub(crate) async fn settle<R, C>(
    call: &C,
    rows: &R,
    pace: &Pace<'_>,
    mut permit: Option<Permit>,
) -> Reply<Vec<Settled<R::Row>>>
where
    R: Rows,
    C: Call<R::Operation> + ?Sized,
{
    let mut plan = Plan::new(rows);
    let mut about = Reply::new(());
    about.attempts = 0;
    let mut start = None;
    let is_abandoned = || {
        let flag = pace.abandoned;
        flag.is_some_and(|flag| flag.load(Ordering::Relaxed))
    };
    while let Some(group) = plan.groups.pop() {
        if group.is_repeat {
            match (pace.turn)(group.pause, about.elapsed) {
                Turn::After(pause) => pace.clock.sleep(pause).await,
                // The rows keep the failure that they have.
                Turn::NoTime => continue,
                Turn::NoBudget => {
                    plan.blame_budget(&group);
                    continue;
                }
            }
        }
        let permit = match (permit.take(), pace.limiter) {
            (Some(permit), _) => Some(permit),
            (None, Some(limiter)) => Some(limiter.acquire().await),
            (None, None) => None,
        };
        // Looked at once all waiting is over: the rows keep the failure that they have.
        if is_abandoned() && plan.was_sent(&group) {
            continue;
        }
        let start = *start.get_or_insert_with(|| pace.clock.elapsed());
        let answer = call.call(rows.request(&group.rows)).await;
        let mut outcome = Outcome::of(&answer);
        let (results, attempts) = match answer {
            Ok(reply) => {
                let attempts = reply.attempts;
                about.request_id.clone_from(&reply.request_id);
                about.throttled += reply.throttled;
                about.body_bytes += reply.body_bytes;
                (
                    rows.read(&plan.asked(&group.rows), &group.rows, reply),
                    attempts,
                )
            }
            Err(error) => {
                let attempts = error.attempts().max(1);
                about.throttled += error.throttled();
                (Err(error), attempts)
            }
        };
        if let Ok(results) = &results
            && results
                .iter()
                .flat_map(|row| row.as_ref().err())
                .any(Error::is_throttling)
        {
            outcome = Outcome::Throttled;
            about.throttled += 1;
        }
        if let Some(permit) = permit {
            permit.finish(outcome);
        }
        about.attempts += attempts;
        about.elapsed = pace.clock.elapsed().saturating_sub(start);
        let spent = Spent {
            attempts: group.attempts + attempts,
            elapsed: about.elapsed,
        };
        let is_abandoned = is_abandoned();
        plan.is_abandoned |= is_abandoned;
        plan.absorb(group, results, spent, |failure| {
            if is_abandoned {
                Decision::GiveUp
            } else {
                pace.policy.decide(failure, (pace.random)())
            }
        });
    }
    about.map(|()| plan.finish())
}

/// What a group of rows has taken so far.
#[derive(Clone, Copy)]
struct Spent {
    attempts: u32,
    elapsed: Duration,
}

/// Which rows are settled, and which are to be sent when: without a clock or a socket.
struct Plan<'a, R: Rows> {
    rows: &'a R,
    settled: Vec<Option<RowResult<R::Row>>>,
    may_have_run: Vec<bool>,
    /// What is to be sent, the next one last.
    groups: Vec<Group>,
    /// Rows that were refused alone for what is in them, while no row was taken.
    refused_alone: usize,
    any_taken: bool,
    /// Rows that were refused together after that.
    refused_together: Vec<Group>,
    /// Nobody waits any more for what was not sent.
    is_abandoned: bool,
}

/// So many rows refused one by one, and none taken, are no accident: halving a batch of 200 to the end
/// would take 399 requests.
const ALL_ALIKE: usize = 8;

/// Rows to be sent together.
#[derive(Clone)]
struct Group {
    /// Their numbers, rising.
    rows: Vec<usize>,
    /// How often they were sent.
    attempts: u32,
    /// How long to wait first, if they failed before.
    pause: Duration,
    is_repeat: bool,
}

impl<'a, R: Rows> Plan<'a, R> {
    fn new(rows: &'a R) -> Self {
        let count = rows.len();
        let all = Group {
            rows: (0..count).collect(),
            attempts: 0,
            pause: Duration::ZERO,
            is_repeat: false,
        };
        Self {
            rows,
            settled: std::iter::repeat_with(|| None).take(count).collect(),
            may_have_run: vec![false; count],
            groups: if count == 0 { Vec::new() } else { vec![all] },
            refused_alone: 0,
            any_taken: false,
            refused_together: Vec::new(),
            is_abandoned: false,
        }
    }

    /// What an answer about these rows must have.
    fn asked(&self, rows: &[usize]) -> Asked {
        let tables =
            rows.chunk_by(|left, right| self.rows.table_of(*left) == self.rows.table_of(*right));
        let tables = tables.filter_map(|rows| {
            let table = self.rows.table_of(*rows.first()?);
            Some((self.rows.tables().get(table)?.clone(), rows.len()))
        });
        tables.collect()
    }

    /// Takes an answer, and plans what follows from it.
    fn absorb(
        &mut self,
        group: Group,
        results: Result<Vec<RowResult<R::Row>>, Error>,
        spent: Spent,
        mut decide: impl FnMut(&Failure<'_>) -> Decision,
    ) {
        let mut together = None;
        let results = match results {
            Ok(results) => results,
            Err(error) => {
                if is_about_content(&error) {
                    if self.may_halve(&group) {
                        // Until a half says otherwise.
                        self.refuse(&group, &error, spent);
                        return self.halve(group);
                    }
                    self.refused_alone += usize::from(group.rows.len() == 1);
                    together = self.may_cut(&group).then(|| group.clone());
                }
                let alike = std::iter::repeat_with(|| Err(error.clone()));
                alike.take(group.rows.len()).collect()
            }
        };
        let mut again = Vec::new();
        let mut pause = Duration::ZERO;
        for (row, result) in group.rows.iter().copied().zip(results) {
            self.any_taken |= result.is_ok();
            if let Err(error) = &result {
                let doubt = error.may_have_run();
                if let Some(may_have_run) = self.may_have_run.get_mut(row) {
                    *may_have_run |= doubt;
                }
                let idempotency = if self.rows.may_repeat(row) {
                    Idempotency::Idempotent
                } else {
                    Idempotency::NotIdempotent
                };
                let failure = Failure::new(error, idempotency, spent.attempts, spent.elapsed);
                if let Decision::RetryAfter(wait) = decide(&failure) {
                    again.push(row);
                    pause = pause.max(wait);
                }
            }
            if let Some(settled) = self.settled.get_mut(row) {
                *settled = Some(result.map_err(|error| self.rows.named(row, error, spent)));
            }
        }
        if again.is_empty() {
            // Otherwise the policy sends them again, and no row may be in two groups.
            self.refused_together.extend(together);
        }
        if self.any_taken {
            for group in std::mem::take(&mut self.refused_together) {
                self.halve(group);
            }
        }
        if self.rows.all_or_none() && again.len() < group.rows.len() {
            return;
        }
        if !again.is_empty() {
            self.groups.push(Group {
                rows: again,
                attempts: spent.attempts,
                pause,
                is_repeat: true,
            });
        }
    }

    /// Rows that were sent, all with this outcome.
    fn refuse(&mut self, group: &Group, error: &Error, spent: Spent) {
        for row in group.rows.iter().copied() {
            let error = self.rows.named(row, error.clone(), spent);
            if let Some(settled) = self.settled.get_mut(row) {
                *settled = Some(Err(error));
            }
        }
    }

    /// Whether an answer about these rows has come, or was lost.
    fn was_sent(&self, group: &Group) -> bool {
        let first = group.rows.first().and_then(|row| self.settled.get(*row));
        first.is_some_and(Option::is_some)
    }

    /// Rows that would be sent again, if there were retries left.
    fn blame_budget(&mut self, group: &Group) {
        for row in &group.rows {
            if let Some(Some(result)) = self.settled.get_mut(*row)
                && let Err(error) = result
            {
                *error = error.clone().with_no_budget();
            }
        }
    }

    fn may_cut(&self, group: &Group) -> bool {
        group.rows.len() > 1 && !self.rows.all_or_none() && !self.is_abandoned
    }

    fn may_halve(&self, group: &Group) -> bool {
        self.may_cut(group) && (self.any_taken || self.refused_alone < ALL_ALIKE)
    }

    /// The first half is sent first.
    fn halve(&mut self, mut group: Group) {
        let second = Group {
            rows: group.rows.split_off(group.rows.len() / 2),
            attempts: group.attempts,
            pause: Duration::ZERO,
            is_repeat: false,
        };
        group.is_repeat = false;
        self.groups.extend([second, group]);
    }

    fn finish(self) -> Vec<Settled<R::Row>> {
        let rows = self.settled.into_iter().zip(self.may_have_run);
        let rows = rows.map(|(result, may_have_run)| {
            // Each row is in a group until it has a result.
            let result = result.unwrap_or_else(|| Err(Error::request("the row was not sent")));
            let result = result.map_err(|error| error.with_may_have_run(may_have_run));
            Settled {
                may_have_run: may_have_run && result.is_err(),
                result,
            }
        });
        rows.collect()
    }
}

/// Tells of a row's failure which call it was.
trait Named: Rows {
    fn named(&self, row: usize, error: Error, spent: Spent) -> Error {
        let table = self.tables().get(self.table_of(row)).cloned();
        error
            .with_call(Self::Operation::NAME, spent.attempts, spent.elapsed)
            .with_table(table)
    }
}

impl<R: Rows + ?Sized> Named for R {}

/// Whether a request was refused for what is in its rows, so that without them it would pass.
fn is_about_content(error: &Error) -> bool {
    error.code().is_some_and(|code| {
        matches!(
            code,
            ErrorCode::ParameterInvalid
                | ErrorCode::InvalidPk
                | ErrorCode::OutOfRowSizeLimit
                | ErrorCode::OutOfColumnCountLimit
                | ErrorCode::RequestBodyTooLarge
                | ErrorCode::DataOutOfRange
        )
    })
}
