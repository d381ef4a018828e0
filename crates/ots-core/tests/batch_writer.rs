//! The writer of many rows, over a service that fails in every way a service can.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use ots_core::limiter::Limiter;
use ots_core::request::RowWrite;
use ots_core::retry::DefaultRetryPolicy;
use ots_core::transport::TransportError;
use ots_core::writer::{BatchWriter, BatchWriterBuilder, Outcome, Settled};
use ots_core::{Call, Error, ErrorCode, PrimaryKey, Reply, Row, RowChange, RowUpdate};
use ots_proto::messages::{
    self, BatchWriteRowRequest, BatchWriteRowResponse, OperationType, RowInBatchWriteRowResponse,
    TableInBatchWriteRowResponse,
};
use ots_proto::operation;
use ots_proto::plainbuffer::read_change;
use proptest::prelude::*;
use tokio::time::sleep;

/// A service that knows what really happened. How often something fails is a number in 0..1.
#[derive(Clone)]
struct Faulty(Arc<Mutex<Service>>);

struct Service {
    random: fastrand::Rng,
    fails: f64,
    /// What was done to each row, in order, by the number of the change.
    done: HashMap<i64, Vec<i64>>,
    under_way: HashSet<i64>,
    largest_batch: usize,
    most_requests: usize,
    requests: usize,
    /// Numbers that the service refuses with the whole request, whatever else is in it.
    poison: HashSet<i64>,
}

impl Faulty {
    fn new(seed: u64, fails: f64) -> Self {
        Self(Arc::new(Mutex::new(Service {
            random: fastrand::Rng::with_seed(seed),
            fails,
            done: HashMap::new(),
            under_way: HashSet::new(),
            largest_batch: 0,
            most_requests: 0,
            requests: 0,
            poison: HashSet::new(),
        })))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Service) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

/// The row of a change, and its number.
fn numbers(row: &messages::RowInBatchWriteRowRequest) -> (i64, i64) {
    let update = row.r#type == i32::from(OperationType::Update);
    let change = read_change(&row.row_change, update).unwrap();
    let id = change
        .primary_key()
        .get("id")
        .unwrap()
        .as_integer()
        .unwrap();
    let number = match change {
        RowChange::Put(row) => row.get("number").unwrap().as_integer().unwrap(),
        RowChange::Update(update) => match &update.cells[0] {
            ots_proto::CellUpdate::Increment { by, .. } => *by,
            other => panic!("{other:?}"),
        },
        RowChange::Delete(_) => panic!("no deletes here"),
    };
    (id, number)
}

impl Service {
    fn fails(&mut self) -> bool {
        self.random.f64() < self.fails
    }

    /// One row: whether it happens, and what is said of it.
    fn row(&mut self, id: i64, number: i64) -> RowInBatchWriteRowResponse {
        let (happens, code) = match self.fails().then(|| self.random.u8(0..4)) {
            None => (true, None),
            Some(0) => (false, Some("OTSServerBusy")),
            Some(1) => (false, Some("OTSTimeout")),
            Some(2) => (true, Some("OTSTimeout")),
            Some(_) => (false, Some("OTSConditionCheckFail")),
        };
        if happens {
            self.done.entry(id).or_default().push(number);
        }
        RowInBatchWriteRowResponse {
            is_ok: code.is_none(),
            error: code.map(|code| messages::Error {
                code: code.to_owned(),
                ..messages::Error::default()
            }),
            ..RowInBatchWriteRowResponse::default()
        }
    }
}

impl Call<operation::BatchWriteRow> for Faulty {
    async fn call(
        &self,
        request: BatchWriteRowRequest,
    ) -> Result<Reply<BatchWriteRowResponse>, Error> {
        let rows: Vec<_> = request.tables[0].rows.iter().map(numbers).collect();
        let (wait, fault) = self.with(|service| {
            service.requests += 1;
            service.largest_batch = service.largest_batch.max(rows.len());
            for (id, _) in &rows {
                assert!(
                    service.under_way.insert(*id),
                    "row {id} is under way already"
                );
            }
            service.most_requests = service.most_requests.max(service.under_way.len());
            let wait = Duration::from_millis(service.random.u64(0..50));
            let fault = service.fails().then(|| service.random.u8(0..4));
            (wait, fault)
        });
        sleep(wait).await;
        let refuse = |code, status| {
            let status = StatusCode::from_u16(status).unwrap();
            Err(Error::service(code, status, "", ""))
        };
        self.with(|service| {
            for (id, _) in &rows {
                service.under_way.remove(id);
            }
            if rows
                .iter()
                .any(|(_, number)| service.poison.contains(number))
            {
                return refuse(ErrorCode::ParameterInvalid, 400);
            }
            let fault = match fault {
                Some(0) => return refuse(ErrorCode::ServerBusy, 503),
                // Lost on the way there.
                Some(1) => return Err(Error::transport(TransportError::unknown("reset"))),
                Some(2) => return refuse(ErrorCode::AuthFailed, 403),
                fault => fault,
            };
            let results = rows.iter().map(|(id, number)| service.row(*id, *number));
            let results = results.collect();
            if fault.is_some() {
                // Lost on the way back.
                return Err(Error::transport(TransportError::unknown("reset")));
            }
            Ok(Reply::new(BatchWriteRowResponse {
                tables: vec![TableInBatchWriteRowResponse {
                    table_name: "t".to_owned(),
                    rows: results,
                }],
            }))
        })
    }
}

type Reports = Arc<Mutex<Vec<Settled<i64>>>>;

fn reports() -> (Reports, impl Fn(Settled<i64>) + Send + Sync + 'static) {
    let reports = Reports::default();
    let report = {
        let reports = Arc::clone(&reports);
        move |settled| reports.lock().unwrap().push(settled)
    };
    (reports, report)
}

fn builder<C>(call: C) -> BatchWriterBuilder<C> {
    let mut policy = DefaultRetryPolicy::new();
    policy.max_attempts = 4;
    BatchWriter::builder(call, "t").retry(policy)
}

fn key(id: i64) -> PrimaryKey {
    PrimaryKey::new().column("id", id)
}

fn put(id: i64, number: i64) -> RowWrite {
    RowChange::Put(Row::new(key(id)).cell("number", number)).into()
}

/// A change that must not be done twice.
fn increment(id: i64, number: i64) -> RowWrite {
    RowChange::Update(RowUpdate::new(key(id)).increment("number", number)).into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_change_is_reported_once_with_what_became_of_it(
        seed in any::<u64>(),
        fails in prop_oneof![Just(0.0), 0.0..0.6],
        changes in proptest::collection::vec((0_i64..12, any::<bool>()), 0..120),
        rows in 1_usize..9,
        requests in 1_usize..5,
        max_bytes in prop_oneof![Just(1_usize), 300_usize..5_000],
        flushes in any::<bool>(),
        together in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let service = Faulty::new(seed, fails);
        let (reports, report) = reports();
        let totals = runtime.block_on(async {
            let writer = builder(service.clone())
                .max_batch_rows(rows)
                .max_bytes(max_bytes)
                .limiter(Limiter::adaptive(requests))
                .start(report)
                .unwrap();
            let numbered = (0..).zip(&changes).map(|(number, (id, repeats))| {
                let change = if *repeats { put(*id, number) } else { increment(*id, number) };
                (change, number)
            });
            if together {
                writer.write_all(numbered.clone()).await;
            }
            for (change, number) in numbered.filter(|_| !together) {
                writer.write(change, number).await.unwrap();
                if flushes && number % 50 == 49 {
                    writer.flush().await;
                    let reported = reports.lock().unwrap().len();
                    assert_eq!(reported, usize::try_from(number).unwrap() + 1);
                }
            }
            writer.close().await
        });
        let reports = reports.lock().unwrap();
        let reported: HashMap<i64, &Settled<i64>> =
            reports.iter().map(|settled| (settled.tag, settled)).collect();
        prop_assert_eq!(reports.len(), changes.len(), "reported twice, or not at all");
        prop_assert_eq!(reported.len(), changes.len());
        service.with(|service| {
            prop_assert!(service.largest_batch <= rows);
            prop_assert!(service.most_requests <= rows * requests);
            for (number, (id, repeats)) in (0..).zip(&changes) {
                let settled = reported[&number];
                prop_assert_eq!(settled.key.get("id").unwrap().as_integer(), Some(*id));
                let done = service.done.get(id).into_iter().flatten();
                let times = done.filter(|done| **done == number).count();
                match &settled.outcome {
                    Outcome::Written(_) => prop_assert!(times >= 1),
                    Outcome::Failed { may_have_run: false, .. } => prop_assert_eq!(times, 0),
                    Outcome::Failed { .. } => {}
                    other => prop_assert!(false, "{:?}", other),
                }
                prop_assert!(*repeats || times <= 1, "change {} was done {} times", number, times);
            }
            for done in service.done.values() {
                prop_assert!(done.is_sorted(), "{:?} out of order", done);
            }
            Ok(())
        })?;
        let mut last: HashMap<&PrimaryKey, i64> = HashMap::new();
        for settled in reports.iter() {
            let before = last.insert(&settled.key, settled.tag);
            prop_assert!(before.is_none_or(|before| before < settled.tag), "reported out of order");
        }
        let sums = [totals.written_rows, totals.failed_rows, totals.unknown_rows];
        prop_assert_eq!(sums.iter().sum::<u64>(), changes.len() as u64);
        prop_assert_eq!(totals.accepted_rows, changes.len() as u64);
        prop_assert_eq!(totals.requests, service.with(|service| service.requests) as u64);
    }
}

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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
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

/// Has room for no row, ever.
#[derive(Clone)]
struct Busy;

impl Call<operation::BatchWriteRow> for Busy {
    async fn call(
        &self,
        request: BatchWriteRowRequest,
    ) -> Result<Reply<BatchWriteRowResponse>, Error> {
        let busy = RowInBatchWriteRowResponse {
            error: Some(messages::Error {
                code: "OTSServerBusy".to_owned(),
                ..messages::Error::default()
            }),
            ..RowInBatchWriteRowResponse::default()
        };
        let table = &request.tables[0];
        Ok(Reply::new(BatchWriteRowResponse {
            tables: vec![TableInBatchWriteRowResponse {
                table_name: table.table_name.clone(),
                rows: vec![busy; table.rows.len()],
            }],
        }))
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_wait_to_be_sent_again_are_not_once_the_writer_is_abandoned() {
    let (reports, report) = reports();
    let writer = BatchWriter::builder(Busy, "t").max_batch_rows(2);
    let writer = writer.start(report).unwrap();
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

#[test]
fn outside_of_a_runtime_a_writer_does_not_start() {
    let (_, report) = reports();
    let error = builder(Faulty::new(1, 0.0)).start(report).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a batch writer needs a tokio runtime to start in"
    );
}
