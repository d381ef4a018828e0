//! What is refused.

use super::*;

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
