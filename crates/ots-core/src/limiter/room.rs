//! How much room there is, and who takes it: the limit and the queue under one lock, held for the length
//! of a decision.
//!
//! One thing is true whenever the lock is free: where somebody waits, there is no room.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::Outcome;
use super::aimd::{Aimd, Ticket};
use super::queue::{Place, Queue, Urgency};
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// Room for requests.
#[derive(Debug)]
pub(super) struct Room(Mutex<State>);

#[derive(Debug)]
struct State {
    aimd: Aimd,
    /// Requests that have room, also of those who were served and haven't looked yet. More than the
    /// limit for a while, after the limit has fallen.
    in_flight: usize,
    queue: Queue,
}

impl Room {
    pub(super) fn new(aimd: Aimd) -> Self {
        Self(Mutex::new(State {
            aimd,
            in_flight: 0,
            queue: Queue::default(),
        }))
    }

    /// Takes room if there is some now.
    pub(super) fn take(&self) -> Option<Ticket> {
        self.lock().take()
    }

    /// Waits for room, and takes it.
    pub(super) const fn wait(&self, urgency: Urgency) -> Waiting<'_> {
        Waiting {
            room: self,
            urgency,
            place: None,
        }
    }

    /// Gives back what one took.
    pub(super) fn finish(&self, ticket: Ticket, outcome: Outcome) {
        let mut state = self.lock();
        let in_flight = state.in_flight;
        state.aimd.finish(ticket, outcome, in_flight);
        state.in_flight -= 1;
        self.serve(state);
    }

    pub(super) fn limit(&self) -> usize {
        self.lock().aimd.limit()
    }

    pub(super) fn max(&self) -> usize {
        self.lock().aimd.max()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.lock().in_flight
    }

    /// Gives the room there is to those who wait. They are woken when all of them have it, and without
    /// the lock, as nobody knows what a waker does.
    fn serve(&self, mut state: MutexGuard<'_, State>) {
        let Some(first) = state.serve() else { return };
        let others: Vec<Waker> = std::iter::from_fn(|| state.serve()).collect();
        drop(state);
        first.wake();
        others.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Ticket> {
        let has_room = self.in_flight < self.aimd.limit();
        has_room.then(|| {
            self.in_flight += 1;
            self.aimd.begin()
        })
    }

    fn serve(&mut self) -> Option<Waker> {
        if self.in_flight >= self.aimd.limit() {
            return None;
        }
        let waker = self.queue.serve()?;
        self.in_flight += 1;
        Some(waker)
    }
}

/// One who waits, until it has room or gives up.
pub(super) struct Waiting<'a> {
    room: &'a Room,
    urgency: Urgency,
    /// Where it waits, once it has found no room.
    place: Option<Place>,
}

impl Future for Waiting<'_> {
    type Output = Ticket;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ticket> {
        let mut state = self.room.lock();
        match self.place {
            None => {
                if let Some(ticket) = state.take() {
                    return Poll::Ready(ticket);
                }
                self.place = Some(state.queue.join(self.urgency, context.waker().clone()));
                Poll::Pending
            }
            Some(place) if state.queue.look(place, context.waker()) => {
                self.place = None;
                Poll::Ready(state.aimd.begin())
            }
            Some(_) => Poll::Pending,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut state = self.room.lock();
        if state.queue.leave(place) {
            // What it had been given, and hadn't looked at, is for the next.
            state.in_flight -= 1;
            self.room.serve(state);
        }
    }
}
