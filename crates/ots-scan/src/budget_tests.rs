//! The bound on bytes, step by step. In a file of its own, because `tests/shuttle.rs` includes the
//! other.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::budget::{Budget, Room};

fn used(budget: &Budget) -> u64 {
    budget.used()
}

fn try_reserve(budget: &Arc<Budget>) -> Option<Room> {
    let mut reserve = pin!(budget.reserve());
    let mut cx = Context::from_waker(Waker::noop());
    match reserve.as_mut().poll(&mut cx) {
        Poll::Ready(room) => Some(room),
        Poll::Pending => None,
    }
}

#[test]
fn every_worker_may_ask_before_a_size_is_known() {
    let budget = Budget::new(100, 3);
    let rooms: Vec<_> = std::iter::from_fn(|| try_reserve(&budget)).collect();
    assert_eq!(rooms.len(), 3);
    drop(rooms);
    assert_eq!(used(&budget), 0);
}

#[test]
fn the_largest_page_of_late_is_the_guess_and_empty_ones_do_not_count() {
    let budget = Budget::new(100, 2);
    let mut room = try_reserve(&budget).unwrap();
    room.fill(2, true);
    assert_eq!(
        (used(&budget), try_reserve(&budget).unwrap().bytes()),
        (2, 50)
    );
    room.fill(30, false);
    assert_eq!(
        (used(&budget), try_reserve(&budget).unwrap().bytes()),
        (30, 30)
    );
    room.fill(10, false);
    assert_eq!(
        (used(&budget), try_reserve(&budget).unwrap().bytes()),
        (10, 27)
    );
}

#[test]
fn room_on_an_older_guess_is_renewed_or_given_back() {
    let budget = Budget::new(100, 4);
    let [mut first, mut second, mut third, mut fourth] =
        std::array::from_fn(|_| try_reserve(&budget).unwrap());
    assert!(first.renew(), "nothing is known yet");
    first.fill(30, false);
    drop(fourth);
    assert!(second.renew());
    assert_eq!((second.bytes(), used(&budget)), (30, 85));
    second.fill(50, false);
    assert!(
        !third.renew(),
        "30 and 50 lie here, and 50 more would not fit"
    );
    assert_eq!((third.bytes(), used(&budget)), (25, 105));
    drop((first, second));
    assert!(third.renew());
    third.fill(700, false);
    drop(third);
    fourth = try_reserve(&budget).unwrap();
    assert!(fourth.renew(), "alone");
}

#[test]
fn one_huge_page_is_forgotten() {
    let budget = Budget::new(1_000, 8);
    try_reserve(&budget).unwrap().fill(1_000_000, false);
    assert!(try_reserve(&budget).is_some_and(|_alone| try_reserve(&budget).is_none()));
    for _ in 0..80 {
        try_reserve(&budget).unwrap().fill(100, false);
    }
    let rooms: Vec<_> = std::iter::from_fn(|| try_reserve(&budget)).collect();
    assert_eq!(rooms.len(), 10);
}

#[test]
fn a_page_above_the_bound_passes_alone() {
    let budget = Budget::new(100, 1);
    let mut room = try_reserve(&budget).unwrap();
    room.fill(700, false);
    assert!(try_reserve(&budget).is_none());
    drop(room);
    let room = try_reserve(&budget).expect("alone");
    assert!(try_reserve(&budget).is_none());
    drop(room);
    assert_eq!(used(&budget), 0);
}

#[tokio::test]
async fn who_waits_is_woken_when_room_is_freed() {
    let budget = Budget::new(10, 1);
    let mut room = budget.reserve().await;
    room.fill(10, false);
    let waiting = tokio::spawn({
        let budget = Arc::clone(&budget);
        async move { budget.reserve().await.bytes() }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(room);
    assert_eq!(waiting.await.unwrap(), 10);
}

#[test]
fn who_came_first_is_served_first_and_who_gives_up_lets_the_next_pass() {
    let budget = Budget::new(10, 1);
    let mut room = try_reserve(&budget).unwrap();
    room.fill(10, false);
    let mut cx = Context::from_waker(Waker::noop());
    let mut first = Box::pin(budget.reserve());
    let mut second = Box::pin(budget.reserve());
    let mut third = Box::pin(budget.reserve());
    for waiting in [&mut first, &mut second, &mut third] {
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
    }
    drop(room);
    assert!(third.as_mut().poll(&mut cx).is_pending());
    assert!(
        try_reserve(&budget).is_none(),
        "nor does a newcomer overtake"
    );
    drop(first);
    assert!(third.as_mut().poll(&mut cx).is_pending());
    let room = second.as_mut().poll(&mut cx);
    assert!(room.is_ready() && third.as_mut().poll(&mut cx).is_pending());
    drop(room);
    assert!(third.as_mut().poll(&mut cx).is_ready());
}
