//! Whatever happens between client and service, a counter is incremented at most once per call, and a
//! read is right or fails.
//!
//! The emulator is the service; a transport of this file's own plays faults around it. Tokio's clock
//! is paused, so that minutes of backoff take no time. Every run is made of one seed, which a failure
//! names; `OTS_FAULT_SEED` plays that one alone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use ots_core::request::{CreateTable, GetRow, UpdateRow};
use ots_core::retry::RetryBudget;
use ots_core::transport::{InProcess, TransportError};
use ots_core::{
    Client, ClientBuilder, ColumnValue, Credentials, Error, ErrorKind, PrimaryKey, RowUpdate,
    Transport,
};
use ots_emulator::Emulator;
use ots_proto::messages::PrimaryKeyType;
use tokio::time::Instant;

mod common;

use common::{Answer, chain};

/// What happens to one request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Nothing: the service answers.
    None,
    /// The connection is refused.
    Refused,
    /// It breaks before the service has read the request, but the client can't know.
    ResetBefore,
    /// The service acts, and the answer is lost.
    ResetAfter,
    /// The service refuses before it acts.
    Turned(u16, &'static str, &'static str),
    /// The service acts or doesn't, and answers that something went wrong.
    Failed(bool, u16, &'static str),
    /// So does something in front of it.
    Gateway(bool, u16),
    /// The service acts, and a bit of the answer's body changes on the way.
    Corrupt,
    /// The service acts, and the answer is cut short.
    Truncated,
    /// The service acts, and somebody else answers.
    Forged,
    /// Nobody answers in time; the service acts or doesn't.
    Hang(bool),
}

impl Fault {
    fn any(rng: &mut Rng) -> Self {
        let turned = [
            (503, "OTSServerBusy", "Server is busy."),
            (503, "OTSStorageServerBusy", ""),
            (429, "OTSFlowControl", "The requests have been throttled."),
            (403, "OTSQuotaExhausted", "Too frequent table operations."),
            (403, "OTSNotEnoughCapacityUnit", ""),
            (403, "OTSCapacityUnitExhausted", ""),
            (409, "OTSRowOperationConflict", ""),
            (404, "OTSTableNotReady", ""),
            (503, "OTSPartitionUnavailable", ""),
        ];
        let failed = [
            (500, "OTSInternalServerError"),
            (503, "OTSTimeout"),
            (503, "OTSServerUnavailable"),
            (408, "OTSRequestTimeout"),
            (500, "OTSOfNextYear"),
        ];
        match rng.u32(0..11) {
            0 => Self::None,
            1 => Self::Refused,
            2 => Self::ResetBefore,
            3 => Self::ResetAfter,
            4 => {
                let (status, code, message) = *rng.choice(&turned).unwrap();
                Self::Turned(status, code, message)
            }
            5 => {
                let (status, code) = *rng.choice(&failed).unwrap();
                Self::Failed(rng.bool(), status, code)
            }
            6 => Self::Gateway(rng.bool(), *rng.choice(&[429, 502, 503, 504]).unwrap()),
            7 => Self::Corrupt,
            8 => Self::Truncated,
            9 => Self::Forged,
            _ => Self::Hang(rng.bool()),
        }
    }

    fn reaches_the_service(self) -> bool {
        match self {
            Self::None | Self::ResetAfter | Self::Corrupt | Self::Truncated | Self::Forged => true,
            Self::Failed(acts, ..) | Self::Gateway(acts, _) | Self::Hang(acts) => acts,
            Self::Refused | Self::ResetBefore | Self::Turned(..) => false,
        }
    }
}

/// An emulator behind a network that plays tricks.
#[derive(Debug)]
struct Faulty {
    emulator: Emulator,
    rng: Mutex<Rng>,
    /// How often something goes wrong, of 100.
    percent: u32,
    played: Mutex<Vec<Fault>>,
    updates: AtomicU32,
}

#[async_trait]
impl Transport for Faulty {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let fault = {
            let mut rng = self.rng.lock().unwrap();
            match rng.u32(0..100) < self.percent {
                true => Fault::any(&mut rng),
                false => Fault::None,
            }
        };
        self.played.lock().unwrap().push(fault);
        let answer = fault.reaches_the_service().then(|| {
            let answer = self.emulator.handle(request.clone());
            if answer.status().is_success() && request.uri().path() == "/UpdateRow" {
                self.updates.fetch_add(1, Ordering::Relaxed);
            }
            answer
        });
        let by_service = |answer: Answer| {
            let answer = answer.with("x-ots-date", &request.headers()["x-ots-date"]);
            Ok(answer
                .signed_by(Emulator::ACCESS_KEY_ID, &signer(&request))
                .to(&request))
        };
        match fault {
            Fault::None => Ok(answer.unwrap()),
            Fault::Refused => Err(TransportError::not_sent("refused")),
            Fault::ResetBefore | Fault::ResetAfter => Err(TransportError::unknown("reset")),
            Fault::Turned(status, code, message) => {
                by_service(Answer::refusal(status, code, message))
            }
            Fault::Failed(_, status, code) => by_service(Answer::refusal(status, code, "")),
            Fault::Gateway(_, status) => {
                let answer = Answer::new(status, "<html>").without("x-ots-requestid");
                Ok(answer.unsigned().to(&request))
            }
            Fault::Corrupt => Ok(answer.unwrap().map(|body| self.flip_a_bit(body))),
            Fault::Truncated => Ok(answer.unwrap().map(|body| body.slice(..body.len() / 2))),
            Fault::Forged => {
                let answer =
                    Answer::new(200, "").with("x-ots-date", &request.headers()["x-ots-date"]);
                let forger = answer.signed_by(Emulator::ACCESS_KEY_ID, "guessed");
                Ok(forger.to(&request))
            }
            Fault::Hang(_) => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                Err(TransportError::unknown("too late"))
            }
        }
    }
}

impl Faulty {
    fn flip_a_bit(&self, body: Bytes) -> Bytes {
        let mut body = body.to_vec();
        let mut rng = self.rng.lock().unwrap();
        match rng.choice(&mut body) {
            Some(byte) => *byte ^= 1 << rng.u32(0..8),
            None => body.push(0),
        }
        body.into()
    }
}

/// The key that the answer to this request is signed by.
fn signer(request: &Request<Bytes>) -> String {
    let header = |name| request.headers().get(name)?.to_str().ok();
    match (header("x-ots-signdate"), header("x-ots-signregion")) {
        (Some(date), Some(region)) => {
            ots_core::sign::v4::signing_key(Emulator::ACCESS_KEY_SECRET, date, region)
        }
        _ => Emulator::ACCESS_KEY_SECRET.to_owned(),
    }
}

fn builder(transport: impl Transport + 'static) -> ClientBuilder {
    // Plain HTTP, so that every body is checked.
    Client::builder("http://db.example:1")
        .instance("shop")
        .credentials(Credentials::new(
            Emulator::ACCESS_KEY_ID,
            Emulator::ACCESS_KEY_SECRET,
        ))
        .transport(transport)
}

fn key() -> PrimaryKey {
    PrimaryKey::new().column("id", 7)
}

async fn read(client: &Client) -> Result<i64, Error> {
    let reply = client.send(GetRow::new("counters", key())).await?;
    let count = reply.row.as_ref().and_then(|row| row.get("count").cloned());
    match count {
        None => Ok(0),
        Some(ColumnValue::Integer(count)) => Ok(count),
        Some(other) => panic!("{other:?}"),
    }
}

async fn increment(client: &Client) -> Result<(), Error> {
    let update = RowUpdate::new(key()).increment("count", 1);
    client.send(UpdateRow::new("counters", update)).await?;
    Ok(())
}

/// Six increments and six reads over a faulty network.
async fn play(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let emulator = Emulator::builder().build();
    let direct = {
        let emulator = emulator.clone();
        builder(InProcess::new(move |request| emulator.handle(request)))
    };
    let direct = direct.build().unwrap();
    let table = CreateTable::new("counters").primary_key("id", PrimaryKeyType::Integer);
    direct.send(table).await.unwrap();

    let faulty = Arc::new(Faulty {
        emulator,
        percent: rng.u32(10..=100),
        rng: Mutex::new(rng.fork()),
        played: Mutex::default(),
        updates: AtomicU32::new(0),
    });
    let jitter = Mutex::new(rng.fork());
    let mut builder = builder(Arc::clone(&faulty)).random(move || jitter.lock().unwrap().f64());
    if rng.bool() {
        builder = builder.region("cn-hangzhou");
    }
    let client = builder.build().unwrap();

    for call in 0..6 {
        let begin = Instant::now();
        let shown = |what: &str, error: Option<&Error>| {
            let played = faulty.played.lock().unwrap();
            format!(
                "seed {seed}, call {call}, {what}: {:?} after {played:?}",
                error.map(chain)
            )
        };
        let check_failure = |what: &str, error: &Error| {
            let shown = shown(what, Some(error));
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::Service(_) | ErrorKind::Transport | ErrorKind::Response(_)
                ),
                "{shown}"
            );
            assert!((1..=20).contains(&error.attempts()), "{shown}");
        };

        let before = read(&direct).await.unwrap();
        faulty.updates.store(0, Ordering::Relaxed);
        faulty.played.lock().unwrap().clear();
        let outcome = increment(&client).await;
        let added = read(&direct).await.unwrap() - before;
        let ran = i64::from(faulty.updates.load(Ordering::Relaxed));
        let text = shown("increment", outcome.as_ref().err());
        assert_eq!(added, ran, "{text}");
        match &outcome {
            Ok(()) => assert_eq!(added, 1, "{text}"),
            Err(error) => {
                check_failure("increment", error);
                let most = i64::from(error.may_have_run());
                assert!((0..=most).contains(&added), "{added} added, {text}");
            }
        }
        let passed = begin.elapsed();
        assert!(passed <= Duration::from_secs(91), "{passed:?}, {text}");

        faulty.played.lock().unwrap().clear();
        match read(&client).await {
            Ok(count) => assert_eq!(count, before + added, "{}", shown("read", None)),
            Err(error) => check_failure("read", &error),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_increment_runs_at_most_once_and_a_read_is_right_or_fails() {
    match env::var("OTS_FAULT_SEED") {
        Ok(seed) => play(seed.parse().unwrap()).await,
        Err(_) => {
            for seed in 0..300 {
                play(seed).await;
            }
        }
    }
}

/// A service that is always busy, and when it was asked.
#[derive(Debug)]
struct Busy {
    asked: Mutex<Vec<Duration>>,
    start: Instant,
}

#[async_trait]
impl Transport for Busy {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.asked.lock().unwrap().push(self.start.elapsed());
        let answer = Answer::busy().with("x-ots-date", &request.headers()["x-ots-date"]);
        Ok(answer
            .signed_by(Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET)
            .to(&request))
    }
}

#[tokio::test(start_paused = true)]
async fn many_calls_that_fail_together_make_no_more_attempts_than_the_budget_allows() {
    for (calls, burst, per_second) in [(50_u32, 10_u32, 2.0), (200, 100, 10.0), (8, 0, 0.5)] {
        let busy = Arc::new(Busy {
            asked: Mutex::default(),
            start: Instant::now(),
        });
        let mut budget = RetryBudget::new();
        budget.burst = burst;
        budget.per_second = per_second;
        // The same pauses every time.
        let jitter = Mutex::new(Rng::with_seed(u64::from(calls)));
        let client = builder(Arc::clone(&busy)).retry_budget(budget);
        let client = client.random(move || jitter.lock().unwrap().f64());
        let client = client.build().unwrap();

        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..calls {
            let client = client.clone();
            tasks.spawn(async move { read(&client).await.unwrap_err() });
        }
        let errors = tasks.join_all().await;

        let asked = busy.asked.lock().unwrap();
        let retries = asked.len() - usize::try_from(calls).unwrap();
        let longest_pause_s = 4.0;
        let mut waited: Vec<_> = asked.iter().map(Duration::as_secs_f64).collect();
        waited.sort_by(f64::total_cmp);
        let waited = waited.split_off(usize::try_from(calls).unwrap());
        for (first, from) in waited.iter().enumerate() {
            for (last, to) in waited.iter().enumerate().skip(first) {
                let allowed = f64::from(burst) + per_second * (to - from + longest_pause_s) + 1.0;
                let made = f64::from(u32::try_from(last - first + 1).unwrap());
                assert!(made <= allowed, "{made} retries in {} s", to - from);
            }
        }
        // And what it allows is used: calls wait for their turn rather than give up early.
        let allowed = f64::from(burst) + per_second * 60.0;
        let used = f64::from(u32::try_from(retries).unwrap()) / allowed;
        assert!((0.9..=1.0).contains(&used), "{retries} of {allowed}");
        for error in &errors {
            let text = error.to_string();
            let said = text.contains(" with no retries left in the client's budget: OTSServerBusy");
            assert_eq!(error.is_out_of_budget(), said, "{text}");
            assert!(error.elapsed() <= Duration::from_secs(61), "{text}");
        }
        assert!(errors.iter().any(Error::is_out_of_budget));
    }
}
