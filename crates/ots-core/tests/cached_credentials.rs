//! Temporary credentials: one fetch at a time, ahead of time, whoever asks and whoever leaves.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use ots_core::credentials::{CachedCredentials, CredentialsSource};
use ots_core::request::GetRow;
use ots_core::transport::{Scripted, TransportError};
use ots_core::{Credentials, CredentialsProvider, Error, ManualClock, PrimaryKey};
use ots_proto::messages;
use proptest::prelude::*;

mod common;

use common::{Answer, builder, chain};

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_704_164_645)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A source that hands out `id-1`, `id-2`, ..., each good for an hour, after a second.
#[derive(Clone, Debug)]
struct Numbered {
    clock: ManualClock,
    fetched: Arc<AtomicU32>,
    under_way: Arc<AtomicU32>,
    failures: Arc<Mutex<VecDeque<Error>>>,
    lifetime: Duration,
}

impl Numbered {
    fn new(clock: &ManualClock) -> Self {
        Self {
            clock: clock.clone(),
            fetched: Arc::default(),
            under_way: Arc::default(),
            failures: Arc::default(),
            lifetime: seconds(3600),
        }
    }

    fn fail_with(self, failures: impl IntoIterator<Item = Error>) -> Self {
        self.failures.lock().unwrap().extend(failures);
        self
    }

    fn cached(&self) -> CachedCredentials {
        CachedCredentials::with_clock(self.clone(), self.clock.clone())
    }

    fn fetched(&self) -> u32 {
        self.fetched.load(Ordering::SeqCst)
    }

    fn under_way(&self) -> u32 {
        self.under_way.load(Ordering::SeqCst)
    }
}

/// Counts a fetch as under way until it ends, however it ends.
struct UnderWay(Arc<AtomicU32>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl CredentialsSource for Numbered {
    async fn fetch(&self) -> Result<Credentials, Error> {
        let number = self.fetched.fetch_add(1, Ordering::SeqCst) + 1;
        let others = self.under_way.fetch_add(1, Ordering::SeqCst);
        let _under_way = UnderWay(Arc::clone(&self.under_way));
        assert_eq!(others, 0, "two fetches at a time");
        tokio::time::sleep(seconds(1)).await;
        if let Some(error) = self.failures.lock().unwrap().pop_front() {
            return Err(error);
        }
        let expiry = ots_core::Clock::now(&self.clock) + self.lifetime;
        Ok(Credentials::new(format!("id-{number}"), "secret").expiring_at(expiry))
    }
}

fn manual() -> ManualClock {
    ManualClock::new(start())
}

async fn id(cached: &CachedCredentials) -> String {
    cached.credentials().await.unwrap().id().to_owned()
}

/// Lets a fetch in the background end.
async fn settle() {
    tokio::time::sleep(seconds(5)).await;
}

fn unreachable_error() -> Error {
    Error::transport(TransportError::not_sent("metadata: no route"))
}

#[tokio::test(start_paused = true)]
async fn however_many_ask_one_fetch_answers_all() {
    let source = Numbered::new(&manual());
    let cached = source.cached();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let cached = cached.clone();
        tasks.spawn(async move { id(&cached).await });
    }
    assert_eq!(tasks.join_all().await, ["id-1"; 100]);
    assert_eq!(source.fetched(), 1);
}

#[tokio::test(start_paused = true)]
async fn new_ones_are_fetched_ahead_of_time_while_the_old_ones_are_used() {
    let clock = manual();
    let source = Numbered::new(&clock);
    let cached = source.cached();
    assert_eq!(id(&cached).await, "id-1");
    clock.advance(seconds(3600 - 301));
    assert_eq!(id(&cached).await, "id-1");
    settle().await;
    assert_eq!(source.fetched(), 1, "not yet");

    clock.advance(seconds(2));
    let begin = tokio::time::Instant::now();
    assert_eq!(id(&cached).await, "id-1");
    assert_eq!(id(&cached).await, "id-1");
    assert_eq!(begin.elapsed(), Duration::ZERO, "nobody waits");
    settle().await;
    assert_eq!(id(&cached).await, "id-2");
    assert_eq!(source.fetched(), 2);
}

#[tokio::test(start_paused = true)]
async fn expired_ones_are_never_used() {
    let clock = manual();
    let source = Numbered::new(&clock);
    let cached = source.cached();
    assert_eq!(id(&cached).await, "id-1");
    clock.advance(seconds(3600 - 5));
    assert_eq!(
        id(&cached).await,
        "id-2",
        "nor those that expire on the way"
    );
}

#[tokio::test(start_paused = true)]
async fn while_fetching_fails_the_old_ones_are_used_until_they_expire() {
    let clock = manual();
    let failures = (0..3).map(|_| unreachable_error());
    let source = Numbered::new(&clock);
    let cached = source.cached();
    assert_eq!(id(&cached).await, "id-1");
    source.clone().fail_with(failures);

    clock.advance(seconds(3400));
    for fetched in [2, 3] {
        assert_eq!(id(&cached).await, "id-1");
        settle().await;
        assert_eq!(id(&cached).await, "id-1", "the failure is remembered");
        settle().await;
        assert_eq!(source.fetched(), fetched);
        clock.advance(seconds(2));
    }
    clock.advance(seconds(200));
    let error = cached.credentials().await.unwrap_err();
    assert!(error.is_retryable() && !error.may_have_run());
    assert_eq!(
        chain(&error),
        [
            "no answer from the service",
            "the request could not be sent",
            "no answer from the service",
            "the request could not be sent",
            "metadata: no route",
        ]
    );
    clock.advance(seconds(2));
    assert_eq!(id(&cached).await, "id-5");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_for_a_second_and_told_to_everybody() {
    let clock = manual();
    let source = Numbered::new(&clock).fail_with([Error::configuration("the role is gone")]);
    let cached = source.cached();
    let (one, other) = tokio::join!(cached.credentials(), cached.credentials());
    for error in [one.unwrap_err(), other.unwrap_err()] {
        assert_eq!(chain(&error), ["the role is gone"]);
        assert!(!error.is_retryable());
    }
    clock.advance(Duration::from_millis(900));
    cached.credentials().await.unwrap_err();
    assert_eq!(source.fetched(), 1);
    clock.advance(Duration::from_millis(200));
    assert_eq!(id(&cached).await, "id-2");
}

#[tokio::test(start_paused = true)]
async fn who_leaves_takes_nothing_from_the_others() {
    let source = Numbered::new(&manual());
    let cached = source.cached();
    let first = tokio::time::timeout(Duration::from_millis(500), cached.credentials());
    let (first, second) = tokio::join!(first, cached.credentials());
    assert!(first.is_err());
    assert_eq!(second.unwrap().id(), "id-1");

    // Even if nobody waits any more, the fetch ends, and what it brought is kept.
    let cached = source.cached();
    let only = tokio::time::timeout(Duration::from_millis(500), cached.credentials());
    assert!(only.await.is_err());
    settle().await;
    let begin = tokio::time::Instant::now();
    assert_eq!(id(&cached).await, "id-2");
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_behind_when_the_last_clone_is_dropped() {
    let source = Numbered::new(&manual());
    let cached = source.cached();
    let waiting = tokio::time::timeout(Duration::from_millis(500), cached.credentials());
    assert!(waiting.await.is_err());
    assert_eq!(source.under_way(), 1);
    drop(cached);
    tokio::task::yield_now().await;
    assert_eq!(source.under_way(), 0, "the fetch goes on for nobody");
    assert_eq!(Arc::strong_count(&source.fetched), 1, "the source is kept");
}

#[derive(Debug)]
struct Hangs;

#[async_trait]
impl CredentialsSource for Hangs {
    async fn fetch(&self) -> Result<Credentials, Error> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_given_up() {
    let cached = CachedCredentials::new(Hangs).fetch_timeout(seconds(7));
    let begin = tokio::time::Instant::now();
    let error = cached.credentials().await.unwrap_err();
    assert!((seconds(7)..seconds(8)).contains(&begin.elapsed()));
    assert!(
        chain(&error).contains(&"no credentials within 7 s".to_owned()),
        "{:?}",
        chain(&error)
    );
}

#[derive(Debug, Default)]
struct PanicsOnce(AtomicU32);

#[async_trait]
impl CredentialsSource for PanicsOnce {
    async fn fetch(&self) -> Result<Credentials, Error> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("a bug in the source"),
            _ => Ok(Credentials::new("id", "secret")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_harms_one_fetch() {
    let cached = CachedCredentials::new(PanicsOnce::default());
    let error = cached.credentials().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(id(&cached).await, "id");
}

#[tokio::test(start_paused = true)]
async fn a_client_signs_with_them() {
    let clock = manual();
    let answer = Answer::ok(&messages::GetRowResponse::default()).signed_by("id-1", "secret");
    let transport = Arc::new(Scripted::new([answer.step()]));
    let client =
        builder(Arc::clone(&transport), &clock).credentials(Numbered::new(&clock).cached());
    let read = GetRow::new("orders", PrimaryKey::new().column("id", 7));
    client.build().unwrap().send(read).await.unwrap();
    assert_eq!(transport.sent()[0].headers()["x-ots-accesskeyid"], "id-1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever fails, and however time passes between the calls: nobody gets credentials that have
    /// expired, nobody is refused while some are good, and there is one fetch at a time.
    #[test]
    fn nobody_gets_expired_credentials_or_is_refused_good_ones(
        lifetime_s in 1_u64..2_000,
        passing in proptest::collection::vec((0_u64..800, any::<bool>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let clock = manual();
            let source = Numbered { lifetime: seconds(lifetime_s), ..Numbered::new(&clock) };
            let cached = source.cached();
            let mut good_until = start();
            for (passed, fails) in passing {
                clock.advance(seconds(passed));
                if fails {
                    source.failures.lock().unwrap().push_back(unreachable_error());
                }
                let now = ots_core::Clock::now(&clock);
                match cached.credentials().await {
                    Ok(credentials) => {
                        let expiry = credentials.expires_at().unwrap();
                        // Fresh ones that live only seconds are all there is.
                        let fresh = expiry == now + seconds(lifetime_s);
                        prop_assert!(fresh || expiry > now + seconds(10));
                        good_until = good_until.max(expiry);
                    }
                    Err(error) => {
                        prop_assert!(good_until <= now + seconds(10), "{error} while some were good");
                    }
                }
                settle().await;
            }
            Ok(())
        })?;
    }
}
