//! Scans as record batches: every row once, and what is no batch is an error.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use bytes::Bytes;
use futures::TryStreamExt as _;
use ots_arrow::{ColumnType, ScanBatches as _, ScanSchema};
use ots_core::{Call, Error, Reply};
use ots_proto::messages::{
    ComputeSplitsRequest, ComputeSplitsResponse, ParallelScanRequest, ParallelScanResponse,
    PrimaryKeySchema, PrimaryKeyType,
};
use ots_proto::operation;
use ots_proto::plainbuffer::write_row;
use ots_proto::{PrimaryKey, Row};
use ots_scan::{ScanErrorKind, parallel_scan};

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

fn schema() -> ScanSchema {
    let key = [PrimaryKeySchema {
        name: "id".into(),
        r#type: PrimaryKeyType::Integer.into(),
        option: None,
    }];
    ScanSchema::from_table(&key, [("price", ColumnType::Integer)]).unwrap()
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
