//! Ranges: where pages end, and that together they are the range.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod bounds;
#[path = "../common/mod.rs"]
mod common;
mod page_ends;

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
