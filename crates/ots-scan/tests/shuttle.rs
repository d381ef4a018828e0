//! Permits and room under every order of events that a scheduler can think of.
//!
//! The file of the budget is compiled once more here, over locks that hand control to that scheduler.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "tests, over a part of the crate"
)]

#[path = "../src/budget.rs"]
mod budget;

mod sync {
    pub(crate) use std::sync::PoisonError;

    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard};
}

use std::pin::pin;
use std::task::Poll;

use budget::{Budget, Room};
use shuttle::future::batch_semaphore::{BatchSemaphore, Fairness};
use shuttle::future::{block_on, spawn};
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::sync::{Arc, Mutex, mpsc};

const PAGE_BYTES: usize = 10;
const WORKERS: usize = 3;

/// What the accounting must never exceed.
#[derive(Default)]
struct Seen {
    in_flight: usize,
    held: usize,
    most_held: usize,
}

/// A page of one worker: room, then a permit, then the page; kept until the caller takes it.
async fn fetch(
    budget: &Arc<Budget>,
    permits: &BatchSemaphore,
    most: usize,
    seen: &Mutex<Seen>,
) -> Room {
    let mut room = loop {
        let mut room = budget.reserve().await;
        permits.acquire(1).await.unwrap();
        if room.renew() {
            break room;
        }
        permits.release(1);
    };
    {
        let mut seen = seen.lock().unwrap();
        seen.in_flight += 1;
        assert!(seen.in_flight <= most);
    }
    shuttle::future::yield_now().await;
    {
        let mut seen = seen.lock().unwrap();
        seen.in_flight -= 1;
        seen.held += 1;
        seen.most_held = seen.most_held.max(seen.held);
    }
    room.fill(PAGE_BYTES, false);
    permits.release(1);
    room
}

fn whole(bound_pages: usize, permits: usize, pages: usize) {
    let budget = Budget::new(bound_pages * PAGE_BYTES, u32::try_from(WORKERS).unwrap());
    let semaphore = Arc::new(BatchSemaphore::new(permits, Fairness::StrictlyFair));
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (sender, taken) = mpsc::channel();
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let (budget, semaphore, seen) = (
            Arc::clone(&budget),
            Arc::clone(&semaphore),
            Arc::clone(&seen),
        );
        let sender = sender.clone();
        workers.push(spawn(async move {
            for _ in 0..pages {
                let room = fetch(&budget, &semaphore, permits, &seen).await;
                sender.send(room).unwrap();
            }
        }));
    }
    drop(sender);
    let mut count = 0;
    while let Ok(room) = taken.recv() {
        count += 1;
        seen.lock().unwrap().held -= 1;
        drop(room);
    }
    for worker in workers {
        block_on(worker).unwrap();
    }
    assert_eq!(count, WORKERS * pages, "every page comes");
    assert_eq!(budget.used(), 0, "all room is given back");
    // Before the first page has come the guess is a third of the bound: only the permits hold back.
    let most = bound_pages.max(permits);
    assert!(seen.lock().unwrap().most_held <= most, "the bound holds");
    assert_eq!(semaphore.available_permits(), permits);
}

#[test]
fn no_order_of_events_loses_room_or_a_permit() {
    for (bound_pages, permits) in [(0, 1), (1, 2), (2, 1), (4, 3)] {
        shuttle::check_random(move || whole(bound_pages, permits, 3), 150);
        shuttle::check_pct(move || whole(bound_pages, permits, 2), 150, 3);
    }
}

/// Whoever waits may give up at any moment, as a scan does that is dropped.
#[test]
fn who_gives_up_waiting_wakes_the_next() {
    let model = || {
        let budget = Budget::new(PAGE_BYTES, 1);
        let mut first = block_on(budget.reserve());
        first.fill(PAGE_BYTES, false);
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let budget = Arc::clone(&budget);
                spawn(async move {
                    let polls = thread_rng().gen_range(0..3);
                    let gives_up = thread_rng().r#gen::<bool>();
                    let mut reserve = pin!(budget.reserve());
                    if gives_up {
                        let mut polled = 0;
                        let room = std::future::poll_fn(|cx| {
                            if polled == polls {
                                return Poll::Ready(None);
                            }
                            polled += 1;
                            let room = reserve.as_mut().poll(cx).map(Some);
                            cx.waker().wake_by_ref();
                            room
                        });
                        drop(room.await);
                    } else {
                        drop(reserve.await);
                    }
                })
            })
            .collect();
        drop(first);
        for worker in workers {
            block_on(worker).unwrap();
        }
        assert_eq!(budget.used(), 0);
    };
    shuttle::check_random(model, 500);
    shuttle::check_pct(model, 500, 3);
}
