//! Who waits for room, in which order, and who has been served and doesn't know yet.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Waker;

/// As many urgent ones go before one who waits in turn, and no more: where all that a scan asks for is
/// urgent, as with few permits for many splits, others get a fourth of what there is.
const URGENT_IN_A_ROW: u32 = 3;

/// Whose turn comes first: the variants are in the order in which they are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Others depend on it.
    Urgent,
    /// It loses nothing by waiting.
    InTurn,
}

/// A place in the queue: by urgency, and then by who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Urgency, u64);

/// Those who wait. Each is in one of the two sets, from [`join`](Self::join) until it has seen that it
/// was served, or [leaves](Self::leave).
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeMap<Place, Waker>,
    /// They have room, and were woken to take it.
    served: BTreeSet<Place>,
    joined: u64,
    urgent_in_a_row: u32,
}

impl Queue {
    /// Takes the last place of those who are as urgent.
    pub(super) fn join(&mut self, urgency: Urgency, waker: Waker) -> Place {
        self.joined += 1;
        let place = Place(urgency, self.joined);
        self.waiting.insert(place, waker);
        place
    }

    /// Serves the next of those who wait, who is to be woken.
    pub(super) fn serve(&mut self) -> Option<Waker> {
        let place = self.next()?;
        let waker = self.waiting.remove(&place)?;
        self.served.insert(place);
        self.urgent_in_a_row = match place.0 {
            Urgency::Urgent => self.urgent_in_a_row.saturating_add(1),
            Urgency::InTurn => 0,
        };
        Some(waker)
    }

    /// The first, but for one in turn who has let enough of the urgent ones go before.
    fn next(&self) -> Option<Place> {
        let (first, _) = self.waiting.first_key_value()?;
        if first.0 == Urgency::Urgent && self.urgent_in_a_row >= URGENT_IN_A_ROW {
            let in_turn = self.waiting.range(Place(Urgency::InTurn, 0)..).next();
            return Some(in_turn.map_or(*first, |(place, _)| *place));
        }
        Some(*first)
    }

    /// Whether it has been served: then its place is no more. If not, it is woken by this waker.
    pub(super) fn look(&mut self, place: Place, waker: &Waker) -> bool {
        if let Some(known) = self.waiting.get_mut(&place) {
            known.clone_from(waker);
        }
        self.served.remove(&place)
    }

    /// Gives up. True if it had been served, and what it was given is free again.
    pub(super) fn leave(&mut self, place: Place) -> bool {
        self.waiting.remove(&place);
        self.served.remove(&place)
    }
}
