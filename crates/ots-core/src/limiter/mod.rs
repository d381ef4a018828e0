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
mod queue;
mod room;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::aimd::{Aimd, Ticket};
use self::queue::Urgency;
use self::room::Room;
use crate::call::Reply;
use crate::error::Error;

/// A bound on requests in flight; see the [module](self).
///
/// Those who wait are served in the order in which they came.
#[derive(Clone, Debug)]
pub struct Limiter(Arc<Room>);

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
        Self(Arc::new(Room::new(aimd)))
    }

    /// Waits for room, and takes it.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue, and nothing else.
    pub async fn acquire(&self) -> Permit {
        self.permit(self.0.wait(Urgency::InTurn).await)
    }

    /// Waits for room ahead of those who wait in [`acquire`](Self::acquire), and behind those who wait
    /// here: for a request on which others depend, such as one that keeps a session alive. Of four
    /// requests that are given room one is ordinary, if any of those wait.
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    pub async fn acquire_urgent(&self) -> Permit {
        self.permit(self.0.wait(Urgency::Urgent).await)
    }

    /// Takes room if there is some now and nobody waits for it.
    #[must_use]
    pub fn try_acquire(&self) -> Option<Permit> {
        self.0.take().map(|ticket| self.permit(ticket))
    }

    fn permit(&self, ticket: Ticket) -> Permit {
        Permit {
            ticket,
            room: Arc::clone(&self.0),
            outcome: Outcome::Neutral,
        }
    }

    /// How many requests may be in flight now.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit()
    }

    /// How many requests may ever be in flight.
    #[must_use]
    pub fn max(&self) -> usize {
        self.0.max()
    }

    /// How many are in flight now. More than the limit for a while, after the limit has fallen.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.in_flight()
    }
}

fn clamp(requests: usize) -> usize {
    // As far as an f64 counts well enough; see `Aimd`.
    requests.clamp(1, usize::MAX >> 3)
}

/// The right to have one request in flight. Dropping it says nothing about the load; to say how the
/// request ended, [`finish`](Self::finish) it.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    room: Arc<Room>,
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
        self.room.finish(self.ticket, self.outcome);
    }
}
