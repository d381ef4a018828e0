//! How long sessions, tokens and snapshots live.

use super::*;

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
