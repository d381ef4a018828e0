//! Scans as record batches: every row once, and what is no batch is an error.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use bytes::Bytes;
use futures::TryStreamExt as _;
use ots_arrow::{ColumnType, ErrorKind, ScanBatches as _, ScanSchema};
use ots_core::{Call, Error, Reply};
use ots_proto::messages::{
    BulkExportRequest, BulkExportResponse, ComputeSplitPointsBySizeRequest,
    ComputeSplitPointsBySizeResponse, ComputeSplitsRequest, ComputeSplitsResponse, DataBlockType,
    GetRangeRequest, GetRangeResponse, ParallelScanRequest, ParallelScanResponse, PrimaryKeySchema,
    PrimaryKeyType,
};
use ots_proto::plainbuffer::{Writer, read_primary_key, write_primary_key, write_row};
use ots_proto::simple_row_matrix::MatrixWriter;
use ots_proto::{PrimaryKey, Row, TableSplits, operation};
use ots_scan::{
    ReadBy, ScanErrorKind, TableCheckpoint, TableScanErrorKind, parallel_scan, table_scan,
};

/// Forty rows in four splits, three in a page.
struct Forty {
    damaged: bool,
}

impl Call<operation::ComputeSplits> for Forty {
    async fn call(&self, _: ComputeSplitsRequest) -> Result<Reply<ComputeSplitsResponse>, Error> {
        Ok(Reply::new(ComputeSplitsResponse {
            session_id: Some(Bytes::from_static(b"a session")),
            splits_size: Some(4),
        }))
    }
}

impl Call<operation::ParallelScan> for Forty {
    async fn call(
        &self,
        request: ParallelScanRequest,
    ) -> Result<Reply<ParallelScanResponse>, Error> {
        let scan = request.scan_query.unwrap();
        let split = i64::from(scan.current_parallel_id.unwrap());
        let start = scan.token.map_or(0, |token| i64::from(token[0]));
        let row = |number: i64| {
            let id = number * 4 + split;
            write_row(&Row::new(PrimaryKey::new().column("id", id)).cell("price", id * 100))
        };
        let end = (start + 3).min(10);
        let mut rows: Vec<Bytes> = (start..end).map(row).collect();
        if self.damaged && split == 2 {
            rows[0] = rows[0].slice(..rows[0].len() - 1);
        }
        let next_token = (end < 10).then(|| vec![u8::try_from(end).unwrap()].into());
        Ok(Reply::new(ParallelScanResponse { rows, next_token }))
    }
}

fn key_schema() -> PrimaryKeySchema {
    PrimaryKeySchema {
        name: "id".into(),
        r#type: PrimaryKeyType::Integer.into(),
        option: None,
    }
}

fn schema() -> ScanSchema {
    ScanSchema::from_table(&[key_schema()], [("price", ColumnType::Integer)]).unwrap()
}

#[tokio::test]
async fn the_batches_of_a_scan_hold_every_row_once() {
    let scan = parallel_scan(Forty { damaged: false }, "orders", "orders_index");
    let batches = scan.open().await.unwrap().batches(&schema());
    let batches: Vec<_> = batches.try_collect().await.unwrap();
    let mut found = Vec::new();
    for batch in &batches {
        let ids = batch.column(0).as_primitive::<Int64Type>();
        let prices = batch.column(1).as_primitive::<Int64Type>();
        found.extend(ids.values().iter().copied());
        assert!(
            ids.iter()
                .zip(prices)
                .all(|(id, price)| id.map(|id| id * 100) == price)
        );
    }
    found.sort_unstable();
    assert_eq!(found, Vec::from_iter(0..40));
}

#[tokio::test]
async fn a_page_that_is_no_batch_ends_the_scan_after_it_was_asked_for_again() {
    let scan = parallel_scan(Forty { damaged: true }, "orders", "orders_index");
    let scan = scan.refetches(4).open().await.unwrap();
    let error = scan
        .batches(&schema())
        .try_collect::<Vec<_>>()
        .await
        .unwrap_err();
    let ScanErrorKind::Decode { split, page: 0 } = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!((split.id(), error.progress().unwrap().refetched), (2, 4));
}

/// A table of forty rows in four ranges, three in a page.
#[derive(Clone)]
struct FortyOfTable {
    /// Answers are damaged from this key on.
    damaged_from: i64,
    /// So many of them.
    damages: Arc<AtomicU32>,
    matrices: Arc<AtomicU32>,
}

impl FortyOfTable {
    fn new(damaged_from: i64, damages: u32) -> Self {
        Self {
            damaged_from,
            damages: Arc::new(AtomicU32::new(damages)),
            matrices: Arc::default(),
        }
    }

    /// The rows of a page, where it goes on, and whether it is to be damaged.
    fn page(&self, start: &Bytes, end: &Bytes) -> (Vec<Row>, Option<Bytes>, bool) {
        let id = |key: &Bytes| {
            let key = read_primary_key(key).unwrap();
            key.get("id").unwrap().as_integer()
        };
        let (start, end) = (id(start).unwrap_or(0), id(end).unwrap_or(40));
        let until = (start + 3).min(end);
        let key = |id: i64| PrimaryKey::new().column("id", id);
        let rows = (start..until).map(|id| Row::new(key(id)).cell("price", id * 100));
        let again = |left: u32| left.checked_sub(1);
        let damaged = start >= self.damaged_from
            && self.damages.fetch_update(Relaxed, Relaxed, again).is_ok();
        let next = (until < end).then(|| write_primary_key(&key(until)));
        (rows.collect(), next, damaged)
    }
}

impl Call<operation::BulkExport> for FortyOfTable {
    async fn call(&self, request: BulkExportRequest) -> Result<Reply<BulkExportResponse>, Error> {
        assert_eq!(request.columns_to_get, ["id", "price"]);
        assert_eq!(
            request.data_block_type_hint(),
            DataBlockType::SimpleRowMatrix
        );
        self.matrices.fetch_add(1, Relaxed);
        let (start, end) = (
            request.inclusive_start_primary_key,
            request.exclusive_end_primary_key,
        );
        let (rows, next_start_primary_key, damaged) = self.page(&start, &end);
        let mut writer = MatrixWriter::new(["id"], ["price"]).unwrap();
        rows.iter().for_each(|row| writer.row(row).unwrap());
        let mut rows = writer.finish().unwrap().to_vec();
        let middle = rows.len() / 2;
        rows[middle] ^= u8::from(damaged);
        Ok(Reply::new(BulkExportResponse {
            rows: rows.into(),
            next_start_primary_key,
            data_block_type: Some(DataBlockType::SimpleRowMatrix.into()),
            ..BulkExportResponse::default()
        }))
    }
}

impl Call<operation::ComputeSplitPointsBySize> for FortyOfTable {
    async fn call(
        &self,
        _: ComputeSplitPointsBySizeRequest,
    ) -> Result<Reply<ComputeSplitPointsBySizeResponse>, Error> {
        let points = [10, 20, 30].map(|id| PrimaryKey::new().column("id", id));
        let splits = TableSplits::new(vec![key_schema()], points, []).unwrap();
        Ok(Reply::new(splits.to_message()))
    }
}

impl Call<operation::GetRange> for FortyOfTable {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        assert_eq!(request.data_block_type_hint, None);
        let (start, end) = (
            request.inclusive_start_primary_key,
            request.exclusive_end_primary_key,
        );
        let (rows, next_start_primary_key, damaged) = self.page(&start, &end);
        let mut writer = Writer::new();
        rows.iter().for_each(|row| writer.row(row));
        let mut rows = writer.finish().to_vec();
        *rows.last_mut().unwrap() ^= u8::from(damaged);
        Ok(Reply::new(GetRangeResponse {
            rows: rows.into(),
            next_start_primary_key,
            ..GetRangeResponse::default()
        }))
    }
}

fn ids(batch: &RecordBatch) -> Vec<i64> {
    let prices = batch.column(1).as_primitive::<Int64Type>().values();
    let ids = batch
        .column(0)
        .as_primitive::<Int64Type>()
        .values()
        .to_vec();
    assert!(ids.iter().zip(prices).all(|(id, price)| id * 100 == *price));
    ids
}

#[tokio::test]
async fn the_batches_of_a_table_hold_every_row_once_and_say_where_they_stand() {
    for read_by in [ReadBy::GetRange, ReadBy::BulkExport] {
        // Two pages are damaged, once each.
        let table = FortyOfTable::new(12, 2);
        let builder = table_scan(table.clone(), "orders").read_by(read_by);
        let builder = builder.columns(["id", "price"]);
        let scan = builder.open().await.unwrap();
        let mut written = scan.checkpoint();
        let mut batches = scan.batches(&schema());
        let mut found = Vec::new();
        for _ in 0..7 {
            let page = batches.try_next().await.unwrap().unwrap();
            found.extend(ids(&page.batch));
            written.advance(&page.step).unwrap();
        }
        // Some are on their way, or handed over, and never written.
        batches.try_next().await.unwrap().unwrap();
        drop(batches);
        let written = written.to_bytes();
        let rest = builder.resume(&TableCheckpoint::from_bytes(&written).unwrap());
        let rest = rest.unwrap().batches(&schema());
        for page in rest.try_collect::<Vec<_>>().await.unwrap() {
            found.extend(ids(&page.batch));
        }
        found.sort_unstable();
        assert_eq!(found, Vec::from_iter(0..40));
        assert_eq!(table.damages.load(Relaxed), 0, "both have come");
        let matrices = table.matrices.load(Relaxed);
        assert_eq!(matrices > 0, read_by == ReadBy::BulkExport);
    }
}

/// Rows have one of the columns, and a batch has room for all of them.
#[tokio::test]
async fn the_batches_of_a_table_count_as_what_they_take() {
    let wide = (0..500).map(|column| (format!("c{column}"), ColumnType::Integer));
    let wide = [("price".to_owned(), ColumnType::Integer)]
        .into_iter()
        .chain(wide);
    let wide = ScanSchema::from_table(&[key_schema()], wide).unwrap();
    // Pages fit in twice for each range; of wide batches there is room for one.
    for (schema, ready) in [(schema(), 4..=8), (wide, 0..=1)] {
        let scan = table_scan(FortyOfTable::new(99, 0), "orders").buffered_bytes(10_000);
        let mut batches = scan.open().await.unwrap().batches(&schema);
        // Beyond the first page of each range, whose size nobody knew.
        for _ in 0..4 {
            batches.try_next().await.unwrap().unwrap();
        }
        // Answers are there at once: the tasks go on until they wait for the caller.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        let progress = batches.progress();
        assert!(ready.contains(&progress.buffered_pages), "{progress:?}");
        let rest: Vec<_> = batches.try_collect().await.unwrap();
        assert!(!rest.is_empty());
    }
}

#[tokio::test]
async fn a_page_of_a_table_that_stays_no_batch_ends_the_scan_after_it_was_asked_for_again() {
    let table = table_scan(FortyOfTable::new(36, u32::MAX), "orders").refetches(4);
    let mut batches = table.open().await.unwrap().batches(&schema());
    let mut rows = 0;
    let error = loop {
        match batches.try_next().await {
            Ok(page) => rows += ids(&page.unwrap().batch).len() as u64,
            Err(error) => break error,
        }
    };
    // From 30 on: three rows, three rows, and those that can't be read.
    let kind = TableScanErrorKind::Decode { range: 3, page: 2 };
    assert_eq!(*error.kind(), kind);
    let progress = error.progress().unwrap();
    assert_eq!((progress.rows(), progress.refetched), (rows, 4));

    let text = ScanSchema::from_table(&[key_schema()], [("price", ColumnType::String)]).unwrap();
    let table = table_scan(FortyOfTable::new(99, 0), "orders");
    let mut batches = table.open().await.unwrap().batches(&text);
    let error = batches.try_next().await.unwrap_err();
    let source = error.source().unwrap().downcast_ref::<ots_arrow::Error>();
    assert!(matches!(
        source.unwrap().kind(),
        ErrorKind::TypeMismatch { .. }
    ));
}
