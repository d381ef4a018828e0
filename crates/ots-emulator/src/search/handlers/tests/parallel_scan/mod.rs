//! Parallel scans: their sessions, tokens and pages.

mod lives;
mod pages;
mod refusals;

use std::time::Duration;

use bytes::Bytes;
use ots_proto::messages::{
    ComputeSplitsRequest, ComputeSplitsResponse, DeleteSearchIndexRequest, ParallelScanRequest,
    ParallelScanResponse, ScanQuery, SearchIndexSplitsOptions, SearchQuery, SearchRequest,
};
use ots_proto::search::Query;
use proptest::prelude::*;
use prost::Message;

use super::super::*;
use crate::database::lock;
use crate::search::testing::{Bench, create_index, ids, row};

fn compute(bench: &Bench, table: &str, index: &str) -> Result<ComputeSplitsResponse, ServiceError> {
    bench.unlocked(
        compute_splits,
        ComputeSplitsRequest {
            table_name: Some(table.to_owned()),
            search_index_splits_options: Some(SearchIndexSplitsOptions {
                index_name: Some(index.to_owned()),
            }),
        },
    )
}

fn session(bench: &Bench) -> Bytes {
    compute(bench, "t", "i").unwrap().session_id.unwrap()
}

/// A request for the first page of the only share.
fn request(session_id: Option<&Bytes>, query: impl Into<Query>) -> ParallelScanRequest {
    ParallelScanRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        session_id: session_id.cloned(),
        scan_query: Some(ScanQuery {
            query: Some(query.into().to_message()),
            ..ScanQuery::default()
        }),
        ..ParallelScanRequest::default()
    }
}

fn with(
    mut request: ParallelScanRequest,
    change: impl FnOnce(&mut ScanQuery),
) -> ParallelScanRequest {
    change(request.scan_query.as_mut().unwrap());
    request
}

fn next(request: &ParallelScanRequest, page: &ParallelScanResponse) -> ParallelScanRequest {
    with(request.clone(), |query| {
        query.token = page.next_token.clone()
    })
}

fn scan(
    bench: &Bench,
    request: &ParallelScanRequest,
) -> Result<ParallelScanResponse, ServiceError> {
    bench.unlocked(parallel_scan, request.clone())
}

fn refusal(bench: &Bench, request: &ParallelScanRequest) -> String {
    let error = scan(bench, request).unwrap_err();
    assert_eq!((error.status, error.code), (400, "OTSParameterInvalid"));
    error.message
}

fn expired() -> ServiceError {
    ServiceError::new(
        400,
        "OTSSessionExpired",
        "ScanQuery'session is expired, please retry ComputeSplitsRequest and ScanQuery.",
    )
}

/// The rows of one share, page by page, the empty one at the end included.
fn share(bench: &Bench, first: &ParallelScanRequest) -> Vec<Vec<i64>> {
    let mut pages = Vec::new();
    let mut request = first.clone();
    loop {
        let page = scan(bench, &request).unwrap();
        assert_eq!(page.rows.is_empty(), page.next_token.is_none());
        pages.push(ids(&page.rows));
        if page.next_token.is_none() {
            return pages;
        }
        request = next(&request, &page);
    }
}

proptest! {
    #[test]
    fn the_shares_together_are_all_matches(
        rows in 0..60_i64,
        from in 0..60_i64,
        limit in 1..20_i32,
        splits in 1..9_u32,
        parallel in 1..9_u32,
        in_session: bool,
    ) {
        let mut bench = Bench::counting(rows);
        bench.settings.splits = splits;
        let max_parallel = parallel.min(splits) as i32;
        let id = session(&bench);
        let mut seen = Vec::new();
        for current in 0..max_parallel {
            let first = with(
                request(in_session.then_some(&id), Query::range("l").gte(from)),
                |query| {
                    query.limit = Some(limit);
                    query.max_parallel = Some(max_parallel);
                    query.current_parallel_id = Some(current);
                },
            );
            let pages = share(&bench, &first);
            prop_assert!(pages.iter().all(|page| page.len() <= limit as usize));
            seen.extend(pages.concat());
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (from..rows).collect::<Vec<_>>());
    }
}
