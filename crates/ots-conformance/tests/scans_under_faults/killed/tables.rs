//! A table scan has no session to lose.

use std::num::NonZeroU64;

use futures::TryStreamExt as _;
use ots_core::Client;
use ots_scan::{TableCheckpoint, TableScanBuilder, TableScanErrorKind, table_scan};

use super::Service;
use crate::given::Given;

const SCAN: &str = "GetRange";

fn scan(client: Client) -> TableScanBuilder<Client> {
    // Of about 24 bytes a row: some ranges.
    let part_bytes = NonZeroU64::new(24 * 600 / 4).unwrap();
    table_scan(client, "t")
        .part_bytes(part_bytes)
        .concurrency(3)
        .refetches(10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_scan_goes_on_where_it_was_when_the_service_comes_back() {
    let mut service = Service::start(SCAN).await;
    let mut scan = scan(service.patient_client()).open().await.unwrap();
    assert!(scan.progress().ranges.len() > 1);
    let mut given = Given::default();
    let mut pages = 0;
    while let Some(page) = scan.try_next().await.unwrap() {
        given.take(&page.rows().unwrap());
        pages += 1;
        if [1, 4, 12].contains(&pages) {
            service.kill_and_start_again();
        }
    }
    given.assert_whole("killed");
    assert_eq!(service.starts, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_scan_that_lost_its_service_goes_on_from_its_checkpoint() {
    let mut service = Service::start(SCAN).await;
    let scan = scan(service.usual_client());
    let mut under_way = scan.open().await.unwrap();
    let mut given = Given::default();
    for killed_after in [1, 3, 8] {
        let mut pages = 0;
        let error = loop {
            match under_way.try_next().await {
                Ok(page) => given.take(&page.unwrap().rows().unwrap()),
                Err(error) => break error,
            }
            pages += 1;
            if pages == killed_after {
                service.kill();
            }
        };
        let kind = error.kind();
        let failed = matches!(kind, TableScanErrorKind::Range { .. });
        assert!(failed && error.is_retryable(), "{error}");
        given.assert_once();
        // Bytes, as of another program that goes on another day.
        let kept = under_way.checkpoint().to_bytes();
        service.start_process();
        let kept = TableCheckpoint::from_bytes(&kept).unwrap();
        under_way = scan.resume(&kept).unwrap();
    }
    while let Some(page) = under_way.try_next().await.unwrap() {
        given.take(&page.rows().unwrap());
    }
    given.assert_whole("resumed");
}
