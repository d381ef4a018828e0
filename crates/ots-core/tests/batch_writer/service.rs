//! Services to write to, and what a test writes and keeps.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use ots_core::request::RowWrite;
use ots_core::retry::DefaultRetryPolicy;
use ots_core::transport::TransportError;
use ots_core::writer::{BatchWriter, BatchWriterBuilder, Settled};
use ots_core::{Call, Error, ErrorCode, PrimaryKey, Reply, Row, RowChange, RowUpdate};
use ots_proto::messages::{
    self, BatchWriteRowRequest, BatchWriteRowResponse, OperationType, RowInBatchWriteRowResponse,
    TableInBatchWriteRowResponse,
};
use ots_proto::operation;
use ots_proto::plainbuffer::read_change;
use tokio::time::sleep;

/// A service that knows what really happened. How often something fails is a number in 0..1.
#[derive(Clone)]
pub(crate) struct Faulty(Arc<Mutex<Service>>);

pub(crate) struct Service {
    pub(crate) random: fastrand::Rng,
    pub(crate) fails: f64,
    /// What was done to each row, in order, by the number of the change.
    pub(crate) done: HashMap<i64, Vec<i64>>,
    pub(crate) under_way: HashSet<i64>,
    pub(crate) largest_batch: usize,
    pub(crate) most_requests: usize,
    pub(crate) requests: usize,
    /// Numbers that the service refuses with the whole request, whatever else is in it.
    pub(crate) poison: HashSet<i64>,
}

impl Faulty {
    pub(crate) fn new(seed: u64, fails: f64) -> Self {
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

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Service) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

/// The row of a change, and its number.
pub(crate) fn numbers(row: &messages::RowInBatchWriteRowRequest) -> (i64, i64) {
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

/// Has room for no row, ever.
#[derive(Clone)]
pub(crate) struct Busy;

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

pub(crate) type Reports = Arc<Mutex<Vec<Settled<i64>>>>;

pub(crate) fn reports() -> (Reports, impl Fn(Settled<i64>) + Send + Sync + 'static) {
    let reports = Reports::default();
    let report = {
        let reports = Arc::clone(&reports);
        move |settled| reports.lock().unwrap().push(settled)
    };
    (reports, report)
}

pub(crate) fn builder<C>(call: C) -> BatchWriterBuilder<C> {
    let mut policy = DefaultRetryPolicy::new();
    policy.max_attempts = 4;
    BatchWriter::builder(call, "t").retry(policy)
}

pub(crate) fn key(id: i64) -> PrimaryKey {
    PrimaryKey::new().column("id", id)
}

pub(crate) fn put(id: i64, number: i64) -> RowWrite {
    RowChange::Put(Row::new(key(id)).cell("number", number)).into()
}

/// A change that must not be done twice.
pub(crate) fn increment(id: i64, number: i64) -> RowWrite {
    RowChange::Update(RowUpdate::new(key(id)).increment("number", number)).into()
}
