//! Data directories: what is there after the emulator is gone, however it went.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::error::Error as _;
use std::sync::{Arc, Barrier};
use std::thread;

use bytes::Bytes;
use common::{Client, at, create_request, id, options};
use ots_emulator::ManualClock;
use ots_proto::messages::{
    AddDefinedColumnRequest, ComputeSplitsRequest, CreateSearchIndexRequest, DefinedColumnSchema,
    DefinedColumnType, DeleteTableRequest, DescribeSearchIndexRequest, DescribeTableRequest,
    FieldSchema, FieldType, IndexSchema, ParallelScanRequest, PrimaryKeyOption, PrimaryKeyType,
    ReturnType, ScanQuery, SearchIndexSplitsOptions, StreamSpecification,
};
use ots_proto::operation;
use ots_proto::search::Query;
use ots_proto::{CellUpdate, PrimaryKey, PrimaryKeyValue, Row, RowUpdate};

const KINDS: [(&str, PrimaryKeyType); 3] = [
    ("id", PrimaryKeyType::Integer),
    ("text", PrimaryKeyType::String),
    ("blob", PrimaryKeyType::Binary),
];

fn key(n: i64) -> PrimaryKey {
    id(n)
        .column("text", format!("snow {n} 雪"))
        .column("blob", Bytes::from(vec![0, 255, n.to_le_bytes()[0]]))
}

#[test]
fn everything_about_a_table_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (table, index) = {
        let client = Client::open(directory.path());
        let mut request = create_request("t", &KINDS, options(3));
        request.stream_spec = Some(StreamSpecification {
            enable_stream: true,
            expiration_time: Some(12),
            ..StreamSpecification::default()
        });
        client.call::<operation::CreateTable>(&request).unwrap();
        let column = DefinedColumnSchema {
            name: "later".to_owned(),
            r#type: DefinedColumnType::Integer as i32,
        };
        let request = AddDefinedColumnRequest {
            table_name: "t".to_owned(),
            columns: vec![column],
        };
        client
            .call::<operation::AddDefinedColumn>(&request)
            .unwrap();
        client.create("indexed", &KINDS);
        let index = index_request("indexed");
        client.call::<operation::CreateSearchIndex>(&index).unwrap();
        for n in 0..20 {
            let row = Row::new(key(n))
                .cell("integer", n - 10)
                .cell("double", -0.0)
                .cell("string", "雪\0")
                .cell("flag", n % 2 == 0)
                .cell("bytes", vec![n.to_le_bytes()[0]; 100]);
            client.put("t", row).unwrap();
        }
        // Versions, a deletion, a row without columns.
        for at_ms in [5, 3, 9, 7] {
            let mut update = RowUpdate::new(key(0));
            update
                .cells
                .push(CellUpdate::Put(at("versions", at_ms, at_ms)));
            client.update("t", update).unwrap();
        }
        client.delete("t", key(1)).unwrap();
        client.put("t", Row::new(key(2))).unwrap();
        (describe(&client), describe_index(&client))
    };
    let client = Client::open(directory.path());
    assert_eq!(table.table_meta.defined_column.len(), 1);
    assert_eq!(describe(&client), table);
    assert_eq!(describe_index(&client), index);
    assert_eq!(client.get("t", &key(1)), None);
    assert_eq!(client.get("t", &key(2)), Some(Row::new(key(2))));
    let versions: Vec<_> = client
        .get("t", &key(0))
        .unwrap()
        .cells
        .into_iter()
        .filter(|cell| &*cell.name == "versions")
        .map(|cell| cell.timestamp_ms.unwrap())
        .collect();
    assert_eq!(versions, [9, 7, 5]);
    let row = client.get("t", &key(11)).unwrap();
    assert_eq!(
        common::values(&row),
        [
            ("bytes", vec![11_u8; 100].into()),
            ("double", (-0.0).into()),
            ("flag", false.into()),
            ("integer", 1.into()),
            ("string", "雪\0".into()),
        ]
    );
}

fn describe(client: &Client) -> ots_proto::messages::DescribeTableResponse {
    let table_name = "t".to_owned();
    let request = DescribeTableRequest { table_name };
    client.call::<operation::DescribeTable>(&request).unwrap()
}

fn index_request(table: &str) -> CreateSearchIndexRequest {
    CreateSearchIndexRequest {
        table_name: table.to_owned(),
        index_name: "i".to_owned(),
        schema: Some(IndexSchema {
            field_schemas: vec![FieldSchema {
                field_name: Some("integer".to_owned()),
                field_type: Some(FieldType::Long as i32),
                ..FieldSchema::default()
            }],
            ..IndexSchema::default()
        }),
        ..CreateSearchIndexRequest::default()
    }
}

fn describe_index(client: &Client) -> Option<IndexSchema> {
    let request = DescribeSearchIndexRequest {
        table_name: Some("indexed".to_owned()),
        index_name: Some("i".to_owned()),
        ..DescribeSearchIndexRequest::default()
    };
    let response = client.call::<operation::DescribeSearchIndex>(&request);
    response.unwrap().schema
}

#[test]
fn a_session_has_expired_after_a_restart_and_a_new_one_sees_every_row() {
    let directory = tempfile::tempdir().unwrap();
    let open = |client: &Client| {
        let request = ComputeSplitsRequest {
            table_name: Some("t".to_owned()),
            search_index_splits_options: Some(SearchIndexSplitsOptions {
                index_name: Some("i".to_owned()),
            }),
        };
        let splits = client.call::<operation::ComputeSplits>(&request).unwrap();
        ParallelScanRequest {
            table_name: Some("t".to_owned()),
            index_name: Some("i".to_owned()),
            session_id: splits.session_id,
            scan_query: Some(ScanQuery {
                query: Some(Query::MatchAll.to_message()),
                ..ScanQuery::default()
            }),
            ..ParallelScanRequest::default()
        }
    };
    let session = {
        let client = Client::open(directory.path());
        client.create("t", &KINDS);
        client
            .call::<operation::CreateSearchIndex>(&index_request("t"))
            .unwrap();
        for n in 0..5 {
            client
                .put("t", Row::new(key(n)).cell("integer", n))
                .unwrap();
        }
        open(&client)
    };
    let client = Client::open(directory.path());
    let refusal = client
        .call::<operation::ParallelScan>(&session)
        .unwrap_err();
    assert_eq!(refusal.code, "OTSSessionExpired");
    let page = client
        .call::<operation::ParallelScan>(&open(&client))
        .unwrap();
    assert_eq!(page.rows.len(), 5);
}

#[test]
fn generated_keys_go_on_rising_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let put = |client: &Client| {
        let row = Row::new(id(1).column("sequence", PrimaryKeyValue::AutoIncrement));
        let mut request = common::put_request("t", row.cell("n", 1));
        request.return_content = common::returns(ReturnType::Pk, &[]);
        let response = client.call::<operation::PutRow>(&request).unwrap();
        let row = common::only_row(&response.row.unwrap()).unwrap();
        row.primary_key
            .get("sequence")
            .unwrap()
            .as_integer()
            .unwrap()
    };
    let first = {
        let client = Client::open(directory.path());
        let columns = [
            ("id", PrimaryKeyType::Integer),
            ("sequence", PrimaryKeyType::Integer),
        ];
        let mut request = create_request("t", &columns, options(1));
        request.table_meta.primary_key[1].option = Some(PrimaryKeyOption::AutoIncrement as i32);
        client.call::<operation::CreateTable>(&request).unwrap();
        put(&client);
        put(&client)
    };
    // The clock of the test stands still, so only what was kept can tell.
    assert!(put(&Client::open(directory.path())) > first);
}

#[test]
fn a_table_made_again_has_none_of_the_old_rows() {
    let directory = tempfile::tempdir().unwrap();
    {
        let client = Client::open(directory.path());
        client.create("t", &KINDS);
        client.create("tt", &KINDS);
        for n in 0..3 {
            client.put("t", Row::new(key(n)).cell("n", n)).unwrap();
            client.put("tt", Row::new(key(n)).cell("n", n)).unwrap();
        }
        let table_name = "t".to_owned();
        client
            .call::<operation::DeleteTable>(&DeleteTableRequest { table_name })
            .unwrap();
        client.create("t", &KINDS);
        client.put("t", Row::new(key(2)).cell("n", 7)).unwrap();
    }
    let client = Client::open(directory.path());
    assert_eq!(client.get("t", &key(1)), None);
    assert!(client.get("t", &key(2)).is_some());
    assert!(client.get("tt", &key(1)).is_some());
}

#[test]
fn a_snapshot_brings_its_moment_back_in_memory_and_on_disk() {
    let scratch = tempfile::tempdir().unwrap();
    let snapshot = scratch.path().join("snapshot");
    let durable = scratch.path().join("data");
    for client in [Client::new(), Client::open(&durable)] {
        client.create("t", &KINDS);
        client.put("t", Row::new(key(1)).cell("n", 1)).unwrap();
        if !snapshot.exists() {
            client.emulator.snapshot(&snapshot).unwrap();
        }
        assert!(client.emulator.snapshot(&snapshot).is_err(), "written over");
        client.put("t", Row::new(key(1)).cell("n", 2)).unwrap();
        client.put("t", Row::new(key(2)).cell("n", 2)).unwrap();
        client.create("other", &KINDS);
        client.emulator.restore(&snapshot).unwrap();
        let row = client.get("t", &key(1)).unwrap();
        assert_eq!(common::values(&row), [("n", 1.into())]);
        assert_eq!(client.get("t", &key(2)), None);
        assert!(
            client.emulator.restore(scratch.path()).is_err(),
            "no snapshot"
        );
    }
    // What was restored is what is on disk; and a snapshot is a data directory itself.
    for directory in [&durable, &snapshot] {
        let client = Client::open(directory);
        assert!(client.get("t", &key(1)).is_some());
        assert_eq!(client.get("t", &key(2)), None);
        client.create("other", &KINDS);
    }
}

#[test]
fn a_directory_serves_one_emulator_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let first = Client::open(directory.path());
    let error = ots_emulator::Emulator::builder()
        .open(directory.path())
        .unwrap_err();
    assert_eq!(error.path(), directory.path());
    assert_eq!(
        error.to_string(),
        format!("{} can't be opened", directory.path().display())
    );
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, "another emulator has it open");
    drop(first);
    Client::open(directory.path());
}

/// Of those that start at once on a new directory exactly one has it, and what it writes is there
/// afterwards: whoever comes second doesn't make the file anew under it.
#[test]
fn of_emulators_that_start_at_once_on_a_new_directory_one_has_it() {
    const STARTS: usize = 8;
    for round in 0..10 {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("data");
        let together = Barrier::new(STARTS);
        let started: Vec<_> = thread::scope(|scope| {
            let starts: Vec<_> = (0..STARTS)
                .map(|_| {
                    scope.spawn(|| {
                        together.wait();
                        ots_emulator::Emulator::builder().open(&directory)
                    })
                })
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        let mut having = Vec::new();
        for start in started {
            match start {
                Ok(emulator) => having.push(emulator),
                Err(error) => {
                    let cause = error.source().unwrap().to_string();
                    assert_eq!(cause, "another emulator has it open", "round {round}");
                }
            }
        }
        assert_eq!(having.len(), 1, "round {round}");
        let client = Client {
            emulator: having.pop().unwrap(),
            clock: Arc::new(ManualClock::at_ms(0)),
        };
        client.create("t", &KINDS);
        drop(client);
        assert!(!Client::open(&directory).emulator.is_empty());
    }
}

#[test]
fn a_directory_in_which_an_emulator_begins_takes_no_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let _first = Client::open(directory.path());
    let error = Client::new()
        .emulator
        .snapshot(directory.path())
        .unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, "another emulator has it open");
}
