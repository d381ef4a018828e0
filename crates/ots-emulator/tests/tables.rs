//! Tables: what can be created, what is shown of it, what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use common::{Client, NOW_MS, Refusal, create_request, id, no_table, options, parameter};
use ots_emulator::{Emulator, Settings};
use ots_proto::Row;
use ots_proto::messages::{
    AddDefinedColumnRequest, CreateTableRequest, DefinedColumnSchema, DefinedColumnType,
    DeleteDefinedColumnRequest, DeleteTableRequest, DescribeTableRequest, DescribeTableResponse,
    GetRowRequest, ListTableRequest, PartitionRange, PrimaryKeyOption, PrimaryKeyType,
    StreamSpecification, TableOptions, TableStatus, UpdateTableRequest,
};
use ots_proto::operation;
use ots_proto::plainbuffer::{VariantRef, read_primary_key};

const ID: &[(&str, PrimaryKeyType)] = &[("id", PrimaryKeyType::Integer)];

fn describe(client: &Client, table: &str) -> Result<DescribeTableResponse, Refusal> {
    client.call::<operation::DescribeTable>(&DescribeTableRequest {
        table_name: table.to_owned(),
    })
}

fn delete(client: &Client, table: &str) -> Result<(), Refusal> {
    let request = DeleteTableRequest {
        table_name: table.to_owned(),
    };
    client.call::<operation::DeleteTable>(&request).map(drop)
}

fn list(client: &Client) -> Vec<String> {
    let response = client.call::<operation::ListTable>(&ListTableRequest {});
    response.unwrap().table_names
}

/// Creates a table after `change`, and gives the refusal.
fn refused(change: impl FnOnce(&mut CreateTableRequest)) -> Refusal {
    let client = Client::new();
    let mut request = create_request("t", ID, options(1));
    change(&mut request);
    let refusal = client.call::<operation::CreateTable>(&request).unwrap_err();
    assert_eq!(list(&client), [""; 0]);
    refusal
}

#[test]
fn a_table_is_described_as_it_was_created() {
    let client = Client::new();
    let key = [
        ("pk1", PrimaryKeyType::String),
        ("pk2", PrimaryKeyType::Integer),
        ("pk3", PrimaryKeyType::Binary),
    ];
    let mut request = create_request(
        "t",
        &key,
        TableOptions {
            time_to_live: Some(86_401),
            max_versions: Some(i32::MAX),
            ..TableOptions::default()
        },
    );
    request.reserved_throughput.capacity_unit.read = Some(5000);
    request.reserved_throughput.capacity_unit.write = Some(4000);
    request.table_meta.primary_key[1].option = Some(PrimaryKeyOption::AutoIncrement as i32);
    request.table_meta.defined_column = vec![DefinedColumnSchema {
        name: "d".to_owned(),
        r#type: DefinedColumnType::Blob as i32,
    }];
    client.call::<operation::CreateTable>(&request).unwrap();

    let response = describe(&client, "t").unwrap();
    assert_eq!(response.table_meta, request.table_meta);
    let throughput = response.reserved_throughput_details;
    assert_eq!(
        throughput.capacity_unit,
        request.reserved_throughput.capacity_unit
    );
    assert_eq!(throughput.last_increase_time, NOW_MS / 1000);
    assert_eq!(throughput.last_decrease_time, None);
    assert_eq!(
        response.table_options,
        TableOptions {
            time_to_live: Some(86_401),
            max_versions: Some(i32::MAX),
            deviation_cell_version_in_sec: Some(86_400),
            allow_update: Some(true),
            update_full_row: Some(false),
            ..TableOptions::default()
        }
    );
    assert_eq!(response.table_status, Some(TableStatus::Active as i32));
    let stream = response.stream_details.unwrap();
    assert!(!stream.enable_stream);
    assert_eq!(stream.stream_id, None);
    assert_eq!(stream.expiration_time, Some(0));
    assert_eq!(stream.last_enable_time, Some(0));
    assert_eq!(response.shard_splits.len(), 0);
    assert_eq!(response.index_metas, []);
    assert_eq!(response.creation_time, Some(NOW_MS * 1000));
}

#[test]
fn tables_are_listed_by_byte() {
    let client = Client::new();
    for name in ["b", "a", "_", "B"] {
        client.create(name, ID);
    }
    assert_eq!(list(&client), ["B", "_", "a", "b"]);
}

#[test]
fn a_name_is_taken_once_and_free_after_deletion() {
    let client = Client::new();
    client.create("t", ID);
    let again = create_request("t", ID, options(1));
    let expected = Refusal {
        status: 409,
        code: "OTSObjectAlreadyExist".to_owned(),
        message: "Requested table already exists.".to_owned(),
    };
    assert_eq!(client.call::<operation::CreateTable>(&again), Err(expected));

    client.put("t", Row::new(id(1))).unwrap();
    delete(&client, "t").unwrap();
    client.create("t", &[("id", PrimaryKeyType::String)]);
    client.put("t", Row::new(id("1"))).unwrap();
    assert_eq!(client.get("t", &id("2")), None);
}

#[test]
fn absent_tables_are_not_found() {
    let client = Client::new();
    assert_eq!(describe(&client, "t"), Err(no_table()));
    assert_eq!(delete(&client, "t"), Err(no_table()));
    let update = UpdateTableRequest {
        table_name: "t".to_owned(),
        ..UpdateTableRequest::default()
    };
    assert_eq!(
        client.call::<operation::UpdateTable>(&update),
        Err(no_table())
    );
    assert_eq!(client.put("t", Row::new(id(1))), Err(no_table()));
    let get = common::get_request("t", &id(1));
    assert_eq!(client.call::<operation::GetRow>(&get), Err(no_table()));
}

#[test]
fn bad_table_names_are_refused_before_anything_else() {
    let client = Client::new();
    let text = "Invalid table name: '3t'.";
    assert_eq!(describe(&client, "3t"), Err(parameter(text)));
    assert_eq!(delete(&client, "3t"), Err(parameter(text)));
    let get = GetRowRequest {
        table_name: "3t".to_owned(),
        ..GetRowRequest::default()
    };
    assert_eq!(client.call::<operation::GetRow>(&get), Err(parameter(text)));
    let mut create = create_request("3t", &[], TableOptions::default());
    create.table_options = None;
    assert_eq!(
        client.call::<operation::CreateTable>(&create),
        Err(parameter(text))
    );
}

#[test]
fn keys_have_one_to_four_columns_of_three_types() {
    let column = |name: &str, r#type: i32| ots_proto::messages::PrimaryKeySchema {
        name: name.to_owned(),
        r#type,
        option: None,
    };
    let auto = |name: &str, r#type| ots_proto::messages::PrimaryKeySchema {
        option: Some(PrimaryKeyOption::AutoIncrement as i32),
        ..column(name, r#type)
    };
    let count = "The number of primary key columns must be in range: [1, 4].";
    for (key, text) in [
        (vec![], count),
        ((0..5).map(|n| column(&format!("k{n}"), 1)).collect(), count),
        (
            vec![column("a", 1), column("a", 2)],
            "Duplicated primary key name: 'a'.",
        ),
        (
            vec![column("a", 4)],
            "DOUBLE is an invalid type for the primary key.",
        ),
        (
            vec![column("a", 5)],
            "BOOLEAN is an invalid type for the primary key.",
        ),
        (vec![column("#", 1)], "Invalid column name: '#'."),
        (
            vec![auto("a", 1)],
            "First primary key can't be auto increment, table: t.",
        ),
        (
            vec![column("a", 1), auto("b", 2)],
            "AUTO_INCREMENT primary key must be integer.",
        ),
        (
            vec![column("a", 1), auto("b", 1), auto("c", 1)],
            "AUTO_INCREMENT primary key count must <= 1.",
        ),
    ] {
        let refusal = refused(|request| request.table_meta.primary_key = key);
        assert_eq!(refusal, parameter(text));
    }
}

#[test]
fn there_are_at_most_32_defined_columns() {
    let columns = |count| {
        (0..count)
            .map(|n| DefinedColumnSchema {
                name: format!("d{n}"),
                r#type: DefinedColumnType::Integer as i32,
            })
            .collect::<Vec<_>>()
    };
    let refusal = refused(|request| request.table_meta.defined_column = columns(33));
    let text = "The number of defined columns must be in range: [0, 32].";
    assert_eq!(refusal, parameter(text));

    let mut request = create_request("t", ID, options(1));
    request.table_meta.defined_column = columns(32);
    Client::new()
        .call::<operation::CreateTable>(&request)
        .unwrap();
}

#[test]
fn defined_columns_come_and_go_all_or_none() {
    let client = Client::new();
    client.create("t", ID);
    let column = |name: &str| DefinedColumnSchema {
        name: name.to_owned(),
        r#type: DefinedColumnType::String as i32,
    };
    let add = |table: &str, names: &[&str]| {
        let request = AddDefinedColumnRequest {
            table_name: table.to_owned(),
            columns: names.iter().map(|name| column(name)).collect(),
        };
        client
            .call::<operation::AddDefinedColumn>(&request)
            .map(drop)
    };
    let delete = |table: &str, names: &[&str]| {
        let request = DeleteDefinedColumnRequest {
            table_name: table.to_owned(),
            columns: names.iter().map(|&name| name.to_owned()).collect(),
        };
        client
            .call::<operation::DeleteDefinedColumn>(&request)
            .map(drop)
    };
    let shown = || -> Vec<String> {
        let columns = describe(&client, "t").unwrap().table_meta.defined_column;
        columns.into_iter().map(|column| column.name).collect()
    };
    add("t", &["b", "a"]).unwrap();
    add("t", &["c"]).unwrap();
    assert_eq!(shown(), ["b", "a", "c"]);
    // Values of any type may be written, and stay when the column is forgotten.
    client.put("t", Row::new(id(1)).cell("a", 1)).unwrap();
    delete("t", &["b", "a"]).unwrap();
    assert_eq!(shown(), ["c"]);
    assert!(client.get("t", &id(1)).unwrap().get("a").is_some());

    let many: Vec<_> = (0..32).map(|n| format!("d{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for (result, text) in [
        (
            add("t", &["d", "c"]),
            "Duplicated defined column name: 'c'.",
        ),
        (add("t", &["id"]), "Duplicated defined column name: 'id'."),
        (add("t", &["d", "#"]), "Invalid column name: '#'."),
        (
            add("t", &many),
            "The number of defined columns must be in range: [0, 32].",
        ),
        (add("t", &[]), "No defined column is specified."),
        (delete("t", &[]), "No defined column is specified."),
        (
            delete("t", &["c", "c"]),
            "Defined column 'c' does not exist.",
        ),
        (add("3t", &["d"]), "Invalid table name: '3t'."),
        (delete("3t", &["d"]), "Invalid table name: '3t'."),
    ] {
        assert_eq!(result, Err(parameter(text)));
        assert_eq!(shown(), ["c"]);
    }
    assert_eq!(add("other", &["d"]), Err(no_table()));
    assert_eq!(delete("other", &["d"]), Err(no_table()));
}

#[test]
fn what_is_not_implemented_is_refused() {
    let refusal = refused(|request| request.enable_local_txn = Some(true));
    let text = "The emulator does not implement local transactions.";
    assert_eq!(refusal, parameter(text));
    let refusal = refused(|request| request.index_metas = vec![Default::default()]);
    let text = "The emulator does not implement secondary indexes.";
    assert_eq!(refusal, parameter(text));
}

#[test]
fn the_65th_table_exceeds_the_quota() {
    let client = Client::new();
    for n in 0..64 {
        client.create(&format!("t{n}"), ID);
    }
    let request = create_request("t64", ID, options(1));
    let expected = Refusal {
        status: 403,
        code: "OTSQuotaExhausted".to_owned(),
        message: "Number of tables exceeds the quota:64.".to_owned(),
    };
    assert_eq!(
        client.call::<operation::CreateTable>(&request),
        Err(expected)
    );

    let mut settings = Settings::default();
    settings.max_tables = 1;
    let client = Client::with(Emulator::builder().settings(settings));
    client.create("t", ID);
    let refusal = client.call::<operation::CreateTable>(&request).unwrap_err();
    assert_eq!(refusal.message, "Number of tables exceeds the quota:1.");
}

#[test]
fn updates_change_what_they_mention() {
    let client = Client::new();
    client.create("t", ID);
    let before = describe(&client, "t").unwrap();
    let response = client
        .call::<operation::UpdateTable>(&UpdateTableRequest {
            table_name: "t".to_owned(),
            table_options: Some(TableOptions {
                max_versions: Some(7),
                ..TableOptions::default()
            }),
            stream_spec: Some(StreamSpecification {
                enable_stream: true,
                expiration_time: Some(24),
                columns_to_get: vec!["c".to_owned()],
            }),
            ..UpdateTableRequest::default()
        })
        .unwrap();
    let after = describe(&client, "t").unwrap();
    assert_eq!(
        after.table_options,
        TableOptions {
            max_versions: Some(7),
            ..before.table_options
        }
    );
    assert_eq!(response.table_options, after.table_options);
    assert_eq!(
        response.reserved_throughput_details,
        after.reserved_throughput_details
    );
    assert_eq!(response.stream_details, after.stream_details);
    let stream = after.stream_details.unwrap();
    assert!(stream.enable_stream && stream.stream_id.is_some());
    assert_eq!(stream.expiration_time, Some(24));
    assert!(stream.last_enable_time > Some(0));
    assert_eq!(stream.column_to_get, ["c"]);
}

#[test]
fn refused_updates_change_nothing() {
    let client = Client::new();
    client.create("t", ID);
    let before = describe(&client, "t").unwrap();
    for (options, text) in [
        (
            TableOptions::default(),
            "No parameter is specified in table options.",
        ),
        (
            TableOptions {
                max_versions: Some(3),
                time_to_live: Some(0),
                ..TableOptions::default()
            },
            "TimeToLive cannot be 0 or less than -1.",
        ),
        (
            TableOptions {
                update_full_row: Some(true),
                ..TableOptions::default()
            },
            "The table options of UpdateTable cannot contain updateFullRow.",
        ),
    ] {
        let request = UpdateTableRequest {
            table_name: "t".to_owned(),
            table_options: Some(options),
            ..UpdateTableRequest::default()
        };
        let refusal = client.call::<operation::UpdateTable>(&request);
        assert_eq!(refusal, Err(parameter(text)));
        assert_eq!(describe(&client, "t").unwrap(), before);
    }
}

#[test]
fn a_table_that_is_split_at_birth_shows_its_points() {
    let range = |begin: VariantRef<'_>, end: VariantRef<'_>| PartitionRange {
        begin: begin.encode(),
        end: end.encode(),
    };
    let mut request = create_request("t", ID, options(1));
    request.partitions = vec![
        range(VariantRef::InfMin, VariantRef::Integer(5)),
        range(VariantRef::Integer(5), VariantRef::InfMax),
    ];
    let client = Client::new();
    client.call::<operation::CreateTable>(&request).unwrap();
    let splits = describe(&client, "t").unwrap().shard_splits;
    let points: Vec<_> = splits
        .iter()
        .map(|key| read_primary_key(key).unwrap())
        .collect();
    assert_eq!(points, [id(5)]);

    let refusal = refused(|create| {
        create.partitions = vec![
            range(VariantRef::InfMin, VariantRef::String("a")),
            range(VariantRef::String("a"), VariantRef::InfMax),
        ];
    });
    let text = "The value type of partition does not match with primary key.";
    assert_eq!(refusal, parameter(text));
}
