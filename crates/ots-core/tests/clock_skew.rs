//! A clock that is wrong is put right by the service, as far as the service can be believed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use ots_core::request::{GetRow, PutRow};
use ots_core::retry::NoRetry;
use ots_core::transport::{InProcess, Scripted, Step, TransportError};
use ots_core::{Client, ErrorCode, ManualClock, PrimaryKey, Row, Transport};
use ots_emulator::Emulator;
use ots_proto::messages;

mod common;

use common::{Answer, builder, credentials, now};

const HOUR: Duration = Duration::from_secs(3600);

fn key() -> PrimaryKey {
    PrimaryKey::new().column("id", 7)
}

fn read() -> GetRow {
    GetRow::new("orders", key())
}

fn write() -> PutRow {
    PutRow::new("orders", Row::new(key()))
}

/// The service's refusal, dated 2024-01-02T03:04:05.
fn mismatch() -> Answer {
    let message = "Mismatch between system time and x-ots-date: 2024-01-02T11:04:05.000Z.";
    Answer::refusal(403, "OTSAuthFailed", message)
}

fn absent_row() -> Answer {
    Answer::ok(&messages::GetRowResponse::default())
}

fn wrong_clock() -> ManualClock {
    ManualClock::new(now() + 8 * HOUR)
}

fn script(answers: impl IntoIterator<Item = Answer>) -> Arc<Scripted> {
    Arc::new(Scripted::new(answers.into_iter().map(Answer::step)))
}

fn dates(transport: &Scripted) -> Vec<String> {
    let sent = transport.sent();
    sent.iter()
        .map(|request| request.headers()["x-ots-date"].to_str().unwrap().to_owned())
        .collect()
}

const WRONG: &str = "2024-01-02T11:04:05.000Z";
const RIGHT: &str = "2024-01-02T03:04:05.000Z";

#[tokio::test]
async fn a_client_with_a_wrong_clock_asks_once_more_with_the_services_time() {
    let clock = wrong_clock();
    let transport = script([mismatch(), absent_row(), absent_row()]);
    let client = builder(Arc::clone(&transport), &clock).retry(NoRetry);
    let client = client.build().unwrap();
    client.send(read()).await.unwrap();
    client.send(read()).await.unwrap();
    assert_eq!(
        dates(&transport),
        [WRONG, RIGHT, RIGHT],
        "and keeps what it learned"
    );
    assert_eq!(clock.sleeps(), []);
}

#[tokio::test]
async fn who_wants_a_wrong_clock_noticed_is_told() {
    let transport = script([mismatch(), absent_row()]);
    let client = builder(Arc::clone(&transport), &wrong_clock()).clock_correction(false);
    let error = client.build().unwrap().send(read()).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::AuthFailed));
    assert_eq!(dates(&transport), [WRONG]);
}

#[tokio::test]
async fn a_write_is_sent_again_because_it_was_refused_before_it_ran() {
    let written = Answer::ok(&messages::PutRowResponse::default());
    let transport = script([mismatch(), written]);
    let client = builder(Arc::clone(&transport), &wrong_clock()).build();
    client.unwrap().send(write()).await.unwrap();
    assert_eq!(dates(&transport), [WRONG, RIGHT]);
}

#[tokio::test]
async fn a_service_that_is_never_content_is_asked_twice() {
    let transport = script([
        mismatch(),
        mismatch().with("x-ots-date", "2024-01-02T05:04:05.000000Z"),
        absent_row(),
    ]);
    let client = builder(Arc::clone(&transport), &wrong_clock()).build();
    let error = client.unwrap().send(read()).await.unwrap_err();
    assert_eq!((error.attempts(), transport.steps_left()), (2, 1));
    let text = error.to_string();
    assert!(
        text.contains("Mismatch between system time and x-ots-date"),
        "{text}"
    );
}

#[tokio::test]
async fn what_cannot_be_believed_changes_nothing() {
    let other_reason = Answer::refusal(403, "OTSAuthFailed", "Signature mismatch.");
    let answers = [
        ("unsigned over plain HTTP", mismatch().unsigned()),
        (
            "signed by another",
            mismatch().signed_by("an-id", "another secret"),
        ),
        ("damaged", mismatch().damaged(b"\x0a\x0dOTSAuthFailed")),
        ("undated", mismatch().without("x-ots-date")),
        ("dated badly", mismatch().with("x-ots-date", "yesterday")),
        (
            "days away",
            mismatch().with("x-ots-date", "2024-01-07T03:04:05.000000Z"),
        ),
        ("about something else", other_reason),
    ];
    for (name, answer) in answers {
        let transport = script([answer, absent_row()]);
        let client = builder(Arc::clone(&transport), &wrong_clock()).build();
        let error = client.unwrap().send(read()).await.unwrap_err();
        assert_eq!(error.attempts(), 1, "{name}");
        assert_eq!(transport.steps_left(), 1, "{name}");
    }
}

#[tokio::test]
async fn over_tls_an_unsigned_refusal_is_believed_but_a_wrong_signature_is_not() {
    let cases = [
        (mismatch().unsigned(), true),
        (mismatch().signed_by("an-id", "another secret"), false),
    ];
    for (answer, believed) in cases {
        let transport = script([answer, absent_row()]);
        let client = Client::builder("https://db.example")
            .instance("shop")
            .credentials(credentials())
            .transport(Arc::clone(&transport))
            .clock(wrong_clock())
            .build()
            .unwrap();
        assert_eq!(client.send(read()).await.is_ok(), believed);
    }
}

#[tokio::test]
async fn answers_are_checked_against_the_corrected_clock() {
    let late = absent_row().with("x-ots-date", "2024-01-02T11:04:05.000000Z");
    let transport = script([mismatch(), late]);
    let client = builder(Arc::clone(&transport), &wrong_clock()).build();
    let text = client.unwrap().send(read()).await.unwrap_err().to_string();
    assert!(text.contains("the response is dated"), "{text}");
}

#[tokio::test]
async fn what_one_client_learned_its_clones_know_and_others_do_not() {
    let clock = wrong_clock();
    let transport = script([mismatch(), absent_row(), absent_row(), absent_row()]);
    let client = builder(Arc::clone(&transport), &clock).build().unwrap();
    let other = builder(Arc::clone(&transport), &clock).build().unwrap();
    client.send(read()).await.unwrap();
    client.clone().send(read()).await.unwrap();
    other.send(read()).await.unwrap_err();
    assert_eq!(dates(&transport), [WRONG, RIGHT, RIGHT, WRONG]);
}

/// It doesn't sign refusals of this kind, so that only TLS can vouch for them.
#[tokio::test]
async fn the_emulators_refusal_is_enough_in_both_versions_of_the_signature() {
    for region in [None, Some("cn-hangzhou")] {
        for wrong_by_hours in [-9_i32, -1, 1, 9, 23] {
            let hours = HOUR * wrong_by_hours.unsigned_abs();
            let now = SystemTime::now();
            let start = if wrong_by_hours < 0 {
                now - hours
            } else {
                now + hours
            };
            let emulator = Emulator::builder().build();
            let transport = InProcess::new(move |request: Request<Bytes>| -> Response<Bytes> {
                emulator.handle(request)
            });
            let key = (Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET);
            let mut builder = Client::builder("https://in-process")
                .instance("shop")
                .credentials(ots_core::Credentials::new(key.0, key.1))
                .transport(transport)
                .clock(ManualClock::new(start));
            if let Some(region) = region {
                builder = builder.region(region);
            }
            let client = builder.build().unwrap();
            let tables = client.send(ots_core::request::ListTable::new()).await;
            assert!(tables.is_ok(), "{region:?} {wrong_by_hours}: {tables:?}");
        }
    }
}

/// Lets other calls begin before it answers.
#[derive(Debug)]
struct Together(Scripted);

#[async_trait]
impl Transport for Together {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        tokio::task::yield_now().await;
        self.0.send(request).await
    }
}

#[tokio::test]
async fn calls_that_learn_at_the_same_time_all_succeed() {
    // Both were sent with the wrong date. The second refusal brings no news, but its call has to ask
    // again all the same.
    let steps = [mismatch(), mismatch(), absent_row(), absent_row()].map(Answer::step);
    let transport = Together(Scripted::new(Vec::<Step>::from(steps)));
    let client = builder(transport, &wrong_clock()).build().unwrap();
    let (one, other) = tokio::join!(client.send(read()), client.send(read()));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
}
