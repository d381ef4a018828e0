//! Ends that come too soon: of the writer, of the runtime, of a task.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ots_core::limiter::Limiter;
use ots_core::retry::{Decision, Failure, RetryPolicy};
use ots_core::writer::{BatchWriter, Outcome, Settled};
use ots_core::{Call, Error, ErrorCode, Reply};
use ots_proto::messages::{BatchWriteRowRequest, BatchWriteRowResponse};
use ots_proto::operation;
use tokio::time::sleep;

use crate::service::{Busy, Faulty, builder, put, reports};

#[tokio::test(start_paused = true)]
async fn a_dropped_writer_says_what_it_leaves_undone() {
    let service = Faulty::new(1, 0.0);
    let (reports, report) = reports();
    let writer = builder(service.clone())
        .max_batch_rows(2)
        .limiter(Limiter::fixed(1))
        .start(report)
        .unwrap();
    for number in 0..9 {
        writer.write(put(number / 2, number), number).await.unwrap();
    }
    // The first batch is sent, and not answered.
    tokio::task::yield_now().await;
    drop(writer);
    assert_eq!(reports.lock().unwrap().len(), 7);
    sleep(Duration::from_secs(1)).await;
    let reports = reports.lock().unwrap();
    let written: Vec<_> = reports
        .iter()
        .filter(|settled| settled.outcome.is_written())
        .map(|settled| settled.tag)
        .collect();
    assert_eq!(
        written,
        [0, 2],
        "the first change of each of the first two rows"
    );
    let abandoned = reports.iter().filter(|settled| {
        matches!(
            settled.outcome,
            Outcome::Abandoned {
                may_have_run: false
            }
        )
    });
    assert_eq!(abandoned.count(), 7);
}

#[test]
fn a_runtime_that_ends_leaves_no_change_without_an_outcome() {
    let service = Faulty::new(1, 0.0);
    let (reports, report) = reports();
    // Paused, so that no time passes while there is something to do: no batch is answered.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let writer = runtime.block_on(async {
        let limiter = Limiter::fixed(1);
        let writer = builder(service.clone()).max_batch_rows(2).limiter(limiter);
        let writer = writer.start(report).unwrap();
        for number in 0..4 {
            writer.write(put(number, number), number).await.unwrap();
        }
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        writer
    });
    drop(runtime);
    drop(writer);
    let reports = reports.lock().unwrap();
    let may_have_run: Vec<_> = reports
        .iter()
        .map(|settled| match settled.outcome {
            Outcome::Abandoned { may_have_run } => (settled.tag, may_have_run),
            ref other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(may_have_run, [(0, true), (1, true), (2, false), (3, false)]);
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_writer_sends_nothing_more_and_can_be_waited_for() {
    let service = Faulty::new(1, 0.0);
    let (reports, report) = reports();
    let writer = builder(service.clone())
        .max_batch_rows(2)
        .limiter(Limiter::fixed(1))
        .start(report)
        .unwrap();
    for number in 0..5 {
        writer.write(put(number, number), number).await.unwrap();
    }
    // The first batch is sent, and not answered.
    tokio::task::yield_now().await;
    writer.abandon();
    writer.write(put(5, 5), 5).await.unwrap();
    writer.flush().await;
    let reports = reports.lock().unwrap();
    let outcomes = reports
        .iter()
        .map(|settled| (settled.tag, settled.outcome.is_written()));
    let mut outcomes: Vec<_> = outcomes.collect();
    outcomes.sort_unstable();
    let expected = [0, 1, 2, 3, 4, 5].map(|tag| (tag, tag < 2));
    assert_eq!(outcomes, expected);
    let totals = writer.totals();
    assert_eq!((totals.failed_rows, totals.requests), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_write_of_many_loses_none_of_those_that_were_accepted() {
    let service = Faulty::new(1, 0.0);
    let (reports, report) = reports();
    let writer = builder(service.clone()).max_bytes(20_000);
    let writer = writer.limiter(Limiter::fixed(1)).start(report).unwrap();
    let many = writer.write_all((0..1_000).map(|number| (put(number, number), number)));
    // The first batch takes up to 50 ms, and there is room for a few dozen rows only.
    tokio::time::timeout(Duration::from_millis(1), many)
        .await
        .unwrap_err();
    let accepted = writer.totals().accepted_rows;
    assert!((1..1_000).contains(&accepted), "{accepted}");
    writer.flush().await;
    let tags: HashSet<_> = reports.lock().unwrap().iter().map(|it| it.tag).collect();
    assert_eq!(tags, (0..accepted.cast_signed()).collect());
    // All room came back: what is written now doesn't wait for ever.
    writer
        .write_all((0..1_000).map(|number| (put(number, number), number)))
        .await;
    assert_eq!(writer.close().await.written_rows, accepted + 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_panics_costs_no_other_outcome() {
    let service = Faulty::new(1, 0.0);
    let told = Arc::new(Mutex::new(Vec::new()));
    let report = {
        let told = Arc::clone(&told);
        move |settled: Settled<i64>| {
            assert_ne!(settled.tag % 10, 3, "this is the panic of a test");
            told.lock().unwrap().push(settled.tag);
        }
    };
    let writer = builder(service.clone())
        .max_batch_rows(20)
        .start(report)
        .unwrap();
    writer
        .write_all((0..100).map(|number| (put(number, number), number)))
        .await;
    let totals = writer.close().await;
    assert_eq!(totals.written_rows, 100);
    let mut told = told.lock().unwrap().clone();
    told.sort_unstable();
    let expected: Vec<_> = (0..100).filter(|number| number % 10 != 3).collect();
    assert_eq!(told, expected);
}

/// A service in which a request is never answered: its task ends by a panic.
struct Panicking;

impl Call<operation::BatchWriteRow> for Panicking {
    async fn call(&self, _: BatchWriteRowRequest) -> Result<Reply<BatchWriteRowResponse>, Error> {
        panic!("this is the panic of a test");
    }
}

#[tokio::test]
async fn rows_whose_task_panics_are_reported_as_unknown() {
    let (reports, report) = reports();
    let writer = BatchWriter::builder(Panicking, "t").start(report).unwrap();
    writer
        .write_all((0..5).map(|number| (put(number, number), number)))
        .await;
    assert_eq!(writer.close().await.unknown_rows, 5);
    for settled in reports.lock().unwrap().iter() {
        assert!(matches!(
            settled.outcome,
            Outcome::Abandoned { may_have_run: true }
        ));
    }
}

/// Always again, and never at once: the pauses of the default policy are drawn by lot.
#[derive(Debug)]
struct Later;

impl RetryPolicy for Later {
    fn decide(&self, _: &Failure<'_>, _: f64) -> Decision {
        Decision::RetryAfter(Duration::from_secs(1))
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_wait_to_be_sent_again_are_not_once_the_writer_is_abandoned() {
    let (reports, report) = reports();
    let writer = BatchWriter::builder(Busy, "t").max_batch_rows(2);
    let writer = writer.retry(Later).start(report).unwrap();
    writer
        .write_all((0..6).map(|number| (put(number, number), number)))
        .await;
    // Every batch has its answer, and none the pause behind it.
    sleep(Duration::from_millis(1)).await;
    writer.abandon();
    writer.flush().await;
    assert_eq!(
        (writer.totals().failed_rows, writer.totals().requests),
        (6, 3)
    );
    for settled in reports.lock().unwrap().iter() {
        let Outcome::Failed {
            error,
            may_have_run: false,
        } = &settled.outcome
        else {
            panic!("{settled:?}");
        };
        assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    }
}

#[test]
fn outside_of_a_runtime_a_writer_does_not_start() {
    let (_, report) = reports();
    let error = builder(Faulty::new(1, 0.0)).start(report).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a batch writer needs a tokio runtime to start in"
    );
}
