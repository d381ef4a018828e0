//! Room, permits and turns of the tasks of a table scan, under every order of events that a scheduler can
//! think of.
//!
//! A task is here what `src/table/worker.rs` does between its awaits: room, then a permit, then the page;
//! then its turn, which the one page that waits for the caller has; then the next page is begun before this
//! one is walked. The file of the budget is compiled once more, over locks that hand control to that
//! scheduler.

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

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use budget::{Budget, Room};
use shuttle::future::batch_semaphore::{BatchSemaphore, Fairness};
use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::sync::{Arc, Mutex, mpsc};

const PAGE_BYTES: usize = 10;
const TASKS: usize = 3;
const PAGES: usize = 3;

/// One permit of a semaphore, given back on drop.
struct Held(Arc<BatchSemaphore>);

impl Held {
    async fn acquire(semaphore: &Arc<BatchSemaphore>) -> Self {
        semaphore.acquire(1).await.unwrap();
        Self(Arc::clone(semaphore))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.release(1);
    }
}

/// A page that nobody has taken yet.
struct Ready {
    /// Counted as taken first.
    waits: Counted,
    room: Room,
    turn: Held,
}

/// Counts itself while it is there.
struct Counted(Arc<Mutex<usize>>);

impl Counted {
    fn new(count: &Arc<Mutex<usize>>, most: usize) -> Self {
        let mut now = count.lock().unwrap();
        *now += 1;
        assert!(*now <= most, "{now} where {most} may be");
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.lock().unwrap() -= 1;
    }
}

#[derive(Clone)]
struct Task {
    budget: Arc<Budget>,
    permits: Arc<BatchSemaphore>,
    most_permits: usize,
    in_flight: Arc<Mutex<usize>>,
    waiting: Arc<Mutex<usize>>,
    failed: Arc<Mutex<bool>>,
    events: mpsc::Sender<Ready>,
}

impl Task {
    /// None when the scan has failed elsewhere.
    async fn fetch(&self, is_due: bool) -> Option<Room> {
        if !is_due {
            return None;
        }
        let (mut room, permit) = loop {
            let mut room = self.budget.reserve().await;
            let permit = Held::acquire(&self.permits).await;
            if room.renew() {
                break (room, permit);
            }
        };
        if *self.failed.lock().unwrap() {
            return None;
        }
        let in_flight = Counted::new(&self.in_flight, self.most_permits);
        shuttle::future::yield_now().await;
        drop(in_flight);
        room.fill(PAGE_BYTES, false);
        drop(permit);
        Some(room)
    }

    /// One range: its pages, some of which come damaged; and perhaps a failure.
    async fn read(self, damages: usize, fails_at: Option<usize>) {
        let turns = Arc::new(BatchSemaphore::new(1, Fairness::StrictlyFair));
        let (mut page, mut damages) = (0, damages);
        let mut current = self.fetch(true).await;
        while let Some(room) = current {
            let turn = Held::acquire(&turns).await;
            let given = {
                let mut following = pin!(self.fetch(page + 1 < PAGES));
                let at_once = poll_fn(|cx| {
                    Poll::Ready(match following.as_mut().poll(cx) {
                        Poll::Ready(fetched) => Some(fetched),
                        Poll::Pending => None,
                    })
                });
                let at_once = at_once.await;
                let damaged = damages > 0 && thread_rng().r#gen::<bool>();
                if fails_at == Some(page) {
                    *self.failed.lock().unwrap() = true;
                    return;
                }
                if damaged {
                    // With what it held: it waits for room again.
                    drop((room, turn));
                    None
                } else {
                    let waits = Counted::new(&self.waiting, TASKS);
                    // Refused when the caller has gone.
                    drop(self.events.send(Ready { room, turn, waits }));
                    Some(match at_once {
                        Some(fetched) => fetched,
                        None => following.await,
                    })
                }
            };
            current = match given {
                Some(following) => {
                    page += 1;
                    following
                }
                None => {
                    damages -= 1;
                    self.fetch(true).await
                }
            };
        }
    }
}

/// A scan by three tasks whose caller takes so many pages and goes, or all.
fn scan(bound_pages: usize, permits: usize, takes: usize, damages: usize, fails_at: Option<usize>) {
    let (events, taken) = mpsc::channel();
    let task = Task {
        budget: Budget::new(bound_pages * PAGE_BYTES, u32::try_from(TASKS).unwrap()),
        permits: Arc::new(BatchSemaphore::new(permits, Fairness::StrictlyFair)),
        most_permits: permits,
        in_flight: Arc::default(),
        waiting: Arc::default(),
        failed: Arc::default(),
        events,
    };
    let tasks: Vec<JoinHandle<()>> = (0..TASKS)
        .map(|number| {
            let fails_at = fails_at.filter(|_| number == 0);
            spawn(task.clone().read(damages, fails_at))
        })
        .collect();
    let Task {
        budget,
        permits: semaphore,
        waiting,
        events,
        ..
    } = task;
    drop(events);
    let mut count = 0;
    while count < takes
        && let Ok(page) = taken.recv()
    {
        count += 1;
        drop(page);
    }
    // As a scan does that is dropped.
    drop(taken);
    if takes < TASKS * PAGES {
        tasks.iter().for_each(JoinHandle::abort);
    }
    for task in tasks {
        // Cancelled, if it was aborted.
        drop(block_on(task));
    }
    if takes == usize::MAX && fails_at.is_none() {
        assert_eq!(count, TASKS * PAGES, "every page comes");
    }
    assert_eq!(*waiting.lock().unwrap(), 0);
    assert_eq!(budget.used(), 0, "all room is given back");
    assert_eq!(semaphore.available_permits(), permits, "and every permit");
}

#[test]
fn no_order_of_events_stops_a_table_scan_or_loses_room_permits_or_turns() {
    for (bound_pages, permits) in [(0, 1), (1, 2), (2, 1), (3, 3), (8, 2)] {
        let whole = move || scan(bound_pages, permits, usize::MAX, 1, None);
        shuttle::check_random(whole, 100);
        shuttle::check_pct(whole, 100, 3);
    }
}

#[test]
fn a_caller_that_goes_and_a_range_that_fails_leave_nothing_behind() {
    for (bound_pages, permits) in [(0, 1), (2, 2), (8, 3)] {
        let goes = move || scan(bound_pages, permits, thread_rng().gen_range(0..5), 1, None);
        shuttle::check_random(goes, 100);
        let fails = move || {
            let page = thread_rng().gen_range(0..PAGES);
            scan(bound_pages, permits, usize::MAX, 1, Some(page));
        };
        shuttle::check_random(fails, 100);
        shuttle::check_pct(fails, 100, 3);
    }
}
