//! What the limiter promises, for each way of taking, waiting and giving up.

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
fn what_an_ordinary_waiter_leaves_behind_is_for_those_who_wait_urgently() {
    let limiter = Limiter::fixed(1);
    let mut context = Context::from_waker(Waker::noop());
    let held = limiter.try_acquire().unwrap();
    let mut ordinary = Box::pin(limiter.acquire());
    assert!(ordinary.as_mut().poll(&mut context).is_pending());
    drop(held);
    // Granted to the one, who hasn't looked, when the other comes.
    let mut urgent = Box::pin(limiter.acquire_urgent());
    assert!(urgent.as_mut().poll(&mut context).is_pending());
    drop(ordinary);
    assert!(urgent.as_mut().poll(&mut context).is_ready());
    assert_eq!(limiter.in_flight(), 0);
}

#[test]
fn of_four_who_are_served_one_waited_in_turn_if_any_did() {
    let limiter = Limiter::fixed(1);
    let mut context = Context::from_waker(Waker::noop());
    let mut held = limiter.try_acquire();
    let mut queues: [Vec<_>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..9 {
        let waiting: [Pin<Box<dyn Future<Output = Permit>>>; 2] = [
            Box::pin(limiter.acquire()),
            Box::pin(limiter.acquire_urgent()),
        ];
        for (queue, mut waiting) in queues.iter_mut().zip(waiting) {
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            queue.push(waiting);
        }
    }
    let mut order = String::new();
    while held.take().is_some() {
        for (queue, name) in queues.iter_mut().zip(["o", "u"]) {
            let polled = queue
                .first_mut()
                .map(|first| first.as_mut().poll(&mut context));
            if let Some(std::task::Poll::Ready(permit)) = polled {
                order.push_str(name);
                drop(queue.remove(0));
                held = Some(permit);
            }
        }
    }
    assert_eq!(order, "uuuouuuouuuooooooo");
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
        type Acquire<'a> = Pin<Box<dyn Future<Output = Permit> + 'a>>;
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
            // Who waits while there is room has been served, whether it has looked or not.
            let wanted = held.len() + queues.iter().map(Vec::len).sum::<usize>();
            prop_assert_eq!(limiter.in_flight(), wanted.min(requests));
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
