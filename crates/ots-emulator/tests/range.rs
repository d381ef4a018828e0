//! Ranges: where pages end, and that together they are the range.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use common::*;
use ots_emulator::{Emulator, LimitCounts, Settings};
use ots_proto::messages::{
    BatchWriteRowRequest, ComparatorType, DataBlockType, Direction, GetRangeRequest, OperationType,
    PrimaryKeyType, RowInBatchWriteRowRequest, TableInBatchWriteRowRequest, TableOptions,
};
use ots_proto::operation::{BatchWriteRow, GetRange};
use ots_proto::plainbuffer::write_change;
use ots_proto::simple_row_matrix::Matrix;
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate};
use proptest::prelude::*;

const ID: &[(&str, PrimaryKeyType)] = &[("id", PrimaryKeyType::Integer)];

fn min() -> PrimaryKey {
    id(PrimaryKeyValue::InfMin)
}

fn max() -> PrimaryKey {
    id(PrimaryKeyValue::InfMax)
}

/// A client with the rows 0..count of table `t`: `a` is the number, `parity` what is left by two.
fn filled(client: Client, count: i64) -> Client {
    client.create("t", ID);
    let rows: Vec<_> = (0..count)
        .map(|n| Row::new(id(n)).cell("a", n).cell("parity", n % 2))
        .collect();
    load(&client, rows);
    client
}

fn load(client: &Client, rows: Vec<Row>) {
    for chunk in rows.chunks(200) {
        let rows = chunk
            .iter()
            .map(|row| RowInBatchWriteRowRequest {
                r#type: OperationType::Put as i32,
                row_change: write_change(&RowChange::Put(row.clone())),
                condition: ignore(),
                return_content: None,
            })
            .collect();
        let request = BatchWriteRowRequest {
            tables: vec![TableInBatchWriteRowRequest {
                table_name: "t".to_owned(),
                rows,
            }],
            ..BatchWriteRowRequest::default()
        };
        client.call::<BatchWriteRow>(&request).unwrap();
    }
}

fn page(client: &Client, request: &GetRangeRequest) -> (Vec<i64>, Option<PrimaryKey>) {
    let response = client.call::<GetRange>(request).unwrap();
    let ids = rows(&response.rows)
        .iter()
        .map(|row| row.primary_key.get("id").unwrap().as_integer().unwrap())
        .collect();
    (ids, next_key(&response))
}

/// Every page of a range.
fn pages(client: &Client, mut request: GetRangeRequest) -> Vec<Vec<i64>> {
    let mut all = Vec::new();
    loop {
        let (ids, next) = page(client, &request);
        all.push(ids);
        match next {
            None => return all,
            Some(key) => {
                request.inclusive_start_primary_key =
                    ots_proto::plainbuffer::write_primary_key(&key);
            }
        }
    }
}

#[test]
fn start_is_in_and_end_is_out_both_ways() {
    let client = filled(Client::new(), 10);
    let range =
        |start: PrimaryKey, end: PrimaryKey| page(&client, &range_request("t", &start, &end)).0;
    assert_eq!(range(id(3), id(6)), [3, 4, 5]);
    assert_eq!(range(id(6), id(3)), [6, 5, 4]);
    assert_eq!(range(min(), id(2)), [0, 1]);
    assert_eq!(range(max(), id(7)), [9, 8]);
    assert_eq!(range(id(100), max()), [0; 0]);
    assert_eq!(range(min(), max()).len(), 10);
}

#[test]
fn expired_rows_do_not_use_up_the_limit() {
    for limit_counts in [LimitCounts::Returned, LimitCounts::Scanned] {
        let mut settings = Settings::default();
        settings.limit_counts = limit_counts;
        let client = Client::with(Emulator::builder().settings(settings));
        let day = TableOptions {
            time_to_live: Some(86_400),
            max_versions: Some(1),
            ..TableOptions::default()
        };
        client.create_with("t", ID, day);
        // Live rows lie between two blocks of expired ones.
        let rows = |ids: Range<i64>| ids.map(|n| Row::new(id(n)).cell("a", n)).collect();
        load(&client, rows(0..20));
        load(&client, rows(40..60));
        client.advance(Duration::from_hours(24));
        load(&client, rows(20..40));

        let request = |start: PrimaryKey, end: PrimaryKey| GetRangeRequest {
            limit: Some(10),
            ..range_request("t", &start, &end)
        };
        let up = pages(&client, request(min(), max()));
        let down = pages(&client, request(max(), min()));
        assert_eq!(up.concat(), (20..40).collect::<Vec<_>>());
        assert_eq!(down.concat(), (20..40).rev().collect::<Vec<_>>());
        if limit_counts == LimitCounts::Returned {
            assert_eq!(up[0], (20..30).collect::<Vec<_>>());
            assert_eq!(down[0], (30..40).rev().collect::<Vec<_>>());
        } else {
            assert_eq!([up.len(), down.len()], [6, 6]);
        }
    }
}

#[test]
fn infinities_may_stand_before_values() {
    let client = Client::new();
    let key = [
        ("s", PrimaryKeyType::String),
        ("id", PrimaryKeyType::Integer),
    ];
    client.create("t", &key);
    let key = |s: &str, id: PrimaryKeyValue| PrimaryKey::new().column("s", s).column("id", id);
    for s in ["a", "ab", "b", "c"] {
        client.put("t", Row::new(key(s, 1.into()))).unwrap();
    }
    let start = key("a", PrimaryKeyValue::InfMax);
    let end = key("b", PrimaryKeyValue::InfMin);
    let response = client
        .call::<GetRange>(&range_request("t", &start, &end))
        .unwrap();
    let found: Vec<_> = rows(&response.rows)
        .into_iter()
        .map(|row| row.primary_key)
        .collect();
    assert_eq!(found, [key("ab", 1.into())]);
}

#[test]
fn bounds_must_be_in_order() {
    let client = filled(Client::new(), 1);
    let forward = "Begin key must less than end key in FORWARD";
    let backward = "Begin key must more than end key in BACKWARD";
    for (start, end, direction, text) in [
        (id(2), id(1), Direction::Forward, forward),
        (id(1), id(1), Direction::Forward, forward),
        (max(), min(), Direction::Forward, forward),
        (id(1), id(2), Direction::Backward, backward),
        (min(), min(), Direction::Backward, backward),
    ] {
        let mut request = range_request("t", &start, &end);
        request.direction = direction as i32;
        assert_eq!(client.call::<GetRange>(&request), Err(parameter(text)));
    }
}

#[test]
fn refusals_come_in_order() {
    let client = filled(Client::new(), 1);
    // Everything is wrong; one thing after another is mended.
    let mut request = GetRangeRequest {
        limit: Some(0),
        columns_to_get: vec!["#".to_owned()],
        max_versions: None,
        ..range_request("#", &id("b"), &id("a"))
    };
    request.direction = Direction::Forward as i32;
    let mut refused = |change: fn(&mut GetRangeRequest)| {
        change(&mut request);
        client.call::<GetRange>(&request).unwrap_err()
    };
    assert_eq!(refused(|_| {}), parameter("Invalid table name: '#'."));
    let text = "Invalid column name: '#'.";
    assert_eq!(refused(|r| r.table_name = "t".to_owned()), parameter(text));
    let text = "No version condition is specified.";
    assert_eq!(refused(|r| r.columns_to_get.clear()), parameter(text));
    let text = "The limit must be greater than 0.";
    assert_eq!(refused(|r| r.max_versions = Some(1)), parameter(text));
    let text = "Validate PK type fail. Input: VT_STRING, Meta: VT_INTEGER.";
    assert_eq!(refused(|r| r.limit = None), invalid_pk(text));
}

#[test]
fn a_page_ends_with_its_limit() {
    let client = filled(Client::new(), 10);
    let limited = |limit| {
        let mut request = range_request("t", &id(2), &id(8));
        request.limit = Some(limit);
        page(&client, &request)
    };
    assert_eq!(limited(4), (vec![2, 3, 4, 5], Some(id(6))));
    // Reached at the last row: nothing is left.
    assert_eq!(limited(6), (vec![2, 3, 4, 5, 6, 7], None));
    assert_eq!(limited(7).1, None);
}

#[test]
fn a_page_ends_with_5000_rows() {
    let client = filled(Client::new(), 5001);
    let (ids, next) = page(&client, &range_request("t", &min(), &max()));
    assert_eq!((ids.len(), next), (5000, Some(id(5000))));
    let (ids, next) = page(&client, &range_request("t", &min(), &id(5000)));
    assert_eq!((ids.len(), next), (5000, None));
}

#[test]
fn a_page_ends_with_4_megabytes_but_has_a_row() {
    let client = Client::new();
    client.create("t", ID);
    for n in 0..5 {
        let row = Row::new(id(n)).cell("a", "x".repeat(1 << 20));
        client.put("t", row).unwrap();
    }
    for n in 5..7 {
        // Two updates make a row larger than a page.
        client
            .put("t", Row::new(id(n)).cell("a", "x".repeat(2 << 20)))
            .unwrap();
        for name in ["b", "c"] {
            let update = ots_proto::RowUpdate::new(id(n)).put(name, "x".repeat(2 << 20));
            client.update("t", update).unwrap();
        }
    }
    let pages = pages(&client, range_request("t", &min(), &max()));
    assert_eq!(pages, [vec![0, 1, 2], vec![3, 4], vec![5], vec![6]]);
}

#[test]
fn caps_count_rows_that_the_filter_rejects() {
    let mut settings = Settings::default();
    settings.range_page_rows = 10;
    let client = filled(Client::with(Emulator::builder().settings(settings)), 25);
    let mut request = range_request("t", &min(), &max());
    let nothing = column_filter("a", ComparatorType::LessThan, 0);
    request.filter = bytes(&single(&nothing));
    // Empty pages that go on are ordinary pages.
    assert_eq!(page(&client, &request), (vec![], Some(id(10))));
    assert_eq!(pages(&client, request.clone()), [[0; 0], [], []]);

    let odd = column_filter("parity", ComparatorType::Equal, 1);
    request.filter = bytes(&single(&odd));
    request.limit = Some(4);
    assert_eq!(page(&client, &request), (vec![1, 3, 5, 7], Some(id(8))));
}

#[test]
fn limit_may_count_rows_that_the_filter_rejects() {
    let mut settings = Settings::default();
    settings.limit_counts = LimitCounts::Scanned;
    let client = filled(Client::with(Emulator::builder().settings(settings)), 25);
    let mut request = range_request("t", &min(), &max());
    let odd = column_filter("parity", ComparatorType::Equal, 1);
    request.filter = bytes(&single(&odd));
    request.limit = Some(4);
    assert_eq!(page(&client, &request), (vec![1, 3], Some(id(4))));
}

#[test]
fn rows_without_the_columns_are_left_out() {
    let client = filled(Client::new(), 4);
    client.put("t", Row::new(id(2)).cell("other", 1)).unwrap();
    let mut request = range_request("t", &min(), &max());
    request.columns_to_get = vec!["a".to_owned()];
    assert_eq!(page(&client, &request).0, [0, 1, 3]);
    request.limit = Some(3);
    assert_eq!(page(&client, &request), (vec![0, 1, 3], None));
    request.columns_to_get = vec!["missing".to_owned()];
    let response = client.call::<GetRange>(&request).unwrap();
    assert!(response.rows.is_empty());
    assert_eq!(units(&response.consumed), (1, 0));
}

#[test]
fn keys_may_be_left_out_or_named() {
    let client = Client::new();
    let key = [
        ("p", PrimaryKeyType::Integer),
        ("q", PrimaryKeyType::Integer),
    ];
    client.create("t", &key);
    let key =
        |p: PrimaryKeyValue, q: PrimaryKeyValue| PrimaryKey::new().column("p", p).column("q", q);
    client
        .put("t", Row::new(key(1.into(), 2.into())).cell("a", 3))
        .unwrap();
    let inf = |value: PrimaryKeyValue| key(value.clone(), value);
    let mut request = range_request(
        "t",
        &inf(PrimaryKeyValue::InfMin),
        &inf(PrimaryKeyValue::InfMax),
    );
    request.return_entire_primary_keys = Some(false);
    let mut read = |columns: &[&str]| {
        request.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        only_row(&client.call::<GetRange>(&request).unwrap().rows).unwrap()
    };
    let row = read(&["q", "a"]);
    assert_eq!(row.primary_key, PrimaryKey::new().column("q", 2));
    assert_eq!(names(&row), ["a"]);
    assert!(read(&["a"]).primary_key.is_empty());
    assert_eq!(read(&[]).primary_key.len(), 2);
}

#[test]
fn a_hint_for_the_matrix_is_followed_where_a_matrix_can_hold_the_answer() {
    let client = Client::new();
    client.create_with("t", ID, options(2));
    for n in [1, 2] {
        client
            .update("t", RowUpdate::new(id(1)).put("a", n))
            .unwrap();
        client.advance(Duration::from_millis(1));
    }
    let mut request = range_request("t", &min(), &max());
    request.data_block_type_hint = Some(DataBlockType::SimpleRowMatrix as i32);
    let block = |request: &GetRangeRequest| {
        let response = client.call::<GetRange>(request).unwrap();
        (response.data_block_type, response.rows)
    };
    // All columns: their names aren't known before the last row.
    let (block_type, buffer) = block(&request);
    assert_eq!(block_type, None);
    assert_eq!(rows(&buffer).len(), 1);

    request.columns_to_get = vec!["a".to_owned()];
    let (block_type, buffer) = block(&request);
    assert_eq!(block_type, Some(DataBlockType::SimpleRowMatrix as i32));
    let matrix = Matrix::parse(&buffer).unwrap();
    // The whole key, named or not: unlike BulkExport.
    assert_eq!(matrix.names(), ["id", "a"]);
    assert_eq!(matrix.to_rows().unwrap(), [Row::new(id(1)).cell("a", 2)]);

    request.return_entire_primary_keys = Some(false);
    let (_, buffer) = block(&request);
    assert_eq!(Matrix::parse(&buffer).unwrap().names(), ["a"]);

    // Two versions of a column don't fit.
    request.max_versions = Some(2);
    let (block_type, buffer) = block(&request);
    assert_eq!(block_type, None);
    assert_eq!(rows(&buffer)[0].cells.len(), 2);
}

#[test]
fn capacity_units_are_rounded_once_for_a_page() {
    let client = Client::new();
    client.create("t", ID);
    let block = "x".repeat(4096);
    let read = |columns: &[&str]| {
        let mut request = range_request("t", &min(), &max());
        request.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        units(&client.call::<GetRange>(&request).unwrap().consumed)
    };
    assert_eq!(read(&[]), (1, 0));
    for (n, expected) in [(0, 4), (1, 7)] {
        let row = ["a", "b", "c"]
            .iter()
            .fold(Row::new(id(n)), |row, &name| row.cell(name, block.as_str()));
        client.put("t", row).unwrap();
        assert_eq!(read(&[]), (expected, 0));
    }
    assert_eq!(read(&["a", "b"]), (5, 0));
    assert_eq!(read(&["a", "missing"]), (3, 0));
    assert_eq!(read(&["missing"]), (1, 0));
}

fn key_value() -> impl Strategy<Value = i64> {
    0..40i64
}

fn bound() -> impl Strategy<Value = PrimaryKeyValue> {
    prop_oneof![
        6 => key_value().prop_map(PrimaryKeyValue::from),
        1 => Just(PrimaryKeyValue::InfMin),
        1 => Just(PrimaryKeyValue::InfMax),
    ]
}

fn pair(first: PrimaryKeyValue, second: PrimaryKeyValue) -> PrimaryKey {
    PrimaryKey::new().column("p", first).column("q", second)
}

proptest! {
    /// Whatever ends the pages, one after another they are the model's range, and each of them reads
    /// as many rows as the caps say, those that the filter rejects included.
    #[test]
    fn pages_of_any_size_are_the_range(
        keys in prop::collection::btree_set((key_value(), key_value()), 0..60),
        start in (bound(), bound()),
        end in (bound(), bound()),
        page_rows in 1usize..12,
        page_bytes in prop_oneof![Just(usize::MAX), 1usize..400],
        limit in prop::option::of(1i32..12),
        threshold in prop::option::of(key_value()),
        scanned in any::<bool>(),
    ) {
        let (start, end) = (pair(start.0, start.1), pair(end.0, end.1));
        prop_assume!(start != end);
        let mut settings = Settings::default();
        settings.range_page_rows = page_rows;
        settings.range_page_bytes = page_bytes;
        if scanned {
            settings.limit_counts = LimitCounts::Scanned;
        }
        let client = Client::with(Emulator::builder().settings(settings));
        let schema = [("p", PrimaryKeyType::Integer), ("q", PrimaryKeyType::Integer)];
        client.create("t", &schema);
        let model: BTreeMap<PrimaryKey, i64> = keys
            .iter()
            .map(|&(p, q)| (pair(p.into(), q.into()), (p * 7 + q) % 40))
            .collect();
        let stored = model.iter().map(|(key, &a)| Row::new(key.clone()).cell("a", a));
        load(&client, stored.collect());

        let forward = start < end;
        let mut read: Vec<(PrimaryKey, i64)> = if forward {
            model.range(&start..&end).map(|(key, &a)| (key.clone(), a)).collect()
        } else {
            let inside = model.iter().rev().filter(|(key, _)| **key <= start && **key > end);
            inside.map(|(key, &a)| (key.clone(), a)).collect()
        };
        read.reverse();

        let mut request = range_request("t", &start, &end);
        request.limit = limit;
        if let Some(threshold) = threshold {
            let filter = column_filter("a", ComparatorType::LessThan, threshold);
            request.filter = bytes(&single(&filter));
        }
        let passes = |a: i64| threshold.is_none_or(|threshold| a < threshold);
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        // p and q, 8 bytes each, one letter each; a likewise.
        let row_bytes = 27;

        loop {
            let mut expected = Vec::new();
            let mut rows_read = 0;
            while let Some((key, a)) = read.last().cloned() {
                let counted = if scanned { rows_read } else { expected.len() };
                let full = rows_read > 0 && (rows_read + 1) * row_bytes > page_bytes;
                if rows_read == page_rows || counted == limit || full {
                    break;
                }
                read.pop();
                rows_read += 1;
                if passes(a) {
                    expected.push(key);
                }
            }
            let response = client.call::<GetRange>(&request).unwrap();
            let found: Vec<_> =
                rows(&response.rows).into_iter().map(|row| row.primary_key).collect();
            prop_assert_eq!(found, expected);
            let next = next_key(&response);
            prop_assert_eq!(next.as_ref(), read.last().map(|(key, _)| key));
            match response.next_start_primary_key {
                None => break,
                Some(key) => request.inclusive_start_primary_key = key,
            }
        }
    }
}
