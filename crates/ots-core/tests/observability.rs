//! What a client shows of its calls: spans, events, counts, metrics; and how it ends.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use ots_core::request::{BatchWriteRow, GetRow, ListTable, PutRow, TableWrites};
use ots_core::transport::{Scripted, Step};
use ots_core::{ErrorKind, PrimaryKey, Row, RowChange, Usage};
use ots_proto::messages::{self, CapacityUnit, ConsumedCapacity};
use prost::Message as _;
use tracing::Level;

#[path = "common/capture.rs"]
mod capture;
mod common;

use capture::Capture;
use common::{Answer, REQUEST_ID, builder, client, clock};

fn key() -> PrimaryKey {
    PrimaryKey::new().column("id", 7)
}

fn consumed(read: i32, write: i32) -> ConsumedCapacity {
    ConsumedCapacity {
        capacity_unit: CapacityUnit {
            read: Some(read),
            write: Some(write),
        },
        ..ConsumedCapacity::default()
    }
}

fn absent_row(read: i32) -> messages::GetRowResponse {
    messages::GetRowResponse {
        consumed: consumed(read, 0),
        ..messages::GetRowResponse::default()
    }
}

#[tokio::test]
async fn a_call_is_a_span_and_each_attempt_an_event() {
    let (capture, _guard) = Capture::start();
    let answer = absent_row(3);
    let script = Scripted::new([Answer::busy().step(), Answer::ok(&answer).step()]);
    let client = client(script, &clock());
    client.send(GetRow::new("orders", key())).await.unwrap();

    let spans = capture.spans("ots");
    assert_eq!(spans.len(), 1);
    let wanted = [
        ("otel.name", "GetRow orders"),
        ("otel.kind", "client"),
        ("db.system.name", "alibabacloud.tablestore"),
        ("db.namespace", "shop"),
        ("db.operation.name", "GetRow"),
        ("db.collection.name", "orders"),
        ("server.address", "db.example"),
        ("server.port", "1"),
        ("ots.request_id", REQUEST_ID),
        ("ots.retries", "1"),
    ];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(spans[0], wanted.into());

    let events = capture.events();
    let shown = |at: usize, name: &str| events[at].1[name].clone();
    assert_eq!(events.len(), 2);
    assert_eq!((events[0].0, events[1].0), (Level::INFO, Level::DEBUG));
    assert_eq!(shown(0, "message"), "trying again");
    assert_eq!(shown(0, "ots.attempt"), "1");
    assert_eq!(shown(0, "error.type"), "OTSServerBusy");
    assert_eq!(shown(0, "pause"), "250ms");
    assert_eq!(shown(1, "message"), "answered");
    assert_eq!(shown(1, "ots.attempt"), "2");
    assert_eq!(shown(1, "ots.request_id"), REQUEST_ID);
    let bytes = answer.encoded_len().to_string();
    assert_eq!(shown(1, "ots.received_bytes"), bytes);
}

#[tokio::test]
async fn a_failed_call_names_its_error_in_the_span() {
    let (capture, _guard) = Capture::start();
    let gone = Answer::refusal(404, "OTSObjectNotExist", "No such table.");
    let script = [gone.step(), Step::FailAfterSend, Step::FailBeforeSend];
    let client = builder(Scripted::new(script), &clock())
        .retry(ots_core::retry::NoRetry)
        .build()
        .unwrap();
    client
        .send(PutRow::new("orders", Row::new(key())))
        .await
        .unwrap_err();
    client
        .send(PutRow::new("orders", Row::new(key())))
        .await
        .unwrap_err();
    client.send(ListTable::new()).await.unwrap_err();

    let spans = capture.spans("ots");
    let types: Vec<_> = spans
        .iter()
        .map(|span| span["error.type"].as_str())
        .collect();
    assert_eq!(types, ["OTSObjectNotExist", "no_answer", "not_sent"]);
    assert_eq!(spans[0]["ots.request_id"], REQUEST_ID);
    assert!(!spans[1].contains_key("ots.request_id"));
    assert_eq!(spans[2]["otel.name"], "ListTable");
    assert!(!spans[2].contains_key("db.collection.name"));
    let messages: Vec<_> = capture.events();
    let quiet = messages
        .iter()
        .all(|(level, fields)| *level == Level::DEBUG && fields["message"] == "giving up");
    assert!(quiet && messages.len() == 3, "{messages:?}");
}

#[tokio::test]
async fn usage_counts_every_attempt_byte_and_unit() {
    let read = absent_row(3);
    let row = |units| messages::RowInBatchWriteRowResponse {
        is_ok: true,
        consumed: Some(consumed(0, units)),
        ..messages::RowInBatchWriteRowResponse::default()
    };
    let batch = messages::BatchWriteRowResponse {
        tables: vec![messages::TableInBatchWriteRowResponse {
            table_name: "orders".to_owned(),
            rows: vec![row(2), row(5)],
        }],
    };
    let gone = Answer::refusal(404, "OTSObjectNotExist", "");
    let transport = Arc::new(Scripted::new([
        Answer::busy().step(),
        Step::FailAfterSend,
        Answer::ok(&read).step(),
        Answer::ok(&batch).step(),
        gone.step(),
    ]));
    let client = client(Arc::clone(&transport), &clock());
    assert_eq!(client.usage(), Usage::default());
    client.send(GetRow::new("orders", key())).await.unwrap();
    let changes = [1, 2].map(|id| RowChange::Put(Row::new(PrimaryKey::new().column("id", id))));
    let writes = TableWrites::new("orders").changes(changes);
    client
        .send(BatchWriteRow::new().table(writes))
        .await
        .unwrap();
    client.send(GetRow::new("orders", key())).await.unwrap_err();

    let usage = client.clone().usage();
    assert_eq!((usage.calls, usage.failed_calls), (3, 1));
    assert_eq!((usage.attempts, usage.retries), (5, 2));
    assert_eq!((usage.consumed.read, usage.consumed.write), (3, 7));
    let sent: usize = transport
        .sent()
        .iter()
        .map(|request| request.body().len())
        .sum();
    assert_eq!(usage.bytes_sent, u64::try_from(sent).unwrap());
    let refusals = |code: &str, message: Option<&str>| messages::Error {
        code: code.to_owned(),
        message: message.map(str::to_owned),
        ..messages::Error::default()
    };
    let received = read.encoded_len()
        + batch.encoded_len()
        + refusals("OTSServerBusy", Some("Server is busy.")).encoded_len()
        + refusals("OTSObjectNotExist", None).encoded_len();
    assert_eq!(usage.bytes_received, u64::try_from(received).unwrap());
}

#[cfg(feature = "metrics")]
#[test]
fn metrics_have_the_names_of_the_conventions() {
    use std::collections::BTreeMap;

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let gone = Answer::refusal(404, "OTSObjectNotExist", "");
            let steps = [Answer::busy(), Answer::ok(&absent_row(3)), gone].map(Answer::step);
            let client = client(Scripted::new(steps), &clock());
            client.send(GetRow::new("orders", key())).await.unwrap();
            client.send(GetRow::new("gone", key())).await.unwrap_err();
        });
    });
    let mut counters = BTreeMap::new();
    let mut durations = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let (name, labels) = key.key().clone().into_parts();
        let labels: BTreeMap<_, _> = labels
            .iter()
            .map(|label| (label.key().to_owned(), label.value().to_owned()))
            .collect();
        let table = labels["db.collection.name"].clone();
        assert_eq!(labels["db.system.name"], "alibabacloud.tablestore");
        assert_eq!(labels["db.operation.name"], "GetRow");
        assert_eq!(labels["server.address"], "db.example");
        match value {
            DebugValue::Counter(count) => {
                counters.insert((table, name.as_str().to_owned()), count);
            }
            DebugValue::Histogram(values) => {
                assert_eq!(name.as_str(), "db.client.operation.duration");
                let seconds: Vec<f64> = values.into_iter().map(Into::into).collect();
                durations.push((table, labels.get("error.type").cloned(), seconds));
            }
            DebugValue::Gauge(_) => unreachable!("no gauges"),
        }
    }
    let count = |table: &str, name: &str| counters[&(table.to_owned(), name.to_owned())];
    assert_eq!(count("orders", "ots.client.attempts"), 2);
    assert_eq!(count("orders", "ots.client.retries"), 1);
    assert_eq!(count("orders", "ots.client.consumed.read_units"), 3);
    assert_eq!(count("gone", "ots.client.attempts"), 1);
    durations.sort_by(|a, b| a.0.cmp(&b.0));
    let gone = (
        "gone".to_owned(),
        Some("OTSObjectNotExist".to_owned()),
        vec![0.0],
    );
    // The clock stands still but for the pause of a quarter of a second.
    assert_eq!(durations, [gone, ("orders".to_owned(), None, vec![0.25])]);
}

#[tokio::test]
async fn closing_waits_for_calls_under_way_and_refuses_new_ones() {
    let slow = [
        Step::Delay(Duration::from_millis(200)),
        Answer::ok(&absent_row(1)).step(),
    ];
    let transport = Arc::new(Scripted::new(slow));
    let client = client(Arc::clone(&transport), &clock());
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.send(GetRow::new("orders", key())).await.map(drop) }
    });
    while transport.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!call.is_finished());
    client.close().await;
    // It had ended when the closing did.
    assert_eq!(client.usage().consumed.read, 1);
    call.await.unwrap().unwrap();

    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Closed);
    let text = "ListTable on instance \"shop\" failed: the client is closed";
    assert_eq!(error.to_string(), text);
    assert!(!error.is_retryable() && !error.may_have_run());
    assert_eq!(transport.sent().len(), 1);
    client.close().await;
}

#[tokio::test]
async fn a_call_whose_future_was_dropped_does_not_hold_up_the_closing() {
    let transport = Scripted::new([Step::Delay(Duration::from_secs(3600))]);
    let client = client(transport, &clock());
    let limit = Duration::from_millis(20);
    let dropped = tokio::time::timeout(limit, client.send(ListTable::new())).await;
    assert!(dropped.is_err());
    let closing = tokio::time::timeout(Duration::from_secs(60), client.close());
    closing.await.unwrap();
    let usage = client.usage();
    assert_eq!((usage.calls, usage.failed_calls), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_calls_limit_cuts_an_attempt_off() {
    let transport = Arc::new(Scripted::new([Step::Delay(Duration::from_secs(3600))]));
    let client = builder(Arc::clone(&transport), &clock())
        .call_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!((error.attempts(), error.error_type()), (1, "timeout"));
    assert!(error.may_have_run());
    assert_eq!(
        common::chain(&error),
        [
            "ListTable on instance \"shop\" failed: no answer from the service",
            "the request was sent, but no whole answer came back",
            "no answer within the call's 2 s",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_calls_limit_would_cut_is_not_begun() {
    // Pauses of 250, 500 and 1000 ms: the third would reach the limit.
    let steps = [(); 5].map(|()| Answer::busy().step());
    let (transport, clock) = (Arc::new(Scripted::new(steps)), clock());
    let client = builder(Arc::clone(&transport), &clock)
        .call_timeout(Duration::from_millis(1750))
        .build()
        .unwrap();
    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!(clock.sleeps(), [250, 500].map(Duration::from_millis));
    assert_eq!(error.attempts(), 3);
    assert_eq!(
        error.to_string(),
        format!(
            "ListTable on instance \"shop\" failed after 3 attempts in 0.75 s: OTSServerBusy, HTTP \
             503: Server is busy. (request id {REQUEST_ID})"
        )
    );
}
