//! Tables, indexes, transactions and read options against bytes made by the official SDKs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use ots_core::filter::{CastType, ColumnPagination, Filter};
use ots_core::request::{
    AbortTransaction, AddDefinedColumn, BatchGetRow, CommitTransaction, CreateIndex, CreateTable,
    DefinedColumnType, DeleteDefinedColumn, DescribeTable, DropIndex, Encryption, GetRange, GetRow,
    PrimaryKeyType, Request, ReservedThroughput, SecondaryIndex, StartLocalTransaction, Stream,
    TableOptions, TableRead, TableStatus, TimeToLive, UpdateTable,
};
use ots_core::{ErrorKind, PrimaryKey, PrimaryKeyValue, Reply};
use prost::Message;
use serde_json::Value;

fn cases(json: &str) -> Vec<(String, Bytes)> {
    let vectors: Value = serde_json::from_str(json).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    let text = |case: &Value, field: &str| case[field].as_str().unwrap().to_owned();
    cases
        .map(|case| {
            let bytes = hex::decode(text(case, "hex")).unwrap();
            (text(case, "name"), bytes.into())
        })
        .collect()
}

fn encoded<R: Request>(request: R) -> Bytes {
    request.into_message().unwrap().encode_to_vec().into()
}

fn read<R: Request>(name: &str) -> R::Output
where
    <R::Operation as ots_proto::operation::Operation>::Response: Message + Default,
{
    let cases = cases(include_str!("../vectors/responses.json"));
    let (_, body) = cases.into_iter().find(|(case, _)| case == name).unwrap();
    R::read(Reply::new(Message::decode(body).unwrap())).unwrap()
}

fn refused<R: Request>(request: R) -> String {
    let Err(error) = request.into_message() else {
        panic!("not refused")
    };
    assert!(matches!(error.kind(), ErrorKind::Request(_)), "{error}");
    error.to_string()
}

fn gid(value: impl Into<PrimaryKeyValue>) -> PrimaryKey {
    PrimaryKey::new().column("gid", value)
}

fn gid_uid(uid: &str) -> PrimaryKey {
    gid(1).column("uid", uid)
}

const DAY: Duration = Duration::from_secs(86_400);

/// What the official SDK sends when nothing else is asked for.
fn usual() -> TableOptions {
    TableOptions::new()
        .keep_forever()
        .max_versions(1)
        .max_deviation(DAY)
}

fn full_table() -> CreateTable {
    let options = TableOptions::new()
        .expire_after(DAY)
        .max_versions(3)
        .max_deviation(2 * DAY)
        .allow_update(false);
    CreateTable::new("tbl")
        .primary_key("gid", PrimaryKeyType::String)
        .primary_key("uid", PrimaryKeyType::Integer)
        .primary_key("bin", PrimaryKeyType::Binary)
        .auto_increment_key("seq")
        .defined_column("i", DefinedColumnType::Integer)
        .defined_column("d", DefinedColumnType::Double)
        .defined_column("b", DefinedColumnType::Boolean)
        .defined_column("s", DefinedColumnType::String)
        .defined_column("x", DefinedColumnType::Blob)
        .reserved(10, 20)
        .options(options)
        .encryption(Encryption::ServiceKey)
        .index(SecondaryIndex::global("idx_g", ["i", "gid"]).columns(["d"]))
        .index(SecondaryIndex::local("idx_l", ["gid", "s"]).columns(["b", "x"]))
}

#[test]
fn requests_are_the_bytes_of_the_official_sdk() {
    let table = || CreateTable::new("tbl").options(usual());
    let row = || GetRow::new("tbl", gid_uid("a"));
    let column = Filter::column;
    let mut seen = BTreeSet::new();
    for (name, wanted) in cases(include_str!("../vectors/requests.json")) {
        let made = match name.as_str() {
            "create_table_minimal" => encoded(table().primary_key("gid", PrimaryKeyType::Integer)),
            "create_table_full" => encoded(full_table()),
            "create_table_split_points" => encoded(
                table()
                    .primary_key("gid", PrimaryKeyType::Integer)
                    .primary_key("uid", PrimaryKeyType::String)
                    .split_points([-100, 0, 100]),
            ),
            "create_table_split_points_string" => encoded(
                table()
                    .primary_key("gid", PrimaryKeyType::String)
                    .split_points(["g", "t"]),
            ),
            "update_table_options" => encoded(
                UpdateTable::new("tbl").options(
                    TableOptions::new()
                        .keep_forever()
                        .max_versions(5)
                        .max_deviation(Duration::from_secs(1000))
                        .allow_update(true),
                ),
            ),
            "update_table_read_only_cu" => {
                encoded(UpdateTable::new("tbl").reserved(ReservedThroughput {
                    read: Some(7),
                    write: None,
                }))
            }
            "create_index_global" => {
                let index = SecondaryIndex::global("idx", ["i", "gid"]).columns(["s"]);
                encoded(CreateIndex::new("tbl", index).include_existing_rows())
            }
            "create_index_local" => {
                let index = SecondaryIndex::local("idx", ["gid", "i"]).columns(["s"]);
                encoded(CreateIndex::new("tbl", index))
            }
            "drop_index" => encoded(DropIndex::new("tbl", "idx")),
            "add_defined_column" => encoded(
                AddDefinedColumn::new("tbl")
                    .column("i", DefinedColumnType::Integer)
                    .column("x", DefinedColumnType::Blob),
            ),
            "delete_defined_column" => encoded(DeleteDefinedColumn::new("tbl", ["i", "x"])),
            "start_local_transaction" => encoded(StartLocalTransaction::new("tbl", "gid", 1)),
            "commit_transaction" => encoded(CommitTransaction::new("txn-1")),
            "abort_transaction" => encoded(AbortTransaction::new("txn-1")),
            "get_row_specific_time" => encoded(row().specific_time(1_700_000_000_000)),
            "get_row_filter_single" => {
                encoded(row().filter(column("age").ge(18).only_if_present().any_version()))
            }
            "get_row_filter_nested" => {
                let first = column("a").eq("x");
                let first = first.and(column("b").lt(1.5));
                let second = column("c").ne(true).not();
                let third = column("d").le(vec![0_u8, 255]);
                let any = Filter::any([first, second, third.into()]).unwrap();
                encoded(row().filter(any))
            }
            "get_row_filter_regex_int" => {
                let number = column("s").transfer("t:([0-9]+)", CastType::Integer);
                encoded(row().filter(number.gt(10)))
            }
            "get_row_pagination_filter" => continue, // Nested: the service takes it, no type allows it.
            "get_range_everything" => encoded(
                GetRange::new("tbl", gid_uid("a"), gid_uid("b"))
                    .columns(["a"])
                    .time_range(1, 1 << 62)
                    .max_versions(10)
                    .limit(5000)
                    .filter(column("a").ne(1))
                    .column_range("a".."b")
                    .token(&b"tok"[..])
                    .transaction("txn"),
            ),
            "get_range_specific_time" => encoded(
                GetRange::new("tbl", PrimaryKey::min(["gid"]), PrimaryKey::max(["gid"]))
                    .specific_time(42),
            ),
            "get_range_binary_keys" => encoded(GetRange::new(
                "tbl",
                PrimaryKey::new().column("b", Bytes::new()),
                PrimaryKey::new().column("b", Bytes::from_static(&[255, 255])),
            )),
            "batch_get_row" => {
                let first = TableRead::new("t1", [gid(1)])
                    .rest_of(gid(2), &[9][..])
                    .columns(["a"])
                    .max_versions(2)
                    .filter(column("a").gt(0))
                    .column_range("a".."z");
                let second = TableRead::new("t2", [PrimaryKey::new().column("k", "x")]);
                encoded(
                    BatchGetRow::new()
                        .table(first)
                        .table(second.time_range(0, 10)),
                )
            }
            // Those of `requests.rs` and `search_requests.rs`.
            _ => continue,
        };
        assert_eq!(hex::encode(made), hex::encode(wanted), "{name}");
        seen.insert(name);
    }
    assert_eq!(seen.len(), 22);
}

#[test]
fn a_table_is_described_whole() {
    let table = read::<DescribeTable>("describe_table");
    assert_eq!(table.name, "t");
    let key: Vec<_> = table
        .primary_key
        .iter()
        .map(|column| &column.name[..])
        .collect();
    assert_eq!(key, ["gid", "seq"]);
    assert_eq!(table.defined_columns[0].name, "s");
    assert_eq!(table.options, usual().allow_update(true));
    let reserved = ReservedThroughput {
        read: Some(0),
        write: Some(0),
    };
    assert_eq!(table.throughput.reserved, reserved);
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    assert_eq!(table.created, Some(created));
    assert_eq!(table.throughput.last_increase, created);
    assert_eq!(table.throughput.last_decrease, None);
    assert_eq!(table.status, Some(TableStatus::Active));
    assert_eq!((&table.stream, &table.encryption), (&None, &None));
    assert_eq!(table.split_points, [gid(5)]);
    let [index] = &table.indexes[..] else {
        panic!("{:?}", table.indexes)
    };
    assert_eq!(
        (&index.name[..], index.is_local, index.is_building),
        ("i", false, false)
    );
    assert_eq!(index.primary_key, ["s", "gid"]);

    let updated = read::<UpdateTable>("update_table");
    assert_eq!(
        updated.options.time_to_live,
        Some(TimeToLive::Seconds(86_400))
    );
    assert_eq!(updated.options.allow_update, Some(false));
    assert_eq!(updated.throughput.reserved.write, Some(2));
    let cut = created + Duration::from_secs(1);
    assert_eq!(updated.throughput.last_decrease, Some(cut));
    assert!(!read::<StartLocalTransaction>("start_local_transaction").is_empty());
}

#[test]
fn what_needs_no_service_to_be_refused_is_not_sent() {
    let table = || CreateTable::new("t").primary_key("id", PrimaryKeyType::Integer);
    let cases = [
        (
            refused(table().max_versions(0)),
            "CreateTable on table \"t\": max_versions must be between 1 and 2147483647, got 0",
        ),
        (
            refused(table().expire_after(Duration::ZERO)),
            "CreateTable on table \"t\": time to live must be between 1 and 2147483647, got 0",
        ),
        (
            refused(table().split_points([3, 3])),
            "CreateTable on table \"t\": split points must rise",
        ),
        (
            refused(UpdateTable::new("t").stream(Stream::enabled(0))),
            "UpdateTable on table \"t\": stream retention_hours must be between 1 and 2147483647, \
             got 0",
        ),
        (
            refused(GetRow::new("t", gid(1)).max_versions(2).specific_time(5)),
            "GetRow on table \"t\": max_versions and a specific time can't be given together",
        ),
    ];
    for (said, wanted) in cases {
        assert_eq!(said, wanted);
    }
    let window = refused(GetRow::new("t", gid(1)).column_range("b".."a"));
    assert!(window.starts_with("GetRow on table \"t\": "), "{window}");
    let none = refused(GetRow::new("t", gid(1)).filter(ColumnPagination::new(0, 0)));
    assert!(none.starts_with("GetRow on table \"t\": "), "{none}");
}
