//! What a plan decides, step by step.

use std::collections::VecDeque;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn token(page: u64) -> Option<Bytes> {
    Some(page.to_string().into())
}

#[test]
fn a_session_is_divided_into_as_many_splits_as_may_run() {
    for (splits_size, concurrency, max_parallel) in [(16, 8, 8), (3, 8, 3), (1, 1, 1)] {
        let mut plan = ScanPlan::new(count(splits_size), count(concurrency));
        assert_eq!(plan.max_parallel(), max_parallel);
        let asks: Vec<_> = std::iter::from_fn(|| plan.next_ask()).collect();
        let ids: Vec<_> = asks.iter().map(|ask| ask.split().id()).collect();
        assert_eq!(
            ids,
            Vec::from_iter(0..max_parallel),
            "nothing is left to wait"
        );
        assert!(asks.iter().all(|ask| ask.split().of() == max_parallel));
    }
}

#[test]
fn an_empty_page_with_a_token_is_not_the_end() {
    let mut plan = ScanPlan::new(count(1), count(1));
    let mut ask = plan.next_ask().unwrap();
    for page in 1..=5 {
        assert_eq!(ask.page(), page - 1);
        let next = plan.absorb(ask, Arrival::new(0, 8, token(page))).unwrap();
        let Next::Ask(next) = next else {
            panic!("ended after page {page}")
        };
        assert_eq!(next.token().cloned(), token(page));
        ask = next;
    }
    assert!(!plan.is_done());
}

#[test]
fn an_absent_token_ends_a_split_and_an_empty_one_too() {
    for end in [None, Some(Bytes::new())] {
        let mut plan = ScanPlan::new(count(2), count(2));
        let first = plan.next_ask().unwrap();
        let second = plan.next_ask().unwrap();
        let page = Arrival::new(4, 8, end);
        assert!(matches!(
            plan.absorb(second, page.clone()),
            Ok(Next::SplitDone)
        ));
        assert!(!plan.is_done(), "the other split has not ended");
        assert!(matches!(plan.absorb(first, page), Ok(Next::SplitDone)));
        assert!(plan.is_done());
        assert!(plan.next_ask().is_none());
    }
}

#[test]
fn a_repeated_token_is_borne_with_rows_and_for_a_while_without() {
    let mut plan = ScanPlan::new(count(1), count(1));
    let mut ask = plan.next_ask();
    let mut absorb = |rows| {
        match plan.absorb(ask.take().unwrap(), Arrival::new(rows, 8, token(0)))? {
            Next::Ask(next) => ask = Some(next),
            Next::SplitDone => panic!("ended"),
        }
        Ok::<(), NotAdvancing>(())
    };
    for _ in 0..3_000 {
        absorb(1).unwrap();
    }
    for _ in 0..999 {
        absorb(0).unwrap();
    }
    absorb(1).unwrap();
    for _ in 0..999 {
        absorb(0).unwrap();
    }
    let error = absorb(0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "split 0 of 1 was led back to where it was 1000 pages before, all without rows"
    );
    assert!(plan.has_failed() && !plan.is_done());
}

#[test]
fn nothing_is_asked_after_a_failure() {
    let mut plan = ScanPlan::new(count(3), count(3));
    let (failing, running) = (plan.next_ask().unwrap(), plan.next_ask().unwrap());
    assert!(plan.begin(&failing) && plan.begin(&running));
    plan.refused(4, 1);
    plan.fail(failing.generation());
    assert!(plan.next_ask().is_none(), "the third split is never begun");
    let Next::Ask(next) = plan.absorb(running, Arrival::new(1, 1, token(1))).unwrap() else {
        panic!("ended")
    };
    assert!(!plan.begin(&next));
    let progress = plan.progress();
    assert_eq!((progress.requests, progress.retries), (2, 3));
}

#[test]
fn nothing_of_an_earlier_session_is_taken() {
    let mut plan = ScanPlan::new(count(4), count(2));
    let (old, other) = (plan.next_ask().unwrap(), plan.next_ask().unwrap());
    let before = plan.before(&old).unwrap();
    let Next::Ask(following) = plan.absorb(old, Arrival::new(5, 50, token(1))).unwrap() else {
        panic!("ended")
    };
    plan.hand_over(Handed::new(
        other.split(),
        0,
        5,
        50,
        Position::At("1".into()),
    ));
    plan.restart(count(1), count(2));
    assert_eq!((plan.generation(), plan.max_parallel()), (1, 1));

    assert!(!plan.begin(&other) && plan.before(&other).is_none());
    assert!(plan.again(before).is_none());
    // Late answers and late failures of the old tasks change nothing.
    assert!(matches!(
        plan.absorb(following, Arrival::new(9, 90, token(2))),
        Ok(Next::SplitDone)
    ));
    plan.fail(0);
    assert!(!plan.has_failed() && !plan.is_done());
    let progress = plan.progress();
    assert_eq!(
        (
            progress.earlier_rows,
            progress.rows(),
            progress.buffered_pages
        ),
        (5, 0, 0)
    );

    let ask = plan.next_ask().unwrap();
    assert_eq!((ask.generation(), ask.page()), (1, 0));
    assert!(ask.token().is_none() && plan.next_ask().is_none());
    plan.absorb(ask, Arrival::new(0, 0, None)).unwrap();
    assert!(plan.is_done());
}

#[test]
fn a_damaged_page_takes_back_what_it_led_to() {
    let mut plan = ScanPlan::new(count(1), count(1));
    let first = plan.next_ask().unwrap();
    let Next::Ask(second) = plan.absorb(first, Arrival::new(3, 30, token(1))).unwrap() else {
        panic!("ended")
    };
    let before = plan.before(&second).unwrap();
    // It says that there is more, and what it leads to says that there isn't.
    let Next::Ask(third) = plan.absorb(second, Arrival::new(3, 30, token(7))).unwrap() else {
        panic!("ended")
    };
    plan.absorb(third, Arrival::new(0, 0, None)).unwrap();
    assert!(plan.is_done());

    let again = plan.again(before).unwrap();
    assert!(!plan.is_done(), "the end was that of a damaged page");
    assert_eq!((again.page(), again.token().cloned()), (1, token(1)));
    plan.absorb(again, Arrival::new(2, 20, None)).unwrap();
    let progress = plan.progress();
    assert_eq!(
        (
            progress.refetched,
            progress.buffered_pages,
            progress.buffered_bytes
        ),
        (1, 2, 50)
    );
    assert!(plan.is_done());
}

#[test]
fn a_plan_of_some_splits_goes_on_where_they_stand() {
    let split = |id| Split::new(id, 9).unwrap();
    let positions = [
        (split(7), Position::At("x".into())),
        (split(2), Position::Start),
        (split(4), Position::Done),
    ];
    let mut plan = ScanPlan::of(positions.clone());
    assert_eq!(plan.max_parallel(), 9);
    let asks: Vec<_> = std::iter::from_fn(|| plan.next_ask()).collect();
    let tokens: Vec<_> = asks
        .iter()
        .map(|ask| (ask.split().id(), ask.token().cloned()))
        .collect();
    assert_eq!(tokens, [(2, None), (7, Some("x".into()))]);
    for (split, position) in plan.positions() {
        assert!(positions.contains(&(split, position.clone())));
    }
    plan.hand_over(Handed::new(split(2), 0, 1, 9, Position::At("y".into())));
    let stands: Vec<_> = plan
        .positions()
        .map(|(_, position)| position.clone())
        .collect();
    assert_eq!(
        stands,
        [
            Position::At("y".into()),
            Position::Done,
            Position::At("x".into())
        ]
    );
    for ask in asks {
        plan.absorb(ask, Arrival::new(0, 0, None)).unwrap();
    }
    assert!(plan.is_done());
}

#[test]
fn states_follow_a_page_on_its_way() {
    let mut plan = ScanPlan::new(count(1), count(1));
    let state = |plan: &ScanPlan| plan.progress().splits[0].state;
    assert_eq!(state(&plan), SplitState::Pending);
    let ask = plan.next_ask().unwrap();
    assert_eq!(state(&plan), SplitState::Waiting);
    assert!(plan.begin(&ask));
    assert_eq!(state(&plan), SplitState::InFlight);
    plan.absorb(ask, Arrival::new(2, 9, None)).unwrap();
    assert_eq!(state(&plan), SplitState::Done);
    let buffered = plan.progress();
    assert_eq!((buffered.buffered_pages, buffered.buffered_bytes), (1, 9));
    assert!(!buffered.is_done(), "nobody has taken the page");
    plan.hand_over(Handed::new(
        Split::new(0, 1).unwrap(),
        0,
        2,
        9,
        Position::Done,
    ));
    assert!(plan.progress().is_done());
}

/// The rows of each page of each split; the first page always exists.
fn splits() -> impl Strategy<Value = Vec<Vec<u64>>> {
    let pages = proptest::collection::vec(prop_oneof![Just(0_u64), 1_u64..50], 1..12);
    proptest::collection::vec(pages, 1..=10)
}

proptest! {
    /// Asks are answered in any order; pages are taken late or at once.
    #[test]
    fn every_page_arrives_exactly_once_and_the_scan_ends_with_the_last(
        shape in splits(),
        spare in 0_u32..4,
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 1..400),
        failure in proptest::option::of(0_usize..60),
    ) {
        let of = u32::try_from(shape.len()).unwrap();
        let mut plan = ScanPlan::new(count(of + spare), count(of));
        let mut open: Vec<Ask> = std::iter::from_fn(|| plan.next_ask()).collect();
        let mut buffered = VecDeque::new();
        let mut seen = vec![Vec::new(); shape.len()];
        let mut given = vec![(0, 0); shape.len()];
        let mut answers = 0;
        let mut order = order.iter().cycle();
        let mut done = 0;

        while !open.is_empty() {
            prop_assert!(!plan.is_done(), "done while a page is awaited");
            let choice = order.next().unwrap();
            let ask = open.swap_remove(choice.index(open.len()));
            prop_assert!(plan.begin(&ask));
            if failure == Some(answers) {
                plan.refused(1, 0);
                plan.fail(ask.generation());
                break;
            }
            answers += 1;
            let split = ask.split();
            let pages = &shape[split.id() as usize];
            let page = usize::try_from(ask.page()).unwrap();
            // The token is the service's own account of what was asked.
            let asked = ask.token().map_or(0, |token| {
                std::str::from_utf8(token).unwrap().parse::<usize>().unwrap()
            });
            prop_assert_eq!(asked, page);
            seen[split.id() as usize].push(page);
            let token = (page + 1 < pages.len()).then(|| (page + 1).to_string().into());
            match plan.absorb(ask, Arrival::new(pages[page], pages[page] * 10, token)).unwrap() {
                Next::Ask(next) => open.push(next),
                Next::SplitDone => done += 1,
            }
            prop_assert_eq!(plan.is_done(), done == shape.len());
            buffered.push_back((split, pages[page]));
            if choice.index(3) > 0 && let Some((split, rows)) = buffered.pop_front() {
                plan.hand_over(Handed::new(split, 0, rows, rows * 10, Position::Done));
                let given = &mut given[split.id() as usize];
                *given = (given.0 + 1, given.1 + rows);
            }
        }

        let total: usize = shape.iter().map(Vec::len).sum();
        prop_assert_eq!(plan.is_done(), failure.is_none_or(|failure| failure >= total));
        prop_assert_eq!(plan.has_failed(), !plan.is_done());
        prop_assert!(plan.next_ask().is_none());
        for (pages, seen) in shape.iter().zip(&seen) {
            prop_assert_eq!(seen, &Vec::from_iter(0..seen.len()));
            prop_assert!(plan.has_failed() || seen.len() == pages.len());
        }
        // What the caller was given is counted, exactly, however the scan ended.
        let progress = plan.progress();
        let counted: Vec<_> =
            progress.splits.iter().map(|split| (split.pages, split.rows)).collect();
        prop_assert_eq!(counted, given);
        prop_assert_eq!(progress.buffered_pages, buffered.len() as u64);
    }
}

#[test]
fn a_page_of_an_earlier_session_is_no_longer_handed_over() {
    let two = NonZeroU32::new(2).unwrap();
    let mut plan = ScanPlan::new(two, two);
    let ask = plan.next_ask().unwrap();
    let (split, generation) = (ask.split(), ask.generation());
    plan.restart(two, two);
    let late = Handed::new(split, generation, 5, 50, Position::At("1".into()));
    plan.hand_over(late.suppressing(2));
    assert!(
        plan.positions()
            .all(|(_, position)| *position == Position::Start)
    );
    let progress = plan.progress();
    assert_eq!((progress.rows(), progress.suppressed_rows), (0, 0));
}

/// They admit to the data.
#[test]
fn tokens_are_not_printed() {
    let mut plan = ScanPlan::new(NonZeroU32::MIN, NonZeroU32::MIN);
    let ask = plan.next_ask().unwrap();
    let arrival = Arrival::new(3, 96, Some("a token".into()));
    let mut printed = format!("{arrival:?}");
    let next = plan.absorb(ask, arrival).unwrap();
    printed += &format!("{next:?} {plan:?}");
    let Next::Ask(ask) = next else { panic!() };
    printed += &format!("{:?}", plan.before(&ask));
    assert!(!printed.contains("a token"), "{printed}");
}
