//! The limiter with many holders of permits: real threads, and a service that can bear so much.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ots_core::limiter::{Limiter, Outcome};
use ots_core::retry::NoRetry;
use ots_core::transport::Scripted;
use ots_core::{Call, Reply};
use ots_proto::messages;
use ots_proto::operation;
use tokio::task::JoinSet;

mod common;

use common::{Answer, builder, clock};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_permit_is_lost_or_made_under_threads() {
    let limiter = Limiter::adaptive_from(8, 16);
    let in_flight = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..32_u64 {
        let (limiter, in_flight) = (limiter.clone(), Arc::clone(&in_flight));
        tasks.spawn(async move {
            let mut rng = fastrand::Rng::with_seed(task);
            for _ in 0..200 {
                let wait = Duration::from_micros(rng.u64(1..2_000));
                // Some give up waiting, perhaps in the moment in which it is their turn.
                let Ok(permit) = tokio::time::timeout(wait, limiter.acquire()).await else {
                    continue;
                };
                assert!(in_flight.fetch_add(1, Ordering::SeqCst) < 16);
                tokio::task::yield_now().await;
                in_flight.fetch_sub(1, Ordering::SeqCst);
                match rng.u32(0..10) {
                    0 => permit.finish(Outcome::Throttled),
                    1 => drop(permit),
                    _ => permit.finish(Outcome::Answered),
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(limiter.in_flight(), 0);
    let all: Vec<_> = std::iter::from_fn(|| limiter.try_acquire()).collect();
    assert_eq!(all.len(), limiter.limit());
}

/// A service that answers up to so many requests at a time, and throttles the rest.
#[tokio::test(start_paused = true)]
async fn the_limit_settles_at_what_the_service_can_bear() {
    const BEARABLE: usize = 12;
    for max in [4, 64] {
        let limiter = Limiter::adaptive(max);
        let busy = Arc::new(AtomicUsize::new(0));
        let (answered, throttled) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        let start = tokio::time::Instant::now();
        for task in 0..100_u64 {
            let (limiter, busy) = (limiter.clone(), Arc::clone(&busy));
            let (answered, throttled) = (Arc::clone(&answered), Arc::clone(&throttled));
            tasks.spawn(async move {
                let mut rng = fastrand::Rng::with_seed(task);
                while start.elapsed() < Duration::from_secs(60) {
                    let permit = limiter.acquire().await;
                    if busy.fetch_add(1, Ordering::SeqCst) < BEARABLE {
                        tokio::time::sleep(Duration::from_millis(rng.u64(10..30))).await;
                        busy.fetch_sub(1, Ordering::SeqCst);
                        answered.fetch_add(1, Ordering::SeqCst);
                        permit.finish(Outcome::Answered);
                    } else {
                        busy.fetch_sub(1, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        throttled.fetch_add(1, Ordering::SeqCst);
                        permit.finish(Outcome::Throttled);
                    }
                }
            });
        }
        tasks.join_all().await;
        let (answered, throttled) = (
            answered.load(Ordering::SeqCst),
            throttled.load(Ordering::SeqCst),
        );
        // 12 at a time, 20 ms each, for 60 s.
        let possible = BEARABLE.min(max) * 60 * 50;
        assert!(
            answered * 10 >= possible * 6,
            "{answered} of {possible}, {throttled} throttled"
        );
        assert!(
            throttled * 10 <= answered,
            "{throttled} throttled, {answered} answered"
        );
        if max < BEARABLE {
            assert_eq!(throttled, 0, "never above what it was given");
        }
    }
}

#[tokio::test]
async fn throttling_that_a_call_got_over_is_still_told() {
    let tables = || Answer::ok(&messages::ListTableResponse::default());
    let call = async |answers: Vec<Answer>, retries: bool| {
        let script = Scripted::new(answers.into_iter().map(Answer::step));
        let builder = builder(script, &clock());
        let builder = if retries {
            builder
        } else {
            builder.retry(NoRetry)
        };
        let client = builder.build().unwrap();
        let request = messages::ListTableRequest::default();
        Call::<operation::ListTable>::call(&client, request).await
    };
    let cases = [
        (vec![tables()], true, Outcome::Answered, 0),
        (
            vec![Answer::busy(), Answer::busy(), tables()],
            true,
            Outcome::Throttled,
            2,
        ),
        (vec![Answer::busy()], false, Outcome::Throttled, 1),
        (
            vec![Answer::refusal(404, "OTSTableNotReady", ""), tables()],
            true,
            Outcome::Answered,
            0,
        ),
        (
            vec![Answer::refusal(400, "OTSParameterInvalid", "")],
            true,
            Outcome::Neutral,
            0,
        ),
    ];
    for (answers, retries, outcome, throttled) in cases {
        let result = call(answers, retries).await;
        assert_eq!(Outcome::of(&result), outcome);
        let counted = result
            .as_ref()
            .map_or_else(ots_core::Error::throttled, |reply| reply.throttled);
        assert_eq!(counted, throttled);
    }
    assert_eq!(Outcome::of(&Ok(Reply::new(()))), Outcome::Answered);
}
