//! What moves under a client: capacity, splits, sessions, and how often it may ask.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Client, Refusal, create_request, get_request, id, options};
use ots_emulator::{Emulator, FaultRule, Settings};
use ots_proto::Row;
use ots_proto::messages::{
    ComputeSplitsRequest, CreateSearchIndexRequest, FieldSchema, FieldType, IndexSchema,
    ListTableRequest, ParallelScanRequest, PrimaryKeyType, ScanQuery, SearchIndexSplitsOptions,
    TableOptions, UpdateTableRequest,
};
use ots_proto::operation;
use ots_proto::search::Query;

const KEY: [(&str, PrimaryKeyType); 1] = [("id", PrimaryKeyType::Integer)];

fn indexed(settings: Settings) -> Client {
    let client = Client::with(Emulator::builder().settings(settings));
    fill(&client);
    client
}

/// Table `t` with index `i` and five rows.
fn fill(client: &Client) {
    client.create("t", &KEY);
    let field = FieldSchema {
        field_name: Some("n".to_owned()),
        field_type: Some(FieldType::Long as i32),
        ..FieldSchema::default()
    };
    let request = CreateSearchIndexRequest {
        table_name: "t".to_owned(),
        index_name: "i".to_owned(),
        schema: Some(IndexSchema {
            field_schemas: vec![field],
            ..IndexSchema::default()
        }),
        ..CreateSearchIndexRequest::default()
    };
    let created = client.call::<operation::CreateSearchIndex>(&request);
    created.unwrap();
    for n in 0..5 {
        client.put("t", Row::new(id(n)).cell("n", n)).unwrap();
    }
}

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

fn scan(client: &Client, session: &Bytes, max_parallel: i32) -> Result<usize, Refusal> {
    let request = ParallelScanRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        session_id: Some(session.clone()),
        scan_query: Some(ScanQuery {
            query: Some(Query::MatchAll.to_message()),
            max_parallel: Some(max_parallel),
            ..ScanQuery::default()
        }),
        ..ParallelScanRequest::default()
    };
    let page = client.call::<operation::ParallelScan>(&request)?;
    Ok(page.rows.len())
}

fn add_rule(client: &Client, json: &str) {
    for rule in FaultRule::list_from_json(json).unwrap() {
        client.emulator.faults().add(rule);
    }
}

fn code<T>(answer: Result<T, Refusal>) -> Option<String> {
    answer.err().map(|refusal| refusal.code)
}

#[test]
fn a_second_has_so_many_units_for_reads_and_for_writes() {
    let client = Client::new();
    client.create("t", &KEY);
    let limits = r#"{"match": {"table": "t"}, "do": {"limit_units": {"read": 3, "write": 2}}}"#;
    add_rule(&client, limits);
    // Three blocks of 4 KiB.
    let large = Row::new(id(1)).cell("bytes", vec![0_u8; 9000]);
    client.put("t", large.clone()).unwrap();
    let throttled = Some("OTSNotEnoughCapacityUnit".to_owned());
    assert_eq!(code(client.put("t", large.clone())), throttled);
    let get = || client.call::<operation::GetRow>(&get_request("t", &id(1)));
    get().unwrap();
    assert_eq!(code(get()), throttled, "reads have units of their own");
    client.advance(Duration::from_secs(1));
    client.put("t", large).unwrap();
    get().unwrap();
    let stats = client.emulator.operation_stats();
    let put = stats["PutRow"];
    assert_eq!((put.requests, put.refused), (3, 1));
    assert_eq!((put.read_units, put.write_units), (0, 6));
    assert_eq!(stats["GetRow"].read_units, 6);
}

#[test]
fn a_split_that_moves_refuses_rows_ends_sessions_and_may_change_the_number() {
    let mut settings = Settings::default();
    settings.splits = 4;
    let client = indexed(settings);
    let (session, splits) = compute_splits(&client);
    assert_eq!(splits, 4);
    scan(&client, &session, 4).unwrap();
    add_rule(
        &client,
        r#"{"do": {"move_split": {"splits": 2}}, "times": 2}"#,
    );
    let refusal = client
        .call::<operation::GetRow>(&get_request("t", &id(1)))
        .unwrap_err();
    assert_eq!(
        (refusal.status, &*refusal.code),
        (503, "OTSPartitionUnavailable")
    );
    let expired = Some("OTSSessionExpired".to_owned());
    assert_eq!(code(scan(&client, &session, 2)), expired);
    assert!(client.get("t", &id(1)).is_some(), "it has moved");
    let (session, splits) = compute_splits(&client);
    assert_eq!(splits, 2);
    scan(&client, &session, 2).unwrap();
    client.emulator.reset().unwrap();
    fill(&client);
    assert_eq!(compute_splits(&client).1, 4, "back to the beginning");
}

#[test]
fn all_sessions_expire_at_once_when_told_to() {
    let client = indexed(Settings::default());
    let sessions = [compute_splits(&client).0, compute_splits(&client).0];
    scan(&client, &sessions[0], 1).unwrap();
    assert_eq!(client.emulator.expire_sessions(), 2);
    for session in sessions {
        let expired = Some("OTSSessionExpired".to_owned());
        assert_eq!(code(scan(&client, &session, 1)), expired);
    }
    assert_eq!(client.emulator.expire_sessions(), 0);
    let (session, _) = compute_splits(&client);
    assert_eq!(scan(&client, &session, 1), Ok(5));
}

fn update(client: &Client, table: &str) -> Result<(), Refusal> {
    let request = UpdateTableRequest {
        table_name: table.to_owned(),
        table_options: Some(TableOptions {
            max_versions: Some(2),
            ..TableOptions::default()
        }),
        ..UpdateTableRequest::default()
    };
    client.call::<operation::UpdateTable>(&request).map(drop)
}

#[test]
fn strict_settings_want_two_minutes_between_updates_of_a_table() {
    let too_soon = Refusal {
        status: 403,
        code: "OTSTooFrequentReservedThroughputAdjustment".to_owned(),
        message: "Capacity unit adjustment is too frequent.".to_owned(),
    };
    for (settings, refused) in [(Settings::default(), false), (Settings::strict(), true)] {
        let client = Client::with(Emulator::builder().settings(settings));
        client.create("t", &KEY);
        client.create("u", &KEY);
        update(&client, "t").unwrap();
        let expected = if refused {
            Err(too_soon.clone())
        } else {
            Ok(())
        };
        client.advance(Duration::from_millis(119_999));
        assert_eq!(update(&client, "t"), expected);
        update(&client, "u").unwrap();
        client.advance(Duration::from_millis(1));
        update(&client, "t").unwrap();
        // A new table is nobody's second update.
        let table_name = "t".to_owned();
        let request = ots_proto::messages::DeleteTableRequest { table_name };
        client.call::<operation::DeleteTable>(&request).unwrap();
        client.create("t", &KEY);
        update(&client, "t").unwrap();
    }
}

#[test]
fn strict_settings_take_ten_operations_on_tables_a_second() {
    let lists = |client: &Client| {
        let list = || client.call::<operation::ListTable>(&ListTableRequest {});
        (0..12).take_while(|_| list().is_ok()).count()
    };
    assert_eq!(lists(&Client::new()), 12);
    let client = Client::with(Emulator::builder().settings(Settings::strict()));
    assert_eq!(lists(&client), 10);
    let refusal = client
        .call::<operation::CreateTable>(&create_request("t", &KEY, options(1)))
        .unwrap_err();
    assert_eq!(refusal.status, 403);
    assert_eq!(refusal.code, "OTSQuotaExhausted");
    assert_eq!(refusal.message, "Too frequent table operations.");
    client.advance(Duration::from_secs(1));
    client.create("t", &KEY);
    // Rows are no tables.
    for n in 0..20 {
        client.put("t", Row::new(id(n)).cell("n", n)).unwrap();
    }
}

#[test]
fn indexes_fall_behind_from_a_request_on_and_catch_up_by_the_clock() {
    let client = indexed(Settings::default());
    let found = |client: &Client| {
        let (session, _) = compute_splits(client);
        scan(client, &session, 1).unwrap()
    };
    assert_eq!(found(&client), 5);
    add_rule(
        &client,
        r#"{"do": {"delay_index_sync": {"ms": 3000}}, "times": 1}"#,
    );
    for n in 5..7 {
        client.put("t", Row::new(id(n)).cell("n", n)).unwrap();
    }
    assert_eq!(found(&client), 5);
    client.advance(Duration::from_millis(2999));
    assert_eq!(found(&client), 5);
    client.advance(Duration::from_millis(1));
    assert_eq!(found(&client), 7);

    client.put("t", Row::new(id(7)).cell("n", 7)).unwrap();
    assert_eq!(found(&client), 7);
    add_rule(
        &client,
        r#"{"do": {"delay_index_sync": {"ms": 0}}, "times": 1}"#,
    );
    assert_eq!(found(&client), 8);

    // The strict settings have it from the beginning.
    let client = indexed(Settings::strict());
    assert_eq!(found(&client), 0);
    client.advance(Duration::from_secs(3));
    assert_eq!(found(&client), 5);
}

#[test]
fn an_index_that_falls_behind_once_more_keeps_what_it_has_shown() {
    let client = indexed(Settings::default());
    let found = || {
        let (session, _) = compute_splits(&client);
        scan(&client, &session, 1).unwrap()
    };
    let put = |n: i64| client.put("t", Row::new(id(n)).cell("n", n)).unwrap();
    let delay = |ms: u64| {
        let rule = format!(r#"{{"do": {{"delay_index_sync": {{"ms": {ms}}}}}, "times": 1}}"#);
        add_rule(&client, &rule);
        // Rules are met by requests.
        found()
    };
    assert_eq!(delay(10_000), 5);
    put(5);
    assert_eq!(found(), 5);
    assert_eq!(delay(0), 6, "it has caught up");
    put(6);
    assert_eq!(found(), 7);
    // Less than ten seconds ago 5 and 6 weren't there, but the index had them already.
    assert_eq!(delay(10_000), 7);
    put(7);
    assert_eq!(found(), 7);

    client.advance(Duration::from_secs(10));
    put(8);
    assert_eq!(found(), 8);
    assert_eq!(delay(20_000), 8, "further behind, but not behind itself");
    client.advance(Duration::from_secs(19));
    assert_eq!(found(), 8);
    client.advance(Duration::from_secs(1));
    assert_eq!(found(), 9);
}
