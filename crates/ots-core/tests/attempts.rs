//! The loop of attempts, over a scripted transport and a clock that doesn't wait.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use ots_core::request::{GetRange, GetRow, ListTable, PutRow};
use ots_core::retry::{DefaultRetryPolicy, NoRetry};
use ots_core::transport::{Delivery, Scripted, Step};
use ots_core::{
    Call, Client, Credentials, CredentialsProvider, Error, ErrorCode, ErrorKind, PrimaryKey, Row,
    sign,
};
use ots_proto::messages;
use ots_proto::operation;
use prost::Message as _;

mod common;

use common::{Answer, ID, REQUEST_ID, SECRET, builder, chain, client, clock, credentials};

fn key() -> PrimaryKey {
    PrimaryKey::new().column("id", 7)
}

fn read() -> GetRow {
    GetRow::new("orders", key())
}

fn write() -> PutRow {
    PutRow::new("orders", Row::new(key()).cell("price", 12))
}

fn absent_row() -> Answer {
    Answer::ok(&messages::GetRowResponse::default())
}

fn written() -> Answer {
    Answer::ok(&messages::PutRowResponse::default())
}

fn script(steps: impl IntoIterator<Item = Step>) -> Arc<Scripted> {
    Arc::new(Scripted::new(steps))
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn every_attempt_has_a_fresh_date_and_signature() {
    let steps = [Answer::busy(), Answer::busy(), absent_row()].map(Answer::step);
    let (transport, clock) = (script(steps), clock());
    let client = client(Arc::clone(&transport), &clock);
    let reply: ots_core::Reply<_> = Call::<operation::GetRow>::call(
        &client,
        messages::GetRowRequest {
            table_name: "orders".to_owned(),
            ..Default::default()
        },
    )
    .await
    .unwrap();

    assert_eq!(
        (reply.attempts, reply.elapsed),
        (3, Duration::from_millis(750))
    );
    assert_eq!(reply.request_id, REQUEST_ID);
    assert_eq!(clock.sleeps(), [250, 500].map(Duration::from_millis));

    let sent = transport.sent();
    let dates: Vec<_> = sent
        .iter()
        .map(|request| header(request, "x-ots-date"))
        .collect();
    let wanted = [
        "2024-01-02T03:04:05.000Z",
        "2024-01-02T03:04:05.250Z",
        "2024-01-02T03:04:05.750Z",
    ];
    assert_eq!(dates, wanted);
    let signatures: BTreeSet<_> = sent
        .iter()
        .map(|request| header(request, "x-ots-signature"))
        .collect();
    assert_eq!(signatures.len(), 3);
    for request in &sent {
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let signature = sign::v2::sign(SECRET, "GetRow", headers);
        assert_eq!(header(request, "x-ots-signature"), signature);
        assert_eq!(request.uri(), "http://db.example:1/GetRow");
        assert_eq!(request.body(), sent[0].body());
        assert_eq!(
            header(request, "x-ots-contentmd5"),
            sign::content_md5(request.body())
        );
        assert_eq!(header(request, "x-ots-accesskeyid"), ID);
    }
}

#[tokio::test]
async fn a_busy_service_gets_a_write_again() {
    let transport = script([Answer::busy().step(), written().step()]);
    client(Arc::clone(&transport), &clock())
        .send(write())
        .await
        .unwrap();
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test]
async fn a_write_that_was_surely_not_sent_is_sent_again() {
    let transport = script([Step::FailBeforeSend, Step::FailBeforeSend, written().step()]);
    client(Arc::clone(&transport), &clock())
        .send(write())
        .await
        .unwrap();
    assert_eq!(transport.sent().len(), 3);
}

/// Failures after which nobody knows whether the request ran.
fn doubts() -> Vec<(&'static str, Step)> {
    let garbage = Answer::new(200, &b"\xff\xff\xff"[..]);
    vec![
        ("reset", Step::FailAfterSend),
        (
            "gateway",
            Answer::new(502, "oops")
                .without("x-ots-requestid")
                .unsigned()
                .step(),
        ),
        ("damaged", absent_row().damaged(b"\x0a\x00").step()),
        (
            "damaged refusal",
            Answer::busy().damaged(b"\x0a\x01A").step(),
        ),
        ("undecodable", garbage.step()),
        (
            "internal",
            Answer::refusal(500, "OTSInternalServerError", "").step(),
        ),
        ("timeout", Answer::refusal(503, "OTSTimeout", "").step()),
        (
            "unknown code",
            Answer::refusal(500, "OTSOfNextYear", "").step(),
        ),
        ("no error in the body", Answer::new(503, "<html>").step()),
    ]
}

#[tokio::test]
async fn a_read_is_repeated_when_its_answer_was_lost() {
    for (name, step) in doubts() {
        let transport = script([step, absent_row().step()]);
        let reply = client(Arc::clone(&transport), &clock()).send(read()).await;
        let reply = reply.unwrap();
        assert_eq!(reply.row, None, "{name}");
        assert_eq!((reply.attempts, transport.sent().len()), (2, 2), "{name}");
        assert_eq!(reply.request_id, REQUEST_ID, "{name}");
    }
}

#[tokio::test]
async fn a_write_is_not_repeated_when_its_answer_was_lost() {
    for (name, step) in doubts() {
        let transport = script([step, written().step()]);
        let error = client(Arc::clone(&transport), &clock())
            .send(write())
            .await
            .unwrap_err();
        assert_eq!((error.attempts(), transport.steps_left()), (1, 1), "{name}");
        assert!(
            error.is_retryable(),
            "{name}: whether to write again is the caller's choice"
        );
    }
}

#[tokio::test]
async fn a_lost_write_says_what_is_known() {
    let clock = clock();
    let error = client(Scripted::new([Step::FailAfterSend]), &clock)
        .send(write())
        .await;
    let error = error.unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "PutRow on table \"orders\" of instance \"shop\" failed: no answer from the service",
            "the request was sent, but no whole answer came back",
            "scripted: connection reset",
        ]
    );
    assert_eq!(error.kind(), &ErrorKind::Transport);
    assert_eq!(error.as_transport().unwrap().delivery(), Delivery::Unknown);
    assert_eq!(error.request_id(), None);
    assert_eq!(clock.sleeps(), []);
}

#[tokio::test]
async fn nothing_that_will_fail_again_is_repeated() {
    let answers = [
        Answer::refusal(403, "OTSConditionCheckFail", ""),
        Answer::refusal(400, "OTSParameterInvalid", ""),
        Answer::refusal(404, "OTSOfNextYear", ""),
        absent_row().signed_by(ID, "another secret"),
        absent_row().with("x-ots-date", "2024-01-02T03:30:00.000000Z"),
        absent_row().without("x-ots-date"),
        absent_row().header("x-ots-response-compress-type", "deflate"),
        Answer::new(404, "").without("x-ots-requestid").unsigned(),
        Answer::new(301, "")
            .header("location", "https://elsewhere")
            .unsigned(),
    ];
    for answer in answers {
        let transport = script([answer.clone().step(), absent_row().step()]);
        let error = client(Arc::clone(&transport), &clock())
            .send(read())
            .await
            .unwrap_err();
        assert_eq!(
            (error.attempts(), transport.sent().len()),
            (1, 1),
            "{answer:?}"
        );
        assert!(!error.is_retryable(), "{error}");
    }
}

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

/// A provider that gives another key each time, as temporary credentials do.
#[derive(Debug, Default)]
struct Rotating(AtomicU32);

#[async_trait]
impl CredentialsProvider for Rotating {
    async fn credentials(&self) -> Result<Credentials, Error> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let (id, secret) = (format!("id-{number}"), format!("secret-{number}"));
        Ok(Credentials::new(id, secret).with_security_token(format!("token-{number}")))
    }
}

#[tokio::test]
async fn every_attempt_asks_for_credentials_and_is_checked_against_them() {
    let transport = script([
        Answer::busy().signed_by("id-0", "secret-0").step(),
        absent_row().signed_by("id-1", "secret-1").step(),
    ]);
    let client = builder(Arc::clone(&transport), &clock()).credentials(Rotating::default());
    client.build().unwrap().send(read()).await.unwrap();
    let sent = transport.sent();
    assert_eq!(header(&sent[0], "x-ots-accesskeyid"), "id-0");
    assert_eq!(header(&sent[0], "x-ots-ststoken"), "token-0");
    assert_eq!(header(&sent[1], "x-ots-accesskeyid"), "id-1");
    assert_eq!(header(&sent[1], "x-ots-ststoken"), "token-1");
    for (number, request) in sent.iter().enumerate() {
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let signature = sign::v2::sign(&format!("secret-{number}"), "GetRow", headers);
        assert_eq!(header(request, "x-ots-signature"), signature);
    }
}

#[derive(Debug)]
struct NoCredentials;

#[async_trait]
impl CredentialsProvider for NoCredentials {
    async fn credentials(&self) -> Result<Credentials, Error> {
        Err(Error::configuration("the role has no credentials"))
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let transport = script([absent_row().step()]);
    let client = builder(Arc::clone(&transport), &clock()).credentials(NoCredentials);
    let error = client.build().unwrap().send(read()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GetRow on table \"orders\" of instance \"shop\" failed: the role has no credentials"
    );
    assert_eq!(transport.sent().len(), 0);
}

#[derive(Debug)]
struct HangsOnce(AtomicU32);

#[async_trait]
impl CredentialsProvider for HangsOnce {
    async fn credentials(&self) -> Result<Credentials, Error> {
        if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            std::future::pending::<()>().await;
        }
        Ok(credentials())
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_do_not_come_count_as_not_sent() {
    let transport = script([written().dated_step()]);
    let client = Client::builder("http://db.example:1")
        .instance("shop")
        .credentials(HangsOnce(AtomicU32::new(0)))
        .transport(Arc::clone(&transport))
        .build()
        .unwrap();
    client.send(write()).await.unwrap();
    assert_eq!(transport.sent().len(), 1);
}

#[tokio::test]
async fn a_key_that_a_header_cannot_carry_is_named_but_not_shown() {
    let transport = script([]);
    let cases = [
        (Credentials::new("bad\nid", SECRET), "x-ots-accesskeyid"),
        (
            Credentials::new(ID, SECRET).with_security_token("bad\ntoken"),
            "x-ots-ststoken",
        ),
    ];
    for (credentials, name) in cases {
        let client = builder(Arc::clone(&transport), &clock()).credentials(credentials);
        let error = client
            .build()
            .unwrap()
            .send(ListTable::new())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "ListTable on instance \"shop\" failed: {name} has characters that a header can't \
                 carry"
            )
        );
    }
    assert_eq!(transport.sent().len(), 0);
}

#[tokio::test]
async fn an_answer_found_wrong_after_the_call_has_the_whole_context() {
    let page = messages::GetRangeResponse {
        data_block_type: Some(messages::DataBlockType::SimpleRowMatrix.into()),
        ..Default::default()
    };
    let transport = Scripted::new([Answer::busy().step(), Answer::ok(&page).step()]);
    let range = GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    let error = client(transport, &clock()).send(range).await.unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "GetRange on table \"orders\" of instance \"shop\" failed after 2 attempts in 0.25 s: \
             the response's body can't be decoded \
             (request id 0005aedd-5b9e-9b48-a5c1-720b12a7b4bb)",
            "GetRange answered with a SimpleRowMatrix block, not asked for",
        ]
    );
    assert_eq!(error.request_id(), Some(REQUEST_ID));
}

#[tokio::test]
async fn a_wrong_request_is_not_sent() {
    let transport = script([]);
    let request = read().max_versions(0);
    let error = client(Arc::clone(&transport), &clock())
        .send(request)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "GetRow on table \"orders\": max_versions must be between 1 and 2147483647, got 0"
    );
    assert_eq!((error.attempts(), transport.sent().len()), (0, 0));
}

#[tokio::test]
async fn a_body_that_nests_without_end_is_an_error_not_a_crash() {
    // Groups within groups in a field nobody knows: skipped by recursion, which has a limit.
    let body = vec![0x7b; 1_000_000];
    let error = client(Scripted::new([Answer::new(200, body).step()]), &clock());
    let error = error.send(write()).await.unwrap_err();
    let texts = chain(&error);
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[2].contains("recursion limit reached"), "{texts:?}");
}

#[tokio::test]
async fn bodies_are_never_copied_between_transport_and_message() {
    let session = Bytes::from(vec![7; 4096]);
    let response = messages::ComputeSplitsResponse {
        session_id: Some(session),
        splits_size: Some(3),
    };
    let body = Bytes::from(response.encode_to_vec());
    let (start, end) = (body.as_ptr() as usize, body.as_ptr() as usize + body.len());
    let answer = Answer::new(200, body.clone());
    let client = client(Scripted::new([answer.step()]), &clock());
    let request = messages::ComputeSplitsRequest::default();
    let reply = Call::<operation::ComputeSplits>::call(&client, request)
        .await
        .unwrap();
    let session = reply.response.session_id.unwrap();
    assert!((start..end).contains(&(session.as_ptr() as usize)));
    assert_eq!(reply.body_bytes, body.len());
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

/// A provider that takes its time, as one that asks a server does.
#[derive(Debug)]
struct Slow;

#[async_trait]
impl CredentialsProvider for Slow {
    async fn credentials(&self) -> Result<Credentials, Error> {
        tokio::time::sleep(Duration::from_secs(20)).await;
        Ok(credentials())
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_for_credentials_is_part_of_the_attempt() {
    let transport = script([Step::Delay(Duration::from_secs(3600))]);
    let client = Client::builder("http://db.example:1").instance("shop");
    let client = client.credentials(Slow).transport(Arc::clone(&transport));
    let client = client.retry(ots_core::retry::NoRetry).build().unwrap();
    let start = tokio::time::Instant::now();
    client.send(read()).await.unwrap_err();
    let passed = start.elapsed();
    assert!((30.0..31.0).contains(&passed.as_secs_f64()), "{passed:?}");
    assert_eq!(transport.sent().len(), 1);
}
