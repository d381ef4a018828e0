//! Transports around transports: recorded and replayed, with faults, watched.
#![cfg(feature = "record")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use ots_core::request::{GetRow, ListTable, PutRow};
use ots_core::retry::NoRetry;
use ots_core::transport::{
    Fault, FaultRule, Faults, InProcess, Observed, Recorder, Replay, Scripted, Step, TransportError,
};
use ots_core::{Credentials, Error, ErrorKind, PrimaryKey, ResponseProblem, Row, Transport};
use ots_proto::messages;

#[path = "common/capture.rs"]
mod capture;
mod common;

use capture::Capture;
use common::{Answer, builder, client, clock};

const SECRET: &str = "hush-secret";
const TOKEN: &str = "hush-token";

fn credentials() -> Credentials {
    Credentials::new("the-id", SECRET).with_security_token(TOKEN)
}

fn key() -> PrimaryKey {
    PrimaryKey::new().column("id", 7)
}

fn read() -> GetRow {
    GetRow::new("orders", key())
}

fn write() -> PutRow {
    PutRow::new("orders", Row::new(key()).cell("price", 12))
}

/// A file in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn tables(names: &[&str]) -> Answer {
    let table_names = names.iter().map(|name| (*name).to_owned()).collect();
    Answer::ok(&messages::ListTableResponse { table_names })
}

/// Two lists of tables, a refusal, an unsigned refusal, and two failures: recorded, and what the caller
/// saw of them.
async fn recorded() -> (String, Vec<String>) {
    let by = |answer: Answer| answer.signed_by("the-id", SECRET).step();
    let unknown_key = Answer::refusal(403, "OTSAuthFailed", "The AccessKeyID does not exist.");
    let steps = [
        by(tables(&["orders"])),
        by(tables(&["orders", "cities"])),
        by(Answer::refusal(404, "OTSObjectNotExist", "No such table.")),
        unknown_key.unsigned().step(),
        Step::FailBeforeSend,
        Step::FailAfterSend,
    ];
    let file = Memory::default();
    let recorder = Arc::new(Recorder::new(Scripted::new(steps), file.clone()));
    let client = builder(Arc::clone(&recorder), &clock())
        .credentials(credentials())
        .retry(NoRetry)
        .build()
        .unwrap();
    let seen = six_calls(&client).await;
    recorder.finish().unwrap();
    (file.text(), seen)
}

async fn six_calls(client: &ots_core::Client) -> Vec<String> {
    fn shown<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
        match outcome {
            Ok(value) => format!("{value:?}"),
            Err(error) => common::chain(&error).join(" <- "),
        }
    }
    let mut seen = Vec::new();
    for _ in 0..2 {
        let reply = client.send(ListTable::new()).await;
        seen.push(shown(reply.map(ots_core::Reply::into_inner)));
    }
    for _ in 0..2 {
        seen.push(shown(client.send(read()).await));
    }
    for _ in 0..2 {
        seen.push(shown(client.send(write()).await));
    }
    seen
}

#[tokio::test]
async fn a_recording_has_a_line_an_exchange_and_no_secret() {
    let (recording, _) = recorded().await;
    let lines: Vec<_> = recording.lines().collect();
    assert_eq!(lines.len(), 6);
    let first: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!(first["operation"], "ListTable");
    assert_eq!(first["request"]["md5"], "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(first["answer"]["status"], 200);
    assert_eq!(first["answer"]["signed"], true);
    assert_eq!(
        first["answer"]["headers"]["x-ots-requestid"],
        common::REQUEST_ID
    );
    assert_eq!(
        first["answer"]["headers"]["authorization"],
        serde_json::Value::Null
    );
    let last: serde_json::Value = serde_json::from_str(lines[5]).unwrap();
    assert_eq!(last["failure"]["delivery"], "unknown");
    for secret in [
        "hush",
        "the-id",
        "db.example",
        "signature\"",
        "ststoken",
        "OTS the",
    ] {
        assert!(!recording.contains(secret), "{secret} in {recording}");
    }
}

#[tokio::test]
async fn a_replay_gives_the_same_answers_to_whoever_asks_checked_as_ever() {
    let (recording, seen) = recorded().await;
    let other = Credentials::new("other-id", "other-secret");
    for region in [None, Some("cn-hangzhou")] {
        let replay = Arc::new(Replay::parse(&recording, other.clone()).unwrap());
        // Years later, too: the answers are dated as the requests are.
        let clock = clock();
        clock.advance(Duration::from_secs(100_000_000));
        let client = builder(Arc::clone(&replay), &clock)
            .credentials(other.clone())
            .retry(NoRetry);
        let client = match region {
            None => client,
            Some(region) => client.region(region),
        };
        assert_eq!(six_calls(&client.build().unwrap()).await, seen);
        assert_eq!(replay.exchanges_left(), 0);
    }
    // By another key than the client's they are not believed.
    let stranger = Replay::parse(&recording, Credentials::new("other-id", "wrong")).unwrap();
    let client = builder(stranger, &clock())
        .credentials(other)
        .build()
        .unwrap();
    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        &ErrorKind::Response(ResponseProblem::Signature)
    );
}

#[tokio::test]
async fn a_replay_does_not_make_answers_up() {
    let (recording, _) = recorded().await;
    let replay = Replay::parse(&recording, common::credentials()).unwrap();
    let client = client(replay, &clock());
    client.send(ListTable::new()).await.unwrap();
    client.send(ListTable::new()).await.unwrap();
    let error = client.send(ListTable::new()).await.unwrap_err();
    let cause = "the recording has this ListTable 2 times, not once more";
    assert_eq!(
        (common::chain(&error)[2].as_str(), error.attempts()),
        (cause, 1)
    );
    let error = client
        .send(GetRow::new("elsewhere", key()))
        .await
        .unwrap_err();
    let cause = &common::chain(&error)[2];
    assert!(
        cause.starts_with("the recording has no GetRow with a body of MD5 "),
        "{cause}"
    );
    assert!(!error.may_have_run());
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_one_in_the_recording_and_when_it_is_played() {
    /// Never answers, or says itself that a time has passed.
    #[derive(Debug)]
    struct Late(bool);
    #[async_trait::async_trait]
    impl Transport for Late {
        async fn send(
            &self,
            _: http::Request<bytes::Bytes>,
        ) -> Result<http::Response<bytes::Bytes>, TransportError> {
            if self.0 {
                return Err(TransportError::not_sent("no connection in 10 s").timed_out());
            }
            std::future::pending().await
        }
    }
    for (says_so, may_have_run) in [(true, false), (false, true)] {
        let file = Memory::default();
        let recorder = Arc::new(Recorder::new(Late(says_so), file.clone()));
        let recorded = builder(Arc::clone(&recorder), &clock()).retry(NoRetry);
        let recorded = recorded.build().unwrap();
        let first = recorded.send(write()).await.unwrap_err();
        recorder.finish().unwrap();
        let recording = file.text();
        assert_eq!(recording.lines().count(), 1, "{recording}");
        let replay = Replay::parse(&recording, common::credentials()).unwrap();
        let played = builder(replay, &clock()).retry(NoRetry).build().unwrap();
        let second = played.send(write()).await.unwrap_err();
        for error in [first, second] {
            assert_eq!(error.error_type(), "timeout", "{error:?}");
            assert_eq!(error.may_have_run(), may_have_run);
        }
    }
}

#[tokio::test]
async fn a_recording_that_was_changed_is_noticed() {
    let (recording, _) = recorded().await;
    let first = recording.lines().next().unwrap();
    let parse = |text: &str| Replay::parse(text, common::credentials());
    for (line, problem) in [
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{}", "request is missing"),
        ("[]", "request is missing"),
        (&first.replace("ListTable", "ListTable\",\"x\":\""), ""),
        (
            &first.replace("\"md5\":\"1B", "\"md5\":\"2B"),
            "the request's md5 is not that of its body",
        ),
        (&first.replace("200", "20"), "status is no HTTP status"),
        (
            &first.replace("true", "1"),
            "signed is neither true nor false",
        ),
        (
            &first.replace("\"answer\"", "\"other\""),
            "failure is missing",
        ),
    ] {
        match parse(&format!("\n{line}\n")) {
            Ok(_) => assert_eq!(problem, "", "{line}"),
            Err(error) => {
                let text = format!("line 2 of the recording: {problem}");
                assert_eq!(error.to_string(), text, "{line}");
            }
        }
    }
    // A body under another's digest is found by the client, as over the network.
    let changed = first.replace("\"body\":\"CgZv", "\"body\":\"CgZw");
    assert_ne!(changed, first);
    let client = client(parse(&changed).unwrap(), &clock());
    let error = client.send(ListTable::new()).await.unwrap_err();
    let chain = format!("{:?}", common::chain(&error));
    // The damaged answer was retried as a read, and the recording had no second one.
    assert!(chain.contains("1 times, not once more"), "{chain}");
}

#[tokio::test]
async fn what_cannot_be_written_is_told_at_the_end() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let script = Scripted::new([tables(&[]).step()]);
    let recorder = Arc::new(Recorder::new(script, Full));
    client(Arc::clone(&recorder), &clock())
        .send(ListTable::new())
        .await
        .unwrap();
    let error = recorder.finish().unwrap_err();
    assert_eq!(
        common::chain(&error),
        ["the recording is incomplete: writing failed", "disk full"]
    );
}

fn service() -> impl Transport {
    InProcess::new(|request| match request.uri().path() {
        "/GetRow" => Answer::ok(&messages::GetRowResponse::default()).to(&request),
        "/PutRow" => Answer::ok(&messages::PutRowResponse::default()).to(&request),
        _ => tables(&["orders"]).to(&request),
    })
}

#[tokio::test]
async fn faults_meet_the_requests_they_are_meant_for() {
    let faults = Faults::new(service())
        .rule(FaultRule::new(Fault::Refuse).operation("GetRow").nth(2))
        .rule(
            FaultRule::new(Fault::ResetBefore)
                .operation("GetRow")
                .from(3)
                .times(2),
        )
        .rule(FaultRule::new(Fault::ResetAfter).operation("PutRow").nth(1));
    let faults = Arc::new(faults);
    let client = builder(Arc::clone(&faults), &clock())
        .retry(NoRetry)
        .build()
        .unwrap();
    let mut types = Vec::new();
    for _ in 0..5 {
        let outcome = client.send(read()).await;
        types.push(outcome.map_or_else(|error| error.error_type().to_owned(), |_| "ok".to_owned()));
    }
    assert_eq!(types, ["ok", "not_sent", "no_answer", "no_answer", "ok"]);
    assert_eq!(faults.reached(), 2);
    client.send(ListTable::new()).await.unwrap();
    let error = client.send(write()).await.unwrap_err();
    assert!(error.may_have_run());
    // The service did it; only its answer was lost.
    assert_eq!(faults.reached(), 4);
    client.send(write()).await.unwrap();
}

#[tokio::test]
async fn damaged_answers_are_noticed() {
    for (fault, error_type) in [
        (Fault::Truncate(3), "bad_response"),
        (Fault::Corrupt(0), "bad_response"),
        (Fault::Corrupt(usize::MAX), "bad_response"),
        (
            Fault::Status(StatusCode::BAD_GATEWAY, Bytes::from_static(b"<html>")),
            "not_from_service",
        ),
    ] {
        let faults = Faults::new(service()).rule(FaultRule::new(fault.clone()).times(1));
        let client = client(faults, &clock());
        let reply = client.send(ListTable::new()).await.unwrap();
        assert_eq!(
            (reply.attempts, reply.as_slice()),
            (2, &["orders".to_owned()][..]),
            "{fault:?}"
        );
        let faults = Faults::new(service()).rule(FaultRule::new(fault));
        let client = builder(faults, &clock()).retry(NoRetry).build().unwrap();
        let error = client.send(ListTable::new()).await.unwrap_err();
        assert_eq!(error.error_type(), error_type);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_time_that_passes() {
    let slow = FaultRule::new(Fault::Delay(Duration::from_secs(3600))).times(1);
    let client = client(Faults::new(service()).rule(slow), &clock());
    let reply = client.send(ListTable::new()).await.unwrap();
    assert_eq!(reply.attempts, 2);
}

#[tokio::test]
async fn a_watched_transport_tells_sizes_and_no_contents() {
    let (capture, _guard) = Capture::start();
    let lost = FaultRule::new(Fault::ResetAfter).operation("PutRow").nth(1);
    let transport = Observed::new(Faults::new(service()).rule(lost));
    let client = builder(transport, &clock()).build().unwrap();
    client.send(ListTable::new()).await.unwrap();
    client.send(write()).await.unwrap_err();
    client.close().await;
    let events = capture.events();
    let own: Vec<_> = events
        .iter()
        .filter(|(_, fields)| fields["target"] == "ots_core::transport")
        .map(|(_, fields)| fields)
        .collect();
    let messages: Vec<_> = own
        .iter()
        .map(|fields| fields["message"].as_str())
        .collect();
    assert_eq!(messages, ["exchanged", "not exchanged", "closed"]);
    assert_eq!(own[0]["db.operation.name"], "ListTable");
    assert_eq!(own[0]["http.response.status_code"], "200");
    assert_eq!(
        (
            own[0]["sent_bytes"].as_str(),
            own[0]["received_bytes"].as_str()
        ),
        ("0", "8")
    );
    assert!(own[1]["error"].contains("no whole answer"), "{own:?}");
    assert!(!capture.text().contains("price"));
}
