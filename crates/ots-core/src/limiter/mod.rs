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
    /// Permits for those who can't wait for their turn.
    urgent: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    aimd: Aimd,
    /// Permits that exist, held or waiting to be taken: the limit, but for those that are still held
    /// after the limit fell.
    permits: usize,
    /// How many wait urgently.
    urgent_waiting: usize,
    /// How many of them have a permit that they haven't looked at.
    urgent_granted: usize,
}

impl State {
    /// Puts permits that nobody holds to use: takes those away that are more than the limit, and gives
    /// the others to who waits urgently.
    fn settle(&mut self, ordinary: &Semaphore, urgent: &Semaphore) {
        let surplus = self.permits.saturating_sub(self.aimd.limit());
        self.permits -= ordinary.forget_permits(surplus);
        let served = ordinary.forget_permits(self.urgent_unserved());
        self.urgent_granted += served;
        urgent.add_permits(served);
    }

    const fn urgent_unserved(&self) -> usize {
        self.urgent_waiting - self.urgent_granted
    }
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
            urgent: Semaphore::new(0),
            state: Mutex::new(State {
                aimd,
                permits,
                urgent_waiting: 0,
                urgent_granted: 0,
            }),
        }))
    }

    /// Waits for room, and takes it.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue, and nothing else.
    pub async fn acquire(&self) -> Permit {
        // Before the wait, so that it is dropped behind it.
        let place = Waiting(&self.0);
        if let Ok(permit) = self.0.semaphore.acquire().await {
            // The limiter counts permits itself: some are not given back, when the limit has fallen.
            permit.forget();
        }
        place.take();
        // Refused only after `close`, which nobody calls.
        self.permit()
    }

    /// Waits for room ahead of all who wait in [`acquire`](Self::acquire), and behind those who wait
    /// here: for a request on which others depend, such as one that keeps a session alive.
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    pub async fn acquire_urgent(&self) -> Permit {
        let shared = &*self.0;
        let Some(place) = shared.wait_urgently() else {
            return self.permit();
        };
        if let Ok(permit) = shared.urgent.acquire().await {
            permit.forget();
        }
        place.take();
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
        state.permits - self.0.available()
    }
}

/// One who waits, until it has its permit or gives up.
struct Waiting<'a>(&'a Shared);

impl Waiting<'_> {
    /// It has it: there is nothing to do any more.
    const fn take(self) {
        std::mem::forget(self);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // What it was served and hasn't looked at is back. The limit may have fallen meanwhile; and who
        // waits urgently doesn't look for it there.
        self.0.settle(&mut self.0.lock());
    }
}

/// One who waits urgently, until it has its permit or gives up.
struct Urgent<'a>(&'a Shared);

impl Urgent<'_> {
    fn take(self) {
        let mut state = self.0.lock();
        state.urgent_waiting -= 1;
        state.urgent_granted -= 1;
        drop(state);
        std::mem::forget(self);
    }
}

impl Drop for Urgent<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.urgent_waiting -= 1;
        // A permit that was meant for it, and that nobody else waits for as urgently.
        if state.urgent_granted > state.urgent_waiting {
            state.urgent_granted -= 1;
            let unused = self.0.urgent.forget_permits(1);
            self.0.semaphore.add_permits(unused);
            self.0.settle(&mut state);
        }
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
        let in_flight = state.permits - self.available();
        state.aimd.finish(ticket, outcome, in_flight);
        let limit = state.aimd.limit();
        // The permit that comes back now is one of `permits`, but not yet in the semaphore.
        if state.permits > limit {
            state.permits -= 1;
            self.settle(&mut state);
        } else {
            let freed = 1 + limit - state.permits;
            let urgent = freed.min(state.urgent_unserved());
            state.urgent_granted += urgent;
            self.urgent.add_permits(urgent);
            self.semaphore.add_permits(freed - urgent);
            state.permits = limit;
        }
    }

    /// Takes room, or a place among those who wait urgently: in one step, so that nothing comes back
    /// between the two and is given to others.
    fn wait_urgently(&self) -> Option<Urgent<'_>> {
        let mut state = self.lock();
        if state.urgent_unserved() == 0
            && let Ok(permit) = self.semaphore.try_acquire()
        {
            permit.forget();
            return None;
        }
        state.urgent_waiting += 1;
        Some(Urgent(self))
    }

    fn settle(&self, state: &mut State) {
        state.settle(&self.semaphore, &self.urgent);
    }

    /// Permits that nobody holds.
    fn available(&self) -> usize {
        self.semaphore.available_permits() + self.urgent.available_permits()
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
    use std::pin::{Pin, pin};
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
    fn who_gives_up_waiting_brings_no_permit_back_that_a_limit_which_fell_has_no_room_for() {
        for urgent in [false, true] {
            let limiter = Limiter::adaptive_from(4, 4);
            let mut held = take(&limiter, 4);
            let mut context = Context::from_waker(Waker::noop());
            let mut waiting: Pin<Box<dyn Future<Output = Permit> + '_>> = if urgent {
                Box::pin(limiter.acquire_urgent())
            } else {
                Box::pin(limiter.acquire())
            };
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            // It is served, and then the limit falls to two, both of which are held.
            drop(held.pop());
            held.pop().unwrap().finish(Outcome::Throttled);
            assert_eq!((limiter.limit(), limiter.in_flight()), (2, 3));
            drop(waiting);
            assert_eq!(limiter.in_flight(), 2);
            assert!(limiter.try_acquire().is_none());
            drop(held);
            let all: Vec<_> = std::iter::from_fn(|| limiter.try_acquire()).collect();
            assert_eq!(all.len(), 2);
        }
    }

    #[test]
    fn what_one_who_gives_up_was_served_goes_to_who_waits_urgently() {
        let limiter = Limiter::fixed(1);
        let mut context = Context::from_waker(Waker::noop());
        let held = limiter.try_acquire().unwrap();
        let mut ordinary = Box::pin(limiter.acquire());
        assert!(ordinary.as_mut().poll(&mut context).is_pending());
        drop(held);
        // It is served, and hasn't looked.
        let mut urgent = Box::pin(limiter.acquire_urgent());
        assert!(urgent.as_mut().poll(&mut context).is_pending());
        drop(ordinary);
        assert!(urgent.as_mut().poll(&mut context).is_ready());
        assert_eq!(limiter.in_flight(), 0);
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

    #[test]
    fn who_waits_urgently_is_served_first_and_who_gives_up_takes_no_permit_along() {
        let limiter = Limiter::fixed(1);
        assert_eq!(drop_after_polling(limiter.acquire_urgent()), Some(()));
        let mut context = Context::from_waker(Waker::noop());
        let held = limiter.try_acquire().unwrap();
        let mut ordinary = Box::pin(limiter.acquire());
        assert!(ordinary.as_mut().poll(&mut context).is_pending());
        let mut urgent: Vec<_> = (0..4).map(|_| Box::pin(limiter.acquire_urgent())).collect();
        for waiting in &mut urgent {
            assert!(waiting.as_mut().poll(&mut context).is_pending());
        }
        // The second gives up before anything comes back, and the first once it was served.
        drop(urgent.remove(1));
        drop(held);
        drop(urgent.remove(0));
        assert!(ordinary.as_mut().poll(&mut context).is_pending());
        for mut waiting in urgent {
            assert_eq!(limiter.in_flight(), 1);
            let permit = waiting.as_mut().poll(&mut context);
            assert!(permit.is_ready());
            assert!(ordinary.as_mut().poll(&mut context).is_pending());
        }
        let permit = ordinary.as_mut().poll(&mut context);
        assert!(permit.is_ready() && limiter.try_acquire().is_none());
        drop(permit);

        // The last who waits urgently gives up what it was served: it goes to the others.
        let held = limiter.try_acquire().unwrap();
        let mut ordinary = Box::pin(limiter.acquire());
        assert!(ordinary.as_mut().poll(&mut context).is_pending());
        let mut urgent = Box::pin(limiter.acquire_urgent());
        assert!(urgent.as_mut().poll(&mut context).is_pending());
        drop(held);
        drop(urgent);
        assert!(ordinary.as_mut().poll(&mut context).is_ready());
        assert_eq!(limiter.in_flight(), 0);
    }

    fn drop_after_polling(future: impl Future<Output = Permit>) -> Option<()> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        let polled = future.as_mut().poll(&mut context);
        polled.is_ready().then_some(())
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

    /// What those do who wait.
    #[derive(Clone, Copy, Debug)]
    enum Waiting {
        Wait { urgent: bool },
        Look { urgent: bool, which: usize },
        GiveUp { urgent: bool, which: usize },
        Finish,
    }

    fn waiting() -> impl Strategy<Value = Waiting> {
        prop_oneof![
            3 => any::<bool>().prop_map(|urgent| Waiting::Wait { urgent }),
            2 => (any::<bool>(), any::<usize>())
                .prop_map(|(urgent, which)| Waiting::Look { urgent, which }),
            1 => (any::<bool>(), any::<usize>())
                .prop_map(|(urgent, which)| Waiting::GiveUp { urgent, which }),
            2 => Just(Waiting::Finish),
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

        /// Of those who wait, in either queue, who are served and look at it, or give up before.
        #[test]
        fn no_way_of_waiting_loses_or_makes_a_permit(
            requests in 1_usize..5,
            steps in proptest::collection::vec(waiting(), 0..200),
        ) {
            type Acquire<'a> = std::pin::Pin<Box<dyn Future<Output = Permit> + 'a>>;
            let limiter = Limiter::fixed(requests);
            let mut context = Context::from_waker(Waker::noop());
            let (mut held, mut queues) = (Vec::new(), [Vec::<Acquire<'_>>::new(), Vec::new()]);
            for step in steps {
                match step {
                    Waiting::Wait { urgent } => {
                        let mut waiting: Acquire<'_> = if urgent {
                            Box::pin(limiter.acquire_urgent())
                        } else {
                            Box::pin(limiter.acquire())
                        };
                        let free = limiter.in_flight() < requests;
                        let none_waits = queues.iter().all(Vec::is_empty);
                        match waiting.as_mut().poll(&mut context) {
                            std::task::Poll::Ready(permit) => held.push(permit),
                            std::task::Poll::Pending => {
                                prop_assert!(!(free && none_waits));
                                queues[usize::from(urgent)].push(waiting);
                            }
                        }
                    }
                    Waiting::Look { urgent, which } => {
                        let queue = &mut queues[usize::from(urgent)];
                        if !queue.is_empty() {
                            let which = which % queue.len();
                            let polled = queue[which].as_mut().poll(&mut context);
                            if let std::task::Poll::Ready(permit) = polled {
                                drop(queue.remove(which));
                                held.push(permit);
                            }
                        }
                    }
                    Waiting::GiveUp { urgent, which } => {
                        let queue = &mut queues[usize::from(urgent)];
                        if !queue.is_empty() {
                            drop(queue.remove(which % queue.len()));
                        }
                    }
                    Waiting::Finish => drop(held.pop()),
                }
                prop_assert!(held.len() <= limiter.in_flight());
                prop_assert!(limiter.in_flight() <= requests);
            }
            // Whoever still waits is served in the end.
            drop(held);
            let mut waiting: Vec<_> = queues.into_iter().flatten().collect();
            while !waiting.is_empty() {
                let before = waiting.len();
                // What is served is given back at once.
                waiting.retain_mut(|waiting| waiting.as_mut().poll(&mut context).is_pending());
                prop_assert!(waiting.len() < before, "{before} wait for ever: {limiter:?}");
            }
            prop_assert_eq!(limiter.in_flight(), 0);
            let all = std::iter::from_fn(|| limiter.try_acquire()).collect::<Vec<_>>();
            prop_assert_eq!(all.len(), requests, "a permit was lost or made");
        }
    }
}
