use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ots_core::{Error, ErrorCode, PrimaryKey, Reply};
use ots_proto::messages::{
    BatchWriteRowRequest, BatchWriteRowResponse, RowInBatchWriteRowResponse,
    TableInBatchWriteRowResponse,
};

use ots_proto::plainbuffer::Accept;

use super::*;

/// Answers each request after a second, but not those from `fails_from` on, and never those
/// from `hangs_from` on.
#[derive(Debug)]
struct Slow {
    requests: AtomicU64,
    fails_from: u64,
    hangs_from: u64,
    panics_from: u64,
}

impl Slow {
    fn new() -> Self {
        Self {
            requests: AtomicU64::new(0),
            fails_from: u64::MAX,
            hangs_from: u64::MAX,
            panics_from: u64::MAX,
        }
    }
}

impl Call<operation::BatchWriteRow> for Slow {
    async fn call(
        &self,
        request: BatchWriteRowRequest,
    ) -> Result<Reply<BatchWriteRowResponse>, Error> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(1)).await;
        if number >= self.hangs_from {
            std::future::pending::<()>().await;
        }
        assert!(number < self.panics_from, "this is the panic of a test");
        if number >= self.fails_from {
            // A failure ends the writing: one that is to hang must have begun before.
            while self.hangs_from != u64::MAX
                && self.requests.load(Ordering::Relaxed) <= self.hangs_from
            {
                tokio::task::yield_now().await;
            }
            let status = http::StatusCode::FORBIDDEN;
            return Err(Error::service(ErrorCode::AuthFailed, status, "", ""));
        }
        let ok = RowInBatchWriteRowResponse {
            is_ok: true,
            ..RowInBatchWriteRowResponse::default()
        };
        let tables = request.tables.into_iter();
        let tables = tables.map(|table| TableInBatchWriteRowResponse {
            rows: vec![ok.clone(); table.rows.len()],
            table_name: table.table_name,
        });
        Ok(Reply::new(BatchWriteRowResponse {
            tables: tables.collect(),
        }))
    }
}

/// As many as are under way or read ahead: tokio's paused clock stands still while a thread of
/// its own, such as the reading one, waits.
const ALL: usize = 8;

type Chunk = Result<Vec<Row>, source::Error>;

fn chunks(count: usize) -> impl Iterator<Item = Chunk> + Send + 'static {
    let row = |id: i64| Row::new(PrimaryKey::new().column("id", id));
    let starts = (0..).step_by(200).take(count);
    starts.map(move |start| Ok((start..start + 200).map(row).collect()))
}

async fn write(slow: Slow, chunks: impl Iterator<Item = Chunk> + Send + 'static) -> Outcome {
    let mut last = 0;
    let mut interrupt = Interrupt::never();
    let wrote = |rows| last = rows;
    let writer = BatchWriter::builder(Arc::new(slow), "t");
    let outcome = bulk_write(writer, chunks, 4, &mut interrupt, wrote).await;
    assert_eq!(last, outcome.written_rows, "the progress is the outcome");
    outcome
}

#[tokio::test(start_paused = true)]
async fn all_rows_are_written_several_batches_at_once() {
    let start = Instant::now();
    let outcome = write(Slow::new(), chunks(ALL)).await;
    assert!(outcome.stop.is_none());
    let counts = (outcome.written_rows, outcome.unknown_rows, outcome.requests);
    assert_eq!(counts, (1_600, 0, 8));
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_failure_stops_it_and_batches_under_way_are_counted() {
    let mut slow = Slow::new();
    slow.fails_from = 5;
    let outcome = write(slow, chunks(ALL)).await;
    let Some(Stop::Refused(refused)) = &outcome.stop else {
        panic!("{outcome:?}");
    };
    assert_eq!(refused.error.code(), Some(&ErrorCode::AuthFailed));
    assert_eq!((outcome.written_rows, outcome.unknown_rows), (1_000, 0));
    assert!(outcome.requests <= 8);
}

#[tokio::test(start_paused = true)]
async fn rows_that_cannot_be_read_stop_it_after_those_before() {
    let path = "flights.csv".into();
    let broken = Err(source::ErrorKind::NoHeader { path }.into());
    let outcome = write(Slow::new(), chunks(3).chain([broken])).await;
    assert!(matches!(outcome.stop, Some(Stop::Source(_))));
    assert_eq!((outcome.written_rows, outcome.unknown_rows), (600, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_panics_is_not_the_end_of_the_file() {
    let broken = std::iter::once(()).map(|()| panic!("this is the panic of a test"));
    let outcome = write(Slow::new(), chunks(3).chain(broken)).await;
    assert!(matches!(outcome.stop, Some(Stop::Reader(_))), "{outcome:?}");
    assert!(outcome.written_rows <= 600);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_hangs_is_not_waited_for_and_not_called_written() {
    let mut slow = Slow::new();
    (slow.fails_from, slow.hangs_from) = (3, 4);
    let outcome = write(slow, chunks(ALL)).await;
    assert!(matches!(outcome.stop, Some(Stop::Refused(_))));
    assert_eq!(outcome.written_rows, 600);
    // As many batches as there are places hang by then.
    assert!(matches!(outcome.unknown_rows, 200..=800), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn of_rows_with_one_key_the_last_stays_and_a_batch_sent_again_is_no_second_request() {
    /// Throttles every other request, whole, and keeps the rows of the others in order.
    #[derive(Default)]
    struct Throttled {
        requests: AtomicU64,
        kept: std::sync::Mutex<Vec<(i64, i64)>>,
    }
    impl Call<operation::BatchWriteRow> for Throttled {
        async fn call(
            &self,
            request: BatchWriteRowRequest,
        ) -> Result<Reply<BatchWriteRowResponse>, Error> {
            let is_ok = self.requests.fetch_add(1, Ordering::Relaxed) % 2 == 1;
            let rows = &request.tables[0].rows;
            for row in rows.iter().filter(|_| is_ok) {
                let row = ots_proto::plainbuffer::read_row(&row.row_change, Accept::Rows).unwrap();
                let id = row.primary_key.get("id").unwrap().as_integer().unwrap();
                let number = row.get("number").unwrap().as_integer().unwrap();
                self.kept.lock().unwrap().push((id, number));
            }
            let result = RowInBatchWriteRowResponse {
                is_ok,
                error: (!is_ok).then(|| ots_proto::messages::Error {
                    code: "OTSServerBusy".to_owned(),
                    ..ots_proto::messages::Error::default()
                }),
                ..RowInBatchWriteRowResponse::default()
            };
            Ok(Reply::new(BatchWriteRowResponse {
                tables: vec![TableInBatchWriteRowResponse {
                    table_name: "t".to_owned(),
                    rows: vec![result; rows.len()],
                }],
            }))
        }
    }
    let service = Arc::new(Throttled::default());
    let row = |number: i64| {
        let key = PrimaryKey::new().column("id", number % 5);
        Row::new(key).cell("number", number)
    };
    let chunks = vec![Ok((0..15).map(row).collect())].into_iter();
    let mut interrupt = Interrupt::never();
    let writer = BatchWriter::builder(Arc::clone(&service), "t");
    let outcome = bulk_write(writer, chunks, 1, &mut interrupt, |_| {}).await;
    assert!(outcome.stop.is_none(), "{outcome:?}");
    assert_eq!((outcome.written_rows, outcome.unknown_rows), (15, 0));
    assert_eq!((outcome.requests, outcome.retries), (3, 3));
    let kept: HashMap<_, _> = service.kept.lock().unwrap().iter().copied().collect();
    assert_eq!(kept, (10..15).map(|number| (number % 5, number)).collect());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_is_neither_an_end_nor_written() {
    let mut slow = Slow::new();
    slow.panics_from = 4;
    let outcome = write(slow, chunks(5)).await;
    assert!(matches!(outcome.stop, Some(Stop::Task(_))), "{outcome:?}");
    assert_eq!((outcome.written_rows, outcome.unknown_rows), (800, 200));
}
