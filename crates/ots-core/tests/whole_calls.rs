//! What holds for a call as a whole, however many requests it takes: its time, the client's budget of
//! retries, and whether a write may have happened.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use ots_core::request::{BatchWriteRow, ListTable, TableWrites};
use ots_core::retry::RetryBudget;
use ots_core::transport::{Scripted, Step};
use ots_core::{Client, Error, ErrorCode, PrimaryKey, Row, SystemClock};
use ots_proto::messages::{
    self, BatchWriteRowResponse, RowInBatchWriteRowResponse, TableInBatchWriteRowResponse,
};

mod common;

use common::{Answer, builder, clock};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// As many retries, and no more.
fn budget(burst: u32) -> RetryBudget {
    let mut budget = RetryBudget::new();
    (budget.burst, budget.per_second, budget.per_success) = (burst, 0.0, 0.0);
    budget
}

fn script(steps: Vec<Step>) -> Arc<Scripted> {
    Arc::new(Scripted::new(steps))
}

/// An answer to a batch of one row that failed so.
fn row_failed(code: &str) -> Answer {
    let row = RowInBatchWriteRowResponse {
        is_ok: false,
        error: Some(messages::Error {
            code: code.to_owned(),
            ..messages::Error::default()
        }),
        ..RowInBatchWriteRowResponse::default()
    };
    let table = TableInBatchWriteRowResponse {
        table_name: "cities".to_owned(),
        rows: vec![row],
    };
    let tables = vec![table];
    Answer::ok(&BatchWriteRowResponse { tables })
}

async fn put(client: &Client) -> Error {
    let row = Row::new(PrimaryKey::new().column("id", 7)).cell("name", "Hangzhou");
    let batch = BatchWriteRow::new().table(TableWrites::new("cities").puts([row]));
    let reply = client.send_rows(batch).await.unwrap();
    let row = reply.into_iter().flatten().next().unwrap();
    row.unwrap_err()
}

#[tokio::test]
async fn rows_that_are_sent_again_take_retries_from_the_budget() {
    let transport = script(
        (0..10)
            .map(|_| row_failed("OTSServerBusy").step())
            .collect(),
    );
    let client = builder(Arc::clone(&transport), &clock()).retry_budget(budget(3));
    let error = put(&client.build().unwrap()).await;
    assert_eq!(transport.sent().len(), 4);
    assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    assert!(error.is_out_of_budget());
    assert!(!error.may_have_run());
}

#[tokio::test]
async fn a_batch_whose_requests_fail_takes_retries_from_the_budget() {
    let transport = script((0..10).map(|_| Step::FailBeforeSend).collect());
    let client = builder(Arc::clone(&transport), &clock()).retry_budget(budget(3));
    let error = put(&client.build().unwrap()).await;
    assert_eq!(transport.sent().len(), 4);
    assert!(error.is_out_of_budget());
}

#[tokio::test(start_paused = true)]
async fn a_batch_ends_within_the_calls_time_with_all_its_requests() {
    // Pauses of 250, 500 and 1000 ms: the third would reach the limit.
    let transport = script(
        (0..10)
            .map(|_| row_failed("OTSServerBusy").step())
            .collect(),
    );
    let clock = clock();
    let client = builder(Arc::clone(&transport), &clock).call_timeout(ms(1750));
    let error = put(&client.build().unwrap()).await;
    assert_eq!(clock.sleeps(), [250, 500].map(ms));
    assert_eq!(transport.sent().len(), 3);
    assert!(!error.is_out_of_budget());
}

#[tokio::test(start_paused = true)]
async fn a_request_of_a_batch_has_what_is_left_of_the_calls_time() {
    let hour = || Step::Delay(ms(3_600_000));
    let busy = row_failed("OTSServerBusy").dated_step();
    let transport = script(vec![busy, hour(), hour(), hour()]);
    let client = builder(Arc::clone(&transport), &clock())
        .clock(SystemClock::new())
        .call_timeout(ms(1000));
    let client = client.build().unwrap();
    let began = tokio::time::Instant::now();
    let error = put(&client).await;
    assert_eq!(transport.sent().len(), 2);
    assert_eq!(began.elapsed().as_millis() / 10, 100);
    assert_eq!(error.error_type(), "timeout");
    assert!(error.may_have_run());
}

#[tokio::test]
async fn a_row_that_may_have_happened_at_the_first_attempt_says_so_after_the_last() {
    for last in ["OTSConditionCheckFail", "OTSParameterInvalid"] {
        let transport = script(vec![Step::FailAfterSend, row_failed(last).step()]);
        let client = builder(Arc::clone(&transport), &clock()).build().unwrap();
        let error = put(&client).await;
        assert_eq!(error.code(), Some(&ErrorCode::from(last)));
        assert_eq!(transport.sent().len(), 2);
        assert!(error.may_have_run(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_the_calls_time_forbids_takes_nothing_from_the_budget() {
    let listed = messages::ListTableResponse::default();
    let transport = script(vec![
        Answer::busy().step(),
        Answer::refusal(409, "OTSRowOperationConflict", "").step(),
        Answer::ok(&listed).step(),
    ]);
    let client = builder(Arc::clone(&transport), &clock())
        .call_timeout(ms(200))
        .retry_budget(budget(1))
        .build()
        .unwrap();
    // A pause of 250 ms is too long, one of 50 ms isn't.
    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!((error.attempts(), error.is_out_of_budget()), (1, false));
    assert_eq!(client.send(ListTable::new()).await.unwrap().attempts, 2);
}

#[tokio::test]
async fn who_wants_no_limit_says_so_with_the_longest_duration() {
    let transport = script(vec![
        Answer::ok(&messages::ListTableResponse::default()).step(),
    ]);
    let client = builder(transport, &clock())
        .attempt_timeout(Duration::MAX)
        .call_timeout(Duration::MAX)
        .build()
        .unwrap();
    client.send(ListTable::new()).await.unwrap();
}
