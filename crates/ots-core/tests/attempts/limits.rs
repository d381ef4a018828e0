//! How often, and how long.

use super::*;

#[tokio::test]
async fn the_last_of_all_attempts_ends_the_call() {
    let (transport, clock) = (script((0..99).map(|_| Answer::busy().step())), clock());
    // Half of every pause, so that the attempts run out before the time does.
    let client = builder(Arc::clone(&transport), &clock).random(|| 0.5);
    let error = client.build().unwrap().send(write()).await.unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "PutRow on table \"orders\" of instance \"shop\" failed after 20 attempts in 31.88 s: \
          OTSServerBusy, HTTP 503: Server is busy. \
          (request id 0005aedd-5b9e-9b48-a5c1-720b12a7b4bb)"
        ]
    );
    assert_eq!(transport.sent().len(), 20);
    assert_eq!(error.operation(), Some("PutRow"));
    assert_eq!(error.table(), Some("orders"));
    assert_eq!(error.instance(), Some("shop"));
    assert_eq!(
        (error.attempts(), error.elapsed()),
        (20, Duration::from_millis(31_875))
    );
    assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    assert_eq!(error.request_id(), Some(REQUEST_ID));
    let mut pauses = vec![125, 250, 500, 1000];
    pauses.resize(19, 2000);
    let pauses = pauses.into_iter().map(Duration::from_millis);
    assert_eq!(clock.sleeps(), pauses.collect::<Vec<_>>());
}

/// An answer that takes its time.
fn slow(answer: Answer, seconds: f64, clock: &ots_core::ManualClock) -> Step {
    let clock = clock.clone();
    Step::answer(move |request| {
        clock.advance(Duration::from_secs_f64(seconds));
        answer.to(request)
    })
}

#[tokio::test]
async fn no_attempt_begins_after_the_deadline() {
    let clock = clock();
    let transport = script((0..9).map(|_| slow(Answer::busy(), 25.0, &clock)));
    let error = client(Arc::clone(&transport), &clock)
        .send(read())
        .await
        .unwrap_err();
    assert_eq!(
        (error.attempts(), error.elapsed()),
        (3, Duration::from_millis(75_750))
    );
}

#[tokio::test]
async fn the_last_attempt_begins_at_the_deadline_however_long_the_pause_would_be() {
    let clock = clock();
    let steps = [slow(Answer::busy(), 59.9, &clock), absent_row().step()];
    client(Scripted::new(steps), &clock)
        .send(read())
        .await
        .unwrap();
    let pauses = clock.sleeps();
    assert_eq!(pauses.len(), 1);
    assert!(pauses[0] <= Duration::from_millis(100) && pauses[0] > Duration::from_millis(99));

    let clock = common::clock();
    let steps = [
        slow(Answer::busy(), 59.9, &clock),
        Answer::busy().step(),
        absent_row().step(),
    ];
    let transport = script(steps);
    let error = client(Arc::clone(&transport), &clock)
        .send(read())
        .await
        .unwrap_err();
    assert_eq!((error.attempts(), transport.steps_left()), (2, 1));
}

#[tokio::test]
async fn the_policy_is_the_callers_to_choose() {
    let transport = script([Answer::busy().step(), absent_row().step()]);
    let client = builder(Arc::clone(&transport), &clock())
        .retry(NoRetry)
        .build()
        .unwrap();
    let error = client.send(read()).await.unwrap_err();
    assert_eq!((error.attempts(), transport.steps_left()), (1, 1));

    let mut policy = DefaultRetryPolicy::new();
    policy.max_attempts = 3;
    let transport = script((0..9).map(|_| Answer::busy().step()));
    let client = builder(Arc::clone(&transport), &clock())
        .retry(policy)
        .build()
        .unwrap();
    assert_eq!(client.send(read()).await.unwrap_err().attempts(), 3);
}

/// A client on tokio's own clock, paused: an attempt's time is measured by it.
fn paused(transport: &Arc<Scripted>) -> Client {
    Client::builder("http://db.example:1")
        .instance("shop")
        .credentials(credentials())
        .transport(Arc::clone(transport))
        .random(|| 1.0)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_after_an_attempt_took_too_long() {
    let transport = script([
        Step::Delay(Duration::from_secs(40)),
        absent_row().dated_step(),
    ]);
    let start = tokio::time::Instant::now();
    paused(&transport).send(read()).await.unwrap();
    assert_eq!(transport.sent().len(), 2);
    let passed = start.elapsed();
    assert!((30.0..31.0).contains(&passed.as_secs_f64()), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_is_not_repeated_after_an_attempt_took_too_long() {
    let transport = script([Step::Delay(Duration::from_secs(40)), written().dated_step()]);
    let error = paused(&transport).send(write()).await.unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "PutRow on table \"orders\" of instance \"shop\" failed: no answer from the service",
            "the request was sent, but no whole answer came back",
            "no answer within 30 s",
        ]
    );
    assert_eq!(transport.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_the_deadline_and_one_attempt_at_most() {
    let transport = script((0..9).map(|_| Step::Delay(Duration::from_secs(3600))));
    let start = tokio::time::Instant::now();
    let error = paused(&transport).send(read()).await.unwrap_err();
    let passed = start.elapsed();
    assert!(passed <= Duration::from_millis(90_010), "{passed:?}");
    assert_eq!(error.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn backoff_on_a_manual_clock_waits_for_no_other() {
    let start = tokio::time::Instant::now();
    let steps = (0..10).map(|_| Answer::busy().step());
    let clock = clock();
    client(Scripted::new(steps), &clock)
        .send(read())
        .await
        .unwrap_err();
    assert!(clock.sleeps().iter().sum::<Duration>() > Duration::from_secs(20));
    assert_eq!(start.elapsed(), Duration::ZERO);
}
