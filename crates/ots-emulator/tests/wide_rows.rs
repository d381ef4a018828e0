//! Rows that don't fit in one response: their parts are the row, whichever way it is read.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use bytes::Bytes;
use common::*;
use ots_emulator::{Emulator, Settings};
use ots_proto::messages::{
    BatchGetRowRequest, GetRangeRequest, GetRowRequest, GetRowResponse, PrimaryKeyType,
    TableInBatchGetRowRequest,
};
use ots_proto::operation::{BatchGetRow, GetRange, GetRow};
use ots_proto::plainbuffer::write_primary_key;
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row, RowUpdate};
use proptest::prelude::*;

const ID: &[(&str, PrimaryKeyType)] = &[("id", PrimaryKeyType::Integer)];

/// A client of an emulator that cuts rows from so many bytes on.
fn cutting(wide_row_bytes: usize) -> Client {
    let mut settings = Settings::default();
    settings.wide_row_bytes = wide_row_bytes;
    let client = Client::with(Emulator::builder().settings(settings));
    client.create_with("t", ID, options(3));
    client
}

fn get(client: &Client, token: Option<Bytes>) -> GetRowResponse {
    let request = GetRowRequest {
        token,
        ..get_request("t", &id(1))
    };
    client.call::<GetRow>(&request).unwrap()
}

#[test]
fn a_row_is_cut_between_two_cells_and_its_parts_cost_what_they_hold() {
    let client = cutting(5000);
    let row = ["a", "b", "c"].iter().fold(Row::new(id(1)), |row, name| {
        row.cell(*name, "x".repeat(2000))
    });
    client.put("t", row).unwrap();
    let first = get(&client, None);
    assert_eq!(names(&only_row(&first.row).unwrap()), ["a", "b"]);
    assert_eq!(units(&first.consumed), (1, 0));
    let last = get(&client, first.next_token);
    assert_eq!(names(&only_row(&last.row).unwrap()), ["c"]);
    assert_eq!(units(&last.consumed), (1, 0));
    assert_eq!(last.next_token, None);
}

#[test]
fn a_cell_larger_than_a_part_is_a_part() {
    let client = cutting(1);
    let row = Row::new(id(1)).cell("a", 1).cell("b", 2);
    client.put("t", row).unwrap();
    let first = get(&client, None);
    assert_eq!(names(&only_row(&first.row).unwrap()), ["a"]);
    let last = get(&client, first.next_token);
    assert_eq!(names(&only_row(&last.row).unwrap()), ["b"]);
    assert_eq!(last.next_token, None);
}

#[test]
fn no_row_is_cut_unless_the_settings_say_so() {
    let client = Client::new();
    client.create("t", ID);
    for column in ["a", "b", "c"] {
        let value = "x".repeat(2 << 20);
        let update = RowUpdate::new(id(1)).put(column, value);
        client.update("t", update).unwrap();
    }
    let response = get(&client, None);
    assert_eq!(only_row(&response.row).unwrap().cells.len(), 3);
    assert_eq!(response.next_token, None);
}

#[test]
fn what_is_written_meanwhile_neither_shifts_nor_repeats_what_is_read() {
    let client = cutting(1);
    let row = Row::new(id(1)).cell("b", 1).cell("d", 2).cell("e", 3);
    client.put("t", row).unwrap();
    let first = get(&client, None);
    assert_eq!(names(&only_row(&first.row).unwrap()), ["b"]);
    // One before the place, and the very cell that would come next.
    let update = RowUpdate::new(id(1)).put("a", 9).delete_all_versions("d");
    client.update("t", update).unwrap();
    let second = get(&client, first.next_token);
    assert_eq!(names(&only_row(&second.row).unwrap()), ["e"]);
    assert_eq!(second.next_token, None);
}

#[test]
fn a_row_that_is_gone_is_passed_over() {
    let client = cutting(1);
    for number in 1..4 {
        let row = Row::new(id(number)).cell("a", 1).cell("b", 2);
        client.put("t", row).unwrap();
    }
    let mut request = range_request("t", &id(1), &id(PrimaryKeyValue::InfMax));
    let first = client.call::<GetRange>(&request).unwrap();
    client.delete("t", id(1)).unwrap();
    request.inclusive_start_primary_key = first.next_start_primary_key.unwrap();
    request.token = first.next_token.clone();
    let second = client.call::<GetRange>(&request).unwrap();
    let row = only_row(&second.rows).unwrap();
    assert_eq!((row.primary_key.clone(), names(&row)), (id(2), vec!["a"]));

    let gone = get(&client, first.next_token);
    assert_eq!((gone.row, gone.next_token), (Bytes::new(), None));
}

#[test]
fn a_token_of_another_row_table_or_planet_is_refused() {
    let client = cutting(1);
    client.create("other", ID);
    client
        .put("t", Row::new(id(1)).cell("a", 1).cell("b", 2))
        .unwrap();
    let token = get(&client, None).next_token.unwrap();
    let refusal = parameter("The token is not one that was given for this row.");
    let refused = |request: GetRowRequest| client.call::<GetRow>(&request).unwrap_err();
    let with = |table, key: PrimaryKey, token: &Bytes| GetRowRequest {
        token: Some(token.clone()),
        ..get_request(table, &key)
    };
    assert_eq!(refused(with("t", id(2), &token)), refusal);
    assert_eq!(refused(with("other", id(1), &token)), refusal);
    let garbage = Bytes::from_static(b"garbage");
    assert_eq!(refused(with("t", id(1), &garbage)), refusal);
    let long = Bytes::from_static(b"garbage and even more garbage");
    assert_eq!(refused(with("t", id(1), &long)), refusal);

    let request = GetRangeRequest {
        token: Some(token.clone()),
        ..range_request("t", &id(0), &id(9))
    };
    assert_eq!(client.call::<GetRange>(&request).unwrap_err(), refusal);
    let request = BatchGetRowRequest {
        tables: vec![TableInBatchGetRowRequest {
            table_name: "t".to_owned(),
            primary_key: vec![write_primary_key(&id(1)), write_primary_key(&id(2))],
            token: vec![token],
            max_versions: Some(1),
            ..TableInBatchGetRowRequest::default()
        }],
    };
    assert_eq!(
        client.call::<BatchGetRow>(&request).unwrap_err(),
        parameter("There must be a token for each of the 2 keys: 1.")
    );
}

/// Adds a part to what is there of a row.
fn join(rows: &mut Vec<Row>, part: Row, continues: bool) {
    match rows.last_mut() {
        Some(last) if continues => {
            assert_eq!(last.primary_key, part.primary_key);
            last.cells.extend(part.cells);
        }
        _ => rows.push(part),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_parts_are_the_rows(
        table in prop::collection::vec(
            prop::collection::vec(("[a-e]", 0_i64..9, "x{0,40}"), 0..10),
            1..8,
        ),
        wide_row_bytes in 1_usize..200,
        limit in prop::option::of(1_i32..4),
        backward in any::<bool>(),
        max_versions in 1_i32..4,
    ) {
        let client = cutting(wide_row_bytes);
        let whole = cutting(usize::MAX);
        for (number, cells) in (0..).zip(&table) {
            let mut row = Row::new(id(number));
            row.cells = cells.iter().map(|(name, ms, value)| at(name, value.as_str(), NOW_MS + ms)).collect();
            for client in [&client, &whole] {
                client.put("t", row.clone()).unwrap();
            }
        }
        let (min, max) = (id(PrimaryKeyValue::InfMin), id(PrimaryKeyValue::InfMax));
        let (start, end) = if backward { (max, min) } else { (min, max) };
        let mut request = range_request("t", &start, &end);
        request.max_versions = Some(max_versions);
        let expected = rows(&whole.call::<GetRange>(&request).unwrap().rows);
        prop_assert_eq!(expected.len(), table.len());

        request.limit = limit;
        let mut found = Vec::new();
        loop {
            let response = client.call::<GetRange>(&request).unwrap();
            let mut continues = request.token.is_some();
            for row in rows(&response.rows) {
                join(&mut found, row, continues);
                continues = false;
            }
            let Some(next) = response.next_start_primary_key else {
                prop_assert_eq!(response.next_token, None);
                break;
            };
            request.inclusive_start_primary_key = next;
            request.token = response.next_token;
        }
        prop_assert_eq!(&found, &expected);

        // Row by row, and all in one batch.
        let mut single = Vec::new();
        for row in &expected {
            let mut token = None;
            loop {
                let request = GetRowRequest {
                    max_versions: Some(max_versions),
                    token: token.clone(),
                    ..get_request("t", &row.primary_key)
                };
                let response = client.call::<GetRow>(&request).unwrap();
                join(&mut single, only_row(&response.row).unwrap(), token.is_some());
                token = response.next_token;
                if token.is_none() {
                    break;
                }
            }
        }
        prop_assert_eq!(&single, &expected);

        let mut batch: Vec<Vec<Row>> = vec![Vec::new(); expected.len()];
        let mut open: Vec<_> = (0..expected.len()).map(|index| (index, Bytes::new())).collect();
        while !open.is_empty() {
            let keys = open.iter().map(|(index, _)| write_primary_key(&expected[*index].primary_key));
            let request = BatchGetRowRequest {
                tables: vec![TableInBatchGetRowRequest {
                    table_name: "t".to_owned(),
                    primary_key: keys.collect(),
                    token: open.iter().map(|(_, token)| token.clone()).collect(),
                    max_versions: Some(max_versions),
                    ..TableInBatchGetRowRequest::default()
                }],
            };
            let response = client.call::<BatchGetRow>(&request).unwrap();
            let answers = open.iter().zip(&response.tables[0].rows);
            open = answers
                .filter_map(|((index, token), answer)| {
                    let part = only_row(answer.row.as_ref().unwrap()).unwrap();
                    join(&mut batch[*index], part, !token.is_empty());
                    Some((*index, answer.next_token.clone()?))
                })
                .collect();
        }
        prop_assert_eq!(batch.concat(), expected);
    }
}
