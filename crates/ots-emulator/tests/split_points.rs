//! ComputeSplitPointsBySize: parts that together are the table.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use common::*;
use ots_emulator::{Emulator, Settings};
use ots_proto::messages::{
    ComputeSplitPointsBySizeRequest, ComputeSplitPointsBySizeResponse, PrimaryKeyType,
};
use ots_proto::operation::{ComputeSplitPointsBySize, GetRange};
use ots_proto::plainbuffer::read_primary_key;
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row, TableSplits};
use proptest::prelude::*;

const ID: &[(&str, PrimaryKeyType)] = &[("id", PrimaryKeyType::Integer)];

/// A client of an emulator that counts sizes in bytes.
fn small_units() -> Client {
    let mut settings = Settings::default();
    settings.min_split_unit_bytes = 1;
    Client::with(Emulator::builder().settings(settings))
}

fn request(size: i64) -> ComputeSplitPointsBySizeRequest {
    ComputeSplitPointsBySizeRequest {
        table_name: "t".to_owned(),
        split_size: size,
        split_size_unit_in_byte: Some(1),
        split_point_limit: None,
    }
}

fn split(
    client: &Client,
    request: &ComputeSplitPointsBySizeRequest,
) -> ComputeSplitPointsBySizeResponse {
    client.call::<ComputeSplitPointsBySize>(request).unwrap()
}

fn read_units(response: &ComputeSplitPointsBySizeResponse) -> Option<i32> {
    response.consumed.capacity_unit.read
}

/// The rows of every split, read with GetRange.
fn rows_of_splits(client: &Client, splits: &TableSplits) -> Vec<Vec<Row>> {
    let ranges = splits.splits().iter();
    ranges
        .map(|split| {
            let request = range_request("t", &split.start, &split.end);
            let response = client.call::<GetRange>(&request).unwrap();
            assert_eq!(response.next_start_primary_key, None);
            rows(&response.rows)
        })
        .collect()
}

#[test]
fn an_empty_or_small_table_is_one_split() {
    let client = Client::new();
    client.create("t", ID);
    for rows in 0..2 {
        let response = split(
            &client,
            &ComputeSplitPointsBySizeRequest {
                split_size_unit_in_byte: None,
                ..request(1)
            },
        );
        assert_eq!(response.split_points.len(), 0);
        assert_eq!(response.schema[0].name, "id");
        assert_eq!(response.schema.len(), 1);
        assert_eq!(response.locations.len(), 1);
        assert_eq!(response.locations[0].location.len(), 32);
        assert_eq!(response.locations[0].repeat, 1);
        assert_eq!(read_units(&response), Some(1));
        client.put("t", Row::new(id(rows)).cell("a", 1)).unwrap();
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let client = Client::new();
    client.create("t", ID);
    let call = |request: &ComputeSplitPointsBySizeRequest| {
        client
            .call::<ComputeSplitPointsBySize>(request)
            .unwrap_err()
    };
    let with = |table: &str, size, unit, limit| ComputeSplitPointsBySizeRequest {
        table_name: table.to_owned(),
        split_size: size,
        split_size_unit_in_byte: unit,
        split_point_limit: limit,
    };
    let unit = "The split_size_unit_in_byte should be greater equal than: 1048576";
    for (request, expected) in [
        (with("3t", 1, None, None), "Invalid table name: '3t'."),
        (
            with("t", 0, None, None),
            "The split_size should be greater than 0.",
        ),
        (
            with("t", -1, None, None),
            "The split_size should be greater than 0.",
        ),
        (with("t", 1, Some(1_048_575), None), unit),
        (with("t", 1, Some(-1), None), unit),
        (
            with("t", 1, None, Some(0)),
            "The split_point_limit should be greater than 0.",
        ),
    ] {
        assert_eq!(call(&request), parameter(expected));
    }
    assert_eq!(call(&with("other", 1, None, None)), no_table());
    // The largest of everything is no reason to stumble.
    let response = split(
        &client,
        &with("t", i64::MAX, Some(i64::MAX), Some(i32::MAX)),
    );
    assert_eq!(response.split_points.len(), 0);
}

#[test]
fn a_point_is_the_first_key_column_just_behind_a_stored_value() {
    let key = |pk: &str, n: i64| PrimaryKey::new().column("pk", pk).column("n", n);
    let client = small_units();
    client.create(
        "t",
        &[
            ("pk", PrimaryKeyType::String),
            ("n", PrimaryKeyType::Integer),
        ],
    );
    let long = "b".repeat(1024);
    for pk in ["a", &long, "c"] {
        for n in 0..3 {
            client.put("t", Row::new(key(pk, n)).cell("x", 1)).unwrap();
        }
    }
    let response = split(&client, &request(1));
    let points = response.split_points.iter();
    let points: Vec<_> = points
        .map(|point| read_primary_key(point).unwrap())
        .collect();
    let point = |pk: &str| PrimaryKey::new().column("pk", pk);
    // Nothing longer than 1,024 bytes is a key, so the second one is the value that comes next.
    assert_eq!(points, [point("a\0"), point("c")]);
    assert_eq!(response.locations.len(), 1);
    assert_eq!(response.locations[0].repeat, 3);
    assert_eq!(read_units(&response), Some(4));

    let splits = TableSplits::from_message(&response).unwrap();
    let counts: Vec<_> = rows_of_splits(&client, &splits)
        .iter()
        .map(Vec::len)
        .collect();
    assert_eq!(counts, [3, 3, 3]);
}

#[test]
fn a_limit_of_n_points_gives_n_and_one_splits() {
    let client = small_units();
    client.create("t", ID);
    for n in 0..10 {
        client.put("t", Row::new(id(n)).cell("a", 1)).unwrap();
    }
    for (limit, expected) in [(1, 1), (4, 4), (9, 9), (20, 9)] {
        let request = ComputeSplitPointsBySizeRequest {
            split_point_limit: Some(limit),
            ..request(1)
        };
        assert_eq!(split(&client, &request).split_points.len(), expected);
    }
}

#[test]
fn more_rows_than_are_looked_at_at_a_time() {
    let client = small_units();
    client.create("t", ID);
    for n in 0..5000 {
        client.put("t", Row::new(id(n)).cell("a", 1)).unwrap();
    }
    // A row has 2 + 8 bytes of key and 1 + 8 of its column.
    let response = split(&client, &request(19 * 1000));
    let points = response.split_points.iter();
    let points: Vec<_> = points
        .map(|point| read_primary_key(point).unwrap())
        .collect();
    assert_eq!(points, [1000, 2000, 3000, 4000].map(id));
}

fn any_key() -> impl Strategy<Value = PrimaryKeyValue> {
    prop_oneof![
        Just(Vec::new()),
        Just(vec![0]),
        Just(vec![b'a', 0]),
        prop::collection::vec(any::<u8>(), 0..4),
        (1020_usize..=1024).prop_map(|length| vec![b'a'; length]),
    ]
    .prop_map(|bytes| PrimaryKeyValue::Binary(bytes.into()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is in it, the splits are the table: no row lost, none twice, none out of order, and
    /// none but the last smaller than asked for.
    #[test]
    fn the_splits_are_the_table(
        keys in prop::collection::btree_set((any_key(), 0_i64..3), 0..40),
        size in 1_usize..3000,
        limit in prop::option::of(1_i32..6),
    ) {
        let client = small_units();
        client.create("t", &[("pk", PrimaryKeyType::Binary), ("n", PrimaryKeyType::Integer)]);
        for (pk, n) in &keys {
            let key = PrimaryKey::new().column("pk", pk.clone()).column("n", *n);
            client.put("t", Row::new(key)).unwrap();
        }
        let request = ComputeSplitPointsBySizeRequest { split_point_limit: limit, ..request(i64::try_from(size).unwrap()) };
        let response = split(&client, &request);
        let splits = TableSplits::from_message(&response).unwrap();
        if let Some(limit) = limit {
            prop_assert!(splits.splits().len() <= usize::try_from(limit).unwrap() + 1);
        }
        let parts = rows_of_splits(&client, &splits);
        let found = parts.iter().flatten().map(|row| {
            let value = |name| row.primary_key.get(name).unwrap().clone();
            (value("pk"), value("n").as_integer().unwrap())
        });
        prop_assert_eq!(found.collect::<Vec<_>>(), keys.into_iter().collect::<Vec<_>>());
        for part in parts.iter().rev().skip(1) {
            let bytes = part.iter().map(|row| {
                let PrimaryKeyValue::Binary(pk) = row.primary_key.get("pk").unwrap() else {
                    panic!("{row:?}");
                };
                2 + pk.len() + 1 + 8
            });
            prop_assert!(bytes.sum::<usize>() >= size);
        }
    }
}
