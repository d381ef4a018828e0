//! The limiter under every order of events that a scheduler can think of.
//!
//! Its files are compiled once more here, over locks that hand control to that scheduler.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "tests, over a part of the crate"
)]

#[path = "../src/limiter/aimd.rs"]
mod aimd;
#[path = "../src/limiter/queue.rs"]
mod queue;
#[path = "../src/limiter/room.rs"]
mod room;

mod sync {
    pub(crate) use std::sync::PoisonError;

    pub(crate) use shuttle::sync::{Mutex, MutexGuard};
}

/// As in `src/limiter/mod.rs`, whose own knows answers of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    Throttled,
    Neutral,
}

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use aimd::{Aimd, Ticket};
use queue::Urgency;
use room::Room;
use shuttle::future::{block_on, spawn, yield_now};
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering};

const MOST: usize = 4;

/// Waits for room, perhaps only for so many polls.
async fn wait(room: &Room, urgency: Urgency, polls: Option<usize>) -> Option<Ticket> {
    let mut waiting = pin!(room.wait(urgency));
    let mut polled = 0;
    poll_fn(|context| {
        if polls == Some(polled) {
            return Poll::Ready(None);
        }
        polled += 1;
        if polls.is_some() {
            context.waker().wake_by_ref();
        }
        waiting.as_mut().poll(context).map(Some)
    })
    .await
}

/// Some wait in turn and some urgently, some give up, and requests end in all ways. A permit that is lost,
/// or one who is forgotten, is a deadlock, which the scheduler tells of.
fn whole(start: usize) {
    let room = Arc::new(Room::new(Aimd::adaptive(start, MOST)));
    let in_flight = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..5)
        .map(|task| {
            let (room, in_flight) = (Arc::clone(&room), Arc::clone(&in_flight));
            spawn(async move {
                for _ in 0..3 {
                    let urgency = match (task + thread_rng().gen_range(0..2)) % 2 {
                        0 => Urgency::Urgent,
                        _ => Urgency::InTurn,
                    };
                    let gives_up = thread_rng().gen_range(0..3) == 0;
                    let polls = gives_up.then(|| thread_rng().gen_range(1..4));
                    let Some(ticket) = wait(&room, urgency, polls).await else {
                        continue;
                    };
                    assert!(in_flight.fetch_add(1, Ordering::SeqCst) < MOST);
                    yield_now().await;
                    in_flight.fetch_sub(1, Ordering::SeqCst);
                    room.finish(
                        ticket,
                        match thread_rng().gen_range(0..3) {
                            0 => Outcome::Throttled,
                            1 => Outcome::Neutral,
                            _ => Outcome::Answered,
                        },
                    );
                }
            })
        })
        .collect();
    for task in tasks {
        block_on(task).unwrap();
    }
    assert_eq!(room.in_flight(), 0);
    let all = std::iter::from_fn(|| room.take()).count();
    assert_eq!(all, room.limit(), "a permit was lost or made");
}

#[test]
fn no_order_of_events_loses_or_makes_a_permit_or_forgets_one_who_waits() {
    for start in [1, 2, MOST] {
        shuttle::check_random(move || whole(start), 400);
        shuttle::check_pct(move || whole(start), 400, 3);
    }
}
