//! How many requests may be in flight: a bound that finds its own height.
//!
//! A fixed number of requests in flight is too few for an idle table and too many for one that is
//! moving between servers. An adaptive [`Limiter`] starts low, doubles while everything succeeds
//! (slow start), then grows by one a round, and halves when the service throttles: as TCP does, for
//! the same reason. It never passes the highest number it was given, and never falls below one.
//!
//! Clones are the same limiter: hand one to a scan and a batch writer of the same instance, and they
//! share what the service can bear.
//!
//! ```
//! use ots_core::limiter::{Limiter, Outcome};
//!
//! # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
//! use ots_core::Call;
//! use ots_proto::{messages::ListTableRequest, operation::ListTable};
//!
//! let limiter = Limiter::adaptive(32);
//! let permit = limiter.acquire().await;
//! let reply = Call::<ListTable>::call(&client, ListTableRequest::default()).await;
//! permit.finish(Outcome::of(&reply));
//! # Ok(())
//! # }
//! ```

mod aimd;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use self::aimd::{Aimd, Ticket};
use crate::call::Reply;
use crate::error::Error;

/// A bound on requests in flight; see the [module](self).
///
/// Those who wait are served in the order in which they came.
#[derive(Clone, Debug)]
pub struct Limiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    semaphore: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    aimd: Aimd,
    /// Permits that exist, held or waiting to be taken: the limit, but for those that are still held
    /// after the limit fell.
    permits: usize,
}

/// How a request ended, as far as the load is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Outcome {
    /// The service answered without complaint: there may be room for more.
    Answered,
    /// The service asked for less.
    Throttled,
    /// It says nothing about the load: a failure of another kind, or an abandoned request.
    Neutral,
}

impl Outcome {
    /// What a call says of the load, by the throttling that its attempts met.
    ///
    /// The rows of a batch fail inside an answer that succeeds: whoever reads them knows better, and
    /// says [`Throttled`](Self::Throttled) itself.
    pub fn of<T>(result: &Result<Reply<T>, Error>) -> Self {
        match result {
            Ok(reply) if reply.throttled == 0 => Self::Answered,
            Ok(_) => Self::Throttled,
            Err(error) if error.throttled() > 0 || error.is_throttling() => Self::Throttled,
            Err(_) => Self::Neutral,
        }
    }
}

impl Limiter {
    /// Always this many requests in flight at most, and at least one.
    #[must_use]
    pub fn fixed(requests: usize) -> Self {
        Self::new(Aimd::fixed(clamp(requests)))
    }

    /// Between one request in flight and this many, beginning with [`START`](Self::START).
    #[must_use]
    pub fn adaptive(max_requests: usize) -> Self {
        Self::adaptive_from(Self::START, max_requests)
    }

    /// As [`adaptive`](Self::adaptive), beginning with another number.
    #[must_use]
    pub fn adaptive_from(start_requests: usize, max_requests: usize) -> Self {
        let max = clamp(max_requests);
        Self::new(Aimd::adaptive(start_requests.clamp(1, max), max))
    }

    /// Where slow start begins: full speed is a few round trips away, and a hundred programs that
    /// start at once don't arrive with all they have.
    pub const START: usize = 2;

    fn new(aimd: Aimd) -> Self {
        let permits = aimd.limit();
        Self(Arc::new(Shared {
            semaphore: Semaphore::new(permits),
            state: Mutex::new(State { aimd, permits }),
        }))
    }

    /// Waits for room, and takes it.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue, and nothing else.
    pub async fn acquire(&self) -> Permit {
        if let Ok(permit) = self.0.semaphore.acquire().await {
            // The limiter counts permits itself: some are not given back, when the limit has fallen.
            permit.forget();
        }
        // Refused only after `close`, which nobody calls.
        self.permit()
    }

    /// Takes room if there is some now and nobody waits for it.
    #[must_use]
    pub fn try_acquire(&self) -> Option<Permit> {
        self.0.semaphore.try_acquire().ok()?.forget();
        Some(self.permit())
    }

    fn permit(&self) -> Permit {
        Permit {
            ticket: self.0.lock().aimd.begin(),
            shared: Arc::clone(&self.0),
            outcome: Outcome::Neutral,
        }
    }

    /// How many requests may be in flight now.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.lock().aimd.limit()
    }

    /// How many requests may ever be in flight.
    #[must_use]
    pub fn max(&self) -> usize {
        self.0.lock().aimd.max()
    }

    /// How many are in flight now. More than the limit for a while, after the limit has fallen.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let state = self.0.lock();
        state.permits - self.0.semaphore.available_permits()
    }
}

fn clamp(requests: usize) -> usize {
    requests.clamp(1, Semaphore::MAX_PERMITS)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, ticket: Ticket, outcome: Outcome) {
        let mut state = self.lock();
        let in_flight = state.permits - self.semaphore.available_permits();
        state.aimd.finish(ticket, outcome, in_flight);
        let limit = state.aimd.limit();
        // The permit that comes back now is one of `permits`, but not yet in the semaphore.
        if state.permits > limit {
            state.permits -= 1;
            let unused = self.semaphore.forget_permits(state.permits - limit);
            state.permits -= unused;
        } else {
            self.semaphore.add_permits(1 + limit - state.permits);
            state.permits = limit;
        }
    }
}

/// The right to have one request in flight. Dropping it says nothing about the load; to say how the
/// request ended, [`finish`](Self::finish) it.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    shared: Arc<Shared>,
    ticket: Ticket,
    outcome: Outcome,
}

impl Permit {
    /// Gives the room back, and says how the request ended.
    pub fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.finish(self.ticket, self.outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use proptest::prelude::*;

    use super::*;

    fn take(limiter: &Limiter, requests: usize) -> Vec<Permit> {
        (0..requests)
            .map(|_| limiter.try_acquire().unwrap())
            .collect()
    }

    #[test]
    fn a_fixed_limiter_neither_grows_nor_shrinks() {
        let limiter = Limiter::fixed(3);
        let held = take(&limiter, 3);
        assert!(limiter.try_acquire().is_none());
        for (permit, outcome) in
            held.into_iter()
                .zip([Outcome::Throttled, Outcome::Answered, Outcome::Neutral])
        {
            permit.finish(outcome);
            assert_eq!(limiter.limit(), 3);
        }
        assert_eq!((limiter.in_flight(), limiter.max()), (0, 3));
        assert_eq!(Limiter::fixed(0).limit(), 1);
    }

    #[test]
    fn permits_beyond_a_limit_that_fell_are_not_given_out_again() {
        let limiter = Limiter::adaptive_from(8, 8);
        let mut held = take(&limiter, 8);
        held.pop().unwrap().finish(Outcome::Throttled);
        assert_eq!((limiter.limit(), limiter.in_flight()), (4, 7));
        for in_flight in (4..7).rev() {
            drop(held.pop());
            assert_eq!(limiter.in_flight(), in_flight);
            assert!(limiter.try_acquire().is_none(), "{in_flight} in flight");
        }
        drop(held.pop());
        assert_eq!(limiter.in_flight(), 3);
        let _again = limiter.try_acquire().unwrap();
        assert!(limiter.try_acquire().is_none());
    }

    #[test]
    fn who_gives_up_waiting_takes_no_permit_along() {
        let limiter = Limiter::fixed(1);
        let held = limiter.try_acquire().unwrap();
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut waiting = pin!(limiter.acquire());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            drop(held);
            // Served, but dropped before it was polled again.
        }
        assert_eq!(limiter.in_flight(), 0);
        assert!(limiter.try_acquire().is_some());
    }

    /// What the holders of permits do.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Take,
        Finish(usize, Outcome),
    }

    fn step() -> impl Strategy<Value = Step> {
        let outcome = prop_oneof![
            3 => Just(Outcome::Answered),
            1 => Just(Outcome::Throttled),
            1 => Just(Outcome::Neutral),
        ];
        prop_oneof![
            3 => Just(Step::Take),
            2 => (any::<usize>(), outcome).prop_map(|(which, outcome)| Step::Finish(which, outcome)),
        ]
    }

    proptest! {
        #[test]
        fn what_is_in_flight_stays_within_the_limit_that_admitted_it(
            start in 0_usize..20,
            max in 0_usize..40,
            steps in proptest::collection::vec(step(), 0..300),
        ) {
            let limiter = Limiter::adaptive_from(start, max);
            let mut held = Vec::new();
            for step in steps {
                match step {
                    Step::Take => {
                        let room = limiter.in_flight() < limiter.limit();
                        let taken = limiter.try_acquire();
                        prop_assert_eq!(taken.is_some(), room);
                        held.extend(taken);
                    }
                    Step::Finish(..) if held.is_empty() => {}
                    Step::Finish(which, outcome) => {
                        let which = which % held.len();
                        held.swap_remove(which).finish(outcome);
                    }
                }
                prop_assert_eq!(limiter.in_flight(), held.len());
                prop_assert!((1..=max.max(1)).contains(&limiter.limit()));
            }
            drop(held);
            let all = std::iter::from_fn(|| limiter.try_acquire()).collect::<Vec<_>>();
            prop_assert_eq!(all.len(), limiter.limit(), "a permit was lost or made");
        }
    }
}
