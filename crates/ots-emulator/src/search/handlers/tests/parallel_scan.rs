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

#[test]
fn compute_splits_opens_a_session() {
    let mut bench = Bench::counting(0);
    let first = compute(&bench, "t", "i").unwrap();
    assert_eq!(first.splits_size, Some(1));
    assert!(!first.session_id.clone().unwrap().is_empty());
    bench.settings.splits = 8;
    let second = compute(&bench, "t", "i").unwrap();
    assert_eq!(second.splits_size, Some(8));
    assert_ne!(first.session_id, second.session_id);

    assert_eq!(
        compute(&bench, "u", "i").unwrap_err(),
        ServiceError::parameter("table [u] does not exist")
    );
    assert_eq!(
        compute(&bench, "t", "j").unwrap_err(),
        ServiceError::new(400, "OTSMetaNotMatch", "search index [j] does not exist")
    );
    let without = ComputeSplitsRequest {
        table_name: Some("t".to_owned()),
        search_index_splits_options: None,
    };
    assert_eq!(
        bench.unlocked(compute_splits, without).unwrap_err(),
        ServiceError::parameter("[search index splits options] must not be null")
    );
}

#[test]
fn a_scan_ends_with_one_empty_page_without_a_token() {
    let bench = Bench::counting(100);
    let id = session(&bench);
    for session_id in [Some(&id), None] {
        let sizes = |limit| {
            let first = with(request(session_id, Query::MatchAll), |query| {
                query.limit = limit;
            });
            let pages = share(&bench, &first);
            assert_eq!(pages.concat(), (0..100).collect::<Vec<_>>());
            pages.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(Some(70)), [70, 30, 0]);
        assert_eq!(sizes(Some(50)), [50, 50, 0]);
        assert_eq!(sizes(Some(100_000)), [100, 0]);
        assert_eq!(sizes(None), [100, 0]);
        let nothing = share(&bench, &request(session_id, Query::exists("d")));
        assert_eq!(nothing, [Vec::<i64>::new()]);
    }
}

#[test]
fn a_page_has_at_most_as_many_rows_as_the_settings_allow() {
    let mut bench = Bench::counting(5);
    bench.settings.scan_page_rows = 2;
    let id = session(&bench);
    let first = with(request(Some(&id), Query::MatchAll), |query| {
        query.limit = Some(2000);
    });
    assert_eq!(
        share(&bench, &first),
        [vec![0, 1], vec![2, 3], vec![4], vec![]]
    );
}

#[test]
fn the_same_request_gives_the_same_page() {
    let bench = Bench::counting(10);
    let id = session(&bench);
    let first = with(request(Some(&id), Query::MatchAll), |query| {
        query.limit = Some(4)
    });
    let mut request = first;
    loop {
        let page = scan(&bench, &request).unwrap();
        assert_eq!(scan(&bench, &request).unwrap(), page);
        // Also the last one, whose answer may be lost after the task has ended.
        if page.next_token.is_none() {
            break;
        }
        request = next(&request, &page);
    }
}

#[test]
fn a_session_sees_the_rows_of_its_first_scan() {
    let bench = Bench::counting(10);
    let id = session(&bench);
    // Written after ComputeSplits, but before the first scan.
    bench.put(row(10, &[("l", 10.into())]));
    let first = with(request(Some(&id), Query::range("l").gte(8)), |query| {
        query.limit = Some(2);
    });
    let page = scan(&bench, &first).unwrap();
    bench.clear();
    bench.put(row(11, &[("l", 11.into())]));
    assert_eq!(ids(&page.rows), [8, 9]);
    assert_eq!(share(&bench, &next(&first, &page)), [vec![10], vec![]]);
}

#[test]
fn without_a_session_a_scan_sees_the_rows_of_the_moment() {
    let bench = Bench::counting(4);
    let first = with(request(None, Query::MatchAll), |query| {
        query.limit = Some(2)
    });
    let page = scan(&bench, &first).unwrap();
    bench.clear();
    bench.put(row(0, &[]));
    bench.put(row(7, &[]));
    assert_eq!(share(&bench, &next(&first, &page)), [vec![7], vec![]]);
}

#[test]
fn a_session_lives_for_alive_time_after_each_request() {
    let bench = Bench::counting(10);
    let id = session(&bench);
    let first = with(request(Some(&id), Query::MatchAll), |query| {
        query.limit = Some(3);
        query.alive_time = Some(10);
    });
    // One minute until the first scan.
    bench.clock.advance(Duration::from_millis(59_999));
    let page = scan(&bench, &first).unwrap();
    bench.clock.advance(Duration::from_millis(9_999));
    let page = scan(&bench, &next(&first, &page)).unwrap();
    bench.clock.advance(Duration::from_millis(9_999));
    let page = scan(&bench, &next(&first, &page)).unwrap();
    bench.clock.advance(Duration::from_secs(10));
    assert_eq!(scan(&bench, &next(&first, &page)).unwrap_err(), expired());
    assert_eq!(scan(&bench, &first).unwrap_err(), expired());
    assert_eq!(lock(&bench.database).sessions.len(), 0);
}

#[test]
fn a_token_without_a_session_lives_for_alive_time() {
    let bench = Bench::counting(10);
    let first = with(request(None, Query::MatchAll), |query| {
        query.limit = Some(3);
        query.alive_time = Some(10);
    });
    let page = scan(&bench, &first).unwrap();
    bench.clock.advance(Duration::from_secs(10));
    assert_eq!(scan(&bench, &next(&first, &page)).unwrap_err(), expired());
}

#[test]
fn expired_sessions_are_swept_when_others_open() {
    let bench = Bench::counting(1);
    session(&bench);
    bench.clock.advance(Duration::from_secs(60));
    session(&bench);
    assert_eq!(lock(&bench.database).sessions.len(), 1);
}

#[test]
fn expired_snapshots_are_freed_by_any_search_or_scan() {
    let search_request = || SearchRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        search_query: Some(
            SearchQuery {
                query: Some(Query::MatchAll.to_message()),
                ..SearchQuery::default()
            }
            .encode_to_vec()
            .into(),
        ),
        ..SearchRequest::default()
    };
    for by_search in [true, false] {
        let bench = Bench::counting(3);
        let id = session(&bench);
        scan(&bench, &request(Some(&id), Query::MatchAll)).unwrap();
        bench.clock.advance(Duration::from_secs(60));
        if by_search {
            bench.unlocked(search, search_request()).unwrap();
        } else {
            scan(&bench, &request(None, Query::MatchAll)).unwrap();
        }
        assert_eq!(lock(&bench.database).sessions.len(), 0);
    }
}

#[test]
fn alive_time_is_at_most_a_day() {
    let bench = Bench::counting(3);
    let id = session(&bench);
    let alive = |session_id, seconds| {
        with(request(session_id, Query::MatchAll), |query| {
            query.alive_time = Some(seconds);
        })
    };
    for session_id in [Some(&id), None] {
        assert!(scan(&bench, &alive(session_id, 86_400)).is_ok());
        assert_eq!(
            refusal(&bench, &alive(session_id, 86_401)),
            "alive_time must be at most 86400 seconds, it is 86401"
        );
    }
}

#[test]
fn scans_beyond_the_most_that_may_run_are_refused() {
    let mut bench = Bench::counting(3);
    bench.settings.max_scan_tasks = 2;
    let (id, other) = (session(&bench), session(&bench));
    let first = request(Some(&id), Query::MatchAll);
    let second = request(Some(&other), Query::exists("l"));
    let third = request(Some(&id), Query::exists("l"));
    let page = scan(&bench, &first).unwrap();
    scan(&bench, &second).unwrap();
    let text = "2 scans are running already, the most that the emulator's settings allow is 2; read \
                them to their end or let their sessions expire";
    assert_eq!(refusal(&bench, &third), text);
    // What runs goes on, and without a session nothing is held.
    scan(&bench, &first).unwrap();
    assert!(scan(&bench, &request(None, Query::MatchAll)).is_ok());
    // One that was read to its end makes room.
    assert!(scan(&bench, &next(&first, &page)).unwrap().rows.is_empty());
    assert_eq!(share(&bench, &third).concat(), [0, 1, 2]);
}

#[test]
fn a_session_ends_with_its_index() {
    let bench = Bench::counting(10);
    let id = session(&bench);
    let first = with(request(Some(&id), Query::MatchAll), |query| {
        query.limit = Some(3)
    });
    let page = scan(&bench, &first).unwrap();
    let delete = DeleteSearchIndexRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
    };
    bench.unlocked(delete_search_index, delete).unwrap();
    assert_eq!(scan(&bench, &next(&first, &page)).unwrap_err(), expired());
    assert_eq!(lock(&bench.database).sessions.len(), 0);
    // A later index of the same name is another one.
    bench
        .locked(create_search_index, create_index("i"))
        .unwrap();
    assert_eq!(scan(&bench, &first).unwrap_err(), expired());
    let absent = ParallelScanRequest {
        index_name: Some("j".to_owned()),
        ..request(None, Query::MatchAll)
    };
    assert_eq!(
        scan(&bench, &absent).unwrap_err(),
        ServiceError::new(400, "OTSMetaNotMatch", "search index [j] does not exist")
    );
}

#[test]
fn an_unknown_session_is_reported_like_an_expired_one() {
    let bench = Bench::counting(1);
    let unknown = request(Some(&Bytes::from_static(b"unknown")), Query::MatchAll);
    assert_eq!(scan(&bench, &unknown).unwrap_err(), expired());
    // So is one that was opened for another index.
    bench
        .locked(create_search_index, create_index("j"))
        .unwrap();
    let other = compute(&bench, "t", "j").unwrap().session_id;
    let mixed = request(other.as_ref(), Query::MatchAll);
    assert_eq!(scan(&bench, &mixed).unwrap_err(), expired());
}

#[test]
fn a_finished_task_frees_its_snapshot() {
    let mut bench = Bench::counting(4);
    bench.settings.splits = 2;
    let id = session(&bench);
    let watched = {
        let database = lock(&bench.database);
        let row = database.tables["t"].rows.values().next().unwrap();
        std::sync::Arc::downgrade(row)
    };
    let of = |current| {
        with(request(Some(&id), Query::MatchAll), |query| {
            query.limit = Some(1);
            query.max_parallel = Some(2);
            query.current_parallel_id = Some(current);
        })
    };
    let early = scan(&bench, &of(0)).unwrap();
    bench.clear();
    assert_eq!(share(&bench, &of(0)).concat(), [0, 1]);
    assert!(watched.upgrade().is_some(), "share 1 isn't read yet");
    assert_eq!(share(&bench, &of(1)).concat(), [2, 3]);
    assert!(watched.upgrade().is_none());
    // A token into the middle of what is gone can't be honoured.
    assert_eq!(scan(&bench, &next(&of(0), &early)).unwrap_err(), expired());
    // Scanning from the start is a new task.
    bench.put(row(9, &[]));
    assert_eq!(share(&bench, &of(0)).concat(), Vec::<i64>::new());
    assert_eq!(share(&bench, &of(1)).concat(), [9]);
}

#[test]
fn parallel_ids_out_of_range_are_refused() {
    let mut bench = Bench::counting(1);
    bench.settings.splits = 3;
    let id = session(&bench);
    let refused = |max_parallel, current_parallel_id| {
        let request = with(request(Some(&id), Query::MatchAll), |query| {
            query.max_parallel = max_parallel;
            query.current_parallel_id = current_parallel_id;
        });
        refusal(&bench, &request)
    };
    for max in [-1, 0, 4] {
        assert_eq!(
            refused(Some(max), Some(0)),
            format!(
                "[parallel_scan.max_parallel_id] must in (0 ,3], current max_parallel_id is {max}"
            )
        );
    }
    for (max, current) in [(3, 3), (2, -1), (1, 1)] {
        assert_eq!(
            refused(Some(max), Some(current)),
            format!(
                "[parallel_scan.current_parallel_id] must in [0, max_parallel), current max_parallel \
                 is {max}, current_parallel_id is {current}"
            )
        );
    }
    assert_eq!(
        refused(None, Some(1)),
        "[parallel_scan.current_parallel_id] must in [0, max_parallel), current max_parallel is 1, \
         current_parallel_id is 1"
    );
}

#[test]
fn a_token_belongs_to_one_query_share_and_session() {
    let mut bench = Bench::counting(20);
    bench.settings.splits = 2;
    let (id, other) = (session(&bench), session(&bench));
    let first = with(request(Some(&id), Query::MatchAll), |query| {
        query.limit = Some(2);
        query.max_parallel = Some(2);
    });
    let page = scan(&bench, &first).unwrap();
    let second = next(&first, &page);
    let invalid = "the token is invalid: it belongs to no earlier page of this request";
    for changed in [
        with(second.clone(), |query| query.current_parallel_id = Some(1)),
        with(second.clone(), |query| query.max_parallel = Some(1)),
        with(second.clone(), |query| {
            query.query = Some(Query::exists("l").to_message());
        }),
        with(second.clone(), |query| {
            query.token = Some(Bytes::from_static(b"garbage"))
        }),
        ParallelScanRequest {
            session_id: Some(other),
            ..second.clone()
        },
        ParallelScanRequest {
            session_id: None,
            ..second.clone()
        },
    ] {
        assert_eq!(refusal(&bench, &changed), invalid);
    }
    // The limit and the columns may change from page to page.
    let longer = with(second, |query| query.limit = Some(5));
    assert_eq!(ids(&scan(&bench, &longer).unwrap().rows), [2, 3, 4, 5, 6]);
}

#[test]
fn misuse_is_refused_before_a_task_begins() {
    let bench = Bench::counting(1);
    let id = session(&bench);
    let base = || request(Some(&id), Query::MatchAll);
    for (request, expected) in [
        (
            with(base(), |query| query.limit = Some(0)),
            "limit must be positive, it is 0",
        ),
        (
            with(base(), |query| query.alive_time = Some(-1)),
            "alive_time must be positive, it is -1",
        ),
        (
            with(base(), |query| query.query = None),
            "the request has no query",
        ),
        (
            ParallelScanRequest {
                scan_query: None,
                ..base()
            },
            "the request has no scan_query",
        ),
        (
            request(Some(&id), Query::exists("nope")),
            "field [nope] does not exist in the search index",
        ),
        (
            ParallelScanRequest {
                table_name: Some("3t".to_owned()),
                ..base()
            },
            "Invalid table name: '3t'.",
        ),
        (
            ParallelScanRequest {
                table_name: Some("u".to_owned()),
                ..base()
            },
            "table [u] does not exist",
        ),
    ] {
        assert_eq!(refusal(&bench, &request), expected);
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
