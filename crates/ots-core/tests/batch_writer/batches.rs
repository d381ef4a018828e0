//! What goes into a batch, and what is sent again of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ots_core::writer::{BatchWriter, Outcome, Settled};
use ots_core::{Error, ErrorCode, PrimaryKey, Row, RowChange};
use tokio::time::sleep;

use crate::service::{Busy, Faulty, builder, key, put, reports};

#[tokio::test(start_paused = true)]
async fn one_bad_row_does_not_take_its_batch_with_it() {
    let service = Faulty::new(1, 0.0);
    service.with(|service| service.poison.extend([77, 140]));
    let (reports, report) = reports();
    let writer = builder(service.clone()).start(report).unwrap();
    for number in 0..200 {
        writer.write(put(number, number), number).await.unwrap();
    }
    let totals = writer.close().await;
    assert_eq!((totals.written_rows, totals.failed_rows), (198, 2));
    assert!(totals.requests < 40, "{totals:?}");
    let reports = reports.lock().unwrap();
    let failed = reports
        .iter()
        .filter(|settled| !settled.outcome.is_written());
    let mut failed: Vec<_> = failed
        .map(|settled| match &settled.outcome {
            Outcome::Failed {
                error,
                may_have_run: false,
            } => (settled.tag, error.code().cloned()),
            other => panic!("{other:?}"),
        })
        .collect();
    failed.sort_by_key(|(tag, _)| *tag);
    let invalid = || Some(ErrorCode::ParameterInvalid);
    assert_eq!(failed, [(77, invalid()), (140, invalid())]);
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_does_not_wait_and_an_unfilled_one_waits_a_moment() {
    let service = Faulty::new(1, 0.0);
    let (_, report) = reports();
    let writer = builder(service.clone())
        .linger(Duration::from_secs(5))
        .start(report)
        .unwrap();
    for number in 0..250 {
        writer.write(put(number, number), number).await.unwrap();
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(writer.totals().written_rows, 200);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(writer.totals().written_rows, 250);
    assert_eq!(writer.totals().requests, 2);
}

#[tokio::test]
async fn a_change_that_no_table_takes_is_not_accepted() {
    let service = Faulty::new(1, 0.0);
    let (reports, report) = reports();
    let writer = builder(service.clone()).start(report).unwrap();
    let wide = (0..1025).fold(Row::new(key(1)), |row, cell| {
        row.cell(format!("c{cell}"), 1)
    });
    let long = Row::new(PrimaryKey::new().column("id", "x".repeat(1025)));
    let large = Row::new(key(1)).cell("blob", vec![0_u8; 2 * 1024 * 1024 + 1]);
    for (row, said) in [
        (wide, "1025 cells, more than 1024"),
        (long, "key column id has 1025 bytes, more than 1024"),
        (large, "column blob has 2097153 bytes, more than 2097152"),
    ] {
        let error = writer.write(RowChange::Put(row), 1).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("BatchWriteRow on table \"t\": {said}")
        );
    }
    assert_eq!(writer.close().await.requests, 0);
    assert!(reports.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_change_that_is_not_accepted_gives_its_tag_back() {
    /// Neither printed nor copied.
    struct Receipt(&'static str);
    let writer = builder(Faulty::new(1, 0.0));
    let writer = writer.start(|_: Settled<Receipt>| {}).unwrap();
    let long = Row::new(PrimaryKey::new().column("id", "x".repeat(1025)));
    let rejected = writer.write(RowChange::Put(long), Receipt("mine")).await;
    let rejected = rejected.unwrap_err();
    assert_eq!(rejected.tag.0, "mine");
    let said = rejected.to_string();
    assert_eq!(Error::from(rejected).to_string(), said);
}

#[tokio::test(start_paused = true)]
async fn a_batch_in_which_every_row_is_bad_is_not_halved_to_the_end() {
    let service = Faulty::new(1, 0.0);
    service.with(|service| service.poison.extend(0..200));
    let (reports, report) = reports();
    let writer = builder(service.clone()).start(report).unwrap();
    for number in 0..200 {
        writer.write(put(number, number), number).await.unwrap();
    }
    let totals = writer.close().await;
    assert_eq!((totals.written_rows, totals.failed_rows), (0, 200));
    assert!(totals.requests < 40, "{totals:?}");
    assert!(reports.lock().unwrap().iter().all(|settled| matches!(
        &settled.outcome,
        Outcome::Failed { error, may_have_run: false }
            if error.code() == Some(&ErrorCode::ParameterInvalid)
    )));
}

#[tokio::test(start_paused = true)]
async fn many_bad_rows_ahead_of_good_ones_do_not_take_them_along() {
    let service = Faulty::new(1, 0.0);
    service.with(|service| service.poison.extend((0..20).chain([150])));
    let (reports, report) = reports();
    let writer = builder(service.clone()).start(report).unwrap();
    for number in 0..200 {
        writer.write(put(number, number), number).await.unwrap();
    }
    writer.close().await;
    for settled in reports.lock().unwrap().iter() {
        let is_bad = settled.tag < 20 || settled.tag == 150;
        assert_eq!(settled.outcome.is_written(), !is_bad, "{}", settled.tag);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_no_table_takes_is_reported_among_many_and_the_others_are_written() {
    let service = Faulty::new(1, 0.0);
    let (reports, report) = reports();
    let writer = builder(service.clone()).start(report).unwrap();
    let changes = (0..10).map(|number| {
        let mut row = Row::new(key(number)).cell("number", number);
        if number == 4 {
            row = row.cell("blob", vec![0_u8; 2 * 1024 * 1024 + 1]);
        }
        (RowChange::Put(row), number)
    });
    writer.write_all(changes).await;
    let totals = writer.close().await;
    assert_eq!((totals.accepted_rows, totals.written_rows), (10, 9));
    assert_eq!((totals.failed_rows, totals.requests), (1, 1));
    let reports = reports.lock().unwrap();
    let mut tags: Vec<_> = reports.iter().map(|settled| settled.tag).collect();
    tags.sort_unstable();
    assert_eq!(tags, Vec::from_iter(0..10));
    for settled in reports.iter() {
        assert_eq!(settled.key, key(settled.tag));
        assert_eq!(settled.outcome.is_written(), settled.tag != 4);
    }
}

#[tokio::test(start_paused = true)]
async fn outcomes_come_batch_by_batch_to_who_wants_them_so() {
    let service = Faulty::new(1, 0.0);
    let batches = Arc::new(Mutex::new(Vec::new()));
    let report = {
        let batches = Arc::clone(&batches);
        move |settled: Vec<Settled<i64>>| batches.lock().unwrap().push(settled.len())
    };
    let writer = builder(service.clone()).max_batch_rows(20);
    let writer = writer.start_by_batch(report).unwrap();
    writer
        .write_all((0..50).map(|number| (put(number, number), number)))
        .await;
    writer.close().await;
    let mut batches = batches.lock().unwrap().clone();
    batches.sort_unstable();
    assert_eq!(batches, [10, 20, 20]);
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_sent_again_take_retries_of_the_clients_budget() {
    let mut budget = ots_core::retry::RetryBudget::new();
    (budget.burst, budget.per_second, budget.per_success) = (5, 0.0, 0.0);
    let client = ots_core::Client::builder("http://instant")
        .instance("shop")
        .credentials(ots_core::Credentials::new("an-id", "a-secret"))
        .transport(ots_core::transport::Scripted::new([]))
        .retry_budget(budget)
        .build()
        .unwrap();
    let (reports, report) = reports();
    let writer = BatchWriter::builder(Busy, "t").retries_of(&client);
    let writer = writer.max_batch_rows(1).start(report).unwrap();
    writer
        .write_all((0..4).map(|number| (put(number, number), number)))
        .await;
    let totals = writer.close().await;
    assert_eq!(
        (totals.failed_rows, totals.requests, totals.retries),
        (4, 9, 5)
    );
    for settled in reports.lock().unwrap().iter() {
        let Outcome::Failed {
            error,
            may_have_run: false,
        } = &settled.outcome
        else {
            panic!("{settled:?}");
        };
        assert!(error.to_string().contains("budget"), "{error}");
    }
}
