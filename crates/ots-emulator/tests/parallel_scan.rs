//! Parallel scans from the outside: every row once, whatever else happens meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::thread;
use std::time::Duration;

use bytes::Bytes;
use common::{Client, Refusal, id, values};
use ots_emulator::{Emulator, FaultAction, FaultRule, Settings};
use ots_proto::Row;
use ots_proto::messages::{
    ColumnReturnType, ColumnsToGet, ComputeSplitsRequest, CreateSearchIndexRequest, FieldSchema,
    FieldType, IndexSchema, ParallelScanRequest, ParallelScanResponse, PrimaryKeyType, ScanQuery,
    SearchIndexSplitsOptions,
};
use ots_proto::operation;
use ots_proto::search::Query;
use proptest::prelude::*;

/// A table whose rows count up in `n`, with an index on `n` and others.
fn indexed(rows: i64, settings: Settings) -> Client {
    let client = with_index(Client::with(Emulator::builder().settings(settings)));
    for n in 0..rows {
        client.put("t", Row::new(id(n)).cell("n", n)).unwrap();
    }
    client
}

/// The same, still without rows.
fn with_index(client: Client) -> Client {
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    let field = |name: &str, kind: FieldType| FieldSchema {
        field_name: Some(name.to_owned()),
        field_type: Some(kind as i32),
        ..FieldSchema::default()
    };
    let request = CreateSearchIndexRequest {
        table_name: "t".to_owned(),
        index_name: "i".to_owned(),
        schema: Some(IndexSchema {
            field_schemas: vec![
                field("n", FieldType::Long),
                FieldSchema {
                    is_array: Some(true),
                    ..field("array", FieldType::Long)
                },
                field("point", FieldType::GeoPoint),
            ],
            ..IndexSchema::default()
        }),
        ..CreateSearchIndexRequest::default()
    };
    client
        .call::<operation::CreateSearchIndex>(&request)
        .unwrap();
    client
}

fn settings(splits: u32, scan_page_rows: usize) -> Settings {
    let mut settings = Settings::default();
    settings.splits = splits;
    settings.scan_page_rows = scan_page_rows;
    settings
}

/// A session and its number of splits.
fn compute_splits(client: &Client) -> (Bytes, i32) {
    let request = ComputeSplitsRequest {
        table_name: Some("t".to_owned()),
        search_index_splits_options: Some(SearchIndexSplitsOptions {
            index_name: Some("i".to_owned()),
        }),
    };
    let splits = client.call::<operation::ComputeSplits>(&request).unwrap();
    (splits.session_id.unwrap(), splits.splits_size.unwrap())
}

fn request(session: &Bytes, query: ScanQuery) -> ParallelScanRequest {
    ParallelScanRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        session_id: Some(session.clone()),
        scan_query: Some(query),
        ..ParallelScanRequest::default()
    }
}

fn everything() -> ScanQuery {
    ScanQuery {
        query: Some(Query::MatchAll.to_message()),
        ..ScanQuery::default()
    }
}

fn scan(
    client: &Client,
    session: &Bytes,
    query: &ScanQuery,
) -> Result<ParallelScanResponse, Refusal> {
    client.call::<operation::ParallelScan>(&request(session, query.clone()))
}

fn ids(page: &ParallelScanResponse) -> Vec<i64> {
    page.rows
        .iter()
        .map(|row| {
            let row = common::only_row(row).unwrap();
            row.primary_key.get("id").unwrap().as_integer().unwrap()
        })
        .collect()
}

/// Reads a share to its end.
fn drain(client: &Client, session: &Bytes, mut query: ScanQuery) -> Vec<i64> {
    let mut all = Vec::new();
    loop {
        let page = scan(client, session, &query).unwrap();
        all.extend(ids(&page));
        if page.next_token.is_none() {
            return all;
        }
        query.token = page.next_token;
    }
}

#[test]
fn shares_read_side_by_side_are_the_table_at_the_first_scan() {
    let client = indexed(500, settings(4, 7));
    let (session, splits) = compute_splits(&client);
    let first = scan(&client, &session, &share(0, splits)).unwrap();
    let mut seen = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..500 {
                client
                    .put("t", Row::new(id(n + 1000)).cell("n", n))
                    .unwrap();
                client.delete("t", id(n)).unwrap();
            }
        });
        let readers: Vec<_> = (0..splits)
            .map(|current| {
                let (client, session) = (&client, &session);
                scope.spawn(move || drain(client, session, share(current, splits)))
            })
            .collect();
        writer.join().unwrap();
        let all = readers
            .into_iter()
            .flat_map(|reader| reader.join().unwrap());
        all.collect::<Vec<_>>()
    });
    assert_eq!(ids(&first), (0..7).collect::<Vec<_>>());
    seen.sort_unstable();
    assert_eq!(seen, (0..500).collect::<Vec<_>>());
}

fn share(current: i32, max_parallel: i32) -> ScanQuery {
    ScanQuery {
        current_parallel_id: Some(current),
        max_parallel: Some(max_parallel),
        ..everything()
    }
}

#[test]
fn arrays_and_points_are_formatted_and_cells_carry_no_version() {
    let client = indexed(0, Settings::default());
    let row = Row::new(id(1))
        .cell("point", "10,50")
        .cell("n", 7)
        .cell("array", "[1,2, 3, 4]")
        .cell("other", 1);
    client.put("t", row).unwrap();
    let (session, _) = compute_splits(&client);
    let scan = |columns_to_get| {
        client.call::<operation::ParallelScan>(&ParallelScanRequest {
            columns_to_get,
            ..request(&session, everything())
        })
    };
    let columns = |kind: ColumnReturnType, names: &[&str]| {
        Some(ColumnsToGet {
            return_type: Some(kind as i32),
            column_names: names.iter().map(|&name| name.to_owned()).collect(),
        })
    };
    let page = scan(columns(ColumnReturnType::AllFromIndex, &[])).unwrap();
    let row = common::only_row(&page.rows[0]).unwrap();
    assert_eq!(
        values(&row),
        [
            ("array", "[1,2,3,4]".into()),
            ("n", 7.into()),
            ("point", "10.0,50.0".into())
        ]
    );
    assert!(row.cells.iter().all(|cell| cell.timestamp_ms.is_none()));
    let page = scan(columns(ColumnReturnType::Specified, &["n", "id"])).unwrap();
    let row = common::only_row(&page.rows[0]).unwrap();
    assert_eq!(values(&row), [("n", 7.into())]);
    let page = scan(None).unwrap();
    assert_eq!(values(&common::only_row(&page.rows[0]).unwrap()), []);
    for refused in [
        columns(ColumnReturnType::All, &[]),
        columns(ColumnReturnType::Specified, &["other"]),
    ] {
        let refusal = scan(refused).unwrap_err();
        assert_eq!(
            (refusal.status, &*refusal.code),
            (400, "OTSParameterInvalid")
        );
    }
}

#[test]
fn the_same_seed_opens_the_same_sessions() {
    let session = |seed: Option<u64>| {
        let mut builder = Emulator::builder();
        if let Some(seed) = seed {
            builder = builder.seed(seed);
        }
        let client = with_index(Client::with(builder));
        let (first, _) = compute_splits(&client);
        let (second, _) = compute_splits(&client);
        assert_ne!(first, second);
        (first, second)
    };
    assert_eq!(session(Some(7)), session(Some(7)));
    assert_ne!(session(Some(7)), session(Some(8)));
    assert_ne!(session(None), session(None));
}

#[test]
fn a_session_expires_when_no_request_comes_for_alive_time() {
    let client = indexed(10, settings(1, 4));
    let (session, _) = compute_splits(&client);
    let mut query = everything();
    for _ in 0..2 {
        let page = scan(&client, &session, &query).unwrap();
        query.token = page.next_token;
        client.advance(Duration::from_secs(59));
    }
    client.advance(Duration::from_secs(1));
    assert_eq!(
        scan(&client, &session, &query).unwrap_err(),
        Refusal {
            status: 400,
            code: "OTSSessionExpired".to_owned(),
            message:
                "ScanQuery'session is expired, please retry ComputeSplitsRequest and ScanQuery."
                    .to_owned(),
        }
    );
    let (session, _) = compute_splits(&client);
    assert_eq!(
        drain(&client, &session, everything()),
        (0..10).collect::<Vec<_>>()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_union_over_the_splits_is_every_match(
        rows in 0..50_i64,
        from in 0..50_i64,
        splits in 1..8_u32,
        page_rows in 1..9_usize,
    ) {
        let client = indexed(rows, settings(splits, page_rows));
        let (session, max_parallel) = compute_splits(&client);
        prop_assert_eq!(max_parallel, splits as i32);
        let mut seen = Vec::new();
        for current in 0..max_parallel {
            let query = ScanQuery {
                query: Some(Query::from(Query::range("n").gte(from)).to_message()),
                ..share(current, max_parallel)
            };
            seen.extend(drain(&client, &session, query));
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (from..rows).collect::<Vec<_>>());
    }
}

/// What happens next while sessions are read.
#[derive(Clone, Debug)]
enum Step {
    Put(i64),
    Delete(i64),
    /// Another session, with so many shares.
    Open(i32),
    /// The next page, of at most so many rows, of one of the unfinished shares.
    Read(usize, i32),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..30_i64).prop_map(Step::Put),
        2 => (0..30_i64).prop_map(Step::Delete),
        1 => (1..=4_i32).prop_map(Step::Open),
        6 => (any::<usize>(), 1..6_i32).prop_map(|(which, limit)| Step::Read(which, limit)),
    ]
}

/// A session that is being read.
struct Reading {
    id: Bytes,
    max_parallel: i32,
    /// The table at the first scan.
    expected: Option<Vec<i64>>,
    seen: Vec<i64>,
}

/// A share of a session that has more pages.
struct Unfinished {
    session: usize,
    current: i32,
    token: Option<Bytes>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any number of sessions and splits, any page limits, any interleaving with writes: the union of
    /// a session's splits is the table at its own first scan.
    #[test]
    fn each_session_is_the_table_at_its_first_scan(
        steps in prop::collection::vec(any_step(), 1..120),
    ) {
        let client = indexed(12, settings(4, 5));
        let mut table: std::collections::BTreeSet<i64> = (0..12).collect();
        let mut sessions: Vec<Reading> = Vec::new();
        let mut unfinished: Vec<Unfinished> = Vec::new();
        let mut steps = steps.into_iter();
        loop {
            let step = match steps.next() {
                Some(step) => step,
                None if unfinished.is_empty() => break,
                // In the end everything is read.
                None => Step::Read(0, 3),
            };
            match step {
                Step::Put(n) => {
                    client.put("t", Row::new(id(n)).cell("n", n)).unwrap();
                    table.insert(n);
                }
                Step::Delete(n) => {
                    client.delete("t", id(n)).unwrap();
                    table.remove(&n);
                }
                Step::Open(max_parallel) => {
                    let (id, _) = compute_splits(&client);
                    unfinished.extend((0..max_parallel).map(|current| Unfinished {
                        session: sessions.len(),
                        current,
                        token: None,
                    }));
                    sessions.push(Reading {
                        id,
                        max_parallel,
                        expected: None,
                        seen: Vec::new(),
                    });
                }
                Step::Read(_, _) if unfinished.is_empty() => {}
                Step::Read(which, limit) => {
                    let which = which % unfinished.len();
                    let part = &mut unfinished[which];
                    let session = &mut sessions[part.session];
                    let query = ScanQuery {
                        limit: Some(limit),
                        token: part.token.take(),
                        ..share(part.current, session.max_parallel)
                    };
                    let page = scan(&client, &session.id, &query).unwrap();
                    session
                        .expected
                        .get_or_insert_with(|| table.iter().copied().collect());
                    prop_assert!(page.rows.len() <= usize::try_from(limit).unwrap());
                    session.seen.extend(ids(&page));
                    part.token = page.next_token;
                    if part.token.is_none() {
                        unfinished.swap_remove(which);
                    }
                }
            }
        }
        for mut session in sessions {
            session.seen.sort_unstable();
            prop_assert_eq!(Some(session.seen), session.expected);
        }
    }
}

#[test]
fn a_fault_gives_an_empty_page_with_a_token_and_loses_no_row() {
    let client = indexed(20, settings(2, 4));
    let (session, splits) = compute_splits(&client);
    let faults = client.emulator.faults();
    let rule = FaultRule::new(FaultAction::EmptyPage).operation("ParallelScan");
    faults.add(rule.index("i").split(1).times(3));
    let mut seen: Vec<_> = (0..splits)
        .flat_map(|current| drain(&client, &session, share(current, splits)))
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
    assert_eq!(faults.list()[0].met, 3);
}

#[test]
fn a_fault_expires_the_session_that_a_scan_names() {
    let client = indexed(20, settings(2, 4));
    let (session, splits) = compute_splits(&client);
    let (other, _) = compute_splits(&client);
    let rule = FaultRule::new(FaultAction::ExpireSession).split(1);
    client.emulator.faults().add(rule);
    scan(&client, &session, &share(0, splits)).unwrap();
    let refusal = scan(&client, &session, &share(1, splits)).unwrap_err();
    assert_eq!(refusal.code, "OTSSessionExpired");
    let refusal = scan(&client, &session, &share(0, splits)).unwrap_err();
    assert_eq!(refusal.code, "OTSSessionExpired");
    scan(&client, &other, &share(0, splits)).unwrap();
}

#[test]
fn advancing_the_emulators_time_expires_a_session() {
    let client = indexed(5, settings(1, 4));
    let (session, splits) = compute_splits(&client);
    scan(&client, &session, &share(0, splits)).unwrap();
    client.emulator.advance(Duration::from_secs(61));
    let refusal = scan(&client, &session, &share(0, splits)).unwrap_err();
    assert_eq!(refusal.code, "OTSSessionExpired");
}
