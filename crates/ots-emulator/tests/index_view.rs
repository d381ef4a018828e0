//! What an index shows of its table: late where the settings say so, and for as long as it lives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Client, Refusal, id, parameter, values};
use ots_emulator::{Emulator, Settings};
use ots_proto::messages::{
    ColumnReturnType, ColumnsToGet, ComputeSplitsRequest, CreateSearchIndexRequest,
    DescribeSearchIndexRequest, FieldSchema, FieldType, IndexSchema, ParallelScanRequest,
    PrimaryKeyType, ScanQuery, SearchIndexSplitsOptions, SearchQuery, SearchRequest, TableOptions,
    UpdateSearchIndexRequest, UpdateTableRequest,
};
use ots_proto::operation;
use ots_proto::search::Query;
use ots_proto::{Row, RowUpdate};
use proptest::prelude::*;
use prost::Message;

const DAY: Duration = Duration::from_secs(86_400);

fn create_index(client: &Client, time_to_live: Option<i32>) -> Result<(), Refusal> {
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
        time_to_live,
        ..CreateSearchIndexRequest::default()
    };
    let created = client.call::<operation::CreateSearchIndex>(&request);
    created.map(drop)
}

/// A table with an index, which is so far behind.
fn behind(delay: Duration) -> Client {
    let mut settings = Settings::default();
    settings.index_delay = delay;
    let client = Client::with(Emulator::builder().settings(settings));
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    create_index(&client, None).unwrap();
    client
}

/// A table whose rows live for days, without an index.
fn living(days: i32) -> Client {
    let client = Client::new();
    let options = TableOptions {
        time_to_live: Some(days * 86_400),
        max_versions: Some(1),
        allow_update: Some(false),
        ..TableOptions::default()
    };
    client.create_with("t", &[("id", PrimaryKeyType::Integer)], options);
    client
}

fn row_numbers(rows: &[bytes::Bytes]) -> BTreeMap<i64, i64> {
    let rows = rows.iter().map(|row| common::only_row(row).unwrap());
    rows.map(|row| {
        let id = row.primary_key.get("id").unwrap().as_integer().unwrap();
        let n = values(&row).first().and_then(|(_, n)| n.as_integer());
        (id, n.unwrap_or(-1))
    })
    .collect()
}

fn from_index() -> Option<ColumnsToGet> {
    Some(ColumnsToGet {
        return_type: Some(ColumnReturnType::AllFromIndex as i32),
        ..ColumnsToGet::default()
    })
}

/// What a search finds, and its count.
fn search(client: &Client, limit: i32) -> (BTreeMap<i64, i64>, i64) {
    let query = SearchQuery {
        query: Some(Query::MatchAll.to_message()),
        limit: Some(limit),
        get_total_count: Some(true),
        ..SearchQuery::default()
    };
    let request = SearchRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        columns_to_get: from_index(),
        search_query: Some(query.encode_to_vec().into()),
        ..SearchRequest::default()
    };
    let response = client.call::<operation::Search>(&request).unwrap();
    (row_numbers(&response.rows), response.total_hits.unwrap())
}

/// What a scan reads, with a session or without.
fn scan(client: &Client, session: bool) -> BTreeMap<i64, i64> {
    let request = ComputeSplitsRequest {
        table_name: Some("t".to_owned()),
        search_index_splits_options: Some(SearchIndexSplitsOptions {
            index_name: Some("i".to_owned()),
        }),
    };
    let session = session.then(|| {
        let splits = client.call::<operation::ComputeSplits>(&request).unwrap();
        splits.session_id.unwrap()
    });
    let request = ParallelScanRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        columns_to_get: from_index(),
        session_id: session,
        scan_query: Some(ScanQuery {
            query: Some(Query::MatchAll.to_message()),
            ..ScanQuery::default()
        }),
        ..ParallelScanRequest::default()
    };
    let response = client.call::<operation::ParallelScan>(&request).unwrap();
    row_numbers(&response.rows)
}

#[test]
fn what_is_written_is_found_when_the_index_has_caught_up() {
    let client = behind(Duration::from_secs(3));
    client.put("t", Row::new(id(1)).cell("n", 1)).unwrap();
    assert_eq!(search(&client, 10), (BTreeMap::new(), 0));
    client.advance(Duration::from_secs(3));
    assert_eq!(search(&client, 10), (BTreeMap::from([(1, 1)]), 1));

    client
        .update("t", RowUpdate::new(id(1)).put("n", 2))
        .unwrap();
    client.put("t", Row::new(id(2)).cell("n", 1)).unwrap();
    client.advance(Duration::from_secs(2));
    client.delete("t", id(1)).unwrap();
    assert_eq!(scan(&client, true), BTreeMap::from([(1, 1)]));
    client.advance(Duration::from_secs(1));
    assert_eq!(scan(&client, false), BTreeMap::from([(1, 2), (2, 1)]));
    client.advance(Duration::from_secs(2));
    assert_eq!(scan(&client, true), BTreeMap::from([(2, 1)]));
}

#[test]
fn rows_leave_the_index_before_they_leave_the_table() {
    let client = living(7);
    create_index(&client, Some(86_400)).unwrap();
    client.put("t", Row::new(id(1)).cell("n", 1)).unwrap();
    client.advance(DAY / 2);
    client.put("t", Row::new(id(2)).cell("n", 2)).unwrap();
    assert_eq!(search(&client, 10).1, 2);
    client.advance(DAY / 2);
    assert_eq!(search(&client, 10), (BTreeMap::from([(2, 2)]), 1));
    assert_eq!(scan(&client, true), BTreeMap::from([(2, 2)]));
    assert_eq!(scan(&client, false), BTreeMap::from([(2, 2)]));
    assert!(client.get("t", &id(1)).is_some());

    let update = |seconds| {
        let request = UpdateSearchIndexRequest {
            table_name: Some("t".to_owned()),
            index_name: Some("i".to_owned()),
            time_to_live: Some(seconds),
            ..UpdateSearchIndexRequest::default()
        };
        let updated = client.call::<operation::UpdateSearchIndex>(&request);
        updated.map(drop)
    };
    update(2 * 86_400).unwrap();
    assert_eq!(search(&client, 10).1, 2);
    assert_eq!(shown_time_to_live(&client), Some(2 * 86_400));
    assert_eq!(
        update(-1),
        Err(parameter(
            "the time to live of a search index must not exceed that of its table, 604800: -1"
        ))
    );
    // Nor may the table fall behind the index, or begin to change its rows.
    for (time_to_live, allow_update, text) in [
        (
            Some(86_400),
            None,
            "the time to live of a search index must not exceed that of its table, 86400: 172800",
        ),
        (None, Some(true), "operation is denied as table TTL exists"),
        (
            Some(-1),
            Some(true),
            "a search index with a time to live needs a table whose option allow_update is false",
        ),
    ] {
        let request = UpdateTableRequest {
            table_name: "t".to_owned(),
            table_options: Some(TableOptions {
                time_to_live,
                allow_update,
                ..TableOptions::default()
            }),
            ..UpdateTableRequest::default()
        };
        let refusal = client.call::<operation::UpdateTable>(&request).unwrap_err();
        assert_eq!(refusal, parameter(text));
    }
}

#[test]
fn an_index_without_a_time_to_live_follows_its_table() {
    let client = living(1);
    create_index(&client, None).unwrap();
    assert_eq!(shown_time_to_live(&client), Some(86_400));
    client.put("t", Row::new(id(1)).cell("n", 1)).unwrap();
    assert_eq!(search(&client, 10).1, 1);
    client.advance(DAY);
    assert_eq!(search(&client, 10).1, 0);
    assert_eq!(client.get("t", &id(1)), None);
}

#[test]
fn a_time_to_live_that_makes_no_sense_is_refused() {
    let client = living(1);
    for (seconds, text) in [
        (
            0,
            "the time to live of a search index is -1 or positive, not 0",
        ),
        (
            -2,
            "the time to live of a search index is -1 or positive, not -2",
        ),
        (
            86_401,
            "the time to live of a search index must not exceed that of its table, 86400: 86401",
        ),
    ] {
        assert_eq!(create_index(&client, Some(seconds)), Err(parameter(text)));
    }
}

#[test]
fn a_time_to_live_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    {
        let client = Client::open(directory.path());
        let options = TableOptions {
            time_to_live: Some(-1),
            max_versions: Some(1),
            allow_update: Some(false),
            ..TableOptions::default()
        };
        client.create_with("t", &[("id", PrimaryKeyType::Integer)], options);
        create_index(&client, Some(86_400)).unwrap();
    }
    let client = Client::open(directory.path());
    assert_eq!(shown_time_to_live(&client), Some(86_400));
}

fn shown_time_to_live(client: &Client) -> Option<i32> {
    let request = DescribeSearchIndexRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        include_sync_stat: Some(true),
    };
    let described = client.call::<operation::DescribeSearchIndex>(&request);
    described.unwrap().time_to_live
}

/// What happens to the table.
#[derive(Clone, Debug)]
enum Step {
    Put(i64, i64),
    Update(i64, i64),
    Delete(i64),
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let id = 0_i64..8;
    prop_oneof![
        (id.clone(), 0_i64..100).prop_map(|(id, n)| Step::Put(id, n)),
        (id.clone(), 0_i64..100).prop_map(|(id, n)| Step::Update(id, n)),
        id.prop_map(Step::Delete),
        (0_u64..40).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// An index that is behind is the table as it was then, whatever has happened since: searched,
    /// counted and scanned.
    #[test]
    fn an_index_that_is_behind_is_the_table_as_it_was(
        steps in prop::collection::vec(any_step(), 1..30),
        delay_ms in 0_u64..60,
    ) {
        let client = behind(Duration::from_millis(delay_ms));
        let mut table = BTreeMap::new();
        let mut now_ms = 0;
        // The table after the last change of each moment.
        let mut past = BTreeMap::from([(0, table.clone())]);
        for step in steps {
            match step {
                Step::Put(key, n) => {
                    client.put("t", Row::new(id(key)).cell("n", n)).unwrap();
                    table.insert(key, n);
                }
                Step::Update(key, n) => {
                    client.update("t", RowUpdate::new(id(key)).put("n", n)).unwrap();
                    table.insert(key, n);
                }
                Step::Delete(key) => {
                    client.delete("t", id(key)).unwrap();
                    table.remove(&key);
                }
                Step::Wait(ms) => {
                    client.advance(Duration::from_millis(ms));
                    now_ms += ms;
                }
            }
            past.insert(now_ms, table.clone());
            let then = now_ms.checked_sub(delay_ms);
            let then = then.and_then(|then| past.range(..=then).next_back());
            let expected = then.map(|(_, table)| table.clone()).unwrap_or_default();
            let count = i64::try_from(expected.len()).unwrap();
            prop_assert_eq!(search(&client, 100), (expected.clone(), count));
            prop_assert_eq!(scan(&client, true), expected.clone());
            prop_assert_eq!(scan(&client, false), expected);
        }
    }
}
